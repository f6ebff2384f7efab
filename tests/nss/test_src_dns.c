/* SPDX-License-Identifier: ISC */
/*
 * Whole lookups through the source `dns' and the addresses of what it
 * names, against a name server that does what a script says.
 */
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

#include "dns.h"
#include "fake.h"
#include "sources/module.h"
#include "mxdb.h"
#include "../lib/server.h"

static const char script[] =
    "one.test MX ttl=50 MX 10 a.test\n"
    "three.test MX MX 30 c.test MX 10 a.test MX 20 b.test\n"
    "a-only.test A A 192.0.2.9\n"
    "aaaa-only.test AAAA AAAA 2001:db8::9\n"
    "nothing.test TXT TXT x\n"
    "null.test MX MX 0 .\n"
    "alias.test CNAME CNAME one.test\n"
    "to-a.test CNAME CNAME a-only.test\n"
    "dangling.test CNAME CNAME gone.test\n"
    "literal.test MX MX 10 192.0.2.1\n"
    "mixed.test MX MX 5 192.0.2.1 MX 10 a.test MX 20 a.test MX 0 .\n"
    "missing.test MX MX 10 gone.test\n"
    "half.test MX MX 10 gone.test MX 20 b.test\n"
    "refused.test MX refused\n"
    "fail.test MX servfail\n"
    "malformed.test MX RAW MX 00\n"
    "cname.test MX MX 10 to-a.test\n"
    "dangles.test MX MX 10 dangling.test\n"
    "nullmix.test MX MX 0 . MX 10 a.test\n"
    "twice.test MX MX 10 a.test MX 5 a.test\n"
    "badhost.test MX MX 10 a\\032b.test MX 20 a.test\n"
    "partly.test MX MX 10 mostly.test\n"
    "mostly.test A A 127.0.0.2 A 192.0.2.4 A 0.0.0.0\n"
    "mostly.test AAAA AAAA ::1 AAAA ff02::1\n"
    "addrfail.test MX MX 10 failing.test\n"
    "addrhalf.test MX MX 10 failing.test MX 20 b.test\n"
    "failing.test ANY servfail\n"
    "loop.test MX MX 10 lo.test\n"
    "lo.test A A 127.0.0.1\n"
    "lo.test AAAA AAAA ::1\n"
    "sixty.test MX gen=60\n"
    "*.sixty.test A A 192.0.2.60\n"
    "many.test MX gen=300\n"
    "secure.test MX ad=1 MX 10 a.test\n"
    "secure-a.test A ad=1 A 192.0.2.7\n"
    "secure-a.test AAAA ad=1\n"
    "secure-a.test MX ad=1\n"
    "self.test MX MX 10 b.test MX 20 self-host.test MX 30 a.test\n"
    "selfonly.test MX MX 20 self-host.test\n"
    "selfgone.test MX MX 10 gone.test MX 20 self-host.test\n"
    "self-host.test A A 192.0.2.99\n"
    "slow.test MX delay=300 MX 10 mute.test MX 20 mute2.test "
    "MX 30 lies.test\n"
    "mute.test ANY silent\n"
    "mute2.test ANY silent\n"
    "lies.test ANY tc tcp=long A 192.0.2.1\n"
    "a.test A A 192.0.2.1\n"
    "a.test AAAA AAAA 2001:db8::1\n"
    "b.test A A 192.0.2.2 A 192.0.2.3\n"
    "c.test A A 192.0.2.4\n";

static struct server srv;
static struct sockaddr_in6 address;
static const struct sockaddr *servers[] = {
	(const struct sockaddr *)(const void *)&address, NULL
};

static int
is_ours(const struct sockaddr *sa, struct ifaddrs **all)
{
	(void)all;
	return sa->sa_family == AF_INET &&
	    ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr ==
	    htonl(0xc0000263);		/* 192.0.2.99 */
}

static struct mx_env env;

