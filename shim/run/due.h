/* SPDX-License-Identifier: ISC */
/*
 * Messages that are due and not loaded yet: submitters in turn, and the
 * messages of each in the order in which they became due.
 */
#ifndef SHIM_RUN_DUE_H
#define SHIM_RUN_DUE_H

#include <sys/types.h>

#include <stddef.h>

struct due;
struct message;

struct due *due_new(void);
void	due_free(struct due *);
size_t	due_count(const struct due *);
/* m->uid stays what it is while the message is here. */
void	due_add(struct due *, struct message *);
void	due_remove(struct due *, struct message *);
/* Whose turn it is, and then the next one's; NULL: none is due. */
struct message *due_next(struct due *);

#endif /* SHIM_RUN_DUE_H */
