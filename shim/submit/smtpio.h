/* SPDX-License-Identifier: ISC */
/*
 * The octets of an SMTP session as its server sees them: lines and data in,
 * replies out.  CRLF and nothing else ends a line (RFC 5321 section 2.3.8),
 * CRLF "." CRLF and nothing else ends the data (section 4.5.2), so that no
 * two programs can differ about where a message ends.
 */
#ifndef SHIM_SUBMIT_SMTPIO_H
#define SHIM_SUBMIT_SMTPIO_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SMTPIO_LINE_MAX	2048	/* with CRLF; sections 4.5.3.1.4 and .10 */

enum smtpio_line {
	LINE_OK,
	LINE_LONG,		/* skipped */
	LINE_BAD,		/* skipped: CR or LF stands alone, or a NUL */
	LINE_GONE		/* the client, or it was silent: errno, or 0 */
};

struct smtpio {
	/* as read(2); ETIMEDOUT: silence */
	ssize_t		(*read)(void *arg, char *, size_t);
	/* all of it: 0, or -1 */
	int		(*write)(void *arg, const char *, size_t);
	void		*arg;
	/* of smtpio.c */
	struct buf	 out;		/* replies, until there is nothing to
					   read: RFC 2920 section 3.2 */
	bool		 lost;		/* they cannot be written */
	int		 state;		/* of the data */
	bool		 bad;		/* CR or LF stood alone in the data */
	char		 in[16384];
	size_t		 pos;
	size_t		 len;
};

/*
 * smtpio_line: the next line without its end.
 * smtpio_reply: one line of a reply; CRLF is added.
 * smtpio_flush: 0, or -1 if the client is gone.
 * smtpio_begin_data: the data comes next.
 * smtpio_data: some of it, without dots that were stuffed: a message_source.
 *	0 at its end; -1 when the client is gone or was silent, or with
 *	EBADMSG when CR or LF stands alone.
 * smtpio_skip_data: read to the end of it, up to MAX octets.  0; -1: there is
 *	more, or no end.
 */
void	smtpio_init(struct smtpio *);
void	smtpio_clear(struct smtpio *);
enum smtpio_line smtpio_line(struct smtpio *, struct buf *line);
void	smtpio_reply(struct smtpio *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
int	smtpio_flush(struct smtpio *);
void	smtpio_begin_data(struct smtpio *);
ssize_t	smtpio_data(void *smtpio, char *, size_t);
int	smtpio_skip_data(struct smtpio *, unsigned long long max);

#endif /* SHIM_SUBMIT_SMTPIO_H */
