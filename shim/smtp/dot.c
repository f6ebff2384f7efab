/* SPDX-License-Identifier: ISC */
/*
 * A line that begins with a dot gets another; a lone dot ends the message
 * (RFC 5321 section 4.5.2).  The spool has CR LF line ends only.  Should a
 * bare LF ever come here, what follows counts as a line too: a server that
 * takes LF.LF for the end must not find one.
 */
#include "config.h"

#include "smtp/dot.h"

#include <string.h>

void
dot_init(struct dot *d, dot_sink *sink, void *arg)
{
	d->sink = sink;
	d->arg = arg;
	d->last = '\n';
}

int
dot_add(struct dot *d, const char *s, size_t len)
{
	const char *end = s + len, *p;
	int rv;

	if (len == 0)
		return 0;
	if (d->last == '\n' && *s == '.' && (rv = d->sink(d->arg, ".", 1)))
		return rv;
	while ((p = memmem(s, (size_t)(end - s), "\n.", 2)) != NULL) {
		/* up to and with the dot, then the dot again */
		if ((rv = d->sink(d->arg, s, (size_t)(p + 2 - s))))
			return rv;
		s = p + 1;
	}
	d->last = end[-1];
	return d->sink(d->arg, s, (size_t)(end - s));
}

int
dot_end(struct dot *d)
{
	if (d->last != '\n')
		return d->sink(d->arg, "\r\n.\r\n", 5);
	return d->sink(d->arg, ".\r\n", 3);
}
