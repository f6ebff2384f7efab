/* SPDX-License-Identifier: ISC */
/*
 * Connections over the loopback interface, with peers that are slow, silent,
 * gone, or say more than is good.
 */
#include "config.h"

#include "smtp/net.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "smtp/dial.h"
#include "smtp/tls.h"

#define LONG	30000		/* ms; never waited for */
#define SHORT	100		/* ms; waited for */

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

/* A connection, and the other end of it. */
static struct conn *
make(int *peer)
{
	struct sockaddr_in sin;
	const struct dial_addr to = { (const struct sockaddr *)&sin,
	    sizeof(sin) };
	struct result r;
	struct conn *c;
	size_t which;
	int fd = listen_on(&sin, 5), sock;

	sock = dial(&to, 1, NULL, LONG, &which, &r);
	assert_true(sock != -1);
	c = net_open(sock);
	*peer = accept(fd, NULL, NULL);
	assert_true(*peer != -1);
	close(fd);
	net_deadline(c, LONG);
	return c;
}

static void
say(int fd, const char *s)
{
	assert_int_equal(write(fd, s, strlen(s)), strlen(s));
}

static void
expect_line(struct conn *c, const char *want)
{
	struct result r;
	char line[256];

	assert_int_equal(net_readline(c, line, sizeof(line), &r),
	    strlen(want));
	assert_string_equal(line, want);
}

static void
expect_end(struct conn *c, const char *text)
{
	struct result r;
	char line[256];

	assert_int_equal(net_readline(c, line, sizeof(line), &r), -1);
	assert_int_equal(r.code, R_LOST);
	assert_string_equal(r.text, text);
}

/* --- lines ---------------------------------------------------------------- */

static void
test_net_readline(void **state)
{
	struct result r;
	struct conn *c;
	char line[64];
	int peer;

	(void)state;
	c = make(&peer);
	say(peer, "220 a\r\n220 b\n\r\n\n2\r0 c\r\r\n");
	expect_line(c, "220 a");
	assert_true(net_buffered(c));
	expect_line(c, "220 b");
	expect_line(c, "");
	expect_line(c, "");
	expect_line(c, "2\r0 c\r");
	assert_false(net_buffered(c));
	assert_false(net_pending(c));

	assert_int_equal(write(peer, "a\0b\r\n", 5), 5);
	assert_int_equal(net_readline(c, line, sizeof(line), &r), 3);
	assert_memory_equal(line, "a\0b", 4);
	net_close(c);
	close(peer);
}

static void
test_net_readline_length(void **state)
{
	static const struct {
		const char	*name;
		size_t		 len;
		const char	*end;
		bool		 fits;
	} table[] = {
		{ "fits", 62, "\r\n", true },
		{ "just fits", 63, "\r\n", true },
		{ "just fits, LF", 63, "\n", true },
		{ "one too long", 64, "\r\n", false },
		{ "one too long, LF", 64, "\n", false },
		{ "much too long", 3000, "\r\n", false },
		{ "more than the buffer, no end", 20000, "", false },
	};
	struct result r;
	struct conn *c;
	char line[64], *text;
	size_t i;
	int peer;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		c = make(&peer);
		text = calloc(1, table[i].len + 1);
		memset(text, 'x', table[i].len);
		say(peer, text);
		say(peer, table[i].end);
		if (table[i].fits) {
			assert_int_equal(net_readline(c, line, sizeof(line),
			    &r), table[i].len);
			assert_string_equal(line, text);
		} else {
			assert_int_equal(net_readline(c, line, sizeof(line),
			    &r), -1);
			assert_int_equal(r.code, R_PROTO);
			assert_string_equal(r.text,
			    "line of more than 63 octets");
		}
		free(text);
		net_close(c);
		close(peer);
	}
}

static void
test_net_readline_end(void **state)
{
	static const char closed[] = "connection closed by the server";
	struct conn *c;
	int peer;

	(void)state;
	c = make(&peer);
	close(peer);
	expect_end(c, closed);
	expect_end(c, closed);
	assert_true(net_pending(c));
	assert_false(net_buffered(c));
	net_close(c);

	c = make(&peer);
	say(peer, "421 last words\r\n250 ha");
	close(peer);
	expect_line(c, "421 last words");
	expect_end(c, closed);
	net_close(c);
}

static void
hard_close(int fd)
{
	const struct linger hard = { 1, 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard,
	    sizeof(hard)), 0);
	close(fd);
}

static void
test_net_readline_reset(void **state)
{
	struct conn *c;
	int peer;

	(void)state;
	c = make(&peer);
	hard_close(peer);
	expect_end(c, "connection lost: Connection reset by peer");
	net_close(c);
}

