/* SPDX-License-Identifier: ISC */
/*
 * The parser of aliases(5).  A target is one word: quotes keep blanks, commas
 * and colons in it, and what only addresses have is not divided.  Programs and
 * files as targets are refused: they would run, or be written, as somebody
 * else than the user whose mail it is.
 */
#include "config.h"

#include "local/alias.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/result.h"
#include "base/xmalloc.h"

#define MAX_FILE	((size_t)16 << 20)
#define INCLUDE		":include:"

void
alias_init(struct aliases *a)
{
	memset(a, 0, sizeof(*a));
}

static void
alias_free(struct alias *one)
{
	size_t i;

	for (i = 0; i < one->ntarget; i++)
		free(one->target[i].text);
	free(one->target);
	free(one->name);
	free(one->origin);
	free(one->wrong);
}

void
alias_clear(struct aliases *a)
{
	size_t i;

	for (i = 0; i < a->nalias; i++)
		alias_free(&a->alias[i]);
	for (i = 0; i < a->nerrors; i++)
		free(a->errors[i]);
	free(a->alias);
	free(a->errors);
	alias_init(a);
}

/* --- words ---------------------------------------------------------------- */

struct scan {
	const char	*p;
	const char	*end;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct scan *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
}

/* Where in a word we are. */
struct nesting {
	char		end;	/* of a quoted string and the like, or '\0' */
	unsigned	depth;	/* of comments */
	bool		path;	/* between < and > */
	bool		group;	/* between : and ; */
};

/*
 * Commas divide nothing in what C begins: a quoted string, and where it
 * IS_ADDRESS a comment, domain literal, path with a route and group (RFC 5322
 * sections 3.2.2, 3.4 and 4.4).
 */
static void
go_in(struct nesting *w, char c, bool is_address)
{
	if (c == '"' || (is_address && (c == '(' || c == '['))) {
		w->end = c == '"' ? '"' : c == '(' ? ')' : ']';
		w->depth = 1;
	} else if (is_address) {
		w->path = c == '<' || (w->path && c != '>');
		w->group = (c == ':' && !w->path) || (w->group && c != ';');
	}
}

static void
go_out(struct nesting *w, char c)
{
	if (c == '(' && w->end == ')')
		w->depth++;
	else if (c == w->end && --w->depth == 0)
		w->end = '\0';
}

/*
 * One word as it stands, up to a comma or STOP outside quotes, without the
 * blanks around it.  NULL, or what is wrong.
 */
static const char *
read_word(struct scan *s, char stop, struct buf *word)
{
	struct nesting w = { .end = '\0' };
	const char *start, *last;
	bool is_address;

	skip_blanks(s);
	is_address = stop == ',' && s->p < s->end &&
	    strchr(":|/\\", *s->p) == NULL;
	for (start = last = s->p; s->p < s->end; s->p++) {
		if (w.end == '\0' && !w.path && !w.group &&
		    (*s->p == ',' || *s->p == stop))
			break;
		if (w.end == '\0')
			go_in(&w, *s->p, is_address);
		else if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		else
			go_out(&w, *s->p);
		if (!is_blank(*s->p))
			last = s->p + 1;
		if (*s->p == 0x7f || (*s->p >= 0 && *s->p < ' ' &&
		    !is_blank(*s->p)))
			return "a control character";
	}
	if (w.end == '"')
		return "a quoted string is not closed";
	if (w.group)
		return "the ; of a group is missing";
	buf_reset(word);
	buf_add(word, start, (size_t)(last - start));
	return NULL;
}

/* WORD without quotes, if they are around all of it. */
static char *
unquote(const struct buf *word)
{
	const char *p = buf_str(word), *end = p + word->len;
	struct buf b = BUF_INIT;

	if (word->len < 2 || *p != '"' || strchr(p + 1, '"') != end - 1)
		return xstrdup(p);
	for (p++, end--; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		buf_addc(&b, *p);
	}
	return buf_take(&b);
}

/* --- targets -------------------------------------------------------------- */

static void
add_target(struct alias *one, enum alias_kind kind, char *text)
{
	one->target = xreallocarray(one->target, one->ntarget + 1,
	    sizeof(one->target[0]));
	one->target[one->ntarget++] = (struct alias_target){ kind, text };
}

/* An address, which may lack its domain, as RFC 5321 writes it. */
static const char *
add_address(struct alias *one, enum alias_kind kind, const struct addr *a)
{
	const char *why = NULL;
	char *spec;

	if (a->spec[0] == '\0')
		return "it is empty";
	spec = addr_complete(a, "", &why);
	if (spec == NULL)
		return why;
	if (!a->has_domain)	/* nothing was there to complete it with */
		spec[strlen(spec) - 1] = '\0';
	add_target(one, kind, spec);
	return NULL;
}

