/* SPDX-License-Identifier: ISC */
/*
 * The dot transparency of RFC 5321 section 4.5.2, over any division of the
 * message into blocks.  Pure but for the function that takes the octets.
 */
#ifndef SHIM_SMTP_DOT_H
#define SHIM_SMTP_DOT_H

#include <stddef.h>

typedef int dot_sink(void *arg, const void *, size_t);

struct dot {
	dot_sink *sink;		/* 0, or another value that stops all */
	void	*arg;
	char	 last;		/* last octet of the message so far */
};

/* At most DOT_MAX(N) octets leave for a block of N. */
#define DOT_MAX(n)	((n) + ((n) + 1) / 2)
/* The end adds at most a line end, the dot and its line end. */
#define DOT_END_MAX	5

void	dot_init(struct dot *, dot_sink *, void *arg);
/* 0, or what the sink returned. */
int	dot_add(struct dot *, const char *, size_t);
int	dot_end(struct dot *);

#endif /* SHIM_SMTP_DOT_H */
