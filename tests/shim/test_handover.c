/* SPDX-License-Identifier: ISC */
/*
 * Messages over a socket into the spool: what hostile clients send, what is
 * left when either side dies, and that nothing is acknowledged that is not on
 * the disk.  The server is a child per connection, as the unit has it.
 */
#include "config.h"

#include "submit/handover.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/sockios.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "spool/drop.h"
#include "spool/queue.h"
#include "spool_fixture.h"

#define ID		"0123456789AB0CDEFGHJ"
#define MAX_SIZE	10000
#define OTHER_UID	4711

static const char *spool;
static char *path;		/* of the socket */
static struct conf conf = { .max_size = MAX_SIZE, .max_rcpts = 3 };

/* --- the system as the server sees it ------------------------------------- */

static int die_at;		/* call of those that count, or 0 */
static int fail_at;
static int calls;
static int synced;		/* fsync(2) succeeded so often */
static uid_t peer_uid = (uid_t)-1;	/* or whom SO_PEERCRED says */
static int skip;		/* s that poll(2) takes, or 0: as it is */
static time_t skew;

/* Whether this call shall fail. */
static bool
step(void)
{
	calls++;
	if (calls == die_at)
		_exit(99);
	errno = EIO;
	return calls == fail_at;
}

#define WRAP(type, name, params, args)				\
	type __real_##name params;				\
	type __wrap_##name params;				\
	type __wrap_##name params				\
	{							\
		return step() ? -1 : __real_##name args;	\
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, futimens, (int fd, const struct timespec *t), (fd, t))
WRAP(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))

int	__real_fsync(int);
int	__wrap_fsync(int);
int
__wrap_fsync(int fd)
{
	if (step() || __real_fsync(fd) == -1)
		return -1;
	synced++;
	return 0;
}

ssize_t	__real_send(int, const void *, size_t, int);
ssize_t	__wrap_send(int, const void *, size_t, int);
ssize_t
__wrap_send(int fd, const void *p, size_t n, int flags)
{
	if (step())
		return -1;
	/* the server says that it is safe; what comes before is "+" */
	if (n == 3 && memcmp(p, "0 \n", 3) == 0 && synced == 0)
		_exit(98);
	return __real_send(fd, p, n, flags);
}

int	__real_getsockopt(int, int, int, void *, socklen_t *);
int	__wrap_getsockopt(int, int, int, void *, socklen_t *);
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct ucred *peer = value;
	int rc = __real_getsockopt(fd, level, name, value, len);

	if (rc == 0 && name == SO_PEERCRED && peer_uid != (uid_t)-1)
		peer->uid = peer_uid;
	return rc;
}

int	__real_poll(struct pollfd *, nfds_t, int);
int	__wrap_poll(struct pollfd *, nfds_t, int);
int
__wrap_poll(struct pollfd *p, nfds_t n, int ms)
{
	int rc;

	if (p->fd == -1)
		return 0;	/* nobody waits in a test */
	if (skip == 0 || ms == 0)
		return __real_poll(p, n, ms);
	/* a client that says nothing more, and time */
	rc = __real_poll(p, n, 50);
	skew += skip;
	return rc == 0 && skip * 1000 < ms ? __wrap_poll(p, n,
	    ms - skip * 1000) : rc;
}

int	__real_clock_gettime(clockid_t, struct timespec *);
int	__wrap_clock_gettime(clockid_t, struct timespec *);
int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = __real_clock_gettime(id, ts);

	if (id == CLOCK_MONOTONIC)
		ts->tv_sec += skew;
	return rc;
}

/* --- the server ----------------------------------------------------------- */

static int listener = -1;

static void
listen_at_path(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	assert_true(strlcpy(sa.sun_path, path, sizeof(sa.sun_path)) <
	    sizeof(sa.sun_path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)),
	    0);
	assert_int_equal(listen(listener, 8), 0);
}

/* A child that serves one connection. */
static pid_t
serve_one(void)
{
	struct msgid id;
	pid_t pid = fork();
	int sock;

	assert_true(pid != -1);
	if (pid != 0)
		return pid;
	sock = accept(listener, NULL, NULL);
	calls = 0;
	_exit(sock == -1 ? 97 : handover_take(sock, &conf, &id));
}

static int
status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool runs;		/* so does a runner */
static void deliver(void);

/*
 * One connection after the other, each with a child of its own; the faults are
 * for the first one, whose status is in *FIRST.
 */
