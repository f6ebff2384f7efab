/* SPDX-License-Identifier: ISC */
/* Delivery while the caller waits, where there is no spool (`spool: none'). */
#ifndef SHIM_SUBMIT_DIRECT_H
#define SHIM_SUBMIT_DIRECT_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Have RUNNER deliver the message file FD, which is called ID.  EX_OK, or
 * EX_TEMPFAIL or EX_UNAVAILABLE with TEXT, one line; what VERBOSE shows goes to
 * standard output.
 */
int	direct_deliver(const char *runner, int fd, const char *id,
	    bool verbose, struct buf *text);

#endif /* SHIM_SUBMIT_DIRECT_H */
