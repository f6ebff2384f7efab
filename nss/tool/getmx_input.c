/* SPDX-License-Identifier: ISC */
/*
 * getmx -: domains from a stream, one per line.  Blanks around a domain,
 * a carriage return, and lines without one do not count; anything else is
 * handed on, for the lookup says best what is wrong with it.
 */
#include "config.h"

#include "tool/getmx.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS	" \t\r\n"

/* The domain in a line of LEN octets. */
static char *
trim(char *line, size_t len)
{
	char *p;

	/* What stands behind a NUL must not be lost in silence. */
	while ((p = memchr(line, '\0', len)) != NULL)
		*p = '\177';
	while (len > 0 && strchr(BLANKS, line[len - 1]) != NULL)
		line[--len] = '\0';
	return line + strspn(line, BLANKS);
}

int
getmx_input(FILE *fp, int (*look_up)(void *, const char *), void *arg,
    int *worst)
{
	char *domain, *line = NULL;
	size_t size = 0;
	ssize_t len;
	int code;

	while ((len = getline(&line, &size, fp)) > 0) {
		domain = trim(line, (size_t)len);
		if (*domain == '\0')
			continue;
		code = look_up(arg, domain);
		if (code > *worst)
			*worst = code;
	}
	free(line);
	return ferror(fp) ? -1 : 0;
}