static pid_t
serve_all(int *first)
{
	pid_t pid = fork(), child;
	int status, n;

	assert_true(pid != -1);
	/* from both sides, lest it be killed before it is a group */
	(void)setpgid(pid, pid);
	if (pid != 0)
		return pid;
	for (n = 0;; n++) {
		child = serve_one();
		if (waitpid(child, &status, 0) != child ||
		    !WIFEXITED(status))
			_exit(96);
		if (n == 0)
			*first = WEXITSTATUS(status);
		if (n == 0 && runs)
			deliver();
		die_at = fail_at = 0;
	}
}

/*
 * What a runner does with a finished message, as far as we see it; in one
 * step, for who does it may be killed at any time.
 */
static void
deliver(void)
{
	const char *from = fixture_path("drop", ID);
	struct stat st;

	if (lstat(from, &st) == 0 && st.st_mode == (S_IFREG | 0440))
		(void)rename(from, fixture_path("dead", ID));
}

/* Whether it has, which is then forgotten. */
static bool
was_delivered(void)
{
	return unlink(fixture_path("dead", ID)) == 0;
}

static void
serve_no_more(pid_t pid)
{
	/* with the child that waits for a connection */
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- the client ----------------------------------------------------------- */

/* A message file with a body of so many lines. */
static int
message(int lines)
{
	int fd = open(spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), i;
	struct buf body = BUF_INIT;
	struct envelope env;

	assert_true(fd != -1);
	fixture_envelope(&env, "a@b.example", "c@d.example");
	env.time = 1;
	buf_adds(&body, "Subject: x\r\n\r\n");
	for (i = 0; i < lines; i++)
		buf_adds(&body, "body\r\n");
	fixture_write(fd, &env, body.data);
	envelope_clear(&env);
	buf_clear(&body);
	return fd;
}

/* What handover_send() says of FD, which is closed. */
static int
hand_over(int fd, struct buf *text)
{
	int code = handover_send(path, ID, fd, text);

	close(fd);
	return code;
}

static int
connect_to_server(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
	assert_int_equal(connect(sock, (struct sockaddr *)&sa, sizeof(sa)),
	    0);
	return sock;
}

static void
say(int sock, const void *p, size_t n)
{
	ssize_t w;

	for (; n > 0; n -= (size_t)w) {
		w = __real_send(sock, p, n, MSG_NOSIGNAL);
		if (w == -1)
			return;	/* it has heard enough */
		p = (const char *)p + w;
	}
}

static char *
hear(int sock)
{
	static char answer[1024];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(sock, answer + len, sizeof(answer) - 1 - len, 0)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(sock);
	return answer;
}

/* --- what is in the spool ------------------------------------------------- */

/* Finished and other files in drop/; they are removed. */
static void
look(int *finished, int *others)
{
	DIR *dir = opendir(fixture_path("drop", ""));
	struct dirent *de;
	struct stat st;

	*finished = *others = 0;
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		assert_int_equal(lstat(fixture_path("drop", de->d_name), &st),
		    0);
		if ((st.st_mode & S_IRGRP) != 0)
			(*finished)++;
		else
			(*others)++;
		assert_int_equal(unlink(fixture_path("drop", de->d_name)), 0);
	}
	closedir(dir);
}

static void
assert_spool(int want)
{
	int finished, others;

	look(&finished, &others);
	assert_int_equal(finished, want);
	assert_int_equal(others, 0);
}

/* --- the tests ------------------------------------------------------------ */

static void
test_handover_of_a_message(void **state)
{
	struct buf text = BUF_INIT;
	struct queue *q;
	struct msgfile mf;
	struct queue_entry e;
	struct msgid id = { ID };
	const char *why;
	pid_t pid;
	int fd;

	(void)state;
	peer_uid = OTHER_UID;
	assert_true(handover_is_open(path));
	pid = serve_one();
	assert_int_equal(hand_over(message(100), &text), EX_OK);
	assert_string_equal(buf_str(&text), "");
	assert_int_equal(status_of(pid), EX_OK);
	peer_uid = (uid_t)-1;
	/* the runner knows whose it is: before it opens it, and after */
	q = queue_open(spool, &why);
	assert_int_equal(queue_stat(q, &id, &e), 0);
	assert_int_equal(e.place, IN_DROP);
	assert_int_equal(e.uid, OTHER_UID);
	assert_int_equal(queue_pickup(q, &id, MAX_SIZE, 3, 4096, &fd, &mf), 0);
	assert_int_equal(mf.env.uid, OTHER_UID);
	assert_string_equal(mf.env.rcpt[0].addr, "c@d.example");
	msgfile_clear(&mf);
	assert_int_equal(queue_keep(q, &id, fd, 5), 0);
	close(fd);
	assert_int_equal(queue_stat(q, &id, &e), 0);
	assert_int_equal(e.place, IN_QUEUE);
	assert_int_equal(e.uid, OTHER_UID);
	queue_close(q);
	assert_int_equal(unlink(fixture_path("queue", ID)), 0);
	assert_spool(0);
	buf_clear(&text);
}

