/* SPDX-License-Identifier: ISC */
/*
 * A directory with a file for each message: written in tmp/, synced, linked
 * into new/, synced.  No lock is needed, and no reader sees half a message.
 */
#include "config.h"

#include "local/store.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"

struct maildir {
	const struct store *s;
	struct result	*r;
	char		*path;
	int		 tmp;		/* the directories */
	int		 new;
};

static char *
expand_path(const struct store *s)
{
	struct buf b = BUF_INIT;
	const char *p = s->path;

	if (strncmp(p, "~/", 2) == 0) {
		buf_adds(&b, s->home);
		p++;
	}
	for (; *p != '\0'; p++)
		if (p[0] == '%' && p[1] == 'u') {
			buf_adds(&b, s->user);
			p++;
		} else {
			buf_addc(&b, *p);
		}
	return buf_take(&b);
}

/* DIR/NAME, made if it is not there. */
static int
open_dir(struct maildir *m, int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0700) == -1 && errno != EEXIST)
		return store_failed(m->r, m->path, name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	return fd != -1 ? fd : store_failed(m->r, m->path, name);
}

/* The Maildir itself may be a link: it is in the user's hands. */
static int
open_maildir(struct maildir *m)
{
	int dir, cur, rc = -1;

	if (mkdir(m->path, 0700) == -1 && errno != EEXIST)
		return store_failed(m->r, m->path, "");
	dir = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return store_failed(m->r, m->path, "");
	if ((cur = open_dir(m, dir, "cur")) != -1 &&
	    (m->tmp = open_dir(m, dir, "tmp")) != -1 &&
	    (m->new = open_dir(m, dir, "new")) != -1)
		rc = 0;
	if (cur != -1)
		close(cur);
	close(dir);
	return rc;
}

/* The message into tmp/NAME, which nobody but us knows. */
static int
write_message(struct maildir *m, const char *name)
{
	int fd, rc, error;

	/* of an attempt that ended early */
	(void)unlinkat(m->tmp, name, 0);
	fd = openat(m->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	rc = store_copy(m->s, fd, false);
	if (rc == 0)
		rc = fsync(fd);
	error = errno;
	if (close(fd) == -1 && rc == 0) {
		error = errno;
		rc = -1;
	}
	errno = error;
	return rc;
}

static int
deliver(struct maildir *m, const char *name)
{
	int rc, error;

	rc = write_message(m, name);
	if (rc == 0)
		rc = linkat(m->tmp, name, m->new, name, 0);
	/* it was delivered before, and nobody heard of it */
	if (rc == -1 && errno == EEXIST)
		rc = 0;
	if (rc == 0)
		rc = fsync(m->new);
	error = errno;
	(void)unlinkat(m->tmp, name, 0);
	errno = error;
	return rc == 0 ? 0 : store_failed(m->r, m->path, name);
}

int
store_maildir(const struct store *s, struct result *r)
{
	struct maildir m = { s, r, expand_path(s), -1, -1 };
	/* the identifier says when, and is unique */
	char *name = xasprintf("%s.%s", s->id, s->hostname);
	int rc;

	rc = open_maildir(&m);
	if (rc == 0)
		rc = deliver(&m, name);
	if (m.tmp != -1)
		close(m.tmp);
	if (m.new != -1)
		close(m.new);
	free(m.path);
	free(name);
	return rc;
}
