/* SPDX-License-Identifier: ISC */
/*
 * Hold, release, delete: each is one change of one file, which a runner sees
 * through inotify(7) and a crash leaves done or not done.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "spool/queue.h"
#include "spool/queueint.h"

/* No limit of a configuration: what is kept here is not sent yet. */
#define ANY_RCPTS	1000000

static int
set_mode(int fd, mode_t mode)
{
	return fchmod(fd, mode) == -1 || fsync(fd) == -1 ? -1 : 0;
}

/* Without a runner: do what it would have done first. */
static int
pick_up(struct queue *q, const struct msgid *id)
{
	struct msgfile mf;
	int fd, ret;

	if (queue_lock(q) == -1) {
		errno = EAGAIN;
		return -1;
	}
	switch (queue_pickup(q, id, UINT64_MAX, ANY_RCPTS, 0, &fd, &mf)) {
	case 0:
		ret = queue_keep(q, id, fd, time(NULL));
		msgfile_clear(&mf);
		close(fd);
		break;
	case -1:
		ret = -1;
		break;
	default:
		ret = 1;
	}
	if (ret == 0)
		ret = queue_sync(q);
	(void)queue_unlock(q);
	if (ret == 1)
		errno = ENOENT;
	return ret == 0 ? 0 : -1;
}

int
queue_hold(struct queue *q, const struct msgid *id)
{
	struct queue_entry e;
	int fd, ret;

	if (queue_stat(q, id, &e) == -1 ||
	    (e.place == IN_DROP && pick_up(q, id) == -1))
		return -1;
	if ((fd = queue_openmsg(q, id)) == -1)
		return -1;
	ret = set_mode(fd, 0400);
	close(fd);
	return ret;
}

int
queue_release(struct queue *q, const struct msgid *id, time_t now)
{
	struct queue_entry e;
	int fd, ret;

	if (queue_stat(q, id, &e) == -1)
		return -1;
	/* what is not held is as it should be */
	if (e.place == IN_DROP || !e.held)
		return 0;
	if (queue_set_next(q, id, now) == -1 ||
	    (fd = queue_openmsg(q, id)) == -1)
		return -1;
	ret = set_mode(fd, 0600);
	close(fd);
	return ret;
}

/* Remove ID from DIR.  0, ENOENT, or what went wrong. */
static int
remove_from(struct queue *q, enum queue_dir dir, const char *id)
{
	if (unlinkat(q->fd[dir], id, 0) == -1)
		return errno;
	q->dirty[dir] = true;
	return 0;
}

int
queue_delete(struct queue *q, const struct msgid *id, size_t n, int *error)
{
	int failed = 0, sync = 0;
	size_t i;

	for (i = 0; i < n; i++)
		error[i] = remove_from(q, QD_DROP, id[i].s);
	/* a drop file that came back after its journal has gone were new */
	if (fsync(q->fd[QD_DROP]) == -1)
		sync = errno;
	for (i = 0; i < n; i++) {
		if (sync != 0)
			error[i] = sync;
		if (error[i] == ENOENT)
			error[i] = remove_from(q, QD_QUEUE, id[i].s);
		else if (error[i] == 0)
			(void)remove_from(q, QD_QUEUE, id[i].s);
		if (error[i] == 0)
			queue_note_gone(q, id[i].s);
	}
	if (queue_sync(q) == -1)
		sync = errno;
	for (i = 0; i < n; i++) {
		/* gone, but perhaps not for ever */
		if (sync != 0 && error[i] == 0)
			error[i] = sync;
		failed += error[i] != 0;
	}
	return failed;
}
