/* SPDX-License-Identifier: ISC */
/* Who is told of what, and once, whenever it all stops. */
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

#include "base/dsn.h"
#include "run/bounce.h"
#include "run/load.h"
#include "spool_fixture.h"

#define HOUR	3600
#define DAY	(24 * HOUR)

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
						\
__attribute__((used)) type			\
__wrap_##name params				\
{						\
	return step() ? -1 : __real_##name args;	\
}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, linkat, (int a, const char *b, int c, const char *d, int e),
    (a, b, c, d, e))

/* --- fixture ------------------------------------------------------------ */

static struct conf conf;
static struct sched sched = { 300, 4 * HOUR, 5 * DAY, 4 * HOUR };
static struct queue *q;
static struct message m;
static time_t now;

static int
setup(void **state)
{
	const char *why;

	(void)state;
	fixture_spool();
	q = queue_open(fixture_path("", ""), &why);
	assert_non_null(q);
	conf.hostname = (char *)(uintptr_t)"host.test";
	conf.mail_name = (char *)(uintptr_t)"name.test";
	conf.max_size = 1 << 20;
	conf.max_rcpts = 1000;
	conf.retry_min = sched.min;
	conf.retry_max = sched.max;
	conf.expire = sched.expire;
	countdown = 0;
	now = time(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	load_free(&m);
	queue_close(q);
	fixture_remove();
	return 0;
}

static void
load(void)
{
	load_free(&m);
	m.place = IN_QUEUE;
	m.reader = -1;
	assert_int_equal(load_message(q, &conf, 0, &m), LOAD_OK);
}

/*
 * A message of that AGE in queue/, to r0@x.test, r1@x.test and so on, which
 * are to be notified as NOTIFY (DSN_*) says; loaded, all of them open.
 */
static void
make(const char *sender, time_t age, const unsigned *notify, size_t n)
{
	struct envelope env;
	char addr[32];
	size_t i;
	int fd;

	fixture_envelope(&env, sender, "r0@x.test");
	env.rcpt[0].notify = notify[0];
	env.time = (uint64_t)(now - age) * 1000000;
	for (i = 1; i < n; i++) {
		snprintf(addr, sizeof(addr), "r%zu@x.test", i);
		envelope_add_rcpt(&env, addr)->notify = notify[i];
	}
	id_new(&m.id);
	fd = queue_tmpfile(q);
	fixture_write(fd, &env, FIXTURE_BODY);
	assert_int_equal(queue_link(q, &m.id, fd), 0);
	close(fd);
	envelope_clear(&env);
	load();
}

/* The result of an attempt at recipient I, as a worker records it. */
static void
happened(size_t i, enum journal_type type, enum result_code code)
{
	static const enum rcpt_state states[] = {
		[JOURNAL_ATTEMPT] = RCPT_DEFERRED,
		[JOURNAL_DELIVERED] = RCPT_SENT,
		[JOURNAL_RELAYED] = RCPT_RELAYED,
		[JOURNAL_FAILED] = RCPT_FAILED,
	};
	struct journal_record r = { .type = type, .rcpt = i,
	    .time = (uint64_t)now * 1000000 };

	result_set(&r.result, code, "reason %zu", i);
	assert_int_equal(queue_record(q, &m.id, &r, 1), 0);
	m.load->rcpt[i].state = states[type];
	m.load->rcpt[i].attempts++;
}

static struct outcome o;

static int
tell(void)
{
	memset(&o, 0, sizeof(o));
	o.queue = q;
	o.conf = &conf;
	o.sched = &sched;
	o.now = now;
	return bounce(&o, &m);
}

/* Recipient I in the report has that action, or is not there. */
static void
assert_in(const struct msgid *report, size_t i, const char *action)
{
	char *text = fixture_read("queue", report->s), want[100];

	snprintf(want, sizeof(want), "Final-Recipient: rfc822; r%zu@x.test\r\n"
	    "Action: %s\r\n", i, action != NULL ? action : "");
	if (action == NULL)
		want[strcspn(want, "\r")] = '\0';
	if ((strstr(text, want) != NULL) != (action != NULL))
		fail_msg("%s in:\n%s", want, text);
	free(text);
}

/* --- tests -------------------------------------------------------------- */

static void
test_bounce_nothing_to_say(void **state)
{
	static const unsigned notify[3];

	(void)state;
	make("s@y.test", HOUR, notify, 3);
	happened(0, JOURNAL_DELIVERED, R_SENT);
	happened(1, JOURNAL_ATTEMPT, R_LATER);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	assert_int_equal(m.load->rcpt[1].state, RCPT_DEFERRED);
}

static void
test_bounce_each_kind_has_a_report(void **state)
{
	static const unsigned notify[] = { 0, 0, DSN_SUCCESS, DSN_SUCCESS, 0 };

	(void)state;
	make("s@y.test", 5 * HOUR, notify, 5);
	happened(0, JOURNAL_FAILED, R_REFUSED);
	happened(1, JOURNAL_ATTEMPT, R_LATER);
	happened(2, JOURNAL_RELAYED, R_SENT);
	happened(3, JOURNAL_DELIVERED, R_SENT);
	happened(4, JOURNAL_FAILED, R_NOHOST);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 3);
	assert_in(&o.made[0], 0, "failed");
	assert_in(&o.made[0], 4, "failed");
	assert_in(&o.made[0], 1, NULL);
	assert_in(&o.made[1], 2, "relayed");
	assert_in(&o.made[1], 3, NULL);
	assert_in(&o.made[2], 1, "delayed");
	assert_int_equal(m.load->rcpt[0].state, RCPT_TOLD);
	assert_int_equal(m.load->rcpt[1].state, RCPT_DEFERRED);
	assert_int_equal(m.load->rcpt[2].state, RCPT_SENT);
	/* and no more of it, from memory and from the journal */
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	load();
	assert_int_equal(m.load->rcpt[0].state, RCPT_TOLD);
	assert_int_equal(m.load->rcpt[2].state, RCPT_SENT);
	happened(1, JOURNAL_ATTEMPT, R_LATER);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	/* a later failure is a report of its own, about that alone */
	happened(1, JOURNAL_FAILED, R_REFUSED);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 1);
	assert_in(&o.made[0], 1, "failed");
	assert_in(&o.made[0], 0, NULL);
	assert_int_equal(fixture_count("queue"), 6);	/* and the journal */
}

