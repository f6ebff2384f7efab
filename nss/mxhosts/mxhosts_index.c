/* SPDX-License-Identifier: ISC */
/*
 * An index of one override file: its lines, and for each pattern, folded to
 * lower case, a hash and where its lines begin; about 30 octets for each,
 * beside the lines.  It says which lines are worth reading and nothing
 * more: those are judged as in a pass over all of the file, so that two
 * patterns with the same hash cannot be mistaken for one another.
 */
#include "config.h"

#include "mxhosts/mxhosts_index.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fileid.h"
#include "fnv.h"
#include "mxhosts/mxhosts.h"

#define NONE	UINT32_MAX
#define MAXTEXT	(256 * 1024 * 1024)

/* Kinds of key; part of what is hashed. */
#define KEY_ANY		'*'
#define KEY_DOMAIN	'd'
#define KEY_BELOW	'.'
#define KEY_USER	'@'
#define KEY_HASUSERS	'u'	/* the domain of a user pattern */

struct entry {			/* lines that follow one another */
	uint64_t hash;
	uint32_t next;		/* in the same bucket, later in the file */
	uint32_t off;		/* of the first one in the text */
	uint32_t len;
	uint32_t lineno;	/* 0: of KEY_HASUSERS */
};

struct mxindex {
	char		*text;		/* lines, comments left empty */
	struct entry	*entry;
	uint32_t	 nentry;
	uint32_t	 mask;		/* number of buckets - 1 */
	uint32_t	*bucket;
};

struct builder {
	struct mxhosts_reader reader;
	char		*text;
	size_t		 used, size;
	struct entry	*entry;
	size_t		 n, room;
	size_t		 open;		/* entries that still lack a length */
	uint64_t	 hash;		/* of the latest pattern, or 0 */
	uint64_t	 users;		/* the latest of KEY_HASUSERS, or 0 */
};

static uint64_t
hash_folded(uint64_t h, const char *p, size_t n)
{
	unsigned char c;

	for (; n > 0; n--) {
		c = (unsigned char)*p++;
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		h = fnv_octet(h, c);
	}
	return h;
}

static uint64_t
hash_name(char kind, const char *p, size_t n)
{
	return hash_folded(fnv_octet(FNV_OFFSET, (unsigned char)kind), p, n);
}

static uint64_t
hash_user(const char *user, size_t userlen, const char *p, size_t n)
{
	uint64_t h = fnv_octet(FNV_OFFSET, KEY_USER);

	for (; userlen > 0; userlen--)
		h = fnv_octet(h, (unsigned char)*user++);
	return hash_folded(fnv_octet(h, KEY_USER), p, n);
}

static uint32_t
bucket_of(const struct mxindex *ix, uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32) & ix->mask;
}

/* --- building ------------------------------------------------------------- */

static int
add_entry(struct builder *b, uint64_t hash, size_t off, unsigned int lineno)
{
	struct entry *grown, *e;
	size_t room;

	if (b->n == b->room) {
		room = b->room == 0 ? 64 : b->room * 2;
		if (room >= NONE)
			return -1;
		grown = reallocarray(b->entry, room, sizeof(*grown));
		if (grown == NULL)
			return -1;
		b->entry = grown;
		b->room = room;
	}
	e = &b->entry[b->n++];
	e->hash = hash;
	e->next = NONE;
	e->off = (uint32_t)off;
	e->len = 0;
	e->lineno = lineno;
	return 0;
}

/* The lines of the latest pattern end at OFF. */
static void
close_entries(struct builder *b, size_t off)
{
	for (; b->open < b->n; b->open++)
		b->entry[b->open].len = (uint32_t)off -
		    b->entry[b->open].off;
}

static int
add_text(struct builder *b, const char *p, size_t n)
{
	if (n >= b->size - b->used)
		return -1;	/* larger than it was */
	memcpy(b->text + b->used, p, n);
	b->used += n;
	b->text[b->used++] = '\n';
	return 0;
}

