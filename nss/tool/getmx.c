/* SPDX-License-Identifier: ISC */
/*
 * getmx: where does mail for a domain go, and why?  Asks getmxinfo(3) as
 * the programs that deliver mail do, and prints what it says.
 */
#include "config.h"

#include "tool/getmx.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sources/module.h"
#include "mxdb.h"
#include "mxhosts/mxhosts.h"
#include "nssconf.h"

#define MAXSERVERS	3

union server {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
};

struct opts {
	enum { TABLE, JSON, NAMES, CHECK, CONFIG } mode;
	const char	*sources;
	int		 timeout;	/* ms; 0: the library's */
	int		 colour;
	int		 trace;
	int		 hold;		/* output need not be seen at once */
	union server	 server[MAXSERVERS];
	const struct sockaddr *servers[MAXSERVERS + 1];
	int		 nservers;
};

static const struct getmx_paths paths = {
	nssconf_places, MXHOSTS_PATH, MXNSS_LIBEXECDIR "/runner",
	&mxmodule_installed
};

static const char usage_text[] =
    "usage: getmx [-jq] [--trace] [-S sources] [-s server[#port]] "
    "[-t seconds]\n             domain ... | -\n"
    "       getmx --check | --config [-S sources]\n";

static const char help_text[] =
    "Says where mail for a domain, user@domain or [address] goes; - reads\n"
    "them from standard input, one per line.\n"
    "\n"
    "  -j, --json            one JSON object per line\n"
    "  -q, --quiet           names of the exchanges only\n"
    "  -S, --sources LIST    \"files dns\": instead of the configured list\n"
    "  -s, --server IP#PORT  ask this name server; may be repeated\n"
    "  -t, --timeout SECONDS for a whole lookup [30]\n"
    "      --trace           who was asked and what was said, step by step\n"
    "      --check           list all errors of the configuration\n"
    "      --config          print the source list that is in effect\n"
    "      --help, --version\n"
    "\n"
    "Exit status: 0 found, 1 usage, 2 no such exchange, 75 temporary\n"
    "failure, 78 wrong configuration; of several domains the highest.\n";

__attribute__((noreturn))
static void
usage(void)
{
	(void)fputs(usage_text, stderr);
	exit(GETMX_USAGE);
}

static void
set_json(struct opts *o, const char *arg)
{
	(void)arg;
	o->mode = JSON;
}

static void
set_names(struct opts *o, const char *arg)
{
	(void)arg;
	o->mode = NAMES;
}

static void
set_check(struct opts *o, const char *arg)
{
	(void)arg;
	o->mode = CHECK;
}

static void
set_config(struct opts *o, const char *arg)
{
	(void)arg;
	o->mode = CONFIG;
}

static void
set_trace(struct opts *o, const char *arg)
{
	(void)arg;
	o->trace = 1;
}

static void
set_sources(struct opts *o, const char *arg)
{
	o->sources = arg;
}

static void
set_timeout(struct opts *o, const char *arg)
{
	const char *why;

	o->timeout = (int)strtonum(arg, 1, 3600, &why) * 1000;
	if (why != NULL)
		errx(GETMX_USAGE, "-t %s: %s; it takes 1 to 3600 seconds",
		    arg, why);
}

static void
set_server(struct opts *o, const char *arg)
{
	union server *s;
	char addr[INET6_ADDRSTRLEN];
	const char *hash, *why = NULL;
	in_port_t port = htons(53);
	size_t len;

	if (o->nservers == MAXSERVERS)
		errx(GETMX_USAGE, "-s: at most %d servers", MAXSERVERS);
	if ((hash = strchr(arg, '#')) != NULL)
		port = htons((in_port_t)strtonum(hash + 1, 1, 65535, &why));
	len = hash == NULL ? strlen(arg) : (size_t)(hash - arg);
	if (why != NULL || len >= sizeof(addr))
		errx(GETMX_USAGE, "-s %s: must be an IP address, or "
		    "address#port", arg);
	memcpy(addr, arg, len);
	addr[len] = '\0';
	s = &o->server[o->nservers];
	if (inet_pton(AF_INET, addr, &s->in.sin_addr) == 1) {
		s->in.sin_family = AF_INET;
		s->in.sin_port = port;
	} else if (inet_pton(AF_INET6, addr, &s->in6.sin6_addr) == 1) {
		s->in6.sin6_family = AF_INET6;
		s->in6.sin6_port = port;
	} else
		errx(GETMX_USAGE, "-s %s: must be an IP address, or "
		    "address#port", arg);
	o->servers[o->nservers++] = &s->sa;
}

__attribute__((noreturn))
static void
show_help(struct opts *o, const char *arg)
{
	(void)o;
	(void)arg;
	(void)printf("%s\n%s", usage_text, help_text);
	exit(fflush(stdout) == 0 ? EX_OK : EX_TEMPFAIL);
}

__attribute__((noreturn))
static void
show_version(struct opts *o, const char *arg)
{
	(void)o;
	(void)arg;
	(void)printf("getmx (mxnss) %s\n", MXNSS_VERSION);
	exit(fflush(stdout) == 0 ? EX_OK : EX_TEMPFAIL);
}

enum { OPT_CHECK = 256, OPT_CONFIG, OPT_HELP, OPT_TRACE, OPT_VERSION };

