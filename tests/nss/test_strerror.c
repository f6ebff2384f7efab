/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mxdb.h"

/* The table of the specification, written down a second time. */
static const struct {
	int		 code;
	const char	*name;
	int		 smtp;
	const char	*dsn;
	int		 sysexit;
} rows[] = {
	{ MX_OK, "MX_OK", 250, "2.0.0", 0 },
	{ MX_ETIMEOUT, "MX_ETIMEOUT", 451, "4.4.3", 75 },
	{ MX_ENOSERVER, "MX_ENOSERVER", 451, "4.4.3", 75 },
	{ MX_EAGAIN, "MX_EAGAIN", 451, "4.4.3", 75 },
	{ MX_ESERVFAIL, "MX_ESERVFAIL", 451, "4.4.3", 75 },
	{ MX_EREFUSED, "MX_EREFUSED", 451, "4.4.3", 75 },
	{ MX_EBADRESP, "MX_EBADRESP", 451, "4.4.3", 75 },
	{ MX_EADDRAGAIN, "MX_EADDRAGAIN", 451, "4.4.3", 75 },
	{ MX_EDEFER, "MX_EDEFER", 451, "4.3.2", 75 },
	{ MX_ESOURCE, "MX_ESOURCE", 451, "4.3.5", 75 },
	{ MX_ECONFIG, "MX_ECONFIG", 451, "4.3.5", 75 },
	{ MX_ENOMEM, "MX_ENOMEM", 451, "4.3.0", 75 },
	{ MX_ESYSTEM, "MX_ESYSTEM", 451, "4.3.0", 75 },
	{ MX_EINVAL, "MX_EINVAL", 451, "4.3.0", 70 },
	{ MX_ENXDOMAIN, "MX_ENXDOMAIN", 550, "5.1.2", 68 },
	{ MX_ENULLMX, "MX_ENULLMX", 556, "5.1.10", 69 },
	{ MX_ENOADDR, "MX_ENOADDR", 550, "5.4.4", 68 },
	{ MX_ELOOP, "MX_ELOOP", 554, "5.4.6", 78 },
	{ MX_EREJECT, "MX_EREJECT", 550, "5.7.1", 69 },
	{ MX_EBADNAME, "MX_EBADNAME", 553, "5.1.3", 65 },
	{ MX_EUNUSABLE, "MX_EUNUSABLE", 550, "5.4.4", 68 }
};

static void
test_codes_mean_what_the_specification_says(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(mx_errname(rows[i].code), rows[i].name);
		assert_int_equal(mx_smtpcode(rows[i].code), rows[i].smtp);
		assert_string_equal(mx_dsn(rows[i].code), rows[i].dsn);
		assert_int_equal(mx_sysexit(rows[i].code), rows[i].sysexit);
		assert_true(strlen(mx_strerror(rows[i].code)) > 0);
	}
}

static void
test_class_of_all_codes_agrees(void **state)
{
	int code;

	(void)state;
	for (code = 1; code < 200; code++) {
		if (strcmp(mx_errname(code), "MX_E?") == 0)
			continue;
		assert_int_equal(MX_ISTEMP(code) ? 4 : 5,
		    mx_smtpcode(code) / 100);
		assert_int_equal(MX_ISTEMP(code) ? '4' : '5',
		    mx_dsn(code)[0]);
	}
}

static void
test_unknown_code_is_temporary(void **state)
{
	(void)state;
	assert_string_equal(mx_errname(4711), "MX_E?");
	assert_string_equal(mx_errname(-1), "MX_E?");
	assert_int_equal(mx_smtpcode(4711), 451);
	assert_string_equal(mx_dsn(4711), "4.3.0");
	assert_int_equal(mx_sysexit(4711), 75);
	assert_string_equal(mx_strerror(4711), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_mean_what_the_specification_says),
		cmocka_unit_test(test_class_of_all_codes_agrees),
		cmocka_unit_test(test_unknown_code_is_temporary)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
