/* SPDX-License-Identifier: ISC */
/* How much of the queue a user may have. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "run/caps.h"
#include "run/table.h"
#include "spool/usage.h"

#define BOB	4711
#define CAROL	4712
#define N	6000

static struct message m[N];
static struct caps *caps;
static struct conf conf;
static size_t ndue;
static struct message *last;

static void
on_due(void *arg, struct message *one)
{
	(void)arg;
	assert_int_equal(one->state, MESSAGE_IDLE);
	last = one;
	ndue++;
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	memset(m, 0, sizeof(m));
	for (i = 0; i < N; i++) {
		m[i].place = IN_DROP;
		m[i].uid = BOB;
		m[i].size = 100;
	}
	ndue = 0;
	last = NULL;
	memset(&conf, 0, sizeof(conf));
	conf.user_messages = 3;
	conf.user_size = 1000;
	caps = caps_new(on_due, NULL);
	caps_conf(caps, &conf);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	caps_free(caps);
	return 0;
}

static bool
enter(struct message *one)
{
	bool forget, in = caps_enter(caps, one, &forget);

	assert_false(in && forget);
	assert_int_equal(one->state, !in && !forget ? MESSAGE_CAPPED :
	    MESSAGE_IDLE);
	return in;
}

static void
test_caps_messages(void **state)
{
	(void)state;
	assert_true(enter(&m[0]) && enter(&m[1]) && enter(&m[2]));
	assert_false(enter(&m[3]));
	assert_false(enter(&m[4]));
	m[5].uid = CAROL;
	assert_true(enter(&m[5]));
	m[6].uid = 0;
	m[7].uid = m[8].uid = m[9].uid = m[10].uid = queue_uid(geteuid());
	assert_true(enter(&m[6]) && enter(&m[7]) && enter(&m[8]) &&
	    enter(&m[9]) && enter(&m[10]));
	caps_leave(caps, &m[5]);
	assert_int_equal(ndue, 0);
	/* first come, first served */
	caps_leave(caps, &m[1]);
	assert_int_equal(ndue, 1);
	assert_ptr_equal(last, &m[3]);
	/* what waits may go, too: it was deleted */
	caps_leave(caps, &m[4]);
	caps_leave(caps, &m[0]);
	assert_int_equal(ndue, 1);
	assert_true(enter(&m[11]));
	assert_false(caps_wants_scan(caps));
}

static void
test_caps_octets(void **state)
{
	(void)state;
	m[0].size = 900;
	assert_true(enter(&m[0]) && enter(&m[1]));
	assert_false(enter(&m[2]));
	/* nobody overtakes */
	m[3].size = 0;
	assert_false(enter(&m[3]));
	caps_leave(caps, &m[0]);
	assert_int_equal(ndue, 2);
}

static void
test_caps_a_large_one_comes_alone(void **state)
{
	(void)state;
	m[1].size = (off_t)1 << 40;
	assert_true(enter(&m[0]));
	assert_false(enter(&m[1]));
	assert_false(enter(&m[2]));
	caps_leave(caps, &m[0]);
	assert_int_equal(ndue, 1);
	assert_ptr_equal(last, &m[1]);
	caps_leave(caps, &m[1]);
	assert_ptr_equal(last, &m[2]);
}

/* What an earlier run left in queue/ counts, but is not asked. */
static void
test_caps_queue_counts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		m[i].place = IN_QUEUE;
		assert_true(enter(&m[i]));
	}
	assert_false(enter(&m[5]));
	caps_leave(caps, &m[0]);
	caps_leave(caps, &m[1]);
	assert_int_equal(ndue, 0);
	/* and may turn out to be another's */
	caps_move(caps, &m[2], CAROL);
	assert_int_equal(ndue, 1);
	assert_true(m[2].uid == CAROL);
}

static void
test_caps_conf(void **state)
{
	(void)state;
	assert_true(enter(&m[0]) && enter(&m[1]) && enter(&m[2]));
	assert_false(enter(&m[3]));
	conf.user_messages = 10;
	caps_conf(caps, &conf);
	assert_int_equal(ndue, 1);
}

/* Memory has a bound: the rest is found again, when it is its turn. */
static void
test_caps_forgets(void **state)
{
	size_t i, forgotten = 0;
	bool forget;

	(void)state;
	for (i = 0; i < N; i++) {
		if (!caps_enter(caps, &m[i], &forget))
			forgotten += forget;
		assert_false(caps_wants_scan(caps));
	}
	assert_true(forgotten > 0 && forgotten < N);
	for (i = 0; i < N; i++)
		if (m[i].state == MESSAGE_CAPPED || m[i].counted)
			caps_leave(caps, &m[i]);
	/* once, when the line was at its end */
	assert_true(caps_wants_scan(caps));
	assert_false(caps_wants_scan(caps));
}

static void
test_usage_many_users(void **state)
{
	struct usage *u = usage_new();
	uid_t i;

	(void)state;
	for (i = 1; i < 5000; i++)
		usage_add(usage_of(u, i), (off_t)i);
	for (i = 1; i < 5000; i++) {
		assert_int_equal(usage_of(u, i)->messages, 1);
		assert_int_equal(usage_of(u, i)->octets, i);
	}
	usage_free(u, NULL);
	usage_free(NULL, NULL);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_caps_messages),
		TEST(test_caps_octets),
		TEST(test_caps_a_large_one_comes_alone),
		TEST(test_caps_queue_counts),
		TEST(test_caps_conf),
		TEST(test_caps_forgets),
		cmocka_unit_test(test_usage_many_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
