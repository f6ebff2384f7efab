/* SPDX-License-Identifier: ISC */
/*
 * The header of a message (RFC 5322): taken line by line, looked at, and
 * written in wire form.  Knows nothing of files and clocks.
 */
#ifndef SHIM_SUBMIT_HEADER_H
#define SHIM_SUBMIT_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/addr.h"

#define HEADER_MAX	(1024 * 1024)	/* octets of a header block */
#define HEADER_MAX_HOPS	50		/* Received fields; RFC 5321 6.3 */

struct header {
	struct buf	*field;		/* "Name: value", CRLF at folds only */
	size_t		 nfield;
	size_t		 size;
	bool		 started;	/* a line was seen */
};

enum header_line {
	HEADER_TAKEN,		/* belongs to the header */
	HEADER_BLANK,		/* the empty line after the header */
	HEADER_BODY		/* the body begins with this line */
};

void	header_init(struct header *);
void	header_clear(struct header *);

/* The next line, of N octets without its end. */
enum header_line header_take(struct header *, const char *, size_t n);

bool	header_has(const struct header *, const char *name);
size_t	header_count(const struct header *, const char *name);
/* The value of the first field NAME, borrowed; NULL if there is none. */
const char *header_value(const struct header *, const char *name);
/* Replace the first field NAME, or add it. */
void	header_set(struct header *, const char *name, const char *value);

/* An empty field, to be filled before anything else is done; at the end, or
   where trace fields are (RFC 5321 section 4.4). */
struct buf *header_add(struct header *);
struct buf *header_add_first(struct header *);
/* Take out the fields that were cleared with buf_clear(). */
void	header_pack(struct header *);

/* One field: its name, NULL ends NAMES; where its value begins. */
bool	field_is(const struct buf *, const char *name);
bool	field_is_one_of(const struct buf *, const char *const names[]);
size_t	field_start(const struct buf *);
bool	field_is_empty(const struct buf *);

/*
 * Call EACH for every address in To, Cc and Bcc; or in Resent-To, Resent-Cc
 * and Resent-Bcc, if there are such (RFC 5322 section 3.6.6).  0, or -1 with
 * the *FIELD, name and all, in which *WHY: both borrowed.
 */
int	header_recipients(const struct header *,
	    const char *(*each)(void *arg, const struct addr *), void *arg,
	    const char **field, const char **why);

/* The header and the empty line, every line with CRLF and at most 998. */
void	header_format(const struct header *, struct buf *);

#endif /* SHIM_SUBMIT_HEADER_H */
