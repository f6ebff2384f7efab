/* SPDX-License-Identifier: ISC */
/*
 * Options of sendmail, Postfix and the LSB: one row each.  Most of what
 * programs pass means nothing here and is taken without effect; what would
 * mean something that this program does not do is refused, for an option
 * that is not heeded may lose mail.
 */
#include "config.h"

#include "submit/opts.h"

#include <stddef.h>
#include <string.h>

#include "base/xmalloc.h"

enum arity {
	FLAG,		/* no argument; others may follow in the word */
	ARGUMENT,	/* the rest of the word, or the next word */
	JOINED		/* the rest of the word, which may be empty */
};

/* Heed option LETTER with ARG.  NULL, or what is wrong: the caller's. */
typedef char *(*heed_fn)(struct opts *, const char *arg);

static char *heed_nothing(struct opts *, const char *);
static char *heed_b(struct opts *, const char *);
static char *heed_e(struct opts *, const char *);
static char *heed_envid(struct opts *, const char *);
static char *heed_f(struct opts *, const char *);
static char *heed_full_name(struct opts *, const char *);
static char *heed_i(struct opts *, const char *);
static char *heed_notify(struct opts *, const char *);
static char *heed_o(struct opts *, const char *);
static char *heed_q(struct opts *, const char *);
static char *heed_ret(struct opts *, const char *);
static char *heed_t(struct opts *, const char *);
static char *heed_v(struct opts *, const char *);

static const struct option {
	char		letter;
	enum arity	arity;
	heed_fn		heed;
} options[] = {
	{ 'A', ARGUMENT, heed_nothing },	/* c or m: which .cf file */
	{ 'B', ARGUMENT, heed_nothing },	/* body type: we look */
	{ 'b', ARGUMENT, heed_b },
	{ 'C', ARGUMENT, heed_nothing },	/* configuration file */
	{ 'D', ARGUMENT, heed_nothing },	/* debugging output file */
	{ 'd', JOINED, heed_nothing },		/* debugging */
	{ 'e', JOINED, heed_e },
	{ 'F', ARGUMENT, heed_full_name },
	{ 'f', ARGUMENT, heed_f },
	{ 'G', FLAG, heed_nothing },		/* relayed mail */
	{ 'h', ARGUMENT, heed_nothing },	/* hop count: we count */
	{ 'i', FLAG, heed_i },
	{ 'L', ARGUMENT, heed_nothing },	/* log tag */
	{ 'm', FLAG, heed_nothing },		/* me too */
	{ 'N', ARGUMENT, heed_notify },
	{ 'n', FLAG, heed_nothing },		/* no aliases */
	{ 'O', ARGUMENT, heed_nothing },	/* Option=value */
	{ 'o', ARGUMENT, heed_o },
	{ 'q', JOINED, heed_q },
	{ 'R', ARGUMENT, heed_ret },
	{ 'r', ARGUMENT, heed_f },		/* the old name of -f */
	{ 't', FLAG, heed_t },
	{ 'U', FLAG, heed_nothing },		/* initial submission */
	{ 'V', ARGUMENT, heed_envid },
	{ 'v', FLAG, heed_v },
	{ 'X', ARGUMENT, heed_nothing },	/* traffic log file */
};

static char *
heed_nothing(struct opts *o, const char *arg)
{
	(void)o;
	(void)arg;
	return NULL;
}

static char *
heed_b(struct opts *o, const char *arg)
{
	if (strcmp(arg, "m") == 0)
		return NULL;
	if (strcmp(arg, "p") == 0) {
		o->mode = OPTS_MAILQ;
		return NULL;
	}
	if (strcmp(arg, "d") == 0 || strcmp(arg, "D") == 0)
		return xasprintf("-b%s: this sendmail is no daemon and does "
		    "not listen; messages are delivered without one", arg);
	return xasprintf("-b%s is not supported; only -bm (the default) and "
	    "-bp are", arg);
}

static char *
heed_e(struct opts *o, const char *arg)
{
	(void)o;
	/* errors go to standard error and the exit code in every mode */
	if (strlen(arg) == 1 && strchr("empqw", *arg) != NULL)
		return NULL;
	return xasprintf("-e%s is unknown; -e takes one of e, m, p, q and w",
	    arg);
}

static char *
heed_envid(struct opts *o, const char *arg)
{
	if (!dsn_is_envid(arg, strlen(arg)))
		return xasprintf("-V takes 1 to %d printable characters of "
		    "US-ASCII, of which + and = and blanks count as three",
		    DSN_MAX_ENVID);
	o->envid = arg;
	return NULL;
}

static char *
heed_f(struct opts *o, const char *arg)
{
	o->sender = arg;
	return NULL;
}

static char *
heed_full_name(struct opts *o, const char *arg)
{
	o->full_name = arg;
	return NULL;
}

