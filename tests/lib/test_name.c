/* SPDX-License-Identifier: ISC */
/*
 * name.c: what is a domain name, what is an address, which addresses mail
 * may go to.
 */
#include "config.h"

#include "name.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mxres.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define N253 L63 "." L63 "." L63 "." L61

static const struct {
	const char	*in;
	const char	*out;		/* NULL: refused */
} names[] = {
	{ "example.org", "example.org" },
	{ "Example.ORG.", "example.org" },
	{ "localhost", "localhost" },
	{ "_25._tcp.mx.test", "_25._tcp.mx.test" },
	{ "a-b.test", "a-b.test" },
	{ "1.2.3.test", "1.2.3.test" },
	{ "0x7f.test", "0x7f.test" },
	{ "xn--bcher-kva.test", "xn--bcher-kva.test" },
	{ "a.1x", "a.1x" },
	{ "a.0xg", "a.0xg" },
	{ L63 ".test", L63 ".test" },
	{ N253, N253 },
	{ N253 ".", N253 },
	{ "", NULL },
	{ ".", NULL },
	{ "..", NULL },
	{ ".a", NULL },
	{ "a..b", NULL },
	{ "a..", NULL },
	{ "a b.test", NULL },
	{ " a.test", NULL },
	{ "a.test\n", NULL },
	{ "a\\.test", NULL },
	{ "a/b.test", NULL },
	{ "*.test", NULL },
	{ "[192.0.2.1]", NULL },
	{ "192.0.2.1", NULL },
	{ "192.0.2.1.", NULL },
	{ "127.1", NULL },
	{ "2130706433", NULL },
	{ "0x7f000001", NULL },
	{ "0X7F.0x1", NULL },
	{ "::1", NULL },
	{ "b\xfc" "cher.test", NULL },		/* Latin-1 */
	{ "b\xc3\xbc..test", NULL },
	{ "b\xc3\xbc test", NULL },
	{ "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.1", NULL }, /* 127.1, wide */
	{ "\xe2\x80\xae" "a.test", NULL },	/* right-to-left override */
#ifdef HAVE_LIBIDN2
	{ "B\xc3\x9c" "CHER.Test.", "xn--bcher-kva.test" },
	{ "bu\xcc\x88" "cher.test", "xn--bcher-kva.test" }, /* u, diaeresis */
	{ "fa\xc3\x9f.test", "xn--fa-hia.test" },	/* non-transitional */
	{ "_25._tcp.b\xc3\xbc" "cher.test", "_25._tcp.xn--bcher-kva.test" },
	{ "a\xe3\x80\x82\xc3\xbc.test", "a.xn--tda.test" }, /* wide dot */
#else
	{ "b\xc3\xbc" "cher.test", NULL },
#endif
	{ "a" L63 ".test", NULL },
	{ "test.a" L63, NULL },
	{ "a" N253, NULL }
};

static void
test_name_rows(void **state)
{
	char buf[MXRES_TEXTMAX + 1];	/* and a final dot */
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		r = mxres_name(names[i].in, buf, sizeof(buf));
		if (names[i].out == NULL && r != -1)
			fail_msg("\"%s\" was accepted", names[i].in);
		if (names[i].out != NULL &&
		    (r != 0 || strcmp(buf, names[i].out) != 0))
			fail_msg("\"%s\" was not accepted as \"%s\"",
			    names[i].in, names[i].out);
		if (names[i].out == NULL)
			continue;
		/* and where it stands */
		(void)strlcpy(buf, names[i].in, sizeof(buf));
		assert_int_equal(mxres_name(buf, buf, sizeof(buf)), 0);
		assert_string_equal(buf, names[i].out);
	}
	assert_int_equal(mxres_name(NULL, buf, sizeof(buf)), -1);
	assert_int_equal(mxres_name("a.test", NULL, 0), -1);
	assert_int_equal(mxres_name("a.test", buf, 6), -1);
	assert_int_equal(mxres_name("a.test", buf, 7), 0);
}

