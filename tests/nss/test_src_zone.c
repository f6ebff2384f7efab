/* SPDX-License-Identifier: ISC */
/*
 * Whole lookups through the source `zone(NAME)', against a name server that
 * does what a script says and remembers what it was asked.
 */
#include "config.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "dns.h"
#include "fake.h"
#include "sources/module.h"
#include "mxdb.h"
#include "../lib/server.h"

#define ZONE	"zone(mx.corp.test)"
#define BOTH	ZONE " dns"

static const char script[] =
    "one.test.mx.corp.test MX ttl=50 MX 10 relay.test\n"
    "two.test.mx.corp.test MX MX 20 relay.test MX 10 b.test\n"
    "null.test.mx.corp.test MX MX 0 .\n"
    "exempt.test.mx.corp.test TXT TXT none\n"
    "numeric.test.mx.corp.test MX MX 10 192.0.2.1\n"
    "odd.test.mx.corp.test MX MX 10 192.0.2.1 MX 20 relay.test\n"
    "fail.test.mx.corp.test MX servfail\n"
    "refused.test.mx.corp.test MX refused\n"
    "bad.test.mx.corp.test MX RAW MX 00\n"
    "alias.test.mx.corp.test CNAME CNAME one.test.mx.corp.test\n"
    "dangling.test.mx.corp.test CNAME CNAME gone.mx.corp.test\n"
    "secure.test.mx.corp.test MX ad=1 MX 10 relay.test\n"
    "self.test.mx.corp.test MX MX 10 relay.test MX 20 us.test\n"
    "us-only.test.mx.corp.test MX MX 20 us.test\n"
    "lo.test.mx.corp.test MX MX 10 localhost.test\n"
    "*.wild.mx.corp.test MX MX 10 relay.test\n"
    "deep.wild.mx.corp.test TXT TXT none\n"
    "*.catchall.test MX MX 10 relay.test\n"
    "*.down.test MX servfail\n"
    "relay.test A A 192.0.2.8\n"
    "b.test A A 192.0.2.2\n"
    "us.test A A 192.0.2.99\n"
    "localhost.test A A 127.0.0.1\n"
    "a.test A A 192.0.2.1\n"
    "other.test MX MX 10 a.test\n"
    "exempt.test MX MX 10 a.test\n"
    "dangling.test MX MX 10 a.test\n"
    "deep.wild MX MX 10 a.test\n"
    "any.test MX MX 10 a.test\n"
    "*.long MX MX 10 a.test\n";

static struct server srv;
static struct sockaddr_in6 address;
static const struct sockaddr *servers[] = {
	(const struct sockaddr *)(const void *)&address, NULL
};
static const char *const self[] = { "us.test", NULL };

static struct mxinfo *
look_up(const char *domain, const char *sources, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mx_env env = fake_env;
	struct mxinfo *info;
	int error;

	env.modules = mxmodule_builtin;
	env.now = mxdns_now;
	h.mh_servers = servers;
	h.mh_sources = sources;
	h.mh_flags = MXH_ADDRS;
	h.mh_timeout = 20000;
	h.mh_self = self;
	h.mh_dnssec = 1;
	error = mx_lookup(&env, domain, &h, &info);
	if (error != expect)
		print_message("%s: %s: %s\n", domain, mx_errname(error),
		    info == NULL ? "" : info->mi_text);
	assert_int_equal(error, expect);
	return info;
}

static const struct {
	const char	*domain;
	const char	*sources;
	int		 error;
	const char	*exchanges;
	const char	*source;
	const char	*text;		/* part of mi_text */
	const char	*note;		/* part of the first note */
} rows[] = {
	{ "one.test", BOTH, 0, "10 relay.test", "zone", NULL, NULL },
	{ "two.test", BOTH, 0, "10 b.test 20 relay.test", "zone", NULL,
	    NULL },
	{ "alias.test", BOTH, 0, "10 relay.test", "zone", NULL, NULL },
	/* no override */
	{ "other.test", BOTH, 0, "10 a.test", "dns", NULL, NULL },
	{ "exempt.test", BOTH, 0, "10 a.test", "dns", NULL, NULL },
	{ "dangling.test", BOTH, 0, "10 a.test", "dns", NULL,
	    "dangling.test.mx.corp.test: is an alias of gone.mx.corp.test" },
	/* ... and the zone does not say whether a domain exists */
	{ "other.test", ZONE, MX_EUNUSABLE, "", NULL, "no source knows",
	    NULL },
	{ "exempt.test", ZONE, MX_EUNUSABLE, "", NULL, "no source knows",
	    NULL },
	/* wildcards */
	{ "x.wild", BOTH, 0, "10 relay.test", "zone", NULL, NULL },
	{ "y.x.wild", BOTH, 0, "10 relay.test", "zone", NULL, NULL },
	{ "deep.wild", BOTH, 0, "10 a.test", "dns", NULL, NULL },
	{ "any.where", "zone(catchall.test) dns", 0, "10 relay.test", "zone",
	    NULL, NULL },
	/* final words */
	{ "null.test", BOTH, MX_ENULLMX, "", "zone",
	    "null.test.mx.corp.test says that the domain takes no mail",
	    NULL },
	{ "numeric.test", BOTH, MX_EDEFER, "", "zone",
	    "numeric.test.mx.corp.test has MX records, but none",
	    "numeric.test.mx.corp.test: MX 10 192.0.2.1" },
	{ "odd.test", BOTH, 0, "20 relay.test", "zone", NULL,
	    "odd.test.mx.corp.test: MX 10 192.0.2.1" },
	/* doubt */
	{ "fail.test", BOTH, MX_ESERVFAIL, "", "zone",
	    "MX lookup of fail.test.mx.corp.test at 127.0.0.1#", NULL },
	{ "refused.test", BOTH, MX_EREFUSED, "", "zone", "MX lookup of",
	    NULL },
	{ "bad.test", BOTH, MX_EBADRESP, "", "zone", "MX lookup of",
	    "malformed" },
	{ "any.test", "zone(down.test) dns", MX_ESERVFAIL, "", "zone",
	    "MX lookup of any.test.down.test", NULL },
	{ "any.test", "zone(down.test) [TRYAGAIN=continue] dns", 0,
	    "10 a.test", "dns", NULL,
	    "passed over: MX lookup of any.test.down.test" },
	/* treated as what the DNS says */
	{ "self.test", BOTH, 0, "10 relay.test", "zone", NULL, NULL },
	{ "us-only.test", BOTH, MX_ELOOP, "", "zone", "is this host itself",
	    NULL },
	{ "lo.test", BOTH, MX_ENOADDR, "", "zone", "no mail exchanger has",
	    "localhost.test" },
	/* the argument */
	{ "one.test", "zone(MX.Corp.Test.) dns", 0, "10 relay.test", "zone",
	    NULL, NULL },
	{ "one.test", "zone dns", MX_ECONFIG, "", "zone",
	    "source \"zone\" needs an argument: zone(...)", NULL },
	{ "one.test", "zone(mx corp) dns", MX_ECONFIG, "", "zone",
	    "source \"zone\" refuses its argument \"mx corp\"", NULL }
};

