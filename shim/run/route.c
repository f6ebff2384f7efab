/* SPDX-License-Identifier: ISC */
/*
 * Recipient -> hops, by getmxinfo() and nothing else.  A worker asks once
 * for all recipients of its domain, unless an override names some of them,
 * and keeps the answer for as long as its TTL allows.  Permanent only on
 * proof: every doubt is a temporary result, and the mail is kept.
 */
#include "config.h"

#include "run/route.h"

#include <mxdb.h>

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "run/self.h"

#define TTL_MAX		300	/* seconds: no answer is kept longer */
#define TTL_UNKNOWN	60	/* an answer without a TTL: overrides */
#define TTL_FAILURE	10	/* a temporary failure */
#define GROUP_MAX	5	/* equals that are looked at before the first
				   is tried: as many as an attempt may try */
#define ENTRIES_MAX	200	/* answers that are kept */

struct entry {			/* one answer of getmxinfo() */
	struct entry	*next;
	char		*rcpt;	/* NULL: for all recipients of the domain */
	struct entry	*same;	/* another recipient's answer serves, or NULL */
	struct mxinfo	*info;
	struct route	 route;
	int64_t		 until;
};

struct router {
	const struct conf *conf;
	const char	 *domain;
	const char	**self;	/* names we are known by */
	struct entry	 *entries; /* newest first */
	size_t		  nentries;
	uint64_t	  generation; /* of the overrides, when asked */
	int64_t		  now;
};

static const struct {
	int		 error;
	enum result_code code;
} errors[] = {
	{ MX_ETIMEOUT,	 R_OFFLINE },
	{ MX_ENOSERVER,	 R_OFFLINE },
	{ MX_EAGAIN,	 R_DNSTEMP },
	{ MX_ESERVFAIL,	 R_DNSTEMP },
	{ MX_EREFUSED,	 R_DNSTEMP },
	{ MX_EBADRESP,	 R_DNSTEMP },
	{ MX_EADDRAGAIN, R_DNSTEMP },
	{ MX_EDEFER,	 R_HELD },
	{ MX_ESOURCE,	 R_CONFIG },
	{ MX_ECONFIG,	 R_CONFIG },
	{ MX_ENOMEM,	 R_SHORT },
	{ MX_ESYSTEM,	 R_LOCALERR },
	{ MX_EINVAL,	 R_LOCALERR },
	{ MX_ENXDOMAIN,	 R_NOHOST },
	{ MX_ENULLMX,	 R_NULLMX },
	{ MX_ENOADDR,	 R_NOROUTE },
	{ MX_ELOOP,	 R_LOOP },
	{ MX_EREJECT,	 R_BLOCKED },
	{ MX_EBADNAME,	 R_BADADDR },
	{ MX_EUNUSABLE,	 R_NOROUTE },
};

static const enum hop_tls tls_words[] = {
	[MX_TLS_DEFAULT] = HOP_TLS_DEFAULT,
	[MX_TLS_NONE] = HOP_TLS_NONE,
	[MX_TLS_MAY] = HOP_TLS_MAY,
	[MX_TLS_ENCRYPT] = HOP_TLS_ENCRYPT,
	[MX_TLS_VERIFY] = HOP_TLS_VERIFY,
	[MX_TLS_DANE] = HOP_TLS_DANE,
};

/* An error that a newer library invented is a doubt. */
static enum result_code
code_of(int error)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error)
			return errors[i].code;
	return R_LOCALERR;
}

/* No answer of a name server is about the name servers (RFC 3463). */
static void
set_code(struct result *r, int error)
{
	struct result own;
	int fd;

	r->code = code_of(error);
	/* a lookup does not say so: whether we are short of descriptors */
	if (r->code == R_DNSTEMP || r->code == R_CONFIG ||
	    r->code == R_LOCALERR) {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd != -1)
			close(fd);
		else {
			result_set_errno(&own, r->code, errno, r->text);
			*r = own;
		}
	}
	if (r->code == R_OFFLINE)
		(void)strlcpy(r->esc, "4.4.3", sizeof(r->esc));
}

