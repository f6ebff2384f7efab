/* SPDX-License-Identifier: ISC */
/*
 * The arguments of MAIL and RCPT: a path, and parameters (RFC 5321 section
 * 4.1.2).  Pure.
 */
#ifndef SHIM_SUBMIT_SMTPPARAM_H
#define SHIM_SUBMIT_SMTPPARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dsn.h"

struct smtpparam_mail {
	uint64_t	 size;		/* SIZE; 0: not said */
	enum dsn_ret	 ret;		/* RET */
	char		*envid;		/* ENVID, decoded; the caller's */
	bool		 utf8;		/* SMTPUTF8 */
};

struct smtpparam_rcpt {
	unsigned	 notify;	/* NOTIFY: DSN_*; 0: not said */
	char		*orcpt;		/* ORCPT, if it is a mail address; the
					   caller's */
};

/*
 * smtpparam_path: the path after WORD, "FROM:" or "TO:", in *ARG, which is
 *	cut; *ARG is what follows.  With its brackets, if it has them; NULL if
 *	there is none.
 * smtpparam_mail, smtpparam_rcpt: the parameters in ARG, which is changed.
 *	NULL, or a reply that says what is wrong.
 */
char	*smtpparam_path(char **arg, const char *word);
const char *smtpparam_mail(char *arg, struct smtpparam_mail *);
const char *smtpparam_rcpt(char *arg, const char *default_domain,
	    struct smtpparam_rcpt *);

#endif /* SHIM_SUBMIT_SMTPPARAM_H */
