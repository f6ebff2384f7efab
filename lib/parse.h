/* SPDX-License-Identifier: ISC */
/*
 * A DNS message -> records.  Bounded by the octets given, with no network,
 * clock or random source; every message whatever gives a status.
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxres.h"

#define MXRES_HEADERLEN	12

enum mxres_type {
	MXRES_TYPE_A = 1,
	MXRES_TYPE_MX = 15,
	MXRES_TYPE_AAAA = 28
};

/*
 * mxres_msg_*: fields of a message of at least MXRES_HEADERLEN octets.
 *
 * mxres_parse: read the answer to the question for the records of TYPE of
 *	A->qname.  Fills A, which must be empty, but for its flag
 *	MXRES_F_SECURE, server and error.
 */
uint16_t mxres_msg_id(const uint8_t *);
bool	mxres_msg_is_reply(const uint8_t *);
bool	mxres_msg_truncated(const uint8_t *);
bool	mxres_msg_ad(const uint8_t *);
int	mxres_msg_rcode(const uint8_t *);

enum mxres_status mxres_parse(const uint8_t *msg, size_t len,
	    enum mxres_type type, struct mxres_answer *a);

#endif /* LIB_PARSE_H */