static const char *
on_address(void *arg, const struct addr *a)
{
	return add_address(arg, ALIAS_ADDRESS, a);
}

static const char *
on_user(void *arg, const struct addr *a)
{
	return add_address(arg, ALIAS_USER, a);
}

/* What WORD is, which may be a group; NULL, or what is wrong: the caller's. */
static char *
read_target(const struct buf *word, struct alias *one)
{
	char *plain = unquote(word), *wrong = NULL;
	const char *why = NULL;
	size_t n = one->ntarget;

	if (plain[0] == '|') {
		wrong = xasprintf("\"%s\": no program is run; give an "
		    "address", plain);
	} else if (strcmp(plain, "/dev/null") == 0) {
		add_target(one, ALIAS_DISCARD, xstrdup(plain));
	} else if (plain[0] == '/') {
		wrong = xasprintf("\"%s\": no file is written; give an address",
		    plain);
	} else if (strncasecmp(plain, INCLUDE, strlen(INCLUDE)) == 0) {
		if (plain[strlen(INCLUDE)] != '/')
			wrong = xasprintf("\"%s\": the path must begin with /",
			    plain);
		else
			add_target(one, ALIAS_INCLUDE,
			    xstrdup(plain + strlen(INCLUDE)));
	} else if (plain[0] == '\\') {
		(void)addr_list(plain + 1, strlen(plain + 1), on_user, one,
		    &why);
		if (why == NULL && one->ntarget == n)
			why = "it is empty";
	} else {
		(void)addr_list(buf_str(word), word->len, on_address, one,
		    &why);
	}
	if (why != NULL)
		wrong = xasprintf("\"%s\" is not an address: %s", plain, why);
	free(plain);
	return wrong;
}

/* All targets of a line, divided by commas. */
static char *
read_targets(struct scan *s, struct alias *one)
{
	struct buf word = BUF_INIT;
	const char *why = NULL;
	char *wrong = NULL;

	while (s->p < s->end && wrong == NULL) {
		why = read_word(s, ',', &word);
		if (why != NULL) {
			wrong = xstrdup(why);
			break;
		}
		s->p += s->p < s->end;	/* the comma */
		if (word.len != 0)
			wrong = read_target(&word, one);
	}
	if (wrong == NULL && one->ntarget == 0)
		wrong = xstrdup("it names nobody");
	buf_clear(&word);
	return wrong;
}

/* --- lines ---------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
report(struct aliases *a, const char *origin, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	buf_printf(&b, "%s: ", origin);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	result_clean(b.data);
	a->errors = xreallocarray(a->errors, a->nerrors + 1,
	    sizeof(a->errors[0]));
	a->errors[a->nerrors++] = buf_take(&b);
}

static struct alias *
add_alias(struct aliases *a)
{
	/* grows when the number is a power of two */
	if ((a->nalias & (a->nalias - 1)) == 0)
		a->alias = xreallocarray(a->alias,
		    a->nalias != 0 ? a->nalias * 2 : 1, sizeof(a->alias[0]));
	memset(&a->alias[a->nalias], 0, sizeof(a->alias[0]));
	return &a->alias[a->nalias++];
}

/* A logical line, which is not empty. */
static void
parse_line(struct aliases *a, const char *origin, const char *p, size_t n)
{
	struct scan s = { p, p + n };
	struct buf word = BUF_INIT;
	struct alias *one;
	const char *why;

	why = read_word(&s, ':', &word);
	if (why == NULL && (s.p == s.end || *s.p != ':'))
		why = "it is not \"name: address, ...\"";
	if (why == NULL && word.len == 0)
		why = "the name is missing";
	if (why == NULL && memchr(word.data, '@', word.len) != NULL)
		why = "a name has no domain: aliases are for users of this "
		    "machine; to reroute a domain see mxhosts(5)";
	if (why != NULL) {
		report(a, origin, "%s", why);
		buf_clear(&word);
		return;
	}
	s.p++;
	one = add_alias(a);
	one->name = unquote(&word);
	one->origin = xstrdup(origin);
	one->wrong = read_targets(&s, one);
	if (one->wrong != NULL) {
		result_clean(one->wrong);
		report(a, origin, "%s: %s", one->name, one->wrong);
	}
	buf_clear(&word);
}

