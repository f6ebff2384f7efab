/* SPDX-License-Identifier: ISC */
/*
 * One list for each uid, all in a ring.  Whose a message in queue/ is, is
 * known when it was loaded once: those that a new runner finds there share
 * the uid -1.
 */
#include "config.h"

#include "run/due.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "run/table.h"

#define NSLOTS	256

struct owner {
	uid_t		 uid;
	struct owner	*chain;
	TAILQ_ENTRY(owner) ring;
	TAILQ_HEAD(, message) list;
};

struct due {
	struct owner	*slot[NSLOTS];
	TAILQ_HEAD(, owner) ring;
	size_t		 count;
};

struct due *
due_new(void)
{
	struct due *d = xcalloc(1, sizeof(*d));

	TAILQ_INIT(&d->ring);
	return d;
}

void
due_free(struct due *d)
{
	struct owner *o;

	if (d == NULL)
		return;
	while ((o = TAILQ_FIRST(&d->ring)) != NULL) {
		TAILQ_REMOVE(&d->ring, o, ring);
		free(o);
	}
	free(d);
}

size_t
due_count(const struct due *d)
{
	return d->count;
}

static struct owner **
find(struct due *d, uid_t uid)
{
	struct owner **p = &d->slot[uid % NSLOTS];

	while (*p != NULL && (*p)->uid != uid)
		p = &(*p)->chain;
	return p;
}

void
due_add(struct due *d, struct message *m)
{
	struct owner **p = find(d, m->uid), *o = *p;

	if (o == NULL) {
		*p = o = xcalloc(1, sizeof(*o));
		o->uid = m->uid;
		TAILQ_INIT(&o->list);
		TAILQ_INSERT_TAIL(&d->ring, o, ring);
	}
	TAILQ_INSERT_TAIL(&o->list, m, due);
	d->count++;
}

void
due_remove(struct due *d, struct message *m)
{
	struct owner **p = find(d, m->uid), *o = *p;

	TAILQ_REMOVE(&o->list, m, due);
	d->count--;
	if (!TAILQ_EMPTY(&o->list))
		return;
	TAILQ_REMOVE(&d->ring, o, ring);
	*p = o->chain;
	free(o);
}

struct message *
due_next(struct due *d)
{
	struct owner *o;

	if ((o = TAILQ_FIRST(&d->ring)) == NULL)
		return NULL;
	TAILQ_REMOVE(&d->ring, o, ring);
	TAILQ_INSERT_TAIL(&d->ring, o, ring);
	return TAILQ_FIRST(&o->list);
}
