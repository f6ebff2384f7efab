/* SPDX-License-Identifier: ISC */
/*
 * What waits in the spool, as the traditional table - a line for each
 * message, one for each recipient that still waits, and under it why and
 * until when - or as JSON, an object to a line (RFC 8259).  It only looks: it
 * takes no lock, and what a runner does meanwhile does not matter.
 */
#include "config.h"

#include "submit/mailq.h"

#include <sys/stat.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/priv.h"
#include "base/xmalloc.h"
#include "spool/msgfile.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define INDENT		"                     "	/* as wide as an ID */

struct entries {
	struct queue_entry *e;
	size_t	 n;
	size_t	 cap;
};

struct recipient {
	bool	 final;		/* delivered, or failed and reported */
	bool	 failed;
	unsigned attempts;
	struct result last;	/* of the last attempt, if there was one */
};

struct listing {
	const struct queue_entry *entry;
	struct msgfile	 mf;
	struct recipient *rcpt;
	const struct conf *conf;
	time_t		 now;
};

/* How a message is written, and what frames a list of N of them. */
struct form {
	const char	*head;
	void		(*message)(struct buf *, const struct listing *);
	void		(*foot)(struct buf *, size_t n, uint64_t octets);
};

static void
add_entry(void *arg, const struct queue_entry *e)
{
	struct entries *all = arg;

	if (all->n == all->cap) {
		all->cap = all->cap != 0 ? all->cap * 2 : 64;
		all->e = xreallocarray(all->e, all->cap, sizeof(all->e[0]));
	}
	all->e[all->n++] = *e;
}

/* By identifier, which is by time; queue/ before drop/. */
static int
compare(const void *a, const void *b)
{
	const struct queue_entry *x = a, *y = b;
	int c = strcmp(x->id.s, y->id.s);

	return c != 0 ? c : (x->place == IN_DROP) - (y->place == IN_DROP);
}

/* Text of others is shown, not obeyed. */
static void
add_clean(struct buf *b, const char *s)
{
	size_t from = b->len;

	buf_adds(b, s);
	if (b->len > from)
		result_clean(b->data + from);
}

static void
add_time(struct buf *b, time_t t)
{
	char text[32];
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%a %b %e %H:%M:%S", &tm) == 0)
		snprintf(text, sizeof(text), "%lld", (long long)t);
	buf_adds(b, text);
}

static void
replay(void *arg, const struct journal_record *r)
{
	struct listing *l = arg;
	struct recipient *to;
	size_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++) {
		if (r->rcpt != JOURNAL_ALL && r->rcpt != i)
			continue;
		to = &l->rcpt[i];
		if (r->type == JOURNAL_ATTEMPT || r->type == JOURNAL_FAILED) {
			to->attempts++;
			to->last = r->result;
		}
		if (r->type == JOURNAL_FAILED)
			to->failed = true;
		if (r->type == JOURNAL_DELIVERED ||
		    (r->type == JOURNAL_REPORTED && to->failed))
			to->final = true;
	}
}

/* Why a recipient waits: not what it met, but what must be mended first. */
static void
add_error(struct buf *b, const struct conf *conf)
{
	buf_adds(b, "configuration error: ");
	add_clean(b, conf->errors[0]);
	buf_adds(b, "; all mail is held until it is mended");
}

/* --- the table --------------------------------------------------------------- */

/* The line under a recipient. */
static void
add_reason(struct buf *b, const struct listing *l, const struct recipient *to)
{
	const struct queue_entry *e = l->entry;

	buf_adds(b, INDENT "    (");
	if (l->conf->nerrors != 0) {
		buf_adds(b, "4.3.5 ");
		add_error(b, l->conf);
	} else if (to->attempts != 0) {
		buf_printf(b, "%s ", result_esc(&to->last));
		if (to->last.host[0] != '\0') {
			add_clean(b, to->last.host);
			buf_adds(b, ": ");
		}
		add_clean(b, to->last.text);
	} else
		buf_adds(b, "not tried yet");
	if (e->held)
		buf_adds(b, "; held");
	else if (e->place == IN_QUEUE && e->next > l->now) {
		buf_adds(b, "; next attempt ");
		add_time(b, e->next);
	} else if (l->conf->nerrors == 0)
		buf_adds(b, "; due now");
	buf_adds(b, ")\n");
}

