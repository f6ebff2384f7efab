/* SPDX-License-Identifier: ISC */
/*
 * The TXT records of a name (RFC 1035 section 3.3.14).
 */
#include "config.h"

#include "mxres.h"

#include "query.h"

enum mxres_status
mxres_txt(struct mxres_ctx *ctx, const char *name,
    struct mxres_answer **answer)
{
	return mxres_lookup(ctx, name, MXRES_TYPE_TXT, answer);
}
