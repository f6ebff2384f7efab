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
/* The table of all messages of the spool, as text. */
void	mailq_list(struct queue *, const struct conf *, time_t now,
	    struct buf *);

#endif /* SHIM_SUBMIT_MAILQ_H */
