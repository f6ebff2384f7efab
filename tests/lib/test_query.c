/* SPDX-License-Identifier: ISC */
/*
 * query.c and net.c against servers that lose, cut, forge and delay.  Each
 * row is a domain with a behaviour of its own; all rows are asked at once,
 * a thread and a context each, over IPv4 and over IPv6, as silence takes
 * its time.
 */
#include "config.h"

#include "query.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mxres.h"
#include "server.h"
#include "net.h"

/* Over a deadline: a busy machine is no fault, a hang is one. */
#define SLACK	5000		/* ms */

struct row {
	const char		*name;		/* of the row and the domain */
	const char		*behaviour;
	int			 ms;		/* bound */
	enum mxres_status	 status;
	int			 rcode;
	size_t			 nmx;
	const char		*log;		/* see server_log() */
};

static const struct row rows[] = {
	{ "good", "MX 10 a.test", 9000, MXRES_OK, 0, 1, "u" },
	{ "nodata", "", 9000, MXRES_NODATA, 0, 0, "u" },
	{ "nxdomain", "nxdomain", 9000, MXRES_NXDOMAIN, 3, 0, "u" },
	{ "late", "delay=200 MX 10 a.test", 9000, MXRES_OK, 0, 1, "u" },
	{ "rubbish", "rubbish=4 MX 10 a.test", 9000, MXRES_OK, 0, 1, "u" },
	{ "fifty", "gen=50", 9000, MXRES_OK, 0, 50, "u" },

	/* truncation */
	{ "sixty", "gen=60", 9000, MXRES_OK, 0, 60, "ut" },
	{ "22kb", "gen=1050", 9000, MXRES_OK, 0, 100, "ut" },
	{ "full", "gen=2600", 9000, MXRES_OK, 0, 100, "ut" },
	{ "tc", "tc MX 10 a.test", 9000, MXRES_OK, 0, 1, "ut" },
	{ "tc-late", "tc delay=200 MX 10 a.test", 9000, MXRES_OK, 0, 1, "ut" },
	{ "tc-nxdomain", "tc nxdomain", 9000, MXRES_NXDOMAIN, 3, 0, "ut" },
	{ "tc-servfail", "tc servfail", 9000, MXRES_SERVFAIL, 2, 0, "u" },
	{ "oversize", "rubbish=5000 MX 10 a.test", 9000, MXRES_OK, 0, 1,
	    "ut" },
	{ "oversize-error", "rubbish=5000 servfail", 9000, MXRES_SERVFAIL, 2,
	    0, "ut" },
	{ "oversize-only", "rubbish=5000 tcp=close MX 10 a.test", 9000,
	    MXRES_BADRESP, -1, 0, "ut" },
	{ "tc-twice", "tc tcall MX 10 a.test", 9000, MXRES_BADRESP, 0, 0,
	    "ut" },
	{ "tcp-silent", "tc tcp=silent MX 10 a.test", 1000, MXRES_TIMEOUT,
	    -1, 0, "ut" },
	{ "tcp-drip", "tc tcp=drip MX 10 a.test", 1000, MXRES_TIMEOUT, -1, 0,
	    "ut" },
	{ "tcp-close", "tc tcp=close MX 10 a.test", 9000, MXRES_BADRESP, -1,
	    0, "ut" },
	{ "tcp-reset", "tc tcp=reset MX 10 a.test", 9000, MXRES_BADRESP, -1,
	    0, "ut" },
	{ "tcp-half", "tc tcp=half MX 10 a.test", 9000, MXRES_BADRESP, -1, 0,
	    "ut" },
	{ "tcp-long", "tc tcp=long MX 10 a.test", 1000, MXRES_TIMEOUT, -1, 0,
	    "ut" },
	{ "tcp-short", "tc tcp=short MX 10 a.test", 9000, MXRES_BADRESP, 0, 0,
	    "ut" },
	{ "tcp-zero", "tc tcp=zero MX 10 a.test", 9000, MXRES_BADRESP, -1, 0,
	    "ut" },
	{ "tcp-garbage", "tc tcp=garbage MX 10 a.test", 9000, MXRES_BADRESP,
	    -1, 0, "ut" },
	{ "tcp-wrong-id", "tc tcp=wrongid MX 10 a.test", 9000, MXRES_BADRESP,
	    -1, 0, "ut" },

	/* silence and forgery */
	{ "silent", "silent", 2000, MXRES_TIMEOUT, -1, 0, "uu" },
	{ "short-time", "silent", 100, MXRES_TIMEOUT, -1, 0, "u" },
	{ "first-lost", "drop=1 MX 10 a.test", 9000, MXRES_OK, 0, 1, "uu" },
	{ "wrong-id", "wrongid MX 10 a.test", 1000, MXRES_TIMEOUT, -1, 0,
	    "u" },
	{ "wrong-question", "wrongq MX 10 a.test", 1000, MXRES_TIMEOUT, -1, 0,
	    "u" },
	{ "no-question", "noq MX 10 a.test", 1000, MXRES_TIMEOUT, -1, 0,
	    "u" },

	/* failures, all temporary, none asked twice */
	{ "servfail", "servfail", 9000, MXRES_SERVFAIL, 2, 0, "u" },
	{ "notimp", "rcode=4", 9000, MXRES_REFUSED, 4, 0, "u" },
	{ "refused", "refused", 9000, MXRES_REFUSED, 5, 0, "u" },
	{ "refused-bare", "refused noq", 1000, MXRES_REFUSED, 5, 0, "u" },
	{ "rcode15", "rcode=15", 9000, MXRES_REFUSED, 15, 0, "u" },
	{ "badvers", "extrcode=1", 9000, MXRES_REFUSED, 0, 0, "u" },
	{ "lame-edns", "lame", 9000, MXRES_BADRESP, 0, 0, "u" },
	{ "lame-noopt", "lame noopt", 9000, MXRES_BADRESP, 0, 0, "u" },
	{ "cut-in-answer", "cut=60 MX 10 a.test MX 20 b.test", 9000,
	    MXRES_BADRESP, 0, 0, "u" },
	{ "cname-loop", "CNAME cname-loop.test", 9000, MXRES_BADRESP, 0, 0,
	    "u" },
	{ "malformed", "RAW MX 00", 9000, MXRES_BADRESP, 0, 0, "u" },

	/* older than EDNS */
	{ "no-edns", "formerr-edns MX 10 a.test", 9000, MXRES_OK, 0, 1, "uu" },
	{ "formerr", "rcode=1", 9000, MXRES_REFUSED, 1, 0, "uu" },
	{ "formerr-bare", "rcode=1 noq", 2000, MXRES_REFUSED, 1, 0, "uu" },
	{ "edns-ignored", "noopt MX 10 a.test", 9000, MXRES_OK, 0, 1, "u" }
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* One row under way. */
struct run {
	pthread_t		 thread;
	struct mxres_ctx	*ctx;
	char			 domain[64];
	struct mxres_answer	*answer;
	int64_t			 ms;		/* that it took */
};

static char *
make_script(void)
{
	char *text = NULL;
	size_t size, i;
	FILE *fp = open_memstream(&text, &size);

	assert_non_null(fp);
	for (i = 0; i < NROWS; i++)
		fprintf(fp, "%s.test MX %s\n", rows[i].name,
		    rows[i].behaviour);
	assert_int_equal(fclose(fp), 0);
	return text;
}

static void *
run_row(void *arg)
{
	struct run *run = arg;
	int64_t start = mxres_now();

	(void)mxres_mx(run->ctx, run->domain, &run->answer);
	run->ms = mxres_now() - start;
	return NULL;
}

static void
check_row(const struct row *row, const struct run *run,
    const struct server *srv)
{
	const struct mxres_answer *a = run->answer;
	char log[64], want[64];

	assert_non_null(a);
	server_log(srv, run->domain, log, sizeof(log));
	if (a->status != row->status || a->rcode != row->rcode ||
	    a->nmx != row->nmx || strcmp(log, row->log) != 0)
		fail_msg("%s: %s, rcode %d, %zu exchanges, queries %s",
		    row->name, mxres_strerror(a->status), a->rcode, a->nmx,
		    log);
	snprintf(want, sizeof(want), "#%d", srv->port);
	assert_non_null(strstr(a->server, want));
	if (run->ms > row->ms + SLACK)
		fail_msg("%s: %lld ms", row->name, (long long)run->ms);
}

static void
run_rows(int family)
{
	static struct run runs[NROWS];
	struct server srv;
	char *script = make_script();
	size_t i;

	server_start(&srv, script);
	free(script);
	for (i = 0; i < NROWS; i++) {
		runs[i].ctx = server_ctx(&srv, family, rows[i].ms);
		snprintf(runs[i].domain, sizeof(runs[i].domain), "%s.test",
		    rows[i].name);
		assert_int_equal(pthread_create(&runs[i].thread, NULL,
		    run_row, &runs[i]), 0);
	}
	for (i = 0; i < NROWS; i++)
		assert_int_equal(pthread_join(runs[i].thread, NULL), 0);
	for (i = 0; i < NROWS; i++) {
		check_row(&rows[i], &runs[i], &srv);
		mxres_answer_free(runs[i].answer);
		mxres_free(runs[i].ctx);
	}
	server_stop(&srv);
}

static void
test_query_rows_ipv4(void **state)
{
	(void)state;
	run_rows(AF_INET);
}

static bool
has_ipv6(void)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), r;

	if (fd == -1)
		return false;
	r = bind(fd, (struct sockaddr *)(void *)&sa, sizeof(sa));
	close(fd);
	return r == 0;
}

