/* SPDX-License-Identifier: ISC */
/* sendmail -q, -qI, -qR and -qS: try what waits now. */
#ifndef SHIM_SUBMIT_QUEUERUN_H
#define SHIM_SUBMIT_QUEUERUN_H

#include "base/conf.h"

struct pick;

/*
 * By root or the owner of the spool: every message that waits, and that PICK
 * takes, is due now; the runner is told of it, or run in place of this process
 * if there is none.  By others: the runner is woken; they cannot pick.
 * Returns the exit code, if it returns.
 */
int	queuerun_main(const struct conf *, const struct pick *);

#endif /* SHIM_SUBMIT_QUEUERUN_H */
