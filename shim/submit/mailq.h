/* SPDX-License-Identifier: ISC */
/* mailq: what waits in the spool, for root and the owner of the spool. */
#ifndef SHIM_SUBMIT_MAILQ_H
#define SHIM_SUBMIT_MAILQ_H

#include <time.h>

#include "base/buf.h"
#include "base/conf.h"
#include "spool/queue.h"

/* The program; the exit code. */
int	mailq_main(int argc, char **argv);
/* All messages of the spool, as a table or as a JSON object to a line. */
enum mailq_form { MAILQ_TABLE, MAILQ_JSON };
void	mailq_list(struct queue *, const struct conf *, time_t now,
	    enum mailq_form, struct buf *);

#endif /* SHIM_SUBMIT_MAILQ_H */
