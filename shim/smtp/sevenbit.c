/* SPDX-License-Identifier: ISC */
/*
 * A machine over lines.  It knows the boundaries of the parts that it is in,
 * and holds nothing back but the field Content-Transfer-Encoding, which comes
 * last in a header, when the rest is known.  A part that may need another
 * encoding is looked through before its header ends: in all, a message is
 * read twice at most, and nothing of it is kept.
 */
#include "config.h"

#include "smtp/sevenbit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mimefield.h"
#include "base/quotedp.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "smtp/pieces.h"

#define MAX_DEPTH	32
#define MAX_BOUNDARY	200	/* 70 by RFC 2046 section 5.1.1 */
#define MAX_TYPE	8192
#define MAX_ENCODING	1024
#define CHUNK		8192

enum mode {
	HEADER,
	PASS,			/* as it is */
	QUOTE,			/* in quoted-printable */
	CLEAN			/* around parts: nobody reads it */
};

struct level {
	char	 boundary[MAX_BOUNDARY + 1];
	bool	 digest;	/* its parts are messages (section 5.1.5) */
};

struct sevenbit {
	int	 fd;
	off_t	 start, size;
	sevenbit_sink *sink;
	void	*arg;
	struct pieces in;
	off_t	 at;		/* where the line ends that is handled */
	off_t	 line;		/* where it began */
	enum mode mode;
	struct level *level;
	size_t	 depth;
	/* the header */
	bool	 whole;		/* that of the message */
	bool	 digest;	/* of a part that is a message by default */
	bool	 version;	/* has MIME-Version */
	bool	 odd;		/* its encoding is none that we know */
	struct buf type;	/* the value, as far as MAX_TYPE */
	struct buf encoding;	/* the field, as it was */
	struct buf *field;	/* which of them this line belongs to */
	struct quotedp q;
};

/* --- delimiters ----------------------------------------------------------- */

/* Whether the line is the delimiter of LEVEL: 1, 2 the last one; 0. */
static int
is_delimiter(const struct level *level, const char *p, size_t n)
{
	size_t len = strlen(level->boundary);
	int rv = 1;

	if (n < len + 2 || memcmp(p + 2, level->boundary, len) != 0)
		return 0;
	p += len + 2;
	n -= len + 2;
	if (n >= 2 && memcmp(p, "--", 2) == 0) {
		rv = 2;
		p += 2;
		n -= 2;
	}
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	return n == 0 ? rv : 0;
}

/* The same for all, the innermost first; *I is the one. */
static int
find_delimiter(const struct sevenbit *s, const char *p, size_t n, size_t *i)
{
	int rv = 0;

	if (n < 2 || p[0] != '-' || p[1] != '-')
		return 0;
	for (*i = s->depth; rv == 0 && *i > 0; )
		rv = is_delimiter(&s->level[--*i], p, n);
	return rv;
}

/* --- looking ahead -------------------------------------------------------- */

#define FOUND	1
#define OVER	2

static int
look_at(void *arg, const char *p, size_t n, bool first, bool last)
{
	size_t i;

	(void)last;
	if (first && find_delimiter(arg, p, n, &i) != 0)
		return OVER;
	return utf8_has_eightbit(p, n) ? FOUND : 0;
}

/* Whether the part that begins at offset AT has octets outside ASCII. */
static bool
has_eightbit(struct sevenbit *s, off_t at)
{
	char *chunk = xmalloc(CHUNK);
	struct pieces pieces = { .n = 0 };
	ssize_t n;
	int rv = 0;

	while (rv == 0 && at < s->size) {
		n = s->size - at < CHUNK ? s->size - at : CHUNK;
		n = pread(s->fd, chunk, (size_t)n, s->start + at);
		if (n == -1 && errno == EINTR)
			continue;
		/* whoever feeds us will see it, too */
		if (n <= 0)
			break;
		rv = pieces_feed(&pieces, chunk, (size_t)n, look_at, s);
		at += n;
	}
	if (rv == 0)
		rv = pieces_end(&pieces, look_at, s);
	free(chunk);
	return rv == FOUND;
}

/* --- output --------------------------------------------------------------- */

static int
put(struct sevenbit *s, const char *p, size_t n)
{
	return n > 0 ? s->sink(s->arg, p, n) : 0;
}

static int
put_line(struct sevenbit *s, const char *p, size_t n, bool last)
{
	int rv = put(s, p, n);

	return rv == 0 && last ? put(s, "\r\n", 2) : rv;
}

static int
put_field(struct sevenbit *s, const char *field)
{
	return put_line(s, field, strlen(field), true);
}

