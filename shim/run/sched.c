/* SPDX-License-Identifier: ISC */
/*
 * Retry times: the longer a message waits, the longer it waits again,
 * between two bounds (RFC 5321 section 4.5.4.1).
 */
#include "config.h"

#include "run/sched.h"

#include "base/conf.h"

struct sched
sched_of(const struct conf *conf)
{
	struct sched s = { .min = conf->retry_min, .max = conf->retry_max,
	    .expire = conf->expire, .warn = conf->warn };

	return s;
}

/* The longest time to the next attempt, jitter included, and some more. */
static int64_t
longest(const struct sched *s)
{
	int64_t max = s->max > s->min ? s->max : s->min;

	return max + max / 8;
}

void
sched_step(const struct sched *s, struct sched_wait *w, uint64_t now)
{
	uint64_t most = (uint64_t)s->expire / SCHED_MIN_ATTEMPTS, step;

	if (most < (uint64_t)longest(s))
		most = (uint64_t)longest(s);
	step = now > w->at ? now - w->at : 0;
	w->sum += step / 1000000 < most ? step : most * 1000000;
	w->at = now;
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

time_t
sched_latest(const struct sched *s, time_t now)
{
	return now + longest(s);
}

bool
sched_is_due(const struct sched *s, time_t next, time_t now)
{
	return next <= now || next > sched_latest(s, now);
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
