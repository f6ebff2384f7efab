/* SPDX-License-Identifier: ISC */
/* Reports: their text, and that each is made once. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "run/notice.h"
#include "spool_fixture.h"

#define NOW	((time_t)1700000000)

/* --- the n-th of these calls fails, or is the last one ------------------ */

static int countdown;
static bool killing;

static bool
step(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	if (killing)
		_exit(99);
	errno = EIO;
	return true;
}

#define WRAP(type, name, params, args)		\
type	__real_##name params;			\
type	__wrap_##name params;			\
type						\
__wrap_##name params				\
{						\
	return step() ? -1 : __real_##name args;	\
}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, linkat, (int a, const char *b, int c, const char *d, int e),
    (a, b, c, d, e))

/* --- fixture ------------------------------------------------------------ */

static struct conf conf;
static struct queue *q;
static struct msgid id;
static struct msgfile mf;
static int fd;

static void
make_message(const char *text, const char *rcpts)
{
	struct envelope env;
	const char *why;

	fd = queue_tmpfile(q);
	assert_int_not_equal(fd, -1);
	fixture_envelope(&env, "sender@example.org", rcpts);
	env.time = (uint64_t)(NOW - 3600) * 1000000;
	fixture_write(fd, &env, text);
	envelope_clear(&env);
	assert_int_equal(msgfile_read(fd, 1000, &mf, &why), 0);
	id_new(&id);
}

static int
setup(void **state)
{
	const char *why;

	(void)state;
	setenv("TZ", "UTC", 1);
	fixture_spool();
	q = queue_open(fixture_path("", ""), &why);
	conf.hostname = (char *)(uintptr_t)"host.test";
	conf.mail_name = (char *)(uintptr_t)"name.test";
	fd = -1;
	countdown = 0;
	return q != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	if (fd != -1) {
		close(fd);
		msgfile_clear(&mf);
	}
	queue_close(q);
	fixture_remove();
	return 0;
}

static struct notice
notice_for(struct notice_rcpt *rcpt, size_t n)
{
	struct notice b = { .id = &id, .mf = &mf, .fd = fd, .rcpt = rcpt,
	    .nrcpt = n, .to = mf.env.sender, .now = NOW };
	size_t i;

	for (i = 0; i < n; i++) {
		rcpt[i].rcpt = &mf.env.rcpt[i];
		rcpt[i].time = NOW - 60;
		result_set(&rcpt[i].result, R_NOHOST, "no such domain");
	}
	return b;
}

/* The text of the report, without the envelope; the caller's. */
static char *
text_of(const struct msgid *report)
{
	struct msgfile rep;
	const char *why;
	char *text;
	int f;

	f = queue_openmsg(q, report);
	assert_int_not_equal(f, -1);
	assert_int_equal(msgfile_read(f, 10, &rep, &why), 0);
	assert_string_equal(rep.env.sender, "");
	assert_int_equal(rep.env.nrcpt, 1);
	assert_string_equal(rep.env.rcpt[0].addr, "sender@example.org");
	assert_string_equal(rep.env.origin.s, id.s);
	text = calloc(1, (size_t)rep.size + 1);
	assert_non_null(text);
	assert_int_equal(pread(f, text, (size_t)rep.size, rep.start),
	    rep.size);
	msgfile_clear(&rep);
	close(f);
	return text;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, text);
}

/* CRLF only, printable, no line over 998 octets. */
static void
assert_clean(const char *text)
{
	size_t line = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\r') {
			assert_int_equal(text[1], '\n');
			line = 0;
			text++;
			continue;
		}
		assert_true(*text == '\t' || (*text >= ' ' && *text <= '~'));
		assert_true(++line <= 998);
	}
}

/* --- tests -------------------------------------------------------------- */

