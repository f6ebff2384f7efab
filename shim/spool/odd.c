/* SPDX-License-Identifier: ISC */
/*
 * A hash set with open addressing, of bounded size: who changes an entry of
 * drop/ again and again shall not fill our memory.
 */
#include "config.h"

#include "spool/odd.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define ODD_MAX		65536	/* entries remembered; more are told again */

static uint64_t
key_of(const struct stat *st)
{
	uint64_t k;

	k = (uint64_t)st->st_ino * 0x9e3779b97f4a7c15U;
	k ^= (uint64_t)st->st_ctim.tv_sec * 1000000000U +
	    (uint64_t)st->st_ctim.tv_nsec;
	k *= 0xff51afd7ed558ccdU;
	return k != 0 ? k : 1;
}

static size_t
slot(const struct odd *o, uint64_t key)
{
	size_t i;

	for (i = key & (o->cap - 1); o->key[i] != 0 && o->key[i] != key;)
		i = (i + 1) & (o->cap - 1);
	return i;
}

bool
odd_is_known(const struct odd *o, const struct stat *st)
{
	uint64_t key;

	if (o->n == 0)
		return false;
	key = key_of(st);
	return o->key[slot(o, key)] == key;
}

static void
grow(struct odd *o)
{
	uint64_t *old = o->key;
	size_t i, n = o->cap;

	o->cap = n != 0 ? n * 2 : 64;
	o->key = xcalloc(o->cap, sizeof(o->key[0]));
	for (i = 0; i < n; i++)
		if (old[i] != 0)
			o->key[slot(o, old[i])] = old[i];
	free(old);
}

void
odd_add(struct odd *o, const struct stat *st)
{
	uint64_t key = key_of(st);

	if (o->n == ODD_MAX) {
		memset(o->key, 0, o->cap * sizeof(o->key[0]));
		o->n = 0;
	}
	if (o->n * 2 >= o->cap)
		grow(o);
	if (o->key[slot(o, key)] == key)
		return;
	o->key[slot(o, key)] = key;
	o->n++;
}

void
odd_clear(struct odd *o)
{
	free(o->key);
	memset(o, 0, sizeof(*o));
}
