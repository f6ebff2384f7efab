/* SPDX-License-Identifier: ISC */
/*
 * Two inotify(7) descriptors: a flood of events in drop/, where everybody
 * writes, shall not cost an event of queue/ or of the configuration.
 */
#include "config.h"

#include "run/watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/dispatch.h"

#define POLL_MS		5000	/* between two scans, without inotify */
/* Entries, between two other things: those of others may be many and odd. */
#define STEP_QUEUE	4096
#define STEP_DROP	1024
#define PAUSE_MS	100	/* at least, between two scans of a directory */
#define SHARE		10	/* a scan takes one of so many ms at most */

/* Which descriptor: that of drop/, or that of queue/ and the configuration. */
enum { HOSTILE, OURS };

struct scan {
	bool		 wanted;
	int64_t		 at;	/* ms: not before */
	int64_t		 spent;	/* us */
	struct queue_walk *walk;
};

struct watch {
	struct queue	*queue;
	struct dispatch	*dispatch;
	char		*conf_path;
	void		(*changed)(void *);
	void		*arg;
	int		 fd[WATCH_POLLFDS];	/* -1: without inotify */
	int		 wd_queue;
	int		 wd_conf;
	struct scan	 scan[2];	/* by enum queue_place */
	int64_t		 poll_at;	/* ms, without inotify */
	struct stat	 conf_st;	/* the same */
};

/* --- inotify ------------------------------------------------------------ */

static bool
is_blind(const struct watch *w)
{
	return w->fd[HOSTILE] == -1;
}

static int
add(int fd, const char *dir, const char *sub, uint32_t mask)
{
	char *path = xasprintf("%s%s", dir, sub);
	int wd;

	wd = inotify_add_watch(fd, path, mask | IN_ONLYDIR);
	free(path);
	return wd;
}

static char *
dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? xstrndup(path, (size_t)(slash - path)) :
	    xstrdup(".");
}

static int
open_inotify(struct watch *w, const char *spool)
{
	char *etc;
	int wd_drop, i;

	for (i = 0; i < WATCH_POLLFDS; i++)
		if ((w->fd[i] = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) == -1)
			return -1;
	/*
	 * The close follows the fsync of drop_commit(): a submission that
	 * fails at the last moment is not picked up before it is gone.
	 */
	wd_drop = add(w->fd[HOSTILE], spool, "/drop",
	    IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM);
	w->wd_queue = add(w->fd[OURS], spool, "/queue",
	    IN_ATTRIB | IN_DELETE | IN_MOVED_FROM);
	etc = dir_of(w->conf_path);
	w->wd_conf = add(w->fd[OURS], etc, "", IN_CLOSE_WRITE | IN_MOVED_TO |
	    IN_CREATE | IN_DELETE | IN_ATTRIB);
	free(etc);
	return wd_drop == -1 || w->wd_queue == -1 || w->wd_conf == -1 ? -1 : 0;
}

static void
close_inotify(struct watch *w)
{
	int i;

	for (i = 0; i < WATCH_POLLFDS; i++) {
		if (w->fd[i] != -1)
			close(w->fd[i]);
		w->fd[i] = -1;
	}
}

static void
handle_entry(struct watch *w, enum queue_place place,
    const struct inotify_event *ev)
{
	if ((ev->mask & (IN_DELETE | IN_MOVED_FROM)) != 0)
		dispatch_see_removed(w->dispatch, place, ev->name);
	else
		(void)queue_look(w->queue, place, ev->name, dispatch_see,
		    w->dispatch);
}

static void
handle_event(struct watch *w, int which, const struct inotify_event *ev)
{
	const char *conf = strrchr(w->conf_path, '/');

	if ((ev->mask & IN_Q_OVERFLOW) != 0) {
		w->scan[which == HOSTILE ? IN_DROP : IN_QUEUE].wanted = true;
		if (which == OURS)
			w->changed(w->arg);
	} else if (ev->len == 0)
		return;
	else if (which == HOSTILE)
		handle_entry(w, IN_DROP, ev);
	else if (ev->wd == w->wd_queue)
		handle_entry(w, IN_QUEUE, ev);
	else if (ev->wd == w->wd_conf && conf != NULL &&
	    strcmp(ev->name, conf + 1) == 0)
		w->changed(w->arg);
}

/* Whether there were some.  Events that cannot be read are found by a scan. */
static bool
handle_events(struct watch *w, int which)
{
	char buf[16384]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *ev;
	ssize_t n, at;

	n = read(w->fd[which], buf, sizeof(buf));
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		w->scan[which == HOSTILE ? IN_DROP : IN_QUEUE].wanted = true;
	for (at = 0; at < n; at += (ssize_t)(sizeof(*ev) + ev->len)) {
		ev = (const struct inotify_event *)(const void *)(buf + at);
		handle_event(w, which, ev);
	}
	return n > 0;
}