static void
test_net_readline_silence(void **state)
{
	struct conn *c;
	int peer;

	(void)state;
	c = make(&peer);
	net_deadline(c, SHORT);
	expect_end(c, "timed out");
	/* the time is over, but what is here is read */
	say(peer, "250 late\r\n");
	expect_line(c, "250 late");
	net_close(c);
	close(peer);
}

/* Each octet comes in time; the line does not. */
static void
test_net_readline_drip(void **state)
{
	const struct timespec pause = { 0, 5000000 };
	struct conn *c;
	pid_t pid;
	int peer;

	(void)state;
	c = make(&peer);
	if ((pid = fork()) == 0) {
		while (write(peer, "2", 1) == 1)
			nanosleep(&pause, NULL);
		_exit(0);
	}
	assert_true(pid != -1);
	net_deadline(c, SHORT);
	{
		struct result r;
		char line[60000];

		assert_int_equal(net_readline(c, line, sizeof(line), &r), -1);
		assert_string_equal(r.text, "timed out");
	}
	net_close(c);
	close(peer);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- writing -------------------------------------------------------------- */

/* However often the deadline is put off, all of it has an end. */
static void
test_net_limit(void **state)
{
	struct result r;
	struct conn *c;
	char line[64];
	int peer;

	(void)state;
	c = make(&peer);
	net_limit(c, SHORT);
	net_deadline(c, LONG);
	assert_int_equal(net_readline(c, line, sizeof(line), &r), -1);
	assert_int_equal(r.code, R_LOST);
	assert_string_equal(r.text, "timed out: too slow as a whole");
	/* a new one, for the next message */
	net_limit(c, LONG);
	net_deadline(c, SHORT);
	assert_int_equal(net_readline(c, line, sizeof(line), &r), -1);
	assert_string_equal(r.text, "timed out");
	assert_false(net_ended(c));
	close(peer);
	net_deadline(c, LONG);
	assert_int_equal(net_readline(c, line, sizeof(line), &r), -1);
	assert_true(net_ended(c));
	net_close(c);
}

static void
test_net_write(void **state)
{
	struct result r;
	struct conn *c;
	char got[64];
	int peer;

	(void)state;
	c = make(&peer);
	assert_int_equal(net_write(c, "EHLO ", 5, &r), 0);
	assert_int_equal(net_write(c, "me\r\n", 4, &r), 0);
	/* nothing leaves before the flush */
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(net_flush(c, &r), 0);
	assert_int_equal(recv(peer, got, sizeof(got), 0), 9);
	assert_memory_equal(got, "EHLO me\r\n", 9);
	assert_int_equal(net_flush(c, &r), 0);
	net_close(c);
	close(peer);
}

/* Write until the peer's window is full.  What net_flush() returned last. */
static int
write_all(struct conn *c, size_t *sent, struct result *r)
{
	static char block[16384];
	int rv;

	for (*sent = 0; *sent < 64 * 1024 * 1024; *sent += sizeof(block)) {
		if (net_write(c, block, sizeof(block), r) == -1)
			return -1;
		if ((rv = net_flush(c, r)) != 0) {
			*sent += sizeof(block);
			return rv;
		}
	}
	return 0;
}

static void
test_net_flush_zero_window(void **state)
{
	struct result r;
	struct conn *c;
	size_t sent;
	int peer;

	(void)state;
	c = make(&peer);
	net_deadline(c, SHORT);
	assert_int_equal(write_all(c, &sent, &r), -1);
	assert_int_equal(r.code, R_LOST);
	assert_string_equal(r.text, "timed out");
	net_close(c);
	close(peer);
}

static void
test_net_flush_last_words(void **state)
{
	struct result r;
	struct conn *c;
	size_t sent;
	int peer;

	(void)state;
	c = make(&peer);
	say(peer, "552 too big\r\n");
	assert_int_equal(write_all(c, &sent, &r), 1);
	assert_true(net_pending(c));
	expect_line(c, "552 too big");
	net_close(c);
	close(peer);

	/* the same where it hangs up */
	c = make(&peer);
	say(peer, "421 bye\r\n");
	close(peer);
	assert_int_equal(write_all(c, &sent, &r), 1);
	expect_line(c, "421 bye");
	net_close(c);
}

static void
test_net_flush_reset(void **state)
{
	struct result r;
	struct conn *c;
	size_t sent;
	int peer;

	(void)state;
	c = make(&peer);
	hard_close(peer);
	assert_int_equal(write_all(c, &sent, &r), -1);
	assert_int_equal(r.code, R_LOST);
	expect_end(c, "connection closed by the server");
	net_close(c);
}

/* The peer: say something, then take all that comes and say how much. */
static void
count(int fd)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t n;
	char text[64];

	say(fd, "250 first\r\n");
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		total += (size_t)n;
		if (buf[n - 1] == '\n')
			break;
	}
	snprintf(text, sizeof(text), "250 %zu\r\n", total);
	say(fd, text);
	_exit(0);
}

