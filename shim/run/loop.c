/* SPDX-License-Identifier: ISC */
/*
 * One poll(2) over signals, the wake socket, inotify and the workers.  A
 * message is noticed when its file in drop/ is closed, or by the datagram of
 * its submitter; a message in queue/ by its time, or when somebody changes
 * that.  Where inotify does not work, the spool is scanned every few seconds.
 */
#include "config.h"

#include "run/loop.h"

#include <sys/signalfd.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/dispatch.h"
#include "run/service.h"
#include "run/wake.h"
#include "run/watch.h"
#include "spool/hoststat.h"

#define STOP_MS		3000	/* for workers to finish, after SIGTERM */
#define STATUS_MS	1000	/* between two lines of status, at work */
#define SWEEP_MS	3600000	/* host/ is swept */
#define WAKE_MAX	256	/* datagrams between two other things */
#define NFIXED		(2 + WATCH_POLLFDS)	/* signals, wake-ups, changes */

struct loop {
	const struct loop_options *opt;
	struct queue	*queue;
	struct conf	*conf;
	struct dispatch	*dispatch;
	struct moment	 now;
	int		 signals;
	int		 wake;
	bool		 bound;		/* the wake socket is ours */
	struct watch	*watch;
	int64_t		 idle_since;	/* ms, -1: not idle */
	int64_t		 kill_at;	/* ms, while stopping */
	bool		 stopping;
	struct pollfd	*pfd;
	size_t		 npfd;
	char		 told[128];	/* what a service manager was told */
	int64_t		 told_at;	/* ms */
	int64_t		 sweep_at;	/* ms: host/ is swept */
};

static void
tick(struct loop *l)
{
	struct timespec ts;

	l->now.wall = time(NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	l->now.mono = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	if (l->dispatch != NULL)
		dispatch_clock(l->dispatch, &l->now);
}

/* --- the configuration -------------------------------------------------- */

static void
log_errors(const struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->nerrors; i++)
		log_err("%s", conf->errors[i]);
	log_err("all mail is held (4.3.5) until the configuration is mended");
}

static void
reload(void *arg)
{
	struct loop *l = arg;
	struct conf *new = conf_load(l->opt->conf_path), *old = l->conf;

	service_notify("RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)l->now.mono * 1000);
	if (strcmp(new->spool, old->spool) != 0)
		log_warn("%s: another spool takes effect when the runner "
		    "starts again", l->opt->conf_path);
	if (new->log != old->log) {
		closelog();
		log_open("qmgr", new->log);
	}
	if (new->nerrors != 0)
		log_errors(new);
	else
		log_info("read %s again", l->opt->conf_path);
	l->conf = new;
	dispatch_conf(l->dispatch, new, new->nerrors != 0);
	conf_free(old);
	service_notify("READY=1");
	l->told[0] = '\0';
}

/* --- systemctl status --------------------------------------------------- */

/* At the end of a burst of work, and now and then in it. */
static void
tell_status(struct loop *l)
{
	char text[sizeof(l->told)];
	size_t active = dispatch_active(l->dispatch);

	if (active != 0 && l->now.mono < l->told_at + STATUS_MS)
		return;
	snprintf(text, sizeof(text), "%zu messages, %zu of them due%s",
	    dispatch_messages(l->dispatch), active,
	    l->conf->nerrors != 0 ? "; held: the configuration has errors" :
	    dispatch_is_offline(l->dispatch) ? "; the network is down" : "");
	if (strcmp(text, l->told) == 0)
		return;
	memcpy(l->told, text, sizeof(text));
	l->told_at = l->now.mono;
	service_notify("STATUS=%s", text);
}

/* --- what wakes the runner ---------------------------------------------- */

static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
stop(struct loop *l)
{
	if (l->stopping)
		return;
	l->stopping = true;
	l->kill_at = l->now.mono + STOP_MS;
	service_notify("STOPPING=1");
	dispatch_stop(l->dispatch);
}

static void
handle_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			reload(l);
		else
			stop(l);
	}
}

static void
handle_wake(struct loop *l)
{
	struct wakeup w;
	int i;

	for (i = 0; i < WAKE_MAX; i++) {
		wake_receive(l->wake, &w);
		if (!w.any)
			break;
		if (w.id.s[0] == '\0') {
			watch_hint(l->watch);
			dispatch_hope(l->dispatch);
		} else {
			if (w.reader != -1)
				dispatch_reader(l->dispatch, w.id.s, w.reader);
			(void)queue_look(l->queue, IN_DROP, w.id.s,
			    dispatch_see, l->dispatch);
		}
		if (w.slow)
			break;
	}
}

/* --- the loop ----------------------------------------------------------- */

static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == -1)
		return b;
	return b == -1 || a < b ? a : b;
}

