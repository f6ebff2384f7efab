/* SPDX-License-Identifier: ISC */
/*
 * An index of one override file: its lines, and a table with the hash of
 * each pattern, folded to lower case, and where its lines begin; 16 octets
 * in 21 to 43, beside the lines.  It says which lines are worth reading and
 * nothing more: those are judged as in a pass over all of the file, so that
 * two patterns with the same hash cannot be mistaken for one another.
 *
 * With a million patterns it is memory that costs time, so a key that is
 * looked up touches two places: one of the table (open addressing, linear
 * probing) and its lines.  Kinds of pattern that
 * the file does not have are not looked up.
 */
#include "config.h"

#include "mxhosts/mxhosts_index.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fileid.h"
#include "fnv.h"
#include "mxhosts/mxhosts.h"

#define MAXTEXT		(256 * 1024 * 1024)
#define HUGEPAGE	(2 * 1024 * 1024)
#define AHEAD		16	/* entries whose slots are on their way */

/* Kinds of key: the last octet that is hashed. */
enum kind {
	KEY_ANY,
	KEY_DOMAIN,
	KEY_BELOW,		/* "*.domain" and ".domain" */
	KEY_USER,
	KEY_HASUSERS		/* the domain of a user pattern */
};

struct slot {			/* lines that follow one another */
	uint32_t tag;		/* half of the hash */
	uint32_t off;		/* of the first line in the text */
	uint32_t len;		/* 0: the slot is free */
	uint32_t lineno;	/* 0: of KEY_HASUSERS */
};

struct mxindex {
	char		*text;		/* lines, comments left empty */
	struct slot	*slot;
	size_t		 mask;		/* number of slots - 1 */
	unsigned int	 kinds;		/* 1 << KEY_* of those there are */
};

struct entry {			/* what will be a slot */
	uint64_t key;
	uint32_t off, len, lineno;
};

struct builder {
	struct mxhosts_reader reader;
	char		*text;
	size_t		 used, size;
	struct entry	*entry;
	size_t		 n, room;
	size_t		 open;		/* entries that still lack a length */
	uint64_t	 key;		/* of the latest pattern, or 0 */
	uint64_t	 users;		/* the latest of KEY_HASUSERS, or 0 */
	unsigned int	 kinds;
};

/*
 * From its end to its beginning, as then the hashes of all parents come by
 * on the way to that of the domain.
 */
static uint64_t
hash_folded(const char *p, size_t n)
{
	uint64_t h = FNV_OFFSET;
	unsigned char c;

	while (n > 0) {
		c = (unsigned char)p[--n];
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		h = fnv_octet(h, c);
	}
	return h;
}

static uint64_t
key_of(enum kind kind, uint64_t domain)
{
	return fnv_octet(domain, (unsigned char)kind);
}

static uint64_t
key_of_user(uint64_t domain, const char *user, size_t n)
{
	uint64_t h = fnv_octet(domain, '@');

	for (; n > 0; n--)
		h = fnv_octet(h, (unsigned char)*user++);
	return key_of(KEY_USER, h);
}

/* Where to look for it first. */
static size_t
home_of(const struct mxindex *ix, uint64_t key)
{
	return (size_t)(key ^ key >> 32) & ix->mask;
}

static uint32_t
tag_of(uint64_t key)
{
	return (uint32_t)(key >> 32);
}

/* --- building ------------------------------------------------------------- */

/*
 * A lookup jumps about in so much memory that, in small pages, finding where
 * a page is takes longer than reading it.
 */
static void *
alloc_large(size_t size)
{
	void *p = NULL;

	if (size < HUGEPAGE)
		return malloc(size);
	if (posix_memalign(&p, HUGEPAGE, size) != 0)
		return NULL;
#ifdef MADV_HUGEPAGE
	(void)madvise(p, size, MADV_HUGEPAGE);
#endif
	return p;
}

