/* SPDX-License-Identifier: ISC */
/*
 * What mxcheck looks at, by group.  Nothing is changed and no mail is sent;
 * what the caller may not see is a note.
 */
#ifndef SHIM_CHECK_CHECKUP_H
#define SHIM_CHECK_CHECKUP_H

#include <stdbool.h>
#include <time.h>

#include "base/conf.h"
#include "check/report.h"

/* Where to look; tests bring their own. */
struct check_paths {
	const char	*rundir;	/* of wake, submit, mailbox */
	const char	*getmx;
	const char	*sendmail;	/* whom programs call */
	const char	*own;		/* a name of our sendmail */
	const char	*search;	/* PATH, or NULL */
	const char	*sysctl;	/* /proc/sys/fs */
	const char	*systemd;	/* is there where it is process 1 */
	const char	*const *units;	/* NULL-ended: what enables units */
};

struct aliases;
struct dns;

struct checkup {
	const struct conf *conf;
	const struct check_paths *paths;
	struct report	*report;
	struct dns	*dns;
	bool		 silent;	/* no name server answers */
	char		*relay;		/* who gets all mail to the Internet, or
					   NULL */
	time_t		 now;
};

/* machine.c: what is not about mail alone */
void	check_clock(struct checkup *);
void	check_configuration(struct checkup *);
void	check_sendmail(struct checkup *);
void	check_kernel(struct checkup *);
/* names.c: what others see in the DNS */
void	check_resolver(struct checkup *);
void	check_hostname(struct checkup *);
void	check_reverse(struct checkup *);
void	check_mail_name(struct checkup *);
void	check_tls(struct checkup *);
/* spool.c */
void	check_spool(struct checkup *);
void	check_queue(struct checkup *);
/* service.c: who takes mail from there */
void	check_runner(struct checkup *);
void	check_submit(struct checkup *);
/* local.c */
void	check_mailbox(struct checkup *);
void	check_aliases(struct checkup *);
/* target.c: a domain, or an address */
void	check_target(struct checkup *, const char *target);

/*
 * The spool is for all users, not for the one who owns it: then there is a
 * service, and others write to it.
 */
bool	check_is_shared(const struct checkup *);
/* Whether systemd is there to do it. */
bool	check_has_systemd(const struct checkup *);
/* The aliases of the configuration; if it cannot be, that is said. */
bool	check_read_aliases(struct checkup *, struct aliases *);
/* Whether somebody listens at a socket of TYPE.  0, or -1 with errno. */
int	check_connect(const char *path, int type);

#endif /* SHIM_CHECK_CHECKUP_H */
