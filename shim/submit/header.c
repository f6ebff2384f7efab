/* SPDX-License-Identifier: ISC */
/*
 * Header fields.  A field keeps the text that it came with, folds and
 * comments included; only what is wrong is changed.  All text that comes
 * from elsewhere than the message (full names) passes header_add_phrase(),
 * which can neither end a line nor begin a field.
 */
#include "config.h"

#include "submit/header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"

#define MAX_LINE	998	/* RFC 5322 section 2.1.1 */

void
header_init(struct header *h)
{
	memset(h, 0, sizeof(*h));
}

void
header_clear(struct header *h)
{
	size_t i;

	for (i = 0; i < h->nfield; i++)
		buf_clear(&h->field[i]);
	free(h->field);
	header_init(h);
}

static struct buf *
add_field(struct header *h)
{
	/* grows when the number is a power of two */
	if ((h->nfield & (h->nfield - 1)) == 0)
		h->field = xreallocarray(h->field,
		    h->nfield != 0 ? h->nfield * 2 : 1, sizeof(h->field[0]));
	buf_init(&h->field[h->nfield]);
	return &h->field[h->nfield++];
}

/* Octets of the field name at P, 0 if there is none before a colon. */
static size_t
name_length(const char *p, size_t n, size_t *colon)
{
	size_t i, len;

	for (i = 0; i < n && p[i] > ' ' && p[i] < 0x7f && p[i] != ':'; i++)
		continue;
	len = i;
	/* RFC 5322 section 4.5: blanks before the colon */
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	*colon = i;
	return i < n && p[i] == ':' ? len : 0;
}

static bool
is_blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' &&
		    p[i] != '\n')
			return false;
	return true;
}

static bool
is_mbox_from(const char *p, size_t n)
{
	return (n >= 5 && memcmp(p, "From ", 5) == 0) ||
	    (n >= 6 && memcmp(p, ">From ", 6) == 0);
}

enum header_line
header_take(struct header *h, const char *p, size_t n)
{
	bool first = !h->started;
	size_t len, colon;
	struct buf *f;

	h->started = true;
	h->size += n;
	if (n == 0)
		return HEADER_BLANK;
	if (p[0] == ' ' || p[0] == '\t') {
		if (h->nfield == 0)
			return HEADER_BODY;
		/* a line of blanks would end the header for some readers */
		if (!is_blank(p, n)) {
			f = &h->field[h->nfield - 1];
			buf_adds(f, "\r\n");
			buf_add(f, p, n);
		}
		return HEADER_TAKEN;
	}
	if (first && is_mbox_from(p, n))
		return HEADER_TAKEN;
	len = name_length(p, n, &colon);
	if (len == 0)
		return HEADER_BODY;
	f = add_field(h);
	buf_add(f, p, len);
	buf_add(f, p + colon, n - colon);
	return HEADER_TAKEN;
}

static bool
field_is(const struct buf *f, const char *name)
{
	size_t n = strlen(name);

	return f->len > n && strncasecmp(f->data, name, n) == 0 &&
	    f->data[n] == ':';
}

/* NULL ends NAMES. */
static bool
field_is_one_of(const struct buf *f, const char *const names[])
{
	for (; *names != NULL; names++)
		if (field_is(f, *names))
			return true;
	return false;
}

/* Where the value of F begins: after the colon. */
static size_t
value_start(const struct buf *f)
{
	return (size_t)(strchr(f->data, ':') + 1 - f->data);
}

static bool
field_is_empty(const struct buf *f)
{
	size_t start = value_start(f);

	return is_blank(f->data + start, f->len - start);
}

size_t
header_count(const struct header *h, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < h->nfield; i++)
		n += field_is(&h->field[i], name);
	return n;
}

bool
header_has(const struct header *h, const char *name)
{
	return header_count(h, name) != 0;
}

