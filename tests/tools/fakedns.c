/* SPDX-License-Identifier: ISC */
/*
 * A DNS server that does what a script says, for tests: right answers, and
 * those that real servers refuse to give.
 *
 *	fakedns [-p PORT] [-l LOG] [-a ADDRESS]... SCRIPT
 *
 * It serves UDP and TCP on 127.0.0.1 and ::1, or on the ADDRESSes, prints
 * "ready PORT" when it can be asked (PORT 0, the default: a free one), and
 * runs until a signal ends it.  LOG gets a line "name type udp|tcp" for
 * each query as it arrives.  It acts like a recursive server: RA is set,
 * CNAMEs are followed within the script, a name without a line does not
 * exist, and a type without a line is an empty answer with an SOA.
 *
 * A line of SCRIPT is NAME TYPE WORD...; # begins a comment.  NAME may be
 * "*.suffix" or "*", TYPE may be ANY; the most exact line counts.  Lines
 * with the same NAME and TYPE add up.  \DDD in a name is an octet, "..." a
 * word with blanks.  The words:
 *
 *	MX PREF NAME	A ADDR	AAAA ADDR	CNAME NAME	DNAME NAME
 *	NS NAME		TXT TEXT	TLSA U S M HEX
 *	SOA MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM
 *	RAW TYPE HEX	a record with any data; - is no data at all
 *	LOOP PREF	an MX whose name is a pointer to itself
 *	ttl=N owner=NAME class=N section=an|ns|ar
 *			of the records that follow on the line
 *	gen=N		N MX records, "1 mx1.NAME" and so on
 *	nxdomain, servfail, refused, rcode=N
 *	nosoa		an empty answer has no SOA
 *	lame		aa=0 ra=0 nosoa
 *	aa=0|1 ra=0|1 ad=0|1	header flags; default ra=1
 *	noopt		ignore EDNS: no OPT record in the reply
 *	formerr-edns	rcode 1 if the query has an OPT record
 *	extrcode=N	upper octet of the RCODE, in the OPT record
 *	drop=N		no reply to the first N queries over UDP
 *	silent		no reply over UDP
 *	delay=MS	wait before the reply
 *	tc		over UDP only TC and the question (so is, without
 *			this word, what is longer than the client takes)
 *	tcall		TC over TCP too
 *	wrongid, wrongq, noq	the id is not the client's; the question is
 *			another one; there is none
 *	rubbish=N	N octets behind the message
 *	cut=N		only the first N octets
 *	packet=HEX	the whole message, but for the id
 *	tcp=silent	accept, read, say nothing
 *	tcp=close	close instead of replying; tcp=reset: with an RST
 *	tcp=wrongid	the id is not the client's
 *	tcp=drip	one octet every 200 ms
 *	tcp=half	close after half of the message
 *	tcp=long	announce more octets than come, then say nothing
 *	tcp=short	announce half of what comes
 *	tcp=zero	announce no octets at all
 *	tcp=garbage	announce 65535 octets, send a few, close
 */
#include "config.h"

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MSGSIZE		65535
#define MAXWORDS	2048
#define MAXSOCKETS	16
#define MAXCHAIN	16

enum {
	TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6,
	TYPE_PTR = 12, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28,
	TYPE_DNAME = 39, TYPE_OPT = 41,
	TYPE_TLSA = 52, TYPE_ANY = 255
};

enum section { AN, NS, AR, NSECTIONS };

enum tcpmode {
	TCP_SERVE, TCP_SILENT, TCP_CLOSE, TCP_RESET, TCP_DRIP, TCP_HALF,
	TCP_LONG, TCP_SHORT, TCP_ZERO, TCP_GARBAGE, TCP_WRONGID
};

struct bytes {
	uint8_t	*p;
	size_t	 len;
};

struct rr {
	struct rr	*next;
	struct bytes	 owner;		/* wire form; len 0: the name asked */
	int		 type;
	int		 class;
	uint32_t	 ttl;
	enum section	 section;
	bool		 loop;
	struct bytes	 rdata;
};

/* Everything but the records; all int, for the table of words. */
struct behaviour {
	int	 rcode, nosoa, aa, ra, ad, noopt, formerr_edns, extrcode;
	int	 drop, silent, delay, tc, tcall, wrongid, wrongq, noq;
	int	 rubbish, cut, gen, tcp;
};

struct entry {
	struct entry	*next;
	char		*name;		/* lower case, no final dot */
	int		 type;
	struct rr	*rr;
	struct behaviour b;
	struct bytes	 packet;
};

