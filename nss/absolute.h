/* SPDX-License-Identifier: ISC */
/* getaddrinfo(3) without the search list. */
#ifndef NSS_ABSOLUTE_H
#define NSS_ABSOLUTE_H

struct addrinfo;

/*
 * As getaddrinfo() without a service.  A HOST with a dot is that name and
 * no other; one without may be a name below a domain of the search list.
 */
int	mxabsolute_getaddrinfo(const char *host, const struct addrinfo *hints,
	    struct addrinfo **res);

#endif /* NSS_ABSOLUTE_H */