int
header_recipients(const struct header *h,
    const char *(*each)(void *arg, const struct addr *), void *arg,
    const char **field, const char **why)
{
	static const char *const plain[] = { "To", "Cc", "Bcc", NULL };
	static const char *const resent[] = { "Resent-To", "Resent-Cc",
	    "Resent-Bcc", NULL };
	const char *const *names = plain;
	const struct buf *f;
	size_t i, start;

	for (i = 0; i < h->nfield; i++)
		if (field_is_one_of(&h->field[i], resent))
			names = resent;
	for (i = 0; i < h->nfield; i++) {
		f = &h->field[i];
		if (!field_is_one_of(f, names))
			continue;
		*field = f->data;
		start = value_start(f);
		if (addr_list(f->data + start, f->len - start, each, arg,
		    why) == -1)
			return -1;
	}
	return 0;
}

/* Fields that end here; and fields that may not be empty. */
static bool
must_go(const struct buf *f)
{
	static const char *const secret[] = { "Bcc", "Resent-Bcc",
	    "Return-Path", NULL };
	static const char *const needed[] = { "Date", "From", "Message-ID",
	    "To", "Cc", "Sender", "Reply-To", NULL };

	return field_is_one_of(f, secret) ||
	    (field_is_one_of(f, needed) && field_is_empty(f));
}

static void
remove_fields(struct header *h)
{
	size_t i, n = 0;

	for (i = 0; i < h->nfield; i++) {
		if (must_go(&h->field[i]))
			buf_clear(&h->field[i]);
		else
			h->field[n++] = h->field[i];
	}
	h->nfield = n;
}

struct completion {
	const char	*value;
	const char	*mail_name;
	size_t		 done;		/* octets of the value in OUT */
	struct buf	 out;
};

static const char *
complete_address(void *arg, const struct addr *a)
{
	struct completion *c = arg;

	if (a->has_domain || a->spec[0] == '\0')
		return NULL;
	buf_add(&c->out, c->value + c->done, a->end - c->done);
	buf_printf(&c->out, "@%s", c->mail_name);
	c->done = a->end;
	return NULL;
}

/* Write the domain after addresses that have none; else leave F alone. */
static void
complete_field(struct buf *f, const char *mail_name)
{
	size_t start = value_start(f), n = f->len - start;
	struct completion c = { f->data + start, mail_name, 0, BUF_INIT };
	const char *why;

	if (addr_list(c.value, n, complete_address, &c, &why) == 0 &&
	    c.done != 0) {
		buf_add(&c.out, c.value + c.done, n - c.done);
		f->len = start;
		buf_add(f, c.out.data, c.out.len);
	}
	buf_clear(&c.out);
}

static void
complete_fields(struct header *h, const char *mail_name)
{
	static const char *const names[] = { "From", "To", "Cc", "Sender",
	    "Reply-To", NULL };
	size_t i;

	for (i = 0; i < h->nfield; i++)
		if (field_is_one_of(&h->field[i], names))
			complete_field(&h->field[i], mail_name);
}

static void
add_received(struct header *h, const struct header_facts *facts)
{
	struct buf *f;
	size_t i;

	/* trace fields come first (RFC 5321 section 4.4) */
	add_field(h);
	for (i = h->nfield - 1; i > 0; i--)
		h->field[i] = h->field[i - 1];
	f = &h->field[0];
	buf_init(f);
	buf_printf(f, "Received: by %s (mxnss, from userid %lu)\r\n\tid %s; ",
	    facts->hostname, (unsigned long)facts->uid, facts->id);
	header_add_date(f, facts->now);
}

static void
add_missing(struct header *h, const struct header_facts *facts)
{
	struct buf *f;

	if (!header_has(h, "Date")) {
		f = add_field(h);
		buf_adds(f, "Date: ");
		header_add_date(f, facts->now);
	}
	if (!header_has(h, "Message-ID"))
		buf_printf(add_field(h), "Message-ID: <%s@%s>", facts->id,
		    facts->hostname);
	if (header_has(h, "From"))
		return;
	f = add_field(h);
	buf_adds(f, "From: ");
	if (facts->full_name != NULL && facts->full_name[0] != '\0') {
		header_add_phrase(f, facts->full_name);
		buf_printf(f, " <%s>", facts->from);
	} else {
		buf_adds(f, facts->from);
	}
}

