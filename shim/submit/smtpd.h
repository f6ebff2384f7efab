/* SPDX-License-Identifier: ISC */
/* sendmail -bs: an SMTP session (RFC 5321) on standard input and output. */
#ifndef SHIM_SUBMIT_SMTPD_H
#define SHIM_SUBMIT_SMTPD_H

struct smtpio;
struct submit_env;

/*
 * smtpd_main: the session; its exit code.
 * smtpd_serve: the same over IO, for a client called PEER, until he leaves.
 */
int	smtpd_main(const struct submit_env *);
void	smtpd_serve(const struct submit_env *, struct smtpio *,
	    const char *peer);

#endif /* SHIM_SUBMIT_SMTPD_H */
