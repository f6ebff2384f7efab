/* SPDX-License-Identifier: ISC */
/*
 * The wake datagram, the descriptor that goes with it, and who may start a
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

static int
receive_pipe(int fd)
{
	union {
		struct cmsghdr	hdr;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[64];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	int got;

	assert_int_equal(recvmsg(fd, &msg, MSG_DONTWAIT), 20);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_type, SCM_RIGHTS);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(got));
	return got;
}

static void
test_notify_wake_passes_the_pipe(void **state)
{
	const char *path = fixture_path("queue", "wake");
	int fd = listen_at(path), fds[2], got;
	char text[8];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(notify_wake(path, id, fds[1]), 0);
	close(fds[1]);
	got = receive_pipe(fd);
	assert_int_equal(write(got, "hi", 2), 2);
	close(got);
	assert_int_equal(read(fds[0], text, sizeof(text)), 2);
	assert_int_equal(read(fds[0], text, sizeof(text)), 0);
	close(fds[0]);
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

static void
test_notify_follow(void **state)
{
	int out = memfd_create("out", MFD_CLOEXEC), saved, fds[2];
	char text[64];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "> EHLO\n< 250\n", 13), 13);
	close(fds[1]);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(dup2(out, STDOUT_FILENO) != -1);
	notify_follow(fds[0], 60000);
	assert_true(dup2(saved, STDOUT_FILENO) != -1);
	assert_int_equal(pread(out, text, sizeof(text), 0), 13);
	assert_memory_equal(text, "> EHLO\n< 250\n", 13);
	close(saved);
	close(out);
	close(fds[0]);
}

/* The time is over although the pipe is open. */
static void
test_notify_follow_ends(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	notify_follow(fds[0], 1);
	close(fds[0]);
	close(fds[1]);
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
		cmocka_unit_test(test_notify_wake_passes_the_pipe),
		cmocka_unit_test(test_notify_await),
		cmocka_unit_test(test_notify_start),
		cmocka_unit_test(test_notify_start_is_locked),
		cmocka_unit_test(test_notify_start_probe_leaves_no_lock),
		cmocka_unit_test(test_notify_start_not_the_owner),
		cmocka_unit_test(test_notify_start_no_spool),
		cmocka_unit_test(test_notify_follow),
		cmocka_unit_test(test_notify_follow_ends),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
