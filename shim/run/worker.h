/* SPDX-License-Identifier: ISC */
/*
 * A worker: many messages, most of them for one destination, whose connection
 * it keeps.  Runs in a forked child.
 */
#ifndef SHIM_RUN_WORKER_H
#define SHIM_RUN_WORKER_H

#include "base/conf.h"
#include "spool/queue.h"

/*
 * Serve jobs that arrive on SOCK until it closes; returns the exit code of the
 * process.
 */
int	worker_run(const struct conf *, struct queue *, int sock);

#endif /* SHIM_RUN_WORKER_H */
