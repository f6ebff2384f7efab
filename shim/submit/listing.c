/* SPDX-License-Identifier: ISC */
/*
 * The traditional table has a line for each message, one for each recipient
 * that still waits, and under it why and until when.  JSON (RFC 8259) is an
 * object to a line.
 */
#include "config.h"

#include "submit/listing.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "spool/hoststat.h"
#include "spool/usage.h"
#include "submit/pick.h"
#include "submit/waiting.h"

#define INDENT		"                     "	/* as wide as an ID */

struct view {			/* a message, and what else is known of it */
	const struct listing *l;
	const struct waiting *w;
	bool		 full;	/* its user has too much in the queue */
	bool		 cramped; /* there is no room for its journal */
};

/* How a message is written, and what frames a list of N of them. */
struct form {
	const char	*head;
	void		(*message)(struct buf *, const struct view *);
	void		(*foot)(struct buf *, const struct listing *, size_t n,
			    uint64_t octets);
};

/*
 * Whether the recipient is due, and is not tried for now: there is no network,
 * or its domain gets only so many messages.
 */
static bool
waits_its_turn(const struct view *v, const struct recipient *to,
    struct result *r)
{
	const struct envelope_rcpt *rcpt =
	    &v->w->mf.env.rcpt[to - v->w->rcpt];
	const char *at = strrchr(rcpt->addr, '@');
	const struct listing *l = v->l;
	struct hoststat hs;
	char domain[256];
	size_t i;

	if (rcpt->mailbox || at == NULL || conf_is_local(l->conf, at + 1) ||
	    v->w->entry->held || (v->w->entry->place == IN_QUEUE &&
	    v->w->entry->next > l->now))
		return false;
	snprintf(domain, sizeof(domain), "%s", at + 1);
	for (i = 0; domain[i] != '\0'; i++)
		if (domain[i] >= 'A' && domain[i] <= 'Z')
			domain[i] = (char)(domain[i] - 'A' + 'a');
	if (hoststat_waits(l->queue, NULL, l->now, &hs))
		result_set(r, R_OFFLINE, "%s", hs.reason);
	else if (hoststat_waits(l->queue, domain, l->now, &hs))
		result_set(r, R_HELD, "%s", hs.reason);
	else
		return false;
	return true;
}

/*
 * Why a recipient waits: what it met, or what must be mended first.  NULL:
 * it was not tried yet.  MINE is where the answer may be.
 */
static const struct result *
cause(const struct view *v, const struct recipient *to, struct result *mine)
{
	const struct conf *conf = v->l->conf;

	if (conf->nerrors != 0)
		result_set(mine, R_CONFIG, "configuration error: %s; all mail "
		    "is held until it is mended", conf->errors[0]);
	else if (v->full)
		result_set(mine, R_HELD, "uid %lu has as much mail in the "
		    "queue as a user may have; this is picked up later",
		    (unsigned long)v->w->mf.env.uid);
	else if (v->cramped) {
		result_set(mine, R_LOCALERR, "the disk is full: no room to "
		    "record what happens to each recipient");
		snprintf(mine->esc, sizeof(mine->esc), "4.3.1");
	} else if (!waits_its_turn(v, to, mine))
		return to->attempts != 0 ? &to->last : NULL;
	return mine;
}

/* When it is tried again: 0 now, -1 not by time. */
static time_t
next_of(const struct view *v)
{
	const struct queue_entry *e = v->w->entry;

	if (e->held)
		return -1;
	return e->place == IN_QUEUE && e->next > v->l->now ? e->next : 0;
}

/* --- the table ---------------------------------------------------------- */

static void
add_result(struct buf *b, const struct result *r)
{
	buf_printf(b, "%s ", result_esc(r));
	if (r->host[0] != '\0') {
		show_text(b, r->host);
		buf_adds(b, ": ");
	}
	show_text(b, r->text);
}

