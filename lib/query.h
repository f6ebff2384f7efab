/* SPDX-License-Identifier: ISC */
/*
 * One question -> one answer, from the first name server that gives a good
 * one.
 */
#ifndef LIB_QUERY_H
#define LIB_QUERY_H

#include <stdint.h>

#include "mxres.h"
#include "parse.h"

/*
 * mxres_lookup: a whole lookup of one type: what mxres_txt() and its like
 *	are, as they are documented in <mxres.h>.
 *
 * A lookup of more is mxres_answer_begin(), mxres_query_begin(), then one
 * mxres_query() or more.
 *
 * mxres_query_begin: read the configuration, start the clock.
 * mxres_query: ask for A->qname; fills A, which must be new or reset,
 *	before SHARE percent of the whole time of the lookup are over.
 * mxres_query_shuffle: the random source for mxres_order(), or NULL if
 *	equals are to stay as they are.
 */
enum mxres_status mxres_lookup(struct mxres_ctx *, const char *name,
	    enum mxres_type, struct mxres_answer **);
enum mxres_status mxres_query_begin(struct mxres_ctx *, int *error);
enum mxres_status mxres_query(struct mxres_ctx *, enum mxres_type, int share,
	    struct mxres_answer *);
uint32_t (*mxres_query_shuffle(const struct mxres_ctx *))(void *, uint32_t);

#endif /* LIB_QUERY_H */
