/* SPDX-License-Identifier: ISC */
/*
 * Destinations: one per domain, with the tasks that wait for a worker.  Its
 * tasks stand in lines, one for each submitter, which move in turn; and who
 * is next to get a worker is found by turns of submitters, then of the
 * destinations of each.  So neither a flood to one domain nor one from one
 * user delays the others.
 */
#ifndef SHIM_RUN_DEST_H
#define SHIM_RUN_DEST_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct envelope_rcpt;
struct message;
struct worker;

/*
 * Where mail for the recipient goes: its domain in lower case, or LOCAL_DEST
 * for a user of this machine.
 */
void	dest_name(const struct envelope_rcpt *, char *name, size_t size);
/* Whether that is this machine, which is reached without a network. */
bool	dest_is_local(const char *name);

/* Recipients of one message at one destination: becomes a struct job. */
struct task {
	TAILQ_ENTRY(task) link;
	struct message	*m;
	uid_t		 uid;	/* of the submitter */
	size_t		 n;
	size_t		 cap;
	uint32_t	*rcpt;	/* indices in the envelope */
};
TAILQ_HEAD(tasklist, task);

enum dest_state {
	DEST_QUIET,		/* no task, no worker */
	DEST_UNSERVED,		/* tasks, and no worker */
	DEST_SERVED,		/* it has workers */
	DEST_BLOCKED,		/* nothing is given out until a time */
	DEST_DOOMED		/* the same, and tasks are to be put off */
};

struct line;
struct dests;

struct dest {
	char		*domain;	/* in lower case */
	struct dest	*chain;
	struct dests	*all;
	enum dest_state	 state;
	TAILQ_ENTRY(dest) link;		/* served, blocked, doomed */
	TAILQ_HEAD(, line) lines;
	size_t		 ntasks;
	TAILQ_HEAD(, worker) workers;
	size_t		 nworkers;
	size_t		 nleaving;	/* of them: get no more tasks */
	unsigned	 limit;		/* workers that it may have now */
	int64_t		 full_at;	/* ms: it did not want more, 0: never */
	int64_t		 avg;		/* ms that a task takes, 0: unknown */
	bool		 blocked;
	int64_t		 until;		/* ms, if blocked */
	size_t		 keep;		/* tasks that may stay, if blocked */
	struct result	*why;		/* blocked because it is dead, or NULL */
	int64_t		 rate_at;	/* ms: the next task, by `rate' */
	int64_t		 rate_us;	/* and this less than a ms */
};
TAILQ_HEAD(destlist, dest);

struct dests *dests_new(void);
void	dests_free(struct dests *);
/* The most workers that a destination may have. */
void	dests_set_cap(struct dests *, size_t);
/* The destination of DOMAIN; made if there is none. */
struct dest *dests_get(struct dests *, const char *domain);
/* Free those that have no task, no worker, and are not blocked. */
void	dests_sweep(struct dests *);
/* Those of one state; not DEST_QUIET, nor DEST_UNSERVED. */
struct dest *dests_first(const struct dests *, enum dest_state);
struct dest *dests_after(const struct dest *);
/* Whose turn it is to get a worker: is unserved; NULL: nobody waits. */
struct dest *dests_next(struct dests *);
bool	dests_is_waiting(const struct dests *);	/* somebody does */
/* Take all tasks out of all lines: FN frees each. */
void	dests_drain(struct dests *, void (*fn)(void *arg, struct task *),
	    void *arg);

/*
 * Blocked until UNTIL (ms); dead if there is a reason why.  More than KEEP
 * tasks shall not wait for that time: it is doomed.
 * dests_unblock: those whose time has come at NOW; INT64_MAX: the dead, too.
 * dests_unblock_at: when the first of them is; -1: none.
 */
void	dest_block(struct dest *, int64_t until, const struct result *why,
	    size_t keep);
void	dests_unblock(struct dests *, int64_t now);
int64_t	dests_unblock_at(const struct dests *);

/*
 * Add recipient I of M, submitted by UID, to the last task for M, or to a new
 * one after MAX recipients.  Returns how many tasks were made, 0 or 1.
 */
size_t	dest_add(struct dest *, uid_t, struct message *, uint32_t i,
	    size_t max);
/* Take the next task, NULL if there is none. */
struct task *dest_take(struct dest *);
/* Put one back: it is the next again. */
void	dest_put_back(struct dest *, struct task *);
void	task_free(struct task *);

/* For crew.c, after nworkers or nleaving changed. */
void	dest_update(struct dest *);

#endif /* SHIM_RUN_DEST_H */
