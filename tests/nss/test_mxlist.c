/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mxinfo.h"
#include "mxlist.h"

static void
add(struct entlist *l, unsigned int pref, const char *host, unsigned int rank)
{
	struct mxnss_record rec;
	struct ent *e;

	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = host;
	rec.pref = (uint16_t)pref;
	assert_non_null(e = mxent_new(&rec, NULL, NULL));
	e->rank = rank;
	assert_int_equal(mxentlist_add(l, e), 0);
}

/* "abc": the first letters of the hosts. */
static const char *
letters(const struct entlist *l)
{
	static char buf[1100];
	size_t i;

	for (i = 0; i < l->n && i < sizeof(buf) - 1; i++)
		buf[i] = l->ent[i]->mx.mx_host[0];
	buf[i] = '\0';
	return buf;
}

static void
test_sort_is_stable(void **state)
{
	struct entlist l = { NULL, 0, 0, NULL, NULL };

	(void)state;
	mxlist_sort(&l);
	add(&l, 20, "e.x", 0);
	add(&l, 10, "b.x", 1);
	add(&l, 20, "f.x", 0);
	add(&l, 0, "a.x", 9);
	add(&l, 10, "d.x", 3);
	add(&l, 10, "c.x", 1);
	add(&l, 65535, "g.x", 0);
	mxlist_sort(&l);
	assert_string_equal(letters(&l), "abcdefg");
	mxentlist_clear(&l);
}

static void
test_dedupe_ports_and_owners(void **state)
{
	struct entlist l = { NULL, 0, 0, NULL, NULL };

	(void)state;
	add(&l, 10, "a.x", 0);
	add(&l, 20, "a.x", 0);
	l.ent[1]->mx.mx_port = 25;		/* the same */
	add(&l, 30, "a.x", 0);
	l.ent[2]->mx.mx_port = 587;		/* another */
	add(&l, 40, "b.x", 0);
	add(&l, 50, "b.x", 0);
	l.ent[4]->mx.mx_flags = MXE_LOCALCONF;	/* binding */
	add(&l, 60, "b.x", 0);
	l.ent[5]->mx.mx_flags = MXE_LOCALCONF;
	mxlist_dedupe(&l);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.ent[0]->mx.mx_pref, 10);
	assert_int_equal(l.ent[1]->mx.mx_pref, 30);
	assert_int_equal(l.ent[2]->mx.mx_pref, 50);
	mxentlist_clear(&l);
}

static void
test_cap(void **state)
{
	struct entlist l = { NULL, 0, 0, NULL, NULL };

	(void)state;
	add(&l, 10, "a.x", 0);
	add(&l, 20, "b.x", 0);
	assert_false(mxlist_cap(&l, 2));
	assert_true(mxlist_cap(&l, 1));
	assert_string_equal(letters(&l), "a");
	mxentlist_clear(&l);
}

/* xorshift32: the same numbers on each run. */
static uint32_t seed;

static uint32_t
rnd(uint32_t bound)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % bound;

	do {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
	} while (seed >= limit);
	return seed % bound;
}

static void
test_shuffle_keeps_preferences(void **state)
{
	struct entlist l = { NULL, 0, 0, NULL, NULL };
	int i;

	(void)state;
	seed = 4711;
	add(&l, 10, "a.x", 0);
	add(&l, 20, "b.x", 0);
	add(&l, 20, "c.x", 0);
	add(&l, 20, "d.x", 1);
	add(&l, 30, "e.x", 0);
	for (i = 0; i < 100; i++) {
		mxlist_shuffle(&l, rnd);
		assert_int_equal(letters(&l)[0], 'a');
		assert_int_equal(letters(&l)[3], 'd');
		assert_int_equal(letters(&l)[4], 'e');
	}
	mxentlist_clear(&l);
}

static void
test_shuffle_all_orders_of_three_equally(void **state)
{
	static const char *const orders[] = {
		"abc", "acb", "bac", "bca", "cab", "cba"
	};
	struct entlist l = { NULL, 0, 0, NULL, NULL };
	double chi = 0, expect = 10000 / 6.0;
	unsigned int seen[6] = { 0 };
	int i, j;

	(void)state;
	seed = 1;
	for (i = 0; i < 10000; i++) {
		add(&l, 10, "a.x", 0);
		add(&l, 10, "b.x", 0);
		add(&l, 10, "c.x", 0);
		mxlist_shuffle(&l, rnd);
		for (j = 0; j < 6; j++)
			seen[j] += strcmp(letters(&l), orders[j]) == 0;
		mxentlist_clear(&l);
	}
	for (j = 0; j < 6; j++)
		chi += (seen[j] - expect) * (seen[j] - expect) / expect;
	assert_true(chi < 20.5);	/* 5 degrees of freedom, p = 0.001 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort_is_stable),
		cmocka_unit_test(test_dedupe_ports_and_owners),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_shuffle_keeps_preferences),
		cmocka_unit_test(test_shuffle_all_orders_of_three_equally)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