/* --- scans -------------------------------------------------------------- */

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* One step of the scan of PLACE.  Whether it is under way. */
static bool
step(struct watch *w, enum queue_place place, int64_t now)
{
	struct scan *s = &w->scan[place];
	int64_t began, pause;
	bool more;

	if (s->walk == NULL) {
		if (!s->wanted || now < s->at)
			return false;
		s->wanted = false;
		s->spent = 0;
		s->at = now + PAUSE_MS;
		if ((s->walk = queue_walk_new(w->queue, place)) == NULL) {
			log_err("cannot read the spool: %s", strerror(errno));
			return false;
		}
	}
	began = now_us();
	more = queue_walk_step(s->walk, place == IN_DROP ? STEP_DROP :
	    STEP_QUEUE, dispatch_see, w->dispatch) != 0;
	s->spent += now_us() - began;
	if (more)
		return true;
	queue_walk_free(s->walk);
	s->walk = NULL;
	pause = s->spent * (SHARE - 1) / 1000;
	s->at = now + (pause > PAUSE_MS ? pause : PAUSE_MS);
	return false;
}

/* Without inotify: whether the configuration file is another one. */
static bool
conf_changed(struct watch *w)
{
	struct stat st, old = w->conf_st;

	memset(&st, 0, sizeof(st));
	(void)stat(w->conf_path, &st);
	w->conf_st = st;
	return st.st_ino != old.st_ino || st.st_size != old.st_size ||
	    st.st_ctim.tv_sec != old.st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != old.st_ctim.tv_nsec;
}

static void
look_ourselves(struct watch *w, int64_t now)
{
	if (now < w->poll_at)
		return;
	w->poll_at = now + POLL_MS;
	w->scan[IN_QUEUE].wanted = w->scan[IN_DROP].wanted = true;
	if (conf_changed(w))
		w->changed(w->arg);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	if (a == -1)
		return b;
	return b == -1 || a < b ? a : b;
}

int64_t
watch_step(struct watch *w, int64_t now)
{
	int64_t wait = -1;
	int place;

	if (is_blind(w)) {
		look_ourselves(w, now);
		wait = w->poll_at - now;
	}
	/* queue/ first: it wins over drop/ */
	if (step(w, IN_QUEUE, now) || step(w, IN_DROP, now))
		return 0;
	for (place = 0; place < 2; place++)
		if (w->scan[place].wanted)
			wait = sooner(wait, w->scan[place].at > now ?
			    w->scan[place].at - now : 0);
	return wait;
}

bool
watch_is_scanning(const struct watch *w)
{
	int place;

	for (place = 0; place < 2; place++)
		if (w->scan[place].wanted || w->scan[place].walk != NULL)
			return true;
	return false;
}

void
watch_look(struct watch *w)
{
	while (!is_blind(w) && handle_events(w, OURS))
		;
	if (((is_blind(w) || w->scan[IN_QUEUE].wanted) &&
	    queue_scan(w->queue, IN_QUEUE, dispatch_see, w->dispatch) == -1) ||
	    queue_scan(w->queue, IN_DROP, dispatch_see, w->dispatch) == -1)
		log_err("cannot read the spool: %s", strerror(errno));
}

void
watch_want(struct watch *w)
{
	w->scan[IN_DROP].wanted = true;
}

void
watch_hint(struct watch *w)
{
	w->scan[IN_DROP].wanted |= is_blind(w);
}

/* --- the whole ---------------------------------------------------------- */

struct watch *
watch_new(struct queue *q, struct dispatch *d, const char *spool,
    const char *conf_path, void (*changed)(void *), void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->queue = q;
	w->dispatch = d;
	w->conf_path = xstrdup(conf_path);
	w->changed = changed;
	w->arg = arg;
	w->fd[HOSTILE] = w->fd[OURS] = -1;
	(void)conf_changed(w);
	if (open_inotify(w, spool) == -1) {
		log_warn("no inotify: %s; the spool is scanned every %d s",
		    strerror(errno), POLL_MS / 1000);
		close_inotify(w);
	}
	w->scan[IN_QUEUE].wanted = w->scan[IN_DROP].wanted = true;
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	close_inotify(w);
	queue_walk_free(w->scan[IN_QUEUE].walk);
	queue_walk_free(w->scan[IN_DROP].walk);
	free(w->conf_path);
	free(w);
}

void
watch_pollfds(const struct watch *w, struct pollfd *p)
{
	int i;

	for (i = 0; i < WATCH_POLLFDS; i++) {
		memset(&p[i], 0, sizeof(p[i]));
		p[i].fd = w->fd[i];
		p[i].events = POLLIN;
	}
}

void
watch_handle(struct watch *w, const struct pollfd *p)
{
	int i;

	for (i = 0; i < WATCH_POLLFDS; i++)
		if (p[i].revents != 0)
			(void)handle_events(w, i);
}
