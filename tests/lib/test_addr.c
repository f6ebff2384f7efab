/* SPDX-License-Identifier: ISC */
/*
 * addr.c: both families as one answer, whatever the server thinks of
 * either.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faults.h"
#include "mxres.h"
#include "server.h"

static const char script[] =
    "both.test A ttl=200 A 192.0.2.1 A 192.0.2.2\n"
    "both.test AAAA ttl=100 AAAA 2001:db8::1\n"
    "four.test A A 192.0.2.1\n"
    "six.test AAAA AAAA 2001:db8::1\n"
    "alias.test CNAME ttl=50 CNAME both.test\n"
    "neither.test TXT TXT x\n"
    "v6-denied.test A A 192.0.2.1\n"
    "v6-denied.test AAAA nxdomain\n"
    "v6-fails.test A A 192.0.2.1\n"
    "v6-fails.test AAAA servfail\n"
    "v6-malformed.test A A 192.0.2.1\n"
    "v6-malformed.test AAAA RAW AAAA 00\n"
    "v6-silent.test A A 192.0.2.1\n"
    "v6-silent.test AAAA silent\n"
    "doubt.test AAAA servfail\n"
    "doubt.test A refused\n"
    "half-doubt.test A servfail\n"
    "half-doubt.test AAAA\n"
    "loop.test A A 127.0.0.1\n"
    "loop.test AAAA AAAA ::1\n"
    "part.test A A 0.0.0.0 A 192.0.2.1\n"
    "part.test AAAA AAAA fe80::1 AAAA ff02::1\n"
    "secure.test A ad=1 A 192.0.2.1\n"
    "secure.test AAAA ad=1\n"
    "half-secure.test A ad=1 A 192.0.2.1\n"
    "half-secure.test AAAA AAAA 2001:db8::1\n";

#define BOTH "2001:db8::1 192.0.2.1 192.0.2.2"

static const struct {
	const char		*host;
	int			 family;
	enum mxres_status	 status;
	const char		*text;
	uint32_t		 ttl;
	uint32_t		 flags;
} rows[] = {
	{ "both.test", AF_UNSPEC, MXRES_OK, BOTH, 100, 0 },
	{ "both.test", AF_INET, MXRES_OK, "192.0.2.1 192.0.2.2", 200, 0 },
	{ "both.test", AF_INET6, MXRES_OK, "2001:db8::1", 100, 0 },
	{ "alias.test", AF_UNSPEC, MXRES_OK, BOTH, 50, MXRES_F_CNAME },
	{ "four.test", AF_UNSPEC, MXRES_OK, "192.0.2.1", 300, 0 },
	{ "four.test", AF_INET6, MXRES_NODATA, "", 60, 0 },
	{ "six.test", AF_UNSPEC, MXRES_OK, "2001:db8::1", 300, 0 },
	{ "six.test", AF_INET, MXRES_NODATA, "", 60, 0 },
	{ "neither.test", AF_UNSPEC, MXRES_NODATA, "", 60, 0 },
	{ "nowhere.test", AF_UNSPEC, MXRES_NXDOMAIN, "", 60, 0 },
	{ "nowhere.test", AF_INET, MXRES_NXDOMAIN, "", 60, 0 },
	{ "v6-denied.test", AF_UNSPEC, MXRES_OK, "192.0.2.1", 300, 0 },
	{ "v6-fails.test", AF_UNSPEC, MXRES_OK, "192.0.2.1", 300, 0 },
	{ "v6-malformed.test", AF_UNSPEC, MXRES_OK, "192.0.2.1 [1]", 300, 0 },
	{ "v6-silent.test", AF_UNSPEC, MXRES_OK, "192.0.2.1", 300, 0 },
	{ "doubt.test", AF_UNSPEC, MXRES_SERVFAIL, "", 0, 0 },
	{ "doubt.test", AF_INET, MXRES_REFUSED, "", 0, 0 },
	{ "half-doubt.test", AF_UNSPEC, MXRES_SERVFAIL, "", 0, 0 },
	{ "loop.test", AF_UNSPEC, MXRES_NODATA, "[7] [7]", 300, 0 },
	{ "part.test", AF_UNSPEC, MXRES_OK, "192.0.2.1 [7] [7] [7]", 300, 0 },
	{ "secure.test", AF_UNSPEC, MXRES_OK, "192.0.2.1", 300,
	    SECURE_BY_DEFAULT },
	{ "half-secure.test", AF_UNSPEC, MXRES_OK, "2001:db8::1 192.0.2.1",
	    300, 0 },
	{ "half-secure.test", AF_INET, MXRES_OK, "192.0.2.1", 300,
	    SECURE_BY_DEFAULT },
	{ "192.0.2.1", AF_UNSPEC, MXRES_BADNAME, "", 0, 0 }
};

static struct server srv;

static void
write_out(const struct mxres_answer *a, char *text, size_t size)
{
	char buf[INET6_ADDRSTRLEN];
	size_t i, n = 0;

	text[0] = '\0';
	for (i = 0; i < a->naddr; i++) {
		assert_non_null(inet_ntop(a->addr[i].family, a->addr[i].addr,
		    buf, sizeof(buf)));
		n += (size_t)snprintf(text + n, size - n, "%s%s",
		    n > 0 ? " " : "", buf);
	}
	for (i = 0; i < a->nnote; i++)
		n += (size_t)snprintf(text + n, size - n, "%s[%d]",
		    n > 0 ? " " : "", (int)a->note[i].kind);
}

static void
test_addr_rows(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 4000);
	enum mxres_status status;
	struct mxres_answer *a;
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status = mxres_addr(ctx, rows[i].host, rows[i].family, &a);
		assert_non_null(a);
		assert_int_equal(status, a->status);
		assert_int_equal(a->nmx, 0);
		write_out(a, text, sizeof(text));
		if (status != rows[i].status || a->ttl != rows[i].ttl ||
		    a->flags != rows[i].flags ||
		    strcmp(text, rows[i].text) != 0)
			fail_msg("%s (%d): %s: %s, ttl %u, flags %x",
			    rows[i].host, rows[i].family,
			    mxres_strerror(status), text, a->ttl, a->flags);
		mxres_answer_free(a);
	}
	mxres_free(ctx);
}

/* "AAAA ADDR..." or "A ADDR...", N of them. */
static void
put_addrs(FILE *fp, const char *name, const char *type, int n)
{
	int i;

	fprintf(fp, "%s %s", name, type);
	for (i = 1; i <= n; i++)
		fprintf(fp, strcmp(type, "A") == 0 ? " A 192.0.2.%d" :
		    " AAAA 2001:db8::%x", (unsigned int)i);
	fprintf(fp, "\n");
}

