/* SPDX-License-Identifier: ISC */
/*
 * runner: takes mail from the spool to where it goes.  Started as root it
 * becomes the owner of the spool before it opens anything there.
 */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/priv.h"
#include "run/loop.h"
#include "spool/queue.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define WAKE_PATH	MXNSS_RUNDIR "/wake"
#define IDLE_MS		30000	/* empty that long: no reason to stay */
#define LOCK_TRIES	5
#define LOCK_MS		20	/* between two of them */
#define LOCK_WAIT_MS	1000	/* while another runner works */
#define LISTEN_FD	3	/* sd_listen_fds(3) */

enum { OPT_ONCE = 256, OPT_DAEMON, OPT_CHECK, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "daemon", no_argument, NULL, OPT_DAEMON },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
    "usage: runner [--once | --daemon | --check | --help | --version]\n";

/* How many sockets systemd gave us; they are 3 and those that follow. */
static int
listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	const char *why;
	long long v;

	if (pid == NULL || n == NULL)
		return 0;
	v = strtonum(pid, 1, INT32_MAX, &why);
	if (why != NULL || v != getpid())
		return 0;
	v = strtonum(n, 1, 16, &why);
	return why != NULL ? 0 : (int)v;
}

static int
check(const struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->nerrors; i++)
		printf("%s\n", conf->errors[i]);
	if (fflush(stdout) != 0)
		return EX_IOERR;
	return conf->nerrors != 0 ? EX_CONFIG : EX_OK;
}

/*
 * Take the lock.  A runner that was started for a socket, or to stay, waits
 * until it has it; the socket would be given to a new one at once otherwise.
 * Others try a few times: a submitter takes it for an instant to see whether
 * there is a runner.
 */
static int
lock(struct queue *q, bool wait)
{
	struct pollfd none = { .fd = -1 };
	int i;

	for (i = 0; queue_lock(q) == -1; i++) {
		if (errno != EWOULDBLOCK || (!wait && i >= LOCK_TRIES))
			return -1;
		(void)poll(&none, 1, wait ? LOCK_WAIT_MS : LOCK_MS);
		errno = EWOULDBLOCK;
	}
	return 0;
}

static int
run(enum loop_mode mode, struct conf *conf, int sockets)
{
	struct loop_options opt = { .mode = mode, .conf_path = CONF_PATH,
	    .wake_path = WAKE_PATH, .wake_fd = -1, .idle_ms = IDLE_MS };
	const char *why;
	struct queue *q;
	int ret;

	if ((q = queue_open(conf->spool, &why)) == NULL) {
		fprintf(stderr, "runner: %s\n", why);
		ret = errno == EACCES || errno == EPERM ? EX_NOPERM :
		    EX_OSFILE;
		conf_free(conf);
		return ret;
	}
	if (sockets > 0) {
		opt.wake_fd = LISTEN_FD;
		(void)fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC);
	}
	if (lock(q, sockets > 0 || mode == LOOP_DAEMON) == 0)
		ret = loop_run(&opt, q, conf);
	else {
		ret = EX_OSERR;
		if (errno == EWOULDBLOCK) {
			/* it looks at the spool once more before it ends */
			ret = mode == LOOP_ONCE ? EX_TEMPFAIL : EX_OK;
			fprintf(stderr, "runner: another one works on %s\n",
			    conf->spool);
		} else
			fprintf(stderr, "runner: %s/queue: %s\n",
			    conf->spool, strerror(errno));
		conf_free(conf);
	}
	queue_close(q);
	return ret;
}

/* The mode asked for; -1: *RET is the exit code. */
static int
parse_options(int argc, char **argv, bool *checking, int *ret)
{
	enum loop_mode mode = LOOP_SERVE;
	int c;

	*ret = EX_OK;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case OPT_ONCE:
			mode = LOOP_ONCE;
			break;
		case OPT_DAEMON:
			mode = LOOP_DAEMON;
			break;
		case OPT_CHECK:
			*checking = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return -1;
		case OPT_VERSION:
			printf("mxnss %s\n", MXNSS_VERSION);
			return -1;
		default:
			*ret = EX_USAGE;
		}
	if (optind != argc)
		*ret = EX_USAGE;
	if (*ret != EX_OK) {
		fputs(usage, stderr);
		return -1;
	}
	return (int)mode;
}

int
main(int argc, char **argv)
{
	struct conf *conf;
	bool checking = false;
	int sockets, mode, ret;

	if (argc < 1)
		return EX_USAGE;
	sockets = listen_fds();
	priv_sanitize(sockets);
	if ((mode = parse_options(argc, argv, &checking, &ret)) == -1)
		return ret;
	conf = conf_load(CONF_PATH);
	if (checking) {
		ret = check(conf);
		conf_free(conf);
		return ret;
	}
	if (priv_become_owner(conf->spool) == -1) {
		fprintf(stderr, "runner: cannot become the owner of %s: %s\n",
		    conf->spool, strerror(errno));
		conf_free(conf);
		return EX_NOPERM;
	}
	if (clearenv() != 0 || chdir("/") == -1) {
		fprintf(stderr, "runner: /: %s\n", strerror(errno));
		conf_free(conf);
		return EX_OSERR;
	}
	log_open("qmgr", conf->log);
	return run((enum loop_mode)mode, conf, sockets);
}
