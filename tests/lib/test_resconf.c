/* SPDX-License-Identifier: ISC */
/*
 * resconf.c: the text of a resolv.conf.  Whole lookups with the servers of
 * that file are in test_resolvconf.c.
 */
#include "config.h"

#include "resconf.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
read_text(const char *text, struct mxres_resconf *conf)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	mxres_resconf_read(copy, conf);
	free(copy);
}

/* "SERVER#PORT[%SCOPE]... timeout=MS attempts=N [rotate] [tcp] [trust]" */
static void
write_out(const struct mxres_resconf *conf, char *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	const union mxres_server *srv;
	const void *addr;
	size_t i, n = 0;

	for (i = 0; i < conf->nserver; i++) {
		srv = &conf->server[i];
		addr = srv->sa.sa_family == AF_INET ?
		    (const void *)&srv->sin.sin_addr : &srv->sin6.sin6_addr;
		assert_non_null(inet_ntop(srv->sa.sa_family, addr, text,
		    sizeof(text)));
		n += (size_t)snprintf(buf + n, size - n, "%s#%d%s ", text,
		    ntohs(srv->sa.sa_family == AF_INET ? srv->sin.sin_port :
		    srv->sin6.sin6_port), srv->sa.sa_family == AF_INET6 &&
		    srv->sin6.sin6_scope_id != 0 ? "%" : "");
	}
	snprintf(buf + n, size - n, "timeout=%d attempts=%d%s%s%s",
	    conf->timeout, conf->attempts, conf->rotate ? " rotate" : "",
	    conf->tcp ? " tcp" : "", conf->trust ? " trust" : "");
}

#define LO	"127.0.0.1#53 "
#define REST	"timeout=5000 attempts=2"

static void
test_resconf_rows(void **state)
{
	static const struct {
		const char	*text;
		const char	*want;
	} rows[] = {
		{ "", LO REST },
		{ "\n\n", LO REST },
		{ "nameserver 192.0.2.1\n", "192.0.2.1#53 " REST },
		{ "nameserver 192.0.2.1", "192.0.2.1#53 " REST },
		{ "nameserver\t192.0.2.1 # text\r\n", "192.0.2.1#53 " REST },
		{ "nameserver 2001:db8::1\nnameserver 192.0.2.2\n",
		    "2001:db8::1#53 192.0.2.2#53 " REST },
		{ "nameserver fe80::1%lo\n", "fe80::1#53% " REST },
		{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
		    "nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		    "192.0.2.1#53 192.0.2.2#53 192.0.2.3#53 " REST },
		{ "nameserver ns.test\nnameserver\nnameserver 192.0.2.1\n",
		    "192.0.2.1#53 " REST },
		{ "# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n", LO REST },
		{ " nameserver 192.0.2.1\n", LO REST },
		{ "nameservers 192.0.2.1\n", LO REST },
		{ "search evil.test\ndomain evil.test\nsortlist 0\n",
		    LO REST },

		{ "options timeout:3 attempts:4\n",
		    LO "timeout=3000 attempts=4" },
		{ "options timeout:0 attempts:0\n",
		    LO "timeout=1000 attempts=1" },
		{ "options timeout:999 attempts:999\n",
		    LO "timeout=30000 attempts=5" },
		{ "options timeout: attempts:x timeout:-1 timeout:9x\n",
		    LO REST },
		{ "options timeout:99999999999999999999\n", LO REST },
		{ "options rotate use-vc\n", LO REST " rotate tcp" },
		{ "options usevc\noptions rotate\n", LO REST " rotate tcp" },
		{ "options rotated no-aaaa ndots:5 edns0\n", LO REST },

		{ "options trust-ad\n", LO REST " trust" },
		{ "options trust-ad", LO REST " trust" },
		{ "nameserver 192.0.2.1\noptions edns0 trust-ad\n",
		    "192.0.2.1#53 " REST " trust" },
		{ "options\ttimeout:1\ttrust-ad timeout:2\n",
		    LO "timeout=2000 attempts=2 trust" },
		{ "options edns0\noptions trust-ad\n", LO REST " trust" },
		{ "options\n", LO REST },
		{ "options trust-adx\n", LO REST },
		{ "options xtrust-ad\n", LO REST },
		{ "# options trust-ad\n", LO REST },
		{ "; options trust-ad\n", LO REST },
		{ "optionstrust-ad\n", LO REST },
		{ "search trust-ad\n", LO REST }
	};
	struct mxres_resconf conf;
	char got[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_text(rows[i].text, &conf);
		write_out(&conf, got, sizeof(got));
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("\"%s\":\n  got  %s\n  want %s",
			    rows[i].text, got, rows[i].want);
	}
}

static void
test_resconf_load(void **state)
{
	struct mxres_resconf conf;
	int error = 0;
	bool trust;

	(void)state;
	assert_int_equal(mxres_resconf_load(&conf, &error), MXRES_OK);
	assert_true(conf.nserver > 0);
	assert_in_range(conf.timeout, 1000, 30000);
	assert_in_range(conf.attempts, 1, 5);
	/* The environment comes after the file, but for trust-ad. */
	assert_int_equal(setenv("RES_OPTIONS",
	    "timeout:7 attempts:3 trust-ad", 1), 0);
	trust = conf.trust;
	assert_int_equal(mxres_resconf_load(&conf, &error), MXRES_OK);
	assert_int_equal(conf.timeout, 7000);
	assert_int_equal(conf.attempts, 3);
	assert_int_equal(conf.trust, trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resconf_rows),
		cmocka_unit_test(test_resconf_load),
	};

	return cmocka_run_group_tests_name("resconf", tests, NULL, NULL);
}
