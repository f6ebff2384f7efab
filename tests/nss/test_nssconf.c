/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "fake.h"
#include "nssconf.h"

#define DEF	"[SUCCESS=return NOTFOUND=continue UNAVAIL=continue " \
		"TRYAGAIN=return]"

static const struct {
	const char	*name;
	const char	*text;
	int		 args;
	const char	*list;		/* spelled out; NULL: an error */
	const char	*err;		/* part of it */
} rows[] = {
	{ "one source", "files", 0, "files " DEF, NULL },
	{ "two sources", " files \tdns ", 0, "files " DEF " dns " DEF, NULL },
	{ "comment", "files # dns", 0, "files " DEF, NULL },
	{ "comment without a blank", "files# dns", 0, "files " DEF, NULL },
	{ "carriage return", "files dns\r", 0, "files " DEF " dns " DEF,
	    NULL },
	{ "return", "files [NOTFOUND=return] dns", 0,
	    "files [SUCCESS=return NOTFOUND=return UNAVAIL=continue "
	    "TRYAGAIN=return] dns " DEF, NULL },
	{ "letter case", "files [notfound=RETURN]", 0,
	    "files [SUCCESS=return NOTFOUND=return UNAVAIL=continue "
	    "TRYAGAIN=return]", NULL },
	{ "no blank before the bracket", "files[TRYAGAIN=continue]dns", 0,
	    "files [SUCCESS=return NOTFOUND=continue UNAVAIL=continue "
	    "TRYAGAIN=continue] dns " DEF, NULL },
	{ "blanks in the brackets", "files [ UNAVAIL = return ]", 0,
	    "files [SUCCESS=return NOTFOUND=continue UNAVAIL=return "
	    "TRYAGAIN=return]", NULL },
	{ "several in one bracket",
	    "files [UNAVAIL=return NOTFOUND=return]", 0,
	    "files [SUCCESS=return NOTFOUND=return UNAVAIL=return "
	    "TRYAGAIN=return]", NULL },
	{ "several without a blank",
	    "files [UNAVAIL=returnNOTFOUND=return]", 0, NULL,
	    "after UNAVAIL=" },
	{ "several brackets", "files [UNAVAIL=return] [NOTFOUND=return]", 0,
	    "files [SUCCESS=return NOTFOUND=return UNAVAIL=return "
	    "TRYAGAIN=return]", NULL },
	{ "negation", "files [!UNAVAIL=return]", 0,
	    "files [SUCCESS=return NOTFOUND=return UNAVAIL=continue "
	    "TRYAGAIN=return]", NULL },
	{ "negation keeps the default of the named one",
	    "files [!SUCCESS=continue]", 0,
	    "files [SUCCESS=return NOTFOUND=continue UNAVAIL=continue "
	    "TRYAGAIN=continue]", NULL },
	{ "the later criterion wins",
	    "files [!SUCCESS=continue TRYAGAIN=return]", 0,
	    "files [SUCCESS=return NOTFOUND=continue UNAVAIL=continue "
	    "TRYAGAIN=return]", NULL },
	{ "merge", "files [SUCCESS=merge] dns", 0,
	    "files [SUCCESS=merge NOTFOUND=continue UNAVAIL=continue "
	    "TRYAGAIN=return] dns " DEF, NULL },
	{ "argument", "zone(mx.corp.example) dns", 1,
	    "zone(mx.corp.example) " DEF " dns " DEF, NULL },
	{ "argument with odd characters", "ldap(/etc/a b#c.conf)[NOTFOUND="
	    "return]", 1, "ldap(/etc/a b#c.conf) [SUCCESS=return "
	    "NOTFOUND=return UNAVAIL=continue TRYAGAIN=return]", NULL },
	{ "name of 32", "abcdefghijklmnopqrstuvwxyz012345", 0,
	    "abcdefghijklmnopqrstuvwxyz012345 " DEF, NULL },
	{ "digit, dash, underscore", "9p a_b-c", 0, "9p " DEF " a_b-c " DEF,
	    NULL },

	{ "nothing", "", 0, NULL, "no source is named" },
	{ "only a comment", " # files", 0, NULL, "no source is named" },
	{ "capital in a name", "Files dns", 0, NULL, "'F' where a source" },
	{ "capital inside a name", "fiLes", 0, NULL, "'L' after source" },
	{ "path as a name", "../x", 0, NULL, "'.' where a source" },
	{ "slash in a name", "a/b", 0, NULL, "'/' after source \"a\"" },
	{ "name of 33", "abcdefghijklmnopqrstuvwxyz0123456", 0, NULL,
	    "longer than 32" },
	{ "starts with a bracket", "[NOTFOUND=return] files", 0, NULL,
	    "'[' where a source" },
	{ "starts with a dash", "-files", 0, NULL, "'-' where" },
	{ "empty brackets", "files [] dns", 0, NULL, "a status must be" },
	{ "unknown status", "files [BOGUS=return]", 0, NULL,
	    "a status must be" },
	{ "internal status", "files [RETURN=return]", 0, NULL,
	    "a status must be" },
	{ "unknown action", "files [NOTFOUND=stop]", 0, NULL,
	    "an action must be" },
	{ "half an action", "files [NOTFOUND=retur]", 0, NULL,
	    "an action must be" },
	{ "no equals sign", "files [NOTFOUND return]", 0, NULL,
	    "\"=\" is missing after NOTFOUND" },
	{ "no action", "files [NOTFOUND=]", 0, NULL, "an action must be" },
	{ "no closing bracket", "files [NOTFOUND=return dns", 0, NULL,
	    "a status must be" },
	{ "the line ends in brackets", "files [NOTFOUND=return", 0, NULL,
	    "\"]\" is missing" },
	{ "comment in brackets", "files [NOTFOUND=return # x", 0, NULL,
	    "\"]\" is missing" },
	{ "argument in nsswitch.conf", "zone(x) dns", 0, NULL,
	    "in mxnss.conf only" },
	{ "empty argument", "zone()", 1, NULL, "must have 1 to" },
	{ "unfinished argument", "zone(x dns", 1, NULL, "\")\" is missing" },
	{ "word glued to an argument", "zone(x)dns", 1, NULL,
	    "'d' after source \"zone\"" },
	{ "control character", "files\001", 0, NULL, "octet 0x01" },
	{ "non-ASCII", "d\303\274n", 0, NULL, "octet 0xc3" },
	{ "seventeen sources", "a b c d e f g h i j k l m n o p q", 0, NULL,
	    "more than 16" }
};

