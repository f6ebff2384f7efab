/* SPDX-License-Identifier: ISC */
/* A line end stays one; a blank before it, and what is not text, is "=XX". */
#include "config.h"

#include "base/quotedp.h"

#include <string.h>

#define MAX_LINE	76

void
quotedp_init(struct quotedp *q, quotedp_sink sink, void *arg)
{
	memset(q, 0, offsetof(struct quotedp, out));
	q->sink = sink;
	q->arg = arg;
}

static int
flush(struct quotedp *q)
{
	size_t n = q->n;

	q->n = 0;
	return n > 0 ? q->sink(q->arg, q->out, n) : 0;
}

/* The N octets at P, which no line break may part. */
static int
put(struct quotedp *q, const char *p, size_t n)
{
	if (q->n + n + 6 > sizeof(q->out) && flush(q) == -1)
		return -1;
	/* one octet is left for the = of the break */
	if (q->col + n > MAX_LINE - 1) {
		memcpy(q->out + q->n, "=\r\n", 3);
		q->n += 3;
		q->col = 0;
		/* a line that began elsewhere must not become a delimiter */
		if (*p == '-') {
			p = "=2D";
			n = 3;
		}
	}
	memcpy(q->out + q->n, p, n);
	q->n += n;
	q->col += n;
	return 0;
}

static int
put_code(struct quotedp *q, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char code[3] = { '=', digits[(unsigned char)c >> 4],
	    digits[c & 15] };

	return put(q, code, sizeof(code));
}

static int
put_newline(struct quotedp *q)
{
	char blank = q->blank;

	q->blank = 0;
	if (blank != 0 && put_code(q, blank) == -1)
		return -1;
	q->col = 0;
	if (put(q, "\r\n", 2) == -1)
		return -1;
	q->col = 0;
	return 0;
}

static int
put_octet(struct quotedp *q, char c)
{
	char blank = q->blank;

	q->blank = 0;
	if (blank != 0 && put(q, &blank, 1) == -1)
		return -1;
	if (c == ' ' || c == '\t') {
		q->blank = c;
		return 0;
	}
	return c > ' ' && c < 0x7f && c != '=' ? put(q, &c, 1) :
	    put_code(q, c);
}

int
quotedp_feed(void *arg, const void *octets, size_t n)
{
	struct quotedp *q = arg;
	const char *p = octets, *end = p + n;
	int rc = 0;

	for (; p < end && rc == 0; p++) {
		if (*p == '\r') {
			q->cr = true;
		} else if (*p == '\n' && q->cr) {
			q->cr = false;
			rc = put_newline(q);
		} else {
			rc = put_octet(q, *p);
		}
	}
	return rc;
}

int
quotedp_end(struct quotedp *q)
{
	if (q->blank != 0 && put_code(q, q->blank) == -1)
		return -1;
	q->blank = 0;
	return flush(q);
}
