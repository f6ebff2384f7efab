/* SPDX-License-Identifier: ISC */
/*
 * Outcomes.  A reason that a sender may read travels as one struct result
 * from where it is known to where it is reported: log, journal, mailq,
 * bounce, exit code.
 */
#ifndef SHIM_BASE_RESULT_H
#define SHIM_BASE_RESULT_H

#include <stdbool.h>

enum result_code {			/* default code	sysexits(3)	*/
	R_SENT,				/* 2.0.0	EX_OK		*/
	/* permanent: the sender is told */
	R_NOUSER,			/* 5.1.1	EX_NOUSER	*/
	R_NOHOST,			/* 5.1.2	EX_NOHOST	*/
	R_BADADDR,			/* 5.1.3	EX_DATAERR	*/
	R_NULLMX,			/* 5.1.10	EX_UNAVAILABLE	*/
	R_TOOBIG,			/* 5.3.4	EX_UNAVAILABLE	*/
	R_UTF8,				/* 5.6.7	EX_UNAVAILABLE	*/
	R_NOROUTE,			/* 5.4.4	EX_NOHOST	*/
	R_LOOP,				/* 5.4.6	EX_CONFIG	*/
	R_REFUSED,			/* 5.0.0	EX_UNAVAILABLE	*/
	R_BLOCKED,			/* 5.7.1	EX_UNAVAILABLE	*/
	R_EXPIRED,			/* 5.4.7	EX_UNAVAILABLE	*/
	/* temporary: the mail is kept */
	R_LOCALERR,			/* 4.3.0	EX_TEMPFAIL	*/
	R_SHORT,			/* 4.3.0	EX_TEMPFAIL	*/
	R_HELD,				/* 4.3.2	EX_TEMPFAIL	*/
	R_CONFIG,			/* 4.3.5	EX_TEMPFAIL	*/
	R_CONNECT,			/* 4.4.1	EX_TEMPFAIL	*/
	R_OFFLINE,			/* 4.4.1	EX_TEMPFAIL	*/
	R_LOST,				/* 4.4.2	EX_TEMPFAIL	*/
	R_DNSTEMP,			/* 4.4.3	EX_TEMPFAIL	*/
	R_PROTO,			/* 4.5.0	EX_TEMPFAIL	*/
	R_TLS,				/* 4.7.5	EX_TEMPFAIL	*/
	R_LATER,			/* 4.0.0	EX_TEMPFAIL	*/
	R_MAX
};

struct result {
	enum result_code code;
	int	 reply;		/* the server's three digits, or 0 */
	char	 esc[12];	/* the server's enhanced code, or "" */
	char	 host[256];	/* "host[address]:port" it concerns, or "" */
	char	 text[512];	/* one printable line */
};

/* Clear *R and set it; the text is cleaned by result_clean(). */
void	 result_set(struct result *, enum result_code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/*
 * The same after a system call failed with ERROR, "WHAT: why".  Where this
 * machine is short of descriptors or memory that is R_SHORT, and not CODE: it
 * says nothing about a host, and is nobody else's fault.
 */
void	 result_set_errno(struct result *, enum result_code, int error,
	    const char *what);
/* The enhanced code: that of the result, or of the table. */
const char *result_esc(const struct result *);
bool	 result_is_ok(const struct result *);
bool	 result_is_temporary(const struct result *);
bool	 result_is_permanent(const struct result *);
int	 result_exit(const struct result *);	/* sysexits(3) */
/* "sent", "deferred", "bounced" - the words of the log */
const char *result_status(const struct result *);
/* The short name of a code, as the journal writes it; and back, -1 if none. */
const char *result_name(enum result_code);
int	 result_by_name(const char *name, enum result_code *);
/* Make S printable in place: control and 8-bit octets become '?'. */
void	 result_clean(char *s);

#endif /* SHIM_BASE_RESULT_H */