static struct mxinfo *
look_up(const char *domain, uint32_t flags, int dnssec, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	int error;

	h.mh_servers = servers;
	h.mh_sources = "dns";
	h.mh_flags = flags;
	h.mh_dnssec = dnssec;
	h.mh_timeout = 20000;
	error = mx_lookup(&env, domain, &h, &info);
	if (error != expect)
		print_message("%s: %s: %s\n", domain, mx_errname(error),
		    info == NULL ? "" : info->mi_text);
	assert_int_equal(error, expect);
	return info;
}

/* "10 a.test=2001:db8::1,192.0.2.1 ..." */
static const char *
routes(const struct mxinfo *info)
{
	static char buf[20000];
	char text[INET6_ADDRSTRLEN];
	const struct mxent *mx;
	const struct mxaddr *ma;
	const void *p;
	size_t n = 0;

	buf[0] = '\0';
	for (mx = info->mi_mx; mx != NULL; mx = mx->mx_next) {
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%u %s",
		    n == 0 ? "" : " ", (unsigned int)mx->mx_pref,
		    mx->mx_host);
		for (ma = mx->mx_addrs; ma != NULL; ma = ma->ma_next) {
			p = ma->ma_family == AF_INET6 ?
			    (const void *)&((const struct sockaddr_in6 *)
			    (const void *)ma->ma_addr)->sin6_addr :
			    (const void *)&((const struct sockaddr_in *)
			    (const void *)ma->ma_addr)->sin_addr;
			assert_non_null(inet_ntop(ma->ma_family, p, text,
			    sizeof(text)));
			n += (size_t)snprintf(buf + n, sizeof(buf) - n,
			    "%c%s", ma == mx->mx_addrs ? '=' : ',', text);
		}
	}
	return buf;
}

static const struct {
	const char	*domain;
	int		 error;
	const char	*routes;
	uint32_t	 flags;
	const char	*text;		/* part of mi_text */
	const char	*note;		/* part of the first note */
} rows[] = {
	{ "one.test", 0, "10 a.test=2001:db8::1,192.0.2.1", 0, NULL, NULL },
	{ "three.test", 0, "10 a.test=2001:db8::1,192.0.2.1 "
	    "20 b.test=192.0.2.2,192.0.2.3 30 c.test=192.0.2.4", 0, NULL,
	    NULL },
	{ "a-only.test", 0, "0 a-only.test=192.0.2.9", MXI_IMPLICIT, NULL,
	    NULL },
	{ "aaaa-only.test", 0, "0 aaaa-only.test=2001:db8::9", MXI_IMPLICIT,
	    NULL, NULL },
	{ "nothing.test", MX_ENOADDR, "", 0, "no mail exchanger has",
	    "nothing.test: has no address" },
	{ "null.test", MX_ENULLMX, "", 0, "takes no mail", NULL },
	{ "gone.test", MX_ENXDOMAIN, "", 0,
	    "gone.test does not exist in the DNS", NULL },
	{ "alias.test", 0, "10 a.test=2001:db8::1,192.0.2.1", 0, NULL,
	    NULL },
	{ "to-a.test", 0, "0 a-only.test=192.0.2.9", MXI_IMPLICIT, NULL,
	    NULL },
	{ "dangling.test", MX_ENXDOMAIN, "", 0,
	    "dangling.test is an alias of gone.test, which does not", NULL },
	{ "literal.test", MX_ENOADDR, "", 0, "none of them is usable",
	    "must name a host, not an IP address" },
	{ "mixed.test", 0, "10 a.test=2001:db8::1,192.0.2.1", 0, NULL,
	    "mixed.test: MX 5 192.0.2.1" },
	{ "missing.test", MX_ENOADDR, "", 0, "no mail exchanger has",
	    "gone.test: has no address" },
	{ "half.test", 0, "10 gone.test 20 b.test=192.0.2.2,192.0.2.3", 0,
	    NULL, "gone.test: has no address" },
	{ "refused.test", MX_EREFUSED, "", 0, "MX lookup of refused.test at",
	    NULL },
	{ "fail.test", MX_ESERVFAIL, "", 0, "MX lookup of fail.test at",
	    NULL },
	{ "malformed.test", MX_EBADRESP, "", 0, "MX lookup of", "malformed" },
	{ "cname.test", 0, "10 to-a.test=192.0.2.9", 0, NULL,
	    "to-a.test: an exchange must not be an alias" },
	{ "addrfail.test", MX_EADDRAGAIN, "", 0, "cannot be looked up now",
	    "failing.test: the name server failed" },
	{ "addrhalf.test", 0,
	    "10 failing.test 20 b.test=192.0.2.2,192.0.2.3", 0, NULL,
	    "failing.test: the name server failed" },
	{ "loop.test", MX_ENOADDR, "", 0, "no mail exchanger has",
	    "no address that mail can be sent to" },
	{ "self.test", 0, "10 b.test=192.0.2.2,192.0.2.3", MXI_SELFCUT, NULL,
	    NULL },
	{ "selfonly.test", MX_ELOOP, "", MXI_SELFCUT,
	    "best mail exchanger of selfonly.test is this host", NULL },
	{ "selfgone.test", MX_EADDRAGAIN, "", MXI_SELFCUT,
	    "better than this host", "gone.test: has no address" }
};

