/* SPDX-License-Identifier: ISC */
/*
 * The worker: jobs in, results on disk, reports out.  The outcome of a
 * recipient is recorded before anything else happens, and whether or not the
 * runner is still there to hear of it: what was delivered is not delivered
 * again.
 */
#include "config.h"

#include "run/worker.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/deliver.h"
#include "run/dest.h"
#include "run/job.h"
#include "run/local.h"
#include "run/verbose.h"
#include "spool/journal.h"
#include "spool/msgfile.h"

#define IDLE_MS		1000	/* a connection waits for the next message */

struct worker {
	struct queue	*queue;
	const struct conf *conf;
	char		 dest[ENVELOPE_MAX_ADDR + 1];	/* served now */
	struct local	*local;		/* to this machine, or NULL */
	struct deliver	*deliver;	/* else */
	int		 sock;
	bool		 orphan;	/* the runner is gone */
	bool		 cut;		/* there was no room for a descriptor */
	struct report	 out[REPORTS_MAX];	/* not sent yet */
	size_t		 nout;
};

struct work {			/* one job */
	struct worker	*w;
	const struct job *job;
	struct msgfile	 mf;
	struct delivery	 m;
	struct verbose	*verbose;
	size_t		 nsent;
	bool		 retired;
};

/* --- reports --------------------------------------------------------------*/

static void
send_reports(struct worker *w)
{
	ssize_t n;

	while (!w->orphan && (n = send(w->sock, w->out,
	    w->nout * sizeof(w->out[0]), MSG_NOSIGNAL)) == -1)
		w->orphan = errno != EINTR;
	w->nout = 0;
}

/* A wake-up of the runner costs more than a report: they go together. */
static struct report *
new_report(struct worker *w, enum report_kind kind, const struct job *job)
{
	struct report *r;

	if (w->nout == REPORTS_MAX)
		send_reports(w);
	r = &w->out[w->nout++];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->id = job->id;
	return r;
}

static void
report_rcpt(struct worker *w, const struct job *job,
    const struct delivery_rcpt *rcpt, bool recorded)
{
	struct report *r = new_report(w, REPORT_RCPT, job);

	r->rcpt = rcpt->index;
	r->relayed = rcpt->relayed;
	r->unrecorded = !recorded;
	r->result = rcpt->result;
}

static void
report_done(struct work *k)
{
	struct report *r = new_report(k->w, REPORT_DONE, k->job);

	r->retired = k->retired;
	r->dead = k->m.dead;
	r->until = k->m.until;
	r->offline = k->m.offline;
	r->busy = k->m.busy;
	r->is_short = k->m.is_short;
	r->result = k->m.why;
	send_reports(k->w);
}

/* --- records --------------------------------------------------------------*/

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Whether it was recorded: if not, the runner tries that once more. */
static bool
record(struct work *k, struct delivery_rcpt *const *rcpt, size_t n)
{
	struct journal_record *rec = xcalloc(n, sizeof(*rec));
	uint64_t now = now_us();
	bool done;
	size_t i;

	for (i = 0; i < n; i++) {
		rec[i].type = journal_type_of(&rcpt[i]->result,
		    rcpt[i]->relayed);
		rec[i].time = now;
		rec[i].rcpt = rcpt[i]->index;
		rec[i].result = rcpt[i]->result;
	}
	done = queue_record(k->w->queue, &k->job->id, rec, n) == 0;
	if (!done)
		log_err("%s: cannot write the journal: %s", k->job->id.s,
		    strerror(errno));
	free(rec);
	return done;
}

/*
 * Recipients are final: on disk with it.  A message that everybody has, and of
 * which nobody is to be told, needs no record: it goes.
 */
static void
on_outcome(void *arg, struct delivery_rcpt *const *rcpt, size_t n)
{
	struct work *k = arg;
	const struct job *job = k->job;
	bool recorded = true;
	size_t i;

	for (i = 0; i < n; i++)
		k->nsent += result_is_ok(&rcpt[i]->result) &&
		    !rcpt[i]->relayed;
	if (job->sole && k->nsent == job->nrcpt) {
		k->retired = queue_retire(k->w->queue, job->place,
		    &job->id) == 0;
		if (!k->retired)
			log_err("%s: cannot remove the message: %s",
			    job->id.s, strerror(errno));
	}
	if (!k->retired)
		recorded = record(k, rcpt, n);
	for (i = 0; i < n; i++)
		report_rcpt(k->w, job, rcpt[i], recorded);
	/* the next may wait for a lock, or for another program */
	if (k->w->local != NULL)
		send_reports(k->w);
}

/* The others wait: one record for all of them, at the end. */
static void
record_waiting(struct work *k)
{
	struct delivery *m = &k->m;
	struct delivery_rcpt **rcpt = xcalloc(m->nrcpt, sizeof(*rcpt));
	size_t i, n = 0;

	for (i = 0; i < m->nrcpt; i++)
		if (!m->rcpt[i].final)
			rcpt[n++] = &m->rcpt[i];
	/* lost, it costs mailq a reason */
	if (n > 0)
		(void)record(k, rcpt, n);
	for (i = 0; i < n; i++)
		report_rcpt(k->w, k->job, rcpt[i], true);
	free(rcpt);
}

/* --- destinations ---------------------------------------------------------*/

static void
leave_dest(struct worker *w)
{
	deliver_free(w->deliver);
	w->deliver = NULL;
	local_free(w->local);
	w->local = NULL;
}

/* From one destination to another it keeps nothing. */
static void
go_to_dest(struct worker *w, const char *dest)
{
	if ((w->deliver != NULL || w->local != NULL) &&
	    strcmp(w->dest, dest) == 0)
		return;
	leave_dest(w);
	(void)strlcpy(w->dest, dest, sizeof(w->dest));
	if (dest_is_local(dest)) {
		log_open("local", w->conf->log);
		w->local = local_new(w->conf);
	} else {
		log_open("smtp", w->conf->log);
		w->deliver = deliver_new(w->conf, w->queue, w->dest);
	}
}

