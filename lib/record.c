/* SPDX-License-Identifier: ISC */
/*
 * The data of the records that answer a question: MX (RFC 1035 section
 * 3.3.9), A, AAAA, TLSA (RFC 6698 section 2.1), TXT, PTR.  A record of
 * impossible data is left out with a note, and if no good one remains that is
 * a failure, never "no such record".
 */
#include "config.h"

#include "record.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "name.h"

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/*
 * A record of impossible RDATA.  The note tells what was found instead of
 * guessing what was meant.
 */
static int
skip_malformed(const struct mxres_rr *rr, const char *type,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	char text[64];

	tally->malformed++;
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
typedef int reader(const struct mxres_msg *, const struct mxres_rr *,
	    struct mxres_answer *, struct mxres_tally *);

static int
read_mx(const struct mxres_msg *m, const struct mxres_rr *rr,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	struct mxres_wname name;
	char text[MXRES_ESCMAX];
	uint16_t pref;

	if (!mxres_wire_rdata_name(m, rr, 2, &name))
		return skip_malformed(rr, "MX", a, tally);
	pref = mxres_wire_16(m->p + rr->rdata);
	if (name.len == 1) {
		tally->nullmx++;
		tally->nullpref = pref;
		return 0;
	}
	/* a name from the wire is in small letters already */
	if (mxres_name_text(name.wire, text) &&
	    mxres_name(text, text, MXRES_TEXTMAX) == 0)
		return add_mx(a, text, pref, rr->ttl);
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
read_a(const struct mxres_msg *m, const struct mxres_rr *rr,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	if (rr->rdlen != 4)
		return skip_malformed(rr, "A", a, tally);
	return add_addr(a, AF_INET, m->p + rr->rdata, 4, rr->ttl);
}

static int
read_aaaa(const struct mxres_msg *m, const struct mxres_rr *rr,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	if (rr->rdlen != 16)
		return skip_malformed(rr, "AAAA", a, tally);
	return add_addr(a, AF_INET6, m->p + rr->rdata, 16, rr->ttl);
}

/*
 * Whether a client could match anything with the record: its selector and
 * matching type are those of RFC 6698 sections 2.1.2 and 2.1.3, and a digest
 * is as long as it must be.
 */
static bool
tlsa_usable(const struct mxres_tlsa *t)
{
	switch (t->mtype) {
	case 0:
		break;
	case 1:
		if (t->len != 32)
			return false;
		break;
	case 2:
		if (t->len != 64)
			return false;
		break;
	default:
		return false;
	}
	return t->usage <= 3 && t->selector <= 1;
}

/*
 * One too short to be any is listed as well: a host that published something
 * by which to authenticate it has not published nothing.
 */
static int
read_tlsa(const struct mxres_msg *m, const struct mxres_rr *rr,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	const uint8_t *p = m->p + rr->rdata;
	struct mxres_tlsa *t;

	if (a->ntlsa >= MXRES_MAXTLSA) {
		a->flags |= MXRES_F_PARTIAL;
		return 0;
	}
	if ((t = grow(a->tlsa, a->ntlsa, sizeof(*t))) == NULL)
		return -1;
	a->tlsa = t;
	t += a->ntlsa++;
	memset(t, 0, sizeof(*t));
	t->ttl = rr->ttl;
	if (rr->rdlen < 4)
		return skip_malformed(rr, "TLSA", a, tally);
	t->usage = p[0];
	t->selector = p[1];
	t->mtype = p[2];
	t->len = rr->rdlen - 3;
	if ((t->data = malloc(t->len)) == NULL)
		return -1;
	memcpy(t->data, p + 3, t->len);
	t->usable = tlsa_usable(t);
	return 0;
}

/*
 * The length of the strings of a TXT record joined (RFC 1035 section 3.3.14),
 * which are copied to OUT if it is not NULL; -1 if they overrun the record.
 */
static ssize_t
join_strings(const uint8_t *p, size_t len, unsigned char *out)
{
	size_t n = 0, off;

	for (off = 0; off < len; off += p[off] + 1u) {
		if (p[off] >= len - off)
			return -1;
		if (out != NULL)
			memcpy(out + n, p + off + 1, p[off]);
		n += p[off];
	}
	return len == 0 ? -1 : (ssize_t)n;
}

static int
read_txt(const struct mxres_msg *m, const struct mxres_rr *rr,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	ssize_t len = join_strings(m->p + rr->rdata, rr->rdlen, NULL);
	struct mxres_txt *t;

	if (len == -1 || len > MXRES_MAXTXTLEN)
		return skip_malformed(rr, "TXT", a, tally);
	if (a->ntxt >= MXRES_MAXTXT) {
		a->flags |= MXRES_F_PARTIAL;
		return 0;
	}
	if ((t = grow(a->txt, a->ntxt, sizeof(*t))) == NULL)
		return -1;
	a->txt = t;
	t += a->ntxt;
	if ((t->data = malloc((size_t)len + 1)) == NULL)
		return -1;
	(void)join_strings(m->p + rr->rdata, rr->rdlen, t->data);
	t->data[len] = '\0';
	t->len = (size_t)len;
	t->ttl = rr->ttl;
	a->ntxt++;
	return 0;
}

/* A name that no host can have is one that nobody can look up. */
static int
read_ptr(const struct mxres_msg *m, const struct mxres_rr *rr,
    struct mxres_answer *a, struct mxres_tally *tally)
{
	struct mxres_wname name;
	struct mxres_ptr *ptr;
	char text[MXRES_ESCMAX];

	if (!mxres_wire_rdata_name(m, rr, 0, &name))
		return skip_malformed(rr, "PTR", a, tally);
	if (!mxres_name_text(name.wire, text) ||
	    mxres_name(text, text, MXRES_TEXTMAX) == -1)
		return mxres_answer_note(a, MXRES_NOTE_BADHOST, text);
	if (a->nptr >= MXRES_MAXPTR) {
		a->flags |= MXRES_F_PARTIAL;
		return 0;
	}
	if ((ptr = grow(a->ptr, a->nptr, sizeof(*ptr))) == NULL)
		return -1;
	a->ptr = ptr;
	ptr += a->nptr;
	if ((ptr->host = strdup(text)) == NULL)
		return -1;
	ptr->ttl = rr->ttl;
	a->nptr++;
	return 0;
}

static const struct kind {
	enum mxres_type	 type;
	reader		*read;
	int		 max;		/* how many are kept */
} kinds[] = {
	{ MXRES_TYPE_MX,	read_mx,	MXRES_MAXMX },
	{ MXRES_TYPE_A,		read_a,		MXRES_MAXADDR },
	{ MXRES_TYPE_AAAA,	read_aaaa,	MXRES_MAXADDR },
	{ MXRES_TYPE_TLSA,	read_tlsa,	MXRES_MAXTLSA },
	{ MXRES_TYPE_TXT,	read_txt,	MXRES_MAXTXT },
	{ MXRES_TYPE_PTR,	read_ptr,	MXRES_MAXPTR }
};

static const struct kind *
find_kind(enum mxres_type type)
{
	const struct kind *k = kinds;

	while (k->type != type)
		k++;
	return k;
}

int
mxres_record_read(const struct mxres_msg *m, enum mxres_type type,
    const struct mxres_rr *rr, struct mxres_answer *a,
    struct mxres_tally *tally)
{
	return find_kind(type)->read(m, rr, a, tally);
}

static int
note_toomany(enum mxres_type type, struct mxres_answer *a)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "more than %d, the others are "
	    "ignored", find_kind(type)->max);
	return mxres_answer_note(a, MXRES_NOTE_TOOMANY, text);
}

static enum mxres_status
conclude_mx(const struct mxres_tally *tally, struct mxres_answer *a)
{
	if (tally->nullmx == 0)
		return MXRES_OK;
	if (a->nmx == 0 && a->nnote == 0)
		return MXRES_NULLMX;
	/* RFC 7505 section 3 forbids the mixture; the others count. */
	if (note_host(a, MXRES_NOTE_NULLMIX, tally->nullpref, ".") == -1)
		return MXRES_NOMEM;
	return MXRES_OK;
}

enum mxres_status
mxres_record_conclude(enum mxres_type type, const struct mxres_tally *tally,
    struct mxres_answer *a)
{
	size_t good = a->nmx + a->naddr + a->ntlsa + a->ntxt + a->nptr;

	if ((a->flags & MXRES_F_PARTIAL) && note_toomany(type, a) == -1)
		return MXRES_NOMEM;
	if (type == MXRES_TYPE_TLSA)
		good -= tally->malformed;
	if (good == 0 && tally->malformed > 0)
		return MXRES_BADRESP;
	if (type == MXRES_TYPE_MX)
		return conclude_mx(tally, a);
	/* There were records, but of addresses none that is of use. */
	return good > 0 ? MXRES_OK : MXRES_NODATA;
}
