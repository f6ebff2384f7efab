/* SPDX-License-Identifier: ISC */
/*
 * Will mail to there get through?  What a worker would do, up to the point
 * where it would say MAIL: the same route, policy, connection and TLS.
 */
#include "config.h"

#include "check/checkup.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/xmalloc.h"
#include "local/alias.h"
#include "local/expand.h"
#include "run/peer.h"
#include "run/policy.h"
#include "run/route.h"
#include "smtp/smtp.h"

#define MAX_HOSTS	5	/* as many as an attempt tries */
#define MAX_ADDRS	10
#define REPLY_MS	60000	/* who is slower is as good as silent */

struct visit {			/* to the hosts of one domain */
	struct checkup	*c;
	struct conf	 conf;		/* the same but for its times */
	const char	*domain;
	char		 greeting[256];	/* of the host at hand */
	unsigned	 addrs;		/* tried */
	bool		 served;	/* one is ready to take mail */
};

/* --- one address of a host ------------------------------------------------ */

/* The first line that the server says. */
static void
on_line(void *arg, char dir, const char *line)
{
	struct visit *v = arg;

	if (dir == '<' && v->greeting[0] == '\0')
		(void)strlcpy(v->greeting, line, sizeof(v->greeting));
}

static struct peer *
call(struct visit *v, const struct hop *hop, size_t i,
    const struct policy *policy, struct result *r)
{
	struct peer_at at = { .addr = &hop->addr[i] };
	const struct peer_trace trace = { on_line, v };

	v->greeting[0] = '\0';
	return peer_open(&v->conf, hop, &at, policy, trace, r);
}

/* What mail gets that needs it. */
static void
tell_extensions(struct visit *v, const struct peer *p)
{
	static const struct {
		unsigned offer;
		const char *name;
	} rows[] = {
		{ SMTP_PIPELINING, "PIPELINING" },
		{ SMTP_8BITMIME, "8BITMIME" },
		{ SMTP_UTF8, "SMTPUTF8" }, { SMTP_DSN, "DSN" },
		{ SMTP_LIMITS, "LIMITS" },
	};
	unsigned offers = smtp_offers(p->smtp);
	uint64_t max = smtp_size_max(p->smtp);
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((offers & rows[i].offer) != 0)
			buf_printf(&b, " %s", rows[i].name);
	if (max != 0)
		buf_printf(&b, " SIZE %" PRIu64, max);
	if (max != 0 && max < v->conf.max_size)
		report(v->c->report, MARK_NOTE, "extensions", "set max-size: "
		    "to that, and senders are told at once", "%s takes %" PRIu64
		    " octets at most, where we accept %" PRIu64 ":%s",
		    p->relay, max, v->conf.max_size, buf_str(&b));
	else
		report(v->c->report, MARK_OK, "extensions", NULL, "%s:%s",
		    p->relay, b.len > 0 ? buf_str(&b) : " none");
	buf_clear(&b);
}

/* Mail goes, but would it if the certificate mattered?  Ask again. */
static void
tell_certificate(struct visit *v, const struct hop *hop, size_t i,
    const struct policy *policy, const struct peer *p)
{
	struct policy strict = { POLICY_VERIFY, policy->name };
	struct peer *other;
	struct result r;

	other = call(v, hop, i, &strict, &r);
	if (other != NULL)
		report(v->c->report, MARK_OK, "tls", NULL, "%s: %s", p->relay,
		    other->tls_text);
	else
		report(v->c->report, MARK_NOTE, "tls", "tls=verify for this "
		    "domain would make mail wait; who runs the server can "
		    "mend it", "%s: %s for %s: %s", p->relay, p->tls_text,
		    policy->name, r.text);
	peer_close(other);
}

static void
tell_tls(struct visit *v, const struct hop *hop, size_t i,
    const struct policy *policy, const struct peer *p)
{
	if (p->tls && policy->level == POLICY_VERIFY)
		report(v->c->report, MARK_OK, "tls", NULL, "%s: %s", p->relay,
		    p->tls_text);
	else if (p->tls)
		tell_certificate(v, hop, i, policy, p);
	else if (policy->level == POLICY_NONE)
		report(v->c->report, MARK_NOTE, "tls", "tls=may uses TLS where "
		    "it is offered", "%s: clear text, as the configuration "
		    "demands", p->relay);
	else
		report(v->c->report, MARK_NOTE, "tls", "who runs the server "
		    "can offer STARTTLS; tls=encrypt for this domain would "
		    "make mail wait", "%s: no TLS: mail can be read on the way",
		    p->relay);
}

static const char *
remedy_of(const struct hop *hop, const struct result *r)
{
	if (r->code == R_CONNECT && hop->localconf)
		return "is the route right, and does a server listen there?";
	switch (r->code) {
	case R_OFFLINE:
		return "there is no way to that network from here";
	case R_CONNECT:
		return "if no host answers at port 25, a firewall or your "
		    "provider forbids it: send through a relay, mxhosts(5)";
	case R_TLS:
		return "who runs the server can mend it; tls=may for this "
		    "domain would do without";
	case R_LOCALERR:
		return "see source-address: and family: in the configuration";
	default:
		return "who runs the server can mend it; see what it says";
	}
}

static void
try_address(struct visit *v, const struct hop *hop, size_t i,
    const struct policy *policy)
{
	struct result r;
	struct peer *p;
	char *greeting;

	v->addrs++;
	if ((p = call(v, hop, i, policy, &r)) == NULL) {
		report(v->c->report, MARK_WARNING, "connection",
		    remedy_of(hop, &r), "%s: %s", r.host, r.text);
		return;
	}
	v->served = true;
	greeting = xstrdup(v->greeting);
	report(v->c->report, MARK_OK, "connection", NULL, "%s: %s", p->relay,
	    greeting);
	free(greeting);
	tell_extensions(v, p);
	tell_tls(v, hop, i, policy, p);
	peer_close(p);
}

