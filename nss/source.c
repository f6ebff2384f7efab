/* SPDX-License-Identifier: ISC */
/*
 * One source is asked, and what it says is made consistent: a status
 * without what belongs to it, or one that does not exist, is a source that
 * cannot be used.  Then the exchanges of its mx: lines are borrowed from
 * the DNS.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "trace.h"

static void
unusable(struct mxnss_reply *r, const char *what)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "source \"%s\" %s", r->source,
	    what);
	(void)mxinfo_host.fail(r, MX_ESOURCE, NULL, text);
}

static enum mxnss_status
judge_success(struct mxnss_reply *r)
{
	if (r->nullmx && r->v.error == 0)
		(void)mxinfo_host.fail(r, MX_ENULLMX, NULL, NULL);
	if (r->v.error != 0) {
		mxentlist_clear(&r->list);
		mxentlist_clear(&r->next);
		return MXNSS_SUCCESS;
	}
	if (r->list.n + r->next.n > 0)
		return MXNSS_SUCCESS;
	unusable(r, "claims success but names no exchange");
	return MXNSS_UNAVAIL;
}

static enum mxnss_status
judge(struct mxnss_reply *r, enum mxnss_status status)
{
	if (status == MXNSS_SUCCESS)
		return judge_success(r);
	mxentlist_clear(&r->list);
	mxentlist_clear(&r->next);
	if (status == MXNSS_NOTFOUND)
		return status;
	if (status != MXNSS_TRYAGAIN && status != MXNSS_UNAVAIL) {
		unusable(r, "returned a status that does not exist");
		return MXNSS_UNAVAIL;
	}
	if (r->v.error == 0)
		unusable(r, status == MXNSS_UNAVAIL ? "cannot be used" :
		    "failed for now");
	else if (!MX_ISTEMP(r->v.error))
		r->v.error = MX_ESOURCE;
	return status;
}

/* Source N, opened the first time that it is wanted; else R says why not. */
static const struct mxsource *
open_source(struct lookup *lk, size_t n, struct mxnss_reply *r,
    enum mxnss_status *status)
{
	const struct mxsource *s;
	char why[700];
	int error;

	s = mxsrclist_open(lk->list, n, why, sizeof(why), &error);
	if (s != NULL)
		return s;
	if (error == MX_ENOMEM)
		r->nomem = 1;
	(void)mxinfo_host.fail(r, error, NULL, why);
	*status = error == MX_ECONFIG ? MXNSS_TRYAGAIN : MXNSS_UNAVAIL;
	return NULL;
}

enum mxnss_status
mxsource_ask(struct lookup *lk, size_t n, const struct mxnss_query *q,
    struct mxnss_reply *r)
{
	const struct mxsource *s = mxsrclist_opened(lk->list, n);
	enum mxnss_status status;

	if (lk->env->now() >= q->deadline) {
		(void)mxinfo_host.fail(r, MX_ETIMEOUT, NULL, NULL);
		return MXNSS_TRYAGAIN;
	}
	if (s == NULL && (s = open_source(lk, n, r, &status)) == NULL)
		return status;
	return judge(r, s->mod->getmxbyname(s->priv, q, r));
}

/* E, which the DNS named, with what the mx: line says. */
static struct ent *
adopt(const struct ent *e, const struct ent *line, unsigned int group,
    uint16_t least)
{
	struct mxnss_record rec;
	struct ent *own;

	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = e->mx.mx_host;
	rec.pref = line->mx.mx_pref;
	rec.port = e->mx.mx_port;
	rec.ttl = line->mx.mx_ttl < e->mx.mx_ttl ? line->mx.mx_ttl :
	    e->mx.mx_ttl;
	rec.flags = e->mx.mx_flags | (line->mx.mx_flags & MXE_IMPLICITTLS);
	rec.tls = line->mx.mx_tls;
	rec.tlsname = line->mx.mx_tlsname;
	rec.auth = line->mx.mx_auth;
	own = mxent_new(&rec, line->mx.mx_source, line->mx.mx_origin);
	if (own == NULL)
		return NULL;
	own->group = group;
	own->rank = (unsigned int)(e->mx.mx_pref - least);
	return own;
}

