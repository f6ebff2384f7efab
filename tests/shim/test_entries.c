/* SPDX-License-Identifier: ISC */
/* The entries of a directory, with and without threads that look at them. */
#include "config.h"

#include "spool/entries.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "spool_fixture.h"

#define N	5000

static int fd;			/* of a directory of the spool */
static unsigned processors;	/* 0: as many as there are */
static unsigned threads;	/* that were made */
static bool no_threads;
static bool slow;		/* are the other threads */
static pthread_t ours;

/* --- the machine --------------------------------------------------------- */

int	__real_sched_getaffinity(pid_t, size_t, cpu_set_t *);
int	__wrap_sched_getaffinity(pid_t, size_t, cpu_set_t *);
int	__real_pthread_create(pthread_t *, const pthread_attr_t *,
	    void *(*)(void *), void *);
int	__wrap_pthread_create(pthread_t *, const pthread_attr_t *,
	    void *(*)(void *), void *);

/* what fstatat(2) is where off_t has 64 bits by _FILE_OFFSET_BITS */
int	__real_fstatat64(int, const char *, struct stat *, int);
int	__wrap_fstatat64(int, const char *, struct stat *, int);

int
__wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	unsigned i;

	if (processors == 0)
		return __real_sched_getaffinity(pid, size, set);
	memset(set, 0, size);
	for (i = 0; i < processors; i++)
		CPU_SET(i, set);
	return 0;
}

int
__wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg)
{
	sigset_t set;

	if (no_threads)
		return EAGAIN;
	threads++;
	/* a signal shall not meet a thread that nobody expects */
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
	assert_int_equal(sigismember(&set, SIGTERM), 1);
	return __real_pthread_create(t, attr, run, arg);
}

int
__wrap_fstatat64(int at, const char *name, struct stat *st, int flags)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	if (slow && !pthread_equal(pthread_self(), ours))
		nanosleep(&pause, NULL);
	return __real_fstatat64(at, name, st, flags);
}

/* --- a directory ---------------------------------------------------------- */

static void
make(const char *name, off_t size)
{
	int f = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(f, -1);
	assert_int_equal(ftruncate(f, size), 0);
	assert_int_equal(close(f), 0);
}

