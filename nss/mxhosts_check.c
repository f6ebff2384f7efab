/* SPDX-License-Identifier: ISC */
/*
 * Every error of an override file, for people: unlike a lookup, which
 * looks at the lines of one pattern only, this reads them all, remembers
 * all patterns, and compares the lines of each.
 */
#include "config.h"

#include "mxhosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {			/* one good line */
	char			*pattern;
	enum mxhosts_kind	 kind;
	int			 merge;
	unsigned int		 lineno;
};

struct complaint {
	unsigned int	 lineno;
	char		*text;
};

struct check {
	char		 pattern[MXHOSTS_MAXLINE + 1];	/* "": unreadable */
	struct seen	*seen;
	size_t		 nseen, seenroom;
	struct complaint *complaint;
	size_t		 ncomplaint, complaintroom;
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
	grown[c->ncomplaint++].text = copy;
	return 0;
}

static int
remember(struct check *c, const struct mxhosts_line *line,
    unsigned int lineno)
{
	struct seen *grown;
	char *copy;

	grown = grow(c->seen, c->nseen, &c->seenroom, sizeof(*grown));
	if (grown == NULL)
		return -1;
	c->seen = grown;
	if ((copy = strdup(c->pattern)) == NULL)
		return -1;
	grown += c->nseen++;
	grown->pattern = copy;
	grown->kind = line->kind;
	grown->merge = line->merge;
	grown->lineno = lineno;
	return 0;
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
		return complain(c, lineno,
		    "the line is longer than 4096 octets");
	if (mxhosts_action(p + len, n - (size_t)len, &line, why,
	    sizeof(why)) == -1)
		return complain(c, lineno, why);
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

/* Compare each line with the first one of its pattern. */
static int
check_patterns(struct check *c, size_t *npatterns)
{
	struct mxhosts_line a, b;
	const char *why;
	size_t i, first = 0;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	*npatterns = 0;
	if (c->nseen > 0)
		qsort(c->seen, c->nseen, sizeof(c->seen[0]), by_pattern);
	for (i = 0; i < c->nseen; i++) {
		if (i == 0 || strcmp(c->seen[i].pattern,
		    c->seen[first].pattern) != 0) {
			first = i;
			(*npatterns)++;
			continue;
		}
		a.kind = c->seen[first].kind;
		a.merge = c->seen[first].merge;
		b.kind = c->seen[i].kind;
		b.merge = c->seen[i].merge;
		why = mxhosts_conflict(&a, &b);
		if (why != NULL &&
		    complain(c, c->seen[i].lineno, why) == -1)
			return -1;
	}
	return 0;
}

static void
check_free(struct check *c)
{
	size_t i;

	for (i = 0; i < c->nseen; i++)
		free(c->seen[i].pattern);
	for (i = 0; i < c->ncomplaint; i++)
		free(c->complaint[i].text);
	free(c->seen);
	free(c->complaint);
	free(c);
}

int
mxhosts_check(const char *path, void (*report)(void *, unsigned int,
    const char *), void *arg, size_t *npatterns, char *err, size_t errsize)
{
	struct check *c;
	size_t i;
	int ret = -1;

	*npatterns = 0;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto nomem;
	if (mxhosts_read(path, check_line, c, err, errsize) == -1)
		goto out;
	if (check_patterns(c, npatterns) == -1)
		goto nomem;
	if (c->ncomplaint > 0)
		qsort(c->complaint, c->ncomplaint, sizeof(c->complaint[0]),
		    by_line);
	for (i = 0; i < c->ncomplaint; i++)
		report(arg, c->complaint[i].lineno, c->complaint[i].text);
	ret = (int)c->ncomplaint;
	goto out;
nomem:
	(void)snprintf(err, errsize, "%s: %s", path, strerror(ENOMEM));
out:
	if (c != NULL)
		check_free(c);
	return ret;
}
