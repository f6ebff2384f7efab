/* SPDX-License-Identifier: ISC */
/*
 * Nothing is to be compiled: the runner reads the files.  What would hold
 * mail is said here, before it does: wrong lines, circles, files of :include:
 * that are not there.
 */
#include "config.h"

#include "submit/newaliases.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "local/alias.h"
#include "local/expand.h"
#include "submit/submit.h"

static void
complain(void *arg, const char *text)
{
	int *code = arg;

	*code = submit_complain(EX_DATAERR, "%s", text);
}

int
newaliases_main(const struct conf *conf)
{
	struct aliases a;
	const char *which;
	size_t i;
	int code = EX_OK;

	alias_init(&a);
	if (alias_load(&a, conf->aliases, conf->aliases_default, &which) == -1)
		code = submit_complain(EX_OSFILE, "%s: %s", which,
		    strerror(errno));
	for (i = 0; i < a.nerrors; i++)
		code = submit_complain(EX_DATAERR, "%s", a.errors[i]);
	if (code != EX_OSFILE)
		expand_check(conf, &a, complain, &code);
	if (code == EX_OK)
		printf("%zu alias%s, nothing wrong; there is nothing to "
		    "compile\n", a.nalias, a.nalias == 1 ? "" : "es");
	alias_clear(&a);
	return fflush(stdout) == 0 ? code : EX_IOERR;
}
