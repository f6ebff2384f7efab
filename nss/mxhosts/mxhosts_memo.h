/* SPDX-License-Identifier: ISC */
/* Answers from an index that need not be read from its lines again. */
#ifndef NSS_MXHOSTS_MEMO_H
#define NSS_MXHOSTS_MEMO_H

#include <stdint.h>

#include "mxhosts/mxhosts.h"

#define MXMEMO_PLACES	256	/* a power of two; one answer each */
#define MXMEMO_LINES	4	/* of an answer, at most */

struct mxanswer {
	struct mxhosts	 mh;	/* whoever gets a copy does not own the lines */
	unsigned int	 refs;	/* the caller's lock guards it */
};

struct mxmemo {			/* all zero at first */
	struct mxmemo_place {
		struct mxanswer	*answer;	/* or NULL */
		uint64_t	 hash;		/* of its domain */
		uint64_t	 missed;	/* what was not found last */
	} place[MXMEMO_PLACES];
};

/*
 * mxmemo_hash: of a domain, for the others.
 * mxmemo_find: one more reference to the answer for DOMAIN; or NULL, and
 *	whether it is WANTED: asked for twice and no other one between.
 * mxmemo_put: takes the answer for its domain; what it takes the place of,
 *	or NULL, is the caller's.
 * mxanswer_new: a copy with one reference, if it is an answer for all
 *	recipients of its domain, or NULL.  The origin stays borrowed.
 * mxanswer_release: one reference less; whether it was the last one.
 * The caller locks find, put and release.
 */
uint64_t mxmemo_hash(const char *domain);
struct mxanswer *mxmemo_find(struct mxmemo *, uint64_t hash,
	    const char *domain, int *wanted);
struct mxanswer *mxmemo_put(struct mxmemo *, uint64_t hash,
	    struct mxanswer *);
void	mxmemo_clear(struct mxmemo *);
struct mxanswer *mxanswer_new(const struct mxhosts *);
int	mxanswer_release(struct mxanswer *);
void	mxanswer_free(struct mxanswer *);

#endif /* NSS_MXHOSTS_MEMO_H */
