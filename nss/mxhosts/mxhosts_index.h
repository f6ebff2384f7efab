/* SPDX-License-Identifier: ISC */
/* The lines of one override file, by their patterns. */
#ifndef NSS_MXHOSTS_INDEX_H
#define NSS_MXHOSTS_INDEX_H

struct mxfileid;
struct mxhosts;
struct mxindex;

/*
 * mxindex_new: of the file at PATH, whose ID must be that; NULL if it is
 *	not, if it cannot be read or trusted, if it is too large, or if memory
 *	ran out.
 * mxindex_answer: gives the lines that may apply to what MH looks up to
 *	mxhosts_line().  -1 if memory ran out.
 * Any number of threads can use an index.
 */
struct mxindex *mxindex_new(const char *path, const struct mxfileid *id);
void	mxindex_free(struct mxindex *);
int	mxindex_answer(const struct mxindex *, struct mxhosts *mh);

#endif /* NSS_MXHOSTS_INDEX_H */
