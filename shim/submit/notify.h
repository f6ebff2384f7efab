/* SPDX-License-Identifier: ISC */
/*
 * What sendmail and the runner have to do with each other while both run:
 * a datagram that says "look", and the dialogue for -v.  A message that is
 * on disk needs none of it.
 */
#ifndef SHIM_SUBMIT_NOTIFY_H
#define SHIM_SUBMIT_NOTIFY_H

#include <stdbool.h>

/*
 * notify_listen: a socket on which to hear the dialogue of -v; -1 with errno.
 * notify_wake: tell who serves the socket PATH of message ID, and where the
 *	dialogue is heard: on LISTENER, if that is not -1.  Does not wait.  0,
 *	or -1 with errno: nobody was told.
 * notify_start: run PROGRAM in the background if the caller owns SPOOL and
 *	no runner works there.  Whether it was started.
 * notify_await: the same as notify_wake(), tried until MS have passed, for
 *	a runner that was just started.
 * notify_follow: print what the runner of SPOOL says on LISTENER, until the
 *	end or for MS.  One that does not call within
 *	NOTIFY_CALL_MS never will.
 */
#define NOTIFY_CALL_MS	10000

int	notify_listen(void);
int	notify_wake(const char *path, const char *id, int listener);
bool	notify_start(const char *program, const char *spool);
int	notify_await(const char *path, const char *id, int listener, int ms);
void	notify_follow(int listener, const char *spool, int ms);

#endif /* SHIM_SUBMIT_NOTIFY_H */
