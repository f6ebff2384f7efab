/* SPDX-License-Identifier: ISC */
/*
 * One submission: a file in drop/ under its final name.  The commit point is
 * the fsync(2) in drop_commit(); the fchmod(2) before it is what lets the
 * runner read the file, so an acknowledged message is never unreadable.  A
 * file synced under the name it was created with survives a power cut
 * without a sync of the directory, which most callers could not open.
 */
#include "config.h"

#include "spool/drop.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "spool/space.h"

#define TIME_MAX	(24 * 3600)	/* seconds; the runner waits longer */

struct drop {
	int		dirfd;
	int		fd;
	time_t		opened;		/* of now() */
	struct msgid	id;
};

static int
open_dir(const char *spool)
{
	char *path = xasprintf("%s/drop", spool);
	int fd, error;

	/* O_PATH: most callers may enter drop/ but not read it */
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	error = errno;
	free(path);
	errno = error;
	return fd;
}

/* Seconds that no change of the clock changes, with those asleep. */
static time_t
now(void)
{
	struct timespec ts;

	return clock_gettime(CLOCK_BOOTTIME, &ts) == 0 ? ts.tv_sec : 0;
}

/* A new file in DIRFD. */
static int
create(int dirfd, struct msgid *id)
{
	int fd;

	do {
		id_new(id);
		fd = openat(dirfd, id->s, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (fd == -1 && (errno == EEXIST || errno == EINTR));
	return fd;
}

struct drop *
drop_open(const char *spool, struct msgid *id)
{
	struct drop *d = xmalloc(sizeof(*d));
	int error;

	d->fd = -1;
	d->opened = now();
	d->dirfd = open_dir(spool);
	if (d->dirfd == -1)
		goto fail;
	d->fd = create(d->dirfd, &d->id);
	if (d->fd == -1)
		goto fail;
	*id = d->id;
	return d;
fail:
	error = errno;
	if (d->dirfd != -1)
		close(d->dirfd);
	free(d);
	errno = error;
	return NULL;
}

int
drop_fd(const struct drop *d)
{
	return d->fd;
}

int
drop_scratch(const struct drop *d)
{
	struct msgid id;
	int fd = create(d->dirfd, &id), rc;

	if (fd == -1)
		return -1;
	do {
		rc = unlinkat(d->dirfd, id.s, 0);
	} while (rc == -1 && errno == EINTR);
	if (rc == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

int
drop_restart(const struct drop *d)
{
	int rc;

	do {
		rc = ftruncate(d->fd, 0);
	} while (rc == -1 && errno == EINTR);
	return rc == 0 && lseek(d->fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

static int
sync_file(int fd)
{
	int rc;

	/* interrupted is not failed; any other error is final */
	do {
		rc = fsync(fd);
	} while (rc == -1 && errno == EINTR);
	return rc;
}

/*
 * Remove the file; one that cannot be removed shall at least be no message.
 * There is nothing to do when that fails too: the caller was told anyway.
 */
static void
remove_file(struct drop *d)
{
	int rc;

	do {
		rc = unlinkat(d->dirfd, d->id.s, 0);
	} while (rc == -1 && errno == EINTR);
	if (rc == -1 && errno != ENOENT && d->fd != -1 &&
	    ftruncate(d->fd, 0) == -1)
		fchmod(d->fd, 0);
}

static void
free_drop(struct drop *d)
{
	if (d->fd != -1)
		close(d->fd);
	close(d->dirfd);
	free(d);
}

int
drop_commit(struct drop *d)
{
	struct stat st;
	int rc, error = 0;

	if (fstat(d->fd, &st) == -1)
		error = errno;
	else if (st.st_nlink != 1)
		error = EMLINK;
	else if (now() - d->opened > TIME_MAX)
		error = ETIMEDOUT;	/* the runner may be removing it */
	else if (fchmod(d->fd, 0640) == -1 || sync_file(d->fd) == -1)
		error = errno;
	if (error == 0) {
		/* From here on the mail is safe, if close agrees. */
		rc = close(d->fd);
		d->fd = -1;
		if (rc == -1 && errno != EINTR)
			error = errno;
	}
	if (error != 0)
		remove_file(d);
	free_drop(d);
	errno = error;
	return error == 0 ? 0 : -1;
}

void
drop_abort(struct drop *d)
{
	if (d == NULL)
		return;
	remove_file(d);
	free_drop(d);
}

int
drop_space(const char *spool, uint64_t need)
{
	struct statvfs fs;
	int rc;

	do {
		rc = statvfs(spool, &fs);
	} while (rc == -1 && errno == EINTR);
	if (rc == -1)
		return -1;
	if (!space_is_enough(&fs, need)) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}
