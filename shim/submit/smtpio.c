/* SPDX-License-Identifier: ISC */
/* Lines, data and replies of an SMTP server; knows no command. */
#include "config.h"

#include "submit/smtpio.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/result.h"

void
smtpio_init(struct smtpio *io)
{
	buf_init(&io->out);
	io->lost = io->bad = false;
	io->pos = io->len = 0;
}

void
smtpio_clear(struct smtpio *io)
{
	buf_clear(&io->out);
}

int
smtpio_flush(struct smtpio *io)
{
	if (!io->lost && io->out.len > 0 &&
	    io->write(io->arg, io->out.data, io->out.len) == -1)
		io->lost = true;
	buf_reset(&io->out);
	return io->lost ? -1 : 0;
}

void
smtpio_reply(struct smtpio *io, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	/* what the client said may be in it */
	result_clean(b.data);
	buf_add(&io->out, b.data, b.len);
	buf_adds(&io->out, "\r\n");
	buf_clear(&b);
}

/* More input.  1; 0 at its end; -1 with errno. */
static int
fill(struct smtpio *io)
{
	ssize_t n;

	if (smtpio_flush(io) == -1) {
		errno = EPIPE;
		return -1;
	}
	do {
		n = io->read(io->arg, io->in, sizeof(io->in));
	} while (n == -1 && errno == EINTR);
	io->pos = 0;
	io->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

/* The line in B is over.  Whether it is as it should be, without its CR. */
static bool
is_line(struct buf *b)
{
	if (b->len == 0 || b->data[b->len - 1] != '\r')
		return false;
	b->data[--b->len] = '\0';
	return memchr(b->data, '\r', b->len) == NULL &&
	    memchr(b->data, '\0', b->len) == NULL;
}

enum smtpio_line
smtpio_line(struct smtpio *io, struct buf *line)
{
	bool too_long = false;
	const char *p, *lf;
	size_t n;
	int rc;

	buf_reset(line);
	for (;;) {
		if (io->pos == io->len && (rc = fill(io)) != 1) {
			errno = rc == 0 ? 0 : errno;
			return LINE_GONE;
		}
		p = io->in + io->pos;
		lf = memchr(p, '\n', io->len - io->pos);
		n = lf != NULL ? (size_t)(lf - p) : io->len - io->pos;
		io->pos += n + (lf != NULL ? 1 : 0);
		too_long = too_long || line->len + n >= SMTPIO_LINE_MAX;
		if (!too_long)
			buf_add(line, p, n);
		if (lf == NULL)
			continue;
		if (too_long)
			return LINE_LONG;
		return is_line(line) ? LINE_OK : LINE_BAD;
	}
}

/* What came last in the data. */
enum { BOL, TEXT, CR, DOT, DOT_CR, END };

void
smtpio_begin_data(struct smtpio *io)
{
	io->state = BOL;
	io->bad = false;
}

/* Octet C of the data.  Whether it belongs to the message. */
static bool
take(struct smtpio *io, char c)
{
	int last = io->state;

	if (last == BOL && c == '.') {
		io->state = DOT;
		return false;
	}
	if (last == DOT && c == '\r') {
		io->state = DOT_CR;
		return false;
	}
	if (last == DOT_CR && c == '\n') {
		io->state = END;
		return false;
	}
	if (last == CR && c == '\n') {
		io->state = BOL;
		return true;
	}
	io->bad = io->bad || last == CR || last == DOT_CR || c == '\n';
	io->state = c == '\r' ? CR : TEXT;
	return true;
}

ssize_t
smtpio_data(void *smtpio, char *p, size_t size)
{
	struct smtpio *io = smtpio;
	size_t n = 0;
	int rc;

	while (io->state != END && n < size) {
		if (io->pos == io->len) {
			if (n > 0)
				return (ssize_t)n;
			if ((rc = fill(io)) != 1) {
				errno = rc == 0 ? ECONNRESET : errno;
				return -1;
			}
		}
		p[n] = io->in[io->pos++];
		if (take(io, p[n]))
			n++;
		if (io->bad) {
			errno = EBADMSG;
			return -1;
		}
	}
	return (ssize_t)n;
}

int
smtpio_skip_data(struct smtpio *io, unsigned long long max)
{
	while (io->state != END) {
		if (io->pos == io->len && fill(io) != 1)
			return -1;
		if (max-- == 0)
			return -1;
		(void)take(io, io->in[io->pos++]);
	}
	return 0;
}