/* A message under construction. */
struct out {
	uint8_t	 p[MSGSIZE];
	size_t	 len;
	int	 count[NSECTIONS];
};

struct query {
	uint8_t	 p[MSGSIZE];
	size_t	 len;
	size_t	 qlen;			/* header and question */
	char	 name[1025];
	int	 type;
	bool	 edns;
	size_t	 size;			/* what the client takes over UDP */
};

static struct entry *entries;
static const char *script;
static unsigned int lineno;
static int logfd = -1;

static const struct {
	const char	*name;
	int		 type;
} types[] = {
	{ "A", TYPE_A }, { "AAAA", TYPE_AAAA }, { "ANY", TYPE_ANY },
	{ "CNAME", TYPE_CNAME }, { "DNAME", TYPE_DNAME }, { "MX", TYPE_MX },
	{ "NS", TYPE_NS }, { "PTR", TYPE_PTR }, { "SOA", TYPE_SOA },
	{ "TLSA", TYPE_TLSA }, { "TXT", TYPE_TXT }
};

#define B(field)	offsetof(struct behaviour, field)
#define FROM_ARG	(-1)
/* VALUE FROM_ARG: the word is NAME=N. */
static const struct {
	const char	*name;
	size_t		 offset;
	int		 value;
} words[] = {
	{ "rcode", B(rcode), FROM_ARG }, { "nxdomain", B(rcode), 3 },
	{ "servfail", B(rcode), 2 }, { "refused", B(rcode), 5 },
	{ "nosoa", B(nosoa), 1 }, { "aa", B(aa), FROM_ARG },
	{ "ra", B(ra), FROM_ARG }, { "ad", B(ad), FROM_ARG },
	{ "noopt", B(noopt), 1 }, { "formerr-edns", B(formerr_edns), 1 },
	{ "extrcode", B(extrcode), FROM_ARG }, { "drop", B(drop), FROM_ARG },
	{ "silent", B(silent), 1 }, { "delay", B(delay), FROM_ARG },
	{ "tc", B(tc), 1 }, { "tcall", B(tcall), 1 },
	{ "wrongid", B(wrongid), 1 }, { "wrongq", B(wrongq), 1 },
	{ "noq", B(noq), 1 }, { "rubbish", B(rubbish), FROM_ARG },
	{ "cut", B(cut), FROM_ARG }, { "gen", B(gen), FROM_ARG },
	{ "tcp=silent", B(tcp), TCP_SILENT },
	{ "tcp=close", B(tcp), TCP_CLOSE }, { "tcp=reset", B(tcp), TCP_RESET },
	{ "tcp=drip", B(tcp), TCP_DRIP }, { "tcp=half", B(tcp), TCP_HALF },
	{ "tcp=long", B(tcp), TCP_LONG }, { "tcp=short", B(tcp), TCP_SHORT },
	{ "tcp=zero", B(tcp), TCP_ZERO }, { "tcp=garbage", B(tcp), TCP_GARBAGE },
	{ "tcp=wrongid", B(tcp), TCP_WRONGID }
};

__attribute__((noreturn, format(printf, 1, 2)))
static void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "fakedns: ");
	if (lineno != 0)
		fprintf(stderr, "%s:%u: ", script, lineno);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

static void *
must(void *p)
{
	if (p == NULL)
		die("out of memory");
	return p;
}

static long
number(const char *s, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || n < 0 || n > max)
		die("not a number from 0 to %ld: %s", max, s);
	return n;
}

/* --- octets ------------------------------------------------------------- */

static void
put(struct bytes *b, const void *p, size_t len)
{
	b->p = must(realloc(b->p, b->len + len + 1));
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
}

static void
put16(struct bytes *b, long n)
{
	uint8_t p[2] = { (uint8_t)(n >> 8), (uint8_t)n };

	put(b, p, 2);
}

static void
put32(struct bytes *b, long n)
{
	put16(b, n >> 16 & 0xffff);
	put16(b, n & 0xffff);
}

static void
put_hex(struct bytes *b, const char *s)
{
	unsigned int n;
	uint8_t c;

	if (strcmp(s, "-") == 0)
		return;
	for (; *s != '\0'; s += 2) {
		if (!isxdigit((unsigned char)s[0]) ||
		    !isxdigit((unsigned char)s[1]) ||
		    sscanf(s, "%2x", &n) != 1)
			die("not pairs of hexadecimal digits: %s", s);
		c = (uint8_t)n;
		put(b, &c, 1);
	}
}

