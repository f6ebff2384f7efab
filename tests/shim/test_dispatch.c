/* SPDX-License-Identifier: ISC */
/*
 * From the spool to workers and back, with a worker that acts by the name of
 * the domain and writes down what it was given.  The wall clock is the
 * test's.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "run/notice.h"
#include "run/dispatchint.h"
#include "run/job.h"
#include "run/worker.h"
#include "spool/hoststat.h"
#include "spool/msgfile.h"
#include "spool_fixture.h"

#define DAY	86400

/* --- the worker --------------------------------------------------------- */

static struct moment now;

static void
note(const char *domain, const struct job *job)
{
	char line[512];
	int fd;

	fd = open(fixture_path(".", "notes"), O_WRONLY | O_CREAT | O_APPEND |
	    O_CLOEXEC, 0600);
	snprintf(line, sizeof(line), "%s %s %s%s%zu %ld\n",
	    domain[0] != '\0' ? domain : "(local)",
	    job->id.s, job->place == IN_DROP ? "drop " : "queue ",
	    job->sole ? "sole " : "", job->nrcpt, (long)getpid());
	if (fd == -1 || write(fd, line, strlen(line)) == -1)
		_exit(70);
	close(fd);
}

static void
touch(const char *name)
{
	int fd = open(fixture_path(".", name), O_WRONLY | O_CREAT | O_CLOEXEC,
	    0600);

	if (fd == -1)
		_exit(75);
	close(fd);
}

static int
get_job(int sock, struct job *job, int *fd, int *pipe_fd)
{
	char space[CMSG_SPACE(2 * sizeof(int))];
	struct iovec iov = { job, sizeof(*job) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = space, .msg_controllen = sizeof(space) };
	struct cmsghdr *cm;
	int fds[2] = { -1, -1 };

	if (recvmsg(sock, &msg, 0) != (ssize_t)sizeof(*job))
		return -1;
	cm = CMSG_FIRSTHDR(&msg);
	memcpy(fds, CMSG_DATA(cm), cm->cmsg_len - CMSG_LEN(0));
	*fd = fds[0];
	*pipe_fd = fds[1];
	return 0;
}

static bool is_offline;	/* the domain, and the file "online" is not there */
static bool is_busy;	/* the domain: would rather have fewer of us */
static bool is_short;	/* the domain: this machine is short of something */
static bool is_full;	/* the domain, which serves one at a time */
static bool is_mute;	/* the domain: no journal can be written */

static void
report(int sock, const struct job *job, enum report_kind kind, uint32_t rcpt,
    const struct result *r, bool retired, bool dead)
{
	struct report rep;

	memset(&rep, 0, sizeof(rep));
	rep.kind = kind;
	rep.id = job->id;
	rep.rcpt = rcpt;
	rep.result = *r;
	rep.retired = retired;
	rep.dead = dead;
	rep.offline = kind == REPORT_DONE && is_offline;
	rep.busy = kind == REPORT_DONE && is_busy;
	rep.is_short = kind == REPORT_DONE && is_short;
	rep.unrecorded = kind == REPORT_RCPT && is_mute;
	if (send(sock, &rep, sizeof(rep), MSG_NOSIGNAL) == -1)
		_exit(71);
}

/* The fate of a recipient is its local part, or that of its domain. */
static void
decide(const char *addr, struct result *r)
{
	if (is_full)
		result_set(r, R_LATER, "421 too many connections");
	else if (is_short)
		result_set_errno(r, R_CONNECT, EMFILE, "socket");
	else if (is_offline || strstr(addr, "temp") != NULL || strstr(addr, "dead") != NULL)
		result_set(r, R_CONNECT, "connection refused by the test");
	else if (strstr(addr, "perm") != NULL) {
		result_set(r, R_REFUSED, "no such user in the test");
		r->reply = 550;
		strlcpy(r->esc, "5.1.1", sizeof(r->esc));
		strlcpy(r->host, "mx.test[192.0.2.1]:25", sizeof(r->host));
	} else
		result_set(r, R_SENT, "taken by the test");
}

static void
serve_job(struct queue *q, const char *domain, const struct job *job, int fd,
    int sock)
{
	struct journal_record rec;
	struct msgfile mf;
	struct result r;
	const char *why;
	bool retired = false;
	size_t i, sent = 0;

	if (msgfile_read(fd, SIZE_MAX, &mf, &why) == -1)
		_exit(72);
	for (i = 0; i < job->nrcpt; i++) {
		decide(mf.env.rcpt[job->rcpt[i]].addr, &r);
		sent += result_is_ok(&r);
	}
	if (job->sole && sent == job->nrcpt)
		retired = queue_retire(q, job->place, &job->id) == 0;
	for (i = 0; i < job->nrcpt; i++) {
		memset(&rec, 0, sizeof(rec));
		decide(mf.env.rcpt[job->rcpt[i]].addr, &rec.result);
		rec.type = result_is_ok(&rec.result) ? JOURNAL_DELIVERED :
		    result_is_permanent(&rec.result) ? JOURNAL_FAILED :
		    JOURNAL_ATTEMPT;
		rec.time = (uint64_t)now.wall * 1000000;
		rec.rcpt = job->rcpt[i];
		if (!retired && !is_mute &&
		    queue_record(q, &job->id, &rec, 1) == -1)
			_exit(73);
		if (strstr(domain, "crash") != NULL)
			raise(SIGKILL);
		report(sock, job, REPORT_RCPT, job->rcpt[i], &rec.result,
		    false, false);
	}
	result_set(&r, R_CONNECT, "no host answers in the test");
	report(sock, job, REPORT_DONE, 0, &r, retired, is_offline || is_full ||
	    strstr(domain, "dead") != NULL);
	msgfile_clear(&mf);
}

/*
 * The first to come is served, and stays until another one was sent away;
 * who comes back is served.  Whether there was no room.
 */
static bool
enter(int sock, const struct job *job)
{
	static const struct result none;
	static bool served;
	struct stat st;
	int fd;

	if (!served) {
		fd = open(fixture_path(".", "first"), O_WRONLY | O_CREAT |
		    O_EXCL | O_CLOEXEC, 0600);
		if (fd == -1) {
			touch("second");
			return true;
		}
		close(fd);
		served = true;
		report(sock, job, REPORT_READY, 0, &none, false, false);
		while (stat(fixture_path(".", "second"), &st) == -1)
			usleep(1000);
	}
	return false;
}

int
worker_run(const struct conf *conf, struct queue *q, int sock)
{
	struct job job;
	const char *domain = job.dest;
	int fd, pipe_fd;

	(void)conf;
	while (get_job(sock, &job, &fd, &pipe_fd) == 0) {
		note(domain, &job);
		is_offline = strstr(domain, "offline") != NULL &&
		    !fixture_exists(".", "online");
		is_busy = strstr(domain, "busy") != NULL;
		is_short = strstr(domain, "short") != NULL &&
		    !fixture_exists(".", "enough");
		is_mute = strstr(domain, "mute") != NULL;
		if (strstr(domain, "early") != NULL)
			raise(SIGKILL);
		if (strstr(domain, "hang") != NULL)
			pause();
		if (strstr(domain, "crowd") != NULL)
			is_full = enter(sock, &job);
		if (pipe_fd != -1 && write(pipe_fd, "220 test\n", 9) != 9)
			return 74;
		serve_job(q, domain, &job, fd, sock);
		close(fd);
		if (pipe_fd != -1)
			close(pipe_fd);
	}
	return 0;
}

