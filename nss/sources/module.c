/* SPDX-License-Identifier: ISC */
/*
 * Name of a source -> its descriptor: of one that is linked in, or of
 * LIBDIR/mxnss/mxnss_NAME.so.  A file is loaded by its absolute path, and
 * only if nobody but root can have put it there; no environment variable
 * and no search path has a say.  Nothing is ever unloaded.
 *
 * What was loaded and what failed is remembered here, without a lock that
 * a fork could leave taken: the list of what was loaded only grows, and
 * who finds the table of failures in use does without it.
 */
#include "config.h"

#include "sources/module.h"

#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fileid.h"
#include "mxnss.h"
#include "nssconf.h"

#define MAXNAME		32	/* of a source, see nssconf.h */
#define MAXPATH		512
#define MAXFAILURES	8	/* that are remembered */
#define MAXFILES	4	/* that a failure depends on */

const struct mxnss_module *const mxmodule_builtin[] = {
	&_mxnss_files_module,
	&_mxnss_dns_module,
	&_mxnss_zone_module,
	NULL
};

const struct mxmodule_dir mxmodule_installed = {
	MXNSS_MODULEDIR, 0, nssconf_places
};

struct loaded {
	struct loaded	*next;
	const struct mxnss_module *mod;
	char		 path[];
};

struct failure {
	char		 path[MAXPATH];
	char		 why[400];
	struct mxfileid	 seen[MAXFILES];
};

static _Atomic(struct loaded *) loaded;

static struct failure failures[MAXFAILURES];
static unsigned int oldest;
static atomic_flag in_use = ATOMIC_FLAG_INIT;	/* failures, oldest */

/* Why a descriptor is none for us, or NULL. */
static const char *
flaw(const struct mxnss_module *mod, const char *name)
{
	if (mod->abi != MXNSS_ABI)
		return "it was built for another version of <mxnss.h>";
	if (mod->size < sizeof(*mod))
		return "its descriptor is too small";
	if (mod->name == NULL || strcmp(mod->name, name) != 0)
		return "its descriptor has another name";
	if (mod->open == NULL || mod->getmxbyname == NULL)
		return "its descriptor lacks a function";
	return NULL;
}

/* Why PATH could have come from somebody else, or NULL. */
static const char *
distrust(const char *path, mode_t type, uid_t owner)
{
	struct stat st;

	/* Not stat(): a link could lead to where others may write. */
	if (lstat(path, &st) == -1)
		return strerror(errno);
	if ((st.st_mode & S_IFMT) != type)
		return type == S_IFDIR ? "is not a directory" :
		    "is not a regular file";
	if (st.st_uid != 0 && st.st_uid != owner)
		return "does not belong to root (chown 0)";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others (chmod go-w)";
	return NULL;
}

/* The files whose change may cure a failure. */
static void
look_around(const struct mxmodule_dir *dir, const char *path,
    struct mxfileid seen[MAXFILES])
{
	const struct nssconf_place *place;
	size_t n = 2;

	memset(seen, 0, MAXFILES * sizeof(seen[0]));
	(void)mxfileid_of(dir->path, &seen[0], NULL);
	(void)mxfileid_of(path, &seen[1], NULL);
	for (place = dir->places; place->path != NULL && n < MAXFILES; place++)
		(void)mxfileid_of(place->path, &seen[n++], NULL);
}

static struct failure *
failure_of(const char *path)
{
	size_t i;

	for (i = 0; i < MAXFAILURES; i++)
		if (strcmp(failures[i].path, path) == 0)
			return &failures[i];
	return NULL;
}

/* Whether this has failed before and nothing has changed; fills in ERR. */
static int
recall(const char *path, const struct mxfileid seen[MAXFILES], char *err,
    size_t errsize)
{
	const struct failure *f;
	int found = 0;

	if (atomic_flag_test_and_set(&in_use))
		return 0;
	f = failure_of(path);
	if (f != NULL && memcmp(f->seen, seen, sizeof(f->seen)) == 0) {
		(void)strlcpy(err, f->why, errsize);
		found = 1;
	}
	atomic_flag_clear(&in_use);
	return found;
}

static void
remember(const char *path, const struct mxfileid seen[MAXFILES],
    const char *why)
{
	struct failure *f;

	if (atomic_flag_test_and_set(&in_use))
		return;
	if ((f = failure_of(path)) == NULL) {
		f = &failures[oldest];
		oldest = (oldest + 1) % MAXFAILURES;
	}
	(void)strlcpy(f->path, path, sizeof(f->path));
	(void)strlcpy(f->why, why, sizeof(f->why));
	memcpy(f->seen, seen, sizeof(f->seen));
	atomic_flag_clear(&in_use);
}

