/* SPDX-License-Identifier: ISC */
/*
 * A network and mount namespace of the test's own, in which port 53 and
 * /etc/resolv.conf are its to use.
 */
#ifndef TESTS_NETNS_H
#define TESTS_NETNS_H

#include <stdbool.h>

/*
 * netns_enter: go there.  lo is up and has 192.0.2.53 beside 127.0.0.1.
 *	NULL, or why that cannot be.
 * netns_resolvconf: write /etc/resolv.conf.
 * netns_leave: remove the file behind it; the namespace ends with us.
 */
const char *netns_enter(void);
bool	 netns_resolvconf(const char *text);
void	 netns_leave(void);

#endif /* TESTS_NETNS_H */
