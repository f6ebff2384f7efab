/* SPDX-License-Identifier: ISC */
/*
 * deliver.c: which hosts are tried, in what order, and what becomes of each
 * recipient.  Routes, connections and transactions are scripted; every call
 * is written down as a word of `events'.
 */
#include "config.h"

#include "run/deliver.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "run/peer.h"
#include "run/route.h"
#include "smtp/smtp.h"

#define MAXHOPS 12

/*
 * A host of a scene.  CONNECT has a sign for each address: '+' or '-'; "4"
 * no address for now, "5" certainly none, "=" it is us.  For an
 * address of IPv6: '*' and '_'.  Each word of MAIL is a transaction, a sign
 * per recipient: 's'ent, 't'emporary, 'p'ermanent; 'B' too big before it was
 * sent; 'a' again, the server takes no more at a time; 'l' the connection is
 * lost, 'u' after the end of the data.  A '!' behind it: the server takes no
 * more transactions on this connection.  A '=' before its name: of
 * the same preference as the one before.
 */
struct host {
	const char	*name;
	const char	*connect;
	const char	*mail;
};

static struct buf events = BUF_INIT, lines = BUF_INIT;
static struct hop hops[MAXHOPS];
static struct hop_addr addrs[32];
static struct route routes[2];
static const struct host *hosts;
static const char *said[MAXHOPS];	/* what is left of MAIL */
static bool held;

static void __attribute__((format(printf, 1, 2)))
event(const char *fmt, ...)
{
	va_list ap;

	if (events.len > 0)
		buf_addc(&events, ' ');
	va_start(ap, fmt);
	buf_vprintf(&events, fmt, ap);
	va_end(ap);
}

struct router *__wrap_router_new(const struct conf *, const char *);
void	 __wrap_router_free(struct router *);
void	 __wrap_router_expire(struct router *, int64_t, uint64_t);
struct route *__wrap_route_find(struct router *, const char *);
int	 __wrap_route_hop(struct router *, struct route *, size_t,
	    struct result *);
int	 __wrap_policy_find(const struct conf *, const struct hop *,
	    struct policy *, struct result *);
struct peer *__wrap_peer_open(const struct conf *, const struct hop *,
	    struct peer_at *, const struct policy *, struct peer_trace,
	    struct result *);
void	 __wrap_peer_close(struct peer *);
int	 __wrap_smtp_mail(struct smtp *, struct smtp_message *,
	    struct result *);
bool	 __wrap_smtp_full(const struct smtp *);
void	 __wrap_smtp_set_trace(struct smtp *,
	    void (*)(void *, char, const char *), void *);
