/* SPDX-License-Identifier: ISC */
/*
 * getmxinfo(): asks the sources of the list in turn.  Status and action
 * decide whether to go on; what was learnt is kept in four places - an
 * answer, a permanent "no", the first doubt, and "the name exists" - and
 * weighed when the list is done:
 *
 *   an answer is used; without one, any doubt makes the result temporary;
 *   without doubt, "the name exists, no MX" is the implicit MX (RFC 5321
 *   section 5.1); and only then "no" is no.
 */
#include "config.h"

#include "getmxinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "lookup.h"
#include "mxresolve.h"
#include "self.h"
#include "sources/module.h"
#include "trace.h"

/* The notes of a source's reply belong to the result, whatever it said. */
static int
keep_notes(struct lookup *lk, const struct mxnss_reply *r)
{
	const struct mxnote *n;

	for (n = r->notes; n != NULL; n = n->mn_next)
		if (mxinfo_note(&lk->info->mi_notes, &lk->nnotes,
		    n->mn_text) == -1)
			return -1;
	return 0;
}

static int
take_records(struct lookup *lk, struct mxnss_reply *r,
    enum nss_action action)
{
	if (action == NSS_MERGE) {
		lk->ismerged = 1;
		mxverdict_clear(&lk->doubt);
		if (!lk->yes.set)
			mxverdict_move(&lk->yes, &r->v);
		return mxentlist_move(&lk->merged, &r->list);
	}
	mxentlist_clear(&lk->base);
	lk->have = 1;
	mxverdict_move(&lk->yes, &r->v);
	return mxentlist_move(&lk->base, &r->list);
}

/* A final word ends what an earlier source has answered. */
static void
forget_answer(struct lookup *lk)
{
	mxentlist_clear(&lk->base);
	lk->have = 0;
}

static int
digest(struct lookup *lk, struct mxnss_reply *r, enum mxnss_status status,
    enum nss_action action)
{
	lk->info->mi_flags |= r->v.flags & MXI_BYRCPT;
	if (MX_ISTEMP(r->v.error)) {
		if (status == MXNSS_SUCCESS)
			forget_answer(lk);
		if (!lk->doubt.set)
			mxverdict_move(&lk->doubt, &r->v);
	} else if (status == MXNSS_SUCCESS && r->v.error == 0) {
		return take_records(lk, r, action);
	} else if (status == MXNSS_SUCCESS) {
		forget_answer(lk);
		lk->final = 1;
		mxverdict_move(&lk->no, &r->v);
	} else if (r->nodata) {
		if (!lk->nodata.set)
			mxverdict_move(&lk->nodata, &r->v);
	} else if (r->v.error != 0 && !lk->no.set)
		mxverdict_move(&lk->no, &r->v);
	return 0;
}

static enum nss_action
action_for(const struct nss_source *src, const struct mxnss_reply *r,
    enum mxnss_status status)
{
	enum nss_action action = src->action[NSS_INDEX(status)];

	if (status != MXNSS_SUCCESS)
		return action == NSS_MERGE ? NSS_CONTINUE : action;
	if (r->v.error != 0)
		return action == NSS_MERGE ? NSS_RETURN : action;
	return r->merge ? NSS_MERGE : action;
}

/* 1: the list ends here, 0: go on, -1: no memory. */
static int
ask(struct lookup *lk, size_t n)
{
	const struct nss_source *src = &mxsrclist_conf(lk->list)->src[n];
	struct mxnss_reply r;
	struct mxtrace t = { .mt_event = MXT_SOURCE };
	enum mxnss_status status;
	enum nss_action action;
	int64_t since = mxtrace_clock(lk);
	int ret = -1;

	mxreply_init(&r, src->name);
	status = mxsource_ask(lk, n, &lk->q, &r);
	status = mxsource_borrow(lk, &r, status);
	if (r.nomem || r.v.error == MX_ENOMEM || keep_notes(lk, &r) == -1)
		goto out;
	r.v.source = src->name;
	action = action_for(src, &r, status);
	t.mt_domain = lk->q.domain;
	t.mt_arg = src->arg[0] == '\0' ? NULL : src->arg;
	t.mt_action = mxtrace_action(action);
	mxtrace_answer(lk, &t, &r, status, since);
	if (digest(lk, &r, status, action) == -1)
		goto out;
	ret = action == NSS_RETURN;
out:
	mxreply_clear(&r);
	return ret;
}

