/* SPDX-License-Identifier: ISC */
/*
 * Entries of the spool that stay where they are although they are no
 * messages, and were logged: known by inode and time of change, so that one
 * that changes is looked at, and logged, again.
 */
#ifndef SHIM_SPOOL_ODD_H
#define SHIM_SPOOL_ODD_H

#include <sys/stat.h>

#include <stdbool.h>

#include "base/keyset.h"

bool	odd_is_known(const struct keyset *, const struct stat *);
void	odd_add(struct keyset *, const struct stat *);

#endif /* SHIM_SPOOL_ODD_H */