static const struct option longopts[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "sources", required_argument, NULL, 'S' },
	{ "server", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 't' },
	{ "trace", no_argument, NULL, OPT_TRACE },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "config", no_argument, NULL, OPT_CONFIG },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const struct {
	int	 opt;
	void	(*set)(struct opts *, const char *);
} setters[] = {
	{ 'j', set_json },
	{ 'q', set_names },
	{ 'S', set_sources },
	{ 's', set_server },
	{ 't', set_timeout },
	{ OPT_CHECK, set_check },
	{ OPT_CONFIG, set_config },
	{ OPT_HELP, show_help },
	{ OPT_TRACE, set_trace },
	{ OPT_VERSION, show_version }
};

static void
parse_options(int argc, char *argv[], struct opts *o)
{
	size_t i;
	int opt;

	while ((opt = getopt_long(argc, argv, "jqS:s:t:", longopts,
	    NULL)) != -1) {
		for (i = 0; i < sizeof(setters) / sizeof(setters[0]); i++)
			if (setters[i].opt == opt)
				break;
		if (i == sizeof(setters) / sizeof(setters[0]))
			usage();
		setters[i].set(o, optarg);
	}
}

static int
want_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

/* The trace of one lookup.  JSON waits for the object that it is part of. */
struct tracing {
	const struct opts *o;
	FILE	*fp;
	char	*text;
	size_t	 len;
	int	 some;
};

static void
trace(void *arg, const struct mxtrace *t)
{
	struct tracing *tr = arg;

	if (tr->o->mode != JSON) {
		getmx_trace(tr->fp, t);
		return;
	}
	if (tr->some)
		(void)fputc(',', tr->fp);
	getmx_trace_json(tr->fp, t);
	tr->some = 1;
}

static void
trace_begin(struct tracing *tr, const struct opts *o, struct mxhints *h,
    FILE *out, FILE *errors)
{
	memset(tr, 0, sizeof(*tr));
	tr->o = o;
	if (!o->trace)
		return;
	tr->fp = o->mode == NAMES ? errors : out;
	if (o->mode == JSON &&
	    (tr->fp = open_memstream(&tr->text, &tr->len)) == NULL)
		err(EX_TEMPFAIL, "trace");
	h->mh_flags |= MXH_ASKALL;
	h->mh_trace = trace;
	h->mh_tracearg = tr;
}

static void
trace_end(struct tracing *tr)
{
	if (tr->fp != NULL && tr->o->mode == JSON && fclose(tr->fp) == EOF)
		err(EX_TEMPFAIL, "trace");
}

static void
print(const struct opts *o, const char *arg, const struct mxinfo *info,
    const char *traced, FILE *out, FILE *errors)
{
	int rcpt = strchr(arg, '@') != NULL;

	switch (o->mode) {
	case JSON:
		getmx_json(out, arg, info, traced);
		break;
	case NAMES:
		getmx_names(out, info);
		if (info->mi_error != MX_OK)
			getmx_table(errors, info, rcpt, 0);
		break;
	default:
		getmx_table(out, info, rcpt, o->colour);
	}
}

static void
flush(void)
{
	if (fflush(stdout) == EOF)
		err(EX_TEMPFAIL, "standard output");
}

/* A domain, user@domain or [literal]; the exit code. */
static int
look_up(void *opts, const char *arg, FILE *out, FILE *errors)
{
	const struct opts *o = opts;
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info = NULL;
	struct tracing tr;
	const char *at, *domain = arg;
	int error;

	h.mh_flags = MXH_ADDRS;
	h.mh_timeout = o->timeout;
	h.mh_sources = o->sources;
	if (o->nservers > 0)
		h.mh_servers = o->servers;
	if ((at = strrchr(arg, '@')) != NULL) {
		domain = at + 1;
		h.mh_rcpt = arg;
	}
	trace_begin(&tr, o, &h, out, errors);
	error = getmxinfo(domain, &h, &info);
	trace_end(&tr);
	if (info == NULL)
		(void)fprintf(errors, "getmx: %s: %s\n", arg,
		    mx_strerror(error));
	else
		print(o, arg, info, tr.text, out, errors);
	freemxinfo(info);
	free(tr.text);
	return getmx_exit_code(error);
}

/* Those of standard input; the highest exit code. */
static int
look_up_all(struct opts *o)
{
	struct getmx_pool *pool;
	int worst = EX_OK, code, failed;

	if ((pool = getmx_pool_new(look_up, o, o->hold)) == NULL)
		err(EX_TEMPFAIL, "standard input");
	failed = getmx_input(stdin, getmx_pool_add, pool, &worst) == -1;
	if (failed)
		warn("standard input");
	code = getmx_pool_end(pool);
	return failed ? EX_TEMPFAIL : code;
}

/* An argument; the exit code. */
static int
obey(struct opts *o, const char *arg)
{
	int code;

	if (strcmp(arg, "-") == 0)
		return look_up_all(o);
	code = look_up(o, arg, stdout, stderr);
	if (!o->hold)
		flush();
	return code;
}

int
main(int argc, char *argv[])
{
	static struct opts o;
	struct stat st;
	int code, worst = EX_OK;

	if (argc < 1)
		usage();
	parse_options(argc, argv, &o);
	argc -= optind;
	argv += optind;
	o.colour = want_colour();
	o.hold = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	if ((argc == 0) != (o.mode == CHECK || o.mode == CONFIG))
		usage();
	if (o.mode == CHECK)
		worst = getmx_check(stdout, &paths, o.sources);
	else if (o.mode == CONFIG)
		worst = getmx_config(stdout, &paths, o.sources);
	for (; *argv != NULL; argv++) {
		code = obey(&o, *argv);
		if (code > worst)
			worst = code;
	}
	flush();
	return worst;
}