static void
test_name_errno(void **state)
{
	char buf[MXRES_TEXTMAX], *longest = malloc(4001);

	(void)state;
	errno = 0;
	assert_int_equal(mxres_name("a..b", buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(mxres_name("\xc3\xbc..b", buf, sizeof(buf)), -1);
#ifdef HAVE_LIBIDN2
	assert_int_equal(errno, EINVAL);
#else
	assert_int_equal(errno, ENOTSUP);
#endif
	assert_non_null(longest);
	memset(longest, 0xc3, 4000);
	longest[4000] = '\0';
	assert_int_equal(mxres_name(longest, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	free(longest);
}

static void
test_name_unicode(void **state)
{
#ifdef HAVE_LIBIDN2
	static const struct {
		const char	*name;
		const char	*text;		/* NULL: none to show */
	} rows[] = {
		{ "xn--bcher-kva.test", "b\xc3\xbc" "cher.test" },
		{ "a.xn--tda.xn--fa-hia", "a.\xc3\xbc.fa\xc3\x9f" },
		{ "bcher.test", NULL },
		{ "xn--", NULL },
		{ "xn--.test", NULL },
		{ "xn--a.test", NULL },
		{ "xn--a-.test", NULL },
		{ "xn--99999999.test", NULL },
		{ "xn--ls8h.test", NULL },	/* a pile of poo: no letter */
		{ "xn--xn--bcher-kva-.test", NULL }
	};
	char buf[MXRES_UTF8MAX + 1];
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = 0;
		r = mxres_name_unicode(rows[i].name, buf, sizeof(buf));
		if (rows[i].text == NULL ? r != -1 || errno != EINVAL :
		    r != 0 || strcmp(buf, rows[i].text) != 0)
			fail_msg("%s: %d, \"%s\", errno %d", rows[i].name, r,
			    r == 0 ? buf : "", errno);
	}
	assert_int_equal(mxres_name_unicode("xn--tda", buf, 2), -1);
	assert_int_equal(mxres_name_unicode("xn--tda", buf, 3), 0);
	assert_int_equal(mxres_name_unicode(NULL, buf, 3), -1);
	assert_int_equal(mxres_name_unicode("xn--tda", NULL, 3), -1);
#else
	char buf[8];

	(void)state;
	assert_int_equal(mxres_name_unicode("xn--tda", buf, sizeof(buf)), -1);
	assert_int_equal(errno, ENOTSUP);
#endif
}

static void
test_name_to_wire_and_back(void **state)
{
	uint8_t wire[MXRES_WIREMAX];
	char text[MXRES_ESCMAX], buf[MXRES_TEXTMAX];
	size_t i;

	(void)state;
	assert_int_equal(mxres_name_wire("a.bc", wire), 6);
	assert_memory_equal(wire, "\1a\2bc", 6);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (mxres_name(names[i].in, buf, sizeof(buf)) != 0)
			continue;
		assert_int_equal(mxres_name_wire(buf, wire), strlen(buf) + 2);
		assert_true(mxres_name_text(wire, text));
		assert_string_equal(text, buf);
	}
}

static void
test_name_text_escapes(void **state)
{
	uint8_t wire[MXRES_WIREMAX];
	char text[MXRES_ESCMAX];
	size_t i;

	(void)state;
	assert_true(mxres_name_text((const uint8_t *)"", text));
	assert_string_equal(text, ".");
	assert_false(mxres_name_text((const uint8_t *)"\3a.b\4\n\\\"\x7f", text));
	assert_string_equal(text, "a\\046b.\\010\\092\\034\\127");
	assert_false(mxres_name_text((const uint8_t *)"\3::1", text));
	assert_string_equal(text, "::1");
	/* the longest text there can be fits */
	memset(wire, 0xff, sizeof(wire));
	for (i = 0; i < 254; i += 64)
		wire[i] = i < 192 ? 63 : 61;
	wire[254] = 0;
	assert_false(mxres_name_text(wire, text));
	assert_int_equal(strlen(text), (63 * 3 + 61) * 4 + 3);
}

static void
test_name_isaddress(void **state)
{
	static const char *const yes[] = {
		"192.0.2.1", "[192.0.2.1]", "::1", "[2001:db8::1]", "127.1",
		"0x7f.1", "1"
	};
	static const char *const no[] = {
		"", "a", "a.test", "1.test", "[]", "[a]", ":", "a.0xg", "1."
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!mxres_name_isaddress(yes[i]))
			fail_msg("%s is an address", yes[i]);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (mxres_name_isaddress(no[i]))
			fail_msg("%s is no address", no[i]);
	assert_false(mxres_name_isaddress(N253));
}

static void
test_addr_usable_rows(void **state)
{
	static const struct {
		const char	*text;
		int		 usable;
	} rows[] = {
		{ "192.0.2.1", 1 }, { "10.0.0.1", 1 }, { "1.0.0.0", 1 },
		{ "126.255.255.255", 1 }, { "128.0.0.1", 1 },
		{ "169.253.0.1", 1 }, { "223.255.255.255", 1 },
		{ "0.0.0.0", 0 }, { "0.1.2.3", 0 }, { "127.0.0.1", 0 },
		{ "127.255.255.255", 0 }, { "169.254.0.1", 0 },
		{ "224.0.0.1", 0 }, { "239.255.255.255", 0 },
		{ "255.255.255.255", 0 },
		{ "2001:db8::1", 1 }, { "fd00::1", 1 }, { "fec0::1", 1 },
		{ "::ffff:192.0.2.1", 1 }, { "::", 0 }, { "::1", 0 },
		{ "::192.0.2.1", 0 }, { "::ffff:127.0.0.1", 0 },
		{ "::ffff:0.0.0.0", 0 }, { "fe80::1", 0 }, { "febf::1", 0 },
		{ "ff02::1", 0 }
	};
	uint8_t addr[16];
	size_t i;
	int family;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		family = strchr(rows[i].text, ':') ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(family, rows[i].text, addr), 1);
		if (!mxres_addr_usable(family, addr) != !rows[i].usable)
			fail_msg("%s", rows[i].text);
	}
	assert_int_equal(mxres_addr_usable(AF_UNIX, addr), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_rows),
		cmocka_unit_test(test_name_errno),
		cmocka_unit_test(test_name_unicode),
		cmocka_unit_test(test_name_to_wire_and_back),
		cmocka_unit_test(test_name_text_escapes),
		cmocka_unit_test(test_name_isaddress),
		cmocka_unit_test(test_addr_usable_rows),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