static void
test_dns_rows(void **state)
{
	struct mxinfo *info;
	const char *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].domain);
		info = look_up(rows[i].domain, MXH_ADDRS | MXH_NORANDOM, 0,
		    rows[i].error);
		assert_string_equal(routes(info), rows[i].routes);
		assert_int_equal(info->mi_flags, rows[i].flags);
		assert_string_equal(info->mi_source, "dns");
		assert_memory_equal(info->mi_origin, "127.0.0.1#", 10);
		if (rows[i].text != NULL)
			assert_non_null(strstr(info->mi_text, rows[i].text));
		for (p = info->mi_text; p != NULL && *p != '\0'; p++)
			assert_in_range(*p, 0x20, 0x7e);
		if (rows[i].note == NULL)
			assert_null(info->mi_notes);
		else
			assert_non_null(strstr(info->mi_notes->mn_text,
			    rows[i].note));
		freemxinfo(info);
	}
}

/* All notes of an answer, whether there is an exchange or not. */
static const struct {
	const char	*domain;
	int		 error;
	const char	*notes;
} odd[] = {
	{ "one.test", 0, "" },
	{ "null.test", MX_ENULLMX, "" },
	{ "literal.test", MX_ENOADDR, "literal.test: MX 10 192.0.2.1 must "
	    "name a host, not an IP address; ignored\n" },
	{ "cname.test", 0, "to-a.test: an exchange must not be an alias (RFC "
	    "2181 section 10.3); used all the same\n" },
	{ "dangles.test", MX_ENOADDR, "dangling.test: an exchange must not "
	    "be an alias (RFC 2181 section 10.3); used all the same\n"
	    "dangling.test: has no address\n" },
	{ "missing.test", MX_ENOADDR, "gone.test: has no address\n" },
	{ "half.test", 0, "gone.test: has no address\n" },
	{ "addrhalf.test", 0, "failing.test: the name server failed\n" },
	{ "loop.test", MX_ENOADDR, "lo.test: ::1 is no address that mail can "
	    "be sent to; ignored\n"
	    "lo.test: 127.0.0.1 is no address that mail can be sent to; "
	    "ignored\n"
	    "lo.test: has no address\n" },
	{ "partly.test", 0, "mostly.test: 127.0.0.2 is no address that mail "
	    "can be sent to; ignored\n"
	    "mostly.test: 0.0.0.0 is no address that mail can be sent to; "
	    "ignored\n"
	    "mostly.test: ::1 is no address that mail can be sent to; "
	    "ignored\n"
	    "mostly.test: ff02::1 is no address that mail can be sent to; "
	    "ignored\n" },
	{ "twice.test", 0, "twice.test: MX 5 a.test names the same host "
	    "twice\n" },
	{ "nullmix.test", 0, "nullmix.test: MX 0 . (null MX) stands beside "
	    "other exchanges; ignored\n" },
	{ "badhost.test", 0, "badhost.test: MX 10 a\\032b.test names no valid "
	    "host; ignored\n" },
	{ "malformed.test", MX_EBADRESP, "malformed.test: MX record with 1 "
	    "octets of data is malformed; ignored\n" }
};

