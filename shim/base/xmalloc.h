/* SPDX-License-Identifier: ISC */
/*
 * Allocation for the programs of shim/: out of memory ends the process
 * with EX_TEMPFAIL.  That is safe at every instant, because the spool is.
 */
#ifndef SHIM_BASE_XMALLOC_H
#define SHIM_BASE_XMALLOC_H

#include <stddef.h>

void	*xmalloc(size_t);
void	*xcalloc(size_t, size_t);
void	*xreallocarray(void *, size_t, size_t);
char	*xstrdup(const char *);
char	*xstrndup(const char *, size_t);
char	*xasprintf(const char *, ...) __attribute__((format(printf, 1, 2)));

#endif /* SHIM_BASE_XMALLOC_H */
