/* SPDX-License-Identifier: ISC */
/*
 * One attempt to deliver a message to a destination (RFC 5321 section 5.1):
 * hosts in order of preference, each with its addresses.  What a server says
 * about a recipient for good is final at once; recipients with a temporary
 * answer go on to the next host, until the hosts or the limits of one
 * attempt are used up.
 */
#include "config.h"

#include "run/deliver.h"

#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "run/peer.h"
#include "run/policy.h"
#include "run/route.h"
#include "smtp/smtp.h"

#define MAX_HOSTS	5	/* of one attempt */
#define MAX_ADDRS	10
#define MAX_MESSAGES	100	/* over one connection */

struct deliver {
	const struct conf *conf;
	const char	*domain;
	struct router	*router;
	struct peer	*peer;		/* the open connection, or NULL */
};

struct attempt {		/* for the recipients that share a route */
	struct deliver	*d;
	struct delivery	*m;
	struct route	*route;
	struct delivery_rcpt **open;	/* not final yet */
	size_t		 nopen;
	unsigned	 hosts;		/* tried */
	unsigned	 addrs;
	bool		 served;	/* a host was ready to take mail */
	bool		 unsure;	/* a host may have the message */
	bool		 more;		/* not all hosts were tried */
	bool		 failed;	/* why is set */
	struct result	 why;		/* why no host was ready */
	const char	*skip_host;	/* was tried first, out of turn */
	uint16_t	 skip_port;
	int64_t		 began;		/* microseconds, monotonic */
	int64_t		 connecting;	/* microseconds spent */
	int64_t		 sending;
};

static int64_t
clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void __attribute__((format(printf, 2, 3)))
tell(const struct delivery *m, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	if (m->trace == NULL)
		return;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	m->trace(m->arg, '=', buf_str(&b));
	buf_clear(&b);
}

/* --- the log --------------------------------------------------------------*/

/* Seconds, two digits of them: what readers of such lines are used to. */
static void
add_delay(struct buf *b, int64_t us, char end)
{
	double s = us > 0 ? (double)us / 1e6 : 0;

	if (s < 0.01)
		buf_addc(b, '0');
	else if (s < 10)
		buf_printf(b, "%.2g", s);
	else
		buf_printf(b, "%.0f", s);
	buf_addc(b, end);
}

static void
log_rcpt(const struct attempt *a, const struct delivery_rcpt *rcpt)
{
	const struct delivery *m = a->m;
	const struct result *r = &rcpt->result;
	int64_t before, age, mine;
	struct buf b = BUF_INIT;

	age = clock_us(CLOCK_REALTIME) - (int64_t)m->time;
	mine = clock_us(CLOCK_MONOTONIC) - a->began;
	before = age - mine;
	buf_printf(&b, "to=<%s>, relay=%s, delay=", rcpt->addr,
	    r->host[0] != '\0' ? r->host : "none");
	add_delay(&b, age, ',');
	buf_adds(&b, " delays=");
	add_delay(&b, before, '/');
	add_delay(&b, mine - a->connecting - a->sending, '/');
	add_delay(&b, a->connecting, '/');
	add_delay(&b, a->sending, ',');
	buf_printf(&b, " dsn=%s, status=%s (%s)", result_esc(r),
	    result_status(r), r->text);
	log_info("%s: %s", m->id, buf_str(&b));
	tell(m, "%s", buf_str(&b));
	buf_clear(&b);
}

/* --- outcomes -------------------------------------------------------------*/

/*
 * Take the recipients out that are final.  The caller records them before
 * anything else is done: a crash here must not send the message again.
 */
static void
settle(struct attempt *a)
{
	struct delivery_rcpt **final = xcalloc(a->nopen, sizeof(*final));
	size_t i, nfinal = 0, left = 0;

	for (i = 0; i < a->nopen; i++)
		if (result_is_temporary(&a->open[i]->result))
			a->open[left++] = a->open[i];
		else
			final[nfinal++] = a->open[i];
	a->nopen = left;
	for (i = 0; i < nfinal; i++)
		final[i]->final = true;
	if (nfinal > 0)
		a->m->outcome(a->m->arg, final, nfinal);
	for (i = 0; i < nfinal; i++)
		log_rcpt(a, final[i]);
	free(final);
}

