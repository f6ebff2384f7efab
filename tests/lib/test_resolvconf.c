/* SPDX-License-Identifier: ISC */
/*
 * query.c with the servers of resolv.conf, in a network and mount namespace
 * of its own where the port 53 and /etc/resolv.conf are ours.  Skipped
 * where no namespace can be made.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mxres.h"
#include "netns.h"
#include "resconf.h"
#include "server.h"

static struct server srv;
static const char *why;		/* why there is no namespace */

/* Each "nameserver" line that is read comes by here. */
static _Thread_local unsigned int lines;
static time_t ahead;		/* how far time has been moved on, in s */

int __real_inet_pton(int, const char *, void *);
int __wrap_inet_pton(int, const char *, void *);
int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_inet_pton(int family, const char *text, void *addr)
{
	if (family == AF_INET)
		lines++;
	return __real_inet_pton(family, text, addr);
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (__real_clock_gettime(clock, ts) == -1)
		return -1;
	if (clock == CLOCK_REALTIME)
		ts->tv_sec += ahead;
	return 0;
}

static const char script[] =
    "d.test MX ad=1 MX 10 a.test\n"
    "vc.test MX MX 10 a.test\n"
    "tc.test MX tc MX 10 a.test\n"
    "a.test A A 192.0.2.1\n"
    "a.test AAAA AAAA 2001:db8::1\n"
    "d.evil.test MX MX 10 evil.test\n"
    "d.test.evil.test MX MX 10 evil.test\n"
    "alias.test MX MX 10 evil.test\n";

static int
start(void **state)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "192.0.2.53", NULL
	};

	(void)state;
	if ((why = netns_enter()) == NULL)
		server_start_on(&srv, script, addrs, 53);
	if (why != NULL)
		fprintf(stderr, "skipped: %s\n", why);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	if (why == NULL)
		server_stop(&srv);
	netns_leave();
	return 0;
}

static struct mxres_answer *
ask(const char *text, const char *options, const char *domain)
{
	struct mxres_ctx *ctx = mxres_new();
	struct mxres_answer *a;

	assert_non_null(ctx);
	assert_true(netns_resolvconf(text));
	if (options == NULL)
		unsetenv("RES_OPTIONS");
	else
		setenv("RES_OPTIONS", options, 1);
	(void)mxres_mx(ctx, domain, &a);
	assert_non_null(a);
	mxres_free(ctx);
	return a;
}

#define LO	"nameserver 127.0.0.1\n"
#define LO6	"nameserver ::1\n"
#define DEAD	"nameserver 127.0.0.9\n"
#define FOREIGN	"nameserver 192.0.2.53\n"
#define TRUST	"options trust-ad\n"

static void
test_resolvconf_rows(void **state)
{
	static const struct {
		const char	*name;
		const char	*conf;
		const char	*options;	/* RES_OPTIONS */
		const char	*server;
		bool		 secure;
	} rows[] = {
		{ "one server", LO, NULL, "127.0.0.1#53", true },
		{ "ipv6", LO6, NULL, "::1#53", true },
		{ "both", LO6 LO, NULL, "::1#53", true },
		{ "dead first", DEAD LO, NULL, "127.0.0.1#53", true },
		{ "dead first, then ipv6", DEAD LO6, NULL, "::1#53", true },
		{ "none: the host itself", "\n", NULL, "127.0.0.1#53", true },
		{ "foreign", FOREIGN, NULL, "192.0.2.53#53", false },
		{ "one of two foreign", LO FOREIGN, NULL, "127.0.0.1#53",
		    false },
		{ "foreign, trusted", FOREIGN TRUST, NULL, "192.0.2.53#53",
		    true },
		{ "foreign, trusted by the environment", FOREIGN, "trust-ad",
		    "192.0.2.53#53", false },
		{ "foreign, trusted by both", FOREIGN TRUST, "trust-ad",
		    "192.0.2.53#53", true },
		{ "foreign, trusted, other options", FOREIGN TRUST,
		    "timeout:2", "192.0.2.53#53", true }
	};
	struct mxres_answer *a;
	size_t i;

	(void)state;
	if (why != NULL)
		skip();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = ask(rows[i].conf, rows[i].options, "d.test");
		if (a->status != MXRES_OK || a->nmx != 1 ||
		    strcmp(a->server, rows[i].server) != 0 ||
		    a->flags != (rows[i].secure ? SECURE_BY_DEFAULT : 0))
			fail_msg("%s: %s by %s, flags %x", rows[i].name,
			    mxres_strerror(a->status), a->server, a->flags);
		mxres_answer_free(a);
	}
}

