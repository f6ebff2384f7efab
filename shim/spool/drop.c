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

#include "base/file.h"
#include "base/xmalloc.h"
#include "spool/queue.h"
#include "spool/space.h"

#define TIME_MAX	(24 * 3600)	/* seconds; the runner waits longer */
#define MIN_SPACE	((uint64_t)64 * 1024 * 1024)

struct drop {
	int		dirfd;		/* -1: in memory */
	int		fd;
	time_t		opened;		/* of now() */
	struct msgid	id;
};

/*
 * Who owns an empty spool, a user or a container with a volume, need not
 * prepare it.  Root must: its spool is to belong to somebody else.
 */
static int
make_dir(const char *spool, const char *path)
{
	struct stat st;
	int fd, rc;

	fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd != -1 && geteuid() != 0 && fstat(fd, &st) == 0 &&
	    st.st_uid == geteuid() && (mkdir(path, 0700) == 0 ||
	    errno == EEXIST) && fsync(fd) == 0 ? 0 : -1;
	if (fd != -1)
		close(fd);
	return rc;
}

static int
open_dir(const char *spool)
{
	char *path = xasprintf("%s/drop", spool);
	int fd, error;

	/* O_PATH: most callers may enter drop/ but not read it */
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT) {
		if (make_dir(spool, path) == 0)
			fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		else
			errno = ENOENT;
	}
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

static int
create_as(int dirfd, const struct msgid *id)
{
	int fd;

	do {
		fd = openat(dirfd, id->s, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (fd == -1 && errno == EINTR);
	return fd;
}

/* A new file in DIRFD. */
static int
create(int dirfd, struct msgid *id)
{
	int fd;

	do {
		id_new(id);
		fd = create_as(dirfd, id);
	} while (fd == -1 && errno == EEXIST);
	return fd;
}

/* FD in DIRFD, or in none; -1: NULL, and errno stays. */
static struct drop *
new_drop(int dirfd, int fd, const struct msgid *id)
{
	struct drop *d;
	int error = errno;

	if (fd == -1) {
		if (dirfd != -1)
			close(dirfd);
		errno = error;
		return NULL;
	}
	d = xmalloc(sizeof(*d));
	d->dirfd = dirfd;
	d->fd = fd;
	d->opened = now();
	d->id = *id;
	return d;
}

struct drop *
drop_open(const char *spool, struct msgid *id)
{
	int dirfd = open_dir(spool);

	return new_drop(dirfd, dirfd != -1 ? create(dirfd, id) : -1, id);
}

struct drop *
drop_open_as(const char *spool, const struct msgid *id)
{
	int dirfd = open_dir(spool);

	return new_drop(dirfd, dirfd != -1 ? create_as(dirfd, id) : -1, id);
}

struct drop *
drop_memory(struct msgid *id)
{
	id_new(id);
	return new_drop(-1, file_in_memory(), id);
}

int
drop_fd(const struct drop *d)
{
	return d->fd;
}

static int
create_unnamed(int dirfd)
{
	struct msgid id;
	int fd, rc;

	if ((fd = create(dirfd, &id)) == -1)
		return -1;
	do {
		rc = unlinkat(dirfd, id.s, 0);
	} while (rc == -1 && errno == EINTR);
	if (rc == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

int
drop_scratch(const struct drop *d)
{
	return d->dirfd == -1 ? file_in_memory() : create_unnamed(d->dirfd);
}

int
drop_unnamed(const char *spool)
{
	int dirfd = open_dir(spool), fd, error;

	if (dirfd == -1)
		return -1;
	fd = create_unnamed(dirfd);
	error = errno;
	close(dirfd);
	errno = error;
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

	if (d->dirfd == -1)
		return;
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
	if (d->dirfd != -1)
		close(d->dirfd);
	free(d);
}

/*
 * TIMES and MODE say to the runner what it needs to know; TIMES may be NULL.
 * 0, or -1 with errno.
 */
static int
commit(struct drop *d, const struct timespec times[2], mode_t mode)
{
	struct stat st;
	int rc, error = 0;

	if (fstat(d->fd, &st) == -1)
		error = errno;
	else if (st.st_nlink != 1)
		error = EMLINK;
	else if (now() - d->opened > TIME_MAX)
		error = ETIMEDOUT;	/* the runner may be removing it */
	else if ((times != NULL && futimens(d->fd, times) == -1) ||
	    fchmod(d->fd, mode) == -1 || sync_file(d->fd) == -1)
		error = errno;
	if (error == 0) {
		/* From here on the mail is safe, if close agrees. */
		rc = close(d->fd);
		d->fd = -1;
		if (rc == -1 && errno != EINTR)
			error = errno;
	}
	errno = error;
	return error == 0 ? 0 : -1;
}

int
drop_commit(struct drop *d)
{
	int rc = commit(d, NULL, 0640), error = errno;

	if (rc == -1)
		remove_file(d);
	free_drop(d);
	errno = error;
	return rc;
}

int
drop_commit_for(struct drop *d, uid_t uid)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
	    { .tv_sec = time(NULL), .tv_nsec = (long)queue_uid(uid) } };
	int rc = commit(d, times, 0440), error = errno;

	if (rc == 0)
		free_drop(d);
	else if (d->fd != -1)
		(void)fchmod(d->fd, 0600);
	errno = error;
	return rc;
}

void
drop_abort(struct drop *d)
{
	if (d == NULL)
		return;
	remove_file(d);
	free_drop(d);
}

uint64_t
drop_need(uint64_t max_size)
{
	return max_size > MIN_SPACE / 2 ? max_size * 2 : MIN_SPACE;
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