/* The domain itself, as the only exchange of a reply that had none. */
static void
add_implicit(struct mxnss_reply *sub, const char *domain)
{
	struct mxnss_record rec;

	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = sub->v.cname != NULL ? sub->v.cname : domain;
	rec.ttl = sub->v.ttl;
	rec.flags = MXE_IMPLICIT;
	if (sub->v.flags & MXI_SECURE)
		rec.flags |= MXE_SECURE;
	if (mxinfo_host.add(sub, &rec) == -1 && sub->v.error == 0)
		unusable(sub, "ended at a name that is no host");
}

static void
take_borrowed(struct mxnss_reply *r, struct mxnss_reply *sub,
    const struct ent *line, unsigned int group)
{
	uint16_t least = UINT16_MAX;
	struct ent *e;
	size_t i;

	for (i = 0; i < sub->list.n; i++)
		if (sub->list.ent[i]->mx.mx_pref < least)
			least = sub->list.ent[i]->mx.mx_pref;
	for (i = 0; i < sub->list.n; i++) {
		e = adopt(sub->list.ent[i], line, group, least);
		if (e == NULL || mxentlist_add(&r->list, e) == -1)
			r->nomem = 1;
	}
	r->v.flags |= sub->v.flags & MXI_PARTIAL;
}

/* One mx: line.  0, or the error of the domain, with its verdict in FAILED. */
static int
borrow_one(struct lookup *lk, struct mxnss_reply *r, const struct ent *line,
    struct verdict *failed)
{
	struct mxnss_query q = lk->q;
	struct mxnss_reply sub;
	struct mxtrace t = { .mt_event = MXT_BORROW };
	struct mxnote *n;
	enum mxnss_status status;
	int64_t since = mxtrace_clock(lk);
	int error;

	q.domain = line->mx.mx_host;
	q.rcpt = NULL;
	mxreply_init(&sub, "dns");
	status = mxsource_ask(lk, MXSRCLIST_DNS, &q, &sub);
	if (status == MXNSS_NOTFOUND && sub.nodata &&
	    !(lk->h.mh_flags & MXH_NOIMPLICIT))
		add_implicit(&sub, q.domain);
	else if (status == MXNSS_NOTFOUND && sub.v.error == 0)
		(void)mxinfo_host.fail(&sub, MX_EUNUSABLE, NULL, NULL);
	t.mt_domain = q.domain;
	mxtrace_answer(lk, &t, &sub, status, since);
	for (n = sub.notes; n != NULL; n = n->mn_next)
		(void)mxinfo_host.note(r, n->mn_text);
	r->nomem |= sub.nomem;
	error = sub.v.error;
	if (error == 0)
		take_borrowed(r, &sub, line, ++lk->ngroups);
	else if (!failed->set || MX_ISTEMP(error))
		mxverdict_move(failed, &sub.v);
	mxreply_clear(&sub);
	return error;
}

enum mxnss_status
mxsource_borrow(struct lookup *lk, struct mxnss_reply *r,
    enum mxnss_status status)
{
	struct verdict failed = MXVERDICT_NONE;
	uint32_t flags = r->v.flags;
	size_t i;
	int error = 0;

	if (status != MXNSS_SUCCESS || r->next.n == 0)
		return status;
	for (i = 0; i < r->next.n && !MX_ISTEMP(error); i++)
		error = borrow_one(lk, r, r->next.ent[i], &failed);
	if (MX_ISTEMP(error)) {
		mxentlist_clear(&r->list);
		r->merge = 0;
	}
	if (r->list.n == 0 && r->merge)
		status = MXNSS_NOTFOUND;
	else if (r->list.n == 0) {
		(void)mxinfo_host.fail(r, failed.error, failed.dsn,
		    failed.text);
		r->v.rcode = failed.rcode;
		r->v.err = failed.err;
		r->v.flags = flags;
	}
	mxverdict_clear(&failed);
	return status;
}
