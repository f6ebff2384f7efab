/* SPDX-License-Identifier: ISC */
/*
 * Descriptors and paths of a traced process are looked up through /proc, so
 * that nothing has to be known of what it did before.
 */
#include "config.h"

#include "changes.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static FILE *trace;
static dev_t dev;

void
changes_in(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		err(64, "%s", path);
	dev = st.st_dev;
}

static bool
read_string(pid_t pid, uint64_t addr, char *buf, size_t size)
{
	struct iovec to, from;
	size_t n = 0, want;
	ssize_t got;

	/* a page at a time: the next one may not be there */
	while (n < size) {
		want = 4096 - (addr + n) % 4096;
		to.iov_base = buf + n;
		to.iov_len = want < size - n ? want : size - n;
		from.iov_base = (void *)(uintptr_t)(addr + n);
		from.iov_len = to.iov_len;
		if ((got = process_vm_readv(pid, &to, 1, &from, 1, 0)) <= 0)
			return false;
		if (memchr(buf + n, '\0', (size_t)got) != NULL)
			return true;
		n += (size_t)got;
	}
	return false;
}

static bool
stat_fd(pid_t pid, uint64_t fd, struct stat *st)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
	return stat(path, st) == 0 && st->st_dev == dev;
}

/* The directory and the last name of an argument; DIR may be AT_FDCWD. */
static bool
look_up(pid_t pid, uint64_t dir, uint64_t addr, struct stat *st,
    char *name, char *full)
{
	char arg[PATH_MAX], at[PATH_MAX * 2];
	const char *slash;

	if (!read_string(pid, addr, arg, sizeof(arg)))
		return false;
	slash = strrchr(arg, '/');
	snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX,
	    slash != NULL ? slash + 1 : arg);
	if (arg[0] == '/')
		snprintf(at, sizeof(at), "%.*s/", (int)(slash - arg), arg);
	else if ((int)dir == AT_FDCWD)
		snprintf(at, sizeof(at), "/proc/%d/cwd/%.*s", (int)pid,
		    slash != NULL ? (int)(slash - arg) : 0, arg);
	else
		snprintf(at, sizeof(at), "/proc/%d/fd/%d/%.*s", (int)pid,
		    (int)dir, slash != NULL ? (int)(slash - arg) : 0, arg);
	if (stat(at, st) == -1 || st->st_dev != dev)
		return false;
	snprintf(full, PATH_MAX * 3, "%s/%s", at, name);
	return true;
}

static void
show_new(const char *what, const struct stat *st)
{
	fprintf(trace, " %s%ju %u %u %o", what, (uintmax_t)st->st_ino,
	    st->st_uid, st->st_gid, st->st_mode & 07777);
}

