/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "spool/space.h"

#define MIN_INODES	64
#define SHARE		20	/* of a small file system is room enough */

/* N fragments of F octets. */
static uint64_t
octets(uint64_t n, uint64_t f)
{
	uint64_t v;

	return __builtin_mul_overflow(n, f, &v) ? UINT64_MAX : v;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

bool
space_is_enough(const struct statvfs *fs, uint64_t need)
{
	need = least(need, octets(fs->f_blocks / SHARE, fs->f_frsize));
	/* a file system that makes inodes as it goes counts none at all */
	return octets(fs->f_bavail, fs->f_frsize) >= need &&
	    fs->f_favail >= least(MIN_INODES, fs->f_files / SHARE);
}
