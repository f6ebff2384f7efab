/* SPDX-License-Identifier: ISC */
/*
 * The data of the records that answer a question.
 */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include <stdint.h>

#include "mxres.h"
#include "wire.h"

/* What was met beside the records that are in the answer. */
struct mxres_tally {
	unsigned int	 malformed;
	unsigned int	 nullmx;	/* exchanges "." */
	uint16_t	 nullpref;
};

/*
 * mxres_record_read: add RR, of TYPE, to the answer, or a note why not.
 *	-1 without memory.
 * mxres_record_conclude: there were records of TYPE, and all have been read;
 *	what do they say together?
 */
int	mxres_record_read(const struct mxres_msg *, enum mxres_type,
	    const struct mxres_rr *, struct mxres_answer *,
	    struct mxres_tally *);
enum mxres_status mxres_record_conclude(enum mxres_type,
	    const struct mxres_tally *, struct mxres_answer *);

#endif /* LIB_RECORD_H */