/* --- the hosts of a domain ------------------------------------------------ */

static void
tell_route(struct visit *v, const struct route *route)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < route->nhop && i < MAX_HOSTS; i++)
		buf_printf(&b, "%s%s:%u (%u, %s)", i > 0 ? ", " : "",
		    route->hop[i].host, (unsigned)route->hop[i].port,
		    route->hop[i].pref, route->hop[i].origin);
	if (route->nhop > MAX_HOSTS)
		buf_printf(&b, ", and %zu more", route->nhop - MAX_HOSTS);
	report(v->c->report, MARK_OK, "route", NULL, "mail for %s goes to %s",
	    v->domain, buf_str(&b));
	buf_clear(&b);
}

static void
try_hop(struct visit *v, const struct hop *hop)
{
	struct policy policy;
	struct result r;
	size_t i;

	if (policy_find(&v->conf, hop, &policy, &r) == -1) {
		report(v->c->report, MARK_WARNING, "policy", "change the "
		    "options of the route", "%s", r.text);
		return;
	}
	for (i = 0; i < hop->naddr && v->addrs < MAX_ADDRS; i++)
		try_address(v, hop, i, &policy);
}

/* All of RCPT, or of the domain if that is NULL. */
static void
visit_all(struct visit *v, struct router *router, const char *rcpt)
{
	struct route *route = route_find(router, rcpt);
	struct result r;
	size_t i;

	if (route->nhop > 0)
		tell_route(v, route);
	for (i = 0; i < route->nhop && i < MAX_HOSTS; i++)
		switch (route_hop(router, route, i, &r)) {
		case 0:
			try_hop(v, &route->hop[i]);
			break;
		case -1:
			report(v->c->report, MARK_WARNING, "addresses",
			    "who runs the domain can mend it; /etc/mxhosts "
			    "can send its mail elsewhere", "%s", r.text);
			break;
		}
	if (route->nhop == 0)
		report(v->c->report, MARK_FAULT, "route", result_is_permanent(
		    &route->why) ? "mail is returned; is the name right? "
		    "getmx --trace says why" : "mail waits; getmx --trace "
		    "says why", "%s %s", result_esc(&route->why),
		    route->why.text);
	else if (!v->served)
		report(v->c->report, MARK_FAULT, "delivery", "mail waits; "
		    "/etc/mxhosts can send it elsewhere", "no host takes mail "
		    "for %s from here", v->domain);
	else
		report(v->c->report, MARK_OK, "delivery", NULL, "mail for %s "
		    "gets through", v->domain);
}

static void
visit(struct checkup *c, const char *domain, const char *rcpt)
{
	struct visit v = { .c = c, .conf = *c->conf, .domain = domain };
	struct router *router = router_new(c->conf, domain);

	if (v.conf.reply_timeout > REPLY_MS)
		v.conf.reply_timeout = REPLY_MS;
	visit_all(&v, router, rcpt);
	router_free(router);
}

/* --- users of this machine ------------------------------------------------ */

/* The mailbox of a user who, perhaps, is none. */
static void
check_box(struct checkup *c, const char *addr)
{
	enum conf_local local = c->conf->local;
	char *user = expand_user(addr, true);

	errno = 0;
	if (local == CONF_NONE)
		report(c->report, MARK_FAULT, "route", "an alias can send it "
		    "elsewhere", "users of this machine get no mail "
		    "(local: none): it is returned");
	else if (local != CONF_LMTP && getpwnam(user) == NULL && errno == 0)
		report(c->report, MARK_FAULT, "route", "correct the address, "
		    "or give it an alias", "there is no user \"%s\" here: mail "
		    "is returned", user);
	else
		check_mailbox(c);
	free(user);
}

static void
check_user(struct checkup *c, const char *addr)
{
	struct expansion x = { NULL, 0, false };
	struct aliases a;
	struct result r;
	size_t i;

	alias_init(&a);
	if (check_read_aliases(c, &a) &&
	    expand(c->conf, &a, addr, &x, &r) == -1)
		report(c->report, MARK_FAULT, "aliases", "correct the line; "
		    "mail waits until then", "%s", r.text);
	for (i = 0; i < x.nto; i++) {
		report(c->report, MARK_OK, "aliases", NULL, "%s goes to %s%s",
		    addr, x.to[i].mailbox ? "the mailbox of " : "",
		    x.to[i].addr);
		if (x.to[i].mailbox)
			check_box(c, x.to[i].addr);
		else
			visit(c, strrchr(x.to[i].addr, '@') + 1, x.to[i].addr);
	}
	expansion_clear(&x);
	alias_clear(&a);
}

void
check_target(struct checkup *c, const char *target)
{
	const char *why, *domain = target;
	char *addr = NULL;

	c->report->target = target;
	if (strchr(target, '@') != NULL) {
		addr = addr_one(target, c->conf->mail_name, &why);
		if (addr == NULL || addr[0] == '\0') {
			report(c->report, MARK_FAULT, "address", "correct it",
			    "not an address: %s", addr == NULL ? why :
			    "it is empty");
			goto out;
		}
		domain = strrchr(addr, '@') + 1;
	}
	if (!conf_is_local(c->conf, domain))
		visit(c, domain, addr);
	else if (addr != NULL)
		check_user(c, addr);
	else
		report(c->report, MARK_OK, "route", NULL, "%s is this "
		    "machine: its users have their mail here", domain);
out:
	free(addr);
	c->report->target = NULL;
}
