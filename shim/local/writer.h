/* SPDX-License-Identifier: ISC */
/*
 * What a worker asks of the mailbox writer, which may become the user: one
 * SOCK_SEQPACKET datagram with the file of the message, one answer.  Both
 * programs are installed together; a wrong version is a failure that passes.
 */
#ifndef SHIM_LOCAL_WRITER_H
#define SHIM_LOCAL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "local/store.h"

#define WRITER_VERSION	1

struct writer_request {
	uint32_t version;
	uint32_t maildir;		/* else mbox */
	int64_t	 start;
	int64_t	 size;
	char	 user[256];
	char	 path[1024];		/* of the Maildir, or "" */
	char	 id[32];
	char	 sender[512];
	char	 rcpt[512];
	char	 hostname[256];
};

struct writer_answer {
	uint32_t version;
	struct result result;
};

/*
 * Deliver S to its user; S->path is that of the Maildir, or NULL for mbox.
 * As the caller, if the user is the caller; else by the program that serves
 * the socket SOCK.  Fills in uid and home.  *R says what became of it.
 */
void	writer_deliver(struct store *, const char *sock, struct result *r);
/*
 * As root: start PROGRAM --listen, and wait until it does, or will not.  It
 * ends with us.
 */
void	writer_start(const char *program);
/*
 * Serve the requests that come over the connection FD, as root, till its
 * end.  Who is at the other end must have been checked.
 */
void	writer_serve(int fd);

#endif /* SHIM_LOCAL_WRITER_H */
