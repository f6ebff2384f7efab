/* SPDX-License-Identifier: ISC */
/*
 * Reading a message.  The header is kept, as it must be complete before the
 * envelope is known; the body streams.  What leaves here can neither end
 * the SMTP data early nor be refused for the length of its lines.
 */
#include "config.h"

#include "submit/message.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define CHUNK		65536

void
lines_init(struct lines *l, bool ignore_dots, bool fold, message_sink sink,
    void *arg)
{
	memset(l, 0, sizeof(*l));
	l->sink = sink;
	l->arg = arg;
	l->ignore_dots = ignore_dots;
	l->fold = fold;
	l->bol = true;
}

static int
put(struct lines *l, const char *p, size_t n)
{
	l->col += n;
	return n != 0 ? l->sink(l->arg, p, n) : 0;
}

static int
put_newline(struct lines *l)
{
	size_t n = l->ntail;

	l->ntail = 0;
	if (put(l, l->tail, n) == -1)
		return -1;
	l->col = 0;
	return l->sink(l->arg, "\r\n", 2);
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where to break the tail, which is full; octet NEXT follows it. */
static size_t
break_at(const struct lines *l, char next)
{
	size_t i;

	for (i = LINES_TAIL - 1; i > 0; i--)
		if (l->tail[i] == ' ' || l->tail[i] == '\t')
			return i;
	if (!is_continuation(next))
		return LINES_TAIL;
	for (i = LINES_TAIL - 1; i > LINES_TAIL - 4; i--)
		if (!is_continuation(l->tail[i]))
			return i;
	return LINES_TAIL;
}

/* The line has more than the octets that it may have. */
static int
fold(struct lines *l, char next)
{
	char rest[LINES_TAIL];
	size_t at = break_at(l, next), n = l->ntail - at;

	memcpy(rest, l->tail + at, n);
	l->ntail = at;
	if (put_newline(l) == -1)
		return -1;
	/* the continuation begins with the blank, or one of ours */
	if ((n == 0 || (rest[0] != ' ' && rest[0] != '\t')) &&
	    put(l, " ", 1) == -1)
		return -1;
	return put(l, rest, n);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Text of ASCII without line ends and NUL. */
static int
put_ascii(struct lines *l, const char *p, size_t n)
{
	size_t k;

	if (l->col + l->ntail + n > LINES_MAX)
		l->long_line = true;
	if (!l->fold)
		return put(l, p, n);
	while (n > 0) {
		if (l->col < LINES_KEEP) {
			k = least(n, LINES_KEEP - l->col);
			if (put(l, p, k) == -1)
				return -1;
		} else if (l->ntail < LINES_TAIL) {
			k = least(n, LINES_TAIL - l->ntail);
			memcpy(l->tail + l->ntail, p, k);
			l->ntail += k;
		} else {
			k = 0;
			if (fold(l, *p) == -1)
				return -1;
		}
		p += k;
		n -= k;
	}
	return 0;
}

/* Not of ASCII alone. */
static int
put_text(struct lines *l, const char *p, size_t n)
{
	if (utf8_has_eightbit(p, n))
		l->eightbit = true;
	utf8_feed(&l->utf8, p, n);
	return put_ascii(l, p, n);
}

/* The same, with NUL. */
static int
put_octets(struct lines *l, const char *p, size_t n)
{
	const char *nul;

	while (n > 0 && (nul = memchr(p, '\0', n)) != NULL) {
		if (put_text(l, p, (size_t)(nul - p)) == -1 ||
		    put_text(l, "?", 1) == -1)
			return -1;
		n -= (size_t)(nul + 1 - p);
		p = nul + 1;
	}
	return put_text(l, p, n);
}

/* An input line ends here. */
static int
end_line(struct lines *l)
{
	l->utf8.bad |= l->utf8.more > 0;
	return put_newline(l);
}

/* CRs were not followed by LF: each ends a line. */
static int
put_lone_crs(struct lines *l)
{
	for (; l->cr > 0; l->cr--)
		if (end_line(l) == -1)
			return -1;
	return 0;
}

/* Octets of an input line without CR and LF. */
static int
take_run(struct lines *l, const char *p, size_t n, bool plain)
{
	if (n == 0)
		return 0;
	if (l->dot) {
		l->dot = false;
		if (put_ascii(l, ".", 1) == -1)
			return -1;
	}
	if (put_lone_crs(l) == -1)
		return -1;
	return plain ? put_ascii(l, p, n) : put_octets(l, p, n);
}

/* Octets within an input line: all but LF. */
static int
take_text(struct lines *l, const char *p, size_t n)
{
	const char *cr;
	size_t len;

	while (n > 0) {
		if (*p == '\r') {
			l->cr++;
			p++;
			n--;
			continue;
		}
		cr = memchr(p, '\r', n);
		len = cr != NULL ? (size_t)(cr - p) : n;
		if (take_run(l, p, len, false) == -1)
			return -1;
		p += len;
		n -= len;
	}
	return 0;
}

/* Most text is: asked for a whole piece, it costs less than for each line. */
static bool
is_plain(const struct lines *l, const char *p, size_t n)
{
	return l->utf8.more == 0 && !utf8_has_eightbit(p, n) &&
	    memchr(p, '\r', n) == NULL && memchr(p, '\0', n) == NULL;
}

int
lines_feed(struct lines *l, const char *p, size_t n)
{
	bool plain = is_plain(l, p, n);
	const char *nl;
	size_t len;

	while (n > 0) {
		if (l->bol && *p == '.' && !l->ignore_dots) {
			l->dot = true;
			l->bol = false;
			p++;
			n--;
			continue;
		}
		nl = memchr(p, '\n', n);
		len = nl != NULL ? (size_t)(nl - p) : n;
		l->bol = l->bol && len == 0;
		if ((plain ? take_run(l, p, len, true) :
		    take_text(l, p, len)) == -1)
			return -1;
		if (nl == NULL)
			return 0;
		if (l->dot)
			return 1;
		l->cr = 0;
		l->bol = true;
		if (end_line(l) == -1)
			return -1;
		p = nl + 1;
		n -= len + 1;
	}
	return 0;
}

int
lines_end(struct lines *l)
{
	/* a last line of one dot ends the body without LF as well */
	if (l->dot)
		return 0;
	if (l->cr > 0)
		return put_lone_crs(l);
	return l->col > 0 ? end_line(l) : 0;
}

struct message {
	int		 fd;		/* for read_fd() */
	message_source	 source;
	void		*arg;
	bool		 ignore_dots;
	bool		 ended;		/* by a dot */
	bool		 eof;		/* nothing is left to read */
	struct buf	 first;		/* of the body, read with the header */
	size_t		 pos;
	size_t		 len;
	char		 raw[CHUNK];
};

static ssize_t
read_fd(void *arg, char *p, size_t n)
{
	const int *fd = arg;
	struct pollfd pfd = { .fd = *fd, .events = POLLIN };
	ssize_t r;

	/* who shares the pipe with us may have made it non-blocking */
	while ((r = read(*fd, p, n)) == -1 && (errno == EAGAIN ||
	    errno == EWOULDBLOCK) && poll(&pfd, 1, -1) != -1)
		;
	return r;
}

struct message *
message_new_from(message_source source, void *arg)
{
	struct message *m = xmalloc(sizeof(*m));

	m->fd = -1;
	m->source = source;
	m->arg = arg;
	m->ignore_dots = true;
	m->ended = m->eof = false;
	buf_init(&m->first);
	m->pos = m->len = 0;
	return m;
}

struct message *
message_new(int fd, bool ignore_dots)
{
	struct message *m = message_new_from(read_fd, NULL);

	m->fd = fd;
	m->arg = &m->fd;
	m->ignore_dots = ignore_dots;
	return m;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	buf_clear(&m->first);
	free(m);
}

/* More octets behind those in M.  1; 0 at the end of the input; -1 errno. */
static int
fill(struct message *m)
{
	ssize_t n;

	if (m->eof)
		return 0;
	if (m->pos == m->len)
		m->pos = m->len = 0;
	do {
		n = m->source(m->arg, m->raw + m->len,
		    sizeof(m->raw) - m->len);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	m->len += (size_t)n;
	m->eof = n == 0;
	return n > 0;
}

/*
 * The next input line with its LF into LINE, but not more than MAX octets
 * and a chunk.  As fill() returns.
 */
static int
read_line(struct message *m, struct buf *line, size_t max)
{
	const char *p, *nl;
	size_t n;
	int rc;

	buf_reset(line);
	do {
		if (m->pos == m->len && (rc = fill(m)) != 1)
			return rc == 0 && line->len > 0 ? 1 : rc;
		p = m->raw + m->pos;
		nl = memchr(p, '\n', m->len - m->pos);
		n = nl != NULL ? (size_t)(nl + 1 - p) : m->len - m->pos;
		buf_add(line, p, n);
		m->pos += n;
	} while (nl == NULL && line->len <= max);
	return 1;
}

/*
 * The header line in RAW without its end.  A CR within it becomes a blank:
 * it shall not begin a field that its author did not write.
 */
static void
clean_line(const struct buf *raw, struct buf *line)
{
	size_t i, n = raw->len;

	if (n > 0 && raw->data[n - 1] == '\n')
		n--;
	while (n > 0 && raw->data[n - 1] == '\r')
		n--;
	buf_reset(line);
	buf_add(line, raw->data, n);
	for (i = 0; i < n; i++) {
		if (line->data[i] == '\r')
			line->data[i] = ' ';
		else if (line->data[i] == '\0')
			line->data[i] = '?';
	}
}

enum message_error
message_header(struct message *m, struct header *h)
{
	struct buf raw = BUF_INIT, line = BUF_INIT;
	enum message_error error = MESSAGE_OK;
	enum header_line kind = HEADER_TAKEN;
	int rc;

	while (error == MESSAGE_OK && kind == HEADER_TAKEN) {
		rc = read_line(m, &raw, HEADER_MAX - h->size);
		if (rc == 0)
			break;
		if (rc == -1) {
			error = MESSAGE_READ;
			break;
		}
		clean_line(&raw, &line);
		if (!m->ignore_dots && strcmp(line.data, ".") == 0) {
			m->ended = true;
			break;
		}
		kind = header_take(h, line.data, line.len);
		if (kind == HEADER_TAKEN && h->size > HEADER_MAX)
			error = MESSAGE_LONG_HEADER;
		if (kind == HEADER_BODY)
			buf_add(&m->first, raw.data, raw.len);
	}
	buf_clear(&raw);
	buf_clear(&line);
	return error;
}

static void
state_facts(const struct lines *l, struct mime_facts *facts)
{
	facts->eightbit = l->eightbit;
	facts->utf8 = utf8_is_complete(&l->utf8);
	facts->long_line = l->long_line;
}

static int
ignore(void *arg, const void *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	return 0;
}

enum message_error
message_peek(struct message *m, struct mime_facts *facts)
{
	struct lines lines;
	size_t seen = 0;
	bool ended = m->ended;
	int rc = 1;

	memmove(m->raw, m->raw + m->pos, m->len - m->pos);
	m->len -= m->pos;
	m->pos = 0;
	lines_init(&lines, m->ignore_dots, false, ignore, NULL);
	if (!ended)
		ended = lines_feed(&lines, buf_str(&m->first),
		    m->first.len) != 0;
	/* after the dot there may be nothing more, and no end either */
	while (!ended && rc == 1) {
		ended = lines_feed(&lines, m->raw + seen, m->len - seen) != 0;
		seen = m->len;
		if (ended || m->len == sizeof(m->raw))
			break;
		if ((rc = fill(m)) == -1)
			return MESSAGE_READ;
	}
	/* the piece may end within a character */
	if (!m->eof && !lines.utf8.bad)
		lines.utf8.more = 0;
	state_facts(&lines, facts);
	return MESSAGE_OK;
}

enum message_error
message_body(struct message *m, bool fold, struct mime_facts *facts,
    message_sink sink, void *arg)
{
	struct lines lines;
	int rc = 1, got;

	lines_init(&lines, m->ignore_dots, fold, sink, arg);
	if (!m->ended)
		rc = lines_feed(&lines, buf_str(&m->first), m->first.len);
	while (rc == 0) {
		rc = lines_feed(&lines, m->raw + m->pos, m->len - m->pos);
		m->pos = m->len;
		if (rc != 0)
			break;
		got = fill(m);
		if (got == -1)
			return MESSAGE_READ;
		if (got == 0) {
			rc = lines_end(&lines);
			break;
		}
	}
	state_facts(&lines, facts);
	return rc == -1 ? MESSAGE_WRITE : MESSAGE_OK;
}
