/* SPDX-License-Identifier: ISC */
/*
 * The entries of a directory, each with its lstat(2), some at a time.  Where
 * there are many, several processors ask: what a look at a large spool costs
 * is that one system call for each message.
 */
#ifndef SHIM_SPOOL_ENTRIES_H
#define SHIM_SPOOL_ENTRIES_H

#include <sys/stat.h>

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

struct entry {
	char	 name[sizeof(((struct dirent *)0)->d_name)];
	bool	 wanted;	/* the rest is there for those only */
	int	 error;		/* errno, if there is no st; else 0 */
	struct stat st;
};

struct entries;

/*
 * Of the directory FD, which stays the caller's.  WANTS tells by its name
 * which entry is looked at.  NULL with errno.
 */
struct entries *entries_open(int fd, bool (*wants)(const char *name));
void	entries_close(struct entries *);
/*
 * The next ones, at most MAX, without those whose name begins with a dot;
 * *LIST is valid until the next call.  0: there are no more.  While the caller
 * has these, threads may look at the others of MAX: who does not ask for them
 * at once will find what was true now.
 */
size_t	entries_next(struct entries *, size_t max, const struct entry **list);

#endif /* SHIM_SPOOL_ENTRIES_H */