/* The line under a recipient. */
static void
add_reason(struct buf *b, const struct view *v, const struct recipient *to)
{
	const struct result *r;
	struct result mine;
	time_t next = next_of(v);

	buf_adds(b, INDENT "    (");
	if ((r = cause(v, to, &mine)) != NULL)
		add_result(b, r);
	else
		buf_adds(b, "not tried yet");
	if (next == -1)
		buf_adds(b, "; held");
	else if (next > 0) {
		buf_adds(b, "; next attempt ");
		show_time(b, next);
	} else if (r != &mine)
		buf_adds(b, "; due now");
	buf_adds(b, ")\n");
}

static void
add_sender(struct buf *b, const struct envelope *env)
{
	show_text(b, env->sender[0] != '\0' ? env->sender : "MAILER-DAEMON");
}

static void
table_message(struct buf *b, const struct view *v)
{
	const struct waiting *w = v->w;
	const struct envelope *env = &w->mf.env;
	size_t i;

	buf_printf(b, "%s%c %8lld ", w->entry->id.s,
	    w->entry->held ? '!' : ' ', (long long)w->mf.size);
	show_time(b, (time_t)(env->time / 1000000));
	buf_adds(b, "  ");
	add_sender(b, env);
	buf_addc(b, '\n');
	for (i = 0; i < env->nrcpt; i++) {
		if (w->rcpt[i].final)
			continue;
		buf_adds(b, INDENT "  ");
		show_text(b, env->rcpt[i].addr);
		buf_addc(b, '\n');
		add_reason(b, v, &w->rcpt[i]);
	}
	buf_addc(b, '\n');
}

static void
table_foot(struct buf *b, const struct listing *l, size_t n, uint64_t octets)
{
	size_t skipped = queue_skipped(l->queue);

	if (n == 0) {
		buf_reset(b);
		buf_printf(b, "%s\n", l->pick->n == 0 ?
		    "Mail queue is empty" : "No message is meant");
	} else
		buf_printf(b, "-- %" PRIu64 " Kbytes in %zu message%s\n",
		    (octets + 1023) / 1024, n, n == 1 ? "" : "s");
	if (skipped != 0)
		buf_printf(b, "-- %zu other %s in %s, ignored\n", skipped,
		    skipped == 1 ? "file" : "files", l->conf->spool != NULL ?
		    l->conf->spool : "the spool");
}

/* --- one message in detail ---------------------------------------------- */

struct history {
	struct buf	*b;
	const struct waiting *w;
	const char	*sep;
};

static const char *
event_name(enum journal_type type)
{
	switch (type) {
	case JOURNAL_ATTEMPT:
		return "deferred";
	case JOURNAL_DELIVERED:
		return "delivered";
	case JOURNAL_RELAYED:
		return "relayed";
	case JOURNAL_FAILED:
		return "failed";
	case JOURNAL_CONFIRMED:
		return "confirmed";
	case JOURNAL_WARNED:
		return "warned";
	default:
		return "reported";
	}
}

/* The recipient that a record is about, NULL: the whole message. */
static const char *
address_of(const struct waiting *w, const struct journal_record *r)
{
	return r->rcpt < w->mf.env.nrcpt ? w->mf.env.rcpt[r->rcpt].addr : NULL;
}

static void
detail_event(void *arg, const struct journal_record *r)
{
	struct history *h = arg;
	const char *address = address_of(h->w, r);

	buf_adds(h->b, "  ");
	show_time(h->b, (time_t)(r->time / 1000000));
	buf_printf(h->b, "  %s", event_name(r->type));
	if (address != NULL) {
		buf_addc(h->b, ' ');
		show_text(h->b, address);
	}
	if (r->rcpt != JOURNAL_ALL) {
		buf_adds(h->b, ": ");
		add_result(h->b, &r->result);
	}
	buf_addc(h->b, '\n');
}

