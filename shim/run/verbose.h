/* SPDX-License-Identifier: ISC */
/* The dialogue for sendmail -v, to a socket where its user reads it. */
#ifndef SHIM_RUN_VERBOSE_H
#define SHIM_RUN_VERBOSE_H

struct buf;
struct verbose;

/*
 * verbose_format: add LINE as it is shown, with an LF.
 * verbose_new: takes FD, a stream socket; NULL if it is -1.
 * verbose_line: one line; lost if the reader is slow, or gone.
 */
void	verbose_format(struct buf *, char dir, const char *line);
struct verbose *verbose_new(int fd);
void	verbose_line(struct verbose *, char dir, const char *line);
void	verbose_free(struct verbose *);		/* NULL is fine */

#endif /* SHIM_RUN_VERBOSE_H */
