/* SPDX-License-Identifier: ISC */
/*
 * SMTP replies (RFC 5321 section 4.2) and enhanced status codes (RFC 3463,
 * 2034).  Pure: lines in, one reply out.
 */
#ifndef SHIM_SMTP_REPLY_H
#define SHIM_SMTP_REPLY_H

#include <stddef.h>

#define REPLY_MAXLINES	128
#define REPLY_MAXOCTETS	65536
#define REPLY_MAXLINE	2048

struct reply {
	size_t	 maxlines;	/* REPLY_MAXLINES; a caller may change it */
	int	 code;		/* 200 to 599 */
	char	 esc[12];	/* "5.7.1", or "" */
	char	 text[512];	/* all lines joined by a blank, printable,
				   without code and enhanced code */
	size_t	 lines;
	size_t	 octets;
};

void	reply_init(struct reply *);
/*
 * Add one line of LEN octets, without line end.  1: the reply is complete;
 * 0: another line follows; -1: malformed.
 */
int	reply_line(struct reply *, const char *line, size_t len);

#endif /* SHIM_SMTP_REPLY_H */
