/* SPDX-License-Identifier: ISC */
/*
 * What lies in the spool: a stat(2) for each entry, and nothing is opened.
 * A walk goes some steps at a time, because whoever fills drop/ shall not
 * keep the runner from its work.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/keyset.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "spool/entries.h"
#include "spool/odd.h"
#include "spool/queue.h"
#include "spool/queueint.h"

#define UNFINISHED_MAX	(48 * 3600)	/* seconds */

struct queue_walk {
	struct queue	*queue;
	enum queue_place place;
	struct entries	*entries;
	struct buf	 messages; /* id_hash() of each, while the lock is held */
	struct buf	 journals; /* struct msgid of each, the same */
	size_t		 skipped;
};

enum kind {
	FAILED,			/* errno says why */
	NOTHING,		/* not finished yet, or gone by now */
	STRANGE,		/* it stays, and is no message */
	MESSAGE
};

/* --- one entry ---------------------------------------------------------- */

static void
remove_unfinished(struct queue *q, const char *name, const struct stat *st)
{
	if (st->st_mtim.tv_sec > time(NULL) - UNFINISHED_MAX)
		return;
	if (unlinkat(q->fd[QD_DROP], name, 0) == 0)
		log_warn("drop/%s: removed a message that uid %lu did not "
		    "finish in 48 hours", name, (unsigned long)st->st_uid);
}

static enum kind
look_drop(struct queue *q, const char *name, const struct stat *st,
    struct queue_entry *e)
{
	const char *why;

	if ((why = queue_drop_fault(name, st)) != NULL)
		return q->locked && !queue_dispose(q, name, st, why) ?
		    NOTHING : STRANGE;
	if (queue_is_unfinished(st)) {
		if (q->locked)
			remove_unfinished(q, name, st);
		return NOTHING;
	}
	e->next = 0;
	e->held = false;
	e->uid = queue_submitter(st);
	return MESSAGE;
}

static enum kind
look_queue(struct queue *q, const char *name, const struct stat *st,
    struct queue_entry *e)
{
	const char *why;

	if ((why = queue_fault(name, st)) != NULL) {
		if (q->locked) {
			log_warn("queue/%.100s is no message: %s; skipped",
			    name, why);
			queue_skip(q, IN_QUEUE, name, st);
		}
		return STRANGE;
	}
	e->next = st->st_mtim.tv_sec;
	e->held = (st->st_mode & S_IWUSR) == 0;
	e->uid = (uid_t)st->st_mtim.tv_nsec;
	return MESSAGE;
}

/* NAME, whose lstat(2) said ST. */
static enum kind
look_at(struct queue *q, enum queue_place place, const char *name,
    const struct stat *st, struct queue_entry *e)
{
	enum kind kind;

	if (odd_is_known(&q->odd, st))
		return STRANGE;
	kind = place == IN_DROP ? look_drop(q, name, st, e) :
	    look_queue(q, name, st, e);
	if (kind != MESSAGE)
		return kind;
	memcpy(e->id.s, name, sizeof(e->id.s));
	e->place = place;
	e->size = st->st_size;
	return MESSAGE;
}

static enum kind
look(struct queue *q, enum queue_place place, const char *name,
    struct queue_entry *e)
{
	struct stat st;

