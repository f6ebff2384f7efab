/* SPDX-License-Identifier: ISC */
/* SMTP sessions: what the client says, the replies, and what is in drop/. */
#include "config.h"

#include "submit/smtpd.h"

#include <dirent.h>
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
#include "base/conf.h"
#include "spool_fixture.h"
#include "submit/smtpio.h"
#include "submit/submission.h"

static const char *spool;
static struct conf conf;

int __wrap_drop_space(const char *, uint64_t);
int
__wrap_drop_space(const char *path, uint64_t need)
{
	(void)path;
	(void)need;
	return 0;
}

static struct {
	const char	*p, *end;
	size_t		 step;
	struct buf	 out;
} w;

static ssize_t
read_input(void *arg, char *p, size_t n)
{
	(void)arg;
	if (n > w.step)
		n = w.step;
	if (n > (size_t)(w.end - w.p))
		n = (size_t)(w.end - w.p);
	memcpy(p, w.p, n);
	w.p += n;
	return (ssize_t)n;
}

static int
write_output(void *arg, const char *p, size_t n)
{
	(void)arg;
	buf_add(&w.out, p, n);
	return 0;
}

/* Say the N octets of TEXT, STEP at a time; the replies are in w.out. */
static void
say_octets(const char *text, size_t n, size_t step)
{
	const struct submit_env env = { &conf, NULL, "/nonexistent/wake",
	    "/nonexistent/runner", NULL };
	struct smtpio io = { .read = read_input, .write = write_output };

	w.p = text;
	w.end = text + n;
	w.step = step;
	buf_reset(&w.out);
	smtpio_init(&io);
	smtpd_serve(&env, &io, "[127.0.0.1]");
	smtpio_clear(&io);
}

static void
say(const char *text)
{
	say_octets(text, strlen(text), 1000);
}

static int
only_name(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* The one message in drop/, which is removed: the file's text, the caller's. */
static char *
message(void)
{
	struct dirent **list;
	char *text;

	assert_int_equal(scandir(fixture_path("drop", ""), &list, only_name,
	    NULL), 1);
	text = fixture_read("drop", list[0]->d_name);
	assert_int_equal(unlink(fixture_path("drop", list[0]->d_name)), 0);
	free(list[0]);
	free(list);
	return text;
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, text);
}

#define HELLO	"EHLO me\r\n"
#define BEGIN	HELLO "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n" \
	"DATA\r\n"

static void
test_smtpd_session(void **state)
{
	static const char text[] = HELLO "mail from:<a@b.example> SIZE=50 "
	    "BODY=8BITMIME RET=HDRS ENVID=a+2Bb\r\n"
	    "rcpt to:<c@d.example> NOTIFY=SUCCESS,DELAY "
	    "ORCPT=rfc822;x+2By@z.example\r\n"
	    "RCPT TO: <\"q r\"@d.example>\r\nRCPT TO:<postmaster>\r\n"
	    "DATA\r\nSubject: x\r\n\r\n..dot\r\n...\r\n.\r\nQUIT\r\nNOOP\r\n";
	size_t step;
	char *m;

	(void)state;
	for (step = 1; step < sizeof(text); step += 7) {
		say_octets(text, sizeof(text) - 1, step);
		has(w.out.data, "220 host.example ESMTP");
		has(w.out.data, "\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
		    "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n"
		    "250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.1.5 ok\r\n"
		    "250 2.1.5 ok\r\n354 ");
		has(w.out.data, "\r\n250 2.0.0 queued as ");
		has(w.out.data, "\r\n221 2.0.0 bye\r\n");
		m = message();
		has(m, "S11:a@b.example\nI3:a+b\nH4:HDRS\n"
		    "R11:c@d.example\nN13:SUCCESS,DELAY\nP13:x+y@z.example\n"
		    "R15:\"q r\"@d.example\nR20:postmaster@m.example\nM0:\n");
		has(m, "Received: from me ([127.0.0.1])\r\n\tby host.example "
		    "(mxnss, from userid ");
		has(m, "\r\n\twith ESMTP id ");
		has(m, "\r\n\r\n.dot\r\n..\r\nE7");
		free(m);
	}
}

