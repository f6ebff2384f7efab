/* SPDX-License-Identifier: ISC */
/*
 * A delivery status notification (RFC 3464 in the frame of RFC 6522): what
 * happened, in plain words, then the same for programs, then the header of
 * the message, or all of it.
 */
#ifndef SHIM_RUN_NOTICE_H
#define SHIM_RUN_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/result.h"
#include "spool/msgfile.h"
#include "spool/queue.h"

enum notice_kind {
	NOTICE_FAILED,		/* given up, or refused for good */
	NOTICE_RELAYED,		/* taken by a host that reports no further, or
				   delivered on this machine */
	NOTICE_DELAYED,		/* late, and tried again */
	NOTICE_MAX
};

struct notice_rcpt {
	const struct envelope_rcpt *rcpt;
	struct result	 result;	/* of the last attempt */
	time_t		 time;		/* of it */
};

struct notice {
	enum notice_kind kind;
	const struct msgid *id;		/* of the message it is about */
	const struct msgfile *mf;
	int		 fd;		/* its file; read with pread(2) */
	const char	*to;		/* the address that is told */
	const struct notice_rcpt *rcpt;
	size_t		 nrcpt;
	unsigned	 nth;		/* of this kind, from 0 */
	time_t		 now;
	time_t		 until;		/* DELAYED: it is tried until then */
};

/*
 * Make the notice and link it into queue/, durably; *NAME is its identifier,
 * which depends on the message, kind and nth only: made twice, it exists
 * once.  0, or -1 with errno.
 */
int	notice_make(struct queue *, const struct conf *, const struct notice *,
	    struct msgid *name);

#define CRLF	"\r\n"

/*
 * The parts, for notice.c: text for people, and message/delivery-status.
 * A line is clean: printable UTF-8, then CRLF; long ones are folded before a
 * blank, and go on with INDENT.  The status is US-ASCII.
 */
void	notice_line(struct buf *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	notice_fold(struct buf *, const char *indent, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	notice_date(struct buf *, const char *before, time_t, const char *after);
/* Whether all recipients of the notice have it in their mailboxes here. */
bool	notice_is_delivered(const struct notice *);
void	notice_text(struct buf *, const struct conf *, const struct notice *);
void	notice_status(struct buf *, const struct conf *,
	    const struct notice *);

#endif /* SHIM_RUN_NOTICE_H */