static const struct {
	const char	*name;
	const char	*head;		/* what comes before the message file */
	int		 lines;
	long		 cut;		/* so many octets of the file; 0: all */
	long		 change;	/* this octet of it is another; 0: none */
	const char	*answer;
} hostile[] = {
	{ "nothing", "", 0, -1, 0, "65 " },
	{ "half an identifier", "0123456789", 0, -1, 0, "65 " },
	{ "a path", "../../../../etc/xx2\n", 1, 0, 0, "65 " },
	{ "no identifier", "", 1, 0, 0, "65 " },
	{ "an identifier that does not end", ID "x", 1, 0, 0, "65 " },
	{ "the identifier of a report", "0123456789ABZZZZZZZZ\n", 1, 0, 0,
	    "65 " },
	{ "an identifier alone", ID "\n", 0, -1, 0, "65 " },
	{ "no envelope", ID "\n", 1, 8, 0, "65 " },
	{ "half a message", ID "\n", 100, 300, 0, "65 " },
	{ "no trailer", ID "\n", 100, -27, 0, "65 " },
	{ "a trailer that lacks an octet", ID "\n", 100, -1, 0, "65 " },
	{ "another magic", ID "\n", 1, 0, 1, "65 " },
	{ "another body", ID "\n", 100, 0, 200, "65 " },
	{ "larger than max-size", ID "\n", MAX_SIZE / 6, 0, 0, "6" },
	{ "much larger", ID "\n", 1000000, 0, 0, "69 " },
};

static void
test_handover_hostile(void **state)
{
	char *octets, *answer;
	struct stat st;
	size_t i, n;
	pid_t pid;
	int fd, sock;

	(void)state;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		print_message("%s\n", hostile[i].name);
		fd = message(hostile[i].lines);
		assert_int_equal(fstat(fd, &st), 0);
		n = (size_t)st.st_size;
		octets = xmalloc(n);
		assert_int_equal(pread(fd, octets, n, 0), n);
		close(fd);
		octets[hostile[i].change] ^= hostile[i].change != 0;
		if (hostile[i].cut > 0)
			n = (size_t)hostile[i].cut;
		else if (hostile[i].lines == 0)
			n = 0;
		else
			n -= (size_t)-hostile[i].cut;
		pid = serve_one();
		sock = connect_to_server();
		say(sock, hostile[i].head, strlen(hostile[i].head));
		say(sock, octets, n);
		(void)shutdown(sock, SHUT_WR);
		answer = hear(sock);
		print_message("  %s", answer);
		assert_int_equal(strncmp(answer, hostile[i].answer,
		    strlen(hostile[i].answer)), 0);
		assert_int_equal(answer[strlen(answer) - 1], '\n');
		assert_int_not_equal(status_of(pid), EX_OK);
		assert_spool(0);
		free(octets);
	}
}

/* Whether the server has read all, and wants more. */
static bool
wants_more(int sock)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int unread = 1;

	while (unread > 0 && __real_poll(&pfd, 1, 1) == 0)
		assert_int_equal(ioctl(sock, SIOCOUTQ, &unread), 0);
	return unread == 0;
}

/* A client that says nothing more, and one that says an octet at a time. */
static void
test_handover_slow(void **state)
{
	pid_t pid;
	int sock, i;

	(void)state;
	skip = 31;
	pid = serve_one();
	skip = 0;
	sock = connect_to_server();
	say(sock, ID "\nmxnss 1\n", ID_LEN + 9);
	assert_true(strncmp(hear(sock), "74 ", 3) == 0);
	assert_int_equal(status_of(pid), EX_IOERR);
	skip = 20;
	pid = serve_one();
	skip = 0;
	sock = connect_to_server();
	say(sock, ID "\n", ID_LEN + 1);
	/* each is heard alone, and in time */
	for (i = 0; i < 100 && wants_more(sock); i++)
		say(sock, "m", 1);
	assert_in_range(i, 5, 20);
	assert_true(strncmp(hear(sock), "74 ", 3) == 0);
	assert_int_equal(status_of(pid), EX_IOERR);
	assert_spool(0);
}