/* What could not leave at once leaves while we wait for a line. */
static void
test_net_readline_sends_the_rest(void **state)
{
	struct result r;
	struct conn *c;
	size_t sent;
	pid_t pid;
	char want[64];
	int go[2], peer;

	(void)state;
	c = make(&peer);
	assert_int_equal(pipe(go), 0);
	if ((pid = fork()) == 0) {
		/* not before the window is full */
		close(go[1]);
		(void)!read(go[0], want, 1);
		count(peer);
	}
	assert_true(pid != -1);
	close(go[0]);
	say(peer, "250 zero\r\n");
	assert_int_equal(write_all(c, &sent, &r), 1);
	close(go[1]);
	expect_line(c, "250 zero");
	expect_line(c, "250 first");
	/* the last octet, behind all that waits */
	assert_int_equal(net_write(c, "\n", 1, &r), 0);
	snprintf(want, sizeof(want), "250 %zu", sent + 1);
	expect_line(c, want);
	net_close(c);
	close(peer);
	waitpid(pid, NULL, 0);
}

static void
test_net_write_full_buffer(void **state)
{
	static char block[40000];
	struct result r;
	struct conn *c;
	size_t sent;
	int peer;

	(void)state;
	c = make(&peer);
	say(peer, "552 stop\r\n");
	assert_int_equal(write_all(c, &sent, &r), 1);
	assert_int_equal(net_write(c, block, sizeof(block), &r), -1);
	assert_string_equal(r.text, "the server reads no more");
	net_close(c);
	close(peer);
}

/* --- the rest ------------------------------------------------------------- */

static void
test_net_pending(void **state)
{
	struct conn *c;
	int peer;

	(void)state;
	c = make(&peer);
	assert_false(net_pending(c));
	assert_false(net_buffered(c));
	say(peer, "2");
	/* the loopback interface delivers at once */
	assert_true(net_pending(c));
	assert_true(net_buffered(c));
	net_close(c);
	close(peer);
}

static void
test_net_start_tls_injection(void **state)
{
	struct result r;
	struct tls *tls;
	struct conn *c;
	int peer;

	(void)state;
	c = make(&peer);
	say(peer, "220 go\r\n250 injected\r\n");
	expect_line(c, "220 go");
	tls = tls_new(net_fd(c), "mx.example", false, &r);
	assert_non_null(tls);
	assert_int_equal(net_start_tls(c, tls, &r), -1);
	assert_int_equal(r.code, R_TLS);
	net_close(c);
	close(peer);

	/* and where it is still in the socket */
	c = make(&peer);
	say(peer, "220 go\r\n");
	expect_line(c, "220 go");
	say(peer, "250 injected\r\n");
	tls = tls_new(net_fd(c), "mx.example", false, &r);
	assert_int_equal(net_start_tls(c, tls, &r), -1);
	assert_int_equal(r.code, R_TLS);
	assert_string_equal(r.text, "unexpected data from the server before "
	    "the TLS handshake");
	net_close(c);
	close(peer);

	c = make(&peer);
	close(peer);
	tls = tls_new(net_fd(c), "mx.example", false, &r);
	assert_int_equal(net_start_tls(c, tls, &r), -1);
	assert_int_equal(r.code, R_TLS);
	net_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net_readline),
		cmocka_unit_test(test_net_readline_length),
		cmocka_unit_test(test_net_readline_end),
		cmocka_unit_test(test_net_readline_reset),
		cmocka_unit_test(test_net_readline_silence),
		cmocka_unit_test(test_net_readline_drip),
		cmocka_unit_test(test_net_limit),
		cmocka_unit_test(test_net_write),
		cmocka_unit_test(test_net_flush_zero_window),
		cmocka_unit_test(test_net_flush_last_words),
		cmocka_unit_test(test_net_flush_reset),
		cmocka_unit_test(test_net_readline_sends_the_rest),
		cmocka_unit_test(test_net_write_full_buffer),
		cmocka_unit_test(test_net_pending),
		cmocka_unit_test(test_net_start_tls_injection),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
