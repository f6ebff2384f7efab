/* SPDX-License-Identifier: ISC */
/*
 * A report is made once, whatever ends the runner meanwhile, or fails.  That
 * a recipient failed is in the journal of the message before anything else:
 * with that, a report is due.  As long as the journal may say more, or less,
 * than is known here, nobody is told: it is read again first.  The name of a
 * report follows from the message and from the number of reports that the
 * journal tells of.  It is linked into queue/ under that name; then the
 * journal says so; only then may it go.  Who comes after a crash finds whom it
 * is about, and makes it again under the same name, which exists; or finds
 * the last record too.
 */
#include "config.h"

#include "run/bounce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/dsn.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "run/load.h"

/* The kinds of reports. */
static const struct {
	enum rcpt_state	 before;	/* of those who are reported */
	enum rcpt_state	 after;
	unsigned	 wanted;	/* by this in NOTIFY */
	enum journal_type record;
	const char	*name;		/* in the log */
} kinds[] = {
	[NOTICE_FAILED] = { RCPT_FAILED, RCPT_TOLD, DSN_FAILURE,
	    JOURNAL_REPORTED, "non-delivery" },
	[NOTICE_RELAYED] = { RCPT_RELAYED, RCPT_SENT, DSN_SUCCESS,
	    JOURNAL_CONFIRMED, "delivery status" },
	[NOTICE_DELAYED] = { RCPT_DEFERRED, RCPT_DEFERRED, DSN_DELAY,
	    JOURNAL_WARNED, "delay" },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == NOTICE_MAX,
    "a row for each kind");

struct reasons {
	const struct load *load;
	struct notice_rcpt **last; /* of each recipient that needs one */
};

static int64_t
age_of(const struct outcome *o, const struct load *l)
{
	return (int64_t)(load_age(l, o->now) / 1000000);
}

/* --- reasons -------------------------------------------------------------- */

/* The last result of each recipient that is to be reported or given up. */
static void
collect(void *arg, const struct journal_record *r)
{
	struct reasons *rs = arg;

	if (r->rcpt >= rs->load->mf.env.nrcpt || rs->last[r->rcpt] == NULL ||
	    (r->type != JOURNAL_ATTEMPT && r->type != JOURNAL_FAILED &&
	    r->type != JOURNAL_RELAYED))
		return;
	rs->last[r->rcpt]->result = r->result;
	rs->last[r->rcpt]->time = (time_t)(r->time / 1000000);
}

static void
reasons_free(struct reasons *rs)
{
	size_t i;

	for (i = 0; i < rs->load->mf.env.nrcpt; i++)
		free(rs->last[i]);
	free(rs->last);
}

static int
reasons_read(struct outcome *o, struct message *m, struct reasons *rs)
{
	const struct load *l = m->load;
	enum rcpt_state state;
	size_t i;

	rs->load = l;
	rs->last = xcalloc(l->mf.env.nrcpt, sizeof(rs->last[0]));
	for (i = 0; i < l->mf.env.nrcpt; i++) {
		state = l->rcpt[i].state;
		if (state != RCPT_FAILED && state != RCPT_RELAYED &&
		    state != RCPT_DEFERRED)
			continue;
		rs->last[i] = xcalloc(1, sizeof(*rs->last[i]));
		rs->last[i]->rcpt = &l->mf.env.rcpt[i];
		rs->last[i]->time = o->now;
		result_set(&rs->last[i]->result, state == RCPT_RELAYED ?
		    R_SENT : state == RCPT_FAILED ? R_REFUSED : R_LOCALERR,
		    "no reason known");
	}
	if (queue_journal(o->queue, &m->id, collect, rs) == 0)
		return 0;
	log_err("%s: cannot read the journal: %s", m->id.s, strerror(errno));
	return -1;
}

/* --- too old -------------------------------------------------------------- */

static bool
is_over(const struct outcome *o, const struct load *l, size_t i)
{
	return l->rcpt[i].state == RCPT_DEFERRED &&
	    sched_is_over(o->sched, age_of(o, l), l->rcpt[i].attempts);
}

static int
give_up(struct outcome *o, struct message *m, struct reasons *rs, size_t i)
{
	struct journal_record rec;
	struct result *r = &rs->last[i]->result, last = *r;

	result_set(r, R_EXPIRED, "not delivered in %lld hours; last: %s",
	    (long long)(age_of(o, m->load) / 3600), last.text);
	memcpy(r->host, last.host, sizeof(r->host));
	rec.type = JOURNAL_FAILED;
	rec.time = (uint64_t)o->now * 1000000;
	rec.rcpt = i;
	rec.result = *r;
	if (queue_record(o->queue, &m->id, &rec, 1) == -1) {
		log_err("%s: cannot write the journal: %s; not given up yet",
		    m->id.s, strerror(errno));
		return -1;
	}
	outcome_log(o, m, i, r);
	m->load->rcpt[i].state = RCPT_FAILED;
	return 0;
}

/* --- reports -------------------------------------------------------------- */

static bool
is_wanted(const struct load *l, size_t i, enum notice_kind kind)
{
	return l->rcpt[i].state == kinds[kind].before &&
	    dsn_wants(l->mf.env.rcpt[i].notify, kinds[kind].wanted);
}

