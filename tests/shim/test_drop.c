/* SPDX-License-Identifier: ISC */
/*
 * Submission under faults.  The system calls of drop.c and of the message
 * writer are counted; the N-th one fails, or the process dies before or
 * after it.  Whatever N is: an acknowledged message is there and whole, and
 * one that is not acknowledged is whole or is no message at all.
 */
#include "config.h"

#include "spool/drop.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "spool/msgfile.h"
#include "spool_fixture.h"

enum fault { NONE, FAIL, FAIL_ON, DIE_BEFORE, DIE_AFTER };

static enum fault fault;	/* what happens at call fault_at */
static int fault_at;
static int fault_errno;
static int calls;
static const char *failed_call;

/* Whether call NAME shall fail now. */
static bool
before(const char *name)
{
	calls++;
	if (fault == DIE_BEFORE && calls == fault_at)
		_exit(99);
	if ((fault == FAIL && calls == fault_at) ||
	    (fault == FAIL_ON && calls >= fault_at)) {
		if (calls == fault_at)
			failed_call = name;
		errno = fault_errno;
		return true;
	}
	return false;
}

static void
after(void)
{
	if (fault == DIE_AFTER && calls == fault_at)
		_exit(99);
}

#define WRAP(type, name, params, args)					\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		type rc;						\
									\
		if (before(#name))					\
			return -1;					\
		rc = __real_##name args;				\
		after();						\
		return rc;						\
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(int, openat64, (int fd, const char *path, int flags, mode_t mode),
    (fd, path, flags, mode))
WRAP(int, fstat64, (int fd, struct stat *st), (fd, st))

static time_t skew;			/* of all clocks */

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int rc = __real_clock_gettime(clock, ts);

	ts->tv_sec += skew;
	return rc;
}

static int statvfs_result;
static struct statvfs statvfs_answer;

int __wrap_statvfs64(const char *, struct statvfs *);
int
__wrap_statvfs64(const char *path, struct statvfs *fs)
{
	(void)path;
	if (statvfs_result == -1)
		errno = EIO;
	else
		*fs = statvfs_answer;
	return statvfs_result;
}

static const char *spool;
static size_t body_size;	/* of the message that submit_one() makes */

/* What sendmail does.  0 if the message is acknowledged, else -1. */
static int
submit_one(void)
{
	struct envelope e;
	struct msgwriter *w;
	struct msgid id;
	struct drop *d;
	size_t n;
	int rc = 0;

	d = drop_open(spool, &id);
	if (d == NULL)
		return -1;
	fixture_envelope(&e, "a@b.example", "c@d.example");
	w = msgwriter_new(drop_fd(d), &e);
	for (n = 0; n < body_size && rc == 0; n += 10)
		rc = msgwriter_data(w, "12345678\r\n", 10);
	if (rc == 0)
		rc = msgwriter_end(w);
	else
		msgwriter_free(w);
	envelope_clear(&e);
	if (rc == -1) {
		drop_abort(d);
		return -1;
	}
	return drop_commit(d);
}

/* Whether NAME in drop/ can be read by the runner and is a whole message. */
static bool
is_message(const char *name)
{
	struct msgfile mf;
	struct stat st;
	const char *why;
	int fd, to, rc;

	fd = open(fixture_path("drop", name), O_RDONLY | O_CLOEXEC);
	to = open(spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd != -1 && to != -1);
	assert_int_equal(fstat(fd, &st), 0);
	rc = msgfile_copy(fd, to, &st, 1000000, 1, &mf, &why);
	if (rc == 0) {
		assert_int_equal(mf.size, body_size);
		msgfile_clear(&mf);
	}
	close(fd);
	close(to);
	return rc == 0 && (st.st_mode & 07777) == 0640;
}

/* Count messages and other files, and remove them. */
static void
look(int *messages, int *others)
{
	DIR *dir = opendir(fixture_path("drop", ""));
	struct dirent *de;

	*messages = *others = 0;
	assert_non_null(dir);
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		assert_true(id_is_valid(de->d_name));
		if (is_message(de->d_name))
			(*messages)++;
		else
			(*others)++;
		assert_int_equal(unlink(fixture_path("drop", de->d_name)), 0);
	}
	closedir(dir);
}

