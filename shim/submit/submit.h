/* SPDX-License-Identifier: ISC */
/* From a command line and standard input to a message in the spool. */
#ifndef SHIM_SUBMIT_SUBMIT_H
#define SHIM_SUBMIT_SUBMIT_H

struct submit_env;

/*
 * Queue the message on standard input.  Returns an exit code of sysexits(3)
 * after one line on standard error, or what the option -e says, unless it is
 * EX_OK: then the message is on disk.  With any other nothing of it is left
 * in the spool.
 */
int	submit(const struct submit_env *);

/* One line on standard error; returns CODE. */
int	submit_complain(int code, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif /* SHIM_SUBMIT_SUBMIT_H */
