/* SPDX-License-Identifier: ISC */
/*
 * worker.c: jobs over a socket pair with a runner that the test plays.  The
 * delivery and the queue are replaced; what happens, and in what order, is
 * written down in `events'.
 */
#include "config.h"

#include "run/worker.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "run/deliver.h"
#include "run/job.h"

static struct buf events = BUF_INIT;
static const char *script;	/* of the next message: see step() */
static int runner;		/* the test's end */
static bool retire_fails, record_fails;
static struct journal_record last;

static void __attribute__((format(printf, 1, 2)))
event(const char *fmt, ...)
{
	va_list ap;

	if (events.len > 0)
		buf_addc(&events, ' ');
	va_start(ap, fmt);
	buf_vprintf(&events, fmt, ap);
	va_end(ap);
}

struct deliver *__wrap_deliver_new(const struct conf *,
	    struct queue *, const char *);
void	__wrap_deliver_free(struct deliver *);
void	__wrap_deliver_message(struct deliver *, struct delivery *);
bool	__wrap_deliver_is_connected(const struct deliver *);
void	__wrap_deliver_disconnect(struct deliver *);
int	__wrap_queue_record(struct queue *, const struct msgid *,
	    const struct journal_record *, size_t);
int	__wrap_queue_retire(struct queue *, enum queue_place,
	    const struct msgid *);
int	__wrap_msgfile_read(int, size_t, struct msgfile *, const char **);
void	__wrap_msgfile_clear(struct msgfile *);
void	__wrap_log_open(const char *, enum log_dest);
void	__wrap_log_err(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

static int is_deliver;		/* its address is all there is of it */

struct deliver *
__wrap_deliver_new(const struct conf *conf, struct queue *q,
    const char *domain)
{
	(void)q;
	assert_non_null(conf);
	if (strcmp(domain, "d.example") != 0)
		event("to:%s", domain);
	return (struct deliver *)&is_deliver;
}

void
__wrap_deliver_free(struct deliver *d)
{
	if (d != NULL)
		event("free");
}

static enum result_code
code_of(char sign)
{
	return sign == 's' || sign == 'r' ? R_SENT :
	    sign == 'p' ? R_REFUSED : R_LATER;
}

/*
 * One word of the script: the results of all recipients that are not final,
 * 's'ent, 'r'elayed, 't'emporary or 'p'ermanent; '!' the runner goes away
 * before.
 */
static const char *
step(struct delivery *m, const char *p)
{
	struct delivery_rcpt *final[JOB_MAXRCPT];
	size_t i, n = 0;

	if (*p == '!') {
		close(runner);
		runner = -1;
		p++;
	}
	for (i = 0; i < m->nrcpt; i++) {
		if (m->rcpt[i].final)
			continue;
		result_set(&m->rcpt[i].result, code_of(*p), "as scripted");
		m->rcpt[i].relayed = *p == 'r';
		if (*p++ == 't')
			continue;
		m->rcpt[i].final = true;
		final[n++] = &m->rcpt[i];
	}
	if (n > 0)
		m->outcome(m->arg, final, n);
	return *p == ' ' ? p + 1 : p;
}

void
__wrap_deliver_message(struct deliver *d, struct delivery *m)
{
	const char *p = script;
	size_t i;

	assert_ptr_equal(d, &is_deliver);
	event("message");
	for (i = 0; i < m->nrcpt; i++)
		event("%s", m->rcpt[i].addr);
	assert_string_equal(m->sender, "me@e.example");
	assert_int_equal(m->time, 12345);
	assert_int_equal(m->start, 100);
	assert_int_equal(m->size, 200);
	assert_true(m->eightbit);
	assert_true(m->fd != -1);
	if (m->trace != NULL)
		m->trace(m->arg, '>', "EHLO");
	if (*p == 'D') {
		m->dead = true;
		result_set(&m->why, R_CONNECT, "all down");
		p++;
	}
	while (*p != '\0')
		p = step(m, p);
}

bool
__wrap_deliver_is_connected(const struct deliver *d)
{
	(void)d;
	return false;
}

void
__wrap_deliver_disconnect(struct deliver *d)
{
	(void)d;
}

static const char type_signs[] = {
	[JOURNAL_ATTEMPT] = 't',
	[JOURNAL_DELIVERED] = 's',
	[JOURNAL_RELAYED] = 'r',
	[JOURNAL_FAILED] = 'p',
	[JOURNAL_REPORTED] = '?',
};

int
__wrap_queue_record(struct queue *q, const struct msgid *id,
    const struct journal_record *rec, size_t n)
{
	struct buf b = BUF_INIT;
	size_t i;

	(void)q;
	assert_int_equal(strlen(id->s), ID_LEN);
	for (i = 0; i < n; i++) {
		buf_printf(&b, "%zu%c", rec[i].rcpt, type_signs[rec[i].type]);
		assert_true(rec[i].time > 1700000000000000);
		last = rec[i];
	}
	event("record:%s", buf_str(&b));
	buf_clear(&b);
	errno = ENOSPC;
	return record_fails ? -1 : 0;
}

int
__wrap_queue_retire(struct queue *q, enum queue_place place,
    const struct msgid *id)
{
	(void)q;
	(void)id;
	event("retire:%s", place == IN_DROP ? "drop" : "queue");
	errno = EIO;
	return retire_fails ? -1 : 0;
}

/* The file says how many recipients the message has. */
int
__wrap_msgfile_read(int fd, size_t maxrcpt, struct msgfile *mf,
    const char **why)
{
	char c, addr[] = "0@d.example";

	(void)maxrcpt;
	if (pread(fd, &c, 1, 0) != 1) {
		*why = "too short";
		return -1;
	}
	memset(mf, 0, sizeof(*mf));
	mf->start = 100;
	mf->size = 200;
	mf->eightbit = true;
	mf->env.time = 12345;
	mf->env.sender = xstrdup("me@e.example");
	for (; addr[0] < c; addr[0]++)
		envelope_add_rcpt(&mf->env, addr);
	return 0;
}

void
__wrap_msgfile_clear(struct msgfile *mf)
{
	size_t i;

	for (i = 0; i < mf->env.nrcpt; i++)
		free(mf->env.rcpt[i].addr);
	free(mf->env.rcpt);
	free(mf->env.sender);
}

void
__wrap_log_open(const char *name, enum log_dest dest)
{
	assert_string_equal(name, "smtp");
	(void)dest;
}

void
__wrap_log_err(const char *fmt, ...)
{
	(void)fmt;
	event("error");
}

/* --- the runner's side ---------------------------------------------------- */

static int sock;		/* the worker's end */

static int
start(void **state)
{
	int p[2];

	(void)state;
	buf_clear(&events);
	retire_fails = record_fails = false;
	script = "s";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) == -1)
		return -1;
	runner = p[0];
	sock = p[1];
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	if (runner != -1)
		close(runner);
	if (sock != -1)
		close(sock);
	buf_clear(&events);
	return 0;
}

