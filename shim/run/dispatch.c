/* SPDX-License-Identifier: ISC */
/*
 * A message that is due is loaded; its recipients are grouped by domain, and
 * each group becomes a task in the line of its destination.  Destinations are
 * served in turn.  When the last task of a message is done, outcome.c decides
 * what becomes of it.
 */
#include "config.h"

#include "run/dispatch.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/crew.h"
#include "run/dest.h"
#include "run/job.h"
#include "run/load.h"
#include "run/outcome.h"
#include "run/route.h"
#include "run/sched.h"
#include "run/table.h"

#define LOAD_SLICE	16	/* messages loaded before workers are served */
#define DEFER_SLICE	16	/* tasks for dead destinations, the same */
#define MAX_LOADED	20000	/* messages in memory at a time */
#define MAX_PARKED_FDS	8192	/* of those, with an open file */
#define IDLE_MS		1000	/* a worker waits for the next message */
#define SYNC_MS		1000	/* a removal becomes durable */
#define DEAD_MS		10000	/* a destination is not tried again */
#define BACKLOG_MS	200	/* work in line that calls for a worker more */
#define SLOW_MS		100	/* a first task that takes that long */
#define LOCAL_RETRY	60	/* seconds, after a local failure */
#define NREADERS		16	/* of sendmail -v, before their message */
#define READER_MS		60000

struct early_reader {
	struct msgid	 id;
	int		 fd;	/* -1: free */
	int64_t		 until;
};

struct dispatch {
	struct queue	*queue;
	const struct conf *conf;
	struct sched	 sched;
	struct table	*table;
	struct dests	*dests;
	struct crew	*crew;
	TAILQ_HEAD(, message) due;
	size_t		 ndue;
	size_t		 nloaded;
	size_t		 nopen;		/* loaded, with an open file */
	size_t		 maxopen;
	uint64_t	 generation;	/* of the overrides */
	struct moment	 now;
	int64_t		 sync_at;	/* ms, -1: nothing to sync */
	bool		 hold;
	bool		 stopping;
	struct early_reader reader[NREADERS];
};

/* --- messages ------------------------------------------------------------------ */

static void
make_due(struct dispatch *d, struct message *m)
{
	table_unwait(d->table, m);
	if (m->state != MESSAGE_IDLE)
		return;
	m->state = MESSAGE_DUE;
	TAILQ_INSERT_TAIL(&d->due, m, due);
	d->ndue++;
}

/* Out of the line of those that are due. */
static void
make_idle(struct dispatch *d, struct message *m)
{
	table_unwait(d->table, m);
	if (m->state != MESSAGE_DUE)
		return;
	m->state = MESSAGE_IDLE;
	TAILQ_REMOVE(&d->due, m, due);
	d->ndue--;
}

static void
wait_until(struct dispatch *d, struct message *m, time_t next)
{
	if (sched_is_due(&d->sched, next, d->now.wall))
		make_due(d, m);
	else
		table_wait(d->table, m, next);
}

static void
sync_soon(struct dispatch *d)
{
	if (d->sync_at == -1)
		d->sync_at = d->now.mono + SYNC_MS;
}

void
dispatch_sync(struct dispatch *d)
{
	d->sync_at = -1;
	if (queue_sync(d->queue) == 0)
		return;
	log_err("cannot sync the spool: %s", strerror(errno));
	sync_soon(d);
}

static int
take_early_reader(struct dispatch *d, const char *id)
{
	size_t i;
	int fd;

	for (i = 0; i < NREADERS; i++)
		if (d->reader[i].fd != -1 &&
		    strcmp(d->reader[i].id.s, id) == 0) {
			fd = d->reader[i].fd;
			d->reader[i].fd = -1;
			return fd;
		}
	return -1;
}

/* A new override may lead around a destination that could not be reached. */
static void
notice_overrides(struct dispatch *d)
{
	uint64_t generation = route_generation();

	if (generation != d->generation)
		dests_revive(d->dests);
	d->generation = generation;
}

static void
see_new(struct dispatch *d, const struct queue_entry *e)
{
	struct message *m;

	notice_overrides(d);
	m = table_add(d->table, e->id.s, e->place);
	m->reader = take_early_reader(d, e->id.s);
	m->next = e->next;
	if (e->place == IN_DROP)
		make_due(d, m);
	else if (!e->held)
		wait_until(d, m, e->next);
}

