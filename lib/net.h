/* SPDX-License-Identifier: ISC */
/*
 * One DNS query to one server, over UDP (RFC 1035 section 4.2.1) or TCP
 * (RFC 7766), all of it before a deadline.
 */
#ifndef LIB_NET_H
#define LIB_NET_H

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union mxres_server {
	struct sockaddr		sa;
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;
};

/* Whether a datagram, of at least a header, answers QUERY; others may lie. */
typedef bool mxres_accept(const uint8_t *query, size_t qlen,
	    const uint8_t *reply, size_t len);

/*
 * mxres_now: the monotonic clock in milliseconds; deadlines are in it.
 * mxres_server_len: octets of the address.
 * mxres_udp: send QUERY from a port of its own and wait for the reply that
 *	ACCEPT likes; others are dropped.
 * mxres_tcp: the same over a connection of its own.
 *
 * Both write at most SIZE octets to BUF and return the length of the reply,
 * which is at least that of a header, or -1 with errno: ETIMEDOUT at the
 * deadline, EBADMSG for a reply of impossible length, ECONNRESET if the
 * server closed early, or what the system said.
 */
int64_t	mxres_now(void);
socklen_t mxres_server_len(const union mxres_server *);
ssize_t	mxres_udp(const union mxres_server *, const uint8_t *query,
	    size_t len, mxres_accept *accept, uint8_t *buf, size_t size,
	    int64_t deadline);
ssize_t	mxres_tcp(const union mxres_server *, const uint8_t *query,
	    size_t len, uint8_t *buf, size_t size, int64_t deadline);

#endif /* LIB_NET_H */
