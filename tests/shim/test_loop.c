/* SPDX-License-Identifier: ISC */
/*
 * A whole runner in a process of its own, with a worker of the test: what
 * wakes it, what ends it.  Nothing is measured; a test waits for what must
 * happen, and fails when that takes far too long.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "run/job.h"
#include "run/loop.h"
#include "run/wake.h"
#include "run/worker.h"
#include "spool_fixture.h"

#define FAR_TOO_LONG	20000	/* ms */

/* --- the worker: the domain says what becomes of the mail --------------- */

int
worker_run(const struct conf *conf, struct queue *q, int sock)
{
	struct journal_record rec;
	struct report rep;
	struct msgid late;
	struct job job;
	const char *domain = job.dest;
	int fd;

	(void)conf;
	/* the descriptor that comes along is not read, and closed by the end */
	while (recv(sock, &job, sizeof(job), 0) == (ssize_t)sizeof(job)) {
		fd = open(fixture_path(".", domain), O_WRONLY | O_CREAT |
		    O_APPEND | O_CLOEXEC, 0600);
		if (fd == -1 || write(fd, "x", 1) != 1)
			return 70;
		close(fd);
		if (strstr(domain, "hang") != NULL)
			pause();
		/* somebody submits, and finds the lock taken */
		if (strstr(domain, "late") != NULL)
			fixture_drop(&late, "a@x.test", "b@ok.test");
		memset(&rep, 0, sizeof(rep));
		memset(&rec, 0, sizeof(rec));
		rep.id = job.id;
		rep.kind = REPORT_RCPT;
		result_set(&rep.result, strstr(domain, "temp") != NULL ?
		    R_LATER : R_SENT, "test");
		rec.result = rep.result;
		if (rep.result.code == R_SENT)
			rep.retired = queue_retire(q, job.place, &job.id) == 0;
		else if (queue_record(q, &job.id, &rec, 1) == -1)
			return 71;
		(void)send(sock, &rep, sizeof(rep), MSG_NOSIGNAL);
		rep.kind = REPORT_DONE;
		(void)send(sock, &rep, sizeof(rep), MSG_NOSIGNAL);
	}
	return 0;
}

/* --- a system without inotify ------------------------------------------- */

static bool no_inotify;

int	__real_inotify_init1(int);
int	__wrap_inotify_init1(int);

int
__wrap_inotify_init1(int flags)
{
	if (no_inotify) {
		errno = EMFILE;
		return -1;
	}
	return __real_inotify_init1(flags);
}

/* --- what happens while a runner ends ----------------------------------- */

static struct msgid forced_late;	/* message, or none */

int	__real_queue_unlock(struct queue *);
int	__wrap_queue_unlock(struct queue *);

int
__wrap_queue_unlock(struct queue *q)
{
	if (forced_late.s[0] != '\0' &&
	    queue_set_next(q, &forced_late, 1000) == -1)
		_exit(91);
	forced_late.s[0] = '\0';
	return __real_queue_unlock(q);
}

int	__real_queue_scan(struct queue *, enum queue_place,
	    void (*)(void *, const struct queue_entry *), void *);
int	__wrap_queue_scan(struct queue *, enum queue_place,
	    void (*)(void *, const struct queue_entry *), void *);

int
__wrap_queue_scan(struct queue *q, enum queue_place place,
    void (*each)(void *, const struct queue_entry *), void *arg)
{
	if (place == IN_QUEUE && !no_inotify)
		_exit(92);	/* it costs a stat(2) per message */
	return __real_queue_scan(q, place, each, arg);
}

/* --- fixture ------------------------------------------------------------ */

static char conf_path[128];
static char wake_path[128];
static pid_t runner;

static void
write_conf(const char *extra)
{
	char tmp[160];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", conf_path);
	f = fopen(tmp, "w");
	assert_non_null(f);
	fprintf(f, "spool: %s\nhostname: here.test\nlog: stderr\n%s\n",
	    fixture_path("drop", ".."), extra);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(tmp, conf_path), 0);
}

static int
setup(void **state)
{
	(void)state;
	fixture_spool();
	assert_int_equal(mkdir(fixture_path("etc", ""), 0700), 0);
	strlcpy(conf_path, fixture_path("etc", "mxnss.conf"),
	    sizeof(conf_path));
	strlcpy(wake_path, fixture_path(".", "wake"), sizeof(wake_path));
	write_conf("");
	no_inotify = false;
	forced_late.s[0] = '\0';
	runner = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (runner != -1) {
		kill(runner, SIGKILL);
		waitpid(runner, NULL, 0);
	}
	fixture_remove();
	return 0;
}

