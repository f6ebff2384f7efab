/* SPDX-License-Identifier: ISC */
/* What queue.c, pickup.c, scan.c and control.c share. */
#ifndef SHIM_SPOOL_QUEUEINT_H
#define SHIM_SPOOL_QUEUEINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keyset.h"
#include "spool/id.h"
#include "spool/queue.h"

enum queue_dir { QD_DROP, QD_QUEUE, QD_BAD, QD_DEAD, QD_HOST, QD_MAX };

struct queue {
	int	 fd[QD_MAX];
	bool	 dirty[QD_MAX];	/* an entry was removed, not yet synced */
	bool	 locked;
	/* messages that are gone; their journals go after the next sync */
	struct msgid *gone;
	size_t	 ngone;
	size_t	 gonecap;
	struct keyset odd;
	size_t	 skipped[2];	/* entries of each place that are no messages */
};

#define JOURNAL_SUFFIX	".log"
/* queue_replace() has it for an instant */
#define REPLACEMENT_SUFFIX	".new"

struct journal_name {
	char	s[ID_LEN + sizeof(JOURNAL_SUFFIX)];
};

struct journal_name queue_journal_name(const char *id);
void	queue_note_gone(struct queue *, const char *id);

/* pickup.c: why the entry can never be a message, or NULL. */
const char *queue_fault(const char *name, const struct stat *);
/* The same for what somebody put into drop/. */
const char *queue_drop_fault(const char *name, const struct stat *);
/* The submitter has not called drop_commit() yet. */
bool	queue_is_unfinished(const struct stat *);
/* Whose finished file in drop/ it is, as queue_uid(). */
uid_t	queue_submitter(const struct stat *);
/*
 * drop/NAME is no message: move it to bad/, or skip it.  Logs either once.
 * Whether it stays.
 */
bool	queue_dispose(struct queue *, const char *name, const struct stat *,
	    const char *why);
/* It stays, and is not looked at again before it changes. */
void	queue_skip(struct queue *, enum queue_place, const char *name,
	    const struct stat *);

#endif /* SHIM_SPOOL_QUEUEINT_H */