/* Something failed that is not about a recipient; doubt outweighs proof. */
static void
note(struct attempt *a, const struct result *r)
{
	if (!a->failed || result_is_temporary(r))
		a->why = *r;
	a->failed = true;
}

/* The end of the attempt.  What a server said outweighs what others did. */
static void
finish(struct attempt *a)
{
	struct result *why = &a->why;
	size_t i;

	if (!a->failed)
		*why = a->route->why;
	else if (result_is_permanent(why) &&
	    (a->route->cut || a->route->partial || a->more))
		why->code = R_DNSTEMP;
	for (i = 0; i < a->nopen && !a->served; i++)
		a->open[i]->result = *why;
	settle(a);
	for (i = 0; i < a->nopen; i++)
		log_rcpt(a, a->open[i]);
}

/* --- one host -------------------------------------------------------------*/

static void
transaction(struct attempt *a)
{
	struct deliver *d = a->d;
	struct delivery *m = a->m;
	struct peer *peer = d->peer;
	struct smtp_message msg = { .sender = m->sender, .fd = m->fd,
	    .start = m->start, .size = m->size, .eightbit = m->eightbit,
	    .nrcpt = a->nopen };
	struct result r, *res;
	int64_t began = clock_us(CLOCK_MONOTONIC);
	bool lost;
	size_t i;

	msg.rcpt = xcalloc(a->nopen, sizeof(*msg.rcpt));
	for (i = 0; i < a->nopen; i++) {
		msg.rcpt[i].addr = a->open[i]->addr;
		msg.rcpt[i].result = a->open[i]->result;
	}
	smtp_set_trace(peer->smtp, m->trace, m->arg);
	lost = smtp_mail(peer->smtp, &msg, &r) != 0;
	a->unsure = msg.unsure;
	smtp_set_trace(peer->smtp, NULL, NULL);
	for (i = 0; i < a->nopen; i++) {
		res = &a->open[i]->result;
		*res = msg.rcpt[i].result;
		if (res->host[0] == '\0')
			(void)strlcpy(res->host, peer->relay,
			    sizeof(res->host));
	}
	free(msg.rcpt);
	a->served = true;
	a->sending += clock_us(CLOCK_MONOTONIC) - began;
	settle(a);
	if (lost || ++peer->messages >= MAX_MESSAGES)
		deliver_disconnect(d);
}

/* A new connection to one address.  Whether it can carry mail. */
static bool
connect_to(struct attempt *a, const struct hop *hop,
    const struct hop_addr *addr, const struct policy *policy)
{
	struct delivery *m = a->m;
	struct peer_trace trace = { m->trace, m->arg };
	int64_t began = clock_us(CLOCK_MONOTONIC);
	struct result r;

	a->addrs++;
	tell(m, "connecting to %s:%u (route: %s)", hop->host,
	    (unsigned)hop->port, hop->origin);
	a->d->peer = peer_open(a->d->conf, hop, addr, policy, trace, &r);
	a->connecting += clock_us(CLOCK_MONOTONIC) - began;
	if (a->d->peer == NULL) {
		log_info("%s: %s", r.host, r.text);
		tell(m, "%s: %s", r.host, r.text);
		note(a, &r);
		return false;
	}
	log_info("%s: %s, route: %s", a->d->peer->relay,
	    a->d->peer->tls_text, hop->origin);
	return true;
}

static void
try_hop(struct attempt *a, const struct hop *hop)
{
	struct policy policy;
	struct result r;
	size_t i;

	if (policy_find(a->d->conf, hop, &policy, &r) == -1) {
		note(a, &r);
		return;
	}
	a->hosts++;
	for (i = 0; i < hop->naddr && a->addrs < MAX_ADDRS; i++)
		if (connect_to(a, hop, &hop->addr[i], &policy)) {
			transaction(a);
			return;
		}
}

/* --- all hosts ------------------------------------------------------------*/