static void
start(enum loop_mode mode, int idle_ms)
{
	struct loop_options opt = { .mode = mode, .conf_path = conf_path,
	    .wake_path = wake_path, .wake_fd = -1, .idle_ms = idle_ms };
	struct queue *q;
	const char *why;

	if ((runner = fork()) != 0) {
		assert_int_not_equal(runner, -1);
		return;
	}
	q = queue_open(fixture_path("", ""), &why);
	if (q == NULL || queue_lock(q) == -1)
		_exit(90);
	idle_ms = loop_run(&opt, q, conf_load(conf_path));
	queue_close(q);
	_exit(idle_ms);
}

static void
nap(void)
{
	struct timespec ts = { .tv_nsec = 2000000 };

	nanosleep(&ts, NULL);
}

/* The exit code of the runner. */
static int
finish(void)
{
	int status, i;

	for (i = 0; i < FAR_TOO_LONG / 2; i++) {
		if (waitpid(runner, &status, WNOHANG) == runner) {
			runner = -1;
			assert_true(WIFEXITED(status));
			return WEXITSTATUS(status);
		}
		nap();
	}
	fail_msg("the runner does not end");
	return -1;
}

static int
stop(void)
{
	assert_int_equal(kill(runner, SIGTERM), 0);
	return finish();
}

#define wait_for(condition)					\
do {								\
	int tries_;						\
	for (tries_ = 0; !(condition); tries_++) {		\
		if (tries_ > FAR_TOO_LONG / 2)			\
			fail_msg("never: %s", #condition);	\
		nap();						\
	}							\
} while (0)

/* How many jobs there were for the domain. */
static off_t
jobs(const char *domain)
{
	struct stat st;

	return stat(fixture_path(".", domain), &st) == 0 ? st.st_size : 0;
}

static void
send_wake(const char *text, size_t n)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strlcpy(sa.sun_path, wake_path, sizeof(sa.sun_path));
	assert_int_not_equal(fd, -1);
	(void)sendto(fd, text, n, MSG_DONTWAIT, (struct sockaddr *)&sa,
	    sizeof(sa));
	close(fd);
}

/* --- tests -------------------------------------------------------------- */

static void
test_loop_once(void **state)
{
	struct msgid id, later;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@ok.test");
	fixture_drop(&later, "a@x.test", "b@temp.test");
	start(LOOP_ONCE, 0);
	assert_int_equal(finish(), EX_OK);
	assert_int_equal(fixture_count("drop"), 0);
	assert_false(fixture_exists("queue", id.s));
	assert_true(fixture_exists("queue", later.s));
	assert_false(fixture_exists(".", "wake"));
}

/* Nobody else is started for it: the runner that goes must see it. */
static void
test_loop_once_looks_again(void **state)
{
	struct msgid id;

	(void)state;
	no_inotify = true;
	fixture_drop(&id, "a@x.test", "b@late.test");
	start(LOOP_ONCE, 0);
	assert_int_equal(finish(), EX_OK);
	assert_int_equal(jobs("ok.test"), 1);
	assert_int_equal(fixture_count("drop"), 0);
}

/* How often mail to RCPT is tried if it is forced while the runner ends. */
static off_t
tries_when_forced(const char *rcpt)
{
	fixture_drop(&forced_late, "a@x.test", rcpt);
	start(LOOP_ONCE, 0);
	assert_int_equal(finish(), EX_OK);
	return jobs(strchr(rcpt, '@') + 1);
}

static void
test_loop_once_sees_what_was_forced(void **state)
{
	(void)state;
	assert_int_equal(tries_when_forced("b@temp.test"), 2);
	no_inotify = true;
	assert_int_equal(tries_when_forced("b@temp2.test"), 2);
}

static void
test_loop_once_with_errors_tries_nothing(void **state)
{
	struct msgid id;

	(void)state;
	write_conf("nonsense");
	fixture_drop(&id, "a@x.test", "b@ok.test");
	start(LOOP_ONCE, 0);
	assert_int_equal(finish(), EX_CONFIG);
	assert_true(fixture_exists("drop", id.s));
	assert_int_equal(jobs("ok.test"), 0);
}

