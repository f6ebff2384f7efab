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
#include <strings.h>

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
static char *heed_body(struct opts *, const char *);
static char *heed_e(struct opts *, const char *);
static char *heed_envid(struct opts *, const char *);
static char *heed_f(struct opts *, const char *);
static char *heed_full_name(struct opts *, const char *);
static char *heed_aliases(struct opts *, const char *);
static char *heed_i(struct opts *, const char *);
static char *heed_long_o(struct opts *, const char *);
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
	{ 'B', ARGUMENT, heed_body },
	{ 'b', ARGUMENT, heed_b },
	{ 'C', ARGUMENT, heed_nothing },	/* configuration file */
	{ 'c', FLAG, heed_nothing },		/* no expensive mailers */
	{ 'D', ARGUMENT, heed_nothing },	/* debugging output file */
	{ 'd', JOINED, heed_nothing },		/* debugging */
	{ 'e', ARGUMENT, heed_e },
	{ 'F', ARGUMENT, heed_full_name },
	{ 'f', ARGUMENT, heed_f },
	{ 'G', FLAG, heed_nothing },		/* relayed mail */
	{ 'h', ARGUMENT, heed_nothing },	/* hop count: we count */
	{ 'I', FLAG, heed_aliases },		/* the old name of -bi */
	{ 'i', FLAG, heed_i },
	{ 'L', ARGUMENT, heed_nothing },	/* log tag */
	{ 'M', ARGUMENT, heed_nothing },	/* macro */
	{ 'm', FLAG, heed_nothing },		/* me too */
	{ 'N', ARGUMENT, heed_notify },
	{ 'n', FLAG, heed_nothing },		/* no aliases */
	{ 'O', ARGUMENT, heed_long_o },
	{ 'o', ARGUMENT, heed_o },
	{ 'p', ARGUMENT, heed_nothing },	/* protocol it came by */
	{ 'Q', ARGUMENT, heed_nothing },	/* quarantine */
	{ 'q', JOINED, heed_q },
	{ 'R', ARGUMENT, heed_ret },
	{ 'r', ARGUMENT, heed_f },		/* the old name of -f */
	{ 's', FLAG, heed_nothing },		/* save "From " lines */
	{ 'T', FLAG, heed_nothing },		/* time in the queue */
	{ 't', FLAG, heed_t },
	{ 'U', FLAG, heed_nothing },		/* initial submission */
	{ 'V', ARGUMENT, heed_envid },
	{ 'v', FLAG, heed_v },
	{ 'X', ARGUMENT, heed_nothing },	/* traffic log file */
	{ 'x', FLAG, heed_nothing },		/* of AIX; nothing anywhere */
};

static char *
heed_nothing(struct opts *o, const char *arg)
{
	(void)o;
	(void)arg;
	return NULL;
}

/* -bX: what to do.  Those without WHY are done. */
static const struct mode {
	char		 letter;
	enum opts_mode	 mode;
	const char	*why;
} modes[] = {
	{ 'm', OPTS_SUBMIT, NULL },
	{ 'p', OPTS_MAILQ, NULL },
	{ 'i', OPTS_ALIASES, NULL },
	{ 'v', OPTS_VERIFY, NULL },
	{ 's', OPTS_SMTP, NULL },
	{ 'd', OPTS_SUBMIT, "this sendmail is no daemon and does not listen; "
	    "mail is delivered without one, and \"systemctl enable --now "
	    "mxnss-smtp.socket\" opens port 25 for programs of this machine" },
	{ 'D', OPTS_SUBMIT, "this sendmail is no daemon and does not listen; "
	    "mail is delivered without one, and \"systemctl enable --now "
	    "mxnss-smtp.socket\" opens port 25 for programs of this machine" },
	{ 'h', OPTS_SUBMIT, "see \"mailq --stats\"" },
	{ 'H', OPTS_SUBMIT, "hosts that failed are tried again by themselves, "
	    "or with \"sendmail -q\"" },
	{ 'P', OPTS_SUBMIT, "see \"mailq --stats\"" },
	{ 't', OPTS_SUBMIT, "there are no rules to test; see \"getmx "
	    "DOMAIN\" for where mail goes" },
};

