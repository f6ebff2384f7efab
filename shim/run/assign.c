/* SPDX-License-Identifier: ISC */
/*
 * Tasks become jobs of workers: destinations in turn, and as many workers for
 * each as help.  Those that cannot be reached get none.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "run/dispatchint.h"
#include "run/job.h"
#include "run/load.h"

#define DEFER_SLICE	16	/* tasks put off before workers are served */
#define BACKLOG_MS	200	/* work in line that calls for a worker more */

bool
dispatch_is_dead(const struct dispatch *d, const struct dest *dest)
{
	return dest->dead_until > d->now.mono;
}

/*
 * Whether one worker more would help: there is none, or those there are need
 * too long for what is in the line.
 */
static bool
needs_worker(const struct dispatch *d, const struct dest *dest)
{
	int64_t each = dest->avg, longest;

	if (dest->nworkers == 0)
		return true;
	if (dest->nworkers >= d->conf->per_destination)
		return false;
	longest = crew_longest(d->crew, dest, d->now.mono);
	if (longest >= SLOW_MS && longest > each)
		each = longest;
	return (int64_t)dest->ntasks * each >
	    (int64_t)dest->nworkers * BACKLOG_MS;
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
	const struct conf *c = d->conf;

	/* ten addresses; a dozen replies; 4 KB/s */
	return 10 * (int64_t)c->connect_timeout +
	    12 * (int64_t)c->reply_timeout + 2 * (int64_t)c->data_timeout +
	    (int64_t)l->mf.size / 4;
}

static bool
give(struct dispatch *d, struct dest *dest, struct worker *w)
{
	struct task *t = dest_take(d->dests, dest);
	struct load *l = t->m->load;
	struct result r;
	struct job job;
	bool parked = l->fd == -1;

	if (t->m->halted) {
		dispatch_return(d, t);
		return true;
	}
	if (load_reopen(d->queue, t->m) == -1) {
		result_set(&r, R_LOCALERR, "cannot open queue/%s: %s",
		    t->m->id.s, strerror(errno));
		dispatch_defer(d, t, &r);
		return true;
	}
	d->nopen += parked;
	memset(&job, 0, sizeof(job));
	job.id = t->m->id;
	job.place = t->m->place;
	job.sole = is_sole(t);
	job.verbose = t->m->reader != -1;
	job.nrcpt = t->n;
	memcpy(job.rcpt, t->rcpt, t->n * sizeof(job.rcpt[0]));
	if (crew_feed(d->crew, w, t, &job, l->fd, t->m->reader, d->now.mono,
	    limit_of(d, l)) == -1) {
		dest_put_back(d->dests, dest, t);
		return false;
	}
	return true;
}

/* Give one task of the destination to a worker, if that is possible. */
static bool
serve(struct dispatch *d, struct dest *dest, bool *starving)
{
	struct worker *w = NULL;

	if (dispatch_is_dead(d, dest))
		return false;
	/* with thousands of destinations, most have none */
	if (dest->nworkers > 0)
		w = crew_idle(d->crew, dest);
	if (w == NULL) {
		if (!needs_worker(d, dest))
			return false;
		if (crew_count(d->crew) >= d->conf->workers) {
			*starving |= dest->nworkers == 0;
			return false;
		}
		if (!crew_may_hire(d->crew, d->now.mono) ||
		    (w = crew_hire(d->crew, d->conf, dest,
		    d->now.mono)) == NULL)
			return false;
	}
	return give(d, dest, w);
}

void
dispatch_serve(struct dispatch *d)
{
	struct destlist *ring = dests_ring(d->dests);
	struct dest *dest, *next;
	bool starving = false;

	for (dest = TAILQ_FIRST(ring); dest != NULL; dest = next) {
		next = TAILQ_NEXT(dest, ring);
		if (!serve(d, dest, &starving))
			continue;
		/* who was served waits until the others were */
		if (dest->ntasks > 0) {
			TAILQ_REMOVE(ring, dest, ring);
			TAILQ_INSERT_TAIL(ring, dest, ring);
		}
		if (next == NULL)
			next = TAILQ_FIRST(ring);
	}
	crew_yield(d->crew, starving);
}

/* Put off what is in line for dead destinations, some at a time. */
void
dispatch_defer_dead(struct dispatch *d)
{
	struct dest *dest, *next;
	struct result r;
	size_t n = 0;

	for (dest = TAILQ_FIRST(dests_ring(d->dests)); dest != NULL &&
	    n < DEFER_SLICE; dest = next) {
		next = TAILQ_NEXT(dest, ring);
		if (!dispatch_is_dead(d, dest))
			continue;
		for (r = dest->why; dest->ntasks > 0 && n < DEFER_SLICE; n++)
			dispatch_defer(d, dest_take(d->dests, dest), &r);
	}
}
