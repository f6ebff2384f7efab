/* SPDX-License-Identifier: ISC */
/* How much mail waits for which destination, for how long, and why. */
#ifndef SHIM_SUBMIT_STATS_H
#define SHIM_SUBMIT_STATS_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "spool/queue.h"

struct entries;
struct pick;

/* Write it to B, as a table or as a JSON object to a line. */
void	stats_write(struct queue *, const struct entries *,
	    const struct pick *, time_t now, bool json, struct buf *b);

#endif /* SHIM_SUBMIT_STATS_H */
