/* SPDX-License-Identifier: ISC */
/* What stat(2) says of files, as one number. */
#ifndef NSS_GENERATION_H
#define NSS_GENERATION_H

#include <stdint.h>

/*
 * H, and what identifies the contents of the file at PATH; of the override
 * file at PATH and those in its directory.
 */
uint64_t	mxgeneration_file(uint64_t h, const char *path);
uint64_t	mxgeneration_overrides(uint64_t h, const char *path);

#endif /* NSS_GENERATION_H */
