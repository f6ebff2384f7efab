/* SPDX-License-Identifier: ISC */
/*
 * Bring a message from the spool into memory for an attempt: its envelope,
 * its journal, and a descriptor of its verified file.
 */
#ifndef SHIM_RUN_LOAD_H
#define SHIM_RUN_LOAD_H

#include "base/conf.h"
#include "run/table.h"

enum load_result {
	LOAD_OK,	/* m->load is set */
	LOAD_LATER,	/* a local failure, logged */
	LOAD_NONE	/* there is no such message, or not any more */
};

/* MEMORY: how many octets of it the copy of a file in drop/ may take. */
enum load_result load_message(struct queue *, const struct conf *,
	    size_t memory, struct message *);
/* No message in drop/ may be so large: to load it throws it out. */
bool	load_is_too_large(const struct conf *, off_t size);
/* Open the file of a parked message again.  0, or -1 with errno. */
int	load_reopen(struct queue *, struct message *);
/* How many recipients are in that state. */
size_t	load_count(const struct load *, enum rcpt_state);
/* Its age (sched.h), in microseconds. */
uint64_t load_age(const struct load *, time_t now);
void	load_park(struct message *);
void	load_free(struct message *);	/* m->load, if there is one */
/*
 * A worker died: what the journal says of the recipients that are busy.
 * Those of which it says nothing stay busy.  -1: errno.
 */
int	load_recover(struct queue *, struct message *);

#endif /* SHIM_RUN_LOAD_H */
