/* SPDX-License-Identifier: ISC */
/*
 * One MX lookup end to end: the domain is checked, the name servers are
 * asked, the exchanges are put in the order in which they are to be tried.
 */
#include "config.h"

#include "mxres.h"

#include "answer.h"
#include "query.h"

enum mxres_status
mxres_mx(struct mxres_ctx *ctx, const char *domain,
    struct mxres_answer **answer)
{
	enum mxres_status status;
	struct mxres_answer *a;

	if ((status = mxres_answer_begin(ctx, domain, answer)) != MXRES_OK)
		return status;
	a = *answer;
	status = mxres_query_begin(ctx, &a->error);
	if (status == MXRES_OK)
		status = mxres_query(ctx, MXRES_TYPE_MX, 100, a);
	mxres_query_end(ctx);
	mxres_order(a->mx, a->nmx, mxres_query_shuffle(ctx), NULL);
	return mxres_answer_finish(answer, status);
}
