/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fake.h"
#include "mxdb.h"

#define D	"d.example"

static struct mxinfo *
look_up(const char *sources, uint32_t flags, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	int error;

	h.mh_sources = sources;
	h.mh_flags = flags;
	error = mx_lookup(&fake_env, D, &h, &info);
	if (error != expect)
		print_message("%s: %s\n", mx_errname(error),
		    info == NULL ? "" : info->mi_text);
	assert_int_equal(error, expect);
	assert_non_null(info);
	assert_int_equal(info->mi_error, error);
	return info;
}

/* --- status x action ----------------------------------------------------- */

/*
 * What alpha, beta and gamma say of one domain, in which list, and what
 * comes of it: exchanges, or an error if ERROR is not 0.
 */
static const struct {
	const char	*name;
	const char	*sources;
	const char	*says[3];	/* NULL: plain NOTFOUND */
	int		 error;
	const char	*exchanges;
	const char	*source;
	unsigned int	 asked;		/* how many of the three */
} rows[] = {
	{ "success returns", "alpha beta",
	    { "SUCCESS 10 a.example", "SUCCESS 10 b.example", NULL },
	    0, "10 a.example", "alpha", 1 },
	{ "notfound continues", "alpha beta",
	    { "NOTFOUND", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "unavail continues", "alpha beta",
	    { "UNAVAIL", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "tryagain returns", "alpha beta",
	    { "TRYAGAIN MX_ESERVFAIL", "SUCCESS 10 b.example", NULL },
	    MX_ESERVFAIL, "", "alpha", 1 },
	{ "tryagain=continue", "alpha [TRYAGAIN=continue] beta",
	    { "TRYAGAIN MX_ESERVFAIL", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "notfound=return", "alpha [NOTFOUND=return] beta",
	    { "NOTFOUND", "SUCCESS 10 b.example", NULL },
	    MX_EUNUSABLE, "", NULL, 1 },
	{ "unavail=return", "alpha [UNAVAIL=return] beta",
	    { "UNAVAIL", "SUCCESS 10 b.example", NULL },
	    MX_ESOURCE, "", "alpha", 1 },
	{ "!unavail=return goes on when unavailable",
	    "alpha [!UNAVAIL=return] beta",
	    { "UNAVAIL", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "!unavail=return stops when not found",
	    "alpha [!UNAVAIL=return] beta",
	    { "NOTFOUND", "SUCCESS 10 b.example", NULL },
	    MX_EUNUSABLE, "", NULL, 1 },
	{ "success=continue, the later answer replaces",
	    "alpha [SUCCESS=continue] beta",
	    { "SUCCESS 10 a.example", "SUCCESS 20 b.example", NULL },
	    0, "20 b.example", "beta", 2 },
	{ "success=continue, no later answer",
	    "alpha [SUCCESS=continue] beta",
	    { "SUCCESS 10 a.example", "NOTFOUND", NULL },
	    0, "10 a.example", "alpha", 2 },
	{ "success=continue, then a failure: the answer is used",
	    "alpha [SUCCESS=continue] beta",
	    { "SUCCESS 10 a.example", "TRYAGAIN", NULL },
	    0, "10 a.example", "alpha", 2 },
	{ "success=continue, then a final no",
	    "alpha [SUCCESS=continue] beta",
	    { "SUCCESS 10 a.example", "SUCCESS MX_EREJECT", NULL },
	    MX_EREJECT, "", "beta", 2 },
	{ "success=continue after a reject",
	    "alpha [SUCCESS=continue] beta",
	    { "SUCCESS MX_EREJECT", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "merge on another status is continue",
	    "alpha [NOTFOUND=merge] beta",
	    { "NOTFOUND", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },

	/* doubt is sticky */
	{ "nobody knows", "alpha beta", { NULL, NULL, NULL },
	    MX_EUNUSABLE, "", NULL, 2 },
	{ "doubt, then nobody knows", "alpha beta", { "UNAVAIL", NULL, NULL },
	    MX_ESOURCE, "", "alpha", 2 },
	{ "doubt, then no such domain", "alpha beta",
	    { "UNAVAIL", "NOTFOUND MX_ENXDOMAIN", NULL },
	    MX_ESOURCE, "", "alpha", 2 },
	{ "doubt, then null MX", "alpha [TRYAGAIN=continue] beta",
	    { "TRYAGAIN MX_ETIMEOUT", "SUCCESS null", NULL },
	    MX_ETIMEOUT, "", "alpha", 2 },
	{ "doubt, then no MX", "alpha [TRYAGAIN=continue] beta",
	    { "TRYAGAIN MX_ETIMEOUT", "NOTFOUND nodata", NULL },
	    MX_ETIMEOUT, "", "alpha", 2 },
	{ "doubt, then reject", "alpha [TRYAGAIN=continue] beta",
	    { "TRYAGAIN", "SUCCESS MX_EREJECT", NULL },
	    MX_ESOURCE, "", "alpha", 2 },
	{ "no such domain, then doubt", "alpha beta",
	    { "NOTFOUND MX_ENXDOMAIN", "TRYAGAIN MX_EREFUSED", NULL },
	    MX_EREFUSED, "", "beta", 2 },
	{ "the first doubt is told", "alpha [TRYAGAIN=continue] beta",
	    { "TRYAGAIN MX_ETIMEOUT", "TRYAGAIN MX_EREFUSED", NULL },
	    MX_ETIMEOUT, "", "alpha", 2 },
	{ "not found for a passing reason is doubt", "alpha beta",
	    { "NOTFOUND MX_EBADRESP", "NOTFOUND MX_ENXDOMAIN", NULL },
	    MX_EBADRESP, "", "alpha", 2 },
	{ "doubt, then an answer", "alpha beta",
	    { "UNAVAIL", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },

	/* negative answers */
	{ "no such domain", "alpha", { "NOTFOUND MX_ENXDOMAIN", NULL, NULL },
	    MX_ENXDOMAIN, "", "alpha", 1 },
	{ "no such domain, then nothing", "alpha beta",
	    { "NOTFOUND MX_ENXDOMAIN", "NOTFOUND", NULL },
	    MX_ENXDOMAIN, "", "alpha", 2 },
	{ "no such domain here, but there", "alpha beta",
	    { "NOTFOUND MX_ENXDOMAIN", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "null MX", "alpha beta",
	    { "SUCCESS null", "SUCCESS 10 b.example", NULL },
	    MX_ENULLMX, "", "alpha", 1 },
	{ "reject", "alpha beta",
	    { "SUCCESS MX_EREJECT", "SUCCESS 10 b.example", NULL },
	    MX_EREJECT, "", "alpha", 1 },
	{ "defer", "alpha beta",
	    { "SUCCESS MX_EDEFER", "SUCCESS 10 b.example", NULL },
	    MX_EDEFER, "", "alpha", 1 },
	{ "defer is not passed by with tryagain=continue",
	    "alpha [TRYAGAIN=continue] beta",
	    { "SUCCESS MX_EDEFER", "SUCCESS 10 b.example", NULL },
	    MX_EDEFER, "", "alpha", 1 },
	{ "reject is no success to merge", "alpha [SUCCESS=merge] beta",
	    { "SUCCESS MX_EREJECT", "SUCCESS 10 b.example", NULL },
	    MX_EREJECT, "", "alpha", 1 },

	/* implicit MX */
	{ "no MX", "alpha", { "NOTFOUND nodata", NULL, NULL },
	    0, "0 d.example", "alpha", 1 },
	{ "no MX, found later", "alpha beta",
	    { "NOTFOUND nodata", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "no MX, and nothing later", "alpha beta",
	    { "NOTFOUND nodata", "NOTFOUND", NULL },
	    0, "0 d.example", "alpha", 2 },
	{ "no MX here, no such domain there", "alpha beta",
	    { "NOTFOUND nodata", "NOTFOUND MX_ENXDOMAIN", NULL },
	    0, "0 d.example", "alpha", 2 },
	{ "no such domain here, no MX there", "alpha beta",
	    { "NOTFOUND MX_ENXDOMAIN", "NOTFOUND nodata", NULL },
	    0, "0 d.example", "beta", 2 },
	{ "no MX, then null MX", "alpha beta",
	    { "NOTFOUND nodata", "SUCCESS null", NULL },
	    MX_ENULLMX, "", "beta", 2 },
	{ "no MX, then reject", "alpha beta",
	    { "NOTFOUND nodata", "SUCCESS MX_EREJECT", NULL },
	    MX_EREJECT, "", "beta", 2 },
	{ "no MX, then doubt", "alpha beta",
	    { "NOTFOUND nodata", "TRYAGAIN MX_ETIMEOUT", NULL },
	    MX_ETIMEOUT, "", "beta", 2 },
	{ "no MX at the end of a CNAME", "alpha",
	    { "NOTFOUND nodata cname c.example", NULL, NULL },
	    0, "0 c.example", "alpha", 1 },

	/* merging */
	{ "merge", "alpha beta",
	    { "SUCCESS + 15 a.example", "SUCCESS 10 b.example 20 c.example",
	    NULL }, 0, "10 b.example 15 a.example 20 c.example",
	    "beta+alpha", 2 },
	{ "merge by action", "alpha [SUCCESS=merge] beta",
	    { "SUCCESS 15 a.example", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example 15 a.example", "beta+alpha", 2 },
	{ "merge three", "alpha beta [SUCCESS=merge] gamma",
	    { "SUCCESS + 15 a.example", "SUCCESS 10 b.example",
	    "SUCCESS 12 c.example" },
	    0, "10 b.example 12 c.example 15 a.example", "beta+gamma+alpha",
	    3 },
	{ "merge with nothing", "alpha beta",
	    { "SUCCESS + 15 a.example", NULL, NULL },
	    0, "15 a.example", "alpha", 2 },
	{ "merge at the end of the list", "alpha",
	    { "SUCCESS + 15 a.example", NULL, NULL },
	    0, "15 a.example", "alpha", 1 },
	{ "merge with no such domain", "alpha beta",
	    { "SUCCESS + 15 a.example", "NOTFOUND MX_ENXDOMAIN", NULL },
	    0, "15 a.example", "alpha", 2 },
	{ "merge with null MX", "alpha beta",
	    { "SUCCESS + 15 a.example", "SUCCESS null", NULL },
	    0, "15 a.example", "alpha", 2 },
	{ "merge with an implicit MX", "alpha beta",
	    { "SUCCESS + 15 a.example", "NOTFOUND nodata", NULL },
	    0, "0 d.example 15 a.example", "beta+alpha", 2 },
	{ "merge with a failure", "alpha beta",
	    { "SUCCESS + 15 a.example", "TRYAGAIN MX_ESERVFAIL", NULL },
	    MX_ESERVFAIL, "", "beta", 2 },
	{ "merge with an unavailable source", "alpha beta",
	    { "SUCCESS + 15 a.example", "UNAVAIL", NULL },
	    MX_ESOURCE, "", "beta", 2 },
	{ "merge with a failure, then an answer",
	    "alpha beta [TRYAGAIN=continue] gamma",
	    { "SUCCESS + 15 a.example", "TRYAGAIN", "SUCCESS 5 c.example" },
	    0, "5 c.example 15 a.example", "gamma+alpha", 3 },
	{ "a failure, then merge", "alpha [TRYAGAIN=continue] beta gamma",
	    { "TRYAGAIN", "SUCCESS + 15 b.example", "NOTFOUND" },
	    0, "15 b.example", "beta", 3 },

	/* duplicates */
	{ "duplicate, the better preference stays", "alpha",
	    { "SUCCESS 20 a.example 10 A.example. 15 b.example", NULL, NULL },
	    0, "10 a.example 15 b.example", "alpha", 1 },
	{ "the administrator's line stays", "alpha beta",
	    { "SUCCESS + local tls 4 50 a.example",
	    "SUCCESS 10 a.example 20 b.example", NULL },
	    0, "20 b.example 50 a.example", "beta+alpha", 2 },

	/* what no source should do */
	{ "success with nothing", "alpha beta",
	    { "SUCCESS", "NOTFOUND", NULL }, MX_ESOURCE, "", "alpha", 2 },
	{ "a status that does not exist", "alpha beta",
	    { "BOGUS 10 a.example", "NOTFOUND", NULL },
	    MX_ESOURCE, "", "alpha", 2 },
	{ "records with notfound", "alpha beta",
	    { "NOTFOUND 10 a.example", "SUCCESS 10 b.example", NULL },
	    0, "10 b.example", "beta", 2 },
	{ "records with tryagain", "alpha",
	    { "TRYAGAIN 10 a.example", NULL, NULL },
	    MX_ESOURCE, "", "alpha", 1 },
	{ "tryagain for a permanent reason", "alpha",
	    { "TRYAGAIN MX_EREJECT", NULL, NULL },
	    MX_ESOURCE, "", "alpha", 1 },
	{ "records and null MX", "alpha",
	    { "SUCCESS 10 a.example null", NULL, NULL },
	    MX_ENULLMX, "", "alpha", 1 },
	{ "records and a failure", "alpha",
	    { "SUCCESS 10 a.example MX_EDEFER", NULL, NULL },
	    MX_EDEFER, "", "alpha", 1 },
	{ "no valid host among the records", "alpha",
	    { "SUCCESS 10 a..example 20 192.0.2.1 30 x/y", NULL, NULL },
	    MX_ESOURCE, "", "alpha", 1 },
	{ "an invalid host among others", "alpha",
	    { "SUCCESS 10 192.0.2.1 20 b.example 30 ::1", NULL, NULL },
	    0, "20 b.example", "alpha", 1 },
	{ "an address that an administrator wrote", "alpha",
	    { "SUCCESS local 10 192.0.2.1 20 2001:DB8::1", NULL, NULL },
	    0, "10 192.0.2.1 20 2001:db8::1", "alpha", 1 },
	{ "no such source", "ldap alpha", { NULL, NULL, NULL },
	    MX_ESOURCE, "", "ldap", 1 },
	{ "no such source, then an answer", "ldap alpha",
	    { "SUCCESS 10 a.example", NULL, NULL },
	    0, "10 a.example", "alpha", 1 },
	{ "a source that cannot be opened", "broken alpha",
	    { NULL, NULL, NULL }, MX_ESOURCE, "", "broken", 1 },
	{ "a source of another ABI", "old alpha", { NULL, NULL, NULL },
	    MX_ESOURCE, "", "old", 1 },
	{ "a source without a function", "hollow alpha",
	    { NULL, NULL, NULL }, MX_ESOURCE, "", "hollow", 1 }
};

static void
test_getmxinfo_status_and_action_rows(void **state)
{
	struct fake_line lines[4];
	struct mxinfo *info;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char *const names[] = {
			"alpha", "beta", "gamma"
		};

		print_message("# %s\n", rows[i].name);
		for (j = n = 0; j < 3; j++)
			if (rows[i].says[j] != NULL) {
				lines[n].source = names[j];
				lines[n].domain = D;
				lines[n++].says = rows[i].says[j];
			}
		lines[n].source = NULL;
		fake_says(lines);
		info = look_up(rows[i].sources, 0, rows[i].error);
		assert_string_equal(fake_exchanges(info), rows[i].exchanges);
		if (rows[i].source == NULL)
			assert_null(info->mi_source);
		else
			assert_string_equal(info->mi_source, rows[i].source);
		assert_int_equal(fake_asked("alpha") + fake_asked("beta") +
		    fake_asked("gamma"), rows[i].asked);
		if (rows[i].error == 0) {
			assert_null(info->mi_dsn);
			assert_null(info->mi_text);
		} else {
			assert_null(info->mi_mx);
			assert_int_equal(info->mi_count, 0);
			assert_string_equal(info->mi_dsn,
			    mx_dsn(rows[i].error));
			assert_true(strlen(info->mi_text) > 0);
		}
		freemxinfo(info);
	}
}

/* Every error that a source can report arrives, and its own words too. */
static void
test_getmxinfo_hands_on_every_error(void **state)
{
	struct fake_line lines[] = {
		{ "alpha", D, NULL }, { NULL, NULL, NULL }
	};
	struct mxinfo *info;
	char says[100];
	int code;

	(void)state;
	lines[0].says = says;
	for (code = 1; code < 110; code++) {
		if (strcmp(mx_errname(code), "MX_E?") == 0 ||
		    code == MX_ENOMEM)
			continue;
		(void)snprintf(says, sizeof(says), "%s origin o:1 dsn %s %s",
		    code == MX_ETIMEOUT ? "TRYAGAIN" : "SUCCESS",
		    MX_ISTEMP(code) ? "4.9.9" : "5.9.9", mx_errname(code));
		fake_says(lines);
		info = look_up("alpha", 0, code);
		assert_string_equal(info->mi_text, "as scripted");
		assert_string_equal(info->mi_dsn, MX_ISTEMP(code) ? "4.9.9" :
		    "5.9.9");
		assert_string_equal(info->mi_origin, "o:1");
		freemxinfo(info);
	}
}

/* --- one thing at a time ------------------------------------------------- */

static struct mxinfo *
says(const char *text, uint32_t flags, int expect)
{
	static struct fake_line lines[2];

	lines[0].source = "alpha";
	lines[0].domain = D;
	lines[0].says = text;
	fake_says(lines);
	return look_up("alpha", flags, expect);
}

static void
test_getmxinfo_flags_of_an_implicit_mx(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = says("NOTFOUND nodata secure ttl 77", 0, MX_OK);
	assert_int_equal(info->mi_flags, MXI_IMPLICIT | MXI_SECURE);
	assert_int_equal(info->mi_mx->mx_flags, MXE_IMPLICIT | MXE_SECURE);
	assert_int_equal(info->mi_mx->mx_ttl, 77);
	assert_int_equal(info->mi_ttl, 77);
	assert_int_equal(info->mi_count, 1);
	freemxinfo(info);
}

static void
test_getmxinfo_noimplicit(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = says("NOTFOUND nodata", MXH_NOIMPLICIT, MX_EUNUSABLE);
	assert_string_equal(info->mi_text, "d.example has no MX record");
	assert_string_equal(info->mi_dsn, "5.4.4");
	freemxinfo(info);
}

static void
test_getmxinfo_implicit_mx_at_no_host_name(void **state)
{
	(void)state;
	freemxinfo(says("NOTFOUND nodata cname a..b", 0, MX_EBADRESP));
}

static void
test_getmxinfo_secure_only_if_all_of_dns_is(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = says("SUCCESS secure 10 a.example 20 b.example", 0, MX_OK);
	assert_true(info->mi_flags & MXI_SECURE);
	freemxinfo(info);
	info = says("SUCCESS 10 a.example secure 20 b.example", 0, MX_OK);
	assert_false(info->mi_flags & MXI_SECURE);
	freemxinfo(info);
	info = says("SUCCESS local 10 a.example", 0, MX_OK);
	assert_false(info->mi_flags & MXI_SECURE);
	freemxinfo(info);
}

static void
test_getmxinfo_ttl_is_the_least(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = says("SUCCESS ttl 50 10 a.example ttl 40 20 b.example ttl 60",
	    0, MX_OK);
	assert_int_equal(info->mi_ttl, 40);
	freemxinfo(info);
	info = says("SUCCESS 10 a.example", 0, MX_OK);
	assert_int_equal(info->mi_ttl, UINT32_MAX);
	freemxinfo(info);
}

static void
test_getmxinfo_notes_are_printable_and_said_once(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = says("SUCCESS note one\002 note one\002 note t\303wo "
	    "10 a.example", 0, MX_OK);
	assert_string_equal(info->mi_notes->mn_text, "one?");
	assert_string_equal(info->mi_notes->mn_next->mn_text, "t?wo");
	assert_null(info->mi_notes->mn_next->mn_next);
	freemxinfo(info);
	info = says("SUCCESS note x MX_EREJECT", 0, MX_EREJECT);
	assert_string_equal(info->mi_notes->mn_text, "x");
	freemxinfo(info);
}

static void
test_getmxinfo_byrcpt_survives_whatever_follows(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "NOTFOUND byrcpt" },
		{ "beta", D, "NOTFOUND MX_ENXDOMAIN" },
		{ NULL, NULL, NULL }
	};
	struct mxinfo *info;

	(void)state;
	fake_says(lines);
	info = look_up("alpha beta", 0, MX_ENXDOMAIN);
	assert_int_equal(info->mi_flags, MXI_BYRCPT);
	freemxinfo(info);
}

static void
test_getmxinfo_origin_of_each_exchange(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = says("SUCCESS origin f:1 20 a.example origin f:2 10 b.example",
	    0, MX_OK);
	assert_string_equal(info->mi_origin, "f:2");
	assert_string_equal(info->mi_mx->mx_origin, "f:2");
	assert_string_equal(info->mi_mx->mx_source, "alpha");
	assert_string_equal(info->mi_mx->mx_next->mx_origin, "f:1");
	freemxinfo(info);
}

static void
test_getmxinfo_keeps_the_best_100(void **state)
{
	static char text[40000];
	struct mxinfo *info;
	size_t n;
	int i;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "SUCCESS");
	for (i = 1100; i > 0; i--)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    " %d h%d.example", i, i);
	info = says(text, 0, MX_OK);
	assert_int_equal(info->mi_count, 100);
	assert_true(info->mi_flags & MXI_PARTIAL);
	assert_int_equal(info->mi_mx->mx_pref, 101); /* 1000 were taken */
	freemxinfo(info);
}

static void
test_getmxinfo_nofiles(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[4200];
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS 10 a.example" }, { NULL, NULL, NULL }
	};

	(void)state;
	(void)snprintf(sources, sizeof(sources), "files(%s) alpha",
	    fake_text("mxhosts", D " 10 override.example\n"));
	fake_says(lines);
	h.mh_sources = sources;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_OK);
	assert_string_equal(fake_exchanges(info), "10 override.example");
	freemxinfo(info);
	h.mh_flags = MXH_NOFILES;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_OK);
	assert_string_equal(fake_exchanges(info), "10 a.example");
	freemxinfo(info);
}

static void
test_getmxinfo_list_from_the_configuration(void **state)
{
	static const struct fake_line lines[] = {
		{ "beta", D, "SUCCESS 10 b.example" }, { NULL, NULL, NULL }
	};
	struct nssconf_place places[2] = { { NULL, 1 }, { NULL, 0 } };
	struct mx_env env = fake_env;
	struct mxinfo *info;

	(void)state;
	env.places = places;
	places[0].path = fake_text("mxnss.conf", "x: y\nmxhosts: beta\n");
	fake_says(lines);
	assert_int_equal(mx_lookup(&env, D, NULL, &info), MX_OK);
	assert_string_equal(fake_exchanges(info), "10 b.example");
	freemxinfo(info);
	(void)fake_text("mxnss.conf", "x: y\nmxhosts: beta [\n");
	assert_int_equal(mx_lookup(&env, D, NULL, &info), MX_ECONFIG);
	assert_non_null(strstr(info->mi_text, "mxnss.conf:2: "));
	assert_string_equal(info->mi_dsn, "4.3.5");
	freemxinfo(info);
}

static void
test_getmxinfo_wrong_list_of_the_caller(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("alpha [X=return]", 0, MX_ECONFIG);
	assert_non_null(strstr(info->mi_text, "a status must be"));
	freemxinfo(info);
}

/* --- deadline ------------------------------------------------------------ */

static int64_t
running_clock(void)
{
	return fake_time += 600;
}

static void
test_getmxinfo_deadline_holds_between_sources(void **state)
{
	struct mx_env env = fake_env;
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	fake_says(NULL);
	env.now = running_clock;
	h.mh_sources = "alpha beta gamma";
	h.mh_timeout = 1000;
	assert_int_equal(mx_lookup(&env, D, &h, &info), MX_ETIMEOUT);
	assert_int_equal(fake_asked("alpha"), 1);
	assert_int_equal(fake_asked("beta"), 0);
	freemxinfo(info);
}

/* --- arguments ----------------------------------------------------------- */

static const struct {
	const char	*domain;
	int		 error;
	const char	*exchanges;
} names[] = {
	{ "D.Example.", 0, "10 a.example" },
	{ "", MX_EBADNAME, "" },
	{ ".", MX_EBADNAME, "" },
	{ "a..b", MX_EBADNAME, "" },
	{ "d.example..", MX_EBADNAME, "" },
	{ "d example", MX_EBADNAME, "" },
	{ "d.ex\nample", MX_EBADNAME, "" },
	{ "b\374cher.example", MX_EBADNAME, "" },
	{ "192.0.2.1", MX_EBADNAME, "" },
	{ "[192.0.2.1]", 0, "0 192.0.2.1" },
	{ "[IPv6:2001:db8::1]", 0, "0 2001:db8::1" },
	{ "[ipv6:2001:DB8::1]", 0, "0 2001:db8::1" },
	{ "[2001:db8::1]", 0, "0 2001:db8::1" },
	{ "[192.0.2.1", MX_EBADNAME, "" },
	{ "[192.0.2.1]x", MX_EBADNAME, "" },
	{ "[192.0.2.256]", MX_EBADNAME, "" },
	{ "[IPv6:192.0.2.1]", MX_EBADNAME, "" },
	{ "[]", MX_EBADNAME, "" },
	{ "[", MX_EBADNAME, "" },
	{ "[d.example]", MX_EBADNAME, "" },
	{ "[Foo:bar]", MX_EBADNAME, "" }
};

static void
test_getmxinfo_names_and_literals(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS 10 a.example" }, { NULL, NULL, NULL }
	};
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	const char *p;
	size_t i;

	(void)state;
	fake_says(lines);
	h.mh_sources = "alpha";
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(mx_lookup(&fake_env, names[i].domain, &h,
		    &info), names[i].error);
		assert_string_equal(fake_exchanges(info),
		    names[i].exchanges);
		for (p = info->mi_text; p != NULL && *p != '\0'; p++)
			assert_in_range(*p, 0x20, 0x7e);
		freemxinfo(info);
	}
	assert_int_equal(fake_asked("alpha"), 1);
}

static void
test_getmxinfo_literal_has_its_address(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	h.mh_flags = MXH_ADDRS;
	assert_int_equal(mx_lookup(&fake_env, "[192.0.2.1]", &h, &info), 0);
	assert_int_equal(info->mi_mx->mx_addrs->ma_family, AF_INET);
	assert_string_equal(info->mi_source, "literal");
	assert_int_equal(info->mi_mx->mx_flags, MXE_LITERAL);
	freemxinfo(info);
	h.mh_family = AF_INET6;
	assert_int_equal(mx_lookup(&fake_env, "[192.0.2.1]", &h, &info),
	    MX_ENOADDR);
	freemxinfo(info);
}

static void
test_getmxinfo_misuse(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info = (void *)&h;

	(void)state;
	assert_int_equal(mx_lookup(&fake_env, D, &h, NULL), MX_EINVAL);
	assert_int_equal(mx_lookup(&fake_env, NULL, &h, &info), MX_EINVAL);
	assert_null(info);
	h.mh_size = 4;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_EINVAL);
	h.mh_size = sizeof(h);
	h.mh_family = AF_UNIX;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_EINVAL);
	h.mh_family = AF_UNSPEC;
	h.mh_timeout = -1;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_EINVAL);
	h.mh_timeout = 0;
	h.mh_dnssec = 3;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_EINVAL);
}

