/* SPDX-License-Identifier: ISC */
/*
 * Of bounded size: who changes an entry of drop/ again and again shall not
 * fill our memory.
 */
#include "config.h"

#include "spool/odd.h"

#define ODD_MAX		65536	/* entries remembered; more are told again */

static uint64_t
key_of(const struct stat *st)
{
	uint64_t k;

	k = (uint64_t)st->st_ino * 0x9e3779b97f4a7c15U;
	k ^= (uint64_t)st->st_ctim.tv_sec * 1000000000U +
	    (uint64_t)st->st_ctim.tv_nsec;
	k *= 0xff51afd7ed558ccdU;
	return k;
}

bool
odd_is_known(const struct keyset *odd, const struct stat *st)
{
	return odd->n != 0 && keyset_has(odd, key_of(st));
}

void
odd_add(struct keyset *odd, const struct stat *st)
{
	if (odd->n == ODD_MAX)
		keyset_clear(odd);
	keyset_add(odd, key_of(st));
}
