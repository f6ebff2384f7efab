/* SPDX-License-Identifier: ISC */
/*
 * A DNS message (RFC 1035 section 4) -> the records that answer a question.
 * The octets come from whoever can send us a packet.  Only the answer
 * section counts, only the names on the CNAME chain of the question, only
 * the class IN.  A message that breaks the rules of framing is refused
 * whole; a record with impossible RDATA is left out with a note, and if no
 * good one remains that is a failure, never "no such record".
 */
#include "config.h"

#include "parse.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "name.h"

#define MAXLINKS	10	/* CNAMEs that are followed */
#define MAXHOPS		127	/* pointers in a name; it has fewer labels */

enum {
	CLASS_IN = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3
};

struct name {
	uint8_t	 wire[MXRES_WIREMAX];
	size_t	 len;
};

/* A message and where its answer section begins. */
struct msg {
	const uint8_t	*p;
	size_t		 len;
	size_t		 answer;
	uint16_t	 ancount;
	uint16_t	 nscount;
	uint16_t	 arcount;
	struct name	 name;		/* the end of the chain so far */
	unsigned int	 links;		/* its length */
	uint32_t	 ttl;		/* least of the links and records */
	unsigned int	 malformed;	/* records of the type, left out */
	unsigned int	 strangers;	/* the same, of another owner */
	unsigned int	 nullmx;	/* exchanges "." */
	uint16_t	 nullpref;
};

