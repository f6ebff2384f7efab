/* SPDX-License-Identifier: ISC */
/*
 * Text of a source list -> struct nssconf.  The grammar is that of glibc's
 * nsswitch.conf(5), with the comments of FreeBSD's ('#' anywhere), names
 * limited to [a-z0-9][a-z0-9_-]* and, in files of our own, an argument in
 * parentheses.  Anything else is an error: the list decides where mail
 * goes, so nothing in it is guessed.
 */
#include "config.h"

#include "nssconf.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KEY		"mxhosts"
#define MAXFILE		(1024 * 1024)

const struct nssconf_place nssconf_places[] = {
	{ MXNSS_SYSCONFDIR "/mxnss.conf", 1 },
	{ MXNSS_SYSCONFDIR "/nsswitch.conf", 0 },
	{ NULL, 0 }
};

struct cursor {
	const char	*p;
	const char	*end;
	int		 args;
	char		*err;
	size_t		 errsize;
};

static const char *const statuses[NSS_STATUSES] = {
	"TRYAGAIN", "UNAVAIL", "NOTFOUND", "SUCCESS"
};
static const char *const actions[] = { "continue", "return", "merge" };

/*
 * glibc's defaults, but for TRYAGAIN: while an override cannot be read,
 * mail waits rather than leave by the next source.
 */
static const enum nss_action defaults[NSS_STATUSES] = {
	NSS_RETURN, NSS_CONTINUE, NSS_CONTINUE, NSS_RETURN
};

__attribute__((format(printf, 2, 3)))
static int
fail(struct cursor *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->err, c->errsize, fmt, ap);
	va_end(ap);
	return -1;
}

static int
is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r';
}

static int
is_name(char ch, int first)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
	    (!first && (ch == '_' || ch == '-'));
}

/* An unexpected character for an error message. */
static const char *
shown(char ch, char buf[16])
{
	unsigned char u = (unsigned char)ch;

	if (u > 0x20 && u < 0x7f)
		(void)snprintf(buf, 16, "'%c'", ch);
	else
		(void)snprintf(buf, 16, "octet 0x%02x", u);
	return buf;
}

static void
skip_blanks(struct cursor *c)
{
	while (c->p < c->end && is_blank(*c->p))
		c->p++;
}

static int
at(const struct cursor *c, char ch)
{
	return c->p < c->end && *c->p == ch;
}

/* The letters at the cursor, as an index into WORDS, or -1. */
static int
keyword(struct cursor *c, const char *const *words, size_t n)
{
	const char *start = c->p;
	size_t i, len;

	while (c->p < c->end && ((*c->p >= 'a' && *c->p <= 'z') ||
	    (*c->p >= 'A' && *c->p <= 'Z')))
		c->p++;
	len = (size_t)(c->p - start);
	for (i = 0; i < n; i++)
		if (strlen(words[i]) == len &&
		    strncasecmp(words[i], start, len) == 0)
			return (int)i;
	c->p = start;
	return -1;
}

/* One "[!]STATUS = ACTION". */
static int
parse_criterion(struct cursor *c, struct nss_source *src)
{
	int i, negated, status, action;

	negated = at(c, '!');
	if (negated)
		c->p++;
	status = keyword(c, statuses, NSS_STATUSES);
	if (status == -1)
		return fail(c, "in the brackets after \"%s\": a status must "
		    "be SUCCESS, NOTFOUND, UNAVAIL or TRYAGAIN", src->name);
	skip_blanks(c);
	if (!at(c, '='))
		return fail(c, "\"=\" is missing after %s", statuses[status]);
	c->p++;
	skip_blanks(c);
	action = keyword(c, actions, sizeof(actions) / sizeof(actions[0]));
	if (action == -1)
		return fail(c, "after %s=: an action must be return, "
		    "continue or merge", statuses[status]);
	for (i = 0; i < NSS_STATUSES; i++)
		if ((i == status) != negated)
			src->action[i] = (enum nss_action)action;
	return 0;
}

static int
parse_criteria(struct cursor *c, struct nss_source *src)
{
	c->p++;			/* the bracket */
	skip_blanks(c);
	do {
		if (parse_criterion(c, src) == -1)
			return -1;
		skip_blanks(c);
	} while (c->p < c->end && *c->p != ']' && *c->p != '#');
	if (!at(c, ']'))
		return fail(c, "\"]\" is missing after \"%s\"", src->name);
	c->p++;
	return 0;
}

