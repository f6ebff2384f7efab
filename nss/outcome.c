/* SPDX-License-Identifier: ISC */
/*
 * The end of a lookup: a list of exchanges becomes a result, in delivery
 * order, without ourselves and, if asked for, with addresses; or a reason
 * becomes one.
 */
#include "config.h"

#include <sys/socket.h>

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lookup.h"
#include "mxlist.h"
#include "mxresolve.h"
#include "trace.h"

struct self {
	const char *const *names;
	char		 hostname[256];	/* "": not known */
	struct ifaddrs	*addrs;		/* NULL: not asked for yet */
	int		(*is_own)(const struct sockaddr *, struct ifaddrs **);
};

/* Replaces *DST by a printable copy; SRC may be NULL. */
static int
set_text(char **dst, const char *src)
{
	free(*dst);
	*dst = NULL;
	if (src != NULL && (*dst = mxinfo_clean(src)) == NULL)
		return -1;
	return 0;
}

int
mxoutcome_fail(struct lookup *lk, int error, const struct verdict *v,
    const char *text)
{
	struct mxinfo *info = lk->info;
	const char *dsn = NULL;

	if (v != NULL) {
		if (text == NULL)
			text = v->text;
		dsn = v->dsn;
		info->mi_rcode = v->rcode;
		info->mi_errno = v->err;
		info->mi_ttl = v->ttl;
		info->mi_flags |= v->flags & (MXI_SECURE | MXI_BYRCPT);
		if (set_text(&info->mi_source, v->source) == -1 ||
		    set_text(&info->mi_origin, v->origin) == -1 ||
		    set_text(&info->mi_cname, v->cname) == -1)
			return MX_ENOMEM;
	}
	if (set_text(&info->mi_text, text == NULL ? mx_strerror(error) :
	    text) == -1 ||
	    set_text(&info->mi_dsn, dsn == NULL ? mx_dsn(error) : dsn) == -1)
		return MX_ENOMEM;
	info->mi_error = error;
	return error;
}

static int
same_name(const char *a, const char *b)
{
	size_t len = strlen(a);

	if (len > 0 && a[len - 1] == '.')
		len--;
	return strlen(b) == len && strncasecmp(a, b, len) == 0;
}

static int
has_our_name(const struct mxent *mx, void *arg)
{
	const struct self *self = arg;
	const char *const *name;

	if (self->hostname[0] != '\0' &&
	    same_name(self->hostname, mx->mx_host))
		return 1;
	for (name = self->names; name != NULL && *name != NULL; name++)
		if (same_name(*name, mx->mx_host))
			return 1;
	return 0;
}

static int
has_our_address(const struct mxent *mx, void *arg)
{
	struct self *self = arg;
	const struct mxaddr *ma;

	for (ma = mx->mx_addrs; ma != NULL; ma = ma->ma_next)
		if (self->is_own(ma->ma_addr, &self->addrs))
			return 1;
	return 0;
}

static void
who_are_we(const struct lookup *lk, struct self *self)
{
	memset(self, 0, sizeof(*self));
	self->names = lk->h.mh_self;
	self->is_own = lk->env->is_own;
	if (self->names == NULL && lk->env->hostname(self->hostname,
	    sizeof(self->hostname)) == -1)
		self->hostname[0] = '\0';
}

static int
resolve_all(struct lookup *lk, struct entlist *list)
{
	struct mxent *mx;
	char text[400];
	int64_t since;
	size_t i;
	int error;

	for (i = 0; i < list->n; i++) {
		mx = &list->ent[i]->mx;
		since = mxtrace_clock(lk);
		error = mxresolve_until(lk->info, mx, &lk->h,
		    lk->q.deadline);
		mxtrace_addrs(lk, mx, since);
		if (error == MX_ENOMEM)
			return error;
		if (error == 0)
			continue;
		(void)snprintf(text, sizeof(text), "%s: %s", mx->mx_host,
		    error == MX_ENOADDR ? "has no address" :
		    mx_strerror(error));
		if (mxinfo_note(&lk->info->mi_notes, &lk->nnotes,
		    text) == -1)
			return MX_ENOMEM;
	}
	return 0;
}

static void
count_notes(struct lookup *lk)
{
	const struct mxnote *n;

	lk->nnotes = 0;
	for (n = lk->info->mi_notes; n != NULL; n = n->mn_next)
		lk->nnotes++;
}

/* MX_OK if one exchange at least has an address. */
static int
judge_addresses(struct lookup *lk, const struct entlist *list)
{
	size_t i;
	int again = 0;

	for (i = 0; i < list->n; i++) {
		if (list->ent[i]->mx.mx_addrs != NULL)
			return MX_OK;
		again |= MX_ISTEMP(list->ent[i]->mx.mx_addrerr);
	}
	if (again)
		return mxoutcome_fail(lk, MX_EADDRAGAIN, &lk->yes, NULL);
	if (lk->info->mi_flags & MXI_SELFCUT)
		return mxoutcome_fail(lk, MX_EADDRAGAIN, &lk->yes,
		    "the exchanges that are better than this host have no "
		    "address");
	return mxoutcome_fail(lk, MX_ENOADDR, &lk->yes, NULL);
}

static int
loop(struct lookup *lk)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "the best mail exchanger of %s is "
	    "this host itself", lk->info->mi_qname);
	return mxoutcome_fail(lk, MX_ELOOP, &lk->yes, text);
}

