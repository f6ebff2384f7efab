/* SPDX-License-Identifier: ISC */
/*
 * What happens in a lookup, for the caller who wants to know: each step is
 * a struct mxtrace, given to his mh_trace while it lasts.  Nothing is kept
 * and nothing is decided here.
 */
#include "config.h"

#include "trace.h"

#include <string.h>
#include <time.h>

#include "lookup.h"

int64_t
mxtrace_clock(const struct lookup *lk)
{
	struct timespec ts;

	if (lk->h.mh_trace == NULL ||
	    clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const char *
mxtrace_action(enum nss_action action)
{
	switch (action) {
	case NSS_RETURN:
		return "return";
	case NSS_MERGE:
		return "merge";
	case NSS_CONTINUE:
		break;
	}
	return "continue";
}

static const char *
status_name(enum mxnss_status status)
{
	switch (status) {
	case MXNSS_TRYAGAIN:
		return "TRYAGAIN";
	case MXNSS_UNAVAIL:
		return "UNAVAIL";
	case MXNSS_SUCCESS:
		return "SUCCESS";
	case MXNSS_NOTFOUND:
		break;
	}
	return "NOTFOUND";
}

static void
tell_list(const struct lookup *lk, const struct nssconf *conf)
{
	struct mxtrace t;
	char text[NSSCONF_MAXSOURCES * 400];

	memset(&t, 0, sizeof(t));
	t.mt_event = MXT_LIST;
	t.mt_domain = lk->q.domain;
	if (nssconf_format(conf, text, sizeof(text)) == 0)
		t.mt_text = text;
	if (conf->origin[0] != '\0')
		t.mt_origin = conf->origin;
	lk->h.mh_trace(lk->h.mh_tracearg, &t);
}

/* Has no large variables: the compiler would clear them for each lookup. */
void
mxtrace_list(const struct lookup *lk, const struct nssconf *conf)
{
	if (lk->h.mh_trace != NULL)
		tell_list(lk, conf);
}

void
mxtrace_answer(const struct lookup *lk, struct mxtrace *t,
    struct mxnss_reply *r, enum mxnss_status status, int64_t since)
{
	size_t i;

	if (lk->h.mh_trace == NULL)
		return;
	t->mt_source = r->source;
	t->mt_status = status_name(status);
	t->mt_error = r->v.error;
	t->mt_text = r->v.text;
	if (t->mt_text == NULL && r->v.error != 0)
		t->mt_text = mx_strerror(r->v.error);
	else if (r->nodata && r->v.error == 0)
		t->mt_text = "the domain exists, but has no MX record";
	t->mt_origin = r->v.origin;
	t->mt_rule = r->v.rule;
	t->mt_notes = r->notes;
	t->mt_usec = (uint64_t)(mxtrace_clock(lk) - since);
	/* A list for as long as the caller looks at it. */
	for (i = 0; i + 1 < r->list.n; i++)
		r->list.ent[i]->mx.mx_next = &r->list.ent[i + 1]->mx;
	t->mt_mx = r->list.n == 0 ? NULL : &r->list.ent[0]->mx;
	lk->h.mh_trace(lk->h.mh_tracearg, t);
	for (i = 0; i < r->list.n; i++)
		r->list.ent[i]->mx.mx_next = NULL;
}

void
mxtrace_dropped(const struct lookup *lk, const struct mxent *mx,
    const char *why)
{
	struct mxtrace t;

	memset(&t, 0, sizeof(t));
	t.mt_event = MXT_DROPPED;
	t.mt_domain = lk->q.domain;
	t.mt_source = mx->mx_source;
	t.mt_origin = mx->mx_origin;
	t.mt_text = why;
	t.mt_mx = mx;
	lk->h.mh_trace(lk->h.mh_tracearg, &t);
}

void
mxtrace_addrs(const struct lookup *lk, const struct mxent *mx, int64_t since)
{
	struct mxtrace t;

	if (lk->h.mh_trace == NULL)
		return;
	memset(&t, 0, sizeof(t));
	t.mt_event = MXT_ADDRS;
	t.mt_domain = lk->q.domain;
	t.mt_source = mx->mx_source;
	t.mt_origin = mx->mx_origin;
	t.mt_error = mx->mx_addrerr;
	if (mx->mx_addrerr != 0)
		t.mt_text = mx->mx_addrerr == MX_ENOADDR ?
		    "the host has no address" : mx_strerror(mx->mx_addrerr);
	t.mt_usec = (uint64_t)(mxtrace_clock(lk) - since);
	t.mt_mx = mx;
	lk->h.mh_trace(lk->h.mh_tracearg, &t);
}
