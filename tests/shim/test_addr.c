/* SPDX-License-Identifier: ISC */
/* Addresses: lists of RFC 5322 and beyond, what is no address, limits. */
#include "config.h"

#include "base/addr.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const char *
collect(void *arg, const struct addr *a)
{
	struct buf *b = arg;

	assert_int_equal(a->has_domain, strrchr(a->spec, '@') != NULL &&
	    a->spec[strlen(a->spec) - 1] != '"');
	buf_printf(b, "%s|", a->spec[0] != '\0' ? a->spec : "<>");
	return NULL;
}

/* In a block of the exact length, for the address sanitizer. */
static int
list(const char *p, size_t n, struct buf *out, const char **why)
{
	char *exact = malloc(n != 0 ? n : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, p, n);
	rc = addr_list(exact, n, collect, out, why);
	free(exact);
	return rc;
}

static const struct {
	const char	*text;
	const char	*want;		/* each with | after it */
} good[] = {
	{ "", "" },
	{ "  \r\n\t", "" },
	{ ",, ,", "" },
	{ "a@b", "a@b|" },
	{ "a", "a|" },
	{ "a@b,c@d", "a@b|c@d|" },
	{ "a@b, c ,\r\n\td@e", "a@b|c|d@e|" },
	{ "<a@b>", "a@b|" },
	{ "< a @ b >", "a@b|" },
	{ "<root>", "root|" },
	{ "<>", "<>|" },
	{ "Una Person <u@x.example>", "u@x.example|" },
	{ "\"Person, Una\" <u@x.example>", "u@x.example|" },
	{ "\"a \\\" b\" <u@x>", "u@x|" },
	{ "John Q. Public <jqp@x>", "jqp@x|" },
	{ "J\xc3\xbcrgen M <j@x>", "j@x|" },
	{ "=?utf-8?Q?J=C3=BCrgen?= <j@x>", "j@x|" },
	{ "u@x (a comment)", "u@x|" },
	{ "(c) u (c) @ (c (nested \\) ) ) x . y (c)", "u@x.y|" },
	{ "u@x.example <u@x.example>", "u@x.example|" },
	{ "u@x.example Una <v@x>", "v@x|" },
	{ "\"a b\"@x", "\"a b\"@x|" },
	{ "\"a\"@x", "a@x|" },
	{ "\"a.b\"@x", "a.b@x|" },
	{ "\"a\".b@x", "a.b@x|" },
	{ "a . b @ x", "a.b@x|" },
	{ "\"a\\\"b\\\\c\"@x", "\"a\\\"b\\\\c\"@x|" },
	{ "\"a\r\n b\"@x", "\"a b\"@x|" },
	{ "\"@\"@x", "\"@\"@x|" },
	{ "a..b@x", "\"a..b\"@x|" },
	{ ".a@x", "\".a\"@x|" },
	{ "a.@x", "\"a.\"@x|" },
	{ "user+tag!x%y=z@x", "user+tag!x%y=z@x|" },
	{ "-foo@x", "-foo@x|" },
	{ "a@b.", "a@b|" },
	{ "A@B.Example", "A@B.Example|" },
	{ "a@[192.0.2.1]", "a@[192.0.2.1]|" },
	{ "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]|" },
	{ "<a@[192.0.2.1]>", "a@[192.0.2.1]|" },
	{ "<@r1,@r2:a@b>", "a@b|" },
	{ "Name <@r1.example:a@b>", "a@b|" },
	{ "undisclosed-recipients:;", "" },
	{ "undisclosed recipients: ;", "" },
	{ "undisclosed-recipients:", "" },
	{ "Friends: a@b, C <c@d>;", "a@b|c@d|" },
	{ "x@y, \"G, 1\": a@b;, e@f", "x@y|a@b|e@f|" },
	{ "G: a@b; c@d", "a@b|c@d|" },
	{ "G: a@b", "a@b|" },
	{ "\"a.\" b <c@d>", "c@d|" },
	{ L63 "x@y", L63 "x@y|" },
	{ "J\xc3\xbcrgen <j\xc3\xbcrgen@x>", "j\xc3\xbcrgen@x|" },
	{ "\xe7\x94\xa8.\xf0\x9f\x93\xa7@x", "\xe7\x94\xa8.\xf0\x9f\x93\xa7@x|" },
	{ "\"\xc3\xa9 x\"@b", "\"\xc3\xa9 x\"@b|" },
#ifdef HAVE_LIBIDN2
	{ "a@b\xc3\xbc" "cher.example", "a@xn--bcher-kva.example|" },
	{ "<a@B\xc3\x9c" "CHER.Example>", "a@xn--bcher-kva.example|" },
	{ "\xc3\xa9@\xe4\xbe\x8b.\xe6\xb5\x8b\xe8\xaf\x95",
	    "\xc3\xa9@xn--fsq.xn--0zwm56d|" },
#endif
};

