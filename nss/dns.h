/* SPDX-License-Identifier: ISC */
/* The door to lib/: what more than one source needs of libmxres. */
#ifndef NSS_DNS_H
#define NSS_DNS_H

#include <stddef.h>
#include <stdint.h>

struct mxnss_host;
struct mxnss_query;
struct mxnss_reply;
struct mxres_answer;
struct mxres_ctx;
struct sockaddr;

/*
 * mxdns_now: CLOCK_MONOTONIC in milliseconds.
 * mxdns_unicode: mxres_name_unicode(): "" to BUF if the name has no such form.
 * mxdns_why: after mxdns_name() failed for NAME, what to do about it.
 * mxdns_name: mxres_name(): the normal form of a domain name, of SIZE >= 254;
 *	-1 if it is none.
 * mxdns_literal: the normal form of the address in an address literal (RFC
 *	5321 section 4.1.3; "IPv6:" may be left out); -1 if it is none.
 * mxdns_new: a context whose lookups end at DEADLINE; SERVERS may be
 *	NULL.  NULL with errno, which is ETIMEDOUT if the time is up.
 * mxdns_error: the MX_E* code of an MXRES_* status; MX_ENXDOMAIN for a
 *	name that does not exist, MX_EUNUSABLE for one without records.
 * mxdns_describe: one line about a lookup of WHAT ("MX", "address") that
 *	failed; A may be NULL.
 * mxdns_note: one line about note N of an answer.
 *
 * For sources:
 * mxdns_mx: the MX records of NAME, asked as Q says.  The MXRES_* status;
 *	*A may be NULL then, and errno says why.
 * mxdns_add: the exchanges of an answer, into a reply.  -1 if one of them
 *	was refused.
 * mxdns_notes: the notes of an answer, into a reply.
 */
int64_t	 mxdns_now(void);
int	 mxdns_name(const char *domain, char *buf, size_t size);
void	 mxdns_unicode(const char *name, char *buf, size_t size);
const char *mxdns_why(const char *name);
int	 mxdns_literal(const char *text, char *buf, size_t size);
struct mxres_ctx *mxdns_new(const struct sockaddr *const *servers,
	    int dnssec, int64_t deadline);
int	 mxdns_error(int status);
void	 mxdns_describe(const struct mxres_answer *a, int status,
	    const char *what, const char *name, char *buf, size_t size);
void	 mxdns_note(const struct mxres_answer *a, size_t n, char *buf,
	    size_t size);
int	 mxdns_mx(const struct mxnss_query *q, const char *name,
	    struct mxres_answer **a);
int	 mxdns_add(const struct mxnss_host *, struct mxnss_reply *,
	    const struct mxres_answer *);
void	 mxdns_notes(const struct mxnss_host *, struct mxnss_reply *,
	    const struct mxres_answer *);

#endif /* NSS_DNS_H */
