/* SPDX-License-Identifier: ISC */
/* The rules for the names of this machine, with files of the test. */
#include "config.h"

#include "base/hostname.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "spool_fixture.h"

static const char *
file(const char *name, const char *text)
{
	const char *path = fixture_path("queue", name);
	FILE *fp;

	unlink(path);
	if (text == NULL)
		return path;
	fp = fopen(path, "w");
	assert_non_null(fp);
	assert_true(fputs(text, fp) != EOF);
	assert_int_equal(fclose(fp), 0);
	return path;
}

static const struct {
	const char	*name;
	const char	*own;
	const char	*hosts;		/* NULL: no such file */
	const char	*resolv;
	const char	*want;
} rows[] = {
	{ "own name with a dot", "mx.example.org",
	    "127.0.0.1 mx.example.org other.example.com\n",
	    "search example.net\n", "mx.example.org" },
	{ "final dot", "mx.example.org.", NULL, NULL, "mx.example.org" },
	{ "hosts: name on our line", "mx",
	    "127.0.0.1 localhost localhost.localdomain\n"
	    "192.0.2.1 mx.example.org mx\n", "search example.net\n",
	    "mx.example.org" },
	{ "hosts: we come first", "mx", "192.0.2.1 mx mx.example.org a.b\n",
	    NULL, "mx.example.org" },
	{ "hosts: another case, tabs", "mx",
	    "192.0.2.1\tMX\t\tmx.example.org\n", NULL, "mx.example.org" },
	{ "hosts: another host's line", "mx",
	    "192.0.2.1 mail.example.org mail\n", NULL, "mx" },
	{ "hosts: our name is a part only", "mx",
	    "192.0.2.1 mx2.example.org mx2\n", NULL, "mx" },
	{ "hosts: in a comment", "mx",
	    "192.0.2.1 mx # mx.example.org\n# 1.2.3.4 mx.example.com mx\n",
	    "search example.net\n", "mx.example.net" },
	{ "hosts: our line has no dot, the next has", "mx",
	    "127.0.1.1 mx\n192.0.2.1 mx.example.org mx\n", NULL,
	    "mx.example.org" },
	{ "hosts: not a name", "mx", "192.0.2.1 m_x.-bad.org mx\n",
	    "search example.net\n", "mx.example.net" },
	{ "resolv: first search name", "mx", "", "nameserver 192.0.2.53\n"
	    "search example.net example.com\n", "mx.example.net" },
	{ "resolv: domain", "mx", NULL, "domain example.net\n",
	    "mx.example.net" },
	{ "resolv: final dot", "mx", NULL, "search\texample.net.\n",
	    "mx.example.net" },
	{ "resolv: root only", "mx", NULL, "search .\n", "mx" },
	{ "resolv: nothing after it", "mx", NULL, "search\n", "mx" },
	{ "resolv: not a name", "mx", NULL, "search exa$mple\n", "mx" },
	{ "resolv: comment", "mx", NULL, "#search example.net\n"
	    ";search example.net\n", "mx" },
	{ "nothing at all", "mx", NULL, NULL, "mx" },
	{ "own name is none", "m x", "1.2.3.4 m x.y\n", NULL, "localhost" },
	{ "own name is empty", "", NULL, "search example.net\n",
	    "localhost.example.net" },
};

static void
test_hostname_find(void **state)
{
	struct hostname_env env;
	char *name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		env.own = rows[i].own;
		env.hosts = file("hosts", rows[i].hosts);
		env.resolv = file("resolv", rows[i].resolv);
		env.mailname = file("mailname", "wrong.example\n");
		name = hostname_find(&env);
		assert_string_equal(name, rows[i].want);
		free(name);
	}
}

static const struct {
	const char	*name;
	const char	*text;
	const char	*want;
} mail_rows[] = {
	{ "no file", NULL, NULL },
	{ "empty", "", NULL },
	{ "a name", "example.org\n", "example.org" },
	{ "no line end", "example.org", "example.org" },
	{ "blanks", "  example.org \r\n", "example.org" },
	{ "comment and empty lines", "# ours\n\nexample.org\n",
	    "example.org" },
	{ "first of two", "example.org\nexample.com\n", "example.org" },
	{ "not a name", "exa mple\n", "exa" },
	{ "not a name either", "<script>\n", NULL },
};

static void
test_hostname_mail(void **state)
{
	struct hostname_env env = hostname_system;
	char *name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mail_rows) / sizeof(mail_rows[0]); i++) {
		print_message("%s\n", mail_rows[i].name);
		env.mailname = file("mailname", mail_rows[i].text);
		name = hostname_mail(&env);
		if (mail_rows[i].want == NULL)
			assert_null(name);
		else
			assert_string_equal(name, mail_rows[i].want);
		free(name);
	}
}

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const struct {
	const char	*text;
	bool		 valid;
} names[] = {
	{ "a", true }, { "a.b", true }, { "a-b.c_d.e9", true },
	{ "9.example", true }, { L63 ".x", true }, { L63 "d.x", false },
	{ L63 "." L63 "." L63 "." "abcdefghijabcdefghijabcdefghij"
	    "abcdefghijabcdefghijabcdefghija", true },
	{ L63 "." L63 "." L63 "." "abcdefghijabcdefghijabcdefghij"
	    "abcdefghijabcdefghijabcdefghijab", false },
	{ "", false }, { ".", false }, { "a.", false }, { ".a", false },
	{ "a..b", false }, { "-a.b", false }, { "a-.b", false },
	{ "a b", false }, { "a\nb", false }, { "a@b", false },
	{ "\xc3\xa9.org", false },
};

static void
test_hostname_is_valid(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		print_message("%s\n", names[i].text);
		assert_int_equal(hostname_is_valid(names[i].text),
		    names[i].valid);
	}
}

static int
setup(void **state)
{
	(void)state;
	fixture_spool();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostname_find),
		cmocka_unit_test(test_hostname_mail),
		cmocka_unit_test(test_hostname_is_valid),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
