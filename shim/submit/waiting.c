/* SPDX-License-Identifier: ISC */
/* The envelope and the journal of a message, without its text. */
#include "config.h"

#include "submit/waiting.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

/* --- one ---------------------------------------------------------------- */

static void
replay(void *arg, const struct journal_record *r)
{
	struct waiting *w = arg;
	struct recipient *to;
	size_t i, n = w->mf.env.nrcpt;

	/* most records are about one: do not look for it among 1,000 */
	i = r->rcpt == JOURNAL_ALL ? 0 : r->rcpt;
	if (r->rcpt != JOURNAL_ALL && r->rcpt < n)
		n = r->rcpt + 1;
	for (; i < n; i++) {
		to = &w->rcpt[i];
		if (r->type == JOURNAL_ATTEMPT || r->type == JOURNAL_FAILED) {
			to->attempts++;
			to->time = r->time;
			to->last = r->result;
		}
		if (r->type == JOURNAL_FAILED)
			to->failed = true;
		if (r->type == JOURNAL_DELIVERED ||
		    r->type == JOURNAL_RELAYED ||
		    (r->type == JOURNAL_REPORTED && to->failed))
			to->final = true;
	}
}

int
waiting_read(struct queue *q, const struct queue_entry *e, struct waiting *w)
{
	struct stat st;
	const char *why;
	size_t i;
	int fd, ret = -1;

	memset(w, 0, sizeof(*w));
	w->entry = e;
	fd = e->place == IN_DROP ? queue_opendrop(q, &e->id) :
	    queue_openmsg(q, &e->id);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		ret = msgfile_read(fd, SIZE_MAX, &w->mf, &why);
	if (ret == -3)
		queue_count_later(q, e->place);
	if (ret == 0) {
		/* what a file of drop/ says of its submitter is a claim, but
		   for what we took from him: msgfile_copy() */
		if (e->place == IN_DROP && st.st_uid != geteuid())
			w->mf.env.uid = st.st_uid;
		w->rcpt = xcalloc(w->mf.env.nrcpt, sizeof(w->rcpt[0]));
		for (i = 0; i < w->mf.env.nrcpt; i++)
			w->rcpt[i].final = w->rcpt[i].expanded =
			    w->mf.env.rcpt[i].expanded;
		/* without its journal a message is shown as not tried */
		(void)queue_journal(q, &e->id, replay, w);
	}
	close(fd);
	return ret == 0 ? 0 : -1;
}

void
waiting_clear(struct waiting *w)
{
	free(w->rcpt);
	msgfile_clear(&w->mf);
}

/* --- all ---------------------------------------------------------------- */

void
entries_add(struct entries *all, const struct queue_entry *e)
{
	if (all->n == all->cap) {
		all->cap = all->cap != 0 ? all->cap * 2 : 64;
		all->e = xreallocarray(all->e, all->cap, sizeof(all->e[0]));
	}
	all->e[all->n++] = *e;
}

static void
add(void *arg, const struct queue_entry *e)
{
	entries_add(arg, e);
}

/* By identifier, which is by time; queue/ before drop/. */
static int
compare(const void *a, const void *b)
{
	const struct queue_entry *x = a, *y = b;
	int c = strcmp(x->id.s, y->id.s);

	return c != 0 ? c : (x->place == IN_DROP) - (y->place == IN_DROP);
}

void
entries_scan(struct queue *q, struct entries *all)
{
	size_t i, n = 0;

	memset(all, 0, sizeof(*all));
	/* queue/ last: what moves there meanwhile is seen once or twice */
	(void)queue_scan(q, IN_DROP, add, all);
	(void)queue_scan(q, IN_QUEUE, add, all);
	if (all->n == 0)
		return;
	qsort(all->e, all->n, sizeof(all->e[0]), compare);
	for (i = 0; i < all->n; i++)
		if (n == 0 || strcmp(all->e[n - 1].id.s, all->e[i].id.s) != 0)
			all->e[n++] = all->e[i];
	all->n = n;
}

void
entries_clear(struct entries *all)
{
	free(all->e);
	memset(all, 0, sizeof(*all));
}