static bool
is_due(const struct outcome *o, const struct load *l, enum notice_kind kind)
{
	size_t i;

	if (kind != NOTICE_DELAYED)
		return load_count(l, kinds[kind].before) != 0;
	if (l->reports[kind] != 0 || l->mf.env.sender[0] == '\0' ||
	    !sched_is_late(o->sched, age_of(o, l)))
		return false;
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (is_wanted(l, i, kind))
			return true;
	return false;
}

/* Make the report to those who want it: 1, 0 nobody does, or -1. */
static int
make(struct outcome *o, struct message *m, const struct reasons *rs,
    enum notice_kind kind, struct msgid *name)
{
	const struct load *l = m->load;
	struct notice n = { .kind = kind, .id = &m->id, .mf = &l->mf,
	    .to = l->mf.env.sender, .nth = l->reports[kind], .now = o->now,
	    .until = (time_t)(((uint64_t)o->now * 1000000 -
	    load_age(l, o->now)) / 1000000) + (time_t)o->sched->expire };
	struct notice_rcpt *to;
	size_t i;
	int ret;

	if (n.to[0] == '\0')
		return 0;
	n.rcpt = to = xcalloc(l->mf.env.nrcpt, sizeof(to[0]));
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (is_wanted(l, i, kind))
			to[n.nrcpt++] = *rs->last[i];
	ret = n.nrcpt == 0 ? 0 : load_reopen(o->queue, m);
	if (ret == 0 && n.nrcpt != 0) {
		n.fd = l->fd;
		ret = notice_make(o->queue, o->conf, &n, name) == 0 ? 1 : -1;
	}
	free(to);
	return ret;
}

/* Nobody hears of it but the administrator. */
static void
log_failures(const struct message *m, const struct reasons *rs)
{
	const struct load *l = m->load;
	size_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++) {
		if (l->rcpt[i].state != RCPT_FAILED)
			continue;
		if (!is_wanted(l, i, NOTICE_FAILED))
			log_info("%s: no report about <%s>: the sender asked "
			    "for none", m->id.s, l->mf.env.rcpt[i].addr);
		else if (l->mf.env.sender[0] == '\0')
			log_err("%s: mail without a sender for <%s> cannot be "
			    "delivered: %s", m->id.s, l->mf.env.rcpt[i].addr,
			    rs->last[i]->result.text);
	}
}

static int
tell(struct outcome *o, struct message *m, const struct reasons *rs,
    enum notice_kind kind)
{
	struct journal_record rec = { .type = kinds[kind].record,
	    .time = (uint64_t)o->now * 1000000, .rcpt = JOURNAL_ALL };
	struct load *l = m->load;
	struct msgid *name = &o->made[o->nmade];
	size_t i;
	int made;

	if ((made = make(o, m, rs, kind, name)) == -1) {
		log_err("%s: cannot make a report for <%s>: %s; tried again "
		    "later", m->id.s, l->mf.env.sender, strerror(errno));
		return -1;
	}
	if (made)
		(void)strlcpy(rec.result.text, name->s,
		    sizeof(rec.result.text));
	if (queue_record(o->queue, &m->id, &rec, 1) == -1) {
		log_err("%s: cannot write the journal: %s", m->id.s,
		    strerror(errno));
		return -1;
	}
	if (made)
		log_info_as("bounce", "%s: sender %s notification: %s", m->id.s,
		    kinds[kind].name, name->s);
	if (kind == NOTICE_FAILED)
		log_failures(m, rs);
	o->nmade += made;
	l->reports[kind]++;
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == kinds[kind].before)
			l->rcpt[i].state = kinds[kind].after;
	return 0;
}

int
bounce(struct outcome *o, struct message *m)
{
	struct load *l = m->load;
	struct reasons rs;
	bool any = false;
	int kind, ret;
	size_t i;

	for (kind = 0; kind < NOTICE_MAX; kind++)
		any |= is_due(o, l, (enum notice_kind)kind);
	for (i = 0; i < l->mf.env.nrcpt; i++)
		any |= is_over(o, l, i);
	if (!any)
		return 0;
	ret = reasons_read(o, m, &rs);
	/* what could not be recorded may be on disk all the same */
	for (i = 0; ret == 0 && i < l->mf.env.nrcpt; i++)
		if (is_over(o, l, i))
			ret = give_up(o, m, &rs, i);
	if (ret == 0)
		for (kind = 0; kind < NOTICE_MAX; kind++)
			if (is_due(o, l, (enum notice_kind)kind) &&
			    tell(o, m, &rs, (enum notice_kind)kind) == -1)
				ret = -1;
	reasons_free(&rs);
	return ret;
}

/* --- reports that were made before ---------------------------------------- */

struct look {
	const char	*name;
	bool		 found;
};

static void
look_for(void *arg, const struct journal_record *r)
{
	struct look *look = arg;

	look->found |= r->rcpt == JOURNAL_ALL &&
	    strcmp(r->result.text, look->name) == 0;
}

bool
bounce_may_go(struct queue *q, const struct message *m)
{
	const struct msgid *origin = &m->load->mf.env.origin;
	struct look look = { m->id.s, false };
	struct queue_entry e;

	if (origin->s[0] == '\0' ||
	    (queue_stat(q, origin, &e) == -1 && errno == ENOENT))
		return true;
	return queue_journal(q, origin, look_for, &look) == 0 && look.found;
}
