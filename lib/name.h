/* SPDX-License-Identifier: ISC */
/*
 * Domain names: as text from users and as octets from the DNS (RFC 1035
 * section 3.1).  The wire form here is always uncompressed and lower case.
 */
#ifndef LIB_NAME_H
#define LIB_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MXRES_WIREMAX	255	/* octets of a name on the wire */
#define MXRES_TEXTMAX	254	/* a checked name with its NUL */
#define MXRES_UTF8MAX	1012	/* octets of a name of 253 characters */
#define MXRES_ESCMAX	1025	/* the worst name, escaped, with its NUL */

/*
 * mxres_name_wire: the wire form of a name that mxres_name() wrote; its
 *	length.
 * mxres_name_text: WIRE as text without the final dot, "." for the root.
 *	Octets other than [A-Za-z0-9_-] become \DDD, so the result is safe
 *	to print.  Returns true if there were none: the text then is one that
 *	mxres_name() may accept.
 * mxres_name_isaddress: TEXT looks like an IP address, with or without
 *	brackets; inet_aton(3) would read it as one.
 */
size_t	mxres_name_wire(const char *, uint8_t [MXRES_WIREMAX]);
bool	mxres_name_text(const uint8_t *wire, char [MXRES_ESCMAX]);
bool	mxres_name_isaddress(const char *);

#endif /* LIB_NAME_H */
