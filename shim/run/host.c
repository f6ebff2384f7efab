/* SPDX-License-Identifier: ISC */
/*
 * One host of an attempt: its addresses, what is remembered of them, and the
 * transactions over the connection that was made.
 */
#include "config.h"

#include "run/deliverint.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/peer.h"
#include "run/policy.h"
#include "run/route.h"
#include "run/sending.h"
#include "smtp/smtp.h"

#define MAX_MESSAGES	100	/* over one connection */

/* "192.0.2.1:25" */
#define KEY_SIZE	(NI_MAXHOST + NI_MAXSERV + 4)

/* --- transactions --------------------------------------------------------- */

bool
host_has_left(const struct attempt *a)
{
	size_t i;

	for (i = 0; i < a->nopen; i++)
		if (a->open[i]->again)
			return true;
	return false;
}

/*
 * The result of a recipient.  What the host does not offer to take is refused
 * for good only when the other hosts of this preference do not, either.
 */
static void
judge(struct attempt *a, struct delivery_rcpt *rcpt, bool dsn)
{
	struct result *r = &rcpt->result;

	if (r->host[0] == '\0')
		(void)strlcpy(r->host, a->d->peer->relay, sizeof(r->host));
	rcpt->unfit = R_SENT;
	if ((r->code == R_TOOBIG || r->code == R_UTF8) && r->reply == 0) {
		rcpt->unfit = r->code;
		(void)strlcpy(r->esc, result_esc(r), sizeof(r->esc));
		r->esc[0] = '4';
		r->code = R_LATER;
	}
	/* who does not know DSN will not tell (RFC 3461 section 5.2.2) */
	rcpt->relayed = result_is_ok(r) && !dsn &&
	    dsn_wants(rcpt->notify, DSN_SUCCESS);
}

static void
transaction(struct attempt *a, bool again)
{
	struct deliver *d = a->d;
	struct peer *peer = d->peer;
	struct delivery_rcpt **who = xcalloc(a->nopen, sizeof(*who));
	struct sending sending = { .m = a->m, .who = who,
	    .n = sending_choose(a->open, a->nopen, again, who) };
	struct result r;
	int64_t began = rcptlog_clock();
	bool lost;
	size_t i;

	lost = sending_run(&sending, peer->smtp, &r) != 0;
	a->unsure = sending.unsure;
	for (i = 0; i < sending.n; i++)
		judge(a, who[i], sending.dsn);
	free(who);
	a->served = true;
	a->log.sending += rcptlog_clock() - began;
	deliver_settle(a);
	if (lost && r.code == R_SHORT)
		a->is_short = true;
	else
		a->busy |= sending.busy || (lost && a->nopen > 0);
	if (lost || ++peer->messages >= MAX_MESSAGES || smtp_full(peer->smtp))
		deliver_disconnect(d);
}

/* As many transactions as the server wants for all recipients. */
void
host_serve(struct attempt *a, bool onlyleft)
{
	do
		transaction(a, onlyleft);
	while ((onlyleft = host_has_left(a)) && a->d->peer != NULL);
}

/* --- the memory of hosts --------------------------------------------------*/

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
is_down(struct attempt *a, const struct hop *hop, const char *key,
    bool *failed_before)
{
	struct hoststat hs;
	struct result r;

	if (!hoststat_is_down(a->d->queue, key, time(NULL), &hs)) {
		*failed_before = hs.failures > 0;
		return false;
	}
	result_set(&r, R_CONNECT, "%s (not tried again before %lld s)",
	    hs.reason, (long long)(hs.until - time(NULL)));
	relay_of(hop, key, r.host, sizeof(r.host));
	rcptlog_tell(a->m, "%s: %s", r.host, r.text);
	may_be_tried_at(a, hs.until);
	deliver_note(a, &r);
	return true;
}

static void
remember(struct attempt *a, const char *key, const struct result *r)
{
	switch (r->code) {
	case R_OFFLINE:
	case R_LOCALERR:
	case R_SHORT:
	case R_TLS:
		/* it is not the host, or not for everybody */
		a->unknown = true;
		return;
	case R_CONNECT:
		break;
	default:
		a->busy = true;
		if (!a->m->crowded)
			break;
		/* it serves others of us: the next one may be served, too */
		a->unknown = true;
		return;
	}
	may_be_tried_at(a, hoststat_fail(a->d->queue, key, r->text,
	    time(NULL), arc4random()));
}

