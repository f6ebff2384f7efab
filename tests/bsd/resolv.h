/* SPDX-License-Identifier: ISC */
/*
 * <resolv.h> as a BSD has it, as far as this project looks: functions by
 * other names, a state without the members of glibc, servers of IPv6 by
 * res_getservers(3) only.
 */
#ifndef TESTS_BSD_RESOLV_H
#define TESTS_BSD_RESOLV_H

#include <sys/types.h>
#include <netinet/in.h>

#define MAXNS		3
#define _PATH_RESCONF	"/etc/resolv.conf"

#define RES_DEFNAMES	0x00000080
#define RES_DNSRCH	0x00000200
#define RES_ROTATE	0x00004000
#define RES_USEVC	0x00000008

union res_sockaddr_union {
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;
	char			space[128];
};

struct __res_state {
	int			retrans;
	int			retry;
	unsigned long		options;
	int			nscount;
	struct sockaddr_in	nsaddr_list[MAXNS];
	union res_sockaddr_union *ext;
};

#define res_ninit	__bsd_res_ninit
#define res_nclose	__bsd_res_nclose
#define res_getservers	__bsd_res_getservers
#define res_mkquery	__bsd_res_mkquery
#define _res		(*__bsd_res_state())

int	res_ninit(struct __res_state *);
void	res_nclose(struct __res_state *);
int	res_getservers(struct __res_state *, union res_sockaddr_union *, int);
int	res_mkquery(int, const char *, int, int, const unsigned char *, int,
	    const unsigned char *, unsigned char *, int);
struct __res_state *__bsd_res_state(void);

#endif /* TESTS_BSD_RESOLV_H */
