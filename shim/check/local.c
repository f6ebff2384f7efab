/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/checkup.h"

#include <sys/socket.h>

#include <errno.h>
#include <paths.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "local/alias.h"
#include "local/expand.h"

/* --- mailboxes ------------------------------------------------------------ */

void
check_mailbox(struct checkup *c)
{
	const struct conf *conf = c->conf;
	bool lmtp = conf->local == CONF_LMTP;
	char *path;

	if (conf->local == CONF_FORWARD || conf->local == CONF_NONE) {
		report(c->report, MARK_OK, "mailbox", NULL, "%s%s",
		    conf->forward != NULL ? "all mail for users here goes to " :
		    "users here get no mail (local: none)",
		    conf->forward != NULL ? conf->forward : "");
		return;
	}
	path = lmtp ? xstrdup(conf->local_path) : xasprintf("%s/mailbox",
	    c->paths->rundir);
	if (!lmtp && !check_is_shared(c))
		report(c->report, MARK_NOTE, "mailbox", "local: "
		    "forward:ADDRESS sends it elsewhere", "mail for other "
		    "users of this machine waits: there is no mailbox writer");
	else if (check_connect(path, lmtp ? SOCK_STREAM : SOCK_SEQPACKET) == 0)
		report(c->report, MARK_OK, "mailbox", NULL, "%s %s mail for "
		    "users of this machine", path, lmtp ? "takes" : "writes");
	else if (errno == EACCES)
		report(c->report, MARK_NOTE, "mailbox", "run mxcheck as root",
		    "only root and the runner may reach %s", path);
	else
		report(c->report, MARK_WARNING, "mailbox", lmtp ? "start the "
		    "server, or correct local:" : check_has_systemd(c) ?
		    "systemctl enable --now mxnss-mailbox.socket" :
		    "start the runner as root: it starts the writer",
		    "%s: %s: mail for users of this machine waits", path,
		    strerror(errno));
	free(path);
}

/* --- aliases -------------------------------------------------------------- */

struct wrong {
	struct report	*report;
	size_t		 n;
};

static void
tell_wrong(void *arg, const char *text)
{
	struct wrong *w = arg;

	w->n++;
	report(w->report, MARK_FAULT, "aliases", "correct the line; mail for "
	    "the name waits until then", "%s", text);
}

/* Where the mailbox of root is, by what the configuration says. */
static void
add_place(struct buf *b, const struct conf *conf)
{
	switch (conf->local) {
	case CONF_MBOX:
		buf_adds(b, _PATH_MAILDIR "/root");
		break;
	case CONF_MAILDIR:
		buf_printf(b, "the Maildir %s of root", conf->local_path);
		break;
	case CONF_LMTP:
		buf_printf(b, "root at the server of LMTP, %s",
		    conf->local_path);
		break;
	default:
		buf_adds(b, "nobody (local: none): it is returned");
	}
}

static void
tell_expansion(struct checkup *c, const char *name, const struct expansion *x,
    const char *remedy)
{
	bool alone = x->nto == 1 && x->to[0].mailbox &&
	    x->to[0].origin == NULL;
	enum mark mark = MARK_OK;
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < x->nto && !alone; i++)
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", x->to[i].addr);
	if (alone) {
		add_place(&b, c->conf);
		mark = c->conf->local == CONF_NONE ? MARK_WARNING : MARK_NOTE;
	} else if (x->nto == 0) {
		buf_adds(&b, "/dev/null: nobody reads it");
		mark = MARK_WARNING;
	} else if (x->to[0].origin != NULL)
		buf_printf(&b, " (%s)", x->to[0].origin);
	report(c->report, mark, name, mark == MARK_OK ? NULL : remedy,
	    "mail for %s goes to %s", name, buf_str(&b));
	buf_clear(&b);
}

/* Who gets what is sent to NAME, as cron does. */
static void
check_name(struct checkup *c, const struct aliases *a, const char *name)
{
	const struct conf *conf = c->conf;
	char *addr, *remedy;
	struct expansion x;
	struct result r;

	if (!conf_is_local(conf, conf->mail_name)) {
		report(c->report, MARK_OK, name, NULL, "mail for %s goes to "
		    "%s@%s, which is not on this machine", name, name,
		    conf->mail_name);
		return;
	}
	addr = xasprintf("%s@%s", name, conf->mail_name);
	remedy = xasprintf("to have it elsewhere write \"%s: you@...\" in %s",
	    name, conf->aliases[0]);
	if (expand(conf, a, addr, &x, &r) == -1)
		report(c->report, MARK_FAULT, name, "correct the alias",
		    "mail for %s waits: %s", name, r.text);
	else {
		tell_expansion(c, name, &x, remedy);
		expansion_clear(&x);
	}
	free(remedy);
	free(addr);
}

bool
check_read_aliases(struct checkup *c, struct aliases *a)
{
	const char *which;

	if (alias_load(a, c->conf->aliases, c->conf->aliases_default,
	    &which) == 0)
		return true;
	report(c->report, MARK_FAULT, "aliases", "the runner must be able to "
	    "read it; mail for users of this machine waits", "%s: %s", which,
	    strerror(errno));
	return false;
}

void
check_aliases(struct checkup *c)
{
	struct wrong wrong = { c->report, 0 };
	struct aliases a;
	size_t i;

	alias_init(&a);
	if (!check_read_aliases(c, &a)) {
		alias_clear(&a);
		return;
	}
	for (i = 0; i < a.nerrors; i++)
		tell_wrong(&wrong, a.errors[i]);
	expand_check(c->conf, &a, tell_wrong, &wrong);
	if (wrong.n == 0)
		report(c->report, MARK_OK, "aliases", NULL, "nothing is "
		    "wrong with %zu name%s", a.nalias,
		    a.nalias == 1 ? "" : "s");
	check_name(c, &a, "root");
	check_name(c, &a, "postmaster");
	alias_clear(&a);
}
