/* SPDX-License-Identifier: ISC */
/*
 * Which messages of the spool are meant: -qI, -qR and -qS of sendmail, by a
 * part of the identifier, of a recipient that waits, or of the sender, with
 * "!" for all others.  Of several terms with the same letter one must match,
 * of those with different letters all.  Case does not matter.
 */
#ifndef SHIM_SUBMIT_PICK_H
#define SHIM_SUBMIT_PICK_H

#include <stdbool.h>
#include <stddef.h>

#define PICK_MAX	16

struct waiting;

struct pick {			/* all zero: every message */
	struct {
		char	 kind;	/* I, R or S */
		bool	 not;
		const char *part;
	}	 term[PICK_MAX];
	size_t	 n;
};

/* Add what followed -q, which is not copied.  NULL, or what is wrong with it:
 * the caller's. */
char	*pick_add(struct pick *, const char *arg);
/* Whether more than the identifier must be known. */
bool	pick_needs_envelope(const struct pick *);
/* Whether the identifier may be one; pick_takes() has the last word. */
bool	pick_may_take(const struct pick *, const char *id);
bool	pick_takes(const struct pick *, const struct waiting *);

#endif /* SHIM_SUBMIT_PICK_H */