static int
parse_arg(struct cursor *c, struct nss_source *src)
{
	const char *close;
	size_t len;

	if (!c->args)
		return fail(c, "\"%s(\": an argument is allowed in mxnss.conf "
		    "only", src->name);
	c->p++;
	close = memchr(c->p, ')', (size_t)(c->end - c->p));
	if (close == NULL)
		return fail(c, "\")\" is missing after \"%s\"", src->name);
	len = (size_t)(close - c->p);
	if (len == 0 || len >= sizeof(src->arg) ||
	    memchr(c->p, '\0', len) != NULL)
		return fail(c, "the argument of \"%s\" must have 1 to %zu "
		    "characters", src->name, sizeof(src->arg) - 1);
	memcpy(src->arg, c->p, len);
	src->arg[len] = '\0';
	c->p = close + 1;
	return 0;
}

static int
parse_source(struct cursor *c, struct nss_source *src)
{
	char ch[16];
	size_t len = 0;

	memset(src, 0, sizeof(*src));
	memcpy(src->action, defaults, sizeof(defaults));
	while (c->p < c->end && is_name(*c->p, len == 0)) {
		if (len == sizeof(src->name) - 1)
			return fail(c, "source name \"%.32s...\" is longer "
			    "than 32 characters", src->name);
		src->name[len++] = *c->p++;
	}
	if (len == 0)
		return fail(c, "%s where a source name should begin; a name "
		    "has a-z, 0-9, _ and -", shown(*c->p, ch));
	if (at(c, '(') && parse_arg(c, src) == -1)
		return -1;
	if (c->p < c->end && !is_blank(*c->p) && *c->p != '[' &&
	    *c->p != '#')
		return fail(c, "%s after source \"%s\"; a name has a-z, "
		    "0-9, _ and -", shown(*c->p, ch), src->name);
	for (skip_blanks(c); at(c, '['); skip_blanks(c))
		if (parse_criteria(c, src) == -1)
			return -1;
	return 0;
}

int
nssconf_parse(const char *text, size_t len, int args, struct nssconf *conf,
    char *err, size_t errsize)
{
	struct cursor c = { text, text + len, args, err, errsize };

	memset(conf, 0, sizeof(*conf));
	for (skip_blanks(&c); c.p < c.end && *c.p != '#'; skip_blanks(&c)) {
		if (conf->nsrc == NSSCONF_MAXSOURCES)
			return fail(&c, "more than %d sources",
			    NSSCONF_MAXSOURCES);
		if (parse_source(&c, &conf->src[conf->nsrc]) == -1)
			return -1;
		conf->nsrc++;
	}
	if (conf->nsrc == 0)
		return fail(&c, "no source is named; the default is \"%s\"",
		    NSSCONF_DEFAULT);
	return 0;
}

/* Whether the line is ours: 1, 0, or -1 if it lacks the colon. */
static int
match_line(const char *p, const char *end, const char **value)
{
	const size_t keylen = sizeof(KEY) - 1;

	while (p < end && is_blank(*p))
		p++;
	if ((size_t)(end - p) < keylen || strncasecmp(p, KEY, keylen) != 0)
		return 0;
	p += keylen;
	*value = p;
	while (p < end && is_blank(*p))
		p++;
	if (p < end && *p == ':') {
		*value = p + 1;
		return 1;
	}
	return p == end || p > *value ? -1 : 0;
}

int
nssconf_find(const char *text, size_t len, const char **value,
    size_t *valuelen)
{
	const char *p, *nl, *end = text + len;
	int lineno = 0, match;

	for (p = text; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		lineno++;
		match = match_line(p, nl, value);
		if (match == 0)
			continue;
		*valuelen = match == 1 ? (size_t)(nl - *value) :
		    (size_t)lineno;
		return match == 1 ? lineno : -1;
	}
	return 0;
}

/* The whole file; *LEN 0 and NULL if there is none.  -1 with errno. */
static int
read_file(const char *path, char **text, size_t *len)
{
	struct stat st;
	char *buf = NULL;
	size_t have = 0, room;
	ssize_t n = -1;
	int fd, saved, ret = -1;

	*text = NULL;
	*len = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -1;
		saved = errno;
		if (lstat(path, &st) == -1)
			return 0;
		errno = saved;		/* a link that leads nowhere */
		return -1;
	}
	if (fstat(fd, &st) == -1)
		goto out;
	if (st.st_size > MAXFILE) {
		errno = EFBIG;
		goto out;
	}
	room = (size_t)st.st_size + 1;
	if ((buf = malloc(room)) == NULL)
		goto out;
	while (have < room && (n = read(fd, buf + have, room - have)) > 0)
		have += (size_t)n;
	if (n == -1)
		goto out;
	if (have == room) {		/* it grows under our eyes */
		errno = EAGAIN;
		goto out;
	}
	*text = buf;
	*len = have;
	buf = NULL;
	ret = 0;
