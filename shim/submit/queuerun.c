/* SPDX-License-Identifier: ISC */
/*
 * The next attempt of a message is the mtime of its file: to force it is to
 * set that to now.  A runner that works sees the change; otherwise one runs
 * once, here, so that its exit code is ours.
 */
#include "config.h"

#include "submit/queuerun.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "spool/hoststat.h"
#include "spool/queue.h"
#include "submit/notify.h"
#include "submit/owner.h"
#include "submit/pick.h"
#include "submit/waiting.h"

#define WAKE_PATH	MXNSS_RUNDIR "/wake"
#define RUNNER		MXNSS_LIBEXECDIR "/runner"

static int
complain(int code, const char *what, const char *why)
{
	fprintf(stderr, "sendmail: %s: %s\n", what, why);
	return code;
}

struct flush {
	struct queue	*queue;
	const struct pick *pick;
	time_t		 now;
};

static bool
is_meant(const struct flush *f, const struct queue_entry *e)
{
	struct waiting w;
	bool takes;

	if (!pick_may_take(f->pick, e->id.s))
		return false;
	if (!pick_needs_envelope(f->pick))
		return true;
	if (waiting_read(f->queue, e, &w) == -1)
		return false;
	takes = pick_takes(f->pick, &w);
	waiting_clear(&w);
	return takes;
}

/* Held messages stay so: to release them is another command. */
static void
make_due(void *arg, const struct queue_entry *e)
{
	struct flush *f = arg;

	if (!e->held && e->next > f->now && is_meant(f, e))
		(void)queue_set_next(f->queue, &e->id, f->now);
}

static int
run_once(void)
{
	char *const argv[] = { xstrdup("runner"), xstrdup("--once"), NULL };

	execv(RUNNER, argv);
	return complain(EX_OSFILE, RUNNER, strerror(errno));
}

static int
flush(const struct conf *conf, const struct pick *pick)
{
	struct flush f = { .pick = pick };
	const char *why;
	bool idle;
	int ret;

	if ((f.queue = queue_open(conf->spool, &why)) == NULL)
		return complain(EX_OSFILE, "queue", why);
	/* whoever says so knows better than what is remembered */
	hoststat_forget(f.queue);
	f.now = time(NULL);
	ret = queue_scan(f.queue, IN_QUEUE, make_due, &f);
	if (ret == -1)
		ret = complain(EX_OSERR, conf->spool, strerror(errno));
	idle = ret == 0 && queue_lock(f.queue) == 0;
	queue_close(f.queue);
	if (ret != 0)
		return ret;
	if (idle)
		return run_once();
	(void)notify_wake(WAKE_PATH, "", -1);
	return EX_OK;
}

int
queuerun_main(const struct conf *conf, const struct pick *pick)
{
	int code;

	if (conf->spool == NULL)
		return EX_OK;	/* nothing waits */
	if (access(conf->spool, F_OK) == 0 && !owner_may(conf->spool) &&
	    pick->n == 0) {
		/* where no runner listens, one comes by itself */
		(void)notify_wake(WAKE_PATH, "", -1);
		return EX_OK;
	}
	code = owner_become("sendmail", conf->spool, "choose what is tried");
	return code == EX_OK ? flush(conf, pick) : code;
}
