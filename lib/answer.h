/* SPDX-License-Identifier: ISC */
/*
 * The making of a struct mxres_answer; mxres_answer_free() is public.
 */
#ifndef LIB_ANSWER_H
#define LIB_ANSWER_H

#include "mxres.h"

#define MXRES_MAXMX	100
#define MXRES_MAXADDR	20
#define MXRES_MAXTLSA	64
#define MXRES_MAXTXT	64
#define MXRES_MAXPTR	64
#define MXRES_MAXTXTLEN	4096	/* octets of one record */
#define MXRES_MAXNOTE	20

/*
 * mxres_answer_new: an empty answer about QNAME; NULL without memory.
 * mxres_answer_begin: the start of a public function: checks its arguments
 *	and makes *ANSWER.  What it returns beside MXRES_OK is the result of
 *	that function.
 * mxres_answer_drop: without its records, TTL and flags.
 * mxres_answer_reset: without notes and cname too; the name asked and what
 *	is known of the server stay.
 * mxres_answer_note: add a note on TEXT; after MXRES_MAXNOTE of them the
 *	others are left out.  -1 without memory.
 * mxres_answer_finish: store STATUS and return it; after MXRES_NOMEM, also
 *	its own, the answer is freed and NULL.
 */
struct mxres_answer *mxres_answer_new(const char *qname);
enum mxres_status mxres_answer_begin(const struct mxres_ctx *,
	    const char *name, struct mxres_answer **);
void	mxres_answer_drop(struct mxres_answer *);
void	mxres_answer_reset(struct mxres_answer *);
int	mxres_answer_note(struct mxres_answer *, enum mxres_note_kind,
	    const char *text);
enum mxres_status mxres_answer_finish(struct mxres_answer **,
	    enum mxres_status);

#endif /* LIB_ANSWER_H */
