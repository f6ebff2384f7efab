/* SPDX-License-Identifier: ISC */
/* Whether a file system has room left, for the two sides of the spool. */
#ifndef SHIM_SPOOL_SPACE_H
#define SHIM_SPOOL_SPACE_H

#include <sys/statvfs.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether NEED octets are free, or a twentieth of the file system if that is
 * less; and some inodes.
 */
bool	space_is_enough(const struct statvfs *, uint64_t need);

#endif /* SHIM_SPOOL_SPACE_H */
