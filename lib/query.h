/* SPDX-License-Identifier: ISC */
/*
 * One question -> one answer, from the first name server that gives a good
 * one.  The only module that calls libresolv.
 */
#ifndef LIB_QUERY_H
#define LIB_QUERY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mxres.h"
#include "parse.h"

/*
 * A lookup is mxres_query_begin(), one or more mxres_query(), and
 * mxres_query_end(), which also is due after begin failed.
 *
 * mxres_query_begin: read the configuration, start the clock.
 * mxres_query: ask for A->qname; fills A, which must be new or reset,
 *	before SHARE percent of the whole time of the lookup are over.
 * mxres_query_shuffle: the random source for mxres_order(), or NULL if
 *	equals are to stay as they are.
 * mxres_resconf_trusts: whether the text of a resolv.conf says trust-ad.
 */
enum mxres_status mxres_query_begin(struct mxres_ctx *, int *error);
enum mxres_status mxres_query(struct mxres_ctx *, enum mxres_type, int share,
	    struct mxres_answer *);
void	mxres_query_end(struct mxres_ctx *);
uint32_t (*mxres_query_shuffle(const struct mxres_ctx *))(void *, uint32_t);
bool	mxres_resconf_trusts(FILE *);

#endif /* LIB_QUERY_H */
