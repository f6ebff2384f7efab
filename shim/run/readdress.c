/* SPDX-License-Identifier: ISC */
/*
 * The new recipients follow the old ones, whose numbers stay: the journal
 * refers to them.  The old ones are marked.
 */
#include "config.h"

#include "run/readdress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "local/expand.h"

/* One round over the recipients of a message. */
struct round {
	struct outcome	*o;
	struct message	*m;
	struct envelope	 env;		/* the new one */
	size_t		 nold;
	bool		 changed;
};

static bool
is_due(const struct conf *conf, const struct load *l, size_t i)
{
	const struct envelope_rcpt *rcpt = &l->mf.env.rcpt[i];
	const char *at = strrchr(rcpt->addr, '@');

	if (l->rcpt[i].state != RCPT_OPEN)
		return false;
	/* the administrator wants it elsewhere now */
	if (rcpt->mailbox)
		return conf->local == CONF_FORWARD;
	return at == NULL || conf_is_local(conf, at + 1);
}

bool
readdress_is_due(const struct conf *conf, const struct load *l)
{
	size_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++)
		if (is_due(conf, l, i))
			return true;
	return false;
}

/* A recipient more, with what the sender wants of reports about OLD. */
static struct envelope_rcpt *
add_rcpt(struct envelope *env, const char *addr,
    const struct envelope_rcpt *old, const char *orcpt)
{
	struct envelope_rcpt *rcpt = envelope_add_rcpt(env, addr);

	rcpt->notify = old->notify;
	rcpt->orcpt = orcpt != NULL ? xstrdup(orcpt) : NULL;
	return rcpt;
}

static void
copy_envelope(struct envelope *to, const struct envelope *from)
{
	const struct envelope_rcpt *rcpt;
	struct envelope_rcpt *copy;
	size_t i;

	envelope_init(to);
	to->uid = from->uid;
	to->time = from->time;
	to->sender = xstrdup(from->sender);
	to->envid = from->envid != NULL ? xstrdup(from->envid) : NULL;
	to->ret = from->ret;
	to->utf8 = from->utf8;
	to->origin = from->origin;
	for (i = 0; i < from->nrcpt; i++) {
		rcpt = &from->rcpt[i];
		copy = add_rcpt(to, rcpt->addr, rcpt, rcpt->orcpt);
		copy->expanded = rcpt->expanded;
		copy->mailbox = rcpt->mailbox;
	}
}

static void
log_alias(const struct round *r, const char *addr, const struct expansion *x)
{
	size_t i;

	for (i = 0; i < x->nto; i++)
		if (x->to[i].origin != NULL)
			log_info("%s: <%s> is <%s> by %s", r->m->id.s, addr,
			    x->to[i].addr, x->to[i].origin);
	if (x->nto == 0)
		log_info("%s: <%s> is discarded by its alias", r->m->id.s,
		    addr);
}

static void
take(struct round *r, size_t i, const struct expansion *x)
{
	const struct envelope_rcpt *old = &r->m->load->mf.env.rcpt[i];
	struct envelope_rcpt *rcpt;
	size_t k;

	r->changed = true;
	r->env.rcpt[i].expanded = true;
	log_alias(r, old->addr, x);
	for (k = 0; k < x->nto; k++) {
		/* somebody who gets it already gets it once */
		if (envelope_has(&r->env, x->to[k].addr, x->to[k].mailbox))
			continue;
		/* reports name whom the sender named */
		rcpt = add_rcpt(&r->env, x->to[k].addr, old,
		    envelope_orcpt(old));
		rcpt->mailbox = x->to[k].mailbox;
	}
}

static void
expand_one(struct round *r, const struct aliases *aliases, size_t i)
{
	struct expansion x;
	struct result why;
	uint32_t index = (uint32_t)i;

	if (expand(r->o->conf, aliases, r->env.rcpt[i].addr, &x, &why) == -1) {
		outcome_defer(r->o, r->m, &index, 1, &why);
		return;
	}
	take(r, i, &x);
	expansion_clear(&x);
}

/* No alias can be known: all who need one wait. */
static void
put_off(struct round *r, const char *path)
{
	struct result why;
	uint32_t index;
	size_t i;

	result_set(&why, R_CONFIG, "%s: %s", path, strerror(errno));
	for (i = 0; i < r->nold; i++)
		if (is_due(r->o->conf, r->m->load, i)) {
			index = (uint32_t)i;
			outcome_defer(r->o, r->m, &index, 1, &why);
		}
}

static void
expand_all(struct round *r)
{
	const struct conf *conf = r->o->conf;
	struct aliases aliases;
	const char *which;
	size_t i;

	alias_init(&aliases);
	if (alias_load(&aliases, conf->aliases, conf->aliases_default,
	    &which) == -1)
		put_off(r, which);
	else
		for (i = 0; i < r->nold; i++)
			if (is_due(conf, r->m->load, i))
				expand_one(r, &aliases, i);
	alias_clear(&aliases);
}

/* The message with its new envelope, in place of the old one. */
static int
write_file(struct round *r)
{
	struct message *m = r->m;
	struct load *l = m->load;
	struct queue *q = r->o->queue;
	off_t start;
	int fd, rc, error;

	if ((fd = queue_tmpfile(q)) == -1)
		return -1;
	rc = msgfile_readdress(l->fd, &l->mf, &r->env, fd, &start);
	if (rc == 0)
		rc = m->place == IN_DROP ?
		    queue_keep(q, &m->id, fd, r->o->now) :
		    queue_replace(q, &m->id, fd);
	if (rc != 0) {
		error = errno;
		close(fd);
		errno = error;
		return rc;
	}
	m->place = IN_QUEUE;
	close(l->fd);
	l->fd = fd;
	l->mf.start = start;
	return 0;
}

/* What is in the file is what we know. */
static void
adopt(struct round *r)
{
	struct load *l = r->m->load;
	struct envelope old = l->mf.env;
	size_t i;

	l->rcpt = xreallocarray(l->rcpt, r->env.nrcpt, sizeof(l->rcpt[0]));
	memset(&l->rcpt[r->nold], 0,
	    (r->env.nrcpt - r->nold) * sizeof(l->rcpt[0]));
	for (i = 0; i < r->nold; i++)
		if (r->env.rcpt[i].expanded)
			l->rcpt[i].state = RCPT_EXPANDED;
	l->mf.env = r->env;
	r->env = old;
}

int
readdress(struct outcome *o, struct message *m)
{
	struct round r = { .o = o, .m = m };
	int rc = 0;

	copy_envelope(&r.env, &m->load->mf.env);
	r.nold = r.env.nrcpt;
	expand_all(&r);
	if (r.changed)
		rc = write_file(&r);
	if (r.changed && rc == 0)
		adopt(&r);
	envelope_clear(&r.env);
	return rc;
}