/* One octet of a name at *S, which moves on. */
static uint8_t
name_octet(const char **s)
{
	const char *p = *s;

	if (p[0] == '\\' && isdigit((unsigned char)p[1]) &&
	    isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[3])) {
		*s += 4;
		return (uint8_t)((p[1] - '0') * 100 + (p[2] - '0') * 10 +
		    (p[3] - '0'));
	}
	++*s;
	return (uint8_t)*p;
}

static void
put_name(struct bytes *b, const char *s)
{
	uint8_t label[64];

	while (*s != '\0' && strcmp(s, ".") != 0) {
		label[0] = 0;
		while (*s != '\0' && *s != '.') {
			if (label[0] == 63)
				die("label of more than 63 octets");
			label[++label[0]] = name_octet(&s);
		}
		put(b, label, (size_t)label[0] + 1);
		if (*s == '.')
			s++;
	}
	put(b, "", 1);
}

static void
put_address(struct bytes *b, int family, const char *s)
{
	uint8_t addr[16];

	if (inet_pton(family, s, addr) != 1)
		die("not an address: %s", s);
	put(b, addr, family == AF_INET ? 4 : 16);
}

/* --- the script --------------------------------------------------------- */

static int
find_type(const char *s)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, s) == 0)
			return types[i].type;
	return 0;
}

static const char *
type_text(int type, char buf[16])
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	snprintf(buf, 16, "TYPE%d", type);
	return buf;
}

static char *
lower(const char *s)
{
	char *copy = must(strdup(s)), *p;
	size_t len = strlen(copy);

	for (p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (len > 1 && copy[len - 1] == '.')
		copy[len - 1] = '\0';
	return copy;
}

static struct entry *
get_entry(const char *name, int type)
{
	struct entry *e, **end;
	char *key = lower(name);

	for (end = &entries; (e = *end) != NULL; end = &e->next)
		if (e->type == type && strcmp(e->name, key) == 0) {
			free(key);
			return e;
		}
	*end = e = must(calloc(1, sizeof(*e)));
	e->name = key;
	e->type = type;
	e->b.ra = 1;
	return e;
}

/* The words of a line, one after the other. */
struct line {
	char	*word[MAXWORDS];
	size_t	 n;
	size_t	 at;
};

static const char *
next_word(struct line *line)
{
	if (line->at >= line->n)
		die("something is missing at the end of the line");
	return line->word[line->at++];
}

static void
split(char *s, struct line *line)
{
	char quote;

	memset(line, 0, sizeof(*line));
	for (;;) {
		s += strspn(s, " \t\r\n");
		if (*s == '\0' || *s == '#')
			return;
		if (line->n == MAXWORDS)
			die("too many words");
		quote = *s == '"' ? *s++ : '\0';
		line->word[line->n++] = s;
		s += strcspn(s, quote ? "\"" : " \t\r\n");
		if (*s == '\0')
			return;
		*s++ = '\0';
	}
}

static void
read_rdata(struct line *line, int type, struct bytes *b)
{
	const char *s;
	uint8_t len;
	int i;

	switch (type) {
	case TYPE_MX:
		put16(b, number(next_word(line), 65535));
		put_name(b, next_word(line));
		break;
	case TYPE_CNAME:
	case TYPE_DNAME:
	case TYPE_NS:
		put_name(b, next_word(line));
		break;
	case TYPE_A:
		put_address(b, AF_INET, next_word(line));
		break;
	case TYPE_AAAA:
		put_address(b, AF_INET6, next_word(line));
		break;
	case TYPE_TXT:
		s = next_word(line);
		len = (uint8_t)strnlen(s, 255);
		put(b, &len, 1);
		put(b, s, len);
		break;
	case TYPE_TLSA:
		for (i = 0; i < 3; i++) {
			len = (uint8_t)number(next_word(line), 255);
			put(b, &len, 1);
		}
		put_hex(b, next_word(line));
		break;
	case TYPE_SOA:
		put_name(b, next_word(line));
		put_name(b, next_word(line));
		for (i = 0; i < 5; i++)
			put32(b, number(next_word(line), UINT32_MAX));
		break;
	default:
		die("no such type of record");
	}
}

/* What owner=, ttl= and the like say about the records that follow. */
struct defaults {
	const char	*owner;
	uint32_t	 ttl;
	int		 class;
	enum section	 section;
};

static struct rr *
add_rr(struct entry *e, const struct defaults *d)
{
	struct rr *rr = must(calloc(1, sizeof(*rr))), **end;

	for (end = &e->rr; *end != NULL; end = &(*end)->next)
		;
	*end = rr;
	if (d->owner != NULL)
		put_name(&rr->owner, d->owner);
	rr->ttl = d->ttl;
	rr->class = d->class;
	rr->section = d->section;
	return rr;
}

static bool
read_default(const char *word, struct defaults *d)
{
	if (strncmp(word, "ttl=", 4) == 0)
		d->ttl = (uint32_t)number(word + 4, UINT32_MAX);
	else if (strncmp(word, "owner=", 6) == 0)
		d->owner = word + 6;
	else if (strncmp(word, "class=", 6) == 0)
		d->class = (int)number(word + 6, 65535);
	else if (strcmp(word, "section=an") == 0)
		d->section = AN;
	else if (strcmp(word, "section=ns") == 0)
		d->section = NS;
	else if (strcmp(word, "section=ar") == 0)
		d->section = AR;
	else
		return false;
	return true;
}

static bool
read_behaviour(const char *word, struct behaviour *b)
{
	size_t i, len;
	int *field;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		field = (int *)(void *)((char *)b + words[i].offset);
		len = strlen(words[i].name);
		if (words[i].value != FROM_ARG &&
		    strcmp(word, words[i].name) == 0)
			*field = words[i].value;
		else if (words[i].value == FROM_ARG && word[len] == '=' &&
		    strncmp(word, words[i].name, len) == 0)
			*field = (int)number(word + len + 1, 1000000);
		else
			continue;
		return true;
	}
	return false;
}