/* queue/ID changed its time or mode. */
static void
see_change(struct dispatch *d, struct message *m, const struct queue_entry *e)
{
	if (m->state == MESSAGE_BUSY) {
		m->changed = true;
		return;
	}
	if (e->held) {
		make_idle(d, m);
		return;
	}
	if (m->state == MESSAGE_DUE ||
	    (m->state == MESSAGE_WAITING && m->next == e->next))
		return;
	/* sendmail -q: somebody knows better than what we remember */
	if (e->next <= d->now.wall)
		dests_revive(d->dests);
	wait_until(d, m, e->next);
}

void
dispatch_see(void *arg, const struct queue_entry *e)
{
	struct dispatch *d = arg;
	struct message *m;

	if ((m = table_find(d->table, e->id.s)) == NULL)
		see_new(d, e);
	else if (e->place == IN_QUEUE)
		see_change(d, m, e);
	else if (m->place == IN_QUEUE)
		(void)queue_supersede(d->queue, &e->id);
}

void
dispatch_reader(struct dispatch *d, const char *id, int fd)
{
	struct early_reader *p = &d->reader[0];
	struct message *m;
	size_t i;

	if ((m = table_find(d->table, id)) != NULL) {
		if (m->reader != -1 || m->state == MESSAGE_BUSY)
			close(fd);
		else
			m->reader = fd;
		return;
	}
	for (i = 0; i < NREADERS; i++)
		if (d->reader[i].fd == -1 || (p->fd != -1 &&
		    d->reader[i].until < p->until))
			p = &d->reader[i];
	if (p->fd != -1)
		close(p->fd);
	memcpy(p->id.s, id, sizeof(p->id.s));
	p->fd = fd;
	p->until = d->now.mono + READER_MS;
}

static void
expire_readers(struct dispatch *d)
{
	size_t i;

	for (i = 0; i < NREADERS; i++)
		if (d->reader[i].fd != -1 && d->reader[i].until <= d->now.mono) {
			close(d->reader[i].fd);
			d->reader[i].fd = -1;
		}
}

/* --- the end of an attempt ------------------------------------------------------ */

static struct outcome
outcome_now(struct dispatch *d)
{
	struct outcome o = { .queue = d->queue, .conf = d->conf,
	    .sched = &d->sched, .now = d->now.wall };

	return o;
}

static void
unload(struct dispatch *d, struct message *m)
{
	if (m->load->fd != -1)
		d->nopen--;
	load_free(m);
	d->nloaded--;
	m->state = MESSAGE_IDLE;
	if (m->reader != -1)
		close(m->reader);
	m->reader = -1;
}

/* A report was made: it is a message like others. */
static void
see_report(struct dispatch *d, const struct outcome *o)
{
	if (o->reported)
		(void)queue_look(d->queue, IN_QUEUE, o->report.s,
		    dispatch_see, d);
}

static void
settle(struct dispatch *d, struct message *m)
{
	struct outcome o = outcome_now(d);
	bool was_open = m->load->fd != -1, gone;
	time_t next = 0;

	gone = outcome_settle(&o, m, &next);
	if (!was_open && m->load->fd != -1)
		d->nopen++;
	sync_soon(d);
	unload(d, m);
	if (gone)
		table_remove(d->table, m);
	else {
		table_wait(d->table, m, next);
		if (m->changed)		/* it may have been held */
			(void)queue_look(d->queue, IN_QUEUE, m->id.s,
			    dispatch_see, d);
		m->changed = false;
	}
	see_report(d, &o);
}

static void
task_end(struct dispatch *d, struct task *t)
{
	struct message *m = t->m;

	task_free(t);
	if (--m->load->tasks == 0)
		settle(d, m);
}

/* No worker had it: put the recipients of the task off. */
static void
task_defer(struct dispatch *d, struct task *t, const struct result *r)
{
	struct outcome o = outcome_now(d);

	outcome_defer(&o, t->m, t->rcpt, t->n, r);
	task_end(d, t);
}

/* --- what workers report -------------------------------------------------------- */

static void
on_rcpt(void *arg, struct task *t, const struct report *r)
{
	struct load *l = t->m->load;
	struct rcpt *rcpt;

	(void)arg;
	if (r->rcpt >= l->mf.env.nrcpt ||
	    l->rcpt[r->rcpt].state != RCPT_BUSY)
		return;
	rcpt = &l->rcpt[r->rcpt];
	if (result_is_ok(&r->result))
		rcpt->state = RCPT_SENT;
	else if (result_is_permanent(&r->result))
		rcpt->state = RCPT_FAILED;
	else {
		rcpt->state = RCPT_DEFERRED;
		rcpt->attempts++;
	}
}

