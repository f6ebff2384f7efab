/* SPDX-License-Identifier: ISC */
/*
 * A message of the spool as others than the runner see it: they take no lock,
 * and what a runner does meanwhile does not matter.
 */
#ifndef SHIM_SUBMIT_WAITING_H
#define SHIM_SUBMIT_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "spool/msgfile.h"
#include "spool/queue.h"

struct recipient {
	bool	 final;		/* nothing is left to do for it */
	bool	 expanded;	/* others get it instead: final */
	bool	 failed;
	unsigned attempts;
	uint64_t time;		/* of the last attempt, microseconds */
	struct result last;	/* of it, if there was one */
};

struct waiting {
	const struct queue_entry *entry;
	struct msgfile	 mf;
	struct recipient *rcpt;	/* one per recipient of the envelope */
};

/* Read it.  0, or -1: it cannot be read, a runner may have removed it. */
int	waiting_read(struct queue *, const struct queue_entry *,
	    struct waiting *);
void	waiting_clear(struct waiting *);

/* All messages, in the order of their identifiers, each once. */
struct entries {
	struct queue_entry *e;
	size_t	 n;
	size_t	 cap;
};

void	entries_scan(struct queue *, struct entries *);
void	entries_add(struct entries *, const struct queue_entry *);
void	entries_clear(struct entries *);

#endif /* SHIM_SUBMIT_WAITING_H */