static void
wait_for_events(struct loop *l, int64_t wait)
{
	size_t need = NFIXED + dispatch_workers(l->dispatch), n;

	if (l->pfd == NULL || need > l->npfd) {
		l->npfd = need * 2;
		l->pfd = xreallocarray(l->pfd, l->npfd, sizeof(l->pfd[0]));
	}
	memset(l->pfd, 0, NFIXED * sizeof(l->pfd[0]));
	l->pfd[0].fd = l->signals;
	l->pfd[1].fd = l->wake;
	l->pfd[0].events = l->pfd[1].events = POLLIN;
	watch_pollfds(l->watch, l->pfd + 2);
	n = dispatch_pollfds(l->dispatch, l->pfd + NFIXED, l->npfd - NFIXED);
	if (poll(l->pfd, NFIXED + n, wait > INT32_MAX ? INT32_MAX :
	    (int)wait) == -1)
		return;
	tick(l);
	if (l->pfd[0].revents != 0)
		handle_signals(l);
	if (l->pfd[1].revents != 0)
		handle_wake(l);
	watch_handle(l->watch, l->pfd + 2);
	dispatch_handle(l->dispatch, l->pfd + NFIXED, n);
}

/* Whether the time to end has come; *WAIT is shortened to when it may. */
static bool
is_over(struct loop *l, int64_t *wait)
{
	int64_t left;

	if (l->opt->mode == LOOP_ONCE && !l->stopping) {
		if (dispatch_active(l->dispatch) != 0 ||
		    watch_is_scanning(l->watch))
			return false;
		dispatch_dismiss(l->dispatch);
		return dispatch_workers(l->dispatch) == 0;
	}
	if (l->stopping) {
		if (dispatch_workers(l->dispatch) == 0)
			return true;
		left = l->kill_at - l->now.mono;
		if (left <= 0) {
			dispatch_kill(l->dispatch);
			left = 100;
		}
		*wait = earlier(*wait, left);
		return false;
	}
	if (dispatch_messages(l->dispatch) != 0 ||
	    watch_is_scanning(l->watch)) {
		l->idle_since = -1;
		return false;
	}
	if (l->opt->mode != LOOP_SERVE)
		return false;
	if (l->idle_since == -1)
		l->idle_since = l->now.mono;
	left = l->idle_since + l->opt->idle_ms - l->now.mono;
	if (left > 0) {
		*wait = earlier(*wait, left);
		return false;
	}
	dispatch_dismiss(l->dispatch);
	return dispatch_workers(l->dispatch) == 0;
}

/*
 * The end: give the lock back, then look once more.  A submitter that found
 * the lock taken has committed its message before; so we see it here.
 */
static bool
must_go_on(struct loop *l)
{
	(void)dispatch_sync(l->dispatch);
	(void)queue_unlock(l->queue);
	if (l->stopping)
		return false;
	/* what is left in the socket would only start another runner */
	if (l->wake != -1)
		handle_wake(l);
	watch_look(l->watch);
	if ((l->opt->mode == LOOP_ONCE ? dispatch_active(l->dispatch) :
	    dispatch_messages(l->dispatch)) == 0)
		return false;
	if (queue_lock(l->queue) == -1)
		return false;		/* another runner sees it, too */
	l->idle_since = -1;
	return true;
}

static void
serve(struct loop *l)
{
	int64_t wait, scan;

	for (;;) {
		scan = watch_step(l->watch, l->now.mono);
		wait = dispatch_run(l->dispatch);
		tick(l);
		wait = earlier(wait, scan);
		if (dispatch_wants_scan(l->dispatch)) {
			watch_want(l->watch);
			wait = 0;
		}
		if (is_over(l, &wait)) {
			if (!must_go_on(l))
				return;
			continue;
		}
		if (l->now.mono >= l->sweep_at) {
			hoststat_sweep(l->queue, l->now.wall);
			l->sweep_at = l->now.mono + SWEEP_MS;
		}
		tell_status(l);
		wait_for_events(l, wait);
	}
}

static void
open_wake(struct loop *l)
{
	l->wake = l->opt->wake_fd;
	if (l->wake != -1 || l->opt->wake_path == NULL ||
	    l->opt->mode == LOOP_ONCE)
		return;
	if ((l->wake = wake_bind(l->opt->wake_path)) != -1)
		l->bound = true;
	else if (errno != ENOENT && errno != EACCES && errno != EROFS)
		log_warn("%s: %s; not made", l->opt->wake_path,
		    strerror(errno));
}

int
loop_run(const struct loop_options *opt, struct queue *q, struct conf *conf)
{
	struct loop l = { .opt = opt, .queue = q, .conf = conf, .wake = -1,
	    .idle_since = -1 };
	int ret = EX_OK;

	if ((l.signals = open_signals()) == -1) {
		log_err("signalfd: %s", strerror(errno));
		conf_free(conf);
		return EX_OSERR;
	}
	tick(&l);
	l.dispatch = dispatch_new(q, conf, &l.now);
	l.watch = watch_new(q, l.dispatch, conf->spool, opt->conf_path, reload,
	    &l);
	/* it may have changed before it was watched */
	l.conf = conf_load(opt->conf_path);
	dispatch_conf(l.dispatch, l.conf, false);
	conf_free(conf);
	if (l.conf->nerrors != 0) {
		log_errors(l.conf);
		dispatch_conf(l.dispatch, l.conf, true);
	}
	if (l.conf->nerrors != 0 && opt->mode == LOOP_ONCE)
		ret = EX_CONFIG;
	else {
		open_wake(&l);
		serve(&l);
	}
	watch_free(l.watch);
	dispatch_free(l.dispatch);
	if (l.bound)
		(void)unlink(opt->wake_path);
	if (l.wake != -1)
		close(l.wake);
	close(l.signals);
	free(l.pfd);
	conf_free(l.conf);
	return ret;
}