static void
read_record(struct line *line, const char *word, struct entry *e,
    const struct defaults *d)
{
	struct rr *rr;
	int type = find_type(word);

	if (type == 0 && strcmp(word, "RAW") != 0 && strcmp(word, "LOOP") != 0)
		die("unknown word: %s", word);
	rr = add_rr(e, d);
	if (strcmp(word, "RAW") == 0) {
		word = next_word(line);
		if ((rr->type = find_type(word)) == 0)
			rr->type = (int)number(word, 65535);
		put_hex(&rr->rdata, next_word(line));
	} else if (strcmp(word, "LOOP") == 0) {
		rr->type = TYPE_MX;
		rr->loop = true;
		put16(&rr->rdata, number(next_word(line), 65535));
	} else {
		rr->type = type;
		read_rdata(line, type, &rr->rdata);
	}
}

static void
read_line(struct line *line)
{
	struct defaults d = { .ttl = 300, .class = 1 };
	struct entry *e;
	const char *name, *word;
	int type;

	name = next_word(line);
	word = next_word(line);
	if ((type = find_type(word)) == 0)
		type = (int)number(word, 65535);
	e = get_entry(name, type);
	while (line->at < line->n) {
		word = next_word(line);
		if (strcmp(word, "lame") == 0) {
			e->b.ra = 0;
			e->b.nosoa = 1;
		} else if (strncmp(word, "packet=", 7) == 0)
			put_hex(&e->packet, word + 7);
		else if (!read_default(word, &d) &&
		    !read_behaviour(word, &e->b))
			read_record(line, word, e, &d);
	}
}

static void
read_script(const char *path)
{
	static struct line line;
	FILE *fp;
	char *s = NULL;
	size_t size = 0;

	script = path;
	if ((fp = fopen(path, "r")) == NULL)
		die("%s: %s", path, strerror(errno));
	while (getline(&s, &size, fp) != -1) {
		lineno++;
		split(s, &line);
		if (line.n > 0)
			read_line(&line);
	}
	lineno = 0;
	free(s);
	fclose(fp);
}

/* --- answers ------------------------------------------------------------ */

