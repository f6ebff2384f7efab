/* SPDX-License-Identifier: ISC */
/*
 * The values of MIME fields (RFC 2045 section 5.1): a word, and parameters,
 * with comments anywhere.  Pure.
 */
#ifndef SHIM_BASE_MIMEFIELD_H
#define SHIM_BASE_MIMEFIELD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * mimefield_skip: after the blanks and comments at VALUE.
 * mimefield_is: whether VALUE begins with WORD, "text" or "text/plain", and
 *	something ends that.
 * mimefield_param: the parameter NAME to BUF of SIZE, without quotes: 1; 0
 *	there is none; -1 it is too long.
 */
const char *mimefield_skip(const char *value);
bool	mimefield_is(const char *value, const char *word);
int	mimefield_param(const char *value, const char *name, char *buf,
	    size_t size);

#endif /* SHIM_BASE_MIMEFIELD_H */
