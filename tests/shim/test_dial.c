/* SPDX-License-Identifier: ISC */
/*
 * dial.c: one address, and two of which the better one answers, or does not.
 * A full backlog swallows what comes, like a host behind a firewall.
 */
#include "config.h"

#include "smtp/dial.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define LONG	30000		/* ms; never waited for */
#define SHORT	100		/* ms; waited for */

/* errno of a call that fails, or 0 */
enum { AT_SOCKET, AT_BIND, AT_CONNECT, AT_POLL, NFAIL };
static int fail_with[NFAIL];

int	__wrap_socket(int, int, int);
int	__real_socket(int, int, int);
int	__wrap_bind(int, const struct sockaddr *, socklen_t);
int	__real_bind(int, const struct sockaddr *, socklen_t);
int	__wrap_connect(int, const struct sockaddr *, socklen_t);
int	__real_connect(int, const struct sockaddr *, socklen_t);
int	__wrap_poll(struct pollfd *, nfds_t, int);
int	__real_poll(struct pollfd *, nfds_t, int);

/* So that there is something to wait for, connect(2) is under way then. */
static bool
fails(int at)
{
	if (at == AT_CONNECT && fail_with[AT_POLL] != 0) {
		errno = EINPROGRESS;
		return true;
	}
	if (fail_with[at] == 0)
		return false;
	errno = fail_with[at];
	return true;
}

int
__wrap_socket(int domain, int type, int protocol)
{
	return fails(AT_SOCKET) ? -1 : __real_socket(domain, type, protocol);
}

int
__wrap_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	return fails(AT_BIND) ? -1 : __real_bind(fd, sa, len);
}

int
__wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return fails(AT_CONNECT) ? -1 : __real_connect(fd, sa, len);
}

int
__wrap_poll(struct pollfd *p, nfds_t n, int ms)
{
	return fails(AT_POLL) ? -1 : __real_poll(p, n, ms);
}

