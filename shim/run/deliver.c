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
#include <sys/socket.h>

#include <netdb.h>
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
#include "spool/hoststat.h"

#define MAX_HOSTS	5	/* of one attempt */
#define MAX_ADDRS	10
#define MAX_MESSAGES	100	/* over one connection */

struct deliver {
	const struct conf *conf;
	struct queue	*queue;		/* with the memory of hosts, or NULL */
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
	bool		 online;	/* something left this machine */
	bool		 busy;		/* see struct delivery */
	bool		 unknown;	/* a host failed for a reason that has
					   no time */
	time_t		 until;		/* when the first host may be tried */
	char		*tried[HOSTSTAT_TRIED]; /* before, or now: in vain */
	size_t		 ntried;
	size_t		 nbefore;	/* of them */
	bool		 around;	/* those that were not were tried now */
	bool		 failed_before;	/* the host that is tried now */
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
	a->online |= r->code != R_OFFLINE;
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
	a->busy |= lost && a->nopen > 0;
	if (lost || ++peer->messages >= MAX_MESSAGES)
		deliver_disconnect(d);
}

/* --- the memory of hosts --------------------------------------------------*/

/* "192.0.2.1:25" */
static void
key_of(const struct hop_addr *addr, char *key, size_t size)
{
	char ip[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo((const struct sockaddr *)&addr->ss, addr->len, ip,
	    sizeof(ip), port, sizeof(port), NI_NUMERICHOST |
	    NI_NUMERICSERV) != 0)
		snprintf(key, size, "unknown");
	else
		snprintf(key, size, addr->ss.ss_family == AF_INET6 ?
		    "[%s]:%s" : "%s:%s", ip, port);
}

/* The same as in the log: "mx.example[192.0.2.1]:25". */
static void
relay_of(const struct hop *hop, const char *key, char *relay, size_t size)
{
	const char *port = strrchr(key, ':');
	char *text;
	int n = port != NULL ? (int)(port - key) : 0;

	text = xasprintf(*key == '[' ? "%s%.*s%s" : "%s[%.*s]%s", hop->host,
	    n, key, port != NULL ? port : "");
	(void)strlcpy(relay, text, size);
	free(text);
}

static void
may_be_tried_at(struct attempt *a, time_t t)
{
	if (a->until == 0 || t < a->until)
		a->until = t;
}

/* The address failed lately, for whomever: the same reason, no connection. */
static bool
is_down(struct attempt *a, const struct hop *hop, const char *key)
{
	struct hoststat hs;
	struct result r;

	if (!hoststat_is_down(a->d->queue, key, time(NULL), &hs)) {
		a->failed_before = hs.failures > 0;
		return false;
	}
	result_set(&r, R_CONNECT, "%s (not tried again before %lld s)",
	    hs.reason, (long long)(hs.until - time(NULL)));
	relay_of(hop, key, r.host, sizeof(r.host));
	tell(a->m, "%s: %s", r.host, r.text);
	may_be_tried_at(a, hs.until);
	note(a, &r);
	return true;
}

static void
remember(struct attempt *a, const char *key, const struct result *r)
{
	switch (r->code) {
	case R_OFFLINE:
	case R_LOCALERR:
	case R_TLS:
		/* it is not the host, or not for everybody */
		a->unknown = true;
		return;
	case R_CONNECT:
		break;
	default:
		a->busy = true;
		break;
	}
	may_be_tried_at(a, hoststat_fail(a->d->queue, key, r->text,
	    time(NULL), arc4random()));
}

static bool
was_tried_before(const struct attempt *a, const char *host)
{
	size_t i;

	for (i = 0; i < a->nbefore; i++)
		if (strcmp(a->tried[i], host) == 0)
			return true;
	return false;
}

static void
is_tried_now(struct attempt *a, const char *host)
{
	if (a->ntried < HOSTSTAT_TRIED)
		a->tried[a->ntried++] = xstrdup(host);
}

/*
 * An attempt that did not get to the end of the list is continued there by
 * the next one; then it begins anew.
 */
