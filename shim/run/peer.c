/* SPDX-License-Identifier: ISC */
/*
 * From an address to a session that can carry mail.  Where the policy lets
 * clear text be, a failed TLS handshake costs a second connection: what is
 * left of the first one cannot be trusted to be in step.  So does a server
 * that hangs up when it hears EHLO.
 */
#include "config.h"

#include "run/peer.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/route.h"
#include "smtp/dial.h"
#include "smtp/net.h"
#include "smtp/smtp.h"
#include "smtp/tls.h"

#define HANDSHAKE_MS	60000

struct opening {
	const struct conf	 *conf;
	const struct hop	 *hop;
	struct peer_at		 *at;
	const struct policy	 *policy;
	struct peer_trace	  trace;
	struct peer		 *p;
	bool			  unreached;	/* at->last is set */
};

/* Close without a word; ready to connect again. */
static void
abandon(struct peer *p)
{
	smtp_free(p->smtp);
	net_close(p->conn);
	p->smtp = NULL;
	p->conn = NULL;
}

void
peer_close(struct peer *p)
{
	if (p == NULL)
		return;
	if (p->smtp != NULL)
		smtp_quit(p->smtp);
	abandon(p);
	free(p->host);
	free(p->name);
	free(p);
}

/* "host[192.0.2.1]:25", as in the log. */
static void
set_relay(struct peer *p, const struct hop_addr *addr)
{
	char ip[INET6_ADDRSTRLEN];

	if (getnameinfo((const struct sockaddr *)&addr->ss, addr->len, ip,
	    sizeof(ip), NULL, 0, NI_NUMERICHOST) != 0)
		(void)strlcpy(ip, "unknown", sizeof(ip));
	snprintf(p->relay, sizeof(p->relay), "%s[%s]:%u", p->host, ip,
	    (unsigned)p->port);
}

/*
 * Both addresses failed: the texts of both, and what weighs more.  Where we
 * were short of something the host is not to blame, whatever the other did.
 */
static void
nobody(const struct result why[], size_t n, struct result *r)
{
	enum result_code code = why[0].code;

	if (n == 2 && code != R_SHORT && (code == R_OFFLINE ||
	    why[1].code == R_CONNECT || why[1].code == R_SHORT))
		code = why[1].code;
	result_set(r, code, "%.240s%s%.240s", why[0].text, n == 2 ? "; " : "",
	    n == 2 ? why[1].text : "");
}

/* A connection; the one that answers is the only one from now on. */
static int
call(struct opening *o, struct result *r)
{
	struct peer_at *at = o->at;
	const struct hop_addr *addr[] = { at->addr, at->spare };
	struct dial_addr to[2];
	struct result why[2];
	size_t i, n = at->spare != NULL && !at->spare_used ? 2 : 1, which;
	int fd;

	if (at->spare_won)
		addr[0] = at->spare;
	for (i = 0; i < n; i++)
		to[i] = (struct dial_addr){ (const struct sockaddr *)
		    &addr[i]->ss, addr[i]->len };
	fd = dial(to, n, o->conf->source_address, o->conf->connect_timeout,
	    &which, why);
	if (n == 2 && (fd == -1 || which == 1)) {
		at->spare_used = true;
		at->why = why[0];
	}
	if (fd == -1) {
		at->last = why[n - 1];
		o->unreached = true;
		nobody(why, n, r);
		return -1;
	}
	if (which == 1) {
		at->spare_won = true;
		set_relay(o->p, at->spare);
	}
	o->p->conn = net_open(fd);
	return 0;
}

static int
greet(struct opening *o, enum smtp_how how, struct result *r)
{
	struct peer *p = o->p;
	struct smtp_io io;
	struct smtp_params params = {
		.hostname = o->conf->hostname,
		.peer = p->relay,
		.reply_timeout = o->conf->reply_timeout,
		.data_timeout = o->conf->data_timeout,
		.trace = o->trace.line,
		.trace_arg = o->trace.arg,
	};

	if (call(o, r) == -1)
		return -1;
	net_io(p->conn, &io);
	p->smtp = smtp_new(&io, &params);
	if (smtp_greet(p->smtp, r) == -1)
		return -1;
	if (smtp_hello(p->smtp, how, r) == 0)
		return 0;
	if (how != SMTP_EHLO_OR_HELO || !net_ended(p->conn))
		return -1;
	log_info("%s: %s; trying again with HELO", p->relay, r->text);
	abandon(p);
	return greet(o, SMTP_HELO_ONLY, r);
}

