/* SPDX-License-Identifier: ISC */
/*
 * The host's own addresses, asked of the kernel each time: interfaces come
 * and go while a worker lives.  An IPv4-mapped IPv6 address is the IPv4
 * address in it (RFC 4291 section 2.5.5.2).
 */
#include "config.h"

#include "run/self.h"

#include <sys/types.h>

#include <netinet/in.h>

#include <ifaddrs.h>
#include <string.h>

struct raw {
	int		 family;
	unsigned char	 octet[16];
	size_t		 len;
};

static bool
raw_from(const struct sockaddr *sa, struct raw *raw)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(raw, 0, sizeof(*raw));
	raw->family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		raw->len = sizeof(sin.sin_addr);
		memcpy(raw->octet, &sin.sin_addr, raw->len);
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&sin6, sa, sizeof(sin6));
	if (IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr)) {
		raw->family = AF_INET;
		raw->len = 4;
		memcpy(raw->octet, &sin6.sin6_addr.s6_addr[12], raw->len);
		return true;
	}
	raw->len = sizeof(sin6.sin6_addr);
	memcpy(raw->octet, &sin6.sin6_addr, raw->len);
	return true;
}

/* 127.0.0.0/8, 0.0.0.0/8, ::1 and :: mean this host on every host. */
static bool
raw_is_always_self(const struct raw *raw)
{
	static const unsigned char zero[15];

	if (raw->family == AF_INET)
		return raw->octet[0] == 127 || raw->octet[0] == 0;
	return memcmp(raw->octet, zero, sizeof(zero)) == 0 &&
	    raw->octet[15] <= 1;
}

bool
self_is_address(const struct sockaddr *sa)
{
	struct ifaddrs *list, *ifa;
	struct raw want, have;
	bool found = false;

	if (!raw_from(sa, &want))
		return false;
	if (raw_is_always_self(&want))
		return true;
	if (getifaddrs(&list) == -1)
		return false;
	for (ifa = list; ifa != NULL && !found; ifa = ifa->ifa_next)
		found = ifa->ifa_addr != NULL &&
		    raw_from(ifa->ifa_addr, &have) &&
		    have.family == want.family &&
		    memcmp(have.octet, want.octet, want.len) == 0;
	freeifaddrs(list);
	return found;
}