static void
test_query_rows_ipv6(void **state)
{
	(void)state;
	if (!has_ipv6())
		skip();
	run_rows(AF_INET6);
}

/* A port of 127.0.0.1 where nobody listens. */
static void
dead_addr(struct sockaddr_in6 *sa)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)sa;
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(sa, 0, sizeof(*sa));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)sin, sizeof(*sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	close(fd);
}

static void
set_two(struct mxres_ctx *ctx, struct sockaddr_in6 *one,
    struct sockaddr_in6 *two)
{
	const struct sockaddr *list[] = {
		(struct sockaddr *)(void *)one, (struct sockaddr *)(void *)two
	};

	assert_int_equal(mxres_set_servers(ctx, list, 2), 0);
}

/* Whatever is wrong with the first server, the second one is asked. */
static void
test_query_goes_to_the_next_server(void **state)
{
	static const struct {
		const char	*behaviour;	/* of the first */
		const char	*log;		/* of its queries */
	} bad[] = {
		{ "servfail", "u" }, { "refused", "u" }, { "lame", "u" },
		{ "silent", "u" }, { "RAW MX 00", "u" },
		{ "tc tcp=close MX 1 x.test", "ut" }, { "rcode=1", "uu" },
		{ "cut=60 MX 1 x.test MX 2 y.test", "u" }
	};
	struct server first, second;
	struct sockaddr_in6 sa1, sa2;
	struct mxres_ctx *ctx;
	struct mxres_answer *a;
	char script[128], log[16], want[64];
	size_t i;

	(void)state;
	server_start(&second, "d.test MX MX 10 a.test\n");
	server_addr(&second, AF_INET, &sa2);
	snprintf(want, sizeof(want), "127.0.0.1#%d", second.port);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(script, sizeof(script), "d.test MX %s\n",
		    bad[i].behaviour);
		server_start(&first, script);
		server_addr(&first, AF_INET, &sa1);
		ctx = server_ctx(&first, AF_INET, 9000);
		set_two(ctx, &sa1, &sa2);
		if (mxres_mx(ctx, "d.test", &a) != MXRES_OK)
			fail_msg("%s: %s", bad[i].behaviour,
			    mxres_strerror(a->status));
		assert_string_equal(a->mx[0].host, "a.test");
		assert_int_equal(a->nnote, 0);
		assert_string_equal(a->server, want);
		server_log(&first, "d.test", log, sizeof(log));
		assert_string_equal(log, bad[i].log);
		mxres_answer_free(a);
		mxres_free(ctx);
		server_stop(&first);
	}
	server_stop(&second);
}

