/* SPDX-License-Identifier: ISC */
/*
 * Header fields.  A field keeps the text that it came with, folds and
 * comments included, until complete.c puts it right.
 */
#include "config.h"

#include "submit/header.h"

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

struct buf *
header_add(struct header *h)
{
	/* grows when the number is a power of two */
	if ((h->nfield & (h->nfield - 1)) == 0)
		h->field = xreallocarray(h->field,
		    h->nfield != 0 ? h->nfield * 2 : 1, sizeof(h->field[0]));
	buf_init(&h->field[h->nfield]);
	return &h->field[h->nfield++];
}

struct buf *
header_add_first(struct header *h)
{
	size_t i;

	header_add(h);
	for (i = h->nfield - 1; i > 0; i--)
		h->field[i] = h->field[i - 1];
	buf_init(&h->field[0]);
	return &h->field[0];
}

void
header_pack(struct header *h)
{
	size_t i, n = 0;

	for (i = 0; i < h->nfield; i++)
		if (h->field[i].data != NULL)
			h->field[n++] = h->field[i];
	h->nfield = n;
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

/* The line that separates messages in a mailbox; "From :" is a field. */
static bool
is_mbox_from(const char *p, size_t n)
{
	size_t colon;

	return (n >= 6 && memcmp(p, ">From ", 6) == 0) ||
	    (n >= 5 && memcmp(p, "From ", 5) == 0 &&
	    name_length(p, n, &colon) == 0);
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
	f = header_add(h);
	buf_add(f, p, len);
	buf_add(f, p + colon, n - colon);
	return HEADER_TAKEN;
}

bool
field_is(const struct buf *f, const char *name)
{
	size_t n = strlen(name);

	return f->len > n && strncasecmp(f->data, name, n) == 0 &&
	    f->data[n] == ':';
}

bool
field_is_one_of(const struct buf *f, const char *const names[])
{
	for (; *names != NULL; names++)
		if (field_is(f, *names))
			return true;
	return false;
}

size_t
field_start(const struct buf *f)
{
	return (size_t)(strchr(f->data, ':') + 1 - f->data);
}

bool
field_is_empty(const struct buf *f)
{
	size_t start = field_start(f);

	return is_blank(f->data + start, f->len - start);
}

static struct buf *
find_field(const struct header *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->nfield; i++)
		if (field_is(&h->field[i], name))
			return &h->field[i];
	return NULL;
}

const char *
header_value(const struct header *h, const char *name)
{
	const struct buf *f = find_field(h, name);

	return f != NULL ? f->data + field_start(f) : NULL;
}

void
header_set(struct header *h, const char *name, const char *value)
{
	struct buf *f = find_field(h, name);

	if (f == NULL)
		f = header_add(h);
	buf_reset(f);
	buf_printf(f, "%s: %s", name, value);
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
		start = field_start(f);
		if (addr_list(f->data + start, f->len - start, each, arg,
		    why) == -1)
			return -1;
	}
	return 0;
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
