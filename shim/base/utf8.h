/* SPDX-License-Identifier: ISC */
/*
 * Is it UTF-8 (RFC 3629)?  Well-formed only: no overlong form, no surrogate,
 * nothing above U+10FFFF.
 */
#ifndef SHIM_BASE_UTF8_H
#define SHIM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Octets in any pieces; all zero is the beginning. */
struct utf8 {
	unsigned char	 more;		/* octets that the character lacks */
	unsigned char	 low;		/* bounds of the next one */
	unsigned char	 high;
	bool		 bad;
};

void	utf8_feed(struct utf8 *, const char *, size_t n);
/* All that was fed is whole characters. */
bool	utf8_is_complete(const struct utf8 *);

bool	utf8_is_valid(const char *, size_t n);
/* Some octet is outside ASCII. */
bool	utf8_has_eightbit(const char *, size_t n);
/*
 * Whether the character at P, of N octets, may be shown: no control, nothing
 * that ends a line, or turns the direction of what follows.
 */
bool	utf8_is_printable(const char *, size_t n);
/* What is no character, or may not be shown, becomes '?', in place. */
void	utf8_clean(char *);

#endif /* SHIM_BASE_UTF8_H */
