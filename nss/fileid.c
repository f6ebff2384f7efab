/* SPDX-License-Identifier: ISC */
/*
 * What stat(2) says of a file, as glibc looks at nsswitch.conf(5): if
 * device, inode, size and both times are as they were, so are the contents.
 * Two versions can bear the same times only if they were written within one
 * tick of the kernel's clock; so nothing is remembered of a file that is
 * younger than two seconds.
 */
#include "config.h"

#include "fileid.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#define YOUNG	2	/* seconds */

void
mxfileid_set(struct mxfileid *id, const struct stat *st)
{
	memset(id, 0, sizeof(*id));
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->size = st->st_size;
	id->mtim = st->st_mtim;
	id->ctim = st->st_ctim;
}

int
mxfileid_of(const char *path, struct mxfileid *id, struct stat *st)
{
	struct stat own;

	if (st == NULL)
		st = &own;
	memset(id, 0, sizeof(*id));
	memset(st, 0, sizeof(*st));
	if (lstat(path, st) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (S_ISLNK(st->st_mode) && stat(path, st) == -1)
		return -1;
	mxfileid_set(id, st);
	return 0;
}

static int
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int
mxfileid_is_same(const struct mxfileid *a, const struct mxfileid *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    is_same_time(&a->mtim, &b->mtim) &&
	    is_same_time(&a->ctim, &b->ctim);
}

int
mxfileid_is_absent(const struct mxfileid *id)
{
	static const struct mxfileid absent;

	return mxfileid_is_same(id, &absent);
}

/* ctime counts: nobody can set it back. */
int
mxfileid_is_young(const struct mxfileid *id, time_t now)
{
	return id->ctim.tv_sec >= now - YOUNG;
}
