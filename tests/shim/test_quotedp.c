/* SPDX-License-Identifier: ISC */
/* Quoted-printable: rows, lines of any length, random text and back. */
#include "config.h"

#include "base/buf.h"
#include "base/quotedp.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"

static int
collect(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

static void
encode(const char *p, size_t n, size_t step, struct buf *out)
{
	struct quotedp q;
	size_t k;

	buf_reset(out);
	quotedp_init(&q, collect, out);
	for (; n > 0; p += k, n -= k) {
		k = n < step ? n : step;
		assert_int_equal(quotedp_feed(&q, p, k), 0);
	}
	assert_int_equal(quotedp_end(&q), 0);
}

static int
digit(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* RFC 2045 section 6.7 backwards; every line is legal. */
static void
decode(const struct buf *in, struct buf *out)
{
	const char *p = buf_str(in), *end = p + in->len, *line = p;

	buf_reset(out);
	while (p < end) {
		if (*p == '\r') {
			assert_true(p + 1 < end && p[1] == '\n');
			assert_true(p == line || (p[-1] != ' ' &&
			    p[-1] != '\t'));
			assert_in_range(p - line, 0, 76);
			buf_adds(out, "\r\n");
			p += 2;
			line = p;
		} else if (*p == '=' && end - p > 2 && p[1] == '\r') {
			assert_int_equal(p[2], '\n');
			assert_in_range(p + 1 - line, 0, 76);
			p += 3;
			line = p;
		} else if (*p == '=') {
			assert_true(end - p > 2);
			buf_addc(out, (char)(digit(p[1]) << 4 | digit(p[2])));
			p += 3;
		} else {
			assert_true(*p == '\t' || (*p >= ' ' && *p < 0x7f));
			buf_addc(out, *p++);
		}
	}
}

static const struct {
	const char	*in;
	const char	*want;
} rows[] = {
	{ "", "" },
	{ "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n" },
	{ "a=b\r\n", "a=3Db\r\n" },
	{ "\xc3\xa9\x7f\x01\r\n", "=C3=A9=7F=01\r\n" },
	{ "a b\tc\r\n", "a b\tc\r\n" },
	{ "a \r\n\t\r\n  \r\n", "a=20\r\n=09\r\n =20\r\n" },
	{ ".\r\n", ".\r\n" },
	{ "a ", "a=20" },
};

static void
test_quotedp_rows(void **state)
{
	struct buf out = BUF_INIT;
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (step = 1; step < 12; step++) {
			encode(rows[i].in, strlen(rows[i].in), step, &out);
			assert_string_equal(buf_str(&out), rows[i].want);
		}
	buf_clear(&out);
}

static void
test_quotedp_back(void **state)
{
	static const char letters[] = "ab =\t\xe9.";
	struct buf in = BUF_INIT, out = BUF_INIT, back = BUF_INIT;
	size_t n, i;

	(void)state;
	srand(1);
	for (n = 0; n < 300; n++) {
		buf_reset(&in);
		for (i = 0; i < n * 7; i++)
			if (rand() % 200 == 0)
				buf_adds(&in, "\r\n");
			else
				buf_addc(&in, letters[rand() % 7]);
		buf_adds(&in, "\r\n");
		encode(in.data, in.len, 1 + (size_t)rand() % 5000, &out);
		decode(&out, &back);
		assert_int_equal(back.len, in.len);
		assert_memory_equal(back.data, in.data, in.len);
	}
	/* every length of a line */
	for (n = 0; n < 400; n++) {
		buf_reset(&in);
		for (i = 0; i < n; i++)
			buf_addc(&in, i % 5 == 4 ? '=' : 'x');
		buf_adds(&in, "\r\n");
		encode(in.data, in.len, in.len, &out);
		decode(&out, &back);
		assert_string_equal(buf_str(&back), buf_str(&in));
	}
	buf_clear(&in);
	buf_clear(&out);
	buf_clear(&back);
}

static int
break_off(void *arg, const void *p, size_t n)
{
	(void)p;
	(void)n;
	return --*(int *)arg >= 0 ? 0 : -1;
}

static void
test_quotedp_sink_fails(void **state)
{
	static const char line[] = "0123456789012345678901234567890123456789 \r\n";
	struct quotedp q;
	int left, i, rc;

	(void)state;
	for (left = 0; left < 3; left++) {
		int n = left;

		quotedp_init(&q, break_off, &n);
		for (i = 0, rc = 0; i < 400 && rc == 0; i++)
			rc = quotedp_feed(&q, line, sizeof(line) - 1);
		assert_int_equal(rc, -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quotedp_rows),
		cmocka_unit_test(test_quotedp_back),
		cmocka_unit_test(test_quotedp_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
