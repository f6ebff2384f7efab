/* SPDX-License-Identifier: ISC */
/*
 * One MX lookup end to end: the domain is checked, the name servers are
 * asked, the exchanges are put in the order in which they are to be tried.
 */
#include "config.h"

#include "mxres.h"

#include "query.h"

enum mxres_status
mxres_mx(struct mxres_ctx *ctx, const char *domain,
    struct mxres_answer **answer)
{
	enum mxres_status status;

	status = mxres_lookup(ctx, domain, MXRES_TYPE_MX, answer);
	if (status == MXRES_OK)
		mxres_order((*answer)->mx, (*answer)->nmx,
		    mxres_query_shuffle(ctx), NULL);
	return status;
}
