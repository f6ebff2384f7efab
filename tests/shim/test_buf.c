/* SPDX-License-Identifier: ISC */
/* The growing buffer: contents, the NUL after them, growth. */
#include "config.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

static void
test_buf_empty(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_clear(&b);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
}

static void
test_buf_add_grows(void **state)
{
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		assert_int_equal(b.len, i + 1);
		assert_int_equal(b.data[b.len], '\0');
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	assert_true(b.cap > b.len && b.cap <= 2 * b.len + 64);
	buf_clear(&b);
	assert_null(b.data);
}

static void
test_buf_add_binary(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_add(&b, NULL, 0);
	buf_adds(&b, "cd");
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "a\0bcd", 6);
	buf_clear(&b);
}

static void
test_buf_printf_appends(void **state)
{
	struct buf b = BUF_INIT;
	char long_text[300];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	buf_printf(&b, "%d-%s", 7, "seven");
	buf_printf(&b, "%s", "");
	buf_printf(&b, "[%s]", long_text);
	assert_int_equal(b.len, 7 + 301);
	assert_memory_equal(b.data, "7-seven[xxx", 11);
	assert_string_equal(b.data + 7 + 299, "x]");
	buf_clear(&b);
}

static void
test_buf_reset_keeps_memory(void **state)
{
	struct buf b = BUF_INIT;
	char *data;

	(void)state;
	buf_adds(&b, "something");
	data = b.data;
	buf_reset(&b);
	assert_string_equal(buf_str(&b), "");
	buf_adds(&b, "x");
	assert_ptr_equal(b.data, data);
	assert_string_equal(b.data, "x");
	buf_clear(&b);
}

static void
test_buf_take_empties(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	(void)state;
	buf_adds(&b, "mine");
	s = buf_take(&b);
	assert_string_equal(s, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_empty),
		cmocka_unit_test(test_buf_add_grows),
		cmocka_unit_test(test_buf_add_binary),
		cmocka_unit_test(test_buf_printf_appends),
		cmocka_unit_test(test_buf_reset_keeps_memory),
		cmocka_unit_test(test_buf_take_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
