/* SPDX-License-Identifier: ISC */
/*
 * A DNS message -> records.  Bounded by the octets given, with no network,
 * clock or random source; every message whatever gives a status.
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "mxres.h"
#include "wire.h"

/*
 * mxres_parse: read the answer to the question for the records of TYPE of
 *	A->qname.  Fills A, which must be empty, but for its flag
 *	MXRES_F_SECURE, server and error.
 */
enum mxres_status mxres_parse(const uint8_t *msg, size_t len,
	    enum mxres_type type, struct mxres_answer *a);

#endif /* LIB_PARSE_H */