static struct entry *
exact(const char *name, int type)
{
	struct entry *e;

	for (e = entries; e != NULL; e = e->next)
		if ((type == 0 || e->type == type) &&
		    strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

/* The entry for TYPE of the pattern NAME; *EXISTS if it has any. */
static struct entry *
at_pattern(const char *name, int type, bool *exists)
{
	struct entry *e;

	if (exact(name, 0) != NULL)
		*exists = true;
	if ((e = exact(name, type)) != NULL ||
	    (e = exact(name, TYPE_ANY)) != NULL)
		return e;
	return exact(name, TYPE_CNAME);
}

static struct entry *
find_entry(const char *name, int type, bool *exists)
{
	struct entry *e;
	const char *p;
	char pattern[1030];

	*exists = false;
	e = at_pattern(name, type, exists);
	for (p = strchr(name, '.'); e == NULL && !*exists && p != NULL;
	    p = strchr(p + 1, '.')) {
		snprintf(pattern, sizeof(pattern), "*%s", p);
		e = at_pattern(pattern, type, exists);
	}
	if (e == NULL && !*exists)
		e = at_pattern("*", type, exists);
	return e;
}

static void
emit(struct out *out, const void *p, size_t len)
{
	if (len > sizeof(out->p) - out->len)
		len = sizeof(out->p) - out->len;
	if (len > 0)
		memcpy(out->p + out->len, p, len);
	out->len += len;
}

static void
emit16(struct out *out, long n)
{
	uint8_t p[2] = { (uint8_t)(n >> 8), (uint8_t)n };

	emit(out, p, 2);
}

/* OWNER NULL: the name that was asked, as a pointer to the question. */
static void
emit_rr(struct out *out, const struct bytes *owner, int type, int class,
    uint32_t ttl, const struct bytes *rdata, enum section section)
{
	static const uint8_t question[] = { 0xc0, 12 };

	if (owner == NULL)
		emit(out, question, 2);
	else
		emit(out, owner->p, owner->len);
	emit16(out, type);
	emit16(out, class);
	emit16(out, ttl >> 16);
	emit16(out, ttl & 0xffff);
	emit16(out, (long)rdata->len);
	emit(out, rdata->p, rdata->len);
	out->count[section]++;
}

static void
emit_loop(struct out *out, const struct bytes *owner, const struct rr *rr)
{
	struct bytes rdata = { NULL, 0 };

	put(&rdata, rr->rdata.p, rr->rdata.len);
	put16(&rdata, 0xc000 | (long)(out->len +
	    (owner == NULL ? 2 : owner->len) + 12));
	emit_rr(out, owner, TYPE_MX, rr->class, rr->ttl, &rdata, rr->section);
	free(rdata.p);
}

static void
emit_generated(struct out *out, int n)
{
	struct bytes rdata;
	char label[16];
	int i;

	for (i = 1; i <= n && out->len < sizeof(out->p) - 64; i++) {
		memset(&rdata, 0, sizeof(rdata));
		put16(&rdata, i);
		label[0] = (char)snprintf(label + 1, sizeof(label) - 1,
		    "mx%d", i);
		put(&rdata, label, (size_t)label[0] + 1);
		put16(&rdata, 0xc00c);
		emit_rr(out, NULL, TYPE_MX, 1, 300, &rdata, AN);
		free(rdata.p);
	}
}

static void
emit_section(struct out *out, const struct entry *e, const struct bytes *name,
    enum section section)
{
	const struct bytes *owner;
	const struct rr *rr;

	for (rr = e->rr; rr != NULL; rr = rr->next) {
		if (rr->section != section)
			continue;
		owner = rr->owner.len > 0 ? &rr->owner : name;
		if (rr->loop)
			emit_loop(out, owner, rr);
		else
			emit_rr(out, owner, rr->type, rr->class, rr->ttl,
			    &rr->rdata, section);
	}
	if (section == AN)
		emit_generated(out, e->b.gen);
}

/* RFC 2308: the SOA of the zone, which is what is below the first label. */
static void
emit_soa(struct out *out, const char *name)
{
	const char *zone = strchr(name, '.');
	struct bytes owner = { NULL, 0 }, rdata = { NULL, 0 };

	put_name(&owner, zone == NULL ? name : zone + 1);
	put_name(&rdata, "ns.fake");
	put_name(&rdata, "root.fake");
	put32(&rdata, 1);
	put32(&rdata, 3600);
	put32(&rdata, 600);
	put32(&rdata, 86400);
	put32(&rdata, 60);
	emit_rr(out, &owner, TYPE_SOA, 1, 900, &rdata, NS);
	free(owner.p);
	free(rdata.p);
}

/* A name on the wire as text; false if it ends beyond LEN. */
static bool
wire_text(const uint8_t *p, size_t len, char *buf, size_t *used)
{
	size_t off = 0, n = 0;
	uint8_t i;

	while (off < len && p[off] != 0 && p[off] < 64 &&
	    off + p[off] + 1 < len) {
		if (n > 0)
			buf[n++] = '.';
		for (i = 1; i <= p[off]; i++)
			if (isgraph(p[off + i]))
				buf[n++] = (char)tolower(p[off + i]);
			else
				n += (size_t)snprintf(buf + n, 5, "\\%03u",
				    p[off + i]);
		off += (size_t)p[off] + 1;
	}
	if (n == 0)
		buf[n++] = '.';
	buf[n] = '\0';
	*used = off + 1;
	return off < len && p[off] == 0;
}

/*
 * Emits the answer section of E, the entry for the name asked, and of those
 * that its CNAMEs lead to.  LAST becomes the name at their end.  True if
 * there is no answer to be had from it.
 */
static bool
emit_answer(struct out *out, const struct query *q, const struct entry *e,
    bool exists, char *last, int *rcode)
{
	struct bytes owner, *name = NULL;
	size_t used;
	int before = 0, i;

	snprintf(last, 1025, "%s", q->name);
	for (i = 0; i < MAXCHAIN; i++) {
		before = out->count[AN];
		if (e == NULL) {
			*rcode = exists ? 0 : 3;
			break;
		}
		emit_section(out, e, name, AN);
		if (e->type != TYPE_CNAME || q->type == TYPE_CNAME ||
		    e->rr == NULL)
			break;
		/* on with the target, which is the next owner */
		owner = e->rr->rdata;
		name = &owner;
		wire_text(owner.p, owner.len, last, &used);
		e = find_entry(last, q->type, &exists);
	}
	return out->count[AN] == before;
}

static void
emit_opt(struct out *out, int extrcode)
{
	const struct bytes root = { (uint8_t[]){ 0 }, 1 };
	const struct bytes none = { NULL, 0 };

	emit_rr(out, &root, TYPE_OPT, 1232, (uint32_t)extrcode << 24, &none,
	    AR);
}

static void
emit_question(struct out *out, const struct query *q,
    const struct behaviour *b)
{
	if (b->noq)
		return;
	emit(out, q->p + 12, q->qlen - 12);
	if (b->wrongq)
		out->p[13] = out->p[13] == 'x' ? 'y' : 'x';
}

static void
set16(uint8_t *p, int n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void
set_header(struct out *out, const struct query *q, const struct behaviour *b,
    int rcode, bool truncated)
{
	memcpy(out->p, q->p, 2);
	if (b->wrongid)
		out->p[0] ^= 0x55;
	out->p[2] = (uint8_t)(0x80 | (b->aa ? 4 : 0) | (truncated ? 2 : 0) |
	    (q->p[2] & 1));
	out->p[3] = (uint8_t)((b->ra ? 0x80 : 0) | (b->ad ? 0x20 : 0) | rcode);
	set16(out->p + 4, b->noq ? 0 : 1);
	set16(out->p + 6, out->count[AN]);
	set16(out->p + 8, out->count[NS]);
	set16(out->p + 10, out->count[AR]);
}

static void
truncate_reply(struct out *out, const struct query *q,
    const struct behaviour *b, int rcode)
{
	memset(out->count, 0, sizeof(out->count));
	out->len = 12;
	emit_question(out, q, b);
	if (q->edns && !b->noopt)
		emit_opt(out, b->extrcode);
	set_header(out, q, b, rcode, true);
}

static void
finish_reply(struct out *out, const struct query *q, const struct entry *e,
    const struct behaviour *b)
{
	static const uint8_t rubbish[64];
	int left;

	if (e != NULL && e->packet.len > 0) {
		out->len = 0;
		emit(out, e->packet.p, e->packet.len);
		memcpy(out->p, q->p, 2);
	}
	for (left = b->rubbish; left > 0; left -= 64)
		emit(out, rubbish, left < 64 ? (size_t)left : 64);
	if (b->cut > 0 && (size_t)b->cut < out->len)
		out->len = (size_t)b->cut;
}

static void
emit_body(struct out *out, const struct query *q, const struct entry *e,
    bool exists, const struct behaviour *b, int *rcode)
{
	char last[1025];
	bool negative;

	negative = emit_answer(out, q, e, exists, last, rcode);
	if (b->rcode != 0)
		*rcode = b->rcode;
	if (e != NULL)
		emit_section(out, e, NULL, NS);
	if (negative && !b->nosoa && out->count[NS] == 0 &&
	    (*rcode == 0 || *rcode == 3))
		emit_soa(out, last);
	if (e != NULL)
		emit_section(out, e, NULL, AR);
}

/* The reply to Q; the return value is what the script says, or NULL. */
static struct entry *
make_reply(const struct query *q, bool tcp, struct out *out)
{
	static const struct behaviour plain = { .ra = 1 };
	const struct behaviour *b;
	struct entry *e;
	int rcode = 0;
	bool exists;

	e = find_entry(q->name, q->type, &exists);
	b = e == NULL ? &plain : &e->b;
	memset(out->count, 0, sizeof(out->count));
	out->len = 12;
	emit_question(out, q, b);
	if (b->formerr_edns && q->edns)
		rcode = 1;
	else {
		emit_body(out, q, e, exists, b, &rcode);
		if (q->edns && !b->noopt)
			emit_opt(out, b->extrcode);
	}
	set_header(out, q, b, rcode, b->tcall);
	if (!tcp && (b->tc || out->len > q->size))
		truncate_reply(out, q, b, rcode);
	finish_reply(out, q, e, b);
	return e;
}

/* --- queries ------------------------------------------------------------ */

static bool
read_query(struct query *q)
{
	size_t used, off;
	int i;

	if (q->len < 12 || (q->p[2] & 0x80) != 0 || q->p[5] != 1 ||
	    !wire_text(q->p + 12, q->len - 12, q->name, &used))
		return false;
	q->qlen = 12 + used + 4;
	if (q->qlen > q->len)
		return false;
	q->type = q->p[q->qlen - 4] << 8 | q->p[q->qlen - 3];
	off = q->qlen;
	q->edns = q->p[11] == 1 && q->len - off >= 11 && q->p[off] == 0 &&
	    q->p[off + 2] == TYPE_OPT;
	q->size = 512;
	if (q->edns) {
		i = q->p[off + 3] << 8 | q->p[off + 4];
		if (i > 512)
			q->size = (size_t)i;
	}
	return true;
}

static void
log_query(const struct query *q, const char *transport)
{
	char line[1100], buf[16];
	int n;

	if (logfd == -1)
		return;
	n = snprintf(line, sizeof(line), "%s %s %s\n", q->name,
	    type_text(q->type, buf), transport);
	if (write(logfd, line, (size_t)n) != n)
		die("log: %s", strerror(errno));
}

static void
wait_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* A child does the slow things; it never outlives its parent. */
static bool
become_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		die("fork: %s", strerror(errno));
	if (pid != 0)
		return false;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	return true;
}

static void
serve_udp(int fd)
{
	static struct query q;
	static struct out out;
	struct sockaddr_storage from;
	socklen_t fromlen = sizeof(from);
	struct entry *e;
	ssize_t n;

	n = recvfrom(fd, q.p, sizeof(q.p), 0, (struct sockaddr *)&from,
	    &fromlen);
	if (n <= 0)
		return;
	q.len = (size_t)n;
	if (!read_query(&q))
		return;
	log_query(&q, "udp");
	e = make_reply(&q, false, &out);
	if (e != NULL && (e->b.silent || (e->b.drop > 0 && e->b.drop-- > 0)))
		return;
	if (e != NULL && e->b.delay > 0) {
		if (!become_child())
			return;
		wait_ms(e->b.delay);
	}
	(void)sendto(fd, out.p, out.len, 0, (struct sockaddr *)&from, fromlen);
	if (e != NULL && e->b.delay > 0)
		_exit(0);
}

static bool
read_full(int fd, uint8_t *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = recv(fd, p, len, 0)) <= 0)
			return false;
	return true;
}

