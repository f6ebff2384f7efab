/* SPDX-License-Identifier: ISC */
/*
 * One attempt to deliver a message to a destination (RFC 5321 section 5.1):
 * hosts in order of preference, each with its addresses.  What a server says
 * about a recipient for good is final at once; recipients with a temporary
 * answer go on to the next host, until the hosts or the limits of one
 * attempt are used up.
 */
#include "config.h"

#include "run/deliverint.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "run/peer.h"
#include "run/policy.h"
#include "run/route.h"
#include "smtp/smtp.h"

/* ms after which no other host is called: two that take all their time. */
static int64_t
time_to_connect(const struct conf *c)
{
	return MAX_ADDRS * (int64_t)c->connect_timeout +
	    4 * (int64_t)c->reply_timeout;
}

int64_t
deliver_limit(const struct conf *c, off_t size)
{
	/* and a last one that does, with a message that does */
	return time_to_connect(c) + 2 * (int64_t)c->connect_timeout +
	    4 * (int64_t)c->reply_timeout + c->data_timeout +
	    (int64_t)size * (1000 / SMTP_MIN_RATE);
}

/* --- outcomes -------------------------------------------------------------*/

/*
 * Take the recipients out that are final.  The caller records them before
 * anything else is done: a crash here must not send the message again.
 */
void
deliver_settle(struct attempt *a)
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
		rcptlog_line(&a->log, final[i]);
	free(final);
}

/* Something failed that is not about a recipient; doubt outweighs proof. */
void
deliver_note(struct attempt *a, const struct result *r)
{
	a->online |= r->code != R_OFFLINE && r->code != R_SHORT;
	a->is_short |= r->code == R_SHORT;
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
		deliver_note(a, &a->route->why);
	else if (result_is_permanent(why) &&
	    (a->route->cut || a->route->partial || a->more))
		why->code = R_DNSTEMP;
	for (i = 0; i < a->nopen && !a->served; i++)
		a->open[i]->result = *why;
	deliver_settle(a);
	for (i = 0; i < a->nopen; i++)
		rcptlog_line(&a->log, a->open[i]);
}

/* --- all hosts ------------------------------------------------------------*/

bool
deliver_has_time(const struct attempt *a)
{
	return (rcptlog_clock() - a->log.began) / 1000 <
	    time_to_connect(a->d->conf);
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
	host_serve(a, false);
	/* the server may have tired of this connection: that is no attempt */
	if (a->d->peer == NULL && a->nopen == before && !a->unsure) {
		a->served = false;
		return;
	}
	/* or it wants the rest on another one */
	if (host_has_left(a))
		return;
	for (i = 0; i < a->nopen; i++)
		a->open[i]->unfit_before = a->open[i]->unfit;
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
 * What no host of the best preference takes the destination does not take
 * (RFC 1870 section 6.1, RFC 6531 section 3.2): the others would pass it on to
 * these.
 */
static void
judge_fitness(struct attempt *a)
{
	struct delivery_rcpt *rcpt;
	size_t i;

	if (a->fitness.over || a->fitness.hosts == 0)
		return;
	a->fitness.over = true;
	for (i = 0; i < a->nopen; i++) {
		rcpt = a->open[i];
		if (rcpt->nunfit < a->fitness.hosts)
			continue;
		rcpt->result.code = rcpt->unfit;
		rcpt->result.esc[0] = '\0';
	}
	deliver_settle(a);
}

/* A host was asked: the last one, or, BEFORE, that of the open connection. */
static void
count_fitness(struct attempt *a, bool before)
{
	struct delivery_rcpt *rcpt;
	size_t i;

	a->fitness.hosts++;
	for (i = 0; i < a->nopen; i++) {
		rcpt = a->open[i];
		if (before)
			rcpt->unfit = rcpt->unfit_before;
		rcpt->nunfit += rcpt->unfit != R_SENT;
	}
}

static void
forget_fitness(struct attempt *a)
{
	size_t i;

	for (i = 0; i < a->nopen; i++)
		a->open[i]->unfit = R_SENT;
}

/*
 * Try hop I, unless it was tried before, or, AGAIN, only then.  Of each it must
 * be known whether it is this one (RFC 5321 section 5.1), tried or not.
 * 1: another one is at I now, or none.
 */
static int
step(struct attempt *a, size_t i, bool again)
{
	struct hop *hop = &a->route->hop[i];
	struct result r;

	if (was_tried(a, hop)) {
		count_fitness(a, true);
		return 0;
	}
	/* one connection at a time */
	deliver_disconnect(a->d);
	forget_fitness(a);
	switch (route_hop(a->d->router, a->route, i, &r)) {
	case 1:
		return 1;
	case -1:
		a->unknown = true;
		deliver_note(a, &r);
		if (result_is_permanent(&r))
			return 0;
		a->hosts++;
		break;
	default:
		if (was_tried_before(a, hop->host) != again)
			break;
		is_tried_now(a, hop->host);
		host_try(a, hop);
	}
	count_fitness(a, false);
	return 0;
}

/* Whether the list came to its end. */
static bool
walk(struct attempt *a, bool again)
{
	struct route *route = a->route;
	size_t i = 0;

	while (a->nopen > 0 && !a->unsure && i < route->nhop &&
	    a->hosts < MAX_HOSTS && a->addrs < MAX_ADDRS &&
	    deliver_has_time(a)) {
		if (i > 0 && route->hop[i].pref != route->hop[i - 1].pref)
			judge_fitness(a);
		if (a->nopen > 0 && step(a, i, again) == 0)
			i++;
	}
	judge_fitness(a);
	return i >= route->nhop;
}

static void
attempt_run(struct attempt *a)
{
	a->log.m = a->m;
	rcptlog_begin(&a->log);
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

	router_expire(d->router, rcptlog_clock() / 1000000,
	    m->generation);
	for (i = 0; i < n; i++) {
		todo[i] = &m->rcpt[i];
		todo[i]->final = todo[i]->relayed = false;
		todo[i]->unfit = todo[i]->unfit_before = R_SENT;
		todo[i]->nunfit = 0;
		result_set(&todo[i]->result, R_LOCALERR, "not tried");
	}
	m->dead = n > 0;
	m->offline = n > 0;
	m->busy = m->is_short = false;
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
		if (a.served || a.route->byrcpt || a.is_short ||
		    !result_is_temporary(&a.why))
			m->dead = false;
		m->offline &= !a.served && !a.online &&
		    a.why.code == R_OFFLINE;
		m->busy |= a.busy;
		m->is_short |= a.is_short;
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