static void
failure(int error, const struct mxinfo *info, struct result *r)
{
	const char *text = NULL, *dsn = NULL;

	if (info != NULL) {
		text = info->mi_text;
		dsn = info->mi_dsn;
	}
	result_set(r, R_LOCALERR, "%s",
	    text != NULL ? text : mx_strerror(error));
	set_code(r, error);
	/* a code of the other class would contradict what we do */
	if (dsn != NULL && dsn[0] == result_esc(r)[0] &&
	    strlen(dsn) < sizeof(r->esc))
		snprintf(r->esc, sizeof(r->esc), "%s", dsn);
}

static void
hints_for(const struct router *rt, const char *rcpt, struct mxhints *hints)
{
	static const struct mxhints init = MXHINTS_INIT;

	*hints = init;
	hints->mh_family = rt->conf->family;
	hints->mh_rcpt = rcpt;
	hints->mh_self = rt->self;
	hints->mh_dnssec = rt->conf->dnssec;
}

struct router *
router_new(const struct conf *conf, const char *domain)
{
	struct router *rt = xcalloc(1, sizeof(*rt));
	size_t n = 0, i;

	while (conf->local_domains != NULL && conf->local_domains[n] != NULL)
		n++;
	rt->conf = conf;
	rt->domain = domain;
	rt->self = xcalloc(n + 2, sizeof(*rt->self));
	rt->self[0] = conf->hostname;
	for (i = 0; i < n; i++)
		rt->self[i + 1] = conf->local_domains[i];
	return rt;
}

static void
entry_free(struct entry *e)
{
	size_t i;

	for (i = 0; i < e->route.nhop; i++)
		free(e->route.hop[i].addr);
	free(e->route.hop);
	freemxinfo(e->info);
	free(e->rcpt);
	free(e);
}

void
router_free(struct router *rt)
{
	struct entry *e;

	if (rt == NULL)
		return;
	while ((e = rt->entries) != NULL) {
		rt->entries = e->next;
		entry_free(e);
	}
	free(rt->self);
	free(rt);
}

uint64_t
route_generation(void)
{
	return mx_generation();
}

void
router_expire(struct router *rt, int64_t now, uint64_t generation)
{
	struct entry **p = &rt->entries, *e;
	bool all = rt->nentries > ENTRIES_MAX;

	/* a line in mxhosts takes effect with the next message */
	if (generation != rt->generation)
		all = true;
	rt->generation = generation;
	rt->now = now;
	/* an entry is newer than the one it leans on, and so goes first */
	while ((e = *p) != NULL)
		if (all || e->until <= now ||
		    (e->same != NULL && e->same->until <= now)) {
			*p = e->next;
			entry_free(e);
			rt->nentries--;
		} else
			p = &e->next;
}

static int64_t
until(const struct router *rt, uint32_t ttl)
{
	if (ttl == UINT32_MAX)
		ttl = TTL_UNKNOWN;
	return rt->now + (ttl < TTL_MAX ? ttl : TTL_MAX);
}

static void
hop_from(struct hop *hop, struct mxent *ent)
{
	size_t words = sizeof(tls_words) / sizeof(tls_words[0]);

	hop->ent = ent;
	hop->host = ent->mx_host;
	hop->tlsname = ent->mx_tlsname;
	hop->auth = ent->mx_auth;
	hop->pref = ent->mx_pref;
	hop->port = ent->mx_port != 0 ? ent->mx_port : 25;
	hop->tls = ent->mx_tls >= 0 && (size_t)ent->mx_tls < words ?
	    tls_words[ent->mx_tls] : HOP_TLS_OTHER;
	hop->implicit_tls = (ent->mx_flags & MXE_IMPLICITTLS) != 0;
	hop->literal = (ent->mx_flags & MXE_LITERAL) != 0;
	hop->localconf = (ent->mx_flags & MXE_LOCALCONF) != 0;
	snprintf(hop->origin, sizeof(hop->origin), "%s%s%s",
	    ent->mx_source != NULL ? ent->mx_source : "unknown",
	    ent->mx_origin != NULL ? " " : "",
	    ent->mx_origin != NULL ? ent->mx_origin : "");
}