static void
test_dns_notes(void **state)
{
	struct mxinfo *info;
	const struct mxnote *n;
	char text[2000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		print_message("# %s\n", odd[i].domain);
		info = look_up(odd[i].domain, MXH_ADDRS, 0, odd[i].error);
		text[0] = '\0';
		for (n = info->mi_notes; n != NULL; n = n->mn_next) {
			(void)strlcat(text, n->mn_text, sizeof(text));
			(void)strlcat(text, "\n", sizeof(text));
		}
		assert_string_equal(text, odd[i].notes);
		freemxinfo(info);
	}
}

static void
test_dns_note_of_an_alias_is_given_once(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	info = look_up("cname.test", MXH_ADDRS, 0, MX_OK);
	h.mh_servers = servers;
	assert_int_equal(mxresolve(info, info->mi_mx, &h), MX_OK);
	assert_non_null(info->mi_notes);
	assert_null(info->mi_notes->mn_next);
	freemxinfo(info);
}

static void
test_dns_facts_of_an_answer(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("alias.test", 0, 0, MX_OK);
	assert_string_equal(info->mi_qname, "alias.test");
	assert_string_equal(info->mi_cname, "one.test");
	assert_int_equal(info->mi_rcode, 0);
	assert_int_equal(info->mi_ttl, 50);
	assert_int_equal(info->mi_mx->mx_ttl, 50);
	freemxinfo(info);
	info = look_up("gone.test", 0, 0, MX_ENXDOMAIN);
	assert_int_equal(info->mi_rcode, 3);
	assert_int_not_equal(info->mi_ttl, UINT32_MAX);
	freemxinfo(info);
	info = look_up("fail.test", 0, 0, MX_ESERVFAIL);
	assert_int_equal(info->mi_rcode, 2);
	assert_int_equal(info->mi_ttl, UINT32_MAX);
	freemxinfo(info);
}

static void
test_dns_facts_of_an_address(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("cname.test", MXH_ADDRS, 0, MX_OK);
	assert_true(info->mi_mx->mx_flags & MXE_CNAME);
	assert_int_equal(info->mi_mx->mx_addrs->ma_ttl, 300);
	assert_int_equal(ntohs(((const struct sockaddr_in *)
	    (const void *)info->mi_mx->mx_addrs->ma_addr)->sin_port), 25);
	freemxinfo(info);
}

static void
test_dns_family(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	h.mh_servers = servers;
	h.mh_sources = "dns";
	h.mh_flags = MXH_ADDRS;
	h.mh_family = AF_INET;
	assert_int_equal(mx_lookup(&env, "one.test", &h, &info), MX_OK);
	assert_string_equal(routes(info), "10 a.test=192.0.2.1");
	freemxinfo(info);
	h.mh_family = AF_INET6;
	assert_int_equal(mx_lookup(&env, "a-only.test", &h, &info),
	    MX_ENOADDR);
	freemxinfo(info);
}

static void
test_dns_secure_as_the_caller_says(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("secure.test", 0, 1, MX_OK);
	assert_int_equal(info->mi_flags, MXI_SECURE);
	assert_int_equal(info->mi_mx->mx_flags, MXE_SECURE);
	freemxinfo(info);
	info = look_up("secure.test", 0, 2, MX_OK);
	assert_int_equal(info->mi_flags, 0);
	freemxinfo(info);
	info = look_up("secure-a.test", MXH_ADDRS, 1, MX_OK);
	assert_int_equal(info->mi_flags, MXI_IMPLICIT | MXI_SECURE);
	assert_int_equal(info->mi_mx->mx_addrs->ma_flags, MXA_SECURE);
	freemxinfo(info);
}