/* N files whose size is their number. */
static int
setup(void **state)
{
	char name[32];
	int i;

	(void)state;
	fixture_spool();
	fd = open(fixture_path("queue", ""), O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(fd, -1);
	for (i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "%d", i);
		make(name, i);
	}
	make(".hidden", 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(fd);
	fixture_remove();
	return 0;
}

static int
reset(void **state)
{
	(void)state;
	processors = threads = 0;
	no_threads = slow = false;
	ours = pthread_self();
	return 0;
}

static bool
any(const char *name)
{
	return name[0] != '\0';
}

static bool
is_even(const char *name)
{
	return strchr("02468", name[strlen(name) - 1]) != NULL;
}

/* All of them, once each, MAX at a time and with what is true of them. */
static void
read_all(size_t max, bool (*wants)(const char *))
{
	struct entries *e = entries_open(fd, wants);
	const struct entry *list;
	unsigned char seen[N];
	size_t i, n, total = 0;
	int which;

	assert_non_null(e);
	memset(seen, 0, sizeof(seen));
	while ((n = entries_next(e, max, &list)) > 0) {
		assert_true(n <= max);
		total += n;
		for (i = 0; i < n; i++) {
			which = atoi(list[i].name);
			assert_true(which >= 0 && which < N);
			assert_int_equal(seen[which]++, 0);
			assert_int_equal(list[i].wanted, wants(list[i].name));
			if (!list[i].wanted)
				continue;
			assert_int_equal(list[i].error, 0);
			assert_int_equal(list[i].st.st_size, which);
		}
	}
	assert_int_equal(total, N);
	assert_int_equal(entries_next(e, max, &list), 0);
	entries_close(e);
}

/* --- tests ----------------------------------------------------------------- */

static void
test_entries_all(void **state)
{
	(void)state;
	read_all(SIZE_MAX, any);
	read_all(4096, any);
	read_all(1, any);
	read_all(1000, is_even);
}

static void
test_entries_processors(void **state)
{
	(void)state;
	processors = 1;
	read_all(SIZE_MAX, any);
	assert_int_equal(threads, 0);
	processors = 2;
	read_all(SIZE_MAX, any);
	assert_true(threads > 0);
	threads = 0;
	processors = 64;
	read_all(4096, is_even);
	assert_true(threads > 0);
}

/* What others look at is waited for. */
static void
test_entries_slow_threads(void **state)
{
	(void)state;
	processors = 4;
	slow = true;
	read_all(SIZE_MAX, any);
	assert_true(threads > 0);
}

/* A few are not worth a thread. */
static void
test_entries_few(void **state)
{
	(void)state;
	processors = 4;
	read_all(200, any);
	assert_int_equal(threads, 0);
}

static void
test_entries_without_threads(void **state)
{
	(void)state;
	processors = 4;
	no_threads = true;
	read_all(SIZE_MAX, any);
}

/* What is removed after its name was read has an error, not what was there. */
static void
test_entries_removed(void **state)
{
	const char names[] = "abcdefghij";
	struct entries *e;
	const struct entry *list;
	char name[2] = "";
	size_t i, n;
	int whole = fd;

	(void)state;
	assert_int_equal(mkdirat(whole, ".few", 0700), 0);
	fd = openat(whole, ".few", O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(fd, -1);
	for (i = 0; names[i] != '\0'; i++) {
		name[0] = names[i];
		make(name, 1);
	}
	assert_non_null(e = entries_open(fd, any));
	assert_int_equal(entries_next(e, 1, &list), 1);
	assert_int_equal(list[0].error, 0);
	for (i = 0; names[i] != '\0'; i++) {
		name[0] = names[i];
		assert_int_equal(unlinkat(fd, name, 0), 0);
	}
	n = entries_next(e, SIZE_MAX, &list);
	assert_int_equal(n, 9);
	for (i = 0; i < n; i++)
		assert_int_equal(list[i].error, ENOENT);
	entries_close(e);
	close(fd);
	fd = whole;
}

/* The longest name that there may be; a link is not followed. */
static void
test_entries_odd(void **state)
{
	struct entries *e;
	const struct entry *list;
	char name[256];
	size_t i, n, found = 0;

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	assert_int_equal(symlinkat("nowhere", fd, name), 0);
	assert_non_null(e = entries_open(fd, any));
	while ((n = entries_next(e, SIZE_MAX, &list)) > 0)
		for (i = 0; i < n; i++)
			if (strcmp(list[i].name, name) == 0) {
				assert_int_equal(list[i].error, 0);
				assert_true(S_ISLNK(list[i].st.st_mode));
				found++;
			}
	assert_int_equal(found, 1);
	entries_close(e);
	assert_int_equal(unlinkat(fd, name, 0), 0);
}

/* Closed and forked while threads are at work. */
static void
test_entries_in_the_middle(void **state)
{
	struct entries *e;
	const struct entry *list;
	int i, status;
	pid_t pid;

	(void)state;
	processors = 4;
	for (i = 0; i < 50; i++) {
		assert_non_null(e = entries_open(fd, any));
		assert_int_not_equal(entries_next(e, SIZE_MAX, &list), 0);
		/* ThreadSanitizer would miss the threads at an exit */
		if ((pid = fork()) == 0) {
			execlp(list[0].st.st_size == atoi(list[0].name) ?
			    "true" : "false", "test_entries", (char *)NULL);
			_exit(127);
		}
		entries_close(e);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_true(threads > 0);
}

static void
test_entries_no_directory(void **state)
{
	(void)state;
	assert_null(entries_open(-1, any));
	assert_int_equal(errno, EBADF);
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup(f, reset)
	const struct CMUnitTest tests[] = {
		TEST(test_entries_all),
		TEST(test_entries_processors),
		TEST(test_entries_slow_threads),
		TEST(test_entries_few),
		TEST(test_entries_without_threads),
		TEST(test_entries_removed),
		TEST(test_entries_odd),
		TEST(test_entries_in_the_middle),
		TEST(test_entries_no_directory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
