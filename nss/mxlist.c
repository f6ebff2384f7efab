/* SPDX-License-Identifier: ISC */
/*
 * Delivery order (RFC 5321 section 5.1): lower preferences first, equals in
 * random order, and nothing from our own name on, lest mail go round.  The
 * exchanges that an mx: line borrowed are a group with an order of its own
 * inside the preference of that line, and the cut stays inside the group.
 */
#include "config.h"

#include "mxlist.h"

#include <string.h>

#include "mxinfo.h"

static int
compare(const struct ent *a, const struct ent *b)
{
	if (a->mx.mx_pref != b->mx.mx_pref)
		return a->mx.mx_pref < b->mx.mx_pref ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return 0;
}

/* Insertion: stable, and lists are short or nearly sorted. */
void
mxlist_sort(struct entlist *l)
{
	struct ent *e;
	size_t i, j;

	for (i = 1; i < l->n; i++) {
		e = l->ent[i];
		for (j = i; j > 0 && compare(l->ent[j - 1], e) > 0; j--)
			l->ent[j] = l->ent[j - 1];
		l->ent[j] = e;
	}
}

static int
same_place(const struct ent *a, const struct ent *b)
{
	unsigned int pa, pb;

	pa = a->mx.mx_port == 0 ? 25 : a->mx.mx_port;
	pb = b->mx.mx_port == 0 ? 25 : b->mx.mx_port;
	return pa == pb && strcmp(a->mx.mx_host, b->mx.mx_host) == 0;
}

static int
is_local(const struct ent *e)
{
	return (e->mx.mx_flags & MXE_LOCALCONF) != 0;
}

/* Whether entry I repeats an earlier or a more binding one. */
static int
is_repeated(const struct entlist *l, size_t i)
{
	size_t j;

	for (j = 0; j < l->n; j++) {
		if (j == i || l->ent[j] == NULL ||
		    !same_place(l->ent[i], l->ent[j]))
			continue;
		if (is_local(l->ent[i]) != is_local(l->ent[j])) {
			if (is_local(l->ent[j]))
				return 1;
		} else if (j < i)
			return 1;
	}
	return 0;
}

/* Leaves a gap. */
static void
drop(struct entlist *l, size_t i)
{
	if (l->dropped != NULL)
		l->dropped(l->arg, l->ent[i]);
	mxent_free(l->ent[i]);
	l->ent[i] = NULL;
}

/* Closes the gaps. */
static void
squeeze(struct entlist *l)
{
	size_t i, n = 0;

	for (i = 0; i < l->n; i++)
		if (l->ent[i] != NULL)
			l->ent[n++] = l->ent[i];
	l->n = n;
}

void
mxlist_dedupe(struct entlist *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (is_repeated(l, i))
			drop(l, i);
	squeeze(l);
}

int
mxlist_cap(struct entlist *l, size_t max)
{
	int more = l->n > max;

	while (l->n > max)
		drop(l, --l->n);
	return more;
}

static void
shuffle(struct ent **e, size_t n, uint32_t (*rnd)(uint32_t))
{
	struct ent *tmp;
	size_t i, j;

	for (i = n; i > 1; i--) {
		j = rnd((uint32_t)i);
		tmp = e[i - 1];
		e[i - 1] = e[j];
		e[j] = tmp;
	}
}

void
mxlist_shuffle(struct entlist *l, uint32_t (*rnd)(uint32_t))
{
	size_t i, first = 0;

	for (i = 1; i <= l->n; i++)
		if (i == l->n || compare(l->ent[first], l->ent[i]) != 0) {
			shuffle(l->ent + first, i - first, rnd);
			first = i;
		}
}

size_t
mxlist_selfcut(struct entlist *l, int (*is_self)(const struct mxent *,
    void *), void *arg)
{
	const struct ent *self;
	struct ent limit;
	size_t i, j, dropped = 0;

	for (i = 0; i < l->n; i++) {
		self = l->ent[i];
		if (self == NULL || is_local(self) ||
		    !is_self(&self->mx, arg))
			continue;
		limit = *self;
		for (j = 0; j < l->n; j++)
			if (l->ent[j] != NULL && !is_local(l->ent[j]) &&
			    l->ent[j]->group == limit.group &&
			    compare(l->ent[j], &limit) >= 0) {
				drop(l, j);
				dropped++;
			}
	}
	squeeze(l);
	return dropped;
}
