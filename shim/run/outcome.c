/* SPDX-License-Identifier: ISC */
/*
 * The end of an attempt.  Recipients that failed are reported to the sender
 * first: the report is linked into queue/, then the journal says so; it has
 * one name however often that is repeated, so it is made once.  Then the
 * message is kept for those that wait, or removed.  A message without a
 * sender that failed is moved to dead/ in the end, never dropped.
 */
#include "config.h"

#include "run/outcome.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "run/bounce.h"
#include "run/load.h"
#include "run/verbose.h"

static uint64_t
usec(const struct outcome *o)
{
	return (uint64_t)o->now * 1000000;
}

static void
log_rcpt(const struct outcome *o, const struct message *m, size_t i,
    const struct result *r)
{
	long age = (long)sched_age(m->load->mf.env.time, o->now);
	struct verbose *v;
	struct buf b = BUF_INIT;

	buf_printf(&b, "to=<%s>, relay=%s, delay=%ld, delays=%ld/0/0/0, "
	    "dsn=%s, status=%s (%s)", m->load->mf.env.rcpt[i].addr,
	    r->host[0] != '\0' ? r->host : "none", age, age, result_esc(r),
	    result_status(r), r->text);
	log_info("%s: %s", m->id.s, buf_str(&b));
	if (m->reader != -1 && (v = verbose_new(dup(m->reader))) != NULL) {
		verbose_line(v, '=', buf_str(&b));
		verbose_free(v);
	}
	buf_clear(&b);
}

/* --- attempts that were none -------------------------------------------- */

static void
record_attempts(struct outcome *o, struct message *m, const uint32_t *rcpt,
    size_t n, const struct result *r)
{
	struct journal_record *rec = xcalloc(n, sizeof(rec[0]));
	size_t i;

	for (i = 0; i < n; i++) {
		rec[i].type = JOURNAL_ATTEMPT;
		rec[i].time = usec(o);
		rec[i].rcpt = rcpt[i];
		rec[i].result = *r;
		log_rcpt(o, m, rcpt[i], r);
	}
	/* lost, it costs mailq a reason: the message is safe */
	if (n > 0 && queue_record(o->queue, &m->id, rec, n) == -1)
		log_warn("%s: cannot write the journal: %s", m->id.s,
		    strerror(errno));
	free(rec);
}

void
outcome_defer(struct outcome *o, struct message *m, const uint32_t *rcpt,
    size_t n, const struct result *r)
{
	struct rcpt *to;
	size_t i;

	record_attempts(o, m, rcpt, n, r);
	for (i = 0; i < n; i++) {
		to = &m->load->rcpt[rcpt[i]];
		to->state = RCPT_DEFERRED;
		to->attempts++;
	}
}

void
outcome_hold(struct outcome *o, struct message *m, const uint32_t *rcpt,
    size_t n)
{
	uint32_t *fresh = xcalloc(n, sizeof(fresh[0]));
	struct result r;
	size_t i, nfresh = 0;

	result_set(&r, R_HELD, "a local recipient: this version does not "
	    "deliver mail on its own host");
	for (i = 0; i < n; i++) {
		/* said once is enough */
		if (!m->load->rcpt[rcpt[i]].held)
			fresh[nfresh++] = rcpt[i];
		m->load->rcpt[rcpt[i]].state = RCPT_LOCAL;
	}
	record_attempts(o, m, fresh, nfresh, &r);
	free(fresh);
}

/* --- reasons ------------------------------------------------------------ */

struct reasons {
	const struct load *load;
	struct result	**last;	/* of each recipient that needs one */
};

/* The last result of each recipient that failed or is to be given up. */
static void
collect(void *arg, const struct journal_record *r)
{
	struct reasons *rs = arg;

	if (r->rcpt >= rs->load->mf.env.nrcpt || rs->last[r->rcpt] == NULL ||
	    (r->type != JOURNAL_ATTEMPT && r->type != JOURNAL_FAILED))
		return;
	*rs->last[r->rcpt] = r->result;
}