/* At most 20, and a wealth of one family leaves room for the other. */
static void
test_addr_caps(void **state)
{
	static const struct {
		int	six, four;	/* in DNS */
		int	keep6, keep4;
	} caps[] = {
		{ 20, 0, 20, 0 }, { 0, 20, 0, 20 }, { 21, 0, 20, 0 },
		{ 30, 30, 10, 10 }, { 30, 3, 17, 3 }, { 3, 30, 3, 17 },
		{ 10, 10, 10, 10 }, { 11, 10, 10, 10 }, { 12, 8, 12, 8 }
	};
	struct server many;
	struct mxres_ctx *ctx;
	struct mxres_answer *a;
	char name[32], *text = NULL;
	size_t size, i, j;
	FILE *fp = open_memstream(&text, &size);

	(void)state;
	assert_non_null(fp);
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		snprintf(name, sizeof(name), "n%zu.test", i);
		put_addrs(fp, name, "AAAA", caps[i].six);
		put_addrs(fp, name, "A", caps[i].four);
	}
	fclose(fp);
	server_start(&many, text);
	free(text);
	ctx = server_ctx(&many, AF_INET, 9000);
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		snprintf(name, sizeof(name), "n%zu.test", i);
		assert_int_equal(mxres_addr(ctx, name, AF_UNSPEC, &a),
		    MXRES_OK);
		assert_int_equal(a->naddr, caps[i].keep6 + caps[i].keep4);
		for (j = 0; j < a->naddr; j++)
			assert_int_equal(a->addr[j].family,
			    (int)j < caps[i].keep6 ? AF_INET6 : AF_INET);
		assert_int_equal((a->flags & MXRES_F_PARTIAL) != 0,
		    caps[i].six > caps[i].keep6 ||
		    caps[i].four > caps[i].keep4);
		mxres_answer_free(a);
	}
	mxres_free(ctx);
	server_stop(&many);
}

static void
test_addr_arguments(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;

	(void)state;
	assert_int_equal(mxres_addr(ctx, "a.test", AF_UNIX, &a), MXRES_INVAL);
	assert_null(a);
	assert_int_equal(mxres_addr(ctx, "a.test", AF_UNIX, NULL),
	    MXRES_INVAL);
	assert_int_equal(mxres_addr(NULL, "a.test", AF_INET, &a), MXRES_INVAL);
	assert_int_equal(mxres_addr(ctx, NULL, AF_INET, &a), MXRES_INVAL);
	assert_null(a);
	mxres_free(ctx);
}

static void
test_addr_without_memory(void **state)
{
	static const char *const hosts[] = {
		"both.test", "alias.test", "loop.test", "doubt.test"
	};
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;
	enum mxres_status status;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		for (n = 1;; n++) {
			faults_begin(n);
			status = mxres_addr(ctx, hosts[i], AF_UNSPEC, &a);
			if (!faults_end()) {
				assert_int_not_equal(status, MXRES_NOMEM);
				mxres_answer_free(a);
				break;
			}
			assert_int_equal(status, MXRES_NOMEM);
			assert_null(a);
		}
	mxres_free(ctx);
}

static int
start(void **state)
{
	(void)state;
	server_start(&srv, script);
	return setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&srv);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_rows),
		cmocka_unit_test(test_addr_caps),
		cmocka_unit_test(test_addr_arguments),
		cmocka_unit_test(test_addr_without_memory),
	};

	return cmocka_run_group_tests_name("addr", tests, start, stop);
}