/* --- addresses ------------------------------------------------------------ */

struct choice {			/* of an address */
	const struct hop_addr *addr; /* or NULL */
	char	 key[KEY_SIZE];
	bool	 failed_before;
};

struct trial {			/* of a hop */
	struct attempt	*a;
	const struct hop *hop;
	bool		*used;	/* of its addresses */
	struct choice	 first, spare;
};

/*
 * The first address that was not used, and need not be left alone: of FAMILY
 * if OF, else of another.
 */
static bool
choose(struct trial *t, int family, bool of, struct choice *c)
{
	const struct hop *hop = t->hop;
	size_t i;

	for (i = 0; i < hop->naddr; i++) {
		if (t->used[i] || (hop->addr[i].ss.ss_family == family) != of)
			continue;
		c->addr = &hop->addr[i];
		key_of(c->addr, c->key, sizeof(c->key));
		if (!is_down(t->a, hop, c->key, &c->failed_before))
			return true;
		t->used[i] = true;
	}
	c->addr = NULL;
	return false;
}

/*
 * The next address, and one of the other family in case it does not answer;
 * a family that is known not to comes last.  False: there is none.
 */
static bool
next_addr(struct trial *t)
{
	int slow = t->a->d->slow_family;

	if (!choose(t, slow, false, &t->first) &&
	    !choose(t, slow, true, &t->first))
		return false;
	(void)choose(t, t->first.addr->ss.ss_family, false, &t->spare);
	return true;
}

/* The address failed. */
static void
give_up(struct trial *t, const struct choice *c, const struct result *r)
{
	t->used[c->addr - t->hop->addr] = true;
	remember(t->a, c->key, r);
}

/* A new connection.  Whether it can carry mail. */
static bool
connect_to(struct trial *t, const struct policy *policy)
{
	struct attempt *a = t->a;
	struct deliver *d = a->d;
	struct delivery *m = a->m;
	struct peer_at at = { .addr = t->first.addr, .spare = t->spare.addr };
	struct peer_trace trace = { m->trace, m->arg };
	const struct choice *c;
	int64_t began = rcptlog_clock();
	struct result r;

	rcptlog_tell(m, "connecting to %s:%u (route: %s)", t->hop->host,
	    (unsigned)t->hop->port, t->hop->origin);
	d->peer = peer_open(d->conf, t->hop, &at, policy, trace, &r);
	a->log.connecting += rcptlog_clock() - began;
	a->addrs += 1 + at.spare_used;
	if (at.spare_used)
		give_up(t, &t->first, &at.why);
	if (at.spare_won)
		d->slow_family = at.addr->ss.ss_family;
	c = at.spare_used ? &t->spare : &t->first;
	if (d->peer == NULL) {
		log_info("%s: %s", r.host, r.text);
		rcptlog_tell(m, "%s: %s", r.host, r.text);
		deliver_note(a, &r);
		give_up(t, c, &at.last);
		return false;
	}
	if (c->failed_before)
		hoststat_ok(d->queue, c->key);
	if (m->ready != NULL)
		m->ready(m->arg);
	log_info("%s: %s, route: %s", d->peer->relay, d->peer->tls_text,
	    t->hop->origin);
	return true;
}

void
host_try(struct attempt *a, const struct hop *hop)
{
	struct trial t = { .a = a, .hop = hop };
	struct policy policy;
	struct result r;
	unsigned before = a->addrs;
	bool onlyleft = false;

	if (policy_find(a->d->conf, hop, &policy, &r) == -1) {
		a->unknown = true;
		deliver_note(a, &r);
		return;
	}
	t.used = xcalloc(hop->naddr, sizeof(*t.used));
	while (a->addrs < MAX_ADDRS && deliver_has_time(a) && next_addr(&t)) {
		if (!connect_to(&t, &policy))
			continue;
		host_serve(a, onlyleft);
		/* the rest on another connection, if it wants that */
		if (!(onlyleft = host_has_left(a)) || a->unsure)
			break;
		a->addrs = before;
	}
	free(t.used);
	/* one that was left alone costs nothing */
	a->hosts += a->addrs > before;
}