static void
test_nssconf_parse_rows(void **state)
{
	struct nssconf conf;
	char err[200], list[8192];
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].name);
		err[0] = '\0';
		ret = nssconf_parse(rows[i].text, strlen(rows[i].text),
		    rows[i].args, &conf, err, sizeof(err));
		if (rows[i].list == NULL) {
			assert_int_equal(ret, -1);
			assert_non_null(strstr(err, rows[i].err));
			continue;
		}
		assert_string_equal(err, "");
		assert_int_equal(ret, 0);
		assert_int_equal(nssconf_format(&conf, list, sizeof(list)),
		    0);
		assert_string_equal(list, rows[i].list);
	}
}

static void
test_nssconf_parse_stops_at_the_length_given(void **state)
{
	struct nssconf conf;
	char err[200];

	(void)state;
	assert_int_equal(nssconf_parse("files dns", 5, 0, &conf, err,
	    sizeof(err)), 0);
	assert_int_equal(conf.nsrc, 1);
}

static void
test_nssconf_format_without_room(void **state)
{
	struct nssconf conf;
	char err[200], tiny[20];

	(void)state;
	assert_int_equal(nssconf_parse("files dns", 9, 0, &conf, err,
	    sizeof(err)), 0);
	assert_int_equal(nssconf_format(&conf, tiny, sizeof(tiny)), -1);
}

static const struct {
	const char	*name;
	const char	*text;
	int		 lineno;
	const char	*value;
} found[] = {
	{ "empty file", "", 0, NULL },
	{ "other keys", "hostname: a\nlog: stderr\n", 0, NULL },
	{ "the line", "passwd: files\nmxhosts: files dns\n", 2,
	    " files dns" },
	{ "no final newline", "mxhosts:dns", 1, "dns" },
	{ "the first of two", "mxhosts: dns\nmxhosts: files\n", 1, " dns" },
	{ "comment", "# mxhosts: dns\n", 0, NULL },
	{ "blank in front", "\t mxhosts : dns\n", 1, " dns" },
	{ "letter case", "MXHosts: dns\n", 1, " dns" },
	{ "longer word", "mxhosts2: dns\nmxhostsx dns\n", 0, NULL },
	{ "dash", "mxhosts-x: dns\n", 0, NULL },
	{ "empty list", "mxhosts:\n", 1, "" },
	{ "no colon", "a\nmxhosts files dns\n", -1, NULL },
	{ "word alone", "mxhosts\n", -1, NULL },
	{ "carriage return", "mxhosts: dns\r\n", 1, " dns\r" }
};

