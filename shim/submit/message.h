/* SPDX-License-Identifier: ISC */
/*
 * A message on standard input, read in pieces of constant size and passed
 * on in wire form (RFC 5321 section 2.3.8): every line ends in CRLF, no CR
 * or LF stands alone, there is no NUL; and no line has more than 998 octets,
 * but where the body is to be encoded.
 */
#ifndef SHIM_SUBMIT_MESSAGE_H
#define SHIM_SUBMIT_MESSAGE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "submit/header.h"
#include "submit/mime.h"

/* Takes N octets; 0, or -1 with errno. */
typedef int (*message_sink)(void *arg, const void *, size_t n);

/*
 * The lines of a body: octets in any pieces, wire form out.
 *
 *	LF, CRs and LF	end a line: CRLF
 *	CR alone	ends a line too
 *	NUL		becomes '?'
 *	"." alone	ends the body unless dots are ignored
 *	over 998 octets	if lines are to be folded, a line gets CRLF before a
 *			blank near there, or else CRLF and a blank, but not
 *			within a UTF-8 character
 *
 * lines_feed: 0 go on; 1 the body has ended; -1 the sink failed.
 * lines_end: the input is over; 0, or -1 the sink failed.
 */
#define LINES_KEEP	900	/* octets of a line that are never held back */
#define LINES_TAIL	98	/* and those that are, until it ends or folds */
#define LINES_MAX	(LINES_KEEP + LINES_TAIL)

struct lines {
	message_sink	 sink;
	void		*arg;
	bool		 ignore_dots;
	bool		 fold;
	bool		 eightbit;	/* seen, as the next two */
	bool		 long_line;
	struct utf8	 utf8;
	bool		 bol;		/* nothing of this input line yet */
	bool		 dot;		/* the line is "." so far, not passed on */
	size_t		 cr;		/* CRs seen that may end in LF */
	size_t		 col;		/* octets of this line passed on */
	size_t		 ntail;
	char		 tail[LINES_TAIL];
};

void	lines_init(struct lines *, bool ignore_dots, bool fold, message_sink,
	    void *arg);
int	lines_feed(struct lines *, const char *, size_t n);
int	lines_end(struct lines *);

enum message_error {
	MESSAGE_OK,
	MESSAGE_READ,		/* reading failed: errno */
	MESSAGE_WRITE,		/* the sink failed: errno */
	MESSAGE_TOO_BIG,	/* more than the limit: compose.h */
	MESSAGE_LONG_HEADER	/* more than HEADER_MAX */
};

struct message;

/* A message to be read from FD; a line of one dot ends it unless told not. */
struct message *message_new(int fd, bool ignore_dots);
/*
 * The same from SOURCE, which reads as read(2) does and knows where the
 * message ends: no dot does.
 */
typedef ssize_t (*message_source)(void *arg, char *, size_t n);
struct message *message_new_from(message_source, void *arg);
void	message_free(struct message *);		/* NULL is fine */
/* Read up to the first line of the body. */
enum message_error message_header(struct message *, struct header *);
/* What the body is, as far as one piece of it shows. */
enum message_error message_peek(struct message *, struct mime_facts *);
/* Pass on the body, folded or not.  FACTS: what it was. */
enum message_error message_body(struct message *, bool fold,
	    struct mime_facts *, message_sink, void *arg);

#endif /* SHIM_SUBMIT_MESSAGE_H */
