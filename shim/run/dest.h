/* SPDX-License-Identifier: ISC */
/*
 * Destinations: one per domain, with the tasks that wait for a worker.
 * Those that have tasks form a ring and are served in turn, so that a long
 * line for one never delays another.
 */
#ifndef SHIM_RUN_DEST_H
#define SHIM_RUN_DEST_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct message;

/* Recipients of one message at one destination: becomes a struct job. */
struct task {
	TAILQ_ENTRY(task) link;
	struct message	*m;
	size_t		 n;
	size_t		 cap;
	uint32_t	*rcpt;	/* indices in the envelope */
};
TAILQ_HEAD(tasklist, task);

struct dest {
	char		*domain;	/* in lower case */
	struct dest	*chain;
	TAILQ_ENTRY(dest) ring;		/* while it has tasks */
	struct tasklist	 tasks;
	size_t		 ntasks;
	size_t		 nworkers;
	struct task	*filling;	/* the task that dest_add() fills */
	int64_t		 avg;		/* ms that a task takes, 0: unknown */
	int64_t		 dead_until;	/* ms; cannot be reached till then */
	struct result	 why;		/* it cannot */
};
TAILQ_HEAD(destlist, dest);

struct dests;

struct dests *dests_new(void);
void	dests_free(struct dests *);
struct destlist *dests_ring(struct dests *);
/* The destination of DOMAIN; made if there is none. */
struct dest *dests_get(struct dests *, const char *domain);
/* Free those that have no task, no worker, and are not dead at NOW. */
void	dests_sweep(struct dests *, int64_t now);
/* No destination is dead any more. */
void	dests_revive(struct dests *);

/*
 * Add recipient I of M to the last task for M, or to a new one after MAX
 * recipients.  Returns how many tasks were made, 0 or 1.
 */
size_t	dest_add(struct dests *, struct dest *, struct message *, uint32_t i,
	    size_t max);
/* Take the first task out of the line, NULL if there is none. */
struct task *dest_take(struct dests *, struct dest *);
/* Put one back, first in the line. */
void	dest_put_back(struct dests *, struct dest *, struct task *);
void	task_free(struct task *);

#endif /* SHIM_RUN_DEST_H */