static bool
is_connected(const struct worker *w)
{
	return w->local != NULL ? local_is_connected(w->local) :
	    w->deliver != NULL && deliver_is_connected(w->deliver);
}

/* --- jobs -----------------------------------------------------------------*/

static int
check_job(const struct job *job, const struct msgfile *mf, const char **why)
{
	size_t i;

	*why = "the job names recipients that the message does not have";
	if (job->nrcpt == 0 || job->nrcpt > JOB_MAXRCPT)
		return -1;
	for (i = 0; i < job->nrcpt; i++)
		if (job->rcpt[i] >= mf->env.nrcpt)
			return -1;
	return 0;
}

static void
on_trace(void *arg, char dir, const char *line)
{
	struct work *k = arg;

	verbose_line(k->verbose, dir, line);
}

static void
on_ready(void *arg)
{
	struct work *k = arg;

	(void)new_report(k->w, REPORT_READY, k->job);
	send_reports(k->w);
}

static void
run_job(struct work *k, int fd)
{
	const struct job *job = k->job;
	struct delivery *m = &k->m;
	size_t i;

	delivery_init(m, &k->mf, fd);
	m->id = job->id.s;
	m->generation = job->generation;
	m->crowded = job->crowded;
	m->nrcpt = job->nrcpt;
	m->rcpt = xcalloc(m->nrcpt, sizeof(*m->rcpt));
	for (i = 0; i < m->nrcpt; i++)
		delivery_rcpt_init(&m->rcpt[i], &k->mf, job->rcpt[i]);
	m->outcome = on_outcome;
	m->ready = on_ready;
	m->trace = k->verbose != NULL ? on_trace : NULL;
	m->arg = k;
	go_to_dest(k->w, job->dest);
	if (k->w->local != NULL)
		local_message(k->w->local, m);
	else
		deliver_message(k->w->deliver, m);
	record_waiting(k);
	free(m->rcpt);
}

/* The message cannot be read: nothing was tried. */
static void
fail_job(struct work *k, const char *why)
{
	const struct job *job = k->job;
	struct delivery_rcpt rcpt = { .addr = NULL };
	size_t i;

	result_set(&rcpt.result, k->w->cut ? R_SHORT : R_LOCALERR,
	    "cannot read the message: %s", why);
	k->m.is_short = true;
	log_err("%s: %s", job->id.s, rcpt.result.text);
	for (i = 0; i < job->nrcpt && i < JOB_MAXRCPT; i++) {
		rcpt.index = job->rcpt[i];
		report_rcpt(k->w, job, &rcpt, true);
	}
}

/* Takes FD and VFD, which may be -1. */
static void
handle_job(struct worker *w, const struct job *job, int fd, int vfd)
{
	struct work k;
	const char *why = w->cut ? "out of file descriptors here" :
	    "no file came with the job";

	memset(&k, 0, sizeof(k));
	k.w = w;
	k.job = job;
	k.verbose = verbose_new(vfd);
	if (fd != -1 && msgfile_read(fd, SIZE_MAX, &k.mf, &why) == 0) {
		if (check_job(job, &k.mf, &why) == 0)
			run_job(&k, fd);
		else
			fail_job(&k, why);
		msgfile_clear(&k.mf);
	} else
		fail_job(&k, why);
	report_done(&k);
	verbose_free(k.verbose);
	if (fd != -1)
		close(fd);
}

/* --- the socket -----------------------------------------------------------*/

static void
take_fds(struct msghdr *msg, int fd[2])
{
	struct cmsghdr *c;
	size_t i, n;
	int one;

	fd[0] = fd[1] = -1;
	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&one, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(one));
			if (fd[0] == -1)
				fd[0] = one;
			else if (fd[1] == -1)
				fd[1] = one;
			else
				close(one);
		}
	}
}

/* 1: a job; 0: no more jobs; -1: a datagram that is none. */
static int
receive_job(struct worker *w, struct job *job, int fd[2])
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { job, sizeof(*job) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	while ((n = recvmsg(w->sock, &msg, MSG_CMSG_CLOEXEC)) == -1 &&
	    errno == EINTR)
		;
	w->cut = (msg.msg_flags & MSG_CTRUNC) != 0;
	fd[0] = fd[1] = -1;
	if (n <= 0)
		return 0;
	take_fds(&msg, fd);
	if ((size_t)n == sizeof(*job))
		return 1;
	if (fd[0] != -1)
		close(fd[0]);
	if (fd[1] != -1)
		close(fd[1]);
	return -1;
}

/* Wait for a job; a connection without one is closed after a while. */
static void
wait_for_job(struct worker *w)
{
	struct pollfd pfd = { .fd = w->sock, .events = POLLIN };

	if (!is_connected(w) || poll(&pfd, 1, IDLE_MS) != 0)
		return;
	if (w->local != NULL)
		local_disconnect(w->local);
	else
		deliver_disconnect(w->deliver);
}

int
worker_run(const struct conf *conf, struct queue *queue, int sock)
{
	struct worker w = { .queue = queue, .conf = conf, .sock = sock };
	struct job job;
	int fd[2], got, rv = EX_OK;

	while (!w.orphan) {
		wait_for_job(&w);
		if ((got = receive_job(&w, &job, fd)) == 0)
			break;
		if (got == -1) {
			log_err("the runner sent what is no job");
			rv = EX_SOFTWARE;
			break;
		}
		handle_job(&w, &job, fd[0], fd[1]);
	}
	leave_dest(&w);
	return rv;
}