out:
	saved = errno;
	free(buf);
	(void)close(fd);
	errno = saved;
	return ret;
}

/* 1: found and good, 0: not in this file, -1: an error. */
static int
load_place(const struct nssconf_place *place, struct nssconf *conf, char *err,
    size_t errsize)
{
	const char *value;
	char why[200], *text;
	size_t len, valuelen;
	int lineno, ret = -1;

	if (read_file(place->path, &text, &len) == -1) {
		(void)snprintf(err, errsize, "%s: cannot be read: %s",
		    place->path, strerror(errno));
		return -1;
	}
	lineno = text == NULL ? 0 :
	    nssconf_find(text, len, &value, &valuelen);
	if (lineno == 0)
		ret = 0;
	else if (lineno == -1)
		(void)snprintf(err, errsize, "%s:%zu: \":\" is missing after "
		    "\"" KEY "\"", place->path, valuelen);
	else if (nssconf_parse(value, valuelen, place->args, conf, why,
	    sizeof(why)) == -1)
		(void)snprintf(err, errsize, "%s:%d: %s", place->path, lineno,
		    why);
	else {
		(void)snprintf(conf->origin, sizeof(conf->origin), "%s:%d",
		    place->path, lineno);
		ret = 1;
	}
	free(text);
	return ret;
}

int
nssconf_load(const struct nssconf_place *places, struct nssconf *conf,
    char *err, size_t errsize)
{
	size_t n;
	int ret;

	for (n = 0; places[n].path != NULL; n++) {
		ret = load_place(&places[n], conf, err, errsize);
		conf->nplaces = n + 1;
		if (ret != 0)
			return ret == 1 ? 0 : -1;
	}
	ret = nssconf_parse(NSSCONF_DEFAULT, sizeof(NSSCONF_DEFAULT) - 1, 0,
	    conf, err, errsize);
	conf->nplaces = n;
	(void)strlcpy(conf->origin, "default", sizeof(conf->origin));
	return ret;
}

void
nssconf_shadowed(const struct nssconf_place *places,
    const struct nssconf *conf, void (*report)(void *, const char *, size_t),
    void *arg)
{
	const char *p, *nl, *end, *value;
	char origin[sizeof(conf->origin)], *text;
	size_t len, lineno;

	for (; places->path != NULL; places++) {
		if (read_file(places->path, &text, &len) == -1)
			continue;
		end = text + len;
		lineno = 0;
		for (p = text; p < end; p = nl + 1) {
			nl = memchr(p, '\n', (size_t)(end - p));
			if (nl == NULL)
				nl = end;
			lineno++;
			if (match_line(p, nl, &value) == 0)
				continue;
			(void)snprintf(origin, sizeof(origin), "%s:%zu",
			    places->path, lineno);
			if (strcmp(origin, conf->origin) != 0)
				report(arg, places->path, lineno);
		}
		free(text);
	}
}

static void
append(char *buf, size_t size, int *failed, const char *text)
{
	if (strlcat(buf, text, size) >= size)
		*failed = 1;
}

int
nssconf_format(const struct nssconf *conf, char *buf, size_t size)
{
	const struct nss_source *src;
	size_t i;
	int st, failed = 0;

	buf[0] = '\0';
	for (i = 0; i < conf->nsrc; i++) {
		src = &conf->src[i];
		append(buf, size, &failed, i == 0 ? "" : " ");
		append(buf, size, &failed, src->name);
		if (src->arg[0] != '\0') {
			append(buf, size, &failed, "(");
			append(buf, size, &failed, src->arg);
			append(buf, size, &failed, ")");
		}
		for (st = NSS_STATUSES - 1; st >= 0; st--) {
			append(buf, size, &failed,
			    st == NSS_STATUSES - 1 ? " [" : " ");
			append(buf, size, &failed, statuses[st]);
			append(buf, size, &failed, "=");
			append(buf, size, &failed, actions[src->action[st]]);
		}
		append(buf, size, &failed, "]");
	}
	return failed ? -1 : 0;
}