static void
table_message(struct buf *b, const struct listing *l)
{
	const struct envelope *env = &l->mf.env;
	size_t i;

	buf_printf(b, "%s%c %8lld ", l->entry->id.s,
	    l->entry->held ? '!' : ' ', (long long)l->mf.size);
	add_time(b, (time_t)(env->time / 1000000));
	buf_adds(b, "  ");
	add_clean(b, env->sender[0] != '\0' ? env->sender : "MAILER-DAEMON");
	buf_addc(b, '\n');
	for (i = 0; i < env->nrcpt; i++) {
		if (l->rcpt[i].final)
			continue;
		buf_adds(b, INDENT "  ");
		add_clean(b, env->rcpt[i].addr);
		buf_addc(b, '\n');
		add_reason(b, l, &l->rcpt[i]);
	}
	buf_addc(b, '\n');
}

static void
table_foot(struct buf *b, size_t n, uint64_t octets)
{
	if (n == 0) {
		buf_reset(b);
		buf_adds(b, "Mail queue is empty\n");
		return;
	}
	buf_printf(b, "-- %" PRIu64 " Kbytes in %zu message%s\n",
	    (octets + 1023) / 1024, n, n == 1 ? "" : "s");
}

/* --- JSON -------------------------------------------------------------------- */

static void
add_string(struct buf *b, const char *s)
{
	struct buf clean = BUF_INIT;
	const char *p;

	add_clean(&clean, s);
	buf_addc(b, '"');
	for (p = buf_str(&clean); *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *p);
	}
	buf_addc(b, '"');
	buf_clear(&clean);
}

static const char *
rcpt_status(const struct recipient *to)
{
	if (to->failed)
		return "failed";
	return to->attempts != 0 ? "deferred" : "new";
}

static void
json_rcpt(struct buf *b, const struct listing *l, size_t i)
{
	const struct recipient *to = &l->rcpt[i];
	const struct result *r = &to->last;
	bool tried = to->attempts != 0, broken = l->conf->nerrors != 0;
	struct buf why = BUF_INIT;

	buf_adds(b, "{\"address\":");
	add_string(b, l->mf.env.rcpt[i].addr);
	buf_printf(b, ",\"status\":\"%s\",\"dsn\":", rcpt_status(to));
	if (broken)
		buf_adds(b, "\"4.3.5\"");
	else if (tried)
		add_string(b, result_esc(r));
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"host\":");
	if (!broken && tried && r->host[0] != '\0')
		add_string(b, r->host);
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"reply\":");
	if (broken)
		add_error(&why, l->conf);
	else if (tried)
		buf_adds(&why, r->text);
	if (broken || tried)
		add_string(b, buf_str(&why));
	else
		buf_adds(b, "null");
	buf_printf(b, ",\"attempts\":%u}", to->attempts);
	buf_clear(&why);
}

static void
json_message(struct buf *b, const struct listing *l)
{
	const struct envelope *env = &l->mf.env;
	const struct queue_entry *e = l->entry;
	const char *sep = "";
	size_t i;

	buf_printf(b, "{\"id\":\"%s\",\"time\":%" PRIu64 ",\"size\":%lld,"
	    "\"sender\":", e->id.s, env->time / 1000000,
	    (long long)l->mf.size);
	add_string(b, env->sender);
	buf_printf(b, ",\"uid\":%lu,\"state\":\"%s\",\"next\":",
	    (unsigned long)env->uid, e->held ? "held" :
	    e->place == IN_DROP ? "new" : "waiting");
	if (e->place == IN_DROP || e->held)
		buf_adds(b, "null");
	else
		buf_printf(b, "%lld", (long long)e->next);
	buf_adds(b, ",\"recipients\":[");
	for (i = 0; i < env->nrcpt; i++) {
		if (l->rcpt[i].final)
			continue;
		buf_adds(b, sep);
		json_rcpt(b, l, i);
		sep = ",";
	}
	buf_adds(b, "]}\n");
}

static void
json_foot(struct buf *b, size_t n, uint64_t octets)
{
	(void)b;
	(void)n;
	(void)octets;
}

static const struct form forms[] = {
	[MAILQ_TABLE] = { "-Queue ID-----------  --Size-- "
	    "---Submitted at----  -Sender/Recipient-----\n", table_message,
	    table_foot },
	[MAILQ_JSON] = { "", json_message, json_foot }
};

