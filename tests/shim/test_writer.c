/* SPDX-License-Identifier: ISC */
/*
 * Both ends of the mailbox writer's socket.  Users are our own, and nobody
 * changes his identity: that the real calls do so is for the end-to-end tests.
 */
#include "config.h"

#include "local/writer.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#define MESSAGE	"Subject: x\r\n\r\nbody\r\n"
#define ID	"0123456789ABCDEFGHJK"

static char dir[] = "/tmp/test_writer.XXXXXX";
static char sock[64];
static struct passwd user;	/* the only one */
static int lookup_error;	/* of getpwnam(3), or 0 */
static const char *looked_up;
static bool may_become;
static uid_t became;

struct passwd *__wrap_getpwnam(const char *);
int	__wrap_setgroups(size_t, const gid_t *);
int	__wrap_setegid(gid_t);
int	__wrap_seteuid(uid_t);
uid_t	__wrap_geteuid(void);

struct passwd *
__wrap_getpwnam(const char *name)
{
	looked_up = name;
	errno = lookup_error;
	return lookup_error == 0 && strcmp(name, "u") == 0 ? &user : NULL;
}

int
__wrap_setgroups(size_t n, const gid_t *groups)
{
	(void)groups;
	assert_int_equal(n, 0);
	errno = EPERM;
	return may_become ? 0 : -1;
}

int
__wrap_setegid(gid_t gid)
{
	(void)gid;
	return 0;
}

int
__wrap_seteuid(uid_t uid)
{
	became = uid;
	return 0;
}

uid_t
__wrap_geteuid(void)
{
	return became;
}

static int
message(void)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "envelope" MESSAGE, 8 + sizeof(MESSAGE) -
	    1), 8 + sizeof(MESSAGE) - 1);
	return fd;
}

/* How many messages the Maildir has; they go. */
static int
delivered(void)
{
	char text[128];
	int n;

	snprintf(text, sizeof(text), "%s/M/new/" ID ".h.test", dir);
	n = access(text, F_OK) == 0;
	snprintf(text, sizeof(text), "rm -rf %s/M", dir);
	assert_int_equal(system(text), 0);
	return n;
}

static int
setup(void **state)
{
	(void)state;
	user = (struct passwd){ .pw_uid = 4711, .pw_gid = 4712,
	    .pw_dir = dir };
	lookup_error = 0;
	looked_up = NULL;
	may_become = true;
	became = 0;
	return 0;
}

/* --- the writer's end ----------------------------------------------------- */

static void
fill(struct writer_request *q)
{
	memset(q, 0, sizeof(*q));
	q->version = WRITER_VERSION;
	q->maildir = 1;
	q->start = 8;
	q->size = sizeof(MESSAGE) - 1;
	(void)strlcpy(q->user, "u", sizeof(q->user));
	(void)strlcpy(q->path, "~/M", sizeof(q->path));
	(void)strlcpy(q->id, ID, sizeof(q->id));
	(void)strlcpy(q->sender, "s@x.test", sizeof(q->sender));
	(void)strlcpy(q->rcpt, "u@h.test", sizeof(q->rcpt));
	(void)strlcpy(q->hostname, "h.test", sizeof(q->hostname));
}

/* N octets of the request, and FD unless it is -1. */
static void
ask(const struct writer_request *q, size_t n, int fd, struct result *r)
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { (void *)(uintptr_t)q, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct writer_answer a;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(pair[0], &msg, 0), n);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	writer_serve(pair[1]);
	assert_int_equal(recv(pair[0], &a, sizeof(a), 0), sizeof(a));
	assert_int_equal(a.version, WRITER_VERSION);
	*r = a.result;
	close(pair[0]);
	close(pair[1]);
	/* back to what it was */
	assert_int_equal(became, 0);
}

static void
test_writer_serve(void **state)
{
	struct writer_request q;
	struct result r;
	int fd = message();

	(void)state;
	fill(&q);
	ask(&q, sizeof(q), fd, &r);
	assert_int_equal(r.code, R_SENT);
	assert_string_equal(r.text, "delivered to the Maildir of u");
	assert_int_equal(delivered(), 1);
	(void)strlcpy(q.user, "nobody-here", sizeof(q.user));
	ask(&q, sizeof(q), fd, &r);
	assert_int_equal(r.code, R_NOUSER);
	fill(&q);
	may_become = false;
	ask(&q, sizeof(q), fd, &r);
	assert_int_equal(r.code, R_LOCALERR);
	assert_non_null(strstr(r.text, "cannot become user \"u\""));
	assert_int_equal(delivered(), 0);
	close(fd);
}

