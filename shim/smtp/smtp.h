/* SPDX-License-Identifier: ISC */
/*
 * The client side of SMTP (RFC 5321), and of LMTP (RFC 2033), over a struct of
 * I/O calls.  It knows no policy: its caller decides whom to talk to, and
 * whether TLS must be.
 */
#ifndef SHIM_SMTP_SMTP_H
#define SHIM_SMTP_SMTP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dsn.h"
#include "base/result.h"

/*
 * How octets move; the functions of net.h (net_io()), or a script in a test.
 * Not more than 16 KB are written between two calls of flush.
 */
struct smtp_io {
	void	*arg;
	void	(*limit)(void *arg, int64_t ms);
	void	(*deadline)(void *arg, int ms);
	ssize_t	(*readline)(void *arg, char *buf, size_t size,
		    struct result *);
	int	(*write)(void *arg, const void *, size_t, struct result *);
	int	(*flush)(void *arg, struct result *); /* 1: see net.h */
	bool	(*pending)(void *arg);
};

#define SMTP_MIN_RATE	500	/* octets of a message per second */

struct smtp_params {
	const char *hostname;		/* for EHLO */
	const char *peer;		/* "host[address]:port" for results */
	bool	 lmtp;			/* the server speaks that */
	int	 reply_timeout;		/* ms for a whole reply */
	int	 data_timeout;		/* ms for the reply to the final dot */
	/* the dialogue for sendmail -v, or NULL; DIR is '>' or '<' */
	void	(*trace)(void *arg, char dir, const char *line);
	void	*trace_arg;
};

/* What the last EHLO offered. */
#define SMTP_EHLO	0x01	/* ESMTP at all */
#define SMTP_STARTTLS	0x02
#define SMTP_PIPELINING	0x04
#define SMTP_8BITMIME	0x08
#define SMTP_SIZE	0x10
#define SMTP_ESC	0x20	/* ENHANCEDSTATUSCODES */
#define SMTP_LIMITS	0x40	/* RFC 9422 */
#define SMTP_DSN	0x80	/* RFC 3461 */
#define SMTP_UTF8	0x100	/* SMTPUTF8, RFC 6531 */

/* How to greet back: HELO only where TLS need not be. */
enum smtp_how {
	SMTP_EHLO_ONLY,
	SMTP_EHLO_OR_HELO,	/* HELO if the server knows no EHLO */
	SMTP_HELO_ONLY
};

struct smtp;

/*
 * Every function below returns 0, or -1 with *R when the session can only be
 * closed; smtp_quit() may be called even then, and sends nothing that would
 * be out of place.  The text of a result that comes from a reply is the whole
 * reply, "550 5.1.1 No such user (in reply to RCPT TO)".
 *
 * Each wait ends with its own time (RFC 5321 section 4.5.3.2), and all of them
 * together: up to the first MAIL in twice the reply timeout, a transaction in
 * the same and what its message takes at SMTP_MIN_RATE; the reply to the end
 * of the data, or with LMTP each, has its own time again.
 *
 * smtp_greet: wait for the banner.
 * smtp_hello: EHLO or HELO; with LMTP always LHLO.
 * smtp_name: how the server called itself then; borrowed.
 * smtp_starttls: STARTTLS.  0: the server said 220 and nothing more is in the
 *	buffer: start TLS now, then smtp_hello() again.  1: refused, with the
 *	reason in *R (R_TLS); the session can go on in clear text.
 * smtp_mail: one transaction (RFC 5321 section 3.3).  Sets the result of
 *	every recipient, also when it returns -1; R_SENT only after a 2yz to
 *	the end of the data.  Returns 0 also when recipients were refused.
 *	With LMTP the server says for each recipient what became of the data:
 *	each is told to "answered" at once, for the next may take its time.
 *	Recipients that the server does not take in one transaction (RFC 9422,
 *	RFC 5321 section 4.5.3.1.10) are marked "again": call it again, with
 *	those.  Every call that leaves some has settled others.
 *	Who needs SMTPUTF8 and does not get it is R_UTF8, without a reply.
 *	To a server without 8BITMIME a message with 8-bit data goes in
 *	quoted-printable: sevenbit.h.
 * smtp_full: whether the server takes no more transactions in this session.
 * smtp_quit: QUIT, without waiting for its reply; the session has ended.
 */
struct smtp_rcpt {
	const char	*addr;
	unsigned	 notify;	/* DSN_*; 0: nothing was asked */
	const char	*orcpt;		/* what the sender named, or NULL */
	struct result	 result;
	bool		 again;
};
struct smtp_message {
	const char	*sender;	/* "" for a report */
	const char	*envid;		/* or NULL */
	enum dsn_ret	 ret;
	struct smtp_rcpt *rcpt;
	size_t		 nrcpt;
	void		(*answered)(void *arg, const struct smtp_rcpt *);
	void		*arg;
	int		 fd;		/* read with pread(2) */
	off_t		 start;
	off_t		 size;
	bool		 eightbit;
	bool		 utf8;		/* its header needs SMTPUTF8 */
	bool		 dsn;		/* set by smtp_mail(): the server
					   heeds NOTIFY */
	bool		 busy;		/* set by smtp_mail(): a 4yz to all of
					   it, not to a recipient */
	bool		 unsure;	/* set by smtp_mail(): the end of the
					   data was sent, and no clear reply
					   came: the server may have it */
};

struct smtp *smtp_new(const struct smtp_io *, const struct smtp_params *);
void	smtp_set_trace(struct smtp *,
	    void (*trace)(void *arg, char dir, const char *line), void *arg);
int	smtp_greet(struct smtp *, struct result *);
int	smtp_hello(struct smtp *, enum smtp_how, struct result *);
const char *smtp_name(const struct smtp *);
unsigned smtp_offers(const struct smtp *);	/* SMTP_* */
uint64_t smtp_size_max(const struct smtp *);	/* of SIZE; 0: none named */
int	smtp_starttls(struct smtp *, struct result *);
int	smtp_mail(struct smtp *, struct smtp_message *, struct result *);
bool	smtp_full(const struct smtp *);
void	smtp_quit(struct smtp *);
void	smtp_free(struct smtp *);		/* NULL is fine */

#endif /* SHIM_SMTP_SMTP_H */
