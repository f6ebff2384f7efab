/* SPDX-License-Identifier: ISC */
/*
 * LD_PRELOAD: the FAILMALLOC-th allocation of a process fails, counted from
 * when main() is about to run; a child goes on counting where its parent was.
 * When one fails, the file FAILMALLOC_MARK is made.
 *
 * Under AddressSanitizer its allocator is still the one that is used.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEAK	__attribute__((weak))

extern void *__libc_malloc(size_t) WEAK;
extern void *__libc_calloc(size_t, size_t) WEAK;
extern void *__libc_realloc(void *, size_t) WEAK;
extern void *__interceptor_malloc(size_t) WEAK;
extern void *__interceptor_calloc(size_t, size_t) WEAK;
extern void *__interceptor_realloc(void *, size_t) WEAK;

static unsigned long left;	/* until one fails; 0: none does any more */
static char mark[256];

static void __attribute__((constructor))
start(void)
{
	const char *n = getenv("FAILMALLOC"), *m = getenv("FAILMALLOC_MARK");

	if (n == NULL || m == NULL || strlen(m) >= sizeof(mark))
		return;
	memcpy(mark, m, strlen(m) + 1);
	left = strtoul(n, NULL, 10);
}

static bool
fails(void)
{
	int fd;

	if (left == 0 || --left != 0)
		return false;
	fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd != -1)
		close(fd);
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	if (fails())
		return NULL;
	return __interceptor_malloc != NULL ? __interceptor_malloc(n) :
	    __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_calloc != NULL ? __interceptor_calloc(n, size) :
	    __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	if (fails())
		return NULL;
	return __interceptor_realloc != NULL ? __interceptor_realloc(p, n) :
	    __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

char *
strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = malloc(len + 1);

	if (p != NULL) {
		memcpy(p, s, len);
		p[len] = '\0';
	}
	return p;
}

char *
strdup(const char *s)
{
	return strndup(s, strlen(s));
}