static void
test_notice_make_has_three_parts(void **state)
{
	struct notice_rcpt rcpt[2];
	struct msgid report;
	struct notice b;
	char *text, part[64];

	(void)state;
	make_message("From: s\r\nSubject: original\r\n\r\nsecret body\r\n",
	    "u@gone.test v@mx.test");
	b = notice_for(rcpt, 2);
	mf.env.envid = strdup("QQ 314");
	mf.env.rcpt[1].orcpt = strdup("list@mx.test");
	result_set(&rcpt[1].result, R_REFUSED,
	    "550 5.1.1 user unknown");
	rcpt[1].result.reply = 550;
	strlcpy(rcpt[1].result.esc, "5.1.1", sizeof(rcpt[1].result.esc));
	strlcpy(rcpt[1].result.host, "a.mx.test[192.0.2.1]:25",
	    sizeof(rcpt[1].result.host));
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "From: Mail Delivery System "
	    "<MAILER-DAEMON@name.test>\r\n");
	assert_has(text, "To: <sender@example.org>\r\n");
	assert_has(text, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n");
	assert_has(text, "Auto-Submitted: auto-replied\r\n");
	assert_has(text, "Content-Type: multipart/report; "
	    "report-type=delivery-status;\r\n boundary=\"=_");
	/* for people, first */
	assert_has(text, "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	    "This is the mail system of host.test.\r\n\r\n"
	    "Your message of Tue, 14 Nov 2023 21:13:20 +0000\r\n"
	    "could not be delivered to these recipients:\r\n");
	assert_has(text, "<u@gone.test>\r\n    no such domain\r\n    The "
	    "domain after the @ does not exist");
	assert_has(text, "<list@mx.test>, which is <v@mx.test>\r\n    a.mx.test[192.0.2.1]:25 said: "
	    "550 5.1.1 user unknown\r\n");
	/* for programs */
	assert_has(text, "Content-Type: message/delivery-status\r\n\r\n");
	assert_has(text, "Arrival-Date: Tue, 14 Nov 2023 21:13:20 +0000\r\n"
	    "\r\nOriginal-Recipient: rfc822; u@gone.test\r\n"
	    "Final-Recipient: rfc822; u@gone.test\r\n"
	    "Action: failed\r\nStatus: 5.1.2\r\n");
	assert_has(text, "\r\n\r\nOriginal-Recipient: rfc822; list@mx.test\r\n"
	    "Final-Recipient: rfc822; v@mx.test\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n"
	    "Remote-MTA: dns; a.mx.test\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n"
	    "Last-Attempt-Date: Tue, 14 Nov 2023 22:12:20 +0000\r\n");
	assert_has(text, "\r\n\r\nOriginal-Envelope-Id: QQ 314\r\n"
	    "Reporting-MTA: dns; host.test\r\n");
	/* the header, and nothing of the body */
	assert_has(text, "Content-Type: text/rfc822-headers\r\n\r\n"
	    "From: s\r\nSubject: original\r\n\r\n--=_");
	assert_null(strstr(text, "secret"));
	snprintf(part, sizeof(part), "\r\n--=_%s--\r\n", report.s);
	assert_string_equal(text + strlen(text) - strlen(part), part);
	free(text);
}

static void
test_notice_make_with_hostile_parts(void **state)
{
	struct notice_rcpt rcpt[1];
	struct msgid report;
	struct notice b;
	struct buf header = BUF_INIT;
	char *text;
	int i;

	(void)state;
	buf_adds(&header, "Subject: caf\xc3\xa9 \x1b[31m\r\n");
	for (i = 0; i < 5000; i++)
		buf_printf(&header, "X-Long: %d of a header that has no "
		    "end\r\n", i);
	make_message(buf_str(&header), "u@gone.test");
	buf_clear(&header);
	b = notice_for(rcpt, 1);
	memset(rcpt[0].result.text, '\x1b', sizeof(rcpt[0].result.text) - 1);
	memset(rcpt[0].result.host, '\n', sizeof(rcpt[0].result.host) - 1);
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "Subject: caf=C3=A9 =1B[31m\r\n");
	assert_true(strlen(text) < 80000);
	free(text);
}

