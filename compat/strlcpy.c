/* SPDX-License-Identifier: ISC */
/*
 * strlcpy(3) and strlcat(3): copies that end in a NUL and tell the length
 * that they would have liked.
 */
#include "config.h"

#include <string.h>

#ifndef HAVE_STRLCPY

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src), n;

	if (size > 0) {
		n = len < size ? len : size - 1;
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t
strlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);

	if (used == size)
		return size + strlen(src);
	return used + strlcpy(dst + used, src, size - used);
}

#endif
