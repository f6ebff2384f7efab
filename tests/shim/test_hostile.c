/* SPDX-License-Identifier: ISC */
/*
 * Hostile and broken servers, forty rows of them: what a server does, and what
 * becomes of the mail.  Everything is real from deliver.c down to the socket;
 * only the route is made up: tests/tools/fakemx plays the row on the first
 * host, and an honest one is the second.  Each row is run in clear text and
 * through TLS, for one recipient and for three; its number is in the name of
 * the test.
 *
 * A row whose place is elsewhere names the file and a text in it; a number
 * without a row, or without that text, fails.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "certs.h"
#include "run/deliver.h"
#include "run/route.h"

#define NROWS	40
#define LONG	30000		/* ms; never waited for */
#define SHORT	200		/* ms; waited for */
#define SMALL	1000
#define BIG	(6 * 1024 * 1024)

/* --- the rows ------------------------------------------------------------- */

/* What runs out of time. */
enum wait { NOTHING, REPLY, DATA };

static const struct row {
	int		 number;
	const char	*does;
	/* what fakemx does in clear text, and through TLS; NULL: the same */
	const char	*script, *tls;
	/*
	 * Of each recipient: 's' the server has it; 'n' the next host has it;
	 * 'p' returned; 'w' kept.  NULL: all three fare like the one.
	 */
	const char	*one, *three;
	enum wait	 wait;
	bool		 big;
} rows[] = {
	{ 1, "says nothing", "connect: silence", "ehlo @tls: silence",
	    "n", NULL, REPLY, false },
	{ 2, "an endless banner", "connect: endless 220-hi\\r\\n",
	    "ehlo @tls: endless 250-hi\\r\\n", "n", NULL, NOTHING, false },
	{ 2, "an endless line", "connect: endless 220",
	    "ehlo @tls: endless 250", "n", NULL, NOTHING, false },
	{ 3, "drips", "connect: drip 20 220-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "ehlo @tls: drip 20 250-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "n", NULL, REPLY, false },
	{ 4, "554 as a banner", "connect: reply 554 no", NULL,
	    "n", NULL, NOTHING, false },
	{ 4, "521 as a banner", "connect: reply 521 5.3.2 none", NULL,
	    "n", NULL, NOTHING, false },
	{ 5, "a banner of one digit", "connect: raw 2\\r\\n",
	    "mail * @tls: raw 2\\r\\n", "n", NULL, NOTHING, false },
	{ 5, "a banner of two digits", "connect: raw 22\\r\\n",
	    "mail * @tls: raw 22\\r\\n", "n", NULL, NOTHING, false },
	{ 5, "a banner of four digits", "connect: raw 2200\\r\\n",
	    "mail * @tls: raw 2200\\r\\n", "n", NULL, NOTHING, false },
	{ 5, "a banner after a blank", "connect: raw \\x20220\\r\\n",
	    "mail * @tls: raw \\x20250\\r\\n", "n", NULL, NOTHING, false },
	{ 5, "a banner with a letter", "connect: raw 220x\\r\\n",
	    "mail * @tls: raw 250x\\r\\n", "n", NULL, NOTHING, false },
	{ 5, "an empty banner", "connect: raw \\r\\n",
	    "mail * @tls: raw \\r\\n", "n", NULL, NOTHING, false },
	{ 6, "bare LF", "mail *: raw 250-a\\n250 b\\n", NULL,
	    "s", NULL, NOTHING, false },
	{ 7, "CR, NUL, 8 bit and escapes in a refusal", "rcpt *: "
	    "raw 550 \\r\\0\\x1b[2J\\xff\\r\\n", NULL, "p", NULL, NOTHING,
	    false },
	{ 8, "another code in the continuation", "mail *: "
	    "raw 250-a\\r\\n550 b\\r\\n", NULL, "n", NULL, NOTHING, false },
	{ 9, "a reply for ever", "mail *: endless 250-hi\\r\\n", NULL,
	    "n", NULL, NOTHING, false },
	{ 10, "odd keywords", "ehlo @clear: reply 250-mx\\n250-\\n250-X y z\\n"
	    "250-pipelining \\n250-PIPELINING\\n250-SIZE x\\n250 starttls\n"
	    "ehlo @tls: reply 250-mx\\n250-\\n250-X y z\\n250-pipelining \\n"
	    "250 SIZE x", NULL, "s", NULL, NOTHING, false },
	{ 11, "other keywords after TLS", "ehlo: reply 250-mx\\n250 8BITMIME",
	    "ehlo @clear: reply 250-mx\\n250-SIZE 1\\n250 STARTTLS\n"
	    "ehlo @tls: reply 250-mx\\n250-STARTTLS\\n250 SIZE 9999999",
	    "s", NULL, NOTHING, false },
	{ 12, "a reply injected before TLS", "ehlo: reply 250 mx",
	    "starttls: reply 220 go\\n250 injected | tls", "s", "sss",
	    NOTHING, false },
	{ 13, "454 to STARTTLS", "starttls: reply 454 not now", NULL,
	    "s", NULL, NOTHING, false },
	{ 13, "501 to STARTTLS", "starttls: reply 501 no", NULL,
	    "s", NULL, NOTHING, false },
	{ 13, "502 to STARTTLS", "starttls: reply 502 no", NULL,
	    "s", NULL, NOTHING, false },
	{ 14, "garbage instead of TLS", "starttls: reply 220 go | "
	    "raw garbage\\r\\n | silence", NULL, "s", NULL, NOTHING, false },
	{ 14, "a TLS alert", "starttls: reply 220 go | "
	    "raw \\x15\\x03\\x03\\0\\x02\\x02\\x28 | silence", NULL, "s", NULL,
	    NOTHING, false },
	{ 14, "a handshake that stalls", "starttls x1: reply 220 go | silence",
	    NULL, "s", NULL, REPLY, false },
	{ 15, "plaintext after TLS", "mail *: raw 999\\r\\n",
	    "mail * @tls: plain 250 ok\\r\\n | silence", "n", NULL, NOTHING,
	    false },
	{ 16, "a flood of key updates", "mail *: endless 250-\\r\\n",
	    "mail * @tls: keyupdate", "n", NULL, REPLY, false },
	{ 17, "closes after EHLO and HELO", "ehlo: close\nhelo: close",
	    "ehlo @tls: close", "n", NULL, NOTHING, false },
	{ 17, "closes after MAIL", "mail *: close", NULL, "n", NULL, NOTHING,
	    false },
	{ 17, "closes after RCPT", "rcpt *: close", NULL, "n", NULL, NOTHING,
	    false },
	{ 17, "closes after DATA", "data: close", NULL, "n", NULL, NOTHING,
	    false },
	{ 17, "closes in the message", "body 100000: close", NULL, "n", NULL,
	    NOTHING, true },
	{ 18, "421 to EHLO", "ehlo: reply 421 bye | close",
	    "ehlo @tls: reply 421 bye | close", "n", NULL, NOTHING, false },
	{ 18, "421 to STARTTLS", "connect: reply 421 bye | close",
	    "starttls: reply 421 bye | close", "n", NULL, NOTHING, false },
	{ 18, "421 to MAIL", "mail *: reply 421 bye | close", NULL, "n", NULL,
	    NOTHING, false },
	{ 18, "421 to RCPT", "rcpt *: reply 421 bye | close", NULL, "n", NULL,
	    NOTHING, false },
	{ 18, "421 to the second RCPT", "rcpt r2@*: reply 421 bye | close",
	    NULL, "s", "nnn", NOTHING, false },
	{ 18, "421 to DATA", "data: reply 421 bye | close", NULL, "n", NULL,
	    NOTHING, false },
	{ 18, "421 to the message", "dot: reply 421 bye | close", NULL, "n",
	    NULL, NOTHING, false },
	{ 19, "4yz to MAIL", "mail *: reply 451 4.3.0 no", NULL, "n", NULL,
	    NOTHING, false },
	{ 20, "5yz to MAIL", "mail *: reply 550 5.7.1 no", NULL, "p", NULL,
	    NOTHING, false },
	{ 20, "530 to MAIL", "mail *: reply 530 5.7.0 who", NULL, "n", NULL,
	    NOTHING, false },
	{ 20, "535 to MAIL", "mail *: reply 535 who", NULL, "n", NULL,
	    NOTHING, false },
	{ 20, "a demand for TLS", "mail *: reply 550 5.7.10 TLS", NULL, "n",
	    NULL, NOTHING, false },
	{ 21, "a mix", "rcpt r1@*: reply 250 ok\nrcpt r2@*: reply 450 later\n"
	    "rcpt r3@*: reply 550 5.1.1 who", NULL, "s", "snp", NOTHING,
	    false },
	{ 21, "another mix", "rcpt r1@*: reply 550 who\n"
	    "rcpt r2@*: reply 250 ok\nrcpt r3@*: reply 452 4.2.2 full", NULL,
	    "p", "psn", NOTHING, false },
	{ 22, "552 to RCPT", "rcpt *: reply 552 5.2.2 full", NULL, "n", NULL,
	    NOTHING, false },
	{ 22, "552 to the second RCPT: the next transaction",
	    "rcpt r2@* x1: reply 552 too many", NULL, "s", NULL, NOTHING,
	    false },
	{ 22, "452 from the second RCPT on, each time",
	    "rcpt r2@* x1: reply 452 4.5.3 too many\n"
	    "rcpt r3@* x2: reply 452 4.5.3 too many", NULL, "s", NULL,
	    NOTHING, false },
	{ 23, "251 to RCPT", "rcpt *: reply 251 will forward", NULL, "s",
	    NULL, NOTHING, false },
	{ 23, "252 to RCPT", "rcpt *: reply 252 perhaps", NULL, "s", NULL,
	    NOTHING, false },
	{ 24, "354 though all were refused", "rcpt *: reply 550 who\n"
	    "data: reply 354 go\ndot: keep | reply 250 taken", NULL, "p",
	    NULL, NOTHING, false },
	{ 25, "250 to DATA", "data: reply 250 sure", NULL, "n", NULL, NOTHING,
	    false },
	{ 26, "354 and 554 at once", "data: reply 354 go\\n554 no", NULL, "n",
	    NULL, NOTHING, true },
	{ 26, "552 in the message, then closes", "body 100000: "
	    "reply 552 5.3.4 big | close", NULL, "p", NULL, NOTHING, true },
	{ 27, "552 in the message, reads no more", "body 100000: "
	    "reply 552 5.3.4 big | stop", NULL, "p", NULL, NOTHING, true },
	{ 27, "250 in the message", "body 100000: reply 250 ok | stop", NULL,
	    "n", NULL, NOTHING, true },
	{ 28, "closes after the final dot", "dot: keep | close", NULL, "w",
	    NULL, NOTHING, false },
	{ 28, "says nothing after the final dot", "dot: silence", NULL, "w",
	    NULL, DATA, false },
	{ 29, "late, but in time", "dot: sleep 300 | reply 250 ok", NULL, "s",
	    NULL, NOTHING, false },
	{ 31, "150 to MAIL", "mail *: reply 150 wait", NULL, "n", NULL,
	    NOTHING, false },
	{ 31, "354 to MAIL", "mail *: reply 354 go", NULL, "n", NULL, NOTHING,
	    false },
	{ 31, "050 to MAIL", "mail *: reply 050 hm", NULL, "n", NULL, NOTHING,
	    false },
	{ 31, "650 to MAIL", "mail *: reply 650 hm", NULL, "n", NULL, NOTHING,
	    false },
	{ 31, "999 to RCPT", "rcpt *: reply 999 hm", NULL, "n", NULL, NOTHING,
	    false },
	{ 31, "354 to the message", "dot: reply 354 go", NULL, "w", NULL,
	    NOTHING, false },
	{ 32, "two replies to MAIL", "ehlo @tls: reply 250-mx\\n250 SIZE\n"
	    "mail *: reply 250 ok\\n250 ok", NULL, "n", NULL, NOTHING, false },
	{ 32, "two replies to EHLO", "ehlo: reply 250 mx\\n250 mx",
	    "ehlo @tls: reply 250 mx\\n250 mx", "n", NULL, NOTHING, false },
	{ 33, "250 with a 5 in the enhanced code", "dot: reply 250 5.7.1 ok",
	    NULL, "s", NULL, NOTHING, false },
	{ 34, "reads no more in the message", "data: reply 354 go | stop",
	    NULL, "n", NULL, REPLY, true },
	{ 35, "resets at QUIT", "quit: reset", NULL, "s", NULL, NOTHING,
	    false },
	{ 39, "SIZE of less", "ehlo: reply 250-mx\\n250 SIZE 999",
	    "ehlo @tls: reply 250-mx\\n250 SIZE 999", "p", NULL, NOTHING,
	    false },
};

