/* SPDX-License-Identifier: ISC */
/*
 * Tasks become jobs of workers: submitters and destinations in turn, and as
 * many workers for each as help and as its hosts like.  Those that cannot be
 * reached get none.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "run/deliver.h"
#include "run/dispatchint.h"
#include "run/job.h"
#include "run/load.h"
#include "spool/hoststat.h"

#define DEFER_SLICE	16	/* tasks put off before workers are served */
#define BACKLOG_MS	200	/* work in line that calls for a worker more */
#define BACKLOG_FAST_MS	2000	/* the same, where tasks are fast: they wait
				   for a processor, of which there are no more */
#define FAST_MS		20	/* tasks that are worth to be given ahead */
#define HANDFUL		4	/* workers that are made as fast as they can be */
#define HIRE_MS		40	/* for one more: one there may be free by then */
#define SPARE_MS	100	/* the same while there are such: of many, each
				   may keep its connection */
#define RATE_SLACK_MS	2000	/* what may go soon stays in line */

/*
 * Whether one worker more would help: those there are need too long for what
 * is in the line.  How many there may be grows with success.
 */
static bool
needs_worker(const struct dispatch *d, const struct dest *dest)
{
	size_t n = dest->nworkers - dest->nleaving;
	int64_t each = dest->avg, longest;

	if (n >= dest->limit || dest->nworkers >= d->conf->per_destination)
		return false;
	longest = crew_longest(dest, d->now.mono);
	if (longest >= SLOW_MS && longest > each)
		each = longest;
	return (int64_t)dest->ntasks * each > (int64_t)n *
	    (each < FAST_MS ? BACKLOG_FAST_MS : BACKLOG_MS);
}

/* No recipient is open, or has failed, outside the task. */
static bool
is_sole(const struct task *t)
{
	const struct load *l = t->m->load;
	size_t i, nbusy = 0;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		switch (l->rcpt[i].state) {
		case RCPT_BUSY:
			nbusy++;
			break;
		case RCPT_SENT:
		case RCPT_EXPANDED:
			break;
		case RCPT_TOLD:
			/* it must end in dead/ */
			if (l->mf.env.sender[0] == '\0')
				return false;
			break;
		default:
			return false;
		}
	return nbusy == t->n;
}

/* How long a task may take without a sign of life. */
static int64_t
limit_of(const struct dispatch *d, const struct load *l)
{
	/* and the name servers */
	return deliver_limit(d->conf, l->mf.size) + 300000;
}

/* --- rates -------------------------------------------------------------- */

/* MS, from one task to the next; at least one. */
static int64_t
rate_interval(const struct dispatch *d, const struct dest *dest)
{
	int64_t ms = conf_rate(d->conf, dest->domain) / 1000;

	return ms > 0 ? ms : 1;
}

static void
tell_mailq(struct dispatch *d, const struct dest *dest, time_t until)
{
	int64_t us = conf_rate(d->conf, dest->domain);
	char text[128];

	snprintf(text, sizeof(text), "waits for its turn: rate in mxnss.conf, "
	    "one message in %lld %s", (long long)(us >= 1000000 ?
	    us / 1000000 : us / 1000), us >= 1000000 ? "s" : "ms");
	hoststat_set_wait(d->queue, dest->domain, text, until);
}

/*
 * The next task of the destination may go in a while: what may not go soon
 * makes room in memory for the mail of others.
 */
static void
wait_for_rate(struct dispatch *d, struct dest *dest)
{
	int64_t interval = rate_interval(d, dest);
	size_t i, n = 0, keep = dest->keep;
	struct task **kept = xcalloc(keep, sizeof(kept[0])), *t;
	time_t until = 0;
	int64_t at;

	while (n < keep && (t = dest_take(dest)) != NULL)
		kept[n++] = t;
	at = dest->rate_at + (int64_t)n * interval;
	for (i = dest->ntasks; i > 0; i--, at += interval) {
		until = d->now.wall + (at - d->now.mono) / 1000 + 1;
		dispatch_postpone(d, dest_take(dest), until);
	}
	if (until != 0)
		tell_mailq(d, dest, until);
	while (n > 0)
		dest_put_back(dest, kept[--n]);
	free(kept);
}

/* Whether a task may be given out now; if not, the destination is blocked. */
static bool
rate_allows(struct dispatch *d, struct dest *dest)
{
	int64_t wait = dest->rate_at - d->now.mono;

	if (wait <= 0 || conf_rate(d->conf, dest->domain) == 0)
		return true;
	dest_block(dest, dest->rate_at, NULL, wait > RATE_SLACK_MS ? 0 :
	    (size_t)((RATE_SLACK_MS - wait) / rate_interval(d, dest)) + 1);
	return false;
}

static void
rate_count(struct dispatch *d, struct dest *dest)
{
	/* those of less than a millisecond each are counted together */
	dest->rate_us += conf_rate(d->conf, dest->domain);
	dest->rate_at = d->now.mono + dest->rate_us / 1000;
	dest->rate_us %= 1000;
}

/* --- giving ------------------------------------------------------------- */

