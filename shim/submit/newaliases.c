/* SPDX-License-Identifier: ISC */
/*
 * Nothing is to be compiled: the runner reads the files.  What would hold
 * mail is said here, before it does: wrong lines, circles, files of :include:
 * that are not there.
 */
#include "config.h"

#include "submit/newaliases.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "local/alias.h"
#include "local/expand.h"
#include "submit/submit.h"

/* Names whose line is right, and that lead nowhere all the same. */
static bool
check_expansions(const struct conf *conf, const struct aliases *a)
{
	struct expansion x;
	struct result r;
	bool right = true;
	size_t i;

	for (i = 0; i < a->nalias; i++) {
		if (a->alias[i].wrong != NULL)
			continue;
		if (expand(conf, a, a->alias[i].name, &x, &r) == 0) {
			expansion_clear(&x);
			continue;
		}
		right = false;
		submit_complain(EX_DATAERR, "%s", r.text);
	}
	return right;
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
	if (code != EX_OSFILE && !check_expansions(conf, &a))
		code = EX_DATAERR;
	if (code == EX_OK)
		printf("%zu aliases, nothing wrong; there is nothing to "
		    "compile\n", a.nalias);
	alias_clear(&a);
	return fflush(stdout) == 0 ? code : EX_IOERR;
}
