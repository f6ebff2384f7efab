/* SPDX-License-Identifier: ISC */
/* What dispatch.c, intake.c, assign.c and judge.c share. */
#ifndef SHIM_RUN_DISPATCHINT_H
#define SHIM_RUN_DISPATCHINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "run/caps.h"
#include "run/crew.h"
#include "run/dest.h"
#include "run/dispatch.h"
#include "run/due.h"
#include "run/outage.h"
#include "run/outcome.h"
#include "run/sched.h"
#include "run/table.h"

#define MAX_LOADED	20000	/* messages in memory at a time */
#define SLOW_MS		100	/* a first task that takes that long */
#define DEAD_MS		10000	/* a destination is not tried again */
#define DEAD_MAX	3600	/* seconds; the same, by the hosts' memory */
#define SHRINK_MS	1000	/* failures of so long count as one */
#define FULL_MS		10000	/* no more workers than there are, after one */
#define NREADERS	16	/* of sendmail -v, before their message */

struct early_reader {
	struct msgid	 id;
	int		 fd;	/* -1: free */
	int64_t		 until;
};

struct dispatch {
	struct queue	*queue;
	const struct conf *conf;
	struct sched	 sched;
	struct table	*table;
	struct dests	*dests;
	struct crew	*crew;
	struct due	*due;
	struct due	*stranded;	/* due, when there is a network */
	struct message	*probe;		/* finds that out, or NULL */
	struct caps	*caps;
	int64_t		 room_at;	/* ms: when it was looked for */
	bool		 room;		/* in the spool, then */
	time_t		 no_room;	/* when that was logged */
	size_t		 nloaded;
	size_t		 nopen;		/* loaded, with an open file */
	size_t		 maxopen;
	size_t		 memory;	/* octets of those files */
	uint64_t	 generation;	/* of the overrides */
	int64_t		 looked_at;	/* ms; -1: never */
	bool		 looked;	/* since the last dispatch_clock() */
	struct moment	 now;
	int64_t		 sync_at;	/* ms, -1: nothing to sync */
	bool		 hold;
	bool		 stopping;
	int64_t		 hired_at;	/* ms: the last worker was */
	struct outage	 outage;
	struct early_reader reader[NREADERS];
};

/* dispatch.c: states of messages, and the end of an attempt. */
void	dispatch_make_idle(struct dispatch *, struct message *);
/* It is gone. */
void	dispatch_forget(struct dispatch *, struct message *);
void	dispatch_sync_soon(struct dispatch *);
struct outcome dispatch_outcome(struct dispatch *);
void	dispatch_unload(struct dispatch *, struct message *);
/* A report was made: it is a message like others. */
void	dispatch_see_reports(struct dispatch *, const struct outcome *);
/* All tasks of the message are done. */
void	dispatch_settle(struct dispatch *, struct message *);
/* No worker had it: end the task without an attempt, or put it off. */
void	dispatch_return(struct dispatch *, struct task *);
void	dispatch_defer(struct dispatch *, struct task *,
	    const struct result *);
/* The task is done: with the last one, its message is settled. */
void	dispatch_end_task(struct dispatch *, struct task *);
/* What is open of the message needs the network, which is down. */
void	dispatch_strand(struct dispatch *, struct message *);
/* There is a network, or others may be for this machine now. */
void	dispatch_call_stranded(struct dispatch *);
/* Nobody tries it before UNTIL, and that is no attempt; 0: it stays due. */
void	dispatch_postpone(struct dispatch *, struct task *, time_t until);

/* intake.c: load some of the messages that are due. */
void	dispatch_load(struct dispatch *);

/* assign.c: give tasks to workers, or put them off. */
void	dispatch_serve(struct dispatch *);
void	dispatch_defer_doomed(struct dispatch *);
/* When (ms) there may be one worker more; -1: when something happens. */
int64_t	dispatch_hire_at(const struct dispatch *);

/* judge.c: what workers report. */
extern const struct crew_events dispatch_events;

#endif /* SHIM_RUN_DISPATCHINT_H */
