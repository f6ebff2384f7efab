/* SPDX-License-Identifier: ISC */
/* The recipients, after their aliases, one destination after the other. */
#include "config.h"

#include "run/now.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "local/expand.h"
#include "run/deliver.h"
#include "run/dest.h"
#include "run/job.h"
#include "run/local.h"
#include "run/verbose.h"
#include "spool/msgfile.h"

struct now {
	const struct conf *conf;
	const char	*id;
	int		 fd;
	bool		 verbose;
	struct msgfile	 mf;
	struct result	*result;	/* of each recipient */
	bool		*done;		/* it has one */
};

/* --- recipients of this machine ------------------------------------------- */

static bool
is_here(const struct now *n, size_t i)
{
	const char *at = strrchr(n->mf.env.rcpt[i].addr, '@');

	return at == NULL || conf_is_local(n->conf, at + 1);
}

/* Room for the results of those that were added. */
static void
make_room(struct now *n, size_t before)
{
	size_t i, nrcpt = n->mf.env.nrcpt;

	n->result = xreallocarray(n->result, nrcpt, sizeof(*n->result));
	n->done = xreallocarray(n->done, nrcpt, sizeof(*n->done));
	for (i = before; i < nrcpt; i++)
		n->done[i] = false;
}

/* The new recipients follow the old one, which is marked. */
static void
expand_one(struct now *n, const struct aliases *aliases, size_t i)
{
	struct envelope *env = &n->mf.env;
	struct envelope_rcpt *rcpt;
	struct expansion x;
	size_t k;

	if (expand(n->conf, aliases, env->rcpt[i].addr, &x,
	    &n->result[i]) == -1) {
		n->done[i] = true;
		return;
	}
	env->rcpt[i].expanded = true;
	for (k = 0; k < x.nto; k++) {
		if (envelope_has(env, x.to[k].addr, x.to[k].mailbox))
			continue;
		rcpt = envelope_add_rcpt(env, x.to[k].addr);
		rcpt->mailbox = x.to[k].mailbox;
		rcpt->notify = env->rcpt[i].notify;
		rcpt->orcpt = xstrdup(envelope_orcpt(&env->rcpt[i]));
	}
	expansion_clear(&x);
}

static void
expand_all(struct now *n)
{
	const struct conf *conf = n->conf;
	size_t i, before = n->mf.env.nrcpt;
	struct aliases aliases;
	const char *which;
	int error = 0;

	alias_init(&aliases);
	if (alias_load(&aliases, conf->aliases, conf->aliases_default,
	    &which) == -1)
		error = errno;
	for (i = 0; i < before; i++) {
		if (!is_here(n, i))
			continue;
		if (error == 0) {
			expand_one(n, &aliases, i);
			continue;
		}
		result_set(&n->result[i], R_CONFIG, "%s: %s", which,
		    strerror(error));
		n->done[i] = true;
	}
	alias_clear(&aliases);
	make_room(n, before);
}

/* --- attempts ------------------------------------------------------------- */

/* There is nothing to record it in. */
static void
on_outcome(void *arg, struct delivery_rcpt *const *rcpt, size_t n)
{
	(void)arg;
	(void)rcpt;
	(void)n;
}

static void
on_trace(void *arg, char dir, const char *line)
{
	struct buf b = BUF_INIT;

	(void)arg;
	verbose_format(&b, dir, line);
	(void)fputs(buf_str(&b), stdout);
	(void)fflush(stdout);
	buf_clear(&b);
}

/* The next recipients from I on that go where that one does. */
static void
collect(const struct now *n, size_t i, const char *dest, struct delivery *m)
{
	const struct envelope *env = &n->mf.env;
	char name[ENVELOPE_MAX_ADDR + 1];

	for (; i < env->nrcpt && m->nrcpt < JOB_MAXRCPT; i++) {
		if (n->done[i] || env->rcpt[i].expanded)
			continue;
		dest_name(&env->rcpt[i], name, sizeof(name));
		if (strcmp(name, dest) != 0)
			continue;
		delivery_rcpt_init(&m->rcpt[m->nrcpt++], &n->mf, (uint32_t)i);
	}
}

/* One attempt for recipient I, and for those that go the same way. */
static void
attempt(struct now *n, size_t i)
{
	struct delivery_rcpt rcpt[JOB_MAXRCPT];
	struct delivery m;
	char dest[ENVELOPE_MAX_ADDR + 1];
	struct deliver *d;
	struct local *l;

	delivery_init(&m, &n->mf, n->fd);
	m.id = n->id;
	m.rcpt = rcpt;
	m.outcome = on_outcome;
	m.trace = n->verbose ? on_trace : NULL;
	dest_name(&n->mf.env.rcpt[i], dest, sizeof(dest));
	collect(n, i, dest, &m);
	if (dest_is_local(dest)) {
		l = local_new(n->conf);
		local_message(l, &m);
		local_free(l);
	} else {
		d = deliver_new(n->conf, NULL, dest);
		deliver_message(d, &m);
		deliver_free(d);
	}
	for (i = 0; i < m.nrcpt; i++) {
		n->result[rcpt[i].index] = rcpt[i].result;
		n->done[rcpt[i].index] = true;
	}
}

/* --- the end -------------------------------------------------------------- */

static int
conclude(const struct now *n)
{
	const struct envelope *env = &n->mf.env;
	const struct result *r;
	size_t i, sent = 0, all = 0;
	int code = EX_OK;

	for (i = 0; i < env->nrcpt; i++) {
		if (env->rcpt[i].expanded)
			continue;
		all++;
		r = &n->result[i];
		if (result_is_ok(r)) {
			sent++;
			continue;
		}
		if (code != EX_TEMPFAIL)
			code = result_is_temporary(r) ? EX_TEMPFAIL :
			    EX_UNAVAILABLE;
		printf(NOW_FAILED "<%s>: %s %s%s%s\n", env->rcpt[i].addr,
		    result_esc(r), r->host, r->host[0] != '\0' ? ": " : "",
		    r->text);
	}
	if (code != EX_OK && sent > 0)
		printf(NOW_FAILED "%zu of %zu recipients have it\n", sent,
		    all);
	return fflush(stdout) == 0 ? code : EX_TEMPFAIL;
}

int
now(const struct conf *conf, int fd, const char *id, bool verbose)
{
	struct now n = { .conf = conf, .id = id, .fd = fd,
	    .verbose = verbose };
	const char *why;
	size_t i;
	int code;

	if (conf->nerrors > 0) {
		printf(NOW_FAILED "4.3.5 %s\n", conf->errors[0]);
		return EX_TEMPFAIL;
	}
	if (msgfile_read(fd, SIZE_MAX, &n.mf, &why) != 0) {
		printf(NOW_FAILED "cannot read the message: %s\n", why);
		return EX_TEMPFAIL;
	}
	make_room(&n, 0);
	expand_all(&n);
	for (i = 0; i < n.mf.env.nrcpt; i++)
		if (!n.done[i] && !n.mf.env.rcpt[i].expanded)
			attempt(&n, i);
	code = conclude(&n);
	msgfile_clear(&n.mf);
	free(n.result);
	free(n.done);
	return code;
}
