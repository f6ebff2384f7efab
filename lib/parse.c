/* SPDX-License-Identifier: ISC */
/*
 * A DNS message (RFC 1035 section 4) -> the records that answer a question.
 * The octets come from whoever can send us a packet.  Only the answer
 * section counts, only the names on the CNAME chain of the question, only
 * the class IN.  A message that breaks the rules of framing is refused
 * whole.
 */
#include "config.h"

#include "parse.h"

#include <string.h>

#include "answer.h"
#include "name.h"
#include "record.h"

#define MAXLINKS	10	/* CNAMEs that are followed */

enum {
	CLASS_IN = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_DNAME = 39,
	TYPE_OPT = 41
};

/* A message as it is read. */
struct parse {
	struct mxres_msg m;
	size_t		 answer;	/* where that section begins */
	uint16_t	 ancount;
	uint16_t	 nscount;
	uint16_t	 arcount;
	struct mxres_wname name;	/* the end of the chain so far */
	unsigned int	 links;		/* its length */
	uint32_t	 ttl;		/* least of the links and records */
	unsigned int	 strangers;	/* records of another owner */
	struct mxres_tally tally;
};

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* RFC 6672 section 2.2: replaces the end of *NAME; false if too long. */
static bool
dname_apply(struct mxres_wname *name, size_t prefix,
    const struct mxres_wname *target)
{
	if (prefix + target->len > sizeof(name->wire))
		return false;
	memcpy(name->wire + prefix, target->wire, target->len);
	name->len = prefix + target->len;
	return true;
}

/*
 * The CNAME of s->name, or else the DNAME above it, whose CNAME a server
 * should have added.  1: followed, 0: there is none, -1: malformed.
 */
static int
follow_link(struct parse *s)
{
	struct mxres_wname dname = { .len = 0 }, target;
	struct mxres_rr rr;
	size_t off = s->answer, prefix = 0, p;
	uint32_t ttl = 0;
	unsigned int i;

	for (i = 0; i < s->ancount; i++) {
		if (!mxres_wire_rr(&s->m, &off, &rr))
			return -1;
		if (rr.class != CLASS_IN)
			continue;
		if (rr.type == TYPE_CNAME &&
		    mxres_wname_equals(&rr.owner, &s->name)) {
			if (!mxres_wire_rdata_name(&s->m, &rr, 0, &s->name))
				return -1;
			s->ttl = least(s->ttl, rr.ttl);
			return 1;
		}
		if (rr.type == TYPE_DNAME && dname.len == 0 &&
		    mxres_wname_below(&s->name, &rr.owner, &p) && p > 0) {
			if (!mxres_wire_rdata_name(&s->m, &rr, 0, &dname))
				return -1;
			prefix = p;
			ttl = rr.ttl;
		}
	}
	if (dname.len == 0)
		return 0;
	target = s->name;
	if (!dname_apply(&target, prefix, &dname))
		return -1;
	s->name = target;
	s->ttl = least(s->ttl, ttl);
	return 1;
}

static bool
follow_chain(struct parse *s)
{
	int r;

	while ((r = follow_link(s)) == 1)
		if (++s->links > MAXLINKS)
			return false;
	return r == 0;
}

/*
 * The authority and additional sections, from OFF on, prove or disprove
 * that an answer without records means what it seems to (RFC 2308 sections
 * 2.2 and 5, RFC 6891 section 6.1.3).
 */
struct proof {
	bool		 soa;
	bool		 ns;
	uint32_t	 ttl;		/* how long the negative answer holds */
	bool		 failed;	/* an extended RCODE */
};

