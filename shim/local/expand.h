/* SPDX-License-Identifier: ISC */
/*
 * From a recipient on this machine to those who get the message: what the
 * aliases make of it, then what the key local does.
 */
#ifndef SHIM_LOCAL_EXPAND_H
#define SHIM_LOCAL_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/result.h"
#include "local/alias.h"

#define EXPAND_MAX	10000	/* who may get a message through one name */

struct expand_to {
	char	*addr;
	bool	 mailbox;	/* a user of this machine, no alias any more */
	char	*origin;	/* "/etc/aliases:12", or NULL */
};

struct expansion {
	struct expand_to *to;	/* without duplicates */
	size_t	 nto;
	bool	 discarded;	/* somebody is /dev/null */
};

/*
 * Who gets what is sent to ADDR, whose domain is ours.  0 with OUT, to be
 * cleared; -1 with *R, temporary: something there is wrong.
 */
int	expand(const struct conf *, const struct aliases *, const char *addr,
	    struct expansion *out, struct result *);
void	expansion_clear(struct expansion *);
/*
 * Names whose line is right, and that lead nowhere all the same: EACH gets
 * the reason.
 */
void	expand_check(const struct conf *, const struct aliases *,
	    void (*each)(void *arg, const char *text), void *arg);

/* The local part of ADDR without quotes, and without "+ext" if BASE. */
char	*expand_user(const char *addr, bool base);

#endif /* SHIM_LOCAL_EXPAND_H */