static void
test_addr_list_good(void **state)
{
	struct buf out = BUF_INIT;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		print_message("%s\n", good[i].text);
		buf_reset(&out);
		assert_int_equal(list(good[i].text, strlen(good[i].text),
		    &out, &why), 0);
		assert_null(why);
		assert_string_equal(buf_str(&out), good[i].want);
	}
	buf_clear(&out);
}

static const struct {
	const char	*text;
	size_t		 len;
	const char	*why;
} wrong[] = {
#define ROW(text, why) { text, sizeof(text) - 1, why }
	ROW("a b", "a blank within an address"),
	ROW("a b@c", "a blank within an address"),
	ROW("us er@one.example", "a blank within an address"),
	ROW("<a b@c>", "a blank within an address"),
	ROW("\"a.\" b@c", "a blank within an address"),
	ROW("a@b c@d", "an unexpected character"),
	ROW("a@b c", "a blank within an address"),
	ROW("a@b@c", "an unexpected character"),
	ROW("a@", "the domain is missing"),
	ROW("<a@>", "the domain is missing"),
	ROW("@b", "the part before @ is missing"),
	ROW("<@b>", "an address begins with @"),
	ROW("\"\"@b", "the part before @ is missing"),
	ROW("\"\"", "the part before @ is missing"),
	ROW("a@.b", "the domain is not valid"),
	ROW("a@b..c", "the domain is not valid"),
	ROW("a@-b", "the domain is not valid"),
	ROW("a@b!c", "the domain is not valid"),
	ROW("a@" L63 "x", "the domain is not valid"),
	ROW("a@" L63 "." L63 "." L63 "." L63 ".x", "the domain is too long"),
	ROW("a@" L63 "." L63 "." L63 "." L63, "the domain is not valid"),
	ROW(L63 "xy@b", "the part before @ is too long"),
	ROW("\"" L63 "\\\"\"@b", "the part before @ is too long"),
	ROW("a23456789@" L63 "." L63 "." L63 "."
	    "12345678901234567890123456789012345678901234567890123",
	    "the address is too long"),
	ROW("a@[1.2.3]", "the address literal is not valid"),
	ROW("a@[1.2.3.4.5]", "the address literal is not valid"),
	ROW("a@[2001:db8::1]", "the address literal is not valid"),
	ROW("a@[IPv6:1.2.3.4]", "the address literal is not valid"),
	ROW("a@[]", "the address literal is not valid"),
	ROW("a@[1.2.3.4", "an address literal is not closed"),
	ROW("<a@b", "expected > at the end of the address"),
	ROW("<a@b c>", "expected > at the end of the address"),
	ROW("<a@b>c", "expected a comma between addresses"),
	ROW("<a@b> <c@d>", "expected a comma between addresses"),
	ROW("a@b>", "an unexpected character"),
	ROW("a@b; c@d", "a semicolon; addresses are separated by commas"),
	ROW("(a@b", "a comment is not closed"),
	ROW("a@b (x \\)", "a comment is not closed"),
	ROW("\"a@b", "a quoted string is not closed"),
	ROW("\"a\\", "a quoted string is not closed"),
	ROW("a: b: c@d;;", "a group within a group"),
	ROW(":;", "an unexpected character"),
	ROW("a@b: c@d;", "an unexpected character"),
	ROW("\xe9@b", "it is outside ASCII, and not UTF-8"),
	ROW("\xc3@b", "it is outside ASCII, and not UTF-8"),
	ROW("a@\xe9.example", "it is outside ASCII, and not UTF-8"),
	ROW("a@[\xc3\xa9]", "the address literal is not valid"),
	ROW("a\xc2\x85" "b@c", "a control character"),
	ROW("a\xe2\x80\xae" "b@c", "a control character"),
#ifdef HAVE_LIBIDN2
	ROW("a@\xc3\xa9..example", "the domain is not valid"),
	ROW("a@\xe2\x98\x83-.example", "the domain is not valid"),
#else
	ROW("a@\xc3\xa9.example", "domains outside ASCII need libidn2, which is "
	    "not built in: write them as xn--..."),
#endif
	ROW("a\0b@c", "an unexpected character"),
	ROW("\"a\0b\"@c", "a control character"),
	ROW("\"a\033b\"@c", "a control character"),
	ROW("\"a\177b\"@c", "a control character"),
	ROW("u\033[2J@c", "an unexpected character"),
	ROW("a@[1.2\0.3.4]", "a control character"),
	ROW("a\\b@c", "an unexpected character"),
#undef ROW
};

static void
test_addr_list_wrong(void **state)
{
	struct buf out = BUF_INIT;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("%s\n", wrong[i].text);
		assert_int_equal(list(wrong[i].text, wrong[i].len, &out,
		    &why), -1);
		assert_string_equal(why, wrong[i].why);
	}
	buf_clear(&out);
}