/* What score_pattern() compares; 0 for a pattern that nothing matches. */
static uint64_t
pattern_hash(const char *p, size_t n, uint64_t *users)
{
	const char *at;

	*users = 0;
	if (n == 1 && *p == '*')
		return hash_name(KEY_ANY, "", 0);
	if (n > 1 && p[n - 1] == '.')
		n--;
	if ((at = memrchr(p, '@', n)) != NULL) {
		at++;
		n -= (size_t)(at - p);
		*users = hash_name(KEY_HASUSERS, at, n);
		return hash_user(p, (size_t)(at - p) - 1, at, n);
	}
	if (*p != '*' && *p != '.')
		return hash_name(KEY_DOMAIN, p, n);
	if (*p == '*') {
		p++;
		n--;
	}
	return n < 2 || *p != '.' ? 0 : hash_name(KEY_BELOW, p + 1, n - 1);
}

/* The same for a pattern in Unicode; -1 without memory. */
static int
unicode_hash(const char *p, size_t n, uint64_t *hash, uint64_t *users)
{
	char buf[MXHOSTS_MAXLINE + 2];

	*hash = *users = 0;
	if ((p = mxhosts_ascii(p, &n, buf)) != NULL)
		*hash = pattern_hash(p, n, users);
	return p == NULL && errno == ENOMEM ? -1 : 0;
}

/* A line that is too long stays so: one octet more than the limit. */
static int
index_line(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	struct builder *b = arg;
	uint64_t hash, users;
	size_t off = b->used;
	long len = mxhosts_split(p, n);

	if (add_text(b, p, len == -1 ? 0 : n + (toolong != 0)) == -1)
		return -1;
	if (len <= 0)
		return 0;
	if (mxhosts_is_ascii(p, (size_t)len))
		hash = pattern_hash(p, (size_t)len, &users);
	else if (unicode_hash(p, (size_t)len, &hash, &users) == -1)
		return -1;
	if (hash == b->hash)
		return 0;
	close_entries(b, off);
	b->hash = hash;
	if (hash != 0 && add_entry(b, hash, off, lineno) == -1)
		return -1;
	if (users == 0 || users == b->users)
		return 0;
	b->users = users;
	return add_entry(b, users, off, 0);
}

static uint32_t
find(const struct mxindex *ix, uint32_t i, uint64_t hash)
{
	while (i != NONE && ix->entry[i].hash != hash)
		i = ix->entry[i].next;
	return i;
}

/* Chains the entries in the order of the file. */
static int
link_entries(struct mxindex *ix)
{
	struct entry *e;
	uint32_t *head;
	size_t i, nbucket = 16;

	while (nbucket < ix->nentry)
		nbucket *= 2;
	ix->mask = (uint32_t)(nbucket - 1);
	ix->bucket = reallocarray(NULL, nbucket, sizeof(*ix->bucket));
	if (ix->bucket == NULL)
		return -1;
	for (i = 0; i < nbucket; i++)
		ix->bucket[i] = NONE;
	for (i = ix->nentry; i-- > 0;) {
		e = &ix->entry[i];
		head = &ix->bucket[bucket_of(ix, e->hash)];
		/* One line shows that a domain has users; it may have
		   a hundred thousand. */
		if (e->lineno == 0 && find(ix, *head, e->hash) != NONE)
			continue;
		e->next = *head;
		*head = (uint32_t)i;
	}
	return 0;
}

/* What the builder has gathered becomes the index's. */
static int
take_over(struct mxindex *ix, struct builder *b)
{
	ix->text = b->text;
	b->text = NULL;
	ix->nentry = (uint32_t)b->n;
	ix->entry = reallocarray(b->entry, b->n + 1, sizeof(*ix->entry));
	if (ix->entry == NULL)
		return -1;
	b->entry = NULL;
	return link_entries(ix);
}

