/* SPDX-License-Identifier: ISC */
/*
 * From the spool to the workers: which messages are due, where they go, who
 * takes them, and what comes of it.  It neither waits nor reads a clock; the
 * loop of loop.c does.
 */
#ifndef SHIM_RUN_DISPATCH_H
#define SHIM_RUN_DISPATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/conf.h"
#include "spool/queue.h"

struct dispatch;

struct moment {
	time_t	 wall;		/* seconds since the epoch */
	int64_t	 mono;		/* ms, monotonic */
};

struct dispatch *dispatch_new(struct queue *, const struct conf *,
	    const struct moment *);
/* Kills the workers that are left.  The spool is right at every instant. */
void	dispatch_free(struct dispatch *);

/*
 * Another configuration; the old one may be freed.  HOLD: it has errors, no
 * attempt is made.
 */
void	dispatch_conf(struct dispatch *, const struct conf *, bool hold);

/* What time it is; before anything else is called, each time. */
void	dispatch_clock(struct dispatch *, const struct moment *);

/* A message is in the spool, or its time or mode changed.  dispatch first. */
void	dispatch_see(void *dispatch, const struct queue_entry *);
/* An entry of PLACE was removed, by whomever. */
void	dispatch_see_removed(struct dispatch *, enum queue_place,
	    const char *name);
/* Whether drop/ has messages that are to be seen again: true once. */
bool	dispatch_wants_scan(struct dispatch *);
/* Who reads the dialogue of message ID, known or not yet; takes FD. */
void	dispatch_reader(struct dispatch *, const char *id, int fd);

bool	dispatch_is_offline(const struct dispatch *);
/* Somebody says that there may be a network again. */
void	dispatch_hope(struct dispatch *);

/*
 * Do what is due and can be done without waiting.  Returns in how many ms
 * there is more, -1: when something happens.
 */
int	dispatch_run(struct dispatch *);

size_t	dispatch_pollfds(const struct dispatch *, struct pollfd *, size_t);
void	dispatch_handle(struct dispatch *, const struct pollfd *, size_t);

size_t	dispatch_messages(const struct dispatch *);	/* known */
size_t	dispatch_active(const struct dispatch *);	/* due or being tried */
size_t	dispatch_workers(const struct dispatch *);

/* The end: no new attempts, workers go when their task is done; or now. */
void	dispatch_stop(struct dispatch *);
void	dispatch_dismiss(struct dispatch *);	/* the workers only */
void	dispatch_kill(struct dispatch *);
/* What was removed is removed durably.  False: not yet; that is logged. */
bool	dispatch_sync(struct dispatch *);

#endif /* SHIM_RUN_DISPATCH_H */
