/* SPDX-License-Identifier: ISC */
/*
 * parse.c: answers of good, careless and hostile servers, one named row
 * each.  A row is built into a message, parsed, and written out again as
 * one line of text; the same message is then cut at every length.
 */
#include "config.h"

#include "parse.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "faults.h"
#include "mxres.h"

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28,
    DNAME = 39, OPT = 41, TLSA = 52 };

/* Header flags: a recursive and an authoritative server, and neither. */
enum { RA = 0x8180, AA = 0x8500, LAME = 0x8100, TC = 0x0200, AD = 0x0020 };

#define MAXRECS	14

/*
 * One record.  DATA is a name, or octets in hexadecimal after '#'; an MX
 * has PREF before it, an SOA ends in the minimum PREF.
 */
struct rec {
	char		 section;	/* 'a'nswer, a'u'thority, a'd'ditional */
	const char	*owner;
	int		 type;
	uint32_t	 ttl;
	uint32_t	 pref;
	const char	*data;
	int		 class;		/* 0: IN */
};

struct row {
	const char	*name;
	int		 type;		/* asked */
	int		 flags;
	struct rec	 rec[MAXRECS];
	const char	*expect;
	/* what is wrong with the message, if anything */
	const char	*question;	/* NULL: that which was asked */
	int		 qdcount;	/* -1: none */
	int		 more;		/* added to the count of answers */
	size_t		 cut;		/* octets missing at the end */
	size_t		 extra;		/* octets too many */
};

static const char *const asked = "d.test";

struct msg {
	uint8_t	 p[65535];
	size_t	 len;
};

static void
put8(struct msg *m, unsigned int n)
{
	assert_true(m->len < sizeof(m->p));
	m->p[m->len++] = (uint8_t)n;
}

static void
put16(struct msg *m, unsigned int n)
{
	put8(m, n >> 8);
	put8(m, n & 0xff);
}

static void
put32(struct msg *m, uint32_t n)
{
	put16(m, n >> 16);
	put16(m, n & 0xffff);
}

static void
put_hex(struct msg *m, const char *s)
{
	unsigned int n;

	for (; *s != '\0'; s += 2) {
		assert_int_equal(sscanf(s, "%2x", &n), 1);
		put8(m, n);
	}
}

static void
put_name(struct msg *m, const char *s)
{
	size_t label, i;

	if (s[0] == '#') {
		put_hex(m, s + 1);
		return;
	}
	while (*s != '\0' && strcmp(s, ".") != 0) {
		label = strcspn(s, ".");
		put8(m, (unsigned int)label);
		for (i = 0; i < label; i++)
			put8(m, (unsigned char)s[i]);
		s += label;
		if (*s == '.')
			s++;
	}
	put8(m, 0);
}

static void
put_rdata(struct msg *m, const struct rec *rec)
{
	if (rec->data[0] == '#') {
		put_hex(m, rec->data + 1);
		return;
	}
	if (rec->type == MX)
		put16(m, rec->pref);
	put_name(m, rec->data);
	if (rec->type == SOA) {
		put_name(m, rec->data);
		put32(m, 1);
		put32(m, 2);
		put32(m, 3);
		put32(m, 4);
		put32(m, rec->pref);
	}
}

static void
put_rec(struct msg *m, const struct rec *rec)
{
	size_t at;

	put_name(m, rec->owner);
	put16(m, (unsigned int)rec->type);
	put16(m, rec->class == 0 ? 1 : (unsigned int)rec->class);
	put32(m, rec->ttl);
	at = m->len;
	put16(m, 0);
	put_rdata(m, rec);
	m->p[at] = (uint8_t)((m->len - at - 2) >> 8);
	m->p[at + 1] = (uint8_t)(m->len - at - 2);
}

static void
put_section(struct msg *m, const struct row *row, char section, size_t count)
{
	const struct rec *rec;
	unsigned int n = 0;

	for (rec = row->rec; rec < row->rec + MAXRECS; rec++)
		if (rec->section == section) {
			put_rec(m, rec);
			n++;
		}
	m->p[count] = (uint8_t)(n >> 8);
	m->p[count + 1] = (uint8_t)n;
}

static void
build(const struct row *row, struct msg *m)
{
	m->len = 0;
	put16(m, 0x1234);
	put16(m, (unsigned int)row->flags);
	put16(m, (unsigned int)(1 + row->qdcount));
	put16(m, 0);
	put32(m, 0);
	if (row->qdcount == 0) {
		put_name(m, row->question == NULL ? asked : row->question);
		put16(m, (unsigned int)row->type);
		put16(m, 1);
	}
	put_section(m, row, 'a', 6);
	put_section(m, row, 'u', 8);
	put_section(m, row, 'd', 10);
	m->p[7] = (uint8_t)(m->p[7] + row->more);
	m->len -= row->cut;
	memset(m->p + m->len, 0xff, row->extra);
	m->len += row->extra;
}

static const char *
status_word(enum mxres_status status)
{
	static const struct {
		enum mxres_status	 status;
		const char		*word;
	} words[] = {
		{ MXRES_OK, "ok" }, { MXRES_NODATA, "nodata" },
		{ MXRES_NULLMX, "nullmx" }, { MXRES_NXDOMAIN, "nxdomain" },
		{ MXRES_SERVFAIL, "servfail" }, { MXRES_REFUSED, "refused" },
		{ MXRES_BADRESP, "badresp" }
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].status == status)
			return words[i].word;
	return "?";
}

