/* SPDX-License-Identifier: ISC */
/* Messages that wait: as a table, one by one in detail, or as JSON. */
#ifndef SHIM_SUBMIT_LISTING_H
#define SHIM_SUBMIT_LISTING_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/conf.h"
#include "spool/queue.h"

struct entries;
struct pick;

struct listing {
	struct queue	*queue;
	const struct conf *conf;
	time_t		 now;
	const struct pick *pick;	/* which of the entries */
	bool		 json;
	bool		 detail;	/* all of it, with the history */
};

/*
 * Write the entries to B, and call FLUSH(B) after each if it is not NULL.  0,
 * or -1 when that failed.
 */
int	listing_write(const struct listing *, const struct entries *,
	    struct buf *b, int (*flush)(struct buf *));

#endif /* SHIM_SUBMIT_LISTING_H */
