/* SPDX-License-Identifier: ISC */
/*
 * The resolver of a libc that is not glibc, as far as it is called.
 */
#include "resolv.h"

int
res_mkquery(int op, const char *name, int class, int type,
    const unsigned char *data, int len, const unsigned char *rr,
    unsigned char *buf, int size)
{
	(void)op, (void)name, (void)class, (void)type, (void)data, (void)len;
	(void)rr, (void)buf;
	return size;
}

struct __res_state *
__bsd_res_state(void)
{
	static __thread struct __res_state state = { RES_DNSRCH };

	return &state;
}