/* All of it came, but nobody is there who could hear that it is safe. */
static void
test_handover_client_dies(void **state)
{
	char octets[4096];
	ssize_t n;
	pid_t pid;
	int fd = message(10), sock = connect_to_server();

	(void)state;
	n = pread(fd, octets, sizeof(octets), 0);
	assert_true(n > 0 && (size_t)n < sizeof(octets));
	say(sock, ID "\n", ID_LEN + 1);
	say(sock, octets, (size_t)n);
	close(sock);
	close(fd);
	pid = serve_one();
	assert_int_equal(status_of(pid), EX_IOERR);
	assert_spool(0);
}

/*
 * Call N of the server fails, or it dies there, and the client comes again.
 * Acknowledged: it is there, once.  Not acknowledged: it is not.
 */
static void
try_faults(int *fault, int last)
{
	struct buf text = BUF_INIT;
	int n, code, finished, others, failed = 0, delivered = 0, *first;
	bool gone;
	pid_t pid;

	first = mmap(NULL, sizeof(*first), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(first != MAP_FAILED);
	for (n = 1, *first = 99; n <= last || *first == 99; n++) {
		*fault = n;
		pid = serve_all(first);
		*fault = 0;
		code = hand_over(message(10), &text);
		serve_no_more(pid);
		look(&finished, &others);
		print_message("%d: %d, %d finished, %d not %s\n", n, code,
		    finished, others, buf_str(&text));
		assert_true(code == EX_OK || code == EX_TEMPFAIL);
		gone = was_delivered();
		delivered += gone;
		assert_int_equal(finished + gone, code == EX_OK ? 1 : 0);
		/* an unlink that failed, or was never called */
		assert_true(others <= 1);
		failed += code != EX_OK;
	}
	assert_true(n > 7 && failed > 0);
	assert_int_equal(code, EX_OK);
	assert_true(!runs || delivered > 1);
	assert_int_equal(munmap(first, sizeof(*first)), 0);
	buf_clear(&text);
}

static void
test_handover_one_call_fails(void **state)
{
	(void)state;
	try_faults(&fail_at, 15);
}

static void
test_handover_server_dies(void **state)
{
	(void)state;
	try_faults(&die_at, 1);
}

/* Delivered, before the client comes again. */
static void
test_handover_server_dies_and_runner_works(void **state)
{
	(void)state;
	runs = true;
	try_faults(&die_at, 1);
	runs = false;
}

/* A client that knows of a commit. */
static void
test_handover_was_committed(void **state)
{
	static const struct {
		const char	*head;
		bool		 unfinished;	/* there is such a file */
		const char	*answer;
		int		 left;		/* in drop/ */
	} rows[] = {
		{ ID "+\n", false, "0 \n", 0 },
		{ ID "+\n", true, "75 ", 1 },
		{ ID "\n", false, "+0 \n", 1 },
		{ ID "+", false, "65 ", 0 },
		{ ID "++\n", false, "65 ", 0 },
	};
	char octets[4096], *answer;
	int fd, sock, finished, others;
	ssize_t n;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = message(10);
		n = pread(fd, octets, sizeof(octets), 0);
		close(fd);
		assert_true(n > 0);
		fd = !rows[i].unfinished ? -1 :
		    open(fixture_path("drop", ID), O_CREAT | O_WRONLY, 0600);
		if (fd != -1)
			close(fd);
		pid = serve_one();
		sock = connect_to_server();
		say(sock, rows[i].head, strlen(rows[i].head));
		say(sock, octets, (size_t)n);
		(void)shutdown(sock, SHUT_WR);
		answer = hear(sock);
		print_message("%s", answer);
		assert_int_equal(strncmp(answer, rows[i].answer,
		    strlen(rows[i].answer)), 0);
		(void)status_of(pid);
		look(&finished, &others);
		assert_int_equal(finished + others, rows[i].left);
	}
}

/* Whose identifier it is that comes a second time. */
static void
test_handover_again(void **state)
{
	static const struct {
		const char	*name;
		uid_t		 owner;		/* of the first one */
		mode_t		 mode;
		int		 lines;
		const char	*dir;
		int		 code;
	} rows[] = {
		{ "the same", OTHER_UID, 0440, 10, "drop", EX_OK },
		{ "another", OTHER_UID, 0440, 11, "drop", EX_TEMPFAIL },
		{ "somebody else's", 4712, 0440, 10, "drop", EX_TEMPFAIL },
		{ "not finished", OTHER_UID, 0600, 10, "drop", EX_TEMPFAIL },
		{ "not handed over", OTHER_UID, 0640, 10, "drop",
		    EX_TEMPFAIL },
		{ "in queue/", OTHER_UID, 0600, 10, "queue", EX_OK },
		{ "somebody else's in queue/", 4712, 0600, 10, "queue",
		    EX_TEMPFAIL },
	};
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	struct buf text = BUF_INIT;
	const char *file;
	size_t i;
	pid_t pid;

	(void)state;
	peer_uid = OTHER_UID;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		pid = serve_one();
		assert_int_equal(hand_over(message(10), &text), EX_OK);
		assert_int_equal(status_of(pid), EX_OK);
		file = fixture_path(rows[i].dir, ID);
		assert_int_equal(rename(fixture_path("drop", ID), file), 0);
		ts[1].tv_nsec = rows[i].owner;
		assert_int_equal(utimensat(AT_FDCWD, file, ts, 0), 0);
		assert_int_equal(chmod(file, rows[i].mode), 0);
		pid = serve_one();
		assert_int_equal(hand_over(message(rows[i].lines), &text),
		    rows[i].code);
		(void)status_of(pid);
		assert_int_equal(unlink(file), 0);
		assert_spool(0);
	}
	peer_uid = (uid_t)-1;
	buf_clear(&text);
}

