/* SPDX-License-Identifier: ISC */
/*
 * The runner's side of the spool.  A message is in one of these states:
 *
 *	drop/ID			submitted; a verified copy, which has no name,
 *				in memory or in queue/, is what is tried
 *	queue/ID		waits; immutable; mtime is its next attempt,
 *				in whole seconds: its nanoseconds are the uid
 *				of the submitter, modulo 10^9, so that a scan
 *				knows whose it is; mode 0600, or 0400 while held
 *	queue/ID.log		its journal; may exist beside drop/ID too
 *	bad/ID			a drop file that is no message
 *	dead/ID			can neither be delivered nor returned
 *
 * Both drop/ID and queue/ID exist only for an instant (linked, not yet
 * unlinked): queue/ID wins.  That a message exists is that one of them does:
 * who removes both withdraws it, also from a runner that tries it (what is
 * being sent at that moment is not recalled, but nothing is tried again).
 * What is of a later format than ours, or no message at all, stays as it is:
 * it is logged once, counted, and skipped.  All functions return 0, or -1
 * with errno, unless they say otherwise.
 */
#ifndef SHIM_SPOOL_QUEUE_H
#define SHIM_SPOOL_QUEUE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "spool/id.h"
#include "spool/journal.h"
#include "spool/msgfile.h"

enum queue_place { IN_DROP, IN_QUEUE };

struct queue;

/* Open SPOOL; checks VERSION.  NULL with *WHY, one line for people. */
struct queue *queue_open(const char *spool, const char **why);
void	queue_close(struct queue *);

/*
 * One runner per spool: an exclusive flock(2) on the directory queue/, which
 * forked workers share, so that it lasts until the last of them is gone.
 * queue_lock: -1 with EWOULDBLOCK when another runner works, or another errno.
 *	What others did before is durable from here on.
 */
int	queue_lock(struct queue *);
int	queue_unlock(struct queue *);

/*
 * Whether there is room to pick something up, and to keep the journals of what
 * is here besides.  A file of drop/ is as large as its owner says, so that is
 * not asked: the copy may still find that there is none.
 */
bool	queue_has_room(struct queue *);
/*
 * Pick up drop/ID: open it as hostile, verify and copy it; to memory, if the
 * file has at most MEMORY octets: without a file in queue/ mail that leaves at
 * once costs a fifth less.  On success *FD is the copy and *MF its envelope.
 * 1: not a finished message (leave it alone); -1: local failure; -2: it was no
 * message and is in bad/ now, or it can neither be read nor moved, or is of a
 * later format (logged once, to be skipped).
 */
int	queue_pickup(struct queue *, const struct msgid *, uint64_t maxsize,
	    size_t maxrcpt, size_t memory, int *fd, struct msgfile *mf);
/* How large the file of a message of MAXSIZE octets may be. */
uint64_t queue_file_limit(uint64_t maxsize, size_t maxrcpt);
/*
 * drop/ID and queue/ID both exist after a crash between link and unlink:
 * remove drop/ID then.  1: it was so; 0: there is no queue/ID; -1: errno.
 */
int	queue_supersede(struct queue *, const struct msgid *);
/*
 * Make the copy FD of drop/ID durable as queue/ID, then remove drop/ID.  -1
 * also if that cannot be removed: queue_pickup() goes on there.  1: somebody
 * removed drop/ID meanwhile, so there is no such message.
 */
int	queue_keep(struct queue *, const struct msgid *, int fd, time_t next);
/* Add a message of our own (a report) that is complete in FD; EEXIST is 0. */
int	queue_link(struct queue *, const struct msgid *, int fd);
/* An unnamed file in queue/ to write a message to.  -1 with errno. */
int	queue_tmpfile(struct queue *);
/*
 * Put the file FD, which is complete, in the place of queue/ID, durably.  1:
 * there is no queue/ID any more.
 */
