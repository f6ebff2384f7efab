/* SPDX-License-Identifier: ISC */
/*
 * Every error of an override file, for people: unlike a lookup, which
 * looks at the lines of one pattern only, this reads them all, remembers
 * all patterns, and compares the lines of each.  A line that is right but
 * that no lookup will ever use is a warning.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {			/* one line of a readable pattern */
	int			 bad;	/* its action is an error */
	char			*pattern;
	char			*host;
	enum mxhosts_kind	 kind;
	int			 merge;
	uint16_t		 pref;
	uint16_t		 port;
	unsigned int		 lineno;
};

struct complaint {
	unsigned int	 lineno;
	int		 warning;
	char		*text;
};

struct check {
	const struct mxhosts_owners *owners;	/* of the files before */
	char		 pattern[MXHOSTS_MAXLINE + 1];	/* "": unreadable */
	struct seen	*seen;
	size_t		 nseen, seenroom;
	struct complaint *complaint;
	size_t		 ncomplaint, complaintroom;
	int		 nwarnings;
};

static void *
grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more;

	if (n < *room)
		return array;
	more = *room == 0 ? 64 : *room * 2;
	array = reallocarray(array, more, size);
	if (array != NULL)
		*room = more;
	return array;
}

static int
complain(struct check *c, unsigned int lineno, const char *text)
{
	struct complaint *grown;
	char *copy;

	grown = grow(c->complaint, c->ncomplaint, &c->complaintroom,
	    sizeof(*grown));
	if (grown == NULL)
		return -1;
	c->complaint = grown;
	if ((copy = strdup(text)) == NULL)
		return -1;
	grown[c->ncomplaint].lineno = lineno;
	grown[c->ncomplaint].warning = 0;
	grown[c->ncomplaint++].text = copy;
	return 0;
}

static int
warn_of(struct check *c, unsigned int lineno, const char *text)
{
	if (complain(c, lineno, text) == -1)
		return -1;
	c->complaint[c->ncomplaint - 1].warning = 1;
	c->nwarnings++;
	return 0;
}

/* LINE is NULL if it is an error: the pattern is there all the same. */
static int
remember(struct check *c, const struct mxhosts_line *line,
    unsigned int lineno)
{
	static const struct mxhosts_line none = { .kind = MXHOSTS_DEFER };
	struct seen *grown;

	grown = grow(c->seen, c->nseen, &c->seenroom, sizeof(*grown));
	if (grown == NULL)
		return -1;
	c->seen = grown;
	grown += c->nseen;
	grown->bad = line == NULL;
	if (line == NULL)
		line = &none;
	grown->host = NULL;
	if ((grown->pattern = strdup(c->pattern)) == NULL ||
	    (grown->host = strdup(line->host)) == NULL) {
		free(grown->pattern);
		return -1;
	}
	c->nseen++;
	grown->kind = line->kind;
	grown->merge = line->merge;
	grown->pref = line->pref;
	grown->port = line->port == 0 ? 25 : line->port;
	grown->lineno = lineno;
	return 0;
}

static int
bad_action(struct check *c, unsigned int lineno, const char *why)
{
	return complain(c, lineno, why) == -1 ? -1 :
	    remember(c, NULL, lineno);
}

static int
check_line(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	struct check *c = arg;
	struct mxhosts_line line;
	char why[200];
	long len;

	len = mxhosts_split(p, n);
	if (len == -1)
		return 0;
	if (len > 0 && mxhosts_pattern(p, (size_t)len, c->pattern, why,
	    sizeof(why)) == -1) {
		c->pattern[0] = '\0';
		return complain(c, lineno, why);
	}
	if (c->pattern[0] == '\0')
		return complain(c, lineno, "the line is skipped: it begins "
		    "with a blank, and no readable pattern stands above it");
	if (toolong)
		return bad_action(c, lineno,
		    "the line is longer than 4096 octets");
	if (mxhosts_action(p + len, n - (size_t)len, &line, why,
	    sizeof(why)) == -1)
		return bad_action(c, lineno, why);
	return remember(c, &line, lineno);
}

static int
by_pattern(const void *va, const void *vb)
{
	const struct seen *a = va, *b = vb;
	int cmp;

	cmp = strcmp(a->pattern, b->pattern);
	if (cmp != 0)
		return cmp;
	return a->lineno < b->lineno ? -1 : a->lineno > b->lineno;
}

static int
by_line(const void *va, const void *vb)
{
	const struct complaint *a = va, *b = vb;

	return a->lineno < b->lineno ? -1 : a->lineno > b->lineno;
}

