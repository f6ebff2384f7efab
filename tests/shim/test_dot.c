/* SPDX-License-Identifier: ISC */
/*
 * Dot transparency: what a receiver makes of our octets is the message, for
 * every block size from 1 to 8193.
 */
#include "config.h"

#include "smtp/dot.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"

static unsigned seed = 42;

static unsigned
draw(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % n;
}

static int
collect(void *arg, const void *data, size_t len)
{
	buf_add(arg, data, len);
	return 0;
}

/* As RFC 5321 section 4.5.2 says; independent of dot.c. */
static void
receive(const struct buf *wire, struct buf *message)
{
	size_t i = 0, end;

	for (;;) {
		for (end = i; end + 1 < wire->len; end++)
			if (memcmp(wire->data + end, "\r\n", 2) == 0)
				break;
		assert_true(end + 1 < wire->len);
		if (wire->data[i] == '.') {
			if (end == i + 1) {
				/* the end, and the end only */
				assert_int_equal(end + 2, wire->len);
				return;
			}
			i++;
		}
		buf_add(message, wire->data + i, end + 2 - i);
		i = end + 2;
	}
}

/* Lines with many dots and line ends, CR LF only. */
static void
random_body(struct buf *body, size_t size)
{
	static const char *const pool[] = { ".", "..", "\r\n", "\r\n.",
	    "\r\n.\r\n", "a", "bcd" };

	buf_reset(body);
	while (body->len < size)
		buf_adds(body, pool[draw(sizeof(pool) / sizeof(pool[0]))]);
	buf_adds(body, "\r\n");
}

static void
stuff(const struct buf *body, size_t block, struct buf *wire)
{
	struct dot d;
	size_t at, before, n;

	buf_reset(wire);
	dot_init(&d, collect, wire);
	for (at = 0; at < body->len; at += n) {
		n = body->len - at < block ? body->len - at : block;
		before = wire->len;
		assert_int_equal(dot_add(&d, body->data + at, n), 0);
		assert_true(wire->len - before <= DOT_MAX(n));
	}
	before = wire->len;
	assert_int_equal(dot_end(&d), 0);
	assert_true(wire->len - before <= DOT_END_MAX);
}

static void
test_dot_every_block_size(void **state)
{
	struct buf body = BUF_INIT, wire = BUF_INIT, got = BUF_INIT;
	size_t block;

	(void)state;
	for (block = 1; block <= 8193; block++) {
		random_body(&body, 3 * block < 600 ? 600 : 2 * block +
		    draw(50));
		stuff(&body, block, &wire);
		buf_reset(&got);
		receive(&wire, &got);
		assert_int_equal(got.len, body.len);
		assert_memory_equal(got.data, body.data, body.len);
	}
	buf_clear(&body);
	buf_clear(&wire);
	buf_clear(&got);
}

static const struct {
	const char	*name;
	const char	*message;
	const char	*wire;
} rows[] = {
	{ "empty", "", ".\r\n" },
	{ "no dot", "a\r\n", "a\r\n.\r\n" },
	{ "only a dot", ".\r\n", "..\r\n.\r\n" },
	{ "dot first", ".a\r\n", "..a\r\n.\r\n" },
	{ "dot in a line", "a.b\r\n.c\r\n", "a.b\r\n..c\r\n.\r\n" },
	{ "two dots", "..\r\n", "...\r\n.\r\n" },
	{ "no line end at the end", "a", "a\r\n.\r\n" },
	{ "a dot and no line end", ".", "..\r\n.\r\n" },
	{ "bare LF never makes an end", "a\n.\nb\n.\r\nc\r\n",
	    "a\n..\nb\n..\r\nc\r\n.\r\n" },
	{ "CR at the end", "a\r", "a\r\r\n.\r\n" },
};

static void
test_dot_table(void **state)
{
	struct buf body = BUF_INIT, wire = BUF_INIT;
	size_t block, i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (block = 1; block < 5; block++) {
			print_message("%s, by %zu\n", rows[i].name, block);
			buf_reset(&body);
			buf_adds(&body, rows[i].message);
			stuff(&body, block, &wire);
			assert_string_equal(buf_str(&wire), rows[i].wire);
		}
	buf_clear(&body);
	buf_clear(&wire);
}

static int
fail_later(void *arg, const void *data, size_t len)
{
	int *left = arg;

	(void)data;
	(void)len;
	return (*left)-- > 0 ? 0 : -1;
}

static void
test_dot_sink_fails(void **state)
{
	static const char text[] = ".a\r\n.b\r\n.c\r\n";
	struct dot d;
	int left, n;

	(void)state;
	/* ".", ".a\r\n.", ".b\r\n.", ".c\r\n", then the end */
	for (n = 0; n <= 4; n++) {
		left = n;
		dot_init(&d, fail_later, &left);
		if (dot_add(&d, text, sizeof(text) - 1) == -1)
			assert_true(n < 4);
		else {
			assert_int_equal(n, 4);
			assert_int_equal(dot_end(&d), -1);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dot_every_block_size),
		cmocka_unit_test(test_dot_table),
		cmocka_unit_test(test_dot_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