__attribute__((format(printf, 2, 3)))
static void
add(char text[2048], const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, 2048 - len, fmt, ap);
	va_end(ap);
}

/* "STATUS ttl=N [cname] [partial] RECORD... KIND:NOTE..." */
static void
write_out(const struct mxres_answer *a, char text[2048])
{
	char buf[INET6_ADDRSTRLEN];
	size_t i;

	text[0] = '\0';
	add(text, "%s ttl=%" PRIu32, status_word(a->status), a->ttl);
	if (a->flags & MXRES_F_CNAME)
		add(text, " cname=%s", a->cname);
	if (a->flags & MXRES_F_PARTIAL)
		add(text, " partial");
	for (i = 0; i < a->nmx; i++)
		add(text, " %u/%s", a->mx[i].pref, a->mx[i].host);
	for (i = 0; i < a->naddr; i++)
		add(text, " %s", inet_ntop(a->addr[i].family, a->addr[i].addr,
		    buf, sizeof(buf)));
	for (i = 0; i < a->ntlsa; i++)
		add(text, " %u-%u-%u/%zu%s", a->tlsa[i].usage,
		    a->tlsa[i].selector, a->tlsa[i].mtype, a->tlsa[i].len,
		    a->tlsa[i].usable ? "" : "!");
	for (i = 0; i < a->ntxt; i++) {
		assert_int_equal(a->txt[i].data[a->txt[i].len], '\0');
		add(text, " \"%s\"", (char *)a->txt[i].data);
	}
	for (i = 0; i < a->nptr; i++)
		add(text, " %s", a->ptr[i].host);
	for (i = 0; i < a->nnote; i++)
		add(text, " [%d:%s]", (int)a->note[i].kind, a->note[i].text);
}

/* As the public functions do, of which there is none for some types. */
static enum mxres_status
parse_any(const uint8_t *p, size_t len, int type, struct mxres_answer **a)
{
	switch (type) {
	case MX:
		return mxres_parse_mx(p, len, asked, a);
	case A:
	case AAAA:
		return mxres_parse_addr(p, len, asked, type, a);
	default:
		if ((*a = mxres_answer_new(asked)) == NULL)
			return MXRES_NOMEM;
		return mxres_answer_finish(a, mxres_parse(p, len,
		    (enum mxres_type)type, *a));
	}
}

/* A copy on the heap of just this length, for the sanitizer's sake. */
static enum mxres_status
parse_copy(const uint8_t *p, size_t len, int type, struct mxres_answer **a)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum mxres_status status;

	assert_non_null(copy);
	memcpy(copy, p, len);
	status = parse_any(copy, len, type, a);
	free(copy);
	return status;
}

#define D10 "000102030405060708ff"
#define D30 D10 D10 D10
#define D32 D30 "0a0b"
#define L10 "aaaaaaaaa."
#define L50 L10 L10 L10 L10 L10
#define L240 L50 L50 L50 L50 L10 L10 L10 L10