int	queue_replace(struct queue *, const struct msgid *, int fd);
/* Open queue/ID for reading.  The descriptor, or -1. */
int	queue_openmsg(struct queue *, const struct msgid *);
/* Open drop/ID, which is hostile and not verified, to look at it. */
int	queue_opendrop(struct queue *, const struct msgid *);
int	queue_set_next(struct queue *, const struct msgid *, time_t next);
/* queue/ID is of a later format: skip it from now on. */
void	queue_skip_later(struct queue *, const struct msgid *);
/* The same for who only looks: it counts as skipped. */
void	queue_count_later(struct queue *, enum queue_place);

/*
 * Append to queue/ID.log, made if it is not there; durably, unless all are
 * attempts.
 */
int	queue_record(struct queue *, const struct msgid *,
	    const struct journal_record *, size_t n);
/*
 * Make sure that there is room on the disk for N records more, before that
 * is done which they are to tell.
 */
int	queue_reserve(struct queue *, const struct msgid *, size_t n);
/* Whether there is, or may be; changes nothing. */
bool	queue_may_reserve(struct queue *, const struct msgid *, size_t n);
/* Read queue/ID.log; no journal is no record. */
int	queue_journal(struct queue *, const struct msgid *,
	    void (*each)(void *arg, const struct journal_record *), void *arg);

/*
 * The last recipient of the message is final and nothing is to be reported:
 * remove it.  Its journal is removed by queue_sync(), after the removal is
 * on disk.
 */
int	queue_retire(struct queue *, enum queue_place, const struct msgid *);
/* A worker did that: the runner is to sync, and to remove the journal. */
void	queue_retired(struct queue *, enum queue_place, const struct msgid *);
/* Make all removals durable, in one fsync per directory that changed. */
int	queue_sync(struct queue *);
/* Move queue/ID to dead/. */
int	queue_bury(struct queue *, const struct msgid *);

/*
 * What the administrator does to a message, beside a runner or without one.
 * -1 with ENOENT: there is none.  The runner notices the change at once, and
 * does no more with the message than to end what is under way.
 *
 * queue_hold: not tried any more.  EAGAIN: it is in drop/, the runner's to
 *	pick up.
 * queue_release: not held any more, and due now.
 * queue_delete: N of them are gone, nobody is told.  Returns how many could
 *	not be removed; ERROR, of N elements, is the errno of each, or 0.
 */
int	queue_hold(struct queue *, const struct msgid *);
int	queue_release(struct queue *, const struct msgid *, time_t now);
int	queue_delete(struct queue *, const struct msgid *, size_t n,
	    int *error);

struct queue_entry {
	struct msgid	 id;
	enum queue_place place;
	time_t		 next;	/* IN_QUEUE only */
	bool		 held;	/* IN_QUEUE only */
	uid_t		 uid;	/* as queue_uid() */
	off_t		 size;	/* of the file */
};
uid_t	queue_uid(uid_t);
/*
 * Call EACH for every message.  Entries of drop/ that are no messages are
 * moved to bad/ by a scan of the process that holds the lock; unfinished ones
 * are removed after 48 h.
 */
int	queue_scan(struct queue *, enum queue_place,
	    void (*each)(void *arg, const struct queue_entry *), void *arg);
/*
 * The same, N entries at a time: 1 while there are more, else 0.  NULL with
 * errno.
 */
struct queue_walk;
struct queue_walk *queue_walk_new(struct queue *, enum queue_place);
int	queue_walk_step(struct queue_walk *, size_t n,
	    void (*each)(void *arg, const struct queue_entry *), void *arg);
void	queue_walk_free(struct queue_walk *);
/* The same for the one entry NAME: 1 if it is a message, 0 if not. */
int	queue_look(struct queue *, enum queue_place, const char *name,
	    void (*each)(void *arg, const struct queue_entry *), void *arg);
int	queue_stat(struct queue *, const struct msgid *, struct queue_entry *);
/* How many entries are no messages and stay. */
size_t	queue_skipped(const struct queue *);

/*
 * In a forked worker: close all from 3 on but the queue's files and FD, and
 * leave to the parent what it has not synced yet.
 */
void	queue_forked(struct queue *, int fd);

#endif /* SHIM_SPOOL_QUEUE_H */
