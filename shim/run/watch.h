/* SPDX-License-Identifier: ISC */
/*
 * What happens in the spool, and to the configuration file: told by
 * inotify(7), or found by a scan where that does not work or lost something.
 * Anybody can make events in drop/, and lose them: what that costs is
 * bounded.  A scan goes in small steps between other work, and takes a tenth
 * of the time at most, however often it is called for.
 */
#ifndef SHIM_RUN_WATCH_H
#define SHIM_RUN_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "spool/queue.h"

struct dispatch;
struct watch;

#define WATCH_POLLFDS	2

/*
 * Entries are told to the dispatch, a changed configuration file to CHANGED.
 * Both directories are to be scanned first.  Never fails.
 */
struct watch *watch_new(struct queue *, struct dispatch *, const char *spool,
	    const char *conf_path, void (*changed)(void *arg), void *arg);
void	watch_free(struct watch *);

/* Fills WATCH_POLLFDS, some of them unused; and what poll(2) said of them. */
void	watch_pollfds(const struct watch *, struct pollfd *);
void	watch_handle(struct watch *, const struct pollfd *);
/* There is more in drop/ than what the dispatch knows. */
void	watch_want(struct watch *);
/* Somebody says that there is something new: without inotify it is all. */
void	watch_hint(struct watch *);

/*
 * Go on with the scan that is under way, or due at NOW (ms).  Returns in how
 * many ms there is more, -1: when something happens.
 */
int64_t	watch_step(struct watch *, int64_t now);
/* Whether there may be messages that the dispatch was not told of. */
bool	watch_is_scanning(const struct watch *);
/*
 * Look for all that was done before now.  In queue/, where only we and root
 * do anything, the events tell it; they are in order.
 */
void	watch_look(struct watch *);

#endif /* SHIM_RUN_WATCH_H */
