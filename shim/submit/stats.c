/* SPDX-License-Identifier: ISC */
/*
 * A message counts once for each destination that recipients of it wait for,
 * and once in the total.  A destination is the domain of a recipient; what it
 * met last is shown once, however many messages met it.
 */
#include "config.h"

#include "submit/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/show.h"
#include "base/xmalloc.h"
#include "submit/pick.h"
#include "submit/waiting.h"

static const struct age {
	long	 max;		/* seconds */
	const char *name;
} ages[] = {
	{ 5 * 60, "5m" }, { 3600, "1h" }, { 4 * 3600, "4h" },
	{ 24 * 3600, "1d" }, { -1, "older" }
};
#define NAGES	(sizeof(ages) / sizeof(ages[0]))

struct count {
	size_t	 messages;
	uint64_t octets;
	size_t	 age[NAGES];
	uint64_t oldest;	/* microseconds; 0: none */
};

struct dest {
	char	*domain;
	struct count count;
	size_t	 seen;		/* the message that it was counted for last */
	uint64_t time;		/* of the last result, 0: there is none */
	struct result *last;
	struct dest *chain;
};

struct stats {
	struct dest **slot;
	size_t	 nslots;	/* a power of two */
	struct dest **dest;	/* all of them */
	size_t	 n;
	size_t	 cap;
	struct count total;
	size_t	 new;		/* in drop/ */
	size_t	 held;
	time_t	 now;
};

/* --- counting ----------------------------------------------------------- */

static void
count_add(struct count *c, const struct waiting *w, time_t now)
{
	uint64_t time = w->mf.env.time;
	long age = (long)(now - (time_t)(time / 1000000));
	size_t i;

	c->messages++;
	c->octets += (uint64_t)w->mf.size;
	for (i = 0; ages[i].max != -1 && age >= ages[i].max;)
		i++;
	c->age[i]++;
	if (c->oldest == 0 || time < c->oldest)
		c->oldest = time;
}

static size_t
hash(const char *domain)
{
	size_t h = 2166136261U;

	for (; *domain != '\0'; domain++)
		h = (h ^ ((unsigned char)*domain | 0x20)) * 16777619U;
	return h;
}

static void
grow(struct stats *s)
{
	struct dest **to;
	size_t i;

	free(s->slot);
	s->nslots = s->nslots != 0 ? s->nslots * 2 : 64;
	s->slot = xcalloc(s->nslots, sizeof(s->slot[0]));
	for (i = 0; i < s->n; i++) {
		to = &s->slot[hash(s->dest[i]->domain) & (s->nslots - 1)];
		s->dest[i]->chain = *to;
		*to = s->dest[i];
	}
}

static struct dest *
dest_of(struct stats *s, const char *domain)
{
	struct dest *d, **to;

	if (s->n >= s->nslots)
		grow(s);
	to = &s->slot[hash(domain) & (s->nslots - 1)];
	for (d = *to; d != NULL; d = d->chain)
		if (strcasecmp(d->domain, domain) == 0)
			return d;
	if (s->n == s->cap) {
		s->cap = s->cap != 0 ? s->cap * 2 : 64;
		s->dest = xreallocarray(s->dest, s->cap, sizeof(s->dest[0]));
	}
	d = xcalloc(1, sizeof(*d));
	d->domain = xstrdup(domain);
	d->chain = *to;
	*to = d;
	return s->dest[s->n++] = d;
}

static void
note_result(struct dest *d, const struct recipient *to)
{
	if (to->attempts == 0 || to->time < d->time)
		return;
	if (d->last == NULL)
		d->last = xmalloc(sizeof(*d->last));
	d->time = to->time;
	*d->last = to->last;
}

static void
count_message(struct stats *s, const struct waiting *w)
{
	const struct envelope *env = &w->mf.env;
	const char *at;
	struct dest *d;
	size_t i;

	count_add(&s->total, w, s->now);
	s->new += w->entry->place == IN_DROP;
	s->held += w->entry->held;
	for (i = 0; i < env->nrcpt; i++) {
		if (w->rcpt[i].final)
			continue;
		at = strrchr(env->rcpt[i].addr, '@');
		d = dest_of(s, at != NULL ? at + 1 : "");
		note_result(d, &w->rcpt[i]);
		if (d->seen == s->total.messages)
			continue;
		d->seen = s->total.messages;
		count_add(&d->count, w, s->now);
	}
}

static void
stats_clear(struct stats *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->dest[i]->domain);
		free(s->dest[i]->last);
		free(s->dest[i]);
	}
	free(s->dest);
	free(s->slot);
}