/* What nobody reads. */
static int
put_clean(struct sevenbit *s, const char *p, size_t n, bool last)
{
	size_t i, from = 0;
	int rv = 0;

	for (i = 0; i < n && rv == 0; i++)
		if ((unsigned char)p[i] >= 0x80) {
			if ((rv = put(s, p + from, i - from)) == 0)
				rv = put(s, "?", 1);
			from = i + 1;
		}
	return rv == 0 ? put_line(s, p + from, n - from, last) : rv;
}

static int
put_quoted(struct sevenbit *s, const char *p, size_t n, bool last)
{
	int rv = quotedp_feed(&s->q, p, n);

	return rv == 0 && last ? quotedp_feed(&s->q, "\r\n", 2) : rv;
}

/* --- headers -------------------------------------------------------------- */

static void
begin_header(struct sevenbit *s, bool digest)
{
	s->mode = HEADER;
	s->digest = digest;
	s->version = s->odd = false;
	s->field = NULL;
	buf_reset(&s->type);
	buf_reset(&s->encoding);
}

/* Whether the encoding is none (RFC 2045 section 6.2); DECLARED: as 8bit. */
static bool
is_identity(const struct sevenbit *s, bool *declared)
{
	const char *value = buf_str(&s->encoding);

	value += strcspn(value, ":");
	value += *value == ':';
	*declared = mimefield_is(value, "8bit") ||
	    mimefield_is(value, "binary");
	return !s->odd && (s->encoding.len == 0 || *declared ||
	    mimefield_is(value, "7bit"));
}

/* The field that was held back, as it is now. */
static int
put_encoding(struct sevenbit *s, const char *encoding)
{
	if (encoding == NULL)
		return put(s, buf_str(&s->encoding), s->encoding.len);
	return put_field(s, encoding);
}

static bool
is_opaque(const char *type)
{
	return mimefield_is(type, "multipart/signed") ||
	    mimefield_is(type, "multipart/encrypted") ||
	    mimefield_is(type, "message/partial") ||
	    mimefield_is(type, "message/external-body");
}

static bool
is_message(const char *type)
{
	return mimefield_is(type, "message/rfc822") ||
	    mimefield_is(type, "message/global") ||
	    mimefield_is(type, "message/news");
}

/* Go one level down.  False: it is too deep, or has no boundary. */
static bool
enter(struct sevenbit *s, const char *type)
{
	struct level *level = &s->level[s->depth];

	if (s->depth == MAX_DEPTH || mimefield_param(type, "boundary",
	    level->boundary, sizeof(level->boundary)) != 1 ||
	    level->boundary[0] == '\0')
		return false;
	level->digest = mimefield_is(type, "multipart/digest");
	s->depth++;
	return true;
}

/*
 * What comes after the header, which is at offset BODY, and the encoding that
 * says so; NULL: that which it had.
 */
static const char *
judge(struct sevenbit *s, off_t body)
{
	static const char seven[] = "Content-Transfer-Encoding: 7bit";
	static const char quoted[] =
	    "Content-Transfer-Encoding: quoted-printable";
	const char *type = s->type.len > 0 ? buf_str(&s->type) :
	    s->digest ? "message/rfc822" : "text/plain";
	bool declared, identity = is_identity(s, &declared);

	s->mode = PASS;
	/* it cannot be changed, or was encoded by somebody already */
	if (is_opaque(type) || !identity || s->type.len > MAX_TYPE)
		return NULL;
	if (mimefield_is(type, "multipart")) {
		if (!enter(s, type))
			return NULL;
		s->mode = CLEAN;
	} else if (is_message(type)) {
		s->mode = HEADER;
	} else if (has_eightbit(s, body)) {
		quotedp_init(&s->q, s->sink, s->arg);
		s->mode = QUOTE;
		return quoted;
	}
	return declared ? seven : NULL;
}

/* The header is over: by an empty line, or, not BLANK, without one. */
static int
end_header(struct sevenbit *s, bool blank)
{
	bool whole = s->whole;
	const char *encoding = judge(s, blank ? s->at : s->line);
	int rv = 0;

	s->whole = false;
	if (s->mode == QUOTE && whole && !s->version)
		rv = put_field(s, "MIME-Version: 1.0");
	if (rv == 0)
		rv = put_encoding(s, encoding);
	if (rv == 0 && (blank || s->mode == QUOTE))
		rv = put(s, "\r\n", 2);
	if (s->mode == HEADER)
		begin_header(s, false);
	return rv;
}

static bool
is_field(const char *p, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n > len && strncasecmp(p, name, len) == 0 &&
	    (p[len] == ':' || p[len] == ' ' || p[len] == '\t') &&
	    memchr(p, ':', n) != NULL;
}

