/* SPDX-License-Identifier: ISC */
/* Whoever looks into the spool, or changes it, is its owner, or root. */
#ifndef SHIM_SUBMIT_OWNER_H
#define SHIM_SUBMIT_OWNER_H

#include <stdbool.h>

/* Whether the caller may become the owner of SPOOL: that of mailq(1). */
bool	owner_may(const char *spool);
/*
 * Become it; root gives up its privilege for good.  EX_OK, or another code
 * of sysexits(3) after a line on standard error that begins with PROGRAM.
 * WHAT: "see the queue".
 */
int	owner_become(const char *program, const char *spool, const char *what);

#endif /* SHIM_SUBMIT_OWNER_H */
