/* SPDX-License-Identifier: ISC */
/*
 * An outage begins when OUTAGE_ATTEMPTS destinations in a row, with nothing
 * in between, found no network; one of them alone may have a route of its
 * own, or name servers that are silent.  Any other outcome ends it: what is
 * doubtful is tried.
 */
#include "config.h"

#include "run/outage.h"

/* From now on; ten percent more or less, so that not all hosts return at once. */
static void
set_probe(struct outage *o, int64_t now, uint32_t random)
{
	int64_t tenth = o->wait / 10;

	o->since = now;
	o->probe_at = now + o->wait - tenth +
	    (int64_t)(random % (uint32_t)(2 * tenth + 1));
}

bool
outage_note(struct outage *o, bool offline, int64_t now, uint32_t random)
{
	bool was_down = o->down;

	if (!offline) {
		*o = (struct outage){ 0 };
		return was_down;
	}
	if (!o->down && ++o->in_row < OUTAGE_ATTEMPTS)
		return false;
	if (!o->down)
		o->wait = OUTAGE_MIN;
	else if (o->probing && (o->wait *= 2) > OUTAGE_MAX)
		o->wait = OUTAGE_MAX;
	o->down = true;
	o->probing = false;
	set_probe(o, now, random);
	return !was_down;
}

bool
outage_allows(const struct outage *o, int64_t now)
{
	return !o->down || (!o->probing && now >= o->probe_at);
}

void
outage_probe(struct outage *o)
{
	o->probing = o->down;
}

void
outage_no_probe(struct outage *o, int64_t now, uint32_t random)
{
	if (!o->probing)
		return;
	o->probing = false;
	set_probe(o, now, random);
}

void
outage_hope(struct outage *o, int64_t now)
{
	int64_t at = o->since + OUTAGE_HOPE;

	if (!o->down)
		return;
	o->wait = OUTAGE_MIN;
	if (at < now)
		at = now;
	if (o->probe_at > at)
		o->probe_at = at;
}