static void
test_bounce_heeds_notify(void **state)
{
	static const unsigned notify[] = { DSN_NEVER, DSN_SUCCESS,
	    DSN_FAILURE, DSN_FAILURE, DSN_NEVER };
	size_t i;

	(void)state;
	make("s@y.test", 5 * HOUR, notify, 5);
	happened(0, JOURNAL_FAILED, R_REFUSED);
	happened(1, JOURNAL_FAILED, R_REFUSED);
	happened(2, JOURNAL_ATTEMPT, R_LATER);
	happened(3, JOURNAL_FAILED, R_REFUSED);
	happened(4, JOURNAL_ATTEMPT, R_LATER);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 1);
	for (i = 0; i < 5; i++)
		assert_in(&o.made[0], i, i == 3 ? "failed" : NULL);
	assert_int_equal(m.load->rcpt[0].state, RCPT_TOLD);
	assert_int_equal(m.load->rcpt[1].state, RCPT_TOLD);
	/* nobody at all */
	happened(4, JOURNAL_FAILED, R_REFUSED);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	assert_int_equal(m.load->rcpt[4].state, RCPT_TOLD);
	load();
	assert_int_equal(m.load->rcpt[4].state, RCPT_TOLD);
}

static void
test_bounce_without_a_sender(void **state)
{
	static const unsigned notify[] = { 0, 0, DSN_SUCCESS };

	(void)state;
	make("", 5 * HOUR, notify, 3);
	happened(0, JOURNAL_FAILED, R_REFUSED);
	happened(1, JOURNAL_ATTEMPT, R_LATER);
	happened(2, JOURNAL_RELAYED, R_SENT);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	assert_int_equal(m.load->rcpt[0].state, RCPT_TOLD);
	assert_int_equal(m.load->rcpt[2].state, RCPT_SENT);
	assert_int_equal(fixture_count("queue"), 2);
}

static void
test_bounce_warns_when_it_is_time(void **state)
{
	static const unsigned notify[] = { 0 };

	(void)state;
	make("s@y.test", 4 * HOUR - 1, notify, 1);
	happened(0, JOURNAL_ATTEMPT, R_LATER);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	now++;
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 1);
	now += 1;
	sched.warn = 0;
	make("s@y.test", 4 * DAY, notify, 1);
	happened(0, JOURNAL_ATTEMPT, R_LATER);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	sched.warn = 4 * HOUR;
}

static void
test_bounce_gives_up(void **state)
{
	static const unsigned notify[] = { 0, 0 };
	int i;

	(void)state;
	make("s@y.test", DAY, notify, 2);
	for (i = 0; i < 4; i++, now += DAY)
		happened(0, JOURNAL_ATTEMPT, R_CONNECT);
	load();
	m.load->rcpt[0].state = RCPT_DEFERRED;
	m.load->reports[NOTICE_DELAYED] = 1;
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	/* five attempts, but none in this run */
	happened(0, JOURNAL_ATTEMPT, R_CONNECT);
	m.load->rcpt[0].state = RCPT_OPEN;
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	m.load->rcpt[0].state = RCPT_DEFERRED;
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 1);
	assert_in(&o.made[0], 0, "failed");
	assert_in(&o.made[0], 1, NULL);
}

