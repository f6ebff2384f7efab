/* SPDX-License-Identifier: ISC */
/*
 * The runner's side of the spool: every state of queue.h, what a crash or a
 * failure at any step leaves, and what people may put into drop/.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/xmalloc.h"
#include "spool/queue.h"
#include "spool_fixture.h"

#define MAXSIZE		((uint64_t)1 << 20)
#define MEMORY		((size_t)16384)
#define MAXRCPT		100

/* --- the n-th change of the file system fails, or is the last one ------- */

enum fault { FAULT_NONE, FAULT_ERROR, FAULT_KILL };

static enum fault fault;
static int countdown;

static bool
step(void)
{
	if (fault == FAULT_NONE || --countdown != 0)
		return false;
	if (fault == FAULT_KILL)
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
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, linkat, (int a, const char *b, int c, const char *d, int e),
    (a, b, c, d, e))
WRAP(int, renameat, (int a, const char *b, int c, const char *d),
    (a, b, c, d))
WRAP(int, renameat2, (int a, const char *b, int c, const char *d, unsigned e),
    (a, b, c, d, e))
WRAP(int, unlinkat, (int a, const char *b, int c), (a, b, c))

static void
arm(enum fault how, int n)
{
	fault = how;
	countdown = n;
}

/* --- fixture ------------------------------------------------------------ */

static struct queue *q;

static void
reopen(void)
{
	const char *why;

	queue_close(q);
	q = queue_open(fixture_path("", ""), &why);
	assert_non_null(q);
	assert_int_equal(queue_lock(q), 0);
}

static int
setup(void **state)
{
	(void)state;
	fixture_spool();
	q = NULL;
	reopen();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arm(FAULT_NONE, 0);
	queue_close(q);
	q = NULL;
	fixture_remove();
	return 0;
}

struct seen {
	struct queue_entry e[32];
	size_t	 n;
};

static void
see(void *arg, const struct queue_entry *e)
{
	struct seen *s = arg;

	assert_true(s->n < 32);
	s->e[s->n++] = *e;
}

static size_t
scan(enum queue_place place, struct seen *s)
{
	s->n = 0;
	assert_int_equal(queue_scan(q, place, see, s), 0);
	return s->n;
}

static void
count_records(void *arg, const struct journal_record *r)
{
	(void)r;
	++*(size_t *)arg;
}

static size_t
journal_length(const struct msgid *id)
{
	size_t n = 0;

	assert_int_equal(queue_journal(q, id, count_records, &n), 0);
	return n;
}

static struct journal_record
record(enum journal_type type, size_t rcpt)
{
	struct journal_record r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.rcpt = rcpt;
	r.time = 1;
	result_set(&r.result, R_LATER, "later");
	return r;
}

/* Pick up and keep, with whatever fails. */
static int
pickup_and_keep(const struct msgid *id, time_t next)
{
	struct msgfile mf;
	int fd, ret;

	if ((ret = queue_pickup(q, id, MAXSIZE, MAXRCPT, MEMORY,
	    &fd, &mf)) != 0)
		return ret;
	ret = queue_keep(q, id, fd, next);
	msgfile_clear(&mf);
	close(fd);
	return ret;
}

static void
in_queue(struct msgid *id)
{
	fixture_drop(id, "a@example.org", "b@example.net");
	assert_int_equal(pickup_and_keep(id, 1000), 0);
	assert_int_equal(queue_sync(q), 0);
}

/* The message can be read, wherever it is; how many places have it. */
static size_t
places(const struct msgid *id)
{
	struct msgfile mf;
	const char *why;
	size_t n = 0;
	int fd;

	if (fixture_exists("queue", id->s)) {
		fd = queue_openmsg(q, id);
		assert_int_not_equal(fd, -1);
		assert_int_equal(msgfile_read(fd, MAXRCPT, &mf, &why), 0);
		msgfile_clear(&mf);
		close(fd);
		n++;
	}
	n += fixture_exists("drop", id->s);
	n += fixture_exists("dead", id->s);
	return n;
}

/* --- opening ------------------------------------------------------------ */

static void
test_queue_open_makes_what_is_missing(void **state)
{
	char *version;

	(void)state;
	assert_int_equal(rmdir(fixture_path("dead", "")), 0);
	reopen();
	assert_true(fixture_exists("dead", ""));
	version = fixture_read(".", "VERSION");
	assert_string_equal(version, "1\n");
	free(version);
}

