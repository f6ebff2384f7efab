/* SPDX-License-Identifier: ISC */
/*
 * The envelope of a message, and its records: one letter, decimal length,
 * ':', value, LF.  Lengths are explicit; an octet below 0x20 or 0x7f in a
 * value makes the whole envelope invalid, and so does an address that an
 * SMTP command could not carry.  A and L are for the spool's owner to write.
 *
 *	U	uid of the submitter (believed only in a file of the spool's
 *		owner; everywhere else the file's owner is the submitter)
 *	T	time of submission, decimal microseconds since the epoch
 *	S	sender, empty for a report (RFC 5321 section 4.5.5)
 *	R	recipient, once or more; records about it follow it:
 *	A	  value empty: others stand for it, who are in the list, too
 *	L	  value empty: a user of this machine, no alias any more
 *	M	the last record, value empty: the message follows
 */
#ifndef SHIM_SPOOL_ENVELOPE_H
#define SHIM_SPOOL_ENVELOPE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define ENVELOPE_MAX_ADDR	320	/* octets of one address: 64 + @ + 255 */

struct envelope_rcpt {
	char	 *addr;		/* "user@domain" */
	bool	  expanded;	/* others get it instead */
	bool	  mailbox;	/* of a user of this machine */
};

struct envelope {
	uid_t	  uid;
	uint64_t  time;		/* microseconds since the epoch */
	char	 *sender;	/* "" for a report; "user@domain" else */
	struct envelope_rcpt *rcpt;
	size_t	  nrcpt;
};

void	envelope_init(struct envelope *);
void	envelope_clear(struct envelope *);
/* A recipient, last; it is valid until the next is added. */
struct envelope_rcpt *envelope_add_rcpt(struct envelope *, const char *addr);
void	envelope_format(const struct envelope *, struct buf *);

/*
 * Read records from the N octets at P.  1: complete, *USED octets were the
 * envelope; 0: more octets are needed; -1: invalid, *WHY is a static text.
 * MAXRCPT bounds the recipients.
 */
int	envelope_parse(struct envelope *, const char *p, size_t n,
	    size_t maxrcpt, size_t *used, const char **why);

#endif /* SHIM_SPOOL_ENVELOPE_H */
