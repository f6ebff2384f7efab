/* SPDX-License-Identifier: ISC */
/*
 * Life of a struct mxres_answer: made empty, filled by parse.c, reset
 * before the next server is asked, freed by the caller.
 */
#include "config.h"

#include "answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"

struct mxres_answer *
mxres_answer_new(const char *qname)
{
	struct mxres_answer *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->rcode = -1;
	if ((a->qname = strdup(qname)) == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

/* For messages about a name that is none. */
static void
copy_printable(const char *src, char *dst, size_t size)
{
	size_t i;

	for (i = 0; i < size - 1 && src[i] != '\0'; i++)
		dst[i] = src[i] > ' ' && src[i] < 0x7f ? src[i] : '?';
	dst[i] = '\0';
}

enum mxres_status
mxres_answer_begin(const struct mxres_ctx *ctx, const char *name,
    struct mxres_answer **answer)
{
	char qname[MXRES_TEXTMAX];
	enum mxres_status status = MXRES_OK;
	int error = 0;

	if (answer != NULL)
		*answer = NULL;
	if (ctx == NULL || name == NULL || answer == NULL)
		return MXRES_INVAL;
	if (mxres_name(name, qname, sizeof(qname)) == -1) {
		if ((error = errno) == ENOMEM)
			return MXRES_NOMEM;
		status = MXRES_BADNAME;
		copy_printable(name, qname, sizeof(qname));
	}
	if ((*answer = mxres_answer_new(qname)) == NULL)
		return MXRES_NOMEM;
	(*answer)->error = error;
	if (status != MXRES_OK)
		return mxres_answer_finish(answer, status);
	return MXRES_OK;
}

void
mxres_answer_drop(struct mxres_answer *a)
{
	size_t i;

	for (i = 0; i < a->nmx; i++)
		free(a->mx[i].host);
	for (i = 0; i < a->ntlsa; i++)
		free(a->tlsa[i].data);
	for (i = 0; i < a->ntxt; i++)
		free(a->txt[i].data);
	for (i = 0; i < a->nptr; i++)
		free(a->ptr[i].host);
	free(a->mx);
	free(a->addr);
	free(a->tlsa);
	free(a->txt);
	free(a->ptr);
	a->mx = NULL;
	a->addr = NULL;
	a->tlsa = NULL;
	a->txt = NULL;
	a->ptr = NULL;
	a->nmx = a->naddr = a->ntlsa = a->ntxt = a->nptr = 0;
	a->ttl = 0;
	a->flags = 0;
}

void
mxres_answer_reset(struct mxres_answer *a)
{
	size_t i;

	mxres_answer_drop(a);
	for (i = 0; i < a->nnote; i++)
		free(a->note[i].text);
	free(a->note);
	free(a->cname);
	a->note = NULL;
	a->nnote = 0;
	a->cname = NULL;
}

int
mxres_answer_note(struct mxres_answer *a, enum mxres_note_kind kind,
    const char *text)
{
	struct mxres_note *notes;

	if (a->nnote >= MXRES_MAXNOTE)
		return 0;
	notes = reallocarray(a->note, a->nnote + 1, sizeof(*notes));
	if (notes == NULL)
		return -1;
	a->note = notes;
	if ((notes[a->nnote].text = strdup(text)) == NULL)
		return -1;
	notes[a->nnote++].kind = kind;
	return 0;
}

enum mxres_status
mxres_answer_finish(struct mxres_answer **answer, enum mxres_status status)
{
	struct mxres_answer *a = *answer;

	if (status != MXRES_NOMEM && a->cname == NULL &&
	    (a->cname = strdup(a->qname)) == NULL)
		status = MXRES_NOMEM;
	if (status == MXRES_NOMEM) {
		mxres_answer_free(a);
		*answer = NULL;
		return status;
	}
	return a->status = status;
}

void
mxres_answer_free(struct mxres_answer *a)
{
	if (a == NULL)
		return;
	mxres_answer_reset(a);
	free(a->qname);
	free(a);
}
