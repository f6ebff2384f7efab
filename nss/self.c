/* SPDX-License-Identifier: ISC */
/*
 * The names and addresses of this host.  A list of all interfaces may be
 * long, and takes as much time as two DNS queries to make, while nearly all
 * exchanges are elsewhere; so the kernel is asked first whether a socket
 * could have the address.
 */
#include "config.h"

#include "self.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <unistd.h>

int
mxself_hostname(char *buf, size_t size)
{
	if (gethostname(buf, size) == -1)
		return -1;
	buf[size - 1] = '\0';
	return strchr(buf, '.') == NULL ? -1 : 0;
}

static int
same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return 0;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)
		    (const void *)a)->sin_addr.s_addr ==
		    ((const struct sockaddr_in *)
		    (const void *)b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	    memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
	    &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
	    16) == 0;
}

/*
 * False only if the kernel says that the address is elsewhere.  Where it
 * lets sockets have any address (ip_nonlocal_bind), or none, that proves
 * nothing.
 */
static int
may_be_own(const struct sockaddr *sa)
{
	union {
		struct sockaddr		sa;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
	} any;
	socklen_t len = sizeof(any.in);
	int fd, own;

	memset(&any, 0, sizeof(any));
	if (sa->sa_family == AF_INET)
		any.in.sin_addr = ((const struct sockaddr_in *)
		    (const void *)sa)->sin_addr;
	else {
		len = sizeof(any.in6);
		any.in6.sin6_addr = ((const struct sockaddr_in6 *)
		    (const void *)sa)->sin6_addr;
	}
	any.sa.sa_family = sa->sa_family;
	fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 1;
	own = bind(fd, &any.sa, len) == 0 || errno != EADDRNOTAVAIL;
	(void)close(fd);
	return own;
}

int
mxself_is_own(const struct sockaddr *sa, struct ifaddrs **all)
{
	struct ifaddrs *i;

	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return 0;
	if (*all == NULL && !may_be_own(sa))
		return 0;
	if (*all == NULL && getifaddrs(all) == -1) {
		*all = NULL;
		return 0;
	}
	for (i = *all; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && same_address(i->ifa_addr, sa))
			return 1;
	return 0;
}