static int
add_entry(struct builder *b, uint64_t key, size_t off, unsigned int lineno)
{
	struct entry *grown, *e;
	size_t room;

	if (b->n == b->room) {
		room = b->room == 0 ? 64 : b->room * 2;
		grown = reallocarray(b->entry, room, sizeof(*grown));
		if (grown == NULL)
			return -1;
		b->entry = grown;
		b->room = room;
	}
	e = &b->entry[b->n++];
	e->key = key;
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

/*
 * The key of what score_pattern() compares; 0 for a pattern that nothing
 * matches.
 */
static uint64_t
pattern_key(const char *p, size_t n, uint64_t *users, enum kind *kind)
{
	const char *at;
	uint64_t h;

	*users = 0;
	*kind = KEY_ANY;
	if (n == 1 && *p == '*')
		return key_of(KEY_ANY, FNV_OFFSET);
	if (n > 1 && p[n - 1] == '.')
		n--;
	if ((at = memrchr(p, '@', n)) != NULL) {
		at++;
		*kind = KEY_USER;
		h = hash_folded(at, n - (size_t)(at - p));
		*users = key_of(KEY_HASUSERS, h);
		return key_of_user(h, p, (size_t)(at - p) - 1);
	}
	if (*p != '*' && *p != '.') {
		*kind = KEY_DOMAIN;
		return key_of(KEY_DOMAIN, hash_folded(p, n));
	}
	if (*p == '*') {
		p++;
		n--;
	}
	*kind = KEY_BELOW;
	return n < 2 || *p != '.' ? 0 :
	    key_of(KEY_BELOW, hash_folded(p + 1, n - 1));
}

/* The same for a pattern in Unicode; -1 without memory. */
static int
unicode_key(const char *p, size_t n, uint64_t *key, uint64_t *users,
    enum kind *kind)
{
	char buf[MXHOSTS_MAXLINE + 2];

	*key = *users = 0;
	if ((p = mxhosts_ascii(p, &n, buf)) != NULL)
		*key = pattern_key(p, n, users, kind);
	return p == NULL && errno == ENOMEM ? -1 : 0;
}

/* A pattern begins at OFF of the text; it may be the latest one again. */
static int
index_pattern(struct builder *b, uint64_t key, uint64_t users, size_t off,
    unsigned int lineno)
{
	if (key == b->key)
		return 0;
	close_entries(b, off);
	b->key = key;
	if (key != 0 && add_entry(b, key, off, lineno) == -1)
		return -1;
	if (users == 0 || users == b->users)
		return 0;
	b->users = users;
	return add_entry(b, users, off, 0);
}

/* A line that is too long stays so: one octet more than the limit. */
static int
index_line(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	struct builder *b = arg;
	enum kind kind = KEY_ANY;
	uint64_t key, users;
	size_t off = b->used;
	long len = mxhosts_split(p, n);

	if (add_text(b, p, len == -1 ? 0 : n + (toolong != 0)) == -1)
		return -1;
	if (len <= 0)
		return 0;
	if (mxhosts_is_ascii(p, (size_t)len))
		key = pattern_key(p, (size_t)len, &users, &kind);
	else if (unicode_key(p, (size_t)len, &key, &users, &kind) == -1)
		return -1;
	b->kinds |= 1U << kind;
	return index_pattern(b, key, users, off, lineno);
}

/*
 * Entry I gets a slot; while the table is built, that holds I + 1 as its
 * length.  Entries with the same key come in the order of the file, but of
 * those that only show that a domain has users one is enough: it may have a
 * hundred thousand.
 */
static void
place_entry(struct mxindex *ix, const struct builder *b, size_t i)
{
	const struct entry *e = &b->entry[i];
	struct slot *s;
	size_t at = home_of(ix, e->key);

	for (; (s = &ix->slot[at])->len != 0; at = (at + 1) & ix->mask)
		if (e->lineno == 0 && s->tag == tag_of(e->key) &&
		    b->entry[s->len - 1].key == e->key)
			return;
	s->tag = tag_of(e->key);
	s->len = (uint32_t)i + 1;
}

/* At least a quarter of the slots stays free. */
static int
fill_table(struct mxindex *ix, const struct builder *b)
{
	const struct entry *e;
	struct slot *s;
	size_t i, n = 16;

	while (n - n / 4 < b->n)
		n *= 2;
	if (n > SIZE_MAX / sizeof(*ix->slot) ||
	    (ix->slot = alloc_large(n * sizeof(*ix->slot))) == NULL)
		return -1;
	memset(ix->slot, 0, n * sizeof(*ix->slot));
	ix->mask = n - 1;
	for (i = 0; i < b->n; i++) {
		if (i + AHEAD < b->n)
			__builtin_prefetch(&ix->slot[home_of(ix,
			    b->entry[i + AHEAD].key)], 1);
		place_entry(ix, b, i);
	}
	for (s = ix->slot; s < ix->slot + n; s++)
		if (s->len != 0) {
			e = &b->entry[s->len - 1];
			s->off = e->off;
			s->len = e->len;
			s->lineno = e->lineno;
		}
	return 0;
}

/* What the builder has gathered becomes an index; NULL without memory. */
static struct mxindex *
finish(struct builder *b)
{
	struct mxindex *ix;

	if ((ix = calloc(1, sizeof(*ix))) == NULL)
		return NULL;
	close_entries(b, b->used);
	if (fill_table(ix, b) == -1) {
		free(ix);
		return NULL;
	}
	ix->kinds = b->kinds;
	ix->text = b->text;
	b->text = NULL;
	return ix;
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
	if ((b->text = alloc_large(b->size)) == NULL ||
	    mxhosts_read_into(path, &b->reader, &st, err, sizeof(err)) != 1)
		goto out;
	mxfileid_set(&now, &st);
	if (mxfileid_is_same(&now, id))
		ix = finish(b);
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
	free(ix->slot);
	free(ix);
}

/* --- asking --------------------------------------------------------------- */

/* The lines of S, as in a pass over the file. */
static int
give_lines(const struct mxindex *ix, const struct slot *s,
    struct mxhosts *mh)
{
	const char *nl, *p = ix->text + s->off, *end = p + s->len;
	unsigned int lineno = s->lineno;
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
ask(const struct mxindex *ix, struct mxhosts *mh, uint64_t key)
{
	const struct slot *s;
	size_t at = home_of(ix, key);

	for (; (s = &ix->slot[at])->len != 0; at = (at + 1) & ix->mask)
		if (s->tag == tag_of(key) && give_lines(ix, s, mh) == -1)
			return -1;
	return 0;
}

static int
has_kind(const struct mxindex *ix, enum kind kind)
{
	return (ix->kinds & 1U << kind) != 0;
}

/* All patterns above DOMAIN; what hash_folded() says of it to *H. */
static int
ask_parents(const struct mxindex *ix, struct mxhosts *mh, uint64_t *h)
{
	const char *domain = mh->domain;
	size_t i;

	*h = FNV_OFFSET;
	for (i = mh->domainlen; i-- > 0;) {
		if (domain[i] == '.' && i > 0 && has_kind(ix, KEY_BELOW) &&
		    ask(ix, mh, key_of(KEY_BELOW, *h)) == -1)
			return -1;
		*h = fnv_octet(*h, (unsigned char)domain[i]);
	}
	return 0;
}

static int
ask_users(const struct mxindex *ix, struct mxhosts *mh, uint64_t domain)
{
	const char *user = mh->user, *plus;
	int ret;

	if (user != NULL) {
		if (ask(ix, mh, key_of_user(domain, user, mh->userlen)) == -1)
			return -1;
		plus = memchr(user, '+', mh->userlen);
		if (plus != NULL && ask(ix, mh, key_of_user(domain, user,
		    (size_t)(plus - user))) == -1)
			return -1;
	}
	if (mh->byrcpt)
		return 0;
	/* Without a user, such a line only says that it is there. */
	mh->user = NULL;
	ret = ask(ix, mh, key_of(KEY_HASUSERS, domain));
	mh->user = user;
	return ret;
}

int
mxindex_answer(const struct mxindex *ix, struct mxhosts *mh)
{
	uint64_t domain;

	if (ask_parents(ix, mh, &domain) == -1 ||
	    ask(ix, mh, key_of(KEY_DOMAIN, domain)) == -1)
		return -1;
	if (has_kind(ix, KEY_USER) && ask_users(ix, mh, domain) == -1)
		return -1;
	return has_kind(ix, KEY_ANY) ?
	    ask(ix, mh, key_of(KEY_ANY, FNV_OFFSET)) : 0;
}
