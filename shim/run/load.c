/* SPDX-License-Identifier: ISC */
/*
 * The limits of a message in drop/ are those of the configuration, but never
 * less than the default ones: what sendmail accepted yesterday is not refused
 * because max-size is smaller today.
 */
#include "config.h"

#include "run/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"

#define MIN_SIZE	((uint64_t)50 << 20)
#define MIN_RCPTS	1000

/* What a record says of a recipient that it is about. */
static void
replay_rcpt(struct rcpt *rcpt, const struct journal_record *r)
{
	switch (r->type) {
	case JOURNAL_ATTEMPT:
		rcpt->attempts++;
		break;
	case JOURNAL_DELIVERED:
		rcpt->state = RCPT_SENT;
		break;
	case JOURNAL_RELAYED:
		rcpt->state = RCPT_RELAYED;
		break;
	case JOURNAL_FAILED:
		rcpt->state = RCPT_FAILED;
		break;
	case JOURNAL_REPORTED:
		if (rcpt->state == RCPT_FAILED)
			rcpt->state = RCPT_TOLD;
		break;
	case JOURNAL_CONFIRMED:
		if (rcpt->state == RCPT_RELAYED)
			rcpt->state = RCPT_SENT;
		break;
	case JOURNAL_WARNED:
		break;
	}
}

/* One record of the journal, in order. */
static void
replay(void *arg, const struct journal_record *r)
{
	struct load *l = arg;
	size_t i;

	sched_step(&l->sched, &l->wait, r->time);
	l->reports[NOTICE_FAILED] += r->type == JOURNAL_REPORTED;
	l->reports[NOTICE_RELAYED] += r->type == JOURNAL_CONFIRMED;
	l->reports[NOTICE_DELAYED] += r->type == JOURNAL_WARNED;
	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (r->rcpt == JOURNAL_ALL || r->rcpt == i)
			replay_rcpt(&l->rcpt[i], r);
}

static uint64_t
max_size(const struct conf *conf)
{
	return conf->max_size > MIN_SIZE ? conf->max_size : MIN_SIZE;
}

static size_t
max_rcpts(const struct conf *conf)
{
	return conf->max_rcpts > MIN_RCPTS ? conf->max_rcpts : MIN_RCPTS;
}

bool
load_is_too_large(const struct conf *conf, off_t size)
{
	return (uint64_t)size > queue_file_limit(max_size(conf),
	    max_rcpts(conf));
}

/* In whole pages, or 0. */
static size_t
memory_of(const struct load *l)
{
	size_t page = 4096;

	return !file_is_in_memory(l->fd) ? 0 :
	    ((size_t)(l->mf.start + l->mf.size) / page + 1) * page;
}

static enum load_result
from_drop(struct queue *q, const struct conf *conf, size_t memory,
    struct message *m)
{
	struct load *l = m->load;

	switch (queue_pickup(q, &m->id, max_size(conf), max_rcpts(conf),
	    memory, &l->fd, &l->mf)) {
	case 0:
		l->memory = memory_of(l);
		return LOAD_OK;
	case -1:
		log_warn("%s: cannot take drop/%s: %s; tried again later",
		    m->id.s, m->id.s, strerror(errno));
		return LOAD_LATER;
	default:
		return LOAD_NONE;
	}
}

/* The file is ours, was verified, and is no message any more. */
static enum load_result
poison(struct queue *q, struct message *m, const char *why)
{
	log_err("%s: queue/%s is damaged: %s; moved to dead/", m->id.s,
	    m->id.s, why);
	if (queue_bury(q, &m->id) == 0)
		return LOAD_NONE;
	log_err("%s: cannot be moved to dead/: %s", m->id.s, strerror(errno));
	return LOAD_LATER;
}

