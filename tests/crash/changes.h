/* SPDX-License-Identifier: ISC */
/*
 * What a system call of another process changes in the file system of one
 * directory, told by inode numbers; inject.c has the form.
 */
#ifndef CRASH_CHANGES_H
#define CRASH_CHANGES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Look at changes in the file system of PATH only. */
void	changes_in(const char *path);

/* Before the call: whether openat(2) with ARGS, of PID, finds the file. */
bool	changes_exists(pid_t pid, const uint64_t *args);

/*
 * After it: what call NR, named NAME, changed, to OUT.  RET is its result,
 * EXISTED what changes_exists() said before.
 */
void	changes_show(FILE *out, pid_t pid, long nr, const char *name,
	    const uint64_t *args, int64_t ret, bool existed);

#endif
