/* SPDX-License-Identifier: ISC */
/* Wire form: there is no CR but before a LF. */
#include "config.h"

#include "smtp/pieces.h"

#include <string.h>

static int
pass_head(struct pieces *s, bool last, pieces_fn *fn, void *arg)
{
	size_t n = s->n;

	s->n = 0;
	s->within = !last;
	return fn(arg, s->head, n, true, last);
}

/* Octets of a line, without its end. */
static int
take(struct pieces *s, const char *p, size_t n, pieces_fn *fn, void *arg)
{
	size_t k = s->within ? 0 : PIECES_HEAD - s->n;
	int rv;

	if (k > n)
		k = n;
	memcpy(s->head + s->n, p, k);
	s->n += k;
	if (!s->within && s->n == PIECES_HEAD &&
	    (rv = pass_head(s, false, fn, arg)) != 0)
		return rv;
	return k < n ? fn(arg, p + k, n - k, false, false) : 0;
}

int
pieces_feed(struct pieces *s, const char *p, size_t n, pieces_fn *fn,
    void *arg)
{
	const char *end = p + n, *lf, *stop;
	int rv = 0;

	while (rv == 0 && p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		stop = lf != NULL ? lf : end;
		if (stop > p && stop[-1] == '\r')
			stop--;
		rv = take(s, p, (size_t)(stop - p), fn, arg);
		if (lf == NULL)
			break;
		if (rv == 0)
			rv = s->within ? fn(arg, "", 0, false, true) :
			    pass_head(s, true, fn, arg);
		s->within = false;
		p = lf + 1;
	}
	return rv;
}

int
pieces_end(struct pieces *s, pieces_fn *fn, void *arg)
{
	return s->n > 0 ? pass_head(s, false, fn, arg) : 0;
}
