/* SPDX-License-Identifier: ISC */
/* The dialogue for sendmail -v, into a pipe that its user gave us. */
#ifndef SHIM_RUN_VERBOSE_H
#define SHIM_RUN_VERBOSE_H

struct verbose;

/*
 * verbose_new: takes FD.  NULL if it is -1 or not the writing end of a pipe:
 *	it comes from a user, and nothing else is sure never to block.
 * verbose_line: one line; lost if the pipe is full or nobody reads it.
 */
struct verbose *verbose_new(int fd);
void	verbose_line(struct verbose *, char dir, const char *line);
void	verbose_free(struct verbose *);		/* NULL is fine */

#endif /* SHIM_RUN_VERBOSE_H */
