/* SPDX-License-Identifier: ISC */
/*
 * Allocation that cannot fail: it returns memory or ends the process.
 */
#include "config.h"

#include "base/xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void *
check(void *p)
{
	static const char msg[] = "mxnss: out of memory\n";

	if (p == NULL) {
		/* stdio may want memory of its own */
		if (write(STDERR_FILENO, msg, sizeof(msg) - 1) == -1)
			_exit(EX_TEMPFAIL);
		_exit(EX_TEMPFAIL);
	}
	return p;
}

void *
xmalloc(size_t size)
{
	return check(malloc(size != 0 ? size : 1));
}

void *
xcalloc(size_t n, size_t size)
{
	return check(calloc(n != 0 ? n : 1, size != 0 ? size : 1));
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	/* not reallocarray(3): it would be all that needs libbsd here */
	if (__builtin_mul_overflow(n, size, &total))
		return check(NULL);
	return check(realloc(p, total != 0 ? total : 1));
}

char *
xstrdup(const char *s)
{
	return check(strdup(s));
}

char *
xstrndup(const char *s, size_t n)
{
	return check(strndup(s, n));
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return check(n == -1 ? NULL : s);
}
