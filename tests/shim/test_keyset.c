/* SPDX-License-Identifier: ISC */
/* A set of numbers. */
#include "config.h"

#include "base/keyset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
#include <cmocka.h>

static uint64_t
mixed(uint64_t i)
{
	i = i * 0x9e3779b97f4a7c15;
	return i ^ i >> 32;
}

static void
test_keyset_empty(void **state)
{
	struct keyset s = { 0 };

	(void)state;
	assert_false(keyset_has(&s, 0));
	assert_false(keyset_has(&s, 1));
	keyset_clear(&s);
}

static void
test_keyset_has_what_was_added(void **state)
{
	enum { N = 10000 };
	struct keyset s = { 0 };
	uint64_t i;

	(void)state;
	for (i = 1; i <= N; i++) {
		assert_false(keyset_has(&s, mixed(i)));
		keyset_add(&s, mixed(i));
		keyset_add(&s, mixed(i));
		assert_int_equal(s.n, i);
	}
	for (i = 1; i <= N; i++)
		assert_true(keyset_has(&s, mixed(i)));
	for (i = N + 1; i <= 2 * N; i++)
		assert_false(keyset_has(&s, mixed(i)));
	keyset_clear(&s);
	assert_int_equal(s.n, 0);
	assert_false(keyset_has(&s, mixed(1)));
}

/* 0 is no empty slot, and all of one low part find a place. */
static void
test_keyset_bad_keys(void **state)
{
	struct keyset s = { 0 };
	uint64_t i;

	(void)state;
	keyset_add(&s, 5);
	assert_false(keyset_has(&s, 0));
	keyset_add(&s, 0);
	assert_true(keyset_has(&s, 0));
	keyset_add(&s, 0);
	assert_int_equal(s.n, 2);
	for (i = 0; i < 100; i++)
		keyset_add(&s, i << 40 | 0x7f);
	for (i = 0; i < 100; i++)
		assert_true(keyset_has(&s, i << 40 | 0x7f));
	assert_false(keyset_has(&s, (uint64_t)100 << 40 | 0x7f));
	keyset_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keyset_empty),
		cmocka_unit_test(test_keyset_has_what_was_added),
		cmocka_unit_test(test_keyset_bad_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
