/* SPDX-License-Identifier: ISC */
/*
 * One connection: read a line, write, all under one deadline; over TCP, and
 * over TLS once tls.h has taken it over.
 */
#ifndef SHIM_SMTP_NET_H
#define SHIM_SMTP_NET_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct conn;
struct smtp_io;
struct tls;

/*
 * net_open: a connection over FD, a connected, non-blocking socket, which it
 *	owns from now on.
 * net_limit: everything that follows must be done MS from now, however often
 *	net_deadline is called.
 * net_deadline: the same until the next call, but never later than the limit.
 * net_readline: one line into BUF without its CR LF or LF; at most SIZE - 1
 *	octets, a longer line is -1.  The length, or -1 with *R (R_LOST,
 *	R_PROTO).
 * net_write: buffered, 16 KB; net_flush sends.  0, or -1 with *R.  Where the
 *	peer takes no more but has said something, net_flush returns 1, and
 *	net_readline sends the rest while it waits.
 * net_pending: whether input, or the end of it, is waiting in the buffer or
 *	the socket.
 * net_buffered: whether read octets wait in the buffer.
 * net_ended: whether the server has been seen to end the connection.
 * net_start_tls: from now on through TLS, with the handshake made under the
 *	deadline; no plaintext may be waiting, else -1 with *R (response
 *	injection).  Takes over TLS, which was made for net_fd().  -1 is always
 *	R_TLS or R_SHORT, and the connection can only be closed.
 * net_io: fill in the functions above for smtp_new().
 *
 * The process must ignore SIGPIPE.
 */
struct conn *net_open(int fd);
void	net_limit(struct conn *, int64_t ms);
void	net_deadline(struct conn *, int ms);
ssize_t	net_readline(struct conn *, char *buf, size_t size, struct result *);
int	net_write(struct conn *, const void *, size_t, struct result *);
int	net_flush(struct conn *, struct result *);
bool	net_pending(struct conn *);
bool	net_buffered(const struct conn *);
bool	net_ended(const struct conn *);
int	net_start_tls(struct conn *, struct tls *, struct result *);
int	net_fd(const struct conn *);
void	net_io(struct conn *, struct smtp_io *);
void	net_close(struct conn *);		/* NULL is fine */

#endif /* SHIM_SMTP_NET_H */
