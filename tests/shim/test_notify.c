/* SPDX-License-Identifier: ISC */
/*
 * The wake datagram, the call that answers it, and who may start a
 * runner.  The "runner" here is a script that writes a file.
 */
#include "config.h"

#include "submit/notify.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "run/wake.h"
#include "spool_fixture.h"

static const char id[] = "01K0TNMBKA9PAQQQAP0V";
static const char *spool;

/* A datagram socket at PATH, as the runner makes it. */
static int
listen_at(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd != -1);
	assert_true(strlen(path) < sizeof(sa.sun_path));
	memcpy(sa.sun_path, path, strlen(path) + 1);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void
test_notify_wake_nobody(void **state)
{
	const char *path = fixture_path("queue", "wake");
	char endless[200];

	(void)state;
	assert_int_equal(notify_wake(path, id, -1), -1);
	assert_int_equal(errno, ENOENT);
	close(listen_at(path));
	assert_int_equal(notify_wake(path, id, -1), -1);
	assert_int_equal(errno, ECONNREFUSED);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(notify_wake(endless, id, -1), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
test_notify_wake_says_which(void **state)
{
	const char *path = fixture_path("queue", "wake");
	char text[64];
	int fd = listen_at(path);

	(void)state;
	assert_int_equal(notify_wake(path, id, -1), 0);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 20);
	assert_memory_equal(text, id, 20);
	assert_int_equal(notify_wake(path, "", -1), 0);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0);
	close(fd);
}

/* A runner that does not read must not stop sendmail. */
static void
test_notify_wake_does_not_wait(void **state)
{
	const char *path = fixture_path("queue", "wake");
	int fd = listen_at(path), i;

	(void)state;
	for (i = 0; i < 100000; i++)
		if (notify_wake(path, id, -1) == -1)
			break;
	assert_true(i < 100000);
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

/* What the runner does with the name in the datagram on FD. */
static int
call_back(int fd)
{
	struct wakeup w;

	wake_receive(fd, &w);
	assert_string_equal(w.id.s, id);
	return w.reader;
}

static void
test_notify_wake_says_where(void **state)
{
	const char *path = fixture_path("queue", "wake");
	int fd = listen_at(path), listener = notify_listen(), caller;

	(void)state;
	assert_int_not_equal(listener, -1);
	assert_int_equal(notify_wake(path, id, listener), 0);
	caller = call_back(fd);
	assert_int_not_equal(caller, -1);
	close(caller);
	/* nobody listens any more */
	assert_int_equal(notify_wake(path, id, listener), 0);
	close(listener);
	assert_int_equal(call_back(fd), -1);
	close(fd);
}

static void
test_notify_await(void **state)
{
	const char *path = fixture_path("queue", "wake");
	int fd;

	(void)state;
	unlink(path);
	assert_int_equal(notify_await(path, id, -1, 0), -1);
	fd = listen_at(path);
	assert_int_equal(notify_await(path, id, -1, 0), 0);
	close(fd);
}

/* A program that writes what it was given into a file. */
static const char *
make_runner(void)
{
	const char *path = fixture_path("bad", "runner");
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	fprintf(fp, "#!/bin/sh\nfor i in 0 1 2; do\n"
	    "a=\"$a$(readlink /proc/$$/fd/$i) \"\ndone\n"
	    "{ echo \"$a\"; env; } >'%s/bad/x'\n"
	    "mv '%s/bad/x' '%s/bad/done'\n", spool, spool, spool);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

static void
test_notify_start(void **state)
{
	const char *runner = make_runner();
	char *text;
	int status;

	(void)state;
	assert_int_equal(setenv("SECRET", "x", 1), 0);
	assert_true(notify_start(runner, spool));
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	text = fixture_read("bad", "done");
	assert_memory_equal(text, "/dev/null /dev/null /dev/null \n", 31);
	assert_null(strstr(text, "SECRET"));
	assert_non_null(strstr(text, "PATH=/"));
	free(text);
}

static void
test_notify_start_is_locked(void **state)
{
	const char *runner = make_runner();
	int fd = open(fixture_path("queue", ""), O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(notify_start(runner, spool));
	assert_int_equal(wait(NULL), -1);
	assert_int_equal(flock(fd, LOCK_UN), 0);
	close(fd);
}

static void
test_notify_start_probe_leaves_no_lock(void **state)
{
	int fd = open(fixture_path("queue", ""), O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_false(notify_start("/nonexistent/runner", spool));
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

static void
test_notify_start_not_the_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(spool, 64901, 64901), 0);
	assert_false(notify_start(make_runner(), spool));
	assert_int_equal(wait(NULL), -1);
	assert_int_equal(chown(spool, 0, 0), 0);
}

static void
test_notify_start_no_spool(void **state)
{
	(void)state;
	assert_false(notify_start("/bin/true", "/nonexistent"));
}

/* What notify_follow() prints of the calls that wait on LISTENER. */
static ssize_t
follow(int listener, char *text, size_t size)
{
	int out = memfd_create("out", MFD_CLOEXEC), saved;
	ssize_t n;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(dup2(out, STDOUT_FILENO) != -1);
	notify_follow(listener, spool, 60000);
	assert_true(dup2(saved, STDOUT_FILENO) != -1);
	n = pread(out, text, size, 0);
	close(saved);
	close(out);
	return n;
}

static int
call(int listener)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len),
	    0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

static void
test_notify_follow(void **state)
{
	int listener = notify_listen(), fd;
	char text[64];

	(void)state;
	fd = call(listener);
	assert_int_equal(write(fd, "> EHLO\n< 250\n", 13), 13);
	close(fd);
	assert_int_equal(follow(listener, text, sizeof(text)), 13);
	assert_memory_equal(text, "> EHLO\n< 250\n", 13);
	close(listener);
}

/* Somebody else who calls is not heard. */
static void
test_notify_follow_a_stranger(void **state)
{
	int listener = notify_listen(), fd, stranger;
	char text[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(setresuid(64902, 64902, 0), 0);
	stranger = call(listener);
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(write(stranger, "lies\n", 5), 5);
	fd = call(listener);
	assert_int_equal(write(fd, "truth\n", 6), 6);
	close(fd);
	assert_int_equal(follow(listener, text, sizeof(text)), 6);
	assert_memory_equal(text, "truth\n", 6);
	close(stranger);
	close(listener);
}

/* The time is over although nobody called, or the call goes on. */
static void
test_notify_follow_ends(void **state)
{
	int listener = notify_listen(), fd;

	(void)state;
	notify_follow(listener, spool, 1);
	fd = call(listener);
	notify_follow(listener, spool, 1);
	close(fd);
	close(listener);
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
		cmocka_unit_test(test_notify_wake_nobody),
		cmocka_unit_test(test_notify_wake_says_which),
		cmocka_unit_test(test_notify_wake_does_not_wait),
		cmocka_unit_test(test_notify_wake_says_where),
		cmocka_unit_test(test_notify_await),
		cmocka_unit_test(test_notify_start),
		cmocka_unit_test(test_notify_start_is_locked),
		cmocka_unit_test(test_notify_start_probe_leaves_no_lock),
		cmocka_unit_test(test_notify_start_not_the_owner),
		cmocka_unit_test(test_notify_start_no_spool),
		cmocka_unit_test(test_notify_follow),
		cmocka_unit_test(test_notify_follow_a_stranger),
		cmocka_unit_test(test_notify_follow_ends),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
