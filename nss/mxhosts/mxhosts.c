/* SPDX-License-Identifier: ISC */
/*
 * Lines of an override file -> the actions for one domain or recipient, in
 * one pass and with constant memory: only the lines of the best pattern so
 * far are kept.  A line that cannot be understood spoils the pattern that
 * it belongs to and no other: mail for it is held, for nobody can tell
 * where the administrator wanted it to go.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns.h"

int
mxhosts_init(struct mxhosts *mh, const char *domain, const char *rcpt)
{
	const char *at;

	memset(mh, 0, offsetof(struct mxhosts, bad));
	mh->bad[0] = mh->pattern[0] = '\0';
	mh->domainlen = strlen(domain);
	if (mh->domainlen >= sizeof(mh->domain))
		return -1;
	memcpy(mh->domain, domain, mh->domainlen + 1);
	mh->unicode = strstr(mh->domain, "xn--") != NULL;
	at = rcpt == NULL ? NULL : strrchr(rcpt, '@');
	if (at != NULL) {
		mh->user = rcpt;
		mh->userlen = (size_t)(at - rcpt);
	}
	return 0;
}

void
mxhosts_newfile(struct mxhosts *mh)
{
	mh->file++;
	mh->current = MXHOSTS_NOMATCH;
}

void
mxhosts_clear(struct mxhosts *mh)
{
	int saved = errno;

	if (mh->room > 0)
		free(mh->line);
	if (mh->lender != NULL)
		mxhosts_give_back(mh);
	else
		free(mh->origin);
	errno = saved;
	mh->line = NULL;
	mh->origin = NULL;
	mh->nline = mh->room = 0;
}

long
mxhosts_split(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && mxhosts_is_blank(p[i]))
		i++;
	if (i == n || p[i] == '#')
		return -1;
	if (i > 0)
		return 0;
	while (i < n && !mxhosts_is_blank(p[i]))
		i++;
	return (long)i;
}

static int
same_domain(const char *p, size_t n, const char *domain, size_t len)
{
	return n == len && strncasecmp(p, domain, n) == 0;
}

static int
score_user(struct mxhosts *mh, const char *p, size_t n)
{
	const char *plus;
	size_t base;

	mh->byrcpt = 1;
	if (mh->user == NULL || n == 0)
		return MXHOSTS_NOMATCH;
	if (n == mh->userlen && memcmp(p, mh->user, n) == 0)
		return MXHOSTS_USEREXT;
	plus = memchr(mh->user, '+', mh->userlen);
	base = plus == NULL ? 0 : (size_t)(plus - mh->user);
	if (n == base && memcmp(p, mh->user, n) == 0)
		return MXHOSTS_USER;
	return MXHOSTS_NOMATCH;
}

/* How well the pattern fits what is looked up. */
static int
score_pattern(struct mxhosts *mh, const char *p, size_t n)
{
	const char *at, *parent;

	if (n == 1 && *p == '*')
		return MXHOSTS_ANY;
	if (n > 1 && p[n - 1] == '.')
		n--;
	if (n > mh->domainlen && (at = memrchr(p, '@', n)) != NULL) {
		at++;
		if (!same_domain(at, n - (size_t)(at - p), mh->domain,
		    mh->domainlen))
			return MXHOSTS_NOMATCH;
		return score_user(mh, p, (size_t)(at - p) - 1);
	}
	if (*p != '*' && *p != '.')
		return same_domain(p, n, mh->domain, mh->domainlen) ?
		    MXHOSTS_DOMAIN : MXHOSTS_NOMATCH;
	if (*p == '*') {
		p++;
		n--;
	}
	if (*p != '.' || n < 2 || n >= mh->domainlen)
		return MXHOSTS_NOMATCH;
	parent = mh->domain + mh->domainlen - n;
	return same_domain(p, n, parent, n) ? MXHOSTS_ANY + (int)n :
	    MXHOSTS_NOMATCH;
}

static void
spoil(struct mxhosts *mh, unsigned int lineno, const char *why)
{
	if (mh->badline != 0)
		return;
	mh->badline = lineno;
	(void)strlcpy(mh->bad, why, sizeof(mh->bad));
}

const char *
mxhosts_conflict(const struct mxhosts_line *a, const struct mxhosts_line *b)
{
	if (a->kind >= MXHOSTS_DNS || b->kind >= MXHOSTS_DNS)
		return "dns, reject and defer must be the only line of "
		    "their pattern";
	if (a->merge != b->merge)
		return "a pattern needs + on all of its lines or on none";
	return NULL;
}

