/* SPDX-License-Identifier: ISC */
/*
 * The submission side of the spool: one file in drop/, made under its final
 * name with mode 0600, written, then fchmod 0640 and one fsync.  After
 * drop_commit() returned 0 the message is safe.
 */
#ifndef SHIM_SPOOL_DROP_H
#define SHIM_SPOOL_DROP_H

#include <stdint.h>

#include "spool/id.h"

struct drop;

/*
 * drop_open: create the file in SPOOL/drop.  NULL with errno.
 * drop_fd: where to write, with a struct msgwriter.
 * drop_scratch: a second file there that has no name, for what the first one
 *	holds; -1 with errno.
 * drop_restart: empty the first one.  0, or -1 with errno.
 * drop_commit: 0, and the message is on disk; or -1 with errno, ETIMEDOUT
 *	after 24 hours, and the file is gone.  Frees the drop either way.
 * drop_abort: remove the file; NULL is fine.
 * drop_space: 0 if SPOOL has room for NEED more octets, or a twentieth of its
 *	file system is free (a small one shall be of use, too); else -1 with
 *	errno.
 */
struct drop *drop_open(const char *spool, struct msgid *);
int	drop_fd(const struct drop *);
int	drop_scratch(const struct drop *);
int	drop_restart(const struct drop *);
int	drop_commit(struct drop *);
void	drop_abort(struct drop *);
int	drop_space(const char *spool, uint64_t need);

#endif /* SHIM_SPOOL_DROP_H */
