/* SPDX-License-Identifier: ISC */
/* Values on a terminal and in JSON.  Text of others is shown, not obeyed. */
#ifndef SHIM_BASE_SHOW_H
#define SHIM_BASE_SHOW_H

#include <time.h>

#include "base/buf.h"

void	show_text(struct buf *, const char *);
void	show_time(struct buf *, time_t);	/* in local time */
/* A string of JSON (RFC 8259); NULL is null. */
void	show_json(struct buf *, const char *);
/* Write B to standard output and empty it.  0, or -1 with errno. */
int	show_print(struct buf *);

#endif /* SHIM_BASE_SHOW_H */
