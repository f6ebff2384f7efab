/* SPDX-License-Identifier: ISC */
/* Is a file still the one that was read? */
#ifndef NSS_FILEID_H
#define NSS_FILEID_H

#include <sys/types.h>

#include <time.h>

struct stat;

/* Which contents: no two are alike once the file is two seconds old. */
struct mxfileid {
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	struct timespec	 mtim;
	struct timespec	 ctim;
};

/*
 * mxfileid_set: from what stat(2) said.
 * mxfileid_of: of PATH, links followed.  No file is an ID of its own, and
 *	all zero; -1 with errno, and also all zero, if nobody can know, or
 *	if PATH is a link that leads nowhere.  ST, if not NULL, gets what
 *	stat(2) said.  Costs one system call where no link is.
 * mxfileid_is_young: whether it was changed less than two seconds before
 *	NOW, of CLOCK_REALTIME, so that the next change may not be seen.
 */
void	mxfileid_set(struct mxfileid *, const struct stat *);
int	mxfileid_of(const char *path, struct mxfileid *, struct stat *st);
int	mxfileid_is_same(const struct mxfileid *, const struct mxfileid *);
int	mxfileid_is_absent(const struct mxfileid *);
int	mxfileid_is_young(const struct mxfileid *, time_t now);

#endif /* NSS_FILEID_H */