static const struct row rows[] = {
	/* what good servers say */
	{ "one mx", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "mx.d.test", 0 } },
	    "ok ttl=300 10/mx.d.test", NULL, 0, 0, 0, 0 },
	{ "order of the message, case folded", MX, RA, {
	    { 'a', "D.Test", MX, 300, 20, "B.test", 0 },
	    { 'a', "d.test", MX, 200, 10, "a.TEST", 0 } },
	    "ok ttl=200 20/b.test 10/a.test", NULL, 0, 0, 0, 0 },
	{ "compressed owner and target", MX, RA, {
	    { 'a', "#c00c", MX, 300, 0, "#000a026d78c00c", 0 } },
	    "ok ttl=300 10/mx.d.test", NULL, 0, 0, 0, 0 },
	{ "question in capitals", MX, RA, {
	    { 'a', "#c00c", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test", "D.TEST", 0, 0, 0, 0 },
	{ "authority and additional do not count", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 },
	    { 'u', "d.test", MX, 300, 5, "evil.test", 0 },
	    { 'd', "d.test", MX, 300, 5, "evil.test", 0 } },
	    "ok ttl=300 10/a.test", NULL, 0, 0, 0, 0 },
	{ "trailing octets", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test", NULL, 0, 0, 0, 4 },
	{ "a", A, RA, {
	    { 'a', "d.test", A, 300, 0, "#c0000201", 0 },
	    { 'a', "d.test", A, 100, 0, "#c0000202", 0 } },
	    "ok ttl=100 192.0.2.1 192.0.2.2", NULL, 0, 0, 0, 0 },
	{ "aaaa", AAAA, RA, {
	    { 'a', "d.test", AAAA, 300, 0,
	    "#20010db8000000000000000000000001", 0 } },
	    "ok ttl=300 2001:db8::1", NULL, 0, 0, 0, 0 },

	/* names that lead on */
	{ "cname", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "e.test", 0 },
	    { 'a', "e.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=50 cname=e.test 10/a.test", NULL, 0, 0, 0, 0 },
	{ "cname behind the records", MX, RA, {
	    { 'a', "e.test", MX, 300, 10, "a.test", 0 },
	    { 'a', "d.test", CNAME, 900, 0, "e.test", 0 } },
	    "ok ttl=300 cname=e.test 10/a.test", NULL, 0, 0, 0, 0 },
	{ "cname only", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "e.test", 0 } },
	    "nodata ttl=0 cname=e.test", NULL, 0, 0, 0, 0 },
	{ "cname only, soa", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "e.test", 0 },
	    { 'u', "test", SOA, 600, 60, "ns.test", 0 } },
	    "nodata ttl=50 cname=e.test", NULL, 0, 0, 0, 0 },
	{ "cname only, server that does not recurse", MX, AA, {
	    { 'a', "d.test", CNAME, 50, 0, "e.example", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "cname to nothing", MX, RA | 3, {
	    { 'a', "d.test", CNAME, 50, 0, "e.test", 0 },
	    { 'u', "test", SOA, 40, 60, "ns.test", 0 } },
	    "nxdomain ttl=40 cname=e.test", NULL, 0, 0, 0, 0 },
	{ "cname to itself", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "d.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "cname loop", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "e.test", 0 },
	    { 'a', "e.test", CNAME, 50, 0, "d.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "cname of another name", MX, RA, {
	    { 'a', "x.test", CNAME, 50, 0, "e.test", 0 },
	    { 'a', "e.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "cname of another class", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "e.test", 3 },
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test", NULL, 0, 0, 0, 0 },
	{ "cname without data", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "#", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "cname longer than its data", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "#0161", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "cname with odd characters", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "#03612f62047465737400", 0 } },
	    "nodata ttl=0 cname=a\\047b.test", NULL, 0, 0, 0, 0 },
	{ "ten links", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "1.test", 0 },
	    { 'a', "1.test", CNAME, 50, 0, "2.test", 0 },
	    { 'a', "2.test", CNAME, 50, 0, "3.test", 0 },
	    { 'a', "3.test", CNAME, 50, 0, "4.test", 0 },
	    { 'a', "4.test", CNAME, 50, 0, "5.test", 0 },
	    { 'a', "5.test", CNAME, 50, 0, "6.test", 0 },
	    { 'a', "6.test", CNAME, 50, 0, "7.test", 0 },
	    { 'a', "7.test", CNAME, 50, 0, "8.test", 0 },
	    { 'a', "8.test", CNAME, 50, 0, "9.test", 0 },
	    { 'a', "9.test", CNAME, 50, 0, "e.test", 0 },
	    { 'a', "e.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=50 cname=e.test 10/a.test", NULL, 0, 0, 0, 0 },
	{ "eleven links", MX, RA, {
	    { 'a', "d.test", CNAME, 50, 0, "1.test", 0 },
	    { 'a', "1.test", CNAME, 50, 0, "2.test", 0 },
	    { 'a', "2.test", CNAME, 50, 0, "3.test", 0 },
	    { 'a', "3.test", CNAME, 50, 0, "4.test", 0 },
	    { 'a', "4.test", CNAME, 50, 0, "5.test", 0 },
	    { 'a', "5.test", CNAME, 50, 0, "6.test", 0 },
	    { 'a', "6.test", CNAME, 50, 0, "7.test", 0 },
	    { 'a', "7.test", CNAME, 50, 0, "8.test", 0 },
	    { 'a', "8.test", CNAME, 50, 0, "9.test", 0 },
	    { 'a', "9.test", CNAME, 50, 0, "x.test", 0 },
	    { 'a', "x.test", CNAME, 50, 0, "e.test", 0 },
	    { 'a', "e.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "dname with its cname", MX, RA, {
	    { 'a', "test", DNAME, 70, 0, "example", 0 },
	    { 'a', "d.test", CNAME, 60, 0, "d.example", 0 },
	    { 'a', "d.example", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=60 cname=d.example 10/a.test", NULL, 0, 0, 0, 0 },
	{ "dname alone", MX, RA, {
	    { 'a', "test", DNAME, 70, 0, "example", 0 },
	    { 'a', "d.example", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=70 cname=d.example 10/a.test", NULL, 0, 0, 0, 0 },
	{ "dname of the name itself is none", MX, RA, {
	    { 'a', "d.test", DNAME, 70, 0, "example", 0 },
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test", NULL, 0, 0, 0, 0 },
	{ "dname beside the name", MX, RA, {
	    { 'a', "est", DNAME, 70, 0, "example", 0 },
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test", NULL, 0, 0, 0, 0 },
	{ "dname that makes too long a name", MX, RA, {
	    { 'a', "test", DNAME, 70, 0, L240 "aaaaaaaaaaaa", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },

	/* no records */
	{ "nxdomain", MX, RA | 3, {
	    { 'u', "test", SOA, 600, 60, "ns.test", 0 } },
	    "nxdomain ttl=60", NULL, 0, 0, 0, 0 },
	{ "nxdomain, no soa", MX, RA | 3, { { 0 } },
	    "nxdomain ttl=0", NULL, 0, 0, 0, 0 },
	{ "nxdomain with records", MX, RA | 3, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "nodata, soa", MX, LAME, {
	    { 'u', "test", SOA, 30, 60, "ns.test", 0 } },
	    "nodata ttl=30", NULL, 0, 0, 0, 0 },
	{ "nodata, soa of the root", MX, LAME, {
	    { 'u', ".", SOA, 600, 60, "ns.test", 0 } },
	    "nodata ttl=60", NULL, 0, 0, 0, 0 },
	{ "nodata, recursive", MX, RA, { { 0 } },
	    "nodata ttl=0", NULL, 0, 0, 0, 0 },
	{ "nodata, authoritative", MX, AA, { { 0 } },
	    "nodata ttl=0", NULL, 0, 0, 0, 0 },
	{ "lame", MX, LAME, { { 0 } }, "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "lame, with edns", MX, LAME, {
	    { 'd', ".", OPT, 0, 0, "#", 1232 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "soa of a stranger", MX, LAME, {
	    { 'u', "example", SOA, 600, 60, "ns.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "soa without data", MX, LAME, {
	    { 'u', "test", SOA, 600, 60, "#", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "soa with short data", MX, LAME, {
	    { 'u', "test", SOA, 600, 60, "#000000000001", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "soa in the wrong section", MX, LAME, {
	    { 'd', "test", SOA, 600, 60, "ns.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "soa minimum with its top bit set", MX, RA, {
	    { 'u', "test", SOA, 600, 0x80000001, "ns.test", 0 } },
	    "nodata ttl=0", NULL, 0, 0, 0, 0 },
	{ "referral", MX, LAME, {
	    { 'u', "test", NS, 600, 0, "ns.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "referral of a recursive server", MX, RA, {
	    { 'u', "test", NS, 600, 0, "ns.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "bad version of edns", MX, RA, {
	    { 'd', ".", OPT, 0x01000000, 0, "#", 1232 } },
	    "refused ttl=0", NULL, 0, 0, 0, 0 },
	{ "records of another owner only", MX, RA, {
	    { 'a', "x.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "records of another type only", MX, RA, {
	    { 'a', "d.test", TXT, 300, 0, "#0161", 0 } },
	    "nodata ttl=0", NULL, 0, 0, 0, 0 },
	{ "records of another class only", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 3 } },
	    "nodata ttl=0", NULL, 0, 0, 0, 0 },

	/* rcodes */
	{ "formerr", MX, RA | 1, { { 0 } }, "refused ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "servfail", MX, RA | 2, { { 0 } }, "servfail ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "notimp", MX, RA | 4, { { 0 } }, "refused ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "refused", MX, RA | 5, { { 0 } }, "refused ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "rcode 15", MX, RA | 15, { { 0 } }, "refused ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "servfail with records", MX, RA | 2, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "servfail ttl=0", NULL, 0, 0, 0, 0 },
	{ "refused without the question", MX, RA | 5, { { 0 } },
	    "refused ttl=0", NULL, -1, 0, 0, 0 },

	/* not our answer */
	{ "a query", MX, 0x0100, { { 0 } }, "badresp ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "another opcode", MX, RA | 0x2000, { { 0 } }, "badresp ttl=0",
	    NULL, 0, 0, 0, 0 },
	{ "truncated", MX, RA | TC, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "another question", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", "e.test", 0, 0, 0, 0 },
	{ "longer question", MX, RA, { { 0 } },
	    "badresp ttl=0", "d.test.x", 0, 0, 0, 0 },
	{ "question that ends nowhere", MX, RA, { { 0 } },
	    "badresp ttl=0", "#c00c", 0, 0, 0, 0 },
	{ "no question", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, -1, 0, 0, 0 },
	{ "nxdomain without the question", MX, RA | 3, { { 0 } },
	    "badresp ttl=0", NULL, -1, 0, 0, 0 },

	/* broken framing */
	{ "fewer records than announced", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 1, 0, 0 },
	{ "cut in the last record", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 },
	    { 'a', "d.test", MX, 300, 10, "b.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 1, 0 },
	{ "owner points to itself", MX, RA, {
	    { 'a', "#c018", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "owner points ahead", MX, RA, {
	    { 'a', "#c030", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "owner points into the header", MX, RA, {
	    { 'a', "#c000", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "owner with a reserved kind of label", MX, RA, {
	    { 'a', "#41c00c", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "owner of 256 octets", MX, RA, {
	    { 'a', L240 "aaaaaaaaaaaaaaa.", MX, 300, 10, "a.test", 0 } },
	    "badresp ttl=0", NULL, 0, 0, 0, 0 },
	{ "unrelated owner of 255 octets", MX, RA, {
	    { 'a', L240 "aaaaaaaaaaaa.", MX, 300, 10, "b.test", 0 },
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test", NULL, 0, 0, 0, 0 },

	/* records of impossible data */
	{ "mx of 0 octets", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#", 0 } },
	    "badresp ttl=0 [1:MX record with 0 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx of 1 octet", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#00", 0 } },
	    "badresp ttl=0 [1:MX record with 1 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx of 2 octets", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#000a", 0 } },
	    "badresp ttl=0 [1:MX record with 2 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx name longer than its data", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#000a0561", 0 } },
	    "badresp ttl=0 [1:MX record with 4 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx name without its end", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#000a0161", 0 },
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test [1:MX record with 4 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx with octets behind the name", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#000a01610000", 0 } },
	    "badresp ttl=0 [1:MX record with 6 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx with half a pointer", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, "#000ac0", 0 } },
	    "badresp ttl=0 [1:MX record with 3 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx name points to itself", MX, RA, {
	    { 'a', "#c00c", MX, 300, 0, "#000ac026", 0 } },
	    "badresp ttl=0 [1:MX record with 4 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx name points to its own label", MX, RA, {
	    { 'a', "#c00c", MX, 300, 0, "#000a0161c026", 0 } },
	    "badresp ttl=0 [1:MX record with 6 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "mx null beside a malformed one is no proof", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, ".", 0 },
	    { 'a', "d.test", MX, 300, 0, "#00", 0 } },
	    "badresp ttl=0 [1:MX record with 1 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "a of 3 octets", A, RA, {
	    { 'a', "d.test", A, 300, 0, "#c00002", 0 } },
	    "badresp ttl=0 [1:A record with 3 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "a of 5 octets beside a good one", A, RA, {
	    { 'a', "d.test", A, 300, 0, "#c000020102", 0 },
	    { 'a', "d.test", A, 300, 0, "#c0000202", 0 } },
	    "ok ttl=300 192.0.2.2 [1:A record with 5 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "aaaa of 4 octets", AAAA, RA, {
	    { 'a', "d.test", AAAA, 300, 0, "#c0000201", 0 } },
	    "badresp ttl=0 [1:AAAA record with 4 octets of data]",
	    NULL, 0, 0, 0, 0 },

	/* targets */
	{ "null mx", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, ".", 0 } },
	    "nullmx ttl=300", NULL, 0, 0, 0, 0 },
	{ "null mx of another preference", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, ".", 0 } },
	    "nullmx ttl=300", NULL, 0, 0, 0, 0 },
	{ "null mx beside another", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, ".", 0 },
	    { 'a', "d.test", MX, 300, 10, "a.test", 0 } },
	    "ok ttl=300 10/a.test [4:MX 0 .]", NULL, 0, 0, 0, 0 },
	{ "null mx beside an address", MX, RA, {
	    { 'a', "d.test", MX, 300, 0, ".", 0 },
	    { 'a', "d.test", MX, 300, 10, "192.0.2.1", 0 } },
	    "ok ttl=300 [3:MX 10 192.0.2.1] [4:MX 0 .]", NULL, 0, 0, 0, 0 },
	{ "target is an ipv4 address", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "192.0.2.1", 0 } },
	    "ok ttl=300 [3:MX 10 192.0.2.1]", NULL, 0, 0, 0, 0 },
	{ "target is an ipv6 address", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "2001:db8::1", 0 } },
	    "ok ttl=300 [3:MX 10 2001:db8::1]", NULL, 0, 0, 0, 0 },
	{ "target is an address in brackets", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "[192.0.2.1]", 0 } },
	    "ok ttl=300 [3:MX 10 [192.0.2.1]]", NULL, 0, 0, 0, 0 },
	{ "target is a number", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "0x7f000001", 0 } },
	    "ok ttl=300 [3:MX 10 0x7f000001]", NULL, 0, 0, 0, 0 },
	{ "targets with characters of the shell", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a b$(x)`y`.test", 0 },
	    { 'a', "d.test", MX, 300, 20, "b.test", 0 } },
	    "ok ttl=300 20/b.test "
	    "[2:MX 10 a\\032b\\036\\040x\\041\\096y\\096.test]",
	    NULL, 0, 0, 0, 0 },
	{ "target with a dot, a NUL and 8 bits in its labels", MX, RA, {
	    { 'a', "d.test", MX, 300, 0,
	    "#000a05612e0a00ff047465737400", 0 } },
	    "ok ttl=300 [2:MX 10 a\\046\\010\\000\\255.test]",
	    NULL, 0, 0, 0, 0 },
	{ "target with an underscore", MX, RA, {
	    { 'a', "d.test", MX, 300, 10, "a_b.test", 0 } },
	    "ok ttl=300 10/a_b.test", NULL, 0, 0, 0, 0 },
	{ "duplicates, the better one last", MX, RA, {
	    { 'a', "d.test", MX, 300, 20, "a.test", 0 },
	    { 'a', "d.test", MX, 300, 15, "b.test", 0 },
	    { 'a', "d.test", MX, 200, 10, "A.test", 0 } },
	    "ok ttl=200 10/a.test 15/b.test [5:MX 10 a.test]",
	    NULL, 0, 0, 0, 0 },
	{ "ttl with its top bit set", MX, RA, {
	    { 'a', "d.test", MX, 0x80000000, 10, "a.test", 0 } },
	    "ok ttl=0 10/a.test", NULL, 0, 0, 0, 0 },
	{ "greatest ttl", MX, RA, {
	    { 'a', "d.test", MX, 0x7fffffff, 10, "a.test", 0 } },
	    "ok ttl=2147483647 10/a.test", NULL, 0, 0, 0, 0 },

	/* addresses that lead nowhere */
	{ "loopback beside a good one", A, RA, {
	    { 'a', "d.test", A, 300, 0, "#7f000001", 0 },
	    { 'a', "d.test", A, 300, 0, "#c0000201", 0 } },
	    "ok ttl=300 192.0.2.1 [7:127.0.0.1]", NULL, 0, 0, 0, 0 },
	{ "loopback only", A, RA, {
	    { 'a', "d.test", A, 300, 0, "#7f000001", 0 } },
	    "nodata ttl=300 [7:127.0.0.1]", NULL, 0, 0, 0, 0 },
	{ "mapped loopback", AAAA, RA, {
	    { 'a', "d.test", AAAA, 300, 0,
	    "#00000000000000000000ffff7f000001", 0 } },
	    "nodata ttl=300 [7:::ffff:127.0.0.1]", NULL, 0, 0, 0, 0 },

	/* TLSA: what is malformed or unknown is unusable, never absent */
	{ "tlsa", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#030101" D32, 0 },
	    { 'a', "d.test", TLSA, 300, 0, "#020002" D32 D32, 0 },
	    { 'a', "d.test", TLSA, 300, 0, "#0301005a", 0 } },
	    "ok ttl=300 3-1-1/32 2-0-2/64 3-1-0/1",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 0 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#", 0 } },
	    "badresp ttl=0 [1:TLSA record with 0 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 1 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#03", 0 } },
	    "badresp ttl=0 [1:TLSA record with 1 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 2 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#0301", 0 } },
	    "badresp ttl=0 [1:TLSA record with 2 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 3 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#030101", 0 } },
	    "badresp ttl=0 [1:TLSA record with 3 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 4 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#030101ff", 0 } },
	    "ok ttl=300 3-1-1/1!",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 34 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#030101" D30 "00", 0 } },
	    "ok ttl=300 3-1-1/31!",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 36 octets", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#030101" D32 "00", 0 } },
	    "ok ttl=300 3-1-1/33!",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of 3 octets beside a good one", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#030101", 0 },
	    { 'a', "d.test", TLSA, 300, 0, "#030101" D32, 0 } },
	    "ok ttl=300 0-0-0/0! 3-1-1/32 "
	    "[1:TLSA record with 3 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of unknown usage, selector and matching type", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#040101" D32, 0 },
	    { 'a', "d.test", TLSA, 300, 0, "#030201" D32, 0 },
	    { 'a', "d.test", TLSA, 300, 0, "#030103" D32, 0 } },
	    "ok ttl=300 4-1-1/32! 3-2-1/32! 3-1-3/32!",
	    NULL, 0, 0, 0, 0 },
	{ "tlsa of usages that a mailer will not use", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#000101" D32, 0 },
	    { 'a', "d.test", TLSA, 300, 0, "#010101" D32, 0 } },
	    "ok ttl=300 0-1-1/32 1-1-1/32",
	    NULL, 0, 0, 0, 0 },

	/* TXT: strings are joined */
	{ "txt of two strings, and of one", TXT, RA, {
	    { 'a', "d.test", TXT, 300, 0, "#03763d310161", 0 },
	    { 'a', "d.test", TXT, 300, 0, "#0162", 0 } },
	    "ok ttl=300 \"v=1a\" \"b\"",
	    NULL, 0, 0, 0, 0 },
	{ "txt of an empty string", TXT, RA, {
	    { 'a', "d.test", TXT, 300, 0, "#00", 0 } },
	    "ok ttl=300 \"\"",
	    NULL, 0, 0, 0, 0 },
	{ "txt of no string", TXT, RA, {
	    { 'a', "d.test", TXT, 300, 0, "#", 0 } },
	    "badresp ttl=0 [1:TXT record with 0 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "txt whose string overruns it", TXT, RA, {
	    { 'a', "d.test", TXT, 300, 0, "#0261", 0 } },
	    "badresp ttl=0 [1:TXT record with 2 octets of data]",
	    NULL, 0, 0, 0, 0 },
	{ "txt whose second string overruns it, beside a good one", TXT, RA, {
	    { 'a', "d.test", TXT, 300, 0, "#016101", 0 },
	    { 'a', "d.test", TXT, 300, 0, "#0162", 0 } },
	    "ok ttl=300 \"b\" [1:TXT record with 3 octets of data]",
	    NULL, 0, 0, 0, 0 },

	/* PTR: names, of hosts */
	{ "ptr, two of them", PTR, RA, {
	    { 'a', "d.test", PTR, 300, 0, "#0141047465737400", 0 },
	    { 'a', "d.test", PTR, 300, 0, "#0162c00c", 0 } },
	    "ok ttl=300 a.test b.d.test",
	    NULL, 0, 0, 0, 0 },
	{ "ptr to the root, and to no name of a host", PTR, RA, {
	    { 'a', "d.test", PTR, 300, 0, "#00", 0 },
	    { 'a', "d.test", PTR, 300, 0, "#0321212100", 0 } },
	    "nodata ttl=300 [2:.] [2:\\033\\033\\033]",
	    NULL, 0, 0, 0, 0 },
	{ "ptr of no data", PTR, RA, {
	    { 'a', "d.test", PTR, 300, 0, "#", 0 } },
	    "badresp ttl=0 [1:PTR record with 0 octets of data]",
	    NULL, 0, 0, 0, 0 }
};

