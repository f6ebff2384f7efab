/* SPDX-License-Identifier: ISC */
/* What all callers of libmxres here need: its context, errors and words. */
#ifndef NSS_DNSCTX_H
#define NSS_DNSCTX_H

#include <stddef.h>
#include <stdint.h>

struct mxres_answer;
struct mxres_ctx;
struct sockaddr;

/*
 * dnsctx_now: CLOCK_MONOTONIC in milliseconds.
 * dnsctx_new: a context whose lookups end at DEADLINE; SERVERS may be
 *	NULL.  NULL with errno, which is ETIMEDOUT if the time is up.
 * dnsctx_error: the MX_E* code of an MXRES_* status; MX_ENXDOMAIN for a
 *	name that does not exist, MX_EUNUSABLE for one without records.
 * dnsctx_describe: one line about a lookup of WHAT ("MX", "address") that
 *	failed; A may be NULL.
 * dnsctx_note: one line about note N of an answer.
 */
int64_t	 dnsctx_now(void);
struct mxres_ctx *dnsctx_new(const struct sockaddr *const *servers,
	    int dnssec, int64_t deadline);
int	 dnsctx_error(int status);
void	 dnsctx_describe(const struct mxres_answer *a, int status,
	    const char *what, const char *name, char *buf, size_t size);
void	 dnsctx_note(const struct mxres_answer *a, size_t n, char *buf,
	    size_t size);

#endif /* NSS_DNSCTX_H */