static void
arm(enum fault kind, int at, int error)
{
	fault = kind;
	fault_at = at;
	fault_errno = error;
	calls = 0;
	failed_call = "";
}

static const size_t sizes[] = { 100, 200000 };

static void
test_drop_without_fault(void **state)
{
	int messages, others;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		body_size = sizes[i];
		arm(NONE, 0, 0);
		assert_int_equal(submit_one(), 0);
		/* one of each: nothing here costs twice */
		assert_int_equal(calls, 4 + (sizes[i] == 100 ? 2 : 5));
		look(&messages, &others);
		assert_int_equal(messages, 1);
		assert_int_equal(others, 0);
	}
}

/* Call N fails, the others do not: nothing stays of a refused message. */
static void
test_drop_one_call_fails(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EROFS, ENOMEM };
	int n, e, rc, messages, others, done;

	(void)state;
	body_size = sizes[1];
	for (e = 0; e < 5; e++) {
		for (n = 1, done = 0; !done; n++) {
			arm(FAIL, n, errors[e]);
			rc = submit_one();
			done = calls < n;
			arm(NONE, 0, 0);
			look(&messages, &others);
			assert_int_equal(messages, rc == 0 ? 1 : 0);
			assert_int_equal(others, 0);
			assert_int_equal(rc, done ? 0 : -1);
		}
		assert_true(n > 9);
	}
}

/* Interrupted calls are made again, or the submission fails cleanly. */
static void
test_drop_interrupted(void **state)
{
	int n, rc, messages, others, done, ok = 0;

	(void)state;
	body_size = sizes[1];
	for (n = 1, done = 0; !done; n++) {
		arm(FAIL, n, EINTR);
		rc = submit_one();
		done = calls < n;
		if (rc == 0)
			ok++;
		else
			assert_true(strcmp(failed_call, "fstat64") == 0 ||
			    strcmp(failed_call, "fchmod") == 0);
		arm(NONE, 0, 0);
		look(&messages, &others);
		assert_int_equal(messages, rc == 0 ? 1 : 0);
		assert_int_equal(others, 0);
	}
	assert_int_equal(ok, n - 3);
}

/* From call N on nothing works: what stays is whole or no message. */
static void
test_drop_all_calls_fail(void **state)
{
	int n, rc, messages, others, done;

	(void)state;
	body_size = sizes[1];
	for (n = 1, done = 0; !done; n++) {
		arm(FAIL_ON, n, EIO);
		rc = submit_one();
		done = calls < n;
		arm(NONE, 0, 0);
		look(&messages, &others);
		assert_int_equal(rc, done ? 0 : -1);
		/* the file is truncated if it cannot be removed */
		assert_int_equal(messages, rc == 0 ? 1 : 0);
		assert_true(others <= 1);
	}
}

