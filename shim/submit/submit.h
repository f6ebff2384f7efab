/* SPDX-License-Identifier: ISC */
/* From a command line and standard input to a message in the spool. */
#ifndef SHIM_SUBMIT_SUBMIT_H
#define SHIM_SUBMIT_SUBMIT_H

#include "base/conf.h"
#include "submit/opts.h"

struct submit_env {
	const struct conf *conf;
	const struct opts *opts;
	const char	*wake_path;	/* the runner's socket */
	const char	*runner;	/* its program */
};

/*
 * Queue the message on standard input.  Returns an exit code of sysexits(3)
 * after one line on standard error unless it is EX_OK: then the message is
 * on disk.  With any other nothing is left in the spool.
 */
int	submit(const struct submit_env *);

/* One line on standard error; returns CODE. */
int	submit_complain(int code, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif /* SHIM_SUBMIT_SUBMIT_H */
