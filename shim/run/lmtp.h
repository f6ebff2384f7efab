/* SPDX-License-Identifier: ISC */
/*
 * Mail for users of this machine to a server of LMTP (RFC 2033) behind a
 * socket of the file system: `local: lmtp:PATH'.  The session is kept between
 * messages.
 */
#ifndef SHIM_RUN_LMTP_H
#define SHIM_RUN_LMTP_H

#include <stdbool.h>

#include "base/conf.h"
#include "run/deliver.h"
#include "run/rcptlog.h"

struct lmtp;

/*
 * lmtp_message: one attempt, as deliver_message().  What the server says of a
 *	recipient is recorded before it is asked about the next.
 */
struct lmtp *lmtp_new(const struct conf *);
void	lmtp_message(struct lmtp *, struct delivery *, struct rcptlog *);
bool	lmtp_is_connected(const struct lmtp *);
void	lmtp_disconnect(struct lmtp *);
void	lmtp_free(struct lmtp *);		/* NULL is fine */

#endif /* SHIM_RUN_LMTP_H */
