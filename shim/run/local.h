/* SPDX-License-Identifier: ISC */
/* The worker of LOCAL_DEST: mail into the mailboxes of this machine. */
#ifndef SHIM_RUN_LOCAL_H
#define SHIM_RUN_LOCAL_H

#include "base/conf.h"
#include "run/deliver.h"

/*
 * One attempt for all recipients of the message, as deliver_message(), whose
 * counterpart it is.
 */
void	local_message(const struct conf *, struct delivery *);

#endif /* SHIM_RUN_LOCAL_H */
