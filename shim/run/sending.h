/* SPDX-License-Identifier: ISC */
/*
 * A transaction for some recipients of a delivery, in a session that is there:
 * what deliver.h knows as smtp.h wants it, and back.
 */
#ifndef SHIM_RUN_SENDING_H
#define SHIM_RUN_SENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/result.h"
#include "run/deliver.h"

struct smtp;

struct sending {
	struct delivery	*m;
	struct delivery_rcpt **who;
	size_t		 n;
	/* with LMTP: one of them has its result; or NULL */
	void		(*answered)(void *arg, struct delivery_rcpt *);
	void		*arg;
	/* out, as in smtp.h */
	bool		 dsn;
	bool		 busy;
	bool		 unsure;
};

/*
 * smtp_mail(), with its dialogue for whoever follows it: sets result and again
 * of each of them.  0; -1 with *R if the session can only be closed.
 * sending_choose: those whose turn comes, of the N at RCPT: all, or if AGAIN
 *	those only that were left; into WHO.  How many.
 */
int	sending_run(struct sending *, struct smtp *, struct result *);
size_t	sending_choose(struct delivery_rcpt *const *rcpt, size_t n, bool again,
	    struct delivery_rcpt **who);

#endif /* SHIM_RUN_SENDING_H */