void	 __wrap_log_info(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

struct router *
__wrap_router_new(const struct conf *conf, const char *domain)
{
	(void)conf;
	assert_string_equal(domain, "d.example");
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
	(void)generation;
	assert_true(now >= 0);
}

/* "x@..." has a route of its own. */
struct route *
__wrap_route_find(struct router *rt, const char *rcpt)
{
	(void)rt;
	return &routes[rcpt[0] == 'x'];
}

int
__wrap_route_hop(struct router *rt, struct route *route, size_t i,
    struct result *r)
{
	const char *script = hosts[&route->hop[i] - hops].connect;

	(void)rt;
	switch (script[0]) {
	case '4':
		result_set(r, R_DNSTEMP, "timeout");
		return -1;
	case '5':
		result_set(r, R_NOROUTE, "no address");
		return -1;
	case '=':
		route->nhop = i;
		route->cut = true;
		if (i == 0)
			result_set(&route->why, R_LOOP, "it is us");
		return 1;
	}
	return 0;
}

int
__wrap_policy_find(const struct conf *conf, const struct hop *hop,
    struct policy *policy, struct result *r)
{
	(void)conf;
	if (held) {
		result_set(r, R_TLS, "cannot do that");
		return -1;
	}
	policy->level = POLICY_MAY;
	policy->name = hop->host;
	return 0;
}

/* Whether the address answers. */
static bool
answers(const struct hop *hop, const struct hop_addr *addr)
{
	size_t n = (size_t)(addr - hop->addr);
	char sign = hosts[hop - hops].connect[n];

	event("%s%zu%c", hop->host, n, sign);
	return sign == '+' || sign == '*';
}

/* 'e': we are short of something. */
static void
set_failure(const struct hop *hop, const struct hop_addr *addr,
    struct result *r)
{
	char sign = hosts[hop - hops].connect[addr - hop->addr];

	if (sign == '(')
		result_set(r, R_LATER, "421 too many connections");
	else if (sign == 'e')
		result_set_errno(r, R_CONNECT, EMFILE, "no socket");
	else
		result_set(r, R_CONNECT, "refused");
	snprintf(r->host, sizeof(r->host), "%s:25", hop->host);
}

struct peer *
__wrap_peer_open(const struct conf *conf, const struct hop *hop,
    struct peer_at *at, const struct policy *policy,
    struct peer_trace trace, struct result *r)
{
	const struct hop_addr *addr = at->addr;
	struct peer *p;

	(void)conf;
	(void)trace;
	at->spare_used = at->spare_won = false;
	if (!answers(hop, addr)) {
		if (at->spare != NULL) {
			at->spare_used = true;
			set_failure(hop, addr, &at->why);
			addr = at->spare;
			at->spare_won = answers(hop, addr);
		}
		if (!at->spare_won) {
			set_failure(hop, addr, &at->last);
			*r = at->last;
			return NULL;
		}
	}
	p = xcalloc(1, sizeof(*p));
	p->host = xstrdup(hop->host);
	p->name = xstrdup(policy->name);
	p->port = hop->port;
	p->level = policy->level;
	/* the transaction finds its script here */
	p->smtp = (struct smtp *)(void *)&said[hop - hops];
	snprintf(p->relay, sizeof(p->relay), "%s[192.0.2.%zu]:25", hop->host,
	    (size_t)(addr - hop->addr));
	snprintf(p->tls_text, sizeof(p->tls_text), "no TLS");
	return p;
}

void
__wrap_peer_close(struct peer *p)
{
	if (p == NULL)
		return;
	event("%s.", p->host);
	free(p->host);
	free(p->name);
	free(p);
}

static int
answer(char sign, struct result *r)
{
	switch (sign) {
	case 's':
		result_set(r, R_SENT, "250 ok");
		r->reply = 250;
		return 0;
	case 't':
	case 'b':	/* said to all of it */
		result_set(r, R_LATER, "450 later");
		r->reply = 450;
		return 0;
	case 'p':
		result_set(r, R_REFUSED, "550 no");
		r->reply = 550;
		return 0;
	case 'B':
		result_set(r, R_TOOBIG, "200 octets; it takes 100");
		return 0;
	case 'U':
		result_set(r, R_UTF8, "no SMTPUTF8");
		return 0;
	case 'a':
		result_set(r, R_LATER, "no more at a time");
		return 0;
	case 'e':
		result_set_errno(r, R_LOST, ENOBUFS, "lost");
		return -1;
	}
	result_set(r, R_LOST, "lost");
	return -1;
}

int
__wrap_smtp_mail(struct smtp *s, struct smtp_message *m, struct result *r)
{
	const char **script = (const char **)(void *)s;
	struct buf b = BUF_INIT;
	int rv = 0;
	size_t i;

	assert_string_equal(m->sender, "me@d.example");
	assert_int_equal(m->start, 100);
	assert_int_equal(m->size, 200);
	assert_true(m->eightbit);
	while (**script == ' ')
		(*script)++;
	for (i = 0; i < m->nrcpt; i++) {
		buf_addc(&b, m->rcpt[i].addr[0]);
		m->busy |= **script == 'b';
		m->unsure |= **script == 'u';
		m->rcpt[i].again = **script == 'a';
		if (answer(**script, &m->rcpt[i].result) == -1)
			rv = -1;
		*r = m->rcpt[i].result;
		(*script)++;
	}
	event("%s", buf_str(&b));
	buf_clear(&b);
	return rv;
}

/* '!' before a transaction: none but this one before another connection. */
bool
__wrap_smtp_full(const struct smtp *s)
{
	const char **script = (const char **)(uintptr_t)(const void *)s;

	if (**script != '!')
		return false;
	(*script)++;
	return true;
}

void
__wrap_smtp_set_trace(struct smtp *s,
    void (*trace)(void *, char, const char *), void *arg)
{
	(void)s;
	(void)trace;
	(void)arg;
}

void
__wrap_log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&lines, fmt, ap);
	va_end(ap);
	buf_addc(&lines, '\n');
}

