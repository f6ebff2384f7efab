/* SPDX-License-Identifier: ISC */
/* The lines of mxcheck, for people or as JSON, and the worst of them. */
#ifndef SHIM_CHECK_REPORT_H
#define SHIM_CHECK_REPORT_H

#include <stdbool.h>
#include <stdio.h>

/* Their numbers are the exit codes of mxcheck, but for NOTE, which is 0. */
enum mark { MARK_OK = 0, MARK_WARNING = 1, MARK_FAULT = 2, MARK_NOTE = 3 };

struct report {
	FILE		*fp;
	bool		 json;
	bool		 quiet;		/* no line that is MARK_OK */
	bool		 colour;
	const char	*target;	/* the argument that lines are about, or
					   NULL: this machine */
	const char	*headed;	/* the last that was shown to people */
	enum mark	 worst;		/* NOTE is not */
};

/*
 * A line: the name of a check, as in mxcheck(8), what was found, and for all
 * but MARK_OK what to do about it, or NULL where that is said already.
 */
void	report(struct report *, enum mark, const char *check,
	    const char *remedy, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

#endif /* SHIM_CHECK_REPORT_H */
