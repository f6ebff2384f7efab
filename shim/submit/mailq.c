/* SPDX-License-Identifier: ISC */
/*
 * The command line of mailq.  To look takes no lock, and what a runner does
 * meanwhile does not matter; to hold, release and delete is safe beside one
 * (spool/queue.h).
 */
#include "config.h"

#include "submit/mailq.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/show.h"
#include "base/xmalloc.h"
#include "submit/listing.h"
#include "submit/notify.h"
#include "submit/owner.h"
#include "submit/pick.h"
#include "submit/stats.h"
#include "submit/waiting.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define WAKE_PATH	MXNSS_RUNDIR "/wake"

struct request {
	const struct verb *verb;	/* NULL: show */
	struct pick	 pick;
	bool		 json;
	bool		 stats;
	bool		 all;		/* that word instead of identifiers */
	char		**id;
	int		 nid;
	uid_t		 uid;		/* of who asks */
};

struct task {			/* a request that is carried out */
	const struct request *r;
	const struct conf *conf;
	struct queue	*queue;
	struct entries	 all;
	time_t		 now;
	int		 code;		/* the worst so far, EX_OK first */
};

static int hold(struct task *, const struct queue_entry *, size_t n,
    int *error);
static int release(struct task *, const struct queue_entry *, size_t n,
    int *error);
static int delete(struct task *, const struct queue_entry *, size_t n,
    int *error);

static const struct verb {
	const char *name;
	const char *done;
	/* Do it to N messages; errno of each that failed.  How many did not. */
	int	  (*act)(struct task *, const struct queue_entry *, size_t n,
		    int *error);
} verbs[] = {
	{ "hold", "held", hold },
	{ "release", "released", release },
	{ "delete", "deleted", delete },
	{ NULL, NULL, NULL }
};

static int
complain(int code, const char *what, const char *why)
{
	fprintf(stderr, "mailq: %s: %s\n", what, why);
	return code;
}

/* --- which -------------------------------------------------------------- */

/* The messages that the command line names. */
static void
find_named(struct task *t)
{
	struct queue_entry e;
	struct msgid id;
	int i;

	for (i = 0; i < t->r->nid; i++) {
		if (!id_is_valid(t->r->id[i])) {
			t->code = complain(EX_USAGE, t->r->id[i],
			    "is no identifier of a message");
			continue;
		}
		snprintf(id.s, sizeof(id.s), "%s", t->r->id[i]);
		if (queue_stat(t->queue, &id, &e) == 0)
			entries_add(&t->all, &e);
		else
			t->code = complain(EX_NOINPUT, id.s, errno == ENOENT ?
			    "there is no such message" : strerror(errno));
	}
}

/* Leave in T->ALL what the request is about. */
static void
choose(struct task *t)
{
	const struct pick *pick = &t->r->pick;
	struct waiting w;
	size_t i, n = 0;
	bool takes;

	for (i = 0; i < t->all.n; i++) {
		if (!pick_may_take(pick, t->all.e[i].id.s))
			continue;
		if (pick_needs_envelope(pick)) {
			if (waiting_read(t->queue, &t->all.e[i], &w) == -1)
				continue;
			takes = pick_takes(pick, &w);
			waiting_clear(&w);
			if (!takes)
				continue;
		}
		t->all.e[n++] = t->all.e[i];
	}
	t->all.n = n;
}

/* --- what --------------------------------------------------------------- */

static int
hold(struct task *t, const struct queue_entry *e, size_t n, int *error)
{
	int failed = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (queue_hold(t->queue, &e[i].id) == -1) {
			error[i] = errno;
			failed++;
		}
	return failed;
}

static int
release(struct task *t, const struct queue_entry *e, size_t n, int *error)
{
	int failed = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (queue_release(t->queue, &e[i].id, t->now) == -1) {
			error[i] = errno;
			failed++;
		}
	return failed;
}

static int
delete(struct task *t, const struct queue_entry *e, size_t n, int *error)
{
	struct msgid *id = xcalloc(n, sizeof(id[0]));
	int failed;
	size_t i;

	for (i = 0; i < n; i++)
		id[i] = e[i].id;
	failed = queue_delete(t->queue, id, n, error);
	free(id);
	return failed;
}

static void
complain_about(struct task *t, const char *id, int error)
{
	switch (error) {
	case EAGAIN:
		t->code = complain(EX_TEMPFAIL, id, "the runner is about to "
		    "pick it up; try again");
		break;
	case ENOENT:
		t->code = complain(EX_NOINPUT, id, "there is no such message "
		    "any more");
		break;
	default:
		t->code = complain(EX_OSERR, id, strerror(error));
	}
}

