/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fake.h"
#include "mxdb.h"
#include "mxinfo.h"
#include "../lib/faults.h"

static const struct {
	const char	*host;
	uint32_t	 flags;
	const char	*normal;	/* NULL: refused */
	uint32_t	 result;
} hosts[] = {
	{ "a.example", 0, "a.example", 0 },
	{ "A.Example.", MXE_SECURE, "a.example", MXE_SECURE },
	{ "192.0.2.1", 0, NULL, 0 },
	{ "2001:db8::1", 0, NULL, 0 },
	{ "192.0.2.1", MXE_LOCALCONF, "192.0.2.1",
	    MXE_LOCALCONF | MXE_LITERAL },
	{ "2001:DB8:0::1", MXE_LOCALCONF, "2001:db8::1",
	    MXE_LOCALCONF | MXE_LITERAL },
	{ "a.example", MXE_LITERAL, "a.example", 0 },
	{ "a.example", UINT32_MAX, "a.example", MXE_IMPLICIT | MXE_SECURE |
	    MXE_LOCALCONF | MXE_CNAME | MXE_IMPLICITTLS },
	{ "192.0.2.1", MXE_LITERAL, NULL, 0 },
	{ "192.0.2.256", MXE_LOCALCONF, NULL, 0 },
	{ "[192.0.2.1]", MXE_LOCALCONF, NULL, 0 },
	{ "", 0, NULL, 0 },
	{ ".", 0, NULL, 0 },
	{ NULL, 0, NULL, 0 },
	{ "a b.example", 0, NULL, 0 }
};

static void
test_ent_new_rows(void **state)
{
	struct mxnss_record rec;
	struct ent *e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		memset(&rec, 0, sizeof(rec));
		rec.size = sizeof(rec);
		rec.host = hosts[i].host;
		rec.flags = hosts[i].flags;
		errno = 0;
		e = mxent_new(&rec, NULL, NULL);
		if (hosts[i].normal == NULL) {
			assert_null(e);
			assert_int_equal(errno, EINVAL);
			continue;
		}
		assert_string_equal(e->mx.mx_host, hosts[i].normal);
		assert_int_equal(e->mx.mx_flags, hosts[i].result);
		mxent_free(e);
	}
}

static void
test_ent_new_refuses_rubbish(void **state)
{
	struct mxnss_record rec;

	(void)state;
	memset(&rec, 0, sizeof(rec));
	rec.host = "a.example";
	assert_null(mxent_new(&rec, NULL, NULL));	/* no size */
	rec.size = sizeof(rec);
	rec.tls = MX_TLS_DANE + 1;
	assert_null(mxent_new(&rec, NULL, NULL));
	rec.tls = -1;
	assert_null(mxent_new(&rec, NULL, NULL));
}

static const struct {
	const char	*name;
	int		 error;
	const char	*dsn;
	int		 keeps;		/* the error */
	const char	*code;		/* that is kept, or NULL */
} fails[] = {
	{ "permanent", MX_EREJECT, "5.7.17", MX_EREJECT, "5.7.17" },
	{ "temporary", MX_EDEFER, "4.3.2", MX_EDEFER, "4.3.2" },
	{ "no code", MX_EREJECT, NULL, MX_EREJECT, NULL },
	{ "a code of the other class", MX_EDEFER, "5.7.1", MX_EDEFER, NULL },
	{ "success in a failure", MX_EREJECT, "2.0.0", MX_EREJECT, NULL },
	{ "a code that is none", MX_EREJECT, "5.7.1\r\nX: y", MX_EREJECT,
	    NULL },
	{ "four digits", MX_EREJECT, "5.7.1234", MX_EREJECT, NULL },
	{ "an error between the known ones", 57, NULL, MX_ESOURCE, NULL },
	{ "one beyond them", 9999, "5.7.1", MX_ESOURCE, NULL },
	{ "a negative one", -1, NULL, MX_ESOURCE, NULL },
	{ "none", MX_OK, NULL, MX_ESOURCE, NULL }
};

static void
test_fail_rows(void **state)
{
	struct mxnss_reply r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
		print_message("# %s\n", fails[i].name);
		mxreply_init(&r, "x");
		assert_int_equal((mxinfo_host.fail)(&r, fails[i].error,
		    fails[i].dsn, NULL), 0);
		assert_int_equal(r.v.error, fails[i].keeps);
		if (fails[i].code == NULL)
			assert_null(r.v.dsn);
		else
			assert_string_equal(r.v.dsn, fails[i].code);
		mxreply_clear(&r);
	}
}

static void
test_clean_is_one_printable_line(void **state)
{
	char longtext[2000], *copy;

	(void)state;
	copy = mxinfo_clean("a\r\nb\tc\033[1m \303\274\177");
	assert_string_equal(copy, "a??b?c?[1m ???");
	free(copy);
	memset(longtext, 'x', sizeof(longtext) - 1);
	longtext[sizeof(longtext) - 1] = '\0';
	copy = mxinfo_clean(longtext);
	assert_int_equal(strlen(copy), 500);
	free(copy);
}

