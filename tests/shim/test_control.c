/* SPDX-License-Identifier: ISC */
/* What an administrator does to messages, and what lies about in the spool. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spool/queue.h"
#include "spool_fixture.h"

static struct queue *q;		/* the runner's */
static struct queue *ours;	/* that of the administrator's program */

static struct queue *
open_spool(void)
{
	const char *why;
	struct queue *new = queue_open(fixture_path("", ""), &why);

	assert_non_null(new);
	return new;
}

static int
setup(void **state)
{
	(void)state;
	fixture_spool();
	q = open_spool();
	ours = open_spool();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	queue_close(q);
	queue_close(ours);
	fixture_remove();
	return 0;
}

/* Pick drop/ID up; the copy, or -1. */
static int
pick_up(const struct msgid *id)
{
	struct msgfile mf;
	int fd;

	if (queue_pickup(q, id, 1 << 20, 100, 4096, &fd, &mf) != 0)
		return -1;
	msgfile_clear(&mf);
	return fd;
}

static void
in_queue(struct msgid *id)
{
	int fd;

	fixture_drop(id, "a@example.org", "b@example.net");
	fd = pick_up(id);
	assert_int_equal(queue_keep(q, id, fd, 1000), 0);
	close(fd);
}

static struct queue_entry
entry(const struct msgid *id)
{
	struct queue_entry e;

	assert_int_equal(queue_stat(ours, id, &e), 0);
	return e;
}

static void
delete(struct queue *by, const struct msgid *id, int want)
{
	int error = -1;

	assert_int_equal(queue_delete(by, id, 1, &error), want != 0);
	assert_int_equal(error, want);
}

static void
make_file(const char *dir, const char *name, const char *text)
{
	int fd = open(fixture_path(dir, name), O_WRONLY | O_CREAT | O_EXCL,
	    0640);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0640), 0);
	close(fd);
}

static void
count(void *arg, const struct queue_entry *e)
{
	(void)e;
	++*(size_t *)arg;
}

/* --- whose it is -------------------------------------------------------- */

static void
test_queue_uid_survives_in_the_times(void **state)
{
	struct msgid id;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	/* only root may give a file to another */
	(void)!chown(fixture_path("drop", id.s), 4294967294U, (gid_t)-1);
	assert_int_equal(entry(&id).uid, geteuid() == 0 ? 294967294U :
	    queue_uid(geteuid()));
	fd = pick_up(&id);
	assert_int_equal(queue_keep(q, &id, fd, 5000), 0);
	close(fd);
	assert_int_equal(entry(&id).uid, geteuid() == 0 ? 294967294U :
	    queue_uid(geteuid()));
	assert_int_equal(entry(&id).next, 5000);
	assert_int_equal(queue_set_next(q, &id, 6000), 0);
	assert_int_equal(entry(&id).next, 6000);
	assert_int_equal(entry(&id).uid, geteuid() == 0 ? 294967294U :
	    queue_uid(geteuid()));
}

/* --- hold and release --------------------------------------------------- */