static int
message_file(const char *text)
{
	char name[] = "/tmp/test_worker.XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd != -1);
	unlink(name);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
send_with(const void *data, size_t len, const int *fd, size_t nfd)
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg;
	struct cmsghdr *c;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	iov.iov_base = memcpy(xmalloc(len), data, len);
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (nfd > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfd * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfd * sizeof(int));
		memcpy(CMSG_DATA(c), fd, nfd * sizeof(int));
	}
	assert_int_equal(sendmsg(runner, &msg, 0), len);
	free(iov.iov_base);
}

/* A job for the recipients WHICH (digits) of a message that has as many. */
static struct job
make_job(const char *which, bool sole)
{
	struct job job;
	size_t i;

	memset(&job, 0, sizeof(job));
	(void)strlcpy(job.dest, "d.example", sizeof(job.dest));
	memcpy(job.id.s, "0123456789abcdefghij", ID_LEN);
	job.place = IN_DROP;
	job.sole = sole;
	job.nrcpt = strlen(which);
	for (i = 0; i < job.nrcpt; i++)
		job.rcpt[i] = (uint32_t)(which[i] - '0');
	return job;
}

static void
give(const char *which, bool sole, const char *file)
{
	struct job job = make_job(which, sole);
	int fd = message_file(file);

	send_with(&job, sizeof(job), &fd, 1);
	close(fd);
}

