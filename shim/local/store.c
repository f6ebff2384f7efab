/* SPDX-License-Identifier: ISC */
/* From wire form to what programs of this machine read. */
#include "config.h"

#include "local/store.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

#define CHUNK		32768

struct copy {
	int	 to;
	bool	 quote;
	bool	 body;		/* after the empty line */
	bool	 bol;		/* nothing of this line was written */
	struct buf out;
	struct buf line;	/* the beginning of one, while it may be From */
};

/* Octets of P, which begins a line, that show what it is; 0: not yet. */
static size_t
decide(const char *p, size_t n, bool *from)
{
	size_t quotes = 0;

	while (quotes < n && p[quotes] == '>')
		quotes++;
	*from = false;
	if (n - quotes >= 5)
		*from = memcmp(p + quotes, "From ", 5) == 0;
	else if (n > quotes && memcmp(p + quotes, "From ", n - quotes) != 0)
		return n;
	else
		return 0;
	return n;
}

/* A piece of a line, without CRs before LF. */
static void
put_piece(struct copy *c, const char *p, size_t n, bool end)
{
	bool from = false;

	if (c->bol && c->quote && c->body) {
		buf_add(&c->line, p, n);
		if (decide(c->line.data, c->line.len, &from) == 0 && !end)
			return;
		if (from)
			buf_addc(&c->out, '>');
		buf_add(&c->out, c->line.data, c->line.len);
		buf_reset(&c->line);
	} else {
		if (c->bol && n == 0 && end)
			c->body = true;
		buf_add(&c->out, p, n);
	}
	c->bol = end;
	if (end)
		buf_addc(&c->out, '\n');
}

/* Wire form: a CR is always followed by LF. */
static void
put(struct copy *c, const char *p, size_t n)
{
	const char *end = p + n, *cr;

	while (p < end) {
		if (*p == '\n') {
			put_piece(c, "", 0, true);
			p++;
			continue;
		}
		cr = memchr(p, '\r', (size_t)(end - p));
		if (cr == NULL) {
			put_piece(c, p, (size_t)(end - p), false);
			return;
		}
		if (cr > p)
			put_piece(c, p, (size_t)(cr - p), false);
		p = cr + 1;
	}
}

static int
copy_message(const struct store *s, struct copy *c)
{
	char chunk[CHUNK];
	off_t done = 0;
	size_t want;
	ssize_t n;

	while (done < s->size) {
		want = s->size - done < CHUNK ? (size_t)(s->size - done) :
		    CHUNK;
		n = pread(s->fd, chunk, want, s->start + done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;	/* it ends early */
		if (n <= 0)
			return -1;
		put(c, chunk, (size_t)n);
		done += n;
		if (file_write(c->to, buf_str(&c->out), c->out.len) == -1)
			return -1;
		buf_reset(&c->out);
	}
	return 0;
}

int
store_copy(const struct store *s, int to, bool quote)
{
	struct copy c = { .to = to, .quote = quote, .bol = true };
	int rc, error;

	buf_printf(&c.out, "Return-Path: <%s>\nDelivered-To: %s\n", s->sender,
	    s->rcpt);
	rc = file_write(to, c.out.data, c.out.len);
	buf_reset(&c.out);
	if (rc == 0)
		rc = copy_message(s, &c);
	error = errno;
	buf_clear(&c.out);
	buf_clear(&c.line);
	errno = error;
	return rc;
}

int
store_failed(struct result *r, const char *path, const char *name)
{
	int error = errno;

	result_set(r, R_LOCALERR, "%s%s%s: %s", path,
	    name[0] != '\0' ? "/" : "", name, strerror(error));
	/* RFC 3463 section 3.3: mailbox full */
	if (error == EDQUOT || error == ENOSPC || error == EFBIG)
		(void)strlcpy(r->esc, "4.2.2", sizeof(r->esc));
	return -1;
}
