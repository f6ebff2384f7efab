/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "submit/owner.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/priv.h"

bool
owner_may(const char *spool)
{
	struct stat st;

	return geteuid() == 0 || (stat(spool, &st) == 0 &&
	    geteuid() == st.st_uid);
}

int
owner_become(const char *program, const char *spool, const char *what)
{
	struct stat st;

	if (stat(spool, &st) == -1) {
		fprintf(stderr, "%s: %s: %s\n", program, spool,
		    strerror(errno));
		return EX_OSFILE;
	}
	if (!owner_may(spool)) {
		fprintf(stderr, "%s: only root and the owner of %s may %s\n",
		    program, spool, what);
		return EX_NOPERM;
	}
	if (priv_become_owner(spool) == -1) {
		fprintf(stderr, "%s: cannot become the owner of %s: %s\n",
		    program, spool, strerror(errno));
		return EX_NOPERM;
	}
	return EX_OK;
}