/* Who named the exchanges: "files", or "files+dns". */
static int
join_sources(struct mxinfo *info, const struct entlist *list)
{
	char buf[NSSCONF_MAXSOURCES * 34];
	const char *name;
	size_t i, j;

	buf[0] = '\0';
	for (i = 0; i < list->n; i++) {
		name = list->ent[i]->mx.mx_source;
		if (name == NULL)
			continue;
		for (j = 0; j < i; j++)
			if (list->ent[j]->mx.mx_source != NULL &&
			    strcmp(list->ent[j]->mx.mx_source, name) == 0)
				break;
		if (j < i)
			continue;
		if (buf[0] != '\0')
			(void)strlcat(buf, "+", sizeof(buf));
		(void)strlcat(buf, name, sizeof(buf));
	}
	return set_text(&info->mi_source, buf[0] == '\0' ? NULL : buf);
}

/* What all exchanges have in common. */
static void
sum_up(struct mxinfo *info, const struct entlist *list)
{
	size_t i, dns = 0, secure = 0;
	uint32_t flags;

	for (i = 0; i < list->n; i++) {
		flags = list->ent[i]->mx.mx_flags;
		if (list->ent[i]->mx.mx_ttl < info->mi_ttl)
			info->mi_ttl = list->ent[i]->mx.mx_ttl;
		if (flags & MXE_IMPLICIT)
			info->mi_flags |= MXI_IMPLICIT;
		if (flags & MXE_LOCALCONF)
			continue;
		dns++;
		secure += (flags & MXE_SECURE) != 0;
	}
	if (dns > 0 && secure == dns)
		info->mi_flags |= MXI_SECURE;
}

static int
describe(struct lookup *lk, const struct entlist *list)
{
	struct mxinfo *info = lk->info;

	info->mi_rcode = lk->yes.rcode;
	info->mi_ttl = lk->yes.ttl;
	info->mi_flags |= lk->yes.flags & MXI_PARTIAL;
	if (lk->ismerged && lk->have)
		info->mi_flags |= MXI_MERGED;
	sum_up(info, list);
	if (join_sources(info, list) == -1 ||
	    set_text(&info->mi_cname, lk->yes.cname) == -1 ||
	    set_text(&info->mi_origin, list->ent[0]->mx.mx_origin) == -1)
		return MX_ENOMEM;
	return MX_OK;
}

/* Hands the entries over to the result. */
static void
link_up(struct mxinfo *info, struct entlist *list)
{
	struct mxent **end = &info->mi_mx;
	size_t i;

	for (i = 0; i < list->n; i++) {
		*end = &list->ent[i]->mx;
		end = &(*end)->mx_next;
	}
	info->mi_count = (unsigned int)list->n;
	list->n = 0;
}

/* Why exchanges are dropped, for who watches. */
struct fate {
	const struct lookup *lk;
	const char	*why;
	int		(*is_self)(const struct mxent *, void *);
	struct self	*self;
};

static void
report_fate(void *arg, const struct ent *e)
{
	const struct fate *f = arg;
	const char *why = f->why;

	if (f->is_self != NULL)
		why = f->is_self(&e->mx, f->self) ? "it is this host itself" :
		    "it is not better than this host, which is an exchange, "
		    "too";
	mxtrace_dropped(f->lk, &e->mx, why);
}

static void
watch(struct entlist *list, struct fate *fate)
{
	if (fate->lk->h.mh_trace == NULL)
		return;
	list->dropped = report_fate;
	list->arg = fate;
}

static int
cut(struct lookup *lk, struct entlist *list,
    int (*is_self)(const struct mxent *, void *))
{
	struct self self;
	struct fate fate = { lk, NULL, is_self, &self };

	if (lk->h.mh_flags & MXH_NOSELFCUT)
		return MX_OK;
	who_are_we(lk, &self);
	watch(list, &fate);
	if (mxlist_selfcut(list, is_self, &self) > 0)
		lk->info->mi_flags |= MXI_SELFCUT;
	list->dropped = NULL;
	if (self.addrs != NULL)
		freeifaddrs(self.addrs);
	return list->n == 0 ? loop(lk) : MX_OK;
}

/* At most so many, each once, without ourselves. */
static int
prune(struct lookup *lk, struct entlist *list)
{
	struct fate twice = { lk, "the same host and port are in the list "
	    "already", NULL, NULL };
	struct fate toomany = { lk, "there are more exchanges than can be "
	    "used", NULL, NULL };
	int error;

	watch(list, &twice);
	mxlist_dedupe(list);
	if ((error = cut(lk, list, has_our_name)) != 0)
		return error;
	watch(list, &toomany);
	if (mxlist_cap(list, MX_MAXLIST))
		lk->info->mi_flags |= MXI_PARTIAL;
	list->dropped = NULL;
	return MX_OK;
}

int
mxoutcome_list(struct lookup *lk, struct entlist *list)
{
	int error;

	mxlist_sort(list);
	if ((error = prune(lk, list)) != 0)
		goto out;
	if (!(lk->h.mh_flags & MXH_NORANDOM))
		mxlist_shuffle(list, lk->env->rnd);
	if (lk->h.mh_flags & MXH_ADDRS) {
		count_notes(lk);
		if ((error = resolve_all(lk, list)) != 0 ||
		    (error = cut(lk, list, has_our_address)) != 0 ||
		    (error = judge_addresses(lk, list)) != 0)
			goto out;
	}
	if ((error = describe(lk, list)) != 0)
		goto out;
	link_up(lk->info, list);
out:
	mxentlist_clear(list);
	return error;
}
