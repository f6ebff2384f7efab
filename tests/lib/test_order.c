/* SPDX-License-Identifier: ISC */
/*
 * order.c: sorted always, equals shuffled without favour.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mxres.h"

/* Reproducible: xorshift64*, and a bound by rejection. */
static uint32_t
seeded(void *arg, uint32_t bound)
{
	uint64_t *state = arg;
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound, n;

	do {
		*state ^= *state >> 12;
		*state ^= *state << 25;
		*state ^= *state >> 27;
		n = (uint32_t)(*state * 2685821657736338717u >> 32);
	} while (n >= limit);
	return n % bound;
}

static uint32_t
from_system(void *arg, uint32_t bound)
{
	(void)arg;
	return arc4random_uniform(bound);
}

/* Always the greatest: nothing is moved. */
static uint32_t
greatest(void *arg, uint32_t bound)
{
	(void)arg;
	return bound - 1;
}

static char names[3][2] = { "a", "b", "c" };

/* Which of the six orders of a, b and c this is. */
static size_t
permutation(const struct mxres_mx *mx)
{
	static const char *const all[] = {
		"abc", "acb", "bac", "bca", "cab", "cba"
	};
	char order[4] = { mx[0].host[0], mx[1].host[0], mx[2].host[0], '\0' };
	size_t i;

	for (i = 0; i < 6; i++)
		if (strcmp(all[i], order) == 0)
			return i;
	fail_msg("not an order of the three: %s", order);
	return 0;
}

/*
 * All six orders of three equals, 10,000 draws.  Chi-square with 5 degrees
 * of freedom is above 52 in fewer than one of 10^9 runs.
 */
static double
chi_square(uint32_t (*rnd)(void *, uint32_t), void *arg)
{
	struct mxres_mx mx[3];
	unsigned int count[6] = { 0 }, i, j;
	double chi = 0, d;

	for (i = 0; i < 10000; i++) {
		for (j = 0; j < 3; j++) {
			mx[j].host = names[j];
			mx[j].pref = 10;
			mx[j].ttl = 0;
		}
		mxres_order(mx, 3, rnd, arg);
		count[permutation(mx)]++;
	}
	for (i = 0; i < 6; i++) {
		d = count[i] - 10000 / 6.0;
		chi += d * d / (10000 / 6.0);
	}
	return chi;
}

static void
test_order_is_fair(void **state)
{
	uint64_t seed = 88172645463325252u;
	double chi;

	(void)state;
	chi = chi_square(seeded, &seed);
	if (chi > 52)
		fail_msg("seeded: chi-square %f", chi);
	chi = chi_square(from_system, NULL);
	if (chi > 52)
		fail_msg("arc4random: chi-square %f", chi);
	/* and the measure would notice */
	assert_true(chi_square(greatest, NULL) > 1000);
}

static void
test_order_is_sorted(void **state)
{
	struct mxres_mx mx[100];
	char host[100][8];
	uint64_t seed = 42;
	size_t round, i, n;

	(void)state;
	for (round = 0; round < 1000; round++) {
		n = seeded(&seed, 101);
		for (i = 0; i < n; i++) {
			snprintf(host[i], sizeof(host[i]), "%zu", i);
			mx[i].host = host[i];
			mx[i].pref = (uint16_t)(seeded(&seed, 5) * 16383);
			mx[i].ttl = (uint32_t)i;
		}
		mxres_order(mx, n, seeded, &seed);
		for (i = 1; i < n; i++)
			assert_true(mx[i - 1].pref <= mx[i].pref);
		/* nobody lost: every ttl is there, with its own name */
		for (i = 0; i < n; i++)
			assert_ptr_equal(mx[i].host, host[mx[i].ttl]);
	}
}

static void
test_order_without_random_is_stable(void **state)
{
	struct mxres_mx mx[] = {
		{ names[0], 20, 1 }, { names[1], 10, 2 }, { names[2], 20, 3 },
		{ names[0], 10, 4 }, { names[1], 0, 5 }, { names[2], 65535, 6 },
		{ names[0], 10, 7 }
	};
	static const uint32_t want[] = { 5, 2, 4, 7, 1, 3, 6 };
	size_t i;

	(void)state;
	mxres_order(mx, 7, NULL, NULL);
	for (i = 0; i < 7; i++)
		assert_int_equal(mx[i].ttl, want[i]);
}

static uint32_t
never(void *arg, uint32_t bound)
{
	(void)arg;
	(void)bound;
	fail_msg("nothing to shuffle");
	return 0;
}

static void
test_order_of_few(void **state)
{
	struct mxres_mx mx[] = { { names[0], 20, 1 }, { names[1], 10, 2 } };

	(void)state;
	mxres_order(NULL, 0, never, NULL);
	mxres_order(mx, 0, never, NULL);
	mxres_order(mx, 1, never, NULL);
	mxres_order(mx, 2, never, NULL);
	assert_int_equal(mx[0].ttl, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_fair),
		cmocka_unit_test(test_order_is_sorted),
		cmocka_unit_test(test_order_without_random_is_stable),
		cmocka_unit_test(test_order_of_few),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