/* Those, or the part of one, that are no matter of one session. */
static const struct {
	int		 number;
	const char	*file;
	const char	*text;
} elsewhere[] = {
	/* a thousand of them */
	{ 10, "tests/shim/test_smtp.c", "test_hello_thousand_keywords" },
	/* a chain of certificates that is too long; TLS 1.2 once more */
	{ 14, "tests/shim/test_tls.c", "test_tls_handshake_huge_chain" },
	{ 16, "tests/shim/test_tls.c", "test_tls_no_renegotiation" },
	/* a crash between the 250 and the record: one duplicate */
	{ 30, "tests/crash/kill.py", "duplicates_in_the_window" },
	/* IPv6 is swallowed */
	{ 36, "tests/e2e/20-failover.sh", "IPv6 is swallowed: IPv4" },
	{ 36, "tests/shim/test_dial.c", "test_dial_two_black_hole" },
	{ 36, "tests/shim/test_deliver.c", "IPv6 is last from now on" },
	/* forty hosts, all dead */
	{ 37, "tests/shim/test_deliver.c", "\"five hosts\"" },
	{ 37, "tests/shim/test_deliver.c", "\"ten addresses\"" },
	/* the schedule of retries */
	{ 38, "tests/shim/test_sched.c", "sched_next" },
	/* SIZE, and what an equal host says */
	{ 39, "tests/shim/test_deliver.c", "too big for both" },
	{ 39, "tests/shim/test_deliver.c", "too big for one, not for its" },
	/* we are the exchange, or the server has our name */
	{ 40, "tests/shim/test_route.c", "R_LOOP" },
	{ 40, "tests/shim/test_peer.c", "calls itself as we do" },
};

