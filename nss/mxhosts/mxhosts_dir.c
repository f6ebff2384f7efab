/* SPDX-License-Identifier: ISC */
/*
 * The override files: PATH and, in the order of the C locale, those in the
 * directory PATH.d whose names end in .conf.  Who can write to that
 * directory can add overrides, so it must belong to root or the caller and
 * be writable by its owner only, as the files must.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPTS	3	/* at files that change while they are read */

static char *
join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *s;

	if ((s = malloc(size)) != NULL)
		(void)snprintf(s, size, "%s%s%s", a, b, c);
	return s;
}

/* PATH becomes the list's. */
static int
add_take(struct mxhosts_files *files, char *path)
{
	char **grown;

	if (path == NULL)
		return -1;
	grown = reallocarray(files->path, files->n + 1, sizeof(*grown));
	if (grown == NULL) {
		free(path);
		return -1;
	}
	files->path = grown;
	grown[files->n++] = path;
	return 0;
}

static int
is_dropin(const char *name)
{
	size_t len = strlen(name);

	return *name != '.' && len > 5 &&
	    strcmp(name + len - 5, ".conf") == 0;
}

static int
by_name(const void *va, const void *vb)
{
	const char *const *a = va, *const *b = vb;

	return strcmp(*a, *b);
}

/* NULL, or what went wrong, with errno. */
static const char *
read_names(DIR *d, const char *dir, struct mxhosts_files *files)
{
	struct stat before, after;
	struct dirent *de;
	const char *why;

	if (fstat(dirfd(d), &before) == -1)
		return "cannot be read";
	if ((why = mxhosts_distrust(&before)) != NULL)
		return why;
	while ((void)(errno = 0), (de = readdir(d)) != NULL)
		if (is_dropin(de->d_name) &&
		    add_take(files, join(dir, "/", de->d_name)) == -1) {
			errno = ENOMEM;
			return "cannot be read";
		}
	if (errno != 0 || fstat(dirfd(d), &after) == -1)
		return "cannot be read";
	/* readdir(3) may have missed a file that was being replaced. */
	if (!mxhosts_unchanged(&before, &after)) {
		errno = EAGAIN;
		return "was changed while it was read";
	}
	return NULL;
}

static int
list_dropins(const char *dir, struct mxhosts_files *files, char *err,
    size_t errsize)
{
	const char *why = "cannot be read";
	DIR *d;
	int fd, saved;

	fd = open(dir, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && (why = mxhosts_missing(dir)) == NULL)
		return 0;
	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		saved = errno;
		if (fd != -1)
			(void)close(fd);
	} else {
		why = read_names(d, dir, files);
		saved = errno;
		(void)closedir(d);
	}
	if (why == NULL)
		return 0;
	return mxhosts_failed(dir, why, saved, err, errsize);
}

char *
mxhosts_dirname(const char *path)
{
	return join(path, ".d", "");
}

int
mxhosts_list(const char *path, struct mxhosts_files *files, char *err,
    size_t errsize)
{
	char *dir;
	int ret = -1;

	memset(files, 0, sizeof(*files));
	dir = mxhosts_dirname(path);
	if (dir == NULL || add_take(files, join(path, "", "")) == -1)
		(void)mxhosts_failed(path, "cannot be read", ENOMEM, err,
		    errsize);
	else
		ret = list_dropins(dir, files, err, errsize);
	free(dir);
	if (ret == -1)
		mxhosts_files_clear(files);
	else if (files->n > 2)
		qsort(files->path + 1, files->n - 1, sizeof(*files->path),
		    by_name);
	return ret;
}

void
mxhosts_files_clear(struct mxhosts_files *files)
{
	size_t i;
	int saved = errno;

	for (i = 0; i < files->n; i++)
		free(files->path[i]);
	free(files->path);
	memset(files, 0, sizeof(*files));
	errno = saved;
}

int
mxhosts_name_origin(struct mxhosts *mh, const struct mxhosts_files *files)
{
	if (mh->score == MXHOSTS_NOMATCH)
		return 0;
	mh->origin = strdup(files->path[mh->where]);
	return mh->origin == NULL ? -1 : 0;
}

static int
scan_files(struct mxhosts *mh, const struct mxhosts_files *files, char *err,
    size_t errsize)
{
	size_t i;
	int ret;

	for (i = 0; i < files->n; i++) {
		if (i > 0)
			mxhosts_newfile(mh);
		ret = mxhosts_search(files->path[i], mh, err, errsize);
		if (ret == -1)
			return -1;
		if (ret == 0 && i > 0)
			return mxhosts_failed(files->path[i],
			    "was removed while it was read", EAGAIN, err,
			    errsize);
	}
	if (mxhosts_name_origin(mh, files) == -1)
		return mxhosts_failed(files->path[mh->where],
		    "cannot be read", ENOMEM, err, errsize);
	return 0;
}

int
mxhosts_scan(const char *path, const char *domain, const char *rcpt,
    struct mxhosts *mh, char *err, size_t errsize)
{
	struct mxhosts_files files;
	int i, ret = -1;

	for (i = 0; i < ATTEMPTS && ret == -1; i++) {
		if (mxhosts_init(mh, domain, rcpt) == -1)
			return mxhosts_failed(path, "cannot be asked",
			    EINVAL, err, errsize);
		if (mxhosts_list(path, &files, err, errsize) == 0)
			ret = scan_files(mh, &files, err, errsize);
		mxhosts_files_clear(&files);
		if (ret == -1) {
			mxhosts_clear(mh);
			if (errno != EAGAIN)
				break;
		}
	}
	return ret;
}
