/* SPDX-License-Identifier: ISC */
/* Retry times. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "run/sched.h"

#define MIN	300
#define HOUR	3600
#define DAY	86400
#define NOW	((time_t)1700000000)

static const struct sched sched = { MIN, 4 * HOUR, 5 * DAY,
    4 * HOUR };

static void
test_sched_next_follows_age(void **state)
{
	static const struct {
		const char	*name;
		int64_t		 age, wait;
	} rows[] = {
		{ "new", 0, MIN },
		{ "younger than the least", MIN - 1, MIN },
		{ "an hour", HOUR, HOUR },
		{ "at the most", 4 * HOUR, 4 * HOUR },
		{ "older than the most", 3 * DAY, 4 * HOUR },
	};
	size_t i;
	time_t next, least, most;
	int n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		least = most = NOW + rows[i].wait;
		for (n = 0; n < 20000; n++) {
			next = sched_next(&sched, rows[i].age, NOW,
			    arc4random());
			assert_true(labs((long)(next - NOW - rows[i].wait)) <=
			    rows[i].wait / 10);
			least = next < least ? next : least;
			most = next > most ? next : most;
		}
		/* the jitter uses its range */
		assert_true(most - least > rows[i].wait / 6);
	}
}

static void
test_sched_next_extremes(void **state)
{
	static const struct sched none = { 0, 0, 0, 0 };
	static const struct sched odd = { 600, 60, 0, 0 };

	(void)state;
	assert_true(sched_next(&none, 100, NOW, 12345) == NOW);
	/* the lower bound wins */
	assert_true(sched_next(&odd, 0, NOW, 0) == NOW + 540);
	assert_true(sched_next(&sched, INT64_MAX, NOW, 0) ==
	    NOW + 4 * HOUR - 24 * 60);
}

static void
test_sched_warn(void **state)
{
	static const struct sched off = { MIN, 4 * HOUR, 5 * DAY, 0 };
	time_t now = 1000000, t;

	(void)state;
	/* the warning comes first: that time, and up to a tenth of MIN more */
	t = sched_warn(&sched, 3 * HOUR, now + 3 * HOUR, now, 0);
	assert_int_equal(t, now + HOUR);
	t = sched_warn(&sched, 3 * HOUR, now + 3 * HOUR, now, UINT32_MAX);
	assert_in_range(t, now + HOUR, now + HOUR + MIN / 10);
	/* the attempt does */
	t = sched_warn(&sched, HOUR, now + HOUR, now, 0);
	assert_int_equal(t, now + HOUR);
	/* too soon after this one */
	t = sched_warn(&sched, 4 * HOUR - MIN + 1, now + 2 * HOUR, now, 0);
	assert_int_equal(t, now + 2 * HOUR);
	/* it was given, or never is */
	t = sched_warn(&sched, 4 * HOUR, now + 4 * HOUR, now, 0);
	assert_int_equal(t, now + 4 * HOUR);
	t = sched_warn(&off, 3 * HOUR, now + 3 * HOUR, now, 0);
	assert_int_equal(t, now + 3 * HOUR);
	assert_true(sched_is_late(&sched, 4 * HOUR));
	assert_false(sched_is_late(&sched, 4 * HOUR - 1));
	assert_true(sched_is_late(&sched, 5 * DAY - 1));
	assert_false(sched_is_late(&sched, 5 * DAY));
	assert_false(sched_is_late(&off, 100 * DAY));
}

static void
test_sched_is_due(void **state)
{
	static const struct {
		const char	*name;
		int64_t		 ahead;
		bool		 due;
	} rows[] = {
		{ "past", -1, true },
		{ "long past", -20 * DAY, true },
		{ "now", 0, true },
		{ "soon", 1, false },
		{ "the most with jitter", 4 * HOUR + 24 * 60, false },
		{ "4 h 30", 4 * HOUR + 1800, false },
		{ "more: the clock jumped", 4 * HOUR + 1801, true },
		{ "years: the clock jumped", (int64_t)400 * DAY, true },
	};
	static const struct sched patient = { MIN, 2 * DAY, 5 * DAY,
	    0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(sched_is_due(&sched, NOW + rows[i].ahead,
		    NOW), rows[i].due);
	assert_false(sched_is_due(&patient, NOW + 2 * DAY + DAY / 5, NOW));
}

static void
test_sched_is_over(void **state)
{
	static const struct {
		const char	*name;
		int64_t		 age;
		unsigned	 attempts;
		bool		 over;
	} rows[] = {
		{ "young", 4 * DAY, 50, false },
		{ "old, hardly tried", 50 * DAY, 4, false },
		{ "old, tried", 5 * DAY, 5, true },
		{ "one second to go", 5 * DAY - 1, 5, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(sched_is_over(&sched, rows[i].age,
		    rows[i].attempts), rows[i].over);
}

#define YEARS	((int64_t)50 * 365 * DAY)

/* Each step is the time from one thing that happened to the next. */
static void
test_sched_step(void **state)
{
	static const struct {
		const char	*name;
		int64_t		 step[5];	/* seconds, 0: no more */
		int64_t		 age;
	} rows[] = {
		{ "as usual", { 300, 300, 600, 1200 }, 2400 },
		{ "a try each day", { DAY, DAY, DAY, DAY, DAY }, 5 * DAY },
		{ "off for a week", { HOUR, 7 * DAY }, HOUR + DAY },
		{ "a jump by 50 years", { 600, YEARS }, 600 + DAY },
		{ "and back", { 600, YEARS, -YEARS, 300 }, 900 + DAY },
		{ "submitted in the future", { -YEARS, 300, HOUR }, 3900 },
		{ "a second back now and then", { 10, -1, 10, -1, 10 }, 30 },
	};
	static const struct sched hasty = { MIN, 4 * HOUR, HOUR, 0 };
	struct sched_wait w;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w.at = (uint64_t)NOW * 1000000 + 7;
		w.sum = 0;
		for (n = 0; n < 5 && rows[i].step[n] != 0; n++)
			sched_step(&sched, &w, w.at +
			    (uint64_t)rows[i].step[n] * 1000000);
		if (w.sum / 1000000 != (uint64_t)rows[i].age)
			fail_msg("%s: %llu", rows[i].name,
			    (unsigned long long)w.sum);
	}
	/* a fifth of `expire' may be less than what is between two attempts */
	w.sum = 0;
	sched_step(&hasty, &w, w.at + (uint64_t)YEARS * 1000000);
	assert_true(w.sum / 1000000 == 4 * HOUR + HOUR / 2);
	w.sum = 0;
	sched_step(&sched, &w, UINT64_MAX);
	assert_true(w.sum / 1000000 == DAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sched_next_follows_age),
		cmocka_unit_test(test_sched_next_extremes),
		cmocka_unit_test(test_sched_warn),
		cmocka_unit_test(test_sched_is_due),
		cmocka_unit_test(test_sched_is_over),
		cmocka_unit_test(test_sched_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
