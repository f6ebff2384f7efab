/* SPDX-License-Identifier: ISC */
/* The table of waiting mail. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "submit/mailq.h"
#include "spool_fixture.h"

#define NOW	((time_t)1700000000)

static struct conf conf;
static struct queue *q;

static int
setup(void **state)
{
	const char *why;

	(void)state;
	setenv("TZ", "UTC", 1);
	fixture_spool();
	memset(&conf, 0, sizeof(conf));
	q = queue_open(fixture_path("", ""), &why);
	return q != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	queue_close(q);
	fixture_remove();
	return 0;
}

static void
in_queue(struct msgid *id, const char *sender, const char *rcpts, time_t next)
{
	struct envelope env;
	int fd = queue_tmpfile(q);

	assert_int_not_equal(fd, -1);
	id_new(id);
	fixture_envelope(&env, sender, rcpts);
	env.time = (uint64_t)(NOW - 60) * 1000000;
	fixture_write(fd, &env, FIXTURE_BODY);
	envelope_clear(&env);
	assert_int_equal(queue_link(q, id, fd), 0);
	assert_int_equal(queue_set_next(q, id, next), 0);
	close(fd);
}

static void
add_record(const struct msgid *id, enum journal_type type, size_t rcpt,
    enum result_code code, const char *host, const char *text)
{
	struct journal_record r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.rcpt = rcpt;
	result_set(&r.result, code, "%s", text);
	strlcpy(r.result.host, host, sizeof(r.result.host));
	assert_int_equal(queue_record(q, id, &r, 1), 0);
}

/* What mailq prints; the caller's. */
static char *
list_as(enum mailq_form form)
{
	struct buf b = BUF_INIT;

	mailq_list(q, &conf, NOW, form, &b);
	return buf_take(&b);
}

static char *
list(void)
{
	return list_as(MAILQ_TABLE);
}

static void
assert_listed(const char *part, bool is)
{
	char *text = list();

	if ((strstr(text, part) != NULL) != is)
		fail_msg("\"%s\" is%s in:\n%s", part, is ? " not" : "", text);
	free(text);
}

static void
test_mailq_list_empty(void **state)
{
	char *text = list();

	(void)state;
	assert_string_equal(text, "Mail queue is empty\n");
	free(text);
}

static void
test_mailq_list_message(void **state)
{
	struct msgid id;
	char *text, want[1024];

	(void)state;
	in_queue(&id, "a@example.org", "b@example.net c@example.net "
	    "d@example.net e@example.net", NOW + 300);
	add_record(&id, JOURNAL_ATTEMPT, 0, R_LATER, "", "an older reason");
	add_record(&id, JOURNAL_ATTEMPT, 0, R_CONNECT,
	    "mx.example.net[192.0.2.1]:25", "connection refused");
	add_record(&id, JOURNAL_DELIVERED, 1, R_SENT, "", "");
	add_record(&id, JOURNAL_FAILED, 2, R_REFUSED, "", "no");
	add_record(&id, JOURNAL_REPORTED, JOURNAL_ALL, R_SENT, "", "");
	text = list();
	snprintf(want, sizeof(want),
	    "-Queue ID-----------  --Size-- ---Submitted at----  "
	    "-Sender/Recipient-----\n"
	    "%s        %zu Tue Nov 14 22:12:20  a@example.org\n"
	    "                       b@example.net\n"
	    "                         (4.4.1 mx.example.net[192.0.2.1]:25: "
	    "connection refused; next attempt Tue Nov 14 22:18:20)\n"
	    "                       e@example.net\n"
	    "                         (not tried yet; next attempt "
	    "Tue Nov 14 22:18:20)\n"
	    "\n-- 1 Kbytes in 1 message\n", id.s, strlen(FIXTURE_BODY));
	assert_string_equal(text, want);
	free(text);
}

static void
test_mailq_json_message(void **state)
{
	struct msgid id;
	char *text, want[1024];

	(void)state;
	in_queue(&id, "\"a\\\"\"@example.org", "b@example.net c@example.net "
	    "d@example.net e@example.net", NOW + 300);
	add_record(&id, JOURNAL_ATTEMPT, 0, R_LATER, "", "an older reason");
	add_record(&id, JOURNAL_ATTEMPT, 0, R_CONNECT,
	    "mx.example.net[192.0.2.1]:25", "no \"route\"");
	add_record(&id, JOURNAL_DELIVERED, 1, R_SENT, "", "");
	add_record(&id, JOURNAL_FAILED, 2, R_REFUSED, "", "no");
	text = list_as(MAILQ_JSON);
	snprintf(want, sizeof(want),
	    "{\"id\":\"%s\",\"time\":%d,\"size\":%zu,"
	    "\"sender\":\"\\\"a\\\\\\\"\\\"@example.org\",\"uid\":%lu,"
	    "\"state\":\"waiting\",\"next\":%d,\"recipients\":["
	    "{\"address\":\"b@example.net\",\"status\":\"deferred\","
	    "\"dsn\":\"4.4.1\",\"host\":\"mx.example.net[192.0.2.1]:25\","
	    "\"reply\":\"no \\\"route\\\"\",\"attempts\":2},"
	    "{\"address\":\"d@example.net\",\"status\":\"failed\","
	    "\"dsn\":\"5.0.0\",\"host\":null,\"reply\":\"no\","
	    "\"attempts\":1},"
	    "{\"address\":\"e@example.net\",\"status\":\"new\","
	    "\"dsn\":null,\"host\":null,\"reply\":null,\"attempts\":0}"
	    "]}\n", id.s, (int)NOW - 60, strlen(FIXTURE_BODY),
	    (unsigned long)getuid(), (int)NOW + 300);
	assert_string_equal(text, want);
	free(text);
}

