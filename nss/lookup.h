/* SPDX-License-Identifier: ISC */
/* One lookup in progress, for getmxinfo.c and its parts. */
#ifndef NSS_LOOKUP_H
#define NSS_LOOKUP_H

#include <stdint.h>

#include "getmxinfo.h"
#include "mxdb.h"
#include "mxinfo.h"
#include "mxnss.h"
#include "srclist.h"

#define MX_MAXLIST	100		/* exchanges that a result holds */

struct lookup {
	const struct mx_env *env;
	struct mxsrclist *list;
	struct mxhints	 h;
	struct mxnss_query q;
	struct mxinfo	*info;
	struct entlist	 merged;	/* to be joined by what comes */
	struct entlist	 base;		/* the latest complete answer */
	struct verdict	 yes;		/* beside the records */
	struct verdict	 no;		/* permanent */
	struct verdict	 doubt;		/* the first temporary failure */
	struct verdict	 nodata;	/* the name exists, without MX */
	unsigned int	 ngroups;
	unsigned int	 nnotes;
	int		 have;		/* base is an answer */
	int		 ismerged;	/* merged is part of one */
	int		 final;		/* no is a source's final word */
};

/*
 * mxsource_ask: source number N of the list, or MXSRCLIST_DNS, about Q; *R
 *	is filled in and consistent with the status returned.
 * mxsource_borrow: asks for the exchanges of all mx: lines in R and puts
 *	them in its list.  The status, or what has become of it.
 */
enum mxnss_status mxsource_ask(struct lookup *, size_t n,
	    const struct mxnss_query *, struct mxnss_reply *r);
enum mxnss_status mxsource_borrow(struct lookup *, struct mxnss_reply *r,
	    enum mxnss_status);

/*
 * mxoutcome_fail: into lk->info.  TEXT NULL: V's, else that of the error;
 *	V may be NULL.
 * mxoutcome_list: makes LIST, which is emptied, the result: order, cut,
 *	addresses.
 * Both return the MX_E* code; MX_ENOMEM if memory ran out.
 */
int	mxoutcome_fail(struct lookup *, int error, const struct verdict *v,
	    const char *text);
int	mxoutcome_list(struct lookup *, struct entlist *list);

#endif /* NSS_LOOKUP_H */
