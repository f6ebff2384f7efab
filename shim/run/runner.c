/* SPDX-License-Identifier: ISC */
/*
 * runner: takes mail from the spool to where it goes.  Started as root it
 * becomes the owner of the spool before it opens anything there.  By the name
 * of mxcheck it is that program.
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
#include "check/mxcheck.h"
#include "local/writer.h"
#include "run/loop.h"
#include "run/now.h"
#include "run/service.h"
#include "run/verify.h"
#include "spool/queue.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define WAKE_PATH	MXNSS_RUNDIR "/wake"
#define MAILBOX		MXNSS_LIBEXECDIR "/mailbox"
#define IDLE_S		30	/* empty that long: no reason to stay */
#define IDLE_MAX	86400
#define LOCK_TRIES	5
#define LOCK_MS		20	/* between two of them */
#define LOCK_WAIT_MS	1000	/* while another runner works */

enum { OPT_ONCE = 256, OPT_DAEMON, OPT_IDLE, OPT_CHECK, OPT_VERIFY, OPT_NOW,
    OPT_VERBOSE, OPT_HELP, OPT_VERSION };

struct arguments {
	enum loop_mode	 mode;
	int		 idle;		/* seconds */
	bool		 checking;
	char		**addresses;	/* to verify, NULL-ended; or NULL */
	const char	*now;		/* identifier of what comes, or NULL */
	bool		 verbose;	/* with that */
};

static const struct option options[] = {
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "daemon", no_argument, NULL, OPT_DAEMON },
	{ "idle", required_argument, NULL, OPT_IDLE },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
    "usage: runner [--once | --daemon | --idle seconds | --check | --help |\n"
    "              --version]\n"
    "       runner --verify address ...\n"
    "       runner --now id [--verbose]\n";

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
run(const struct arguments *arg, struct conf *conf, int sockets)
{
	struct loop_options opt = { .mode = arg->mode, .conf_path = CONF_PATH,
	    .wake_path = WAKE_PATH, .wake_fd = -1,
	    .idle_ms = arg->idle * 1000 };
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
		opt.wake_fd = SERVICE_LISTEN_FD;
		(void)fcntl(SERVICE_LISTEN_FD, F_SETFD, FD_CLOEXEC);
	}
	if (lock(q, sockets > 0 || arg->mode == LOOP_DAEMON) == 0)
		ret = loop_run(&opt, q, conf);
	else {
		ret = EX_OSERR;
		if (errno == EWOULDBLOCK) {
			/* it looks at the spool once more before it ends */
			ret = arg->mode == LOOP_ONCE ? EX_TEMPFAIL : EX_OK;
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

/* 0; -1: *RET is the exit code. */
static int
parse_options(int argc, char **argv, struct arguments *arg, int *ret)
{
	const char *why;
	int c;

	*ret = EX_OK;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case OPT_ONCE:
			arg->mode = LOOP_ONCE;
			break;
		case OPT_DAEMON:
			arg->mode = LOOP_DAEMON;
			break;
		case OPT_IDLE:
			arg->idle = (int)strtonum(optarg, 0, IDLE_MAX, &why);
			if (why != NULL) {
				fprintf(stderr, "runner: --idle %s: %s\n",
				    optarg, why);
				*ret = EX_USAGE;
			}
			break;
		case OPT_CHECK:
			arg->checking = true;
			break;
		case OPT_VERIFY:
			arg->addresses = argv;
			break;
		case OPT_NOW:
			arg->now = optarg;
			if (!id_is_valid(optarg))
				*ret = EX_USAGE;
			break;
		case OPT_VERBOSE:
			arg->verbose = true;
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
	if ((optind == argc) != (arg->addresses == NULL))
		*ret = EX_USAGE;
	if (arg->addresses != NULL)
		arg->addresses = argv + optind;
	if (arg->verbose && arg->now == NULL)
		*ret = EX_USAGE;
	if (*ret != EX_OK) {
		fputs(usage, stderr);
		return -1;
	}
	return 0;
}

static bool
is_called(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

int
main(int argc, char **argv)
{
	struct arguments arg = { .mode = LOOP_SERVE, .idle = IDLE_S };
	struct conf *conf;
	int sockets, ret;

	if (argc < 1)
		return EX_USAGE;
	if (is_called(argv[0], "mxcheck")) {
		priv_sanitize(0);
		return mxcheck_main(argc, argv);
	}
	sockets = service_init();
	priv_sanitize(sockets);
	if (parse_options(argc, argv, &arg, &ret) == -1)
		return ret;
	conf = conf_load(CONF_PATH);
	if (arg.checking) {
		ret = check(conf);
		conf_free(conf);
		return ret;
	}
	if (arg.addresses != NULL) {
		/* name servers are not asked as root, if that can be helped */
		if (conf->spool != NULL)
			(void)priv_become_owner(conf->spool);
		log_open("verify", LOG_TO_STDERR);
		ret = verify(conf, arg.addresses);
		conf_free(conf);
		return ret;
	}
	if (arg.now != NULL) {
		ret = EX_TEMPFAIL;
		log_open("smtp", conf->log);
		if (clearenv() == 0 && chdir("/") == 0)
			ret = now(conf, STDIN_FILENO, arg.now, arg.verbose);
		conf_free(conf);
		return ret;
	}
	if (conf->spool == NULL) {
		fputs("runner: nothing waits with \"spool: none\" in "
		    CONF_PATH "\n", stderr);
		conf_free(conf);
		return EX_CONFIG;
	}
	if (geteuid() == 0 && (conf->local == CONF_MBOX ||
	    conf->local == CONF_MAILDIR))
		writer_start(MAILBOX);
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
	/* also while it waits for another one: that may take long */
	service_notify("READY=1\nSTATUS=waiting for the spool");
	return run(&arg, conf, sockets);
}
