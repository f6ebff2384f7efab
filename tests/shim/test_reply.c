/* SPDX-License-Identifier: ISC */
/*
 * Replies, line by line.  Each line is given in a heap block of its exact
 * length, so that the address sanitizer sees a read behind its end.
 */
#include "config.h"

#include "smtp/reply.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

static int
feed(struct reply *rp, const char *line, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	int rv;

	assert_non_null(exact);
	memcpy(exact, line, len);
	rv = reply_line(rp, exact, len);
	free(exact);
	return rv;
}

static const struct {
	const char	*name;
	const char	*lines;		/* with LF between them */
	int		 rv;		/* of the last */
	int		 code;
	const char	*esc;
	const char	*text;
} rows[] = {
	{ "code only", "250", 1, 250, "", "" },
	{ "code and blank", "250 ", 1, 250, "", "" },
	{ "half an enhanced code", "250 2", 1, 250, "", "2" },
	{ "half and a dot", "250 2.", 1, 250, "", "2." },
	{ "two thirds", "250 2.0", 1, 250, "", "2.0" },
	{ "two thirds and a dot", "250 2.0.", 1, 250, "", "2.0." },
	{ "enhanced code only", "250 2.0.0", 1, 250, "2.0.0", "" },
	{ "enhanced code, blank", "250 2.0.0 ", 1, 250, "2.0.0", "" },
	{ "enhanced code, text", "550 5.1.1 no such user", 1, 550, "5.1.1",
	    "no such user" },
	{ "longest enhanced code", "550 5.123.456 x", 1, 550, "5.123.456",
	    "x" },
	{ "four digits in it", "550 5.1234.1 x", 1, 550, "", "5.1234.1 x" },
	{ "leading zero in it", "550 5.01.1 x", 1, 550, "", "5.01.1 x" },
	{ "text sticks to it", "550 5.1.1x", 1, 550, "", "5.1.1x" },
	{ "another class", "250 5.7.1 ok", 1, 250, "", "5.7.1 ok" },
	{ "class 4 for 5yz", "550 4.7.1 hm", 1, 550, "", "4.7.1 hm" },
	{ "text", "354 go ahead", 1, 354, "", "go ahead" },
	{ "continued", "250-a", 0, 250, "", "a" },
	{ "continued, no text", "250-", 0, 250, "", "" },
	{ "two lines", "250-a\n250 b", 1, 250, "", "a b" },
	{ "last line has only the code", "250-a\n250", 1, 250, "", "a" },
	{ "enhanced code on each line", "550-5.7.1 not\n550 5.7.1 you", 1,
	    550, "5.7.1", "not you" },
	{ "enhanced code on the second", "550-not\n550 5.7.1 you", 1, 550,
	    "5.7.1", "not you" },
	{ "control octets", "250 a\rb\033[31m\tc\177", 1, 250, "",
	    "a?b?[31m?c?" },
	{ "8-bit", "250 gr\303\274n", 1, 250, "", "gr??n" },
	{ "lowest", "200 x", 1, 200, "", "x" },
	{ "highest", "599 x", 1, 599, "", "x" },

	{ "empty", "", -1, 0, NULL, NULL },
	{ "one digit", "2", -1, 0, NULL, NULL },
	{ "two digits", "22", -1, 0, NULL, NULL },
	{ "two digits and a blank", "22 x", -1, 0, NULL, NULL },
	{ "four digits", "2200", -1, 0, NULL, NULL },
	{ "four digits, text", "2200 hello", -1, 0, NULL, NULL },
	{ "blank first", " 220", -1, 0, NULL, NULL },
	{ "letter after the code", "220x", -1, 0, NULL, NULL },
	{ "tab after the code", "220\tx", -1, 0, NULL, NULL },
	{ "letters", "abc def", -1, 0, NULL, NULL },
	{ "sign", "+25 x", -1, 0, NULL, NULL },
	{ "0yz", "050 x", -1, 0, NULL, NULL },
	{ "1yz", "150 x", -1, 0, NULL, NULL },
	{ "6yz", "650 x", -1, 0, NULL, NULL },
	{ "999", "999 x", -1, 0, NULL, NULL },
	{ "other code in the continuation", "250-a\n550 b", -1, 0, NULL,
	    NULL },
	{ "no code in the continuation", "250-a\nb", -1, 0, NULL, NULL },
};

