/* SPDX-License-Identifier: ISC */
/*
 * Messages that are due become tasks: loaded, grouped by domain, and put
 * into the lines of their destinations.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "run/bounce.h"
#include "run/dispatchint.h"
#include "run/job.h"
#include "run/load.h"
#include "run/readdress.h"

#define LOAD_SLICE	16	/* messages loaded before workers are served */
#define LOCAL_RETRY	60	/* seconds, after a local failure */
#define MEMORY_ONE	32768	/* octets of a file that is copied to it ... */
#define MEMORY_ALL	(24 << 20) /* ... while the copies take less than that */

/*
 * Put what is open into the lines of its destinations.  What needs the network
 * stays open while that is down: one message at a time finds out whether it
 * still is.
 */
static void
make_tasks(struct dispatch *d, struct message *m)
{
	bool online = outage_allows(&d->outage, d->now.mono);
	struct load *l = m->load;
	char domain[ENVELOPE_MAX_ADDR + 1];
	uint32_t i;

	for (i = 0; i < l->mf.env.nrcpt; i++) {
		if (l->rcpt[i].state != RCPT_OPEN)
			continue;
		dest_name(&l->mf.env.rcpt[i], domain, sizeof(domain));
		if (!dest_is_local(domain)) {
			if (!online) {
				l->postponed = true;
				l->until = d->now.wall;
				continue;
			}
			if (d->outage.down)
				d->probe = m;
		}
		l->rcpt[i].state = RCPT_BUSY;
		l->tasks += dest_add(dests_get(d->dests, domain), m->uid, m,
		    i, JOB_MAXRCPT);
	}
	if (d->probe == m)
		outage_probe(&d->outage);
}

/*
 * Whether the message goes to one place in one go: then it can be tried
 * from drop/, and is removed by the worker.
 */
static bool
is_simple(const struct load *l)
{
	char first[ENVELOPE_MAX_ADDR + 1], domain[ENVELOPE_MAX_ADDR + 1];
	size_t i;

	if (l->mf.env.nrcpt > JOB_MAXRCPT)
		return false;
	for (i = 0; i < l->mf.env.nrcpt; i++) {
		dest_name(&l->mf.env.rcpt[i], domain, sizeof(domain));
		if (i == 0)
			memcpy(first, domain, sizeof(first));
		if (l->rcpt[i].state != RCPT_OPEN ||
		    strcmp(domain, first) != 0)
			return false;
	}
	return true;
}

/* Its time has come, but not its place: later. */
static void
put_off(struct dispatch *d, struct message *m)
{
	table_wait(d->table, m, d->now.wall + LOCAL_RETRY);
}

static void
put_back(struct dispatch *d, struct message *m)
{
	dispatch_unload(d, m);
	put_off(d, m);
}

/*
 * The dialogue names all recipients: it is for the submitter, or whoever may
 * see the queue.  SO_PEERCRED is who called listen(2).
 */
static void
check_reader(struct message *m)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (m->reader == -1 || (getsockopt(m->reader, SOL_SOCKET, SO_PEERCRED,
	    &peer, &len) == 0 && (peer.uid == m->load->mf.env.uid ||
	    peer.uid == 0 || peer.uid == geteuid())))
		return;
	close(m->reader);
	m->reader = -1;
}

static bool
catch_up(struct dispatch *d, struct message *m)
{
	struct outcome o = dispatch_outcome(d);
	int ret = outcome_catch_up(&o, m);

	dispatch_see_reports(d, &o);
	return ret == 0;
}

/*
 * The message was, or was not, put into queue/: RC is 0, 1 if somebody has
 * deleted it, -1 with errno.  Whether it is still to be delivered now.
 */
static bool
is_kept(struct dispatch *d, struct message *m, int rc)
{
	switch (rc) {
	case 0:
		return true;
	case 1:
		dispatch_unload(d, m);
		dispatch_forget(d, m);
		return false;
	default:
		log_warn("%s: cannot keep the message in queue/: %s; tried "
		    "again later", m->id.s, strerror(errno));
		put_back(d, m);
		return false;
	}
}

static bool
move_to_queue(struct dispatch *d, struct message *m)
{
	int rc = queue_keep(d->queue, &m->id, m->load->fd, d->now.wall);

	if (rc == 0)
		m->place = IN_QUEUE;
	return is_kept(d, m, rc);
}

static bool
expand_aliases(struct dispatch *d, struct message *m)
{
	struct outcome o = dispatch_outcome(d);

	return is_kept(d, m, readdress(&o, m));
}

/*
 * The disk is full: said once a minute, however many messages it is about.
 * Mail that is in the queue goes on to be delivered, and makes room.
 */
