/* SPDX-License-Identifier: ISC */
/*
 * The life of a runner that holds the lock: wait for wake-ups, changes in
 * the spool, workers, signals and times; until there is nothing to do.
 */
#ifndef SHIM_RUN_LOOP_H
#define SHIM_RUN_LOOP_H

#include "base/conf.h"
#include "spool/queue.h"

enum loop_mode {
	LOOP_SERVE,		/* until the spool was empty for a while */
	LOOP_DAEMON,		/* until a signal */
	LOOP_ONCE		/* until all that is due was tried */
};

struct loop_options {
	enum loop_mode	 mode;
	const char	*conf_path;
	const char	*wake_path;	/* socket to make, or NULL */
	int		 wake_fd;	/* a socket that is there, or -1 */
	int		 idle_ms;	/* how long LOOP_SERVE stays */
};

/*
 * Take *CONF, which is replaced when the file changes.  Returns an exit code
 * of sysexits(3).
 */
int	loop_run(const struct loop_options *, struct queue *, struct conf *);

#endif /* SHIM_RUN_LOOP_H */
