/* SPDX-License-Identifier: ISC */
/*
 * Results under construction: what one source has said (struct
 * mxnss_reply, behind the services of <mxnss.h>), and lists of exchanges.
 */
#ifndef NSS_MXINFO_H
#define NSS_MXINFO_H

#include <stddef.h>
#include <stdint.h>

#include "mxdb.h"
#include "mxnss.h"

#define MXINFO_MAXENTS	1000	/* records taken from one source */
#define MXINFO_MAXNOTES	50

/* An exchange and what only we know of it; its texts are behind it. */
struct ent {
	struct mxent	 mx;	/* first: handed out and freed as this */
	unsigned int	 group;	/* 0, or the mx: line that borrowed it */
	unsigned int	 rank;	/* order among equal mx_pref of a group */
};

struct entlist {
	struct ent	**ent;
	size_t		 n;
	size_t		 room;
	/* NULL, or told of each entry that mxlist.h drops */
	void		(*dropped)(void *arg, const struct ent *);
	void		*arg;
};

struct verdict {		/* what a source said, but for the records */
	int		 set;
	int		 error;	/* MX_E* or 0 */
	const char	*source; /* borrowed from the list of sources */
	char		*origin;
	char		*text;
	char		*dsn;
	char		*cname;
	char		*rule;	/* pattern that decided */
	int		 rcode;
	int		 err;	/* errno */
	uint32_t	 ttl;
	uint32_t	 flags;	/* MXI_* */
};

#define MXVERDICT_NONE	{ .rcode = -1, .ttl = UINT32_MAX }

struct mxnss_reply {
	const char	*source;	/* name of the source; borrowed */
	struct verdict	 v;
	struct entlist	 list;
	struct entlist	 next;		/* mx_host: domain of an mx: line */
	struct mxnote	*notes;
	unsigned int	 nnotes;
	int		 nullmx;
	int		 nodata;
	int		 merge;
	int		 nomem;
};

extern const struct mxnss_host mxinfo_host;

/*
 * A reply is calloc'ed storage of the caller: init, clear.
 * mxent_new: a copy of the record and of the texts, which may be NULL; or
 *	NULL with errno ENOMEM or EINVAL.
 * mxentlist_add: takes the entry, also when it fails.
 * mxentlist_move: all of SRC to the end of DST; -1: no memory, nothing moved.
 * mxverdict_move: SRC into DST, which is cleared first.
 * mxinfo_note: adds a line to a list of notes; -1 if memory ran out.
 * mxinfo_clean: a malloc'ed copy with what is not printable ASCII as '?'.
 */
void		 mxreply_init(struct mxnss_reply *, const char *source);
void		 mxreply_clear(struct mxnss_reply *);
struct ent	*mxent_new(const struct mxnss_record *, const char *source,
		    const char *origin);
void		 mxent_free(struct ent *);
int		 mxentlist_add(struct entlist *, struct ent *);
int		 mxentlist_move(struct entlist *dst, struct entlist *src);
void		 mxentlist_clear(struct entlist *);
void		 mxverdict_clear(struct verdict *);
void		 mxverdict_move(struct verdict *dst, struct verdict *src);
int		 mxinfo_note(struct mxnote **, unsigned int *n,
		    const char *text);
char		*mxinfo_clean(const char *);
void		 mxinfo_free_addrs(struct mxaddr *);

#endif /* NSS_MXINFO_H */