static void
test_resolvconf_dead_servers(void **state)
{
	struct mxres_answer *a;

	(void)state;
	if (why != NULL)
		skip();
	a = ask(DEAD, NULL, "d.test");
	assert_int_equal(a->status, MXRES_NOSERVER);
	assert_string_equal(a->server, "127.0.0.9#53");
	mxres_answer_free(a);
	/* no route at all */
	a = ask("nameserver 198.51.100.1\n", NULL, "d.test");
	assert_int_equal(a->status, MXRES_NOSERVER);
	mxres_answer_free(a);
}

static void
test_resolvconf_tcp_by_option(void **state)
{
	struct mxres_answer *a;
	char log[16];

	(void)state;
	if (why != NULL)
		skip();
	a = ask(LO "options use-vc\n", NULL, "vc.test");
	assert_int_equal(a->status, MXRES_OK);
	mxres_answer_free(a);
	server_log(&srv, "vc.test", log, sizeof(log));
	assert_string_equal(log, "t");
	a = ask(DEAD "options use-vc\n", NULL, "vc.test");
	assert_int_equal(a->status, MXRES_NOSERVER);
	mxres_answer_free(a);
}

/* What resolv.conf says of its servers says nothing of others. */
static void
test_resolvconf_trust_is_not_for_set_servers(void **state)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(53)
	};
	const struct sockaddr *list[] = { (struct sockaddr *)&sin };
	struct mxres_ctx *ctx;
	struct mxres_answer *a;

	(void)state;
	if (why != NULL)
		skip();
	ctx = mxres_new();
	assert_non_null(ctx);
	sin.sin_addr.s_addr = htonl(0xc0000235);
	assert_true(netns_resolvconf(FOREIGN TRUST));
	assert_int_equal(mxres_set_servers(ctx, list, 1), 0);
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_OK);
	assert_int_equal(a->flags, 0);
	mxres_answer_free(a);
	assert_int_equal(mxres_set_servers(ctx, NULL, 0), 0);
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_OK);
	assert_int_equal(a->flags, SECURE_BY_DEFAULT);
	mxres_answer_free(a);
	mxres_free(ctx);
}

/* What res_nsearch() would have done. */
static void
test_resolvconf_search_is_never_used(void **state)
{
	static const char text[] = LO "search evil.test\noptions ndots:5\n";
	char path[] = "/tmp/aliases.XXXXXX", log[16];
	struct mxres_answer *a;
	int fd = mkstemp(path);

	(void)state;
	if (why != NULL) {
		unlink(path);
		skip();
	}
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "d alias.test\n", 13), 13);
	close(fd);
	setenv("HOSTALIASES", path, 1);
	setenv("LOCALDOMAIN", "evil.test", 1);
	a = ask(text, NULL, "d");
	assert_int_equal(a->status, MXRES_NXDOMAIN);
	mxres_answer_free(a);
	a = ask(text, "ndots:15", "nowhere.test");
	assert_int_equal(a->status, MXRES_NXDOMAIN);
	mxres_answer_free(a);
	unsetenv("HOSTALIASES");
	unsetenv("LOCALDOMAIN");
	unlink(path);
	server_log(&srv, "d", log, sizeof(log));
	assert_string_equal(log, "u");
	server_log(&srv, "d.evil.test", log, sizeof(log));
	assert_string_equal(log, "");
	server_log(&srv, "alias.test", log, sizeof(log));
	assert_string_equal(log, "");
	server_log(&srv, "nowhere.test.evil.test", log, sizeof(log));
	assert_string_equal(log, "");
}