static void
log_no_room(struct dispatch *d, const struct message *m, const char *what)
{
	if (d->no_room != 0 && d->now.wall - d->no_room < LOCAL_RETRY &&
	    d->now.wall >= d->no_room)
		return;
	d->no_room = d->now.wall;
	log_err("%s: no room in the spool %s; tried again later, like others",
	    m->id.s, what);
}

/* Looked for ten times a second. */
static bool
has_room(struct dispatch *d)
{
	if (d->room_at == -1 || d->now.mono - d->room_at >= 100) {
		d->room = queue_has_room(d->queue);
		d->room_at = d->now.mono;
	}
	return d->room;
}

/*
 * Where several recipients are tried, what happened to each must be written
 * down, or those that have the message would get it again with the next
 * attempt at the others.
 */
static bool
reserve(struct dispatch *d, struct message *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->load->mf.env.nrcpt; i++)
		n += m->load->rcpt[i].state == RCPT_OPEN;
	if (n < 2 || queue_reserve(d->queue, &m->id, n) == 0)
		return true;
	if (errno == ENOSPC || errno == EDQUOT)
		log_no_room(d, m, "to record the outcome of several "
		    "recipients");
	else
		log_warn("%s: cannot make room in queue/%s.log: %s; tried "
		    "again later", m->id.s, m->id.s, strerror(errno));
	return false;
}

static size_t
memory_for_one(const struct dispatch *d)
{
	return d->memory < MEMORY_ALL ? MEMORY_ONE : 0;
}

/*
 * Load the first message that is due.  It must have a place in queue/ before
 * its tasks begin if there are several: then it goes to *KEPT.
 */
static bool
load_one(struct dispatch *d, struct message *m, bool *kept)
{
	const struct msgid id = m->id;
	enum queue_place was;
	struct load *l;

	dispatch_make_idle(d, m);
	if (m->place == IN_DROP && !has_room(d)) {
		log_no_room(d, m, "to pick up a message");
		put_off(d, m);
		return false;
	}
	switch (load_message(d->queue, d->conf, memory_for_one(d), m)) {
	case LOAD_OK:
		break;
	case LOAD_LATER:
		put_off(d, m);
		return false;
	case LOAD_NONE:
		dispatch_forget(d, m);
		dispatch_sync_soon(d);
		/* what was linked, but not without an error, is there now */
		(void)queue_look(d->queue, IN_QUEUE, id.s, dispatch_see, d);
		return false;
	}
	l = m->load;
	caps_move(d->caps, m, queue_uid(l->mf.env.uid));
	m->state = MESSAGE_BUSY;
	d->nloaded++;
	d->nopen++;
	d->memory += l->memory;
	/* readers of logs count what came by this line */
	if (m->place == IN_DROP && !m->logged)
		log_info_as("pickup", "%s: uid=%lu from=<%s>", m->id.s,
		    (unsigned long)l->mf.env.uid, l->mf.env.sender);
	m->logged = true;
	log_info("%s: from=<%s>, size=%lld, nrcpt=%zu (queue active)",
	    m->id.s, l->mf.env.sender, (long long)l->mf.size,
	    l->mf.env.nrcpt);
	check_reader(m);
	if (!bounce_may_go(d->queue, m) || !catch_up(d, m) ||
	    !reserve(d, m)) {
		put_back(d, m);
		return false;
	}
	was = m->place;
	if (readdress_is_due(d->conf, l) && !expand_aliases(d, m))
		return false;
	if (m->place == IN_DROP && (d->nopen > d->maxopen ||
	    !is_simple(l)) && !move_to_queue(d, m))
		return false;
	*kept |= m->place != was;
	if (m->place == IN_QUEUE && d->nopen > d->maxopen) {
		load_park(m);
		d->nopen--;
		d->memory -= m->load->memory;
		m->load->memory = 0;
	}
	return true;
}

/* The next to load: one that finds out about the network comes first. */
static struct message *
next_due(struct dispatch *d, bool *probe)
{
	struct message *m = NULL;

	if (*probe)
		m = due_next(d->stranded);
	*probe = false;
	return m != NULL ? m : due_next(d->due);
}

void
dispatch_load(struct dispatch *d)
{
	struct message *m, *loaded[LOAD_SLICE];
	bool probe = outage_allows(&d->outage, d->now.mono);
	bool kept = false, safe;
	size_t i, n = 0;

	while (n < LOAD_SLICE && d->nloaded < MAX_LOADED &&
	    (m = next_due(d, &probe)) != NULL)
		if (load_one(d, m, &kept))
			loaded[n++] = m;
	/* a drop file must not come back when its journal has gone */
	safe = !kept || dispatch_sync(d);
	for (i = 0; i < n; i++) {
		m = loaded[i];
		if (!safe) {
			put_back(d, m);
			continue;
		}
		make_tasks(d, m);
		if (m->load->tasks != 0)
			continue;
		if (m->load->postponed)
			dispatch_strand(d, m);
		else
			dispatch_settle(d, m);
	}
}