static void
test_mailq_json_states(void **state)
{
	char *errors[] = { (char *)(uintptr_t)"/etc/mxnss.conf:3: what?",
	    NULL };
	struct msgid id;
	char *text;

	(void)state;
	text = list_as(MAILQ_JSON);
	assert_string_equal(text, "");
	free(text);
	in_queue(&id, "", "b@example.net", NOW);
	assert_int_equal(chmod(fixture_path("queue", id.s), 0400), 0);
	fixture_drop(&id, "a@example.org", "b@example.net");
	text = list_as(MAILQ_JSON);
	assert_non_null(strstr(text, "\"sender\":\"\""));
	assert_non_null(strstr(text, "\"state\":\"held\",\"next\":null"));
	assert_non_null(strstr(text, "\"state\":\"new\",\"next\":null"));
	free(text);
	conf.errors = errors;
	conf.nerrors = 1;
	text = list_as(MAILQ_JSON);
	assert_non_null(strstr(text, "\"dsn\":\"4.3.5\",\"host\":null,"
	    "\"reply\":\"configuration error: /etc/mxnss.conf:3: what?; all "
	    "mail is held until it is mended\",\"attempts\":0"));
	free(text);
}

static void
test_mailq_list_states(void **state)
{
	struct msgid id;
	char mark[64];

	(void)state;
	/* a report that is due */
	in_queue(&id, "", "b@example.net", NOW);
	assert_listed("  MAILER-DAEMON\n", true);
	assert_listed("(not tried yet; due now)", true);
	/* held */
	in_queue(&id, "a@example.org", "b@example.net", NOW + 10);
	snprintf(mark, sizeof(mark), "%s! ", id.s);
	assert_listed(mark, false);
	assert_int_equal(chmod(fixture_path("queue", id.s), 0400), 0);
	assert_listed(mark, true);
	assert_listed("(not tried yet; held)", true);
	/* failed, not reported */
	in_queue(&id, "a@example.org", "z@example.net", NOW);
	add_record(&id, JOURNAL_FAILED, 0, R_REFUSED, "", "not here");
	assert_listed("(5.0.0 not here; due now)", true);
	assert_listed("in 3 messages\n", true);
}

static void
test_mailq_list_drop(void **state)
{
	struct msgid id, half;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	id_new(&half);
	fd = open(fixture_path("drop", half.s), O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(mkfifo(fixture_path("drop", "fifo"), 0640), 0);
	assert_listed(id.s, true);
	assert_listed("(not tried yet; due now)", true);
	assert_listed("in 1 message\n", true);
	/* nothing was touched */
	assert_int_equal(fixture_count("drop"), 3);
}

static void
test_mailq_list_shows_one_of_two_places(void **state)
{
	struct msgid id;
	char *copy;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	copy = fixture_read("drop", id.s);
	fd = open(fixture_path("queue", id.s), O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, copy, strlen(copy)), strlen(copy));
	close(fd);
	free(copy);
	assert_int_equal(queue_set_next(q, &id, NOW + 60), 0);
	assert_listed("in 1 message\n", true);
	assert_listed("next attempt Tue Nov 14 22:14:20", true);
}

static void
test_mailq_list_with_broken_configuration(void **state)
{
	char *errors[] = { (char *)(uintptr_t)"/etc/mxnss.conf:3: what?",
	    NULL };
	struct msgid id;

	(void)state;
	conf.errors = errors;
	conf.nerrors = 1;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_listed("(4.3.5 configuration error: /etc/mxnss.conf:3: what?; "
	    "all mail is held until it is mended)", true);
}

static void
test_mailq_list_is_printable(void **state)
{
	struct msgid id;
	char *text, *p;

	(void)state;
	in_queue(&id, "\xc3\xa9@example.org", "\xff@example.net", NOW);
	text = list();
	for (p = text; *p != '\0'; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
	free(text);
}

static void
test_mailq_list_skips_what_cannot_be_read(void **state)
{
	struct msgid id;

	(void)state;
	in_queue(&id, "a@example.org", "b@example.net", NOW);
	assert_int_equal(truncate(fixture_path("queue", id.s), 20), 0);
	assert_listed("Mail queue is empty", true);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mailq_list_empty),
		TEST(test_mailq_list_message),
		TEST(test_mailq_json_message),
		TEST(test_mailq_json_states),
		TEST(test_mailq_list_states),
		TEST(test_mailq_list_drop),
		TEST(test_mailq_list_shows_one_of_two_places),
		TEST(test_mailq_list_with_broken_configuration),
		TEST(test_mailq_list_is_printable),
		TEST(test_mailq_list_skips_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
