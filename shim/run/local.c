/* SPDX-License-Identifier: ISC */
/*
 * One recipient after another: each has a mailbox of its own, and what one
 * gets is recorded before the next is tried.
 */
#include "config.h"

#include "run/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "local/expand.h"
#include "local/writer.h"
#include "run/rcptlog.h"

#define WRITER_PATH	MXNSS_RUNDIR "/mailbox"

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

void
local_message(const struct conf *conf, struct delivery *m)
{
	struct rcptlog log = { .m = m };
	struct delivery_rcpt *rcpt;
	size_t i;

	rcptlog_begin(&log);
	if (m->ready != NULL)
		m->ready(m->arg);
	for (i = 0; i < m->nrcpt; i++) {
		rcpt = &m->rcpt[i];
		deliver_one(conf, m, rcpt);
		/* nobody else will tell a sender who wants to know */
		rcpt->relayed = result_is_ok(&rcpt->result) &&
		    (rcpt->notify & DSN_SUCCESS) != 0;
		rcpt->final = !result_is_temporary(&rcpt->result);
		if (rcpt->final)
			m->outcome(m->arg, &rcpt, 1);
		rcptlog_line(&log, rcpt);
	}
}
