/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "tree.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[32];

int
tree_setup(void **state)
{
	(void)state;
	(void)strlcpy(root, "/tmp/mxnss-tree.XXXXXX", sizeof(root));
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
tree_teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
tree_path(const char *name)
{
	static _Thread_local char path[8][128];
	static _Thread_local unsigned int turn;

	turn = (turn + 1) % 8;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", root, name);
	return path[turn];
}

static void
fill(const char *path, const char *text, size_t n)
{
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, text, n) != (ssize_t)n ||
	    fchmod(fd, 0644) == -1 || close(fd) == -1)
		abort();
}

void
tree_write(const char *name, const char *text)
{
	fill(tree_path(name), text, strlen(text));
}

void
tree_replace(const char *name, const char *text, size_t n)
{
	const char *new = tree_path(".new");

	fill(new, text, n);
	if (rename(new, tree_path(name)) == -1)
		abort();
}
