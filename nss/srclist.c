/* SPDX-License-Identifier: ISC */
/*
 * Lists that are kept between lookups, so that each file is read and each
 * source opened once per process and configuration.  A lookup costs a
 * stat(2) of each file that the list could come from, in order, up to the
 * one that has it.
 */
#include "config.h"

#include "srclist.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fileid.h"
#include "getmxinfo.h"
#include "mxdb.h"
#include "mxinfo.h"
#include "mxnss.h"
#include "nssconf.h"
#include "sources/module.h"

#define SLOTS		4	/* lists; more take turns */
#define MAXPLACES	4

struct mxsrclist {
	unsigned int	 refs;		/* the lock's */
	struct mx_env	 env;
	char		*sources;	/* NULL: the configured one */
	struct mxfileid	 id[MAXPLACES];	/* of the places that were read */
	struct nssconf	 conf;
	/* of each source, and of the DNS for mx: lines; NULL: not opened */
	_Atomic(struct mxsource *) source[NSSCONF_MAXSOURCES + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mxsrclist *kept[SLOTS];
static int forksafe;

/* --- one list ------------------------------------------------------------- */

static void
source_free(struct mxsource *s)
{
	if (s == NULL)
		return;
	if (s->mod->close != NULL)
		s->mod->close(s->priv);
	free(s);
}

static void
list_free(struct mxsrclist *l)
{
	size_t i;

	for (i = 0; i < NSSCONF_MAXSOURCES + 1; i++)
		source_free(atomic_load(&l->source[i]));
	free(l->sources);
	free(l);
}

/* Whether the places are what they were when ID was taken. */
static int
is_unchanged(const struct mx_env *env, const struct mxfileid *id, size_t n)
{
	struct mxfileid now;
	size_t i;

	for (i = 0; i < n; i++)
		if (mxfileid_of(env->places[i].path, &now, NULL) == -1 ||
		    !mxfileid_is_same(&now, &id[i]))
			return 0;
	return 1;
}

static int
read_places(struct mxsrclist *l, char *err, size_t errsize)
{
	const struct nssconf_place *place = l->env.places;
	size_t i;

	for (i = 0; i < MAXPLACES && place[i].path != NULL; i++)
		(void)mxfileid_of(place[i].path, &l->id[i], NULL);
	return nssconf_load(place, &l->conf, err, errsize);
}

static int
read_sources(struct mxsrclist *l, const char *sources, char *err,
    size_t errsize)
{
	char why[200];

	if ((l->sources = strdup(sources)) == NULL) {
		(void)snprintf(err, errsize, "%s", strerror(errno));
		return -1;
	}
	if (nssconf_parse(sources, strlen(sources), 1, &l->conf, why,
	    sizeof(why)) == 0)
		return 0;
	(void)snprintf(err, errsize, "source list \"%.200s\": %s", sources,
	    why);
	return -1;
}

static struct mxsrclist *
list_new(const struct mx_env *env, const char *sources, char *err,
    size_t errsize)
{
	struct mxsrclist *l;
	int saved;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		(void)snprintf(err, errsize, "%s", strerror(errno));
		return NULL;
	}
	l->refs = 1;
	l->env = *env;
	errno = 0;
	if ((sources == NULL ? read_places(l, err, errsize) :
	    read_sources(l, sources, err, errsize)) == 0)
		return l;
	saved = errno;
	list_free(l);
	errno = saved;
	return NULL;
}

/* Whether nobody can have changed a file unseen. */
static int
is_lasting(const struct mxsrclist *l)
{
	struct timespec now;
	size_t i;

	if (l->sources != NULL)
		return 1;
	if (l->conf.nplaces > MAXPLACES ||
	    clock_gettime(CLOCK_REALTIME, &now) == -1)
		return 0;
	for (i = 0; i < l->conf.nplaces; i++)
		if (mxfileid_is_young(&l->id[i], now.tv_sec))
			return 0;
	return is_unchanged(&l->env, l->id, l->conf.nplaces);
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

static int
is_builtin(const struct mxsrclist *l, const struct mxnss_module *mod)
{
	size_t i;

	for (i = 0; l->env.modules[i] != NULL; i++)
		if (l->env.modules[i] == mod)
			return 1;
	return 0;
}

/*
 * A connection that a module holds is the parent's: to close it could say
 * good-bye in his name.  So the child forgets it.
 */
static void
in_child(void)
{
	struct mxsource *s;
	size_t i, j;

	for (i = 0; i < SLOTS; i++)
		for (j = 0; kept[i] != NULL && j <= NSSCONF_MAXSOURCES; j++) {
			s = atomic_load(&kept[i]->source[j]);
			if (s != NULL && !is_builtin(kept[i], s->mod))
				atomic_store(&kept[i]->source[j], NULL);
		}
	(void)pthread_mutex_unlock(&lock);
}

static int
is_wanted(const struct mxsrclist *l, const struct mx_env *env,
    const char *sources)
{
	if (l == NULL || l->env.places != env->places ||
	    l->env.modules != env->modules || l->env.moddir != env->moddir)
		return 0;
	if (sources == NULL || l->sources == NULL)
		return sources == l->sources;
	return strcmp(sources, l->sources) == 0;
}

/* Called with the lock held. */
static struct mxsrclist **
find_slot(const struct mx_env *env, const char *sources)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (is_wanted(kept[i], env, sources))
			return &kept[i];
	return NULL;
}

static struct mxsrclist *
recall(const struct mx_env *env, const char *sources)
{
	struct mxsrclist **slot, *l = NULL;

	(void)pthread_mutex_lock(&lock);
	if ((slot = find_slot(env, sources)) != NULL) {
		l = *slot;
		l->refs++;
	}
	(void)pthread_mutex_unlock(&lock);
	if (l == NULL || l->sources != NULL ||
	    is_unchanged(env, l->id, l->conf.nplaces))
		return l;
	mxsrclist_put(l);
	return NULL;
}

static void
keep(struct mxsrclist *l)
{
	static unsigned int turn;
	struct mxsrclist **slot, *old = NULL;

	(void)pthread_mutex_lock(&lock);
	if (!forksafe)
		forksafe = pthread_atfork(before_fork, after_fork,
		    in_child) == 0;
	if (forksafe) {
		if ((slot = find_slot(&l->env, l->sources)) == NULL)
			slot = &kept[turn++ % SLOTS];
		old = *slot;
		*slot = l;
		l->refs++;
	}
	(void)pthread_mutex_unlock(&lock);
	mxsrclist_put(old);
}

struct mxsrclist *
mxsrclist_get(const struct mx_env *env, const char *sources, char *err,
    size_t errsize)
{
	struct mxsrclist *l;

	if (env->keep && (l = recall(env, sources)) != NULL)
		return l;
	l = list_new(env, sources, err, errsize);
	if (l != NULL && env->keep && is_lasting(l))
		keep(l);
	return l;
}

void
mxsrclist_put(struct mxsrclist *l)
{
	int last;

	if (l == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	last = --l->refs == 0;
	(void)pthread_mutex_unlock(&lock);
	if (last)
		list_free(l);
}

/* --- its sources ---------------------------------------------------------- */

const struct nssconf *
mxsrclist_conf(const struct mxsrclist *l)
{
	return &l->conf;
}

static struct mxsource *
open_source(const struct mxsrclist *l, const char *name, const char *arg,
    char *why, size_t size, int *error)
{
	struct mxsource *s;

	*error = MX_ESOURCE;
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		*error = MX_ENOMEM;
		(void)snprintf(why, size, "%s", strerror(errno));
		return NULL;
	}
	s->mod = mxmodule_find(l->env.modules, l->env.moddir, name, why, size);
	if (s->mod == NULL)
		goto fail;
	errno = 0;
	if (s->mod->open(&mxinfo_host, arg, &s->priv) == 0)
		return s;
	/* An argument that makes no sense is a wrong list. */
	if (errno == EINVAL)
		*error = MX_ECONFIG;
	mxmodule_describe(name, arg, errno, why, size);
fail:
	free(s);
	return NULL;
}

static _Atomic(struct mxsource *) *
place_of(struct mxsrclist *l, size_t n)
{
	return &l->source[n == MXSRCLIST_DNS ? NSSCONF_MAXSOURCES : n];
}

const struct mxsource *
mxsrclist_opened(struct mxsrclist *l, size_t n)
{
	return atomic_load(place_of(l, n));
}

/*
 * Threads that come at the same time all open the source, and the first one
 * through wins: nobody waits for another one, who may never come back.
 */
const struct mxsource *
mxsrclist_open(struct mxsrclist *l, size_t n, char *why, size_t size,
    int *error)
{
	_Atomic(struct mxsource *) *place = place_of(l, n);
	struct mxsource *s, *first = atomic_load(place);
	const char *name = "dns", *arg = NULL;

	if (first != NULL)
		return first;
	if (n != MXSRCLIST_DNS) {
		name = l->conf.src[n].name;
		if (l->conf.src[n].arg[0] != '\0')
			arg = l->conf.src[n].arg;
	}
	if ((s = open_source(l, name, arg, why, size, error)) == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(place, &first, s))
		return s;
	source_free(s);
	return first;
}