/* Recipients that the worker said nothing about. */
static void
close_gaps(struct dispatch *d, struct task *t)
{
	struct outcome o = outcome_now(d);
	struct load *l = t->m->load;
	uint32_t *open;
	struct result r;
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state == RCPT_BUSY)
			break;
	if (i == t->n || l->retired)
		return;
	if (load_recover(d->queue, t->m) == -1)
		log_err("%s: cannot read the journal: %s", t->m->id.s,
		    strerror(errno));
	if (l->retired)
		return;
	open = xcalloc(t->n, sizeof(open[0]));
	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state == RCPT_BUSY)
			open[n++] = t->rcpt[i];
	result_set(&r, R_LOCALERR, "the delivering process ended before its "
	    "time");
	outcome_defer(&o, t->m, open, n, &r);
	free(open);
}

static void
on_done(void *arg, struct dest *dest, struct task *t, const struct report *r)
{
	struct dispatch *d = arg;

	if (r != NULL && r->retired)
		t->m->load->retired = true;
	close_gaps(d, t);
	if (r != NULL && r->dead && result_is_temporary(&r->result)) {
		dest->dead_until = d->now.mono + DEAD_MS;
		dest->why = r->result;
	}
	task_end(d, t);
}

static const struct crew_events events = { on_rcpt, on_done };

/* --- loading --------------------------------------------------------------------- */

static bool
is_local(const struct conf *conf, const char *domain)
{
	char **p;

	if (*domain == '\0')
		return true;
	for (p = conf->local_domains; p != NULL && *p != NULL; p++)
		if (strcasecmp(*p, domain) == 0)
			return true;
	return false;
}

/* The domain of ADDR in lower case, "" if it has none. */
static void
domain_of(const char *addr, char *domain, size_t size)
{
	const char *at = strrchr(addr, '@');
	size_t i;

	if (strlcpy(domain, at != NULL ? at + 1 : "", size) >= size)
		domain[0] = '\0';
	for (i = 0; domain[i] != '\0'; i++)
		if (domain[i] >= 'A' && domain[i] <= 'Z')
			domain[i] = (char)(domain[i] - 'A' + 'a');
}

/* Put what is open into the lines of its destinations. */
static void
make_tasks(struct dispatch *d, struct message *m)
{
	struct outcome o = outcome_now(d);
	struct load *l = m->load;
	char domain[ENVELOPE_MAX_ADDR + 1];
	uint32_t i, *local;
	size_t nlocal = 0;

	local = xcalloc(l->mf.env.nrcpt, sizeof(local[0]));
	for (i = 0; i < l->mf.env.nrcpt; i++) {
		if (l->rcpt[i].state != RCPT_OPEN)
			continue;
		domain_of(l->mf.env.rcpt[i], domain, sizeof(domain));
		if (is_local(d->conf, domain)) {
			local[nlocal++] = i;
			continue;
		}
		l->rcpt[i].state = RCPT_BUSY;
		l->tasks += dest_add(d->dests, dests_get(d->dests, domain), m,
		    i, JOB_MAXRCPT);
	}
	outcome_hold(&o, m, local, nlocal);
	free(local);
}

/*
 * Whether the message goes to one place in one go: then it can be tried
 * from drop/, and is removed by the worker.
 */
static bool
is_simple(struct dispatch *d, const struct load *l)
{
	char first[ENVELOPE_MAX_ADDR + 1], domain[ENVELOPE_MAX_ADDR + 1];
	size_t i;

	if (l->mf.env.nrcpt > JOB_MAXRCPT)
		return false;
	for (i = 0; i < l->mf.env.nrcpt; i++) {
		domain_of(l->mf.env.rcpt[i], domain, sizeof(domain));
		if (i == 0)
			memcpy(first, domain, sizeof(first));
		if (l->rcpt[i].state != RCPT_OPEN || is_local(d->conf,
		    domain) || strcmp(domain, first) != 0)
			return false;
	}
	return true;
}

/* Its time has come, but not its place: later. */
static void
put_off(struct dispatch *d, struct message *m)
{
	table_wait(d->table, m, d->now.wall + LOCAL_RETRY);
}

static void
put_back(struct dispatch *d, struct message *m)
{
	unload(d, m);
	put_off(d, m);
}

/*
 * The dialogue names all recipients: it is for the submitter, or whoever may
 * see the queue.  SO_PEERCRED is who called listen(2).
 */
static void
check_reader(struct message *m)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (m->reader == -1 || (getsockopt(m->reader, SOL_SOCKET, SO_PEERCRED,
	    &peer, &len) == 0 && (peer.uid == m->load->mf.env.uid ||
	    peer.uid == 0 || peer.uid == geteuid())))
		return;
	close(m->reader);
	m->reader = -1;
}

