/* SPDX-License-Identifier: ISC */
/*
 * host/: which hosts could not be reached, and until when they are left
 * alone, for all destinations, runs and processes that share the spool; and
 * which hosts of a domain were tried in vain, so that the next attempt goes
 * on with the others.  It is a memory, not a record: what cannot be written
 * or read is not there, and to remove a file is to forget.
 *
 *	host/ADDRESS:PORT	mtime: not to be tried before; the number of
 *				failures in a row and the reason
 *	host/@DOMAIN		the hosts that were tried, one a line
 *	host/%DOMAIN		mtime: until when mail for it waits without an
 *				attempt; and why.  host/%: for all domains
 *
 * A struct queue * that is NULL has no memory.
 */
#ifndef SHIM_SPOOL_HOSTSTAT_H
#define SHIM_SPOOL_HOSTSTAT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct queue;

#define HOSTSTAT_REASON	256

struct hoststat {
	time_t	 until;			/* not to be tried before */
	unsigned failures;		/* in a row; 0: none is known */
	char	 reason[HOSTSTAT_REASON]; /* of the last one; printable */
};

/*
 * Whether the host KEY, as "192.0.2.1:25" or "[2001:db8::1]:25", is to be
 * left alone at NOW.  If it failed before and its time has come, the caller
 * is the one who tries it: others are told to leave it alone for a minute.
 */
bool	hoststat_is_down(struct queue *, const char *key, time_t now,
	    struct hoststat *);
/*
 * It could not be reached; the time grows from one minute to fifteen, ten
 * percent more or less by RANDOM.  Returns until when.
 */
time_t	hoststat_fail(struct queue *, const char *key, const char *reason,
	    time_t now, unsigned random);
/* It was reached. */
void	hoststat_ok(struct queue *, const char *key);

/*
 * The hosts of DOMAIN that were tried lately: at most MAX names into NAMES,
 * each to be freed.  Returns how many.
 */
#define HOSTSTAT_TRIED	64
size_t	hoststat_tried(struct queue *, const char *domain, time_t now,
	    char **names, size_t max);
/* Those are they now; none: begin anew. */
void	hoststat_set_tried(struct queue *, const char *domain,
	    const char *const *names, size_t n);

/*
 * Mail for DOMAIN (NULL: for any other machine) waits without an attempt,
 * because of REASON, until then; NULL: not any more.  For mailq(1): nobody acts
 * on it.
 */
void	hoststat_set_wait(struct queue *, const char *domain,
	    const char *reason, time_t until);
/* Whether it does, as far as a runner said lately. */
bool	hoststat_waits(struct queue *, const char *domain, time_t now,
	    struct hoststat *);

/* Forget all that is older than a day, and all if there is too much. */
void	hoststat_sweep(struct queue *, time_t now);
/* No host is left alone any more: somebody knows better. */
void	hoststat_forget(struct queue *);

#endif /* SHIM_SPOOL_HOSTSTAT_H */
