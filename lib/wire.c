/* SPDX-License-Identifier: ISC */
/*
 * The framing of a DNS message (RFC 1035 section 4): header, names, records.
 * The octets come from whoever can send us a packet: nothing here reads
 * beyond them, goes round in a circle or trusts a length.
 */
#include "config.h"

#include "wire.h"

#include <string.h>

#define MAXHOPS		127	/* pointers in a name; it has fewer labels */

static uint8_t
fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

uint16_t
mxres_wire_16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)mxres_wire_16(p) << 16 | mxres_wire_16(p + 2);
}

/* RFC 2181 section 8: with the top bit set it is to be taken as 0. */
uint32_t
mxres_wire_ttl(const uint8_t *p)
{
	uint32_t ttl = get32(p);

	return ttl > INT32_MAX ? 0 : ttl;
}

uint16_t
mxres_msg_id(const uint8_t *p)
{
	return mxres_wire_16(p);
}

bool
mxres_msg_is_reply(const uint8_t *p)
{
	return (p[2] & 0x80) != 0;
}

bool
mxres_msg_truncated(const uint8_t *p)
{
	return (p[2] & 0x02) != 0;
}

bool
mxres_msg_ad(const uint8_t *p)
{
	return (p[3] & 0x20) != 0;
}

int
mxres_msg_rcode(const uint8_t *p)
{
	return p[3] & 0x0f;
}

/* Some servers send an error without the question. */
bool
mxres_msg_is_bare_error(const uint8_t *p)
{
	int rcode = mxres_msg_rcode(p);

	return mxres_wire_16(p + 4) == 0 && rcode != 0 &&
	    rcode != MXRES_RCODE_NXDOMAIN;
}

bool
mxres_msg_is_authoritative(const uint8_t *p)
{
	return (p[2] & 0x04) != 0;
}

bool
mxres_msg_is_recursive(const uint8_t *p)
{
	return (p[3] & 0x80) != 0;
}

/*
 * A pointer must lead to before the labels it ends, so that no message makes
 * us go round, and the pointers are counted, so that none keeps us busy.
 */
size_t
mxres_wire_name(const struct mxres_msg *m, size_t off, size_t end,
    struct mxres_wname *name)
{
	const uint8_t *p = m->p;
	uint8_t *wire = name->wire;
	size_t start = off, next = 0, n = 0, i, label;
	unsigned int hops = 0;

	for (;;) {
		if (off >= end)
			return 0;
		label = p[off];
		if (label >= 0xc0) {
			if (end - off < 2 || ++hops > MAXHOPS)
				return 0;
			if (next == 0)
				next = off + 2;
			off = mxres_wire_16(p + off) & 0x3fff;
			if (off >= start || off < MXRES_HEADERLEN)
				return 0;
			start = off;
			end = m->len;
			continue;
		}
		if (label > 63 || label >= end - off ||
		    n + label + 1 > sizeof(name->wire))
			return 0;
		wire[n++] = (uint8_t)label;
		for (i = 1; i <= label; i++)
			wire[n++] = fold(p[off + i]);
		off += label + 1;
		if (label == 0)
			break;
	}
	name->len = n;
	return next != 0 ? next : off;
}

bool
mxres_wire_rr(const struct mxres_msg *m, size_t *off, struct mxres_rr *rr)
{
	size_t at = mxres_wire_name(m, *off, m->len, &rr->owner);

	if (at == 0 || m->len - at < 10)
		return false;
	rr->type = mxres_wire_16(m->p + at);
	rr->class = mxres_wire_16(m->p + at + 2);
	rr->ttl = mxres_wire_ttl(m->p + at + 4);
	rr->rdlen = mxres_wire_16(m->p + at + 8);
	rr->rdata = at + 10;
	if (rr->rdlen > m->len - rr->rdata)
		return false;
	*off = rr->rdata + rr->rdlen;
	return true;
}

bool
mxres_wire_rdata_name(const struct mxres_msg *m, const struct mxres_rr *rr,
    size_t skip, struct mxres_wname *name)
{
	size_t end = rr->rdata + rr->rdlen, next;

	if (rr->rdlen <= skip)
		return false;
	next = mxres_wire_name(m, rr->rdata + skip, end, name);
	return next != 0 && next == end;
}

bool
mxres_wname_equals(const struct mxres_wname *a, const struct mxres_wname *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

bool
mxres_wname_below(const struct mxres_wname *name,
    const struct mxres_wname *parent, size_t *prefix)
{
	size_t off = 0;

	while (name->len - off > parent->len)
		off += name->wire[off] + 1;
	*prefix = off;
	return name->len - off == parent->len &&
	    memcmp(name->wire + off, parent->wire, parent->len) == 0;
}

size_t
mxres_msg_question(const struct mxres_msg *m, struct mxres_wname *name)
{
	size_t off;

	if (mxres_wire_16(m->p + 4) != 1)
		return 0;
	off = mxres_wire_name(m, MXRES_HEADERLEN, m->len, name);
	return off == 0 || m->len - off < 4 ? 0 : off + 4;
}

/*
 * There is nothing before the name of a question that it could point to, so
 * equal ones are equal octet by octet, but for the case of letters, which
 * the length of a label is none of.
 */
bool
mxres_msg_same_question(const uint8_t *query, size_t qlen,
    const uint8_t *reply, size_t len)
{
	const struct mxres_msg m = { query, qlen };
	struct mxres_wname asked;
	size_t i, end = mxres_msg_question(&m, &asked);

	if (end == 0 || len < end || mxres_wire_16(reply + 4) != 1 ||
	    memcmp(query + end - 4, reply + end - 4, 4) != 0)
		return false;
	for (i = MXRES_HEADERLEN; i < end - 4; i++)
		if (fold(query[i]) != fold(reply[i]))
			return false;
	return true;
}
