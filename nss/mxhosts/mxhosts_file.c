/* SPDX-License-Identifier: ISC */
/*
 * An override file on disk -> its lines.  It is read(2), not mapped: an
 * editor that truncates a mapped file kills the reader.  The file must be
 * regular, belong to root or the caller, and be writable by its owner
 * only; that it did not change while it was read is checked at the end.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK	(64 * 1024)

const char *
mxhosts_distrust(const struct stat *st)
{
	errno = EPERM;
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to somebody else; give it to root (chown 0)";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others (chmod go-w)";
	return NULL;
}

/* As mxhosts_distrust(), of an override file. */
static const char *
distrust_file(const struct stat *st)
{
	const char *why;

	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		return "is not a regular file";
	}
	if ((why = mxhosts_distrust(st)) != NULL)
		return why;
	errno = EFBIG;
	return st->st_size > MXHOSTS_MAXFILE ? "is larger than 1 GiB" : NULL;
}

const char *
mxhosts_missing(const char *path)
{
	struct stat st;
	const char *why = "cannot be read";
	int saved = errno;

	if (saved == ENOENT || saved == ENOTDIR)
		why = lstat(path, &st) == -1 ? NULL :
		    "is a link to a file that does not exist";
	errno = saved;
	return why;
}

int
mxhosts_unchanged(const struct stat *a, const struct stat *b)
{
	if (a->st_size != b->st_size ||
	    a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	    a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		return 0;
	/* Replaced by rename: the contents of the old one are whole. */
	if (b->st_nlink < a->st_nlink)
		return 1;
	return a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* NULL, or what went wrong, with errno. */
static const char *
read_lines(int fd, struct mxhosts_reader *r, struct stat *before)
{
	struct stat after;
	const char *why = "cannot be read";
	char *buf = NULL;
	ssize_t n;

	if (fstat(fd, before) == -1)
		return why;
	if ((why = distrust_file(before)) != NULL)
		return why;
	why = "cannot be read";
	if ((buf = malloc(CHUNK)) == NULL)
		return why;
	while ((n = read(fd, buf, CHUNK)) > 0)
		if (mxhosts_feed(r, buf, (size_t)n) == -1) {
			errno = ENOMEM;
			goto out;
		}
	if (n == -1)
		goto out;
	if (mxhosts_finish(r) == -1) {
		errno = ENOMEM;
		goto out;
	}
	if (fstat(fd, &after) == -1)
		goto out;
	why = NULL;
	if (!mxhosts_unchanged(before, &after)) {
		errno = EAGAIN;
		why = "was changed while it was read";
	}
out:
	free(buf);
	return why;
}

int
mxhosts_failed(const char *path, const char *why, int error, char *err,
    size_t errsize)
{
	if (strncmp(why, "cannot", 6) == 0)
		(void)snprintf(err, errsize, "%s: %s: %s", path, why,
		    strerror(error));
	else
		(void)snprintf(err, errsize, "%s: %s", path, why);
	errno = error;
	return -1;
}

int
mxhosts_read_into(const char *path, struct mxhosts_reader *r,
    struct stat *st, char *err, size_t errsize)
{
	const char *why = "cannot be read";
	int fd, saved;

	/* Not blocked by a FIFO in its place. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && (why = mxhosts_missing(path)) == NULL)
		return 0;
	if (fd != -1)
		why = read_lines(fd, r, st);
	saved = errno;
	if (fd != -1)
		(void)close(fd);
	if (why == NULL)
		return 1;
	return mxhosts_failed(path, why, saved, err, errsize);
}

static int
read_with(const char *path, int (*line)(void *, unsigned int, const char *,
    size_t, int), const char *(*skip)(struct mxhosts_reader *, const char *,
    const char *), void *arg, char *err, size_t errsize)
{
	struct mxhosts_reader *r;
	struct stat st;
	int ret, saved;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return mxhosts_failed(path, "cannot be read", ENOMEM, err,
		    errsize);
	r->line = line;
	r->skip = skip;
	r->arg = arg;
	ret = mxhosts_read_into(path, r, &st, err, errsize);
	saved = errno;
	free(r);
	errno = saved;
	return ret;
}

int
mxhosts_read(const char *path, int (*line)(void *, unsigned int,
    const char *, size_t, int), void *arg, char *err, size_t errsize)
{
	return read_with(path, line, NULL, arg, err, errsize);
}

int
mxhosts_search(const char *path, struct mxhosts *mh, char *err,
    size_t errsize)
{
	return read_with(path, mxhosts_line, mxhosts_skip, mh, err, errsize);
}
