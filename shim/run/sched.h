/* SPDX-License-Identifier: ISC */
/*
 * When a message is tried again, and when it is given up.  Pure: clock and
 * chance are arguments.
 */
#ifndef SHIM_RUN_SCHED_H
#define SHIM_RUN_SCHED_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct conf;

struct sched {
	int64_t	 min;		/* seconds between two attempts */
	int64_t	 max;
	int64_t	 expire;	/* age at which a message is given up */
	int64_t	 warn;		/* age at which its sender is warned; 0: never */
};

#define SCHED_MIN_ATTEMPTS	5	/* before a message is given up */

/*
 * The age of a message is how long it has waited, added up from one thing
 * that happened to it to the next.  In between the clock may have jumped, or
 * the machine been off: none of the steps counts for more than a fifth of
 * `expire', or than the longest wait between two attempts if that is more;
 * one back in time counts for nothing.
 */
struct sched_wait {
	uint64_t at;		/* the last thing that happened; microseconds */
	uint64_t sum;		/* microseconds */
};

struct sched sched_of(const struct conf *);
/* Something happens at NOW (microseconds). */
void	sched_step(const struct sched *, struct sched_wait *, uint64_t now);
/*
 * The time of the next attempt for a message of that age: its age clamped
 * to [min, max], +-10 % by RANDOM, from now on.
 */
time_t	sched_next(const struct sched *, int64_t age, time_t now,
	    uint32_t random);
/* A later time of a next attempt is that of a clock which has jumped. */
time_t	sched_latest(const struct sched *, time_t now);
/*
 * Due: the time has come, or it is so far ahead that only a clock which
 * jumped explains it (4 h 30 with the default retry-max).
 */
bool	sched_is_due(const struct sched *, time_t next, time_t now);
/*
 * NEXT, or sooner: soon after an age of `warn' that comes in between, for who
 * is warned then shall hear of an attempt.  Never sooner than min from NOW.
 */
time_t	sched_warn(const struct sched *, int64_t age, time_t next, time_t now,
	    uint32_t random);
/* Whether the sender of a message of that age is to be warned. */
bool	sched_is_late(const struct sched *, int64_t age);
/*
 * Given up: too old, and tried often enough; a machine that was switched off
 * for a week returns nothing at boot.  The caller has just tried.
 */
bool	sched_is_over(const struct sched *, int64_t age, unsigned attempts);

#endif /* SHIM_RUN_SCHED_H */
