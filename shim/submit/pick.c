/* SPDX-License-Identifier: ISC */
/* A match is looked for in all that the letter names; then "!" turns it. */
#include "config.h"

#include "submit/pick.h"

#include <string.h>

#include "base/xmalloc.h"
#include "submit/waiting.h"

static const char kinds[] = "IRS";

char *
pick_add(struct pick *p, const char *arg)
{
	const char *s = arg;
	bool not = *s == '!';

	s += not;
	if (*s == '\0' || strchr(kinds, *s) == NULL)
		return xasprintf("-q%s is not supported; -q takes I, R or S "
		    "and a part of the identifier, of a recipient or of the "
		    "sender", arg);
	if (s[1] == '\0')
		return xasprintf("-q%s needs the part to look for", arg);
	if (p->n == PICK_MAX)
		return xasprintf("-q%s: there are more than %d of these",
		    arg, PICK_MAX);
	p->term[p->n].kind = *s;
	p->term[p->n].not = not;
	p->term[p->n++].part = s + 1;
	return NULL;
}

bool
pick_needs_envelope(const struct pick *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->term[i].kind != 'I')
			return true;
	return false;
}

static bool
has(const char *s, const char *part)
{
	return strcasestr(s, part) != NULL;
}

static bool
names_rcpt(const struct waiting *w, const char *part)
{
	size_t i;

	for (i = 0; i < w->mf.env.nrcpt; i++)
		if (!w->rcpt[i].final && has(w->mf.env.rcpt[i].addr, part))
			return true;
	return false;
}

static bool
is_match(const struct waiting *w, char kind, const char *part)
{
	switch (kind) {
	case 'I':
		return has(w->entry->id.s, part);
	case 'R':
		return names_rcpt(w, part);
	default:
		return has(w->mf.env.sender, part);
	}
}

bool
pick_may_take(const struct pick *p, const char *id)
{
	bool asked = false;
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->term[i].kind != 'I')
			continue;
		asked = true;
		if (has(id, p->term[i].part) != p->term[i].not)
			return true;
	}
	return !asked;
}

bool
pick_takes(const struct pick *p, const struct waiting *w)
{
	const char *k;
	bool asked, found;
	size_t i;

	for (k = kinds; *k != '\0'; k++) {
		asked = found = false;
		for (i = 0; i < p->n && !found; i++)
			if (p->term[i].kind == *k) {
				asked = true;
				found = is_match(w, *k, p->term[i].part) !=
				    p->term[i].not;
			}
		if (asked && !found)
			return false;
	}
	return true;
}