static void
on_outcome(void *arg, struct delivery_rcpt *const *rcpt, size_t n)
{
	struct buf b = BUF_INIT;
	size_t i;

	assert_ptr_equal(arg, &events);
	for (i = 0; i < n; i++) {
		assert_true(rcpt[i]->final);
		assert_false(result_is_temporary(&rcpt[i]->result));
		buf_addc(&b, rcpt[i]->addr[0]);
	}
	event("(%s)", buf_str(&b));
	buf_clear(&b);
}

/* All hosts are in the first route, the first one also in the second. */
static void
set_scene(const struct host *list)
{
	size_t i, j, n = 0;

	buf_clear(&events);
	buf_clear(&lines);
	memset(hops, 0, sizeof(hops));
	memset(routes, 0, sizeof(routes));
	hosts = list;
	held = false;
	for (i = 0; list[i].name != NULL; i++) {
		hops[i].host = list[i].name + (list[i].name[0] == '=');
		hops[i].pref = list[i].name[0] == '=' ? hops[i - 1].pref :
		    (unsigned)i;
		hops[i].port = 25;
		hops[i].addr = &addrs[n];
		hops[i].naddr = strlen(list[i].connect);
		snprintf(hops[i].origin, sizeof(hops[i].origin), "dns");
		for (j = 0; j < hops[i].naddr; j++)
			addrs[n++].ss.ss_family =
			    strchr("*_", list[i].connect[j]) != NULL ?
			    AF_INET6 : AF_INET;
		said[i] = list[i].mail;
	}
	routes[0].hop = routes[1].hop = hops;
	routes[0].nhop = i;
	routes[1].nhop = i > 0;
}

static const struct conf conf = { .connect_timeout = 30000,
    .reply_timeout = 300000, .data_timeout = 600000 };
static struct delivery_rcpt rcpts[8];

static struct delivery *
send_to(struct deliver *d, const char *who)
{
	static const char *const names[] = { "a@d.example", "b@d.example",
	    "c@d.example", "x@d.example" };
	static struct delivery m;
	size_t i, j;

	memset(rcpts, 0, sizeof(rcpts));
	memset(&m, 0, sizeof(m));
	for (i = 0; who[i] != '\0'; i++)
		for (j = 0; j < 4; j++)
			if (names[j][0] == who[i])
				rcpts[i].addr = names[j];
	m.id = "ID";
	m.sender = "me@d.example";
	m.fd = -1;
	m.start = 100;
	m.size = 200;
	m.eightbit = true;
	m.rcpt = rcpts;
	m.nrcpt = i;
	m.outcome = on_outcome;
	m.arg = &events;
	deliver_message(d, &m);
	return &m;
}

