/* SPDX-License-Identifier: ISC */
/*
 * One small file for each host, replaced by rename(2), so that a reader sees
 * all of it or the one before.  Nothing is synced.  What is read is checked
 * as if somebody else had written it; what is wrong is removed.
 */
#include "config.h"

#include "spool/hoststat.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/xmalloc.h"
#include "spool/queueint.h"

#define MAGIC		"mxnss-host 1\n"
#define FILE_MAX	(HOSTSTAT_TRIED * 256)
#define NAME_LEN	254	/* of a file, without what write_file() adds */
#define FAIL_MIN	60	/* seconds */
#define FAIL_MAX	(15 * 60)
#define CLAIM		60	/* seconds that one try may take */
#define FAILURES_MAX	1000
#define TRIED_AGE	(12 * 3600)
#define WAIT_SLACK	120	/* seconds that an end may be late */
#define AGE_MAX		(24 * 3600)
#define ENTRIES_MAX	16384

static int
dir_of(const struct queue *q)
{
	return q != NULL ? q->fd[QD_HOST] : -1;
}

/* A name of a file that leads nowhere else. */
static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_[]@%");

	return n > 0 && n < NAME_LEN && s[n] == '\0' && s[0] != '.';
}

/*
 * The text of host/NAME behind the first line, to be freed, and its time.
 * NULL: there is none.
 */
static char *
read_file(int dir, const char *name, time_t *mtime)
{
	char text[FILE_MAX + 1], *ret = NULL;
	struct stat st;
	ssize_t n;
	int fd;

	if (dir == -1 || !is_name(name))
		return NULL;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == ENOENT)
		return NULL;
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() &&
	    (n = read(fd, text, FILE_MAX)) > 0) {
		text[n] = '\0';
		*mtime = st.st_mtim.tv_sec;
		if (strlen(text) == (size_t)n && text[n - 1] == '\n' &&
		    strncmp(text, MAGIC, sizeof(MAGIC) - 1) == 0)
			ret = xstrdup(text + sizeof(MAGIC) - 1);
	}
	if (fd != -1)
		close(fd);
	if (ret == NULL)
		(void)unlinkat(dir, name, 0);
	return ret;
}

static void
write_file(int dir, const char *name, const char *text, time_t mtime)
{
	struct timespec ts[2];
	char *tmp;
	bool good;
	int fd;

	if (dir == -1 || !is_name(name))
		return;
	/* one for each process: the name of the host may be long */
	tmp = xasprintf(".%ld", (long)getpid());
	(void)unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd != -1) {
		memset(ts, 0, sizeof(ts));
		ts[0].tv_sec = ts[1].tv_sec = mtime;
		good = dprintf(fd, MAGIC "%s", text) > 0 &&
		    futimens(fd, ts) == 0;
		if (close(fd) == -1 || !good ||
		    renameat(dir, tmp, dir, name) == -1)
			(void)unlinkat(dir, tmp, 0);
	}
	free(tmp);
}

/* --- hosts -------------------------------------------------------------- */

/* "failures N\nreason TEXT\n" */
static bool
parse(char *text, struct hoststat *hs)
{
	char *reason, *end;
	unsigned long n;

	if (strncmp(text, "failures ", 9) != 0 ||
	    text[9] < '0' || text[9] > '9')
		return false;
	errno = 0;
	n = strtoul(text + 9, &end, 10);
	if (errno != 0 || n == 0 || n > FAILURES_MAX ||
	    strncmp(end, "\nreason ", 8) != 0)
		return false;
	reason = end + 8;
	reason[strcspn(reason, "\n")] = '\0';
	hs->failures = (unsigned)n;
	snprintf(hs->reason, sizeof(hs->reason), "%s", reason);
	result_clean(hs->reason);
	return true;
}

static bool
load(struct queue *q, const char *key, time_t now, struct hoststat *hs)
{
	char *text;
	bool good;

	memset(hs, 0, sizeof(*hs));
	if ((text = read_file(dir_of(q), key, &hs->until)) == NULL)
		return false;
	/* a time too far ahead: the clock was wrong when it was written */
	good = parse(text, hs) && hs->until <= now + 2 * FAIL_MAX;
	free(text);
	if (!good) {
		(void)unlinkat(dir_of(q), key, 0);
		memset(hs, 0, sizeof(*hs));
	}
	return good;
}

/*
 * Whether we are the one who tries KEY, whose time has come: of those who ask
 * at once the first changes the file, and the others see that.
 */
