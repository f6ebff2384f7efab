/* SPDX-License-Identifier: ISC */
/* Where the lines of each pattern are in one override file. */
#ifndef NSS_MXHOSTS_INDEX_H
#define NSS_MXHOSTS_INDEX_H

#include <sys/types.h>

#include <stddef.h>
#include <time.h>

struct mxhosts;
struct stat;

/* Which contents: no two are alike once the file is two seconds old. */
struct mxfileid {
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	struct timespec	 mtim;
	struct timespec	 ctim;
};

struct mxindex;

void	mxfileid_set(struct mxfileid *, const struct stat *);
int	mxfileid_is_same(const struct mxfileid *, const struct mxfileid *);

/*
 * mxindex_new: of the file at PATH, whose ID must be that; NULL if it is
 *	not, if it cannot be read or trusted, or if memory ran out.
 * mxindex_answer: gives the lines that may apply to what MH looks up to
 *	mxhosts_line().  It reads the file at PATH only if there are any;
 *	-1 if that failed or if it is not the same file any more.
 * Any number of threads can use an index.
 */
struct mxindex *mxindex_new(const char *path, const struct mxfileid *id);
void	mxindex_free(struct mxindex *);
int	mxindex_answer(const struct mxindex *, const char *path,
	    struct mxhosts *mh);

#endif /* NSS_MXHOSTS_INDEX_H */
