/* SPDX-License-Identifier: ISC */
/*
 * The framing of a DNS message (RFC 1035 section 4).
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "name.h"

#define MXRES_HEADERLEN	12

enum mxres_type {
	MXRES_TYPE_A = 1,
	MXRES_TYPE_PTR = 12,
	MXRES_TYPE_MX = 15,
	MXRES_TYPE_TXT = 16,
	MXRES_TYPE_AAAA = 28,
	MXRES_TYPE_TLSA = 52
};

enum {
	MXRES_RCODE_FORMERR = 1,
	MXRES_RCODE_SERVFAIL = 2,
	MXRES_RCODE_NXDOMAIN = 3
};

struct mxres_msg {
	const uint8_t	*p;
	size_t		 len;
};

/* A name without compression, in lower case. */
struct mxres_wname {
	uint8_t		 wire[MXRES_WIREMAX];
	size_t		 len;
};

struct mxres_rr {
	struct mxres_wname owner;
	uint16_t	 type;
	uint16_t	 class;
	uint32_t	 ttl;
	size_t		 rdata;		/* offset in the message */
	size_t		 rdlen;
};

/*
 * mxres_msg_*: fields of a message of at least MXRES_HEADERLEN octets.
 *	A bare error is one without the question.
 * mxres_msg_question: read the name asked, if there is one question; the
 *	offset behind it, its type and its class, or 0.
 * mxres_msg_same_question: whether REPLY, of LEN octets, has the one
 *	question of the query, but for the case of letters.
 */
uint16_t mxres_msg_id(const uint8_t *);
bool	mxres_msg_is_reply(const uint8_t *);
bool	mxres_msg_is_authoritative(const uint8_t *);
bool	mxres_msg_is_recursive(const uint8_t *);
bool	mxres_msg_is_bare_error(const uint8_t *);
bool	mxres_msg_truncated(const uint8_t *);
bool	mxres_msg_ad(const uint8_t *);
int	mxres_msg_rcode(const uint8_t *);
size_t	mxres_msg_question(const struct mxres_msg *, struct mxres_wname *);
bool	mxres_msg_same_question(const uint8_t *query, size_t qlen,
	    const uint8_t *reply, size_t len);

/*
 * mxres_wire_16, mxres_wire_ttl: a number at P; a TTL with its top bit set
 *	is 0 (RFC 2181 section 8).
 * mxres_wire_name: read the name at OFF, which ends before END unless a
 *	pointer leads away.  The offset behind it, or 0.
 * mxres_wire_rr: read the record at *OFF and move *OFF behind it.
 * mxres_wire_rdata_name: read the name that fills RDATA from SKIP octets on
 *	to its end exactly.
 * mxres_wname_below: whether NAME is PARENT or below it; *PREFIX is how many
 *	octets it has on top of it.
 */
uint16_t mxres_wire_16(const uint8_t *);
uint32_t mxres_wire_ttl(const uint8_t *);
size_t	mxres_wire_name(const struct mxres_msg *, size_t off, size_t end,
	    struct mxres_wname *);
bool	mxres_wire_rr(const struct mxres_msg *, size_t *off,
	    struct mxres_rr *);
bool	mxres_wire_rdata_name(const struct mxres_msg *,
	    const struct mxres_rr *, size_t skip, struct mxres_wname *);
bool	mxres_wname_equals(const struct mxres_wname *,
	    const struct mxres_wname *);
bool	mxres_wname_below(const struct mxres_wname *name,
	    const struct mxres_wname *parent, size_t *prefix);

#endif /* LIB_WIRE_H */