/* Those with the most messages first. */
static int
compare(const void *a, const void *b)
{
	const struct dest *x = *(struct dest *const *)a;
	const struct dest *y = *(struct dest *const *)b;

	if (x->count.messages != y->count.messages)
		return x->count.messages < y->count.messages ? 1 : -1;
	return strcasecmp(x->domain, y->domain);
}

/* --- the table ---------------------------------------------------------- */

static void
table_count(struct buf *b, const struct count *c)
{
	size_t i;

	buf_printf(b, "%8zu %8" PRIu64 "K", c->messages,
	    (c->octets + 1023) / 1024);
	for (i = 0; i < NAGES; i++)
		buf_printf(b, " %6zu", c->age[i]);
}

static void
table_dest(struct buf *b, const struct dest *d)
{
	table_count(b, &d->count);
	buf_adds(b, "  ");
	show_text(b, d->domain[0] != '\0' ? d->domain : "(no domain)");
	buf_addc(b, '\n');
	if (d->last == NULL)
		return;
	buf_printf(b, "           (%s ", result_esc(d->last));
	if (d->last->host[0] != '\0') {
		show_text(b, d->last->host);
		buf_adds(b, ": ");
	}
	show_text(b, d->last->text);
	buf_adds(b, ")\n");
}

static void
table(struct buf *b, const struct stats *s, size_t skipped)
{
	size_t i;

	buf_adds(b, "Messages      Size");
	for (i = 0; i < NAGES; i++)
		buf_printf(b, ages[i].max != -1 ? "    <%s" : "  %s",
		    ages[i].name);
	buf_adds(b, "  Destination\n");
	table_count(b, &s->total);
	buf_printf(b, "  total, %zu new, %zu held\n", s->new, s->held);
	for (i = 0; i < s->n; i++)
		table_dest(b, s->dest[i]);
	if (skipped != 0)
		buf_printf(b, "%8zu other %s ignored\n", skipped,
		    skipped == 1 ? "file is" : "files are");
}

/* --- JSON --------------------------------------------------------------- */

static void
json_count(struct buf *b, const struct count *c)
{
	size_t i;

	buf_printf(b, "\"messages\":%zu,\"octets\":%" PRIu64 ",\"oldest\":",
	    c->messages, c->octets);
	if (c->messages == 0)
		buf_adds(b, "null");
	else
		buf_printf(b, "%" PRIu64, c->oldest / 1000000);
	buf_adds(b, ",\"ages\":[");
	for (i = 0; i < NAGES; i++) {
		buf_printf(b, "%s{\"below\":", i > 0 ? "," : "");
		if (ages[i].max == -1)
			buf_adds(b, "null");
		else
			buf_printf(b, "%ld", ages[i].max);
		buf_printf(b, ",\"messages\":%zu}", c->age[i]);
	}
	buf_addc(b, ']');
}

static void
json_dest(struct buf *b, const struct dest *d)
{
	const struct result *r = d->last;

	buf_adds(b, "{\"destination\":");
	show_json(b, d->domain);
	buf_addc(b, ',');
	json_count(b, &d->count);
	buf_adds(b, ",\"last\":");
	if (r == NULL) {
		buf_adds(b, "null}\n");
		return;
	}
	buf_printf(b, "{\"time\":%" PRIu64 ",\"dsn\":", d->time / 1000000);
	show_json(b, result_esc(r));
	buf_adds(b, ",\"host\":");
	show_json(b, r->host[0] != '\0' ? r->host : NULL);
	buf_adds(b, ",\"reply\":");
	show_json(b, r->text);
	buf_adds(b, "}}\n");
}

static void
json(struct buf *b, const struct stats *s, size_t skipped)
{
	size_t i;

	buf_adds(b, "{\"destination\":null,");
	json_count(b, &s->total);
	buf_printf(b, ",\"new\":%zu,\"held\":%zu,\"skipped\":%zu}\n", s->new,
	    s->held, skipped);
	for (i = 0; i < s->n; i++)
		json_dest(b, s->dest[i]);
}

void
stats_write(struct queue *q, const struct entries *all,
    const struct pick *pick, time_t now, bool as_json, struct buf *b)
{
	struct stats s = { .now = now };
	struct waiting w;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!pick_may_take(pick, all->e[i].id.s) ||
		    waiting_read(q, &all->e[i], &w) == -1)
			continue;
		if (pick_takes(pick, &w))
			count_message(&s, &w);
		waiting_clear(&w);
	}
	if (s.n > 0)
		qsort(s.dest, s.n, sizeof(s.dest[0]), compare);
	if (as_json)
		json(b, &s, queue_skipped(q));
	else
		table(b, &s, queue_skipped(q));
	stats_clear(&s);
}
