/* SPDX-License-Identifier: ISC */
/*
 * A worker is let go by closing our half of its socket for writing: it reads
 * end of file when its task is done.  What it reported before it ended is
 * always read first; then the end of file on its socket is its death
 * certificate, and wait4(2) does not have to wait.
 */
#include "config.h"

#include "run/crew.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/worker.h"

#define HIRE_PAUSE	1000	/* ms, after fork(2) failed */
#define LEAVE_MAX	10000	/* ms that an idle worker may take to leave */
#define SERVED_MAX	20	/* tasks before others may have its place */

struct worker {
	TAILQ_ENTRY(worker) link;
	pid_t		 pid;
	int		 sock;
	struct dest	*dest;
	struct task	*task;		/* NULL: idle */
	int64_t		 since;		/* ms: began the task, or to be idle */
	int64_t		 limit;		/* ms between two signs of life */
	int64_t		 deadline;	/* ms, while it has a task */
	unsigned	 served;	/* tasks that it finished */
	bool		 leaving;	/* it gets no more tasks */
	bool		 killed;
};
TAILQ_HEAD(workerlist, worker);

struct crew {
	struct queue	*queue;
	const struct crew_events *events;
	void		*arg;
	struct workerlist workers;
	size_t		 count;
	size_t		 busy;
	int64_t		 pause;		/* ms: no new process until then */
	bool		 wanted;	/* a destination has no worker */
};

struct crew *
crew_new(struct queue *q, const struct crew_events *events, void *arg)
{
	struct crew *c = xcalloc(1, sizeof(*c));

	c->queue = q;
	c->events = events;
	c->arg = arg;
	TAILQ_INIT(&c->workers);
	return c;
}

size_t
crew_count(const struct crew *c)
{
	return c->count;
}

size_t
crew_busy(const struct crew *c)
{
	return c->busy;
}

bool
crew_may_hire(const struct crew *c, int64_t now)
{
	return now >= c->pause;
}

/* In the child.  Nothing of the runner may stay open but the lock. */
static void __attribute__((noreturn))
work(struct crew *c, const struct conf *conf, const char *domain, int sock)
{
	sigset_t none;

	closelog();
	queue_forked(c->queue, sock);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	log_open("smtp", conf->log);
	_exit(worker_run(conf, c->queue, domain, sock));
}

struct worker *
crew_hire(struct crew *c, const struct conf *conf, struct dest *d, int64_t now)
{
	struct worker *w;
	int sock[2];
	pid_t pid;

	c->pause = now + HIRE_PAUSE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) ==
	    -1) {
		log_warn("no worker for %s: socketpair: %s", d->domain,
		    strerror(errno));
		return NULL;
	}
	if ((pid = fork()) == -1) {
		log_warn("no worker for %s: fork: %s", d->domain,
		    strerror(errno));
		close(sock[0]);
		close(sock[1]);
		return NULL;
	}
	if (pid == 0)
		work(c, conf, d->domain, sock[1]);
	c->pause = 0;
	close(sock[1]);
	w = xcalloc(1, sizeof(*w));
	w->pid = pid;
	w->sock = sock[0];
	w->dest = d;
	w->since = now;
	d->nworkers++;
	c->count++;
	TAILQ_INSERT_TAIL(&c->workers, w, link);
	return w;
}

struct worker *
crew_idle(struct crew *c, const struct dest *d)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers, link)
		if (w->dest == d && w->task == NULL && !w->leaving)
			return w;
	return NULL;
}

int64_t
crew_longest(const struct crew *c, const struct dest *d, int64_t now)
{
	const struct worker *w;
	int64_t max = 0;

	TAILQ_FOREACH(w, &c->workers, link)
		if (w->dest == d && w->task != NULL && now - w->since > max)
			max = now - w->since;
	return max;
}