void
header_complete(struct header *h, const struct header_facts *facts)
{
	remove_fields(h);
	complete_fields(h, facts->mail_name);
	add_missing(h, facts);
	add_received(h, facts);
}

/* Where to fold P, which has more octets than the MAX that fit. */
static size_t
fold_at(const char *p, size_t max)
{
	size_t i;

	/* before a blank that has something before it */
	for (i = max; i > 1; i--)
		if ((p[i] == ' ' || p[i] == '\t') && !is_blank(p, i))
			return i;
	/* there is none: anywhere, but not within a UTF-8 character */
	for (i = max; i > max - 4; i--)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return i;
	return max;
}

/* One line of N octets without CRLF. */
static void
format_line(struct buf *out, const char *p, size_t n)
{
	size_t max = MAX_LINE, at;

	while (n > max) {
		at = fold_at(p, max);
		buf_add(out, p, at);
		p += at;
		n -= at;
		/* a continuation begins with a blank: its own, or ours */
		max = *p == ' ' || *p == '\t' ? MAX_LINE : MAX_LINE - 1;
		buf_adds(out, max == MAX_LINE ? "\r\n" : "\r\n ");
	}
	buf_add(out, p, n);
	buf_adds(out, "\r\n");
}

void
header_format(const struct header *h, struct buf *out)
{
	const char *p, *end, *nl;
	size_t i;

	for (i = 0; i < h->nfield; i++) {
		p = h->field[i].data;
		end = p + h->field[i].len;
		while ((nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
			format_line(out, p, (size_t)(nl - 1 - p));
			p = nl + 1;
		}
		format_line(out, p, (size_t)(end - p));
	}
	buf_adds(out, "\r\n");
}

static bool
is_utf8(const unsigned char *s)
{
	size_t more;

	while (*s != '\0') {
		if (*s < 0x80)
			more = 0;
		else if (*s >= 0xc2 && *s < 0xe0)
			more = 1;
		else if (*s >= 0xe0 && *s < 0xf0)
			more = 2;
		else if (*s >= 0xf0 && *s < 0xf5)
			more = 3;
		else
			return false;
		for (s++; more > 0; more--, s++)
			if ((*s & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void
add_base64(struct buf *b, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v;
	size_t i;

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)p[i] << 16;
		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		buf_addc(b, digits[v >> 18]);
		buf_addc(b, digits[v >> 12 & 63]);
		buf_addc(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_addc(b, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* RFC 2047: words of at most 75 characters, each of whole UTF-8 characters. */
static void
add_encoded_words(struct buf *b, const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	const char *charset = is_utf8(p) ? "utf-8" : "unknown-8bit";
	size_t n, left = strlen(name);

	for (; left > 0; p += n, left -= n) {
		n = left > 36 ? 36 : left;
		while (n > 32 && n < left && (p[n] & 0xc0) == 0x80)
			n--;
		buf_printf(b, "=?%s?B?", charset);
		add_base64(b, p, n);
		buf_adds(b, left > n ? "?=\r\n " : "?=");
	}
}

void
header_add_phrase(struct buf *b, const char *name)
{
	static const char atoms[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ";
	const unsigned char *p;

	for (p = (const unsigned char *)name; *p != '\0'; p++)
		if (*p < ' ' || *p >= 0x7f)
			break;
	/* "=?" would be read as an encoded word */
	if (*p != '\0' || strstr(name, "=?") != NULL) {
		add_encoded_words(b, name);
		return;
	}
	if (name[strspn(name, atoms)] == '\0' && !is_blank(name, 1)) {
		buf_adds(b, name);
		return;
	}
	buf_addc(b, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *name);
	}
	buf_addc(b, '"');
}

void
header_add_date(struct buf *b, time_t t)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	long off;

	if (localtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	off = tm.tm_gmtoff / 60;
	buf_printf(b, "%s, %d %s %d %02d:%02d:%02d %c%02ld%02ld",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    off < 0 ? '-' : '+', labs(off) / 60, labs(off) % 60);
}
