/* SPDX-License-Identifier: ISC */
/*
 * Destinations in a hash table of fixed size: a run that sees more domains
 * than that has other costs.  Nothing here walks over all of them while mail
 * flows: each is in the list of its state, and its lines are in the rings of
 * their submitters while it is unserved.
 */
#include "config.h"

#include "run/dest.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "run/job.h"
#include "spool/envelope.h"

#define NSLOTS		4096
#define NSUBMITTERS	256

struct line {			/* the tasks of a submitter for a destination */
	TAILQ_ENTRY(line) of_dest;
	TAILQ_ENTRY(line) of_submitter; /* while the destination is unserved */
	struct dest	*dest;
	struct submitter *submitter;
	struct tasklist	 tasks;
	struct task	*filling;	/* the task that dest_add() fills */
};
TAILQ_HEAD(linelist, line);

struct submitter {
	uid_t		 uid;
	struct submitter *chain;
	TAILQ_ENTRY(submitter) ring;	/* while it has lines to be served */
	struct linelist	 lines;		/* those */
	size_t		 nlines;	/* all of them */
};

struct dests {
	struct dest	*slot[NSLOTS];
	struct submitter *submitter[NSUBMITTERS];
	TAILQ_HEAD(, submitter) ring;
	struct destlist	 list[DEST_DOOMED + 1];
	size_t		 cap;
	int64_t		 unblock_at;	/* ms, -1: none is blocked */
};