static int
send_job(int sock, const struct job *job, const int *fd, size_t nfd)
{
	union {
		struct cmsghdr	hdr;
		char		space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { (void *)(uintptr_t)job, sizeof(*job) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	msg.msg_control = &control;
	msg.msg_controllen = CMSG_SPACE(nfd * sizeof(int));
	cm = &control.hdr;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(nfd * sizeof(int));
	memcpy(CMSG_DATA(cm), fd, nfd * sizeof(int));
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)sizeof(*job) ? 0 : -1;
}

static void
leave(struct worker *w)
{
	if (w->leaving)
		return;
	w->leaving = true;
	shutdown(w->sock, SHUT_WR);
}

int
crew_feed(struct crew *c, struct worker *w, struct task *t,
    const struct job *job, int fd, int reader, int64_t now, int64_t limit)
{
	const int fds[2] = { fd, reader };

	if (send_job(w->sock, job, fds, reader != -1 ? 2 : 1) == -1) {
		leave(w);
		return -1;
	}
	w->task = t;
	w->since = now;
	w->limit = limit;
	w->deadline = now + limit;
	c->busy++;
	return 0;
}

static void
task_done(struct crew *c, struct worker *w, const struct report *r)
{
	struct task *t = w->task;

	w->task = NULL;
	c->busy--;
	c->events->done(c->arg, w->dest, t, r);
}

/* All that the worker sent so far.  True: end of file. */
static bool
receive(struct crew *c, struct worker *w, int64_t now)
{
	struct report r;
	ssize_t n;

	while ((n = recv(w->sock, &r, sizeof(r), MSG_DONTWAIT)) != 0) {
		if (n == -1) {
			if (errno == EINTR)
				continue;
			return errno != EAGAIN && errno != EWOULDBLOCK;
		}
		if (n != (ssize_t)sizeof(r) || w->task == NULL)
			continue;
		if (r.kind == REPORT_RCPT) {
			w->deadline = now + w->limit;
			c->events->rcpt(c->arg, w->task, &r);
			continue;
		}
		/* the first task pays for the connection: not typical */
		if (w->served++ > 0)
			w->dest->avg = (w->dest->avg * 3 + now - w->since) / 4;
		w->since = now;
		task_done(c, w, &r);
		if (c->wanted && (w->dest->nworkers > 1 ||
		    w->served >= SERVED_MAX)) {
			c->wanted = false;
			leave(w);
		}
	}
	return true;
}

static void
log_death(const struct worker *w, int status)
{
	if (WIFSIGNALED(status))
		log_err("the worker for %s was ended by signal %d%s",
		    w->dest->domain, WTERMSIG(status),
		    w->killed ? " (past its deadline)" : "");
	else if (WEXITSTATUS(status) != 0 || w->task != NULL)
		log_err("the worker for %s ended with status %d",
		    w->dest->domain, WEXITSTATUS(status));
}

static void
bury_worker(struct crew *c, struct worker *w)
{
	int status = 0;

	close(w->sock);
	if (waitpid(w->pid, &status, WNOHANG) == 0) {
		/* about to end, unless it closed its socket and hangs */
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, &status, 0) == -1 && errno == EINTR)
			continue;
	}
	log_death(w, status);
	TAILQ_REMOVE(&c->workers, w, link);
	c->count--;
	w->dest->nworkers--;
	if (w->task != NULL)
		task_done(c, w, NULL);
	free(w);
}

void
crew_free(struct crew *c)
{
	struct worker *w;

	if (c == NULL)
		return;
	crew_kill(c);
	while ((w = TAILQ_FIRST(&c->workers)) != NULL)
		bury_worker(c, w);
	free(c);
}

void
crew_dismiss(struct crew *c, int64_t now, int64_t ms)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers, link)
		if (w->task == NULL && now - w->since >= ms)
			leave(w);
}

void
crew_yield(struct crew *c, bool wanted)
{
	struct worker *w;

	c->wanted = wanted;
	if (!wanted)
		return;
	TAILQ_FOREACH(w, &c->workers, link)
		if (w->task == NULL) {
			/* one that leaves already will do */
			c->wanted = false;
			leave(w);
			return;
		}
}

void
crew_dismiss_all(struct crew *c)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers, link)
		leave(w);
}

/* When something must happen to W; IDLE is how long it may be idle. */
static int64_t
end_of(const struct worker *w, int64_t idle)
{
	if (w->task != NULL)
		return w->deadline;
	if (w->leaving)
		return w->since + LEAVE_MAX;
	return idle < INT64_MAX - w->since ? w->since + idle : INT64_MAX;
}

void
crew_enforce(struct crew *c, int64_t now)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers, link)
		if (!w->killed && now >= end_of(w, INT64_MAX)) {
			w->killed = true;
			kill(w->pid, SIGKILL);
		}
}

void
crew_kill(struct crew *c)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers, link)
		kill(w->pid, SIGKILL);
}

int64_t
crew_next(const struct crew *c, int64_t ms)
{
	const struct worker *w;
	int64_t next = -1, t;

	TAILQ_FOREACH(w, &c->workers, link) {
		if (w->killed)
			continue;
		t = end_of(w, ms);
		if (next == -1 || t < next)
			next = t;
	}
	return next;
}

size_t
crew_pollfds(const struct crew *c, struct pollfd *p, size_t max)
{
	const struct worker *w;
	size_t n = 0;

	TAILQ_FOREACH(w, &c->workers, link) {
		if (n == max)
			break;
		p[n].fd = w->sock;
		p[n].events = POLLIN;
		p[n].revents = 0;
		n++;
	}
	return n;
}

void
crew_handle(struct crew *c, const struct pollfd *p, size_t n, int64_t now)
{
	struct worker *w, *next;
	size_t i = 0;

	/* the order is that of crew_pollfds(): new ones are at the end */
	for (w = TAILQ_FIRST(&c->workers); w != NULL && i < n; w = next) {
		next = TAILQ_NEXT(w, link);
		if (p[i].fd != w->sock)
			continue;
		if (p[i].revents != 0 && receive(c, w, now))
			bury_worker(c, w);
		i++;
	}
}
