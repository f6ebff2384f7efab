/* SPDX-License-Identifier: ISC */
/*
 * A message with octets outside ASCII, for a server that does not take them
 * (RFC 6152 section 3): the same message with its parts in quoted-printable,
 * made while it streams.
 *
 * Not changed is what is signed or encrypted as a whole (RFC 1847), since a
 * signature that fails is worse than a server that is asked for a little
 * more than it promised; and the fields of the header.
 */
#ifndef SHIM_SMTP_SEVENBIT_H
#define SHIM_SMTP_SEVENBIT_H

#include <sys/types.h>

#include <stddef.h>

typedef int sevenbit_sink(void *arg, const void *, size_t);

struct sevenbit;

/* Leave for a block of N octets: at most that many, and what was kept. */
#define SEVENBIT_MAX(n)		(4 * (n) + SEVENBIT_KEPT)
#define SEVENBIT_KEPT		6144

/*
 * sevenbit_new: for the message of SIZE octets, in wire form, at START of FD,
 *	which is read ahead of what is fed: how a part is to be declared
 *	depends on what it has.
 * sevenbit_feed: the message, from its beginning, in any pieces.  0, or what
 *	the sink returned.
 * sevenbit_end: that was all; likewise.
 */
struct sevenbit *sevenbit_new(int fd, off_t start, off_t size,
	    sevenbit_sink *, void *arg);
int	sevenbit_feed(struct sevenbit *, const char *, size_t n);
int	sevenbit_end(struct sevenbit *);
void	sevenbit_free(struct sevenbit *);	/* NULL is fine */

#endif /* SHIM_SMTP_SEVENBIT_H */
