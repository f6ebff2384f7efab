/* SPDX-License-Identifier: ISC */
/* Files into memory, files in memory, and octets into files. */
#ifndef SHIM_BASE_FILE_H
#define SHIM_BASE_FILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Add what the file PATH holds to the buffer, without waiting for any.  0, or
 * -1 with errno: EFBIG if it has more than MAX octets.
 */
int	file_read(const char *path, size_t max, struct buf *);
/* All N octets of P to the descriptor.  0, or -1 with errno. */
int	file_write(int fd, const char *p, size_t n);
/*
 * What the file FROM holds from AT on, in pieces, to a function that returns 0
 * or -1 with errno; or to the descriptor TO.  0, or -1 with errno.
 */
int	file_feed(int from, off_t at, int (*sink)(void *arg, const void *,
	    size_t n), void *arg);
int	file_copy(int from, off_t at, int to);
/* A file in memory, which has no name.  The descriptor, or -1 with errno. */
int	file_in_memory(void);
/* Whether it is one; or one of a file system in memory. */
bool	file_is_in_memory(int fd);

#endif /* SHIM_BASE_FILE_H */