static const struct {
	const char	*say;
	const char	*reply;		/* a part, after CRLF */
} rows[] = {
	{ "MAIL FROM:<a@b>\r\n", "503 5.5.1 EHLO first" },
	{ HELLO "RCPT TO:<a@b>\r\n", "503 5.5.1 MAIL first" },
	{ HELLO "DATA\r\n", "503 5.5.1 MAIL and RCPT first" },
	{ HELLO "MAIL FROM:<a@b>\r\nDATA\r\n", "554 5.5.1 no valid" },
	{ HELLO "MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n", "503 5.5.1 there" },
	{ HELLO "MAIL FROM:<a@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\n",
	    "250 2.1.0 ok\r\n250 2.0.0 ok\r\n250 2.1.0 ok" },
	{ HELLO "MAIL FROM:<a@b>\r\nEHLO x\r\nRCPT TO:<a@b>\r\n",
	    "503 5.5.1 MAIL first" },
	{ HELLO "MAIL FROM:<>\r\n", "250 2.1.0 ok" },
	{ HELLO "MAIL FROM:a@b\r\n", "250 2.1.0 ok" },
	{ HELLO "MAIL FROM:<@x,@y:a@b> SIZE=1\r\n", "250 2.1.0 ok" },
	{ HELLO "MAIL FROM:<\"x>y\\\"\"@b>\r\n", "250 2.1.0 ok" },
	{ HELLO "MAIL FROM:<a@b@c>\r\n", "553 5.1.7 the sender \"<a@b@c>\"" },
	{ HELLO "MAIL FROM:<a\tb@c>\r\n", "553 5.1.7 " },
	{ HELLO "MAIL FROM:<a@b\r\n", "501 5.5.4 as in MAIL" },
	{ HELLO "MAIL FROM:<a@b>x\r\n", "501 5.5.4 as in MAIL" },
	{ HELLO "MAIL <a@b>\r\n", "501 5.5.4 as in MAIL" },
	{ HELLO "MAIL FROM:<a@b> SIZE=1001\r\n", "552 5.3.4 " },
	{ HELLO "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n",
	    "552 5.3.4 " },
	{ HELLO "MAIL FROM:<a@b> SIZE=x\r\n", "501 5.5.4 SIZE" },
	{ HELLO "MAIL FROM:<a@b> SIZE\r\n", "501 5.5.4 SIZE" },
	{ HELLO "MAIL FROM:<a@b> BODY=BINARYMIME\r\n", "501 5.5.4 BODY" },
	{ HELLO "MAIL FROM:<a@b> RET=x\r\n", "501 5.5.4 RET" },
	{ HELLO "MAIL FROM:<a@b> ENVID=+4\r\n", "501 5.5.4 ENVID" },
	{ HELLO "MAIL FROM:<a@b> ENVID=a ENVID=b\r\n", "501 5.5.4 ENVID" },
	{ HELLO "MAIL FROM:<a@b> ENVID=a+0D+0Ab\r\n", "501 5.5.4 ENVID" },
	{ HELLO "MAIL FROM:<a@b> REQUIRETLS\r\n", "555 5.5.4 unknown" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<>\r\n", "553 5.1.3 \"<>\"" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<a@b@c>\r\n",
	    "553 5.1.3 \"<a@b@c>\"" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<a@b>,<c@d>\r\n",
	    "501 5.5.4 as in RCPT" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:a@b,c@d\r\n", "553 5.1.3 " },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<a@b> NOTIFY=x\r\n",
	    "501 5.5.4 NOTIFY" },
	{ HELLO "MAIL FROM:<\xc3\xa9@b>\r\n", "553 5.6.7 " },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<\xc3\xa9@b>\r\n", "553 5.6.7 " },
	{ HELLO "MAIL FROM:<a@b> SMTPUTF8=1\r\n", "501 5.5.4 SMTPUTF8" },
	{ HELLO "MAIL FROM:<\xff@b> SMTPUTF8\r\n", "553 5.1.7 " },
	{ HELLO "MAIL FROM:<a@b> SMTPUTF8\r\nRCPT TO:<\xff@b>\r\n",
	    "553 5.1.3 " },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<a@b> ORCPT=x\r\n",
	    "501 5.5.4 ORCPT" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<a@b> SIZE=1\r\n",
	    "555 5.5.4 unknown" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<1@b>\r\nRCPT TO:<2@b>\r\n"
	    "RCPT TO:<3@b>\r\nRCPT TO:<4@b>\r\n", "452 4.5.3 no more than 3" },
	{ HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<1@b>\r\nDATA x\r\n",
	    "501 5.5.4 DATA" },
	{ "EHLO\r\n", "501 5.5.4 your name" },
	{ "EHLO a(b\r\n", "501 5.5.4 your name" },
	{ "HELO me\r\n", "250 host.example" },
	{ "NOOP\r\n", "250 2.0.0 ok" },
	{ "HELP\r\n", "214 2.0.0 " },
	{ "VRFY a\r\n", "252 2.5.2 " },
	{ "EXPN a\r\n", "502 5.5.1 " },
	{ "STARTTLS\r\n", "502 5.5.1 " },
	{ "AUTH PLAIN x\r\n", "502 5.5.1 " },
	{ "FOO\r\n", "500 5.5.1 \"FOO\"" },
	{ "\r\n", "500 5.5.1 \"\"" },
	{ "GET / HTTP/1.1\r\nNOOP\r\n", "421 4.7.0 this is SMTP\r\n" },
	{ "PATCH / HTTP/1.1\r\nhost: localhost\r\nEHLO x\r\n",
	    "500 5.5.1 \"PATCH / HTTP/1.1\" is no command\r\n421 4.7.0 this is SMTP\r\n" },
	/* a line ends with CRLF, and with nothing else */
	{ "NOOP\n", "500 5.5.2 lines end" },
	{ "NOOP\rNOOP\r\n", "500 5.5.2 lines end" },
	{ "NOOP\r\r\n", "500 5.5.2 lines end" },
	{ "EHLO me\nNOOP\r\n", "500 5.5.2 lines end in CRLF, without a CR or "
	    "LF that stands alone\r\n250 2.0.0 ok\r\n" },
	{ BEGIN "x\n.\nMAIL FROM:<e@f>\r\n.\r\nNOOP\r\n",
	    "554 5.6.0 CR or LF stands alone in the message: lines end in CRLF "
	    "(RFC 5321 section 2.3.8)\r\n250 2.0.0 ok\r\n" },
	{ BEGIN "x\n.\r\nMAIL FROM:<e@f>\r\n.\r\n", "554 5.6.0 CR or LF" },
	{ BEGIN "x\r\n.\nMAIL FROM:<e@f>\r\n.\r\n", "554 5.6.0 CR or LF" },
	{ BEGIN "x\r.\r\nMAIL FROM:<e@f>\r\n.\r\n", "554 5.6.0 CR or LF" },
	{ BEGIN "x\r\n.\rMAIL FROM:<e@f>\r\n.\r\n", "554 5.6.0 CR or LF" },
	{ BEGIN "x\r\r\n.\r\n", "554 5.6.0 CR or LF" },
	{ BEGIN "\n.\r\n.\r\n", "554 5.6.0 CR or LF" },
	/* the connection ends before the message does */
	{ BEGIN "x\r\n", "421 4.4.2 no end of the message" },
	{ BEGIN "x\r\n.", "421 4.4.2 no end of the message" },
	{ BEGIN "x\r\n.\r", "421 4.4.2 no end of the message" },
	{ BEGIN, "421 4.4.2 no end of the message" },
};

