/* SPDX-License-Identifier: ISC */
/* A spool in a temporary directory.  Whatever fails here aborts the test. */
#include "config.h"

#include "spool_fixture.h"

#include <sys/stat.h>
#include <sys/time.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "spool/drop.h"

static char root[64];

static void
must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

const char *
fixture_spool(void)
{
	static const char *const dirs[] = { "drop", "queue", "bad", "dead" };
	size_t i;

	snprintf(root, sizeof(root), "/tmp/mxnss-spool.XXXXXX");
	must(mkdtemp(root) != NULL, "mkdtemp");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		must(mkdir(fixture_path(dirs[i], ""), 0700) == 0, "mkdir");
	return root;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
fixture_remove(void)
{
	if (root[0] != '\0')
		(void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	root[0] = '\0';
}

void
fixture_envelope(struct envelope *env, const char *sender, const char *rcpts)
{
	struct timeval tv;
	char *copy = xstrdup(rcpts), *rest = copy, *one;

	gettimeofday(&tv, NULL);
	envelope_init(env);
	env->uid = geteuid();
	env->time = (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
	env->sender = xstrdup(sender);
	while ((one = strsep(&rest, " ")) != NULL)
		envelope_add_rcpt(env, one);
	free(copy);
}

void
fixture_write(int fd, const struct envelope *env, const char *body)
{
	struct msgwriter *w = msgwriter_new(fd, env);

	must(w != NULL, "msgwriter_new");
	must(msgwriter_data(w, body, strlen(body)) == 0, "msgwriter_data");
	must(msgwriter_end(w) == 0, "msgwriter_end");
}

void
fixture_drop(struct msgid *id, const char *sender, const char *rcpts)
{
	struct envelope env;
	struct drop *d = drop_open(root, id);

	must(d != NULL, "drop_open");
	fixture_envelope(&env, sender, rcpts);
	fixture_write(drop_fd(d), &env, FIXTURE_BODY);
	envelope_clear(&env);
	must(drop_commit(d) == 0, "drop_commit");
}

const char *
fixture_path(const char *dir, const char *name)
{
	static char path[8][512];
	static unsigned i;

	i = (i + 1) % 8;
	snprintf(path[i], sizeof(path[i]), "%s/%s/%s", root, dir, name);
	return path[i];
}

bool
fixture_exists(const char *dir, const char *name)
{
	struct stat st;

	return lstat(fixture_path(dir, name), &st) == 0;
}

size_t
fixture_count(const char *dir)
{
	DIR *d = opendir(fixture_path(dir, ""));
	struct dirent *de;
	size_t n = 0;

	must(d != NULL, dir);
	while ((de = readdir(d)) != NULL)
		n += strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0;
	closedir(d);
	return n;
}

char *
fixture_read(const char *dir, const char *name)
{
	struct buf b = BUF_INIT;
	char block[4096];
	ssize_t n;
	int fd;

	fd = open(fixture_path(dir, name), O_RDONLY | O_CLOEXEC);
	must(fd != -1, name);
	while ((n = read(fd, block, sizeof(block))) > 0)
		buf_add(&b, block, (size_t)n);
	close(fd);
	return buf_take(&b);
}