static void
test_note_is_bounded(void **state)
{
	struct mxinfo *info;
	unsigned int n = 0;
	char text[20];
	int i;

	(void)state;
	assert_non_null(info = calloc(1, sizeof(*info)));
	for (i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "%d", i / 2);
		assert_int_equal(mxinfo_note(&info->mi_notes, &n, text), 0);
	}
	assert_int_equal(n, MXINFO_MAXNOTES);
	freemxinfo(info);
}

static void
test_freemxinfo_null(void **state)
{
	(void)state;
	freemxinfo(NULL);
}

static void
test_reply_after_the_last_service(void **state)
{
	struct mxnss_reply r;

	(void)state;
	mxreply_init(&r, "x");
	assert_int_equal(mxinfo_host.size, sizeof(struct mxnss_host));
	assert_int_equal((mxinfo_host.fail)(&r, -5, "", "a\nb"), 0);
	assert_int_equal(r.v.error, MX_ESOURCE);
	assert_string_equal(r.v.text, "a?b");
	assert_null(r.v.dsn);
	assert_int_equal((mxinfo_host.fail)(&r, MX_EDEFER, "4.3.2", NULL), 0);
	assert_null(r.v.text);
	assert_string_equal(r.v.dsn, "4.3.2");
	assert_int_equal(mxinfo_host.origin(&r, "a:1"), 0);
	assert_int_equal(mxinfo_host.origin(&r, "a:2"), 0);
	assert_string_equal(r.v.origin, "a:2");
	mxreply_clear(&r);
	mxreply_clear(&r);
}

/*
 * Whatever allocation fails: no crash, no leak, no "no such domain", and
 * never half of a list.
 */
static const struct {
	const char	*name;
	const char	*sources;
	uint32_t	 flags;
	int		 error;
	const char	*exchanges;
} scarce[] = {
	{ "merged, borrowed, noted", "alpha beta", MXH_ADDRS, MX_OK,
	    "5 192.0.2.5 10 192.0.2.1 20 192.0.2.3" },
	{ "no such domain", "gamma", 0, MX_ENXDOMAIN, "" },
	{ "implicit", "dns", 0, MX_OK, "0 c.example" },
	{ "a file", NULL, 0, MX_OK, "10 m.example 20 n.example" }
};

static const struct fake_line lines[] = {
	{ "alpha", "d.example", "SUCCESS + local origin f:1 5 192.0.2.5 "
	    "tls 3 10 192.0.2.1" },
	{ "beta", "d.example", "SUCCESS note x local origin f:2 "
	    "20 192.0.2.3" },
	{ "gamma", "d.example", "NOTFOUND note y MX_ENXDOMAIN" },
	{ "dns", "d.example", "NOTFOUND nodata cname c.example" },
	{ NULL, NULL, NULL }
};

static void
test_getmxinfo_when_memory_runs_out(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char file[4200];
	size_t i, n;
	int error, failed;

	(void)state;
	(void)snprintf(file, sizeof(file), "files(%s)",
	    fake_text("mxhosts", "d.example 10 m.example tls=may name=x.y\n"
	    " 20 n.example auth=z\n"));
	h.mh_flags = MXH_NORANDOM;
	for (i = 0; i < sizeof(scarce) / sizeof(scarce[0]); i++) {
		h.mh_sources = scarce[i].sources == NULL ? file :
		    scarce[i].sources;
		h.mh_flags = MXH_NORANDOM | scarce[i].flags;
		fake_says(lines);
		for (n = 1, failed = 1; failed; n++) {
			faults_begin(n);
			error = mx_lookup(&fake_env, "d.example", &h, &info);
			failed = faults_end();
			if (error == MX_ENOMEM)
				assert_null(info);
			else if (!failed || error == MX_OK) {
				assert_int_equal(error, scarce[i].error);
				assert_string_equal(fake_exchanges(info),
				    scarce[i].exchanges);
			} else
				assert_true(MX_ISTEMP(error));
			freemxinfo(info);
		}
		print_message("# %s: %zu allocations\n", scarce[i].name,
		    n - 2);
		assert_true(n > 5);
	}
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
		cmocka_unit_test(test_ent_new_rows),
		cmocka_unit_test(test_ent_new_refuses_rubbish),
		cmocka_unit_test(test_fail_rows),
		cmocka_unit_test(test_clean_is_one_printable_line),
		cmocka_unit_test(test_note_is_bounded),
		cmocka_unit_test(test_freemxinfo_null),
		cmocka_unit_test(test_reply_after_the_last_service),
		cmocka_unit_test(test_getmxinfo_when_memory_runs_out)
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