static bool
catch_up(struct dispatch *d, struct message *m)
{
	struct outcome o = outcome_now(d);
	int ret = outcome_catch_up(&o, m);

	see_report(d, &o);
	return ret == 0;
}

/*
 * Load the first message that is due.  It must have a place in queue/ before
 * its tasks begin if there are several: then it goes to *KEPT.
 */
static bool
load_one(struct dispatch *d, struct message *m, bool *kept)
{
	struct load *l;

	make_idle(d, m);
	switch (load_message(d->queue, d->conf, m)) {
	case LOAD_OK:
		break;
	case LOAD_LATER:
		put_off(d, m);
		return false;
	case LOAD_NONE:
		table_remove(d->table, m);
		sync_soon(d);
		return false;
	}
	l = m->load;
	m->state = MESSAGE_BUSY;
	d->nloaded++;
	d->nopen++;
	log_info("%s: from=<%s>, size=%lld, nrcpt=%zu (queue active)",
	    m->id.s, l->mf.env.sender, (long long)l->mf.size,
	    l->mf.env.nrcpt);
	check_reader(m);
	if (!catch_up(d, m)) {
		put_back(d, m);
		return false;
	}
	if (m->place == IN_DROP && (d->nopen > d->maxopen ||
	    !is_simple(d, l))) {
		if (queue_keep(d->queue, &m->id, l->fd, d->now.wall) == -1) {
			log_warn("%s: cannot keep the message in queue/: %s; "
			    "tried again later", m->id.s, strerror(errno));
			put_back(d, m);
			return false;
		}
		m->place = IN_QUEUE;
		*kept = true;
	}
	if (m->place == IN_QUEUE && d->nopen > d->maxopen) {
		load_park(m);
		d->nopen--;
	}
	return true;
}

static void
load_some(struct dispatch *d)
{
	struct message *m, *loaded[LOAD_SLICE];
	size_t i, n = 0;
	bool kept = false;

	while ((m = TAILQ_FIRST(&d->due)) != NULL && n < LOAD_SLICE &&
	    d->nloaded < MAX_LOADED)
		if (load_one(d, m, &kept))
			loaded[n++] = m;
	/* a drop file must not come back when its journal has gone */
	if (kept)
		dispatch_sync(d);
	for (i = 0; i < n; i++) {
		m = loaded[i];
		make_tasks(d, m);
		if (m->load->tasks == 0)
			settle(d, m);
	}
}

/* --- giving work ------------------------------------------------------------------ */

