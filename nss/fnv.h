/* SPDX-License-Identifier: ISC */
/* The hash of Fowler, Noll and Vo, 64 bits, one octet at a time. */
#ifndef NSS_FNV_H
#define NSS_FNV_H

#include <stdint.h>

#define FNV_OFFSET	UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME	UINT64_C(0x100000001b3)

static inline uint64_t
fnv_octet(uint64_t h, unsigned char octet)
{
	return (h ^ octet) * FNV_PRIME;
}

#endif /* NSS_FNV_H */
