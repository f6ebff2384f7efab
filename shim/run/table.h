/* SPDX-License-Identifier: ISC */
/*
 * The messages that the runner knows: by identifier, and those that wait in
 * the order of their next attempt.  Small, because there may be 100,000; what
 * a message needs only while it is tried hangs on `load'.
 */
#ifndef SHIM_RUN_TABLE_H
#define SHIM_RUN_TABLE_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "run/notice.h"
#include "run/sched.h"
#include "spool/msgfile.h"
#include "spool/queue.h"

enum rcpt_state {
	RCPT_OPEN,		/* to be tried */
	RCPT_BUSY,		/* in a task */
	RCPT_SENT,
	RCPT_RELAYED,		/* sent; the sender is to be told */
	RCPT_FAILED,		/* for good; the sender is to be told */
	RCPT_TOLD,		/* for good; the sender was told */
	RCPT_DEFERRED,		/* tried; again later */
	RCPT_EXPANDED		/* others get it instead */
};

struct rcpt {
	enum rcpt_state	 state;
	unsigned	 attempts;
};

/* What the runner holds of a message while it is tried. */
struct load {
	struct msgfile	 mf;
	int		 fd;	/* -1: parked, or every task is done */
	size_t		 memory; /* octets of it that the copy takes */
	size_t		 tasks;	/* not finished */
	struct rcpt	*rcpt;	/* one per recipient of the envelope */
	struct sched	 sched;	/* as it was when it was loaded */
	struct sched_wait wait;	/* up to then */
	unsigned	 reports[NOTICE_MAX]; /* made so far */
	bool		 doubt;	/* the journal could not be written or read: what
				   it says is known when it is loaded again */
	bool		 retired; /* a worker removed it */
	bool		 tried;	/* a worker had some of it, or it was put off
				   as if */
	bool		 postponed; /* the rest is to be tried ... */
	time_t		 until;	/* ... then */
};

enum message_state {
	MESSAGE_IDLE,		/* held: waits for a change */
	MESSAGE_CAPPED,		/* in drop/: its user has too many others */
	MESSAGE_WAITING,	/* for its time; in the heap */
	MESSAGE_DUE,		/* in the list of those to load */
	MESSAGE_STRANDED,	/* the same, but there is no network for it */
	MESSAGE_BUSY		/* loaded */
};

struct message {
	struct msgid	 id;
	struct message	*chain;
	enum queue_place place;
	enum message_state state;
	bool		 changed; /* in the spool, while it was busy */
	bool		 halted;	/* held or deleted, while it was busy */
	bool		 logged;	/* that it was picked up */
	bool		 counted; /* among those of its user (caps.h) */
	int		 reader; /* socket of sendmail -v, or -1 */
	uid_t		 uid;	/* of the submitter, as queue_uid() has it */
	off_t		 size;	/* of the file */
	time_t		 seen;	/* its file's time, when that was looked at */
	time_t		 next;
	size_t		 heap;	/* index, while it waits */
	TAILQ_ENTRY(message) due;	/* or capped */
	struct load	*load;	/* while it is busy */
};

struct table;

struct table *table_new(void);
void	table_free(struct table *);
size_t	table_count(const struct table *);
struct message *table_find(const struct table *, const char *id);
/* A new one, MESSAGE_IDLE. */
struct message *table_add(struct table *, const char *id, enum queue_place);
void	table_remove(struct table *, struct message *);	/* frees it */
/* Wait until NEXT. */
void	table_wait(struct table *, struct message *, time_t next);
/* Wait no more: MESSAGE_IDLE.  No effect on one that does not wait. */
void	table_unwait(struct table *, struct message *);
/* The one whose time comes first, or NULL when none waits. */
struct message *table_first(const struct table *);
/* One whose time is after LATEST, or NULL. */
struct message *table_beyond(struct table *, time_t latest);

#endif /* SHIM_RUN_TABLE_H */