/* RET=FULL: all of it, as it is; but only to whom it failed. */
static void
test_notice_make_full(void **state)
{
	struct notice_rcpt rcpt[1];
	struct msgid report;
	struct buf body = BUF_INIT;
	struct notice b;
	char *text;
	int i;

	(void)state;
	buf_adds(&body, "Subject: caf\xc3\xa9\r\n\r\n");
	for (i = 0; i < 3000; i++)
		buf_printf(&body, ".line %d of na\xc3\xafve text\r\n", i);
	make_message(buf_str(&body), "u@gone.test");
	mf.env.ret = DSN_RET_FULL;
	b = notice_for(rcpt, 1);
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_has(text, "Content-Transfer-Encoding: 8bit\r\n\r\nThis report");
	assert_has(text, "Your message follows below.");
	assert_has(text, "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: caf");
	assert_has(text, buf_str(&body));
	assert_has(text, "of na\xc3\xafve text\r\n\r\n--=_");
	free(text);
	b.kind = NOTICE_DELAYED;
	b.until = NOW + 86400;
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_null(strstr(text, "of na"));
	free(text);
	/* cut off under us: no report rather than half of it */
	b.kind = NOTICE_FAILED;
	b.nth = 1;
	assert_int_equal(ftruncate(fd, mf.start + 20000), 0);
	assert_int_equal(notice_make(q, &conf, &b, &report), -1);
	assert_int_equal(fixture_count("queue"), 2);
	buf_clear(&body);
}

static void
test_notice_make_of_other_kinds(void **state)
{
	struct notice_rcpt rcpt[2];
	struct msgid report;
	struct notice b;
	char *text;

	(void)state;
	make_message(FIXTURE_BODY, "u@a.test v@b.test");
	b = notice_for(rcpt, 2);
	b.kind = NOTICE_DELAYED;
	b.until = NOW + 86400;
	result_set(&rcpt[0].result, R_LATER, "450 4.2.1 busy");
	rcpt[0].result.reply = 450;
	strlcpy(rcpt[0].result.host, "[192.0.2.1]:25",
	    sizeof(rcpt[0].result.host));
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "Subject: Your message is late\r\n");
	assert_has(text, "It is tried again until Wed, 15 Nov 2023 22:13:20 "
	    "+0000.\r\n");
	assert_has(text, "Action: delayed\r\nStatus: 4.0.0\r\n"
	    "Remote-MTA: dns; [192.0.2.1]\r\n"
	    "Diagnostic-Code: smtp; 450 4.2.1 busy\r\n");
	assert_has(text, "Will-Retry-Until: Wed, 15 Nov 2023 22:13:20 +0000\r\n");
	free(text);
	b.kind = NOTICE_RELAYED;
	result_set(&rcpt[0].result, R_SENT, "250 2.0.0 taken");
	result_set(&rcpt[1].result, R_SENT, "250 2.0.0 taken");
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "Subject: Your message was passed on\r\n");
	assert_has(text, "Action: relayed\r\nStatus: 2.0.0\r\n");
	assert_null(strstr(text, "Will-Retry-Until"));
	free(text);
	/* one of them is here */
	((struct envelope_rcpt *)(uintptr_t)rcpt[0].rcpt)->mailbox = true;
	strlcpy(rcpt[0].result.host, "local[/run/lmtp]",
	    sizeof(rcpt[0].result.host));
	b.nth = 1;
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_has(text, "Subject: Your message was passed on\r\n");
	assert_has(text, "Final-Recipient: rfc822; u@a.test\r\n"
	    "Action: delivered\r\nStatus: 2.0.0\r\nDiagnostic-Code: ");
	assert_has(text, "Final-Recipient: rfc822; v@b.test\r\n"
	    "Action: relayed\r\nStatus: 2.0.0\r\n");
	free(text);
	b.nrcpt = 1;
	b.nth = 2;
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_has(text, "Subject: Your message was delivered\r\n");
	assert_has(text, "was delivered to this recipient:\r\n");
	assert_null(strstr(text, "does not report"));
	free(text);
	assert_int_equal(fixture_count("queue"), 4);
}

