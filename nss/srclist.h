/* SPDX-License-Identifier: ISC */
/*
 * A source list with its sources opened.  It never changes: when a file that
 * it was read from does, lookups get another one, and the last that has done
 * with the old one closes its sources.
 */
#ifndef NSS_SRCLIST_H
#define NSS_SRCLIST_H

#include <stddef.h>

struct mx_env;
struct mxnss_module;
struct mxsrclist;
struct nssconf;

/* An opened source. */
struct mxsource {
	const struct mxnss_module *mod;
	void		*priv;
};

/* Instead of a source's number: `dns', for the mx: lines of others. */
#define MXSRCLIST_DNS	((size_t)-1)

/*
 * mxsrclist_get: the list SOURCES, or the configured one if that is NULL.
 *	NULL with one line in ERR, and errno ENOMEM if memory ran out.  If
 *	env->keep says so, lists are kept for later calls with the same.
 * mxsrclist_put: the caller has done with it; NULL is fine.
 * mxsrclist_conf: what it says.
 * mxsrclist_opened: its source number N, if it has been opened, or NULL.
 * mxsrclist_open: the same, which is opened if need be.  NULL with one
 *	line in WHY; *ERROR is then MX_ECONFIG if the list is wrong,
 *	MX_ENOMEM, or MX_ESOURCE.
 * Any number of threads can use a list.  In a child of fork(2), sources that
 * are not linked in are opened anew.
 */
struct mxsrclist *mxsrclist_get(const struct mx_env *, const char *sources,
	    char *err, size_t errsize);
void	mxsrclist_put(struct mxsrclist *);
const struct nssconf *mxsrclist_conf(const struct mxsrclist *);
const struct mxsource *mxsrclist_opened(struct mxsrclist *, size_t n);
const struct mxsource *mxsrclist_open(struct mxsrclist *, size_t n,
	    char *why, size_t size, int *error);

#endif /* NSS_SRCLIST_H */