static void
test_parse_rows(void **state)
{
	static struct msg m;
	struct mxres_answer *a;
	char text[2048];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(&rows[i], &m);
		(void)parse_copy(m.p, m.len, rows[i].type, &a);
		assert_non_null(a);
		write_out(a, text);
		mxres_answer_free(a);
		if (strcmp(text, rows[i].expect) != 0)
			fail_msg("%s:\n  got  %s\n  want %s", rows[i].name,
			    text, rows[i].expect);
	}
}

/*
 * A good answer cut anywhere is a failure, or, where whole records remain
 * as announced, the answer; it is never read beyond its end.
 */
static void
test_parse_cut(void **state)
{
	static struct msg m;
	struct mxres_answer *a;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(&rows[i], &m);
		for (len = 0; len < m.len; len++) {
			(void)parse_copy(m.p, len, rows[i].type, &a);
			assert_non_null(a);
			assert_int_not_equal(a->status, MXRES_INVAL);
			mxres_answer_free(a);
		}
	}
	build(&rows[0], &m);
	for (len = 0; len < m.len; len++) {
		assert_int_equal(parse_copy(m.p, len, MX, &a), MXRES_BADRESP);
		mxres_answer_free(a);
	}
}

/* Every octet of every row with every bit turned: no crash, no leak. */
static void
test_parse_flipped(void **state)
{
	static struct msg m;
	struct mxres_answer *a;
	size_t i, bit;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(&rows[i], &m);
		for (bit = 0; bit < m.len * 8; bit++) {
			m.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			(void)parse_copy(m.p, m.len, rows[i].type, &a);
			assert_non_null(a);
			mxres_answer_free(a);
			m.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

/* The octets are those of the record, not their like. */
static void
test_parse_tlsa_data(void **state)
{
	static const struct row row = { "", TLSA, RA, {
	    { 'a', "d.test", TLSA, 300, 0, "#03010100ff1000", 0 } },
	    NULL, NULL, 0, 0, 0, 0 };
	static struct msg m;
	struct mxres_answer *a;

	(void)state;
	build(&row, &m);
	assert_int_equal(parse_copy(m.p, m.len, TLSA, &a), MXRES_OK);
	assert_int_equal(a->ntlsa, 1);
	assert_int_equal(a->tlsa[0].ttl, 300);
	assert_int_equal(a->tlsa[0].len, 4);
	assert_memory_equal(a->tlsa[0].data, "\0\xff\x10\0", 4);
	mxres_answer_free(a);
}

/* N records of TYPE with the octets of HEX. */
static void
build_copies(struct msg *m, unsigned int n, int type, const char *hex)
{
	struct row row = { .type = type, .flags = RA };
	struct rec rec = { 'a', "#c00c", type, 300, 0, hex, 0 };
	unsigned int i;

	build(&row, m);
	for (i = 0; i < n; i++)
		put_rec(m, &rec);
	m->p[6] = (uint8_t)(n >> 8);
	m->p[7] = (uint8_t)n;
}

static void
test_parse_caps_tlsa_and_txt(void **state)
{
	static struct msg m;
	struct mxres_answer *a;

	(void)state;
	build_copies(&m, 64, TLSA, "#030100ff");
	assert_int_equal(parse_copy(m.p, m.len, TLSA, &a), MXRES_OK);
	assert_int_equal(a->ntlsa, 64);
	assert_int_equal(a->flags, 0);
	mxres_answer_free(a);
	build_copies(&m, 65, TLSA, "#030100ff");
	assert_int_equal(parse_copy(m.p, m.len, TLSA, &a), MXRES_OK);
	assert_int_equal(a->ntlsa, 64);
	assert_int_equal(a->flags, MXRES_F_PARTIAL);
	assert_string_equal(a->note[0].text,
	    "more than 64, the others are ignored");
	mxres_answer_free(a);
	build_copies(&m, 1000, TXT, "#0161");
	assert_int_equal(parse_copy(m.p, m.len, TXT, &a), MXRES_OK);
	assert_int_equal(a->ntxt, 64);
	assert_int_equal(a->flags, MXRES_F_PARTIAL);
	mxres_answer_free(a);
}

/* One TXT record of N octets of text, in strings as long as can be. */
static void
build_long_txt(struct msg *m, unsigned int n)
{
	struct row row = { .type = TXT, .flags = RA };
	unsigned int i, len;

	build(&row, m);
	m->p[7] = 1;
	put16(m, 0xc00c);
	put16(m, TXT);
	put16(m, 1);
	put32(m, 300);
	put16(m, n + (n + 254) / 255);
	for (; n > 0; n -= len) {
		len = n < 255 ? n : 255;
		put8(m, len);
		for (i = 0; i < len; i++)
			put8(m, 'a');
	}
}

static void
test_parse_long_txt(void **state)
{
	static struct msg m;
	struct mxres_answer *a;

	(void)state;
	build_long_txt(&m, 4096);
	assert_int_equal(parse_copy(m.p, m.len, TXT, &a), MXRES_OK);
	assert_int_equal(a->txt[0].len, 4096);
	assert_int_equal(strlen((char *)a->txt[0].data), 4096);
	mxres_answer_free(a);
	build_long_txt(&m, 4097);
	assert_int_equal(parse_copy(m.p, m.len, TXT, &a), MXRES_BADRESP);
	mxres_answer_free(a);
	build_long_txt(&m, 60000);
	assert_int_equal(parse_copy(m.p, m.len, TXT, &a), MXRES_BADRESP);
	mxres_answer_free(a);
}

/* N records MX PREF(i) mxI.test, in 16 bits of count. */
static void
build_many(struct msg *m, unsigned int n, unsigned int (*pref)(unsigned int))
{
	char name[32];
	struct row row = { .type = MX, .flags = RA };
	struct rec rec = { 'a', "#c00c", MX, 300, 0, name, 0 };
	unsigned int i;

	build(&row, m);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "x%x", i);
		rec.pref = pref(i);
		put_rec(m, &rec);
	}
	m->p[6] = (uint8_t)(n >> 8);
	m->p[7] = (uint8_t)n;
}

