/* SPDX-License-Identifier: ISC */
/* Delivery order of a list of exchanges (RFC 5321 section 5.1).  Pure. */
#ifndef NSS_MXLIST_H
#define NSS_MXLIST_H

#include <stddef.h>
#include <stdint.h>

struct entlist;
struct mxent;

/*
 * What is dropped is freed; a list with a `dropped' is told before.
 *
 * mxlist_sort: by preference; equals keep their order.
 * mxlist_dedupe: of a sorted list, drops the same host and port again.
 *	What an administrator wrote stays, with its demands, even if the
 *	DNS names the host too and prefers it.
 * mxlist_cap: keeps the first MAX; nonzero if there were more.
 * mxlist_shuffle: of a sorted list, equals into random order; RND returns
 *	a uniform number below its argument.
 * mxlist_selfcut: of a sorted list, drops the exchanges that IS_SELF says
 *	we are, and all that are not better, but none that an administrator
 *	wrote.  The number dropped.
 */
void	mxlist_sort(struct entlist *);
void	mxlist_dedupe(struct entlist *);
int	mxlist_cap(struct entlist *, size_t max);
void	mxlist_shuffle(struct entlist *, uint32_t (*rnd)(uint32_t));
size_t	mxlist_selfcut(struct entlist *,
	    int (*is_self)(const struct mxent *, void *), void *arg);

#endif /* NSS_MXLIST_H */