static bool
is_over(const struct outcome *o, const struct load *l, size_t i)
{
	return l->rcpt[i].state == RCPT_DEFERRED &&
	    sched_is_over(o->sched, sched_age(l->mf.env.time, o->now),
	    l->rcpt[i].attempts);
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
	size_t i;

	rs->load = l;
	rs->last = xcalloc(l->mf.env.nrcpt, sizeof(rs->last[0]));
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_FAILED || is_over(o, l, i)) {
			rs->last[i] = xmalloc(sizeof(struct result));
			result_set(rs->last[i], R_REFUSED, "no reason known");
		}
	return queue_journal(o->queue, &m->id, collect, rs);
}

/* --- too old ------------------------------------------------------------ */

static void
give_up(struct outcome *o, struct message *m, struct reasons *rs, size_t i)
{
	struct journal_record rec;
	struct result *r = rs->last[i];
	char last[sizeof(r->text)], host[sizeof(r->host)];

	memcpy(last, r->text, sizeof(last));
	memcpy(host, r->host, sizeof(host));
	result_set(r, R_EXPIRED, "not delivered in %lld hours; last: %s",
	    (long long)(sched_age(m->load->mf.env.time, o->now) / 3600), last);
	memcpy(r->host, host, sizeof(host));
	rec.type = JOURNAL_FAILED;
	rec.time = usec(o);
	rec.rcpt = i;
	rec.result = *r;
	if (queue_record(o->queue, &m->id, &rec, 1) == -1) {
		log_err("%s: cannot write the journal: %s; not given up yet",
		    m->id.s, strerror(errno));
		return;
	}
	log_rcpt(o, m, i, r);
	m->load->rcpt[i].state = RCPT_FAILED;
}

/* --- telling ------------------------------------------------------------ */

static size_t
count(const struct load *l, enum rcpt_state state)
{
	size_t i, n = 0;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		n += l->rcpt[i].state == state;
	return n;
}

static int
make_report(struct outcome *o, struct message *m, const struct reasons *rs)
{
	const struct load *l = m->load;
	struct bounce b = { .id = &m->id, .mf = &l->mf, .now = o->now };
	struct bounce_rcpt *to;
	size_t i;
	int ret = -1;

	to = xcalloc(l->mf.env.nrcpt, sizeof(to[0]));
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_FAILED) {
			to[b.nrcpt].addr = l->mf.env.rcpt[i].addr;
			to[b.nrcpt++].result = *rs->last[i];
		}
	b.rcpt = to;
	b.nth = (unsigned)count(l, RCPT_TOLD);
	if (load_reopen(o->queue, m) == 0) {
		b.fd = l->fd;
		ret = bounce_make(o->queue, o->conf, &b, &o->report);
	}
	free(to);
	if (ret == 0)
		log_info("%s: sender non-delivery notification: %s", m->id.s,
		    o->report.s);
	return ret;
}

/* Nobody can be told: the administrator is. */
static void
log_failures(const struct message *m, const struct reasons *rs)
{
	const struct load *l = m->load;
	size_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_FAILED)
			log_err("%s: mail without a sender for <%s> cannot "
			    "be delivered: %s", m->id.s, l->mf.env.rcpt[i].addr,
			    rs->last[i]->text);
}

static int
tell(struct outcome *o, struct message *m, const struct reasons *rs)
{
	struct journal_record rec;
	struct load *l = m->load;
	size_t i;

	if (l->mf.env.sender[0] == '\0')
		log_failures(m, rs);
	else if (make_report(o, m, rs) == -1) {
		log_err("%s: cannot make a report for <%s>: %s; tried again "
		    "later", m->id.s, l->mf.env.sender, strerror(errno));
		return -1;
	}
	memset(&rec, 0, sizeof(rec));
	rec.type = JOURNAL_REPORTED;
	rec.time = usec(o);
	rec.rcpt = JOURNAL_ALL;
	if (queue_record(o->queue, &m->id, &rec, 1) == -1) {
		log_err("%s: cannot write the journal: %s", m->id.s,
		    strerror(errno));
		return -1;
	}
	/* only now may it go: gone, it could not be told from one not made */
	o->reported = l->mf.env.sender[0] != '\0';
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_FAILED)
			l->rcpt[i].state = RCPT_TOLD;
	return 0;
}