static char *
heed_b(struct opts *o, const char *arg)
{
	const struct mode *m = modes;
	const struct mode *end = modes + sizeof(modes) / sizeof(modes[0]);

	while (m < end && (arg[0] != m->letter || arg[1] != '\0'))
		m++;
	if (m == end)
		return xasprintf("-b%s is not supported; see sendmail --help",
		    arg);
	if (m->why != NULL)
		return xasprintf("-b%s: %s", arg, m->why);
	o->mode = m->mode;
	return NULL;
}

/* What the body is we see; what is no type of body may be another option. */
static char *
heed_body(struct opts *o, const char *arg)
{
	(void)o;
	if (strcasecmp(arg, "7BIT") == 0 || strcasecmp(arg, "8BITMIME") == 0)
		return NULL;
	return xasprintf("-B %.100s is unknown; -B takes 7BIT or 8BITMIME",
	    arg);
}

static char *
heed_e(struct opts *o, const char *arg)
{
	static const struct {
		char		 letter;
		enum opts_errors errors;
	} modes_e[] = {
		{ 'e', OPTS_MAIL_ZERO }, { 'm', OPTS_MAIL },
		{ 'p', OPTS_PRINT }, { 'q', OPTS_QUIET }, { 'w', OPTS_WRITE },
	};
	size_t i;

	for (i = 0; i < sizeof(modes_e) / sizeof(modes_e[0]); i++)
		if (arg[0] == modes_e[i].letter && arg[1] == '\0') {
			o->errors = modes_e[i].errors;
			return NULL;
		}
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
heed_aliases(struct opts *o, const char *arg)
{
	(void)arg;
	o->mode = OPTS_ALIASES;
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

/* Of sendmail's options, those that mean something here. */
enum sense { SENSE_DELIVERY, SENSE_DOTS, SENSE_ERRORS, SENSE_VERBOSE,
    SENSE_NONE };

static const struct {
	char		 letter;	/* with -o */
	const char	*name;		/* with -O */
	enum sense	 sense;
} senses[] = {
	{ 'd', "DeliveryMode", SENSE_DELIVERY },
	{ 'e', "ErrorMode", SENSE_ERRORS },
	{ 'i', "IgnoreDots", SENSE_DOTS },
	{ 'v', "Verbose", SENSE_VERBOSE },
};

#define NSENSES	(sizeof(senses) / sizeof(senses[0]))

/* "", and what does not begin as "false" or "no" does, is yes. */
static bool
is_true(const char *value)
{
	return value[0] == '\0' || strchr("fFnN0", value[0]) == NULL;
}

static char *
heed_sense(struct opts *o, enum sense sense, const char *value)
{
	switch (sense) {
	case SENSE_DELIVERY:
		/* every message is queued, and tried at once */
		if (value[0] != '\0' && strchr("biqd", value[0]) != NULL &&
		    value[1] == '\0')
			return NULL;
		return xasprintf("-od%s is unknown; -od takes one of b, i and "
		    "q", value);
	case SENSE_ERRORS:
		return heed_e(o, value);
	case SENSE_DOTS:
		o->ignore_dots = is_true(value);
		return NULL;
	case SENSE_VERBOSE:
		o->verbose = is_true(value);
		return NULL;
	default:
		return NULL;
	}
}

/* -oXvalue: the options that have a name of one letter. */
static char *
heed_o(struct opts *o, const char *arg)
{
	size_t i;

	if (arg[0] == '\0')
		return xstrdup("-o needs an argument");
	for (i = 0; i < NSENSES; i++)
		if (senses[i].letter == arg[0])
			return heed_sense(o, senses[i].sense, arg + 1);
	return NULL;
}

/* -O name=value: the same by their long names, in either case. */
static char *
heed_long_o(struct opts *o, const char *arg)
{
	const char *eq = strchr(arg, '=');
	size_t i, n = eq != NULL ? (size_t)(eq - arg) : strlen(arg);

	for (i = 0; i < NSENSES; i++)
		if (strlen(senses[i].name) == n &&
		    strncasecmp(senses[i].name, arg, n) == 0)
			return heed_sense(o, senses[i].sense,
			    eq != NULL ? eq + 1 : "");
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
