/* SPDX-License-Identifier: ISC */
/*
 * The journal of a message.  A record is one line:
 *
 *	LLLL CCCCCCCC TYPE TIME RCPT CODE REPLY ESC HOST TEXT
 *
 * length and CRC-32C (both hexadecimal) of what follows the second space up
 * to the line feed.  TYPE is a letter, RCPT a number or "-" for the whole
 * message, CODE a name of result.h; ESC and HOST are "-" when there is none.
 * Every append begins with an empty line, so that a torn record never
 * swallows the one that is written after it.
 */
#include "config.h"

#include "spool/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "spool/crc32c.h"

#define HEAD_LEN	14	/* "LLLL CCCCCCCC " */
#define BODY_MAX	1024

static const char letters[] = {
	[JOURNAL_ATTEMPT] = 'A',
	[JOURNAL_DELIVERED] = 'D',
	[JOURNAL_RELAYED] = 'P',
	[JOURNAL_FAILED] = 'F',
	[JOURNAL_REPORTED] = 'R',
	[JOURNAL_CONFIRMED] = 'C',
	[JOURNAL_WARNED] = 'W',
};

/* One word: no space or control character, "-" when there is none. */
static void
add_word(struct buf *b, const char *s)
{
	if (*s == '\0')
		buf_addc(b, '-');
	for (; *s != '\0'; s++)
		buf_addc(b, *s > ' ' && *s <= '~' ? *s : '?');
}

static void
add_record(struct buf *b, const struct journal_record *r)
{
	struct buf body = BUF_INIT;
	const char *s;

	buf_printf(&body, "%c %" PRIu64 " ", letters[r->type], r->time);
	if (r->rcpt == JOURNAL_ALL)
		buf_addc(&body, '-');
	else
		buf_printf(&body, "%zu", r->rcpt);
	buf_printf(&body, " %s %d ", result_name(r->result.code),
	    r->result.reply);
	add_word(&body, r->result.esc);
	buf_addc(&body, ' ');
	add_word(&body, r->result.host);
	buf_addc(&body, ' ');
	for (s = r->result.text; *s != '\0'; s++)
		buf_addc(&body, *s >= ' ' && *s <= '~' ? *s : '?');
	buf_printf(b, "%04zx %08" PRIx32 " %s\n", body.len,
	    crc32c(0, body.data, body.len), buf_str(&body));
	buf_clear(&body);
}

enum journal_type
journal_type_of(const struct result *r, bool relayed)
{
	if (result_is_ok(r))
		return relayed ? JOURNAL_RELAYED : JOURNAL_DELIVERED;
	return result_is_permanent(r) ? JOURNAL_FAILED : JOURNAL_ATTEMPT;
}

bool
journal_is_promise(const struct journal_record *r, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (r[i].type != JOURNAL_ATTEMPT)
			return true;
	return false;
}

int
journal_append(int fd, const struct journal_record *r, size_t n, bool sync)
{
	struct buf b = BUF_INIT;
	ssize_t done;
	size_t i;
	int ret = -1;

	buf_addc(&b, '\n');
	for (i = 0; i < n; i++)
		add_record(&b, &r[i]);
	do
		done = write(fd, b.data, b.len);
	while (done == -1 && errno == EINTR);
	if (done == -1)
		goto out;
	if ((size_t)done != b.len) {
		/* what was written stays, as a torn record */
		errno = ENOSPC;
		goto out;
	}
	/* not fdatasync(2): the name of a new file must be kept too */
	ret = sync ? fsync(fd) : 0;
out:
	buf_clear(&b);
	return ret;
}

/* The next word of the line at *P, at most SIZE - 1 octets.  0 or -1. */
static int
word(const char **p, const char *end, char *buf, size_t size)
{
	const char *sp;
	size_t n;

	if ((sp = memchr(*p, ' ', (size_t)(end - *p))) == NULL)
		return -1;
	n = (size_t)(sp - *p);
	if (n == 0 || n >= size)
		return -1;
	memcpy(buf, *p, n);
	buf[n] = '\0';
	*p = sp + 1;
	return 0;
}

static int
number(const char **p, const char *end, uint64_t max, uint64_t *v)
{
	char w[24], *stop;

	if (word(p, end, w, sizeof(w)) == -1 || w[0] < '0' || w[0] > '9')
		return -1;
	errno = 0;
	*v = strtoull(w, &stop, 10);
	return errno != 0 || *stop != '\0' || *v > max ? -1 : 0;
}

/* A word that may be "-" for none. */
static int
optional(const char **p, const char *end, char *buf, size_t size)
{
	if (word(p, end, buf, size) == -1)
		return -1;
	if (strcmp(buf, "-") == 0)
		buf[0] = '\0';
	return 0;
}

static int
parse_body(const char *p, const char *end, struct journal_record *r)
{
	char w[24];
	const char *l;
	uint64_t v;
	size_t n;

	memset(r, 0, sizeof(*r));
	if (word(&p, end, w, sizeof(w)) == -1 || w[1] != '\0' ||
	    (l = memchr(letters, w[0], sizeof(letters))) == NULL)
		return -1;
	r->type = (enum journal_type)(l - letters);
	if (number(&p, end, UINT64_MAX, &r->time) == -1)
		return -1;
	if (end - p >= 2 && p[0] == '-' && p[1] == ' ') {
		r->rcpt = JOURNAL_ALL;
		p += 2;
	} else {
		if (number(&p, end, UINT32_MAX, &v) == -1)
			return -1;
		r->rcpt = (size_t)v;
	}
	if (word(&p, end, w, sizeof(w)) == -1 ||
	    result_by_name(w, &r->result.code) == -1 ||
	    number(&p, end, 999, &v) == -1)
		return -1;
	r->result.reply = (int)v;
	if (optional(&p, end, r->result.esc, sizeof(r->result.esc)) == -1 ||
	    optional(&p, end, r->result.host, sizeof(r->result.host)) == -1)
		return -1;
	n = (size_t)(end - p);
	if (n >= sizeof(r->result.text))
		return -1;
	memcpy(r->result.text, p, n);
	result_clean(r->result.text);
	return 0;
}

/* Exactly N lower-case hexadecimal digits. */
static int
hex(const char *p, size_t n, uint32_t *v)
{
	size_t i;

	for (*v = 0, i = 0; i < n; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			*v = *v << 4 | (uint32_t)(p[i] - '0');
		else if (p[i] >= 'a' && p[i] <= 'f')
			*v = *v << 4 | (uint32_t)(p[i] - 'a' + 10);
		else
			return -1;
	}
	return 0;
}

static int
parse_line(const char *p, const char *end, struct journal_record *r)
{
	uint32_t len, crc;

	if (end - p <= HEAD_LEN || p[4] != ' ' || p[13] != ' ' ||
	    hex(p, 4, &len) == -1 || hex(p + 5, 8, &crc) == -1)
		return -1;
	p += HEAD_LEN;
	if (len > BODY_MAX || len != (size_t)(end - p) ||
	    crc32c(0, p, len) != crc)
		return -1;
	return parse_body(p, end, r);
}

size_t
journal_parse(const char *p, size_t n,
    void (*each)(void *, const struct journal_record *), void *arg)
{
	struct journal_record r;
	const char *line, *lf, *end;
	size_t good = 0;

	end = p + n;
	for (line = p; line < end; line = lf + 1) {
		lf = memchr(line, '\n', (size_t)(end - line));
		if (lf == NULL)
			break;
		if (parse_line(line, lf, &r) == -1)
			continue;
		each(arg, &r);
		good = (size_t)(lf + 1 - p);
	}
	return good;
}
