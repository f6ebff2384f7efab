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

struct sched {
	int64_t	 min;		/* seconds between two attempts */
	int64_t	 max;
	int64_t	 expire;	/* age at which a message is given up */
	int64_t	 warn;		/* age at which its sender is warned; 0: never */
};

#define SCHED_MIN_ATTEMPTS	5	/* before a message is given up */

/* Age in seconds of what was submitted at TIME (microseconds); never < 0. */
int64_t	sched_age(uint64_t time, time_t now);
/*
 * The time of the next attempt for a message of that age: its age clamped
 * to [min, max], +-10 % by RANDOM, from now on.
 */
time_t	sched_next(const struct sched *, int64_t age, time_t now,
	    uint32_t random);
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
