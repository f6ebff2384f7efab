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
struct smtp_io;
struct tls;

/*
 * net_connect: a TCP connection to ADDR, from source address FROM (numeric,
 *	or NULL), made within MS milliseconds.  NULL with *R (R_CONNECT).
 * net_deadline: everything that follows must be done MS from now.
 * net_readline: one line into BUF without its CR LF or LF; at most SIZE - 1
 *	octets, a longer line is -1.  The length, or -1 with *R (R_LOST,
 *	R_PROTO).
 * net_write: buffered, 16 KB; net_flush sends.  0, or -1 with *R.  Where the
 *	peer takes no more but has said something, net_flush returns 1, and
 *	net_readline sends the rest while it waits.
 * net_pending: whether input, or the end of it, is waiting in the buffer or
 *	the socket.
 * net_buffered: whether read octets wait in the buffer.
 * net_start_tls: from now on through TLS, with the handshake made under the
 *	deadline; no plaintext may be waiting, else -1 with *R (response
 *	injection).  Takes over TLS, which was made for net_fd().  -1 is always
 *	R_TLS, and the connection can only be closed.
 * net_io: fill in the functions above for smtp_new().
 *
 * The process must ignore SIGPIPE.
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
int	net_fd(const struct conn *);
const char *net_peer(const struct conn *);	/* "192.0.2.1" */
void	net_io(struct conn *, struct smtp_io *);
void	net_close(struct conn *);		/* NULL is fine */

#endif /* SHIM_SMTP_NET_H */
