/* SPDX-License-Identifier: ISC */
/*
 * The way from drop/ into queue/.  Everybody may put anything into drop/:
 * nothing there is believed before it was looked at through a descriptor, and
 * only a verified copy is ever used.  An entry that is no message goes to
 * bad/; one that cannot even be moved is logged once and skipped from then
 * on.
 */
#include "config.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "spool/odd.h"
#include "spool/queue.h"
#include "spool/queueint.h"
#include "spool/space.h"

#define RESERVE		(1 << 20)	/* octets that no copy may use */
#define OPEN_HOSTILE \
	(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE	1	/* <linux/fs.h> */
#endif

/* --- judgement ---------------------------------------------------------- */

const char *
queue_fault(const char *name, const struct stat *st)
{
	if (!id_is_valid(name))
		return "its name is no message identifier";
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_nlink != 1)
		return "it has a second link";
	return NULL;
}

const char *
queue_drop_fault(const char *name, const struct stat *st)
{
	const char *why = queue_fault(name, st);

	if (why == NULL && id_is_report(name))
		why = "its name is kept for a report";
	return why;
}

bool
queue_is_unfinished(const struct stat *st)
{
	return (st->st_mode & S_IRGRP) == 0;
}

uid_t
queue_submitter(const struct stat *st)
{
	/* drop_commit_for(); nobody else's word is taken */
	if (st->st_uid == geteuid() && (st->st_mode & S_IWUSR) == 0)
		return (uid_t)st->st_mtim.tv_nsec;
	return queue_uid(st->st_uid);
}

/*
 * Move drop/NAME out of the way.  It keeps its name in bad/ if that is an
 * identifier and free.
 */
static int
move_to_bad(struct queue *q, const char *name, struct msgid *to)
{
	int i;

	if (id_is_valid(name))
		snprintf(to->s, sizeof(to->s), "%s", name);
	else
		id_new(to);
	for (i = 0; i < 2; i++) {
		if (renameat2(q->fd[QD_DROP], name, q->fd[QD_BAD], to->s,
		    RENAME_NOREPLACE) == 0) {
			q->dirty[QD_DROP] = q->dirty[QD_BAD] = true;
			return 0;
		}
		if (errno != EEXIST)
			return -1;
		id_new(to);
	}
	return -1;
}

void
queue_skip(struct queue *q, enum queue_place place, const char *name,
    const struct stat *st)
{
	struct stat now;

	/* a rename that failed may have changed it */
	if (fstatat(q->fd[place == IN_DROP ? QD_DROP : QD_QUEUE], name, &now,
	    AT_SYMLINK_NOFOLLOW) == 0)
		st = &now;
	odd_add(&q->odd, st);
	q->skipped[place]++;
}

void
queue_skip_later(struct queue *q, const struct msgid *id)
{
	struct stat st;

	if (fstatat(q->fd[QD_QUEUE], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	log_warn("queue/%s: its format is of a later version; skipped",
	    id->s);
	queue_skip(q, IN_QUEUE, id->s, &st);
}

bool
queue_dispose(struct queue *q, const char *name, const struct stat *st,
    const char *why)
{
	struct msgid to;
	char shown[128];

	snprintf(shown, sizeof(shown), "%s", name);
	if (move_to_bad(q, name, &to) == 0) {
		log_warn("drop/%s is no message of uid %lu: %s; moved to "
		    "bad/%s", shown, (unsigned long)st->st_uid, why, to.s);
		return false;
	}
	if (errno == ENOENT)
		return false;
	log_warn("drop/%s is no message of uid %lu: %s; cannot be moved to "
	    "bad/: %s; skipped", shown, (unsigned long)st->st_uid, why,
	    strerror(errno));
	queue_skip(q, IN_DROP, name, st);
	return true;
}

/* --- picking up --------------------------------------------------------- */

bool
queue_has_room(struct queue *q)
{
	struct statvfs fs;
	int ret;

	while ((ret = fstatvfs(q->fd[QD_QUEUE], &fs)) == -1 && errno == EINTR)
		;
	return ret == -1 || space_is_enough(&fs, RESERVE);
}

int
queue_opendrop(struct queue *q, const struct msgid *id)
{
	return openat(q->fd[QD_DROP], id->s, OPEN_HOSTILE);
}

/* What queue_pickup() returns when drop/ID cannot be opened: errno says why. */
static int
open_failed(struct queue *q, const struct msgid *id)
{
	const char *why = strerror(errno);
	struct stat st;

	switch (errno) {
	case EACCES:
	case EPERM:
	case ELOOP:
	case ENODEV:
	case ENXIO:
		break;
	case ENOENT:
		return 1;
	default:		/* says nothing about the file */
		return -1;
	}
	if (fstatat(q->fd[QD_DROP], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 1;
	if (queue_drop_fault(id->s, &st) == NULL && queue_is_unfinished(&st))
		return 1;
	(void)queue_dispose(q, id->s, &st, why);
	return -2;
}

uint64_t
queue_file_limit(uint64_t maxsize, size_t maxrcpt)
{
	uint64_t extra, sum;

	if (__builtin_mul_overflow((uint64_t)maxrcpt + 2,
	    (uint64_t)ENVELOPE_MAX_ADDR + 16, &extra) ||
	    __builtin_add_overflow(maxsize, extra, &sum))
		return UINT64_MAX;
	return sum;
}

int
queue_supersede(struct queue *q, const struct msgid *id)
{
	struct stat st;

	if (fstatat(q->fd[QD_QUEUE], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	/* whoever made the link has synced it, or queue_lock() */
	q->dirty[QD_DROP] = true;
	if (unlinkat(q->fd[QD_DROP], id->s, 0) == -1 && errno != ENOENT)
		return -1;
	return 1;
}

/* Where SIZE octets are copied to. */
static int
new_copy(struct queue *q, off_t size, size_t memory)
{
	int fd = (uint64_t)size <= memory ? file_in_memory() : -1;

	return fd != -1 ? fd : queue_tmpfile(q);
}

int
queue_pickup(struct queue *q, const struct msgid *id, uint64_t maxsize,
    size_t maxrcpt, size_t memory, int *fd, struct msgfile *mf)
{
	struct stat st;
	const char *why;
	int from, to = -1, ret, error = 0;

	*fd = -1;
	if ((ret = queue_supersede(q, id)) != 0)
		return ret;
	ret = -1;
	if ((from = queue_opendrop(q, id)) == -1)
		return open_failed(q, id);
	if (fstat(from, &st) == -1)
		goto out;
	if ((why = queue_drop_fault(id->s, &st)) != NULL)
		goto bad;
	if (queue_is_unfinished(&st)) {
		ret = 1;
		goto out;
	}
	why = "it is larger than max-size";
	if ((uint64_t)st.st_size > queue_file_limit(maxsize, maxrcpt))
		goto bad;
	if ((to = new_copy(q, st.st_size, memory)) == -1)
		goto out;
	switch (msgfile_copy(from, to, &st, maxsize, maxrcpt, mf,
	    &why)) {
	case 0:
		*fd = to;
		close(from);
		return 0;
	case -1:
		goto bad;
	case -3:
		log_warn("drop/%s of uid %lu: %s; skipped", id->s,
		    (unsigned long)st.st_uid, why);
		queue_skip(q, IN_DROP, id->s, &st);
		ret = -2;
		goto out;
	default:
		goto out;
	}
bad:
	(void)queue_dispose(q, id->s, &st, why);
	ret = -2;
out:
	error = errno;
	close(from);
	if (to != -1)
		close(to);
	errno = error;
	return ret;
}
