/* SPDX-License-Identifier: ISC */
/*
 * The BSD functions that this project calls and that some C libraries lack.
 * configure looks in libc, then for libbsd; compat/ is for where neither has
 * them, musl for example.  Semantics are those of the OpenBSD manual.
 *
 * arc4random() is always ours: that of libbsd holds a lock that a child
 * inherits, so that when a program with threads forks at the wrong moment,
 * the next lookup of the child waits for ever.
 */
#ifndef COMPAT_COMPAT_H
#define COMPAT_COMPAT_H

#include <stddef.h>
#include <stdint.h>

/* Names of our own: these objects end up in static libraries. */
#ifndef HAVE_STRLCPY
#define strlcpy	mxcompat_strlcpy
#define strlcat	mxcompat_strlcat
size_t	strlcpy(char *, const char *, size_t);
size_t	strlcat(char *, const char *, size_t);
#endif

#ifndef HAVE_STRTONUM
#define strtonum mxcompat_strtonum
long long strtonum(const char *, long long, long long, const char **);
#endif

#define arc4random mxcompat_arc4random
#define arc4random_uniform mxcompat_arc4random_uniform
uint32_t arc4random(void);
uint32_t arc4random_uniform(uint32_t);

/*
 * A large variable in a hot place, which -ftrivial-auto-var-init is not to
 * clear: for what is written before it is read, of which the reader sees
 * that at a glance.
 */
#ifdef __has_attribute
#if __has_attribute(uninitialized)
#define UNCLEARED	__attribute__((uninitialized))
#endif
#endif
#ifndef UNCLEARED
#define UNCLEARED
#endif

#endif /* COMPAT_COMPAT_H */