static void
note_soa(const struct parse *s, const struct mxres_rr *rr, struct proof *proof)
{
	struct mxres_wname name;
	size_t off, end = rr->rdata + rr->rdlen, p;

	if (!mxres_wname_below(&s->name, &rr->owner, &p))
		return;
	off = mxres_wire_name(&s->m, rr->rdata, end, &name);
	if (off != 0 && off <= end)
		off = mxres_wire_name(&s->m, off, end, &name);
	if (off == 0 || off > end || end - off != 20)
		return;
	proof->soa = true;
	proof->ttl = least(rr->ttl, mxres_wire_ttl(s->m.p + off + 16));
}

static bool
get_proof(const struct parse *s, size_t off, struct proof *proof)
{
	struct mxres_rr rr;
	unsigned int i;

	memset(proof, 0, sizeof(*proof));
	for (i = 0; i < (unsigned int)s->nscount + s->arcount; i++) {
		if (!mxres_wire_rr(&s->m, &off, &rr))
			return false;
		if (i < s->nscount) {
			if (rr.type == TYPE_SOA && rr.class == CLASS_IN)
				note_soa(s, &rr, proof);
			proof->ns = proof->ns || rr.type == TYPE_NS;
		} else if (rr.type == TYPE_OPT && rr.owner.len == 1)
			proof->failed = s->m.p[rr.rdata - 6] != 0;
	}
	return true;
}

/* No record of the type at s->name; the answer section ends at OFF. */
static enum mxres_status
parse_negative(const struct parse *s, size_t off, struct mxres_answer *a)
{
	struct proof proof;

	if (!get_proof(s, off, &proof))
		return MXRES_BADRESP;
	if (proof.failed)
		return MXRES_REFUSED;
	a->ttl = proof.soa ? least(s->ttl, proof.ttl) : 0;
	if (mxres_msg_rcode(s->m.p) == MXRES_RCODE_NXDOMAIN)
		return MXRES_NXDOMAIN;
	if (proof.soa || (mxres_msg_is_recursive(s->m.p) && !proof.ns))
		return MXRES_NODATA;
	/*
	 * An authoritative server that does not recurse knows the first
	 * link of a chain but perhaps not what is at its end.
	 */
	if (mxres_msg_is_authoritative(s->m.p) && s->links == 0)
		return MXRES_NODATA;
	return MXRES_BADRESP;
}

/*
 * Reads all records of TYPE at the end of the chain; *OFF ends up behind
 * the answer section, *FOUND is their number, good or not.
 */
static enum mxres_status
collect(struct parse *s, enum mxres_type type, struct mxres_answer *a,
    size_t *off, unsigned int *found)
{
	struct mxres_rr rr;
	unsigned int i;

	*off = s->answer;
	*found = 0;
	for (i = 0; i < s->ancount; i++) {
		if (!mxres_wire_rr(&s->m, off, &rr))
			return MXRES_BADRESP;
		if (rr.type != type || rr.class != CLASS_IN)
			continue;
		if (!mxres_wname_equals(&rr.owner, &s->name)) {
			s->strangers++;
			continue;
		}
		++*found;
		s->ttl = least(s->ttl, rr.ttl);
		if (mxres_record_read(&s->m, type, &rr, a, &s->tally) == -1)
			return MXRES_NOMEM;
	}
	return MXRES_OK;
}

/* The question must be ours, octet by octet but for the case. */
static bool
read_question(struct parse *s, enum mxres_type type, const char *qname)
{
	struct mxres_wname asked;
	const uint8_t *p;

	s->name.len = mxres_name_wire(qname, s->name.wire);
	if ((s->answer = mxres_msg_question(&s->m, &asked)) == 0)
		return false;
	p = s->m.p + s->answer - 4;
	return mxres_wname_equals(&asked, &s->name) &&
	    mxres_wire_16(p) == type && mxres_wire_16(p + 2) == CLASS_IN;
}

