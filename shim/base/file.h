/* SPDX-License-Identifier: ISC */
/* A small file into memory, and octets into a file. */
#ifndef SHIM_BASE_FILE_H
#define SHIM_BASE_FILE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Add what the file PATH holds to the buffer, without waiting for any.  0, or
 * -1 with errno: EFBIG if it has more than MAX octets.
 */
int	file_read(const char *path, size_t max, struct buf *);
/* All N octets of P to the descriptor.  0, or -1 with errno. */
int	file_write(int fd, const char *p, size_t n);

#endif /* SHIM_BASE_FILE_H */