/* Why two good lines of one pattern cannot stand together, or NULL. */
static const char *
conflict(const struct seen *sa, const struct seen *sb)
{
	struct mxhosts_line a, b;

	if (sa->bad || sb->bad)
		return NULL;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.kind = sa->kind;
	a.merge = sa->merge;
	b.kind = sb->kind;
	b.merge = sb->merge;
	return mxhosts_conflict(&a, &b);
}

/* Compare each line with the first good one of its pattern. */
static int
check_patterns(struct check *c, size_t *npatterns)
{
	const char *why;
	size_t i, first = 0, good = 0;

	*npatterns = 0;
	if (c->nseen > 0)
		qsort(c->seen, c->nseen, sizeof(c->seen[0]), by_pattern);
	for (i = 0; i < c->nseen; i++) {
		if (i == 0 || strcmp(c->seen[i].pattern,
		    c->seen[first].pattern) != 0) {
			first = good = i;
			(*npatterns)++;
			continue;
		}
		if (c->seen[good].bad)
			good = i;
		if (i - first == MXHOSTS_MAXLINES && complain(c,
		    c->seen[i].lineno, "the pattern has too many lines") == -1)
			return -1;
		why = good == i ? NULL :
		    conflict(&c->seen[good], &c->seen[i]);
		if (why != NULL &&
		    complain(c, c->seen[i].lineno, why) == -1)
			return -1;
	}
	return 0;
}

/* As the lookup orders the lines of a pattern, but by place first. */
static int
by_place(const void *va, const void *vb)
{
	const struct seen *a = va, *b = vb;
	int cmp;

	if ((cmp = strcmp(a->pattern, b->pattern)) != 0 ||
	    (cmp = strcmp(a->host, b->host)) != 0)
		return cmp;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->pref != b->pref)
		return a->pref < b->pref ? -1 : 1;
	return a->lineno < b->lineno ? -1 : a->lineno > b->lineno;
}

static int
same_place(const struct seen *a, const struct seen *b)
{
	return a->kind == b->kind && a->port == b->port &&
	    a->kind <= MXHOSTS_MX && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->pattern, b->pattern) == 0;
}

/* Of the same place named twice in a pattern, only the better one counts. */
static int
check_places(struct check *c)
{
	const struct seen *s;
	char text[400];
	size_t i, first = 0;

	if (c->nseen > 0)
		qsort(c->seen, c->nseen, sizeof(c->seen[0]), by_place);
	for (i = 1; i < c->nseen; i++) {
		s = &c->seen[i];
		if (!same_place(&c->seen[first], s)) {
			first = i;
			continue;
		}
		(void)snprintf(text, sizeof(text), "%s%s is also in line %u, "
		    "which comes first; this line has no effect",
		    s->kind == MXHOSTS_MX ? "mx:" : "", s->host,
		    c->seen[first].lineno);
		if (warn_of(c, s->lineno, text) == -1)
			return -1;
	}
	return 0;
}

static int
by_owned_pattern(const void *va, const void *vb)
{
	const struct mxhosts_owner *a = va, *b = vb;

	return strcmp(a->pattern, b->pattern);
}

static int
by_key(const void *key, const void *owner)
{
	return strcmp(key, ((const struct mxhosts_owner *)owner)->pattern);
}

/* Of an earlier file, or NULL. */
static const struct mxhosts_owner *
owner_of(const struct check *c, const char *pattern)
{
	return c->owners->n == 0 ? NULL : bsearch(pattern, c->owners->owner,
	    c->owners->n, sizeof(*c->owners->owner), by_key);
}

static int
is_first_of_pattern(const struct check *c, size_t i)
{
	return i == 0 ||
	    strcmp(c->seen[i].pattern, c->seen[i - 1].pattern) != 0;
}

/* The first file that has a pattern owns it. */
static int
check_owners(struct check *c)
{
	const struct mxhosts_owner *owner;
	char text[700];
	size_t i;

	for (i = 0; i < c->nseen; i++) {
		if (!is_first_of_pattern(c, i) ||
		    (owner = owner_of(c, c->seen[i].pattern)) == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "the pattern belongs to "
		    "%s:%u, which is read first; its lines here have no "
		    "effect", owner->path, owner->lineno);
		if (warn_of(c, c->seen[i].lineno, text) == -1)
			return -1;
	}
	return 0;
}

