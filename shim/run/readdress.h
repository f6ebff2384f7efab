/* SPDX-License-Identifier: ISC */
/*
 * Recipients of this machine get what their aliases say, once: before the
 * first attempt the envelope is written anew, so that neither a crash nor an
 * edited file changes or repeats a delivery.
 */
#ifndef SHIM_RUN_READDRESS_H
#define SHIM_RUN_READDRESS_H

#include <stdbool.h>

#include "run/outcome.h"
#include "run/table.h"

/* Whether some recipient of the loaded message needs it. */
bool	readdress_is_due(const struct conf *, const struct load *);
/*
 * Do it.  The message is in queue/ then, durably, unless nothing came of it;
 * recipients whose alias is wrong are put off.  0; 1: the message was deleted
 * meanwhile; -1 with errno: nothing has changed.
 */
int	readdress(struct outcome *, struct message *);

#endif /* SHIM_RUN_READDRESS_H */
