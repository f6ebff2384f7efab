/* SPDX-License-Identifier: ISC */
/* The wake socket: who submits a message sends a datagram to it. */
#ifndef SHIM_RUN_WAKE_H
#define SHIM_RUN_WAKE_H

#include <stdbool.h>

#include "spool/id.h"

struct wakeup {
	bool		 any;	/* there was one */
	struct msgid	 id;	/* empty if it named none */
	int		 pipe;	/* of sendmail -v, the caller's; or -1 */
};

/*
 * wake_bind: make the socket PATH; -1 with errno, EADDRINUSE when somebody
 *	serves it.
 * wake_receive: one datagram, without waiting.  Nothing of it is believed.
 */
int	wake_bind(const char *path);
void	wake_receive(int fd, struct wakeup *);

#endif /* SHIM_RUN_WAKE_H */