static const char *
rcpt_status(const struct recipient *to)
{
	if (to->expanded)
		return "expanded";
	if (to->failed)
		return "failed";
	if (to->final)
		return "delivered";
	return to->attempts != 0 ? "deferred" : "new";
}

static const char *
state_of(const struct queue_entry *e)
{
	return e->held ? "held" : e->place == IN_DROP ? "new" : "waiting";
}

static void
add_user(struct buf *b, uid_t uid)
{
	struct passwd *pw = getpwuid(uid);

	buf_printf(b, "uid %lu", (unsigned long)uid);
	if (pw == NULL)
		return;
	buf_adds(b, " (");
	show_text(b, pw->pw_name);
	buf_addc(b, ')');
}

static void
detail_message(struct buf *b, const struct view *v)
{
	const struct waiting *w = v->w;
	const struct envelope *env = &w->mf.env;
	struct history h = { b, w, "" };
	time_t next = next_of(v);
	size_t i;

	buf_printf(b, "%s: %s", w->entry->id.s, state_of(w->entry));
	if (next > 0) {
		buf_adds(b, ", next attempt ");
		show_time(b, next);
	} else if (next == 0)
		buf_adds(b, ", due now");
	buf_adds(b, "\nsubmitted  ");
	show_time(b, (time_t)(env->time / 1000000));
	buf_adds(b, " by ");
	add_user(b, env->uid);
	buf_printf(b, "\nsize       %lld octets\nsender     ",
	    (long long)w->mf.size);
	add_sender(b, env);
	buf_addc(b, '\n');
	for (i = 0; i < env->nrcpt; i++) {
		buf_adds(b, "recipient  ");
		show_text(b, env->rcpt[i].addr);
		buf_printf(b, " (%s)\n", rcpt_status(&w->rcpt[i]));
		if (!w->rcpt[i].final)
			add_reason(b, v, &w->rcpt[i]);
	}
	buf_adds(b, "history\n");
	(void)queue_journal(v->l->queue, &w->entry->id, detail_event, &h);
	buf_addc(b, '\n');
}

static void
no_foot(struct buf *b, const struct listing *l, size_t n, uint64_t octets)
{
	(void)b;
	(void)l;
	(void)n;
	(void)octets;
}

/* --- JSON --------------------------------------------------------------- */

/* What a result says: ,"dsn":...,"host":...,"reply":... */
static void
json_result(struct buf *b, const struct result *r)
{
	buf_adds(b, ",\"dsn\":");
	show_json(b, r != NULL ? result_esc(r) : NULL);
	buf_adds(b, ",\"host\":");
	show_json(b, r != NULL && r->host[0] != '\0' ? r->host : NULL);
	buf_adds(b, ",\"reply\":");
	show_json(b, r != NULL ? r->text : NULL);
}

static void
json_rcpt(struct buf *b, const struct view *v, size_t i)
{
	const struct recipient *to = &v->w->rcpt[i];
	struct result mine;

	buf_adds(b, "{\"address\":");
	show_json(b, v->w->mf.env.rcpt[i].addr);
	buf_printf(b, ",\"status\":\"%s\"", rcpt_status(to));
	json_result(b, to->final && !to->failed ? NULL : cause(v, to, &mine));
	buf_printf(b, ",\"attempts\":%u}", to->attempts);
}

static void
json_event(void *arg, const struct journal_record *r)
{
	struct history *h = arg;

	buf_printf(h->b, "%s{\"time\":%" PRIu64 ",\"event\":\"%s\","
	    "\"address\":", h->sep, r->time / 1000000, event_name(r->type));
	show_json(h->b, address_of(h->w, r));
	json_result(h->b, r->rcpt != JOURNAL_ALL ? &r->result : NULL);
	buf_addc(h->b, '}');
	h->sep = ",";
}

