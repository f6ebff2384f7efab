/* SPDX-License-Identifier: ISC */
/* Sources by name. */
#ifndef NSS_MODULE_H
#define NSS_MODULE_H

#include <stddef.h>

struct mxnss_module;

extern const struct mxnss_module _mxnss_files_module;
extern const struct mxnss_module _mxnss_dns_module;
extern const struct mxnss_module _mxnss_zone_module;

/* The NULL-ended table of the sources that are linked in. */
extern const struct mxnss_module *const mxmodule_builtin[];

/* The source of that name in TABLE, or NULL. */
const struct mxnss_module *mxmodule_find(
    const struct mxnss_module *const *table, const char *name);

/* One line about an open() with ARG (or NULL) that failed with ERROR. */
void	mxmodule_describe(const char *name, const char *arg, int error,
	    char *buf, size_t size);

#endif /* NSS_MODULE_H */