/* What a source would have said that the answer did not need. */
static void
ask_unused(struct lookup *lk, size_t n)
{
	const struct nss_source *src = &mxsrclist_conf(lk->list)->src[n];
	struct mxnss_reply r;
	struct mxtrace t = { .mt_event = MXT_SOURCE, .mt_flags = MXT_UNUSED };
	enum mxnss_status status;
	int64_t since = mxtrace_clock(lk);

	mxreply_init(&r, src->name);
	t.mt_domain = lk->q.domain;
	t.mt_arg = src->arg[0] == '\0' ? NULL : src->arg;
	status = mxsource_ask(lk, n, &lk->q, &r);
	status = mxsource_borrow(lk, &r, status);
	mxtrace_answer(lk, &t, &r, status, since);
	mxreply_clear(&r);
}

/* RFC 5321 section 5.1: no MX at all, so the domain is its own exchange. */
static int
add_implicit(struct lookup *lk)
{
	struct mxnss_record rec;
	struct ent *e;

	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = lk->nodata.cname != NULL ? lk->nodata.cname : lk->q.domain;
	rec.ttl = lk->nodata.ttl;
	rec.flags = MXE_IMPLICIT;
	if (lk->nodata.flags & MXI_SECURE)
		rec.flags |= MXE_SECURE;
	e = mxent_new(&rec, lk->nodata.source, lk->nodata.origin);
	if (e == NULL)
		return errno == ENOMEM ? MX_ENOMEM :
		    mxoutcome_fail(lk, MX_EBADRESP, &lk->nodata, "the name at "
		    "the end of the domain's aliases is no host name");
	if (mxentlist_add(&lk->base, e) == -1)
		return MX_ENOMEM;
	mxverdict_move(&lk->yes, &lk->nodata);
	return MX_OK;
}

static int
nobody_knows(struct lookup *lk)
{
	char text[400];

	if (lk->nodata.set)
		(void)snprintf(text, sizeof(text), "%s has no MX record",
		    lk->info->mi_qname);
	else
		(void)snprintf(text, sizeof(text), "no source knows a mail "
		    "exchanger of %s", lk->info->mi_qname);
	return mxoutcome_fail(lk, MX_EUNUSABLE,
	    lk->nodata.set ? &lk->nodata : NULL, text);
}

/* There is an answer, but a source before it could not be used. */
static int
note_doubt(struct lookup *lk)
{
	char text[700];

	if (!lk->doubt.set)
		return 0;
	(void)snprintf(text, sizeof(text), "passed over: %s",
	    lk->doubt.text != NULL ? lk->doubt.text :
	    mx_strerror(lk->doubt.error));
	return mxinfo_note(&lk->info->mi_notes, &lk->nnotes, text);
}

/* All sources that were to be asked have answered. */
static int
conclude(struct lookup *lk)
{
	int error;

	if (!lk->have && lk->doubt.set)
		return mxoutcome_fail(lk, lk->doubt.error, &lk->doubt, NULL);
	if (!lk->have && lk->nodata.set && !lk->final &&
	    !(lk->h.mh_flags & MXH_NOIMPLICIT)) {
		if ((error = add_implicit(lk)) != MX_OK)
			return error;
		lk->have = 1;
	}
	if (!lk->have && !lk->ismerged) {
		if (lk->no.set && (lk->final || !lk->nodata.set))
			return mxoutcome_fail(lk, lk->no.error, &lk->no, NULL);
		return nobody_knows(lk);
	}
	if (note_doubt(lk) == -1 ||
	    mxentlist_move(&lk->merged, &lk->base) == -1)
		return MX_ENOMEM;
	return mxoutcome_list(lk, &lk->merged);
}

static int
is_left_out(const struct lookup *lk, const struct nss_source *src)
{
	return (lk->h.mh_flags & MXH_NOFILES) &&
	    strcmp(src->name, "files") == 0;
}

static int
ask_all(struct lookup *lk)
{
	const struct nssconf *conf;
	char err[600];
	size_t i;
	int error, ret = 0;

	lk->list = mxsrclist_get(lk->env, lk->h.mh_sources, err, sizeof(err));
	if (lk->list == NULL)
		return errno == ENOMEM ? MX_ENOMEM :
		    mxoutcome_fail(lk, MX_ECONFIG, NULL, err);
	conf = mxsrclist_conf(lk->list);
	mxtrace_list(lk, conf);
	for (i = 0; i < conf->nsrc && ret == 0; i++)
		if (!is_left_out(lk, &conf->src[i]) && (ret = ask(lk, i)) == -1)
			return MX_ENOMEM;
	error = conclude(lk);
	if (error == MX_ENOMEM || lk->h.mh_trace == NULL ||
	    !(lk->h.mh_flags & MXH_ASKALL))
		return error;
	for (; i < conf->nsrc; i++)
		if (!is_left_out(lk, &conf->src[i]))
			ask_unused(lk, i);
	return error;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]": the address itself. */
