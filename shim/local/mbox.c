/* SPDX-License-Identifier: ISC */
/*
 * One file for all messages of a user, as programs that read /var/mail know
 * it: a line "From sender date", the message, an empty line.  Others write to
 * the file, too, so it is locked in both ways that are in use, in the order
 * of Debian's policy (section 11.6).
 */
#include "config.h"

#include "local/store.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"

#define LOCK_MS		250	/* between two tries */
#define LOCK_TRIES	120
#define LOCK_STALE	300	/* seconds: its maker has died */

struct mbox {
	const struct store *s;
	struct result	*r;
	int		 dir;
	int		 fd;
	char		*lock;		/* name of the lock file, while held */
	off_t		 size;		/* before we write */
};

static int
failed(const struct mbox *b, const char *name)
{
	return store_failed(b->r, b->s->path, name);
}

static int
refuse(const struct mbox *b, const char *what)
{
	result_set(b->r, R_LOCALERR, "%s/%s: %s", b->s->path, b->s->user,
	    what);
	return -1;
}

static int
locked(const struct mbox *b)
{
	result_set(b->r, R_LATER, "%s/%s is locked by another program",
	    b->s->path, b->s->user);
	(void)strlcpy(b->r->esc, "4.2.0", sizeof(b->r->esc));
	return -1;
}

static void
wait_a_little(void)
{
	(void)poll(NULL, 0, LOCK_MS);
}

static int
open_file(struct mbox *b)
{
	const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC;

	do {
		b->fd = openat(b->dir, b->s->user, flags);
		if (b->fd == -1 && errno == ENOENT)
			b->fd = openat(b->dir, b->s->user,
			    flags | O_CREAT | O_EXCL, 0600);
	} while (b->fd == -1 && (errno == EINTR || errno == EEXIST));
	if (b->fd != -1)
		return 0;
	if (errno == ELOOP)
		return refuse(b, "it is a symbolic link");
	return failed(b, b->s->user);
}

/* Whether the open file still is the one of that name: 1; 0: no longer. */
static int
check_file(struct mbox *b)
{
	struct stat st, now;

	if (fstat(b->fd, &st) == -1)
		return failed(b, b->s->user);
	if (fstatat(b->dir, b->s->user, &now, AT_SYMLINK_NOFOLLOW) == -1 ||
	    now.st_ino != st.st_ino || now.st_dev != st.st_dev)
		return 0;
	if (!S_ISREG(st.st_mode))
		return refuse(b, "it is not a regular file");
	if (st.st_nlink != 1)
		return refuse(b, "it has another name, too");
	if (st.st_uid != b->s->uid)
		return refuse(b, "it is not the user's own");
	b->size = st.st_size;
	return 1;
}

/* The lock of fcntl(2).  0; 1: not now. */
static int
lock_file(struct mbox *b)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(b->fd, F_SETLK, &fl) == 0)
		return 0;
	return errno == EACCES || errno == EAGAIN || errno == EINTR ? 1 :
	    failed(b, b->s->user);
}

/* The lock file.  0; 1: not now. */
static int
make_lock(struct mbox *b)
{
	char *name = xasprintf("%s.lock", b->s->user);
	struct stat st;
	int fd;

	fd = openat(b->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd != -1) {
		/* what it says is for people; that it exists is the lock */
		(void)dprintf(fd, "%ld\n", (long)getpid());
		close(fd);
		b->lock = name;
		return 0;
	}
	if (errno != EEXIST && errno != EINTR) {
		(void)failed(b, name);
		free(name);
		return -1;
	}
	/* one from the future would lock until then: the clock went back */
	if (fstatat(b->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    llabs((long long)time(NULL) - st.st_mtime) > LOCK_STALE)
		(void)unlinkat(b->dir, name, 0);
	free(name);
	return 1;
}

static void
unlock(struct mbox *b)
{
	if (b->lock != NULL)
		(void)unlinkat(b->dir, b->lock, 0);
	free(b->lock);
	b->lock = NULL;
	/* that ends the lock of fcntl(2) as well */
	if (b->fd != -1)
		close(b->fd);
	b->fd = -1;
}

/* Open and lock: 0, 1: not now, -1. */
static int
take(struct mbox *b)
{
	int rc;

	if (open_file(b) == -1)
		return -1;
	/* a FIFO or a file of somebody else is not to be locked */
	if ((rc = check_file(b)) == 1)
		rc = lock_file(b);
	else if (rc == 0)
		rc = 1;
	if (rc == 0)
		rc = make_lock(b);
	/* whoever had the lock may have replaced the file */
	if (rc == 0 && (rc = check_file(b)) != -1)
		rc = rc == 1 ? 0 : 1;
	return rc;
}

/* An earlier writer may have left half a line. */
static bool
ends_in_line(const struct mbox *b)
{
	char c = '\n';

	return b->size == 0 ||
	    (pread(b->fd, &c, 1, b->size - 1) == 1 && c == '\n');
}

static int
write_string(int fd, const char *s)
{
	size_t n = strlen(s);
	ssize_t w;

	do {
		w = write(fd, s, n);
	} while (w == -1 && errno == EINTR);
	if (w >= 0 && (size_t)w != n)
		errno = ENOSPC;
	return w >= 0 && (size_t)w == n ? 0 : -1;
}

static int
append(struct mbox *b)
{
	struct buf from = BUF_INIT;
	char date[64] = "";
	const char *sender = b->s->sender;
	time_t now = time(NULL);
	struct tm tm;
	int rc;

	if (localtime_r(&now, &tm) != NULL)
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	/* a blank would end the sender for readers of the line */
	buf_printf(&from, "%sFrom %s %s\n", ends_in_line(b) ? "" : "\n",
	    sender[0] == '\0' || strchr(sender, ' ') != NULL ?
	    "MAILER-DAEMON" : sender, date);
	rc = write_string(b->fd, buf_str(&from));
	buf_clear(&from);
	if (rc == 0)
		rc = store_copy(b->s, b->fd, true);
	if (rc == 0)
		rc = write_string(b->fd, "\n");
	if (rc == 0)
		rc = fsync(b->fd);
	return rc;
}

/*
 * Whether nobody waits for the answer any more: nobody would record that it
 * was delivered, and the next attempt would deliver it again.
 */
static bool
is_forsaken(const struct mbox *b)
{
	struct pollfd pfd = { .fd = b->s->asker != NULL ? *b->s->asker : -1 };

	if (pfd.fd == -1 || poll(&pfd, 1, 0) != 1)
		return false;
	result_set(b->r, R_LATER, "who asked for it has gone");
	return true;
}

static int
deliver(struct mbox *b)
{
	int i, rc, error;

	for (i = 0; (rc = take(b)) == 1; i++) {
		unlock(b);
		if (i == LOCK_TRIES)
			return locked(b);
		wait_a_little();
	}
	if (rc == 0 && is_forsaken(b))
		rc = -1;
	if (rc == 0 && append(b) == -1) {
		error = errno;
		/* half a message is none */
		if (ftruncate(b->fd, b->size) == 0)
			(void)fsync(b->fd);
		errno = error;
		rc = failed(b, b->s->user);
	}
	unlock(b);
	return rc;
}

int
store_mbox(const struct store *s, struct result *r)
{
	struct mbox b = { .s = s, .r = r, .dir = -1, .fd = -1 };
	int rc;

	b.dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b.dir == -1)
		return store_failed(r, s->path, "");
	rc = deliver(&b);
	close(b.dir);
	return rc;
}