static void
test_getmxinfo_hints_of_an_older_program(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "NOTFOUND nodata" }, { NULL, NULL, NULL }
	};
	struct nssconf_place places[2] = { { NULL, 1 }, { NULL, 0 } };
	struct mx_env env = fake_env;
	struct mxhints h;
	struct mxinfo *info;

	(void)state;
	memset(&h, 0xff, sizeof(h));
	h.mh_size = offsetof(struct mxhints, mh_family);
	h.mh_flags = MXH_NOIMPLICIT;
	env.places = places;
	places[0].path = fake_text("mxnss.conf", "mxhosts: alpha\n");
	fake_says(lines);
	assert_int_equal(mx_lookup(&env, D, &h, &info), MX_EUNUSABLE);
	freemxinfo(info);
}

/* A program that was compiled against a later version. */
static void
test_getmxinfo_larger_hints(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "NOTFOUND nodata" }, { NULL, NULL, NULL }
	};
	struct {
		struct mxhints	h;
		char		more[64];
	} later;
	struct mxinfo *info;

	(void)state;
	memset(&later, 0, sizeof(later));
	memset(later.more, 0xff, sizeof(later.more));
	later.h.mh_size = sizeof(later);
	later.h.mh_flags = MXH_NOIMPLICIT;
	later.h.mh_sources = "alpha";
	fake_says(lines);
	assert_int_equal(mx_lookup(&fake_env, D, &later.h, &info),
	    MX_EUNUSABLE);
	freemxinfo(info);
}

