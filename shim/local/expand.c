/* SPDX-License-Identifier: ISC */
/*
 * A name may stand for names: depth first, each path without a loop.  A name
 * that stands for itself means its mailbox.  Nothing is looked up but the
 * aliases; whether there is such a user is found when it gets its mail.
 */
#include "config.h"

#include "local/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/xmalloc.h"

#define MAX_DEPTH	20
#define MAX_INCLUDE	((size_t)16 << 20)

struct level {			/* the names that led here */
	const struct level *up;
	const char	*name;
	const struct alias *alias;
};

struct expander {
	const struct conf *conf;
	const struct aliases *aliases;
	struct expansion *out;
	struct result	*r;
};

struct within {			/* a file of :include: */
	const struct within *up; /* the file that names it, or NULL */
	struct expander	*e;
	const struct level *level;
	const char	*path;
};

static int take_target(struct expander *, const struct level *,
    const struct alias_target *);
static int include(struct expander *, const struct level *,
    const struct within *, const char *path);

char *
expand_user(const char *addr, bool base)
{
	const char *at = strrchr(addr, '@'), *p;
	const char *end = at != NULL ? at : addr + strlen(addr);
	struct buf user = BUF_INIT;
	char *plus;

	for (p = addr; p < end; p++) {
		if (*addr == '"' && *p == '"')
			continue;
		if (*addr == '"' && *p == '\\' && p + 1 < end)
			p++;
		buf_addc(&user, *p);
	}
	if (base && user.len > 0 &&
	    (plus = strchr(user.data + 1, '+')) != NULL)
		*plus = '\0';
	return buf_take(&user);
}

void
expansion_clear(struct expansion *x)
{
	size_t i;

	for (i = 0; i < x->nto; i++) {
		free(x->to[i].addr);
		free(x->to[i].origin);
	}
	free(x->to);
	memset(x, 0, sizeof(*x));
}

static int
fail(struct expander *e, const struct level *level, const char *text)
{
	result_set(e->r, R_CONFIG, "%s: %s: %s",
	    level->alias != NULL ? level->alias->origin : "aliases",
	    level->name, text);
	return -1;
}

static int
add(struct expander *e, const struct level *level, const char *addr,
    bool mailbox)
{
	struct expansion *x = e->out;
	struct expand_to *to;
	size_t i;

	for (i = 0; i < x->nto; i++)
		if (x->to[i].mailbox == mailbox &&
		    addr_compare(x->to[i].addr, addr) == 0)
			return 0;
	if (x->nto == EXPAND_MAX)
		return fail(e, level, "too many recipients");
	/* grows when the number is a power of two */
	if ((x->nto & (x->nto - 1)) == 0)
		x->to = xreallocarray(x->to, x->nto != 0 ? x->nto * 2 : 1,
		    sizeof(x->to[0]));
	to = &x->to[x->nto++];
	to->addr = xstrdup(addr);
	to->mailbox = mailbox;
	to->origin = level->alias != NULL ? xstrdup(level->alias->origin) :
	    NULL;
	return 0;
}

/* ADDR, which names a user of this machine, has no alias any more. */
static int
add_mailbox(struct expander *e, const struct level *level, const char *addr)
{
	char *full;
	int rc;

	if (e->conf->forward != NULL)
		return add(e, level, e->conf->forward, false);
	full = strrchr(addr, '@') != NULL ? xstrdup(addr) :
	    xasprintf("%s@%s", addr, e->conf->hostname);
	rc = add(e, level, full, true);
	free(full);
	return rc;
}

/* The alias of ADDR: of "user+ext", else of "user". */
static const struct alias *
find_alias(const struct expander *e, const char *addr)
{
	char *user = expand_user(addr, false);
	const struct alias *alias = alias_find(e->aliases, user);

	free(user);
	if (alias == NULL) {
		user = expand_user(addr, true);
		alias = alias_find(e->aliases, user);
		free(user);
	}
	return alias;
}

