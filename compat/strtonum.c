/* SPDX-License-Identifier: ISC */
/*
 * strtonum(3): a number in decimal, the whole string and nothing else.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#ifndef HAVE_STRTONUM

long long
strtonum(const char *s, long long min, long long max, const char **errstr)
{
	const char *why = NULL;
	char *end;
	long long n;
	int saved = errno;

	errno = 0;
	n = strtoll(s, &end, 10);
	if (min > max || end == s || *end != '\0')
		why = "invalid";
	else if (n < min || (n == LLONG_MIN && errno == ERANGE))
		why = "too small";
	else if (n > max || (n == LLONG_MAX && errno == ERANGE))
		why = "too large";
	errno = saved;
	if (why != NULL)
		errno = why[0] == 'i' ? EINVAL : ERANGE;
	if (errstr != NULL)
		*errstr = why;
	return why == NULL ? n : 0;
}

#endif
