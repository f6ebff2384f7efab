/* SPDX-License-Identifier: ISC */
/*
 * TLS for one connection.  tls.c is the only file that includes
 * <openssl/ssl.h>.  TLS 1.2 at least; no renegotiation, resumption or
 * compression (RFC 9325).
 */
#ifndef SHIM_SMTP_TLS_H
#define SHIM_SMTP_TLS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/result.h"

struct tls;

/*
 * tls_new: for the connected, non-blocking socket FD.  NAME, a host name or an
 *	address, goes into SNI; if VERIFY, the certificate must chain to the
 *	system's roots and be for NAME, or the handshake fails.  NULL with *R.
 * tls_handshake, tls_read, tls_write: never block; > 0 octets done (1 for a
 *	finished handshake), 0 end of file, -1 with *R, TLS_WANT_READ or
 *	TLS_WANT_WRITE: poll and call again.  Octets may wait inside: read
 *	before polling.  An error is R_TLS in the handshake, then R_LOST.
 * tls_describe: "TLSv1.3 TLS_AES_256_GCM_SHA384, verified"; borrowed.
 */
#define TLS_WANT_READ	(-2)
#define TLS_WANT_WRITE	(-3)

struct tls *tls_new(int fd, const char *name, bool verify, struct result *);
ssize_t	tls_handshake(struct tls *, struct result *);
ssize_t	tls_read(struct tls *, void *, size_t, struct result *);
ssize_t	tls_write(struct tls *, const void *, size_t, struct result *);
const char *tls_describe(struct tls *);
void	tls_free(struct tls *);			/* NULL is fine */

#endif /* SHIM_SMTP_TLS_H */
