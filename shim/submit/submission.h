/* SPDX-License-Identifier: ISC */
/*
 * One message on its way into the spool, whoever brings it: the command line
 * (submit.c) or an SMTP client (smtpd.c).  What is wrong with it is noted
 * once, for the caller to report in his way.
 */
#ifndef SHIM_SUBMIT_SUBMISSION_H
#define SHIM_SUBMIT_SUBMISSION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/conf.h"
#include "spool/drop.h"
#include "spool/envelope.h"
#include "spool/id.h"
#include "submit/header.h"
#include "submit/message.h"

struct addr;

struct submit_env {
	const struct conf *conf;
	const struct opts *opts;
	const char	*wake_path;	/* the runner's socket */
	const char	*runner;	/* its program */
	const char	*submit_path;	/* who takes what we cannot write */
};

struct refusal {
	int		 code;		/* sysexits(3); EX_OK: none */
	const char	*esc;		/* RFC 3463 */
	struct buf	 text;		/* one printable line */
};

struct submission {
	const struct submit_env *env;
	const struct conf *conf;
	struct message	*message;	/* to be read */
	struct header	 header;
	struct envelope	 envelope;
	unsigned	 notify;	/* DSN_*, for each recipient */
	const char	*full_name;	/* for From, or NULL: the caller's */
	const char	*client;	/* as in complete_facts, or NULL */
	const char	*protocol;
	bool		 verbose;	/* show the dialogue */
	struct refusal	 refusal;
	/* of submission.c */
	struct drop	*drop;
	struct msgid	 id;
	char		*login;		/* address of the caller */
	char		*login_name;	/* of the caller, in full */
	int		 dialogue;	/* to hear it, or -1 */
	int		 drop_error;	/* errno: why it is handed over */
	/* what becomes of the message in memory; NULL: it is in the spool */
	int		 (*commit)(struct submission *);
};

/*
 * All of them return an exit code of sysexits(3): EX_OK, or that of the
 * refusal, which they note.
 *
 * submission_refuse: note it, with an enhanced code and a text; returns CODE.
 * submission_sender: the address in TEXT; NULL: the caller.
 * submission_header: read the header of the message, and look for a loop.
 * submission_store: all that follows.  EX_OK: the message is on disk, and
 *	the runner knows.  Otherwise nothing is left in the spool.
 * submission_recipient: for addr_list().
 * submission_login: the address of the caller.
 * submission_has_control: whether an address is none for that reason.
 * submission_wake: tell the runner of message ID, which is on disk.
 */
void	submission_init(struct submission *, const struct submit_env *);
void	submission_clear(struct submission *);
int	submission_refuse(struct submission *, int code, const char *esc,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int	submission_sender(struct submission *, const char *text);
const char *submission_recipient(void *submission, const struct addr *);
int	submission_header(struct submission *);
int	submission_store(struct submission *);
bool	submission_has_control(const char *);
const char *submission_login(struct submission *);
void	submission_wake(const struct submission *, const char *id);

#endif /* SHIM_SUBMIT_SUBMISSION_H */
