/* SPDX-License-Identifier: ISC */
/* Is an address one of this host's own? */
#ifndef SHIM_RUN_SELF_H
#define SHIM_RUN_SELF_H

#include <sys/socket.h>

#include <stdbool.h>

/*
 * Whether ADDR belongs to an interface of this host, or can only mean this
 * host (loopback, unspecified).  An address that cannot be checked is not.
 */
bool	self_is_address(const struct sockaddr *);

#endif /* SHIM_RUN_SELF_H */
