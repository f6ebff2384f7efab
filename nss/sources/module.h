/* SPDX-License-Identifier: ISC */
/* Sources by name: those that are linked in, and those in a directory. */
#ifndef NSS_MODULE_H
#define NSS_MODULE_H

#include <sys/types.h>

#include <stddef.h>

struct mxnss_module;
struct nssconf_place;

extern const struct mxnss_module _mxnss_files_module;
extern const struct mxnss_module _mxnss_dns_module;
extern const struct mxnss_module _mxnss_zone_module;

/* The NULL-ended table of the sources that are linked in. */
extern const struct mxnss_module *const mxmodule_builtin[];

/* Where mxnss_NAME.so is looked for. */
struct mxmodule_dir {
	const char	*path;		/* absolute */
	uid_t		 owner;		/* beside root, of it and its files */
	const struct nssconf_place *places;	/* of the configuration */
};

/* The one that was chosen when the library was built. */
extern const struct mxmodule_dir mxmodule_installed;

/*
 * The source of that name, in the NULL-ended TABLE or else in DIR (or
 * NULL: no other).  NULL with one line in ERR.  What was loaded stays; a
 * failure is remembered until the file, DIR or the configuration changes.
 */
const struct mxnss_module *mxmodule_find(
    const struct mxnss_module *const *table, const struct mxmodule_dir *dir,
    const char *name, char *err, size_t errsize);

/* One line about an open() with ARG (or NULL) that failed with ERROR. */
void	mxmodule_describe(const char *name, const char *arg, int error,
	    char *buf, size_t size);

#endif /* NSS_MODULE_H */
