/* SPDX-License-Identifier: ISC */
/*
 * The runner's side of the spool: keep, record, retire.  pickup.c has the
 * way from drop/ to here.
 *
 * Order is what makes this safe.  A link is synced before what it replaces
 * is removed.  drop/ is synced before a message leaves queue/, so that a drop
 * file which comes back after a power cut still finds its journal.  A journal
 * is removed only after the removal of its message is on disk: a journal
 * without a message is litter, a message without its journal is sent twice.
 */
#include "config.h"

#include "spool/queue.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/priv.h"
#include "base/xmalloc.h"
#include "spool/queueint.h"

#define OPEN_DIR	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define OPEN_FILE	(O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)
#define VERSION_TEXT	"1\n"

static const char *const dirname[QD_MAX] = {
	[QD_DROP] = "drop", [QD_QUEUE] = "queue", [QD_BAD] = "bad",
	[QD_DEAD] = "dead", [QD_HOST] = "host",
};

/* The format of the spool; a spool that has no VERSION gets ours. */
static int
check_version(int spool, const char **why)
{
	char text[16];
	ssize_t n;
	int fd;

	fd = openat(spool, "VERSION", O_RDONLY | O_NONBLOCK | OPEN_FILE);
	if (fd == -1 && errno == ENOENT) {
		fd = openat(spool, "VERSION", O_WRONLY | O_CREAT | O_EXCL |
		    OPEN_FILE, 0644);
		if (fd == -1)
			return 0;	/* not ours to write */
		n = write(fd, VERSION_TEXT, sizeof(VERSION_TEXT) - 1);
		close(fd);
		*why = "cannot write VERSION";
		return n == sizeof(VERSION_TEXT) - 1 ? 0 : -1;
	}
	*why = "cannot read VERSION";
	if (fd == -1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n == -1)
		return -1;
	text[n] = '\0';
	if (strcmp(text, VERSION_TEXT) == 0 || n == 0)
		return 0;
	*why = "the spool has a format that this version does not know";
	return -1;
}

static int
open_dir(int spool, const char *name)
{
	int fd;

	fd = openat(spool, name, OPEN_DIR);
	if (fd == -1 && errno == ENOENT && mkdirat(spool, name, 0700) == 0)
		fd = openat(spool, name, OPEN_DIR);
	return fd;
}

struct queue *
queue_open(const char *path, const char **why)
{
	static char text[512];
	struct queue *q;
	const char *reason = NULL;
	int i, spool;

	q = xcalloc(1, sizeof(*q));
	for (i = 0; i < QD_MAX; i++)
		q->fd[i] = -1;
	spool = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (spool == -1) {
		snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
		goto fail;
	}
	if (check_version(spool, &reason) == -1) {
		snprintf(text, sizeof(text), "%s: %s", path, reason);
		goto fail;
	}
	for (i = 0; i < QD_MAX; i++)
		if ((q->fd[i] = open_dir(spool, dirname[i])) == -1) {
			snprintf(text, sizeof(text), "%s/%s: %s", path,
			    dirname[i], strerror(errno));
			goto fail;
		}
	close(spool);
	return q;
fail:
	if (spool != -1)
		close(spool);
	queue_close(q);
	*why = text;
	return NULL;
}

void
queue_close(struct queue *q)
{
	int i;

	if (q == NULL)
		return;
	for (i = 0; i < QD_MAX; i++)
		if (q->fd[i] != -1)
			close(q->fd[i]);
	free(q->gone);
	keyset_clear(&q->odd);
	free(q);
}

int
queue_lock(struct queue *q)
{
	int error;

	if (flock(q->fd[QD_QUEUE], LOCK_EX | LOCK_NB) == -1)
		return -1;
	q->locked = true;
	/*
	 * A runner that was killed may have removed what a power cut would
	 * bring back, behind the back of who only sees that it is gone.
	 */
	if (fsync(q->fd[QD_QUEUE]) == 0 && fsync(q->fd[QD_DROP]) == 0)
		return 0;
	error = errno;
	(void)queue_unlock(q);
	errno = error;
	return -1;
}

int
queue_unlock(struct queue *q)
{
	q->locked = false;
	return flock(q->fd[QD_QUEUE], LOCK_UN);
}

