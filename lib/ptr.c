/* SPDX-License-Identifier: ISC */
/*
 * The names of an address (RFC 1035 section 3.5, RFC 3596 section 2.5).
 */
#include "config.h"

#include "mxres.h"

#include <sys/socket.h>

#include <stdio.h>
#include <string.h>

#include "query.h"

#define NIBBLES	32		/* of an IPv6 address */

enum mxres_status
mxres_ptr(struct mxres_ctx *ctx, int family, const void *addr,
    struct mxres_answer **answer)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = addr;
	char name[2 * NIBBLES + sizeof("ip6.arpa")];
	size_t i;

	if (p == NULL || (family != AF_INET && family != AF_INET6)) {
		if (answer != NULL)
			*answer = NULL;
		return MXRES_INVAL;
	}
	if (family == AF_INET) {
		(void)snprintf(name, sizeof(name), "%d.%d.%d.%d.in-addr.arpa",
		    p[3], p[2], p[1], p[0]);
		return mxres_lookup(ctx, name, MXRES_TYPE_PTR, answer);
	}
	for (i = 0; i < NIBBLES; i++) {
		name[2 * i] = hex[p[15 - i / 2] >> (i % 2 != 0 ? 4 : 0) & 15];
		name[2 * i + 1] = '.';
	}
	(void)strlcpy(name + 2 * NIBBLES, "ip6.arpa",
	    sizeof(name) - 2 * NIBBLES);
	return mxres_lookup(ctx, name, MXRES_TYPE_PTR, answer);
}
