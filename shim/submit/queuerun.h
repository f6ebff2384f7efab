/* SPDX-License-Identifier: ISC */
/* sendmail -q: try all that waits now. */
#ifndef SHIM_SUBMIT_QUEUERUN_H
#define SHIM_SUBMIT_QUEUERUN_H

#include "base/conf.h"

/*
 * By root or the owner of the spool: every message that waits is due now; the
 * runner is told of it, or run in place of this process if there is none.  By
 * others: the runner is woken.  Returns the exit code, if it returns.
 */
int	queuerun_main(const struct conf *);

#endif /* SHIM_SUBMIT_QUEUERUN_H */