/* Let the worker do all that was given, and go. */
static int
work(void)
{
	struct conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.log = LOG_TO_STDERR;
	if (runner != -1)
		assert_int_equal(shutdown(runner, SHUT_WR), 0);
	return worker_run(&conf, NULL, sock);
}

/* Write down what was reported. */
static struct report
reports(void)
{
	struct report r[REPORTS_MAX], done;
	ssize_t n;
	size_t i;

	memset(&done, 0, sizeof(done));
	buf_clear(&events);
	close(sock);
	sock = -1;
	while ((n = recv(runner, r, sizeof(r), 0)) > 0)
		for (i = 0; i < (size_t)n / sizeof(r[0]); i++) {
			assert_string_equal(r[i].id.s, "0123456789abcdefghij");
			if (r[i].kind == REPORT_RCPT) {
				event("%u%s", r[i].rcpt,
				    r[i].relayed ? "relayed" :
				    result_name(r[i].result.code));
				if (r[i].unrecorded)
					event("unrecorded");
			} else {
				event("done");
				done = r[i];
			}
		}
	return done;
}

#define ALL "3"
static const struct {
	const char	*name;
	const char	*which;
	bool		 sole;
	const char	*script;
	const char	*events;
	const char	*reports;
	bool		 retired;
} rows[] = {
	{ "all sent", "012", true, "sss",
	    "message 0@d.example 1@d.example 2@d.example retire:drop free",
	    "0sent 1sent 2sent done", true },
	{ "all sent, others elsewhere", "02", false, "ss",
	    "message 0@d.example 2@d.example record:0s2s free",
	    "0sent 2sent done", false },
	{ "one refused", "012", true, "sps",
	    "message 0@d.example 1@d.example 2@d.example record:0s1p2s free",
	    "0sent 1refused 2sent done", false },
	{ "the sender is to hear of one", "01", true, "sr",
	    "message 0@d.example 1@d.example record:0s1r free",
	    "0sent 1relayed done", false },
	{ "one waits", "012", true, "sts",
	    "message 0@d.example 1@d.example 2@d.example record:0s2s "
	    "record:1t free", "0sent 2sent 1later done", false },
	{ "all wait", "01", true, "tt",
	    "message 0@d.example 1@d.example record:0t1t free",
	    "0later 1later done", false },
	{ "sent by two hosts", "012", true, "sts s",
	    "message 0@d.example 1@d.example 2@d.example record:0s2s "
	    "retire:drop free", "0sent 2sent 1sent done", true },
};

static void
test_worker_run_rows(void **state)
{
	struct report done;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (i > 0) {
			stop(state);
			assert_int_equal(start(state), 0);
		}
		script = rows[i].script;
		give(rows[i].which, rows[i].sole, ALL);
		assert_int_equal(work(), EX_OK);
		if (strcmp(buf_str(&events), rows[i].events) != 0)
			fail_msg("%s: %s", rows[i].name, buf_str(&events));
		done = reports();
		if (strcmp(buf_str(&events), rows[i].reports) != 0)
			fail_msg("%s: %s", rows[i].name, buf_str(&events));
		if (done.retired != rows[i].retired || done.dead)
			fail_msg("%s: done", rows[i].name);
	}
}

static void
test_worker_run_records_text(void **state)
{
	(void)state;
	script = "p";
	give("2", false, ALL);
	work();
	assert_int_equal(last.rcpt, 2);
	assert_int_equal(last.type, JOURNAL_FAILED);
	assert_int_equal(last.result.code, R_REFUSED);
	assert_string_equal(last.result.text, "as scripted");
}

static void
test_worker_run_several_jobs(void **state)
{
	(void)state;
	give("0", true, "1");
	give("0", true, "1");
	assert_int_equal(work(), EX_OK);
	assert_string_equal(buf_str(&events), "message 0@d.example "
	    "retire:drop message 0@d.example retire:drop free");
	reports();
	assert_string_equal(buf_str(&events), "0sent done 0sent done");
}