static void
remember_tried(struct attempt *a)
{
	const char *names[HOSTSTAT_TRIED];
	size_t i, n = 0;

	if (a->more && !a->served)
		for (i = a->around ? a->nbefore : 0; i < a->ntried; i++)
			names[n++] = a->tried[i];
	if (n > 0 || a->nbefore > 0)
		hoststat_set_tried(a->d->queue, a->d->domain, names, n);
	for (i = 0; i < a->ntried; i++)
		free(a->tried[i]);
}

/* A new connection to one address.  Whether it can carry mail. */
static bool
connect_to(struct attempt *a, const struct hop *hop,
    const struct hop_addr *addr, const char *key, const struct policy *policy)
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
		remember(a, key, &r);
		return false;
	}
	if (a->failed_before)
		hoststat_ok(a->d->queue, key);
	if (m->ready != NULL)
		m->ready(m->arg);
	log_info("%s: %s, route: %s", a->d->peer->relay,
	    a->d->peer->tls_text, hop->origin);
	return true;
}

static void
try_hop(struct attempt *a, const struct hop *hop)
{
	struct policy policy;
	struct result r;
	char key[NI_MAXHOST + NI_MAXSERV + 4];
	unsigned before = a->addrs;
	size_t i;

	if (policy_find(a->d->conf, hop, &policy, &r) == -1) {
		a->unknown = true;
		note(a, &r);
		return;
	}
	for (i = 0; i < hop->naddr && a->addrs < MAX_ADDRS; i++) {
		key_of(&hop->addr[i], key, sizeof(key));
		if (is_down(a, hop, key))
			continue;
		if (connect_to(a, hop, &hop->addr[i], key, &policy)) {
			transaction(a);
			break;
		}
	}
	/* one that was left alone costs nothing */
	a->hosts += a->addrs > before;
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

/*
 * Those hosts that were not tried before, or, AGAIN, the others.  Of each it
 * must be known whether it is this one (RFC 5321 section 5.1), tried or not.
 * Whether the list came to its end.
 */
static bool
walk(struct attempt *a, bool again)
{
	struct route *route = a->route;
	const struct hop *hop;
	struct result r;
	size_t i = 0;

	while (a->nopen > 0 && !a->unsure && i < route->nhop &&
	    a->hosts < MAX_HOSTS && a->addrs < MAX_ADDRS) {
		hop = &route->hop[i];
		if (was_tried(a, hop)) {
			i++;
			continue;
		}
		/* one connection at a time */
		deliver_disconnect(a->d);
		switch (route_hop(a->d->router, route, i, &r)) {
		case 1:
			continue;	/* another hop is at I now, or none */
		case -1:
			a->unknown = true;
			note(a, &r);
			a->hosts += result_is_temporary(&r);
			break;
		default:
			if (was_tried_before(a, hop->host) != again)
				break;
			is_tried_now(a, hop->host);
			try_hop(a, hop);
		}
		i++;
	}
	return i >= route->nhop;
}

static void
attempt_run(struct attempt *a)
{
	a->began = clock_us(CLOCK_MONOTONIC);
	try_open_connection(a);
	if (a->nopen > 0 && a->route->nhop > 0)
		a->ntried = a->nbefore = hoststat_tried(a->d->queue,
		    a->d->domain, time(NULL), a->tried, HOSTSTAT_TRIED);
	a->around = walk(a, false);
	a->more = !a->around || (a->nbefore > 0 && !walk(a, true));
	remember_tried(a);
	finish(a);
}

/* --- the message ----------------------------------------------------------*/

struct deliver *
deliver_new(const struct conf *conf, struct queue *q, const char *domain)
{
	struct deliver *d = xcalloc(1, sizeof(*d));

	d->conf = conf;
	d->queue = q;
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

	router_expire(d->router, clock_us(CLOCK_MONOTONIC) / 1000000,
	    m->generation);
	for (i = 0; i < n; i++) {
		todo[i] = &m->rcpt[i];
		todo[i]->final = false;
		result_set(&todo[i]->result, R_LOCALERR, "not tried");
	}
	m->dead = n > 0;
	m->offline = n > 0;
	m->busy = false;
	m->until = 0;
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
		m->offline &= !a.served && !a.online &&
		    a.why.code == R_OFFLINE;
		m->busy |= a.busy;
		m->until = a.unknown || a.more ? 0 : a.until;
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
