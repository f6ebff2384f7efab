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
	switch (queue_pickup(q, id, UINT64_MAX, ANY_RCPTS, &fd, &mf)) {
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

int
queue_delete(struct queue *q, const struct msgid *id)
{
	struct journal_name name = queue_journal_name(id->s);
	bool was = true;

	if (unlinkat(q->fd[QD_DROP], id->s, 0) == -1) {
		if (errno != ENOENT)
			return -1;
		was = false;
	}
	/* a drop file that came back after its journal has gone were new */
	if (fsync(q->fd[QD_DROP]) == -1)
		return -1;
	if (unlinkat(q->fd[QD_QUEUE], id->s, 0) == 0)
		was = true;
	else if (errno != ENOENT)
		return -1;
	if (fsync(q->fd[QD_QUEUE]) == -1)
		return -1;
	(void)unlinkat(q->fd[QD_QUEUE], name.s, 0);
	errno = ENOENT;
	return was ? 0 : -1;
}