static int
by_value(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
queue_forked(struct queue *q, int fd)
{
	int keep[QD_MAX + 1], i;
	unsigned from = 3;

	memcpy(keep, q->fd, sizeof(q->fd));
	keep[QD_MAX] = fd;
	qsort(keep, QD_MAX + 1, sizeof(keep[0]), by_value);
	for (i = 0; i < QD_MAX + 1; i++) {
		if (keep[i] > (int)from)
			priv_close(from, (unsigned)keep[i] - 1);
		if (keep[i] >= (int)from)
			from = (unsigned)keep[i] + 1;
	}
	priv_close(from, ~0U);
	/* what the runner has removed it syncs itself */
	memset(q->dirty, 0, sizeof(q->dirty));
	q->ngone = 0;
}

struct journal_name
queue_journal_name(const char *id)
{
	struct journal_name j;

	snprintf(j.s, sizeof(j.s), "%.*s%s", ID_LEN, id, JOURNAL_SUFFIX);
	return j;
}

int
queue_tmpfile(struct queue *q)
{
	return openat(q->fd[QD_QUEUE], ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
	    0600);
}

/* Give the unnamed file FD a name in queue/. */
static int
link_file(struct queue *q, int fd, const char *name)
{
	char proc[32];
	int ret;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ret = linkat(AT_FDCWD, proc, q->fd[QD_QUEUE], name,
	    AT_SYMLINK_FOLLOW);
	if (ret == -1 && errno == ENOENT)	/* no /proc */
		ret = linkat(fd, "", q->fd[QD_QUEUE], name, AT_EMPTY_PATH);
	return ret;
}

/* Give the unnamed file FD the name queue/ID and make both durable. */
static int
link_durably(struct queue *q, const struct msgid *id, int fd)
{
	int ret, error;

	if (fsync(fd) == -1)
		return -1;
	ret = link_file(q, fd, id->s);
	if (ret == -1 && errno != EEXIST)
		return -1;
	if (fsync(q->fd[QD_QUEUE]) == 0)
		return 0;
	/* what failed shall not be found, and sent, before it is repeated */
	error = errno;
	if (ret == 0)
		(void)unlinkat(q->fd[QD_QUEUE], id->s, 0);
	errno = error;
	return -1;
}

/*
 * Both times: inotify(7) tells a change of mtime alone like a write, and a
 * change of both as one of attributes, which is what a runner listens to.
 */
static void
set_times(struct timespec ts[2], time_t t, uid_t uid)
{
	ts[0].tv_sec = ts[1].tv_sec = t;
	ts[0].tv_nsec = ts[1].tv_nsec = (long)queue_uid(uid);
}

uid_t
queue_uid(uid_t uid)
{
	return uid % 1000000000;
}

static void
close_quietly(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

/* FD, or a copy of it that has a place in queue/. */
static int
on_disk(struct queue *q, int fd)
{
	int to;

	if (!file_is_in_memory(fd))
		return fd;
	if ((to = queue_tmpfile(q)) == -1)
		return -1;
	if (file_copy(fd, 0, to) == 0)
		return to;
	close_quietly(to);
	return -1;
}

int
queue_keep(struct queue *q, const struct msgid *id, int fd, time_t next)
{
	struct timespec ts[2];
	struct stat st;
	int file, ret;

	if (fstatat(q->fd[QD_DROP], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 1 : -1;
	set_times(ts, next, queue_submitter(&st));
	if ((file = on_disk(q, fd)) == -1)
		return -1;
	if ((ret = futimens(file, ts)) == 0)
		ret = link_durably(q, id, file);
	if (file != fd)
		close_quietly(file);
	if (ret == -1)
		return -1;
	/* From here on queue/ID holds the message. */
	q->dirty[QD_DROP] = true;
	/* it must not come back when the message is done, and be new */
	if (unlinkat(q->fd[QD_DROP], id->s, 0) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/* who removed drop/ID before we did has withdrawn the message */
	q->dirty[QD_QUEUE] = true;
	return unlinkat(q->fd[QD_QUEUE], id->s, 0) == 0 || errno == ENOENT ?
	    1 : -1;
}

int
queue_link(struct queue *q, const struct msgid *id, int fd)
{
	struct timespec ts[2];

	set_times(ts, time(NULL), 0);
	return futimens(fd, ts) == -1 ? -1 : link_durably(q, id, fd);
}

int
queue_replace(struct queue *q, const struct msgid *id, int fd)
{
	char name[ID_LEN + sizeof(REPLACEMENT_SUFFIX)];
	struct timespec ts[2];
	struct stat st;

	if (fstatat(q->fd[QD_QUEUE], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 1 : -1;
	set_times(ts, st.st_mtim.tv_sec, (uid_t)st.st_mtim.tv_nsec);
	snprintf(name, sizeof(name), "%.*s%s", ID_LEN, id->s,
	    REPLACEMENT_SUFFIX);
	/* of a runner that died here */
	if (unlinkat(q->fd[QD_QUEUE], name, 0) == -1 && errno != ENOENT)
		return -1;
	if (futimens(fd, ts) == -1 || fsync(fd) == -1 ||
	    link_file(q, fd, name) == -1)
		return -1;
	if (renameat(q->fd[QD_QUEUE], name, q->fd[QD_QUEUE], id->s) == -1)
		return -1;
	/*
	 * From here on queue/ID holds the new file.  Whether that is durable
	 * matters before it is used.
	 */
	return fsync(q->fd[QD_QUEUE]);
}

int
queue_openmsg(struct queue *q, const struct msgid *id)
{
	return openat(q->fd[QD_QUEUE], id->s, O_RDONLY | OPEN_FILE);
}

int
queue_set_next(struct queue *q, const struct msgid *id, time_t next)
{
	struct timespec ts[2];
	struct stat st;

	if (fstatat(q->fd[QD_QUEUE], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	set_times(ts, next, (uid_t)st.st_mtim.tv_nsec);
	return utimensat(q->fd[QD_QUEUE], id->s, ts, AT_SYMLINK_NOFOLLOW);
}

/* The journal of ID, open for appending; made if it is not there. */
static int
open_journal(struct queue *q, const struct msgid *id)
{
	struct journal_name name = queue_journal_name(id->s);

	return openat(q->fd[QD_QUEUE], name.s,
	    O_WRONLY | O_APPEND | O_CREAT | OPEN_FILE, 0600);
}

int
queue_record(struct queue *q, const struct msgid *id,
    const struct journal_record *r, size_t n)
{
	int fd, ret, error;

	if ((fd = open_journal(q, id)) == -1)
		return -1;
	ret = journal_append(fd, r, n, journal_is_promise(r, n));
	error = errno;
	if (close(fd) == -1 && ret == 0) {
		ret = -1;
		error = errno;
	}
	errno = error;
	return ret;
}

int
queue_reserve(struct queue *q, const struct msgid *id, size_t n)
{
	struct stat st;
	int fd, ret, error;

	if ((fd = open_journal(q, id)) == -1)
		return -1;
	if ((ret = fstat(fd, &st)) == 0)
		do
			ret = fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size,
			    (off_t)(n * JOURNAL_RECORD_MAX));
		while (ret == -1 && errno == EINTR);
	error = errno;
	close(fd);
	/* a file system that cannot promise room may still have it */
	if (ret == -1 && (error == EOPNOTSUPP || error == ENOSYS))
		return 0;
	errno = error;
	return ret;
}

bool
queue_may_reserve(struct queue *q, const struct msgid *id, size_t n)
{
	struct journal_name name = queue_journal_name(id->s);
	struct statvfs fs;
	struct stat st;
	uint64_t need = n * JOURNAL_RECORD_MAX, have = 0;

	if (fstatat(q->fd[QD_QUEUE], name.s, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (uint64_t)st.st_blocks * 512 > (uint64_t)st.st_size)
		have = (uint64_t)st.st_blocks * 512 - (uint64_t)st.st_size;
	return have >= need || fstatvfs(q->fd[QD_QUEUE], &fs) == -1 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= need - have;
}

/* However long the journal is: 1,000 recipients in 5 days make 20 MB. */
static int
read_records(int fd, struct buf *b,
    void (*each)(void *, const struct journal_record *), void *arg)
{
	char block[16384];
	const char *lf;
	size_t used;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		buf_add(b, block, (size_t)n);
		if ((lf = memrchr(b->data, '\n', b->len)) == NULL)
			continue;
		used = (size_t)(lf + 1 - b->data);
		journal_parse(b->data, used, each, arg);
		memmove(b->data, lf + 1, b->len - used);
		b->len -= used;
	}
	return 0;
}

int
queue_journal(struct queue *q, const struct msgid *id,
    void (*each)(void *, const struct journal_record *), void *arg)
{
	struct journal_name name = queue_journal_name(id->s);
	struct buf b = BUF_INIT;
	int fd, ret, error;

	fd = openat(q->fd[QD_QUEUE], name.s, O_RDONLY | OPEN_FILE);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	ret = read_records(fd, &b, each, arg);
	error = errno;
	close(fd);
	buf_clear(&b);
	errno = error;
	return ret;
}

void
queue_note_gone(struct queue *q, const char *id)
{
	if (q->ngone == q->gonecap) {
		q->gonecap = q->gonecap != 0 ? q->gonecap * 2 : 64;
		q->gone = xreallocarray(q->gone, q->gonecap,
		    sizeof(q->gone[0]));
	}
	snprintf(q->gone[q->ngone++].s, sizeof(q->gone[0].s), "%.*s", ID_LEN,
	    id);
}

void
queue_retired(struct queue *q, enum queue_place place, const struct msgid *id)
{
	q->dirty[place == IN_DROP ? QD_DROP : QD_QUEUE] = true;
	queue_note_gone(q, id->s);
}

static int
sync_dir(struct queue *q, enum queue_dir d)
{
	if (!q->dirty[d])
		return 0;
	/* where a file went to before where it was */
	if ((d == QD_DROP && sync_dir(q, QD_BAD) == -1) ||
	    (d == QD_QUEUE && sync_dir(q, QD_DEAD) == -1))
		return -1;
	if (fsync(q->fd[d]) == -1)
		return -1;
	q->dirty[d] = false;
	return 0;
}

static int
remove_drop(struct queue *q, const struct msgid *id)
{
	if (unlinkat(q->fd[QD_DROP], id->s, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	q->dirty[QD_DROP] = true;
	return 0;
}

int
queue_retire(struct queue *q, enum queue_place place, const struct msgid *id)
{
	/*
	 * A drop file of that name would be a new message: one that could not
	 * be removed before must go first, and for good.
	 */
	if (place == IN_QUEUE && (remove_drop(q, id) == -1 ||
	    sync_dir(q, QD_DROP) == -1))
		return -1;
	if (unlinkat(q->fd[place == IN_DROP ? QD_DROP : QD_QUEUE], id->s,
	    0) == -1 && errno != ENOENT)
		return -1;
	queue_retired(q, place, id);
	return 0;
}

int
queue_sync(struct queue *q)
{
	struct journal_name name;
	size_t i;
	int d;

	for (d = 0; d < QD_MAX; d++)
		if (sync_dir(q, (enum queue_dir)d) == -1)
			return -1;
	for (i = 0; i < q->ngone; i++) {
		name = queue_journal_name(q->gone[i].s);
		if (unlinkat(q->fd[QD_QUEUE], name.s, 0) == -1 &&
		    errno != ENOENT)
			log_warn("queue/%s: %s", name.s, strerror(errno));
	}
	q->ngone = 0;
	return 0;
}

int
queue_bury(struct queue *q, const struct msgid *id)
{
	struct journal_name name = queue_journal_name(id->s);

	if (sync_dir(q, QD_DROP) == -1 ||
	    renameat(q->fd[QD_QUEUE], id->s, q->fd[QD_DEAD], id->s) == -1)
		return -1;
	q->dirty[QD_QUEUE] = q->dirty[QD_DEAD] = true;
	if (sync_dir(q, QD_DEAD) == -1 || sync_dir(q, QD_QUEUE) == -1)
		return -1;
	/* the reasons go along */
	if (renameat(q->fd[QD_QUEUE], name.s, q->fd[QD_DEAD], name.s) == -1 &&
	    errno != ENOENT)
		return -1;
	return 0;
}
