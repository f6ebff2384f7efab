/* SPDX-License-Identifier: ISC */
/*
 * The envelope of a message, and its records: one letter, decimal length,
 * ':', value, LF.  Lengths are explicit; an octet below 0x20 or 0x7f in a
 * value makes the whole envelope invalid, and so does an address that an
 * SMTP command could not carry.  O, L and A are for the spool's owner to
 * write.
 *
 *	U	uid of the submitter (believed only in a file of the spool's
 *		owner; everywhere else the file's owner is the submitter)
 *	T	time of submission, decimal microseconds since the epoch
 *	S	sender, empty for a report (RFC 5321 section 4.5.5)
 *	I	ENVID of the sender (RFC 3461), not encoded; may be absent
 *	H	RET: FULL or HDRS (RFC 3461); may be absent
 *	G	value empty: an address in the header is outside ASCII, so that
 *		every recipient needs SMTPUTF8 (RFC 6531); may be absent
 *	O	the message that this one is a report about; may be absent
 *	R	recipient, once or more; records about it follow it:
 *	N	  NOTIFY (RFC 3461), as in the command
 *	P	  the recipient that the sender named, if it was another one:
 *		  ORCPT (RFC 3461)
 *	L	  value empty: a user of this machine, no alias any more
 *	A	  value empty: others stand for it, who are in the list, too
 *	M	the last record, value empty: the message follows
 *
 * They come in this order.
 */
#ifndef SHIM_SPOOL_ENVELOPE_H
#define SHIM_SPOOL_ENVELOPE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/dsn.h"
#include "spool/id.h"

#define ENVELOPE_MAX_ADDR	320	/* octets of one address: 64 + @ + 255 */

struct envelope_rcpt {
	char	 *addr;		/* "user@domain" */
	unsigned  notify;	/* DSN_*; 0: nothing was asked */
	char	 *orcpt;	/* what the sender named, or NULL: addr */
	bool	  expanded;	/* others get it instead */
	bool	  mailbox;	/* of a user of this machine */
};

struct envelope {
	uid_t	  uid;
	uint64_t  time;		/* microseconds since the epoch */
	char	 *sender;	/* "" for a report; "user@domain" else */
	char	 *envid;	/* or NULL */
	enum dsn_ret ret;
	bool	  utf8;		/* the header needs SMTPUTF8 */
	struct msgid origin;	/* of a report; "" for other messages */
	struct envelope_rcpt *rcpt;
	size_t	  nrcpt;
};

void	envelope_init(struct envelope *);
void	envelope_clear(struct envelope *);
/* A recipient, last; it is valid until the next is added. */
struct envelope_rcpt *envelope_add_rcpt(struct envelope *, const char *addr);
/* Whether ADDR gets the message, in its mailbox here or elsewhere. */
bool	envelope_has(const struct envelope *, const char *addr, bool mailbox);
/* What the sender called that recipient. */
const char *envelope_orcpt(const struct envelope_rcpt *);
/* Forget what only the spool's owner may say. */
void	envelope_forget_claims(struct envelope *);
void	envelope_format(const struct envelope *, struct buf *);

/*
 * Read records from the N octets at P.  1: complete, *USED octets were the
 * envelope; 0: more octets are needed; -1: invalid, *WHY is a static text.
 * MAXRCPT bounds the recipients.
 */
int	envelope_parse(struct envelope *, const char *p, size_t n,
	    size_t maxrcpt, size_t *used, const char **why);

#endif /* SHIM_SPOOL_ENVELOPE_H */