static void
test_dns_many_exchanges(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("sixty.test", MXH_ADDRS, 0, MX_OK);
	assert_int_equal(info->mi_count, 60);
	assert_false(info->mi_flags & MXI_PARTIAL);
	freemxinfo(info);
	info = look_up("many.test", 0, 0, MX_OK);
	assert_int_equal(info->mi_count, 100);
	assert_true(info->mi_flags & MXI_PARTIAL);
	freemxinfo(info);
}

static void
test_dns_mxresolve_one_by_one(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	h.mh_servers = servers;
	info = look_up("half.test", MXH_NORANDOM, 0, MX_OK);
	assert_null(info->mi_mx->mx_addrs);
	assert_int_equal(mxresolve(info, info->mi_mx, &h), MX_ENOADDR);
	assert_int_equal(mxresolve(info, info->mi_mx->mx_next, &h), MX_OK);
	assert_string_equal(routes(info),
	    "10 gone.test 20 b.test=192.0.2.2,192.0.2.3");
	freemxinfo(info);
}

/* An override that answers costs no query at all. */
static void
test_dns_is_not_asked_for_an_override(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[4200], asked[100];

	(void)state;
	(void)snprintf(sources, sizeof(sources), "files(%s) dns",
	    fake_text("mxhosts", "untouched.test 10 [192.0.2.1]\n"));
	h.mh_servers = servers;
	h.mh_sources = sources;
	h.mh_flags = MXH_ADDRS;
	assert_int_equal(mx_lookup(&env, "untouched.test", &h, &info),
	    MX_OK);
	freemxinfo(info);
	server_log(&srv, "untouched.test", asked, sizeof(asked));
	assert_string_equal(asked, "");
}

/* One deadline for the exchanges and the addresses of all of them. */
static void
test_dns_deadline_is_of_the_whole_lookup(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	int64_t start = mxdns_now(), ms;

	(void)state;
	h.mh_servers = servers;
	h.mh_sources = "dns";
	h.mh_flags = MXH_ADDRS;
	h.mh_timeout = 1500;
	assert_int_equal(mx_lookup(&env, "slow.test", &h, &info),
	    MX_EADDRAGAIN);
	ms = mxdns_now() - start;
	freemxinfo(info);
	/* Six queries that take up to 10 s each, and a busy machine. */
	assert_in_range(ms, 1000, 1500 + 5000);
}

static void
test_dns_takes_no_argument(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	h.mh_servers = servers;
	h.mh_sources = "dns(x)";
	assert_int_equal(mx_lookup(&env, "one.test", &h, &info), MX_ECONFIG);
	assert_string_equal(info->mi_text,
	    "source \"dns\" refuses its argument \"x\"");
	freemxinfo(info);
}

static int
setup(void **state)
{
	(void)state;
	server_start(&srv, script);
	server_addr(&srv, AF_INET, &address);
	env = fake_env;
	env.modules = mxmodule_builtin;
	env.now = mxdns_now;
	env.is_own = is_ours;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	server_stop(&srv);
	fake_clean();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_rows),
		cmocka_unit_test(test_dns_notes),
		cmocka_unit_test(test_dns_note_of_an_alias_is_given_once),
		cmocka_unit_test(test_dns_facts_of_an_answer),
		cmocka_unit_test(test_dns_facts_of_an_address),
		cmocka_unit_test(test_dns_family),
		cmocka_unit_test(test_dns_secure_as_the_caller_says),
		cmocka_unit_test(test_dns_many_exchanges),
		cmocka_unit_test(test_dns_mxresolve_one_by_one),
		cmocka_unit_test(test_dns_is_not_asked_for_an_override),
		cmocka_unit_test(test_dns_deadline_is_of_the_whole_lookup),
		cmocka_unit_test(test_dns_takes_no_argument)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
