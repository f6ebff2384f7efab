/* SPDX-License-Identifier: ISC */
/*
 * How much of the queue each user has, and whether there may be more.  Root
 * and the owner of the spool may have all they want.
 */
#ifndef SHIM_SPOOL_USAGE_H
#define SHIM_SPOOL_USAGE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usage_limit {
	size_t	 messages;	/* of one user; 0: any number */
	uint64_t octets;	/* of them together; 0: any */
};

struct user {
	uid_t	 uid;		/* as queue_uid() */
	size_t	 messages;
	uint64_t octets;
	void	*line;		/* the caller's: what waits for room */
	struct user *chain;
};

struct usage;

struct usage *usage_new(void);
/* Calls END, if there is one, for each user that has a line. */
void	usage_free(struct usage *, void (*end)(void *line));
/* The user of UID; made if there is none. */
struct user *usage_of(struct usage *, uid_t uid);
void	usage_add(struct user *, off_t size);
void	usage_remove(struct user *, off_t size);
void	usage_each(struct usage *, void (*each)(void *arg, struct user *),
	    void *arg);
/*
 * Whether one message of SIZE octets more fits.  A single one always does:
 * it may be larger than what all together may have.
 */
bool	usage_has_room(const struct user *, const struct usage_limit *,
	    off_t size);

#endif /* SHIM_SPOOL_USAGE_H */
