/* SPDX-License-Identifier: ISC */
/*
 * arc4random(3) straight from the kernel: an id for each DNS query and a
 * shuffle of a few hosts need no generator of their own, and so no lock.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

uint32_t
arc4random(void)
{
	uint32_t n;

	/* Up to 256 octets come whole or not at all. */
	if (getentropy(&n, sizeof(n)) == -1)
		abort();
	return n;
}

/* What would favour the small numbers is thrown away. */
uint32_t
arc4random_uniform(uint32_t bound)
{
	uint32_t n, least;

	if (bound < 2)
		return 0;
	least = -bound % bound;		/* 2^32 modulo the bound */
	do
		n = arc4random();
	while (n < least);
	return n % bound;
}
