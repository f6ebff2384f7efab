/* SPDX-License-Identifier: ISC */
/*
 * The workers: each with one destination and connection, fed with tasks,
 * which they do in that order, and killed at a hard deadline.  What they
 * report goes to the calls of struct crew_events.
 */
#ifndef SHIM_RUN_CREW_H
#define SHIM_RUN_CREW_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "run/dest.h"
#include "run/job.h"

struct crew_events {
	/* a server took a connection and said hello */
	void	(*ready)(void *arg, struct dest *);
	/* one recipient of the task */
	void	(*rcpt)(void *arg, struct task *, const struct report *);
	/* the task is done; frees it.  NULL report: the worker died.  One
	   that found nobody while others are served leaves */
	void	(*done)(void *arg, struct dest *, struct task *,
		    const struct report *);
	/* the worker is gone and never began the task: it is to be given
	   to another */
	void	(*back)(void *arg, struct dest *, struct task *);
};

struct crew;
struct worker;

struct crew *crew_new(struct queue *, const struct crew_events *, void *arg);
/* Kills and reaps what is left. */
void	crew_free(struct crew *);
size_t	crew_count(const struct crew *);

/*
 * A new worker for the destination, idle.  NULL: no process could be made;
 * that is logged, and crew_may_hire() says no for a second.
 */
struct worker *crew_hire(struct crew *, const struct conf *, struct dest *,
	    int64_t now);
bool	crew_may_hire(const struct crew *, int64_t now);
/*
 * The worker that has had nothing to do for the longest time, and whose
 * destination has nothing that may go now; NULL if there is none.  It can be
 * given to another destination, where it has to connect first.
 */
struct worker *crew_spare(const struct crew *);
void	crew_move(struct worker *, struct dest *);
/*
 * A worker of the destination that can take a task: an idle one, or one that
 * has done some and has less than DEPTH before it.  NULL if there is none.
 */
#define CREW_DEPTH	4
struct worker *crew_ready(const struct dest *, size_t depth);
/* Whether a worker of the destination was greeted, and not sent away since. */
bool	crew_is_served(const struct dest *);
/* ms since the oldest running task of the destination began; 0 if none */
int64_t	crew_longest(const struct dest *, int64_t now);
/*
 * Give the task, with the message's descriptor and that of sendmail -v (or
 * -1), to a worker; it must end within LIMIT ms after its turn came.  -1: the
 * worker is gone, the task is still the caller's.
 */
int	crew_feed(struct worker *, struct task *, const struct job *, int fd,
	    int reader, int64_t now, int64_t limit);

/* Let idle workers go: those idle for MS at NOW. */
void	crew_dismiss(struct crew *, int64_t now, int64_t ms);
/*
 * WANTED: a destination has no worker, there may be no more, and none has
 * nothing to do.  Lets one go that finishes a task and has served for a while.
 */
void	crew_yield(struct crew *, bool wanted);
/* Let all go when their task is done: the configuration changed, the end. */
void	crew_dismiss_all(struct crew *);
/* Kill those that are past their deadline; all of them. */
void	crew_enforce(struct crew *, int64_t now);
void	crew_kill(struct crew *);
/* When crew_dismiss(MS) or crew_enforce() has something to do; -1: never. */
int64_t	crew_next(const struct crew *, int64_t ms);

/* For poll(2): at most MAX entries, their number is returned. */
size_t	crew_pollfds(const struct crew *, struct pollfd *, size_t max);
void	crew_handle(struct crew *, const struct pollfd *, size_t, int64_t now);

#endif /* SHIM_RUN_CREW_H */