static bool
write_full(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = send(fd, p, len, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

/* Until the client gives up. */
static void
hold(int fd)
{
	char c;

	while (recv(fd, &c, 1, 0) > 0)
		;
}

static void
drip(int fd, const uint8_t *p, size_t len)
{
	for (; len > 0 && write_full(fd, p, 1); p++, len--)
		wait_ms(200);
}

static void
reset(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void
reply_tcp(int fd, struct out *out, int mode)
{
	static uint8_t p[MSGSIZE + 2];
	size_t announce = out->len, len = out->len;

	switch (mode) {
	case TCP_SILENT:
		hold(fd);
		return;
	case TCP_RESET:
		reset(fd);
		return;
	case TCP_CLOSE:
		return;
	case TCP_WRONGID:
		out->p[0] ^= 0x55;
		break;
	case TCP_HALF:
		len /= 2;
		break;
	case TCP_LONG:
		announce += 100;
		break;
	case TCP_SHORT:
		announce /= 2;
		break;
	case TCP_ZERO:
		announce = 0;
		break;
	case TCP_GARBAGE:
		announce = 65535;
		len = len < 20 ? len : 20;
		memset(out->p, 0xa5, len);
		break;
	default:
		break;
	}
	set16(p, (int)announce);
	memcpy(p + 2, out->p, len);
	if (mode == TCP_DRIP)
		drip(fd, p, len + 2);
	else if (write_full(fd, p, len + 2) && mode == TCP_LONG)
		hold(fd);
}

static void
serve_tcp(int listener)
{
	static struct query q;
	static struct out out;
	struct entry *e;
	uint8_t len[2];
	int fd;

	if ((fd = accept(listener, NULL, NULL)) == -1)
		return;
	if (!become_child()) {
		close(fd);
		return;
	}
	while (read_full(fd, len, 2)) {
		q.len = (size_t)(len[0] << 8 | len[1]);
		if (!read_full(fd, q.p, q.len) || !read_query(&q))
			break;
		log_query(&q, "tcp");
		e = make_reply(&q, true, &out);
		if (e != NULL && e->b.delay > 0)
			wait_ms(e->b.delay);
		reply_tcp(fd, &out, e == NULL ? TCP_SERVE : e->b.tcp);
		if (e != NULL && e->b.tcp != TCP_SERVE)
			break;
	}
	close(fd);
	_exit(0);
}

/* --- sockets ------------------------------------------------------------ */

union address {
	struct sockaddr		sa;
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;
};

static void
make_address(const char *text, int port, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->sin.sin_addr) == 1) {
		a->sin.sin_family = AF_INET;
		a->sin.sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, text, &a->sin6.sin6_addr) == 1) {
		a->sin6.sin6_family = AF_INET6;
		a->sin6.sin6_port = htons((uint16_t)port);
	} else
		die("not an address: %s", text);
}