static void
test_queue_hold_and_release(void **state)
{
	struct msgid id, none;

	(void)state;
	in_queue(&id);
	assert_int_equal(queue_hold(ours, &id), 0);
	assert_true(entry(&id).held);
	assert_int_equal(entry(&id).next, 1000);
	assert_int_equal(queue_hold(ours, &id), 0);
	/* an attempt that was under way ends, and sets its time */
	assert_int_equal(queue_set_next(q, &id, 3000), 0);
	assert_true(entry(&id).held);
	assert_int_equal(queue_release(ours, &id, 2000), 0);
	assert_false(entry(&id).held);
	assert_int_equal(entry(&id).next, 2000);
	assert_int_equal(queue_release(ours, &id, 9000), 0);
	assert_int_equal(entry(&id).next, 2000);
	id_new(&none);
	assert_int_equal(queue_hold(ours, &none), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(queue_release(ours, &none, 1), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_queue_hold_in_drop(void **state)
{
	struct msgid id, bad;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_int_equal(queue_lock(q), 0);
	assert_int_equal(queue_hold(ours, &id), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(fixture_exists("drop", id.s));
	/* without a runner it is picked up first */
	assert_int_equal(queue_unlock(q), 0);
	assert_int_equal(queue_hold(ours, &id), 0);
	assert_false(fixture_exists("drop", id.s));
	assert_true(entry(&id).held);
	assert_int_equal(queue_lock(q), 0);
	assert_int_equal(queue_unlock(q), 0);
	id_new(&bad);
	make_file("drop", bad.s, "no message");
	assert_int_equal(queue_hold(ours, &bad), -1);
	assert_int_equal(errno, ENOENT);
	assert_true(fixture_exists("bad", bad.s));
}

/* --- delete ------------------------------------------------------------- */

static void
test_queue_delete(void **state)
{
	struct journal_record r;
	struct msgid id;

	(void)state;
	in_queue(&id);
	memset(&r, 0, sizeof(r));
	r.type = JOURNAL_DELIVERED;
	result_set(&r.result, R_SENT, "ok");
	assert_int_equal(queue_record(q, &id, &r, 1), 0);
	assert_int_equal(fixture_count("queue"), 2);
	delete(ours, &id, 0);
	assert_int_equal(fixture_count("queue"), 0);
	delete(ours, &id, ENOENT);
	fixture_drop(&id, "a@example.org", "b@example.net");
	delete(ours, &id, 0);
	assert_int_equal(fixture_count("drop"), 0);
}

static void
test_queue_delete_many(void **state)
{
	struct msgid id[4];
	int error[4], i;

	(void)state;
	for (i = 0; i < 4; i++)
		in_queue(&id[i]);
	delete(ours, &id[2], 0);
	assert_int_equal(queue_delete(ours, id, 4, error), 1);
	for (i = 0; i < 4; i++)
		assert_int_equal(error[i], i == 2 ? ENOENT : 0);
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(queue_delete(ours, NULL, 0, NULL), 0);
}

/* While a runner tries the copy of drop/ID: it must not come back. */
static void
test_queue_delete_before_keep(void **state)
{
	struct msgid id;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	fd = pick_up(&id);
	assert_int_not_equal(fd, -1);
	delete(ours, &id, 0);
	assert_int_equal(queue_keep(q, &id, fd, 1000), 1);
	close(fd);
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(fixture_count("drop"), 0);
}

static void
test_queue_delete_before_the_end(void **state)
{
	struct msgid id;

	(void)state;
	in_queue(&id);
	delete(ours, &id, 0);
	assert_int_equal(queue_set_next(q, &id, 1), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(queue_retire(q, IN_QUEUE, &id), 0);
}

/* --- room --------------------------------------------------------------- */

static void
test_queue_reserve_keeps_the_size(void **state)
{
	struct msgid id;
	struct stat st;
	char name[ID_LEN + 8];

	(void)state;
	in_queue(&id);
	assert_int_equal(queue_reserve(q, &id, 100), 0);
	snprintf(name, sizeof(name), "%s.log", id.s);
	assert_int_equal(stat(fixture_path("queue", name), &st), 0);
	assert_int_equal(st.st_size, 0);
	/* unless this file system cannot */
	if (st.st_blocks != 0)
		assert_true(st.st_blocks * 512 >= 100 * JOURNAL_RECORD_MAX);
}

/* --- what is no message ------------------------------------------------- */

static void
test_queue_later_versions_are_left_alone(void **state)
{
	static const char later[] = "mxnss 2\nsomething that we do not know, "
	    "and its trailer\n";
	struct msgid in_drop, waits;
	struct msgfile mf;
	size_t n = 0;
	int fd;

	(void)state;
	assert_int_equal(queue_lock(q), 0);
	id_new(&in_drop);
	id_new(&waits);
	make_file("drop", in_drop.s, later);
	make_file("queue", waits.s, later);
	assert_int_equal(queue_scan(q, IN_DROP, count, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(queue_pickup(q, &in_drop, 1 << 20, 100, 4096,
	    &fd, &mf),
	    -2);
	queue_skip_later(q, &waits);
	n = 0;
	assert_int_equal(queue_scan(q, IN_DROP, count, &n), 0);
	assert_int_equal(queue_scan(q, IN_QUEUE, count, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(queue_skipped(q), 2);
	assert_true(fixture_exists("drop", in_drop.s));
	assert_true(fixture_exists("queue", waits.s));
}

static void
test_queue_unknown_files_are_counted(void **state)
{
	struct msgid id;
	size_t n = 0;
	int i;

	(void)state;
	in_queue(&id);
	make_file("queue", "notes.txt", "who put this here?");
	assert_int_equal(mkdir(fixture_path("queue", "lost"), 0700), 0);
	assert_int_equal(queue_lock(q), 0);
	for (i = 0; i < 2; i++) {
		n = 0;
		assert_int_equal(queue_scan(q, IN_QUEUE, count, &n), 0);
		assert_int_equal(n, 1);
		assert_int_equal(queue_skipped(q), 2);
	}
	/* who only looks counts them, too */
	assert_int_equal(queue_scan(ours, IN_QUEUE, count, &n), 0);
	assert_int_equal(queue_skipped(ours), 2);
}

static void
test_queue_walk_in_steps(void **state)
{
	struct queue_walk *w;
	struct msgid id;
	size_t n = 0, steps = 0, i;

	(void)state;
	for (i = 0; i < 10; i++)
		fixture_drop(&id, "a@example.org", "b@example.net");
	w = queue_walk_new(q, IN_DROP);
	assert_non_null(w);
	while (queue_walk_step(w, 3, count, &n) != 0)
		steps++;
	queue_walk_free(w);
	assert_int_equal(n, 10);
	assert_true(steps >= 3);
	/* one that is not ended */
	w = queue_walk_new(q, IN_QUEUE);
	assert_non_null(w);
	queue_walk_free(w);
	queue_walk_free(NULL);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_queue_uid_survives_in_the_times),
		TEST(test_queue_hold_and_release),
		TEST(test_queue_hold_in_drop),
		TEST(test_queue_delete),
		TEST(test_queue_delete_many),
		TEST(test_queue_delete_before_keep),
		TEST(test_queue_delete_before_the_end),
		TEST(test_queue_reserve_keeps_the_size),
		TEST(test_queue_later_versions_are_left_alone),
		TEST(test_queue_unknown_files_are_counted),
		TEST(test_queue_walk_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
