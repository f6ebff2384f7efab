/* SPDX-License-Identifier: ISC */
/*
 * What lies in the spool, and the way from drop/ into queue/.  Everybody may
 * put anything into drop/: nothing there is believed before it was looked at
 * through a descriptor, and only a verified copy is ever used.  An entry
 * that is no message goes to bad/; one that cannot even be moved is logged
 * once and skipped from then on.
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "spool/queue.h"
#include "spool/queueint.h"

#define UNFINISHED_MAX	(48 * 3600)	/* seconds */
#define ODD_MAX		65536	/* entries remembered; more are logged again */
#define OPEN_HOSTILE \
	(O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE	1	/* <linux/fs.h> */
#endif

/* --- entries that stay -------------------------------------------------- */

/* An entry that changes is looked at, and logged, again. */
static uint64_t
odd_key(const struct stat *st)
{
	uint64_t k;

	k = (uint64_t)st->st_ino * 0x9e3779b97f4a7c15U;
	k ^= (uint64_t)st->st_ctim.tv_sec * 1000000000U +
	    (uint64_t)st->st_ctim.tv_nsec;
	k *= 0xff51afd7ed558ccdU;
	return k != 0 ? k : 1;
}

static size_t
odd_slot(const struct queue *q, uint64_t key)
{
	size_t i;

	for (i = key & (q->oddcap - 1); q->odd[i] != 0 && q->odd[i] != key;)
		i = (i + 1) & (q->oddcap - 1);
	return i;
}

static bool
odd_is_known(const struct queue *q, uint64_t key)
{
	return q->oddcap != 0 && q->odd[odd_slot(q, key)] == key;
}

static void
odd_grow(struct queue *q)
{
	uint64_t *old = q->odd;
	size_t i, n = q->oddcap;

	q->oddcap = n != 0 ? n * 2 : 64;
	q->odd = xcalloc(q->oddcap, sizeof(q->odd[0]));
	for (i = 0; i < n; i++)
		if (old[i] != 0)
			q->odd[odd_slot(q, old[i])] = old[i];
	free(old);
}

static void
odd_add(struct queue *q, uint64_t key)
{
	/* who renames a directory again and again shall not fill memory */
	if (q->nodd == ODD_MAX) {
		memset(q->odd, 0, q->oddcap * sizeof(q->odd[0]));
		q->nodd = 0;
	}
	if (q->nodd * 2 >= q->oddcap)
		odd_grow(q);
	q->odd[odd_slot(q, key)] = key;
	q->nodd++;
}

size_t
queue_skipped(const struct queue *q)
{
	return q->skipped;
}

/* --- judgement ---------------------------------------------------------- */

/* Why the entry can never be a message, or NULL. */
static const char *
fault(const char *name, const struct stat *st)
{
	if (!id_is_valid(name))
		return "its name is no message identifier";
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_nlink != 1)
		return "it has a second link";
	return NULL;
}

/* The same for what somebody put into drop/. */
static const char *
drop_fault(const char *name, const struct stat *st)
{
	const char *why = fault(name, st);

	if (why == NULL && id_is_report(name))
		why = "its name is kept for a report";
	return why;
}

