/* SPDX-License-Identifier: ISC */
/* Encoded words: names, subjects, lists of addresses. */
#include "config.h"

#include "submit/encode.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

static const struct {
	const char	*name;
	const char	*want;
} phrases[] = {
	{ "Cron Daemon", "Cron Daemon" },
	{ "O'Neil-X +y", "O'Neil-X +y" },
	{ "John Q. Public", "\"John Q. Public\"" },
	{ "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"" },
	{ " leading", "\" leading\"" },
	{ "a@b", "\"a@b\"" },
	{ "(x)", "\"(x)\"" },
	{ "J\xc3\xbcrgen", "=?utf-8?B?SsO8cmdlbg==?=" },
	{ "\xff", "=?unknown-8bit?B?/w==?=" },
	{ "\xe2\x82", "=?unknown-8bit?B?4oI=?=" },
	{ "=?utf-8?Q?x?=", "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?=" },
	{ "x\r\nBcc: a@b", "=?utf-8?B?eA0KQmNjOiBhQGI=?=" },
	{ "a\tb", "=?utf-8?B?YQli?=" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9x\xc3\xa9\xc3\xa9",
	    "=?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqXg=?=\r\n "
	    "=?utf-8?B?w6nDqQ==?=" },
};

static void
test_encode_phrase(void **state)
{
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		print_message("%s\n", phrases[i].name);
		buf_reset(&out);
		encode_phrase(&out, phrases[i].name);
		assert_string_equal(buf_str(&out), phrases[i].want);
	}
	buf_clear(&out);
}

struct row {
	const char	*in;
	const char	*want;
};

#define UE	"=?utf-8?B?w7w=?="		/* u umlaut */

static const struct row texts[] = {
	{ "", "" },
	{ " plain  text ", " plain  text " },
	{ " \xc3\xbc", " " UE },
	{ "a \xc3\xbc b", "a " UE " b" },
	{ "x\xc3\xbcy", "=?utf-8?B?eMO8eQ==?=" },
	/* the blank between two words is in them, the fold is not */
	{ "\xc3\xbc \xc3\xbc", "=?utf-8?B?w7wgw7w=?=" },
	{ "\xc3\xbc\r\n  \xc3\xbc", "=?utf-8?B?w7wgIMO8?=" },
	{ "\xc3\xbc\r\n\tb", UE "\r\n\tb" },
	{ "\xc3\xbc b \xc3\xbc ", UE " b " UE " " },
	{ "\xfc b", "=?unknown-8bit?B?/A==?= b" },
	/* and so is that to a word which came encoded */
	{ UE " \xc3\xbc", UE " =?utf-8?B?IMO8?=" },
	{ UE "\r\n \xc3\xbc b", UE "\r\n =?utf-8?B?IMO8?= b" },
	{ "\xc3\xbc  " UE, "=?utf-8?B?w7wgIA==?=  " UE },
	{ UE " \xc3\xbc " UE, UE " =?utf-8?B?IMO8IA==?= " UE },
	{ UE " b \xc3\xbc", UE " b " UE },
	{ "=? \xc3\xbc ?=", "=? " UE " ?=" },
};

static const struct row lists[] = {
	{ "", "" },
	{ "a@b, C <c@d>", "a@b, C <c@d>" },
	{ " \xc3\xbc <a@b>", " " UE " <a@b>" },
	{ "\xc3\xbc<a@b>", UE " <a@b>" },
	{ "\"\xc3\xbc\" <a@b>,c@d", UE " <a@b>,c@d" },
	{ "\"\xc3\xbc, \\\"x\\\"\" Y\r\n\t<a@b>",
	    "=?utf-8?B?w7wsICJ4IiBZ?= <a@b>" },
	{ "a@b (\xc3\xbc x), c@d", "a@b (" UE " x), c@d" },
	{ "\xc3\xbc: a@b, \xc3\xbc <c@d>;", UE " : a@b, " UE " <c@d>;" },
	{ "a@[IPv6:::1], \xc3\xbc <b@c>", "a@[IPv6:::1], " UE " <b@c>" },
	/* the address itself */
	{ "\xc3\xbc@b", "\xc3\xbc@b" },
	{ "\xc3\xbc <\xc3\xbc@b>", UE " <\xc3\xbc@b>" },
	{ "\"\xc3\xbc\"@b", "\"\xc3\xbc\"@b" },
	/* not closed */
	{ "\"\xc3\xbc", "\"\xc3\xbc" },
	{ "(\xc3\xbc", "(\xc3\xbc" },
	{ "\xc3\xbc <a@b", UE " <a@b" },
	{ "[\xc3\xbc", "[\xc3\xbc" },
};

static const struct row parameters[] = {
	{ "a/b", "a/b" },
	{ "a/b; name=\"x\"", "a/b; name=\"x\"" },
	{ "a/b; name=\"\xc3\xbc \\\"'.pdf\"; x=y",
	    "a/b; name*=utf-8''%C3%BC%20%22%27.pdf; x=y" },
	{ "a/b;\r\n\tname=\xc3\xbc;x=\xff (\xc3\xbc)",
	    "a/b;\r\n\tname*=utf-8''%C3%BC;x*=unknown-8bit''%FF (\xc3\xbc)" },
	{ "a; FileName=\"\xc3\xbc\"; filename*=utf-8''%C3%BC; size=1",
	    "a; filename*=utf-8''%C3%BC; size=1" },
	{ "a; filename*=utf-8''%C3%BC; filename=\xc3\xbc",
	    "a; filename*=utf-8''%C3%BC" },
	/* what must stay, or is none */
	{ "a/b; boundary=\"\xc3\xbc\"", "a/b; boundary=\"\xc3\xbc\"" },
	{ "a/b; x=\"; n=\xc3\xbc\"", "a/b; x*=utf-8''%3B%20n%3D%C3%BC" },
	{ "a/b; (; n=\xc3\xbc) n=1", "a/b; (; n=\xc3\xbc) n=1" },
	{ "a/b; \xc3\xbc", "a/b; \xc3\xbc" },
	{ "a/b; =\xc3\xbc;", "a/b; =\xc3\xbc;" },
	{ "a/b; n=", "a/b; n=" },
	{ "a/b; n=\"\xc3\xbc", "a/b; n*=utf-8''%C3%BC" },
	{ ";", ";" },
};

static void
check(const struct row *row, size_t n,
    void (*encode)(struct buf *, const char *, size_t))
{
	struct buf out = BUF_INIT, exact = BUF_INIT;

	for (; n > 0; row++, n--) {
		print_message("%s\n", row->in);
		buf_clear(&exact);
		buf_adds(&exact, row->in);
		buf_reset(&out);
		encode(&out, buf_str(&exact), exact.len);
		assert_string_equal(buf_str(&out), row->want);
	}
	buf_clear(&exact);
	buf_clear(&out);
}

static void
test_encode_text(void **state)
{
	(void)state;
	check(texts, sizeof(texts) / sizeof(texts[0]), encode_text);
}

static void
test_encode_addresses(void **state)
{
	(void)state;
	check(lists, sizeof(lists) / sizeof(lists[0]), encode_addresses);
}

static void
test_encode_parameters(void **state)
{
	(void)state;
	check(parameters, sizeof(parameters) / sizeof(parameters[0]),
	    encode_parameters);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode_phrase),
		cmocka_unit_test(test_encode_text),
		cmocka_unit_test(test_encode_addresses),
		cmocka_unit_test(test_encode_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
