/* SPDX-License-Identifier: ISC */
/* The wake socket: who submits a message sends a datagram to it. */
#ifndef SHIM_RUN_WAKE_H
#define SHIM_RUN_WAKE_H

#include <stdbool.h>

#include "spool/id.h"

#define WAKE_NAME	5

struct wakeup {
	bool		 any;	/* there was one */
	struct msgid	 id;	/* empty if it named none */
	int		 reader; /* connected to sendmail -v, the caller's; -1 */
	bool		 slow;	/* it took long: look at others first */
};

/*
 * wake_bind: make the socket PATH; -1 with errno, EADDRINUSE when somebody
 *	serves it.
 * wake_receive: one datagram, without waiting.  Nothing of it is believed.
 *	It has the identifier of a message, or nothing; and after it the name
 *	of the abstract socket on which sendmail -v listens, as bind(2) makes
 *	one: WAKE_NAME octets.  No descriptors come this way: those of others
 *	can do harm when they are looked at, or just closed.
 */
int	wake_bind(const char *path);
void	wake_receive(int fd, struct wakeup *);

#endif /* SHIM_RUN_WAKE_H */