/* The connection that is open, if it leads where the message goes. */
static void
try_open_connection(struct attempt *a)
{
	struct peer *peer = a->d->peer;
	struct policy policy;
	struct result r;
	struct hop *hop = NULL;
	size_t i, before = a->nopen;

	for (i = 0; peer != NULL && i < a->route->nhop && hop == NULL; i++)
		if (policy_find(a->d->conf, &a->route->hop[i], &policy,
		    &r) == 0 && peer_serves(peer, &a->route->hop[i], &policy))
			hop = &a->route->hop[i];
	if (hop == NULL)
		return;
	transaction(a);
	/* the server may have tired of this connection: that is no attempt */
	if (a->d->peer == NULL && a->nopen == before && !a->unsure) {
		a->served = false;
		return;
	}
	a->hosts++;
	a->addrs++;
	a->skip_host = hop->host;
	a->skip_port = hop->port;
}

static bool
was_tried(const struct attempt *a, const struct hop *hop)
{
	return a->skip_host != NULL && hop->port == a->skip_port &&
	    strcmp(hop->host, a->skip_host) == 0;
}

static void
walk(struct attempt *a)
{
	struct route *route = a->route;
	struct result r;
	size_t i = 0;

	while (a->nopen > 0 && !a->unsure && i < route->nhop &&
	    a->hosts < MAX_HOSTS && a->addrs < MAX_ADDRS) {
		if (was_tried(a, &route->hop[i])) {
			i++;
			continue;
		}
		/* one connection at a time */
		deliver_disconnect(a->d);
		switch (route_hop(a->d->router, route, i, &r)) {
		case 1:
			continue;	/* another hop is at I now, or none */
		case -1:
			note(a, &r);
			a->hosts += result_is_temporary(&r);
			break;
		default:
			try_hop(a, &route->hop[i]);
		}
		i++;
	}
	a->more = i < route->nhop;
}

static void
attempt_run(struct attempt *a)
{
	a->began = clock_us(CLOCK_MONOTONIC);
	try_open_connection(a);
	walk(a);
	finish(a);
}

/* --- the message ----------------------------------------------------------*/

struct deliver *
deliver_new(const struct conf *conf, const char *domain)
{
	struct deliver *d = xcalloc(1, sizeof(*d));

	d->conf = conf;
	d->domain = domain;
	d->router = router_new(conf, domain);
	return d;
}

/* Move the recipients of the first one's route to A; how many are left. */
static size_t
take_group(struct attempt *a, struct delivery_rcpt **todo, size_t n)
{
	struct router *router = a->d->router;
	size_t i, left = 0;

	a->route = route_find(router, todo[0]->addr);
	for (i = 0; i < n; i++)
		if (route_find(router, todo[i]->addr) == a->route)
			a->open[a->nopen++] = todo[i];
		else
			todo[left++] = todo[i];
	return left;
}

void
deliver_message(struct deliver *d, struct delivery *m)
{
	struct delivery_rcpt **todo = xcalloc(m->nrcpt, sizeof(*todo));
	struct attempt a;
	size_t i, n = m->nrcpt;

	router_expire(d->router, clock_us(CLOCK_MONOTONIC) / 1000000);
	for (i = 0; i < n; i++) {
		todo[i] = &m->rcpt[i];
		todo[i]->final = false;
		result_set(&todo[i]->result, R_LOCALERR, "not tried");
	}
	m->dead = n > 0;
	while (n > 0) {
		memset(&a, 0, sizeof(a));
		a.d = d;
		a.m = m;
		a.open = xcalloc(n, sizeof(*a.open));
		n = take_group(&a, todo, n);
		attempt_run(&a);
		free(a.open);
		/* another recipient may fare better on a route of its own */
		if (a.served || a.route->byrcpt ||
		    !result_is_temporary(&a.why))
			m->dead = false;
		m->why = a.why;
	}
	free(todo);
}

bool
deliver_is_connected(const struct deliver *d)
{
	return d->peer != NULL;
}

void
deliver_disconnect(struct deliver *d)
{
	peer_close(d->peer);
	d->peer = NULL;
}

void
deliver_free(struct deliver *d)
{
	if (d == NULL)
		return;
	deliver_disconnect(d);
	router_free(d->router);
	free(d);
}