static void
route_from(struct route *route, struct mxinfo *info)
{
	struct mxent *ent;
	size_t n = 0;

	for (ent = info->mi_mx; ent != NULL; ent = ent->mx_next)
		n++;
	if (n > 0)
		route->hop = xcalloc(n, sizeof(*route->hop));
	for (ent = info->mi_mx; ent != NULL; ent = ent->mx_next)
		hop_from(&route->hop[route->nhop++], ent);
	route->cut = (info->mi_flags & MXI_SELFCUT) != 0;
	route->partial = (info->mi_flags & MXI_PARTIAL) != 0;
	route->byrcpt = (info->mi_flags & MXI_BYRCPT) != 0;
}

static bool
route_has(const struct route *route, const struct hop *hop)
{
	size_t i;

	for (i = 0; i < route->nhop; i++)
		if (route->hop[i].port == hop->port &&
		    route->hop[i].pref == hop->pref &&
		    strcmp(route->hop[i].host, hop->host) == 0 &&
		    strcmp(route->hop[i].origin, hop->origin) == 0)
			return true;
	return false;
}

/*
 * A recipient that is named nowhere gets the same answer as the others that
 * are not, in another order perhaps: they share one route, so that they
 * share a transaction.
 */
static struct entry *
entry_twin(struct router *rt, const struct route *route)
{
	struct entry *e;
	size_t i;

	for (e = rt->entries; e != NULL; e = e->next) {
		if (e->same != NULL || !e->route.byrcpt ||
		    e->route.nhop != route->nhop)
			continue;
		for (i = 0; i < route->nhop; i++)
			if (!route_has(&e->route, &route->hop[i]))
				break;
		if (i == route->nhop)
			return e;
	}
	return NULL;
}

static struct entry *
entry_ask(struct router *rt, const char *rcpt)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	struct mxhints hints;
	int error;

	e->route.entry = e;
	hints_for(rt, rcpt, &hints);
	error = getmxinfo(rt->domain, &hints, &e->info);
	if (e->info != NULL)
		route_from(&e->route, e->info);
	if (e->route.nhop == 0)
		failure(error != MX_OK ? error : MX_EBADRESP, e->info,
		    &e->route.why);
	else if (e->route.byrcpt)
		e->same = entry_twin(rt, &e->route);
	e->until = until(rt, e->info != NULL ? e->info->mi_ttl : UINT32_MAX);
	if (e->route.nhop == 0 && result_is_temporary(&e->route.why))
		e->until = rt->now + TTL_FAILURE;
	if (e->route.byrcpt && rcpt != NULL)
		e->rcpt = xstrdup(rcpt);
	return e;
}

static struct entry *
entry_find(const struct router *rt, const char *rcpt)
{
	struct entry *e;

	for (e = rt->entries; e != NULL; e = e->next)
		if (e->rcpt == NULL || strcmp(e->rcpt, rcpt) == 0)
			return e;
	return NULL;
}

struct route *
route_find(struct router *rt, const char *rcpt)
{
	struct entry *e = entry_find(rt, rcpt);

	if (e == NULL) {
		e = entry_ask(rt, rcpt);
		e->next = rt->entries;
		rt->entries = e;
		rt->nentries++;
	}
	return e->same != NULL ? &e->same->route : &e->route;
}

