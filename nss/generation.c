/* SPDX-License-Identifier: ISC */
/*
 * Has the administrator changed anything?  A number made of what stat(2)
 * says of the files that the source list and the overrides are read from.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "fileid.h"
#include "fnv.h"
#include "generation.h"
#include "mxdb.h"
#include "mxhosts/mxhosts.h"
#include "nssconf.h"

static uint64_t
mix(uint64_t h, uint64_t v)
{
	int i;

	for (i = 0; i < 8; i++, v >>= 8)
		h = fnv_octet(h, v & 0xff);
	return h;
}

uint64_t
mxgeneration_file(uint64_t h, const char *path)
{
	struct mxfileid id;

	/* not to be seen is like absent */
	(void)mxfileid_of(path, &id, NULL);
	h = mix(h, (uint64_t)id.dev);
	h = mix(h, (uint64_t)id.ino);
	h = mix(h, (uint64_t)id.size);
	h = mix(h, (uint64_t)id.mtim.tv_sec);
	h = mix(h, (uint64_t)id.mtim.tv_nsec);
	h = mix(h, (uint64_t)id.ctim.tv_sec);
	return mix(h, (uint64_t)id.ctim.tv_nsec);
}

uint64_t
mxgeneration_overrides(uint64_t h, const char *path)
{
	struct mxhosts_files files;
	char *dir, err[600];
	size_t i;

	h = mxgeneration_file(h, path);
	if ((dir = mxhosts_dirname(path)) != NULL)
		h = mxgeneration_file(h, dir);
	free(dir);
	if (mxhosts_list(path, &files, err, sizeof(err)) == -1)
		return mix(h, (uint64_t)errno);
	for (i = 1; i < files.n; i++)
		h = mxgeneration_file(h, files.path[i]);
	mxhosts_files_clear(&files);
	return h;
}

uint64_t
mx_generation(void)
{
	const struct nssconf_place *place;
	uint64_t h = mxgeneration_overrides(FNV_OFFSET, MXHOSTS_PATH);

	for (place = nssconf_places; place->path != NULL; place++)
		h = mxgeneration_file(h, place->path);
	return h;
}