/* --- servers -------------------------------------------------------------- */

static char home[] = "/tmp/test_hostile.XXXXXX";

struct server {
	pid_t	 pid;
	uint16_t port;
	char	*dir;
	int	 old;		/* messages of former cases */
};

static struct server good;	/* one for all cases */

static void
server_start(struct server *sv, const char *script)
{
	static int n;
	const char *top = getenv("top_builddir");
	char *program, *cert, *key, *path, line[64];
	int out[2];
	FILE *f;

	program = xasprintf("%s/tests/tools/fakemx", top != NULL ? top : ".");
	sv->dir = xasprintf("%s/%d", home, ++n);
	sv->old = 0;
	cert = xasprintf("%s/cert", home);
	key = xasprintf("%s/key", home);
	path = xasprintf("%s/script", home);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "%s\n", script) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(pipe(out), 0);
	if ((sv->pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(program, "fakemx", "-d", sv->dir, "-c", cert, "-k", key,
		    path, (char *)NULL);
		_exit(127);
	}
	assert_true(sv->pid != -1);
	close(out[1]);
	f = fdopen(out[0], "r");
	assert_non_null(f);
	if (fgets(line, sizeof(line), f) == NULL ||
	    strncmp(line, "ready ", 6) != 0)
		fail_msg("%s does not start", program);
	sv->port = (uint16_t)strtol(line + 6, NULL, 10);
	fclose(f);
	free(program);
	free(cert);
	free(key);
	free(path);
}