struct mxindex *
mxindex_new(const char *path, const struct mxfileid *id)
{
	struct mxindex *ix = NULL;
	struct builder *b;
	struct mxfileid now;
	struct stat st;
	char err[600];

	if (id->size < 0 || id->size > MAXTEXT ||
	    (b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	/* The last line may lack its end, and a long one is cut and marked. */
	b->size = (size_t)id->size + 2;
	b->reader.line = index_line;
	b->reader.arg = b;
	if ((b->text = malloc(b->size)) == NULL ||
	    mxhosts_read_into(path, &b->reader, &st, err, sizeof(err)) != 1)
		goto out;
	mxfileid_set(&now, &st);
	if (!mxfileid_is_same(&now, id) ||
	    (ix = calloc(1, sizeof(*ix))) == NULL)
		goto out;
	close_entries(b, b->used);
	if (take_over(ix, b) == -1) {
		mxindex_free(ix);
		ix = NULL;
	}
out:
	free(b->text);
	free(b->entry);
	free(b);
	return ix;
}

void
mxindex_free(struct mxindex *ix)
{
	if (ix == NULL)
		return;
	free(ix->text);
	free(ix->entry);
	free(ix->bucket);
	free(ix);
}

/* --- asking --------------------------------------------------------------- */

/* The lines of E, as in a pass over the file. */
static int
give_lines(const struct mxindex *ix, const struct entry *e,
    struct mxhosts *mh)
{
	const char *nl, *p = ix->text + e->off, *end = p + e->len;
	unsigned int lineno = e->lineno;
	size_t n;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)(nl - p);
		if (mxhosts_line(mh, lineno++, p, n > MXHOSTS_MAXLINE ?
		    MXHOSTS_MAXLINE : n, n > MXHOSTS_MAXLINE) == -1)
			return -1;
	}
	return 0;
}

static int
ask(const struct mxindex *ix, struct mxhosts *mh, uint64_t hash)
{
	uint32_t i;

	i = find(ix, ix->bucket[bucket_of(ix, hash)], hash);
	for (; i != NONE; i = find(ix, ix->entry[i].next, hash))
		if (give_lines(ix, &ix->entry[i], mh) == -1)
			return -1;
	return 0;
}

static int
ask_domain(const struct mxindex *ix, struct mxhosts *mh)
{
	const char *domain = mh->domain;
	size_t i, len = mh->domainlen;

	if (ask(ix, mh, hash_name(KEY_ANY, "", 0)) == -1 ||
	    ask(ix, mh, hash_name(KEY_DOMAIN, domain, len)) == -1)
		return -1;
	for (i = 1; i + 1 < len; i++)
		if (domain[i] == '.' && ask(ix, mh, hash_name(KEY_BELOW,
		    domain + i + 1, len - i - 1)) == -1)
			return -1;
	return 0;
}

static int
ask_users(const struct mxindex *ix, struct mxhosts *mh)
{
	const char *user = mh->user, *plus;
	int ret;

	if (user != NULL) {
		if (ask(ix, mh, hash_user(user, mh->userlen, mh->domain,
		    mh->domainlen)) == -1)
			return -1;
		plus = memchr(user, '+', mh->userlen);
		if (plus != NULL && ask(ix, mh, hash_user(user,
		    (size_t)(plus - user), mh->domain, mh->domainlen)) == -1)
			return -1;
	}
	if (mh->byrcpt)
		return 0;
	/* Without a user, such a line only says that it is there. */
	mh->user = NULL;
	ret = ask(ix, mh, hash_name(KEY_HASUSERS, mh->domain, mh->domainlen));
	mh->user = user;
	return ret;
}

int
mxindex_answer(const struct mxindex *ix, struct mxhosts *mh)
{
	return ask_domain(ix, mh) == -1 || ask_users(ix, mh) == -1 ? -1 : 0;
}
