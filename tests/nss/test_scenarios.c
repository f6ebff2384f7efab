/* SPDX-License-Identifier: ISC */
/*
 * What twelve administrators want, with the lines that EXAMPLES of mxhosts(5)
 * shows them: they are read from the page, so that the page cannot promise
 * what the program does not do.
 */
#include "config.h"

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

#define SCENARIOS	12
#define BEGIN		".Bd -literal -offset indent\n"
#define END		".Ed\n"

static char lines[SCENARIOS][1024];
static size_t found;

/* Each literal display of EXAMPLES is one scenario, in order. */
static int
read_page(void **state)
{
	static char page[65536];
	const char *top = getenv("top_srcdir"), *p, *end;
	char path[1024];
	FILE *fp;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/nss/mxhosts/mxhosts.5",
	    top == NULL ? "." : top);
	if ((fp = fopen(path, "r")) == NULL)
		return -1;
	n = fread(page, 1, sizeof(page) - 1, fp);
	(void)fclose(fp);
	page[n] = '\0';
	if ((p = strstr(page, ".Sh EXAMPLES\n")) == NULL)
		return -1;
	while ((p = strstr(p, BEGIN)) != NULL) {
		p += strlen(BEGIN);
		if ((end = strstr(p, END)) == NULL ||
		    (size_t)(end - p) >= sizeof(lines[0]) ||
		    found == SCENARIOS)
			return -1;
		memcpy(lines[found++], p, (size_t)(end - p));
	}
	return found == SCENARIOS ? 0 : -1;
}

/* What the fake DNS knows of all domains that scenarios use. */
static const struct fake_line dns[] = {
	{ "dns", "customer.example", "SUCCESS 10 filter.saas.example" },
	{ "dns", "example.com", "SUCCESS 10 old-mx.example.com" },
	{ "dns", "www.corp.example", "SUCCESS 10 mx.corp.example" },
	{ "dns", "arch.example", "SUCCESS 10 mx1.arch.example "
	    "20 mx2.arch.example" },
	{ "dns", "dr-site.example", "SUCCESS 10 dr1.example 20 dr2.example" },
	{ "dns", "eng.example", "SUCCESS 10 hq.eng.example" },
	{ NULL, NULL, NULL }
};

/* Looks up with FILE in place of /etc/mxhosts, in front of that DNS. */
static struct mxinfo *
look_up(const char *file, const char *domain, const char *rcpt, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[4200];

	(void)snprintf(sources, sizeof(sources), "files(%s) dns",
	    fake_text("mxhosts", file));
	h.mh_sources = sources;
	h.mh_rcpt = rcpt;
	h.mh_flags = MXH_NORANDOM;
	fake_says(dns);
	assert_int_equal(mx_lookup(&fake_env, domain, &h, &info), expect);
	return info;
}

static void
expect_route(const char *file, const char *domain, const char *rcpt,
    const char *exchanges)
{
	struct mxinfo *info;

	info = look_up(file, domain, rcpt, MX_OK);
	assert_string_equal(fake_exchanges(info), exchanges);
	freemxinfo(info);
}

static void
test_scenario_01_bypass_a_filter(void **state)
{
	const char *file = lines[0];

	(void)state;
	expect_route("", "customer.example", NULL, "10 filter.saas.example");
	expect_route(file, "customer.example", NULL,
	    "10 mail.customer.example");
	assert_int_equal(fake_asked("dns"), 0);
}

static void
test_scenario_02_partner_through_a_backup_line(void **state)
{
	const char *file = lines[1];

	(void)state;
	expect_route(file, "partner.example", NULL,
	    "10 192.0.2.25:2525 20 2001:db8::25");
}

static void
test_scenario_03_split_migration(void **state)
{
	const char *file = lines[2];
	struct mxinfo *info;

	(void)state;
	expect_route(file, "example.com", "amy@example.com",
	    "10 new-mx.example.com");
	expect_route(file, "example.com", "bob+lists@example.com",
	    "10 new-mx.example.com");
	expect_route(file, "example.com", "eve@example.com",
	    "10 old-mx.example.com");
	info = look_up(file, "example.com", NULL, MX_OK);
	assert_true(info->mi_flags & MXI_BYRCPT);
	assert_string_equal(info->mi_source, "dns");
	freemxinfo(info);
	info = look_up(file, "example.com", "amy@example.com", MX_OK);
	assert_int_equal(info->mi_mx->mx_tls, MX_TLS_VERIFY);
	freemxinfo(info);
}