/* The clock jumps by 68 years after enough attempts, forth and back. */
static void
test_bounce_not_by_a_jump(void **state)
{
	static const unsigned notify[] = { 0 };
	time_t years = (time_t)68 * 365 * DAY;
	int i;

	(void)state;
	make("s@y.test", 0, notify, 1);
	for (i = 0; i < 7; i++, now += 300)
		happened(0, JOURNAL_ATTEMPT, R_CONNECT);
	load();
	m.load->reports[NOTICE_DELAYED] = 1;
	now += years;
	happened(0, JOURNAL_ATTEMPT, R_CONNECT);
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 0);
	now -= years;
	load();
	happened(0, JOURNAL_ATTEMPT, R_CONNECT);
	assert_int_equal(tell(), 0);
	/* that it is late may be said now: of a jump nobody knows */
	assert_int_equal(o.nmade, 1);
	assert_in(&o.made[0], 0, "delayed");
	/* what was submitted in the future is given up in the end, too */
	make("s@y.test", -years, notify, 1);
	for (i = 0; i < 6; i++, now += DAY)
		happened(0, JOURNAL_ATTEMPT, R_CONNECT);
	load();
	m.load->rcpt[0].state = RCPT_DEFERRED;
	assert_int_equal(tell(), 0);
	assert_int_equal(o.nmade, 1);
	assert_in(&o.made[0], 0, "failed");
}

/* A report goes when the message knows of it, or is gone. */
static void
test_bounce_may_go(void **state)
{
	static const unsigned notify[] = { 0 };
	struct message report;
	struct msgid origin;
	char journal[ID_LEN + 5];

	(void)state;
	make("s@y.test", HOUR, notify, 1);
	assert_true(bounce_may_go(q, &m));
	happened(0, JOURNAL_FAILED, R_REFUSED);
	assert_int_equal(tell(), 0);
	origin = m.id;
	memset(&report, 0, sizeof(report));
	report.id = o.made[0];
	report.place = IN_QUEUE;
	report.reader = -1;
	assert_int_equal(load_message(q, &conf, 0, &report), LOAD_OK);
	assert_true(bounce_may_go(q, &report));
	snprintf(journal, sizeof(journal), "%s.log", origin.s);
	assert_int_equal(unlink(fixture_path("queue", journal)), 0);
	assert_false(bounce_may_go(q, &report));
	assert_int_equal(queue_retire(q, IN_QUEUE, &origin), 0);
	assert_true(bounce_may_go(q, &report));
	load_free(&report);
}

/* How many reports are in queue/, and whether each has a record. */
static size_t
count_reports(void)
{
	return fixture_count("queue") - 2;	/* the message, its journal */
}

/*
 * Killed, or failed, at every step: in the end there is one report of each
 * kind, and whoever may not be sent yet knows it.
 */
static void
test_bounce_at_every_step(void **state)
{
	static const unsigned notify[] = { 0, DSN_SUCCESS, 0 };
	int n, status, steps = 0;
	pid_t pid;

	for (n = 2; n < 100; n++) {
		teardown(state);
		setup(state);
		make("s@y.test", 5 * HOUR, notify, 3);
		happened(0, JOURNAL_FAILED, R_REFUSED);
		happened(1, JOURNAL_RELAYED, R_SENT);
		happened(2, JOURNAL_ATTEMPT, R_LATER);
		killing = n % 2 == 0;
		if ((pid = fork()) == 0) {
			countdown = n / 2;
			status = tell() == 0;
			_exit(countdown != 0 ? 2 : status);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WEXITSTATUS(status) == 2)
			break;
		steps++;
		/* as a new runner does: what is owed, then an attempt */
		load();
		assert_int_equal(tell(), 0);
		assert_int_equal(m.load->rcpt[0].state, RCPT_TOLD);
		assert_int_equal(m.load->rcpt[1].state, RCPT_SENT);
		happened(2, JOURNAL_ATTEMPT, R_LATER);
		assert_int_equal(tell(), 0);
		assert_int_equal(count_reports(), 3);
		load();
		happened(2, JOURNAL_ATTEMPT, R_LATER);
		assert_int_equal(tell(), 0);
		assert_int_equal(o.nmade, 0);
		assert_int_equal(count_reports(), 3);
	}
	assert_true(steps >= 20);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bounce_nothing_to_say),
		TEST(test_bounce_each_kind_has_a_report),
		TEST(test_bounce_heeds_notify),
		TEST(test_bounce_without_a_sender),
		TEST(test_bounce_warns_when_it_is_time),
		TEST(test_bounce_gives_up),
		TEST(test_bounce_not_by_a_jump),
		TEST(test_bounce_may_go),
		TEST(test_bounce_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
