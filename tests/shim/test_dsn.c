/* SPDX-License-Identifier: ISC */
/* NOTIFY, RET, ENVID and xtext (RFC 3461 section 4). */
#include "config.h"

#include "base/dsn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char	*text;
	int		 rc;
	unsigned	 notify;
	const char	*back;
} notifies[] = {
	{ "never", 0, DSN_NEVER, "NEVER" },
	{ "SUCCESS", 0, DSN_SUCCESS, "SUCCESS" },
	{ "delay,Failure", 0, DSN_FAILURE | DSN_DELAY, "FAILURE,DELAY" },
	{ "success,failure,delay", 0, DSN_SUCCESS | DSN_FAILURE | DSN_DELAY,
	    "SUCCESS,FAILURE,DELAY" },
	{ "delay,delay", 0, DSN_DELAY, "DELAY" },
	{ "", -1, 0, NULL },
	{ "nev", -1, 0, NULL },
	{ "neverr", -1, 0, NULL },
	{ "never,delay", -1, 0, NULL },
	{ "delay,never", -1, 0, NULL },
	{ "delay,", -1, 0, NULL },
	{ ",delay", -1, 0, NULL },
	{ "delay failure", -1, 0, NULL },
	{ "delay, failure", -1, 0, NULL },
};

static void
test_dsn_parse_notify(void **state)
{
	struct buf b = BUF_INIT;
	unsigned notify;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(notifies) / sizeof(notifies[0]); i++) {
		print_message("\"%s\"\n", notifies[i].text);
		assert_int_equal(dsn_parse_notify(notifies[i].text,
		    strlen(notifies[i].text), &notify), notifies[i].rc);
		if (notifies[i].rc == -1)
			continue;
		assert_int_equal(notify, notifies[i].notify);
		buf_reset(&b);
		dsn_add_notify(&b, notify);
		assert_string_equal(buf_str(&b), notifies[i].back);
	}
	buf_clear(&b);
}

static void
test_dsn_parse_ret(void **state)
{
	enum dsn_ret ret;

	(void)state;
	assert_int_equal(dsn_parse_ret("full", 4, &ret), 0);
	assert_string_equal(dsn_ret_name(ret), "FULL");
	assert_int_equal(dsn_parse_ret("HDRS", 4, &ret), 0);
	assert_string_equal(dsn_ret_name(ret), "HDRS");
	assert_int_equal(dsn_parse_ret("", 0, &ret), -1);
	assert_int_equal(dsn_parse_ret("headers", 7, &ret), -1);
	assert_string_equal(dsn_ret_name(ret), "");
}

static void
test_dsn_wants(void **state)
{
	(void)state;
	assert_true(dsn_wants(0, DSN_FAILURE));
	assert_true(dsn_wants(0, DSN_DELAY));
	assert_false(dsn_wants(0, DSN_SUCCESS));
	assert_false(dsn_wants(DSN_NEVER, DSN_FAILURE));
	assert_false(dsn_wants(DSN_NEVER, DSN_DELAY));
	assert_true(dsn_wants(DSN_SUCCESS, DSN_SUCCESS));
	assert_false(dsn_wants(DSN_SUCCESS, DSN_FAILURE));
}

static void
test_dsn_is_envid(void **state)
{
	char text[101];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(dsn_is_envid(text, 100));
	assert_false(dsn_is_envid(text, 101));
	assert_false(dsn_is_envid("", 0));
	assert_true(dsn_is_envid("QQ 314159", 9));
	assert_false(dsn_is_envid("a\tb", 3));
	assert_false(dsn_is_envid("caf\xc3\xa9", 5));
	/* three octets each on the wire */
	memset(text, '+', sizeof(text));
	assert_true(dsn_is_envid(text, 33));
	assert_false(dsn_is_envid(text, 34));
}

static void
test_dsn_add_xtext(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	dsn_add_xtext(&b, "a+b=c d\"e\\f@g.test~!\xc3");
	assert_string_equal(buf_str(&b),
	    "a+2Bb+3Dc+20d\"e\\f@g.test~!+C3");
	buf_clear(&b);
}

static const struct {
	const char	*value;
	const char	*addr;	/* NULL: none; "": of another type */
	const char	*again;	/* how it is written; NULL: the same */
} orcpts[] = {
	{ "rfc822;a+2Bb@x", "a+b@x", NULL },
	{ "RFC822;a", "a", "rfc822;a" },
	{ "utf-8;\\x{FC}@x", "\xc3\xbc@x", NULL },
	{ "UTF-8;j\xc3\xbc@x", "j\xc3\xbc@x", "utf-8;j\\x{FC}@x" },
	{ "utf-8;\\x{7528}\\x{1F4E7}\\x{2B}\\x{5C}@x",
	    "\xe7\x94\xa8\xf0\x9f\x93\xa7+\\@x", NULL },
	{ "utf-8;a@x", "a@x", "rfc822;a@x" },
	{ "x400;abc", "", NULL },
	{ "rfc822", NULL, NULL },
	{ ";a", NULL, NULL },
	{ "rfc822;a+2", NULL, NULL },
	{ "rfc822;\xc3\xa9", NULL, NULL },
	{ "utf-8;\xc3", NULL, NULL },
	{ "utf-8;a+2B", NULL, NULL },
	{ "utf-8;\\x{}", NULL, NULL },
	{ "utf-8;\\x{7}", NULL, NULL },
	{ "utf-8;\\x{FC", NULL, NULL },
	{ "utf-8;\\x{fc}", NULL, NULL },
	{ "utf-8;\\x{110000}", NULL, NULL },
	{ "utf-8;\\x{D800}", NULL, NULL },
	{ "utf-8;\\x{00}", NULL, NULL },
	{ "utf-8;\\x{0000000041}", NULL, NULL },
};

static void
test_dsn_orcpt(void **state)
{
	struct buf b = BUF_INIT, back = BUF_INIT;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(orcpts) / sizeof(orcpts[0]); i++) {
		print_message("%s\n", orcpts[i].value);
		buf_reset(&b);
		rc = dsn_parse_orcpt(orcpts[i].value, strlen(orcpts[i].value),
		    &b);
		if (orcpts[i].addr == NULL || orcpts[i].addr[0] == '\0') {
			assert_int_equal(rc, orcpts[i].addr == NULL ? -1 : 1);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(buf_str(&b), orcpts[i].addr);
		buf_reset(&back);
		dsn_add_orcpt(&back, orcpts[i].addr);
		assert_string_equal(buf_str(&back), orcpts[i].again != NULL ?
		    orcpts[i].again : orcpts[i].value);
	}
	buf_clear(&b);
	buf_clear(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dsn_parse_notify),
		cmocka_unit_test(test_dsn_parse_ret),
		cmocka_unit_test(test_dsn_wants),
		cmocka_unit_test(test_dsn_is_envid),
		cmocka_unit_test(test_dsn_add_xtext),
		cmocka_unit_test(test_dsn_orcpt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
