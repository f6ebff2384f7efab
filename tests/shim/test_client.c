/* SPDX-License-Identifier: ISC */
/*
 * The whole client - sockets, TLS, SMTP - against tests/tools/fakemx, in
 * clear text and through TLS: the faults that need a real connection, in
 * scaled time.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "certs.h"
#include "smtp/dial.h"
#include "smtp/net.h"
#include "smtp/smtp.h"
#include "smtp/tls.h"

#define LONG	30000
#define SHORT	2000	/* a busy machine must get to the silence in it */

static char home[] = "/tmp/test_client.XXXXXX";

/* --- the server ----------------------------------------------------------- */

struct server {
	pid_t	 pid;
	int	 port;
	char	*dir;
};

static char *
in_home(const char *name)
{
	return xasprintf("%s/%s", home, name);
}

static void
write_script(const char *text)
{
	char *path = in_home("script");
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void
server_start(struct server *sv, const char *script)
{
	static int n;
	const char *top = getenv("top_builddir");
	char *program, *cert = in_home("cert"), *key = in_home("key");
	char *path = in_home("script"), line[64];
	int out[2];
	FILE *f;

	program = xasprintf("%s/tests/tools/fakemx", top != NULL ? top : ".");
	sv->dir = xasprintf("%s/%d", home, ++n);
	write_script(script);
	assert_int_equal(pipe(out), 0);
	if ((sv->pid = fork()) == 0) {
		/* a test that fails leaves nothing behind */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(program, "fakemx", "-d", sv->dir, "-c", cert, "-k", key,
		    path, (char *)NULL);
		_exit(127);
	}
	assert_true(sv->pid != -1);
	close(out[1]);
	f = fdopen(out[0], "r");
	assert_non_null(f);
	if (fgets(line, sizeof(line), f) == NULL ||
	    strncmp(line, "ready ", 6) != 0)
		fail_msg("%s does not start", program);
	sv->port = (int)strtol(line + 6, NULL, 10);
	fclose(f);
	free(program);
	free(cert);
	free(key);
	free(path);
}

static void
server_stop(struct server *sv)
{
	kill(sv->pid, SIGTERM);
	waitpid(sv->pid, NULL, 0);
	free(sv->dir);
}

/* The file NAME of the server; empty if there is none. */
static void
server_file(const struct server *sv, const char *name, struct buf *b)
{
	char *path = xasprintf("%s/%s", sv->dir, name), block[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	buf_reset(b);
	while (f != NULL && (n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(b, block, n);
	if (f != NULL)
		fclose(f);
	free(path);
}

/* --- the client ----------------------------------------------------------- */

struct client {
	struct conn	*c;
	struct smtp	*s;
	struct result	 r;
};

/* "STEP OUTCOME" of the last step, with the result of the recipient. */
static void
note(struct buf *got, const char *step, int rv, const struct client *cl)
{
	buf_reset(got);
	buf_printf(got, "%s %s", step, rv == 0 ? "0" :
	    result_name(cl->r.code));
}

static int
open_session(struct client *cl, int port, bool tls, int ms, struct buf *got)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct smtp_params params = { .hostname = "client.example",
	    .peer = "mx.example[127.0.0.1]:25", .reply_timeout = ms,
	    .data_timeout = ms };
	const struct dial_addr to = { (struct sockaddr *)&sin, sizeof(sin) };
	struct smtp_io io;
	struct tls *t;
	size_t which;
	int fd, rv;

	memset(cl, 0, sizeof(*cl));
	fd = dial(&to, 1, NULL, LONG, &which, &cl->r);
	assert_true(fd != -1);
	cl->c = net_open(fd);
	net_io(cl->c, &io);
	cl->s = smtp_new(&io, &params);
	rv = smtp_greet(cl->s, &cl->r);
	note(got, "greet", rv, cl);
	if (rv != 0)
		return -1;
	rv = smtp_hello(cl->s, SMTP_EHLO_OR_HELO, &cl->r);
	note(got, "hello", rv, cl);
	if (rv != 0 || !tls)
		return rv;
	rv = smtp_starttls(cl->s, &cl->r);
	note(got, "starttls", rv, cl);
	if (rv != 0)
		return -1;
	t = tls_new(net_fd(cl->c), "mx.example", true, &cl->r);
	assert_non_null(t);
	net_deadline(cl->c, ms);
	rv = net_start_tls(cl->c, t, &cl->r);
	note(got, "tls", rv, cl);
	if (rv != 0)
		return -1;
	rv = smtp_hello(cl->s, SMTP_EHLO_ONLY, &cl->r);
	note(got, "hello", rv, cl);
	return rv;
}

static void
close_session(struct client *cl)
{
	smtp_quit(cl->s);
	smtp_free(cl->s);
	net_close(cl->c);
}

/* A message of SIZE octets, full of dots. */
static int
make_message(size_t size, struct buf *body)
{
	char path[] = "/tmp/test_client.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd != -1);
	unlink(path);
	buf_reset(body);
	while (body->len + 2 < size)
		buf_adds(body, body->len % 5 == 0 ? "\r\n." : "\r\n..text");
	body->len = size - 2;
	/* not a CR alone, where the size cut a line end */
	if (body->data[body->len - 1] == '\r')
		body->data[body->len - 1] = 'x';
	buf_adds(body, "\r\n");
	assert_int_equal(write(fd, body->data, body->len), body->len);
	return fd;
}

static void
send_mail(struct client *cl, int fd, size_t size, struct buf *got)
{
	struct smtp_rcpt rcpt = { .addr = "r@example.net" };
	struct smtp_message m = { .sender = "s@example.org", .rcpt = &rcpt,
	    .nrcpt = 1, .fd = fd, .size = (off_t)size };
	int rv = smtp_mail(cl->s, &m, &cl->r);

	note(got, "mail", rv, cl);
	buf_printf(got, " %s%s", result_name(rcpt.result.code),
	    m.unsure ? " unsure" : "");
	cl->r = rcpt.result;
}

/* --- rows ----------------------------------------------------------------- */

#define SMALL	1000
#define BIG	(8 * 1024 * 1024)

static const struct row {
	const char	*name;
	const char	*script;
	int		 ms;
	size_t		 size;
	const char	*want;
	bool		 stored;
} rows[] = {
	{ "a good server", "", LONG, SMALL, "mail 0 sent", true },
	{ "a big message", "", LONG, BIG, "mail 0 sent", true },
	{ "no PIPELINING", "ehlo: reply 250-mx\\n250 STARTTLS\n", LONG, SMALL,
	    "mail 0 sent", true },
	{ "bare LF in replies", "mail *: raw 250-a\\n250 b\\n\n", LONG, SMALL,
	    "mail 0 sent", true },
	{ "slow, but in time", "dot: sleep 200 | reply 250 ok\n", LONG, SMALL,
	    "mail 0 sent", true },
	{ "RST at QUIT", "quit: reset\n", LONG, SMALL, "mail 0 sent", true },

	{ "silent at once", "connect: silence\n", SHORT, SMALL, "greet lost",
	    false },
	{ "drips its banner", "connect: drip 60 220-aaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	    SHORT, SMALL, "greet lost", false },
	{ "endless banner", "connect: endless 220-hello\\r\\n\n", LONG, SMALL,
	    "greet proto", false },
	{ "endless line", "connect: endless hello\n", LONG, SMALL,
	    "greet proto", false },
	{ "endless reply to RCPT", "rcpt *: endless 250-hello\\r\\n\n", LONG,
	    SMALL, "mail proto proto", false },
	{ "silent after MAIL", "mail *: silence\n", SHORT, SMALL,
	    "mail lost lost", false },
	{ "resets at RCPT", "rcpt *: reset\n", LONG, SMALL, "mail lost lost",
	    false },
	{ "421 at RCPT", "rcpt *: reply 421 bye | close\n", LONG, SMALL,
	    "mail later later", false },
	{ "two replies to MAIL", "mail *: reply 250 ok\\n250 ok\n", LONG,
	    SMALL, "mail proto proto", false },
	{ "354 and 554 at once", "data: reply 354 go\\n554 no\n", LONG, BIG,
	    "mail later later", false },
	{ "closes in the message", "body 100000: close\n", LONG, BIG,
	    "mail lost lost", false },
	{ "552 in the message, closes", "body 100000: reply 552 5.3.4 big | "
	    "close\n", LONG, BIG, "mail refused refused", false },
	{ "552 in the message, reads no more", "body 100000: "
	    "reply 552 5.3.4 big | stop\n", LONG, BIG, "mail refused refused",
	    false },
	{ "250 in the message, reads no more", "body 100000: "
	    "reply 250 ok | stop\n", LONG, BIG, "mail proto proto", false },
	{ "reads no more", "data: reply 354 go | stop\n", SHORT, BIG,
	    "mail lost lost", false },
	{ "closes after the dot", "dot: keep | close\n", LONG, SMALL,
	    "mail lost lost unsure", false },
	{ "silent after the dot", "dot: silence\n", SHORT, SMALL,
	    "mail lost lost unsure", false },
	{ "drips the last reply", "dot: drip 100 250 ooooooooooooooooooooooooo"
	    "ooooooooooooooooooooooook\\r\\n\n", SHORT, SMALL,
	    "mail lost lost unsure", false },
};

static void
run_row(const struct row *row, bool tls)
{
	struct buf got = BUF_INIT, body = BUF_INIT, file = BUF_INIT;
	struct server sv;
	struct client cl;
	int fd = make_message(row->size, &body);

	print_message("%s%s\n", row->name, tls ? ", TLS" : "");
	server_start(&sv, row->script);
	if (open_session(&cl, sv.port, tls, row->ms, &got) == 0)
		send_mail(&cl, fd, row->size, &got);
	close_session(&cl);
	assert_string_equal(buf_str(&got), row->want);
	if (row->stored) {
		server_file(&sv, "0001.eml", &file);
		assert_int_equal(file.len, body.len);
		assert_memory_equal(file.data, body.data, body.len);
		server_file(&sv, "0001.env", &file);
		assert_non_null(strstr(buf_str(&file), tls ?
		    "session 1\ntls TLSv1.3\nfrom <s@example.org>" :
		    "session 1\ntls none\nfrom <s@example.org>"));
		assert_non_null(strstr(buf_str(&file),
		    "\nto <r@example.net>\n"));
	}
	server_stop(&sv);
	close(fd);
	buf_clear(&got);
	buf_clear(&body);
	buf_clear(&file);
}

static void
test_client_clear(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i], false);
}

static void
test_client_tls(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		/* those that never come to STARTTLS are not for here */
		if (strncmp(rows[i].want, "greet", 5) != 0)
			run_row(&rows[i], true);
}

static void
test_client_starttls(void **state)
{
	static const struct row table[] = {
		{ "response injection", "starttls: "
		    "reply 220 go\\n250 injected | tls\n", LONG, SMALL,
		    "starttls tls", false },
		{ "no TLS", "starttls: reply 220 go | sleep 50 | "
		    "raw 220 hello\\r\\n | silence\n", LONG, SMALL, "tls tls",
		    false },
		{ "closes", "starttls: reply 220 go | close\n", LONG, SMALL,
		    NULL, false },
		{ "stalls", "starttls: reply 220 go | silence\n", SHORT,
		    SMALL, "tls tls", false },
		{ "silent after the handshake", "starttls: reply 220 go | "
		    "tls | silence\n", SHORT, SMALL, "hello lost", false },
		{ "refused", "starttls: reply 454 4.7.0 no\n", LONG, SMALL,
		    "starttls tls", false },
	};
	struct buf got = BUF_INIT;
	struct server sv;
	struct client cl;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		server_start(&sv, table[i].script);
		assert_int_equal(open_session(&cl, sv.port, true, table[i].ms,
		    &got), -1);
		if (table[i].want != NULL)
			assert_string_equal(buf_str(&got), table[i].want);
		else
			/* seen before the handshake, or in it */
			assert_int_equal(cl.r.code, R_TLS);
		close_session(&cl);
		server_stop(&sv);
	}
	buf_clear(&got);
}

/* Refused twice, then taken, over three sessions. */
static void
test_client_later(void **state)
{
	struct buf got = BUF_INIT, body = BUF_INIT;
	struct server sv;
	struct client cl;
	int fd, i;

	(void)state;
	fd = make_message(SMALL, &body);
	server_start(&sv, "# greylisting\nrcpt *@example.net x2: "
	    "reply 450 4.7.1 later\n");
	for (i = 0; i < 3; i++) {
		assert_int_equal(open_session(&cl, sv.port, false, LONG,
		    &got), 0);
		send_mail(&cl, fd, SMALL, &got);
		assert_string_equal(buf_str(&got), i < 2 ? "mail 0 later" :
		    "mail 0 sent");
		close_session(&cl);
	}
	server_stop(&sv);
	close(fd);
	buf_clear(&got);
	buf_clear(&body);
}

/* Many recipients and messages in one session. */
static void
test_client_many(void **state)
{
	enum { N = 1000 };
	static struct smtp_rcpt rcpt[N];
	struct buf got = BUF_INIT, body = BUF_INIT;
	struct smtp_message m = { .sender = "", .rcpt = rcpt, .nrcpt = N };
	char *addr[N];
	struct server sv;
	struct client cl;
	int i, k;

	(void)state;
	m.fd = make_message(SMALL, &body);
	m.size = SMALL;
	for (i = 0; i < N; i++)
		rcpt[i].addr = addr[i] = xasprintf("%s%d@example.net",
		    i % 3 == 1 ? "no" : "yes", i);
	server_start(&sv, "rcpt no*: reply 550 5.1.1 who\n");
	assert_int_equal(open_session(&cl, sv.port, true, LONG, &got), 0);
	for (k = 0; k < 3; k++) {
		assert_int_equal(smtp_mail(cl.s, &m, &cl.r), 0);
		for (i = 0; i < N; i++)
			assert_int_equal(rcpt[i].result.code, i % 3 == 1 ?
			    R_REFUSED : R_SENT);
	}
	close_session(&cl);
	server_stop(&sv);
	for (i = 0; i < N; i++)
		free(addr[i]);
	close(m.fd);
	buf_clear(&got);
	buf_clear(&body);
}

/* --- certificates --------------------------------------------------------- */

static int
setup(void **state)
{
	struct cert_request q = { .cn = "mx", .san = "DNS:mx.example",
	    .from = -1, .to = 10 };
	char *path;
	X509 *x;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(home));
	q.key = EVP_EC_gen("P-256");
	x = cert_make(&q);
	path = in_home("cert");
	f = fopen(path, "w");
	assert_true(PEM_write_X509(f, x));
	assert_int_equal(fclose(f), 0);
	/* it is its own root */
	setenv("SSL_CERT_FILE", path, 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	free(path);
	path = in_home("key");
	f = fopen(path, "w");
	assert_true(PEM_write_PrivateKey(f, q.key, NULL, NULL, 0, NULL,
	    NULL));
	assert_int_equal(fclose(f), 0);
	free(path);
	X509_free(x);
	EVP_PKEY_free(q.key);
	return 0;
}

static int
teardown(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execlp("rm", "rm", "-rf", home, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_clear),
		cmocka_unit_test(test_client_tls),
		cmocka_unit_test(test_client_starttls),
		cmocka_unit_test(test_client_later),
		cmocka_unit_test(test_client_many),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
