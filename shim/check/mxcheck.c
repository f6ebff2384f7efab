/* SPDX-License-Identifier: ISC */
/*
 * Will mail from here, or to there, get through?  As root it becomes the
 * owner of the spool first, and sees what the runner sees.
 */
#include "config.h"

#include "check/mxcheck.h"

#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/priv.h"
#include "base/xmalloc.h"
#include "check/checkup.h"
#include "run/dns.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define UNKNOWN		3	/* what monitoring takes for "unknown" */

static const char usage[] =
    "usage: mxcheck [-jq]\n"
    "       mxcheck [-jq] domain | address ...\n"
    "       mxcheck --help | --version\n";

static const char *const units[] = { "/etc/systemd/system",
    "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system", "/lib/systemd/system", NULL };

static void (*const checks[])(struct checkup *) = {
	check_clock,
	check_configuration,
	check_sendmail,
	check_resolver,
	check_hostname,
	check_reverse,
	check_mail_name,
	check_tls,
	check_spool,
	check_kernel,
	check_runner,
	check_submit,
	check_queue,
	check_mailbox,
	check_aliases,
};

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static bool
want_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

/* 0; -1: *RET is the exit code. */
static int
parse_options(int argc, char **argv, struct report *r, int *ret)
{
	int c;

	*ret = 0;
	while ((c = getopt_long(argc, argv, "jq", options, NULL)) != -1)
		switch (c) {
		case 'j':
			r->json = true;
			break;
		case 'q':
			r->quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		case 'V':
			printf("mxnss %s\n", MXNSS_VERSION);
			return -1;
		default:
			fputs(usage, stderr);
			*ret = UNKNOWN;
			return -1;
		}
	return 0;
}

/* Where there is no owner, for no name server is asked as root. */
static void
become_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");

	if (pw == NULL || setgroups(0, NULL) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1) {
		fputs("mxcheck: cannot become nobody\n", stderr);
		exit(UNKNOWN);
	}
}

/* Read what the runner reads, as who it is. */
static struct conf *
load(void)
{
	struct conf *conf = conf_load(CONF_PATH);

	if (geteuid() != 0 || conf->spool == NULL)
		return conf;
	/* the checks say what is wrong with the spool */
	if (priv_become_owner(conf->spool) == -1)
		become_nobody();
	conf_free(conf);
	return conf_load(CONF_PATH);
}

int
mxcheck_main(int argc, char **argv)
{
	struct report r = { .fp = stdout, .colour = want_colour() };
	char *search = xstrdup(getenv("PATH") != NULL ? getenv("PATH") : "");
	const struct check_paths paths = { .rundir = MXNSS_RUNDIR,
	    .getmx = MXNSS_BINDIR "/getmx",
	    .sendmail = "/usr/sbin/sendmail",
	    .own = MXNSS_LIBEXECDIR "/acceptor", .search = search,
	    .sysctl = "/proc/sys/fs", .systemd = "/run/systemd/system",
	    .units = units };
	struct checkup c = { .paths = &paths, .report = &r,
	    .now = time(NULL) };
	struct conf *conf;
	size_t i;
	int ret;

	if (parse_options(argc, argv, &r, &ret) == -1) {
		free(search);
		return ret;
	}
	log_open("check", LOG_TO_STDERR);
	c.conf = conf = load();
	if (clearenv() != 0 || chdir("/") == -1)
		return UNKNOWN;
	c.dns = dns_new(conf);
	if (optind < argc)
		check_configuration(&c);
	else
		for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
			checks[i](&c);
	for (; optind < argc; optind++)
		check_target(&c, argv[optind]);
	dns_free(c.dns);
	free(c.relay);
	conf_free(conf);
	free(search);
	return ferror(stdout) || fflush(stdout) != 0 ? UNKNOWN : (int)r.worst;
}
