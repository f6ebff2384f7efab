/* SPDX-License-Identifier: ISC */
/*
 * The TLSA records of a service of a host (RFC 6698 section 3).
 */
#include "config.h"

#include "mxres.h"

#include <stdio.h>

#include "name.h"
#include "query.h"

enum mxres_status
mxres_tlsa(struct mxres_ctx *ctx, const char *host, uint16_t port,
    struct mxres_answer **answer)
{
	char base[MXRES_TEXTMAX], name[MXRES_TEXTMAX + sizeof("_65535._tcp.")];

	if (host == NULL || port == 0) {
		if (answer != NULL)
			*answer = NULL;
		return MXRES_INVAL;
	}
	/* What is no name becomes none by a prefix. */
	if (mxres_name(host, base, sizeof(base)) == -1)
		return mxres_lookup(ctx, host, MXRES_TYPE_TLSA, answer);
	(void)snprintf(name, sizeof(name), "_%u._tcp.%s", (unsigned int)port,
	    base);
	return mxres_lookup(ctx, name, MXRES_TYPE_TLSA, answer);
}
