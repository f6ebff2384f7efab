/* SPDX-License-Identifier: ISC */
/*
 * queue/ID.log: what happened to a message so far, append-only.  One record
 * per line, each with its length and CRC-32C; a torn last record never
 * became a promise and is ignored.
 */
#ifndef SHIM_SPOOL_JOURNAL_H
#define SHIM_SPOOL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

#define JOURNAL_ALL	((size_t)-1)	/* a record about the whole message */
#define JOURNAL_RECORD_MAX	1040	/* octets of one, with its line ends */

enum journal_type {
	JOURNAL_ATTEMPT,	/* tried; the result is temporary */
	JOURNAL_DELIVERED,	/* the next hop took it */
	JOURNAL_RELAYED,	/* the same; the sender must be told */
	JOURNAL_FAILED,		/* permanent; the sender must be told */
	/*
	 * About the whole message, made in this order: the report is there,
	 * then this is written, then the report may go.  The text names it;
	 * it is empty when nobody is to be told.
	 */
	JOURNAL_REPORTED,	/* of all that failed so far */
	JOURNAL_CONFIRMED,	/* of all that were relayed so far */
	JOURNAL_WARNED		/* that it is late */
};

struct journal_record {
	enum journal_type type;
	uint64_t	 time;	/* microseconds since the epoch */
	size_t		 rcpt;	/* index in the envelope, or JOURNAL_ALL */
	struct result	 result;
};

/*
 * journal_type_of: how to record that *R came of an attempt; RELAYED: it is a
 *	success of which the sender must be told.
 * journal_append: N records to the journal open (O_APPEND) as FD: one
 *	write, and one fsync if SYNC.  0, or -1 with errno.
 * journal_is_promise: whether a record must be on disk before anything else
 *	is done.  An attempt that is forgotten costs nothing but a reason.
 * journal_parse: call EACH for every whole record of the N octets at P, in
 *	order; pure.  Returns how many octets were good.
 */
enum journal_type journal_type_of(const struct result *, bool relayed);
int	journal_append(int fd, const struct journal_record *, size_t n,
	    bool sync);
bool	journal_is_promise(const struct journal_record *, size_t n);
size_t	journal_parse(const char *p, size_t n,
	    void (*each)(void *arg, const struct journal_record *), void *arg);

#endif /* SHIM_SPOOL_JOURNAL_H */