/* The status of a child that dies at call N: 0, 99, or 1 for -1. */
static int
child(enum fault kind, int n)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		arm(kind, n, 0);
		_exit(submit_one() == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_drop_killed(void **state)
{
	enum fault kind;
	int n, status, messages, others, whole;

	(void)state;
	body_size = sizes[1];
	for (kind = DIE_BEFORE; kind <= DIE_AFTER; kind++) {
		whole = 0;
		for (n = 1, status = 99; status == 99; n++) {
			status = child(kind, n);
			look(&messages, &others);
			assert_int_not_equal(status, 1);
			/* acknowledged: there; else there or not, never half */
			if (status == 0)
				assert_int_equal(messages, 1);
			assert_true(messages + others <= 1);
			whole += messages;
		}
		assert_true(n > 9);
		/* it becomes visible late and exactly once */
		assert_int_equal(whole, kind == DIE_BEFORE ? 2 : 3);
	}
}

static void
test_drop_abort(void **state)
{
	int messages, others;
	struct msgid id;
	struct drop *d;

	(void)state;
	arm(NONE, 0, 0);
	drop_abort(NULL);
	d = drop_open(spool, &id);
	assert_non_null(d);
	assert_true(fixture_exists("drop", id.s));
	drop_abort(d);
	look(&messages, &others);
	assert_int_equal(messages + others, 0);
}

static void
test_drop_second_link(void **state)
{
	int messages, others;
	struct msgid id;
	struct drop *d;

	(void)state;
	arm(NONE, 0, 0);
	d = drop_open(spool, &id);
	assert_non_null(d);
	assert_int_equal(link(fixture_path("drop", id.s),
	    fixture_path("queue", "other")), 0);
	assert_int_equal(drop_commit(d), -1);
	assert_int_equal(errno, EMLINK);
	look(&messages, &others);
	assert_int_equal(messages + others, 0);
	assert_int_equal(unlink(fixture_path("queue", "other")), 0);
}

/* The runner removes what nobody finishes: it must not be finished then. */
static void
test_drop_takes_too_long(void **state)
{
	int messages, others;
	struct msgid id;
	struct drop *d;

	(void)state;
	arm(NONE, 0, 0);
	d = drop_open(spool, &id);
	assert_non_null(d);
	skew = 24 * 3600 + 2;
	assert_int_equal(drop_commit(d), -1);
	assert_int_equal(errno, ETIMEDOUT);
	skew = 0;
	look(&messages, &others);
	assert_int_equal(messages + others, 0);
}

static void
test_drop_mode_before_commit(void **state)
{
	struct msgid id;
	struct stat st;
	struct drop *d;

	(void)state;
	arm(NONE, 0, 0);
	d = drop_open(spool, &id);
	assert_non_null(d);
	assert_int_equal(stat(fixture_path("drop", id.s), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fcntl(drop_fd(d), F_GETFD), FD_CLOEXEC);
	drop_abort(d);
}

static void
test_drop_no_spool(void **state)
{
	struct msgid id;

	(void)state;
	arm(NONE, 0, 0);
	assert_null(drop_open("/nonexistent", &id));
	assert_int_equal(errno, ENOENT);
	assert_null(drop_open("/dev/null", &id));
	assert_int_equal(errno, ENOTDIR);
}

static const struct {
	const char	*name;
	uint64_t	 blocks, avail, files, ffree;
	uint64_t	 need;
	int		 rc;
} space[] = {
	{ "plenty", 1000000, 500000, 1000, 900, 4096, 0 },
	{ "just enough", 1000000, 10, 1000, 900, 40960, 0 },
	{ "one block too few", 1000000, 9, 1000, 900, 40960, -1 },
	{ "full", 1000000, 0, 1000, 900, 1, -1 },
	{ "small: a twentieth will do", 64, 3, 0, 0, 1000000, 0 },
	{ "small and less than that", 64, 2, 0, 0, 1000000, -1 },
	{ "no inodes", 1000000, 500000, 100000, 10, 4096, -1 },
	{ "few inodes of few", 1000000, 500000, 100, 10, 4096, 0 },
	{ "inodes are not counted", 1000000, 500000, 0, 0, 4096, 0 },
	{ "more than a number holds", UINT64_MAX, UINT64_MAX, 0, 0,
	    UINT64_MAX, 0 },
};

static void
test_drop_space(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(space) / sizeof(space[0]); i++) {
		print_message("%s\n", space[i].name);
		memset(&statvfs_answer, 0, sizeof(statvfs_answer));
		statvfs_answer.f_frsize = 4096;
		statvfs_answer.f_blocks = space[i].blocks;
		statvfs_answer.f_bavail = space[i].avail;
		statvfs_answer.f_files = space[i].files;
		statvfs_answer.f_favail = space[i].ffree;
		errno = 0;
		assert_int_equal(drop_space(spool, space[i].need),
		    space[i].rc);
		assert_int_equal(errno, space[i].rc == 0 ? 0 : ENOSPC);
	}
	statvfs_result = -1;
	assert_int_equal(drop_space(spool, 1), -1);
	assert_int_equal(errno, EIO);
}

static int
setup(void **state)
{
	(void)state;
	spool = fixture_spool();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop_without_fault),
		cmocka_unit_test(test_drop_one_call_fails),
		cmocka_unit_test(test_drop_interrupted),
		cmocka_unit_test(test_drop_all_calls_fail),
		cmocka_unit_test(test_drop_killed),
		cmocka_unit_test(test_drop_abort),
		cmocka_unit_test(test_drop_second_link),
		cmocka_unit_test(test_drop_takes_too_long),
		cmocka_unit_test(test_drop_mode_before_commit),
		cmocka_unit_test(test_drop_no_spool),
		cmocka_unit_test(test_drop_space),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
