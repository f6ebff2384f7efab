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
#include "run/job.h"
#include "run/worker.h"

#define HIRE_PAUSE	1000	/* ms, after fork(2) failed */
#define LEAVE_MAX	10000	/* ms that an idle worker may take to leave */
#define AGAIN		1000	/* ms, after it could not be killed */
#define SERVED_MAX	20	/* tasks before others may have its place */

struct turn {			/* a task that a worker has */
	struct task	*task;
	int64_t		 limit;		/* ms between two signs of life */
};

struct worker {
	TAILQ_ENTRY(worker) link;
	TAILQ_ENTRY(worker) of_dest;
	pid_t		 pid;
	int		 sock;
	struct dest	*dest;
	struct turn	 turn[CREW_DEPTH]; /* the first is being done */
	size_t		 nturns;	/* 0: idle */
	int64_t		 since;		/* ms: began the task, or to be idle */
	int64_t		 deadline;	/* ms, while it has a task */
	unsigned	 served;	/* tasks that it finished */
	bool		 greeted;	/* by a server of its destination */
	bool		 leaving;	/* it gets no more tasks */
	bool		 deaf;		/* it could not be told so */
	bool		 killed;
};
TAILQ_HEAD(workerlist, worker);

struct crew {
	struct queue	*queue;
	const struct crew_events *events;
	void		*arg;
	struct workerlist workers;
	size_t		 count;
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

bool
crew_may_hire(const struct crew *c, int64_t now)
{
	return now >= c->pause;
}

/* In the child.  Nothing of the runner may stay open but the lock. */
static void __attribute__((noreturn))
work(struct crew *c, const struct conf *conf, int sock)
{
	sigset_t none;

	closelog();
	queue_forked(c->queue, sock);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	log_open("smtp", conf->log);
	_exit(worker_run(conf, c->queue, sock));
}

static void
join(struct worker *w, struct dest *d)
{
	w->dest = d;
	TAILQ_INSERT_TAIL(&d->workers, w, of_dest);
	d->nworkers++;
	dest_update(d);
}

static void
part(struct worker *w)
{
	struct dest *d = w->dest;

	TAILQ_REMOVE(&d->workers, w, of_dest);
	d->nworkers--;
	d->nleaving -= w->leaving;
	dest_update(d);
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
		work(c, conf, sock[1]);
	c->pause = 0;
	close(sock[1]);
	w = xcalloc(1, sizeof(*w));
	w->pid = pid;
	w->sock = sock[0];
	w->since = now;
	c->count++;
	TAILQ_INSERT_TAIL(&c->workers, w, link);
	join(w, d);
	return w;
}

struct worker *
crew_spare(const struct crew *c)
{
	struct worker *w, *best = NULL;

	TAILQ_FOREACH(w, &c->workers, link)
		if (w->nturns == 0 && !w->leaving &&
		    (w->dest->ntasks == 0 || w->dest->blocked) &&
		    (best == NULL || w->since < best->since))
			best = w;
	return best;
}

void
crew_move(struct worker *w, struct dest *d)
{
	part(w);
	w->served = 0;
	w->greeted = false;
	join(w, d);
}

struct worker *
crew_ready(const struct dest *d, size_t depth)
{
	struct worker *w, *best = NULL;

	TAILQ_FOREACH(w, &d->workers, of_dest)
		if (!w->leaving && (w->nturns == 0 || (w->served > 0 &&
		    w->nturns < depth)) &&
		    (best == NULL || w->nturns < best->nturns))
			best = w;
	return best;
}

bool
crew_is_served(const struct dest *d)
{
	const struct worker *w;

	TAILQ_FOREACH(w, &d->workers, of_dest)
		if (w->greeted)
			return true;
	return false;
}

int64_t
crew_longest(const struct dest *d, int64_t now)
{
	const struct worker *w;
	int64_t max = 0;

	TAILQ_FOREACH(w, &d->workers, of_dest)
		if (w->nturns != 0 && now - w->since > max)
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
	w->deaf = shutdown(w->sock, SHUT_WR) == -1;
	w->dest->nleaving++;
	dest_update(w->dest);
}

int
crew_feed(struct worker *w, struct task *t, const struct job *job,
    int fd, int reader, int64_t now, int64_t limit)
{
	const int fds[2] = { fd, reader };

	if (send_job(w->sock, job, fds, reader != -1 ? 2 : 1) == -1) {
		leave(w);
		return -1;
	}
	if (w->nturns == 0) {
		w->since = now;
		w->deadline = now + limit;
	}
	w->turn[w->nturns].task = t;
	w->turn[w->nturns++].limit = limit;
	return 0;
}

static struct task *
end_turn(struct worker *w)
{
	struct task *t = w->turn[0].task;

	w->nturns--;
	memmove(&w->turn[0], &w->turn[1], w->nturns * sizeof(w->turn[0]));
	return t;
}

/* More workers than the destination may have now, or others need the place. */
static bool
is_surplus(struct crew *c, const struct worker *w)
{
	const struct dest *d = w->dest;

	if (d->nworkers - d->nleaving > d->limit)
		return true;
	if (!c->wanted || (d->nworkers == 1 && w->served < SERVED_MAX))
		return false;
	c->wanted = false;
	return true;
}

static void
take_report(struct crew *c, struct worker *w, const struct report *r,
    int64_t now)
{
	bool crowded;

	if (w->nturns == 0)
		return;
	w->deadline = now + w->turn[0].limit;
	switch (r->kind) {
	case REPORT_READY:
		/* the first guess: so long is the way there and back */
		if (w->dest->avg == 0)
			w->dest->avg = now - w->since;
		w->greeted = true;
		c->events->ready(c->arg, w->dest);
		break;
	case REPORT_RCPT:
		c->events->rcpt(c->arg, w->turn[0].task, r);
		break;
	case REPORT_DONE:
		/* the first task pays for the connection: not typical */
		if (w->served++ > 0)
			w->dest->avg = (w->dest->avg * 3 + now - w->since) / 4;
		w->since = now;
		if (w->nturns > 1)
			w->deadline = now + w->turn[1].limit;
		if (r->dead || r->busy)
			w->greeted = false;
		crowded = r->dead && crew_is_served(w->dest);
		if (crowded)
			leave(w);
		c->events->done(c->arg, w->dest, end_turn(w), r);
		if (is_surplus(c, w))
			leave(w);
		break;
	}
}

/*
 * One datagram of those that the worker sent: there is rarely a second, and
 * poll(2) will say so.  True: end of file.
 */
static bool
receive(struct crew *c, struct worker *w, int64_t now)
{
	struct report r[REPORTS_MAX];
	ssize_t n;
	size_t i;

	if ((n = recv(w->sock, r, sizeof(r), MSG_DONTWAIT)) == -1)
		return errno != EAGAIN && errno != EWOULDBLOCK &&
		    errno != EINTR;
	for (i = 0; i < (size_t)n / sizeof(r[0]); i++)
		take_report(c, w, &r[i], now);
	return n == 0;
}

static void
log_death(const struct worker *w, int status)
{
	const char *domain = w->dest->domain;

	if (dest_is_local(domain))
		domain = "this machine";
	if (WIFSIGNALED(status))
		log_err("the worker for %s was ended by signal %d%s",
		    domain, WTERMSIG(status),
		    w->killed ? " (past its deadline)" : "");
	else if (WEXITSTATUS(status) != 0 || w->nturns != 0)
		log_err("the worker for %s ended with status %d",
		    domain, WEXITSTATUS(status));
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
	part(w);
	/* the last first: they are put back to the head of the line */
	while (w->nturns > 1)
		c->events->back(c->arg, w->dest, w->turn[--w->nturns].task);
	if (w->nturns == 1)
		c->events->done(c->arg, w->dest, end_turn(w), NULL);
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
		if (w->nturns == 0 && now - w->since >= ms)
			leave(w);
}

void
crew_yield(struct crew *c, bool wanted)
{
	const struct worker *w;

	c->wanted = wanted;
	/* one that leaves already will do */
	TAILQ_FOREACH(w, &c->workers, link)
		if (w->nturns == 0 && w->leaving)
			c->wanted = false;
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
	if (w->nturns != 0)
		return w->deadline;
	if (w->leaving)
		return w->deaf ? w->since : w->since + LEAVE_MAX;
	return idle < INT64_MAX - w->since ? w->since + idle : INT64_MAX;
}

void
crew_enforce(struct crew *c, int64_t now)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers, link)
		if (!w->killed && now >= end_of(w, INT64_MAX)) {
			w->killed = kill(w->pid, SIGKILL) == 0;
			if (!w->killed)
				w->since = w->deadline = now + AGAIN;
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