#define DEAD	1
#define OPEN	2	/* the connection waits for more */
#define BUSY	8	/* a host would rather have fewer of us */
#define SHORT	4	/* we were short of something */
static const struct {
	const char	*name;
	struct host	 host[MAXHOPS];
	const char	*rcpts;
	const char	*events;
	int		 end;
	const char	*results; /* per recipient: s, t, p, or a code below */
} scenes[] = {
	{ "one host", { { "A", "+", "sss" } }, "abc",
	    "A0+ abc (abc)", OPEN, "sss" },
	{ "next address", { { "A", "-+", "s" } }, "a",
	    "A0- A1+ a (a)", OPEN, "s" },
	{ "next host", { { "A", "--", "" }, { "B", "+", "s" } }, "a",
	    "A0- A1- B0+ a (a)", OPEN, "s" },
	{ "nobody", { { "A", "-", "" }, { "B", "-", "" } }, "ab",
	    "A0- B0-", DEAD, "cc" },
	{ "some go on", { { "A", "+", "stp" }, { "B", "+", "s" } }, "abc",
	    "A0+ abc (ac) A. B0+ b (b)", OPEN, "ssp" },
	{ "no host decides", { { "A", "+", "tt" }, { "B", "+", "st" } },
	    "ab", "A0+ ab A. B0+ ab (a)", OPEN, "st" },
	{ "a reply is worth more than a failure", { { "A", "+", "t" },
	    { "B", "-", "" } }, "a", "A0+ a A. B0-", 0, "t" },
	{ "lost: the next", { { "A", "++", "l" }, { "B", "+", "s" } }, "a",
	    "A0+ a A. B0+ a (a)", OPEN | BUSY, "s" },
	{ "lost everywhere", { { "A", "+", "l" } }, "a", "A0+ a A.", BUSY, "l" },
	{ "it may have been taken: no other host", { { "A", "++", "u" },
	    { "B", "+", "s" } }, "a", "A0+ a A.", BUSY, "l" },
	{ "refused for good: no other host", { { "A", "+", "p" },
	    { "B", "+", "s" } }, "a", "A0+ a (a)", OPEN, "p" },
	{ "five hosts", { { "A", "-", "" }, { "B", "-", "" },
	    { "C", "-", "" }, { "D", "-", "" }, { "E", "-", "" },
	    { "F", "+", "s" } }, "a", "A0- B0- C0- D0- E0-", DEAD, "c" },
	{ "ten addresses", { { "A", "------", "" }, { "B", "-----+", "s" } },
	    "a", "A0- A1- A2- A3- A4- A5- B0- B1- B2- B3-", DEAD, "c" },
	{ "no address now, then a host", { { "A", "4", "" },
	    { "B", "+", "s" } }, "a", "B0+ a (a)", OPEN, "s" },
	{ "no address anywhere", { { "A", "5", "" }, { "B", "5", "" } }, "a",
	    "(a)", 0, "n" },
	{ "one doubt", { { "A", "4", "" }, { "B", "5", "" } }, "a", "",
	    DEAD, "d" },
	{ "one doubt, last", { { "A", "5", "" }, { "B", "4", "" } }, "a", "",
	    DEAD, "d" },
	{ "a host that is down is no proof", { { "A", "-", "" },
	    { "B", "5", "" } }, "a", "A0-", DEAD, "c" },
	{ "it is us", { { "A", "=", "" }, { "B", "+", "s" } }, "a", "(a)",
	    0, "L" },
	{ "a better one, then us", { { "A", "-", "" }, { "B", "=", "" },
	    { "C", "+", "s" } }, "a", "A0-", DEAD, "c" },
	{ "a better one without address, then us", { { "A", "5", "" },
	    { "B", "=", "" } }, "a", "", DEAD, "d" },
	{ "IPv6 first", { { "A", "*+", "s" } }, "a", "A0* a (a)", OPEN,
	    "s" },
	{ "IPv6 does not answer", { { "A", "_+", "s" } }, "a",
	    "A0_ A1+ a (a)", OPEN, "s" },
	{ "one of each at a time", { { "A", "__-+", "s" } }, "a",
	    "A0_ A2- A1_ A3+ a (a)", OPEN, "s" },
	{ "IPv6 is last where it was swallowed", { { "A", "_+", "t" },
	    { "B", "*+", "s" } }, "a", "A0_ A1+ a A. B1+ a (a)", OPEN, "s" },
	{ "but it is tried", { { "A", "_+", "t" }, { "B", "*-", "s" } }, "a",
	    "A0_ A1+ a A. B1- B0* a (a)", OPEN, "s" },
	{ "a few at a time", { { "A", "+", "saa sa s" } }, "abc",
	    "A0+ abc (a) bc (b) c (c)", OPEN, "sss" },
	{ "a few at a time, the others go on", { { "A", "+", "tsa t" },
	    { "B", "+", "ps" } }, "abc", "A0+ abc (b) c A. B0+ ac (ac)", OPEN,
	    "pss" },
	{ "a few on each connection", { { "A", "+", "saa! sa! s!" } }, "abc",
	    "A0+ abc (a) A. A0+ bc (b) A. A0+ c (c) A.", 0, "sss" },
	{ "lost with some left", { { "A", "+", "sa l" }, { "B", "+", "s" } },
	    "ab", "A0+ ab (a) b A. B0+ b (b)", OPEN | BUSY, "ss" },
	{ "too big for the only one", { { "A", "+", "BB" } }, "ab",
	    "A0+ ab (ab)", OPEN, "BB" },
	{ "too big for one, not for its equal", { { "A", "+", "B" },
	    { "=B", "+", "s" } }, "a", "A0+ a A. B0+ a (a)", OPEN, "s" },
	{ "too big for both", { { "A", "+", "B" }, { "=B", "+", "B" },
	    { "C", "+", "s" } }, "a", "A0+ a A. B0+ a (a)", OPEN, "B" },
	{ "too big for one, its equal is down", { { "A", "+", "B" },
	    { "=B", "-", "" } }, "a", "A0+ a A. B0-", 0, "t" },
	{ "too big for the second best, the best is down", { { "A", "-", "" },
	    { "B", "+", "B" } }, "a", "A0- B0+ a", OPEN, "t" },
	{ "too big for the best: no other", { { "A", "+", "B" },
	    { "B", "+", "s" } }, "a", "A0+ a (a)", OPEN, "B" },
	{ "one of two needs SMTPUTF8", { { "A", "+", "sU" } }, "ab",
	    "A0+ ab (a) (b)", OPEN, "sU" },
	{ "no SMTPUTF8, but at its equal", { { "A", "+", "sU" },
	    { "=B", "+", "s" } }, "ab", "A0+ ab (a) A. B0+ b (b)", OPEN,
	    "ss" },
	{ "no SMTPUTF8 at the best: no other", { { "A", "+", "tU" },
	    { "B", "+", "s" } }, "ab", "A0+ ab (b) A. B0+ a (a)", OPEN,
	    "sU" },
	{ "no SMTPUTF8 here, too big there: who was neither waits",
	    { { "A", "+", "tU" }, { "=B", "+", "BB" } }, "ab",
	    "A0+ ab A. B0+ ab (b)", OPEN, "tB" },
	{ "no SMTPUTF8, its equal is down", { { "A", "+", "U" },
	    { "=B", "-", "" } }, "a", "A0+ a A. B0-", 0, "t" },
	{ "a 421 at once", { { "A", "(", "" } }, "a", "A0(", DEAD | BUSY, "t" },
	{ "a 4yz to all of it", { { "A", "+", "b" } }, "a", "A0+ a", OPEN | BUSY,
	    "t" },
	{ "a 4yz to each recipient", { { "A", "+", "tt" } }, "ab", "A0+ ab",
	    OPEN, "tt" },
	{ "short of descriptors: nobody is dead", { { "A", "e", "" } }, "a",
	    "A0e", SHORT, "e" },
	{ "short of them for one, the other refuses", { { "A", "e", "" },
	    { "B", "-", "" } }, "a", "A0e B0-", SHORT, "c" },
	{ "short of them for one, the other serves", { { "A", "e", "" },
	    { "B", "+", "s" } }, "a", "A0e B0+ a (a)", OPEN | SHORT, "s" },
	{ "short of memory in a transaction", { { "A", "+", "e" } }, "a",
	    "A0+ a A.", SHORT, "e" },
	{ "two routes", { { "A", "+", "ss s" }, { "B", "+", "" } }, "axb",
	    "A0+ ab (ab) x (x)", OPEN, "sss" },
	{ "two routes, one lost", { { "A", "++", "sl s" } }, "axb",
	    "A0+ ab (a) A. A0+ x (x)", OPEN | BUSY, "ssl" },
};

