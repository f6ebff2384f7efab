/* SPDX-License-Identifier: ISC */
/* The addresses of one exchange, and the hints of a caller. */
#ifndef NSS_MXRESOLVE_H
#define NSS_MXRESOLVE_H

#include <stdint.h>

#include "mxdb.h"

#define MXHINTS_TIMEOUT	30000	/* ms, of a whole lookup */

/*
 * mxhints_copy: SRC (NULL: the defaults), of any version of <mxdb.h>, with
 *	the time filled in; -1 if it makes no sense.
 * mxresolve_until: mxresolve() with checked hints and a deadline on
 *	mxdns_now()'s clock.
 */
int	mxhints_copy(struct mxhints *dst, const struct mxhints *src);
int	mxresolve_until(struct mxinfo *, struct mxent *,
	    const struct mxhints *, int64_t deadline);

#endif /* NSS_MXRESOLVE_H */
