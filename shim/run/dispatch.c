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

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/dispatchint.h"
#include "run/load.h"
#include "run/route.h"
#include "spool/hoststat.h"

#define MAX_OPEN	8192	/* messages with an open file */
#define IDLE_MS		1000	/* a worker waits for the next message */
#define SYNC_MS		1000	/* a removal becomes durable */
#define LOOK_MS		1000	/* between two looks at the overrides */
#define READER_MS	60000	/* that of sendmail -v, for its message */

/* --- messages ----------------------------------------------------------- */

static void
make_due(struct dispatch *d, struct message *m)
{
	table_unwait(d->table, m);
	if (m->state != MESSAGE_IDLE)
		return;
	m->state = MESSAGE_DUE;
	due_add(d->due, m);
}

/* Out of the line of those that are due. */
void
dispatch_make_idle(struct dispatch *d, struct message *m)
{
	table_unwait(d->table, m);
	if (m->state == MESSAGE_DUE)
		due_remove(d->due, m);
	else if (m->state == MESSAGE_STRANDED)
		due_remove(d->stranded, m);
	else
		return;
	m->state = MESSAGE_IDLE;
}

void
dispatch_strand(struct dispatch *d, struct message *m)
{
	outcome_tell(m, "the network is down: the message waits");
	dispatch_unload(d, m);
	m->state = MESSAGE_STRANDED;
	due_add(d->stranded, m);
}

void
dispatch_call_stranded(struct dispatch *d)
{
	struct message *m;

	while ((m = due_next(d->stranded)) != NULL) {
		dispatch_make_idle(d, m);
		make_due(d, m);
	}
}

static void
on_room(void *arg, struct message *m)
{
	make_due(arg, m);
}

/* It is gone, and others may have its place. */
void
dispatch_forget(struct dispatch *d, struct message *m)
{
	dispatch_make_idle(d, m);
	caps_leave(d->caps, m);
	table_remove(d->table, m);
}

static void
wait_until(struct dispatch *d, struct message *m, time_t next)
{
	if (sched_is_due(&d->sched, next, d->now.wall))
		make_due(d, m);
	else
		table_wait(d->table, m, next);
}

void
dispatch_sync_soon(struct dispatch *d)
{
	if (d->sync_at == -1)
		d->sync_at = d->now.mono + SYNC_MS;
}

