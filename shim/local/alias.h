/* SPDX-License-Identifier: ISC */
/*
 * aliases(5): names of this machine, and who gets their mail.  A line that
 * is wrong is reported with file and line.  If its name can be read, mail
 * for that name waits until the line is right; other names are served.
 */
#ifndef SHIM_LOCAL_ALIAS_H
#define SHIM_LOCAL_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

enum alias_kind {
	ALIAS_ADDRESS,		/* "user" or "user@domain" */
	ALIAS_USER,		/* "\user": the mailbox, no alias of it */
	ALIAS_INCLUDE,		/* a file with more of these */
	ALIAS_DISCARD		/* /dev/null */
};

struct alias_target {
	enum alias_kind	 kind;
	char		*text;	/* address, user, or path */
};

struct alias {
	char		*name;
	char		*origin; /* "/etc/aliases:12" */
	char		*wrong;	/* what is wrong with its line, or NULL */
	struct alias_target *target;
	size_t		 ntarget;
	size_t		 order;	/* in which it was read */
};

struct aliases {
	struct alias	*alias;	/* sorted by name */
	size_t		 nalias;
	char		**errors; /* "FILE:LINE: text" */
	size_t		 nerrors;
};

/*
 * alias_parse: the N octets of TEXT, which came from PATH; a name that was
 *	defined earlier stays as it was.  Call alias_sort() after the last.
 * alias_load: all files of PATHS, NULL-ended, sorted.  0; -1 with errno and
 *	*WHICH if one cannot be read.  With MISSING_OK one that is not there
 *	is an empty one.
 * alias_find: NAME in any case; NULL if there is none.
 * alias_include: the targets in TEXT, a file of :include:, to EACH, which
 *	returns 0 or -1 to end it.  0; -1 with *WHY, which is the caller's, or
 *	NULL if it was EACH that ended it.
 */
void	alias_init(struct aliases *);
void	alias_clear(struct aliases *);
void	alias_parse(struct aliases *, const char *path, const char *text,
	    size_t n);
void	alias_sort(struct aliases *);
int	alias_load(struct aliases *, char *const *paths, bool missing_ok,
	    const char **which);
const struct alias *alias_find(const struct aliases *, const char *name);
int	alias_include(const char *text, size_t n,
	    int (*each)(void *arg, const struct alias_target *), void *arg,
	    char **why);

#endif /* SHIM_LOCAL_ALIAS_H */