/* --- fixture ------------------------------------------------------------ */

static char *locals[] = { (char *)(uintptr_t)"here.test", NULL };
static char *aliases[] = { NULL, NULL };
static struct conf conf;
static struct queue *q;
static struct dispatch *d;
static uint64_t generation = 1;	/* of the overrides */
static unsigned record_fails;	/* so many times, in the runner */
static int64_t skew;		/* ms: later than it is */
static int64_t frozen;		/* ms: it is always that, and skew; 0: it is not */

uint64_t __wrap_route_generation(void);
int	__wrap_queue_record(struct queue *, const struct msgid *,
	    const struct journal_record *, size_t);
int	__real_queue_record(struct queue *, const struct msgid *,
	    const struct journal_record *, size_t);

uint64_t
__wrap_route_generation(void)
{
	return generation;
}

int
__wrap_queue_record(struct queue *queue, const struct msgid *id,
    const struct journal_record *r, size_t n)
{
	if (record_fails == 0)
		return __real_queue_record(queue, id, r, n);
	record_fails--;
	errno = EIO;
	return -1;
}

static void
tick(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now.mono = (frozen != 0 ? frozen : (int64_t)ts.tv_sec * 1000 +
	    ts.tv_nsec / 1000000) + skew;
	if (d != NULL)
		dispatch_clock(d, &now);
}

static void
restart(void)
{
	const char *why;

	dispatch_free(d);
	queue_close(q);
	d = NULL;
	q = queue_open(fixture_path("", ""), &why);
	assert_non_null(q);
	assert_int_equal(queue_lock(q), 0);
	tick();
	d = dispatch_new(q, &conf, &now);
}

static int
setup(void **state)
{
	(void)state;
	fixture_spool();
	memset(&conf, 0, sizeof(conf));
	conf.hostname = (char *)(uintptr_t)"host.test";
	conf.mail_name = (char *)(uintptr_t)"name.test";
	conf.local_domains = locals;
	aliases[0] = xstrdup(fixture_path("", "aliases"));
	conf.aliases = aliases;
	conf.aliases_default = true;
	conf.max_size = 1 << 20;
	conf.max_rcpts = 1000;
	conf.expire = 5 * DAY;
	conf.retry_min = 300;
	conf.retry_max = 4 * 3600;
	conf.workers = 8;
	conf.per_destination = 2;
	conf.connect_timeout = conf.reply_timeout = 30000;
	conf.data_timeout = 30000;
	conf.log = LOG_TO_STDERR;
	now.wall = time(NULL) + 10;
	skew = frozen = 0;
	record_fails = 0;
	d = NULL;
	q = NULL;
	restart();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dispatch_free(d);
	queue_close(q);
	d = NULL;
	q = NULL;
	(void)unlink(aliases[0]);
	free(aliases[0]);
	fixture_remove();
	return 0;
}

static void
scan(void)
{
	assert_int_equal(queue_scan(q, IN_QUEUE, dispatch_see, d), 0);
	assert_int_equal(queue_scan(q, IN_DROP, dispatch_see, d), 0);
}

/* One turn of the loop. */
static void
turn(void)
{
	struct pollfd p[64];
	size_t n;
	int wait;

	tick();
	wait = dispatch_run(d);
	n = dispatch_pollfds(d, p, 64);
	assert_int_not_equal(poll(p, n, wait < 0 || wait > 2000 ? 2000 :
	    wait), -1);
	tick();
	dispatch_handle(d, p, n);
}

/* All that is due, without a wait for what comes later. */
static void
run(void)
{
	scan();
	tick();
	(void)dispatch_run(d);
	while (dispatch_active(d) != 0)
		turn();
}

static void
run_to_the_end(void)
{
	run();
	dispatch_stop(d);
	while (dispatch_workers(d) != 0)
		turn();
	dispatch_sync(d);
}

/* How often the notes have TEXT. */
static size_t
noted(const char *text)
{
	char *notes, *p;
	size_t n = 0;

	if (!fixture_exists(".", "notes"))
		return 0;
	notes = fixture_read(".", "notes");
	for (p = notes; (p = strstr(p, text)) != NULL; p++)
		n++;
	free(notes);
	return n;
}

static void
collect(void *arg, const struct journal_record *r)
{
	static const char letters[] = "ADPFRCW";

	buf_printf(arg, "%c%s", letters[r->type], r->rcpt == JOURNAL_ALL ?
	    "*" : "");
}

/* The types of the records: "AAF". */
static char *
journal(const struct msgid *id)
{
	struct buf b = BUF_INIT;

	assert_int_equal(queue_journal(q, id, collect, &b), 0);
	return buf_take(&b);
}

static void
assert_journal(const struct msgid *id, const char *types)
{
	char *s = journal(id);

	assert_string_equal(s, types);
	free(s);
}

static time_t
next_of(const struct msgid *id)
{
	struct queue_entry e;

	assert_int_equal(queue_stat(q, id, &e), 0);
	assert_int_equal(e.place, IN_QUEUE);
	return e.next;
}

/* --- delivery ----------------------------------------------------------- */

