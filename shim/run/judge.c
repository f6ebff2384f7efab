/* SPDX-License-Identifier: ISC */
/*
 * What workers report: the state of each recipient, and at the end of an
 * attempt what that says about the destination, and about the network.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/dispatchint.h"
#include "run/job.h"
#include "run/load.h"
#include "spool/hoststat.h"

static enum rcpt_state
state_after(const struct report *r)
{
	if (result_is_ok(&r->result))
		return r->relayed ? RCPT_RELAYED : RCPT_SENT;
	return result_is_permanent(&r->result) ? RCPT_FAILED : RCPT_DEFERRED;
}

static void
on_rcpt(void *arg, struct task *t, const struct report *r)
{
	struct outcome o = dispatch_outcome(arg);
	struct load *l = t->m->load;
	struct rcpt *rcpt;

	if (r->rcpt >= l->mf.env.nrcpt ||
	    l->rcpt[r->rcpt].state != RCPT_BUSY)
		return;
	rcpt = &l->rcpt[r->rcpt];
	rcpt->state = state_after(r);
	rcpt->attempts += rcpt->state == RCPT_DEFERRED;
	if (r->unrecorded && outcome_record(&o, t->m, r->rcpt, &r->result,
	    r->relayed) == -1)
		l->doubt = true;
}

/* We end, and its worker with us: no attempt, and the next runner goes on. */
static void
leave_open(const struct dispatch *d, struct load *l, const uint32_t *rcpt,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		l->rcpt[rcpt[i]].state = RCPT_OPEN;
	l->postponed = true;
	l->until = d->now.wall;
}

/* Recipients that the worker said nothing about. */
static void
close_gaps(struct dispatch *d, struct task *t)
{
	struct outcome o = dispatch_outcome(d);
	struct load *l = t->m->load;
	uint32_t *open;
	struct result r;
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state == RCPT_BUSY)
			break;
	if (i == t->n || l->retired)
		return;
	if (load_recover(d->queue, t->m) == -1) {
		log_err("%s: cannot read the journal: %s", t->m->id.s,
		    strerror(errno));
		l->doubt = true;
	}
	if (l->retired)
		return;
	open = xcalloc(t->n, sizeof(open[0]));
	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state == RCPT_BUSY)
			open[n++] = t->rcpt[i];
	if (d->stopping)
		leave_open(d, l, open, n);
	else {
		result_set(&r, R_LOCALERR, "the delivering process ended "
		    "before its time");
		outcome_defer(&o, t->m, open, n, &r);
	}
	free(open);
}

/* How many connections a destination likes; it did not like more lately. */
static bool
is_full(const struct dispatch *d, const struct dest *dest)
{
	return dest->full_at != 0 && d->now.mono - dest->full_at < FULL_MS;
}

/*
 * It is there, and does not serve us as it should: half of the workers, but
 * once for all that notice it together.
 */
static void
shrink(const struct dispatch *d, struct dest *dest)
{
	if (dest->full_at == 0 || d->now.mono - dest->full_at >= SHRINK_MS)
		dest->limit = dest->limit > 1 ? dest->limit / 2 : 1;
	dest->full_at = d->now.mono;
}

static void
on_ready(void *arg, struct dest *dest)
{
	const struct dispatch *d = arg;

	if (is_full(d, dest))
		return;
	/* as often as that many of them were greeted */
	dest->limit *= 2;
	if (dest->limit > d->conf->per_destination)
		dest->limit = d->conf->per_destination;
}

/* Whether somebody has the message now, or never will. */
static bool
is_progress(const struct task *t)
{
	const struct load *l = t->m->load;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state != RCPT_DEFERRED)
			return true;
	return l->retired;
}

/*
 * What the end of an attempt says about the destination.  A 4yz to recipients
 * is about them, and neither of both.
 */
static void
judge(struct dispatch *d, struct dest *dest, const struct task *t,
    const struct report *r)
{
	int64_t ms = DEAD_MS, left;

	if (r->dead && result_is_temporary(&r->result)) {
		left = r->until - d->now.wall;
		if (left > DEAD_MAX)
			left = DEAD_MAX;
		if (left * 1000 > ms)
			ms = left * 1000;
		dest->limit = 1;
		dest_block(dest, d->now.mono + ms, &r->result, 0);
	} else if (r->busy)
		shrink(d, dest);
	else if (is_progress(t) && !is_full(d, dest) &&
	    dest->limit < d->conf->per_destination)
		dest->limit++;
}

/*
 * No host took one worker more, while it serves others: the destination is
 * not dead, and they do this task.
 */
static void
on_crowd(struct dispatch *d, struct dest *dest, struct task *t)
{
	struct load *l = t->m->load;
	size_t i, n = dest->nworkers - dest->nleaving;

	shrink(d, dest);
	if (dest->limit > n && n > 0)
		dest->limit = (unsigned)n;
	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state == RCPT_DEFERRED)
			l->rcpt[t->rcpt[i]].state = RCPT_BUSY;
	dest_put_back(dest, t);
}

static void
postpone_all(void *arg, struct task *t)
{
	dispatch_postpone(arg, t, 0);
}

/* WHY the network is down, and when it is tried; or that it is not. */
static void
tell_mailq(struct dispatch *d, const struct result *why)
{
	char *text = xasprintf("the network is down, one message at a time is "
	    "tried: %s", why->text);

	hoststat_set_wait(d->queue, NULL, d->outage.down ? text : NULL,
	    d->now.wall + (d->outage.probe_at - d->now.mono) / 1000 + 1);
	free(text);
}

/* And what it says about the network. */
static void
judge_network(struct dispatch *d, const struct result *why, bool offline)
{
	bool changed;

	changed = outage_note(&d->outage, offline, d->now.mono, arc4random());
	if (d->outage.down || changed)
		tell_mailq(d, why);
	if (!changed)
		return;
	/* that was not their fault */
	dests_unblock(d->dests, INT64_MAX);
	if (!d->outage.down) {
		log_info("the network is there again");
		dispatch_call_stranded(d);
		return;
	}
	log_warn("the network is down: %s; mail for other machines waits, and "
	    "one message at a time is tried", why->text);
	dests_drain(d->dests, postpone_all, d);
}

static void
on_done(void *arg, struct dest *dest, struct task *t, const struct report *r)
{
	struct dispatch *d = arg;

	if (r != NULL && r->retired)
		t->m->load->retired = true;
	close_gaps(d, t);
	if (r != NULL && r->dead && !r->offline && crew_is_served(dest)) {
		on_crowd(d, dest, t);
		return;
	}
	/* where we were short of something, that says nothing of others */
	if (r != NULL && !r->is_short) {
		judge(d, dest, t, r);
		/* nor does what is done on this machine, of the network */
		if (!dest_is_local(dest->domain))
			judge_network(d, &r->result, r->offline);
	}
	dispatch_end_task(d, t);
}

static void
on_back(void *arg, struct dest *dest, struct task *t)
{
	(void)arg;
	dest_put_back(dest, t);
}

const struct crew_events dispatch_events = { on_ready, on_rcpt, on_done,
    on_back };