static int
take_literal(struct lookup *lk, const char *domain)
{
	struct mxnss_record rec;
	struct ent *e;
	char host[64], text[64];
	size_t len;

	len = strlcpy(text, domain + 1, sizeof(text));
	if (len == 0 || len >= sizeof(text) || text[len - 1] != ']')
		goto bad;
	text[len - 1] = '\0';
	if (mxdns_literal(text, host, sizeof(host)) == -1)
		goto bad;
	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = host;
	rec.ttl = UINT32_MAX;
	rec.flags = MXE_LOCALCONF;
	if ((e = mxent_new(&rec, "literal", NULL)) == NULL)
		return MX_ENOMEM;
	e->mx.mx_flags &= ~(uint32_t)MXE_LOCALCONF;
	if (mxentlist_add(&lk->base, e) == -1)
		return MX_ENOMEM;
	lk->h.mh_flags |= MXH_NOSELFCUT;
	return mxoutcome_list(lk, &lk->base);
bad:
	return mxoutcome_fail(lk, MX_EBADNAME, NULL,
	    "not an address literal such as [192.0.2.1] or "
	    "[IPv6:2001:db8::1]");
}

static int
bad_name(struct lookup *lk, const char *domain)
{
	char text[400];
	const char *why = mxdns_why(domain);

	if ((lk->info->mi_qname = mxinfo_clean(domain)) == NULL)
		return MX_ENOMEM;
	(void)snprintf(text, sizeof(text), "\"%.255s\" is not a domain name%s",
	    lk->info->mi_qname, why);
	return mxoutcome_fail(lk, MX_EBADNAME, NULL, text);
}

static int
look_up(struct lookup *lk, const char *domain)
{
	char name[254];

	if (*domain == '[') {
		if ((lk->info->mi_qname = mxinfo_clean(domain)) == NULL)
			return MX_ENOMEM;
		return take_literal(lk, domain);
	}
	if (mxdns_name(domain, name, sizeof(name)) == -1)
		return errno == ENOMEM ? MX_ENOMEM : bad_name(lk, domain);
	if ((lk->info->mi_qname = strdup(name)) == NULL)
		return MX_ENOMEM;
	lk->q.domain = lk->info->mi_qname;
	return ask_all(lk);
}

static void
lookup_clear(struct lookup *lk)
{
	mxsrclist_put(lk->list);
	mxentlist_clear(&lk->merged);
	mxentlist_clear(&lk->base);
	mxverdict_clear(&lk->yes);
	mxverdict_clear(&lk->no);
	mxverdict_clear(&lk->doubt);
	mxverdict_clear(&lk->nodata);
}

int
mx_lookup(const struct mx_env *env, const char *domain,
    const struct mxhints *hints, struct mxinfo **res)
{
	struct lookup lk = {
		.env = env, .yes = MXVERDICT_NONE, .no = MXVERDICT_NONE,
		.doubt = MXVERDICT_NONE, .nodata = MXVERDICT_NONE
	};
	int error;

	if (res == NULL)
		return MX_EINVAL;
	*res = NULL;
	if (domain == NULL || mxhints_copy(&lk.h, hints) == -1)
		return MX_EINVAL;
	if ((lk.info = calloc(1, sizeof(*lk.info))) == NULL)
		return MX_ENOMEM;
	lk.info->mi_rcode = -1;
	lk.info->mi_ttl = UINT32_MAX;
	lk.q.size = sizeof(lk.q);
	lk.q.rcpt = lk.h.mh_rcpt;
	lk.q.flags = lk.h.mh_flags;
	lk.q.deadline = env->now() + lk.h.mh_timeout;
	lk.q.servers = lk.h.mh_servers;
	lk.q.dnssec = lk.h.mh_dnssec;
	error = look_up(&lk, domain);
	lookup_clear(&lk);
	if (error == MX_ENOMEM) {
		freemxinfo(lk.info);
		return error;
	}
	*res = lk.info;
	return error;
}

int
getmxinfo(const char *domain, const struct mxhints *hints,
    struct mxinfo **res)
{
	static const struct mx_env env = {
		nssconf_places, mxmodule_builtin, mxdns_now, arc4random_uniform,
		mxself_hostname, mxself_is_own, &mxmodule_installed, 1
	};

	return mx_lookup(&env, domain, hints, res);
}