/* Whatever comes in: what comes out can stand in an SMTP command. */
static const char *
check_safe(void *arg, const struct addr *a)
{
	const char *p;
	bool quoted = false;

	(void)arg;
	assert_in_range(strlen(a->spec), 0, ADDR_MAX);
	for (p = a->spec; *p != '\0'; p++) {
		assert_in_range(*p, ' ', '~');
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\')
			p++;
		else
			assert_true(quoted || strchr(" <>(),;", *p) == NULL);
	}
	assert_false(quoted);
	return NULL;
}

static void
test_addr_list_random(void **state)
{
	static const char alphabet[] = "ab.@\"\\<>()[]:;, \t\r\n\0\x7f\xc3";
	uint64_t seed = 12345;
	const char *why;
	char text[24], *exact;
	size_t i, n;
	int round;

	(void)state;
	for (round = 0; round < 300000; round++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		n = (size_t)(seed >> 60) + 1;
		for (i = 0; i < n; i++) {
			seed = seed * 6364136223846793005 +
			    1442695040888963407;
			text[i] = alphabet[(seed >> 33) %
			    (sizeof(alphabet) - 1)];
		}
		exact = malloc(n);
		assert_non_null(exact);
		memcpy(exact, text, n);
		if (addr_list(exact, n, check_safe, NULL, &why) == -1)
			assert_non_null(why);
		free(exact);
	}
}

static const char *
stop(void *arg, const struct addr *a)
{
	int *n = arg;

	(void)a;
	return ++*n == 2 ? "enough" : NULL;
}

static void
test_addr_list_stops(void **state)
{
	const char *why;
	int n = 0;

	(void)state;
	assert_int_equal(addr_list("a, b, c", 7, stop, &n, &why), -1);
	assert_string_equal(why, "enough");
	assert_int_equal(n, 2);
}

static const char *
keep_end(void *arg, const struct addr *a)
{
	*(size_t *)arg = a->end;
	return NULL;
}

static const struct {
	const char	*text;
	size_t		 end;
} ends[] = {
	{ "root", 4 }, { " root (c) ", 5 }, { "<root>", 5 },
	{ "< root (c) >", 6 }, { "Name <root>", 10 }, { "\"a b\"", 5 },
	{ "a . b ,", 5 }, { "G: root ;", 7 }, { "a@b (c)", 3 },
};

static void
test_addr_list_end(void **state)
{
	const char *why;
	size_t i, end;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		print_message("%s\n", ends[i].text);
		assert_int_equal(addr_list(ends[i].text, strlen(ends[i].text),
		    keep_end, &end, &why), 0);
		assert_int_equal(end, ends[i].end);
	}
}

static const struct {
	const char	*text;
	const char	*want;		/* NULL: an error */
} ones[] = {
	{ "", "" }, { "<>", "" }, { " <> ", "" }, { "a", "a@m.example" },
	{ "a@b", "a@b" }, { "Name <a>", "a@m.example" },
	{ "a b", NULL }, { "a,b", NULL }, { "<>,a", NULL }, { " ", NULL },
	{ "(c)", NULL }, { "g:;", NULL }, { "a@b\n.c", "a@b.c" },
};

static void
test_addr_one(void **state)
{
	const char *why;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ones) / sizeof(ones[0]); i++) {
		print_message("%s\n", ones[i].text);
		why = NULL;
		got = addr_one(ones[i].text, "m.example", &why);
		if (ones[i].want == NULL) {
			assert_null(got);
			assert_non_null(why);
		} else {
			assert_string_equal(got, ones[i].want);
		}
		free(got);
	}
}

static void
test_addr_complete_too_long(void **state)
{
	const struct addr a = { .spec = L63 };
	const char *why;

	(void)state;
	assert_null(addr_complete(&a, L63 "." L63 "." L63, &why));
	assert_string_equal(why, "the address is too long");
}

static void
test_addr_compare(void **state)
{
	(void)state;
	assert_int_equal(addr_compare("a@b.c", "a@B.C"), 0);
	assert_int_not_equal(addr_compare("a@b.c", "A@b.c"), 0);
	assert_int_not_equal(addr_compare("a@b", "a@bc"), 0);
	assert_int_not_equal(addr_compare("ab@c", "a@c"), 0);
	assert_int_not_equal(addr_compare("a@c", "ab@c"), 0);
	assert_int_equal(addr_compare("\"a@b\"@c", "\"a@b\"@C"), 0);
	assert_true(addr_compare("a@x", "b@x") < 0);
	assert_true(addr_compare("b@x", "a@x") > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_list_good),
		cmocka_unit_test(test_addr_list_wrong),
		cmocka_unit_test(test_addr_list_random),
		cmocka_unit_test(test_addr_list_stops),
		cmocka_unit_test(test_addr_list_end),
		cmocka_unit_test(test_addr_one),
		cmocka_unit_test(test_addr_complete_too_long),
		cmocka_unit_test(test_addr_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