/* From one destination to another, and back. */
static void
test_worker_run_moves(void **state)
{
	struct job job = make_job("0", true);
	int fd = message_file("1");

	(void)state;
	give("0", true, "1");
	(void)strlcpy(job.dest, "e.example", sizeof(job.dest));
	send_with(&job, sizeof(job), &fd, 1);
	close(fd);
	give("0", true, "1");
	assert_int_equal(work(), EX_OK);
	assert_string_equal(buf_str(&events), "message 0@d.example "
	    "retire:drop free to:e.example message 0@d.example retire:drop "
	    "free message 0@d.example retire:drop free");
}

static void
test_worker_run_dead_destination(void **state)
{
	struct report done;

	(void)state;
	script = "Dt";
	give("0", true, "1");
	work();
	done = reports();
	assert_true(done.dead);
	assert_int_equal(done.result.code, R_CONNECT);
	assert_string_equal(done.result.text, "all down");
}

/* The runner dies: what was done is recorded all the same, then the end. */
static void
test_worker_run_orphan(void **state)
{
	(void)state;
	script = "!stp s";
	give("012", true, ALL);
	give("0", true, "1");
	assert_int_equal(work(), EX_OK);
	assert_string_equal(buf_str(&events), "message 0@d.example "
	    "1@d.example 2@d.example record:0s2p record:1s free");
}

static void
test_worker_run_retire_fails(void **state)
{
	struct report done;

	(void)state;
	retire_fails = true;
	give("0", true, "1");
	work();
	assert_string_equal(buf_str(&events),
	    "message 0@d.example retire:drop error record:0s free");
	done = reports();
	assert_false(done.retired);
	assert_string_equal(buf_str(&events), "0sent done");
}

static void
test_worker_run_record_fails(void **state)
{
	(void)state;
	record_fails = true;
	give("0", false, "1");
	work();
	assert_string_equal(buf_str(&events),
	    "message 0@d.example record:0s error free");
	reports();
	assert_string_equal(buf_str(&events), "0sent unrecorded done");
}

static void
test_worker_run_unreadable_message(void **state)
{
	(void)state;
	give("01", true, "");
	assert_int_equal(work(), EX_OK);
	assert_string_equal(buf_str(&events), "error");
	reports();
	assert_string_equal(buf_str(&events), "0localerr 1localerr done");
}

static void
test_worker_run_no_file(void **state)
{
	struct job job = make_job("0", true);

	(void)state;
	send_with(&job, sizeof(job), NULL, 0);
	assert_int_equal(work(), EX_OK);
	reports();
	assert_string_equal(buf_str(&events), "0localerr done");
}

static void
test_worker_run_wrong_recipient(void **state)
{
	(void)state;
	give("03", true, ALL);
	assert_int_equal(work(), EX_OK);
	reports();
	assert_string_equal(buf_str(&events), "0localerr 3localerr done");
}

static void
test_worker_run_no_job(void **state)
{
	(void)state;
	send_with("?", 1, NULL, 0);
	assert_int_equal(work(), EX_SOFTWARE);
	assert_string_equal(buf_str(&events), "error");
}

/* The dialogue goes to the second descriptor; all are closed in the end. */
static void
test_worker_run_verbose(void **state)
{
	struct job job = make_job("0", true);
	char got[64];
	int fd[3], p[2];
	ssize_t n;

	(void)state;
	job.verbose = true;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	fd[0] = message_file("1");
	fd[1] = p[1];
	fd[2] = fd[0];		/* one too many: closed, not kept */
	send_with(&job, sizeof(job), fd, 3);
	close(fd[0]);
	close(p[1]);
	assert_int_equal(work(), EX_OK);
	n = read(p[0], got, sizeof(got) - 1);
	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, ">>> EHLO\n");
	assert_int_equal(read(p[0], got, sizeof(got)), 0);
	close(p[0]);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		T(test_worker_run_rows),
		T(test_worker_run_records_text),
		T(test_worker_run_several_jobs),
		T(test_worker_run_moves),
		T(test_worker_run_dead_destination),
		T(test_worker_run_orphan),
		T(test_worker_run_retire_fails),
		T(test_worker_run_record_fails),
		T(test_worker_run_unreadable_message),
		T(test_worker_run_no_file),
		T(test_worker_run_wrong_recipient),
		T(test_worker_run_no_job),
		T(test_worker_run_verbose),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
