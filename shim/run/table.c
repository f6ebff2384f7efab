/* SPDX-License-Identifier: ISC */
/*
 * A hash table with chains, and a binary heap of those that wait.  The time
 * that a runner needs to know 100,000 messages goes into reading memory that
 * is not in a cache: so they lie side by side, few of them in a chain, and
 * the heap compares times without looking at the messages.
 */
#include "config.h"

#include "run/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define POOL		64	/* messages */

struct pool {
	struct pool	*next;
	size_t		 used;
	struct message	 message[POOL];
};

struct waiting {
	time_t		 next;
	struct message	*m;
};

struct table {
	struct message	**slot;
	size_t		  nslots;	/* a power of two, twice the count */
	size_t		  count;
	struct pool	 *pool;
	struct message	 *unused;	/* those that were removed, chained */
	struct waiting	 *heap;
	size_t		  nheap;
	size_t		  heapcap;
	time_t		  latest;	/* nothing in it is later */
};

static struct message **
slot_of(const struct table *t, const char *id)
{
	return &t->slot[id_hash(id) & (t->nslots - 1)];
}

struct table *
table_new(void)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->nslots = 64;
	t->slot = xcalloc(t->nslots, sizeof(struct message *));
	return t;
}

/* Zeroed. */
static struct message *
message_new(struct table *t)
{
	struct message *m = t->unused;
	struct pool *pool = t->pool;

	if (m != NULL) {
		t->unused = m->chain;
		memset(m, 0, sizeof(*m));
		return m;
	}
	if (pool == NULL || pool->used == POOL) {
		pool = xcalloc(1, sizeof(*pool));
		pool->next = t->pool;
		t->pool = pool;
	}
	return &pool->message[pool->used++];
}

static void
message_free(struct table *t, struct message *m)
{
	if (m->reader != -1)
		close(m->reader);
	m->reader = -1;
	m->chain = t->unused;
	t->unused = m;
}

void
table_free(struct table *t)
{
	struct pool *pool;
	size_t i;

	if (t == NULL)
		return;
	while ((pool = t->pool) != NULL) {
		t->pool = pool->next;
		for (i = 0; i < pool->used; i++)
			if (pool->message[i].reader != -1)
				close(pool->message[i].reader);
		free(pool);
	}
	free(t->slot);
	free(t->heap);
	free(t);
}

size_t
table_count(const struct table *t)
{
	return t->count;
}

struct message *
table_find(const struct table *t, const char *id)
{
	struct message *m;

	for (m = *slot_of(t, id); m != NULL; m = m->chain)
		if (memcmp(m->id.s, id, ID_LEN) == 0)
			break;
	return m;
}

static void
grow(struct table *t)
{
	struct message **old = t->slot, *m, **to;
	size_t i, n = t->nslots;

	t->nslots = n * 2;
	t->slot = xcalloc(t->nslots, sizeof(struct message *));
	for (i = 0; i < n; i++)
		while ((m = old[i]) != NULL) {
			old[i] = m->chain;
			to = slot_of(t, m->id.s);
			m->chain = *to;
			*to = m;
		}
	free(old);
}

struct message *
table_add(struct table *t, const char *id, enum queue_place place)
{
	struct message *m, **to;

	if (t->count * 2 >= t->nslots)
		grow(t);
	m = message_new(t);
	memcpy(m->id.s, id, ID_LEN);
	m->place = place;
	m->state = MESSAGE_IDLE;
	m->reader = -1;
	to = slot_of(t, m->id.s);
	m->chain = *to;
	*to = m;
	t->count++;
	return m;
}

void
table_remove(struct table *t, struct message *m)
{
	struct message **p;

	table_unwait(t, m);
	p = slot_of(t, m->id.s);
	while (*p != m)
		p = &(*p)->chain;
	*p = m->chain;
	t->count--;
	message_free(t, m);
}

/* --- the heap ----------------------------------------------------------- */

static void
put(struct table *t, size_t i, struct waiting w)
{
	t->heap[i] = w;
	w.m->heap = i;
}

static void
sift_up(struct table *t, size_t i, struct waiting w)
{
	size_t up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (t->heap[up].next <= w.next)
			break;
		put(t, i, t->heap[up]);
	}
	put(t, i, w);
}

static void
sift_down(struct table *t, size_t i, struct waiting w)
{
	size_t down;

	for (; (down = 2 * i + 1) < t->nheap; i = down) {
		if (down + 1 < t->nheap &&
		    t->heap[down + 1].next < t->heap[down].next)
			down++;
		if (w.next <= t->heap[down].next)
			break;
		put(t, i, t->heap[down]);
	}
	put(t, i, w);
}

void
table_wait(struct table *t, struct message *m, time_t next)
{
	struct waiting w = { next, m };

	table_unwait(t, m);
	if (t->nheap == t->heapcap) {
		t->heapcap = t->heapcap != 0 ? t->heapcap * 2 : 64;
		t->heap = xreallocarray(t->heap, t->heapcap,
		    sizeof(t->heap[0]));
	}
	if (t->nheap == 0 || next > t->latest)
		t->latest = next;
	m->next = next;
	m->state = MESSAGE_WAITING;
	sift_up(t, t->nheap++, w);
}

void
table_unwait(struct table *t, struct message *m)
{
	struct waiting last;
	size_t i = m->heap;

	if (m->state != MESSAGE_WAITING)
		return;
	m->state = MESSAGE_IDLE;
	last = t->heap[--t->nheap];
	if (last.m == m)
		return;
	if (i > 0 && t->heap[(i - 1) / 2].next > last.next)
		sift_up(t, i, last);
	else
		sift_down(t, i, last);
}

struct message *
table_first(const struct table *t)
{
	return t->nheap != 0 ? t->heap[0].m : NULL;
}

struct message *
table_beyond(struct table *t, time_t latest)
{
	size_t i;

	if (t->nheap == 0 || t->latest <= latest)
		return NULL;
	/* late ones are rather at the end */
	for (i = t->nheap; i-- > 0; )
		if (t->heap[i].next > latest)
			return t->heap[i].m;
	t->latest = latest;
	return NULL;
}