static void
test_query_dead_server_then_good(void **state)
{
	struct server srv;
	struct sockaddr_in6 dead, good;
	struct mxres_ctx *ctx;
	struct mxres_answer *a;

	(void)state;
	server_start(&srv, "d.test MX MX 10 a.test\nf.test MX servfail\n");
	server_addr(&srv, AF_INET, &good);
	dead_addr(&dead);
	ctx = server_ctx(&srv, AF_INET, 9000);
	set_two(ctx, &dead, &good);
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_OK);
	mxres_answer_free(a);

	/* Of two failures the one that tells more is reported. */
	assert_int_equal(mxres_mx(ctx, "f.test", &a), MXRES_SERVFAIL);
	mxres_answer_free(a);
	set_two(ctx, &good, &dead);
	assert_int_equal(mxres_mx(ctx, "f.test", &a), MXRES_SERVFAIL);
	assert_int_equal(a->rcode, 2);
	assert_int_equal(a->error, 0);
	mxres_answer_free(a);

	set_two(ctx, &dead, &dead);
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_NOSERVER);
	assert_int_equal(a->rcode, -1);
	assert_int_equal(a->error, ECONNREFUSED);
	mxres_answer_free(a);
	mxres_free(ctx);
	server_stop(&srv);
}

/*
 * What the first server said is not taken for a reply of the second, which
 * is silent at first and so is asked again.
 */
