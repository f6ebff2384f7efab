/* SPDX-License-Identifier: ISC */
/*
 * Allocation functions that fail when told to; see faults.h.
 */
#include "config.h"

#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
char	*__real_strdup(const char *);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
char	*__wrap_strdup(const char *);

static size_t countdown;
static bool failed;

void
faults_begin(size_t n)
{
	countdown = n;
	failed = false;
}

bool
faults_end(void)
{
	countdown = 0;
	return failed;
}

static bool
is_due(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	errno = ENOMEM;
	failed = true;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return is_due() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_due() ? NULL : __real_calloc(n, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return is_due() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return is_due() ? NULL : __real_strdup(s);
}