static unsigned int
falling(unsigned int i)
{
	return 5000 - i;
}

static unsigned int
same(unsigned int i)
{
	(void)i;
	return 10;
}

static void
test_parse_keeps_the_best_hundred(void **state)
{
	static struct msg m;
	struct mxres_answer *a;
	size_t i;

	(void)state;
	build_many(&m, 3000, falling);
	assert_int_equal(parse_copy(m.p, m.len, MX, &a), MXRES_OK);
	assert_int_equal(a->nmx, MXRES_MAXMX);
	assert_int_equal(a->flags, MXRES_F_PARTIAL);
	assert_int_equal(a->nnote, 1);
	assert_int_equal(a->note[0].kind, MXRES_NOTE_TOOMANY);
	for (i = 0; i < a->nmx; i++)
		assert_int_equal(a->mx[i].pref, 5000 - 2900 - i);
	mxres_answer_free(a);
}

static void
test_parse_keeps_the_first_of_equals(void **state)
{
	static struct msg m;
	struct mxres_answer *a;

	(void)state;
	build_many(&m, 100, same);
	assert_int_equal(parse_copy(m.p, m.len, MX, &a), MXRES_OK);
	assert_int_equal(a->nmx, 100);
	assert_int_equal(a->flags, 0);
	mxres_answer_free(a);
	build_many(&m, 101, same);
	assert_int_equal(parse_copy(m.p, m.len, MX, &a), MXRES_OK);
	assert_int_equal(a->nmx, 100);
	assert_int_equal(a->flags, MXRES_F_PARTIAL);
	assert_string_equal(a->mx[0].host, "x0");
	assert_string_equal(a->mx[99].host, "x63");
	mxres_answer_free(a);
}

