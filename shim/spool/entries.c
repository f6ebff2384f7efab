/* SPDX-License-Identifier: ISC */
/*
 * Batches: while the caller has one, threads look at the next.  They live no
 * longer than their batch, take no lock and no signal, and touch nothing else:
 * who forks meanwhile forks as if there were one thread.
 */
#include "config.h"

#include "spool/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define BATCH		1024	/* entries */
#define SHARE		32	/* of a batch, that one thread takes at a time */
#define SHARES_MIN	8	/* for fewer, a thread costs more than it saves */
#define THREADS_MAX	3	/* besides our own */

struct batch {
	int		 fd;
	size_t		 n;
	atomic_size_t	 taken;	/* how many of them */
	pthread_t	 thread[THREADS_MAX];
	size_t		 nthreads;
	struct entry	 list[BATCH];
};

struct entries {
	DIR		*dir;
	bool		(*wants)(const char *);
	size_t		 nthreads;	/* that are of use here */
	struct batch	 batch[2];	/* the caller's, and the next */
	size_t		 next;
};

/* --- a batch ------------------------------------------------------------- */

static void *
look(void *batch)
{
	struct batch *b = batch;
	struct entry *e, *end;
	size_t i;

	while ((i = atomic_fetch_add(&b->taken, SHARE)) < b->n) {
		end = b->list + (b->n - i < SHARE ? b->n : i + SHARE);
		for (e = b->list + i; e < end; e++)
			if (e->wanted)
				e->error = fstatat(b->fd, e->name, &e->st,
				    AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
	}
	return NULL;
}

static void
start(struct batch *b, size_t nthreads)
{
	sigset_t all, old;

	atomic_store(&b->taken, 0);
	if (b->n < SHARES_MIN * SHARE)
		return;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (b->nthreads < nthreads && pthread_create(
	    &b->thread[b->nthreads], NULL, look, b) == 0)
		b->nthreads++;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* What no thread has taken yet is ours. */
static void
finish(struct batch *b)
{
	look(b);
	while (b->nthreads > 0)
		(void)pthread_join(b->thread[--b->nthreads], NULL);
}

/* --- all of them ---------------------------------------------------------- */

static size_t
other_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ?
	    (size_t)CPU_COUNT(&set) - 1 : 0;
}

struct entries *
entries_open(int fd, bool (*wants)(const char *))
{
	struct entries *e;
	size_t others;
	DIR *dir;
	int again;

	/* not dup(2): that would share the offset */
	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again == -1)
		return NULL;
	if ((dir = fdopendir(again)) == NULL) {
		close(again);
		return NULL;
	}
	e = xcalloc(1, sizeof(*e));
	e->dir = dir;
	e->wants = wants;
	others = other_processors();
	e->nthreads = others < THREADS_MAX ? others : THREADS_MAX;
	e->batch[0].fd = e->batch[1].fd = again;
	return e;
}

void
entries_close(struct entries *e)
{
	if (e == NULL)
		return;
	finish(&e->batch[e->next]);
	closedir(e->dir);
	free(e);
}

/* An error of readdir(3) ends it like the end: others follow. */
static void
read_names(struct entries *e, struct batch *b, size_t max)
{
	struct dirent *de;
	struct entry *to;

	if (max > BATCH)
		max = BATCH;
	for (b->n = 0; b->n < max && (de = readdir(e->dir)) != NULL; ) {
		if (de->d_name[0] == '.')
			continue;
		to = &b->list[b->n++];
		memcpy(to->name, de->d_name, strlen(de->d_name) + 1);
		to->wanted = e->wants(to->name);
	}
}

size_t
entries_next(struct entries *e, size_t max, const struct entry **list)
{
	struct batch *now = &e->batch[e->next], *then = &e->batch[!e->next];

	if (now->n == 0) {
		read_names(e, now, max);
		start(now, e->nthreads);
	}
	read_names(e, then, max - now->n);
	finish(now);
	start(then, e->nthreads);
	e->next = !e->next;
	*list = now->list;
	return now->n;
}
