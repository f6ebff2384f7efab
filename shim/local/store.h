/* SPDX-License-Identifier: ISC */
/*
 * A message into a mailbox of a user, by a process that may write there: one
 * file for all messages (mbox), or a directory with one for each (Maildir).
 */
#ifndef SHIM_LOCAL_STORE_H
#define SHIM_LOCAL_STORE_H

#include <sys/types.h>

#include "base/result.h"

struct store {
	const char	*user;		/* login name */
	uid_t		 uid;
	const char	*home;
	const char	*path;		/* of the Maildir, or the directory of
					   mailboxes */
	const char	*id;		/* of the message */
	const char	*sender;	/* of the envelope, as the next */
	const char	*rcpt;
	const char	*hostname;
	int		 fd;		/* the message in wire form is there */
	off_t		 start;
	off_t		 size;
	const int	*asker;		/* socket of who waits for the answer:
					   nothing is delivered for who has
					   hung up; or NULL */
};

/*
 * Both return when the message is on disk: 0; or -1 with *R, which is
 * temporary, and nothing of the message is left.  They may wait half a minute
 * for the lock of somebody else.
 *
 * store_mbox: to the end of the file PATH/USER, which must be the user's
 *	own.  Locked by fcntl(2), then by PATH/USER.lock.
 * store_maildir: into PATH, where "~/" is HOME and "%u" is USER.  A message
 *	that was delivered there before a crash, and was not moved meanwhile,
 *	is not delivered again.
 */
int	store_mbox(const struct store *, struct result *);
int	store_maildir(const struct store *, struct result *);

/*
 * For both: the message with Return-Path and Delivered-To (RFC 5321 section
 * 4.4) in lines that end in LF.  QUOTE: "From " at the start of a line, after
 * any number of ">", gets one more.  0, or -1 with errno.
 */
int	store_copy(const struct store *, int to, bool quote);
/* What errno says of PATH; always -1. */
int	store_failed(struct result *, const char *path, const char *name);

#endif /* SHIM_LOCAL_STORE_H */