/* --- self cut ------------------------------------------------------------ */

static const char *const selves[] = { "Self.Example.", "other", NULL };

static const struct {
	const char	*name;
	const char	*says;
	uint32_t	 flags;
	int		 error;
	const char	*exchanges;
	uint32_t	 cut;
} cuts[] = {
	{ "not in the list", "SUCCESS 10 a.example 20 b.example", 0, 0,
	    "10 a.example 20 b.example", 0 },
	{ "in the middle",
	    "SUCCESS 10 a.example 20 self.example 20 c.example 30 d.example",
	    0, 0, "10 a.example", MXI_SELFCUT },
	{ "an equal that comes first", "SUCCESS 10 a.example 20 b.example "
	    "20 self.example", 0, 0, "10 a.example", MXI_SELFCUT },
	{ "twice, by two names", "SUCCESS 10 a.example 30 other "
	    "20 self.example 25 b.example", 0, 0, "10 a.example",
	    MXI_SELFCUT },
	{ "the best", "SUCCESS 10 self.example 20 b.example", 0, MX_ELOOP, "",
	    MXI_SELFCUT },
	{ "equal to the best", "SUCCESS 10 b.example 10 self.example", 0,
	    MX_ELOOP, "", MXI_SELFCUT },
	{ "alone", "SUCCESS 10 self.example", 0, MX_ELOOP, "", MXI_SELFCUT },
	{ "switched off", "SUCCESS 10 self.example 20 b.example",
	    MXH_NOSELFCUT, 0, "10 self.example 20 b.example", 0 },
	{ "written by the administrator",
	    "SUCCESS local 10 self.example 20 b.example", 0, 0,
	    "10 self.example 20 b.example", 0 },
	{ "implicit", "NOTFOUND nodata cname self.example", 0, MX_ELOOP, "",
	    MXI_SELFCUT }
};

