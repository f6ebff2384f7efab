/* SPDX-License-Identifier: ISC */
/*
 * The addresses of one host, end to end: AAAA, then A, as one answer.
 * Each family is asked for whatever the other one said: servers exist that
 * deny a name, or fall silent, when they are asked for the AAAA that it
 * does not have (RFC 4074 section 4).
 */
#include "config.h"

#include "mxres.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "query.h"

#define SHARE_AAAA	50	/* percent of the time, if A comes after */

/* Which of two answers tells the outcome; higher wins. */
static int
weight(enum mxres_status status)
{
	if (status == MXRES_NOMEM)
		return 5;
	if (status == MXRES_OK)
		return 4;
	if (status == MXRES_NXDOMAIN)
		return 0;
	return status == MXRES_NODATA ? 1 : 2;
}

/* How many of N are kept, if the other family has OTHER. */
static size_t
allot(size_t n, size_t other)
{
	size_t half = MXRES_MAXADDR / 2;
	size_t room = MXRES_MAXADDR - (other < half ? other : half);

	return n < room ? n : room;
}

static int
join_addrs(struct mxres_answer *a, const struct mxres_answer *a6,
    const struct mxres_answer *a4)
{
	size_t n6 = allot(a6->naddr, a4->naddr);
	size_t n4 = allot(a4->naddr, a6->naddr);
	struct mxres_addr *addr;

	if (n6 + n4 == 0)
		return 0;
	if ((addr = reallocarray(NULL, n6 + n4, sizeof(*addr))) == NULL)
		return -1;
	if (n6 > 0)
		memcpy(addr, a6->addr, n6 * sizeof(*addr));
	if (n4 > 0)
		memcpy(addr + n6, a4->addr, n4 * sizeof(*addr));
	if (n6 < a6->naddr || n4 < a4->naddr)
		a->flags |= MXRES_F_PARTIAL;
	free(a->addr);
	a->addr = addr;
	a->naddr = n6 + n4;
	return 0;
}

static int
join_notes(struct mxres_answer *a, const struct mxres_answer *b)
{
	size_t i;

	for (i = 0; i < b->nnote; i++)
		if (mxres_answer_note(a, b->note[i].kind,
		    b->note[i].text) == -1)
			return -1;
	return 0;
}

/*
 * Adds to A, which tells the outcome, what the answer B has.  Only what
 * both families prove is secure.
 */
static int
join(struct mxres_answer *a, const struct mxres_answer *b,
    const struct mxres_answer *a6, const struct mxres_answer *a4)
{
	uint32_t secure = a->flags & b->flags & MXRES_F_SECURE;

	if (b->status == a->status ||
	    (a->status == MXRES_NODATA && b->status == MXRES_NXDOMAIN))
		a->ttl = a->ttl < b->ttl ? a->ttl : b->ttl;
	a->flags = ((a->flags | b->flags) & ~(uint32_t)MXRES_F_SECURE) |
	    secure;
	if (join_addrs(a, a6, a4) == -1)
		return -1;
	return join_notes(a, b);
}

/* Asks for both families and leaves one answer in *ANSWER. */
static enum mxres_status
query_both(struct mxres_ctx *ctx, struct mxres_answer **answer)
{
	struct mxres_answer *a6 = *answer, *a4, *a, *b;
	enum mxres_status status;

	if ((a4 = mxres_answer_new(a6->qname)) == NULL)
		return MXRES_NOMEM;
	a6->status = mxres_query(ctx, MXRES_TYPE_AAAA, SHARE_AAAA, a6);
	a4->status = mxres_query(ctx, MXRES_TYPE_A, 100, a4);
	a = weight(a4->status) > weight(a6->status) ? a4 : a6;
	b = a == a4 ? a6 : a4;
	status = a->status;
	if (status != MXRES_NOMEM && join(a, b, a6, a4) == -1)
		status = MXRES_NOMEM;
	mxres_answer_free(b);
	*answer = a;
	return status;
}

enum mxres_status
mxres_addr(struct mxres_ctx *ctx, const char *host, int family,
    struct mxres_answer **answer)
{
	enum mxres_status status;

	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6) {
		if (answer != NULL)
			*answer = NULL;
		return MXRES_INVAL;
	}
	if ((status = mxres_answer_begin(ctx, host, answer)) != MXRES_OK)
		return status;
	status = mxres_query_begin(ctx, &(*answer)->error);
	if (status == MXRES_OK && family == AF_UNSPEC)
		status = query_both(ctx, answer);
	else if (status == MXRES_OK)
		status = mxres_query(ctx, family == AF_INET ?
		    MXRES_TYPE_A : MXRES_TYPE_AAAA, 100, *answer);
	return mxres_answer_finish(answer, status);
}
