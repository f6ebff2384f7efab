/* SPDX-License-Identifier: ISC */
/*
 * A message, line by line, however long the lines are: the beginning of a
 * line is one piece, up to PIECES_HEAD octets, or the line if it ends before.
 */
#ifndef SHIM_SMTP_PIECES_H
#define SHIM_SMTP_PIECES_H

#include <stdbool.h>
#include <stddef.h>

#define PIECES_HEAD	256

/* P begins a line if FIRST, and ends one if LAST; its CR LF is not there. */
typedef int pieces_fn(void *arg, const char *p, size_t n, bool first,
	    bool last);

struct pieces {
	size_t	 n;
	bool	 within;	/* the head of this line was passed on */
	char	 head[PIECES_HEAD];
};

/* All zero is the beginning.  0, or what FN returned, which ends it. */
int	pieces_feed(struct pieces *, const char *, size_t n, pieces_fn *,
	    void *arg);
/* A last line without its end. */
int	pieces_end(struct pieces *, pieces_fn *, void *arg);

#endif /* SHIM_SMTP_PIECES_H */