/* A line of a header: empty, folded, or a name and a colon (RFC 5322, 2.2). */
static bool
is_header_line(const char *p, size_t n)
{
	size_t i = 0;

	if (n == 0 || *p == ' ' || *p == '\t')
		return true;
	while (i < n && p[i] > ' ' && p[i] != 0x7f && p[i] != ':')
		i++;
	if (i == 0)
		return false;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i < n && p[i] == ':';
}

/* Of a field that is there twice the first counts. */
static void
begin_field(struct sevenbit *s, const char **p, size_t *n)
{
	const char *colon;

	s->field = NULL;
	if (is_field(*p, *n, "Content-Transfer-Encoding") &&
	    s->encoding.len == 0) {
		s->field = &s->encoding;
	} else if (is_field(*p, *n, "Content-Type") && s->type.len == 0) {
		s->field = &s->type;
		colon = memchr(*p, ':', *n);
		*n -= (size_t)(colon + 1 - *p);
		*p = colon + 1;
	} else if (is_field(*p, *n, "MIME-Version"))
		s->version = true;
}

static int
header_piece(struct sevenbit *s, const char *p, size_t n, bool first,
    bool last)
{
	const char *value = p;
	size_t len = n;
	int rv;

	if (first && n == 0)
		return end_header(s, true);
	if (first && *p != ' ' && *p != '\t')
		begin_field(s, &value, &len);
	if (s->field != NULL && s->field->len <= MAX_TYPE) {
		buf_add(s->field, value, len);
		if (last)
			buf_adds(s->field, "\r\n");
	}
	if (s->field != &s->encoding)
		return put_line(s, p, n, last);
	if (s->encoding.len <= MAX_ENCODING)
		return 0;
	/* no encoding has such a name */
	s->odd = true;
	s->field = NULL;
	rv = put(s, s->encoding.data, s->encoding.len);
	buf_reset(&s->encoding);
	return rv;
}

/* --- lines ---------------------------------------------------------------- */

static int
end_body(struct sevenbit *s)
{
	if (s->mode == QUOTE)
		return quotedp_end(&s->q);
	return s->mode == HEADER ? put_encoding(s, NULL) : 0;
}

/* The line P is the delimiter of level I, the last one if KIND is 2. */
static int
delimit(struct sevenbit *s, size_t i, int kind, const char *p, size_t n)
{
	int rv = end_body(s);

	s->depth = i + (kind == 1);
	if (kind == 1)
		begin_header(s, s->level[i].digest);
	else
		s->mode = CLEAN;
	return rv == 0 ? put_line(s, p, n, true) : rv;
}

static int
body_piece(struct sevenbit *s, const char *p, size_t n, bool last)
{
	switch (s->mode) {
	case QUOTE:
		return put_quoted(s, p, n, last);
	case CLEAN:
		return put_clean(s, p, n, last);
	default:
		return put_line(s, p, n, last);
	}
}

static int
piece(void *arg, const char *p, size_t n, bool first, bool last)
{
	struct sevenbit *s = arg;
	size_t i;
	int kind, rv = 0;

	if (first)
		s->line = s->at;
	s->at += (off_t)n + (last ? 2 : 0);
	if (first && last && (kind = find_delimiter(s, p, n, &i)) != 0)
		return delimit(s, i, kind, p, n);
	/* a header may end without an empty line, and so may one in it */
	while (rv == 0 && s->mode == HEADER && first && !is_header_line(p, n))
		rv = end_header(s, false);
	if (rv != 0)
		return rv;
	return s->mode == HEADER ? header_piece(s, p, n, first, last) :
	    body_piece(s, p, n, last);
}

/* --- all of it ------------------------------------------------------------ */

struct sevenbit *
sevenbit_new(int fd, off_t start, off_t size, sevenbit_sink *sink, void *arg)
{
	struct sevenbit *s = xcalloc(1, sizeof(*s));

	s->fd = fd;
	s->start = start;
	s->size = size;
	s->sink = sink;
	s->arg = arg;
	s->level = xcalloc(MAX_DEPTH, sizeof(*s->level));
	s->whole = true;
	begin_header(s, false);
	return s;
}

int
sevenbit_feed(struct sevenbit *s, const char *p, size_t n)
{
	return pieces_feed(&s->in, p, n, piece, s);
}

int
sevenbit_end(struct sevenbit *s)
{
	int rv = pieces_end(&s->in, piece, s);

	return rv == 0 ? end_body(s) : rv;
}

void
sevenbit_free(struct sevenbit *s)
{
	if (s == NULL)
		return;
	buf_clear(&s->type);
	buf_clear(&s->encoding);
	free(s->level);
	free(s);
}
