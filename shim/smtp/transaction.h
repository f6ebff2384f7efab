/* SPDX-License-Identifier: ISC */
/*
 * What the two halves of a mail transaction share: smtp_mail.c, the envelope,
 * and smtp_data.c, the message.
 */
#ifndef SHIM_SMTP_TRANSACTION_H
#define SHIM_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp/reply.h"
#include "smtp/smtp.h"

/* What is replied to, in texts. */
#define IN_MAIL		"MAIL FROM"
#define IN_RCPT		"RCPT TO"
#define IN_DATA		"DATA"
#define IN_MESSAGE	"the message"
#define IN_END		"the end of the message"

enum rcpt_state {
	OPEN,			/* no reply yet */
	ACCEPTED,		/* 2yz to RCPT */
	LEFT,			/* for another transaction */
	SETTLED			/* the result is known */
};

struct transaction {
	struct smtp		*s;
	struct smtp_message	*m;
	enum rcpt_state		*state;	/* of each recipient */
	size_t			 accepted;
	bool			 rset;	/* began with RSET */
	bool			 refused; /* MAIL was */
	bool			 odd;	/* RCPT accepted without MAIL */
	bool			 go;	/* 354 */
	struct result		*r;	/* of the data, while it is sent */
};

/*
 * transaction_refusal: the result of a 4yz or 5yz to WHAT.
 * transaction_settle_one: the result of recipient I.
 * transaction_settle: the same result for all that are in this transaction
 *	and have none.
 * transaction_refuse: a 4yz or 5yz to the message, or to DATA.
 * transaction_converts: whether the message goes another way than it is: it
 *	has octets outside ASCII, and the server does not take them.
 * transaction_data: the message, after a 354.  All recipients of this
 *	transaction are settled, or -1 with *R, which is also theirs.
 */
void	transaction_refusal(const struct transaction *, const struct reply *,
	    const char *what, struct result *);
void	transaction_settle_one(struct transaction *, size_t i,
	    const struct result *);
void	transaction_settle(struct transaction *, const struct result *);
void	transaction_refuse(struct transaction *, const struct reply *,
	    const char *what, struct result *);
bool	transaction_converts(const struct transaction *);
int	transaction_data(struct transaction *, struct result *);

#endif /* SHIM_SMTP_TRANSACTION_H */