/* RFC 6533: the report is ASCII, whatever the recipient is. */
static void
test_notice_make_utf8(void **state)
{
	struct notice_rcpt rcpt[2];
	struct msgid report;
	struct notice b;
	char *text;

	(void)state;
	make_message(FIXTURE_BODY, "j\xc3\xbc@a.test v@b.test");
	b = notice_for(rcpt, 2);
	result_set(&rcpt[0].result, R_UTF8, "no SMTPUTF8");
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n");
	assert_has(text, "<j=C3=BC@a.test>\r\n");
	assert_has(text, "Final-Recipient: utf-8;j\\x{FC}@a.test\r\n"
	    "Action: failed\r\nStatus: 5.6.7\r\n");
	assert_has(text, "Final-Recipient: rfc822; v@b.test\r\n");
	assert_has(text, "ASCII before the @");
	free(text);
	/* and it goes to such an address where it must */
	b.to = "\xc3\xa9@x.test";
	b.nth = 1;
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = fixture_read("queue", report.s);
	assert_has(text, "\nS0:\nG0:\nO");
	assert_has(text, "\r\nTo: <\xc3\xa9@x.test>\r\n");
	free(text);
}

/* 1,000 recipients, each with as long a reason as there can be. */
static void
test_notice_make_with_many_recipients(void **state)
{
	struct notice_rcpt *rcpt = calloc(1000, sizeof(*rcpt));
	struct buf list = BUF_INIT;
	struct msgid report;
	struct notice b;
	const char *p;
	char *text;
	size_t i, n;

	(void)state;
	assert_non_null(rcpt);
	for (i = 0; i < 1000; i++)
		buf_printf(&list, "%su%zu@gone.test", i > 0 ? " " : "", i);
	make_message(FIXTURE_BODY, buf_str(&list));
	b = notice_for(rcpt, 1000);
	for (i = 0; i < 1000; i++)
		memset(rcpt[i].result.text, i % 2 ? 'x' : ' ',
		    sizeof(rcpt[i].result.text) - 1);
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "\r\n\r\nand 950 more: ");
	assert_has(text, "<u49@gone.test>\r\n");
	assert_null(strstr(text, "<u50@gone.test>\r\n"));
	for (n = 0, p = text; (p = strstr(p, "\r\nFinal-Recipient: ")) != NULL;
	    p++)
		n++;
	assert_int_equal(n, 1000);
	assert_has(text, "\r\nFinal-Recipient: rfc822; u999@gone.test\r\n");
	/* a recipient has its 2 KiB, and no more */
	assert_true(strlen(text) < (size_t)1050 * 2048);
	free(text);
	free(rcpt);
	buf_clear(&list);
}

static void
fold(const char *text, const char *want)
{
	struct buf b = BUF_INIT;

	notice_fold(&b, "  ", "%s", text);
	assert_string_equal(buf_str(&b), want);
	buf_clear(&b);
}

static void
test_notice_fold(void **state)
{
#define TEN	"123456789 "
#define WORD	"1234567890"
	(void)state;
	fold("", "\r\n");
	fold("short", "short\r\n");
	fold(TEN TEN TEN TEN TEN TEN TEN "123456", TEN TEN TEN TEN TEN TEN TEN
	    "123456\r\n");
	fold(TEN TEN TEN TEN TEN TEN TEN "1234567", TEN TEN TEN TEN TEN TEN
	    "123456789\r\n  1234567\r\n");
	fold("    " WORD WORD WORD WORD WORD WORD WORD WORD " x",
	    "    " WORD WORD WORD WORD WORD WORD WORD WORD "\r\n  x\r\n");
	fold(WORD WORD WORD WORD WORD WORD WORD WORD,
	    WORD WORD WORD WORD WORD WORD WORD WORD "\r\n");
	fold("a\r\nb: c\033", "a??b: c?\r\n");
#undef TEN
#undef WORD
}