static enum result_code
code_of(char sign)
{
	switch (sign) {
	case 's':
		return R_SENT;
	case 't':
		return R_LATER;
	case 'p':
		return R_REFUSED;
	case 'c':
		return R_CONNECT;
	case 'd':
		return R_DNSTEMP;
	case 'n':
		return R_NOROUTE;
	case 'B':
		return R_TOOBIG;
	case 'U':
		return R_UTF8;
	case 'L':
		return R_LOOP;
	case 'e':
		return R_SHORT;
	}
	return R_LOST;
}

static void
test_deliver_message_scenes(void **state)
{
	struct deliver *d;
	struct delivery *m;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		set_scene(scenes[i].host);
		d = deliver_new(&conf, NULL, "d.example");
		m = send_to(d, scenes[i].rcpts);
		if (strcmp(buf_str(&events), scenes[i].events) != 0)
			fail_msg("%s: %s", scenes[i].name, buf_str(&events));
		for (j = 0; j < m->nrcpt; j++)
			if (rcpts[j].result.code !=
			    code_of(scenes[i].results[j]))
				fail_msg("%s: recipient %zu: %d",
				    scenes[i].name, j, rcpts[j].result.code);
		if (m->dead != ((scenes[i].end & DEAD) != 0) ||
		    m->is_short != ((scenes[i].end & SHORT) != 0) ||
		    m->busy != ((scenes[i].end & BUSY) != 0) ||
		    deliver_is_connected(d) !=
		    ((scenes[i].end & OPEN) != 0))
			fail_msg("%s: end", scenes[i].name);
		deliver_free(d);
	}
}

