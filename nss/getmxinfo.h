/* SPDX-License-Identifier: ISC */
/* The lookup with its surroundings as an argument. */
#ifndef NSS_GETMXINFO_H
#define NSS_GETMXINFO_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#include "mxdb.h"
#include "nssconf.h"

struct ifaddrs;
struct mxmodule_dir;
struct mxnss_module;

struct mx_env {
	const struct nssconf_place *places;	/* of the source list */
	const struct mxnss_module *const *modules; /* NULL-ended */
	int64_t	(*now)(void);			/* ms, as CLOCK_MONOTONIC */
	uint32_t (*rnd)(uint32_t bound);
	int	(*hostname)(char *, size_t);	/* 0 if it is dotted */
	/* is it this machine's?  *ALL, at first NULL, may keep all there are;
	   the caller gives it to freeifaddrs(3) */
	int	(*is_own)(const struct sockaddr *, struct ifaddrs **all);
	const struct mxmodule_dir *moddir;	/* of others, or NULL */
	int	keep;	/* the list, with its sources opened, for the next */
};

/* getmxinfo() in that environment. */
int	mx_lookup(const struct mx_env *, const char *domain,
	    const struct mxhints *, struct mxinfo **);

#endif /* NSS_GETMXINFO_H */
