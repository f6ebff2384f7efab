/* SPDX-License-Identifier: ISC */
/*
 * sendmail, mailq, newaliases and acceptor: one program, by the name that it
 * is called by.  It runs as its caller, with no privilege, and puts one file
 * into the spool.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/priv.h"
#include "base/xmalloc.h"
#include "submit/acceptor.h"
#include "submit/mailq.h"
#include "submit/newaliases.h"
#include "submit/opts.h"
#include "submit/queuerun.h"
#include "submit/smtpd.h"
#include "submit/submission.h"
#include "submit/submit.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define WAKE_PATH	MXNSS_RUNDIR "/wake"
#define SUBMIT_PATH	MXNSS_RUNDIR "/submit"
#define RUNNER		MXNSS_LIBEXECDIR "/runner"

static const char usage[] =
    "usage: sendmail [-itv] [-F name] [-f address] [-N notify] [-R ret]\n"
    "                [-V envid] [--] [recipient ...]\n"
    "       sendmail -bs\n"
    "       sendmail -bi | -bv recipient ...\n"
    "       sendmail -bp | -q [-q[!]{I|R|S}part ...]\n"
    "       sendmail --help | --version\n"
    "The message is read from standard input.  See sendmail(8).\n";

static int
print(const char *text)
{
	return fputs(text, stdout) == EOF || fflush(stdout) == EOF ?
	    EX_IOERR : EX_OK;
}

static int
with_conf(const struct opts *opts)
{
	struct conf *conf = conf_load(CONF_PATH);
	const struct submit_env env = { conf, opts, WAKE_PATH, RUNNER,
	    SUBMIT_PATH };
	size_t i;
	int code;

	/* the lines that are right count; no mail is refused for the others */
	for (i = 0; i < conf->nerrors; i++)
		submit_complain(EX_OK, "warning: %s", conf->errors[i]);
	code = opts->mode == OPTS_FLUSH ? queuerun_main(conf, &opts->pick) :
	    opts->mode == OPTS_SMTP ? smtpd_main(&env) : submit(&env);
	conf_free(conf);
	return code;
}

/* What else sendmail takes as newaliases means nothing here. */
static int
check_aliases(const char *option)
{
	struct conf *conf;
	int code;

	if (strcmp(option, "--help") == 0)
		return print("usage: newaliases [--help | --version]\n"
		    "Checks the aliases, as sendmail -bi.\n");
	if (strcmp(option, "--version") == 0)
		return print("newaliases (mxnss) " MXNSS_VERSION "\n");
	conf = conf_load(CONF_PATH);
	code = newaliases_main(conf);
	conf_free(conf);
	return code;
}

/*
 * The runner knows where mail goes; we link no resolver.  ADDRESSES, which end
 * with NULL, are its arguments: it takes no other options with them.
 */
static int
verify(char **addresses)
{
	char program[] = RUNNER, option[] = "--verify", end[] = "--";
	size_t n = 0;
	char **argv;

	while (addresses[n] != NULL)
		n++;
	if (n == 0)
		return submit_complain(EX_USAGE, "-bv needs an address");
	argv = xcalloc(n + 4, sizeof(*argv));
	argv[0] = program;
	argv[1] = option;
	argv[2] = end;
	memcpy(argv + 3, addresses, n * sizeof(*argv));
	execv(program, argv);
	free(argv);
	return submit_complain(EX_OSFILE, "%s: %s", program, strerror(errno));
}

static int
sendmail_main(int argc, char **argv)
{
	struct opts opts;
	char *why;
	int code;

	if (opts_parse(&opts, argc - 1, argv + 1, &why) == -1) {
		code = submit_complain(EX_USAGE, "%s", why);
		free(why);
		return code;
	}
	if (opts.mode == OPTS_SMTP && opts.nrcpt > 0)
		return submit_complain(EX_USAGE, "-bs takes no recipients: "
		    "they come with the session");
	switch (opts.mode) {
	case OPTS_MAILQ:
		return mailq_table(&opts.pick);
	case OPTS_ALIASES:
		return check_aliases("");
	case OPTS_VERIFY:
		return verify(opts.rcpt);
	case OPTS_HELP:
		return print(usage);
	case OPTS_VERSION:
		return print("sendmail (mxnss) " MXNSS_VERSION "\n");
	default:
		return with_conf(&opts);
	}
}

int
main(int argc, char **argv)
{
	const char *name;

	if (argc < 1)
		return EX_USAGE;
	priv_sanitize(0);
	name = strrchr(argv[0], '/');
	name = name != NULL ? name + 1 : argv[0];
	if (strcmp(name, "mailq") == 0)
		return mailq_main(argc, argv);
	if (strcmp(name, "newaliases") == 0)
		return check_aliases(argc > 1 ? argv[1] : "");
	if (strcmp(name, "acceptor") == 0)
		return acceptor_main(argc);
	return sendmail_main(argc, argv);
}
