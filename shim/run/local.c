/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes that we write: one recipient after another, for each has one of
 * its own, and what one gets is recorded before the next is tried.  Or a
 * server of LMTP does all of it.
 */
#include "config.h"

#include "run/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "local/expand.h"
#include "local/writer.h"
#include "run/lmtp.h"
#include "run/rcptlog.h"

#define WRITER_PATH	MXNSS_RUNDIR "/mailbox"

struct local {
	const struct conf *conf;
	struct lmtp	*lmtp;		/* or NULL */
};

/* Into the mailbox of RCPT, by the way that the configuration says. */
static void
deliver_one(const struct conf *conf, const struct delivery *m,
    struct delivery_rcpt *rcpt)
{
	struct result *r = &rcpt->result;
	struct store s = { .id = m->id, .sender = m->sender,
	    .rcpt = rcpt->addr, .hostname = conf->hostname, .fd = m->fd,
	    .start = m->start, .size = m->size };
	char *user;

	if (conf->local == CONF_MAILDIR)
		s.path = conf->local_path;

	switch (conf->local) {
	case CONF_MAILDIR:
	case CONF_MBOX:
		user = expand_user(rcpt->addr, true);
		s.user = user;
		writer_deliver(&s, WRITER_PATH, r);
		free(user);
		break;
	case CONF_NONE:
		result_set(r, R_NOUSER, "users of this machine get no mail "
		    "(local: none)");
		break;
	default:
		/* the configuration changed: the runner expands it again */
		result_set(r, R_CONFIG, "mail for users of this machine goes "
		    "another way now");
	}
	if (r->host[0] == '\0')
		(void)strlcpy(r->host, "local", sizeof(r->host));
}

/* All recipients, by the mailbox writer or not at all. */
static void
deliver_each(const struct conf *conf, struct delivery *m,
    const struct rcptlog *log)
{
	struct delivery_rcpt *rcpt;
	size_t i;

	if (m->ready != NULL)
		m->ready(m->arg);
	for (i = 0; i < m->nrcpt; i++) {
		rcpt = &m->rcpt[i];
		deliver_one(conf, m, rcpt);
		/* nobody else will tell a sender who wants to know */
		rcpt->relayed = result_is_ok(&rcpt->result) &&
		    (rcpt->notify & DSN_SUCCESS) != 0;
		rcpt->final = !result_is_temporary(&rcpt->result);
		if (rcpt->final) {
			m->outcome(m->arg, &rcpt, 1);
			rcptlog_line(log, rcpt);
		}
	}
}

void
local_message(struct local *l, struct delivery *m)
{
	struct rcptlog log = { .m = m };
	size_t i;

	rcptlog_begin(&log);
	for (i = 0; i < m->nrcpt; i++)
		m->rcpt[i].final = m->rcpt[i].relayed = false;
	if (l->lmtp != NULL)
		lmtp_message(l->lmtp, m, &log);
	else
		deliver_each(l->conf, m, &log);
	for (i = 0; i < m->nrcpt; i++)
		if (!m->rcpt[i].final)
			rcptlog_line(&log, &m->rcpt[i]);
}

struct local *
local_new(const struct conf *conf)
{
	struct local *l = xcalloc(1, sizeof(*l));

	l->conf = conf;
	if (conf->local == CONF_LMTP)
		l->lmtp = lmtp_new(conf);
	return l;
}

bool
local_is_connected(const struct local *l)
{
	return l->lmtp != NULL && lmtp_is_connected(l->lmtp);
}

void
local_disconnect(struct local *l)
{
	if (l->lmtp != NULL)
		lmtp_disconnect(l->lmtp);
}

void
local_free(struct local *l)
{
	if (l == NULL)
		return;
	lmtp_free(l->lmtp);
	free(l);
}
