/* SPDX-License-Identifier: ISC */
/*
 * strerror.c: every status has a phrase of its own.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mxres.h"

static void
test_strerror_tells_them_apart(void **state)
{
	static const enum mxres_status all[] = {
		MXRES_OK, MXRES_NODATA, MXRES_NULLMX, MXRES_NXDOMAIN,
		MXRES_TIMEOUT, MXRES_NOSERVER, MXRES_AGAIN, MXRES_SERVFAIL,
		MXRES_REFUSED, MXRES_BADRESP, MXRES_NOMEM, MXRES_BADNAME,
		MXRES_INVAL, (enum mxres_status)99
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(mxres_strerror(all[i]),
			    mxres_strerror(all[j]));
}

static void
test_istemp(void **state)
{
	(void)state;
	assert_false(MXRES_ISTEMP(MXRES_OK));
	assert_false(MXRES_ISTEMP(MXRES_NXDOMAIN));
	assert_true(MXRES_ISTEMP(MXRES_TIMEOUT));
	assert_true(MXRES_ISTEMP(MXRES_BADRESP));
	assert_true(MXRES_ISTEMP(MXRES_NOMEM));
	assert_false(MXRES_ISTEMP(MXRES_BADNAME));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strerror_tells_them_apart),
		cmocka_unit_test(test_istemp),
	};

	return cmocka_run_group_tests_name("strerror", tests, NULL, NULL);
}
