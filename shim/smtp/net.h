/* SPDX-License-Identifier: ISC */
/*
 * One connection: connect, read a line, write, all under one deadline; over
 * TCP, and over TLS once tls.h has taken it over.
 */
#ifndef SHIM_SMTP_NET_H
#define SHIM_SMTP_NET_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/result.h"

struct conn;
struct tls;

/*
 * net_connect: a TCP connection to ADDR, from source address FROM (numeric,
 *	or NULL), made within MS milliseconds.  NULL with *R (R_CONNECT).
 * net_deadline: everything that follows must be done MS from now.
 * net_readline: one line into BUF without its CR LF or LF; at most SIZE - 1
 *	octets, a longer line is -1.  The length, or -1 with *R (R_LOST,
 *	R_PROTO).
 * net_write: buffered; net_flush sends.  0, or -1 with *R.  Input that
 *	arrives meanwhile is noticed by net_pending().
 * net_pending: whether input is waiting, in the buffer or the socket.
 * net_buffered: whether read octets wait in the buffer.
 * net_start_tls: from now on through TLS; the plaintext buffer must be
 *	empty, else -1 with *R (response injection).  Takes over TLS.
 */
struct conn *net_connect(const struct sockaddr *, socklen_t, const char *from,
	    int ms, struct result *);
void	net_deadline(struct conn *, int ms);
ssize_t	net_readline(struct conn *, char *buf, size_t size, struct result *);
int	net_write(struct conn *, const void *, size_t, struct result *);
int	net_flush(struct conn *, struct result *);
bool	net_pending(struct conn *);
bool	net_buffered(const struct conn *);
int	net_start_tls(struct conn *, struct tls *, struct result *);
const char *net_peer(const struct conn *);	/* "192.0.2.1" */
void	net_close(struct conn *);		/* NULL is fine */

#endif /* SHIM_SMTP_NET_H */
