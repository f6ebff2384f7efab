/* SPDX-License-Identifier: ISC */
/*
 * peer.c: from an address to a session, as the TLS policy wants it.  A child
 * plays the server on loopback by a script, and writes down the commands.
 */
#include "config.h"

#include "run/peer.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/route.h"

/* What the server says to each command; NULL: 250. */
struct server {
	const char	*banner;
	const char	*ehlo;
	const char	*starttls;
	const char	*after;		/* 220: octets in place of a handshake */
	bool		 drops;		/* hangs up when it hears EHLO */
};

static const char *
reply_to(const struct server *s, const char *command)
{
	if (strncmp(command, "EHLO", 4) == 0 && s->ehlo != NULL)
		return s->ehlo;
	if (strncmp(command, "STARTTLS", 8) == 0 && s->starttls != NULL)
		return s->starttls;
	return "250 ok\r\n";
}

/* A line, or what there is of one; false at the end. */
static bool
get_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(fd, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = '\0';
	return n > 0;
}

static void
say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

/*
 * One connection: the first word of each command goes to OUT.  False when
 * that is END.
 */
static bool
converse(int fd, const struct server *s, int out)
{
	char line[512];
	const char *reply;

	say(fd, s->banner != NULL ? s->banner : "220 hi\r\n");
	while (get_line(fd, line, sizeof(line))) {
		reply = reply_to(s, line);
		line[strcspn(line, " \r\n")] = '\0';
		if (strcmp(line, "END") == 0)
			return false;
		say(out, line);
		say(out, " ");
		if (strcmp(line, "EHLO") == 0 && s->drops)
			break;
		if (strcmp(line, "QUIT") == 0)
			break;
		say(fd, reply);
		if (strcmp(line, "STARTTLS") == 0 && reply[0] == '2') {
			/* some of the ClientHello */
			get_line(fd, line, 10);
			say(fd, s->after);
			break;
		}
	}
	say(out, "|");
	return true;
}

/* The child: connections one after the other. */
static void
serve(int lfd, const struct server *s, int out)
{
	bool more = true;
	int fd;

	while (more) {
		if ((fd = accept(lfd, NULL, NULL)) == -1)
			_exit(1);
		more = converse(fd, s, out);
		close(fd);
	}
	_exit(0);
}

static struct hop hop;
static struct hop_addr addr;
static pid_t child;
static int heard = -1;

