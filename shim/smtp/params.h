/* SPDX-License-Identifier: ISC */
/*
 * The parameters of MAIL and RCPT (RFC 5321 section 4.1.1.11), each only
 * where the server offers what it belongs to.
 */
#ifndef SHIM_SMTP_PARAMS_H
#define SHIM_SMTP_PARAMS_H

#include "base/buf.h"
#include "smtp/session.h"

/* Add what follows the address: nothing, or words with a blank before each.
   UTF8: with SMTPUTF8, which is offered. */
void	params_mail(struct buf *, const struct smtp *,
	    const struct smtp_message *, bool utf8);
void	params_rcpt(struct buf *, const struct smtp *,
	    const struct smtp_rcpt *);

#endif /* SHIM_SMTP_PARAMS_H */