static void
server_stop(struct server *sv)
{
	kill(sv->pid, SIGTERM);
	waitpid(sv->pid, NULL, 0);
	free(sv->dir);
}

/* Whether the server has stored a message whose envelope has TEXT. */
static bool
server_has(const struct server *sv, const char *text)
{
	char block[4096], *path;
	bool found = false;
	size_t len;
	FILE *f;
	int i;

	for (i = sv->old + 1; i < sv->old + 10 && !found; i++) {
		path = xasprintf("%s/%04d.env", sv->dir, i);
		if ((f = fopen(path, "r")) != NULL) {
			len = fread(block, 1, sizeof(block) - 1, f);
			block[len] = '\0';
			found = strstr(block, text) != NULL;
			fclose(f);
		}
		free(path);
	}
	return found;
}

/* What it has is of no interest from now on. */
static void
server_forget(struct server *sv)
{
	bool more = true;
	char *path;

	while (more) {
		path = xasprintf("%s/%04d.env", sv->dir, sv->old + 1);
		more = access(path, F_OK) == 0;
		sv->old += more;
		free(path);
	}
}

/* --- the route ------------------------------------------------------------ */

static char hostname[] = "client.example";
static struct conf conf = { .hostname = hostname, .log = LOG_TO_STDERR };
static struct hop hops[2];
static struct hop_addr addrs[2];
static struct route route = { .hop = hops, .nhop = 2 };

struct router *__wrap_router_new(const struct conf *, const char *);
void	 __wrap_router_free(struct router *);
void	 __wrap_router_expire(struct router *, int64_t, uint64_t);
struct route *__wrap_route_find(struct router *, const char *);
int	 __wrap_route_hop(struct router *, struct route *, size_t,
	    struct result *);