/* Adds the patterns that are new; owner_of() does not see them yet. */
static int
add_owners(const struct check *c, struct mxhosts_owners *owners,
    const char *path, size_t *n)
{
	struct mxhosts_owner *grown;
	size_t i;

	for (i = 0; i < c->nseen; i++) {
		if (!is_first_of_pattern(c, i) ||
		    owner_of(c, c->seen[i].pattern) != NULL)
			continue;
		grown = grow(owners->owner, *n, &owners->room, sizeof(*grown));
		if (grown == NULL)
			return -1;
		owners->owner = grown;
		grown += *n;
		if ((grown->pattern = strdup(c->seen[i].pattern)) == NULL)
			return -1;
		grown->path = path;
		grown->lineno = c->seen[i].lineno;
		(*n)++;
	}
	return 0;
}

static int
take_ownership(const struct check *c, struct mxhosts_owners *owners,
    const char *path)
{
	size_t n = owners->n;
	int ret;

	ret = add_owners(c, owners, path, &n);
	owners->n = n;
	if (n > 0)
		qsort(owners->owner, n, sizeof(*owners->owner),
		    by_owned_pattern);
	return ret;
}

void
mxhosts_owners_clear(struct mxhosts_owners *owners)
{
	size_t i;

	for (i = 0; i < owners->n; i++)
		free(owners->owner[i].pattern);
	free(owners->owner);
	memset(owners, 0, sizeof(*owners));
}

static int
has_pattern(const struct check *c, const char *pattern)
{
	size_t lo = 0, hi = c->nseen, mid;
	int cmp;

	if (owner_of(c, pattern) != NULL)
		return 1;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		cmp = strcmp(pattern, c->seen[mid].pattern);
		if (cmp == 0)
			return 1;
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

/* Whether a user's mail would match another pattern but for this one. */
static int
is_covered(const struct check *c, const char *pattern)
{
	char base[MXHOSTS_MAXLINE + 1];
	const char *at = strrchr(pattern, '@'), *p;
	size_t len = strcspn(pattern, "+");

	if (has_pattern(c, "*") || has_pattern(c, at + 1))
		return 1;
	for (p = strchr(at, '.'); p != NULL; p = strchr(p + 1, '.'))
		if (has_pattern(c, p))
			return 1;
	if (len == 0 || pattern + len >= at)
		return 0;
	memcpy(base, pattern, len);
	(void)strlcpy(base + len, at, sizeof(base) - len);
	return has_pattern(c, base);
}

/* "dns" for a user is an exception; it needs a rule, here or elsewhere. */
static int
check_users(struct check *c)
{
	const struct seen *s;
	size_t i;

	for (i = 0; i < c->nseen && !c->owners->more; i++) {
		s = &c->seen[i];
		if (s->kind != MXHOSTS_DNS ||
		    strchr(s->pattern, '@') == NULL ||
		    is_covered(c, s->pattern))
			continue;
		if (warn_of(c, s->lineno, "no other pattern covers this "
		    "user; the line has no effect") == -1)
			return -1;
	}
	return 0;
}

static void
check_free(struct check *c)
{
	size_t i;

	for (i = 0; i < c->nseen; i++) {
		free(c->seen[i].pattern);
		free(c->seen[i].host);
	}
	for (i = 0; i < c->ncomplaint; i++)
		free(c->complaint[i].text);
	free(c->seen);
	free(c->complaint);
	free(c);
}

int
mxhosts_check(const char *path, void (*report)(void *, unsigned int, int,
    const char *), void *arg, struct mxhosts_owners *owners,
    size_t *npatterns, char *err, size_t errsize)
{
	struct check *c;
	size_t i;
	int ret = -1;

	*npatterns = 0;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto nomem;
	c->owners = owners;
	if (mxhosts_read(path, check_line, c, err, errsize) == -1)
		goto out;
	if (check_patterns(c, npatterns) == -1 || check_users(c) == -1 ||
	    check_owners(c) == -1 || take_ownership(c, owners, path) == -1 ||
	    check_places(c) == -1)
		goto nomem;
	if (c->ncomplaint > 0)
		qsort(c->complaint, c->ncomplaint, sizeof(c->complaint[0]),
		    by_line);
	for (i = 0; i < c->ncomplaint; i++)
		report(arg, c->complaint[i].lineno, c->complaint[i].warning,
		    c->complaint[i].text);
	ret = (int)c->ncomplaint - c->nwarnings;
	goto out;
nomem:
	(void)snprintf(err, errsize, "%s: %s", path, strerror(ENOMEM));
out:
	if (c != NULL)
		check_free(c);
	return ret;
}