/* A context outlives changes of the file. */
static void
test_resolvconf_is_read_anew(void **state)
{
	struct mxres_ctx *ctx;
	struct mxres_answer *a;

	(void)state;
	if (why != NULL)
		skip();
	ctx = mxres_new();
	assert_non_null(ctx);
	assert_true(netns_resolvconf(LO));
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_OK);
	mxres_answer_free(a);
	assert_true(netns_resolvconf(LO6));
	assert_int_equal(mxres_mx(ctx, "tc.test", &a), MXRES_OK);
	assert_string_equal(a->server, "::1#53");
	mxres_answer_free(a);
	mxres_free(ctx);
}

/* The lines that it takes to learn what resolv.conf says. */
static unsigned int
load(struct mxres_resconf *conf)
{
	unsigned int before = lines;
	int error = 0;

	assert_int_equal(mxres_resconf_load(conf, &error), MXRES_OK);
	return lines - before;
}

static void *
load_in_thread(void *arg)
{
	struct mxres_resconf conf;

	(void)arg;
	return (void *)(uintptr_t)(load(&conf) * 10 + load(&conf));
}

static void
test_resolvconf_is_remembered(void **state)
{
	struct mxres_resconf conf;
	pthread_t thread;
	void *ret;

	(void)state;
	if (why != NULL)
		skip();
	unsetenv("RES_OPTIONS");
	ahead = 10;
	assert_true(netns_resolvconf(LO DEAD));
	assert_int_equal(load(&conf), 2);
	memset(&conf, 0xff, sizeof(conf));
	assert_int_equal(load(&conf), 0);
	assert_int_equal(conf.nserver, 2);
	assert_int_equal(conf.timeout, 5000);
	assert_false(conf.tcp);
	/* The environment is not the file's. */
	setenv("RES_OPTIONS", "timeout:7 use-vc", 1);
	assert_int_equal(load(&conf), 0);
	assert_int_equal(conf.timeout, 7000);
	assert_true(conf.tcp);
	unsetenv("RES_OPTIONS");
	assert_int_equal(load(&conf), 0);
	assert_int_equal(conf.timeout, 5000);
	assert_false(conf.tcp);
	/* Each thread has to learn it. */
	assert_int_equal(pthread_create(&thread, NULL, load_in_thread, NULL),
	    0);
	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_int_equal((uintptr_t)ret, 20);
	/* A change shows at once. */
	assert_true(netns_resolvconf(LO DEAD FOREIGN));
	assert_int_equal(load(&conf), 3);
	assert_int_equal(load(&conf), 0);
	assert_int_equal(conf.nserver, 3);
	ahead = 0;
}

/* What the next change would not show in is read each time. */
static void
test_resolvconf_is_not_remembered(void **state)
{
	struct mxres_resconf conf;

	(void)state;
	if (why != NULL)
		skip();
	assert_true(netns_resolvconf(LO));
	assert_int_equal(load(&conf), 1);
	assert_int_equal(load(&conf), 1);
	ahead = 10;
	assert_true(netns_resolvconf(LO "nameserver fe80::1%lo\n"));
	assert_int_equal(load(&conf), 2);
	assert_int_equal(load(&conf), 2);
	ahead = 0;
}

static void
test_resolvconf_addresses_with_no_aaaa(void **state)
{
	struct mxres_ctx *ctx;
	struct mxres_answer *a;

	(void)state;
	if (why != NULL)
		skip();
	ctx = mxres_new();
	assert_non_null(ctx);
	assert_true(netns_resolvconf(LO "options no-aaaa\n"));
	assert_int_equal(mxres_addr(ctx, "a.test", AF_UNSPEC, &a), MXRES_OK);
	assert_int_equal(a->naddr, 2);
	mxres_answer_free(a);
	mxres_free(ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolvconf_rows),
		cmocka_unit_test(test_resolvconf_dead_servers),
		cmocka_unit_test(test_resolvconf_tcp_by_option),
		cmocka_unit_test(test_resolvconf_trust_is_not_for_set_servers),
		cmocka_unit_test(test_resolvconf_search_is_never_used),
		cmocka_unit_test(test_resolvconf_is_read_anew),
		cmocka_unit_test(test_resolvconf_is_remembered),
		cmocka_unit_test(test_resolvconf_is_not_remembered),
		cmocka_unit_test(test_resolvconf_addresses_with_no_aaaa),
	};

	return cmocka_run_group_tests_name("resolvconf", tests, start, stop);
}
