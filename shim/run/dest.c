/* SPDX-License-Identifier: ISC */
/*
 * Destinations in a hash table of fixed size: a run that sees more domains
 * than that has other costs.
 */
#include "config.h"

#include "run/dest.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define NSLOTS	4096

struct dests {
	struct dest	*slot[NSLOTS];
	struct destlist	 ring;
};

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

	TAILQ_INIT(&ds->ring);
	return ds;
}

static void
dest_free(struct dest *d)
{
	free(d->domain);
	free(d);
}

void
dests_free(struct dests *ds)
{
	struct dest *d;
	struct task *t;
	size_t i;

	if (ds == NULL)
		return;
	for (i = 0; i < NSLOTS; i++)
		while ((d = ds->slot[i]) != NULL) {
			ds->slot[i] = d->chain;
			while ((t = dest_take(ds, d)) != NULL)
				task_free(t);
			dest_free(d);
		}
	free(ds);
}

struct destlist *
dests_ring(struct dests *ds)
{
	return &ds->ring;
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
	TAILQ_INIT(&d->tasks);
	d->chain = *s;
	*s = d;
	return d;
}

void
dests_sweep(struct dests *ds, int64_t now)
{
	struct dest **p, *d;
	size_t i;

	for (i = 0; i < NSLOTS; i++)
		for (p = &ds->slot[i]; (d = *p) != NULL;) {
			if (d->ntasks == 0 && d->nworkers == 0 &&
			    d->dead_until <= now) {
				*p = d->chain;
				dest_free(d);
			} else
				p = &d->chain;
		}
}

void
dests_revive(struct dests *ds)
{
	struct dest *d;
	size_t i;

	for (i = 0; i < NSLOTS; i++)
		for (d = ds->slot[i]; d != NULL; d = d->chain)
			d->dead_until = 0;
}

static void
insert(struct dests *ds, struct dest *d, struct task *t, bool head)
{
	if (head)
		TAILQ_INSERT_HEAD(&d->tasks, t, link);
	else
		TAILQ_INSERT_TAIL(&d->tasks, t, link);
	if (d->ntasks++ == 0)
		TAILQ_INSERT_TAIL(&ds->ring, d, ring);
}

size_t
dest_add(struct dests *ds, struct dest *d, struct message *m, uint32_t i,
    size_t max)
{
	struct task *t = d->filling;
	size_t made = 0;

	if (t == NULL || t->m != m || t->n >= max) {
		t = xcalloc(1, sizeof(*t));
		t->m = m;
		insert(ds, d, t, false);
		d->filling = t;
		made = 1;
	}
	if (t->n == t->cap) {
		t->cap = t->cap != 0 ? t->cap * 4 : 1;
		t->rcpt = xreallocarray(t->rcpt, t->cap, sizeof(t->rcpt[0]));
	}
	t->rcpt[t->n++] = i;
	return made;
}

struct task *
dest_take(struct dests *ds, struct dest *d)
{
	struct task *t;

	if ((t = TAILQ_FIRST(&d->tasks)) == NULL)
		return NULL;
	TAILQ_REMOVE(&d->tasks, t, link);
	if (d->filling == t)
		d->filling = NULL;
	if (--d->ntasks == 0)
		TAILQ_REMOVE(&ds->ring, d, ring);
	return t;
}

void
dest_put_back(struct dests *ds, struct dest *d, struct task *t)
{
	insert(ds, d, t, true);
}

void
task_free(struct task *t)
{
	if (t == NULL)
		return;
	free(t->rcpt);
	free(t);
}
