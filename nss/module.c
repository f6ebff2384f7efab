/* SPDX-License-Identifier: ISC */
/*
 * Name of a source -> its descriptor.  All sources are linked in.  A
 * descriptor with another ABI number or with missing members is as good as
 * none.
 */
#include "config.h"

#include "module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mxnss.h"

const struct mxnss_module *const mxmodule_builtin[] = {
	&_mxnss_files_module,
	&_mxnss_dns_module,
	&_mxnss_zone_module,
	NULL
};

const struct mxnss_module *
mxmodule_find(const struct mxnss_module *const *table, const char *name)
{
	for (; *table != NULL; table++) {
		if ((*table)->abi != MXNSS_ABI ||
		    (*table)->size < sizeof(struct mxnss_module) ||
		    (*table)->name == NULL || (*table)->open == NULL ||
		    (*table)->getmxbyname == NULL)
			continue;
		if (strcmp((*table)->name, name) == 0)
			return *table;
	}
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
