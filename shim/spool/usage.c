/* SPDX-License-Identifier: ISC */
/* Users in a hash table: there are as many as somebody made drop files of. */
#include "config.h"

#include "spool/usage.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "spool/queue.h"

struct usage {
	struct user	**slot;
	size_t		  nslots;	/* a power of two */
	size_t		  count;
};

struct usage *
usage_new(void)
{
	struct usage *u = xcalloc(1, sizeof(*u));

	u->nslots = 16;
	u->slot = xcalloc(u->nslots, sizeof(u->slot[0]));
	return u;
}

void
usage_free(struct usage *u, void (*end)(void *))
{
	struct user *user;
	size_t i;

	if (u == NULL)
		return;
	for (i = 0; i < u->nslots; i++)
		while ((user = u->slot[i]) != NULL) {
			u->slot[i] = user->chain;
			if (user->line != NULL && end != NULL)
				end(user->line);
			free(user);
		}
	free(u->slot);
	free(u);
}

static struct user **
slot(const struct usage *u, uid_t uid)
{
	return &u->slot[(uid * 2654435761U >> 8) & (u->nslots - 1)];
}

static void
grow(struct usage *u)
{
	struct user **old = u->slot, *user, **to;
	size_t i, n = u->nslots;

	u->nslots = n * 2;
	u->slot = xcalloc(u->nslots, sizeof(u->slot[0]));
	for (i = 0; i < n; i++)
		while ((user = old[i]) != NULL) {
			old[i] = user->chain;
			to = slot(u, user->uid);
			user->chain = *to;
			*to = user;
		}
	free(old);
}

struct user *
usage_of(struct usage *u, uid_t uid)
{
	struct user *user, **to;

	uid = queue_uid(uid);
	for (user = *slot(u, uid); user != NULL; user = user->chain)
		if (user->uid == uid)
			return user;
	if (u->count++ >= u->nslots)
		grow(u);
	user = xcalloc(1, sizeof(*user));
	user->uid = uid;
	to = slot(u, uid);
	user->chain = *to;
	*to = user;
	return user;
}

void
usage_each(struct usage *u, void (*each)(void *, struct user *), void *arg)
{
	struct user *user;
	size_t i;

	for (i = 0; i < u->nslots; i++)
		for (user = u->slot[i]; user != NULL; user = user->chain)
			each(arg, user);
}

void
usage_add(struct user *user, off_t size)
{
	user->messages++;
	user->octets += (uint64_t)size;
}

void
usage_remove(struct user *user, off_t size)
{
	user->messages--;
	user->octets -= (uint64_t)size;
}

bool
usage_has_room(const struct user *user, const struct usage_limit *limit,
    off_t size)
{
	uint64_t sum;

	if (user->messages == 0 || user->uid == 0 ||
	    user->uid == queue_uid(geteuid()))
		return true;
	if (limit->messages != 0 && user->messages >= limit->messages)
		return false;
	return limit->octets == 0 || (!__builtin_add_overflow(user->octets,
	    (uint64_t)size, &sum) && sum <= limit->octets);
}