static void
act(struct task *t)
{
	const struct verb *verb = t->r->verb;
	const struct queue_entry *e = t->all.e;
	int *error = xcalloc(t->all.n + 1, sizeof(error[0]));
	size_t i, n = t->all.n, failed;

	failed = n > 0 ? (size_t)verb->act(t, e, n, error) : 0;
	/* it is an event in the life of the message; a terminal has seen it */
	if (t->conf->log == LOG_TO_SYSLOG)
		log_open("qmgr", LOG_TO_SYSLOG);
	for (i = 0; i < n; i++)
		if (error[i] != 0)
			complain_about(t, e[i].id.s, error[i]);
		else if (t->conf->log == LOG_TO_SYSLOG)
			log_info("%s: %s by uid %lu", e[i].id.s, verb->done,
			    (unsigned long)t->r->uid);
	printf("%zu message%s %s\n", n - failed, n - failed == 1 ? "" : "s",
	    verb->done);
	free(error);
	/* where none listens, one comes by itself; and see queue_hold() */
	(void)notify_wake(WAKE_PATH, "", -1);
}

static void
show(struct task *t)
{
	const struct listing l = { .queue = t->queue, .conf = t->conf,
	    .now = t->now, .pick = &t->r->pick, .json = t->r->json,
	    .detail = t->r->nid > 0 };
	struct buf b = BUF_INIT;

	if (t->r->stats)
		stats_write(t->queue, &t->all, &t->r->pick, t->now, t->r->json,
		    &b);
	if ((!t->r->stats && listing_write(&l, &t->all, &b, show_print) ==
	    -1) || show_print(&b) == -1 || fflush(stdout) == EOF)
		t->code = complain(EX_IOERR, "standard output",
		    strerror(errno));
	buf_clear(&b);
}

static int
carry_out(const struct request *r, const struct conf *conf)
{
	struct task t = { .r = r, .conf = conf, .now = time(NULL) };
	const char *why;

	if ((t.queue = queue_open(conf->spool, &why)) == NULL)
		return complain(EX_OSFILE, "queue", why);
	if (r->nid > 0)
		find_named(&t);
	else
		entries_scan(t.queue, &t.all);
	if (r->verb != NULL) {
		choose(&t);
		act(&t);
	} else
		show(&t);
	entries_clear(&t.all);
	queue_close(t.queue);
	return t.code;
}

static int
run(struct request *r)
{
	struct conf *conf = conf_load(CONF_PATH);
	int code;

	r->uid = getuid();
	if (conf->spool == NULL)
		code = complain(r->verb != NULL ? EX_UNAVAILABLE : EX_OK,
		    CONF_PATH, "spool: none, so that nothing waits");
	else
		code = owner_become("mailq", conf->spool, r->verb != NULL ?
	    "change the queue" : "see the queue");
	if (code == EX_OK && conf->spool != NULL)
		code = carry_out(r, conf);
	conf_free(conf);
	return code;
}

/* --- the command line --------------------------------------------------- */

enum { OPT_STATS = 256 };

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "stats", no_argument, NULL, OPT_STATS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] =
    "usage: mailq [-j] [-q[!]{I|R|S}part ...] [ID ...]\n"
    "       mailq --stats [-j] [-q[!]{I|R|S}part ...]\n"
    "       mailq hold|release|delete [-q[!]{I|R|S}part ...] [ID ... | all]\n"
    "       mailq --help | --version\n";

static int
refuse(char *why)
{
	if (why != NULL)
		fprintf(stderr, "mailq: %s\n", why);
	free(why);
	fputs(usage, stderr);
	return EX_USAGE;
}

/* The words after the options.  EX_OK, or EX_USAGE. */
static int
take_words(struct request *r, int n, char **word)
{
	const struct verb *v;

	for (v = verbs; n > 0 && v->name != NULL; v++)
		if (strcmp(word[0], v->name) == 0) {
			r->verb = v;
			word++;
			n--;
			break;
		}
	if (n == 1 && r->verb != NULL && strcmp(word[0], "all") == 0) {
		r->all = true;
		n = 0;
	}
	r->id = word;
	r->nid = n;
	if (r->verb != NULL && (r->json || r->stats))
		return refuse(xasprintf("%s: neither -j nor --stats goes with "
		    "it", r->verb->name));
	if (r->verb != NULL && n == 0 && !r->all && r->pick.n == 0)
		return refuse(xasprintf("%s: which messages? identifiers, -q, "
		    "or the word all", r->verb->name));
	if (r->stats && n != 0)
		return refuse(xasprintf("--stats takes no identifiers"));
	return EX_OK;
}

int
mailq_main(int argc, char **argv)
{
	struct request r;
	char *why;
	int c;

	memset(&r, 0, sizeof(r));
	while ((c = getopt_long(argc, argv, "jq:", options, NULL)) != -1)
		switch (c) {
		case 'j':
			r.json = true;
			break;
		case 'q':
			if ((why = pick_add(&r.pick, optarg)) != NULL)
				return refuse(why);
			break;
		case OPT_STATS:
			r.stats = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		case 'V':
			printf("mxnss %s\n", MXNSS_VERSION);
			return EX_OK;
		default:
			return refuse(NULL);
		}
	c = take_words(&r, argc - optind, argv + optind);
	return c == EX_OK ? run(&r) : c;
}

int
mailq_table(const struct pick *pick)
{
	struct request r;

	memset(&r, 0, sizeof(r));
	r.pick = *pick;
	return run(&r);
}
