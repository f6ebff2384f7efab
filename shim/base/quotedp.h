/* SPDX-License-Identifier: ISC */
/* Quoted-printable (RFC 2045 section 6.7), lines of at most 76 octets. */
#ifndef SHIM_BASE_QUOTEDP_H
#define SHIM_BASE_QUOTEDP_H

#include <stdbool.h>
#include <stddef.h>

typedef int (*quotedp_sink)(void *arg, const void *, size_t n);

struct quotedp {
	quotedp_sink	 sink;
	void		*arg;
	size_t		 col;		/* octets in this line */
	char		 blank;		/* seen, not passed on; 0: none */
	bool		 cr;		/* seen */
	size_t		 n;
	char		 out[4096];
};

void	quotedp_init(struct quotedp *, quotedp_sink, void *arg);
/* A sink, too: text in wire form, in any pieces.  ARG: struct quotedp. */
int	quotedp_feed(void *arg, const void *, size_t n);
/* The text is over; 0, or -1 the sink failed. */
int	quotedp_end(struct quotedp *);

#endif /* SHIM_BASE_QUOTEDP_H */
