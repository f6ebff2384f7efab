/* SPDX-License-Identifier: ISC */
/* UTF-8: every code point, what is none, pieces of any size. */
#include "config.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

/* U as UTF-8 would write it, whether that is a character or not. */
static size_t
put(char *p, uint32_t u)
{
	if (u < 0x80) {
		p[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		p[0] = (char)(0xc0 | u >> 6);
		p[1] = (char)(0x80 | (u & 63));
		return 2;
	}
	if (u < 0x10000) {
		p[0] = (char)(0xe0 | u >> 12);
		p[1] = (char)(0x80 | (u >> 6 & 63));
		p[2] = (char)(0x80 | (u & 63));
		return 3;
	}
	p[0] = (char)(0xf0 | u >> 18);
	p[1] = (char)(0x80 | (u >> 12 & 63));
	p[2] = (char)(0x80 | (u >> 6 & 63));
	p[3] = (char)(0x80 | (u & 63));
	return 4;
}

static void
test_utf8_every_code_point(void **state)
{
	uint32_t u;
	char s[4];
	size_t n, k;

	(void)state;
	for (u = 0; u < 0x1fffff; u++) {
		n = put(s, u);
		if (u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff)) {
			assert_false(utf8_is_valid(s, n));
			continue;
		}
		assert_true(utf8_is_valid(s, n));
		for (k = 1; k < n; k++)
			assert_false(utf8_is_valid(s, k));
	}
}

static void
test_utf8_invalid(void **state)
{
	static const char *const rows[] = { "\x80", "\xbf", "\xc0\x80",
	    "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
	    "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xfe", "\xff",
	    "\xc3", "\xc3 ", "\xc3\xc3\xa9", "a\xe2\x82", "\xe2\x82z",
	    "\xc3\xa9\xa9" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(utf8_is_valid(rows[i], strlen(rows[i])));
}

static void
test_utf8_pieces(void **state)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac plain text that is "
	    "longer than a word of the machine \xf0\x9f\x93\xa8";
	size_t n = sizeof(text) - 1, step, i;
	struct utf8 u;

	(void)state;
	for (step = 1; step <= n; step++) {
		memset(&u, 0, sizeof(u));
		for (i = 0; i < n; i += step)
			utf8_feed(&u, text + i, n - i < step ? n - i : step);
		assert_true(utf8_is_complete(&u));
	}
}

static void
test_utf8_has_eightbit(void **state)
{
	char s[40];
	size_t n, i;

	(void)state;
	memset(s, 'x', sizeof(s));
	for (n = 0; n <= sizeof(s); n++) {
		assert_false(utf8_has_eightbit(s, n));
		for (i = 0; i < n; i++) {
			s[i] = (char)0x80;
			assert_true(utf8_has_eightbit(s, n));
			s[i] = 'x';
		}
	}
}

static void
clean(const char *text, const char *want)
{
	char s[64];

	assert_in_range(strlen(text), 0, sizeof(s) - 1);
	memcpy(s, text, strlen(text) + 1);
	utf8_clean(s);
	assert_string_equal(s, want);
}

static void
test_utf8_clean(void **state)
{
	(void)state;
	clean("", "");
	clean("a b~", "a b~");
	clean("a\nb\033[\177", "a?b?[?");
	clean("j\xc3\xbc \xe7\x94\xa8 \xf0\x9f\x93\xa7",
	    "j\xc3\xbc \xe7\x94\xa8 \xf0\x9f\x93\xa7");
	clean("\xff\xc3", "??");
	clean("\xc3\x28", "?(");
	clean("\xe7\x94", "??");
	clean("\xed\xa0\x80", "???");
	/* controls, line ends, directions, marks */
	clean("\xc2\x85\xc2\xa0", "??\xc2\xa0");
	clean("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf",
	    "\xe2\x80\xa7??????\xe2\x80\xaf");
	clean("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
	    "\xe2\x81\xa5??????\xe2\x81\xaa");
	clean("\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbf",
	    "???\xef\xbf\xbd???");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_every_code_point),
		cmocka_unit_test(test_utf8_clean),
		cmocka_unit_test(test_utf8_invalid),
		cmocka_unit_test(test_utf8_pieces),
		cmocka_unit_test(test_utf8_has_eightbit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