struct rr {
	struct name	 owner;
	uint16_t	 type;
	uint16_t	 class;
	uint32_t	 ttl;
	size_t		 rdata;		/* offset in the message */
	size_t		 rdlen;
};

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 2181 section 8: with the top bit set it is to be taken as 0. */
static uint32_t
get_ttl(const uint8_t *p)
{
	uint32_t ttl = get32(p);

	return ttl > INT32_MAX ? 0 : ttl;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint16_t
mxres_msg_id(const uint8_t *p)
{
	return get16(p);
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

static bool
is_authoritative(const uint8_t *p)
{
	return (p[2] & 0x04) != 0;
}

static bool
is_recursive(const uint8_t *p)
{
	return (p[3] & 0x80) != 0;
}

/*
 * Reads the name at OFF, which ends before END unless a pointer leads
 * away.  A pointer must lead to before the labels it ends, so that no
 * message makes us go round, and the pointers are counted, so that none
 * keeps us busy.  Returns the offset behind the name, or 0.
 */
static size_t
get_name(const struct msg *m, size_t off, size_t end, struct name *name)
{
	size_t start = off, next = 0, n = 0, i, label;
	unsigned int hops = 0;
	uint8_t c;

	for (;;) {
		if (off >= end)
			return 0;
		label = m->p[off];
		if (label >= 0xc0) {
			if (end - off < 2 || ++hops > MAXHOPS)
				return 0;
			if (next == 0)
				next = off + 2;
			off = get16(m->p + off) & 0x3fff;
			if (off >= start || off < MXRES_HEADERLEN)
				return 0;
			start = off;
			end = m->len;
			continue;
		}
		if (label > 63 || label >= end - off ||
		    n + label + 1 > sizeof(name->wire))
			return 0;
		name->wire[n++] = (uint8_t)label;
		for (i = 1; i <= label; i++) {
			c = m->p[off + i];
			if (c >= 'A' && c <= 'Z')
				c = (uint8_t)(c - 'A' + 'a');
			name->wire[n++] = c;
		}
		off += label + 1;
		if (label == 0)
			break;
	}
	name->len = n;
	return next != 0 ? next : off;
}

/* The record at *OFF; moves *OFF behind it. */
static bool
get_rr(const struct msg *m, size_t *off, struct rr *rr)
{
	size_t at = get_name(m, *off, m->len, &rr->owner);

	if (at == 0 || m->len - at < 10)
		return false;
	rr->type = get16(m->p + at);
	rr->class = get16(m->p + at + 2);
	rr->ttl = get_ttl(m->p + at + 4);
	rr->rdlen = get16(m->p + at + 8);
	rr->rdata = at + 10;
	if (rr->rdlen > m->len - rr->rdata)
		return false;
	*off = rr->rdata + rr->rdlen;
	return true;
}

/* The name that fills RDATA from SKIP octets on to its end exactly. */
static bool
get_rdata_name(const struct msg *m, const struct rr *rr, size_t skip,
    struct name *name)
{
	size_t end = rr->rdata + rr->rdlen, next;

	if (rr->rdlen <= skip)
		return false;
	next = get_name(m, rr->rdata + skip, end, name);
	return next != 0 && next == end;
}

static bool
name_equals(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

/* Whether NAME is PARENT or below it; *PREFIX is what is on top of it. */
static bool
name_below(const struct name *name, const struct name *parent, size_t *prefix)
{
	size_t off = 0;

	while (name->len - off > parent->len)
		off += name->wire[off] + 1;
	*prefix = off;
	return name->len - off == parent->len &&
	    memcmp(name->wire + off, parent->wire, parent->len) == 0;
}

/* RFC 6672 section 2.2: replaces the end of *NAME; false if too long. */
static bool
dname_apply(struct name *name, size_t prefix, const struct name *target)
{
	if (prefix + target->len > sizeof(name->wire))
		return false;
	memcpy(name->wire + prefix, target->wire, target->len);
	name->len = prefix + target->len;
	return true;
}

/*
 * The CNAME of m->name, or else the DNAME above it, whose CNAME a server
 * should have added.  1: followed, 0: there is none, -1: malformed.
 */
static int
follow_link(struct msg *m)
{
	struct name dname = { .len = 0 }, target;
	struct rr rr;
	size_t off = m->answer, prefix = 0, p;
	uint32_t ttl = 0;
	unsigned int i;

	for (i = 0; i < m->ancount; i++) {
		if (!get_rr(m, &off, &rr))
			return -1;
		if (rr.class != CLASS_IN)
			continue;
		if (rr.type == TYPE_CNAME && name_equals(&rr.owner, &m->name)) {
			if (!get_rdata_name(m, &rr, 0, &m->name))
				return -1;
			m->ttl = least(m->ttl, rr.ttl);
			return 1;
		}
		if (rr.type == TYPE_DNAME && dname.len == 0 &&
		    name_below(&m->name, &rr.owner, &p) && p > 0) {
			if (!get_rdata_name(m, &rr, 0, &dname))
				return -1;
			prefix = p;
			ttl = rr.ttl;
		}
	}
	if (dname.len == 0)
		return 0;
	target = m->name;
	if (!dname_apply(&target, prefix, &dname))
		return -1;
	m->name = target;
	m->ttl = least(m->ttl, ttl);
	return 1;
}

static bool
follow_chain(struct msg *m)
{
	int r;

	while ((r = follow_link(m)) == 1)
		if (++m->links > MAXLINKS)
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
note_soa(const struct msg *m, const struct rr *rr, struct proof *proof)
{
	struct name name;
	size_t off, end = rr->rdata + rr->rdlen, p;

	if (!name_below(&m->name, &rr->owner, &p))
		return;
	if ((off = get_name(m, rr->rdata, end, &name)) == 0 || off > end ||
	    (off = get_name(m, off, end, &name)) == 0 || off > end ||
	    end - off != 20)
		return;
	proof->soa = true;
	proof->ttl = least(rr->ttl, get_ttl(m->p + off + 16));
}

static bool
get_proof(const struct msg *m, size_t off, struct proof *proof)
{
	struct rr rr;
	unsigned int i;

	memset(proof, 0, sizeof(*proof));
	for (i = 0; i < (unsigned int)m->nscount + m->arcount; i++) {
		if (!get_rr(m, &off, &rr))
			return false;
		if (i < m->nscount) {
			if (rr.type == TYPE_SOA && rr.class == CLASS_IN)
				note_soa(m, &rr, proof);
			proof->ns = proof->ns || rr.type == TYPE_NS;
		} else if (rr.type == TYPE_OPT && rr.owner.len == 1)
			proof->failed = m->p[rr.rdata - 6] != 0;
	}
	return true;
}

/* No record of the type at m->name; the answer section ends at OFF. */
static enum mxres_status
parse_negative(const struct msg *m, size_t off, struct mxres_answer *a)
{
	struct proof proof;

	if (!get_proof(m, off, &proof))
		return MXRES_BADRESP;
	if (proof.failed)
		return MXRES_REFUSED;
	a->ttl = proof.soa ? least(m->ttl, proof.ttl) : 0;
	if (mxres_msg_rcode(m->p) == RCODE_NXDOMAIN)
		return MXRES_NXDOMAIN;
	if (proof.soa || (is_recursive(m->p) && !proof.ns))
		return MXRES_NODATA;
	/*
	 * An authoritative server that does not recurse knows the first
	 * link of a chain but perhaps not what is at its end.
	 */
	if (is_authoritative(m->p) && m->links == 0)
		return MXRES_NODATA;
	return MXRES_BADRESP;
}

/*
 * A record of impossible RDATA.  The note tells what was found instead of
 * guessing what was meant.
 */
static int
skip_malformed(struct msg *m, const struct rr *rr, const char *type,
    struct mxres_answer *a)
{
	char text[64];

	m->malformed++;
	(void)snprintf(text, sizeof(text), "%s record with %zu octets of data",
	    type, rr->rdlen);
	return mxres_answer_note(a, MXRES_NOTE_MALFORMED, text);
}

static int
note_host(struct mxres_answer *a, enum mxres_note_kind kind, uint16_t pref,
    const char *host)
{
	char text[MXRES_ESCMAX + 16];

	(void)snprintf(text, sizeof(text), "MX %" PRIu16 " %s", pref, host);
	return mxres_answer_note(a, kind, text);
}

/* The one to lose when there are too many: last among the worst. */
static size_t
worst(const struct mxres_answer *a)
{
	size_t i, w = 0;

	for (i = 1; i < a->nmx; i++)
		if (a->mx[i].pref >= a->mx[w].pref)
			w = i;
	return w;
}

/*
 * Makes room for one more exchange of PREF.  False if it is to be left out,
 * as those that are kept are as good.
 */
static bool
make_room(struct mxres_answer *a, uint16_t pref)
{
	size_t w;

	if (a->nmx < MXRES_MAXMX)
		return true;
	a->flags |= MXRES_F_PARTIAL;
	w = worst(a);
	if (a->mx[w].pref <= pref)
		return false;
	free(a->mx[w].host);
	a->nmx--;
	memmove(a->mx + w, a->mx + w + 1, (a->nmx - w) * sizeof(*a->mx));
	return true;
}

static struct mxres_mx *
find_host(const struct mxres_answer *a, const char *host)
{
	size_t i;

	for (i = 0; i < a->nmx; i++)
		if (strcmp(a->mx[i].host, host) == 0)
			return &a->mx[i];
	return NULL;
}

/* Room for records is made in steps of powers of two from four on. */
static void *
grow(void *array, size_t n, size_t size)
{
	if (n != 0 && (n < 4 || (n & (n - 1)) != 0))
		return array;
	return reallocarray(array, n < 4 ? 4 : n * 2, size);
}

static int
add_mx(struct mxres_answer *a, const char *host, uint16_t pref, uint32_t ttl)
{
	struct mxres_mx *mx;

	if ((mx = find_host(a, host)) != NULL) {
		if (pref < mx->pref)
			mx->pref = pref;
		mx->ttl = least(mx->ttl, ttl);
		return note_host(a, MXRES_NOTE_DUPLICATE, pref, host);
	}
	if (!make_room(a, pref))
		return 0;
	if ((mx = grow(a->mx, a->nmx, sizeof(*mx))) == NULL)
		return -1;
	a->mx = mx;
	mx += a->nmx;
	if ((mx->host = strdup(host)) == NULL)
		return -1;
	mx->pref = pref;
	mx->ttl = ttl;
	a->nmx++;
	return 0;
}

/* What a reader of a record does with it; -1: no memory. */
typedef int reader(struct msg *, const struct rr *, struct mxres_answer *);

static int
read_mx(struct msg *m, const struct rr *rr, struct mxres_answer *a)
{
	struct name name;
	char text[MXRES_ESCMAX], host[MXRES_TEXTMAX];
	uint16_t pref;

	if (!get_rdata_name(m, rr, 2, &name))
		return skip_malformed(m, rr, "MX", a);
	pref = get16(m->p + rr->rdata);
	if (name.len == 1) {
		m->nullmx++;
		m->nullpref = pref;
		return 0;
	}
	if (mxres_name_text(name.wire, text) &&
	    mxres_name(text, host, sizeof(host)) == 0)
		return add_mx(a, host, pref, rr->ttl);
	if (mxres_name_isaddress(text))
		return note_host(a, MXRES_NOTE_ADDRESS, pref, text);
	return note_host(a, MXRES_NOTE_BADHOST, pref, text);
}

static int
add_addr(struct mxres_answer *a, int family, const uint8_t *addr, size_t len,
    uint32_t ttl)
{
	struct mxres_addr *ap;
	char text[INET6_ADDRSTRLEN];

	if (!mxres_addr_usable(family, addr)) {
		if (inet_ntop(family, addr, text, sizeof(text)) == NULL)
			return -1;
		return mxres_answer_note(a, MXRES_NOTE_BADADDR, text);
	}
	if (a->naddr >= MXRES_MAXADDR) {
		a->flags |= MXRES_F_PARTIAL;
		return 0;
	}
	if ((ap = grow(a->addr, a->naddr, sizeof(*ap))) == NULL)
		return -1;
	a->addr = ap;
	ap += a->naddr++;
	memset(ap, 0, sizeof(*ap));
	ap->family = family;
	ap->ttl = ttl;
	memcpy(ap->addr, addr, len);
	return 0;
}

static int
read_a(struct msg *m, const struct rr *rr, struct mxres_answer *a)
{
	if (rr->rdlen != 4)
		return skip_malformed(m, rr, "A", a);
	return add_addr(a, AF_INET, m->p + rr->rdata, 4, rr->ttl);
}

static int
read_aaaa(struct msg *m, const struct rr *rr, struct mxres_answer *a)
{
	if (rr->rdlen != 16)
		return skip_malformed(m, rr, "AAAA", a);
	return add_addr(a, AF_INET6, m->p + rr->rdata, 16, rr->ttl);
}

static const struct kind {
	enum mxres_type	 type;
	reader		*read;
} kinds[] = {
	{ MXRES_TYPE_MX,	read_mx },
	{ MXRES_TYPE_A,		read_a },
	{ MXRES_TYPE_AAAA,	read_aaaa }
};

static reader *
find_reader(enum mxres_type type)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type)
			return kinds[i].read;
	return NULL;
}

/*
 * Reads all records of TYPE at the end of the chain; *OFF ends up behind
 * the answer section, *FOUND is their number, good or not.
 */
static enum mxres_status
collect(struct msg *m, enum mxres_type type, struct mxres_answer *a,
    size_t *off, unsigned int *found)
{
	struct rr rr;
	reader *read = find_reader(type);
	unsigned int i;

	*off = m->answer;
	*found = 0;
	for (i = 0; i < m->ancount; i++) {
		if (!get_rr(m, off, &rr))
			return MXRES_BADRESP;
		if (rr.type != type || rr.class != CLASS_IN)
			continue;
		if (!name_equals(&rr.owner, &m->name)) {
			m->strangers++;
			continue;
		}
		++*found;
		m->ttl = least(m->ttl, rr.ttl);
		if (read(m, &rr, a) == -1)
			return MXRES_NOMEM;
	}
	return MXRES_OK;
}

static int
note_toomany(struct mxres_answer *a)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "more than %d, the others are "
	    "ignored", a->nmx > 0 ? MXRES_MAXMX : MXRES_MAXADDR);
	return mxres_answer_note(a, MXRES_NOTE_TOOMANY, text);
}