static void
test_zone_rows(void **state)
{
	struct mxinfo *info;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s: %s\n", rows[i].sources, rows[i].domain);
		info = look_up(rows[i].domain, rows[i].sources,
		    rows[i].error);
		assert_string_equal(fake_exchanges(info), rows[i].exchanges);
		if (rows[i].source == NULL)
			assert_null(info->mi_source);
		else
			assert_string_equal(info->mi_source, rows[i].source);
		if (rows[i].text != NULL &&
		    strstr(info->mi_text, rows[i].text) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", rows[i].text,
			    info->mi_text);
		if (rows[i].note == NULL)
			assert_null(info->mi_notes);
		else
			assert_non_null(strstr(info->mi_notes->mn_text,
			    rows[i].note));
		freemxinfo(info);
	}
}

static void
test_zone_facts_of_an_answer(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("one.test", BOTH, MX_OK);
	assert_string_equal(info->mi_qname, "one.test");
	assert_string_equal(info->mi_origin, "one.test.mx.corp.test");
	assert_string_equal(info->mi_mx->mx_origin, "one.test.mx.corp.test");
	assert_int_equal(info->mi_ttl, 50);
	assert_int_equal(info->mi_rcode, 0);
	assert_int_equal(info->mi_flags, 0);
	assert_int_equal(info->mi_mx->mx_flags, 0);
	freemxinfo(info);
	/* The alias is one of the zone, not of the domain. */
	info = look_up("alias.test", BOTH, MX_OK);
	assert_null(info->mi_cname);
	freemxinfo(info);
	info = look_up("secure.test", BOTH, MX_OK);
	assert_int_equal(info->mi_flags, MXI_SECURE);
	assert_int_equal(info->mi_mx->mx_flags, MXE_SECURE);
	freemxinfo(info);
}

static void
test_zone_override_costs_no_query_for_the_domain(void **state)
{
	char asked[100];

	(void)state;
	freemxinfo(look_up("silent.wild", BOTH, MX_OK));
	server_log(&srv, "silent.wild.mx.corp.test", asked, sizeof(asked));
	assert_string_equal(asked, "u");
	server_log(&srv, "silent.wild", asked, sizeof(asked));
	assert_string_equal(asked, "");
}

/* 253 characters with the zone are asked for; 254 cannot be in it. */
static void
test_zone_domain_too_long(void **state)
{
	static const size_t lengths[] = { 240, 241 };
	char domain[260], name[280], asked[100];
	struct mxinfo *info;
	size_t i, j;

	(void)state;
	for (i = 0; i < 2; i++) {
		memset(domain, 'x', sizeof(domain));
		for (j = 50; j <= 200; j += 50)
			domain[j] = '.';
		(void)strlcpy(domain + lengths[i] - 5, ".long", 6);
		(void)snprintf(name, sizeof(name), "%s.mx.corp.test", domain);
		assert_int_equal(strlen(name), lengths[i] + 13);
		info = look_up(domain, BOTH, MX_OK);
		assert_string_equal(info->mi_source, "dns");
		freemxinfo(info);
		server_log(&srv, name, asked, sizeof(asked));
		assert_string_equal(asked, i == 0 ? "u" : "");
	}
}

static int
setup(void **state)
{
	(void)state;
	server_start(&srv, script);
	server_addr(&srv, AF_INET, &address);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	server_stop(&srv);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_rows),
		cmocka_unit_test(test_zone_facts_of_an_answer),
		cmocka_unit_test(
		    test_zone_override_costs_no_query_for_the_domain),
		cmocka_unit_test(test_zone_domain_too_long)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
