/* SPDX-License-Identifier: ISC */
/*
 * Retry times: the longer a message waits, the longer it waits again,
 * between two bounds (RFC 5321 section 4.5.4.1).
 */
#include "config.h"

#include "run/sched.h"

int64_t
sched_age(uint64_t time, time_t now)
{
	uint64_t submitted = time / 1000000;

	if (now < 0 || submitted >= (uint64_t)now)
		return 0;
	return (int64_t)((uint64_t)now - submitted);
}

time_t
sched_next(const struct sched *s, int64_t age, time_t now, uint32_t random)
{
	int64_t wait = age, tenth;

	if (wait > s->max)
		wait = s->max;
	if (wait < s->min)
		wait = s->min;
	tenth = wait / 10;
	wait += (int64_t)(random % (uint32_t)(2 * tenth + 1)) - tenth;
	return now + wait;
}

bool
sched_is_due(const struct sched *s, time_t next, time_t now)
{
	int64_t max = s->max > s->min ? s->max : s->min;

	return next <= now || next - now > max + max / 8;
}

time_t
sched_warn(const struct sched *s, int64_t age, time_t next, time_t now,
    uint32_t random)
{
	/* spread, so that what came together does not go together */
	time_t late = now + (s->warn - age) +
	    (time_t)(random % (uint32_t)(s->min / 10 + 1));

	if (s->warn == 0 || age >= s->warn || late >= next ||
	    late < now + s->min)
		return next;
	return late;
}

bool
sched_is_late(const struct sched *s, int64_t age)
{
	/* then it is not tried for long any more: a report comes soon */
	return s->warn != 0 && age >= s->warn && age < s->expire;
}

bool
sched_is_over(const struct sched *s, int64_t age, unsigned attempts)
{
	return age >= s->expire && attempts >= SCHED_MIN_ATTEMPTS;
}