bool
dispatch_sync(struct dispatch *d)
{
	d->sync_at = -1;
	if (queue_sync(d->queue) == 0)
		return true;
	log_err("cannot sync the spool: %s", strerror(errno));
	dispatch_sync_soon(d);
	return false;
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

/*
 * A new override may lead around a destination that could not be reached.
 * To look costs six system calls: it is done for what comes in between two
 * waits, and now and then for those in line.
 */
static void
notice_overrides(struct dispatch *d, int64_t age)
{
	uint64_t generation;

	if (d->looked_at != -1 && d->now.mono - d->looked_at < age)
		return;
	generation = route_generation();
	if (generation != d->generation)
		dests_unblock(d->dests, INT64_MAX);
	d->generation = generation;
	d->looked_at = d->now.mono;
	d->looked = true;
}

static void
see_new(struct dispatch *d, const struct queue_entry *e)
{
	struct message *m;
	bool forget;

	if (!d->looked)
		notice_overrides(d, 0);
	m = table_add(d->table, e->id.s, e->place);
	m->reader = take_early_reader(d, e->id.s);
	m->next = e->next;
	m->uid = queue_uid(e->uid);
	m->size = e->size;
	m->seen = e->next;
	if (e->place == IN_DROP && load_is_too_large(d->conf, e->size))
		make_due(d, m);		/* it does not stay */
	else if (!caps_enter(d->caps, m, &forget)) {
		if (forget)
			dispatch_forget(d, m);
	} else if (e->place == IN_DROP)
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
		m->halted = e->held;
		return;
	}
	if (e->held) {
		dispatch_make_idle(d, m);
		m->seen = -1;
		return;
	}
	/* a time that is long known does not call back what was put off */
	if (m->state == MESSAGE_DUE || m->state == MESSAGE_STRANDED ||
	    (m->state == MESSAGE_WAITING &&
	    (m->next == e->next || m->seen == e->next))) {
		m->seen = e->next;
		return;
	}
	m->seen = e->next;
	/* sendmail -q: somebody knows better than what we remember */
	if (e->next <= d->now.wall) {
		dests_unblock(d->dests, INT64_MAX);
		outage_hope(&d->outage, d->now.mono);
	}
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
dispatch_see_removed(struct dispatch *d, enum queue_place place,
    const char *id)
{
	struct message *m;

	if (!id_is_valid(id) || (m = table_find(d->table, id)) == NULL ||
	    m->place != place)
		return;
	if (m->state == MESSAGE_BUSY) {
		m->halted = true;	/* or its worker was it */
		return;
	}
	dispatch_forget(d, m);
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

/* --- the end of an attempt ---------------------------------------------- */

struct outcome
dispatch_outcome(struct dispatch *d)
{
	struct outcome o = { .queue = d->queue, .conf = d->conf,
	    .sched = &d->sched, .now = d->now.wall };

	return o;
}

void
dispatch_unload(struct dispatch *d, struct message *m)
{
	if (m->load->fd != -1)
		d->nopen--;
	d->memory -= m->load->memory;
	if (m == d->probe) {
		/* if it said nothing, another one is to */
		outage_no_probe(&d->outage, d->now.mono, arc4random());
		d->probe = NULL;
	}
	load_free(m);
	d->nloaded--;
	m->state = MESSAGE_IDLE;
	if (m->reader != -1)
		close(m->reader);
	m->reader = -1;
}

/* Reports were made: they are messages like others. */
void
dispatch_see_reports(struct dispatch *d, const struct outcome *o)
{
	struct message *m;
	size_t i;

	for (i = 0; i < o->nmade; i++) {
		(void)queue_look(d->queue, IN_QUEUE, o->made[i].s,
		    dispatch_see, d);
		/* made before, it had to wait for its origin to say so */
		m = table_find(d->table, o->made[i].s);
		if (m != NULL && m->state == MESSAGE_WAITING &&
		    sched_is_due(&d->sched, m->seen, d->now.wall))
			make_due(d, m);
	}
}

static bool
has_deferred(const struct load *l)
{
	size_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_DEFERRED)
			return true;
	return false;
}

void
dispatch_settle(struct dispatch *d, struct message *m)
{
	struct outcome o = dispatch_outcome(d);
	bool was_open = m->load->fd != -1, gone;
	time_t next = 0;

	gone = outcome_settle(&o, m, &next);
	if (!gone && m->load->postponed && !has_deferred(m->load)) {
		next = m->load->until;
		if (m->place == IN_QUEUE)
			(void)queue_set_next(d->queue, &m->id, next);
	}
	if (!was_open && m->load->fd != -1)
		d->nopen++;
	dispatch_sync_soon(d);
	dispatch_unload(d, m);
	if (gone)
		dispatch_forget(d, m);
	else {
		table_wait(d->table, m, next);
		if (o.kept)
			m->seen = next;
		if (m->changed)		/* it may have been held */
			(void)queue_look(d->queue, IN_QUEUE, m->id.s,
			    dispatch_see, d);
		m->changed = m->halted = false;
	}
	dispatch_see_reports(d, &o);
}

void
dispatch_end_task(struct dispatch *d, struct task *t)
{
	struct message *m = t->m;

	task_free(t);
	if (--m->load->tasks == 0)
		dispatch_settle(d, m);
}

/* The message is held or deleted: its recipients are as they were. */
void
dispatch_return(struct dispatch *d, struct task *t)
{
	struct load *l = t->m->load;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (l->rcpt[t->rcpt[i]].state == RCPT_BUSY)
			l->rcpt[t->rcpt[i]].state = RCPT_OPEN;
	dispatch_end_task(d, t);
}

void
dispatch_defer(struct dispatch *d, struct task *t, const struct result *r)
{
	struct outcome o = dispatch_outcome(d);

	t->m->load->tried = true;
	outcome_defer(&o, t->m, t->rcpt, t->n, r);
	dispatch_end_task(d, t);
}

void
dispatch_postpone(struct dispatch *d, struct task *t, time_t until)
{
	struct message *m = t->m;
	struct load *l = m->load;
	size_t i;

	for (i = 0; i < t->n; i++)
		l->rcpt[t->rcpt[i]].state = RCPT_OPEN;
	if (!l->postponed || until > l->until)
		l->until = until;
	l->postponed = true;
	until = l->until;
	if (l->tasks > 1 || l->tried) {
		dispatch_end_task(d, t);
		return;
	}
	/* nothing happened: it is as it was before it was loaded */
	task_free(t);
	dispatch_unload(d, m);
	if (until > d->now.wall)
		table_wait(d->table, m, until);
	else
		make_due(d, m);
}

/* --- the whole ---------------------------------------------------------- */

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
	d->crew = crew_new(q, &dispatch_events, d);
	d->due = due_new();
	d->stranded = due_new();
	d->caps = caps_new(on_room, d);
	d->sync_at = d->room_at = -1;
	d->looked_at = -1;
	for (i = 0; i < NREADERS; i++)
		d->reader[i].fd = -1;
	d->maxopen = 128;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
		d->maxopen = rl.rlim_max / 2 < MAX_OPEN ?
		    (size_t)rl.rlim_max / 2 : MAX_OPEN;
	}
	dispatch_conf(d, conf, false);
	/* what an earlier runner found is to be found again */
	hoststat_set_wait(q, NULL, NULL, 0);
	return d;
}