static void
test_getmxinfo_selfcut_rows(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct fake_line lines[2];
	struct mxinfo *info;
	size_t i;

	(void)state;
	h.mh_sources = "alpha";
	h.mh_self = selves;
	memset(lines, 0, sizeof(lines));
	lines[0].source = "alpha";
	lines[0].domain = D;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		print_message("# %s\n", cuts[i].name);
		lines[0].says = cuts[i].says;
		h.mh_flags = MXH_NORANDOM | cuts[i].flags;
		fake_says(lines);
		assert_int_equal(mx_lookup(&fake_env, D, &h, &info),
		    cuts[i].error);
		assert_string_equal(fake_exchanges(info), cuts[i].exchanges);
		assert_int_equal(info->mi_flags & MXI_SELFCUT, cuts[i].cut);
		freemxinfo(info);
	}
}

static void
test_getmxinfo_selfcut_spares_merged_lines(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS + local 50 relay.example" },
		{ "beta", D, "SUCCESS 10 self.example 20 b.example" },
		{ NULL, NULL, NULL }
	};
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	fake_says(lines);
	h.mh_sources = "alpha beta";
	h.mh_self = selves;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_OK);
	assert_string_equal(fake_exchanges(info), "50 relay.example");
	freemxinfo(info);
}

static int
dotted_hostname(char *buf, size_t size)
{
	(void)strlcpy(buf, "Self.Example", size);
	return 0;
}

