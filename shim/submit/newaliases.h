/* SPDX-License-Identifier: ISC */
/* newaliases: is the file of aliases right? */
#ifndef SHIM_SUBMIT_NEWALIASES_H
#define SHIM_SUBMIT_NEWALIASES_H

#include "base/conf.h"

/*
 * Print what is wrong, or how many aliases there are.  EX_OK; EX_DATAERR when
 * something is wrong; EX_OSFILE when a file cannot be read.
 */
int	newaliases_main(const struct conf *);

#endif /* SHIM_SUBMIT_NEWALIASES_H */
