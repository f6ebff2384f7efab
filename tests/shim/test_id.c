/* SPDX-License-Identifier: ISC */
/* Identifiers: form, order, time, and names of reports. */
#include "config.h"

#include "spool/id.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <cmocka.h>

static int
compare(const void *a, const void *b)
{
	const struct msgid *x = a, *y = b;

	return strcmp(x->s, y->s);
}

static void
test_id_new_unique_and_valid(void **state)
{
	enum { N = 20000 };
	struct msgid *id = calloc(N, sizeof(*id));
	size_t i;

	(void)state;
	assert_non_null(id);
	for (i = 0; i < N; i++) {
		id_new(&id[i]);
		assert_true(id_is_valid(id[i].s));
		assert_false(id_is_report(id[i].s));
		/* the time part never goes back */
		if (i > 0)
			assert_true(strncmp(id[i - 1].s, id[i].s, 12) <= 0);
	}
	qsort(id, N, sizeof(*id), compare);
	for (i = 1; i < N; i++)
		assert_string_not_equal(id[i - 1].s, id[i].s);
	free(id);
}

static void
test_id_time(void **state)
{
	struct timespec before, after;
	struct msgid id;
	uint64_t t;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &before);
	id_new(&id);
	clock_gettime(CLOCK_REALTIME, &after);
	t = id_time(id.s);
	assert_true(t >= (uint64_t)before.tv_sec * 1000000 +
	    (uint64_t)before.tv_nsec / 1000);
	assert_true(t <= (uint64_t)after.tv_sec * 1000000 +
	    (uint64_t)after.tv_nsec / 1000);
	assert_true(id_time("00000000000000000000") == 0);
	assert_true(id_time("0000000000Z1ZZZZZZZZ") == 31 * 32 + 1);
	assert_true(id_time("ZZZZZZZZZZZZ00000000") ==
	    ((uint64_t)1 << 60) - 1);
}

static const struct {
	const char	*text;
	bool		 valid;
} rows[] = {
	{ "01K0TNMBKA9PAQQQAP0V", true },
	{ "ZZZZZZZZZZZZZZZZZZZZ", true },
	{ "", false },
	{ "01K0TNMBKA9PAQQQAP0", false },
	{ "01K0TNMBKA9PAQQQAP0VX", false },
	{ "01k0tnmbka9paqqqap0v", false },
	{ "01K0TNMBKA9PAQQQAP0I", false },
	{ "01K0TNMBKA9PAQQQAP0L", false },
	{ "01K0TNMBKA9PAQQQAP0O", false },
	{ "01K0TNMBKA9PAQQQAP0U", false },
	{ "01K0TNMBKA9PAQQQ.log", false },
	{ "../../../etc/passwd0", false },
	{ "01K0TNMBKA9PAQQQAP0\n", false },
};

static void
test_id_is_valid(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].text);
		assert_int_equal(id_is_valid(rows[i].text), rows[i].valid);
	}
}

static void
test_id_derive(void **state)
{
	static const char from[] = "01K0TNMBKA9PAQQQAP0V";
	struct msgid a, b;
	unsigned n, m;

	(void)state;
	for (n = 0; n < 50; n++) {
		id_derive(&a, from, n);
		id_derive(&b, from, n);
		assert_string_equal(a.s, b.s);
		assert_true(id_is_valid(a.s));
		assert_true(id_is_report(a.s));
		assert_true(id_time(a.s) == id_time(from));
		assert_string_not_equal(a.s, from);
		for (m = 0; m < n; m++) {
			id_derive(&b, from, m);
			assert_string_not_equal(a.s, b.s);
		}
	}
	id_derive(&a, from, 0);
	id_derive(&b, "01K0TNMBKA9PAQQQAP0W", 0);
	assert_string_not_equal(a.s, b.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id_new_unique_and_valid),
		cmocka_unit_test(test_id_time),
		cmocka_unit_test(test_id_is_valid),
		cmocka_unit_test(test_id_derive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
