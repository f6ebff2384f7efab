/* SPDX-License-Identifier: ISC */
/*
 * Domain names in Unicode (RFC 5890, UTS 46), where libidn2 is built in.
 * mxres_name_unicode() is public.
 */
#ifndef LIB_IDNA_H
#define LIB_IDNA_H

#include <stddef.h>

/*
 * mxres_idna_ascii: NAME, in UTF-8, with A-labels to BUF; what is ASCII in it
 *	is not checked.  0, or -1 with errno: EINVAL if it is no such name,
 *	ENOTSUP without libidn2, ENOMEM.
 */
int	mxres_idna_ascii(const char *name, char *buf, size_t size);

#endif /* LIB_IDNA_H */
