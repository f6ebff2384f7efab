/* SPDX-License-Identifier: ISC */
/*
 * How much of one user may be in the queue.  What is more stays in drop/, in
 * a line of its user, and comes when others of the same user are done.
 * Nothing of it is lost or refused.
 */
#ifndef SHIM_RUN_CAPS_H
#define SHIM_RUN_CAPS_H

#include <sys/types.h>

#include <stdbool.h>

#include "base/conf.h"

struct caps;
struct message;

/* DUE is called for a capped message that may be picked up now: MESSAGE_IDLE. */
struct caps *caps_new(void (*due)(void *arg, struct message *), void *arg);
void	caps_free(struct caps *);
void	caps_conf(struct caps *, const struct conf *);

/*
 * A new message.  True: it counts, and may be tried.  False: it is in line,
 * MESSAGE_CAPPED; or, with *FORGET, the line is so long that it is better
 * found again later.
 */
bool	caps_enter(struct caps *, struct message *, bool *forget);
/* It is known now whose it is. */
void	caps_move(struct caps *, struct message *, uid_t uid);
/* It is gone: others may come. */
void	caps_leave(struct caps *, struct message *);
/* Whether drop/ is to be scanned, for what was forgotten; true once. */
bool	caps_wants_scan(struct caps *);

#endif /* SHIM_RUN_CAPS_H */
