/* SPDX-License-Identifier: ISC */
/*
 * The overrides, for whoever asks often.  A process that asks once or twice
 * pays one pass over the files; the third time that they are found as they
 * were, an index of them is made, and from then on a lookup costs a stat(2)
 * a file.  An index never changes: it is replaced as a whole when a file or
 * the directory has, and freed when the last answer that was borrowed from
 * it is cleared.
 * Nothing that is younger than two seconds is remembered, see fileid.h.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <sys/stat.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fileid.h"
#include "mxhosts/mxhosts_index.h"
#include "mxhosts/mxhosts_memo.h"

#define SLOTS		4	/* paths; more take turns */
#define PASSES		2	/* over the files before they are indexed */

struct indexed {		/* one file */
	struct mxfileid	 id;
	struct mxindex	*index;	/* NULL: there is no file */
};

struct snapshot {
	unsigned int	 refs;	/* the lock's */
	int		 private; /* the files are not root's and open to all */
	uid_t		 euid;	/* who trusted and could read them then */
	char		*dir;
	struct mxfileid	 dirid;
	struct mxhosts_files files;
	struct indexed	*file;	/* one for each of these */
	struct mxmemo	 memo;	/* of what they said */
};

struct slot {
	char		*path;
	struct mxfileid	 id, dirid;	/* seen the last time */
	unsigned int	 seen;		/* how often */
	int		 building;	/* a thread makes a snapshot */
	struct snapshot	*snapshot;	/* or NULL */
};

struct question {		/* and what is known of the answer */
	const char	*domain;
	uint64_t	 hash;
	struct mxanswer	*known;		/* or NULL */
	int		 wanted;	/* whether to remember it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];
static int forksafe;

/* --- snapshots ------------------------------------------------------------ */

static int
is_still(const char *path, const struct mxfileid *id)
{
	struct mxfileid now;

	return mxfileid_of(path, &now, NULL) == 0 &&
	    mxfileid_is_same(&now, id);
}

static int
is_current(const struct snapshot *s)
{
	size_t i;

	if ((s->private && geteuid() != s->euid) ||
	    !is_still(s->dir, &s->dirid))
		return 0;
	for (i = 0; i < s->files.n; i++)
		if (!is_still(s->files.path[i], &s->file[i].id))
			return 0;
	return 1;
}

static void
snapshot_free(struct snapshot *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; s->file != NULL && i < s->files.n; i++)
		mxindex_free(s->file[i].index);
	mxmemo_clear(&s->memo);
	free(s->file);
	mxhosts_files_clear(&s->files);
	free(s->dir);
	free(s);
}

/* One more file or directory; -1 if it is not to be remembered. */
static int
take_id(struct snapshot *s, const char *path, struct mxfileid *id,
    time_t now)
{
	struct stat st;
	mode_t all = S_IROTH;

	if (mxfileid_of(path, id, &st) == -1 || mxfileid_is_young(id, now))
		return -1;
	if (mxfileid_is_absent(id))
		return 0;
	if (S_ISDIR(st.st_mode))
		all |= S_IXOTH;
	if (st.st_uid != 0 || (st.st_mode & all) != all)
		s->private = 1;
	return 0;
}

/* Which files there are; -1 if that is not to be remembered. */
static int
take_names(struct snapshot *s, const char *path, time_t now)
{
	char err[600];
	size_t i;

	s->euid = geteuid();
	if ((s->dir = mxhosts_dirname(path)) == NULL ||
	    take_id(s, s->dir, &s->dirid, now) == -1 ||
	    mxhosts_list(path, &s->files, err, sizeof(err)) == -1)
		return -1;
	if ((s->file = calloc(s->files.n, sizeof(*s->file))) == NULL)
		return -1;
	for (i = 0; i < s->files.n; i++)
		if (take_id(s, s->files.path[i], &s->file[i].id, now) == -1 ||
		    (i > 0 && mxfileid_is_absent(&s->file[i].id)))
			return -1;
	return 0;
}

static struct snapshot *
snapshot_new(const char *path)
{
	struct snapshot *s;
	struct timespec now;
	size_t i;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1 ||
	    (s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if (take_names(s, path, now.tv_sec) == -1)
		goto fail;
	for (i = 0; i < s->files.n; i++) {
		if (mxfileid_is_absent(&s->file[i].id))
			continue;
		s->file[i].index = mxindex_new(s->files.path[i],
		    &s->file[i].id);
		if (s->file[i].index == NULL)
			goto fail;
	}
	/* What was listed is what the directory still holds. */
	if (is_current(s))
		return s;
fail:
	snapshot_free(s);
	return NULL;
}

static int
ask_indexes(const struct snapshot *s, struct mxhosts *mh)
{
	size_t i;

	for (i = 0; i < s->files.n; i++) {
		if (i > 0)
			mxhosts_newfile(mh);
		if (s->file[i].index != NULL &&
		    mxindex_answer(s->file[i].index, mh) == -1)
			return -1;
	}
	if (mh->score != MXHOSTS_NOMATCH)
		mh->origin = s->files.path[mh->where];
	return 0;
}

static int
snapshot_answer(const struct snapshot *s, const char *domain,
    const char *rcpt, struct mxhosts *mh)
{
	if (mxhosts_init(mh, domain, rcpt) == -1)
		return -1;
	if (ask_indexes(s, mh) == 0)
		return 0;
	mxhosts_clear(mh);
	return -1;
}

/* --- what threads share --------------------------------------------------- */

static void
before_fork(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
	(void)pthread_mutex_unlock(&lock);
}

/* Of the parent's threads only the one that forked is here. */
static void
in_child(void)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		slots[i].building = 0;
	(void)pthread_mutex_unlock(&lock);
}

