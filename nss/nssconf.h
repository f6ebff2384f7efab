/* SPDX-License-Identifier: ISC */
/*
 * The source list: "mxhosts: files [NOTFOUND=return] dns", in the grammar
 * of nsswitch.conf(5), and the place where it is found.
 */
#ifndef NSS_NSSCONF_H
#define NSS_NSSCONF_H

#include <stddef.h>

#define NSSCONF_MAXSOURCES	16
#define NSSCONF_DEFAULT		"files dns"

enum nss_action {
	NSS_CONTINUE,		/* ask the next source */
	NSS_RETURN,		/* stop here */
	NSS_MERGE		/* ask the next source and add to this */
};

/* Index of struct nss_source's action: an mxnss_status plus 2. */
#define NSS_STATUSES	4
#define NSS_INDEX(st)	((unsigned int)((int)(st) + 2))

struct nss_source {
	char		 name[33];
	char		 arg[256];	/* "" if there is none */
	enum nss_action	 action[NSS_STATUSES];
};

struct nssconf {
	struct nss_source src[NSSCONF_MAXSOURCES];
	size_t		 nsrc;
	size_t		 nplaces;	/* how many files were looked at */
	char		 origin[300];	/* "/etc/mxnss.conf:3" or "default" */
};

/* A file that may hold the line. */
struct nssconf_place {
	const char	*path;
	int		 args;		/* "NAME(ARG)" is allowed in it */
};

/* Where it is looked for, ended by a NULL path. */
extern const struct nssconf_place nssconf_places[];

/*
 * nssconf_parse: the text after the colon.  0, or -1 with one line in ERR.
 * nssconf_find: the first "mxhosts:" line of a file's text.  Its number,
 *	with *VALUE and *VALUELEN what follows the colon; 0 if there is
 *	none; -1 (and *VALUELEN the number) if the line has no colon.
 * nssconf_load: from the first of the NULL-path-ended PLACES that has the
 *	line, else the default.  0, or -1 with "FILE:LINE: reason" in ERR.
 * nssconf_shadowed: REPORT for each other "mxhosts:" line, which is not
 *	used because CONF, as nssconf_load() found it, comes from the first.
 * nssconf_format: the list with all actions spelled out; -1: no room.
 */
int	nssconf_parse(const char *text, size_t len, int args,
	    struct nssconf *conf, char *err, size_t errsize);
int	nssconf_find(const char *text, size_t len, const char **value,
	    size_t *valuelen);
int	nssconf_load(const struct nssconf_place *places, struct nssconf *conf,
	    char *err, size_t errsize);
void	nssconf_shadowed(const struct nssconf_place *places,
	    const struct nssconf *conf, void (*report)(void *arg,
	    const char *path, size_t lineno), void *arg);
int	nssconf_format(const struct nssconf *conf, char *buf, size_t size);

#endif /* NSS_NSSCONF_H */