/* There were records of the type; what do they say together? */
static enum mxres_status
conclude(const struct msg *m, enum mxres_type type, struct mxres_answer *a)
{
	a->ttl = m->ttl;
	if ((a->flags & MXRES_F_PARTIAL) && note_toomany(a) == -1)
		return MXRES_NOMEM;
	if (a->nmx == 0 && a->naddr == 0 && m->malformed > 0)
		return MXRES_BADRESP;
	if (type != MXRES_TYPE_MX)
		return a->naddr > 0 ? MXRES_OK : MXRES_NODATA;
	if (m->nullmx == 0)
		return MXRES_OK;
	if (a->nmx == 0 && a->nnote == 0)
		return MXRES_NULLMX;
	/* RFC 7505 section 3 forbids the mixture; the others count. */
	if (note_host(a, MXRES_NOTE_NULLMIX, m->nullpref, ".") == -1)
		return MXRES_NOMEM;
	return MXRES_OK;
}

/* The question must be ours, octet by octet but for the case. */
static bool
read_question(struct msg *m, enum mxres_type type, const char *qname)
{
	struct name asked;
	size_t off;

	m->name.len = mxres_name_wire(qname, m->name.wire);
	if (get16(m->p + 4) != 1)
		return false;
	off = get_name(m, MXRES_HEADERLEN, m->len, &asked);
	if (off == 0 || m->len - off < 4 || !name_equals(&asked, &m->name))
		return false;
	m->answer = off + 4;
	return get16(m->p + off) == type && get16(m->p + off + 2) == CLASS_IN;
}