/* Room for one more line, which does not count yet; NULL without memory. */
static struct mxhosts_line *
next_line(struct mxhosts *mh)
{
	struct mxhosts_line *grown;
	size_t room;

	if (mh->nline == mh->room) {
		room = mh->room == 0 ? 1 : mh->room * 2;
		grown = reallocarray(mh->line, room, sizeof(*grown));
		if (grown == NULL) {
			mh->nomem = 1;
			return NULL;
		}
		mh->line = grown;
		mh->room = room;
	}
	return &mh->line[mh->nline];
}

/* A pattern begins: are its lines wanted? */
static void
begin_pattern(struct mxhosts *mh, const char *p, size_t n)
{
	mh->current = score_pattern(mh, p, n);
	if (mh->current > mh->score) {
		if (n >= sizeof(mh->pattern))
			n = sizeof(mh->pattern) - 1;
		memcpy(mh->pattern, p, n);
		mh->pattern[n] = '\0';
		mh->score = mh->current;
		mh->where = mh->file;
		mh->nline = 0;
		mh->badline = 0;
	}
	if (mh->current < mh->score || mh->where != mh->file)
		mh->current = MXHOSTS_NOMATCH;
}

const char *
mxhosts_ascii(const char *p, size_t *n, char *buf)
{
	char err[200];

	if (mxhosts_is_ascii(p, *n))
		return p;
	errno = 0;
	buf[0] = '*';
	if (mxhosts_pattern(p, *n, buf + 1, err, sizeof(err)) == -1)
		return NULL;
	/* "*.domain" and ".domain" are folded to the latter. */
	if (*p != '*')
		buf++;
	*n = strlen(buf);
	return buf;
}

/* Has what mxhosts_line() must not have. */
static int
begin_unicode(struct mxhosts *mh, const char *p, size_t n)
{
	char buf[MXHOSTS_MAXLINE + 2];

	mh->current = MXHOSTS_NOMATCH;
	if ((p = mxhosts_ascii(p, &n, buf)) != NULL)
		begin_pattern(mh, p, n);
	else if (errno == ENOMEM) {
		mh->nomem = 1;
		return -1;
	}
	return 0;
}

/* A rough look: whether the line may begin with the domain. */
static int
is_like_domain(const struct mxhosts *mh, const char *p, size_t n)
{
	const char *d = mh->domain;
	size_t i, len = mh->domainlen;

	if (*p != *d && (*p | 0x20) != *d)
		return 0;
	if (n < len || (n > len && !mxhosts_is_blank(p[len]) && p[len] != '.'))
		return 0;
	for (i = 0; i < len; i++)
		if (p[i] != d[i] && (p[i] | 0x20) != d[i])
			return 0;
	return 1;
}

/*
 * Nearly all lines of a long file neither begin nor continue a pattern that
 * is wanted.  They are told at a glance, and not read.  AT is where the next
 * '@' is, in this line or behind it, or NULL if that is not known.
 */
static inline int
is_idle(struct mxhosts *mh, const char *p, size_t n, const char *at)
{
	if (n == 0 || *p == '#')
		return 1;
	if (mxhosts_is_blank(*p))
		return mh->current == MXHOSTS_NOMATCH;
	if (*p == '*' || *p == '.' || is_like_domain(mh, p, n) ||
	    (at == NULL ? memchr(p, '@', n) != NULL : at < p + n))
		return 0;
	if (mh->unicode && !mxhosts_is_ascii(p, n))
		return 0;
	mh->current = MXHOSTS_NOMATCH;
	return 1;
}

/* A line of a pattern that is wanted. */
static int
take_action(struct mxhosts *mh, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	struct mxhosts_line *line;
	const char *conflict;
	char why[sizeof(mh->bad)];

	if (toolong) {
		spoil(mh, lineno, "the line is longer than 4096 octets");
		return 0;
	}
	if ((line = next_line(mh)) == NULL)
		return -1;
	if (mxhosts_action(p, n, line, why, sizeof(why)) == -1) {
		spoil(mh, lineno, why);
		return 0;
	}
	line->lineno = lineno;
	if (mh->nline > 0 &&
	    (conflict = mxhosts_conflict(&mh->line[0], line)) != NULL)
		spoil(mh, lineno, conflict);
	else if (mh->nline == MXHOSTS_MAXLINES)
		spoil(mh, lineno, "the pattern has too many lines");
	else
		mh->nline++;
	return 0;
}