static bool
is_user(const char *addr, const char *name)
{
	char *user = expand_user(addr, true);
	bool is = strcasecmp(user, name) == 0;

	free(user);
	return is;
}

static int
take_name(struct expander *e, const struct level *up, const char *addr)
{
	const struct alias *alias = find_alias(e, addr);
	struct level level = { up, addr, alias };
	const struct level *l;
	size_t i, depth = 0;

	if (alias == NULL) {
		/* RFC 5321 section 4.5.1: there is always a postmaster */
		if (is_user(addr, "MAILER-DAEMON"))
			return take_name(e, up, "postmaster");
		if (is_user(addr, "postmaster"))
			return take_name(e, up, "root");
		return add_mailbox(e, up != NULL ? up : &level, addr);
	}
	if (up != NULL && up->alias == alias)
		return add_mailbox(e, up, addr);
	for (l = up; l != NULL; l = l->up)
		if (l->alias == alias || ++depth > MAX_DEPTH)
			return fail(e, &level, "the aliases go in circles");
	if (alias->wrong != NULL)
		return fail(e, &level, alias->wrong);
	for (i = 0; i < alias->ntarget; i++)
		if (take_target(e, &level, &alias->target[i]) == -1)
			return -1;
	return 0;
}

/* Something is wrong with the file PATH. */
static int
fail_include(struct expander *e, const struct level *level, const char *path,
    const char *text)
{
	struct buf what = BUF_INIT;
	int rc;

	buf_printf(&what, "%s: %s", path, text);
	rc = fail(e, level, buf_str(&what));
	buf_clear(&what);
	return rc;
}

static int
take_included(void *arg, const struct alias_target *t)
{
	const struct within *w = arg;

	return t->kind == ALIAS_INCLUDE ?
	    include(w->e, w->level, w, t->text) :
	    take_target(w->e, w->level, t);
}

static int
include(struct expander *e, const struct level *level,
    const struct within *up, const char *path)
{
	struct within within = { up, e, level, path };
	struct buf text = BUF_INIT;
	const struct within *w;
	size_t depth = 0;
	char *why = NULL;
	int rc;

	for (w = up; w != NULL; w = w->up)
		if (strcmp(w->path, path) == 0 || ++depth > MAX_DEPTH)
			return fail_include(e, level, path,
			    "the files go in circles");
	if (file_read(path, MAX_INCLUDE, &text) == -1)
		rc = fail_include(e, level, path, strerror(errno));
	else {
		rc = alias_include(buf_str(&text), text.len, take_included,
		    &within, &why);
		if (why != NULL)
			fail_include(e, level, path, why);
	}
	free(why);
	buf_clear(&text);
	return rc;
}

static int
take_target(struct expander *e, const struct level *level,
    const struct alias_target *t)
{
	const char *at = strrchr(t->text, '@');
	bool local = at == NULL || conf_is_local(e->conf, at + 1);

	switch (t->kind) {
	case ALIAS_DISCARD:
		e->out->discarded = true;
		return 0;
	case ALIAS_INCLUDE:
		return include(e, level, NULL, t->text);
	case ALIAS_USER:
		return local ? add_mailbox(e, level, t->text) :
		    add(e, level, t->text, false);
	default:
		return local ? take_name(e, level, t->text) :
		    add(e, level, t->text, false);
	}
}

int
expand(const struct conf *conf, const struct aliases *aliases,
    const char *addr, struct expansion *out, struct result *r)
{
	struct expander e = { conf, aliases, out, r };

	memset(out, 0, sizeof(*out));
	if (take_name(&e, NULL, addr) == -1) {
		expansion_clear(out);
		return -1;
	}
	return 0;
}

void
expand_check(const struct conf *conf, const struct aliases *a,
    void (*each)(void *, const char *), void *arg)
{
	struct expansion x;
	struct result r;
	size_t i;

	for (i = 0; i < a->nalias; i++) {
		if (a->alias[i].wrong != NULL)
			continue;
		if (expand(conf, a, a->alias[i].name, &x, &r) == -1)
			each(arg, r.text);
		else
			expansion_clear(&x);
	}
}