/* Some servers send an error without the question. */
static bool
is_bare_error(const uint8_t *p)
{
	int rcode = mxres_msg_rcode(p);

	return get16(p + 4) == 0 && rcode != 0 && rcode != RCODE_NXDOMAIN;
}

static enum mxres_status
read_header(struct msg *m, enum mxres_type type, struct mxres_answer *a)
{
	if (m->len < MXRES_HEADERLEN || !mxres_msg_is_reply(m->p) ||
	    (m->p[2] & 0x78) != 0)
		return MXRES_BADRESP;
	if (!read_question(m, type, a->qname) && !is_bare_error(m->p))
		return MXRES_BADRESP;
	m->ancount = get16(m->p + 6);
	m->nscount = get16(m->p + 8);
	m->arcount = get16(m->p + 10);
	a->rcode = mxres_msg_rcode(m->p);
	switch (a->rcode) {
	case 0:
	case RCODE_NXDOMAIN:
		return mxres_msg_truncated(m->p) ? MXRES_BADRESP : MXRES_OK;
	case RCODE_SERVFAIL:
		return MXRES_SERVFAIL;
	default:
		return MXRES_REFUSED;
	}
}

/* Stores where the CNAMEs led to; false without memory. */
static bool
set_cname(const struct msg *m, struct mxres_answer *a)
{
	char text[MXRES_ESCMAX];

	if (m->links == 0)
		return true;
	(void)mxres_name_text(m->name.wire, text);
	if (strcmp(text, a->qname) != 0)
		a->flags |= MXRES_F_CNAME;
	return (a->cname = strdup(text)) != NULL;
}

static enum mxres_status
parse(struct msg *m, enum mxres_type type, struct mxres_answer *a)
{
	enum mxres_status status;
	size_t off;
	unsigned int found;

	if ((status = read_header(m, type, a)) != MXRES_OK)
		return status;
	if (!follow_chain(m))
		return MXRES_BADRESP;
	if (!set_cname(m, a))
		return MXRES_NOMEM;
	if ((status = collect(m, type, a, &off, &found)) != MXRES_OK)
		return status;
	/* records that nobody asked for instead of ours prove nothing */
	if (found == 0 && m->strangers > 0)
		return MXRES_BADRESP;
	if (found == 0)
		return parse_negative(m, off, a);
	if (a->rcode == RCODE_NXDOMAIN)
		return MXRES_BADRESP;
	return conclude(m, type, a);
}

enum mxres_status
mxres_parse(const uint8_t *msg, size_t len, enum mxres_type type,
    struct mxres_answer *a)
{
	struct msg m = { .p = msg, .len = len, .ttl = UINT32_MAX };
	enum mxres_status status = parse(&m, type, a);

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