static const struct mxnss_module *
loaded_from(const char *path)
{
	const struct loaded *l;

	for (l = atomic_load(&loaded); l != NULL; l = l->next)
		if (strcmp(l->path, path) == 0)
			return l->mod;
	return NULL;
}

/* Two threads may add the same: dlopen() gave them the same. */
static void
keep(const char *path, const struct mxnss_module *mod)
{
	struct loaded *l;
	size_t size = strlen(path) + 1;

	if ((l = malloc(sizeof(*l) + size)) == NULL)
		return;		/* it is loaded again the next time */
	l->mod = mod;
	memcpy(l->path, path, size);
	l->next = atomic_load(&loaded);
	while (!atomic_compare_exchange_weak(&loaded, &l->next, l))
		;
}

static const struct mxnss_module *
load(const char *path, const char *name, char *err, size_t errsize)
{
	const struct mxnss_module *mod;
	const char *why;
	char symbol[MAXNAME + sizeof("_mxnss__module")], *p;
	void *handle;

	if ((handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		why = dlerror();	/* names the file */
		(void)snprintf(err, errsize, "source \"%s\" cannot be loaded: "
		    "%s", name, why == NULL ? path : why);
		return NULL;
	}
	(void)snprintf(symbol, sizeof(symbol), "_mxnss_%s_module", name);
	for (p = symbol; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	mod = dlsym(handle, symbol);
	why = mod == NULL ? "it has no descriptor" : flaw(mod, name);
	if (why == NULL)
		return mod;
	(void)snprintf(err, errsize, "source \"%s\" cannot be loaded: %s: %s "
	    "(%s)", name, path, why, symbol);
	return NULL;
}

static const struct mxnss_module *
check_and_load(const struct mxmodule_dir *dir, const char *path,
    const char *name, char *err, size_t errsize)
{
	const char *wrong = dir->path, *why;

	if (access(path, F_OK) == -1 && errno == ENOENT) {
		(void)snprintf(err, errsize, "there is no source \"%s\" here, "
		    "and no %s", name, path);
		return NULL;
	}
	if ((why = distrust(wrong, S_IFDIR, dir->owner)) == NULL) {
		wrong = path;
		why = distrust(wrong, S_IFREG, dir->owner);
	}
	if (why == NULL)
		return load(path, name, err, errsize);
	(void)snprintf(err, errsize, "source \"%s\" cannot be loaded: %s: %s",
	    name, wrong, why);
	return NULL;
}

static const struct mxnss_module *
from_directory(const struct mxmodule_dir *dir, const char *name, char *err,
    size_t errsize)
{
	const struct mxnss_module *mod;
	struct mxfileid seen[MAXFILES];
	char path[MAXPATH];
	int n;

	n = snprintf(path, sizeof(path), "%s/mxnss_%s.so", dir->path, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		(void)snprintf(err, errsize, "source \"%s\": %s", name,
		    strerror(ENAMETOOLONG));
		return NULL;
	}
	if ((mod = loaded_from(path)) != NULL)
		return mod;
	look_around(dir, path, seen);
	if (recall(path, seen, err, errsize))
		return NULL;
	mod = check_and_load(dir, path, name, err, errsize);
	if (mod == NULL)
		remember(path, seen, err);
	else
		keep(path, mod);
	return mod;
}

const struct mxnss_module *
mxmodule_find(const struct mxnss_module *const *table,
    const struct mxmodule_dir *dir, const char *name, char *err,
    size_t errsize)
{
	for (; *table != NULL; table++)
		if (flaw(*table, name) == NULL)
			return *table;
	if (dir != NULL)
		return from_directory(dir, name, err, errsize);
	(void)snprintf(err, errsize, "there is no source \"%s\"", name);
	return NULL;
}

void
mxmodule_describe(const char *name, const char *arg, int error, char *buf,
    size_t size)
{
	if (error != EINVAL)
		(void)snprintf(buf, size, "source \"%s\" cannot be opened: %s",
		    name, error == 0 ? "no reason given" : strerror(error));
	else if (arg == NULL)
		(void)snprintf(buf, size, "source \"%s\" needs an argument: "
		    "%s(...)", name, name);
	else
		(void)snprintf(buf, size, "source \"%s\" refuses its "
		    "argument \"%s\"", name, arg);
}
