/* SPDX-License-Identifier: ISC */
/*
 * The header of a message (RFC 5322): taken line by line, put right, and
 * written in wire form.  Knows nothing of files and clocks.
 */
#ifndef SHIM_SUBMIT_HEADER_H
#define SHIM_SUBMIT_HEADER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "submit/addr.h"

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

/* What header_complete() adds. */
struct header_facts {
	const char	*hostname;
	const char	*mail_name;
	const char	*id;
	uid_t		 uid;
	time_t		 now;
	const char	*from;		/* address for From */
	const char	*full_name;	/* for From, or NULL */
};

void	header_init(struct header *);
void	header_clear(struct header *);

/* The next line, of N octets without its end. */
enum header_line header_take(struct header *, const char *, size_t n);

bool	header_has(const struct header *, const char *name);
size_t	header_count(const struct header *, const char *name);

/*
 * Call EACH for every address in To, Cc and Bcc; or in Resent-To, Resent-Cc
 * and Resent-Bcc, if there are such (RFC 5322 section 3.6.6).  0, or -1 with
 * the *FIELD, name and all, in which *WHY: both borrowed.
 */
int	header_recipients(const struct header *,
	    const char *(*each)(void *arg, const struct addr *), void *arg,
	    const char **field, const char **why);

/*
 * Remove what must not leave (Bcc, Return-Path, empty fields that follow),
 * complete addresses without domain, add Received, and Date, Message-ID and
 * From where they are missing.
 */
void	header_complete(struct header *, const struct header_facts *);

/* The header and the empty line, every line with CRLF and at most 998. */
void	header_format(const struct header *, struct buf *);

/* NAME as a phrase: atoms, a quoted string or RFC 2047 encoded words. */
void	header_add_phrase(struct buf *, const char *name);
/* RFC 5322 section 3.3, local time. */
void	header_add_date(struct buf *, time_t);

#endif /* SHIM_SUBMIT_HEADER_H */
