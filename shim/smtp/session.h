/* SPDX-License-Identifier: ISC */
/*
 * What the files of the SMTP client share: the session, and one command and
 * one reply at a time.
 */
#ifndef SHIM_SMTP_SESSION_H
#define SHIM_SMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smtp/reply.h"
#include "smtp/smtp.h"

/* ms; RFC 5321 section 4.5.3.2 */
#define SESSION_STARTTLS	120000
#define SESSION_DATA		120000
#define SESSION_BLOCK		180000	/* to take what we have written */
#define SESSION_QUIT		20000

struct smtp {
	struct smtp_io io;
	char	*hostname;
	char	*peer;
	int	 reply_timeout;
	int	 data_timeout;
	bool	 lmtp;
	void	(*trace)(void *, char, const char *);
	void	*trace_arg;
	unsigned offers;		/* SMTP_* */
	uint64_t size_max;		/* of SIZE; 0: none named */
	uint64_t mail_max;		/* of LIMITS; 0: none named */
	uint64_t rcpt_max;
	uint64_t domain_max;
	uint64_t mails;			/* transactions begun */
	char	 name[256];		/* of the server */
	bool	 dead;			/* nothing more can be sent */
	size_t	 unsent;		/* octets of commands, not flushed */
	bool	 open;			/* RSET before the next MAIL */
};

/*
 * WHAT names the command in texts: "(in reply to WHAT)".  All return 0, or -1
 * with *R when the session is over.
 *
 * session_ms: CAP, or less if the reply timeout is less.
 * session_ready: before commands are written: nothing that we did not ask
 *	for may have arrived.
 * session_command: write a line; session_write: octets.
 * session_flush: send them; 1 if the server said something before it took
 *	them all.
 * session_reply: a whole reply, within MS.  EACH, if not NULL, gets the text
 *	of every line.  A 421 is -1.
 * session_fail: end the session with CODE and the text.
 * session_odd: end it because of a reply that makes no sense there.
 * session_verdict: what a reply says about the thing it replies to.
 */
int	session_ms(const struct smtp *, int cap);
int	session_ready(struct smtp *, const char *what, struct result *);
int	session_command(struct smtp *, const char *what, struct result *,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int	session_write(struct smtp *, const char *what, const void *, size_t,
	    struct result *);
int	session_flush(struct smtp *, const char *what, struct result *);
int	session_reply(struct smtp *, const char *what, int ms, struct reply *,
	    void (*each)(struct smtp *, size_t n, const char *, size_t),
	    struct result *);
int	session_fail(struct smtp *, enum result_code, const char *what,
	    const char *text, struct result *);
int	session_odd(struct smtp *, const struct reply *, const char *what,
	    struct result *);
void	session_verdict(const struct smtp *, const struct reply *,
	    enum result_code, const char *what, struct result *);
/* A line for sendmail -v. */
void	session_trace(const struct smtp *, char dir, const char *line);

#endif /* SHIM_SMTP_SESSION_H */