static const struct {
	const char	*name;
	struct host	 host[3];
	const char	*first, *second; /* recipients */
	const char	*events;
} pairs[] = {
	{ "the connection is kept", { { "A", "+", "s s" } }, "a", "b",
	    "A0+ a (a) b (b)" },
	{ "also to a host of less preference", { { "A", "-", "" },
	    { "B", "+", "s s" } }, "a", "b", "A0- B0+ a (a) b (b)" },
	{ "a refusal does not end it", { { "A", "+", "p s" } }, "a", "b",
	    "A0+ a (a) b (b)" },
	{ "the server tired of it: a new one", { { "A", "++", "s l s" } },
	    "a", "b", "A0+ a (a) b A. A0+ b (b)" },
	{ "but only one", { { "A", "+", "s l l" } }, "a", "b",
	    "A0+ a (a) b A. A0+ b A." },
	{ "not when it may have been taken", { { "A", "++", "s u s" } },
	    "a", "b", "A0+ a (a) b A." },
	{ "it wants another connection for each", { { "A", "+", "s! s!" } },
	    "a", "b", "A0+ a (a) A. A0+ b (b) A." },
	{ "too big on the open connection", { { "A", "+", "s B" },
	    { "=B", "+", "s" } }, "a", "b",
	    "A0+ a (a) b A. B0+ b (b)" },
	{ "too big on it, and for the other", { { "A", "+", "s B" },
	    { "=B", "+", "B" } }, "a", "b",
	    "A0+ a (a) b A. B0+ b (b)" },
	{ "no SMTPUTF8 on the open connection, nor elsewhere",
	    { { "A", "+", "s U" }, { "=B", "+", "U" } }, "a", "b",
	    "A0+ a (a) b A. B0+ b (b)" },
	{ "IPv6 is last from now on", { { "A", "_+", "s! s!" } }, "a", "b",
	    "A0_ A1+ a (a) A. A1+ b (b) A." },
	{ "a temporary answer: the others, not again this one",
	    { { "A", "+", "s t s" }, { "B", "+", "s" } }, "a", "b",
	    "A0+ a (a) b A. B0+ b (b)" },
};

static void
test_deliver_message_twice(void **state)
{
	struct deliver *d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		set_scene(pairs[i].host);
		d = deliver_new(&conf, NULL, "d.example");
		send_to(d, pairs[i].first);
		send_to(d, pairs[i].second);
		if (strcmp(buf_str(&events), pairs[i].events) != 0)
			fail_msg("%s: %s", pairs[i].name, buf_str(&events));
		deliver_free(d);
	}
}

/* Where the route leads elsewhere now, the old connection ends. */
static void
test_deliver_message_new_route(void **state)
{
	static const struct host list[MAXHOPS] = { { "A", "+", "s" },
	    { "B", "+", "s" } };
	struct deliver *d;

	(void)state;
	set_scene(list);
	d = deliver_new(&conf, NULL, "d.example");
	send_to(d, "a");
	routes[0].hop = &hops[1];
	routes[0].nhop = 1;
	send_to(d, "b");
	assert_string_equal(buf_str(&events),
	    "A0+ a (a) A. B0+ b (b)");
	deliver_free(d);
}

static void
test_deliver_message_hundred(void **state)
{
	struct host list[MAXHOPS] = { { "A", "+", NULL } };
	char script[2 * 101 + 1];
	struct deliver *d;
	size_t i, n = 0;
	const char *p;

	(void)state;
	for (i = 0; i < 101; i++)
		memcpy(script + 2 * i, "s ", 2);
	script[2 * 101] = '\0';
	list[0].mail = script;
	set_scene(list);
	d = deliver_new(&conf, NULL, "d.example");
	for (i = 0; i < 101; i++)
		send_to(d, "a");
	for (p = buf_str(&events); (p = strstr(p, "A0+")) != NULL; p++)
		n++;
	assert_int_equal(n, 2);
	deliver_free(d);
}

static void
test_deliver_message_held(void **state)
{
	static const struct host list[MAXHOPS] = { { "A", "+", "s" } };
	struct deliver *d;
	struct delivery *m;

	(void)state;
	set_scene(list);
	held = true;
	d = deliver_new(&conf, NULL, "d.example");
	m = send_to(d, "a");
	assert_string_equal(buf_str(&events), "");
	assert_int_equal(rcpts[0].result.code, R_TLS);
	assert_true(m->dead);
	assert_string_equal(m->why.text, "cannot do that");
	deliver_free(d);
}

