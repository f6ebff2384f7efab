/* SPDX-License-Identifier: ISC */
/* The command line of sendmail. */
#ifndef SHIM_SUBMIT_OPTS_H
#define SHIM_SUBMIT_OPTS_H

#include <stdbool.h>

#include "base/dsn.h"

#include "submit/pick.h"

enum opts_mode {
	OPTS_SUBMIT,		/* read a message and queue it */
	OPTS_MAILQ,		/* -bp, or called as mailq */
	OPTS_FLUSH,		/* -q, without -bp */
	OPTS_ALIASES,		/* -bi: check them */
	OPTS_VERIFY,		/* -bv: who would get it */
	OPTS_SMTP,		/* -bs */
	OPTS_HELP,
	OPTS_VERSION
};

/* What becomes of an error in the message or its recipients: -e, -oe. */
enum opts_errors {
	OPTS_PRINT,		/* p: on standard error */
	OPTS_QUIET,		/* q: nothing but the exit code */
	OPTS_MAIL,		/* m: mail to the sender */
	OPTS_MAIL_ZERO,		/* e: the same, and exit code 0 */
	OPTS_WRITE		/* w: p on a terminal, m elsewhere */
};

struct opts {
	enum opts_mode	 mode;
	enum opts_errors errors;
	bool		 from_header;	/* -t */
	bool		 ignore_dots;	/* -i */
	bool		 verbose;	/* -v */
	const char	*sender;	/* -f, or NULL */
	const char	*full_name;	/* -F, or NULL */
	unsigned	 notify;	/* -N: DSN_*; 0: nothing was asked */
	enum dsn_ret	 ret;		/* -R */
	const char	*envid;		/* -V, or NULL */
	struct pick	 pick;		/* -qI, -qR, -qS */
	char		**rcpt;		/* within argv */
	int		 nrcpt;
};

/*
 * Read the ARGC words of ARGV, without the program's name.  0, or -1 with
 * *WHY: one line, the caller's.  Options are read up to the first word that
 * is none, or "--"; no option names a file, and none has an effect on
 * anything but this one submission.
 */
int	opts_parse(struct opts *, int argc, char **argv, char **why);

#endif /* SHIM_SUBMIT_OPTS_H */