static void
test_queue_open_refuses_other_version(void **state)
{
	const char *why = NULL;
	int fd;

	(void)state;
	fd = open(fixture_path(".", "VERSION"), O_WRONLY | O_TRUNC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "2\n", 2), 2);
	close(fd);
	assert_null(queue_open(fixture_path("", ""), &why));
	assert_non_null(strstr(why, "format"));
	assert_null(queue_open("/nonexistent", &why));
	assert_non_null(strstr(why, "/nonexistent"));
}

static void
test_queue_lock_is_shared_with_workers_only(void **state)
{
	const char *why;
	struct queue *other;
	int go[2], status;
	char c;
	pid_t pid;

	(void)state;
	other = queue_open(fixture_path("", ""), &why);
	assert_non_null(other);
	assert_int_equal(queue_lock(other), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(pipe(go), 0);
	if ((pid = fork()) == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) == 0 ? 0 : 1);
	}
	assert_int_not_equal(pid, -1);
	close(go[0]);
	/* the runner is gone, a worker is not */
	queue_close(q);
	q = NULL;
	assert_int_equal(queue_lock(other), -1);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(queue_lock(other), 0);
	queue_close(other);
}

static void
test_queue_forked_closes_the_rest(void **state)
{
	int fds[2], extra[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(extra), 0);
	if ((pid = fork()) == 0) {
		struct seen s = { .n = 0 };

		queue_forked(q, fds[1]);
		_exit(fcntl(fds[0], F_GETFD) == -1 &&
		    fcntl(fds[1], F_GETFD) != -1 &&
		    fcntl(extra[0], F_GETFD) == -1 &&
		    fcntl(extra[1], F_GETFD) == -1 &&
		    queue_scan(q, IN_DROP, see, &s) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
	close(fds[1]);
	close(extra[0]);
	close(extra[1]);
}

/* --- the way of a message ----------------------------------------------- */

static void
test_queue_pickup_keep_retire(void **state)
{
	struct journal_record r = record(JOURNAL_ATTEMPT, 0);
	struct queue_entry e;
	struct msgfile mf;
	struct seen s;
	struct msgid id;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net c@example.net");
	assert_int_equal(scan(IN_DROP, &s), 1);
	assert_string_equal(s.e[0].id.s, id.s);
	assert_int_equal(s.e[0].place, IN_DROP);
	assert_int_equal(queue_pickup(q, &id, MAXSIZE, MAXRCPT, MEMORY,
	    &fd, &mf), 0);
	assert_int_equal(mf.env.nrcpt, 2);
	assert_int_equal(mf.env.uid, geteuid());
	assert_string_equal(mf.env.sender, "a@example.org");
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(queue_keep(q, &id, fd, 12345), 0);
	close(fd);
	msgfile_clear(&mf);
	assert_false(fixture_exists("drop", id.s));
	assert_int_equal(queue_stat(q, &id, &e), 0);
	assert_int_equal(e.place, IN_QUEUE);
	assert_int_equal(e.next, 12345);
	assert_false(e.held);
	assert_int_equal(queue_set_next(q, &id, 777), 0);
	assert_int_equal(scan(IN_QUEUE, &s), 1);
	assert_int_equal(s.e[0].next, 777);
	assert_int_equal(chmod(fixture_path("queue", id.s), 0400), 0);
	assert_int_equal(scan(IN_QUEUE, &s), 1);
	assert_true(s.e[0].held);
	assert_int_equal(queue_record(q, &id, &r, 1), 0);
	assert_int_equal(journal_length(&id), 1);
	assert_int_equal(queue_retire(q, IN_QUEUE, &id), 0);
	assert_false(fixture_exists("queue", id.s));
	/* the journal outlives the message until the removal is on disk */
	assert_int_equal(journal_length(&id), 1);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(queue_stat(q, &id, &e), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_queue_retire_from_drop(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_int_equal(queue_retire(q, IN_DROP, &id), 0);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(queue_sync(q), 0);
	/* twice does not matter */
	assert_int_equal(queue_retire(q, IN_DROP, &id), 0);
}

static void
test_queue_link_once(void **state)
{
	struct envelope env;
	struct msgid from, id;
	struct queue_entry e;
	int fd, i;

	(void)state;
	id_new(&from);
	id_derive(&id, from.s, 1);
	fixture_envelope(&env, "", "a@example.org");
	for (i = 0; i < 2; i++) {
		fd = queue_tmpfile(q);
		assert_int_not_equal(fd, -1);
		fixture_write(fd, &env, FIXTURE_BODY);
		assert_int_equal(queue_link(q, &id, fd), 0);
		close(fd);
	}
	envelope_clear(&env);
	assert_int_equal(fixture_count("queue"), 1);
	assert_int_equal(queue_stat(q, &id, &e), 0);
	assert_true(e.next <= time(NULL));
}

static void
test_queue_bury_takes_the_journal(void **state)
{
	struct journal_record r = record(JOURNAL_FAILED, 0);
	struct msgid id;
	char name[64];

	(void)state;
	in_queue(&id);
	assert_int_equal(queue_record(q, &id, &r, 1), 0);
	assert_int_equal(queue_bury(q, &id), 0);
	assert_int_equal(fixture_count("queue"), 0);
	assert_true(fixture_exists("dead", id.s));
	snprintf(name, sizeof(name), "%s.log", id.s);
	assert_true(fixture_exists("dead", name));
}

/* --- copies in memory ------------------------------------------------------ */

static bool
spool_is_in_memory(void)
{
	int fd = queue_tmpfile(q);
	bool is = file_is_in_memory(fd);

	assert_int_not_equal(fd, -1);
	close(fd);
	return is;
}

/* What is small is copied to memory, and kept as what lies on a disk is. */
static void
test_queue_pickup_in_memory(void **state)
{
	static const size_t memory[] = { MEMORY, 0 };
	struct msgfile mf;
	struct msgid id;
	struct stat st;
	char *copy;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 2; i++) {
		fixture_drop(&id, "a@example.org", "b@example.net");
		assert_int_equal(queue_pickup(q, &id, MAXSIZE, MAXRCPT,
		    memory[i], &fd, &mf), 0);
		assert_int_equal(fstat(fd, &st), 0);
		/* it has no name either way */
		assert_int_equal(st.st_nlink, 0);
		assert_int_equal(fixture_count("queue"), 0);
		if (memory[i] != 0)
			assert_true(file_is_in_memory(fd));
		assert_int_equal(queue_keep(q, &id, fd, 1000), 0);
		assert_false(fixture_exists("drop", id.s));
		copy = fixture_read("queue", id.s);
		assert_int_equal(strlen(copy), st.st_size);
		assert_int_equal(strncmp(copy + mf.start, FIXTURE_BODY,
		    strlen(FIXTURE_BODY)), 0);
		free(copy);
		assert_int_equal(stat(fixture_path("queue", id.s), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(st.st_mtim.tv_sec, 1000);
		msgfile_clear(&mf);
		close(fd);
		assert_int_equal(unlink(fixture_path("queue", id.s)), 0);
	}
}

static void
test_queue_pickup_of_more(void **state)
{
	struct msgfile mf;
	struct msgid id;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_int_equal(queue_pickup(q, &id, MAXSIZE, MAXRCPT, 10, &fd, &mf),
	    0);
	/* where the spool is in memory all is */
	assert_int_equal(file_is_in_memory(fd), spool_is_in_memory());
	msgfile_clear(&mf);
	close(fd);
}

/* --- crashes ------------------------------------------------------------ */

static void
test_queue_journal_beside_drop(void **state)
{
	struct journal_record r = record(JOURNAL_DELIVERED, 0);
	struct seen s;
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_int_equal(queue_record(q, &id, &r, 1), 0);
	reopen();
	assert_int_equal(scan(IN_QUEUE, &s), 0);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(journal_length(&id), 1);
}

static void
test_queue_scan_removes_orphan_journal(void **state)
{
	struct journal_record r = record(JOURNAL_DELIVERED, 0);
	struct seen s;
	struct msgid id;

	(void)state;
	id_new(&id);
	assert_int_equal(queue_record(q, &id, &r, 1), 0);
	/* not by who only looks */
	assert_int_equal(queue_unlock(q), 0);
	assert_int_equal(scan(IN_QUEUE, &s), 0);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(fixture_count("queue"), 1);
	assert_int_equal(queue_lock(q), 0);
	assert_int_equal(scan(IN_QUEUE, &s), 0);
	assert_int_equal(fixture_count("queue"), 1);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(fixture_count("queue"), 0);
}

/* Of many, those that have a message stay. */
static void
test_queue_scan_tells_journals_apart(void **state)
{
	enum { N = 30 };
	struct journal_record r = record(JOURNAL_ATTEMPT, 0);
	struct msgid id[N];
	struct seen s;
	size_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		if (i % 5 == 2)
			id_new(&id[i]);
		else
			in_queue(&id[i]);
		assert_int_equal(queue_record(q, &id[i], &r, 1), 0);
	}
	assert_int_equal(scan(IN_QUEUE, &s), N - N / 5);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(fixture_count("queue"), 2 * (N - N / 5));
	for (i = 0; i < N; i++)
		assert_int_equal(journal_length(&id[i]), i % 5 != 2);
}

static void
test_queue_scan_completes_burial(void **state)
{
	struct journal_record r = record(JOURNAL_FAILED, 0);
	struct seen s;
	struct msgid id;

	(void)state;
	in_queue(&id);
	assert_int_equal(queue_record(q, &id, &r, 1), 0);
	assert_int_equal(rename(fixture_path("queue", id.s),
	    fixture_path("dead", id.s)), 0);
	reopen();
	scan(IN_QUEUE, &s);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(fixture_count("dead"), 2);
}

static void
test_queue_pickup_prefers_queue(void **state)
{
	struct msgfile mf;
	struct msgid id;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_int_equal(link(fixture_path("drop", id.s),
	    fixture_path("bad", "copy")), 0);
	assert_int_equal(rename(fixture_path("bad", "copy"),
	    fixture_path("queue", id.s)), 0);
	assert_int_equal(queue_pickup(q, &id, MAXSIZE, MAXRCPT, MEMORY,
	    &fd, &mf), 1);
	assert_false(fixture_exists("drop", id.s));
	assert_true(fixture_exists("queue", id.s));
}

/* Fail step N, or be killed at it, until N is past the end. */
static void
sweep(void (*prepare)(struct msgid *), int (*act)(const struct msgid *),
    void (*verify)(const struct msgid *, bool acknowledged))
{
	enum fault how;
	struct msgid id;
	int n, status, steps = 0;
	pid_t pid;

	for (how = FAULT_ERROR; how <= FAULT_KILL; how++)
		for (n = 1;; n++) {
			teardown(NULL);
			setup(NULL);
			prepare(&id);
			if ((pid = fork()) == 0) {
				arm(how, n);
				status = act(&id) == 0 ? 0 : 1;
				/* the step did not come any more */
				if (countdown > 0)
					status |= 2;
				_exit(status);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFEXITED(status));
			status = WEXITSTATUS(status);
			reopen();
			verify(&id, status == 0 || status == 2);
			if (status != 99 && (status & 2) != 0)
				break;
			steps++;
		}
	/* it is a sweep only if there was something to sweep */
	assert_true(steps >= 4);
}

static void
prepare_drop(struct msgid *id)
{
	fixture_drop(id, "a@example.org", "b@example.net");
}

static int
act_keep(const struct msgid *id)
{
	return pickup_and_keep(id, 1000);
}

static void
verify_kept(const struct msgid *id, bool acknowledged)
{
	struct seen s;

	assert_true(places(id) >= 1);
	if (acknowledged)
		assert_true(fixture_exists("queue", id->s));
	/* the next runner ends with one copy */
	if (fixture_exists("drop", id->s))
		(void)pickup_and_keep(id, 1000);
	assert_int_equal(places(id), 1);
	assert_int_equal(scan(IN_QUEUE, &s), 1);
}

static void
test_queue_keep_at_every_step(void **state)
{
	(void)state;
	sweep(prepare_drop, act_keep, verify_kept);
}

static void
prepare_recorded(struct msgid *id)
{
	struct journal_record r = record(JOURNAL_DELIVERED, 0);

	in_queue(id);
	assert_int_equal(queue_record(q, id, &r, 1), 0);
}

static int
act_retire(const struct msgid *id)
{
	if (queue_retire(q, IN_QUEUE, id) == -1)
		return -1;
	return queue_sync(q);
}

static void
verify_retired(const struct msgid *id, bool acknowledged)
{
	struct seen s;

	/* never a message without its journal */
	if (fixture_exists("queue", id->s))
		assert_int_equal(journal_length(id), 1);
	if (acknowledged)
		assert_int_equal(places(id), 0);
	scan(IN_QUEUE, &s);
	assert_int_equal(queue_sync(q), 0);
	assert_int_equal(fixture_count("queue"), places(id) * 2);
}

static void
test_queue_retire_at_every_step(void **state)
{
	(void)state;
	sweep(prepare_recorded, act_retire, verify_retired);
}

static int
act_record(const struct msgid *id)
{
	struct journal_record r = record(JOURNAL_FAILED, 0);

	return queue_record(q, id, &r, 1);
}

static int
act_two_records(const struct msgid *id)
{
	/* the second one must hold even if the first was torn */
	(void)act_record(id);
	return act_record(id);
}

static void
verify_two(const struct msgid *id, bool acknowledged)
{
	assert_int_equal(places(id), 1);
	if (acknowledged)
		assert_in_range(journal_length(id), 1, 2);
}

static void
test_queue_record_at_every_step(void **state)
{
	(void)state;
	sweep(prepare_drop, act_two_records, verify_two);
}

static int
act_bury(const struct msgid *id)
{
	return queue_bury(q, id);
}

static void
verify_buried(const struct msgid *id, bool acknowledged)
{
	assert_int_equal(places(id), 1);
	if (acknowledged)
		assert_true(fixture_exists("dead", id->s));
	if (fixture_exists("queue", id->s))
		assert_int_equal(journal_length(id), 1);
}

static void
test_queue_bury_at_every_step(void **state)
{
	(void)state;
	sweep(prepare_recorded, act_bury, verify_buried);
}

/* --- hostile entries ---------------------------------------------------- */

static void
make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(fixture_path("drop", name), O_WRONLY | O_CREAT | O_EXCL,
	    0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
hostile_symlink(const char *name)
{
	assert_int_equal(symlink("/etc/passwd", fixture_path("drop", name)),
	    0);
}

static void
hostile_fifo(const char *name)
{
	assert_int_equal(mkfifo(fixture_path("drop", name), 0640), 0);
}

static void
hostile_directory(const char *name)
{
	assert_int_equal(mkdir(fixture_path("drop", name), 0750), 0);
}

static void
hostile_sparse(const char *name)
{
	make_file(name, MSGFILE_MAGIC, 0640);
	assert_int_equal(truncate(fixture_path("drop", name), (off_t)1 << 40),
	    0);
}

static void
hostile_text(const char *name)
{
	make_file(name, "not a message at all, but longer than a trailer is\n",
	    0640);
}

static void
hostile_empty(const char *name)
{
	make_file(name, "", 0640);
}

static void
hostile_mode(const char *name)
{
	make_file(name, "x", 0007 | 04000 | 0040);
}

static const struct {
	const char	*name;
	void		(*make)(const char *);
} hostiles[] = {
	{ "symlink", hostile_symlink },
	{ "fifo", hostile_fifo },
	{ "directory", hostile_directory },
	{ "sparse 1 TiB", hostile_sparse },
	{ "text", hostile_text },
	{ "empty", hostile_empty },
	{ "odd mode", hostile_mode },
};

/* All that a runner does with what a scan shows. */
static void
pickup_all(void)
{
	struct msgfile mf;
	struct seen s;
	size_t i;
	int fd;

	scan(IN_DROP, &s);
	for (i = 0; i < s.n; i++)
		if (queue_pickup(q, &s.e[i].id, MAXSIZE, MAXRCPT, MEMORY, &fd,
		    &mf) == 0) {
			assert_int_equal(queue_keep(q, &s.e[i].id, fd, 1), 0);
			msgfile_clear(&mf);
			close(fd);
		}
}

static void
test_queue_hostile_entries_go_to_bad(void **state)
{
	struct msgid id, good;
	size_t i;
	bool named;

	(void)state;
	for (i = 0; i < sizeof(hostiles) / sizeof(hostiles[0]) * 2; i++) {
		teardown(NULL);
		setup(NULL);
		/* under a good name, and under a bad one */
		named = i % 2 == 0;
		id_new(&id);
		if (!named)
			id.s[ID_LEN - 1] = '!';
		hostiles[i / 2].make(id.s);
		fixture_drop(&good, "a@example.org", "b@example.net");
		pickup_all();
		assert_int_equal(fixture_count("drop"), 0);
		assert_int_equal(fixture_count("bad"), 1);
		assert_int_equal(fixture_exists("bad", id.s), named);
		assert_true(fixture_exists("queue", good.s));
		assert_int_equal(fixture_count("queue"), 1);
		assert_int_equal(queue_skipped(q), 0);
	}
}

/* drop/ID that stays would be a new message when queue/ID has gone. */
static void
test_queue_keep_cannot_remove(void **state)
{
	struct msgid id;
	struct msgfile mf;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	assert_int_equal(queue_pickup(q, &id, 1 << 20, 10, MEMORY,
	    &fd, &mf), 0);
	msgfile_clear(&mf);
	arm(FAULT_ERROR, 5);		/* unlinkat(2) */
	assert_int_equal(queue_keep(q, &id, fd, 1), -1);
	arm(FAULT_NONE, 0);
	close(fd);
	assert_true(fixture_exists("drop", id.s));
	assert_int_equal(queue_pickup(q, &id, 1 << 20, 10, MEMORY,
	    &fd, &mf), 1);
	assert_false(fixture_exists("drop", id.s));
	assert_true(fixture_exists("queue", id.s));
}

/* What a thousand recipients of a talkative server leave in five days. */
static void
test_queue_journal_of_any_length(void **state)
{
	enum { RCPTS = 1000, ATTEMPTS = 50 };
	struct journal_record *rec = calloc(RCPTS, sizeof(*rec));
	struct msgid id;
	size_t i, n = 0;

	(void)state;
	id_new(&id);
	for (i = 0; i < RCPTS; i++) {
		rec[i].type = JOURNAL_ATTEMPT;
		rec[i].rcpt = i;
		result_set(&rec[i].result, R_LATER, "%400d", 1);
	}
	for (i = 0; i < ATTEMPTS; i++)
		assert_int_equal(queue_record(q, &id, rec, RCPTS), 0);
	assert_int_equal(queue_journal(q, &id, count_records, &n), 0);
	assert_int_equal(n, RCPTS * ATTEMPTS);
	free(rec);
}

static void
test_queue_hard_link_goes_to_bad(void **state)
{
	struct msgid id, other;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	id_new(&other);
	assert_int_equal(link(fixture_path("drop", id.s),
	    fixture_path("drop", other.s)), 0);
	pickup_all();
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(fixture_count("bad"), 2);
}

/* A report that is to be made must not find its name taken. */
static void
test_queue_name_of_a_report_goes_to_bad(void **state)
{
	struct msgid id, report;
	struct msgfile mf;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	id_derive(&report, id.s, 0);
	assert_int_equal(rename(fixture_path("drop", id.s),
	    fixture_path("drop", report.s)), 0);
	assert_int_equal(queue_pickup(q, &report, 1 << 20, 10, MEMORY,
	    &fd, &mf), -2);
	assert_true(fixture_exists("bad", report.s));
	assert_int_equal(rename(fixture_path("bad", report.s),
	    fixture_path("drop", report.s)), 0);
	pickup_all();
	assert_true(fixture_exists("bad", report.s));
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_queue_bad_names_do_not_collide(void **state)
{
	struct msgid id;

	(void)state;
	id_new(&id);
	hostile_text(id.s);
	pickup_all();
	hostile_text(id.s);
	pickup_all();
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("bad"), 2);
}

/* What cannot be moved is looked at once. */
static void
test_queue_immovable_entry_is_skipped(void **state)
{
	struct msgid id, good;
	struct seen s;

	(void)state;
	id_new(&id);
	hostile_fifo(id.s);
	hostile_text("garbage");
	fixture_drop(&good, "a@example.org", "b@example.net");
	/* nothing can be moved: bad/ is no directory of this file system */
	arm(FAULT_ERROR, 1);
	assert_int_equal(scan(IN_DROP, &s), 1);
	arm(FAULT_NONE, 0);
	assert_int_equal(queue_skipped(q), 1);
	assert_int_equal(scan(IN_DROP, &s), 1);
	assert_string_equal(s.e[0].id.s, good.s);
	assert_int_equal(queue_skipped(q), 1);
	assert_int_equal(fixture_count("drop"), 2);
	assert_int_equal(fixture_count("bad"), 1);
}

static void
set_age(const char *name, time_t age)
{
	struct timespec ts[2] = { { .tv_sec = time(NULL) - age },
	    { .tv_sec = time(NULL) - age } };

	assert_int_equal(utimensat(AT_FDCWD, fixture_path("drop", name), ts,
	    0), 0);
}

static void
test_queue_unfinished_are_left_then_removed(void **state)
{
	struct msgfile mf;
	struct msgid young, old;
	struct seen s;
	int fd;

	(void)state;
	id_new(&young);
	id_new(&old);
	make_file(young.s, "half", 0600);
	make_file(old.s, "half", 0600);
	set_age(young.s, 47 * 3600);
	set_age(old.s, 49 * 3600);
	assert_int_equal(queue_pickup(q, &young, MAXSIZE, MAXRCPT, MEMORY,
	    &fd, &mf),
	    1);
	assert_int_equal(scan(IN_DROP, &s), 0);
	assert_true(fixture_exists("drop", young.s));
	assert_false(fixture_exists("drop", old.s));
	assert_int_equal(fixture_count("bad"), 0);
}

static void
test_queue_scan_without_lock_changes_nothing(void **state)
{
	struct msgid id;
	struct seen s;

	(void)state;
	assert_int_equal(queue_unlock(q), 0);
	hostile_text("garbage");
	id_new(&id);
	make_file(id.s, "half", 0600);
	set_age(id.s, 100 * 3600);
	assert_int_equal(scan(IN_DROP, &s), 0);
	assert_int_equal(fixture_count("drop"), 2);
}

static void
test_queue_pickup_failure_keeps_the_file(void **state)
{
	struct msgfile mf;
	struct msgid id;
	int fd;

	(void)state;
	fixture_drop(&id, "a@example.org", "b@example.net");
	arm(FAULT_ERROR, 1);		/* the write of the copy */
	assert_int_equal(queue_pickup(q, &id, MAXSIZE, MAXRCPT, MEMORY,
	    &fd, &mf),
	    -1);
	assert_int_equal(errno, EIO);
	arm(FAULT_NONE, 0);
	assert_true(fixture_exists("drop", id.s));
	assert_int_equal(fixture_count("bad"), 0);
	assert_int_equal(pickup_and_keep(&id, 1), 0);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_queue_open_makes_what_is_missing),
		TEST(test_queue_open_refuses_other_version),
		TEST(test_queue_lock_is_shared_with_workers_only),
		TEST(test_queue_forked_closes_the_rest),
		TEST(test_queue_pickup_keep_retire),
		TEST(test_queue_retire_from_drop),
		TEST(test_queue_link_once),
		TEST(test_queue_bury_takes_the_journal),
		TEST(test_queue_journal_beside_drop),
		TEST(test_queue_pickup_in_memory),
		TEST(test_queue_pickup_of_more),
		TEST(test_queue_scan_removes_orphan_journal),
		TEST(test_queue_scan_tells_journals_apart),
		TEST(test_queue_scan_completes_burial),
		TEST(test_queue_pickup_prefers_queue),
		TEST(test_queue_keep_at_every_step),
		TEST(test_queue_retire_at_every_step),
		TEST(test_queue_record_at_every_step),
		TEST(test_queue_bury_at_every_step),
		TEST(test_queue_hostile_entries_go_to_bad),
		TEST(test_queue_keep_cannot_remove),
		TEST(test_queue_journal_of_any_length),
		TEST(test_queue_hard_link_goes_to_bad),
		TEST(test_queue_name_of_a_report_goes_to_bad),
		TEST(test_queue_bad_names_do_not_collide),
		TEST(test_queue_immovable_entry_is_skipped),
		TEST(test_queue_unfinished_are_left_then_removed),
		TEST(test_queue_scan_without_lock_changes_nothing),
		TEST(test_queue_pickup_failure_keeps_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
