/* SPDX-License-Identifier: ISC */
/* A spool in a temporary directory, and messages in it. */
#ifndef TESTS_SHIM_SPOOL_FIXTURE_H
#define TESTS_SHIM_SPOOL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "spool/id.h"
#include "spool/msgfile.h"

#define FIXTURE_BODY	"From: a@example.org\r\nSubject: test\r\n\r\nhello\r\n"

/* An empty spool; its path is valid until fixture_remove(). */
const char *fixture_spool(void);
void	fixture_remove(void);

/* RCPTS: addresses divided by spaces. */
void	fixture_envelope(struct envelope *, const char *sender,
	    const char *rcpts);
/* A complete message file, written to FD. */
void	fixture_write(int fd, const struct envelope *, const char *body);
/* Submit a message to drop/ as sendmail does. */
void	fixture_drop(struct msgid *, const char *sender, const char *rcpts);
/* SPOOL/DIR/NAME; a few calls may be in use at a time. */
const char *fixture_path(const char *dir, const char *name);
bool	fixture_exists(const char *dir, const char *name);
/* How many entries SPOOL/DIR has. */
size_t	fixture_count(const char *dir);
/* The file as a string: the caller's. */
char	*fixture_read(const char *dir, const char *name);

#endif /* TESTS_SHIM_SPOOL_FIXTURE_H */