static void
test_query_replies_are_not_mixed_up(void **state)
{
	struct server first, second;
	struct sockaddr_in6 sa1, sa2;
	struct mxres_ctx *ctx;
	struct mxres_answer *a;
	char log[16];

	(void)state;
	server_start(&first, "d.test MX servfail\n");
	server_start(&second, "d.test MX drop=1 MX 10 a.test\n");
	server_addr(&first, AF_INET, &sa1);
	server_addr(&second, AF_INET, &sa2);
	ctx = server_ctx(&first, AF_INET, 9000);
	set_two(ctx, &sa1, &sa2);
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_OK);
	mxres_answer_free(a);
	mxres_free(ctx);
	server_log(&first, "d.test", log, sizeof(log));
	assert_string_equal(log, "u");
	server_log(&second, "d.test", log, sizeof(log));
	assert_string_equal(log, "uu");
	server_stop(&first);
	server_stop(&second);
}

/*
 * A name server that says over UDP to come over TCP, where it cannot be
 * reached: its queue of connections is full, so that SYNs are swallowed as a
 * firewall does it.
 */
struct swallower {
	int		 udp, tcp, filler[8];
	struct sockaddr_in sa;
	pthread_t	 thread;
};

static void *
say_truncated(void *arg)
{
	const struct swallower *s = arg;
	struct sockaddr_in from;
	socklen_t fromlen;
	uint8_t buf[512];
	ssize_t n;

	for (;;) {
		fromlen = sizeof(from);
		n = recvfrom(s->udp, buf, sizeof(buf), 0,
		    (struct sockaddr *)(void *)&from, &fromlen);
		if (n < 12)		/* the end */
			return NULL;
		buf[2] |= 0x82;		/* QR, TC */
		buf[3] = 0x80;		/* RA */
		(void)sendto(s->udp, buf, (size_t)n, 0,
		    (struct sockaddr *)(void *)&from, fromlen);
	}
}

static bool
is_swallowed(const struct swallower *s, int *fd)
{
	struct pollfd pfd = { .events = POLLOUT };

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_not_equal(*fd, -1);
	assert_int_equal(connect(*fd, (const struct sockaddr *)
	    (const void *)&s->sa, sizeof(s->sa)), -1);
	assert_int_equal(errno, EINPROGRESS);
	pfd.fd = *fd;
	return poll(&pfd, 1, 300) == 0;
}

static void
swallower_start(struct swallower *s)
{
	socklen_t len = sizeof(s->sa);
	struct sockaddr *sa = (struct sockaddr *)(void *)&s->sa;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->sa.sin_family = AF_INET;
	s->sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->udp = socket(AF_INET, SOCK_DGRAM, 0);
	s->tcp = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->tcp, sa, len), 0);
	assert_int_equal(getsockname(s->tcp, sa, &len), 0);
	assert_int_equal(bind(s->udp, sa, len), 0);
	assert_int_equal(listen(s->tcp, 0), 0);
	for (i = 0; !is_swallowed(s, &s->filler[i]); i++)
		assert_true(i < 7);
	assert_int_equal(pthread_create(&s->thread, NULL, say_truncated, s),
	    0);
}

static void
swallower_stop(struct swallower *s)
{
	size_t i;

	assert_int_equal(sendto(s->udp, "", 1, 0,
	    (struct sockaddr *)(void *)&s->sa, sizeof(s->sa)), 1);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	for (i = 0; i < 8 && s->filler[i] > 0; i++)
		close(s->filler[i]);
	close(s->tcp);
	close(s->udp);
}

static void
test_query_tcp_that_is_swallowed(void **state)
{
	struct swallower s;
	const struct sockaddr *list[] = {
		(const struct sockaddr *)(const void *)&s.sa
	};
	struct mxres_ctx *ctx = mxres_new();
	struct mxres_answer *a;
	int64_t start, ms;

	(void)state;
	assert_non_null(ctx);
	swallower_start(&s);
	assert_int_equal(mxres_set_servers(ctx, list, 1), 0);
	mxres_set_timeout(ctx, 1500);
	start = mxres_now();
	assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_TIMEOUT);
	ms = mxres_now() - start;
	/* The kernel would try for two minutes. */
	assert_in_range(ms, 1000, 1500 + SLACK);
	mxres_answer_free(a);
	mxres_free(ctx);
	swallower_stop(&s);
}