static void
json_message(struct buf *b, const struct view *v)
{
	const struct waiting *w = v->w;
	const struct envelope *env = &w->mf.env;
	const struct queue_entry *e = w->entry;
	struct history h = { b, w, "" };
	const char *sep = "";
	size_t i;

	buf_printf(b, "{\"id\":\"%s\",\"time\":%" PRIu64 ",\"size\":%lld,"
	    "\"sender\":", e->id.s, env->time / 1000000,
	    (long long)w->mf.size);
	show_json(b, env->sender);
	buf_printf(b, ",\"uid\":%lu,\"state\":\"%s\",\"next\":",
	    (unsigned long)env->uid, state_of(e));
	if (e->place == IN_DROP || e->held)
		buf_adds(b, "null");
	else
		buf_printf(b, "%lld", (long long)e->next);
	buf_adds(b, ",\"recipients\":[");
	for (i = 0; i < env->nrcpt; i++) {
		if (w->rcpt[i].final && !v->l->detail)
			continue;
		buf_adds(b, sep);
		json_rcpt(b, v, i);
		sep = ",";
	}
	buf_addc(b, ']');
	if (v->l->detail) {
		buf_adds(b, ",\"history\":[");
		(void)queue_journal(v->l->queue, &e->id, json_event, &h);
		buf_addc(b, ']');
	}
	buf_adds(b, "}\n");
}

static const struct form table = {
	"-Queue ID-----------  --Size-- ---Submitted at----  "
	"-Sender/Recipient-----\n", table_message, table_foot
};
static const struct form detail = { "", detail_message, no_foot };
static const struct form json = { "", json_message, no_foot };

/* --- all ---------------------------------------------------------------- */

static size_t
count_open(const struct waiting *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->mf.env.nrcpt; i++)
		n += !w->rcpt[i].final;
	return n;
}

/* What the runner puts off because it could not record the outcome. */
static bool
is_cramped(const struct listing *l, const struct waiting *w)
{
	size_t n = count_open(w);

	return n >= 2 && !w->entry->held && w->entry->next <= l->now &&
	    !queue_may_reserve(l->queue, &w->entry->id, n);
}

/*
 * Whether the user of E has as much as the runner takes: it takes them as
 * they come, which is the order of the entries.
 */
static bool
is_full(struct usage *usage, const struct conf *conf,
    const struct queue_entry *e)
{
	const struct usage_limit limit = { conf->user_messages,
	    conf->user_size };
	struct user *user = usage_of(usage, e->uid);
	bool full;

	full = e->place == IN_DROP && !usage_has_room(user, &limit, e->size);
	usage_add(user, e->size);
	return full;
}

/* Whether it was written. */
static bool
write_one(const struct listing *l, const struct queue_entry *e, bool full,
    const struct form *form, struct buf *b)
{
	struct waiting w;
	struct view v = { l, &w, full, false };
	bool meant = false;

	if (!pick_may_take(l->pick, e->id.s) ||
	    waiting_read(l->queue, e, &w) == -1)
		return false;
	if ((meant = pick_takes(l->pick, &w))) {
		v.cramped = is_cramped(l, &w);
		form->message(b, &v);
	}
	waiting_clear(&w);
	return meant;
}

int
listing_write(const struct listing *l, const struct entries *all,
    struct buf *b, int (*flush)(struct buf *))
{
	const struct form *form = l->json ? &json : l->detail ? &detail :
	    &table;
	struct usage *usage = usage_new();
	uint64_t octets = 0;
	size_t i, n = 0;
	int ret = 0;
	bool full;

	buf_adds(b, form->head);
	for (i = 0; i < all->n && ret == 0; i++) {
		full = is_full(usage, l->conf, &all->e[i]);
		if (!write_one(l, &all->e[i], full, form, b))
			continue;
		octets += (uint64_t)all->e[i].size;
		n++;
		if (flush != NULL)
			ret = flush(b);
	}
	form->foot(b, l, n, octets);
	if (flush != NULL && ret == 0)
		ret = flush(b);
	usage_free(usage, NULL);
	return ret;
}
