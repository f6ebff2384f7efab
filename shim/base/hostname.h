/* SPDX-License-Identifier: ISC */
/*
 * The names of this machine, found in files and never in the DNS.
 */
#ifndef SHIM_BASE_HOSTNAME_H
#define SHIM_BASE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

/* Where to look; tests bring their own. */
struct hostname_env {
	const char *own;	/* NULL: gethostname(2) */
	const char *hosts;	/* /etc/hosts */
	const char *resolv;	/* /etc/resolv.conf */
	const char *mailname;	/* /etc/mailname */
};

extern const struct hostname_env hostname_system;

/*
 * hostname_find: the own name if it has a dot; the first name with a dot on
 *	its line of the hosts file; the own name and the first search domain;
 *	the own name alone.  Never NULL; the caller's.
 * hostname_mail: the first line of the mailname file; NULL if there is none
 *	that is a name.  The caller's.
 * hostname_is_valid: letters, digits, hyphens and underscores between dots,
 *	within the lengths of the DNS.
 */
char	*hostname_find(const struct hostname_env *);
char	*hostname_mail(const struct hostname_env *);
bool	 hostname_is_valid(const char *);

#endif /* SHIM_BASE_HOSTNAME_H */
