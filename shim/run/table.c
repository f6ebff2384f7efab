/* SPDX-License-Identifier: ISC */
/*
 * A hash table with chains, and a binary heap of those that wait.
 */
#include "config.h"

#include "run/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

struct table {
	struct message	**slot;
	size_t		  nslots;	/* a power of two */
	size_t		  count;
	struct message	**heap;
	size_t		  nheap;
	size_t		  heapcap;
	time_t		  latest;	/* nothing in it is later */
};

/* Of a valid identifier, all of it: who fills drop/ chooses the names. */
static size_t
hash(const char *id)
{
	uint64_t a, b;
	uint32_t c;

	_Static_assert(ID_LEN == sizeof(a) + sizeof(b) + sizeof(c),
	    "three words are an identifier");
	memcpy(&a, id, sizeof(a));
	memcpy(&b, id + sizeof(a), sizeof(b));
	memcpy(&c, id + sizeof(a) + sizeof(b), sizeof(c));
	a = (a ^ c) * 0x9e3779b97f4a7c15U;
	a = (a ^ a >> 32 ^ b) * 0xff51afd7ed558ccdU;
	return a >> 32;
}

struct table *
table_new(void)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->nslots = 64;
	t->slot = xcalloc(t->nslots, sizeof(struct message *));
	return t;
}

static void
message_free(struct message *m)
{
	if (m->reader != -1)
		close(m->reader);
	free(m);
}

void
table_free(struct table *t)
{
	struct message *m;
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->nslots; i++)
		while ((m = t->slot[i]) != NULL) {
			t->slot[i] = m->chain;
			message_free(m);
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

	for (m = t->slot[hash(id) & (t->nslots - 1)]; m != NULL; m = m->chain)
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
			to = &t->slot[hash(m->id.s) & (t->nslots - 1)];
			m->chain = *to;
			*to = m;
		}
	free(old);
}

struct message *
table_add(struct table *t, const char *id, enum queue_place place)
{
	struct message *m, **to;

	if (t->count >= t->nslots)
		grow(t);
	m = xcalloc(1, sizeof(*m));
	memcpy(m->id.s, id, ID_LEN);
	m->place = place;
	m->state = MESSAGE_IDLE;
	m->reader = -1;
	to = &t->slot[hash(m->id.s) & (t->nslots - 1)];
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
	p = &t->slot[hash(m->id.s) & (t->nslots - 1)];
	while (*p != m)
		p = &(*p)->chain;
	*p = m->chain;
	t->count--;
	message_free(m);
}

/* --- the heap ----------------------------------------------------------- */

static void
put(struct table *t, size_t i, struct message *m)
{
	t->heap[i] = m;
	m->heap = i;
}

static void
sift_up(struct table *t, size_t i, struct message *m)
{
	size_t up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (t->heap[up]->next <= m->next)
			break;
		put(t, i, t->heap[up]);
	}
	put(t, i, m);
}

static void
sift_down(struct table *t, size_t i, struct message *m)
{
	size_t down;

	for (; (down = 2 * i + 1) < t->nheap; i = down) {
		if (down + 1 < t->nheap &&
		    t->heap[down + 1]->next < t->heap[down]->next)
			down++;
		if (m->next <= t->heap[down]->next)
			break;
		put(t, i, t->heap[down]);
	}
	put(t, i, m);
}

void
table_wait(struct table *t, struct message *m, time_t next)
{
	table_unwait(t, m);
	if (t->nheap == t->heapcap) {
		t->heapcap = t->heapcap != 0 ? t->heapcap * 2 : 64;
		t->heap = xreallocarray(t->heap, t->heapcap,
		    sizeof(struct message *));
	}
	if (t->nheap == 0 || next > t->latest)
		t->latest = next;
	m->next = next;
	m->state = MESSAGE_WAITING;
	sift_up(t, t->nheap++, m);
}

void
table_unwait(struct table *t, struct message *m)
{
	struct message *last;
	size_t i = m->heap;

	if (m->state != MESSAGE_WAITING)
		return;
	m->state = MESSAGE_IDLE;
	last = t->heap[--t->nheap];
	if (last == m)
		return;
	if (i > 0 && t->heap[(i - 1) / 2]->next > last->next)
		sift_up(t, i, last);
	else
		sift_down(t, i, last);
}

struct message *
table_first(const struct table *t)
{
	return t->nheap != 0 ? t->heap[0] : NULL;
}

struct message *
table_beyond(struct table *t, time_t latest)
{
	size_t i;

	if (t->nheap == 0 || t->latest <= latest)
		return NULL;
	/* late ones are rather at the end */
	for (i = t->nheap; i-- > 0; )
		if (t->heap[i]->next > latest)
			return t->heap[i];
	t->latest = latest;
	return NULL;
}
