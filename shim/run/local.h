/* SPDX-License-Identifier: ISC */
/* The worker of LOCAL_DEST: mail into the mailboxes of this machine. */
#ifndef SHIM_RUN_LOCAL_H
#define SHIM_RUN_LOCAL_H

#include <stdbool.h>

#include "base/conf.h"
#include "run/deliver.h"

struct local;

/*
 * The counterparts of those in deliver.h: a connection is there only for
 * `local: lmtp:PATH'.
 */
struct local *local_new(const struct conf *);
void	local_message(struct local *, struct delivery *);
bool	local_is_connected(const struct local *);
void	local_disconnect(struct local *);
void	local_free(struct local *);		/* NULL is fine */

#endif /* SHIM_RUN_LOCAL_H */
