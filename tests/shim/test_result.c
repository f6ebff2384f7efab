/* SPDX-License-Identifier: ISC */
/* Outcomes: every code, its class, its exit code and its name. */
#include "config.h"

#include "base/result.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <setjmp.h>
#include <cmocka.h>

static const struct {
	enum result_code code;
	const char	*name;
	const char	*esc;
	int		 exit;
	const char	*status;
} rows[] = {
	{ R_SENT, "sent", "2.0.0", EX_OK, "sent" },
	{ R_NOUSER, "nouser", "5.1.1", EX_NOUSER, "bounced" },
	{ R_NOHOST, "nohost", "5.1.2", EX_NOHOST, "bounced" },
	{ R_BADADDR, "badaddr", "5.1.3", EX_DATAERR, "bounced" },
	{ R_NULLMX, "nullmx", "5.1.10", EX_UNAVAILABLE, "bounced" },
	{ R_TOOBIG, "toobig", "5.3.4", EX_UNAVAILABLE, "bounced" },
	{ R_UTF8, "utf8", "5.6.7", EX_UNAVAILABLE, "bounced" },
	{ R_NOROUTE, "noroute", "5.4.4", EX_NOHOST, "bounced" },
	{ R_LOOP, "loop", "5.4.6", EX_CONFIG, "bounced" },
	{ R_REFUSED, "refused", "5.0.0", EX_UNAVAILABLE, "bounced" },
	{ R_BLOCKED, "blocked", "5.7.1", EX_UNAVAILABLE, "bounced" },
	{ R_EXPIRED, "expired", "5.4.7", EX_UNAVAILABLE, "bounced" },
	{ R_LOCALERR, "localerr", "4.3.0", EX_TEMPFAIL, "deferred" },
	{ R_SHORT, "short", "4.3.0", EX_TEMPFAIL, "deferred" },
	{ R_HELD, "held", "4.3.2", EX_TEMPFAIL, "deferred" },
	{ R_CONFIG, "config", "4.3.5", EX_TEMPFAIL, "deferred" },
	{ R_CONNECT, "connect", "4.4.1", EX_TEMPFAIL, "deferred" },
	{ R_OFFLINE, "offline", "4.4.1", EX_TEMPFAIL, "deferred" },
	{ R_LOST, "lost", "4.4.2", EX_TEMPFAIL, "deferred" },
	{ R_DNSTEMP, "dnstemp", "4.4.3", EX_TEMPFAIL, "deferred" },
	{ R_PROTO, "proto", "4.5.0", EX_TEMPFAIL, "deferred" },
	{ R_TLS, "tls", "4.7.5", EX_TEMPFAIL, "deferred" },
	{ R_LATER, "later", "4.0.0", EX_TEMPFAIL, "deferred" },
};

static void
test_result_table(void **state)
{
	enum result_code code;
	struct result r;
	size_t i;

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), R_MAX);
	for (i = 0; i < R_MAX; i++) {
		print_message("%s\n", rows[i].name);
		result_set(&r, rows[i].code, "x");
		assert_string_equal(result_esc(&r), rows[i].esc);
		assert_int_equal(result_exit(&r), rows[i].exit);
		assert_string_equal(result_status(&r), rows[i].status);
		assert_int_equal(result_is_ok(&r), rows[i].esc[0] == '2');
		assert_int_equal(result_is_temporary(&r),
		    rows[i].esc[0] == '4');
		assert_int_equal(result_is_permanent(&r),
		    rows[i].esc[0] == '5');
		assert_string_equal(result_name(rows[i].code), rows[i].name);
		assert_int_equal(result_by_name(rows[i].name, &code), 0);
		assert_int_equal(code, rows[i].code);
	}
	assert_int_equal(result_by_name("", &code), -1);
	assert_int_equal(result_by_name("Sent", &code), -1);
}

static void
test_result_set_clears_and_cleans(void **state)
{
	struct result r;

	(void)state;
	memset(&r, 'z', sizeof(r));
	result_set(&r, R_LOST, "a\r\n%s\t\xff", "\033[2J");
	assert_int_equal(r.reply, 0);
	assert_string_equal(r.host, "");
	assert_string_equal(r.esc, "");
	assert_string_equal(r.text, "a???[2J??");
}

static void
test_result_set_cuts(void **state)
{
	char text[2000];
	struct result r;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	result_set(&r, R_LOST, "%s", text);
	assert_int_equal(strlen(r.text), sizeof(r.text) - 1);
}

static void
test_result_esc_of_the_server_wins(void **state)
{
	struct result r;

	(void)state;
	result_set(&r, R_REFUSED, "no");
	memcpy(r.esc, "5.7.26", 7);
	assert_string_equal(result_esc(&r), "5.7.26");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result_table),
		cmocka_unit_test(test_result_set_clears_and_cleans),
		cmocka_unit_test(test_result_set_cuts),
		cmocka_unit_test(test_result_esc_of_the_server_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
