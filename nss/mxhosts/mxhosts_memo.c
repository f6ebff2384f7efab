/* SPDX-License-Identifier: ISC */
/*
 * Who sends mail sends it to the same domains again and again, and to read
 * the lines of one takes longer than to find them.  So a few answers that
 * came out of an index are kept with it, and are gone with it when a file
 * changes: one for each place of a small table.  A domain gets its place if
 * it is asked for twice in a row there, so that a walk through many domains
 * neither drives out those that come often nor pays for what nobody will
 * ask for again.
 */
#include "config.h"

#include "mxhosts/mxhosts_memo.h"

#include <stdlib.h>
#include <string.h>

#include "fnv.h"

uint64_t
mxmemo_hash(const char *domain)
{
	uint64_t h = FNV_OFFSET;

	for (; *domain != '\0'; domain++)
		h = fnv_octet(h, (unsigned char)*domain);
	return h ^ h >> 32;
}

struct mxanswer *
mxmemo_find(struct mxmemo *memo, uint64_t hash, const char *domain,
    int *wanted)
{
	struct mxmemo_place *place = &memo->place[hash % MXMEMO_PLACES];
	struct mxanswer *answer = place->answer;

	if (answer != NULL && place->hash == hash &&
	    strcmp(answer->mh.domain, domain) == 0) {
		answer->refs++;
		return answer;
	}
	*wanted = place->missed == hash;
	place->missed = hash;
	return NULL;
}

struct mxanswer *
mxmemo_put(struct mxmemo *memo, uint64_t hash, struct mxanswer *answer)
{
	struct mxmemo_place *place = &memo->place[hash % MXMEMO_PLACES];
	struct mxanswer *old = place->answer;

	place->answer = answer;
	place->hash = hash;
	return old;
}

void
mxmemo_clear(struct mxmemo *memo)
{
	size_t i;

	for (i = 0; i < MXMEMO_PLACES; i++)
		mxanswer_free(memo->place[i].answer);
}

struct mxanswer *
mxanswer_new(const struct mxhosts *mh)
{
	struct mxanswer *answer;

	if (mh->byrcpt || mh->nline == 0 || mh->nline > MXMEMO_LINES ||
	    (answer = malloc(sizeof(*answer))) == NULL)
		return NULL;
	answer->refs = 1;
	answer->mh = *mh;
	answer->mh.user = NULL;
	answer->mh.userlen = 0;
	answer->mh.room = 0;
	answer->mh.line = reallocarray(NULL, mh->nline, sizeof(*mh->line));
	if (answer->mh.line == NULL) {
		free(answer);
		return NULL;
	}
	memcpy(answer->mh.line, mh->line, mh->nline * sizeof(*mh->line));
	return answer;
}

int
mxanswer_release(struct mxanswer *answer)
{
	return --answer->refs == 0;
}

void
mxanswer_free(struct mxanswer *answer)
{
	if (answer == NULL)
		return;
	free(answer->mh.line);
	free(answer);
}