static bool
claim(struct queue *q, const char *key, time_t now)
{
	struct timespec ts[2];
	struct stat st;
	bool ours;
	int fd;

	fd = openat(dir_of(q), key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return false;
	/* another one was put in its place: somebody knows better */
	ours = flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 &&
	    st.st_nlink > 0 && st.st_mtim.tv_sec <= now;
	if (ours) {
		memset(ts, 0, sizeof(ts));
		ts[0].tv_sec = ts[1].tv_sec = now + CLAIM;
		(void)futimens(fd, ts);
	}
	close(fd);
	return ours;
}

bool
hoststat_is_down(struct queue *q, const char *key, time_t now,
    struct hoststat *hs)
{
	if (!load(q, key, now, hs))
		return false;
	if (hs->until > now)
		return true;
	if (claim(q, key, now))
		return false;
	/* somebody else was quicker: what that one says; or nothing works */
	return load(q, key, now, hs) && hs->until > now;
}

time_t
hoststat_fail(struct queue *q, const char *key, const char *reason,
    time_t now, unsigned random)
{
	struct hoststat hs;
	time_t wait = FAIL_MIN, tenth;
	unsigned i;
	char *text;

	(void)load(q, key, now, &hs);
	for (i = 0; i < hs.failures && wait < FAIL_MAX; i++)
		wait *= 2;
	if (wait > FAIL_MAX)
		wait = FAIL_MAX;
	tenth = wait / 10;
	wait += (time_t)(random % (unsigned)(2 * tenth + 1)) - tenth;
	if (hs.failures < FAILURES_MAX)
		hs.failures++;
	snprintf(hs.reason, sizeof(hs.reason), "%s", reason);
	result_clean(hs.reason);
	text = xasprintf("failures %u\nreason %s\n", hs.failures, hs.reason);
	write_file(dir_of(q), key, text, now + wait);
	free(text);
	return now + wait;
}

void
hoststat_ok(struct queue *q, const char *key)
{
	if (dir_of(q) != -1 && is_name(key))
		(void)unlinkat(dir_of(q), key, 0);
}

/* --- domains ------------------------------------------------------------ */

static char *
domain_file(const char *domain)
{
	return xasprintf("@%s", domain);
}

size_t
hoststat_tried(struct queue *q, const char *domain, time_t now, char **names,
    size_t max)
{
	char *file = domain_file(domain), *text, *rest, *name;
	time_t mtime = 0;
	size_t n = 0;

	text = rest = read_file(dir_of(q), file, &mtime);
	if (text != NULL && mtime <= now && now - mtime < TRIED_AGE)
		while (n < max && (name = strsep(&rest, "\n")) != NULL)
			if (is_name(name))
				names[n++] = xstrdup(name);
	free(text);
	free(file);
	return n;
}

void
hoststat_set_tried(struct queue *q, const char *domain,
    const char *const *names, size_t n)
{
	char *file = domain_file(domain);
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < n && i < HOSTSTAT_TRIED; i++)
		buf_printf(&b, "%s\n", names[i]);
	if (n > 0)
		write_file(dir_of(q), file, buf_str(&b), time(NULL));
	else
		hoststat_ok(q, file);
	buf_clear(&b);
	free(file);
}

/* --- mail that waits ---------------------------------------------------- */

void
hoststat_set_wait(struct queue *q, const char *domain, const char *reason,
    time_t until)
{
	char *file = xasprintf("%%%s", domain != NULL ? domain : ""), *text;

	if (reason == NULL)
		hoststat_ok(q, file);
	else {
		text = xasprintf("failures 1\nreason %.*s\n",
		    HOSTSTAT_REASON - 1, reason);
		result_clean(strchr(text, '\n') + 1);
		text[strlen(text) - 1] = '\n';
		write_file(dir_of(q), file, text, until);
		free(text);
	}
	free(file);
}

bool
hoststat_waits(struct queue *q, const char *domain, time_t now,
    struct hoststat *hs)
{
	char *file = xasprintf("%%%s", domain != NULL ? domain : ""), *text;
	bool waits = false;

	memset(hs, 0, sizeof(*hs));
	if ((text = read_file(dir_of(q), file, &hs->until)) != NULL)
		waits = parse(text, hs) && hs->until > now - WAIT_SLACK;
	free(text);
	free(file);
	return waits;
}

/* --- all ---------------------------------------------------------------- */

#define FOREVER	((time_t)(sizeof(time_t) == 8 ? INT64_MAX : INT32_MAX))

/*
 * Remove hosts whose time was SINCE or before, and domains that are older
 * than SINCE_TRIED.  Returns how many are left.
 */
static size_t
remove_old(int dir, time_t since, time_t since_tried)
{
	struct dirent *de;
	struct stat st;
	size_t n = 0;
	DIR *d;
	int fd;

	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return 0;
	}
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 ||
		    fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (st.st_mtim.tv_sec > (de->d_name[0] == '@' ?
		    since_tried : since) || unlinkat(dir, de->d_name, 0) == -1)
			n++;
	}
	closedir(d);
	return n;
}

void
hoststat_sweep(struct queue *q, time_t now)
{
	if (dir_of(q) == -1)
		return;
	if (remove_old(dir_of(q), now - AGE_MAX, now - AGE_MAX) > ENTRIES_MAX)
		(void)remove_old(dir_of(q), FOREVER, FOREVER);
}

void
hoststat_forget(struct queue *q)
{
	if (dir_of(q) != -1)
		(void)remove_old(dir_of(q), FOREVER, time(NULL) - AGE_MAX);
}