static void
test_reply_line(void **state)
{
	struct reply rp;
	const char *s, *lf;
	size_t i, len;
	int rv;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		reply_init(&rp);
		for (s = rows[i].lines;; s = lf + 1) {
			lf = strchr(s, '\n');
			len = lf != NULL ? (size_t)(lf - s) : strlen(s);
			rv = feed(&rp, s, len);
			if (lf == NULL)
				break;
			assert_int_equal(rv, 0);
		}
		assert_int_equal(rv, rows[i].rv);
		if (rv == -1)
			continue;
		assert_int_equal(rp.code, rows[i].code);
		assert_string_equal(rp.esc, rows[i].esc);
		assert_string_equal(rp.text, rows[i].text);
	}
}

static void
test_reply_line_nul(void **state)
{
	struct reply rp;

	(void)state;
	reply_init(&rp);
	assert_int_equal(feed(&rp, "250 a\0b", 7), 1);
	assert_string_equal(rp.text, "a?b");
	reply_init(&rp);
	assert_int_equal(feed(&rp, "25\0 a", 5), -1);
	reply_init(&rp);
	assert_int_equal(feed(&rp, "250\0a", 5), -1);
}

static void
test_reply_line_caps(void **state)
{
	char line[REPLY_MAXLINE + 1];
	struct reply rp;
	size_t i;

	(void)state;
	reply_init(&rp);
	for (i = 0; i < REPLY_MAXLINES; i++)
		assert_int_equal(feed(&rp, "220-", 4), 0);
	assert_int_equal(feed(&rp, "220-", 4), -1);

	memset(line, '\033', sizeof(line));
	memcpy(line, "220-", 4);
	reply_init(&rp);
	assert_int_equal(feed(&rp, line, REPLY_MAXLINE), -1);
	reply_init(&rp);
	for (i = 0; i + REPLY_MAXLINE + 1 <= REPLY_MAXOCTETS;
	    i += REPLY_MAXLINE + 1)
		assert_int_equal(feed(&rp, line, REPLY_MAXLINE - 1), 0);
	assert_int_equal(feed(&rp, line, REPLY_MAXLINE - 1), -1);
	/* what was kept is cut, ended, and harmless */
	assert_int_equal(strlen(rp.text), sizeof(rp.text) - 1);
	assert_null(strchr(rp.text, '\033'));
}

/* Any octets: no crash, and what is kept is printable. */
static void
test_reply_line_random(void **state)
{
	static const char pool[] = "0123456789245.. -\r\t\033\200\0";
	char line[24];
	struct reply rp;
	unsigned seed = 1;
	size_t i, j, len;
	int rv;

	(void)state;
	for (i = 0; i < 200000; i++) {
		reply_init(&rp);
		do {
			seed = seed * 1103515245 + 12345;
			len = seed / 65536 % sizeof(line);
			for (j = 0; j < len; j++) {
				seed = seed * 1103515245 + 12345;
				line[j] = pool[seed / 65536 % sizeof(pool)];
			}
			if (len > 3 && i % 2 == 0)
				memcpy(line, "250", 3);
			rv = feed(&rp, line, len);
		} while (rv == 0);
		for (j = 0; rp.text[j] != '\0'; j++)
			assert_true(rp.text[j] >= ' ' && rp.text[j] <= '~');
		if (rv == 1)
			assert_true(rp.code >= 200 && rp.code <= 599);
		if (rp.esc[0] != '\0')
			assert_int_equal(rp.esc[0] - '0', rp.code / 100);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply_line),
		cmocka_unit_test(test_reply_line_nul),
		cmocka_unit_test(test_reply_line_caps),
		cmocka_unit_test(test_reply_line_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
