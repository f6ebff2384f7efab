/* SPDX-License-Identifier: ISC */
/* Reports to the caller who set mh_trace; without one, nothing is done. */
#ifndef NSS_TRACE_H
#define NSS_TRACE_H

#include <stdint.h>

#include "mxnss.h"
#include "nssconf.h"

struct lookup;
struct mxent;
struct mxtrace;

/*
 * mxtrace_clock: microseconds, for the SINCE of what follows; 0 if nobody
 *	is watching.
 * mxtrace_list: the source list that is used.
 * mxtrace_answer: what a source has said.  T has what R does not know: the
 *	event, its flags, argument, domain and action.
 * mxtrace_dropped: an exchange is about to be left out.
 * mxtrace_addrs: an exchange's addresses were looked up.
 */
int64_t	mxtrace_clock(const struct lookup *);
void	mxtrace_list(const struct lookup *, const struct nssconf *);
void	mxtrace_answer(const struct lookup *, struct mxtrace *t,
	    struct mxnss_reply *r, enum mxnss_status, int64_t since);
void	mxtrace_dropped(const struct lookup *, const struct mxent *,
	    const char *why);
void	mxtrace_addrs(const struct lookup *, const struct mxent *,
	    int64_t since);
const char *mxtrace_action(enum nss_action);

#endif /* NSS_TRACE_H */
