/* SPDX-License-Identifier: ISC */
/* Quoted-printable (RFC 2045 section 6.7), lines of at most 76 octets. */
#ifndef SHIM_SUBMIT_QUOTEDP_H
#define SHIM_SUBMIT_QUOTEDP_H

#include <stdbool.h>
#include <stddef.h>

#include "submit/message.h"

struct quotedp {
	message_sink	 sink;
	void		*arg;
	size_t		 col;		/* octets in this line */
	char		 blank;		/* seen, not passed on; 0: none */
	bool		 cr;		/* seen */
	size_t		 n;
	char		 out[4096];
};

void	quotedp_init(struct quotedp *, message_sink, void *arg);
/* A message_sink: text in wire form, in any pieces.  ARG: struct quotedp. */
int	quotedp_feed(void *arg, const void *, size_t n);
/* The text is over; 0, or -1 the sink failed. */
int	quotedp_end(struct quotedp *);

#endif /* SHIM_SUBMIT_QUOTEDP_H */