static void
test_smtpd_replies(void **state)
{
	struct buf want = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].reply);
		buf_reset(&want);
		buf_printf(&want, "\r\n%s", rows[i].reply);
		say(rows[i].say);
		has(w.out.data, want.data);
		assert_null(strstr(w.out.data, "queued as"));
		assert_int_equal(fixture_count("drop"), 0);
	}
	buf_clear(&want);
}

static void
test_smtpd_size(void **state)
{
	struct buf text = BUF_INIT;
	size_t i;
	char *m;

	(void)state;
	/* far too long: nothing of it is taken for a command */
	buf_adds(&text, BEGIN "Subject: x\r\n\r\n");
	for (i = 0; i < 200; i++)
		buf_adds(&text, "RSET\r\n");
	buf_adds(&text, ".\r\nNOOP\r\n");
	say_octets(text.data, text.len, 100);
	has(w.out.data, "\r\n552 5.3.4 the message is larger than max-size");
	has(w.out.data, "octets)\r\n250 2.0.0 ok\r\n");
	assert_int_equal(fixture_count("drop"), 0);
	/* without end: not read for ever */
	buf_reset(&text);
	buf_adds(&text, BEGIN "Subject: x\r\n\r\n");
	for (i = 0; i < 30000; i++)
		buf_adds(&text, "RSET\r\n");
	say_octets(text.data, text.len, 100);
	has(w.out.data, "\r\n421 4.4.2 no end");
	assert_true(w.p < w.end);
	/* a line that is too long, and the next */
	buf_reset(&text);
	buf_adds(&text, "NOOP ");
	for (i = 0; i < SMTPIO_LINE_MAX; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\r\n" BEGIN ".\r\n");
	say_octets(text.data, text.len, 100);
	has(w.out.data, "\r\n500 5.5.2 a line has at most 2048 octets\r\n250-");
	has(w.out.data, "\r\n250 2.0.0 queued");
	m = message();
	has(m, "\r\nFrom: a@b.example\r\n");
	free(m);
	buf_clear(&text);
}

static void
test_smtpd_several(void **state)
{
	char *m;

	(void)state;
	say(BEGIN "Subject: one\r\n\r\nMAIL FROM:<evil@x>\r\n.\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<e@f>\r\nRSET\r\n");
	m = message();
	has(m, "\r\nMAIL FROM:<evil@x>\r\n");
	free(m);
	say("HELO me\r\nMAIL FROM:<>\r\nRCPT TO:<e@f>\r\nDATA\r\n"
	    "Subject: two\r\nBcc: me@x\r\n\r\nbody\r\n.\r\n");
	m = message();
	has(m, "S0:\nR3:e@f\nM0:\n");
	has(m, "\r\n\twith SMTP id ");
	assert_null(strstr(m, "Bcc"));
	free(m);
}

static void
test_smtpd_errors(void **state)
{
	struct buf text = BUF_INIT;
	int i;

	(void)state;
	for (i = 0; i < 50; i++)
		buf_adds(&text, "FOO\r\n");
	say(text.data);
	has(w.out.data, "\r\n421 4.7.0 too many errors\r\n");
	assert_true(w.out.len < 1000);
	buf_clear(&text);
}

static int
setup(void **state)
{
	static char host[] = "host.example", name[] = "m.example";

	(void)state;
	spool = fixture_spool();
	conf.hostname = host;
	conf.mail_name = name;
	conf.spool = strdup(spool);
	conf.max_size = 1000;
	conf.max_rcpts = 3;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(conf.spool);
	buf_clear(&w.out);
	fixture_remove();
	return 0;
}

static void
test_smtpd_utf8(void **state)
{
	char *m;

	(void)state;
	say(HELLO "MAIL FROM:<\xc3\xa9@b.example> SMTPUTF8 BODY=8BITMIME\r\n"
	    "RCPT TO:<j\xc3\xbc@d.example> ORCPT=utf-8;\\x{FC}@z.example\r\n"
	    "DATA\r\nTo: a@b.example\r\n\r\n.\r\nQUIT\r\n");
	has(w.out.data, "\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 ");
	m = message();
	has(m, "S12:\xc3\xa9@b.example\nG0:\nR13:j\xc3\xbc@d.example\n"
	    "P12:\xc3\xbc@z.example\nM0:\n");
	has(m, "\r\n\twith UTF8SMTP id ");
	free(m);
	/* in the header only */
	say(BEGIN "To: \"J\xc3\xbc\" <j\xc3\xbc@b.example>\r\n\r\n.\r\n"
	    "QUIT\r\n");
	m = message();
	has(m, "S11:a@b.example\nG0:\nR11:c@d.example\nM0:\n");
	has(m, "\r\nTo: =?utf-8?B?SsO8?= <j\xc3\xbc@b.example>\r\n");
	has(m, "\r\n\twith ESMTP id ");
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtpd_session),
		cmocka_unit_test(test_smtpd_utf8),
		cmocka_unit_test(test_smtpd_replies),
		cmocka_unit_test(test_smtpd_size),
		cmocka_unit_test(test_smtpd_several),
		cmocka_unit_test(test_smtpd_errors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
