/* SPDX-License-Identifier: ISC */
/*
 * From addresses to a connected socket.  Where a host has addresses of both
 * families the second need not wait until the first is given up (RFC 8305):
 * a network that swallows IPv6 costs half a second, not half a minute.
 */
#ifndef SHIM_SMTP_DIAL_H
#define SHIM_SMTP_DIAL_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>

#include "base/result.h"

#define DIAL_HEAD_START	500	/* ms that the first address is alone */

struct dial_addr {
	const struct sockaddr	*sa;
	socklen_t		 len;
};

/*
 * dial: connect to ADDR[0] from source address FROM (numeric, or NULL), and
 *	if there are N = 2 also to ADDR[1], as soon as the first has failed or
 *	has not answered for DIAL_HEAD_START.  Each has MS milliseconds.  The
 *	first connection that is made is taken: a non-blocking socket, with
 *	its index in *WHICH; or -1.  R[i] says why the address did not answer,
 *	if it was tried: R_CONNECT, R_OFFLINE if nothing left this machine,
 *	R_SHORT if this machine is short of something, R_LOCALERR if it does
 *	not do what it should.
 */
int	dial(const struct dial_addr *addr, size_t n, const char *from, int ms,
	    size_t *which, struct result r[]);

#endif /* SHIM_SMTP_DIAL_H */
