/* SPDX-License-Identifier: ISC */
/*
 * The next attempt of a message is the mtime of its file: to force it is to
 * set that to now.  A runner that works sees the change; otherwise one runs
 * once, here, so that its exit code is ours.
 */
#include "config.h"

#include "submit/queuerun.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/priv.h"
#include "base/xmalloc.h"
#include "spool/hoststat.h"
#include "spool/queue.h"
#include "submit/notify.h"

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
	time_t		 now;
};

/* Held messages stay so: to release them is another command. */
static void
make_due(void *arg, const struct queue_entry *e)
{
	struct flush *f = arg;

	if (!e->held && e->next > f->now)
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
flush_all(const struct conf *conf)
{
	struct flush f;
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
queuerun_main(const struct conf *conf)
{
	struct stat st;

	if (stat(conf->spool, &st) == -1)
		return complain(EX_OSFILE, conf->spool, strerror(errno));
	if (geteuid() != 0 && geteuid() != st.st_uid) {
		/* where no runner listens, one comes by itself */
		(void)notify_wake(WAKE_PATH, "", -1);
		return EX_OK;
	}
	if (priv_become_owner(conf->spool) == -1)
		return complain(EX_NOPERM, conf->spool, strerror(errno));
	return flush_all(conf);
}