/* An MX whose owner is the question's name, HOPS pointers away. */
static void
build_pointers(struct msg *m, unsigned int hops)
{
	struct row row = { .type = MX, .flags = RA };
	struct rec mx = { 'a', "", MX, 300, 10, "a.test", 0 };
	char owner[16];
	unsigned int i, to = 12;

	build(&row, m);
	m->p[7] = 2;
	put_name(m, ".");
	put16(m, TXT);
	put16(m, 1);
	put32(m, 300);
	put16(m, 2 * (hops - 1));
	for (i = 1; i < hops; i++) {
		put16(m, 0xc000 | to);
		to = (unsigned int)m->len - 2;
	}
	snprintf(owner, sizeof(owner), "#%04x", 0xc000 | to);
	mx.owner = owner;
	put_rec(m, &mx);
}

/* A name of 255 octets has no use for more pointers than labels. */
static void
test_parse_bounds_pointers(void **state)
{
	static struct msg m;
	struct mxres_answer *a;

	(void)state;
	build_pointers(&m, 127);
	assert_int_equal(parse_copy(m.p, m.len, MX, &a), MXRES_OK);
	assert_string_equal(a->mx[0].host, "a.test");
	mxres_answer_free(a);
	build_pointers(&m, 128);
	assert_int_equal(parse_copy(m.p, m.len, MX, &a), MXRES_BADRESP);
	mxres_answer_free(a);
}

