/* SPDX-License-Identifier: ISC */
/* sendmail -bv: who would get mail for an address, and by which hosts. */
#ifndef SHIM_RUN_VERIFY_H
#define SHIM_RUN_VERIFY_H

#include "base/conf.h"

/*
 * Print that for the addresses of ARGV, NULL-ended, with what the runner
 * itself asks: aliases, then routes.  Nothing is sent.  Returns the exit code
 * of the first that could not be delivered, of sysexits(3), else EX_OK.
 */
int	verify(const struct conf *, char **argv);

#endif /* SHIM_RUN_VERIFY_H */