static void
test_set_servers_arguments(void **state)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	struct sockaddr bad = { .sa_family = AF_UNIX };
	const struct sockaddr *list[17];
	struct mxres_ctx *ctx = mxres_new();
	size_t i;

	(void)state;
	assert_non_null(ctx);
	for (i = 0; i < 17; i++)
		list[i] = (struct sockaddr *)(void *)&sa;
	assert_int_equal(mxres_set_servers(ctx, list, 16), 0);
	assert_int_equal(mxres_set_servers(ctx, list, 17), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(mxres_set_servers(ctx, NULL, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(mxres_set_servers(NULL, list, 1), -1);
	list[1] = &bad;
	assert_int_equal(mxres_set_servers(ctx, list, 2), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	assert_int_equal(mxres_set_servers(ctx, NULL, 0), 0);
	mxres_free(ctx);
	mxres_free(NULL);
}

static uint32_t
flags_of(struct mxres_ctx *ctx, const char *domain)
{
	struct mxres_answer *a;
	uint32_t flags;

	(void)mxres_mx(ctx, domain, &a);
	assert_non_null(a);
	flags = a->flags;
	mxres_answer_free(a);
	return flags;
}

/*
 * AD is believed from loopback servers, or when the caller says so.  The
 * second server of the list, a foreign one, is never asked here.
 */
static void
test_query_ad(void **state)
{
	struct server srv;
	struct sockaddr_in6 sa, foreign;
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)&foreign;
	struct mxres_ctx *ctx;

	(void)state;
	server_start(&srv, "d.test MX ad=1 MX 10 a.test\n"
	    "n.test MX ad=1 nxdomain\nplain.test MX MX 10 a.test\n"
	    "f.test MX ad=1 servfail\n");
	server_addr(&srv, AF_INET, &sa);
	memset(&foreign, 0, sizeof(foreign));
	sin->sin_family = AF_INET;
	sin->sin_port = htons(53);
	sin->sin_addr.s_addr = htonl(0xc0000201);
	ctx = server_ctx(&srv, AF_INET, 9000);
	assert_int_equal(flags_of(ctx, "d.test"), SECURE_BY_DEFAULT);
	assert_int_equal(flags_of(ctx, "n.test"), SECURE_BY_DEFAULT);
	assert_int_equal(flags_of(ctx, "plain.test"), 0);
	assert_int_equal(flags_of(ctx, "f.test"), 0);
	mxres_set_dnssec(ctx, MXRES_DNSSEC_OFF);
	assert_int_equal(flags_of(ctx, "d.test"), 0);
	mxres_set_dnssec(ctx, MXRES_DNSSEC_AUTO);
	set_two(ctx, &sa, &foreign);
	assert_int_equal(flags_of(ctx, "d.test"), 0);
	assert_int_equal(setenv("RES_OPTIONS",
	    "trust-ad timeout:1 attempts:2", 1), 0);
	assert_int_equal(flags_of(ctx, "d.test"), 0);
	mxres_set_dnssec(ctx, MXRES_DNSSEC_TRUST);
	assert_int_equal(flags_of(ctx, "d.test"), MXRES_F_SECURE);
	assert_int_equal(flags_of(ctx, "plain.test"), 0);
	assert_int_equal(setenv("RES_OPTIONS", "timeout:1 attempts:2", 1), 0);
	mxres_free(ctx);
	server_stop(&srv);
}

/* A context serves any number of lookups, good and bad by turns. */
static void
test_query_context_is_reused(void **state)
{
	struct server srv;
	struct mxres_ctx *ctx;
	struct mxres_answer *a;
	int i;

	(void)state;
	server_start(&srv, "d.test MX MX 10 a.test\nf.test MX servfail\n");
	ctx = server_ctx(&srv, AF_INET, 9000);
	for (i = 0; i < 200; i++) {
		assert_int_equal(mxres_mx(ctx, "d.test", &a), MXRES_OK);
		mxres_answer_free(a);
		assert_int_equal(mxres_mx(ctx, "f.test", &a), MXRES_SERVFAIL);
		mxres_answer_free(a);
	}
	mxres_free(ctx);
	server_stop(&srv);
}

static int
set_options(void **state)
{
	(void)state;
	return setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_rows_ipv4),
		cmocka_unit_test(test_query_rows_ipv6),
		cmocka_unit_test(test_query_goes_to_the_next_server),
		cmocka_unit_test(test_query_dead_server_then_good),
		cmocka_unit_test(test_query_replies_are_not_mixed_up),
		cmocka_unit_test(test_query_ad),
		cmocka_unit_test(test_query_context_is_reused),
		cmocka_unit_test(test_query_tcp_that_is_swallowed),
		cmocka_unit_test(test_set_servers_arguments),
	};

	return cmocka_run_group_tests_name("query", tests, set_options, NULL);
}