/* Nothing is looked up or opened for a request that makes no sense. */
static void
test_writer_serve_bad_requests(void **state)
{
	struct writer_request q;
	struct result r;
	int fd = message(), pipefd[2], i;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	for (i = 0; ; i++) {
		size_t n = sizeof(q);
		int with = fd;

		fill(&q);
		switch (i) {
		case 0:
			q.version++;
			break;
		case 1:
			n--;
			break;
		case 2:
			with = -1;
			break;
		case 3:
			with = pipefd[0];
			break;
		case 4:
			q.start = -1;
			break;
		case 5:
			q.size = -1;
			break;
		case 6:
			q.size++;
			break;
		case 7:
			q.start = INT64_MAX;
			break;
		case 8:
			q.size = INT64_MAX;
			break;
		case 9:
			memset(q.user, 'u', sizeof(q.user));
			break;
		case 10:
			memset(q.path, '/', sizeof(q.path));
			break;
		case 11:
			(void)strlcpy(q.id, "../x", sizeof(q.id));
			break;
		case 12:
			(void)strlcpy(q.sender, "a\nb", sizeof(q.sender));
			break;
		case 13:
			(void)strlcpy(q.rcpt, "a\rb", sizeof(q.rcpt));
			break;
		case 14:
			(void)strlcpy(q.hostname, "a/b", sizeof(q.hostname));
			break;
		case 15:
			memset(q.rcpt, 'r', sizeof(q.rcpt));
			break;
		default:
			close(fd);
			close(pipefd[0]);
			close(pipefd[1]);
			return;
		}
		print_message("request %d\n", i);
		ask(&q, n, with, &r);
		assert_int_equal(r.code, R_LOCALERR);
		assert_non_null(strstr(r.text, "does not understand"));
		assert_null(looked_up);
		assert_int_equal(delivered(), 0);
	}
}

/* A name that is a path, or an option, is no user; and is not looked up. */
static void
test_writer_user(void **state)
{
	static const char *const names[] = { "", ".", "..", ".u", "-u", "a/b",
	    "/u" };
	struct writer_request q;
	struct result r;
	int fd = message();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fill(&q);
		(void)strlcpy(q.user, names[i], sizeof(q.user));
		ask(&q, sizeof(q), fd, &r);
		assert_int_equal(r.code, R_NOUSER);
		assert_null(looked_up);
	}
	/* a lookup that fails says nothing about the user */
	fill(&q);
	lookup_error = ENOENT;
	ask(&q, sizeof(q), fd, &r);
	assert_int_equal(r.code, R_NOUSER);
	lookup_error = EIO;
	ask(&q, sizeof(q), fd, &r);
	assert_int_equal(r.code, R_LOCALERR);
	assert_non_null(strstr(r.text, strerror(EIO)));
	close(fd);
}

/* --- the worker's end ----------------------------------------------------- */

static void
deliver(struct result *r)
{
	struct store s = { .user = "u", .path = "~/M", .id = ID,
	    .sender = "s@x.test", .rcpt = "u@h.test", .hostname = "h.test",
	    .fd = message(), .start = 8, .size = sizeof(MESSAGE) - 1 };

	memset(r, 0, sizeof(*r));
	r->code = R_MAX;
	writer_deliver(&s, sock, r);
	close(s.fd);
}

/* Our own mailbox needs no writer. */
static void
test_writer_deliver_own(void **state)
{
	struct result r;

	(void)state;
	became = user.pw_uid;
	deliver(&r);
	assert_int_equal(r.code, R_SENT);
	assert_int_equal(delivered(), 1);
}

/* A writer, in a process of its own: ANSWER, N octets; -1: the real one. */
static pid_t
serve(const void *answer, ssize_t n)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), one;
	struct writer_request q;
	pid_t pid;

	(void)strlcpy(un.sun_path, sock, sizeof(un.sun_path));
	(void)unlink(sock);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if ((one = accept(fd, NULL, NULL)) == -1)
			_exit(1);
		if (n == -1)
			writer_serve(one);
		else if (recv(one, &q, sizeof(q), 0) != sizeof(q) ||
		    (n > 0 && send(one, answer, (size_t)n, 0) != n))
			_exit(1);
		_exit(0);
	}
	close(fd);
	return pid;
}

static void
deliver_to(pid_t pid, struct result *r)
{
	int status;

	deliver(r);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(unlink(sock), 0);
}

static void
test_writer_deliver(void **state)
{
	struct result r;

	(void)state;
	deliver_to(serve(NULL, -1), &r);
	assert_int_equal(r.code, R_SENT);
	assert_string_equal(r.text, "delivered to the Maildir of u");
	assert_int_equal(delivered(), 1);
}

/* Whatever is wrong with the writer, the mail waits. */
static void
test_writer_deliver_held(void **state)
{
	struct writer_answer a;
	struct result r;
	int i;

	(void)state;
	deliver(&r);
	assert_int_equal(r.code, R_HELD);
	assert_non_null(strstr(r.text, "start mxnss-mailbox.socket"));
	assert_non_null(strstr(r.text, strerror(ENOENT)));
	for (i = 0; i < 4; i++) {
		memset(&a, 0, sizeof(a));
		a.version = WRITER_VERSION;
		if (i == 1)
			a.version++;
		if (i == 2)
			a.result.code = R_MAX;
		deliver_to(serve(&a, i == 0 ? 0 : i == 3 ? 8 :
		    (ssize_t)sizeof(a)), &r);
		assert_int_equal(r.code, R_HELD);
	}
	/* a text without an end is cut */
	memset(&a, 'x', sizeof(a));
	a.version = WRITER_VERSION;
	a.result.code = R_LATER;
	deliver_to(serve(&a, sizeof(a)), &r);
	assert_int_equal(r.code, R_LATER);
	assert_int_equal(strlen(r.text), sizeof(r.text) - 1);
	assert_int_equal(strlen(r.esc), sizeof(r.esc) - 1);
	assert_int_equal(strlen(r.host), sizeof(r.host) - 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_writer_serve),
		TEST(test_writer_serve_bad_requests),
		TEST(test_writer_user),
		TEST(test_writer_deliver_own),
		TEST(test_writer_deliver),
		TEST(test_writer_deliver_held),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(sock, sizeof(sock), "%s/sock", dir);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	return rc;
}
