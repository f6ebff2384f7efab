/* SPDX-License-Identifier: ISC */
/*
 * <resolv.h> as a BSD has it, as far as this project looks: functions by
 * other names, a state without the members of glibc, no RES_TRUSTAD.
 */
#ifndef TESTS_BSD_RESOLV_H
#define TESTS_BSD_RESOLV_H

#include <sys/types.h>
#include <netinet/in.h>

#define _PATH_RESCONF	"/etc/resolv.conf"

#define RES_DNSRCH	0x00000200

struct __res_state {
	unsigned long		options;
};

#define res_mkquery	__bsd_res_mkquery
#define _res		(*__bsd_res_state())

int	res_mkquery(int, const char *, int, int, const unsigned char *, int,
	    const unsigned char *, unsigned char *, int);
struct __res_state *__bsd_res_state(void);

#endif /* TESTS_BSD_RESOLV_H */
