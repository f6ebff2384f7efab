/* SPDX-License-Identifier: ISC */
/*
 * The end of an attempt.  The sender is told first what there is to tell
 * (bounce.h); then the message is kept for those that wait, or removed.  A
 * message without a sender that failed is moved to dead/ in the end, never
 * dropped.
 */
#include "config.h"

#include "run/outcome.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dsn.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "run/bounce.h"
#include "run/load.h"
#include "run/notice.h"
#include "run/verbose.h"

static uint64_t
usec(const struct outcome *o)
{
	return (uint64_t)o->now * 1000000;
}

void
outcome_tell(const struct message *m, const char *text)
{
	struct verbose *v;

	if (m->reader == -1 || (v = verbose_new(dup(m->reader))) == NULL)
		return;
	verbose_line(v, '=', text);
	verbose_free(v);
}

void
outcome_log(const struct outcome *o, const struct message *m, size_t i,
    const struct result *r)
{
	long age = (long)(o->now - (time_t)(m->load->mf.env.time / 1000000));
	struct buf b = BUF_INIT;

	if (age < 0)		/* the clock was put back */
		age = 0;
	buf_printf(&b, "to=<%s>, relay=%s, delay=%ld, delays=%ld/0/0/0, "
	    "dsn=%s, status=%s (%s)", m->load->mf.env.rcpt[i].addr,
	    r->host[0] != '\0' ? r->host : "none", age, age, result_esc(r),
	    result_status(r), r->text);
	log_info("%s: %s", m->id.s, buf_str(&b));
	outcome_tell(m, buf_str(&b));
	buf_clear(&b);
}

int
outcome_record(struct outcome *o, const struct message *m, uint32_t i,
    const struct result *r, bool relayed)
{
	struct journal_record rec = { .type = journal_type_of(r, relayed),
	    .time = usec(o), .rcpt = i, .result = *r };

	if (queue_record(o->queue, &m->id, &rec, 1) == 0)
		return 0;
	log_err("%s: cannot write the journal: %s; <%s> %s", m->id.s,
	    strerror(errno), m->load->mf.env.rcpt[i].addr, result_is_ok(r) ?
	    "may get the message twice" : "may be tried again");
	return -1;
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
		outcome_log(o, m, rcpt[i], r);
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

/* The next attempt of what waits; not long after the time of a warning. */
static time_t
next_attempt(const struct outcome *o, const struct load *l)
{
	int64_t age = (int64_t)(load_age(l, o->now) / 1000000);
	time_t next = sched_next(o->sched, age, o->now, arc4random());

	return l->reports[NOTICE_DELAYED] != 0 ? next :
	    sched_warn(o->sched, age, next, o->now, arc4random());
}

/* Somebody should have been told that the message failed, and nobody is. */
static bool
is_undeliverable(const struct load *l)
{
	size_t i;

	if (l->mf.env.sender[0] != '\0')
		return false;
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (l->rcpt[i].state == RCPT_TOLD &&
		    dsn_wants(l->mf.env.rcpt[i].notify, DSN_FAILURE))
			return true;
	return false;
}

int
outcome_catch_up(struct outcome *o, struct message *m)
{
	return bounce(o, m);
}

bool
outcome_settle(struct outcome *o, struct message *m, time_t *next)
{
	struct load *l = m->load;
	size_t left;
	int ret;
	bool told;

	if (l->retired || is_deleted(o, m))
		return gone(o, m);
	told = !l->doubt && bounce(o, m) == 0;
	left = l->mf.env.nrcpt - load_count(l, RCPT_SENT) -
	    load_count(l, RCPT_TOLD) - load_count(l, RCPT_EXPANDED);
	*next = sched_next(o->sched, 0, o->now, arc4random());
	if (left == 0) {
		if (is_undeliverable(l))
			return bury(o, m) == 0;
		return retire(o, m) == 0;
	}
	if (told)
		*next = next_attempt(o, l);
	ret = keep(o, m, *next);
	o->kept = ret == 0;
	return ret == 1 && gone(o, m);
}
