/* SPDX-License-Identifier: ISC */
/*
 * Addresses: RFC 5322 section 3.4 lists, with groups, comments, quoted
 * strings and obsolete routes.  One parser for header fields, for arguments
 * of the command line and for -f.
 */
#ifndef SHIM_BASE_ADDR_H
#define SHIM_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#define ADDR_MAX_LOCAL	64	/* RFC 5321 section 4.5.3.1 */
#define ADDR_MAX_DOMAIN	255
#define ADDR_MAX	254	/* a path of 256 less < and > */

struct addr {
	/* "local@domain" as RFC 5321 writes it, quoted where it must be;
	   only "local" if it has no domain; "" for <>.  The local part may
	   be UTF-8 (RFC 6531), the domain is ASCII */
	const char	*spec;
	bool		 has_domain;
	bool		 converted; /* the text has the domain in Unicode */
	size_t		 start;	/* where the address is in the text, without */
	size_t		 end;	/* name, brackets and obsolete route */
};

/*
 * Call EACH for every address of the N octets at P, in order; it returns
 * NULL or a static text that ends the search.  0, or -1 with *WHY: a static
 * text.  Nothing is called for a group without members.
 */
int	addr_list(const char *p, size_t n,
	    const char *(*each)(void *arg, const struct addr *), void *arg,
	    const char **why);

/*
 * The one address in the string S, completed with "@DEFAULT_DOMAIN"; the
 * caller's.  NULL with *WHY.  "" for an empty string and for <>.
 */
char	*addr_one(const char *s, const char *default_domain,
	    const char **why);

/* The address A completed, the caller's; NULL with *WHY if it is too long. */
char	*addr_complete(const struct addr *, const char *default_domain,
	    const char **why);

/* Whether a server must know SMTPUTF8 (RFC 6531) to get ADDRESS. */
bool	addr_needs_utf8(const char *address);

/* Same mailbox: the local part as it is, the domain in either case. */
int	addr_compare(const char *, const char *);

#endif /* SHIM_BASE_ADDR_H */