static void
hop_addrs(struct hop *hop)
{
	const struct mxaddr *ma;
	struct hop_addr *a;
	size_t n = 0;

	for (ma = hop->ent->mx_addrs; ma != NULL; ma = ma->ma_next)
		n++;
	if (n == 0)
		return;
	hop->addr = xcalloc(n, sizeof(*hop->addr));
	for (ma = hop->ent->mx_addrs; ma != NULL; ma = ma->ma_next) {
		if ((size_t)ma->ma_addrlen > sizeof(a->ss))
			continue;
		a = &hop->addr[hop->naddr++];
		memcpy(&a->ss, ma->ma_addr, ma->ma_addrlen);
		a->len = ma->ma_addrlen;
	}
}

/* The entry does not outlive the addresses that it holds. */
static void
entry_shorten(struct router *rt, struct entry *e, const struct mxent *ent)
{
	const struct mxaddr *ma;
	int64_t t;

	for (ma = ent->mx_addrs; ma != NULL; ma = ma->ma_next)
		if ((t = until(rt, ma->ma_ttl)) < e->until)
			e->until = t;
}

/*
 * The addresses of HOP.  Of a target without one we say 5.4.4, whether it
 * exists or not: it is the recipient's domain that cannot be reached.  One
 * that an administrator wrote may be a slip, and the mail waits for its
 * correction.
 */
static int
hop_resolve(struct router *rt, struct route *route, struct hop *hop,
    struct result *r)
{
	struct mxhints hints;
	int error = MX_ENOADDR;

	if (hop->naddr > 0)
		return 0;
	hints_for(rt, NULL, &hints);
	if (hop->ent->mx_addrs == NULL)
		error = mxresolve(route->entry->info, hop->ent, &hints);
	hop_addrs(hop);
	entry_shorten(rt, route->entry, hop->ent);
	if (hop->naddr > 0)
		return 0;
	if (error == MX_OK)
		error = MX_ENOADDR;
	result_set(r, R_LOCALERR, "%s: %s (route: %s)", hop->host,
	    mx_strerror(error), hop->origin);
	set_code(r, error);
	if (result_is_permanent(r))
		r->code = hop->localconf ? R_CONFIG : R_NOROUTE;
	if (result_is_temporary(r))
		route->entry->until = rt->now;
	return -1;
}

static bool
hop_is_self(const struct hop *hop)
{
	size_t i;

	for (i = 0; i < hop->naddr; i++)
		if (self_is_address(
		    (const struct sockaddr *)&hop->addr[i].ss))
			return true;
	return false;
}

/* RFC 5321 section 5.1: drop ourselves, and all that are not better. */
static void
route_cut(struct route *route, unsigned pref)
{
	struct hop *hop = route->hop;
	size_t i, n = 0;

	for (i = 0; i < route->nhop; i++)
		if (hop[i].localconf || hop[i].pref < pref)
			hop[n++] = hop[i];
		else
			free(hop[i].addr);
	route->nhop = n;
	route->cut = true;
	if (n == 0)
		result_set(&route->why, R_LOOP, "%s", mx_strerror(MX_ELOOP));
}

/*
 * If we are one of several equals, chance must not decide whether we notice:
 * all that may be tried are looked at before the first is.
 */
static bool
group_has_self(struct router *rt, struct route *route, size_t first)
{
	struct result ignored;
	struct hop *hop;
	size_t i;

	for (i = first; i < route->nhop && i < first + GROUP_MAX; i++) {
		hop = &route->hop[i];
		if (hop->pref != route->hop[first].pref)
			break;
		if (!hop->localconf &&
		    hop_resolve(rt, route, hop, &ignored) == 0 &&
		    hop_is_self(hop))
			return true;
	}
	return false;
}

int
route_hop(struct router *rt, struct route *route, size_t i, struct result *r)
{
	struct hop *hop = &route->hop[i];

	if ((i == 0 || route->hop[i - 1].pref != hop->pref) &&
	    group_has_self(rt, route, i)) {
		route_cut(route, hop->pref);
		return 1;
	}
	if (hop_resolve(rt, route, hop, r) == -1)
		return -1;
	if (!hop->localconf && hop_is_self(hop)) {
		route_cut(route, hop->pref);
		return 1;
	}
	return 0;
}
