/* SPDX-License-Identifier: ISC */
/*
 * The submission side of the spool: one file in drop/, made under its final
 * name with mode 0600, written, then fchmod 0640 and one fsync.  After
 * drop_commit() returned 0 the message is safe.
 *
 * A finished file has mode 0640, and its owner is the submitter.  One that
 * the owner of the spool took from somebody else (handover.h) has 0440, and
 * the nanoseconds of its mtime are the submitter, as those in queue/.
 */
#ifndef SHIM_SPOOL_DROP_H
#define SHIM_SPOOL_DROP_H

#include <sys/types.h>

#include <stdint.h>

#include "spool/id.h"

struct drop;

/*
 * drop_open: create the file in SPOOL/drop.  NULL with errno.
 * drop_open_as: the same under a name that is given; EEXIST: it is taken.
 * drop_memory: a file in memory instead, to be handed to who can write to the
 *	spool; never committed.
 * drop_fd: where to write, with a struct msgwriter.
 * drop_scratch: a second file there that has no name, for what the first one
 *	holds; -1 with errno.
 * drop_unnamed: such a file without a first one.
 * drop_restart: empty the first one.  0, or -1 with errno.
 * drop_commit: 0, and the message is on disk; or -1 with errno, ETIMEDOUT
 *	after 24 hours, and the file is gone.  Frees the drop either way.
 * drop_commit_for: the same by the owner of the spool for UID, whose message
 *	it is.  After -1 there is an unfinished file until drop_abort().
 * drop_abort: remove the file; NULL is fine.
 * drop_need: room for a message of MAX_SIZE octets, and for the copy that the
 *	runner makes.
 * drop_space: 0 if SPOOL has room for NEED more octets, or a twentieth of its
 *	file system is free (a small one shall be of use, too); else -1 with
 *	errno.
 */
struct drop *drop_open(const char *spool, struct msgid *);
struct drop *drop_open_as(const char *spool, const struct msgid *);
struct drop *drop_memory(struct msgid *);
int	drop_fd(const struct drop *);
int	drop_scratch(const struct drop *);
int	drop_unnamed(const char *spool);
int	drop_restart(const struct drop *);
int	drop_commit(struct drop *);
int	drop_commit_for(struct drop *, uid_t);
void	drop_abort(struct drop *);
uint64_t drop_need(uint64_t max_size);
int	drop_space(const char *spool, uint64_t need);

#endif /* SHIM_SPOOL_DROP_H */
