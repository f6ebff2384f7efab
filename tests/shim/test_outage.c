/* SPDX-License-Identifier: ISC */
/* When there is no network, and when there may be one again. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "run/outage.h"

/* Down at time 0. */
static struct outage
down(void)
{
	struct outage o = { 0 };
	int i;

	for (i = 0; i < OUTAGE_ATTEMPTS; i++)
		assert_int_equal(outage_note(&o, true, 0, 0),
		    i == OUTAGE_ATTEMPTS - 1);
	assert_true(o.down);
	return o;
}

static void
test_outage_note_needs_several(void **state)
{
	struct outage o = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		assert_false(outage_note(&o, true, i, 0));
		assert_false(outage_note(&o, true, i, 0));
		/* one destination that is reached, or not for its own reasons */
		assert_false(outage_note(&o, false, i, 0));
		assert_true(outage_allows(&o, i));
	}
	(void)down();
}

static void
test_outage_note_probes_at_growing_intervals(void **state)
{
	static const int64_t waits[] = { 5000, 10000, 20000, 40000, 60000,
	    60000 };
	struct outage o = down();
	int64_t now = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		/* without chance: ten percent less */
		assert_int_equal(o.probe_at, now + waits[i] / 10 * 9);
		assert_false(outage_allows(&o, o.probe_at - 1));
		now = o.probe_at;
		assert_true(outage_allows(&o, now));
		outage_probe(&o);
		/* one at a time */
		assert_false(outage_allows(&o, now + 1000000));
		assert_false(outage_note(&o, true, now, 0));
	}
}

static void
test_outage_note_is_random(void **state)
{
	struct outage o;
	uint32_t r;

	(void)state;
	for (r = 0; r < 2000; r++) {
		o = down();
		(void)outage_note(&o, true, 0, r);
		assert_in_range(o.probe_at, 4500, 5500);
	}
	(void)outage_note(&o, true, 0, 1000);
	assert_int_equal(o.probe_at, 5500);
}

/* Workers that were at it when it became known do not put the probe off. */
static void
test_outage_note_of_others_is_no_probe(void **state)
{
	struct outage o = down();
	int i;

	(void)state;
	for (i = 0; i < 64; i++)
		assert_false(outage_note(&o, true, 1, 0));
	assert_int_equal(o.probe_at, 4501);
}

static void
test_outage_note_up_again(void **state)
{
	struct outage o = down();

	(void)state;
	outage_probe(&o);
	assert_true(outage_note(&o, false, 9, 0));
	assert_true(outage_allows(&o, 9));
	/* it begins anew */
	assert_false(outage_note(&o, true, 10, 0));
	assert_false(o.down);
}

static void
test_outage_no_probe_tries_another(void **state)
{
	struct outage o = down();

	(void)state;
	outage_probe(&o);
	outage_no_probe(&o, 100, 0);
	assert_false(outage_allows(&o, 4599));
	assert_true(outage_allows(&o, 4600));
	/* nobody probes: nothing changes */
	outage_no_probe(&o, 4600, 0);
	assert_true(outage_allows(&o, 4600));
}

static void
test_outage_hope(void **state)
{
	struct outage o = down();
	int64_t now = 1000;

	(void)state;
	outage_hope(&o, now);
	assert_true(outage_allows(&o, now));
	/* who hopes all the time gets one attempt in a second */
	outage_probe(&o);
	(void)outage_note(&o, true, now, 0);
	outage_hope(&o, now + 1);
	assert_false(outage_allows(&o, now + 999));
	assert_true(outage_allows(&o, now + 1000));
	/* no effect while there is a network */
	(void)outage_note(&o, false, now, 0);
	outage_hope(&o, now);
	assert_false(o.down);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outage_note_needs_several),
		cmocka_unit_test(test_outage_note_probes_at_growing_intervals),
		cmocka_unit_test(test_outage_note_is_random),
		cmocka_unit_test(test_outage_note_of_others_is_no_probe),
		cmocka_unit_test(test_outage_note_up_again),
		cmocka_unit_test(test_outage_no_probe_tries_another),
		cmocka_unit_test(test_outage_hope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
