/* SPDX-License-Identifier: ISC */
/*
 * Who is told of what: failure, delay, and success where nobody else tells
 * (RFC 3461 section 5.2).
 */
#ifndef SHIM_RUN_BOUNCE_H
#define SHIM_RUN_BOUNCE_H

#include <stdbool.h>

#include "run/outcome.h"

/*
 * Give up the recipients that were just tried and are too old; then make the
 * reports that are due about the loaded message.  Their names go to the
 * outcome when they may be sent.  0; -1: some could not be made, and the
 * states of their recipients are as they were.
 */
int	bounce(struct outcome *, struct message *);
/*
 * Whether the loaded message, if it is a report, may be sent: the message
 * that it is about is gone or knows of it.  Else it would be made again.
 */
bool	bounce_may_go(struct queue *, const struct message *);

#endif /* SHIM_RUN_BOUNCE_H */
