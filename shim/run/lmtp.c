/* SPDX-License-Identifier: ISC */
/*
 * The server is the authority on users of this machine: what it refuses for
 * good is final, and it is the only host there is.
 */
#include "config.h"

#include "run/lmtp.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "run/sending.h"
#include "smtp/net.h"
#include "smtp/smtp.h"

struct lmtp {
	const struct conf *conf;
	struct conn	*conn;		/* or NULL */
	struct smtp	*smtp;
	char		 relay[256];	/* "local[/run/dovecot/lmtp]" */
};

struct turn {			/* of a message */
	struct delivery	*m;
	struct rcptlog	*log;
	bool		 unsure;	/* the server may have it */
	bool		 final;		/* a recipient is */
};

struct lmtp *
lmtp_new(const struct conf *conf)
{
	struct lmtp *l = xcalloc(1, sizeof(*l));

	l->conf = conf;
	snprintf(l->relay, sizeof(l->relay), "local[%.200s]",
	    conf->local_path);
	return l;
}

bool
lmtp_is_connected(const struct lmtp *l)
{
	return l->conn != NULL;
}

void
lmtp_disconnect(struct lmtp *l)
{
	if (l->smtp != NULL)
		smtp_quit(l->smtp);
	smtp_free(l->smtp);
	net_close(l->conn);
	l->smtp = NULL;
	l->conn = NULL;
}

void
lmtp_free(struct lmtp *l)
{
	if (l == NULL)
		return;
	lmtp_disconnect(l);
	free(l);
}

/* --- the session ---------------------------------------------------------- */

/* A connected socket that does not block, or -1 with errno. */
static int
dial_path(const char *path, int ms)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = ms / 1000,
	    .tv_usec = ms % 1000 * 1000 };
	int fd, error;

	if (strlcpy(un.sun_path, path, sizeof(un.sun_path)) >=
	    sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	/* so long it waits for a server that has no time to accept it */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0 &&
	    connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
open_session(struct lmtp *l, struct delivery *m, struct result *r)
{
	struct smtp_io io;
	struct smtp_params params = {
		.hostname = l->conf->hostname,
		.peer = l->relay,
		.lmtp = true,
		.reply_timeout = l->conf->reply_timeout,
		.data_timeout = l->conf->data_timeout,
		.trace = m->trace,
		.trace_arg = m->arg,
	};
	char what[256];
	int fd;

	rcptlog_tell(m, "connecting to %s", l->relay);
	fd = dial_path(l->conf->local_path, l->conf->connect_timeout);
	if (fd == -1) {
		snprintf(what, sizeof(what), "cannot connect to %s",
		    l->conf->local_path);
		result_set_errno(r, R_CONNECT, errno, what);
		return -1;
	}
	l->conn = net_open(fd);
	net_io(l->conn, &io);
	l->smtp = smtp_new(&io, &params);
	if (smtp_greet(l->smtp, r) == 0 &&
	    smtp_hello(l->smtp, SMTP_EHLO_ONLY, r) == 0) {
		smtp_set_trace(l->smtp, NULL, NULL);
		return 0;
	}
	lmtp_disconnect(l);
	return -1;
}

/* --- recipients ----------------------------------------------------------- */

/* RCPT has its result; one that is final goes to disk before all else. */
static void
settle(struct turn *t, struct delivery_rcpt *rcpt)
{
	if (rcpt->final)
		return;
	/* what is delivered here, nobody else will tell of */
	rcpt->relayed = result_is_ok(&rcpt->result) &&
	    (rcpt->notify & DSN_SUCCESS) != 0;
	rcpt->final = !result_is_temporary(&rcpt->result);
	if (!rcpt->final)
		return;
	t->final = true;
	t->m->outcome(t->m->arg, &rcpt, 1);
	rcptlog_line(t->log, rcpt);
}

static void
on_answer(void *arg, struct delivery_rcpt *rcpt)
{
	settle(arg, rcpt);
}

/* Whether some are left, and can be sent now. */
static bool
transaction(struct lmtp *l, struct turn *t, struct delivery_rcpt **rcpt,
    size_t *n)
{
	struct sending sending = { .m = t->m, .who = rcpt, .n = *n,
	    .answered = on_answer, .arg = t };
	struct result r;
	size_t i;

	if (sending_run(&sending, l->smtp, &r) == -1)
		lmtp_disconnect(l);
	t->unsure = sending.unsure;
	for (i = 0; i < *n; i++) {
		if (rcpt[i]->result.host[0] == '\0')
			(void)strlcpy(rcpt[i]->result.host, l->relay,
			    sizeof(rcpt[i]->result.host));
		settle(t, rcpt[i]);
	}
	*n = sending_choose(rcpt, *n, true, rcpt);
	return *n > 0 && l->conn != NULL;
}

/* All recipients, in as many transactions as the server wants. */
static void
serve(struct lmtp *l, struct turn *t)
{
	struct delivery *m = t->m;
	struct delivery_rcpt **rcpt = xcalloc(m->nrcpt, sizeof(*rcpt));
	int64_t began = rcptlog_clock();
	size_t i, n = m->nrcpt;

	for (i = 0; i < n; i++)
		rcpt[i] = &m->rcpt[i];
	while (transaction(l, t, rcpt, &n))
		continue;
	free(rcpt);
	t->log->sending += rcptlog_clock() - began;
}

static void
nobody(const struct lmtp *l, struct delivery *m, struct result *r)
{
	size_t i;

	(void)strlcpy(r->host, l->relay, sizeof(r->host));
	m->is_short = r->code == R_SHORT;
	m->dead = !m->is_short;
	m->why = *r;
	for (i = 0; i < m->nrcpt; i++)
		m->rcpt[i].result = *r;
}

void
lmtp_message(struct lmtp *l, struct delivery *m, struct rcptlog *log)
{
	struct turn t = { .m = m, .log = log };
	struct result r;
	int64_t began;

	if (l->conn != NULL) {
		serve(l, &t);
		/* it may have tired of this session: that is no attempt */
		if (l->conn != NULL || t.unsure || t.final)
			return;
	}
	began = rcptlog_clock();
	if (open_session(l, m, &r) == -1) {
		nobody(l, m, &r);
		return;
	}
	log->connecting += rcptlog_clock() - began;
	if (m->ready != NULL)
		m->ready(m->arg);
	serve(l, &t);
}
