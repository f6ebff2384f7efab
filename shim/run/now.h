/* SPDX-License-Identifier: ISC */
/*
 * One message, at once, without a spool (`spool: none'): as the caller, one
 * attempt for each recipient, and nothing is kept.
 */
#ifndef SHIM_RUN_NOW_H
#define SHIM_RUN_NOW_H

#include <stdbool.h>

#include "base/conf.h"

/* What a line about something that failed begins with; others are dialogue. */
#define NOW_FAILED	"! "

/*
 * Deliver the message file FD, which is called ID.  What failed is printed to
 * standard output, a line each; the dialogue too, if VERBOSE.
 *
 * EX_OK: every recipient has it; EX_TEMPFAIL: somebody is to get it again,
 * who sends it again does so to all; EX_UNAVAILABLE: somebody never will, and
 * the others have it.
 */
int	now(const struct conf *, int fd, const char *id, bool verbose);

#endif /* SHIM_RUN_NOW_H */