static enum load_result
from_queue(struct queue *q, struct message *m)
{
	struct load *l = m->load;
	const char *why;

	if ((l->fd = queue_openmsg(q, &m->id)) == -1) {
		if (errno == ENOENT)
			return LOAD_NONE;
		log_warn("%s: cannot open queue/%s: %s; tried again later",
		    m->id.s, m->id.s, strerror(errno));
		return LOAD_LATER;
	}
	switch (msgfile_read(l->fd, SIZE_MAX, &l->mf, &why)) {
	case 0:
		return LOAD_OK;
	case -1:
		return poison(q, m, why);
	case -3:
		queue_skip_later(q, &m->id);
		return LOAD_NONE;
	default:
		log_warn("%s: cannot read queue/%s: %s; tried again later",
		    m->id.s, m->id.s, why);
		return LOAD_LATER;
	}
}

static struct rcpt *
new_rcpts(const struct envelope *env)
{
	struct rcpt *rcpt = xcalloc(env->nrcpt, sizeof(rcpt[0]));
	size_t i;

	for (i = 0; i < env->nrcpt; i++)
		if (env->rcpt[i].expanded)
			rcpt[i].state = RCPT_EXPANDED;
	return rcpt;
}

enum load_result
load_message(struct queue *q, const struct conf *conf, size_t memory,
    struct message *m)
{
	enum load_result ret;
	struct load *l;

	l = m->load = xcalloc(1, sizeof(*l));
	l->fd = -1;
	ret = m->place == IN_DROP ? from_drop(q, conf, memory, m) :
	    from_queue(q, m);
	if (ret == LOAD_OK) {
		l->rcpt = new_rcpts(&l->mf.env);
		l->sched = sched_of(conf);
		l->wait.at = l->mf.env.time;
		if (queue_journal(q, &m->id, replay, l) == -1) {
			/* without it, mail would be sent twice */
			log_err("%s: cannot read queue/%s.log: %s", m->id.s,
			    m->id.s, strerror(errno));
			ret = LOAD_LATER;
		}
	}
	if (ret != LOAD_OK)
		load_free(m);
	return ret;
}

size_t
load_count(const struct load *l, enum rcpt_state state)
{
	size_t i, n = 0;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		n += l->rcpt[i].state == state;
	return n;
}

uint64_t
load_age(const struct load *l, time_t now)
{
	struct sched_wait w = l->wait;

	sched_step(&l->sched, &w, (uint64_t)now * 1000000);
	return w.sum;
}

int
load_reopen(struct queue *q, struct message *m)
{
	if (m->load->fd == -1)
		m->load->fd = queue_openmsg(q, &m->id);
	return m->load->fd == -1 ? -1 : 0;
}

void
load_park(struct message *m)
{
	if (m->load->fd != -1)
		close(m->load->fd);
	m->load->fd = -1;
}

void
load_free(struct message *m)
{
	struct load *l = m->load;

	if (l == NULL)
		return;
	load_park(m);
	msgfile_clear(&l->mf);
	free(l->rcpt);
	free(l);
	m->load = NULL;
}

/* What the journal knows of a busy recipient that we do not. */
static void
catch_up(struct rcpt *rcpt, const struct rcpt *now)
{
	if (rcpt->state != RCPT_BUSY)
		return;
	if (now->state != RCPT_OPEN)
		rcpt->state = now->state;
	else if (now->attempts > rcpt->attempts) {
		rcpt->state = RCPT_DEFERRED;
		rcpt->attempts = now->attempts;
	}
}

int
load_recover(struct queue *q, struct message *m)
{
	struct load *l = m->load, now;
	struct queue_entry e;
	size_t i;
	int ret;

	/* a worker that was killed after it retired the message */
	if (queue_stat(q, &m->id, &e) == -1 && errno == ENOENT) {
		l->retired = true;
		return 0;
	}
	now = *l;
	now.rcpt = new_rcpts(&l->mf.env);
	if ((ret = queue_journal(q, &m->id, replay, &now)) == 0)
		for (i = 0; i < l->mf.env.nrcpt; i++)
			catch_up(&l->rcpt[i], &now.rcpt[i]);
	free(now.rcpt);
	return ret;
}