static void
test_getmxinfo_selfcut_by_host_name(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS 10 a.example 20 self.example" },
		{ NULL, NULL, NULL }
	};
	static const char *const nobody[] = { NULL };
	struct mxhints h = MXHINTS_INIT;
	struct mx_env env = fake_env;
	struct mxinfo *info;

	(void)state;
	fake_says(lines);
	env.hostname = dotted_hostname;
	h.mh_sources = "alpha";
	assert_int_equal(mx_lookup(&env, D, &h, &info), MX_OK);
	assert_string_equal(fake_exchanges(info), "10 a.example");
	freemxinfo(info);
	h.mh_self = nobody;	/* the caller knows better */
	assert_int_equal(mx_lookup(&env, D, &h, &info), MX_OK);
	assert_int_equal(info->mi_count, 2);
	freemxinfo(info);
}

/* --- mx: lines ----------------------------------------------------------- */

static const struct {
	const char	*name;
	const char	*alpha;
	const char	*dns;		/* of x.example */
	const char	*dns2;		/* of y.example */
	int		 error;
	const char	*exchanges;
} borrowed[] = {
	{ "one domain", "SUCCESS mx 10 x.example",
	    "SUCCESS 20 a.example 10 b.example", NULL,
	    0, "10 b.example 10 a.example" },
	{ "between other lines",
	    "SUCCESS local 5 l.example mx 10 x.example 20 m.example",
	    "SUCCESS 1 a.example 99 b.example", NULL,
	    0, "5 l.example 10 a.example 10 b.example 20 m.example" },
	{ "two domains at one preference",
	    "SUCCESS mx 10 x.example mx 10 y.example",
	    "SUCCESS 5 a.example 15 b.example",
	    "SUCCESS 100 c.example 101 d.example",
	    0, "10 a.example 10 c.example 10 d.example 10 b.example" },
	{ "the borrowed domain has no MX", "SUCCESS mx 10 x.example",
	    "NOTFOUND nodata", NULL, 0, "10 x.example" },
	{ "it does not exist", "SUCCESS mx 10 x.example",
	    "NOTFOUND MX_ENXDOMAIN", NULL, MX_ENXDOMAIN, "" },
	{ "it takes no mail", "SUCCESS mx 10 x.example", "SUCCESS null",
	    NULL, MX_ENULLMX, "" },
	{ "it does not exist, but there is more",
	    "SUCCESS mx 10 x.example mx 20 y.example",
	    "NOTFOUND MX_ENXDOMAIN", "SUCCESS 1 c.example",
	    0, "20 c.example" },
	{ "the first permanent error is told",
	    "SUCCESS mx 10 x.example mx 20 y.example",
	    "NOTFOUND MX_ENXDOMAIN", "SUCCESS null", MX_ENXDOMAIN, "" },
	{ "a passing failure holds all",
	    "SUCCESS local 5 l.example mx 10 x.example",
	    "TRYAGAIN MX_ESERVFAIL", NULL, MX_ESERVFAIL, "" },
	{ "a passing failure after a permanent one",
	    "SUCCESS mx 10 x.example mx 20 y.example",
	    "NOTFOUND MX_ENXDOMAIN", "TRYAGAIN MX_ETIMEOUT", MX_ETIMEOUT,
	    "" },
	{ "not recursive", "SUCCESS mx 10 x.example",
	    "SUCCESS mx 10 y.example", "SUCCESS 10 c.example", MX_ESOURCE,
	    "" },
	{ "ourselves in the borrowed list", "SUCCESS mx 10 x.example "
	    "local 20 l.example", "SUCCESS 10 a.example 20 self.example "
	    "30 b.example", NULL, 0, "10 a.example 20 l.example" },
	{ "ourselves the best of the borrowed list",
	    "SUCCESS mx 10 x.example local 20 l.example",
	    "SUCCESS 10 self.example 20 b.example", NULL,
	    0, "20 l.example" },
	{ "nothing but ourselves", "SUCCESS mx 10 x.example",
	    "SUCCESS 10 self.example", NULL, MX_ELOOP, "" }
};