static void
test_scenario_04_pin_an_internal_pair(void **state)
{
	const char *file = lines[3];

	(void)state;
	expect_route(file, "corp.example", NULL,
	    "10 exch1.corp.example 10 exch2.corp.example");
}

static void
test_scenario_05_try_a_new_mx_before_dns(void **state)
{
	const char *file = lines[4];
	struct mxinfo *info;

	(void)state;
	info = look_up(file, "newco.example", NULL, MX_OK);
	assert_string_equal(fake_exchanges(info), "10 203.0.113.7");
	assert_int_equal(info->mi_mx->mx_tls, MX_TLS_VERIFY);
	assert_string_equal(info->mi_mx->mx_tlsname, "mx.newco.example");
	assert_true(info->mi_mx->mx_flags & MXE_LITERAL);
	assert_true(info->mi_mx->mx_flags & MXE_LOCALCONF);
	freemxinfo(info);
}

static void
test_scenario_06_smarthost_but_internal_direct(void **state)
{
	const char *file = lines[5];

	(void)state;
	expect_route(file, "anything.example", NULL,
	    "10 smtp.relay.example:587");
	assert_int_equal(fake_asked("dns"), 0);
	expect_route(file, "www.corp.example", NULL, "10 mx.corp.example");
}

static void
test_scenario_07_block_a_domain(void **state)
{
	const char *file = lines[6];
	struct mxinfo *info;

	(void)state;
	info = look_up(file, "spam.example", NULL, MX_EREJECT);
	assert_string_equal(info->mi_dsn, "5.7.1");
	assert_string_equal(info->mi_text,
	    "mail to this domain is blocked here");
	assert_string_equal(info->mi_source, "files");
	assert_non_null(strstr(info->mi_origin, "mxhosts:1"));
	freemxinfo(info);
}

static void
test_scenario_08_route_all_subdomains(void **state)
{
	const char *file = lines[7];

	(void)state;
	expect_route(file, "a.eng.example", NULL, "10 mx.eng.example");
	expect_route(file, "b.a.eng.example", NULL, "10 mx.eng.example");
	expect_route(file, "eng.example", NULL, "10 hq.eng.example");
}

static void
test_scenario_09_share_load_evenly(void **state)
{
	const char *file = lines[8];

	(void)state;
	expect_route(file, "lb.example", NULL,
	    "10 a.lb.example 10 b.lb.example 10 c.lb.example");
}

static void
test_scenario_10_add_a_backup_by_hand(void **state)
{
	const char *file = lines[9];

	(void)state;
	expect_route(file, "backup.example", NULL,
	    "10 mx.backup.example 50 spool.our.example");
}

static void
test_scenario_11_local_host_in_front_of_dns(void **state)
{
	const char *file = lines[10];
	struct mxinfo *info;

	(void)state;
	info = look_up(file, "arch.example", NULL, MX_OK);
	assert_string_equal(fake_exchanges(info), "5 local-mx.our.example "
	    "10 mx1.arch.example 20 mx2.arch.example");
	assert_true(info->mi_flags & MXI_MERGED);
	assert_string_equal(info->mi_source, "files+dns");
	freemxinfo(info);
}

static void
test_scenario_12_disaster_recovery(void **state)
{
	const char *file = lines[11];

	(void)state;
	expect_route(file, "dr.example", NULL,
	    "10 dr1.example 10 dr2.example 90 198.51.100.9");
}

static int
clean(void **state)
{
	(void)state;
	fake_clean();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenario_01_bypass_a_filter),
		cmocka_unit_test(
		    test_scenario_02_partner_through_a_backup_line),
		cmocka_unit_test(test_scenario_03_split_migration),
		cmocka_unit_test(test_scenario_04_pin_an_internal_pair),
		cmocka_unit_test(test_scenario_05_try_a_new_mx_before_dns),
		cmocka_unit_test(
		    test_scenario_06_smarthost_but_internal_direct),
		cmocka_unit_test(test_scenario_07_block_a_domain),
		cmocka_unit_test(test_scenario_08_route_all_subdomains),
		cmocka_unit_test(test_scenario_09_share_load_evenly),
		cmocka_unit_test(test_scenario_10_add_a_backup_by_hand),
		cmocka_unit_test(
		    test_scenario_11_local_host_in_front_of_dns),
		cmocka_unit_test(test_scenario_12_disaster_recovery)
	};

	return cmocka_run_group_tests(tests, read_page, clean);
}