	if (fstatat(q->fd[place == IN_DROP ? QD_DROP : QD_QUEUE], name, &st,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return FAILED;
	return look_at(q, place, name, &st, e);
}

int
queue_look(struct queue *q, enum queue_place place, const char *name,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	struct queue_entry e;

	switch (look(q, place, name, &e)) {
	case MESSAGE:
		each(arg, &e);
		return 1;
	case FAILED:
		return errno == ENOENT ? 0 : -1;
	default:
		return 0;
	}
}

int
queue_stat(struct queue *q, const struct msgid *id, struct queue_entry *e)
{
	enum kind kind;

	if ((kind = look(q, IN_QUEUE, id->s, e)) == FAILED && errno == ENOENT)
		kind = look(q, IN_DROP, id->s, e);
	if (kind == MESSAGE)
		return 0;
	if (kind != FAILED)
		errno = ENOENT;
	return -1;
}

/* --- journals ------------------------------------------------------------ */

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

/* queue_replace() was interrupted: nobody knows of this file. */
static bool
is_replacement(const char *name)
{
	return strlen(name) == ID_LEN + sizeof(REPLACEMENT_SUFFIX) - 1 &&
	    strcmp(name + ID_LEN, REPLACEMENT_SUFFIX) == 0;
}

/* --- all of them -------------------------------------------------------- */

/* A journal is looked at in the end, if it is alone. */
static bool
is_of_a_message(const char *name)
{
	struct msgid id;

	return !is_journal(name, &id) && !is_replacement(name);
}

static bool
is_any(const char *name)
{
	(void)name;
	return true;
}

struct queue_walk *
queue_walk_new(struct queue *q, enum queue_place place)
{
	struct queue_walk *w = xcalloc(1, sizeof(*w));

	w->queue = q;
	w->place = place;
	w->entries = place == IN_DROP ?
	    entries_open(q->fd[QD_DROP], is_any) :
	    entries_open(q->fd[QD_QUEUE], is_of_a_message);
	if (w->entries != NULL)
		return w;
	free(w);
	return NULL;
}

static void
walk_entry(struct queue_walk *w, const struct entry *entry,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	struct queue_entry e;
	struct msgid id;
	uint64_t hash;

	if (!entry->wanted) {
		if (!w->queue->locked)
			return;
		if (is_journal(entry->name, &id))
			buf_add(&w->journals, &id, sizeof(id));
		else
			(void)unlinkat(w->queue->fd[QD_QUEUE], entry->name, 0);
		return;
	}
	if (entry->error != 0)
		return;
	switch (look_at(w->queue, w->place, entry->name, &entry->st, &e)) {
	case MESSAGE:
		hash = id_hash(e.id.s);
		if (w->place == IN_QUEUE && w->queue->locked)
			buf_add(&w->messages, &hash, sizeof(hash));
		each(arg, &e);
		break;
	case STRANGE:
		w->skipped++;
		break;
	default:
		break;
	}
}

/* Look at the journals whose message was not among the entries. */
static void
check_journals(struct queue_walk *w)
{
	struct keyset seen = { 0 };
	struct msgid id;
	uint64_t hash;
	size_t i;

	for (i = 0; i < w->messages.len; i += sizeof(hash)) {
		memcpy(&hash, w->messages.data + i, sizeof(hash));
		keyset_add(&seen, hash);
	}
	for (i = 0; i < w->journals.len; i += sizeof(id)) {
		memcpy(&id, w->journals.data + i, sizeof(id));
		if (!keyset_has(&seen, id_hash(id.s)))
			check_journal(w->queue, &id);
	}
	keyset_clear(&seen);
}

static void
end_walk(struct queue_walk *w)
{
	if (w->journals.len != 0)
		check_journals(w);
	buf_reset(&w->journals);
	w->queue->skipped[w->place] = w->skipped;
}

int
queue_walk_step(struct queue_walk *w, size_t n,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	const struct entry *list;
	size_t i, got;

	for (; n > 0; n -= got) {
		if ((got = entries_next(w->entries, n, &list)) == 0) {
			end_walk(w);
			return 0;
		}
		for (i = 0; i < got; i++)
			walk_entry(w, &list[i], each, arg);
	}
	return 1;
}

void
queue_walk_free(struct queue_walk *w)
{
	if (w == NULL)
		return;
	entries_close(w->entries);
	buf_clear(&w->messages);
	buf_clear(&w->journals);
	free(w);
}

int
queue_scan(struct queue *q, enum queue_place place,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	struct queue_walk *w = queue_walk_new(q, place);

	if (w == NULL)
		return -1;
	while (queue_walk_step(w, SIZE_MAX, each, arg) != 0)
		;
	queue_walk_free(w);
	return 0;
}

void
queue_count_later(struct queue *q, enum queue_place place)
{
	q->skipped[place]++;
}

size_t
queue_skipped(const struct queue *q)
{
	return q->skipped[IN_DROP] + q->skipped[IN_QUEUE];
}
