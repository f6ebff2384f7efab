/* SPDX-License-Identifier: ISC */
/*
 * Where does a recipient's mail go?  The shim's only door to <mxdb.h>: it
 * turns what getmxinfo() says into a list of hops, or into a result that
 * the sender may read.
 */
#ifndef SHIM_RUN_ROUTE_H
#define SHIM_RUN_ROUTE_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/result.h"

/* What the administrator wrote beside the hop; HOP_TLS_OTHER: unknown here. */
enum hop_tls { HOP_TLS_DEFAULT, HOP_TLS_NONE, HOP_TLS_MAY, HOP_TLS_ENCRYPT,
    HOP_TLS_VERIFY, HOP_TLS_DANE, HOP_TLS_OTHER };

struct hop_addr {
	struct sockaddr_storage	 ss;	/* port filled in */
	socklen_t		 len;
};

struct entry;
struct mxent;

struct hop {
	const char	*host;		/* a name, or a bare IP address */
	const char	*tlsname;	/* to verify instead of host, or NULL */
	const char	*auth;		/* credentials to use, or NULL */
	unsigned	 pref;
	uint16_t	 port;
	enum hop_tls	 tls;
	bool		 implicit_tls;
	bool		 literal;	/* host is an IP address */
	bool		 localconf;	/* an administrator wrote it */
	char		 origin[128];	/* "dns", "files /etc/mxhosts:12" */
	struct hop_addr	*addr;		/* set by route_hop() */
	size_t		 naddr;
	struct mxent	*ent;		/* of route.c */
};

struct route {
	struct hop	*hop;		/* in the order to try them */
	size_t		 nhop;
	struct result	 why;		/* if there are none */
	bool		 cut;		/* we are an exchange: the list ends
					   before us */
	bool		 partial;	/* there are more than these */
	bool		 byrcpt;	/* for some recipients only */
	struct entry	*entry;		/* of route.c */
};

struct router;

/*
 * router_new: for the mail of DOMAIN, which may be "[192.0.2.1]"; both
 *	arguments are kept by reference.
 * route_find: the route of RCPT; NULL: of whom no override names.  It lives
 *	until the next router_expire().
 *	A route without a hop says why.
 * route_hop: find the addresses of hop I, and make sure that none of them is
 *	our own.  0; -1 with *R when it has no address, permanent if that is
 *	certain; 1 when the list turned out to end at or before I, because we
 *	are an exchange: nhop has changed.
 * router_expire: forget what is no longer valid at NOW (seconds, monotonic),
 *	and all when the administrator has changed something: GENERATION is
 *	another one than before.
 * route_generation: a number that changes when he does; the same in all
 *	processes.  It costs a stat(2) of each file that may say something.
 */
struct router *router_new(const struct conf *, const char *domain);
void	 router_free(struct router *);		/* NULL is fine */
struct route *route_find(struct router *, const char *rcpt);
int	 route_hop(struct router *, struct route *, size_t i, struct result *);
void	 router_expire(struct router *, int64_t now, uint64_t generation);
uint64_t route_generation(void);

#endif /* SHIM_RUN_ROUTE_H */