void	 __wrap_log_info(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

struct router *
__wrap_router_new(const struct conf *c, const char *domain)
{
	(void)c;
	(void)domain;
	return NULL;
}

void
__wrap_router_free(struct router *rt)
{
	(void)rt;
}

void
__wrap_router_expire(struct router *rt, int64_t now, uint64_t generation)
{
	(void)rt;
	(void)now;
	(void)generation;
}

struct route *
__wrap_route_find(struct router *rt, const char *rcpt)
{
	(void)rt;
	(void)rcpt;
	return &route;
}

/* The honest server has all the time that it needs. */
int
__wrap_route_hop(struct router *rt, struct route *r, size_t i,
    struct result *why)
{
	(void)rt;
	(void)r;
	(void)why;
	if (i == 1)
		conf.reply_timeout = conf.data_timeout = LONG;
	return 0;
}

void
__wrap_log_info(const char *fmt, ...)
{
	(void)fmt;
}

static void
set_hop(size_t i, const char *host, const struct server *sv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(sv->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	memset(&hops[i], 0, sizeof(hops[i]));
	memcpy(&addrs[i].ss, &sin, sizeof(sin));
	addrs[i].len = sizeof(sin);
	hops[i].host = host;
	hops[i].port = sv->port;
	hops[i].pref = (unsigned)i;
	hops[i].addr = &addrs[i];
	hops[i].naddr = 1;
}

/* --- cases ---------------------------------------------------------------- */

struct test_case {
	const struct row *row;
	bool		 tls;
	size_t		 nrcpt;
	char		*name;
};

static void
on_outcome(void *arg, struct delivery_rcpt *const *rcpt, size_t n)
{
	(void)arg;
	(void)rcpt;
	(void)n;
}

static int
message(size_t size)
{
	char path[] = "/tmp/test_hostile.XXXXXX";
	struct buf b = BUF_INIT;
	int fd = mkstemp(path);

	assert_true(fd != -1);
	unlink(path);
	while (b.len + 2 < size)
		buf_adds(&b, b.len % 5 == 0 ? "\r\n." : "\r\n..text");
	b.len = size - 2;
	if (b.data[b.len - 1] == '\r')
		b.data[b.len - 1] = 'x';
	buf_adds(&b, "\r\n");
	assert_int_equal(write(fd, b.data, b.len), b.len);
	buf_clear(&b);
	return fd;
}

/* Where the recipient's mail is, as in struct row. */
static char
verdict(const struct delivery_rcpt *rcpt)
{
	const char *p;

	assert_true(rcpt->result.text[0] != '\0');
	for (p = rcpt->result.text; *p != '\0'; p++)
		assert_true(*p >= ' ' && *p <= '~');
	if (result_is_temporary(&rcpt->result))
		return 'w';
	assert_true(rcpt->final);
	if (!result_is_ok(&rcpt->result))
		return 'p';
	return strncmp(rcpt->result.host, "next.", 5) == 0 ? 'n' : 's';
}

/*
 * In clear text TLS is not asked for, but by the rows that are about
 * STARTTLS: there it may be; otherwise it must be.
 */
static enum conf_tls
tls_of(const struct test_case *c)
{
	if (c->row->number >= 12 && c->row->number <= 14)
		return CONF_TLS_MAY;
	return c->tls ? CONF_TLS_ENCRYPT : CONF_TLS_NONE;
}

static void
run_case(void **state)
{
	static const char *const names[] = { "r1@d.example", "r2@d.example",
	    "r3@d.example" };
	const struct test_case *c = *state;
	const struct row *row = c->row;
	const char *want = c->nrcpt == 3 && row->three != NULL ? row->three :
	    row->one;
	struct delivery_rcpt rcpt[3];
	struct delivery m = { .id = "ID", .sender = "s@d.example",
	    .rcpt = rcpt, .nrcpt = c->nrcpt, .outcome = on_outcome };
	struct server bad;
	struct deliver *d;
	size_t i;
	char got, should;

	server_start(&bad, c->tls && row->tls != NULL ? row->tls :
	    row->script);
	server_forget(&good);
	set_hop(0, "bad.example", &bad);
	set_hop(1, "next.example", &good);
	conf.tls = tls_of(c);
	conf.connect_timeout = LONG;
	conf.reply_timeout = row->wait == REPLY ? SHORT : LONG;
	conf.data_timeout = row->wait == DATA ? SHORT : LONG;
	memset(rcpt, 0, sizeof(rcpt));
	for (i = 0; i < c->nrcpt; i++)
		rcpt[i].addr = names[i];
	m.size = row->big ? BIG : SMALL;
	m.fd = message((size_t)m.size);
	d = deliver_new(&conf, NULL, "d.example");
	deliver_message(d, &m);
	deliver_free(d);
	for (i = 0; i < c->nrcpt; i++) {
		got = verdict(&rcpt[i]);
		should = want[want[1] != '\0' ? i : 0];
		if (got != should)
			fail_msg("%s: '%c', not '%c': %s: %s", names[i], got,
			    should, rcpt[i].result.host, rcpt[i].result.text);
		/* and it is so, in the protection that it should have */
		if (got == 's' || got == 'n')
			assert_true(server_has(got == 's' ? &bad : &good,
			    names[i]));
		assert_int_equal(server_has(&good, names[i]), got == 'n');
	}
	if (tls_of(c) == CONF_TLS_ENCRYPT) {
		assert_false(server_has(&bad, "tls none"));
		assert_false(server_has(&good, "tls none"));
	}
	close(m.fd);
	server_stop(&bad);
}

/* --- no row without a test ------------------------------------------------ */

static bool
file_has(const char *name, const char *text)
{
	const char *top = getenv("top_srcdir");
	char *path = xasprintf("%s/%s", top != NULL ? top : ".", name);
	char *line = NULL;
	bool found = false;
	size_t cap = 0;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("%s is not there", path);
	while (!found && getline(&line, &cap, f) != -1)
		found = strstr(line, text) != NULL;
	fclose(f);
	free(line);
	free(path);
	return found;
}

static void
test_every_row(void **state)
{
	bool seen[NROWS + 1] = { false };
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		seen[rows[i].number] = true;
	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		if (!file_has(elsewhere[i].file, elsewhere[i].text))
			fail_msg("row %d is not in %s", elsewhere[i].number,
			    elsewhere[i].file);
		seen[elsewhere[i].number] = true;
	}
	for (n = 1; n <= NROWS; n++)
		if (!seen[n])
			fail_msg("row %d has no test", n);
}

/* --- main ----------------------------------------------------------------- */

static int
setup(void **state)
{
	struct cert_request q = { .cn = "mx", .san = "DNS:bad.example",
	    .from = -1, .to = 10 };
	char *path;
	X509 *x;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(home));
	q.key = EVP_EC_gen("P-256");
	x = cert_make(&q);
	path = xasprintf("%s/cert", home);
	f = fopen(path, "w");
	assert_true(PEM_write_X509(f, x));
	assert_int_equal(fclose(f), 0);
	free(path);
	path = xasprintf("%s/key", home);
	f = fopen(path, "w");
	assert_true(PEM_write_PrivateKey(f, q.key, NULL, NULL, 0, NULL,
	    NULL));
	assert_int_equal(fclose(f), 0);
	free(path);
	X509_free(x);
	EVP_PKEY_free(q.key);
	server_start(&good, "");
	return 0;
}

static int
teardown(void **state)
{
	pid_t pid;

	(void)state;
	server_stop(&good);
	if ((pid = fork()) == 0) {
		execlp("rm", "rm", "-rf", home, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	return 0;
}

int
main(void)
{
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	static struct test_case cases[4 * N];
	static struct CMUnitTest tests[4 * N + 1];
	struct test_case *c;
	size_t i;
	int rv;

	for (i = 0; i < 4 * N; i++) {
		c = &cases[i];
		c->row = &rows[i / 4];
		c->tls = (i & 1) != 0;
		c->nrcpt = (i & 2) != 0 ? 3 : 1;
		c->name = xasprintf("row %d: %s, %s, %zu rcpt",
		    c->row->number, c->row->does, c->tls ? "TLS" : "clear",
		    c->nrcpt);
		tests[i] = (struct CMUnitTest){ c->name, run_case, NULL, NULL,
		    c };
	}
	tests[4 * N] = (struct CMUnitTest)cmocka_unit_test(test_every_row);
	signal(SIGPIPE, SIG_IGN);
	rv = _cmocka_run_group_tests("hostile", tests, 4 * N + 1, setup,
	    teardown);
	for (i = 0; i < 4 * N; i++)
		free(cases[i].name);
	return rv;
}
