/* SPDX-License-Identifier: ISC */
/*
 * Only names that are answered without configuration and network: address
 * literals, and what is no name.
 */
#include "config.h"

#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mxdb.h"

static void
test_getmxbyname_success(void **state)
{
	struct mxent *mx;

	(void)state;
	mx_errno = 77;
	assert_non_null(mx = getmxbyname("[192.0.2.1]"));
	assert_string_equal(mx->mx_host, "192.0.2.1");
	assert_null(mx->mx_next);
	assert_int_equal(mx_errno, MX_OK);
	assert_int_equal(h_errno, 0);
	assert_non_null(mx = getmxbyname("[192.0.2.2]"));
	assert_string_equal(mx->mx_host, "192.0.2.2");
}

static void
test_getmxbyname_failure(void **state)
{
	(void)state;
	assert_null(getmxbyname("a..b"));
	assert_int_equal(mx_errno, MX_EBADNAME);
	assert_int_equal(h_errno, NO_RECOVERY);
	assert_null(getmxbyname(NULL));
	assert_int_equal(mx_errno, MX_EINVAL);
	assert_int_equal(h_errno, TRY_AGAIN);
}

static void *
other_thread(void *arg)
{
	struct mxent *mx;

	(void)arg;
	if (mx_errno != MX_OK)
		return NULL;
	mx = getmxbyname("[192.0.2.9]");
	(void)getmxbyname("a..b");
	return mx == NULL ? NULL : other_thread;
}

/* The result of one thread outlives the calls and the end of another. */
static void
test_getmxbyname_is_per_thread(void **state)
{
	struct mxent *mx;
	pthread_t thread;
	void *ret;
	int i;

	(void)state;
	assert_non_null(mx = getmxbyname("[192.0.2.1]"));
	for (i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&thread, NULL, other_thread,
		    NULL), 0);
		assert_int_equal(pthread_join(thread, &ret), 0);
		assert_non_null(ret);
	}
	assert_string_equal(mx->mx_host, "192.0.2.1");
	assert_int_equal(mx_errno, MX_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_getmxbyname_success),
		cmocka_unit_test(test_getmxbyname_failure),
		cmocka_unit_test(test_getmxbyname_is_per_thread)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
