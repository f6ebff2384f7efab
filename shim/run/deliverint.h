/* SPDX-License-Identifier: ISC */
/*
 * What the two halves of an attempt share: deliver.c, which hosts are tried
 * and what becomes of the recipients, and host.c, one host.
 */
#ifndef SHIM_RUN_DELIVERINT_H
#define SHIM_RUN_DELIVERINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/conf.h"
#include "base/result.h"
#include "run/deliver.h"
#include "run/rcptlog.h"
#include "spool/hoststat.h"

#define MAX_HOSTS	5	/* of one attempt */
#define MAX_ADDRS	10

struct hop;
struct peer;
struct queue;
struct route;
struct router;

struct deliver {
	const struct conf *conf;
	struct queue	*queue;		/* with the memory of hosts, or NULL */
	const char	*domain;
	struct router	*router;
	struct peer	*peer;		/* the open connection, or NULL */
	int		 slow_family;	/* is swallowed on the way; or 0 */
};

/* The hosts of the best preference: who cannot take the message. */
struct fitness {
	unsigned	 hosts;		/* asked */
	bool		 over;		/* there was doubt; it is kept */
};

struct attempt {		/* for the recipients that share a route */
	struct deliver	*d;
	struct delivery	*m;
	struct route	*route;
	struct delivery_rcpt **open;	/* not final yet */
	size_t		 nopen;
	unsigned	 hosts;		/* tried */
	unsigned	 addrs;
	bool		 served;	/* a host was ready to take mail */
	bool		 unsure;	/* a host may have the message */
	bool		 more;		/* not all hosts were tried */
	bool		 online;	/* something left this machine */
	bool		 busy;		/* see struct delivery */
	bool		 is_short;	/* the same */
	bool		 unknown;	/* a host failed for a reason that has
					   no time */
	time_t		 until;		/* when the first host may be tried */
	char		*tried[HOSTSTAT_TRIED]; /* before, or now: in vain */
	size_t		 ntried;
	size_t		 nbefore;	/* of them */
	bool		 around;	/* those that were not were tried now */
	bool		 failed;	/* why is set */
	struct result	 why;		/* why no host was ready */
	const char	*skip_host;	/* was tried first, out of turn */
	uint16_t	 skip_port;
	struct fitness	 fitness;
	struct rcptlog	 log;
};

/*
 * Of deliver.c.
 * deliver_settle: take the recipients out that are final; the caller of all
 *	records them before anything else is done.
 * deliver_note: something failed that is not about a recipient.
 * deliver_has_time: whether there is time for another connection.
 *
 * Of host.c.
 * host_serve: all that the connected host takes of the open recipients, in as
 *	many transactions as it wants; of those, if ONLYLEFT, that it left.
 * host_try: connect to HOP, and serve.
 * host_has_left: whether it wants another connection for some.
 */
void	deliver_settle(struct attempt *);
void	deliver_note(struct attempt *, const struct result *);
bool	deliver_has_time(const struct attempt *);

void	host_serve(struct attempt *, bool onlyleft);
void	host_try(struct attempt *, const struct hop *);
bool	host_has_left(const struct attempt *);

#endif /* SHIM_RUN_DELIVERINT_H */