/* Give up what is too old, and tell the sender of all that failed. */
static void
conclude(struct outcome *o, struct message *m)
{
	struct load *l = m->load;
	struct reasons rs;
	size_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_FAILED || is_over(o, l, i))
			break;
	if (i == l->mf.env.nrcpt)
		return;
	if (reasons_read(o, m, &rs) == 0) {
		for (i = 0; i < l->mf.env.nrcpt; i++)
			if (is_over(o, l, i))
				give_up(o, m, &rs, i);
		if (count(l, RCPT_FAILED) != 0)
			(void)tell(o, m, &rs);
	} else
		log_err("%s: cannot read the journal: %s", m->id.s,
		    strerror(errno));
	reasons_free(&rs);
}

/* --- what is left ------------------------------------------------------- */

/* 1: the message was deleted. */
static int
keep(struct outcome *o, struct message *m, time_t next)
{
	int ret;

	if (m->place == IN_DROP) {
		if ((ret = queue_keep(o->queue, &m->id, m->load->fd,
		    next)) == 0)
			m->place = IN_QUEUE;
	} else if ((ret = queue_set_next(o->queue, &m->id, next)) == -1 &&
	    errno == ENOENT)
		ret = 1;
	if (ret == -1)
		log_warn("%s: cannot keep the message in queue/: %s", m->id.s,
		    strerror(errno));
	return ret;
}

static int
bury(struct outcome *o, struct message *m)
{
	if (m->place == IN_DROP && keep(o, m, o->now) != 0)
		return -1;
	if (queue_bury(o->queue, &m->id) == -1) {
		log_err("%s: cannot be moved to dead/: %s", m->id.s,
		    strerror(errno));
		return -1;
	}
	log_err("%s: neither delivered nor returned: moved to dead/",
	    m->id.s);
	return 0;
}

static int
retire(struct outcome *o, struct message *m)
{
	if (queue_retire(o->queue, m->place, &m->id) == -1) {
		log_err("%s: cannot be removed: %s", m->id.s,
		    strerror(errno));
		return -1;
	}
	log_info("%s: removed", m->id.s);
	return 0;
}

/* By the administrator, or by its submitter in drop/. */
static bool
is_deleted(struct outcome *o, const struct message *m)
{
	struct queue_entry e;

	return queue_stat(o->queue, &m->id, &e) == -1 && errno == ENOENT;
}

static bool
gone(struct outcome *o, struct message *m)
{
	queue_retired(o->queue, m->place, &m->id);
	log_info("%s: removed", m->id.s);
	return true;
}

int
outcome_catch_up(struct outcome *o, struct message *m)
{
	conclude(o, m);
	return count(m->load, RCPT_FAILED) == 0 ? 0 : -1;
}

bool
outcome_settle(struct outcome *o, struct message *m, time_t *next)
{
	struct load *l = m->load;
	size_t left;

	if (l->retired || is_deleted(o, m))
		return gone(o, m);
	conclude(o, m);
	left = l->mf.env.nrcpt - count(l, RCPT_SENT) - count(l, RCPT_TOLD);
	*next = sched_next(o->sched, 0, o->now, arc4random());
	if (left == 0) {
		if (l->mf.env.sender[0] == '\0' && count(l, RCPT_TOLD) != 0)
			return bury(o, m) == 0;
		return retire(o, m) == 0;
	}
	if (left == count(l, RCPT_LOCAL))
		*next = sched_next(o->sched, o->sched->max, o->now,
		    arc4random());
	else if (count(l, RCPT_FAILED) == 0)
		*next = sched_next(o->sched, sched_age(l->mf.env.time,
		    o->now), o->now, arc4random());
	return keep(o, m, *next) == 1 && gone(o, m);
}
