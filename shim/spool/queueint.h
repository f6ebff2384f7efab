/* SPDX-License-Identifier: ISC */
/* What queue.c and pickup.c share. */
#ifndef SHIM_SPOOL_QUEUEINT_H
#define SHIM_SPOOL_QUEUEINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/id.h"

enum queue_dir { QD_DROP, QD_QUEUE, QD_BAD, QD_DEAD, QD_MAX };

struct queue {
	int	 fd[QD_MAX];
	bool	 dirty[QD_MAX];	/* an entry was removed, not yet synced */
	bool	 locked;
	/* messages that are gone; their journals go after the next sync */
	struct msgid *gone;
	size_t	 ngone;
	size_t	 gonecap;
	/* entries of drop/ that stay and were logged: a hash set */
	uint64_t *odd;
	size_t	 nodd;
	size_t	 oddcap;
	size_t	 skipped;	/* such entries seen by the last scan */
};

#define JOURNAL_SUFFIX	".log"

struct journal_name {
	char	s[ID_LEN + sizeof(JOURNAL_SUFFIX)];
};

struct journal_name queue_journal_name(const char *id);
void	queue_note_gone(struct queue *, const char *id);

#endif /* SHIM_SPOOL_QUEUEINT_H */
