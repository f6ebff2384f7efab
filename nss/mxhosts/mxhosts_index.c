/* SPDX-License-Identifier: ISC */
/*
 * An index of one override file: the hash of each pattern, folded to lower
 * case, and where its lines begin; about 30 octets for each.  It says which
 * lines are worth reading and nothing more: those are read from the file
 * and judged as in a pass over all of it, so that two patterns with the
 * same hash cannot be mistaken for one another.
 */
#include "config.h"

#include "mxhosts/mxhosts_index.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fnv.h"
#include "mxhosts/mxhosts.h"

#define NONE	UINT32_MAX

/* Kinds of key; part of what is hashed. */
#define KEY_ANY		'*'
#define KEY_DOMAIN	'd'
#define KEY_BELOW	'.'
#define KEY_USER	'@'
#define KEY_HASUSERS	'u'	/* the domain of a user pattern */

struct entry {			/* lines that follow one another */
	uint64_t hash;
	uint32_t next;		/* in the same bucket, later in the file */
	uint32_t off;
	uint32_t len;
	uint32_t lineno;	/* 0: of KEY_HASUSERS */
};

struct mxindex {
	struct mxfileid	 id;
	struct entry	*entry;
	uint32_t	 nentry;
	uint32_t	 mask;		/* number of buckets - 1 */
	uint32_t	*bucket;
};

struct builder {
	struct mxhosts_reader reader;
	struct entry	*entry;
	size_t		 n, room;
	size_t		 open;		/* entries that still lack a length */
	uint64_t	 hash;		/* of the latest pattern, or 0 */
	uint64_t	 users;		/* the latest of KEY_HASUSERS, or 0 */
};

void
mxfileid_set(struct mxfileid *id, const struct stat *st)
{
	memset(id, 0, sizeof(*id));
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->size = st->st_size;
	id->mtim = st->st_mtim;
	id->ctim = st->st_ctim;
}

static int
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int
mxfileid_is_same(const struct mxfileid *a, const struct mxfileid *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    is_same_time(&a->mtim, &b->mtim) &&
	    is_same_time(&a->ctim, &b->ctim);
}

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
add_entry(struct builder *b, uint64_t hash, unsigned int lineno)
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
	e->off = (uint32_t)b->reader.start;
	e->len = 0;
	e->lineno = lineno;
	return 0;
}