static void
test_nssconf_find_rows(void **state)
{
	const char *value;
	size_t i, len;
	int lineno;

	(void)state;
	for (i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		print_message("# %s\n", found[i].name);
		lineno = nssconf_find(found[i].text, strlen(found[i].text),
		    &value, &len);
		assert_int_equal(lineno, found[i].lineno);
		if (lineno <= 0)
			continue;
		assert_int_equal(len, strlen(found[i].value));
		assert_memory_equal(value, found[i].value, len);
	}
}

static void
load(const char *own, const char *nss, struct nssconf *conf, int expect,
    const char *err)
{
	struct nssconf_place places[3];
	char path[2][4096], got[600];

	(void)strlcpy(path[0], own == NULL ? "/nonexistent/mxnss.conf" :
	    fake_text("mxnss.conf", own), sizeof(path[0]));
	(void)strlcpy(path[1], nss == NULL ? "/nonexistent/nsswitch.conf" :
	    fake_text("nsswitch.conf", nss), sizeof(path[1]));
	places[0].path = path[0];
	places[0].args = 1;
	places[1].path = path[1];
	places[1].args = 0;
	places[2].path = NULL;
	got[0] = '\0';
	assert_int_equal(nssconf_load(places, conf, got, sizeof(got)),
	    expect);
	if (expect == 0)
		assert_string_equal(got, "");
	else
		assert_non_null(strstr(got, err));
}

static void
test_nssconf_load_takes_the_first_file_with_the_line(void **state)
{
	struct nssconf conf;

	(void)state;
	load("mxhosts: files\n", "mxhosts: dns\n", &conf, 0, NULL);
	assert_string_equal(conf.src[0].name, "files");
	assert_non_null(strstr(conf.origin, "mxnss.conf:1"));
	load("hostname: x\n", "a: b\nmxhosts: dns\n", &conf, 0, NULL);
	assert_string_equal(conf.src[0].name, "dns");
	assert_non_null(strstr(conf.origin, "nsswitch.conf:2"));
	load(NULL, "mxhosts: dns\n", &conf, 0, NULL);
	assert_int_equal(conf.nsrc, 1);
}

static void
test_nssconf_load_default(void **state)
{
	struct nssconf conf;

	(void)state;
	load(NULL, NULL, &conf, 0, NULL);
	assert_string_equal(conf.origin, "default");
	assert_int_equal(conf.nsrc, 2);
	assert_string_equal(conf.src[0].name, "files");
	assert_string_equal(conf.src[1].name, "dns");
	load("", "", &conf, 0, NULL);
	assert_string_equal(conf.origin, "default");
}

static void
test_nssconf_load_errors_name_file_and_line(void **state)
{
	struct nssconf conf;

	(void)state;
	load("log: x\nmxhosts: files [\n", "mxhosts: dns\n", &conf, -1,
	    "mxnss.conf:2: ");
	load("mxhosts files\n", NULL, &conf, -1, "mxnss.conf:1: \":\"");
	load(NULL, "mxhosts: zone(x)\n", &conf, -1, "nsswitch.conf:1: ");
	load("mxhosts: zone(x)\n", NULL, &conf, 0, NULL);
}

static void
test_nssconf_load_of_an_unreadable_file_guesses_nothing(void **state)
{
	struct nssconf_place places[2] = { { NULL, 1 }, { NULL, 0 } };
	struct nssconf conf;
	char err[600];

	(void)state;
	places[0].path = "/";		/* read(2) fails for root, too */
	assert_int_equal(nssconf_load(places, &conf, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/: cannot be read"));
}

static void
test_nssconf_load_of_a_link_to_nowhere_guesses_nothing(void **state)
{
	struct nssconf_place places[2] = { { NULL, 1 }, { NULL, 0 } };
	struct nssconf conf;
	char err[600];

	(void)state;
	places[0].path = fake_text("link", "");
	assert_int_equal(unlink(places[0].path), 0);
	assert_int_equal(symlink("/nonexistent/mxnss.conf", places[0].path),
	    0);
	assert_int_equal(nssconf_load(places, &conf, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "link: cannot be read: No such file"));
}

static int
teardown(void **state)
{
	(void)state;
	fake_clean();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nssconf_parse_rows),
		cmocka_unit_test(test_nssconf_parse_stops_at_the_length_given),
		cmocka_unit_test(test_nssconf_format_without_room),
		cmocka_unit_test(test_nssconf_find_rows),
		cmocka_unit_test(
		    test_nssconf_load_takes_the_first_file_with_the_line),
		cmocka_unit_test(test_nssconf_load_default),
		cmocka_unit_test(test_nssconf_load_errors_name_file_and_line),
		cmocka_unit_test(
		    test_nssconf_load_of_an_unreadable_file_guesses_nothing),
		cmocka_unit_test(
		    test_nssconf_load_of_a_link_to_nowhere_guesses_nothing)
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
