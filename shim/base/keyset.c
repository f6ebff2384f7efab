/* SPDX-License-Identifier: ISC */
/*
 * Open addressing, at most half full; 0 is an empty slot, and as a key the
 * same as 1.
 */
#include "config.h"

#include "base/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

static size_t
slot(const struct keyset *s, uint64_t key)
{
	size_t i;

	for (i = key & (s->cap - 1); s->key[i] != 0 && s->key[i] != key;)
		i = (i + 1) & (s->cap - 1);
	return i;
}

bool
keyset_has(const struct keyset *s, uint64_t key)
{
	key += key == 0;
	return s->n != 0 && s->key[slot(s, key)] == key;
}

static void
grow(struct keyset *s)
{
	uint64_t *old = s->key;
	size_t i, n = s->cap;

	s->cap = n != 0 ? n * 2 : 64;
	s->key = xcalloc(s->cap, sizeof(s->key[0]));
	for (i = 0; i < n; i++)
		if (old[i] != 0)
			s->key[slot(s, old[i])] = old[i];
	free(old);
}

void
keyset_add(struct keyset *s, uint64_t key)
{
	size_t i;

	key += key == 0;
	if (s->n * 2 >= s->cap)
		grow(s);
	i = slot(s, key);
	s->n += s->key[i] == 0;
	s->key[i] = key;
}

void
keyset_clear(struct keyset *s)
{
	free(s->key);
	memset(s, 0, sizeof(*s));
}