/* The submitter has not called drop_commit() yet. */
static bool
is_unfinished(const struct stat *st)
{
	return (st->st_mode & S_IRGRP) == 0;
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

/* The entry is no message: move it, or remember it.  Logs either once. */
static void
dispose(struct queue *q, const char *name, const struct stat *st,
    const char *why)
{
	struct msgid to;
	char shown[128];
	struct stat now;

	snprintf(shown, sizeof(shown), "%s", name);
	if (move_to_bad(q, name, &to) == 0) {
		log_warn("drop/%s is no message of uid %lu: %s; moved to "
		    "bad/%s", shown, (unsigned long)st->st_uid, why, to.s);
		return;
	}
	if (errno == ENOENT)
		return;
	log_warn("drop/%s is no message of uid %lu: %s; cannot be moved to "
	    "bad/: %s; skipped", shown, (unsigned long)st->st_uid, why,
	    strerror(errno));
	q->skipped++;
	if (fstatat(q->fd[QD_DROP], name, &now, AT_SYMLINK_NOFOLLOW) == 0)
		odd_add(q, odd_key(&now));
}

static void
remove_unfinished(struct queue *q, const char *name, const struct stat *st)
{
	if (st->st_mtim.tv_sec > time(NULL) - UNFINISHED_MAX)
		return;
	if (unlinkat(q->fd[QD_DROP], name, 0) == 0)
		log_warn("drop/%s: removed a message that uid %lu did not "
		    "finish in 48 hours", name, (unsigned long)st->st_uid);
}

/* --- looking ------------------------------------------------------------ */

static int
look_drop(struct queue *q, const char *name, const struct stat *st,
    struct queue_entry *e)
{
	const char *why;

	if (q->nodd != 0 && odd_is_known(q, odd_key(st))) {
		q->skipped++;
		return 0;
	}
	if ((why = drop_fault(name, st)) != NULL) {
		if (q->locked)
			dispose(q, name, st, why);
		return 0;
	}
	if (is_unfinished(st)) {
		if (q->locked)
			remove_unfinished(q, name, st);
		return 0;
	}
	e->next = 0;
	e->held = false;
	return 1;
}

static int
look_queue(const char *name, const struct stat *st, struct queue_entry *e)
{
	if (fault(name, st) != NULL)
		return 0;
	e->next = st->st_mtim.tv_sec;
	e->held = (st->st_mode & S_IWUSR) == 0;
	return 1;
}

/* 1: *E is a message; 0: it is none; -1: errno. */
static int
look(struct queue *q, enum queue_place place, const char *name,
    struct queue_entry *e)
{
	struct stat st;
	int is;

	if (fstatat(q->fd[place == IN_DROP ? QD_DROP : QD_QUEUE], name, &st,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	is = place == IN_DROP ? look_drop(q, name, &st, e) :
	    look_queue(name, &st, e);
	if (is != 1)
		return is;
	snprintf(e->id.s, sizeof(e->id.s), "%s", name);
	e->place = place;
	e->size = st.st_size;
	return 1;
}

int
queue_look(struct queue *q, enum queue_place place, const char *name,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	struct queue_entry e;

	switch (look(q, place, name, &e)) {
	case 1:
		each(arg, &e);
		return 0;
	case 0:
		return 0;
	default:
		return errno == ENOENT ? 0 : -1;
	}
}

int
queue_stat(struct queue *q, const struct msgid *id, struct queue_entry *e)
{
	int is;

	if ((is = look(q, IN_QUEUE, id->s, e)) == -1 && errno == ENOENT)
		is = look(q, IN_DROP, id->s, e);
	if (is == 1)
		return 0;
	if (is == 0)
		errno = ENOENT;
	return -1;
}

/* NAME is "ID.log": copy ID. */
static bool
is_journal(const char *name, struct msgid *id)
{
	if (strlen(name) != ID_LEN + sizeof(JOURNAL_SUFFIX) - 1 ||
	    strcmp(name + ID_LEN, JOURNAL_SUFFIX) != 0)
		return false;
	memcpy(id->s, name, ID_LEN);
	id->s[ID_LEN] = '\0';
	return id_is_valid(id->s);
}

/* Its message is gone for good: so goes the journal, after the next sync. */
static void
check_journal(struct queue *q, const struct msgid *id)
{
	struct journal_name name = queue_journal_name(id->s);
	struct stat st;

	if (fstatat(q->fd[QD_QUEUE], id->s, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT ||
	    fstatat(q->fd[QD_DROP], id->s, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT)
		return;
	/* queue_bury() was interrupted */
	if (fstatat(q->fd[QD_DEAD], id->s, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    renameat(q->fd[QD_QUEUE], name.s, q->fd[QD_DEAD], name.s) == 0)
		return;
	q->dirty[QD_DROP] = q->dirty[QD_QUEUE] = true;
	queue_note_gone(q, id->s);
}

static DIR *
open_for_reading(int fd)
{
	DIR *d;
	int again;

	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again == -1)
		return NULL;
	if ((d = fdopendir(again)) == NULL)
		close(again);
	return d;
}

int
queue_scan(struct queue *q, enum queue_place place,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	struct msgid id, *logs = NULL;
	size_t i, nlogs = 0, cap = 0;
	struct dirent *de;
	DIR *d;

	if (place == IN_DROP)
		q->skipped = 0;
	d = open_for_reading(q->fd[place == IN_DROP ? QD_DROP : QD_QUEUE]);
	if (d == NULL)
		return -1;
	/* an error of readdir(3) ends the scan like the end: others follow */
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		if (place == IN_QUEUE && is_journal(de->d_name, &id)) {
			if (q->locked) {
				if (nlogs == cap) {
					cap = cap != 0 ? cap * 2 : 64;
					logs = xreallocarray(logs, cap,
					    sizeof(logs[0]));
				}
				logs[nlogs++] = id;
			}
			continue;
		}
		(void)queue_look(q, place, de->d_name, each, arg);
	}
	closedir(d);
	for (i = 0; i < nlogs; i++)
		check_journal(q, &logs[i]);
	free(logs);
	return 0;
}

/* --- picking up --------------------------------------------------------- */

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
	case ENOENT:
		return 1;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
	case EINTR:
		return -1;
	}
	if (fstatat(q->fd[QD_DROP], id->s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 1;
	if (drop_fault(id->s, &st) == NULL && is_unfinished(&st))
		return 1;
	dispose(q, id->s, &st, why);
	return -2;
}

/* Room for the envelope and the trailer around a message of MAXSIZE. */
static uint64_t
file_limit(uint64_t maxsize, size_t maxrcpt)
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
	/* the link may be what was not synced any more */
	if (fsync(q->fd[QD_QUEUE]) == -1)
		return -1;
	q->dirty[QD_DROP] = true;
	if (unlinkat(q->fd[QD_DROP], id->s, 0) == -1 && errno != ENOENT)
		return -1;
	return 1;
}

int
queue_pickup(struct queue *q, const struct msgid *id, uint64_t maxsize,
    size_t maxrcpt, int *fd, struct msgfile *mf)
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
	if ((why = drop_fault(id->s, &st)) != NULL)
		goto bad;
	if (is_unfinished(&st)) {
		ret = 1;
		goto out;
	}
	why = "it is larger than max-size";
	if ((uint64_t)st.st_size > file_limit(maxsize, maxrcpt))
		goto bad;
	if ((to = queue_tmpfile(q)) == -1)
		goto out;
	switch (msgfile_copy(from, to, &st, maxsize, maxrcpt, mf,
	    &why)) {
	case 0:
		*fd = to;
		close(from);
		return 0;
	case -1:
		goto bad;
	default:
		goto out;
	}
bad:
	dispose(q, id->s, &st, why);
	ret = -2;
out:
	error = errno;
	close(from);
	if (to != -1)
		close(to);
	errno = error;
	return ret;
}