/* --- reading ----------------------------------------------------------------- */

/* Whether the message could be read: a runner may have removed it. */
static bool
list_one(struct queue *q, const struct queue_entry *e, const struct conf *conf,
    time_t now, const struct form *form, struct buf *b)
{
	struct listing l = { .entry = e, .conf = conf, .now = now };
	struct stat st;
	const char *why;
	bool ok = false;
	int fd;

	fd = e->place == IN_DROP ? queue_opendrop(q, &e->id) :
	    queue_openmsg(q, &e->id);
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    msgfile_read(fd, SIZE_MAX, &l.mf, &why) == 0) {
		/* what a file of drop/ says of its submitter is a claim */
		if (e->place == IN_DROP)
			l.mf.env.uid = st.st_uid;
		l.rcpt = xcalloc(l.mf.env.nrcpt, sizeof(l.rcpt[0]));
		/* without its journal a message is shown as not tried */
		(void)queue_journal(q, &e->id, replay, &l);
		form->message(b, &l);
		free(l.rcpt);
		msgfile_clear(&l.mf);
		ok = true;
	}
	close(fd);
	return ok;
}

void
mailq_list(struct queue *q, const struct conf *conf, time_t now,
    enum mailq_form how, struct buf *b)
{
	const struct form *form = &forms[how];
	struct entries all = { NULL, 0, 0 };
	uint64_t octets = 0;
	size_t i, n = 0;

	/* queue/ last: what moves there meanwhile is seen once or twice */
	(void)queue_scan(q, IN_DROP, add_entry, &all);
	(void)queue_scan(q, IN_QUEUE, add_entry, &all);
	if (all.n != 0)
		qsort(all.e, all.n, sizeof(all.e[0]), compare);
	buf_adds(b, form->head);
	for (i = 0; i < all.n; i++) {
		if (i > 0 && strcmp(all.e[i].id.s, all.e[i - 1].id.s) == 0)
			continue;
		if (!list_one(q, &all.e[i], conf, now, form, b))
			continue;
		octets += (uint64_t)all.e[i].size;
		n++;
	}
	free(all.e);
	form->foot(b, n, octets);
}

static int
show(const struct conf *conf, enum mailq_form form)
{
	struct buf b = BUF_INIT;
	const char *why;
	struct queue *q;
	int ret = EX_OK;

	if ((q = queue_open(conf->spool, &why)) == NULL) {
		fprintf(stderr, "mailq: %s\n", why);
		return EX_OSFILE;
	}
	mailq_list(q, conf, time(NULL), form, &b);
	if (fputs(buf_str(&b), stdout) == EOF || fflush(stdout) == EOF) {
		fprintf(stderr, "mailq: standard output: %s\n",
		    strerror(errno));
		ret = EX_IOERR;
	}
	buf_clear(&b);
	queue_close(q);
	return ret;
}

/* As root it becomes the spool's owner first. */
static int
show_as_owner(const struct conf *conf, enum mailq_form form)
{
	struct stat st;

	if (stat(conf->spool, &st) == -1) {
		fprintf(stderr, "mailq: %s: %s\n", conf->spool,
		    strerror(errno));
		return EX_OSFILE;
	}
	if (geteuid() != 0 && geteuid() != st.st_uid) {
		fprintf(stderr, "mailq: only root and the owner of %s may "
		    "see the queue\n", conf->spool);
		return EX_NOPERM;
	}
	if (priv_become_owner(conf->spool) == -1) {
		fprintf(stderr, "mailq: cannot become the owner of %s: %s\n",
		    conf->spool, strerror(errno));
		return EX_NOPERM;
	}
	return show(conf, form);
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static const char usage[] = "usage: mailq [-j | --help | --version]\n";

int
mailq_main(int argc, char **argv)
{
	enum mailq_form form = MAILQ_TABLE;
	struct conf *conf;
	int c, ret;

	while ((c = getopt_long(argc, argv, "j", options, NULL)) != -1)
		switch (c) {
		case 'j':
			form = MAILQ_JSON;
			break;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		case 'V':
			printf("mxnss %s\n", MXNSS_VERSION);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	if (optind != argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	conf = conf_load(CONF_PATH);
	ret = show_as_owner(conf, form);
	conf_free(conf);
	return ret;
}