/* Called with the lock held, as are those below that take a slot. */
static struct slot *
find_slot(const char *path)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (slots[i].path != NULL && strcmp(slots[i].path, path) == 0)
			return &slots[i];
	return NULL;
}

/* A slot for PATH; *OLD is what the path had that had it, or NULL. */
static struct slot *
new_slot(const char *path, struct snapshot **old)
{
	static unsigned int turn;
	struct slot *slot = &slots[turn++ % SLOTS];
	char *copy;

	if (slot->building || (copy = strdup(path)) == NULL)
		return NULL;
	free(slot->path);
	*old = slot->snapshot;
	memset(slot, 0, sizeof(*slot));
	slot->path = copy;
	return slot;
}

/* References to the snapshot of PATH and to what it knows of Q's domain. */
static struct snapshot *
acquire(const char *path, struct question *q)
{
	struct snapshot *s = NULL;
	struct slot *slot;

	q->known = NULL;
	q->wanted = 0;
	(void)pthread_mutex_lock(&lock);
	if ((slot = find_slot(path)) != NULL &&
	    (s = slot->snapshot) != NULL) {
		s->refs++;
		q->known = mxmemo_find(&s->memo, q->hash, q->domain,
		    &q->wanted);
	}
	(void)pthread_mutex_unlock(&lock);
	return s;
}

/* Either may be NULL. */
static void
release(struct snapshot *s, struct mxanswer *answer)
{
	if (s == NULL && answer == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	if (s != NULL && --s->refs > 0)
		s = NULL;
	if (answer != NULL && !mxanswer_release(answer))
		answer = NULL;
	(void)pthread_mutex_unlock(&lock);
	mxanswer_free(answer);
	snapshot_free(s);
}

/* Keeps a copy of the answer with the snapshot that it is from. */
static void
remember(struct snapshot *s, uint64_t hash, const struct mxhosts *mh)
{
	struct mxanswer *answer, *old;

	if ((answer = mxanswer_new(mh)) == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	old = mxmemo_put(&s->memo, hash, answer);
	(void)pthread_mutex_unlock(&lock);
	release(NULL, old);
}

/* S, which may be NULL, becomes the slot's; what it had, the caller's. */
static struct snapshot *
exchange(struct slot *slot, struct snapshot *s)
{
	struct snapshot *old = slot->snapshot;

	slot->snapshot = s;
	return old;
}

/* Counts one more lookup; whether the caller is to make a snapshot. */
static int
is_worth_it(const char *path, const struct mxfileid *id,
    const struct mxfileid *dirid)
{
	struct snapshot *old = NULL;
	struct slot *slot;
	int worth = 0;

	(void)pthread_mutex_lock(&lock);
	if ((slot = find_slot(path)) == NULL &&
	    (slot = new_slot(path, &old)) == NULL)
		goto out;
	if (!forksafe)
		forksafe = pthread_atfork(before_fork, after_fork,
		    in_child) == 0;
	if (!mxfileid_is_same(&slot->id, id) ||
	    !mxfileid_is_same(&slot->dirid, dirid)) {
		slot->id = *id;
		slot->dirid = *dirid;
		slot->seen = 0;
		if (slot->snapshot != NULL)
			old = exchange(slot, NULL);
	}
	if (slot->seen < PASSES)
		slot->seen++;
	else if (forksafe && !slot->building)
		slot->building = worth = 1;
out:
	(void)pthread_mutex_unlock(&lock);
	release(old, NULL);
	return worth;
}

/* S may be NULL: it came to nothing.  A reference to S is the caller's. */
static void
publish(const char *path, struct snapshot *s)
{
	struct snapshot *old = s;
	struct slot *slot;

	if (s != NULL)
		s->refs = 2;
	(void)pthread_mutex_lock(&lock);
	if ((slot = find_slot(path)) != NULL) {
		slot->building = 0;
		old = exchange(slot, s);
	}
	(void)pthread_mutex_unlock(&lock);
	release(old, NULL);
}

/* A reference to a new snapshot, if it is time to make one. */
static struct snapshot *
renew(const char *path)
{
	struct mxfileid id, dirid;
	struct snapshot *s;
	char *dir;
	int known;

	if ((dir = mxhosts_dirname(path)) == NULL)
		return NULL;
	known = mxfileid_of(path, &id, NULL) == 0 &&
	    mxfileid_of(dir, &dirid, NULL) == 0;
	free(dir);
	if (!known || !is_worth_it(path, &id, &dirid))
		return NULL;
	s = snapshot_new(path);
	publish(path, s);
	return s;
}

int
mxhosts_lookup(const char *path, const char *domain, const char *rcpt,
    struct mxhosts *mh, char *err, size_t errsize)
{
	struct question q = { .domain = domain, .hash = mxmemo_hash(domain) };
	struct snapshot *s;

	s = acquire(path, &q);
	if (s == NULL || !is_current(s)) {
		release(s, q.known);
		q.known = NULL;
		s = renew(path);
	}
	if (q.known != NULL)
		*mh = q.known->mh;
	else if (s == NULL || snapshot_answer(s, domain, rcpt, mh) == -1) {
		release(s, NULL);
		return mxhosts_scan(path, domain, rcpt, mh, err, errsize);
	} else if (q.wanted)
		remember(s, q.hash, mh);
	mh->lender = s;
	mh->answer = q.known;
	return 0;
}

void
mxhosts_give_back(struct mxhosts *mh)
{
	release(mh->lender, mh->answer);
	mh->lender = NULL;
	mh->answer = NULL;
}