static void
test_getmxinfo_borrowed_rows(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct fake_line lines[4];
	struct mxinfo *info;
	size_t i;

	(void)state;
	h.mh_sources = "alpha";
	h.mh_self = selves;
	h.mh_flags = MXH_NORANDOM;
	for (i = 0; i < sizeof(borrowed) / sizeof(borrowed[0]); i++) {
		print_message("# %s\n", borrowed[i].name);
		memset(lines, 0, sizeof(lines));
		lines[0].source = "alpha";
		lines[0].domain = D;
		lines[0].says = borrowed[i].alpha;
		lines[1].source = lines[2].source = "dns";
		lines[1].domain = "x.example";
		lines[1].says = borrowed[i].dns;
		lines[2].domain = "y.example";
		lines[2].says = borrowed[i].dns2;
		if (borrowed[i].dns2 == NULL)
			lines[2].source = NULL;
		fake_says(lines);
		assert_int_equal(mx_lookup(&fake_env, D, &h, &info),
		    borrowed[i].error);
		assert_string_equal(fake_exchanges(info),
		    borrowed[i].exchanges);
		freemxinfo(info);
	}
}

static void
test_getmxinfo_borrowed_keep_the_demands_of_the_line(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D,
		    "SUCCESS local origin f:3 ttl 100 tls 4 mx 10 x.example" },
		{ "dns", "x.example",
		    "SUCCESS origin 192.0.2.53#53 ttl 500 7 a.example" },
		{ NULL, NULL, NULL }
	};
	struct mxinfo *info;

	(void)state;
	fake_says(lines);
	info = look_up("alpha", 0, MX_OK);
	assert_int_equal(info->mi_mx->mx_tls, MX_TLS_VERIFY);
	assert_int_equal(info->mi_mx->mx_ttl, 100);
	assert_string_equal(info->mi_mx->mx_origin, "f:3");
	assert_string_equal(info->mi_mx->mx_source, "alpha");
	/* Its addresses come from the DNS, which named it. */
	assert_false(info->mi_mx->mx_flags & MXE_LOCALCONF);
	freemxinfo(info);
}