static void
unload_task(void *arg, struct task *t)
{
	struct dispatch *d = arg;
	struct message *m = t->m;

	task_free(t);
	if (--m->load->tasks == 0)
		dispatch_unload(d, m);
}

void
dispatch_free(struct dispatch *d)
{
	size_t i;

	if (d == NULL)
		return;
	crew_free(d->crew);
	dests_drain(d->dests, unload_task, d);
	dests_free(d->dests);
	due_free(d->due);
	due_free(d->stranded);
	table_free(d->table);
	caps_free(d->caps);
	for (i = 0; i < NREADERS; i++)
		if (d->reader[i].fd != -1)
			close(d->reader[i].fd);
	free(d);
}

void
dispatch_clock(struct dispatch *d, const struct moment *now)
{
	d->now = *now;
	d->looked = false;
}

void
dispatch_conf(struct dispatch *d, const struct conf *conf, bool hold)
{
	d->conf = conf;
	caps_conf(d->caps, conf);
	d->hold = hold;
	d->sched = sched_of(conf);
	dests_set_cap(d->dests, conf->per_destination);
	crew_dismiss_all(d->crew);
	dispatch_call_stranded(d);
}

bool
dispatch_is_offline(const struct dispatch *d)
{
	return d->outage.down;
}

void
dispatch_hope(struct dispatch *d)
{
	outage_hope(&d->outage, d->now.mono);
}

static void
wake_due(struct dispatch *d)
{
	struct message *m;

	while ((m = table_first(d->table)) != NULL &&
	    sched_is_due(&d->sched, m->next, d->now.wall))
		make_due(d, m);
	/* behind others, if the clock went back after it was put off */
	while ((m = table_beyond(d->table, sched_latest(&d->sched,
	    d->now.wall))) != NULL)
		make_due(d, m);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	if (a == -1)
		return b;
	return b == -1 || a < b ? a : b;
}

/* When (ms) there is something to do for mail that is due; -1: nothing. */
static int64_t
next_attempt(struct dispatch *d)
{
	int64_t now = d->now.mono, at;
	struct message *m;

	if (dests_first(d->dests, DEST_DOOMED) != NULL)
		return now;
	at = sooner(dispatch_hire_at(d), dests_unblock_at(d->dests));
	if (d->nloaded < MAX_LOADED) {
		if (due_count(d->due) > 0)
			return now;
		if (due_count(d->stranded) > 0 && !d->outage.probing)
			at = sooner(at, d->outage.probe_at);
	}
	if ((m = table_first(d->table)) != NULL)
		at = sooner(at, now + (m->next - d->now.wall) * 1000);
	return at;
}

/* In how many ms there is something to do. */
static int
next_run(struct dispatch *d)
{
	int64_t at = d->sync_at, wait;

	at = sooner(at, crew_next(d->crew, IDLE_MS));
	if (!d->hold && !d->stopping)
		at = sooner(at, next_attempt(d));
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
	dests_unblock(d->dests, mono);
	if (!d->hold && !d->stopping) {
		if (dispatch_active(d) != 0)
			notice_overrides(d, LOOK_MS);
		dispatch_load(d);
		dispatch_serve(d);
		dispatch_defer_doomed(d);
	}
	crew_dismiss(d->crew, mono, IDLE_MS);
	crew_enforce(d->crew, mono);
	if (crew_count(d->crew) == 0)
		dests_sweep(d->dests);
	if (d->sync_at != -1 && d->sync_at <= mono)
		(void)dispatch_sync(d);
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
	return d->nloaded + due_count(d->due);
}

bool
dispatch_wants_scan(struct dispatch *d)
{
	return caps_wants_scan(d->caps);
}

size_t
dispatch_workers(const struct dispatch *d)
{
	return crew_count(d->crew);
}

void
dispatch_dismiss(struct dispatch *d)
{
	crew_dismiss_all(d->crew);
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