static void
test_dispatch_delivers_from_drop(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@OK.test c@ok.Test");
	run();
	assert_int_equal(noted("drop sole 2"), 1);
	assert_int_equal(dispatch_messages(d), 0);
	assert_int_equal(fixture_count("drop"), 0);
	/* room for a journal was reserved, and not used */
	dispatch_sync(d);
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_dispatch_several_destinations(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@one.test c@two.test d@one.test "
	    "e@three.test");
	run_to_the_end();
	assert_int_equal(noted("one.test"), 1);
	assert_int_equal(noted("queue 2"), 1);
	assert_int_equal(noted("two.test"), 1);
	assert_int_equal(noted("three.test"), 1);
	assert_int_equal(noted("drop"), 0);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_dispatch_many_recipients_in_jobs(void **state)
{
	struct buf b = BUF_INIT;
	struct msgid id;
	int i;

	(void)state;
	for (i = 0; i < 250; i++)
		buf_printf(&b, "%su%d@ok.test", i != 0 ? " " : "", i);
	fixture_drop(&id, "a@x.test", buf_str(&b));
	buf_clear(&b);
	run_to_the_end();
	assert_int_equal(noted("ok.test"), 3);
	assert_int_equal(noted(" 100 "), 2);
	assert_int_equal(noted(" 50 "), 1);
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_dispatch_one_worker_many_messages(void **state)
{
	struct msgid id;
	char *notes;
	int i;

	(void)state;
	conf.per_destination = 1;
	for (i = 0; i < 20; i++)
		fixture_drop(&id, "a@x.test", "b@ok.test");
	run();
	assert_int_equal(noted("ok.test"), 20);
	assert_int_equal(dispatch_workers(d), 1);
	notes = fixture_read(".", "notes");
	/* the same process for all: the first line's is in the last */
	assert_int_equal(noted(strrchr(strndupa(notes,
	    strcspn(notes, "\n")), ' ')), 20);
	free(notes);
	/* it waits for more, and goes after a second without any */
	fixture_drop(&id, "a@x.test", "b@ok.test");
	run();
	assert_int_equal(dispatch_workers(d), 1);
	while (dispatch_workers(d) != 0)
		turn();
	assert_int_equal(fixture_count("drop"), 0);
}

static void
test_dispatch_more_destinations_than_workers(void **state)
{
	struct msgid id;
	char rcpt[64];
	int i;

	(void)state;
	conf.workers = 2;
	for (i = 0; i < 60; i++) {
		snprintf(rcpt, sizeof(rcpt), "b@d%d.test", i % 12);
		fixture_drop(&id, "a@x.test", rcpt);
	}
	scan();
	do {
		turn();
		assert_true(dispatch_workers(d) <= 2);
	} while (dispatch_active(d) != 0);
	assert_int_equal(noted("drop sole 1"), 60);
	assert_int_equal(fixture_count("drop"), 0);
}

/* How many lines of the notes come after the first with TEXT. */
static size_t
noted_after(const char *text)
{
	char *notes = fixture_read(".", "notes"), *p = strstr(notes, text);
	size_t lines = 0;

	assert_non_null(p);
	for (; p != NULL && (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	free(notes);
	return lines;
}

/* The process number at the end of the line of the notes with TEXT. */
static long
noted_by(const char *text)
{
	char *notes = fixture_read(".", "notes"), *p = strstr(notes, text);
	long pid;

	assert_non_null(p);
	*strchr(p, '\n') = '\0';
	pid = strtol(strrchr(p, ' '), NULL, 10);
	free(notes);
	return pid;
}

/* Where there may be no more, one with nothing to do goes where it is needed. */
static void
test_dispatch_worker_moves(void **state)
{
	struct msgid id;

	(void)state;
	conf.workers = 1;
	fixture_drop(&id, "a@x.test", "b@one.test");
	run();
	fixture_drop(&id, "a@x.test", "b@two.test");
	run();
	assert_int_equal(noted("one.test"), 1);
	assert_int_equal(noted("two.test"), 1);
	assert_int_equal(noted_by("one.test"), noted_by("two.test"));
	assert_int_equal(dispatch_messages(d), 0);
}

/* A flood for one destination does not delay another. */
static void
test_dispatch_is_fair(void **state)
{
	struct msgid id;
	int i;

	(void)state;
	conf.workers = 1;
	for (i = 0; i < 100; i++)
		fixture_drop(&id, "a@x.test", "b@flood.test");
	scan();
	turn();
	fixture_drop(&id, "a@x.test", "b@other.test");
	run();
	assert_true(noted_after("other.test") > 50);
}

static void
drop_as(struct msgid *id, uid_t uid, const char *rcpt)
{
	fixture_drop(id, "a@x.test", rcpt);
	assert_int_equal(chown(fixture_path("drop", id->s), uid, uid), 0);
}

/* Nor does a flood from one user delay another, wherever it goes. */
static void
test_dispatch_is_fair_to_submitters(void **state)
{
	struct msgid id;
	char rcpt[64];
	int i;

	(void)state;
	if (geteuid() != 0)
		skip();
	conf.workers = 1;
	for (i = 0; i < 150; i++) {
		snprintf(rcpt, sizeof(rcpt), "b@d%d.test", i / 3);
		drop_as(&id, 64902, rcpt);
	}
	/* to where all of the others go, too, and elsewhere */
	drop_as(&id, 64903, "c@d49.test d@d49.test");
	drop_as(&id, 64904, "b@other.test");
	run();
	assert_true(noted_after(" 2 ") > 75);
	assert_true(noted_after("other.test") > 75);
	assert_int_equal(noted("test"), 152);
}

/* There is no second connection before the first one worked. */
static void
test_dispatch_grows_with_success(void **state)
{
	struct msgid id;
	int i;

	(void)state;
	conf.per_destination = 8;
	restart();
	for (i = 0; i < 3; i++)
		fixture_drop(&id, "a@x.test", "b@hang.test");
	scan();
	do
		turn();
	while (noted("hang.test") == 0);
	/* long enough for one that would help */
	skew += 1000;
	turn();
	turn();
	assert_int_equal(dispatch_workers(d), 1);
}

/* What one message to RCPT makes of a limit of 8. */
static unsigned
limit_after(const char *domain, const char *rcpt)
{
	struct dest *dest = dests_get(d->dests, domain);
	struct msgid id;

	fixture_drop(&id, "a@x.test", rcpt);
	run();
	return dest->limit;
}

/* Half of them, but once for those that fail together; then slowly more. */
static void
test_dispatch_shrinks(void **state)
{
	struct dest *dest;
	int i;

	(void)state;
	conf.per_destination = 9;
	frozen = now.mono;
	dest = dests_get(d->dests, "busy.test");
	dest->limit = 8;
	assert_int_equal(limit_after("busy.test", "temp@busy.test"), 4);
	assert_int_equal(limit_after("busy.test", "temp@busy.test"), 4);
	skew += SHRINK_MS;
	assert_int_equal(limit_after("busy.test", "temp@busy.test"), 2);
	/* also where others of the message are delivered */
	skew += SHRINK_MS;
	assert_int_equal(limit_after("busy.test", "b@busy.test "
	    "temp@busy.test"), 1);
	skew += SHRINK_MS;
	assert_int_equal(limit_after("busy.test", "temp@busy.test"), 1);
	/* the same destination is in a better mood: not at once */
	dest = dests_get(d->dests, "ok.test");
	dest->limit = 2;
	dest->full_at = now.mono;
	assert_int_equal(limit_after("ok.test", "b@ok.test"), 2);
	skew += FULL_MS - 1;
	assert_int_equal(limit_after("ok.test", "b@ok.test"), 2);
	for (i = 3; i <= 9; i++) {
		skew++;
		assert_int_equal(limit_after("ok.test", "b@ok.test"), i);
	}
	assert_int_equal(limit_after("ok.test", "b@ok.test"), 9);
}

/* An answer about a recipient says nothing of connections, unless for good. */
static void
test_dispatch_recipients_do_not_shrink(void **state)
{
	struct dest *dest;

	(void)state;
	conf.per_destination = 9;
	frozen = now.mono;
	dest = dests_get(d->dests, "ok.test");
	dest->limit = 4;
	assert_int_equal(limit_after("ok.test", "temp@ok.test"), 4);
	assert_int_equal(limit_after("ok.test", "temp@ok.test x-temp@ok.test"),
	    4);
	assert_int_equal(limit_after("ok.test", "temp@ok.test b@ok.test"), 5);
	assert_int_equal(limit_after("ok.test", "perm@ok.test"), 6);
}

/*
 * It serves one connection, and sends others away: what these had goes over
 * the one, nobody waits, and it is not asked for a second one soon.
 */
static void
test_dispatch_crowd(void **state)
{
	struct dest *dest;
	struct msgid id;
	int i;

	(void)state;
	conf.per_destination = 2;
	dest = dests_get(d->dests, "crowd.test");
	dest->avg = 60000;
	dest->limit = 2;
	for (i = 0; i < 12; i++)
		fixture_drop(&id, "a@x.test", "b@crowd.test");
	run();
	assert_int_equal(dispatch_messages(d), 0);
	assert_true(fixture_exists(".", "second"));
	/* each once by the one that is served, and one by the other */
	assert_int_equal(noted("crowd.test"), 13);
	assert_int_equal(dest->limit, 1);
	assert_false(dest->blocked);
}

/* Without a network a few attempts are made, not one for each message. */
static void
test_dispatch_offline(void **state)
{
	struct msgid id;
	char rcpt[64];
	size_t tried;
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		snprintf(rcpt, sizeof(rcpt), "b@offline%d.test", i);
		fixture_drop(&id, "a@x.test", rcpt);
	}
	run();
	tried = noted("offline");
	assert_in_range(tried, 3, conf.workers);
	/* the others are as they were */
	assert_int_equal(fixture_count("drop"), 50 - tried);
	assert_int_equal(dispatch_messages(d), 50);
	/* one finds out whether it is still so */
	skew += 6000;
	tick();
	do
		turn();
	while (dispatch_active(d) != 0);
	assert_int_equal(noted("offline"), tried + 1);
	/* sooner, if somebody hopes so; and then all go */
	touch("online");
	skew += 1000;
	tick();
	dispatch_hope(d);
	do
		turn();
	while (fixture_count("drop") != 0 || dispatch_active(d) != 0);
	assert_int_equal(noted("offline"), 50);
}

/* The network is down, and 20 messages wait for that. */
static void
begin_outage(void)
{
	struct hoststat hs;
	struct msgid id;
	char rcpt[64];
	int i;

	frozen = now.mono;
	for (i = 0; i < 20; i++) {
		snprintf(rcpt, sizeof(rcpt), "b@offline%d.test", i);
		fixture_drop(&id, "a@x.test", rcpt);
	}
	run();
	assert_true(dispatch_is_offline(d));
	assert_in_range(fixture_count("drop"), 10, 17);
	/* mailq says so */
	assert_true(hoststat_waits(q, NULL, now.wall, &hs));
	assert_string_equal(hs.reason, "the network is down, one message at a "
	    "time is tried: no host answers in the test");
	assert_in_range(hs.until, now.wall, now.wall + 10);
}

/* Mail for this machine needs no network, and says nothing of it. */
static void
test_dispatch_offline_local_mail(void **state)
{
	struct msgid id;
	size_t tried;
	int i;

	(void)state;
	begin_outage();
	tried = noted("offline");
	for (i = 0; i < 20; i++)
		fixture_drop(&id, "a@x.test", "b@here.test");
	run();
	assert_int_equal(noted("(local)"), 20);
	assert_int_equal(noted("offline"), tried);
	assert_true(dispatch_is_offline(d));
	assert_int_equal(dispatch_messages(d), 20);
	/* what was in queue/ before, and is due now */
	fixture_drop(&id, "a@x.test", "temp@here.test");
	run();
	assert_int_equal(noted("(local)"), 21);
	now.wall += 400;
	run();
	assert_int_equal(noted("(local)"), 22);
	assert_int_equal(noted("offline"), tried);
	assert_true(dispatch_is_offline(d));
}

/* Of a message for both, one part goes. */
static void
test_dispatch_offline_both(void **state)
{
	struct hoststat hs;
	struct msgid id;
	size_t tried;

	(void)state;
	begin_outage();
	tried = noted("offline");
	fixture_drop(&id, "a@x.test", "b@offline.test c@here.test d@ok.test");
	run();
	assert_int_equal(noted("(local)"), 1);
	assert_int_equal(noted("offline") + noted("ok.test"), tried);
	assert_journal(&id, "D");
	/* the rest when the network is back, each of them once */
	touch("online");
	skew += 6000;
	run();
	now.wall += 400;
	run();
	assert_int_equal(dispatch_messages(d), 0);
	assert_false(dispatch_is_offline(d));
	assert_false(hoststat_waits(q, NULL, now.wall, &hs));
	assert_int_equal(noted("(local)"), 1);
	assert_int_equal(noted("ok.test"), 1);
	assert_int_equal(noted("offline.test"), 1);
}

/* An outage is found though local mail comes in between. */
static void
test_dispatch_offline_is_found_beside_local_mail(void **state)
{
	struct msgid id;
	char rcpt[64];
	int i;

	(void)state;
	conf.workers = 1;
	frozen = now.mono;
	for (i = 0; i < 20; i++) {
		snprintf(rcpt, sizeof(rcpt), "b@offline%d.test", i);
		fixture_drop(&id, "a@x.test", rcpt);
		run();
		fixture_drop(&id, "a@x.test", "b@here.test");
		run();
	}
	assert_int_equal(noted("(local)"), 20);
	assert_int_equal(noted("offline"), OUTAGE_ATTEMPTS);
	assert_true(dispatch_is_offline(d));
}

/* What this machine lacks says nothing of a destination, nor of the network. */
static void
test_dispatch_short_of_something(void **state)
{
	struct msgid id[3];
	struct dest *dest;
	size_t i;

	(void)state;
	conf.per_destination = 8;
	dest = dests_get(d->dests, "short.test");
	dest->limit = 5;
	for (i = 0; i < 3; i++)
		fixture_drop(&id[i], "a@x.test", "b@short.test");
	run();
	/* each was tried, and waits; the destination is as it was */
	assert_int_equal(noted("short.test"), 3);
	for (i = 0; i < 3; i++)
		assert_journal(&id[i], "A");
	assert_int_equal(dest->limit, 5);
	assert_false(dest->blocked);
	touch("enough");
	fixture_drop(&id[0], "a@x.test", "b@short.test");
	run();
	assert_int_equal(noted("short.test"), 4);
	assert_int_equal(dispatch_messages(d), 3);
}

static void
test_dispatch_offline_probe_is_short(void **state)
{
	struct msgid id;
	size_t tried;
	int i;

	(void)state;
	begin_outage();
	tried = noted("offline");
	drop_as(&id, 64902, "b@short.test");
	for (i = 0; i < 5; i++) {
		skew += 100000;
		run();
	}
	assert_int_equal(noted("short.test"), 1);
	assert_int_equal(noted("offline"), tried + 4);
	assert_true(dispatch_is_offline(d));
}

/* The one that was to find out is not tried: another one does. */
static void
test_dispatch_offline_probe_is_put_off(void **state)
{
	struct conf_rate rate = { (char *)(uintptr_t)"slow.test",
	    (int64_t)3600 * 1000000 };
	struct msgid id;
	size_t tried;
	int i;

	(void)state;
	conf.rate = &rate;
	conf.nrates = 1;
	fixture_drop(&id, "a@x.test", "b@slow.test");
	run();
	assert_int_equal(noted("slow.test"), 1);
	begin_outage();
	tried = noted("offline");
	/* of three submitters, which take turns; two may not go for an hour */
	for (i = 0; i < 2; i++)
		drop_as(&id, (uid_t)(64902 + i), "b@slow.test");
	run();
	assert_int_equal(noted("slow.test"), 1);
	for (i = 0; i < 6; i++) {
		skew += 100000;
		run();
	}
	assert_true(dispatch_is_offline(d));
	assert_int_equal(noted("offline"), tried + 4);
	assert_int_equal(noted("slow.test"), 1);
}

static void
test_dispatch_rate(void **state)
{
	struct conf_rate rate = { (char *)(uintptr_t)"slow.test",
	    (int64_t)3600 * 1000000 };
	struct hoststat hs;
	struct msgid id;
	int i;

	(void)state;
	conf.rate = &rate;
	conf.nrates = 1;
	for (i = 0; i < 5; i++)
		fixture_drop(&id, "a@x.test", "b@slow.test");
	run();
	assert_int_equal(noted("slow.test"), 1);
	fixture_drop(&id, "a@x.test", "b@slow.test c@ok.test");
	run();
	assert_int_equal(noted("slow.test"), 1);
	assert_int_equal(noted("ok.test"), 1);
	/* no attempt was made of the others; mailq says why */
	assert_int_equal(dispatch_messages(d), 5);
	assert_true(hoststat_waits(q, "slow.test", now.wall, &hs));
	assert_string_equal(hs.reason, "waits for its turn: rate in mxnss.conf, "
	    "one message in 3600 s");
	assert_false(hoststat_waits(q, "ok.test", now.wall, &hs));
	assert_journal(&id, "D");
	for (i = 2; i <= 6; i++) {
		skew += 3602 * 1000;
		now.wall += 3602;
		run();
		assert_int_equal(noted("slow.test"), i);
	}
	assert_int_equal(noted("ok.test"), 1);
	assert_int_equal(dispatch_messages(d), 0);
}

/* Slow, with much in line, and a rate: workers would have nothing to do. */
static void
test_dispatch_rate_hires_nobody(void **state)
{
	struct conf_rate rate = { (char *)(uintptr_t)"slow.test",
	    (int64_t)3600 * 1000000 };
	struct dest *dest;
	struct msgid id;
	int i;

	(void)state;
	conf.rate = &rate;
	conf.nrates = 1;
	conf.per_destination = 8;
	dest = dests_get(d->dests, "slow.test");
	dest->avg = 60000;
	dest->limit = 8;
	for (i = 0; i < 10; i++)
		fixture_drop(&id, "a@x.test", "b@slow.test");
	scan();
	turn();
	assert_in_range(crew_count(d->crew), 0, 1);
	run();
	assert_int_equal(noted("slow.test"), 1);
	assert_int_equal(dispatch_messages(d), 9);
}

/* The dialogue of another user's message is nobody's business. */
static void
test_dispatch_reader_is_not_the_submitter(void **state)
{
	struct msgid id;
	char text[32];
	int fds[2];

	(void)state;
	if (geteuid() != 0)
		skip();
	/* the credentials of a pair are those of who made it */
	assert_int_equal(setresuid(64902, 64902, 0), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(setresuid(0, 0, 0), 0);
	fixture_drop(&id, "a@x.test", "b@ok.test");
	assert_int_equal(chown(fixture_path("drop", id.s), 64903, 64903), 0);
	dispatch_reader(d, id.s, fds[1]);
	run();
	assert_int_equal(noted("ok.test"), 1);
	assert_int_equal(read(fds[0], text, sizeof(text)), 0);
	close(fds[0]);
}

static void
test_dispatch_passes_the_reader(void **state)
{
	struct msgid id, other;
	char text[32];
	int fds[2], early;

	(void)state;
	for (early = 0; early < 2; early++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		fixture_drop(&id, "a@x.test", "b@ok.test");
		if (!early)
			scan();
		dispatch_reader(d, id.s, fds[1]);
		run();
		assert_int_equal(read(fds[0], text, sizeof(text)), 9);
		/* and nobody holds the other end now */
		assert_int_equal(read(fds[0], text, sizeof(text)), 0);
		close(fds[0]);
	}
	/* those for messages that never come are few */
	for (early = 0; early < 100; early++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		id_new(&other);
		dispatch_reader(d, other.s, fds[1]);
		close(fds[0]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_true(fds[1] < 64);
	close(fds[0]);
	close(fds[1]);
}

/* --- later -------------------------------------------------------------- */

static void
test_dispatch_defers(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	run();
	assert_int_equal(fixture_count("drop"), 0);
	assert_journal(&id, "A");
	assert_in_range(next_of(&id) - now.wall, 270, 330);
	assert_int_equal(dispatch_messages(d), 1);
	/* not before its time */
	now.wall += 260;
	run();
	assert_int_equal(noted("temp.test"), 1);
	now.wall += 100;
	run();
	assert_int_equal(noted("temp.test"), 2);
	assert_int_equal(noted("queue sole 1"), 1);
	assert_journal(&id, "AA");
	assert_in_range(next_of(&id) - now.wall, 270, 430);
}

static void
test_dispatch_some_are_deferred(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@ok.test temp@ok.test");
	run();
	assert_int_equal(noted("drop sole 2"), 1);
	assert_journal(&id, "DA");
	now.wall += 400;
	run();
	/* only the one that is open */
	assert_int_equal(noted("queue sole 1"), 1);
}

static void
test_dispatch_flush(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	run();
	/* sendmail -q: the time of the next attempt is now */
	assert_int_equal(queue_set_next(q, &id, now.wall), 0);
	run();
	assert_int_equal(noted("temp.test"), 2);
	/* the clock went back by years: due now, too */
	assert_int_equal(queue_set_next(q, &id, now.wall + 365 * DAY), 0);
	run();
	assert_int_equal(noted("temp.test"), 3);
}

static void
test_dispatch_clock_goes_back(void **state)
{
	struct msgid id, soon;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	run();
	assert_int_equal(noted("temp.test"), 1);
	/* by years: all is due */
	now.wall -= 9000 * (time_t)DAY;
	run();
	assert_int_equal(noted("temp.test"), 2);
	assert_in_range(next_of(&id) - now.wall, 200, 5 * 3600);
	/* by hours: what comes first may wait, what is behind it may not */
	fixture_drop(&soon, "a@x.test", "b@temp.test");
	run();
	assert_int_equal(noted("temp.test"), 3);
	assert_int_equal(queue_set_next(q, &id, now.wall + 4 * 3600), 0);
	run();
	now.wall -= 2 * 3600;
	run();
	assert_int_equal(noted("temp.test"), 4);
	assert_in_range(next_of(&id) - now.wall, 200, 5 * 3600);
}

static void
test_dispatch_held_message_waits(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	run();
	assert_int_equal(chmod(fixture_path("queue", id.s), 0400), 0);
	scan();
	now.wall += DAY;
	run();
	assert_int_equal(noted("temp.test"), 1);
	assert_int_equal(dispatch_messages(d), 1);
	restart();
	run();
	assert_int_equal(noted("temp.test"), 1);
	assert_int_equal(chmod(fixture_path("queue", id.s), 0600), 0);
	run();
	assert_int_equal(noted("temp.test"), 2);
}

/* Attempts and deliveries, in the order in which workers came to them. */
static void
assert_records(const struct msgid *id, size_t attempts, size_t delivered)
{
	char *s = journal(id), *p;
	size_t a = 0, done = 0;

	for (p = s; *p != '\0'; p++) {
		a += *p == 'A';
		done += *p == 'D';
	}
	free(s);
	assert_int_equal(a, attempts);
	assert_int_equal(done, delivered);
}

static void
write_aliases(const char *text)
{
	FILE *fp = fopen(aliases[0], "w");

	assert_non_null(fp);
	assert_true(fputs(text, fp) >= 0);
	assert_int_equal(fclose(fp), 0);
}

/* Journals refer to recipients by number: the old ones keep theirs. */
static void
test_dispatch_aliases_are_expanded_once(void **state)
{
	struct msgid id;
	struct msgfile mf;
	const char *why;
	int fd;

	(void)state;
	write_aliases("root: temp, b@ok.test\n");
	fixture_drop(&id, "a@x.test", "root@HERE.test c@ok.test root");
	run();
	assert_int_equal(noted("(local)"), 1);
	assert_int_equal(noted("ok.test"), 1);
	assert_records(&id, 1, 2);
	fd = queue_openmsg(q, &id);
	assert_int_equal(msgfile_read(fd, 9, &mf, &why), 0);
	close(fd);
	assert_int_equal(mf.env.nrcpt, 5);
	assert_true(mf.env.rcpt[0].expanded && mf.env.rcpt[2].expanded);
	assert_false(mf.env.rcpt[1].expanded || mf.env.rcpt[3].expanded);
	assert_string_equal(mf.env.rcpt[3].addr, "temp@host.test");
	assert_true(mf.env.rcpt[3].mailbox);
	assert_string_equal(mf.env.rcpt[4].addr, "b@ok.test");
	assert_false(mf.env.rcpt[4].mailbox);
	msgfile_clear(&mf);
	/* another runner, other aliases, a later time: only the rest */
	write_aliases("root: other@ok.test\ntemp: other@ok.test\n");
	now.wall += 400;
	restart();
	run();
	assert_int_equal(noted("(local)"), 2);
	assert_int_equal(noted("ok.test"), 1);
	assert_records(&id, 2, 2);
}

static void
test_dispatch_wrong_alias_waits(void **state)
{
	struct msgid id;

	(void)state;
	write_aliases("root: |prog\n");
	fixture_drop(&id, "a@x.test", "root@here.test c@ok.test");
	run();
	assert_int_equal(noted("ok.test"), 1);
	assert_int_equal(noted("(local)"), 0);
	assert_records(&id, 1, 1);
	/* put right, in the file that is in queue/ */
	write_aliases("root: b@ok.test\n");
	now.wall += 400;
	run();
	assert_int_equal(noted("ok.test"), 2);
	assert_int_equal(dispatch_messages(d), 0);
	run_to_the_end();
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_dispatch_discarded_recipient(void **state)
{
	struct msgid id;

	(void)state;
	write_aliases("root: /dev/null\n");
	fixture_drop(&id, "a@x.test", "root@here.test");
	run();
	assert_int_equal(dispatch_messages(d), 0);
	run_to_the_end();
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(fixture_count("drop"), 0);
}

static void
test_dispatch_dead_destination(void **state)
{
	struct msgid id[10], other;
	size_t i;

	(void)state;
	conf.per_destination = 1;
	for (i = 0; i < 10; i++)
		fixture_drop(&id[i], "a@x.test", "b@dead.test");
	fixture_drop(&other, "a@x.test", "b@ok.test");
	run();
	/* one of them found it out */
	assert_int_equal(noted("dead.test"), 1);
	assert_int_equal(noted("ok.test"), 1);
	for (i = 0; i < 10; i++) {
		assert_journal(&id[i], "A");
		assert_in_range(next_of(&id[i]) - now.wall, 270, 330);
	}
	/* somebody says that it is alive again */
	assert_int_equal(queue_set_next(q, &id[3], now.wall), 0);
	run();
	assert_int_equal(noted("dead.test"), 2);
}

static void
test_dispatch_dead_destination_and_a_new_override(void **state)
{
	struct msgid id;

	(void)state;
	conf.per_destination = 1;
	fixture_drop(&id, "a@x.test", "b@dead.test");
	run();
	fixture_drop(&id, "a@x.test", "b@dead.test");
	run();
	assert_int_equal(noted("dead.test"), 1);
	generation++;
	fixture_drop(&id, "a@x.test", "b@dead.test");
	run();
	assert_int_equal(noted("dead.test"), 2);
}

static void
test_dispatch_hold_makes_no_attempt(void **state)
{
	struct msgid id;

	(void)state;
	dispatch_conf(d, &conf, true);
	fixture_drop(&id, "a@x.test", "b@ok.test");
	scan();
	tick();
	assert_int_equal(dispatch_run(d), -1);
	assert_int_equal(dispatch_workers(d), 0);
	assert_int_equal(dispatch_messages(d), 1);
	assert_true(fixture_exists("drop", id.s));
	dispatch_conf(d, &conf, false);
	run();
	assert_int_equal(dispatch_messages(d), 0);
}

/* --- never -------------------------------------------------------------- */

/* The only message in queue/ that is not ID; its text, the caller's. */
static char *
the_report(const struct msgid *id, struct msgid *report_id)
{
	id_derive(report_id, id->s, 0);
	return fixture_read("queue", report_id->s);
}

static void
test_dispatch_failure_is_reported(void **state)
{
	struct msgid id, rep;
	char *text;

	(void)state;
	/* the sender's host cannot be reached: the report stays to be seen */
	fixture_drop(&id, "a@temp.test", "perm@ok.test b@ok.test");
	run_to_the_end();
	assert_int_equal(fixture_count("drop"), 0);
	text = the_report(&id, &rep);
	assert_non_null(strstr(text, "To: <a@temp.test>\r\n"));
	assert_non_null(strstr(text, "Final-Recipient: rfc822; perm@ok.test"));
	assert_null(strstr(text, "b@ok.test>"));
	assert_non_null(strstr(text, "no such user in the test"));
	free(text);
	assert_int_equal(noted("temp.test"), 1);
	/* the report and its journal; nothing of the message */
	assert_int_equal(fixture_count("queue"), 2);
}

static void
test_dispatch_report_comes_once_for_each_failure(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@temp.test", "perm@ok.test temp@ok.test");
	run();
	assert_journal(&id, "FAR*");
	now.wall += 400;
	run();
	/* nothing new failed */
	assert_journal(&id, "FAR*A");
	assert_int_equal(dispatch_messages(d), 2);
}

/* What its worker could not record, the runner does, or it tells nobody. */
static void
test_dispatch_unrecorded_failure_is_not_reported(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@temp.test", "perm@mute.test temp@mute.test");
	record_fails = 2;
	run();
	assert_int_equal(noted("mute.test"), 1);
	assert_true(fixture_exists("queue", id.s));
	assert_int_equal(dispatch_messages(d), 1);
	assert_int_equal(record_fails, 0);
	now.wall += 400;
	run();
	assert_int_equal(noted("mute.test"), 2);
	assert_journal(&id, "FAR*");
	assert_int_equal(dispatch_messages(d), 2);
	/* nor again, when what was in memory is gone */
	restart();
	now.wall += 4000;
	run();
	assert_int_equal(noted("mute.test"), 3);
	assert_journal(&id, "FAR*A");
	assert_int_equal(dispatch_messages(d), 2);
}

static void
test_dispatch_gives_up_in_the_end(void **state)
{
	struct msgid id, rep;
	char *text;
	int i;

	(void)state;
	fixture_drop(&id, "root@here.test", "b@temp.test");
	conf.expire = 3600;
	restart();
	now.wall += 7200;
	/* old enough from the start, but it has its five attempts */
	for (i = 1; i <= 4; i++) {
		run();
		assert_int_equal(noted("temp.test"), i);
		assert_true(fixture_exists("queue", id.s));
		assert_int_equal(queue_set_next(q, &id, now.wall), 0);
	}
	/* the report waits until we have seen it */
	write_aliases("root: |prog\n");
	run_to_the_end();
	assert_int_equal(noted("temp.test"), 5);
	assert_false(fixture_exists("queue", id.s));
	text = the_report(&id, &rep);
	assert_non_null(strstr(text, "Status: 5.4.7"));
	assert_non_null(strstr(text, "connection refused by the test"));
	free(text);
}

static void
test_dispatch_null_sender_goes_to_dead(void **state)
{
	struct msgid id, both;

	(void)state;
	fixture_drop(&id, "", "perm@ok.test");
	fixture_drop(&both, "", "perm@ok.test b@ok.test c@temp.test");
	run();
	assert_true(fixture_exists("dead", id.s));
	assert_false(fixture_exists("dead", both.s));
	assert_int_equal(dispatch_messages(d), 1);
	conf.expire = 1;
	restart();
	while (dispatch_messages(d) != 0 || fixture_exists("queue", both.s)) {
		now.wall += DAY;
		run();
	}
	assert_true(fixture_exists("dead", both.s));
	dispatch_sync(d);
	assert_int_equal(fixture_count("queue"), 0);
	assert_int_equal(fixture_count("drop"), 0);
}

/* --- accidents ---------------------------------------------------------- */

static void
test_dispatch_worker_dies(void **state)
{
	static const struct {
		const char	*name;
		const char	*rcpt;
		const char	*types;	/* of the journal; NULL: it is gone */
	} rows[] = {
		{ "before it did anything", "b@early.test", "A" },
		{ "after it deferred", "temp@crash.test", "A" },
		{ "after it removed the message", "b@crash.test", NULL },
		{ "after one of two was recorded",
		    "temp1@crash.test temp2@crash.test", "AA" },
		{ "after one of two was delivered",
		    "b@crash.test temp2@crash.test", "DA" },
	};
	struct msgid id, other;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		teardown(NULL);
		setup(NULL);
		fixture_drop(&id, "a@x.test", rows[i].rcpt);
		fixture_drop(&other, "a@x.test", "b@ok.test");
		run();
		assert_int_equal(noted("ok.test"), 1);
		dispatch_sync(d);
		if (rows[i].types == NULL) {
			assert_int_equal(dispatch_messages(d), 0);
			assert_int_equal(fixture_count("queue"), 0);
			continue;
		}
		assert_journal(&id, rows[i].types);
		assert_true(next_of(&id) > now.wall);
	}
}

static void
test_dispatch_worker_past_its_deadline(void **state)
{
	struct msgid id;

	(void)state;
	conf.connect_timeout = conf.reply_timeout = conf.data_timeout = 2;
	fixture_drop(&id, "a@x.test", "b@hang.test");
	scan();
	do
		turn();
	while (noted("hang.test") == 0);
	skew += 3600 * 1000;
	run();
	assert_journal(&id, "A");
	assert_true(next_of(&id) > now.wall);
}

static void
test_dispatch_kill_leaves_all_in_place(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@hang.test");
	scan();
	do
		turn();
	while (noted("hang.test") == 0);
	dispatch_stop(d);
	dispatch_kill(d);
	while (dispatch_workers(d) != 0)
		turn();
	/* it was no attempt: the next runner goes on at once */
	assert_journal(&id, "");
	assert_true(next_of(&id) <= now.wall);
	restart();
	scan();
	do
		turn();
	while (noted("hang.test") == 1);
}

/* Each state that a runner may have left behind, and what the next one does. */
static void
test_dispatch_recovers(void **state)
{
	struct journal_record rec[2];
	struct msgid id;
	struct msgfile mf;
	int fd;

	(void)state;
	memset(rec, 0, sizeof(rec));
	/* delivered to one of two, then killed: journal beside drop/ID */
	fixture_drop(&id, "a@x.test", "b@ok.test c@ok.test");
	rec[0].type = JOURNAL_DELIVERED;
	assert_int_equal(queue_record(q, &id, rec, 1), 0);
	run_to_the_end();
	assert_int_equal(noted(" 1 "), 1);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("queue"), 0);
	/* failed, killed before the report */
	restart();
	fixture_drop(&id, "a@dead.test", "b@ok.test");
	rec[0].type = JOURNAL_FAILED;
	rec[0].result.code = R_REFUSED;
	assert_int_equal(queue_record(q, &id, rec, 1), 0);
	run_to_the_end();
	assert_int_equal(noted("ok.test"), 1);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("queue"), 2);
	/* reported, killed before the removal: no second report */
	restart();
	fixture_drop(&id, "a@dead.test", "b@ok.test");
	rec[1].type = JOURNAL_REPORTED;
	rec[1].rcpt = JOURNAL_ALL;
	assert_int_equal(queue_record(q, &id, rec, 2), 0);
	run_to_the_end();
	assert_int_equal(fixture_count("queue"), 2);
	assert_int_equal(fixture_count("drop"), 0);
	/* linked, killed before drop/ID was removed */
	restart();
	fixture_drop(&id, "a@x.test", "b@temp.test");
	assert_int_equal(queue_pickup(q, &id, 1 << 20, 10, 4096, &fd, &mf), 0);
	msgfile_clear(&mf);
	assert_int_equal(link(fixture_path("drop", id.s),
	    fixture_path("dead", "x")), 0);
	assert_int_equal(queue_keep(q, &id, fd, now.wall + 100), 0);
	close(fd);
	assert_int_equal(rename(fixture_path("dead", "x"),
	    fixture_path("drop", id.s)), 0);
	scan();
	assert_false(fixture_exists("drop", id.s));
	assert_int_equal(noted("temp.test"), 0);
}

/*
 * The report was linked, then everything stopped before the journal said so.
 * What fails only now must not be taken for reported because that report is
 * there.
 */
static void
test_dispatch_report_before_the_end(void **state)
{
	struct journal_record rec;
	struct notice_rcpt to = { .time = now.wall };
	struct notice b = { .rcpt = &to, .nrcpt = 1, .to = "a@temp.test",
	    .now = now.wall };
	struct msgid id, rep;
	struct msgfile mf;
	char *text;

	(void)state;
	fixture_drop(&id, "a@temp.test", "x@ok.test perm@ok.test");
	memset(&rec, 0, sizeof(rec));
	rec.type = JOURNAL_FAILED;
	rec.result.code = R_REFUSED;
	assert_int_equal(queue_record(q, &id, &rec, 1), 0);
	assert_int_equal(queue_pickup(q, &id, 1 << 20, 10, 4096,
	    &b.fd, &mf), 0);
	to.rcpt = &mf.env.rcpt[0];
	to.result = rec.result;
	b.id = &id;
	b.mf = &mf;
	assert_int_equal(notice_make(q, &conf, &b, &rep), 0);
	close(b.fd);
	msgfile_clear(&mf);
	run_to_the_end();
	assert_int_equal(noted("ok.test"), 1);
	assert_false(fixture_exists("queue", id.s));
	/* neither of the reports waits for a minute */
	assert_int_equal(noted("temp.test"), 2);
	text = the_report(&id, &rep);
	assert_non_null(strstr(text, "rfc822; x@ok.test"));
	free(text);
	id_derive(&rep, id.s, 1);
	text = fixture_read("queue", rep.s);
	assert_non_null(strstr(text, "rfc822; perm@ok.test"));
	free(text);
}

/* drop/ID that is due, and was linked into queue/ all the same. */
static void
test_dispatch_linked_while_due(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@ok.test");
	scan();
	assert_int_equal(link(fixture_path("drop", id.s),
	    fixture_path("queue", id.s)), 0);
	do
		turn();
	while (dispatch_active(d) != 0);
	assert_int_equal(noted("ok.test"), 1);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_dispatch_poison_is_put_aside(void **state)
{
	struct msgid id, other;
	int fd;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	run();
	fd = open(fixture_path("queue", id.s), O_WRONLY | O_TRUNC);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(queue_set_next(q, &id, now.wall), 0);
	fixture_drop(&other, "a@x.test", "b@ok.test");
	run();
	assert_int_equal(noted("ok.test"), 1);
	assert_true(fixture_exists("dead", id.s));
	assert_int_equal(dispatch_messages(d), 0);
}

/* --- hold and delete ---------------------------------------------------- */

static void
delete(struct queue *by, const struct msgid *id, int want)
{
	int error = -1;

	assert_int_equal(queue_delete(by, id, 1, &error), want != 0);
	assert_int_equal(error, want);
}

/* A worker hangs with one destination; the other's task is in line. */
static void
busy(struct msgid *id)
{
	conf.workers = 1;
	fixture_drop(id, "a@x.test", "u@hang.test u@ok.test");
	scan();
	while (noted("hang.test") == 0)
		turn();
}

static void
end_worker(void)
{
	dispatch_kill(d);
	while (dispatch_active(d) != 0)
		turn();
}

static void
test_dispatch_hold_while_busy(void **state)
{
	struct msgid id;
	struct queue_entry e;

	(void)state;
	busy(&id);
	assert_int_equal(queue_hold(q, &id), 0);
	scan();
	end_worker();
	assert_int_equal(noted("ok.test"), 0);
	assert_int_equal(queue_stat(q, &id, &e), 0);
	assert_true(e.held);
	now.wall += DAY;
	run();
	assert_int_equal(noted("ok.test"), 0);
	assert_int_equal(queue_release(q, &id, now.wall), 0);
	conf.workers = 2;
	scan();
	while (noted("ok.test") == 0)
		turn();
}

static void
test_dispatch_delete_while_busy(void **state)
{
	struct msgid id;

	(void)state;
	busy(&id);
	delete(q, &id, 0);
	dispatch_see_removed(d, IN_QUEUE, id.s);
	end_worker();
	dispatch_sync(d);
	assert_int_equal(noted("ok.test"), 0);
	assert_int_equal(dispatch_messages(d), 0);
	assert_int_equal(fixture_count("queue"), 0);
}

/* The runner was not told: it finds out when it looks. */
static void
test_dispatch_delete_unseen(void **state)
{
	struct msgid first, waits;

	(void)state;
	fixture_drop(&first, "a@x.test", "u@hang.test");
	scan();
	while (noted("hang.test") == 0)
		turn();
	delete(q, &first, 0);
	end_worker();
	assert_int_equal(dispatch_messages(d), 0);
	assert_int_equal(fixture_count("queue"), 0);
	fixture_drop(&waits, "a@x.test", "u@temp.test");
	run();
	assert_int_equal(dispatch_messages(d), 1);
	delete(q, &waits, 0);
	now.wall += DAY;
	run();
	assert_int_equal(dispatch_messages(d), 0);
	dispatch_sync(d);
	assert_int_equal(fixture_count("queue"), 0);
}

static void
test_dispatch_delete_while_it_waits(void **state)
{
	struct msgid id;

	(void)state;
	fixture_drop(&id, "a@x.test", "u@temp.test");
	run();
	assert_int_equal(dispatch_messages(d), 1);
	dispatch_see_removed(d, IN_DROP, id.s);
	dispatch_see_removed(d, IN_QUEUE, "no identifier");
	assert_int_equal(dispatch_messages(d), 1);
	delete(q, &id, 0);
	dispatch_see_removed(d, IN_QUEUE, id.s);
	assert_int_equal(dispatch_messages(d), 0);
}

/* Put off for a reason of our own: to look again changes nothing. */
static void
test_dispatch_put_off_is_not_called_back(void **state)
{
	struct msgid id;
	char log[ID_LEN + 8];
	size_t tried;

	(void)state;
	fixture_drop(&id, "a@x.test", "b@temp.test");
	run_to_the_end();
	tried = noted("temp.test");
	snprintf(log, sizeof(log), "%s.log", id.s);
	assert_int_equal(rename(fixture_path("queue", log),
	    fixture_path(".", log)), 0);
	assert_int_equal(mkdir(fixture_path("queue", log), 0700), 0);
	restart();
	now.wall += DAY;
	dispatch_clock(d, &now);
	run();
	assert_int_equal(noted("temp.test"), tried);
	scan();
	turn();
	assert_int_equal(dispatch_active(d), 0);
	/* but sendmail -q does */
	assert_int_equal(rmdir(fixture_path("queue", log)), 0);
	assert_int_equal(queue_set_next(q, &id, now.wall), 0);
	run();
	assert_int_equal(noted("temp.test"), tried + 1);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dispatch_delivers_from_drop),
		TEST(test_dispatch_several_destinations),
		TEST(test_dispatch_many_recipients_in_jobs),
		TEST(test_dispatch_one_worker_many_messages),
		TEST(test_dispatch_more_destinations_than_workers),
		TEST(test_dispatch_worker_moves),
		TEST(test_dispatch_is_fair),
		TEST(test_dispatch_is_fair_to_submitters),
		TEST(test_dispatch_grows_with_success),
		TEST(test_dispatch_shrinks),
		TEST(test_dispatch_recipients_do_not_shrink),
		TEST(test_dispatch_crowd),
		TEST(test_dispatch_offline),
		TEST(test_dispatch_offline_local_mail),
		TEST(test_dispatch_offline_both),
		TEST(test_dispatch_offline_is_found_beside_local_mail),
		TEST(test_dispatch_offline_probe_is_put_off),
		TEST(test_dispatch_offline_probe_is_short),
		TEST(test_dispatch_short_of_something),
		TEST(test_dispatch_rate),
		TEST(test_dispatch_rate_hires_nobody),
		TEST(test_dispatch_passes_the_reader),
		TEST(test_dispatch_reader_is_not_the_submitter),
		TEST(test_dispatch_defers),
		TEST(test_dispatch_some_are_deferred),
		TEST(test_dispatch_flush),
		TEST(test_dispatch_clock_goes_back),
		TEST(test_dispatch_held_message_waits),
		TEST(test_dispatch_aliases_are_expanded_once),
		TEST(test_dispatch_wrong_alias_waits),
		TEST(test_dispatch_discarded_recipient),
		TEST(test_dispatch_dead_destination),
		TEST(test_dispatch_dead_destination_and_a_new_override),
		TEST(test_dispatch_hold_makes_no_attempt),
		TEST(test_dispatch_failure_is_reported),
		TEST(test_dispatch_report_comes_once_for_each_failure),
		TEST(test_dispatch_unrecorded_failure_is_not_reported),
		TEST(test_dispatch_gives_up_in_the_end),
		TEST(test_dispatch_null_sender_goes_to_dead),
		TEST(test_dispatch_worker_dies),
		TEST(test_dispatch_worker_past_its_deadline),
		TEST(test_dispatch_kill_leaves_all_in_place),
		TEST(test_dispatch_recovers),
		TEST(test_dispatch_report_before_the_end),
		TEST(test_dispatch_linked_while_due),
		TEST(test_dispatch_poison_is_put_aside),
		TEST(test_dispatch_hold_while_busy),
		TEST(test_dispatch_delete_while_busy),
		TEST(test_dispatch_delete_unseen),
		TEST(test_dispatch_delete_while_it_waits),
		TEST(test_dispatch_put_off_is_not_called_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
