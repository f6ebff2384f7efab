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
#include "run/bounce.h"
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
	assert_int_equal(msgfile_read(fd, 100, &mf, &why), 0);
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

static struct bounce
bounce_for(struct bounce_rcpt *rcpt, size_t n)
{
	struct bounce b = { .id = &id, .mf = &mf, .fd = fd, .rcpt = rcpt,
	    .nrcpt = n, .now = NOW };
	size_t i;

	for (i = 0; i < n; i++) {
		rcpt[i].addr = mf.env.rcpt[i].addr;
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
	assert_false(rep.eightbit);
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
test_bounce_make_has_three_parts(void **state)
{
	struct bounce_rcpt rcpt[2];
	struct msgid report;
	struct bounce b;
	char *text, part[64];

	(void)state;
	make_message("From: s\r\nSubject: original\r\n\r\nsecret body\r\n",
	    "u@gone.test v@mx.test");
	b = bounce_for(rcpt, 2);
	result_set(&rcpt[1].result, R_REFUSED,
	    "550 5.1.1 user unknown");
	rcpt[1].result.reply = 550;
	strlcpy(rcpt[1].result.esc, "5.1.1", sizeof(rcpt[1].result.esc));
	strlcpy(rcpt[1].result.host, "a.mx.test[192.0.2.1]:25",
	    sizeof(rcpt[1].result.host));
	assert_int_equal(bounce_make(q, &conf, &b, &report), 0);
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
	    "This is the mail system of host.test.\r\n");
	assert_has(text, "<u@gone.test>\r\n    no such domain\r\n    The "
	    "domain after the @ does not exist");
	assert_has(text, "<v@mx.test>\r\n    a.mx.test[192.0.2.1]:25 said: "
	    "550 5.1.1 user unknown\r\n");
	/* for programs */
	assert_has(text, "Content-Type: message/delivery-status\r\n\r\n"
	    "Reporting-MTA: dns; host.test\r\n");
	assert_has(text, "Arrival-Date: Tue, 14 Nov 2023 21:13:20 +0000\r\n"
	    "\r\nFinal-Recipient: rfc822; u@gone.test\r\n"
	    "Action: failed\r\nStatus: 5.1.2\r\n");
	assert_has(text, "\r\n\r\nFinal-Recipient: rfc822; v@mx.test\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n"
	    "Remote-MTA: dns; a.mx.test\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n");
	/* the header, and nothing of the body */
	assert_has(text, "Content-Type: text/rfc822-headers\r\n\r\n"
	    "From: s\r\nSubject: original\r\n\r\n--=_");
	assert_null(strstr(text, "secret"));
	snprintf(part, sizeof(part), "\r\n--=_%s--\r\n", report.s);
	assert_string_equal(text + strlen(text) - strlen(part), part);
	free(text);
}

static void
test_bounce_make_with_hostile_parts(void **state)
{
	struct bounce_rcpt rcpt[1];
	struct msgid report;
	struct bounce b;
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
	b = bounce_for(rcpt, 1);
	memset(rcpt[0].result.text, '\x1b', sizeof(rcpt[0].result.text) - 1);
	memset(rcpt[0].result.host, '\n', sizeof(rcpt[0].result.host) - 1);
	assert_int_equal(bounce_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_clean(text);
	assert_has(text, "Subject: caf?? ?[31m\r\n");
	assert_true(strlen(text) < 80000);
	free(text);
}

static void
test_bounce_make_without_a_body(void **state)
{
	struct bounce_rcpt rcpt[1];
	struct msgid report;
	struct bounce b;
	char *text;

	(void)state;
	make_message("Subject: all there is\r\n", "u@gone.test");
	b = bounce_for(rcpt, 1);
	assert_int_equal(bounce_make(q, &conf, &b, &report), 0);
	text = text_of(&report);
	assert_has(text, "headers\r\n\r\nSubject: all there is\r\n\r\n--=_");
	free(text);
}

static void
test_bounce_make_has_advice_for_each_reason(void **state)
{
	struct bounce_rcpt rcpt[1];
	struct msgid report;
	struct bounce b;
	char *text;
	int code;

	(void)state;
	for (code = R_NOHOST; code <= R_EXPIRED; code++) {
		teardown(NULL);
		setup(NULL);
		make_message(FIXTURE_BODY, "u@gone.test");
		b = bounce_for(rcpt, 1);
		result_set(&rcpt[0].result, (enum result_code)code, "why");
		assert_int_equal(bounce_make(q, &conf, &b, &report), 0);
		text = text_of(&report);
		assert_has(text, "<u@gone.test>\r\n    why\r\n    ");
		assert_has(text, result_esc(&rcpt[0].result));
		free(text);
	}
}

static void
test_bounce_make_twice_makes_one(void **state)
{
	struct bounce_rcpt rcpt[1];
	struct msgid first, second;
	struct bounce b;

	(void)state;
	make_message(FIXTURE_BODY, "u@gone.test");
	b = bounce_for(rcpt, 1);
	assert_int_equal(bounce_make(q, &conf, &b, &first), 0);
	assert_int_equal(bounce_make(q, &conf, &b, &second), 0);
	assert_string_equal(first.s, second.s);
	assert_int_equal(fixture_count("queue"), 1);
	b.nth = 1;
	assert_int_equal(bounce_make(q, &conf, &b, &second), 0);
	assert_string_not_equal(first.s, second.s);
	assert_int_equal(fixture_count("queue"), 2);
}

/* Whatever fails: no report, or a whole one; and then one. */
static void
test_bounce_make_at_every_step(void **state)
{
	struct bounce_rcpt rcpt[1];
	struct msgid report;
	struct bounce b;
	int n, status, steps = 0;
	char *text;
	pid_t pid;

	(void)state;
	for (n = 1; n < 40; n++) {
		teardown(NULL);
		setup(NULL);
		make_message(FIXTURE_BODY, "u@gone.test");
		b = bounce_for(rcpt, 1);
		killing = n % 2 == 0;
		if ((pid = fork()) == 0) {
			countdown = (n + 1) / 2;
			status = bounce_make(q, &conf, &b, &report) == 0;
			_exit(countdown != 0 ? 2 : status);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		status = WEXITSTATUS(status);
		if (status == 2)
			break;
		steps++;
		assert_int_not_equal(status, 1);
		assert_int_equal(bounce_make(q, &conf, &b, &report), 0);
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
		TEST(test_bounce_make_has_three_parts),
		TEST(test_bounce_make_with_hostile_parts),
		TEST(test_bounce_make_without_a_body),
		TEST(test_bounce_make_has_advice_for_each_reason),
		TEST(test_bounce_make_twice_makes_one),
		TEST(test_bounce_make_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