/*
 * A server of our own name is most likely us behind another address.  Not
 * for certain: names are given twice.  So the mail waits (RFC 5321 section
 * 6.3, 5.4.6 of RFC 3463).
 */
static int
check_name(const struct opening *o, struct result *r)
{
	const char *name = smtp_name(o->p->smtp);

	if (o->hop->localconf || strchr(name, '.') == NULL ||
	    strcasecmp(name, o->conf->hostname) != 0)
		return 0;
	result_set(r, R_LATER, "the server calls itself %s, as we do: the "
	    "mail would come back to us", name);
	(void)strlcpy(r->esc, "4.4.6", sizeof(r->esc));
	return -1;
}

/* 0 with *EVENT, or 1 when TLS is up; *R says what went wrong. */
static int
start_tls(struct opening *o, enum policy_event *event, struct result *r)
{
	struct peer *p = o->p;
	struct tls *tls;
	int refused;

	*event = POLICY_NOT_OFFERED;
	result_set(r, R_TLS, "TLS is required, but the server does not "
	    "offer STARTTLS");
	if ((smtp_offers(p->smtp) & SMTP_STARTTLS) == 0)
		return 0;
	*event = POLICY_REFUSED;
	if ((refused = smtp_starttls(p->smtp, r)) == 1)
		return 0;
	*event = POLICY_FAILED;
	if (refused == -1)
		return 0;
	tls = tls_new(net_fd(p->conn), o->policy->name,
	    o->policy->level == POLICY_VERIFY, r);
	if (tls == NULL)
		return 0;
	net_deadline(p->conn, o->conf->reply_timeout < HANDSHAKE_MS ?
	    o->conf->reply_timeout : HANDSHAKE_MS);
	if (net_start_tls(p->conn, tls, r) == -1)
		return 0;
	/* the connection owns it now, and lives longer than this text */
	snprintf(p->tls_text, sizeof(p->tls_text), "%s", tls_describe(tls));
	p->tls = true;
	return 1;
}

static int
protect(struct opening *o, struct result *r)
{
	enum policy_event event;

	if (o->policy->level == POLICY_NONE)
		return 0;
	if (start_tls(o, &event, r) == 1)
		/* RFC 3207 section 4.2: forget what was said in clear text */
		return smtp_hello(o->p->smtp, SMTP_EHLO_ONLY, r);
	/* it is about to close: not only to TLS (RFC 5321 section 3.8) */
	if (event == POLICY_FAILED && r->reply == 421)
		return -1;
	/* nor is it the server's TLS that failed */
	if (event == POLICY_FAILED && r->code == R_SHORT)
		return -1;
	switch (policy_step(o->policy->level, event)) {
	case POLICY_GO_ON:
		return 0;
	case POLICY_RECONNECT:
		log_info("%s: %s; trying again without TLS", o->p->relay,
		    r->text);
		abandon(o->p);
		return greet(o, SMTP_EHLO_OR_HELO, r);
	case POLICY_NEXT:
		/* nobody listens for QUIT in the middle of a handshake */
		if (event == POLICY_FAILED)
			abandon(o->p);
		break;
	}
	return -1;
}

struct peer *
peer_open(const struct conf *conf, const struct hop *hop,
    struct peer_at *at, const struct policy *policy,
    struct peer_trace trace, struct result *r)
{
	struct peer *p = xcalloc(1, sizeof(*p));
	struct opening o = { conf, hop, at, policy, trace, p, false };
	/* a server that knows no EHLO has no STARTTLS either */
	enum smtp_how how = policy->level <= POLICY_MAY ? SMTP_EHLO_OR_HELO :
	    SMTP_EHLO_ONLY;

	p->host = xstrdup(hop->host);
	p->port = hop->port;
	p->level = policy->level;
	p->name = xstrdup(policy->name);
	snprintf(p->tls_text, sizeof(p->tls_text), "no TLS");
	at->spare_used = at->spare_won = false;
	set_relay(p, at->addr);
	if (greet(&o, how, r) == 0 && check_name(&o, r) == 0 &&
	    protect(&o, r) == 0)
		return p;
	if (!result_is_temporary(r))
		r->code = R_LATER;
	if (r->host[0] == '\0')
		(void)strlcpy(r->host, p->relay, sizeof(r->host));
	if (!o.unreached)
		at->last = *r;
	peer_close(p);
	return NULL;
}

bool
peer_serves(const struct peer *p, const struct hop *hop,
    const struct policy *policy)
{
	return p->port == hop->port && p->level == policy->level &&
	    strcmp(p->host, hop->host) == 0 &&
	    strcmp(p->name, policy->name) == 0;
}
