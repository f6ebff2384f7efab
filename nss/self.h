/* SPDX-License-Identifier: ISC */
/* Who this host is, for the self cut (RFC 5321 section 5.1). */
#ifndef NSS_SELF_H
#define NSS_SELF_H

#include <stddef.h>

struct ifaddrs;
struct sockaddr;

/*
 * mxself_hostname: gethostname(2), if it has a dot; else -1.
 * mxself_is_own: whether an interface has the address; the port plays no
 *	part.  *ALL, NULL at first, keeps what getifaddrs(3) said, if it was
 *	asked, for the next call; the caller frees it.
 */
int	mxself_hostname(char *buf, size_t size);
int	mxself_is_own(const struct sockaddr *, struct ifaddrs **all);

#endif /* NSS_SELF_H */