static void
test_loop_serve_ends_when_idle(void **state)
{
	struct msgid id;
	int i;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@ok.test");
	/* what is no message keeps nobody awake */
	assert_int_equal(mkfifo(fixture_path("drop", "fifo"), 0640), 0);
	assert_int_equal(mkdir(fixture_path("drop", "dir"), 0700), 0);
	start(LOOP_SERVE, 300);
	wait_for(jobs("ok.test") == 1);
	/* nobody wakes it but the file itself */
	for (i = 2; i <= 5; i++) {
		fixture_drop(&id, "a@x.test", "b@ok.test");
		wait_for(jobs("ok.test") == i);
	}
	assert_int_equal(finish(), EX_OK);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("bad"), 2);
}

static void
test_loop_serve_stays_while_mail_waits(void **state)
{
	struct msgid id;
	struct queue *q;
	const char *why;
	int status;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	start(LOOP_SERVE, 0);
	wait_for(fixture_exists("queue", id.s));
	/* forced by another process: tried again */
	q = queue_open(fixture_path("", ""), &why);
	assert_non_null(q);
	assert_int_equal(queue_lock(q), -1);
	wait_for(queue_set_next(q, &id, 1000) == 0 && jobs("temp.test") >= 2);
	assert_int_equal(waitpid(runner, &status, WNOHANG), 0);
	/* somebody removes it: nothing to stay for */
	assert_int_equal(stop(), EX_OK);
	assert_int_equal(queue_lock(q), 0);
	queue_close(q);
	assert_true(fixture_exists("queue", id.s));
}

static void
test_loop_sigterm_while_a_worker_hangs(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@hang.test");
	start(LOOP_DAEMON, 0);
	wait_for(jobs("hang.test") == 1);
	assert_int_equal(stop(), EX_OK);
	assert_true(fixture_exists("queue", id.s) ||
	    fixture_exists("drop", id.s));
}

static void
test_loop_wake_socket(void **state)
{
	char junk[4096];
	struct msgid id;
	struct stat st;
	int i;

	(void)state;
	start(LOOP_DAEMON, 0);
	wait_for(fixture_exists(".", "wake"));
	wait_for(stat(wake_path, &st) == 0 && (st.st_mode & 0777) == 0666);
	assert_int_equal(wake_bind(wake_path), -1);
	assert_int_equal(errno, EADDRINUSE);
	memset(junk, 'x', sizeof(junk));
	for (i = 0; i < 2000; i++)
		send_wake(junk, (size_t)i % sizeof(junk));
	id_new(&id);
	send_wake(id.s, ID_LEN);
	fixture_drop(&id, "a@x.test", "b@ok.test");
	send_wake(id.s, ID_LEN);
	wait_for(jobs("ok.test") == 1);
	assert_int_equal(stop(), EX_OK);
	assert_false(fixture_exists(".", "wake"));
}

static void
test_loop_takes_a_left_socket(void **state)
{
	int fd;

	(void)state;
	fd = wake_bind(wake_path);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_true(fixture_exists(".", "wake"));
	fd = wake_bind(wake_path);
	assert_int_not_equal(fd, -1);
	close(fd);
	/* but nothing else that has the name */
	assert_int_equal(unlink(wake_path), 0);
	assert_int_equal(mkdir(wake_path, 0700), 0);
	assert_int_equal(wake_bind(wake_path), -1);
	assert_true(fixture_exists(".", "wake"));
}

static void
test_loop_reads_a_mended_configuration(void **state)
{
	struct msgid id;

	(void)state;
	write_conf("retry-min: never");
	fixture_drop(&id, "a@x.test", "b@ok.test");
	/* it does not end because of the error, and not because it is idle */
	start(LOOP_SERVE, 0);
	wait_for(fixture_exists(".", "wake"));
	write_conf("retry-min: 10m");
	wait_for(jobs("ok.test") == 1);
	assert_int_equal(finish(), EX_OK);
}

static void
test_loop_without_inotify(void **state)
{
	struct msgid id;

	(void)state;
	no_inotify = true;
	write_conf("retry-min: never");
	start(LOOP_DAEMON, 0);
	wait_for(fixture_exists(".", "wake"));
	fixture_drop(&id, "a@x.test", "b@ok.test");
	write_conf("retry-min: 10m");
	wait_for(jobs("ok.test") == 1);
	assert_int_equal(stop(), EX_OK);
}

