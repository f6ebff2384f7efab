/* SPDX-License-Identifier: ISC */
/*
 * Message identifiers: 12 base-32 characters of the time in microseconds,
 * then 8 random ones.  Unique for ever; sorting them sorts by time.
 */
#ifndef SHIM_SPOOL_ID_H
#define SHIM_SPOOL_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_LEN	20

struct msgid {
	char	s[ID_LEN + 1];
};

void	 id_new(struct msgid *);
bool	 id_is_valid(const char *);	/* the exact form, nothing else */
uint64_t id_time(const char *);	/* microseconds since the epoch */
/* Of a valid one, all of it: who fills drop/ chooses the names. */
uint64_t id_hash(const char *);
/*
 * The identifier of the N-th report about message FROM: the same time part,
 * and a rest that depends on FROM and N only, so that a report which is
 * made twice has one name.
 */
void	 id_derive(struct msgid *, const char *from, unsigned n);
/*
 * Whether the valid identifier is one of id_derive(); id_new() makes none.
 * Who knows FROM knows the name of its report, and shall not take it first.
 */
bool	 id_is_report(const char *);

#endif /* SHIM_SPOOL_ID_H */