void
dest_name(const struct envelope_rcpt *rcpt, char *name, size_t size)
{
	const char *at = strrchr(rcpt->addr, '@');
	size_t i;

	if (rcpt->mailbox || at == NULL ||
	    strlcpy(name, at + 1, size) >= size)
		(void)strlcpy(name, LOCAL_DEST, size);
	for (i = 0; name[i] != '\0'; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
}

bool
dest_is_local(const char *name)
{
	return strcmp(name, LOCAL_DEST) == 0;
}

static struct dest **
slot(struct dests *ds, const char *domain)
{
	uint32_t h = 2166136261U;

	for (; *domain != '\0'; domain++)
		h = (h ^ (unsigned char)*domain) * 16777619U;
	return &ds->slot[h % NSLOTS];
}

struct dests *
dests_new(void)
{
	struct dests *ds = xcalloc(1, sizeof(*ds));
	size_t i;

	TAILQ_INIT(&ds->ring);
	for (i = 0; i < sizeof(ds->list) / sizeof(ds->list[0]); i++)
		TAILQ_INIT(&ds->list[i]);
	ds->unblock_at = -1;
	ds->cap = SIZE_MAX;
	return ds;
}

/* --- submitters and their lines ----------------------------------------- */

static struct submitter *
submitter_get(struct dests *ds, uid_t uid)
{
	struct submitter **p = &ds->submitter[uid % NSUBMITTERS], *s;

	for (s = *p; s != NULL; s = s->chain)
		if (s->uid == uid)
			return s;
	s = xcalloc(1, sizeof(*s));
	s->uid = uid;
	TAILQ_INIT(&s->lines);
	s->chain = *p;
	*p = s;
	return s;
}

static void
submitter_put(struct dests *ds, struct submitter *s)
{
	struct submitter **p = &ds->submitter[s->uid % NSUBMITTERS];

	if (--s->nlines != 0)
		return;
	while (*p != s)
		p = &(*p)->chain;
	*p = s->chain;
	free(s);
}

/* The line waits for its destination to get a worker. */
static void
line_enter(struct line *l)
{
	struct submitter *s = l->submitter;

	if (TAILQ_EMPTY(&s->lines))
		TAILQ_INSERT_TAIL(&l->dest->all->ring, s, ring);
	TAILQ_INSERT_TAIL(&s->lines, l, of_submitter);
}

static void
line_exit(struct line *l)
{
	struct submitter *s = l->submitter;

	TAILQ_REMOVE(&s->lines, l, of_submitter);
	if (TAILQ_EMPTY(&s->lines))
		TAILQ_REMOVE(&l->dest->all->ring, s, ring);
}

static struct line *
line_get(struct dest *d, uid_t uid)
{
	struct line *l;

	TAILQ_FOREACH(l, &d->lines, of_dest)
		if (l->submitter->uid == uid)
			return l;
	l = xcalloc(1, sizeof(*l));
	l->dest = d;
	l->submitter = submitter_get(d->all, uid);
	l->submitter->nlines++;
	TAILQ_INIT(&l->tasks);
	TAILQ_INSERT_TAIL(&d->lines, l, of_dest);
	if (d->state == DEST_UNSERVED)
		line_enter(l);
	return l;
}

static void
line_free(struct line *l)
{
	struct dest *d = l->dest;

	if (d->state == DEST_UNSERVED)
		line_exit(l);
	TAILQ_REMOVE(&d->lines, l, of_dest);
	submitter_put(d->all, l->submitter);
	free(l);
}

struct dest *
dests_next(struct dests *ds)
{
	struct submitter *s;
	struct line *l;
	struct dest *d;

	if ((s = TAILQ_FIRST(&ds->ring)) == NULL)
		return NULL;
	l = TAILQ_FIRST(&s->lines);
	d = l->dest;
	TAILQ_REMOVE(&ds->ring, s, ring);
	TAILQ_INSERT_TAIL(&ds->ring, s, ring);
	TAILQ_REMOVE(&s->lines, l, of_submitter);
	TAILQ_INSERT_TAIL(&s->lines, l, of_submitter);
	/* it is this submitter's turn there, too */
	TAILQ_REMOVE(&d->lines, l, of_dest);
	TAILQ_INSERT_HEAD(&d->lines, l, of_dest);
	return d;
}

bool
dests_is_waiting(const struct dests *ds)
{
	return !TAILQ_EMPTY(&ds->ring);
}

/* --- states ------------------------------------------------------------- */

static enum dest_state
state_of(const struct dest *d)
{
	if (d->blocked)
		return d->ntasks > d->keep ? DEST_DOOMED : DEST_BLOCKED;
	/* one that leaves makes room for another */
	if (d->ntasks > 0 && d->nworkers == d->nleaving &&
	    d->nworkers < d->all->cap)
		return DEST_UNSERVED;
	return d->nworkers > 0 ? DEST_SERVED : DEST_QUIET;
}

static bool
is_listed(enum dest_state state)
{
	return state != DEST_QUIET && state != DEST_UNSERVED;
}

void
dest_update(struct dest *d)
{
	enum dest_state old = d->state, new = state_of(d);
	struct line *l;

	if (old == new)
		return;
	if (is_listed(old))
		TAILQ_REMOVE(&d->all->list[old], d, link);
	else if (old == DEST_UNSERVED)
		TAILQ_FOREACH(l, &d->lines, of_dest)
			line_exit(l);
	d->state = new;
	if (is_listed(new))
		TAILQ_INSERT_TAIL(&d->all->list[new], d, link);
	else if (new == DEST_UNSERVED)
		TAILQ_FOREACH(l, &d->lines, of_dest)
			line_enter(l);
}

void
dest_block(struct dest *d, int64_t until, const struct result *why,
    size_t keep)
{
	struct dests *ds = d->all;

	d->blocked = true;
	d->until = until;
	d->keep = keep;
	free(d->why);
	d->why = NULL;
	if (why != NULL) {
		d->why = xmalloc(sizeof(*why));
		*d->why = *why;
	}
	if (ds->unblock_at == -1 || until < ds->unblock_at)
		ds->unblock_at = until;
	dest_update(d);
}

static void
unblock(struct dest *d)
{
	d->blocked = false;
	free(d->why);
	d->why = NULL;
	dest_update(d);
}

void
dests_unblock(struct dests *ds, int64_t now)
{
	static const enum dest_state states[] = { DEST_BLOCKED, DEST_DOOMED };
	struct dest *d, *next;
	size_t i;

	if (ds->unblock_at == -1 || now < ds->unblock_at)
		return;
	ds->unblock_at = -1;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		for (d = dests_first(ds, states[i]); d != NULL; d = next) {
			next = dests_after(d);
			/* what the configuration says stays true */
			if (d->until <= now && (now != INT64_MAX ||
			    d->why != NULL))
				unblock(d);
			else if (ds->unblock_at == -1 ||
			    d->until < ds->unblock_at)
				ds->unblock_at = d->until;
		}
}

int64_t
dests_unblock_at(const struct dests *ds)
{
	return ds->unblock_at;
}

/* --- destinations ------------------------------------------------------- */

void
dests_set_cap(struct dests *ds, size_t cap)
{
	struct dest *d;
	size_t i;

	ds->cap = cap;
	for (i = 0; i < NSLOTS; i++)
		for (d = ds->slot[i]; d != NULL; d = d->chain)
			dest_update(d);
}

struct dest *
dests_get(struct dests *ds, const char *domain)
{
	struct dest **s = slot(ds, domain), *d;

	for (d = *s; d != NULL; d = d->chain)
		if (strcmp(d->domain, domain) == 0)
			return d;
	d = xcalloc(1, sizeof(*d));
	d->domain = xstrdup(domain);
	d->all = ds;
	d->limit = 1;
	TAILQ_INIT(&d->lines);
	TAILQ_INIT(&d->workers);
	d->chain = *s;
	*s = d;
	return d;
}

static void
dest_free(struct dest *d)
{
	struct task *t;

	while ((t = dest_take(d)) != NULL)
		task_free(t);
	if (is_listed(d->state))
		TAILQ_REMOVE(&d->all->list[d->state], d, link);
	free(d->why);
	free(d->domain);
	free(d);
}

void
dests_free(struct dests *ds)
{
	struct dest *d;
	size_t i;

	if (ds == NULL)
		return;
	for (i = 0; i < NSLOTS; i++)
		while ((d = ds->slot[i]) != NULL) {
			ds->slot[i] = d->chain;
			dest_free(d);
		}
	free(ds);
}

void
dests_sweep(struct dests *ds)
{
	struct dest **p, *d;
	size_t i;

	for (i = 0; i < NSLOTS; i++)
		for (p = &ds->slot[i]; (d = *p) != NULL;) {
			if (d->state == DEST_QUIET) {
				*p = d->chain;
				dest_free(d);
			} else
				p = &d->chain;
		}
}

struct dest *
dests_first(const struct dests *ds, enum dest_state state)
{
	return TAILQ_FIRST(&ds->list[state]);
}

struct dest *
dests_after(const struct dest *d)
{
	return TAILQ_NEXT(d, link);
}

void
dests_drain(struct dests *ds, void (*fn)(void *, struct task *), void *arg)
{
	struct dest *d;
	struct task *t;
	size_t i;

	for (i = 0; i < NSLOTS; i++)
		for (d = ds->slot[i]; d != NULL; d = d->chain)
			while ((t = dest_take(d)) != NULL)
				fn(arg, t);
}

/* --- tasks -------------------------------------------------------------- */

size_t
dest_add(struct dest *d, uid_t uid, struct message *m, uint32_t i, size_t max)
{
	struct line *l = line_get(d, uid);
	struct task *t = l->filling;
	size_t made = 0;

	if (t == NULL || t->m != m || t->n >= max) {
		t = xcalloc(1, sizeof(*t));
		t->m = m;
		t->uid = uid;
		TAILQ_INSERT_TAIL(&l->tasks, t, link);
		d->ntasks++;
		l->filling = t;
		made = 1;
		dest_update(d);
	}
	if (t->n == t->cap) {
		t->cap = t->cap != 0 ? t->cap * 4 : 1;
		t->rcpt = xreallocarray(t->rcpt, t->cap, sizeof(t->rcpt[0]));
	}
	t->rcpt[t->n++] = i;
	return made;
}

struct task *
dest_take(struct dest *d)
{
	struct line *l;
	struct task *t;

	if ((l = TAILQ_FIRST(&d->lines)) == NULL)
		return NULL;
	t = TAILQ_FIRST(&l->tasks);
	TAILQ_REMOVE(&l->tasks, t, link);
	if (l->filling == t)
		l->filling = NULL;
	if (TAILQ_EMPTY(&l->tasks))
		line_free(l);
	else {
		TAILQ_REMOVE(&d->lines, l, of_dest);
		TAILQ_INSERT_TAIL(&d->lines, l, of_dest);
	}
	d->ntasks--;
	dest_update(d);
	return t;
}

void
dest_put_back(struct dest *d, struct task *t)
{
	struct line *l = line_get(d, t->uid);

	TAILQ_INSERT_HEAD(&l->tasks, t, link);
	TAILQ_REMOVE(&d->lines, l, of_dest);
	TAILQ_INSERT_HEAD(&d->lines, l, of_dest);
	d->ntasks++;
	dest_update(d);
}

void
task_free(struct task *t)
{
	if (t == NULL)
		return;
	free(t->rcpt);
	free(t);
}