struct lines {
	struct aliases	*a;
	const char	*path;
	struct buf	 text;		/* the logical line so far */
	unsigned	 first;		/* where it began */
};

static void
end_line(struct lines *l)
{
	char *origin;

	if (l->text.len == 0)
		return;
	origin = xasprintf("%s:%u", l->path, l->first);
	parse_line(l->a, origin, l->text.data, l->text.len);
	free(origin);
	buf_reset(&l->text);
}

/* Lines that are empty or comments count nowhere. */
static void
take_line(struct lines *l, unsigned number, const char *p, size_t n)
{
	struct scan s = { p, p + n };
	char *origin;

	skip_blanks(&s);
	if (s.p == s.end || *s.p == '#')
		return;
	if (s.p == p) {
		end_line(l);
		l->first = number;
	} else if (l->text.len == 0) {
		origin = xasprintf("%s:%u", l->path, number);
		report(l->a, origin, "it continues a line, but there is none");
		free(origin);
		return;
	}
	buf_addc(&l->text, ' ');
	buf_add(&l->text, p, n);
}

void
alias_parse(struct aliases *a, const char *path, const char *text, size_t n)
{
	const char *end = text + n, *nl;
	struct lines l = { a, path, BUF_INIT, 0 };
	unsigned number = 0;

	for (; text < end; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		if (nl == NULL)
			nl = end;
		take_line(&l, ++number, text, (size_t)(nl - text));
	}
	end_line(&l);
	buf_clear(&l.text);
}

static int
compare(const void *ap, const void *bp)
{
	const struct alias *a = ap, *b = bp;
	int rc = strcasecmp(a->name, b->name);

	if (rc != 0)
		return rc;
	return a->order < b->order ? -1 : a->order > b->order;
}

void
alias_sort(struct aliases *a)
{
	struct alias *kept = NULL;
	size_t i, n = 0;

	for (i = 0; i < a->nalias; i++)
		a->alias[i].order = i;
	if (a->nalias > 0)
		qsort(a->alias, a->nalias, sizeof(a->alias[0]), compare);
	for (i = 0; i < a->nalias; i++) {
		if (kept != NULL &&
		    strcasecmp(kept->name, a->alias[i].name) == 0) {
			report(a, a->alias[i].origin, "%s is in %s already",
			    kept->name, kept->origin);
			alias_free(&a->alias[i]);
			continue;
		}
		a->alias[n] = a->alias[i];
		kept = &a->alias[n++];
	}
	a->nalias = n;
}

int
alias_load(struct aliases *a, char *const *paths, bool missing_ok,
    const char **which)
{
	struct buf text = BUF_INIT;
	int rc = 0;

	for (; rc == 0 && *paths != NULL; paths++) {
		buf_reset(&text);
		if (file_read(*paths, MAX_FILE, &text) == 0) {
			alias_parse(a, *paths, buf_str(&text), text.len);
		} else if (!missing_ok || errno != ENOENT) {
			*which = *paths;
			rc = -1;
		}
	}
	alias_sort(a);
	buf_clear(&text);
	return rc;
}

const struct alias *
alias_find(const struct aliases *a, const char *name)
{
	size_t low = 0, high = a->nalias, mid;
	int rc;

	while (low < high) {
		mid = low + (high - low) / 2;
		rc = strcasecmp(name, a->alias[mid].name);
		if (rc == 0)
			return &a->alias[mid];
		if (rc < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The targets in the line S, each to EACH; as alias_include(). */
static int
include_line(struct scan *s,
    int (*each)(void *arg, const struct alias_target *), void *arg,
    char **why)
{
	struct alias one = { .target = NULL };
	size_t i;
	int rc = 0;

	*why = read_targets(s, &one);
	if (*why != NULL)
		rc = -1;
	for (i = 0; i < one.ntarget && rc == 0; i++)
		rc = each(arg, &one.target[i]);
	alias_free(&one);
	return rc;
}

int
alias_include(const char *text, size_t n,
    int (*each)(void *arg, const struct alias_target *), void *arg,
    char **why)
{
	const char *end = text + n, *nl;
	unsigned number = 0;
	struct scan s;
	char *wrong;
	int rc = 0;

	for (*why = NULL; text < end && rc == 0; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		if (nl == NULL)
			nl = end;
		number++;
		s = (struct scan){ text, nl };
		skip_blanks(&s);
		if (s.p == s.end || *s.p == '#')
			continue;
		rc = include_line(&s, each, arg, &wrong);
		if (wrong != NULL)
			*why = xasprintf("line %u: %s", number, wrong);
		free(wrong);
	}
	return rc;
}
