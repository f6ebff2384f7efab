/* SPDX-License-Identifier: ISC */
/* The line in the log for each recipient and attempt, and where time went. */
#ifndef SHIM_RUN_RCPTLOG_H
#define SHIM_RUN_RCPTLOG_H

#include <stdint.h>

#include "run/deliver.h"

struct rcptlog {
	const struct delivery *m;
	int64_t	 began;		/* microseconds, monotonic */
	int64_t	 connecting;	/* microseconds spent */
	int64_t	 sending;
};

void	rcptlog_begin(struct rcptlog *);
/*
 * "ID: to=<...>, relay=..., delay=..., delays=a/b/c/d, dsn=..., status=...":
 * seconds since the submission; before this attempt, in it, connecting,
 * sending.  The same to whoever follows the dialogue.
 */
void	rcptlog_line(const struct rcptlog *, const struct delivery_rcpt *);
/* Our own words in the dialogue. */
void	rcptlog_tell(const struct delivery *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

int64_t	rcptlog_clock(void);	/* microseconds, monotonic */

#endif /* SHIM_RUN_RCPTLOG_H */