static void
test_loop_sighup(void **state)
{
	struct msgid id;

	(void)state;
	start(LOOP_DAEMON, 0);
	wait_for(fixture_exists(".", "wake"));
	/* the domain becomes a local one: its mail is held from now on */
	write_conf("local-domains: ok.test");
	assert_int_equal(kill(runner, SIGHUP), 0);
	wait_for((fixture_drop(&id, "a@x.test", "b@ok.test"),
	    fixture_count("queue") > 0));
	assert_int_equal(stop(), EX_OK);
}

/* --- datagrams ---------------------------------------------------------- */

static void
send_fd(int sock, const char *text, int fd)
{
	union {
		struct cmsghdr	hdr;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };

	memset(&control, 0, sizeof(control));
	control.hdr.cmsg_level = SOL_SOCKET;
	control.hdr.cmsg_type = SCM_RIGHTS;
	control.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.hdr), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &msg, 0), iov.iov_len);
}

static const struct {
	const char	*text;
	const char	*id;
} datagrams[] = {
	{ "", "" },
	{ "01K0TNMBKA9PAQQQAP0V", "01K0TNMBKA9PAQQQAP0V" },
	{ "01K0TNMBKA9PAQQQAP0", "" },
	{ "../../../etc/passwd0", "" },
	/* nobody listens there; no name that bind(2) makes */
	{ "01K0TNMBKA9PAQQQAP0V00000", "01K0TNMBKA9PAQQQAP0V" },
	{ "01K0TNMBKA9PAQQQAP0V/x/yz", "01K0TNMBKA9PAQQQAP0V" },
	{ "01K0TNMBKA9PAQQQAP0V0000", "" },
	{ "01K0TNMBKA9PAQQQAP0V0000000000000000000", "" },
};

static void
test_wake_receive(void **state)
{
	int sock[2];
	struct wakeup w;
	size_t i;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sock), 0);
	wake_receive(sock[0], &w);
	assert_false(w.any);
	for (i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++) {
		print_message("%s\n", datagrams[i].text);
		assert_int_not_equal(send(sock[1], datagrams[i].text,
		    strlen(datagrams[i].text), 0), -1);
		wake_receive(sock[0], &w);
		assert_true(w.any);
		assert_false(w.slow);
		assert_int_equal(w.reader, -1);
		assert_string_equal(w.id.s, datagrams[i].id);
	}
	close(sock[0]);
	close(sock[1]);
}

/* A TCP connection with octets that the other side will never take. */
static int
make_lingering(int *listener)
{
	const struct linger linger = { 1, 3600 };
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	static char block[1 << 16];
	int fd;

	*listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(*listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(*listener, 1), 0);
	assert_int_equal(getsockname(*listener, (struct sockaddr *)&sin,
	    &len), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
	    sizeof(linger)), 0);
	while (send(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
		continue;
	return fd;
}

/* Descriptors are not taken, and to throw them away takes no hour. */
static void
test_wake_receive_descriptors(void **state)
{
	int sock[2], fd, listener, next;
	struct wakeup w;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sock), 0);
	fd = make_lingering(&listener);
	send_fd(sock[1], "01K0TNMBKA9PAQQQAP0V", fd);
	close(fd);
	wake_receive(sock[0], &w);
	next = dup(0);
	assert_int_equal(next, fd);	/* the lowest that is free */
	assert_true(w.slow);
	assert_string_equal(w.id.s, "01K0TNMBKA9PAQQQAP0V");
	close(next);
	close(listener);
	close(sock[0]);
	close(sock[1]);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loop_once),
		TEST(test_loop_once_looks_again),
		TEST(test_loop_once_sees_what_was_forced),
		TEST(test_loop_once_with_errors_tries_nothing),
		TEST(test_loop_serve_ends_when_idle),
		TEST(test_loop_serve_stays_while_mail_waits),
		TEST(test_loop_sigterm_while_a_worker_hangs),
		TEST(test_loop_wake_socket),
		TEST(test_loop_takes_a_left_socket),
		TEST(test_loop_reads_a_mended_configuration),
		TEST(test_loop_without_inotify),
		TEST(test_loop_sighup),
		cmocka_unit_test(test_wake_receive),
		cmocka_unit_test(test_wake_receive_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