/* The lines of the latest pattern end at OFF. */
static void
close_entries(struct builder *b, uint64_t off)
{
	for (; b->open < b->n; b->open++)
		b->entry[b->open].len = (uint32_t)off -
		    b->entry[b->open].off;
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

static int
index_line(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	struct builder *b = arg;
	uint64_t hash, users;
	long len;

	(void)toolong;
	if ((len = mxhosts_split(p, n)) <= 0)
		return 0;
	hash = pattern_hash(p, (size_t)len, &users);
	if (hash == b->hash)
		return 0;
	close_entries(b, b->reader.start);
	b->hash = hash;
	if (hash != 0 && add_entry(b, hash, lineno) == -1)
		return -1;
	if (users == 0 || users == b->users)
		return 0;
	b->users = users;
	return add_entry(b, users, 0);
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

struct mxindex *
mxindex_new(const char *path, const struct mxfileid *id)
{
	struct mxindex *ix;
	struct builder *b;
	struct stat st;
	char err[600];
	int failed = -1;

	ix = calloc(1, sizeof(*ix));
	b = calloc(1, sizeof(*b));
	if (ix == NULL || b == NULL)
		goto out;
	b->reader.line = index_line;
	b->reader.arg = b;
	if (mxhosts_read_into(path, &b->reader, &st, err, sizeof(err)) != 1)
		goto out;
	mxfileid_set(&ix->id, &st);
	if (!mxfileid_is_same(&ix->id, id))
		goto out;
	close_entries(b, b->reader.fed);
	ix->nentry = (uint32_t)b->n;
	ix->entry = reallocarray(b->entry, b->n + 1, sizeof(*ix->entry));
	if (ix->entry == NULL)
		goto out;
	b->entry = NULL;
	failed = link_entries(ix);
out:
	if (b != NULL)
		free(b->entry);
	free(b);
	if (failed == -1) {
		mxindex_free(ix);
		return NULL;
	}
	return ix;
}

void
mxindex_free(struct mxindex *ix)
{
	if (ix == NULL)
		return;
	free(ix->entry);
	free(ix->bucket);
	free(ix);
}

/* --- asking --------------------------------------------------------------- */

struct question {
	const struct mxindex *ix;
	const char	*path;
	struct mxhosts	*mh;
	struct mxhosts_reader *reader;	/* NULL until it is needed */
	int		 fd;
};

static int
is_same_file(const struct question *q)
{
	struct mxfileid id;
	struct stat st;

	if (fstat(q->fd, &st) == -1)
		return 0;
	mxfileid_set(&id, &st);
	return mxfileid_is_same(&id, &q->ix->id);
}

static int
open_file(struct question *q)
{
	q->fd = open(q->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (q->fd == -1 || !is_same_file(q))
		return -1;
	if ((q->reader = malloc(sizeof(*q->reader))) == NULL)
		return -1;
	q->reader->line = mxhosts_line;
	q->reader->arg = q->mh;
	q->reader->fed = 0;
	return 0;
}

/* The lines of E, as in a pass over the file. */
static int
read_entry(struct question *q, const struct entry *e)
{
	char buf[4096];
	off_t off = e->off;
	size_t len = e->len;
	ssize_t n;

	if (q->reader == NULL && open_file(q) == -1)
		return -1;
	q->reader->lineno = e->lineno - 1;
	q->reader->have = 0;
	q->reader->toolong = 0;
	for (; len > 0; len -= (size_t)n, off += n) {
		n = pread(q->fd, buf, len < sizeof(buf) ? len : sizeof(buf),
		    off);
		if (n <= 0 || mxhosts_feed(q->reader, buf, (size_t)n) == -1)
			return -1;
	}
	return mxhosts_finish(q->reader);
}

static int
ask(struct question *q, uint64_t hash)
{
	const struct mxindex *ix = q->ix;
	uint32_t i;

	i = find(ix, ix->bucket[bucket_of(ix, hash)], hash);
	for (; i != NONE; i = find(ix, ix->entry[i].next, hash))
		if (read_entry(q, &ix->entry[i]) == -1)
			return -1;
	return 0;
}

static int
ask_domain(struct question *q)
{
	const char *domain = q->mh->domain;
	size_t i, len = q->mh->domainlen;

	if (ask(q, hash_name(KEY_ANY, "", 0)) == -1 ||
	    ask(q, hash_name(KEY_DOMAIN, domain, len)) == -1)
		return -1;
	for (i = 1; i + 1 < len; i++)
		if (domain[i] == '.' && ask(q, hash_name(KEY_BELOW,
		    domain + i + 1, len - i - 1)) == -1)
			return -1;
	return 0;
}

static int
ask_users(struct question *q)
{
	struct mxhosts *mh = q->mh;
	const char *user = mh->user, *plus;
	int ret;

	if (user != NULL) {
		if (ask(q, hash_user(user, mh->userlen, mh->domain,
		    mh->domainlen)) == -1)
			return -1;
		plus = memchr(user, '+', mh->userlen);
		if (plus != NULL && ask(q, hash_user(user,
		    (size_t)(plus - user), mh->domain, mh->domainlen)) == -1)
			return -1;
	}
	if (mh->byrcpt)
		return 0;
	/* Without a user, such a line only says that it is there. */
	mh->user = NULL;
	ret = ask(q, hash_name(KEY_HASUSERS, mh->domain, mh->domainlen));
	mh->user = user;
	return ret;
}

int
mxindex_answer(const struct mxindex *ix, const char *path, struct mxhosts *mh)
{
	struct question q = { ix, path, mh, NULL, -1 };
	int ret = -1;

	if (ask_domain(&q) == 0 && ask_users(&q) == 0 &&
	    (q.fd == -1 || is_same_file(&q)))
		ret = 0;
	free(q.reader);
	if (q.fd != -1)
		(void)close(q.fd);
	return ret;
}