static bool
give(struct dispatch *d, struct dest *dest, struct worker *w)
{
	struct task *t = dest_take(dest);
	struct load *l = t->m->load;
	struct result r;
	struct job job;
	bool parked = l->fd == -1;

	if (t->m->halted) {
		dispatch_return(d, t);
		return true;
	}
	if (load_reopen(d->queue, t->m) == -1) {
		result_set_errno(&r, R_LOCALERR, errno, "cannot open the "
		    "message");
		dispatch_defer(d, t, &r);
		return true;
	}
	d->nopen += parked;
	memset(&job, 0, sizeof(job));
	(void)strlcpy(job.dest, dest->domain, sizeof(job.dest));
	job.id = t->m->id;
	job.place = t->m->place;
	job.sole = is_sole(t);
	job.crowded = crew_is_served(dest);
	job.verbose = t->m->reader != -1;
	job.generation = d->generation;
	job.nrcpt = t->n;
	memcpy(job.rcpt, t->rcpt, t->n * sizeof(job.rcpt[0]));
	if (crew_feed(w, t, &job, l->fd, t->m->reader, d->now.mono,
	    limit_of(d, l)) == -1) {
		dest_put_back(dest, t);
		return false;
	}
	l->tried = true;
	rate_count(d, dest);
	return true;
}

/* How many tasks a worker of the destination may have at a time. */
static size_t
depth_of(const struct dest *dest)
{
	return dest->avg < FAST_MS && dest->ntasks > dest->nworkers ?
	    CREW_DEPTH : 1;
}

static void
feed(struct dispatch *d, struct dest *dest)
{
	struct worker *w;

	while (dest->state == DEST_SERVED && dest->ntasks > 0 &&
	    (w = crew_ready(dest, depth_of(dest))) != NULL)
		if (!rate_allows(d, dest) || !give(d, dest, w))
			break;
}

/*
 * When there may be one worker more, with a SPARE one or not.  As long as
 * nobody has reached anything there may be no network: a handful finds that
 * out as well as all.  And a handful may do where tasks are fast.
 */
static int64_t
hire_at(const struct dispatch *d, const struct worker *spare)
{
	if (crew_count(d->crew) < HANDFUL)
		return 0;
	return d->hired_at + (spare != NULL ? SPARE_MS : HIRE_MS);
}

static bool
may_hire(const struct dispatch *d, const struct worker *spare)
{
	return crew_count(d->crew) < d->conf->workers &&
	    crew_may_hire(d->crew, d->now.mono) &&
	    d->now.mono >= hire_at(d, spare);
}

/* One worker more for the destination, if there may be one. */
static bool
staff(struct dispatch *d, struct dest *dest)
{
	struct worker *w = crew_spare(d->crew);

	if (may_hire(d, w)) {
		if (crew_hire(d->crew, d->conf, dest, d->now.mono) == NULL)
			return false;
		d->hired_at = d->now.mono;
	} else if (w != NULL)
		crew_move(w, dest);
	else
		return false;
	feed(d, dest);
	return true;
}

static bool
may_staff(const struct dispatch *d)
{
	const struct worker *spare = crew_spare(d->crew);

	return spare != NULL || may_hire(d, NULL);
}

void
dispatch_serve(struct dispatch *d)
{
	struct dest *dest, *next;

	for (dest = dests_first(d->dests, DEST_SERVED); dest != NULL;
	    dest = next) {
		next = dests_after(dest);
		feed(d, dest);
	}
	while (may_staff(d) && (dest = dests_next(d->dests)) != NULL)
		if (rate_allows(d, dest) && !staff(d, dest))
			break;
	for (dest = dests_first(d->dests, DEST_SERVED); dest != NULL;
	    dest = next) {
		next = dests_after(dest);
		/* one that is blocked meanwhile has workers to spare */
		while (dest->state == DEST_SERVED && dest->ntasks > 0 &&
		    needs_worker(d, dest) && rate_allows(d, dest) &&
		    staff(d, dest))
			;
	}
	crew_yield(d->crew, crew_count(d->crew) >= d->conf->workers &&
	    dests_is_waiting(d->dests));
}

int64_t
dispatch_hire_at(const struct dispatch *d)
{
	int64_t at = hire_at(d, NULL);
	const struct dest *dest;

	if (crew_count(d->crew) >= d->conf->workers)
		return -1;
	if (at <= d->now.mono)
		at = d->now.mono + SLOW_MS;
	if (dests_is_waiting(d->dests))
		return at;
	for (dest = dests_first(d->dests, DEST_SERVED); dest != NULL;
	    dest = dests_after(dest))
		if (dest->ntasks > 0 && dest->nworkers - dest->nleaving <
		    dest->limit)
			return at;
	return -1;
}

/* Put off what cannot go soon; for dead destinations, some at a time. */
void
dispatch_defer_doomed(struct dispatch *d)
{
	struct dest *dest;
	struct result r;
	size_t n = 0;

	while (n < DEFER_SLICE &&
	    (dest = dests_first(d->dests, DEST_DOOMED)) != NULL)
		if (dest->why == NULL)
			wait_for_rate(d, dest);
		else
			for (r = *dest->why; dest->ntasks > 0 &&
			    n < DEFER_SLICE; n++)
				dispatch_defer(d, dest_take(dest), &r);
}
