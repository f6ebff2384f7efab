/* SPDX-License-Identifier: ISC */
/*
 * A message to who can write to the spool, for callers that cannot: a service
 * that sees a read-only file system, a container that has only the socket.
 *
 * Over a stream socket the client sends the identifier and LF, then the
 * octets of a message file (msgfile.h), and shuts down its side.  The answer
 * is a line: an exit code of sysexits(3), a blank, and a text if it is not 0.
 * Before that comes a "+" from a server that is about to commit the message.
 * Who the submitter is the kernel says (SO_PEERCRED).
 *
 * An answer may be lost with the process that had it to give.  The client
 * comes again then, with the same identifier, and the message that is in the
 * spool already is acknowledged: to its submitter only, and only if it is the
 * same to the last octet (what the runner has taken to queue/ may have got
 * other recipients there; that is not compared).  By then it may have been
 * delivered and be gone.  A client that has seen the "+" therefore puts one
 * behind the identifier when it comes again.  The file of a server that died
 * before it committed is still there, unfinished; if there is none, the
 * message was committed, and is not taken a second time.
 */
#ifndef SHIM_SUBMIT_HANDOVER_H
#define SHIM_SUBMIT_HANDOVER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/conf.h"
#include "spool/id.h"

/*
 * handover_is_open: whether there is a socket at PATH that we may connect to.
 *	False with errno.
 * handover_send: the file FD as message ID to PATH.  The code of the answer and
 *	its TEXT; EX_OK: it is on disk.  EX_TEMPFAIL also when nobody answers.
 * handover_take: the other side, on SOCK: put what comes into the spool.
 *	Returns the code that it answered; if EX_OK, *ID is to be delivered.
 */
bool	handover_is_open(const char *path);
int	handover_send(const char *path, const char *id, int fd, struct buf *text);
int	handover_take(int sock, const struct conf *, struct msgid *id);

#endif /* SHIM_SUBMIT_HANDOVER_H */