static char *
heed_i(struct opts *o, const char *arg)
{
	(void)arg;
	o->ignore_dots = true;
	return NULL;
}

static char *
heed_notify(struct opts *o, const char *arg)
{
	if (dsn_parse_notify(arg, strlen(arg), &o->notify) == 0)
		return NULL;
	return xasprintf("-N %.100s is unknown; -N takes never, or a list of "
	    "success, failure and delay with commas between them", arg);
}

/* -oXvalue: the options that have a name of one letter. */
static char *
heed_o(struct opts *o, const char *arg)
{
	switch (arg[0]) {
	case 'i':
		o->ignore_dots = true;
		return NULL;
	case 'v':
		o->verbose = true;
		return NULL;
	case 'd':
		/* every message is queued, and tried at once */
		if (strlen(arg) == 2 && strchr("biqd", arg[1]) != NULL)
			return NULL;
		return xasprintf("-o%s is unknown; -od takes one of b, i and "
		    "q", arg);
	case 'e':
		return heed_e(o, arg + 1);
	case '\0':
		return xstrdup("-o needs an argument");
	}
	return NULL;
}

static char *
heed_q(struct opts *o, const char *arg)
{
	/* an interval asks for a daemon: not what one run can do */
	if (*arg >= '0' && *arg <= '9')
		return xasprintf("-q%s: this sendmail is no daemon; the queue "
		    "is run without one, plain -q runs it now", arg);
	if (o->mode == OPTS_SUBMIT)
		o->mode = OPTS_FLUSH;
	return *arg == '\0' || strcmp(arg, "f") == 0 ? NULL :
	    pick_add(&o->pick, arg);
}

static char *
heed_ret(struct opts *o, const char *arg)
{
	if (dsn_parse_ret(arg, strlen(arg), &o->ret) == 0)
		return NULL;
	return xasprintf("-R %.100s is unknown; -R takes full or hdrs", arg);
}

static char *
heed_t(struct opts *o, const char *arg)
{
	(void)arg;
	o->from_header = true;
	return NULL;
}

static char *
heed_v(struct opts *o, const char *arg)
{
	(void)arg;
	o->verbose = true;
	return NULL;
}

static const struct option *
find_option(char letter)
{
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

/*
 * Options of one WORD; NEXT is the word after it, or NULL, and *USED whether
 * it was an argument.
 */
static char *
parse_word(struct opts *o, const char *word, const char *next, bool *used)
{
	const struct option *opt;
	const char *p = word + 1, *arg;
	char *why;

	*used = false;
	while (*p != '\0') {
		opt = find_option(*p);
		if (opt == NULL)
			return xasprintf("unknown option -%c in \"%s\"; see "
			    "sendmail --help", *p, word);
		p++;
		if (opt->arity == FLAG) {
			arg = NULL;
		} else {
			arg = p;
			p = "";
			if (*arg == '\0' && opt->arity == ARGUMENT) {
				arg = next;
				*used = true;
			}
			if (arg == NULL)
				return xasprintf("-%c needs an argument",
				    opt->letter);
		}
		why = opt->heed(o, arg);
		if (why != NULL)
			return why;
	}
	return NULL;
}

static char *
parse_long(struct opts *o, const char *word)
{
	if (strcmp(word, "--help") == 0)
		o->mode = OPTS_HELP;
	else if (strcmp(word, "--version") == 0)
		o->mode = OPTS_VERSION;
	else
		return xasprintf("unknown option \"%s\"; see sendmail --help",
		    word);
	return NULL;
}

/* Without "--" an address shall not look like an option. */
static char *
check_recipients(const struct opts *o)
{
	int i;

	for (i = 0; i < o->nrcpt; i++)
		if (o->rcpt[i][0] == '-')
			return xasprintf("\"%s\" after a recipient: options "
			    "come first; write -- before an address that "
			    "begins with a hyphen", o->rcpt[i]);
	return NULL;
}

int
opts_parse(struct opts *o, int argc, char **argv, char **why)
{
	bool ended = false, used;
	int i;

	memset(o, 0, sizeof(*o));
	*why = NULL;
	for (i = 0; i < argc && argv[i][0] == '-' && argv[i][1] != '\0' &&
	    !ended && *why == NULL; i++) {
		if (strcmp(argv[i], "--") == 0) {
			ended = true;
		} else if (argv[i][1] == '-') {
			*why = parse_long(o, argv[i]);
		} else {
			*why = parse_word(o, argv[i],
			    i + 1 < argc ? argv[i + 1] : NULL, &used);
			i += used ? 1 : 0;
		}
	}
	if (*why != NULL)
		return -1;
	o->rcpt = argv + i;
	o->nrcpt = argc - i;
	if (!ended)
		*why = check_recipients(o);
	return *why == NULL ? 0 : -1;
}