/* What stands in the file now, as far as this call wrote it. */
static void
show_write(pid_t pid, uint64_t fd, int64_t n, int64_t at)
{
	static unsigned char block[65536];
	char path[64], line[128];
	int64_t pos = -1;
	struct stat st;
	ssize_t got;
	FILE *f;
	int in, i;

	if (n <= 0 || !stat_fd(pid, fd, &st) || !S_ISREG(st.st_mode))
		return;
	if (at == -1) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d",
		    (int)pid, (int)fd);
		if ((f = fopen(path, "r")) == NULL)
			return;
		while (fgets(line, sizeof(line), f) != NULL)
			(void)sscanf(line, "pos: %" SCNd64, &pos);
		fclose(f);
		at = pos - n;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
	if ((in = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(70, "%s", path);
	fprintf(trace, " write %ju %" PRId64 " ", (uintmax_t)st.st_ino, at);
	for (; n > 0; n -= got, at += got) {
		got = pread(in, block, n < (int64_t)sizeof(block) ?
		    (size_t)n : sizeof(block), at);
		if (got <= 0)
			break;
		for (i = 0; i < got; i++)
			fprintf(trace, "%02x", block[i]);
	}
	close(in);
}

static void
show_open(pid_t pid, const uint64_t *a, int64_t fd, bool existed)
{
	char name[NAME_MAX + 1], full[PATH_MAX * 3], what[NAME_MAX + 64];
	struct stat dir, st;

	if (!stat_fd(pid, (uint64_t)fd, &st) || !S_ISREG(st.st_mode))
		return;
	if ((a[2] & O_TMPFILE) == O_TMPFILE) {
		show_new("tmpfile ", &st);
		return;
	}
	if ((a[2] & O_CREAT) != 0 && !existed &&
	    look_up(pid, a[0], a[1], &dir, name, full)) {
		snprintf(what, sizeof(what), "create %ju %s ",
		    (uintmax_t)dir.st_ino, name);
		show_new(what, &st);
	} else if ((a[2] & O_TRUNC) != 0)
		fprintf(trace, " truncate %ju 0", (uintmax_t)st.st_ino);
}

/* link, unlink, rename, mkdir, and what is changed by name. */
static void
show_name(pid_t pid, long nr, const uint64_t *a)
{
	char name[NAME_MAX + 1], to[NAME_MAX + 1], full[PATH_MAX * 3];
	char what[NAME_MAX + 64];
	struct stat dir, dir2, st;

	if (nr == SYS_linkat) {
		if (look_up(pid, a[2], a[3], &dir, name, full) &&
		    lstat(full, &st) == 0)
			fprintf(trace, " link %ju %s %ju",
			    (uintmax_t)dir.st_ino, name,
			    (uintmax_t)st.st_ino);
		return;
	}
	if (nr == SYS_utimensat && a[1] == 0) {
		if (stat_fd(pid, a[0], &st))
			fprintf(trace, " time %ju %jd", (uintmax_t)st.st_ino,
			    (intmax_t)st.st_mtim.tv_sec);
		return;
	}
	if (!look_up(pid, a[0], a[1], &dir, name, full))
		return;
	if (nr == SYS_unlinkat)
		fprintf(trace, " unlink %ju %s", (uintmax_t)dir.st_ino, name);
	else if (nr == SYS_mkdirat && stat(full, &st) == 0) {
		snprintf(what, sizeof(what), "mkdir %ju %s ",
		    (uintmax_t)dir.st_ino, name);
		show_new(what, &st);
	} else if (nr == SYS_utimensat && lstat(full, &st) == 0)
		fprintf(trace, " time %ju %jd", (uintmax_t)st.st_ino,
		    (intmax_t)st.st_mtim.tv_sec);
	else if (nr == SYS_fchmodat && lstat(full, &st) == 0)
		fprintf(trace, " mode %ju %o", (uintmax_t)st.st_ino,
		    st.st_mode & 07777);
	else if (nr == SYS_renameat || nr == SYS_renameat2) {
		if (look_up(pid, a[2], a[3], &dir2, to, full))
			fprintf(trace, " rename %ju %s %ju %s",
			    (uintmax_t)dir.st_ino, name,
			    (uintmax_t)dir2.st_ino, to);
	}
}

void
changes_show(FILE *out, pid_t pid, long nr, const char *name,
    const uint64_t *a, int64_t ret, bool existed)
{
	struct stat st;

	trace = out;
	switch (nr) {
	case SYS_write:
	case SYS_writev:
		show_write(pid, a[0], ret, -1);
		break;
	case SYS_pwrite64:
		show_write(pid, a[0], ret, (int64_t)a[3]);
		break;
	case SYS_sendfile:
		show_write(pid, a[0], ret, -1);
		break;
	case SYS_copy_file_range:
		show_write(pid, a[2], ret, -1);
		break;
	case SYS_openat:
		show_open(pid, a, ret, existed);
		break;
	case SYS_ftruncate:
		if (stat_fd(pid, a[0], &st))
			fprintf(trace, " truncate %ju %" PRIu64,
			    (uintmax_t)st.st_ino, a[1]);
		break;
	case SYS_fchmod:
		if (stat_fd(pid, a[0], &st))
			fprintf(trace, " mode %ju %o", (uintmax_t)st.st_ino,
			    st.st_mode & 07777);
		break;
	case SYS_fsync:
	case SYS_fdatasync:
		if (stat_fd(pid, a[0], &st))
			fprintf(trace, " %s %ju", name,
			    (uintmax_t)st.st_ino);
		break;
	case SYS_sync:
	case SYS_syncfs:
		fprintf(trace, " sync");
		break;
	case SYS_linkat:
	case SYS_unlinkat:
	case SYS_mkdirat:
	case SYS_utimensat:
	case SYS_fchmodat:
	case SYS_renameat:
	case SYS_renameat2:
		show_name(pid, nr, a);
		break;
	}
}

bool
changes_exists(pid_t pid, const uint64_t *a)
{
	char name[NAME_MAX + 1], full[PATH_MAX * 3];
	struct stat dir, st;

	return look_up(pid, a[0], a[1], &dir, name, full) &&
	    lstat(full, &st) == 0;
}