static void
test_getmxinfo_borrowed_and_merged(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS + mx 5 x.example" },
		{ "beta", D, "SUCCESS 10 b.example" },
		{ "dns", "x.example", "NOTFOUND MX_ENXDOMAIN" },
		{ NULL, NULL, NULL }
	};
	static const struct fake_line more[] = {
		{ "alpha", D, "SUCCESS + mx 5 x.example" },
		{ "beta", D, "SUCCESS 10 b.example" },
		{ "dns", "x.example", "SUCCESS 10 a.example" },
		{ NULL, NULL, NULL }
	};
	static const struct fake_line failing[] = {
		{ "alpha", D, "SUCCESS + mx 5 x.example" },
		{ "beta", D, "SUCCESS 10 b.example" },
		{ "dns", "x.example", "TRYAGAIN MX_ESERVFAIL" },
		{ NULL, NULL, NULL }
	};
	struct mxinfo *info;

	(void)state;
	fake_says(lines);	/* adds nothing, spoils nothing */
	info = look_up("alpha beta", 0, MX_OK);
	assert_string_equal(fake_exchanges(info), "10 b.example");
	freemxinfo(info);
	fake_says(more);
	info = look_up("alpha beta", 0, MX_OK);
	assert_string_equal(fake_exchanges(info),
	    "5 a.example 10 b.example");
	freemxinfo(info);
	fake_says(failing);
	info = look_up("alpha beta", 0, MX_ESERVFAIL);
	freemxinfo(info);
}