/* Has no large variables: the compiler would clear them for each line. */
int
mxhosts_line(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	struct mxhosts *mh = arg;
	long len;

	if (is_idle(mh, p, n, NULL) || (len = mxhosts_split(p, n)) == -1)
		return 0;
	if (len > 0 && mxhosts_is_ascii(p, (size_t)len))
		begin_pattern(mh, p, (size_t)len);
	else if (len > 0 && begin_unicode(mh, p, (size_t)len) == -1)
		return -1;
	if (mh->current == MXHOSTS_NOMATCH)
		return 0;
	return take_action(mh, lineno, p + len, n - (size_t)len, toolong);
}

/* The next '@' from P on, or END; the reader knows it from the last time. */
static const char *
next_at(struct mxhosts_reader *r, const char *p, const char *end)
{
	if (r->at == NULL || r->at < p)
		r->at = memchr(p, '@', (size_t)(end - p));
	if (r->at == NULL)
		r->at = end;
	return r->at;
}

const char *
mxhosts_skip(struct mxhosts_reader *r, const char *p, const char *end)
{
	const char *nl;
	size_t n;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		n = (size_t)(nl - p);
		if (n > 0 && p[n - 1] == '\r')
			n--;
		if (!is_idle(r->arg, p, n, next_at(r, p, end)))
			break;
		r->lineno++;
	}
	return p;
}

static int
pattern_user(const char *p, size_t n, char *err, size_t errsize)
{
	size_t i;

	for (i = 0; i < n && p[i] > 0x20 && p[i] < 0x7f; i++)
		;
	if (n > 0 && i == n)
		return 0;
	(void)snprintf(err, errsize, n == 0 ?
	    "a pattern needs a user before the @" :
	    "a character in the pattern's user part is not ASCII");
	return -1;
}

int
mxhosts_pattern(const char *p, size_t n, char *folded, char *err,
    size_t errsize)
{
	const char *at;
	char name[254], text[1013];
	size_t used = 0;

	if (n == 1 && *p == '*') {
		(void)strlcpy(folded, "*", MXHOSTS_MAXLINE + 1);
		return 0;
	}
	if ((at = memrchr(p, '@', n)) != NULL) {
		used = (size_t)(at - p) + 1;
		if (pattern_user(p, used - 1, err, errsize) == -1)
			return -1;
		memcpy(folded, p, used);
	} else if (*p == '.' || (n > 1 && memcmp(p, "*.", 2) == 0)) {
		used = *p == '*' ? 2 : 1;
		folded[0] = '.';
		p += used;
		n -= used;
		used = 1;
		goto domain;
	}
	p += used;
	n -= used;
domain:
	text[0] = '\0';
	if (n < sizeof(text) && memchr(p, '\0', n) == NULL) {
		memcpy(text, p, n);
		text[n] = '\0';
		/* is_idle() relies on what Unicode becomes. */
		if (mxdns_name(text, name, sizeof(name)) == 0 &&
		    (mxhosts_is_ascii(p, n) || strstr(name, "xn--") != NULL)) {
			(void)strlcpy(folded + used, name,
			    MXHOSTS_MAXLINE + 1 - used);
			return 0;
		}
	}
	(void)snprintf(err, errsize, "the line is skipped: its pattern must "
	    "be *, *.domain, domain or user@domain%s", mxdns_why(text));
	return -1;
}

static int
reader_line(struct mxhosts_reader *r, const char *p, size_t n)
{
	int toolong = r->toolong;

	r->toolong = 0;
	r->have = 0;
	r->lineno++;
	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (n > MXHOSTS_MAXLINE) {
		n = MXHOSTS_MAXLINE;
		toolong = 1;
	}
	return r->line(r->arg, r->lineno, p, n, toolong);
}

/* The beginning or a middle part of a line. */
static void
reader_keep(struct mxhosts_reader *r, const char *p, size_t n)
{
	size_t room = sizeof(r->buf) - r->have;

	if (n > room) {
		n = room;
		r->toolong = 1;
	}
	memcpy(r->buf + r->have, p, n);
	r->have += n;
}

int
mxhosts_feed(struct mxhosts_reader *r, const char *p, size_t n)
{
	const char *nl, *end = p + n;
	int ret;

	r->at = NULL;
	for (; p < end; p = nl + 1) {
		if (r->skip != NULL && r->have == 0 &&
		    (p = r->skip(r, p, end)) == end)
			return 0;
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL) {
			reader_keep(r, p, (size_t)(end - p));
			return 0;
		}
		if (r->have == 0)
			ret = reader_line(r, p, (size_t)(nl - p));
		else {
			reader_keep(r, p, (size_t)(nl - p));
			ret = reader_line(r, r->buf, r->have);
		}
		if (ret == -1)
			return -1;
	}
	return 0;
}

int
mxhosts_finish(struct mxhosts_reader *r)
{
	return r->have == 0 ? 0 : reader_line(r, r->buf, r->have);
}
