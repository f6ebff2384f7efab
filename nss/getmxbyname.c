/* SPDX-License-Identifier: ISC */
/*
 * The traditional call: a list that belongs to the library, and an error
 * number, both per thread.  The list is freed by the thread's next call or
 * when the thread ends.
 */
#include "config.h"

#include <netdb.h>
#include <pthread.h>
#include <stddef.h>

#include "mxdb.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int have_key;
static __thread int error;

static void
free_result(void *info)
{
	freemxinfo(info);
}

static void
make_key(void)
{
	have_key = pthread_key_create(&key, free_result) == 0;
}

int *
mx_errno_location(void)
{
	return &error;
}

static int
h_errno_of(const struct mxinfo *info, int code)
{
	if (code == MX_OK)
		return 0;	/* NETDB_SUCCESS, where it has a name */
	if (MX_ISTEMP(code))
		return TRY_AGAIN;
	if (code == MX_ENXDOMAIN)
		return HOST_NOT_FOUND;
	if (info != NULL && (code == MX_ENULLMX || code == MX_ENOADDR ||
	    code == MX_EUNUSABLE))
		return NO_DATA;
	return NO_RECOVERY;
}

struct mxent *
getmxbyname(const char *domain)
{
	struct mxinfo *info = NULL;

	(void)pthread_once(&once, make_key);
	if (!have_key) {
		error = MX_EAGAIN;
		h_errno = TRY_AGAIN;
		return NULL;
	}
	freemxinfo(pthread_getspecific(key));
	(void)pthread_setspecific(key, NULL);
	error = getmxinfo(domain, NULL, &info);
	h_errno = h_errno_of(info, error);
	if (error == MX_OK && pthread_setspecific(key, info) != 0) {
		error = MX_ENOMEM;
		h_errno = TRY_AGAIN;
	}
	if (error != MX_OK) {
		freemxinfo(info);
		return NULL;
	}
	return info->mi_mx;
}