/* --- addresses ----------------------------------------------------------- */

static int
is_192_0_2_9(const struct sockaddr *sa, struct ifaddrs **all)
{
	(void)all;
	return sa->sa_family == AF_INET &&
	    ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr ==
	    htonl(0xc0000209);
}

static void
test_getmxinfo_addresses_of_literals(void **state)
{
	const struct sockaddr_in *in;
	struct mx_env env = fake_env;
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS local 10 192.0.2.9 20 2001:db8::9" },
		{ NULL, NULL, NULL }
	};

	(void)state;
	fake_says(lines);
	env.is_own = is_192_0_2_9;	/* no cut: it was written down */
	h.mh_sources = "alpha";
	h.mh_flags = MXH_ADDRS;
	assert_int_equal(mx_lookup(&env, D, &h, &info), MX_OK);
	assert_int_equal(info->mi_count, 2);
	in = (const struct sockaddr_in *)
	    (const void *)info->mi_mx->mx_addrs->ma_addr;
	assert_int_equal(ntohs(in->sin_port), 25);
	assert_int_equal(info->mi_mx->mx_addrs->ma_ttl, UINT32_MAX);
	freemxinfo(info);
	h.mh_family = AF_INET6;
	assert_int_equal(mx_lookup(&env, D, &h, &info), MX_OK);
	assert_null(info->mi_mx->mx_addrs);
	assert_int_equal(info->mi_mx->mx_addrerr, MX_ENOADDR);
	assert_non_null(info->mi_mx->mx_next->mx_addrs);
	assert_string_equal(info->mi_notes->mn_text,
	    "192.0.2.9: has no address");
	freemxinfo(info);
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
		cmocka_unit_test(test_getmxinfo_status_and_action_rows),
		cmocka_unit_test(test_getmxinfo_hands_on_every_error),
		cmocka_unit_test(test_getmxinfo_flags_of_an_implicit_mx),
		cmocka_unit_test(test_getmxinfo_noimplicit),
		cmocka_unit_test(test_getmxinfo_implicit_mx_at_no_host_name),
		cmocka_unit_test(test_getmxinfo_secure_only_if_all_of_dns_is),
		cmocka_unit_test(test_getmxinfo_ttl_is_the_least),
		cmocka_unit_test(
		    test_getmxinfo_notes_are_printable_and_said_once),
		cmocka_unit_test(
		    test_getmxinfo_byrcpt_survives_whatever_follows),
		cmocka_unit_test(test_getmxinfo_origin_of_each_exchange),
		cmocka_unit_test(test_getmxinfo_keeps_the_best_100),
		cmocka_unit_test(test_getmxinfo_nofiles),
		cmocka_unit_test(test_getmxinfo_list_from_the_configuration),
		cmocka_unit_test(test_getmxinfo_wrong_list_of_the_caller),
		cmocka_unit_test(
		    test_getmxinfo_deadline_holds_between_sources),
		cmocka_unit_test(test_getmxinfo_names_and_literals),
		cmocka_unit_test(test_getmxinfo_literal_has_its_address),
		cmocka_unit_test(test_getmxinfo_misuse),
		cmocka_unit_test(test_getmxinfo_hints_of_an_older_program),
		cmocka_unit_test(test_getmxinfo_larger_hints),
		cmocka_unit_test(test_getmxinfo_selfcut_rows),
		cmocka_unit_test(test_getmxinfo_selfcut_spares_merged_lines),
		cmocka_unit_test(test_getmxinfo_selfcut_by_host_name),
		cmocka_unit_test(test_getmxinfo_borrowed_rows),
		cmocka_unit_test(
		    test_getmxinfo_borrowed_keep_the_demands_of_the_line),
		cmocka_unit_test(test_getmxinfo_borrowed_and_merged),
		cmocka_unit_test(test_getmxinfo_addresses_of_literals)
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