static void
test_deliver_message_no_route(void **state)
{
	static const struct host none[MAXHOPS];
	struct deliver *d;
	struct delivery *m;

	(void)state;
	set_scene(none);
	result_set(&routes[0].why, R_NULLMX, "takes no mail");
	d = deliver_new(&conf, NULL, "d.example");
	m = send_to(d, "ab");
	assert_string_equal(buf_str(&events), "(ab)");
	assert_int_equal(rcpts[1].result.code, R_NULLMX);
	assert_false(m->dead);
	result_set(&routes[0].why, R_DNSTEMP, "timeout");
	m = send_to(d, "ab");
	assert_int_equal(rcpts[1].result.code, R_DNSTEMP);
	assert_true(m->dead);
	/* that of one recipient is not that of the domain */
	routes[0].byrcpt = true;
	m = send_to(d, "ab");
	assert_false(m->dead);
	deliver_free(d);
}

static void
test_deliver_message_log(void **state)
{
	static const struct host list[MAXHOPS] = { { "A", "-", "" },
	    { "B", "+", "spt" } };
	struct deliver *d;

	(void)state;
	set_scene(list);
	d = deliver_new(&conf, NULL, "d.example");
	send_to(d, "abc");
	deliver_free(d);
	assert_non_null(strstr(lines.data, "A:25: refused\n"));
	assert_non_null(strstr(lines.data,
	    "B[192.0.2.0]:25: no TLS, route: dns\n"));
	assert_non_null(strstr(lines.data,
	    "\nID: to=<a@d.example>, relay=B[192.0.2.0]:25, delay="));
	assert_non_null(strstr(lines.data,
	    "/0/0/0, dsn=2.0.0, status=sent (250 ok)\n"));
	assert_non_null(strstr(lines.data,
	    "dsn=5.0.0, status=bounced (550 no)\n"));
	assert_non_null(strstr(lines.data,
	    "dsn=4.0.0, status=deferred (450 later)\n"));
}

/* Without a host there is no relay. */
static void
test_deliver_message_log_none(void **state)
{
	static const struct host none[MAXHOPS];
	struct deliver *d;

	(void)state;
	set_scene(none);
	result_set(&routes[0].why, R_NOHOST, "no such domain");
	d = deliver_new(&conf, NULL, "d.example");
	send_to(d, "a");
	deliver_free(d);
	assert_non_null(strstr(lines.data, "to=<a@d.example>, relay=none, "));
	assert_non_null(strstr(lines.data,
	    "dsn=5.1.2, status=bounced (no such domain)\n"));
}

static void
on_trace(void *arg, char dir, const char *line)
{
	assert_ptr_equal(arg, &events);
	event("%c%s;", dir, line);
}

static void
test_deliver_message_tells(void **state)
{
	static const struct host list[MAXHOPS] = { { "A", "-", "" } };
	struct delivery_rcpt rcpt = { .addr = "a@d.example" };
	struct delivery m = { .id = "ID", .rcpt = &rcpt, .nrcpt = 1,
	    .outcome = on_outcome, .trace = on_trace, .arg = &events };
	struct deliver *d;

	(void)state;
	set_scene(list);
	d = deliver_new(&conf, NULL, "d.example");
	deliver_message(d, &m);
	deliver_free(d);
	assert_non_null(strstr(events.data,
	    "=connecting to A:25 (route: dns);"));
	assert_non_null(strstr(events.data, "=A:25: refused;"));
	assert_non_null(strstr(events.data, "status=deferred (refused);"));
}

static int
teardown(void **state)
{
	(void)state;
	buf_clear(&events);
	buf_clear(&lines);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deliver_message_scenes),
		cmocka_unit_test(test_deliver_message_twice),
		cmocka_unit_test(test_deliver_message_new_route),
		cmocka_unit_test(test_deliver_message_hundred),
		cmocka_unit_test(test_deliver_message_held),
		cmocka_unit_test(test_deliver_message_no_route),
		cmocka_unit_test(test_deliver_message_log),
		cmocka_unit_test(test_deliver_message_log_none),
		cmocka_unit_test(test_deliver_message_tells),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
