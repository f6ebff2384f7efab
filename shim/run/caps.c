/* SPDX-License-Identifier: ISC */
/* Memory is bounded, too: a user's line has an end, and drop/ has the rest. */
#include "config.h"

#include "run/caps.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "run/table.h"
#include "spool/usage.h"

#define LINE_MAX	5000	/* messages of one user */

struct line {
	TAILQ_HEAD(, message) list;
	size_t		 n;
	bool		 more;	/* some were forgotten */
};

struct caps {
	struct usage	*usage;
	struct usage_limit limit;
	void		(*due)(void *, struct message *);
	void		*arg;
	bool		 scan;
};

struct caps *
caps_new(void (*due)(void *, struct message *), void *arg)
{
	struct caps *c = xcalloc(1, sizeof(*c));

	c->usage = usage_new();
	c->due = due;
	c->arg = arg;
	return c;
}

void
caps_free(struct caps *c)
{
	if (c == NULL)
		return;
	usage_free(c->usage, free);
	free(c);
}

static void
count(struct user *user, struct message *m)
{
	usage_add(user, m->size);
	m->counted = true;
}

/* Into the line of its user.  False: it is full. */
static bool
line_up(struct user *user, struct message *m)
{
	struct line *line = user->line;

	if (line == NULL) {
		user->line = line = xcalloc(1, sizeof(*line));
		TAILQ_INIT(&line->list);
	}
	if (line->n == LINE_MAX) {
		line->more = true;
		return false;
	}
	TAILQ_INSERT_TAIL(&line->list, m, due);
	line->n++;
	m->state = MESSAGE_CAPPED;
	return true;
}

static void
leave_line(struct line *line, struct message *m)
{
	TAILQ_REMOVE(&line->list, m, due);
	line->n--;
	m->state = MESSAGE_IDLE;
}

/* Those in line for which there is room. */
static void
admit(void *arg, struct user *user)
{
	struct caps *c = arg;
	struct line *line = user->line;
	struct message *m;

	if (line == NULL)
		return;
	while ((m = TAILQ_FIRST(&line->list)) != NULL) {
		if (!usage_has_room(user, &c->limit, m->size))
			return;
		leave_line(line, m);
		count(user, m);
		c->due(c->arg, m);
	}
	if (line->more && usage_has_room(user, &c->limit, 0)) {
		line->more = false;
		c->scan = true;
	}
}

void
caps_conf(struct caps *c, const struct conf *conf)
{
	c->limit.messages = conf->user_messages;
	c->limit.octets = conf->user_size;
	usage_each(c->usage, admit, c);
}

bool
caps_enter(struct caps *c, struct message *m, bool *forget)
{
	struct user *user = usage_of(c->usage, m->uid);
	struct line *line = user->line;

	*forget = false;
	if (m->place == IN_QUEUE || ((line == NULL || line->n == 0) &&
	    usage_has_room(user, &c->limit, m->size))) {
		count(user, m);
		return true;
	}
	*forget = !line_up(user, m);
	return false;
}

void
caps_leave(struct caps *c, struct message *m)
{
	struct user *user = usage_of(c->usage, m->uid);

	if (m->state == MESSAGE_CAPPED)
		leave_line(user->line, m);
	if (!m->counted)
		return;
	usage_remove(user, m->size);
	m->counted = false;
	admit(c, user);
}

void
caps_move(struct caps *c, struct message *m, uid_t uid)
{
	if (m->uid == uid)
		return;
	caps_leave(c, m);
	m->uid = uid;
	count(usage_of(c->usage, uid), m);
}

bool
caps_wants_scan(struct caps *c)
{
	bool wants = c->scan;

	c->scan = false;
	return wants;
}
