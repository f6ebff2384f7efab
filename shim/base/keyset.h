/* SPDX-License-Identifier: ISC */
/*
 * A set of numbers, as what remains of things that are too many to be kept:
 * their hashes, of which the low bits are as good as the others.
 */
#ifndef SHIM_BASE_KEYSET_H
#define SHIM_BASE_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyset {			/* all zero: empty */
	uint64_t *key;
	size_t	  n;
	size_t	  cap;
};

bool	keyset_has(const struct keyset *, uint64_t key);
void	keyset_add(struct keyset *, uint64_t key);
void	keyset_clear(struct keyset *);

#endif /* SHIM_BASE_KEYSET_H */