/* Returns -1 if the port is taken or, at ::1, if there is no IPv6. */
static int
open_socket(const char *text, int *port, int type)
{
	union address a;
	socklen_t len = sizeof(a);
	const int on = 1;
	int fd;

	make_address(text, *port, &a);
	fd = socket(a.sa.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &a.sa, a.sa.sa_family == AF_INET ? sizeof(a.sin) :
	    sizeof(a.sin6)) == -1 ||
	    (type == SOCK_STREAM && listen(fd, 64) == -1) ||
	    getsockname(fd, &a.sa, &len) == -1) {
		close(fd);
		return -1;
	}
	*port = ntohs(a.sa.sa_family == AF_INET ? a.sin.sin_port :
	    a.sin6.sin6_port);
	return fd;
}

/* UDP and TCP on every address with one port; the number of sockets. */
static size_t
open_all(const char *const *addrs, size_t n, int *port, struct pollfd *fds)
{
	static const int kinds[] = { SOCK_DGRAM, SOCK_STREAM };
	size_t i, k, count = 0;

	for (i = 0; i < n; i++)
		for (k = 0; k < 2; k++) {
			fds[count].fd = open_socket(addrs[i], port, kinds[k]);
			fds[count].events = POLLIN;
			if (fds[count].fd != -1)
				count++;
			else if (errno != EADDRNOTAVAIL &&
			    errno != EAFNOSUPPORT)
				goto fail;
		}
	return count;
fail:
	while (count > 0)
		close(fds[--count].fd);
	return 0;
}