static const struct {
	const char	*says;		/* the server */
	int		 code;
	const char	*text;
} answers[] = {
	{ "0 \n", EX_OK, "" },
	{ "+0 \n", EX_OK, "" },
	{ "+75 x\n", EX_TEMPFAIL, "x" },
	{ "+", EX_TEMPFAIL, "nobody answers" },
	{ "++0 \n", EX_TEMPFAIL, "Protocol error" },
	{ "0\n", EX_TEMPFAIL, "Protocol error" },
	{ "0 ", EX_TEMPFAIL, "Protocol error" },
	{ "\n", EX_TEMPFAIL, "Protocol error" },
	{ "-1 x\n", EX_TEMPFAIL, "Protocol error" },
	{ " 0 x\n", EX_TEMPFAIL, "Protocol error" },
	{ "63 x\n", EX_TEMPFAIL, "Protocol error" },
	{ "79 x\n", EX_TEMPFAIL, "Protocol error" },
	{ "99999999999999999999 x\n", EX_TEMPFAIL, "Protocol error" },
	{ "69 too \033[2Jbig\n", EX_UNAVAILABLE, "too ?[2Jbig" },
	{ "", EX_TEMPFAIL, "nobody answers" },
};

static void
test_handover_answers(void **state)
{
	struct buf text = BUF_INIT;
	char long_line[3000], junk[4096];
	size_t i;
	pid_t pid;
	int sock, code;

	(void)state;
	memset(long_line, '7', sizeof(long_line));
	for (i = 0; i <= sizeof(answers) / sizeof(answers[0]); i++) {
		if ((pid = fork()) == 0) {
			while ((sock = accept(listener, NULL, NULL)) != -1) {
				while (recv(sock, junk, sizeof(junk), 0) > 0)
					;
				if (i < sizeof(answers) / sizeof(answers[0]))
					say(sock, answers[i].says,
					    strlen(answers[i].says));
				else
					say(sock, long_line,
					    sizeof(long_line));
				close(sock);
			}
			_exit(0);
		}
		code = hand_over(message(1), &text);
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		if (i < sizeof(answers) / sizeof(answers[0])) {
			print_message("%s", answers[i].says);
			assert_int_equal(code, answers[i].code);
			assert_string_equal(buf_str(&text), answers[i].text);
		} else
			assert_int_equal(code, EX_TEMPFAIL);
	}
	buf_clear(&text);
}

static void
test_handover_nobody_there(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	assert_false(handover_is_open("/nonexistent"));
	assert_int_equal(errno, ENOENT);
	assert_false(handover_is_open("/dev/null"));
	assert_int_equal(errno, ENOTSOCK);
	close(listener);
	assert_int_equal(hand_over(message(1), &text), EX_TEMPFAIL);
	assert_string_equal(buf_str(&text), "Connection refused");
	buf_clear(&text);
}

static int
setup(void **state)
{
	char *dir;

	(void)state;
	spool = fixture_spool();
	path = xasprintf("%s/submit", spool);
	dir = xstrdup(spool);
	conf.spool = dir;
	listen_at_path();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(path);
	free(conf.spool);
	fixture_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handover_of_a_message),
		cmocka_unit_test(test_handover_hostile),
		cmocka_unit_test(test_handover_slow),
		cmocka_unit_test(test_handover_client_dies),
		cmocka_unit_test(test_handover_one_call_fails),
		cmocka_unit_test(test_handover_server_dies),
		cmocka_unit_test(test_handover_server_dies_and_runner_works),
		cmocka_unit_test(test_handover_was_committed),
		cmocka_unit_test(test_handover_again),
		cmocka_unit_test(test_handover_answers),
		cmocka_unit_test(test_handover_nobody_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