static void
test_notice_make_without_a_body(void **state)
{
	struct notice_rcpt rcpt[1];
	struct msgid report;
	struct notice b;
	char *text;

	(void)state;
	make_message("Subject: all there is\r\n", "u@gone.test");
	b = notice_for(rcpt, 1);
	assert_int_equal(notice_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_has(text, "headers\r\n\r\nSubject: all there is\r\n\r\n--=_");
	free(text);
}

static void
test_notice_make_has_advice_for_each_reason(void **state)
{
	struct notice_rcpt rcpt[1];
	struct msgid report;
	struct notice b;
	char *text;
	int code;

	(void)state;
	for (code = R_NOHOST; code <= R_EXPIRED; code++) {
		teardown(NULL);
		setup(NULL);
		make_message(FIXTURE_BODY, "u@gone.test");
		b = notice_for(rcpt, 1);
		result_set(&rcpt[0].result, (enum result_code)code, "why");
		assert_int_equal(notice_make(q, &conf, &b, &report), 0);
		text = text_of(&report);
		assert_has(text, "<u@gone.test>\r\n    why\r\n    ");
		assert_has(text, result_esc(&rcpt[0].result));
		free(text);
	}
}

/* What a server says decides, too. */
static void
test_notice_make_has_advice_for_codes(void **state)
{
	static const struct {
		const char	*esc;
		const char	*advice;
	} rows[] = {
		{ "5.1.1", "There is no such user" },
		{ "5.1.10", "The text above is what" },
		{ "5.2.2", "The mailbox is full" },
		{ "5.7.26", "SPF, DKIM and DMARC" },
		{ "5.7.2", "The rules of that server" },
		{ "5.7.133", "The rules of that server" },
		{ "5.9.9", "The text above is what" },
	};
	struct notice_rcpt rcpt[1];
	struct buf b = BUF_INIT;
	struct notice n;
	size_t i;

	(void)state;
	make_message(FIXTURE_BODY, "u@gone.test");
	n = notice_for(rcpt, 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		result_set(&rcpt[0].result, R_REFUSED, "550 %s no",
		    rows[i].esc);
		strlcpy(rcpt[0].result.esc, rows[i].esc,
		    sizeof(rcpt[0].result.esc));
		buf_reset(&b);
		notice_text(&b, &conf, &n);
		assert_has(buf_str(&b), rows[i].advice);
	}
	buf_clear(&b);
}

static void
test_notice_make_twice_makes_one(void **state)
{
	struct notice_rcpt rcpt[1];
	struct msgid first, second;
	struct notice b;

	(void)state;
	make_message(FIXTURE_BODY, "u@gone.test");
	b = notice_for(rcpt, 1);
	assert_int_equal(notice_make(q, &conf, &b, &first), 0);
	assert_int_equal(notice_make(q, &conf, &b, &second), 0);
	assert_string_equal(first.s, second.s);
	assert_int_equal(fixture_count("queue"), 1);
	b.nth = 1;
	assert_int_equal(notice_make(q, &conf, &b, &second), 0);
	assert_string_not_equal(first.s, second.s);
	assert_int_equal(fixture_count("queue"), 2);
}

/* Whatever fails: no report, or a whole one; and then one. */
static void
test_notice_make_at_every_step(void **state)
{
	struct notice_rcpt rcpt[1];
	struct msgid report;
	struct notice b;
	int n, status, steps = 0;
	char *text;
	pid_t pid;

	(void)state;
	for (n = 1; n < 40; n++) {
		teardown(NULL);
		setup(NULL);
		make_message(FIXTURE_BODY, "u@gone.test");
		b = notice_for(rcpt, 1);
		killing = n % 2 == 0;
		if ((pid = fork()) == 0) {
			countdown = (n + 1) / 2;
			status = notice_make(q, &conf, &b, &report) == 0;
			_exit(countdown != 0 ? 2 : status);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		status = WEXITSTATUS(status);
		if (status == 2)
			break;
		steps++;
		assert_int_not_equal(status, 1);
		assert_int_equal(notice_make(q, &conf, &b, &report), 0);
		assert_int_equal(fixture_count("queue"), 1);
		text = text_of(&report);
		free(text);
	}
	assert_true(steps >= 6);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_notice_make_has_three_parts),
		TEST(test_notice_make_with_hostile_parts),
		TEST(test_notice_make_full),
		TEST(test_notice_make_of_other_kinds),
		TEST(test_notice_make_utf8),
		TEST(test_notice_make_with_many_recipients),
		cmocka_unit_test(test_notice_fold),
		TEST(test_notice_make_without_a_body),
		TEST(test_notice_make_has_advice_for_each_reason),
		TEST(test_notice_make_has_advice_for_codes),
		TEST(test_notice_make_twice_makes_one),
		TEST(test_notice_make_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
