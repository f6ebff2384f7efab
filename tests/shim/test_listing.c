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

#include "submit/listing.h"
#include "submit/pick.h"
#include "submit/stats.h"
#include "submit/waiting.h"
#include "spool/hoststat.h"
#include "spool_fixture.h"

#define NOW	((time_t)1700000000)

static char *locals[] = { NULL };
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
	conf.local_domains = locals;
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
list_with(const struct pick *pick, bool json, bool detail)
{
	const struct listing l = { .queue = q, .conf = &conf, .now = NOW,
	    .pick = pick, .json = json, .detail = detail };
	struct entries all;
	struct buf b = BUF_INIT;

	entries_scan(q, &all);
	assert_int_equal(listing_write(&l, &all, &b, NULL), 0);
	entries_clear(&all);
	return buf_take(&b);
}

static const struct pick every;

static char *
list_json(void)
{
	return list_with(&every, true, false);
}

static char *
list(void)
{
	return list_with(&every, false, false);
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
test_listing_empty(void **state)
{
	char *text = list();

	(void)state;
	assert_string_equal(text, "Mail queue is empty\n");
	free(text);
}

/* What is due, and is not tried for now. */
static void
test_listing_waits_its_turn(void **state)
{
	struct msgid due, later;
	char *text;

	(void)state;
	in_queue(&due, "a@example.org", "b@EXAMPLE.net c@other.example", NOW - 1);
	in_queue(&later, "a@example.org", "d@example.net", NOW + 300);
	add_record(&due, JOURNAL_ATTEMPT, 0, R_CONNECT, "", "an older reason");
	hoststat_set_wait(q, "example.net", "two a\nminute", NOW + 60);
	text = list();
	assert_non_null(strstr(text, "(4.3.2 two a?minute)"));
	assert_null(strstr(text, "older"));
	/* not the other domain, nor who has a time of its own */
	assert_non_null(strstr(text, "c@other.example\n"
	    "                         (not tried yet; due now)"));
	assert_non_null(strstr(text, "(not tried yet; next attempt"));
	free(text);
	hoststat_set_wait(q, NULL, "no network", NOW - 60);
	text = list_json();
	assert_non_null(strstr(text, "{\"address\":\"b@EXAMPLE.net\","
	    "\"status\":\"deferred\",\"dsn\":\"4.4.1\",\"host\":null,"
	    "\"reply\":\"no network\",\"attempts\":1}"));
	assert_non_null(strstr(text, "c@other.example\",\"status\":\"new\","
	    "\"dsn\":\"4.4.1\""));
	assert_non_null(strstr(text, "d@example.net\",\"status\":\"new\","
	    "\"dsn\":null"));
	free(text);
	/* nobody has said so for a while, or that it is over */
	hoststat_set_wait(q, NULL, "no network", NOW - 600);
	hoststat_set_wait(q, "example.net", NULL, 0);
	assert_listed("older", true);
	assert_listed("no network", false);
}

static void
test_listing_message(void **state)
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
test_listing_json_message(void **state)
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
	text = list_json();
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
test_listing_json_states(void **state)
{
	char *errors[] = { (char *)(uintptr_t)"/etc/mxnss.conf:3: what?",
	    NULL };
	struct msgid id;
	char *text;

	(void)state;
	text = list_json();
	assert_string_equal(text, "");
	free(text);
	in_queue(&id, "", "b@example.net", NOW);
	assert_int_equal(chmod(fixture_path("queue", id.s), 0400), 0);
	fixture_drop(&id, "a@example.org", "b@example.net");
	text = list_json();
	assert_non_null(strstr(text, "\"sender\":\"\""));
	assert_non_null(strstr(text, "\"state\":\"held\",\"next\":null"));
	assert_non_null(strstr(text, "\"state\":\"new\",\"next\":null"));
	free(text);
	conf.errors = errors;
	conf.nerrors = 1;
	text = list_json();
	assert_non_null(strstr(text, "\"dsn\":\"4.3.5\",\"host\":null,"
	    "\"reply\":\"configuration error: /etc/mxnss.conf:3: what?; all "
	    "mail is held until it is mended\",\"attempts\":0"));
	free(text);
}

static void
test_listing_states(void **state)
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
test_listing_drop(void **state)
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
test_listing_shows_one_of_two_places(void **state)
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
test_listing_with_broken_configuration(void **state)
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
test_listing_is_printable(void **state)
{
	struct msgid id;
	char *text, *p;

	(void)state;
	in_queue(&id, "\xc3\xa9@example.org", "\xff@example.net", NOW);
	text = list();
	assert_non_null(strstr(text, "\xc3\xa9@example.org"));
	assert_non_null(strstr(text, "?@example.net"));
	for (p = text; *p != '\0'; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~') ||
		    *p == '\xc3' || *p == '\xa9');
	free(text);
}

static void
test_listing_skips_what_cannot_be_read(void **state)
{
	struct msgid id;

	(void)state;
	in_queue(&id, "a@example.org", "b@example.net", NOW);
	assert_int_equal(truncate(fixture_path("queue", id.s), 20), 0);
	assert_listed("Mail queue is empty", true);
}

static void
test_listing_detail(void **state)
{
	struct msgid id;
	char *text, want[1024];

	(void)state;
	in_queue(&id, "a@example.org", "b@example.net c@example.net",
	    NOW + 300);
	add_record(&id, JOURNAL_DELIVERED, 0, R_SENT,
	    "mx.example.net[192.0.2.1]:25", "ok");
	add_record(&id, JOURNAL_ATTEMPT, 1, R_CONNECT, "", "no route");
	text = list_with(&every, false, true);
	snprintf(want, sizeof(want),
	    "%s: waiting, next attempt Tue Nov 14 22:18:20\n"
	    "submitted  Tue Nov 14 22:12:20 by uid ", id.s);
	assert_memory_equal(text, want, strlen(want));
	snprintf(want, sizeof(want), "size       %zu octets\n"
	    "sender     a@example.org\n"
	    "recipient  b@example.net (delivered)\n"
	    "recipient  c@example.net (deferred)\n"
	    "                         (4.4.1 no route; next attempt "
	    "Tue Nov 14 22:18:20)\n"
	    "history\n"
	    "  Thu Jan  1 00:00:00  delivered b@example.net: 2.0.0 "
	    "mx.example.net[192.0.2.1]:25: ok\n"
	    "  Thu Jan  1 00:00:00  deferred c@example.net: 4.4.1 no route\n"
	    "\n", strlen(FIXTURE_BODY));
	assert_non_null(strstr(text, want));
	free(text);
	text = list_with(&every, true, true);
	assert_non_null(strstr(text, "{\"address\":\"b@example.net\","
	    "\"status\":\"delivered\",\"dsn\":null,\"host\":null,"
	    "\"reply\":null,\"attempts\":0},"));
	assert_non_null(strstr(text, "\"history\":[{\"time\":0,"
	    "\"event\":\"delivered\",\"address\":\"b@example.net\","
	    "\"dsn\":\"2.0.0\",\"host\":"
	    "\"mx.example.net[192.0.2.1]:25\",\"reply\":\"ok\"},"
	    "{\"time\":0,\"event\":\"deferred\","));
	free(text);
}

/* A user has more than the runner takes: that is why it waits. */
static void
test_listing_user_is_full(void **state)
{
	struct msgid a, b;
	char *text, *third;

	(void)state;
	if (geteuid() != 0)
		skip();		/* a user of one's own is exempt */
	conf.user_messages = 1;
	fixture_drop(&a, "a@example.org", "b@example.net");
	fixture_drop(&b, "a@example.org", "c@example.net");
	assert_listed("not tried yet; due now", true);
	assert_int_equal(chown(fixture_path("drop", a.s), 4711, (gid_t)-1),
	    0);
	assert_int_equal(chown(fixture_path("drop", b.s), 4711, (gid_t)-1),
	    0);
	text = list();
	third = strstr(text, b.s);
	assert_non_null(third);
	assert_non_null(strstr(third, "(4.3.2 uid 4711 has as much mail in "
	    "the queue as a user may have; this is picked up later)"));
	*third = '\0';
	assert_non_null(strstr(text, "(not tried yet; due now)"));
	free(text);
	conf.user_messages = 0;
}

static void
test_listing_counts_other_files(void **state)
{
	struct msgid id;
	int fd;

	(void)state;
	in_queue(&id, "a@example.org", "b@example.net", NOW);
	fd = open(fixture_path("queue", "core"), O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_listed("-- 1 other file in ", true);
}

/* --- a choice ----------------------------------------------------------- */

static const struct {
	const char *term[4];
	bool	 takes;
} picks[] = {
	{ { NULL }, true },
	{ { "Ralice" }, false },	/* she has it already */
	{ { "RBOB@Example" }, true },
	{ { "!Rbob" }, false },
	{ { "!Rcarol" }, true },
	{ { "Sdave" }, true },
	{ { "Seve" }, false },
	{ { "!Seve" }, true },
	{ { "Seve", "Sdave" }, true },
	{ { "Sdave", "Rbob" }, true },
	{ { "Sdave", "Rcarol" }, false },
	{ { "I0" }, true },
	{ { "I-" }, false },
	{ { "!I-" }, true },
	{ { "I-", "Sdave" }, false },
};

static void
test_listing_pick(void **state)
{
	struct msgid id;
	struct pick pick;
	char *text;
	size_t i, j;

	(void)state;
	in_queue(&id, "dave@example.org", "alice@example.net bob@example.net",
	    NOW);
	add_record(&id, JOURNAL_DELIVERED, 0, R_SENT, "", "");
	for (i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
		memset(&pick, 0, sizeof(pick));
		for (j = 0; picks[i].term[j] != NULL; j++)
			assert_null(pick_add(&pick, picks[i].term[j]));
		text = list_with(&pick, true, false);
		if ((text[0] != '\0') != picks[i].takes)
			fail_msg("row %zu", i);
		free(text);
	}
}

static void
test_listing_pick_wrong(void **state)
{
	static const char *const wrong[] = { "", "!", "X1", "R", "!S", "Iabc" };
	struct pick pick;
	char *why;
	size_t i;

	(void)state;
	memset(&pick, 0, sizeof(pick));
	for (i = 0; i < PICK_MAX; i++)
		assert_null(pick_add(&pick, "Iabc"));
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why = pick_add(&pick, wrong[i]);
		assert_non_null(why);
		free(why);
	}
}

/* --- statistics --------------------------------------------------------- */

static char *
stats(bool json)
{
	struct entries all;
	struct buf b = BUF_INIT;

	entries_scan(q, &all);
	stats_write(q, &all, &every, NOW, json, &b);
	entries_clear(&all);
	return buf_take(&b);
}

static void
test_stats(void **state)
{
	struct msgid id;
	char *text, want[1024];
	int len = (int)strlen(FIXTURE_BODY);

	(void)state;
	in_queue(&id, "a@example.org", "b@Example.NET c@example.net d@x.test",
	    NOW);
	add_record(&id, JOURNAL_ATTEMPT, 1, R_CONNECT, "mx.example.net",
	    "no route");
	in_queue(&id, "a@example.org", "b@example.net d@gone.test", NOW);
	add_record(&id, JOURNAL_DELIVERED, 1, R_SENT, "", "");
	assert_int_equal(chmod(fixture_path("queue", id.s), 0400), 0);
	text = stats(true);
	snprintf(want, sizeof(want),
	    "{\"destination\":null,\"messages\":2,\"octets\":%d,"
	    "\"oldest\":%d,\"ages\":[{\"below\":300,\"messages\":2},"
	    "{\"below\":3600,\"messages\":0},"
	    "{\"below\":14400,\"messages\":0},"
	    "{\"below\":86400,\"messages\":0},"
	    "{\"below\":null,\"messages\":0}],"
	    "\"new\":0,\"held\":1,\"skipped\":0}\n"
	    "{\"destination\":\"Example.NET\",\"messages\":2,", 2 * len,
	    (int)NOW - 60);
	if (strncmp(text, want, strlen(want)) != 0)
		fail_msg("%s\nis not\n%s", text, want);
	assert_non_null(strstr(text, "\"last\":{\"time\":0,"
	    "\"dsn\":\"4.4.1\",\"host\":\"mx.example.net\","
	    "\"reply\":\"no route\"}}\n{\"destination\":\"x.test\","
	    "\"messages\":1,"));
	assert_null(strstr(text, "gone.test"));
	free(text);
	text = stats(false);
	assert_non_null(strstr(text, "Messages      Size    <5m    <1h    <4h"
	    "    <1d  older  Destination\n"
	    "       2        1K      2      0      0      0      0  total, 0 "
	    "new, 1 held\n"
	    "       2        1K      2      0      0      0      0  "
	    "Example.NET\n"
	    "           (4.4.1 mx.example.net: no route)\n"
	    "       1        1K      1      0      0      0      0  x.test\n"));
	free(text);
}

static void
test_stats_many_destinations(void **state)
{
	struct msgid id;
	struct buf b = BUF_INIT;
	char *text, *p;
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < 300; i++)
		buf_printf(&b, "%su@d%zu.test", i > 0 ? " " : "", i);
	in_queue(&id, "a@example.org", buf_str(&b), NOW);
	buf_clear(&b);
	text = stats(true);
	for (p = text; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	assert_int_equal(n, 301);
	free(text);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_listing_empty),
		TEST(test_listing_waits_its_turn),
		TEST(test_listing_message),
		TEST(test_listing_json_message),
		TEST(test_listing_json_states),
		TEST(test_listing_states),
		TEST(test_listing_drop),
		TEST(test_listing_shows_one_of_two_places),
		TEST(test_listing_with_broken_configuration),
		TEST(test_listing_is_printable),
		TEST(test_listing_skips_what_cannot_be_read),
		TEST(test_listing_detail),
		TEST(test_listing_user_is_full),
		TEST(test_listing_counts_other_files),
		TEST(test_listing_pick),
		TEST(test_listing_pick_wrong),
		TEST(test_stats),
		TEST(test_stats_many_destinations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