static int
listen_on(struct sockaddr_in *sin, int backlog)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd != -1);
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)sin, sizeof(*sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static int
dial_one(const struct sockaddr_in *sin, const char *from, int ms,
    struct result *r)
{
	const struct dial_addr to = { (const struct sockaddr *)sin,
	    sizeof(*sin) };
	size_t which = 7;
	int fd = dial(&to, 1, from, ms, &which, r);

	if (fd != -1)
		assert_int_equal(which, 0);
	return fd;
}

static void
test_dial_one(void **state)
{
	struct sockaddr_in sin, from;
	socklen_t len = sizeof(from);
	struct result r;
	int fd, sock, peer;

	(void)state;
	fd = listen_on(&sin, 5);
	sock = dial_one(&sin, "127.0.0.2", LONG, &r);
	assert_true(sock > 2);
	assert_true(fcntl(sock, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(sock, F_GETFD) & FD_CLOEXEC);
	peer = accept(fd, (struct sockaddr *)&from, &len);
	assert_true(peer != -1);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000002);
	close(sock);
	close(peer);
	close(fd);
}

static void
test_dial_one_fails(void **state)
{
	struct sockaddr_in sin;
	struct result r;
	int fd;

	(void)state;
	/* bound, so that nobody else is there, but not listening */
	fd = listen_on(&sin, -1);
	assert_int_equal(dial_one(&sin, NULL, LONG, &r), -1);
	assert_int_equal(r.code, R_CONNECT);
	assert_string_equal(r.text,
	    "cannot connect to 127.0.0.1: Connection refused");
	assert_int_equal(dial_one(&sin, "::1", LONG, &r), -1);
	assert_int_equal(r.code, R_LOCALERR);
	assert_string_equal(r.text, "source-address ::1 is no IPv4 address");
	assert_int_equal(dial_one(&sin, "192.0.2.77", LONG, &r), -1);
	assert_int_equal(r.code, R_LOCALERR);
	assert_non_null(strstr(r.text, "cannot use source-address 192.0.2.77"));
	close(fd);
}

/* Our own lack is not the host's fault, and is said to be ours. */
static void
test_dial_one_short_of_descriptors(void **state)
{
	struct rlimit rl, few;
	struct sockaddr_in sin;
	struct result r;
	int fd = listen_on(&sin, -1);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	few = rl;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(dial_one(&sin, NULL, LONG, &r), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	assert_int_equal(r.code, R_SHORT);
	assert_string_equal(r.text,
	    "cannot make a socket: out of file descriptors here");
	assert_string_equal(result_esc(&r), "4.3.0");
	close(fd);
}

/* Each call that can say so. */
static void
test_dial_one_short_in_a_call(void **state)
{
	static const int errors[] = { ENOMEM, ENOBUFS, ENFILE };
	struct sockaddr_in sin;
	struct result r;
	size_t i, j;
	int fd = listen_on(&sin, -1);

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (j = 0; j < NFAIL; j++) {
			fail_with[j] = errors[i];
			assert_int_equal(dial_one(&sin, "127.0.0.1", LONG,
			    &r), -1);
			fail_with[j] = 0;
			assert_int_equal(r.code, R_SHORT);
			assert_non_null(strstr(r.text, errors[i] == ENFILE ?
			    "out of file descriptors on this machine" :
			    "out of memory here"));
		}
	close(fd);
}

/* A listener that takes no more; the sockets that fill it in FDS. */
static int
black_hole(struct sockaddr_in *sin, int fds[8])
{
	struct result r;
	int fd = listen_on(sin, 0), n;

	for (n = 0; n < 8; n++)
		if ((fds[n] = dial_one(sin, NULL, SHORT, &r)) == -1)
			break;
	assert_true(n < 8);
	assert_int_equal(r.code, R_CONNECT);
	assert_string_equal(r.text,
	    "cannot connect to 127.0.0.1: Connection timed out");
	return fd;
}

static void
fill_up(int fd, const int fds[8])
{
	int i;

	for (i = 0; fds[i] != -1; i++)
		close(fds[i]);
	close(fd);
}

static void
test_dial_black_hole(void **state)
{
	struct sockaddr_in sin;
	int fd, fds[8];

	(void)state;
	fd = black_hole(&sin, fds);
	fill_up(fd, fds);
}

/* The second is not waited for until the first is given up. */
static void
test_dial_two_black_hole(void **state)
{
	struct sockaddr_in sin[2];
	const struct dial_addr to[2] = {
		{ (const struct sockaddr *)&sin[0], sizeof(sin[0]) },
		{ (const struct sockaddr *)&sin[1], sizeof(sin[1]) },
	};
	struct result r[2];
	size_t which = 7;
	int64_t began;
	int fd, fds[8], good, sock;

	(void)state;
	fd = black_hole(&sin[0], fds);
	good = listen_on(&sin[1], 5);
	began = clock_ms();
	sock = dial(to, 2, NULL, LONG, &which, r);
	assert_true(sock != -1);
	assert_int_equal(which, 1);
	assert_true(clock_ms() - began >= DIAL_HEAD_START);
	assert_true(clock_ms() - began < LONG);
	close(sock);
	assert_string_equal(r[0].text,
	    "cannot connect to 127.0.0.1: Connection timed out");

	/* nobody answers: what each of them said */
	close(good);
	assert_int_equal(dial(to, 2, NULL, SHORT, &which, r), -1);
	assert_string_equal(r[0].text,
	    "cannot connect to 127.0.0.1: Connection timed out");
	assert_string_equal(r[1].text,
	    "cannot connect to 127.0.0.1: Connection refused");
	fill_up(fd, fds);
}

static void
test_dial_two(void **state)
{
	struct sockaddr_in sin[2];
	const struct dial_addr to[2] = {
		{ (const struct sockaddr *)&sin[0], sizeof(sin[0]) },
		{ (const struct sockaddr *)&sin[1], sizeof(sin[1]) },
	};
	struct result r[2];
	size_t which = 7;
	int fd[2], sock;

	(void)state;
	fd[0] = listen_on(&sin[0], 5);
	fd[1] = listen_on(&sin[1], 5);
	sock = dial(to, 2, NULL, LONG, &which, r);
	assert_true(sock != -1);
	assert_int_equal(which, 0);
	close(sock);
	/* the second was not bothered */
	assert_int_equal(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept(fd[1], NULL, NULL), -1);
	/* the first refuses: the second, at once */
	close(fd[0]);
	sock = dial(to, 2, NULL, LONG, &which, r);
	assert_true(sock != -1);
	assert_int_equal(which, 1);
	close(sock);
	close(fd[1]);
	assert_int_equal(dial(to, 2, NULL, LONG, &which, r), -1);
	assert_int_equal(r[0].code, R_CONNECT);
	assert_int_equal(r[1].code, R_CONNECT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dial_one),
		cmocka_unit_test(test_dial_one_fails),
		cmocka_unit_test(test_dial_one_short_of_descriptors),
		cmocka_unit_test(test_dial_one_short_in_a_call),
		cmocka_unit_test(test_dial_black_hole),
		cmocka_unit_test(test_dial_two_black_hole),
		cmocka_unit_test(test_dial_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