static bool
is_dead(const struct dispatch *d, const struct dest *dest)
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

	if (load_reopen(d->queue, t->m) == -1) {
		result_set(&r, R_LOCALERR, "cannot open queue/%s: %s",
		    t->m->id.s, strerror(errno));
		task_defer(d, t, &r);
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
	struct worker *w;

	if (is_dead(d, dest))
		return false;
	if ((w = crew_idle(d->crew, dest)) == NULL) {
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

static void
serve_all(struct dispatch *d)
{
	struct destlist *ring = dests_ring(d->dests);
	struct dest *dest, *next;
	bool starving = false, served;

	do {
		served = false;
		for (dest = TAILQ_FIRST(ring); dest != NULL; dest = next) {
			next = TAILQ_NEXT(dest, ring);
			served |= serve(d, dest, &starving);
		}
	} while (served);
	crew_yield(d->crew, starving);
	/* another one comes first the next time */
	if ((dest = TAILQ_FIRST(ring)) != NULL) {
		TAILQ_REMOVE(ring, dest, ring);
		TAILQ_INSERT_TAIL(ring, dest, ring);
	}
}

/* Put off what is in line for dead destinations, some at a time. */
static void
defer_dead(struct dispatch *d)
{
	struct dest *dest, *next;
	struct result r;
	size_t n = 0;

	for (dest = TAILQ_FIRST(dests_ring(d->dests)); dest != NULL &&
	    n < DEFER_SLICE; dest = next) {
		next = TAILQ_NEXT(dest, ring);
		if (!is_dead(d, dest))
			continue;
		for (r = dest->why; dest->ntasks > 0 && n < DEFER_SLICE; n++)
			task_defer(d, dest_take(d->dests, dest), &r);
	}
}

/* --- the whole ------------------------------------------------------------------- */

struct dispatch *
dispatch_new(struct queue *q, const struct conf *conf,
    const struct moment *now)
{
	struct dispatch *d = xcalloc(1, sizeof(*d));
	struct rlimit rl;
	size_t i;

	d->queue = q;
	d->now = *now;
	d->table = table_new();
	d->dests = dests_new();
	d->crew = crew_new(q, &events, d);
	TAILQ_INIT(&d->due);
	d->sync_at = -1;
	for (i = 0; i < NREADERS; i++)
		d->reader[i].fd = -1;
	d->maxopen = 128;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
		d->maxopen = rl.rlim_max / 2 < MAX_PARKED_FDS ?
		    (size_t)rl.rlim_max / 2 : MAX_PARKED_FDS;
	}
	dispatch_conf(d, conf, false);
	return d;
}

static void
unload_all(struct dispatch *d)
{
	struct dest *dest;
	struct task *t;
	struct message *m;

	while ((dest = TAILQ_FIRST(dests_ring(d->dests))) != NULL)
		while ((t = dest_take(d->dests, dest)) != NULL) {
			m = t->m;
			task_free(t);
			if (--m->load->tasks == 0)
				unload(d, m);
		}
}

void
dispatch_free(struct dispatch *d)
{
	size_t i;

	if (d == NULL)
		return;
	crew_free(d->crew);
	unload_all(d);
	dests_free(d->dests);
	table_free(d->table);
	for (i = 0; i < NREADERS; i++)
		if (d->reader[i].fd != -1)
			close(d->reader[i].fd);
	free(d);
}

void
dispatch_clock(struct dispatch *d, const struct moment *now)
{
	d->now = *now;
}

void
dispatch_conf(struct dispatch *d, const struct conf *conf, bool hold)
{
	d->conf = conf;
	d->hold = hold;
	d->sched.min = conf->retry_min;
	d->sched.max = conf->retry_max;
	d->sched.expire = conf->expire;
	crew_dismiss_all(d->crew);
}

static void
wake_due(struct dispatch *d)
{
	struct message *m;

	while ((m = table_first(d->table)) != NULL &&
	    sched_is_due(&d->sched, m->next, d->now.wall))
		make_due(d, m);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	if (a == -1)
		return b;
	return b == -1 || a < b ? a : b;
}

/* In how many ms there is something to do. */
static int
next_run(struct dispatch *d)
{
	struct destlist *ring = dests_ring(d->dests);
	int64_t at = d->sync_at;
	struct message *m;
	struct dest *dest;
	int64_t wait;

	at = sooner(at, crew_next(d->crew, IDLE_MS));
	if (!d->hold && !d->stopping) {
		if (d->ndue > 0 && d->nloaded < MAX_LOADED)
			return 0;
		TAILQ_FOREACH(dest, ring, ring) {
			if (is_dead(d, dest))
				return 0;
			if (dest->nworkers < d->conf->per_destination &&
			    crew_count(d->crew) < d->conf->workers)
				at = sooner(at, d->now.mono + SLOW_MS);
		}
		if ((m = table_first(d->table)) != NULL) {
			wait = m->next - d->now.wall;
			at = sooner(at, d->now.mono + wait * 1000);
		}
	}
	if (at == -1)
		return -1;
	wait = at - d->now.mono;
	if (wait < 0)
		return 0;
	return wait > 3600 * 1000 ? 3600 * 1000 : (int)wait;
}

int
dispatch_run(struct dispatch *d)
{
	int64_t mono = d->now.mono;

	expire_readers(d);
	wake_due(d);
	if (!d->hold && !d->stopping) {
		load_some(d);
		serve_all(d);
		defer_dead(d);
	}
	crew_dismiss(d->crew, mono, IDLE_MS);
	crew_enforce(d->crew, mono);
	if (crew_count(d->crew) == 0)
		dests_sweep(d->dests, mono);
	if (d->sync_at != -1 && d->sync_at <= mono)
		dispatch_sync(d);
	return next_run(d);
}

size_t
dispatch_pollfds(const struct dispatch *d, struct pollfd *p, size_t max)
{
	return crew_pollfds(d->crew, p, max);
}

void
dispatch_handle(struct dispatch *d, const struct pollfd *p, size_t n)
{
	crew_handle(d->crew, p, n, d->now.mono);
}

size_t
dispatch_messages(const struct dispatch *d)
{
	return table_count(d->table);
}

size_t
dispatch_active(const struct dispatch *d)
{
	return d->ndue + d->nloaded;
}

size_t
dispatch_workers(const struct dispatch *d)
{
	return crew_count(d->crew);
}

void
dispatch_stop(struct dispatch *d)
{
	d->stopping = true;
	crew_dismiss_all(d->crew);
}

void
dispatch_kill(struct dispatch *d)
{
	crew_kill(d->crew);
}