static enum mxres_status
read_header(struct parse *s, enum mxres_type type, struct mxres_answer *a)
{
	if (s->m.len < MXRES_HEADERLEN || !mxres_msg_is_reply(s->m.p) ||
	    (s->m.p[2] & 0x78) != 0)
		return MXRES_BADRESP;
	if (!read_question(s, type, a->qname) &&
	    !mxres_msg_is_bare_error(s->m.p))
		return MXRES_BADRESP;
	s->ancount = mxres_wire_16(s->m.p + 6);
	s->nscount = mxres_wire_16(s->m.p + 8);
	s->arcount = mxres_wire_16(s->m.p + 10);
	a->rcode = mxres_msg_rcode(s->m.p);
	switch (a->rcode) {
	case 0:
	case MXRES_RCODE_NXDOMAIN:
		return mxres_msg_truncated(s->m.p) ? MXRES_BADRESP : MXRES_OK;
	case MXRES_RCODE_SERVFAIL:
		return MXRES_SERVFAIL;
	default:
		return MXRES_REFUSED;
	}
}

/* Stores where the CNAMEs led to; false without memory. */
static bool
set_cname(const struct parse *s, struct mxres_answer *a)
{
	char text[MXRES_ESCMAX];

	(void)mxres_name_text(s->name.wire, text);
	if (strcmp(text, a->qname) != 0)
		a->flags |= MXRES_F_CNAME;
	return (a->cname = strdup(text)) != NULL;
}

static enum mxres_status
parse(struct parse *s, enum mxres_type type, struct mxres_answer *a)
{
	enum mxres_status status;
	size_t off;
	unsigned int found;

	if ((status = read_header(s, type, a)) != MXRES_OK)
		return status;
	if (!follow_chain(s))
		return MXRES_BADRESP;
	if (s->links > 0 && !set_cname(s, a))
		return MXRES_NOMEM;
	if ((status = collect(s, type, a, &off, &found)) != MXRES_OK)
		return status;
	/* records that nobody asked for instead of ours prove nothing */
	if (found == 0 && s->strangers > 0)
		return MXRES_BADRESP;
	if (found == 0)
		return parse_negative(s, off, a);
	if (a->rcode == MXRES_RCODE_NXDOMAIN)
		return MXRES_BADRESP;
	a->ttl = s->ttl;
	return mxres_record_conclude(type, &s->tally, a);
}

enum mxres_status
mxres_parse(const uint8_t *msg, size_t len, enum mxres_type type,
    struct mxres_answer *a)
{
	struct parse s = {
		.m = { .p = msg, .len = len },
		.ttl = UINT32_MAX
	};
	enum mxres_status status = parse(&s, type, a);

	if (MXRES_ISTEMP(status))
		mxres_answer_drop(a);
	return status;
}

static enum mxres_status
parse_public(const unsigned char *msg, size_t len, const char *qname,
    enum mxres_type type, struct mxres_answer **answer)
{
	char name[MXRES_TEXTMAX];

	if (answer != NULL)
		*answer = NULL;
	if (answer == NULL || msg == NULL || len > UINT16_MAX ||
	    mxres_name(qname, name, sizeof(name)) != 0)
		return MXRES_INVAL;
	if ((*answer = mxres_answer_new(name)) == NULL)
		return MXRES_NOMEM;
	return mxres_answer_finish(answer,
	    mxres_parse(msg, len, type, *answer));
}

enum mxres_status
mxres_parse_mx(const unsigned char *msg, size_t len, const char *qname,
    struct mxres_answer **answer)
{
	return parse_public(msg, len, qname, MXRES_TYPE_MX, answer);
}

enum mxres_status
mxres_parse_addr(const unsigned char *msg, size_t len, const char *qname,
    int type, struct mxres_answer **answer)
{
	switch (type) {
	case MXRES_TYPE_A:
		return parse_public(msg, len, qname, MXRES_TYPE_A, answer);
	case MXRES_TYPE_AAAA:
		return parse_public(msg, len, qname, MXRES_TYPE_AAAA, answer);
	default:
		if (answer != NULL)
			*answer = NULL;
		return MXRES_INVAL;
	}
}