static void
serve(const char *const *addrs, size_t n, int want)
{
	struct pollfd fds[MAXSOCKETS];
	size_t count = 0, i;
	int port = want, tries, type;
	socklen_t len;

	for (tries = 0; count == 0 && tries < 50; tries++) {
		port = want;
		count = open_all(addrs, n, &port, fds);
		if (want != 0)
			break;
	}
	if (count == 0)
		die("port %d: %s", want, strerror(errno));
	printf("ready %d\n", port);
	fflush(stdout);
	for (;;) {
		if (poll(fds, (nfds_t)count, -1) == -1)
			continue;
		for (i = 0; i < count; i++) {
			if (fds[i].revents == 0)
				continue;
			len = sizeof(type);
			getsockopt(fds[i].fd, SOL_SOCKET, SO_TYPE, &type, &len);
			if (type == SOCK_DGRAM)
				serve_udp(fds[i].fd);
			else
				serve_tcp(fds[i].fd);
		}
	}
}

int
main(int argc, char *argv[])
{
	static const char *const loopback[] = { "127.0.0.1", "::1" };
	const char *addrs[MAXSOCKETS / 2];
	size_t n = 0;
	int c, port = 0;

	while ((c = getopt(argc, argv, "a:l:p:")) != -1)
		switch (c) {
		case 'a':
			if (n == MAXSOCKETS / 2)
				die("too many addresses");
			addrs[n++] = optarg;
			break;
		case 'l':
			logfd = open(optarg, O_WRONLY | O_CREAT | O_APPEND |
			    O_CLOEXEC, 0644);
			if (logfd == -1)
				die("%s: %s", optarg, strerror(errno));
			break;
		case 'p':
			port = (int)number(optarg, 65535);
			break;
		default:
			return 1;
		}
	if (argc - optind != 1) {
		fprintf(stderr, "usage: fakedns [-p port] [-l log] "
		    "[-a address] script\n");
		return 1;
	}
	read_script(argv[optind]);
	signal(SIGCHLD, SIG_IGN);
	serve(n > 0 ? addrs : loopback, n > 0 ? n : 2, port);
}