static void
server_start(const struct server *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int lfd, p[2];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lfd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(lfd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(lfd, 5), 0);
	assert_int_equal(getsockname(lfd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(pipe(p), 0);
	if ((child = fork()) == 0) {
		close(p[0]);
		serve(lfd, s, p[1]);
	}
	assert_true(child > 0);
	close(lfd);
	close(p[1]);
	heard = p[0];
	memset(&hop, 0, sizeof(hop));
	memset(&addr, 0, sizeof(addr));
	hop.host = "mx.example";
	hop.port = ntohs(sin.sin_port);
	memcpy(&addr.ss, &sin, sizeof(sin));
	addr.len = sizeof(sin);
}

/* End the child, and fetch what it wrote down. */
static void
server_stop(char *text, size_t size)
{
	int status, fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t len = 0;
	ssize_t n;

	assert_int_equal(connect(fd, (struct sockaddr *)&addr.ss, addr.len),
	    0);
	say(fd, "END\n");
	while ((n = read(heard, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	close(heard);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static char hostname[] = "me.example";
static const struct conf conf = { .hostname = hostname,
    .connect_timeout = 20000, .reply_timeout = 20000,
    .data_timeout = 20000, .log = LOG_TO_STDERR };

#define PLAIN	"250-mx\r\n250 PIPELINING\r\n"
#define TLS	"250-mx\r\n250 STARTTLS\r\n"
static const struct {
	const char	*name;
	struct server	 server;
	enum policy_level level;
	const char	*heard;
	int		 code;	/* of the failure, or -1 */
} rows[] = {
	{ "none: never asked for", { .ehlo = TLS }, POLICY_NONE,
	    "EHLO QUIT |", -1 },
	{ "may, not offered", { .ehlo = PLAIN }, POLICY_MAY,
	    "EHLO QUIT |", -1 },
	{ "may, refused", { .ehlo = TLS, .starttls = "454 no\r\n" },
	    POLICY_MAY, "EHLO STARTTLS QUIT |", -1 },
	{ "may, handshake fails", { .ehlo = TLS, .starttls = "220 go\r\n",
	    .after = "500 what?\r\n" }, POLICY_MAY,
	    "EHLO STARTTLS |EHLO QUIT |", -1 },
	{ "may, injected reply", { .ehlo = TLS,
	    .starttls = "220 go\r\n250 injected\r\n", .after = "" },
	    POLICY_MAY, "EHLO STARTTLS |EHLO QUIT |", -1 },
	{ "may, old server", { .ehlo = "500 what?\r\n" }, POLICY_MAY,
	    "EHLO HELO QUIT |", -1 },
	{ "may, hangs up at EHLO", { .drops = true }, POLICY_MAY,
	    "EHLO |HELO QUIT |", -1 },
	{ "none, hangs up at EHLO", { .drops = true }, POLICY_NONE,
	    "EHLO |HELO QUIT |", -1 },
	{ "encrypt, hangs up at EHLO", { .drops = true }, POLICY_ENCRYPT,
	    "EHLO |", R_LOST },
	{ "may, 421 to STARTTLS", { .ehlo = TLS, .starttls = "421 bye\r\n",
	    .after = "" }, POLICY_MAY, "EHLO STARTTLS |", R_LATER },
	{ "421 to EHLO: no HELO", { .ehlo = "421 bye\r\n" }, POLICY_MAY,
	    "EHLO |", R_LATER },
	{ "calls itself as we do", { .ehlo = "250-ME.example hi\r\n"
	    "250 SIZE\r\n" }, POLICY_MAY, "EHLO QUIT |", R_LATER },
	{ "as we do, and HELO", { .ehlo = "500 what?\r\n" }, POLICY_MAY,
	    "EHLO HELO QUIT |", -1 },
	{ "encrypt, not offered", { .ehlo = PLAIN }, POLICY_ENCRYPT,
	    "EHLO QUIT |", R_TLS },
	{ "encrypt, refused", { .ehlo = TLS, .starttls = "502 no\r\n" },
	    POLICY_ENCRYPT, "EHLO STARTTLS QUIT |", R_TLS },
	{ "encrypt, handshake fails", { .ehlo = TLS,
	    .starttls = "220 go\r\n", .after = "500 what?\r\n" },
	    POLICY_ENCRYPT, "EHLO STARTTLS |", R_TLS },
	{ "encrypt, old server", { .ehlo = "500 what?\r\n" },
	    POLICY_ENCRYPT, "EHLO QUIT |", R_LATER },
	{ "verify, not offered", { .ehlo = PLAIN }, POLICY_VERIFY,
	    "EHLO QUIT |", R_TLS },
	{ "verify, handshake fails", { .ehlo = TLS,
	    .starttls = "220 go\r\n", .after = "500 what?\r\n" },
	    POLICY_VERIFY, "EHLO STARTTLS |", R_TLS },
	{ "554 as a greeting", { .banner = "554 go away\r\n" }, POLICY_MAY,
	    "QUIT |", R_LATER },
	{ "no SMTP", { .banner = "SSH-2.0\r\n" }, POLICY_MAY, "|", R_PROTO },
};

static void
test_peer_open_rows(void **state)
{
	struct policy policy = { .name = "mx.example" };
	struct peer_trace quiet = { NULL, NULL };
	struct peer_at at = { .addr = &addr };
	struct peer *p;
	struct result r;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		server_start(&rows[i].server);
		policy.level = rows[i].level;
		memset(&r, 0, sizeof(r));
		p = peer_open(&conf, &hop, &at, &policy, quiet, &r);
		if ((p == NULL) != (rows[i].code != -1) ||
		    (p == NULL && (int)r.code != rows[i].code))
			fail_msg("%s: %d %s", rows[i].name, r.code, r.text);
		if (p == NULL) {
			assert_true(result_is_temporary(&r));
			assert_true(r.text[0] != '\0');
			assert_non_null(strstr(r.host,
			    "mx.example[127.0.0.1]:"));
		} else {
			assert_false(p->tls);
			assert_string_equal(p->tls_text, "no TLS");
			assert_non_null(strstr(p->relay,
			    "mx.example[127.0.0.1]:"));
		}
		peer_close(p);
		server_stop(text, sizeof(text));
		if (strcmp(text, rows[i].heard) != 0)
			fail_msg("%s: %s", rows[i].name, text);
	}
}

static void
test_peer_open_nobody_listens(void **state)
{
	static const struct server s = { .banner = NULL };
	struct policy policy = { POLICY_MAY, "mx.example" };
	struct peer_trace quiet = { NULL, NULL };
	struct peer_at at = { .addr = &addr };
	struct result r;
	char text[64];

	(void)state;
	server_start(&s);
	server_stop(text, sizeof(text));
	assert_null(peer_open(&conf, &hop, &at, &policy, quiet, &r));
	assert_int_equal(r.code, R_CONNECT);
	assert_non_null(strstr(r.host, "mx.example[127.0.0.1]:"));
}

/* Our own name is no reason where the administrator wrote the host. */
static void
test_peer_open_own_name(void **state)
{
	static const struct server s = { .ehlo = "250 me.example\r\n" };
	struct policy policy = { POLICY_MAY, "mx.example" };
	struct peer_trace quiet = { NULL, NULL };
	struct peer_at at = { .addr = &addr };
	struct peer *p;
	struct result r;
	char text[64];

	(void)state;
	server_start(&s);
	assert_null(peer_open(&conf, &hop, &at, &policy, quiet, &r));
	assert_string_equal(result_esc(&r), "4.4.6");
	hop.localconf = true;
	p = peer_open(&conf, &hop, &at, &policy, quiet, &r);
	assert_non_null(p);
	peer_close(p);
	server_stop(text, sizeof(text));
}

static void
test_peer_serves(void **state)
{
	char host[] = "mx.example", name[] = "tls.example";
	struct peer p = { .host = host, .name = name, .port = 25,
	    .level = POLICY_VERIFY };
	struct hop h = { .host = "mx.example", .port = 25 };
	struct policy policy = { POLICY_VERIFY, "tls.example" };

	(void)state;
	assert_true(peer_serves(&p, &h, &policy));
	h.port = 26;
	assert_false(peer_serves(&p, &h, &policy));
	h.port = 25;
	h.host = "mx2.example";
	assert_false(peer_serves(&p, &h, &policy));
	h.host = "mx.example";
	policy.level = POLICY_MAY;
	assert_false(peer_serves(&p, &h, &policy));
	policy.level = POLICY_VERIFY;
	policy.name = "mx.example";
	assert_false(peer_serves(&p, &h, &policy));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_open_rows),
		cmocka_unit_test(test_peer_open_nobody_listens),
		cmocka_unit_test(test_peer_open_own_name),
		cmocka_unit_test(test_peer_serves),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
