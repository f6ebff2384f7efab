/* SPDX-License-Identifier: ISC */
/*
 * One DNS query over TCP (RFC 7766), all of it before a deadline.
 */
#ifndef LIB_TCP_H
#define LIB_TCP_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

/*
 * mxres_now: the monotonic clock in milliseconds; deadlines are in it.
 * mxres_tcp: send QUERY to the server and read its reply, of at most SIZE
 *	octets, to BUF.  The length of the reply, which is at least that of
 *	a header, or -1 with errno: ETIMEDOUT at the deadline, EBADMSG for
 *	a reply of impossible length, ECONNRESET if the server closed early,
 *	or what the system said.
 */
int64_t	mxres_now(void);
ssize_t	mxres_tcp(const struct sockaddr *, socklen_t, const uint8_t *query,
	    size_t len, uint8_t *buf, size_t size, int64_t deadline);

#endif /* LIB_TCP_H */