/* Without memory at any point: NULL, MXRES_NOMEM, no leak. */
static void
test_parse_without_memory(void **state)
{
	static struct msg m;
	struct mxres_answer *a;
	enum mxres_status status;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(&rows[i], &m);
		for (n = 1;; n++) {
			faults_begin(n);
			status = parse_any(m.p, m.len, rows[i].type, &a);
			if (!faults_end())
				break;
			assert_int_equal(status, MXRES_NOMEM);
			assert_null(a);
		}
		assert_int_not_equal(status, MXRES_NOMEM);
		assert_true(n > 1);
		mxres_answer_free(a);
	}
}

static void
test_parse_arguments(void **state)
{
	static const unsigned char octets[12];
	struct mxres_answer *a;

	(void)state;
	a = (struct mxres_answer *)&a;
	assert_int_equal(mxres_parse_mx(NULL, 0, asked, &a), MXRES_INVAL);
	assert_null(a);
	assert_int_equal(mxres_parse_mx(octets, 12, "a..b", &a), MXRES_INVAL);
	assert_int_equal(mxres_parse_mx(octets, 12, NULL, &a), MXRES_INVAL);
	assert_int_equal(mxres_parse_mx(octets, 65536, asked, &a),
	    MXRES_INVAL);
	assert_int_equal(mxres_parse_mx(octets, 12, asked, NULL), MXRES_INVAL);
	assert_int_equal(mxres_parse_addr(octets, 12, asked, MX, &a),
	    MXRES_INVAL);
	assert_int_equal(mxres_parse_mx(octets, 0, asked, &a), MXRES_BADRESP);
	assert_int_equal(a->rcode, -1);
	assert_string_equal(a->qname, asked);
	assert_string_equal(a->cname, asked);
	mxres_answer_free(a);
	mxres_answer_free(NULL);
}

/* Whether AD is believed is for query.c to say, which knows the server. */
static void
test_parse_ad_is_never_believed(void **state)
{
	static struct msg m;
	struct mxres_answer *a;

	(void)state;
	build(&rows[0], &m);
	m.p[3] |= AD;
	assert_true(mxres_msg_ad(m.p));
	assert_int_equal(parse_copy(m.p, m.len, MX, &a), MXRES_OK);
	assert_int_equal(a->flags, 0);
	assert_int_equal(a->rcode, 0);
	mxres_answer_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_rows),
		cmocka_unit_test(test_parse_cut),
		cmocka_unit_test(test_parse_flipped),
		cmocka_unit_test(test_parse_tlsa_data),
		cmocka_unit_test(test_parse_caps_tlsa_and_txt),
		cmocka_unit_test(test_parse_long_txt),
		cmocka_unit_test(test_parse_keeps_the_best_hundred),
		cmocka_unit_test(test_parse_keeps_the_first_of_equals),
		cmocka_unit_test(test_parse_bounds_pointers),
		cmocka_unit_test(test_parse_without_memory),
		cmocka_unit_test(test_parse_arguments),
		cmocka_unit_test(test_parse_ad_is_never_believed),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
