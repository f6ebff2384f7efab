/* SPDX-License-Identifier: ISC */
/*
 * One destination, many messages: route, policy, connection, transaction.
 * The connection is kept between messages.
 */
#ifndef SHIM_RUN_DELIVER_H
#define SHIM_RUN_DELIVER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/conf.h"
#include "base/dsn.h"
#include "base/result.h"

struct delivery_rcpt {
	const char	*addr;
	unsigned	 notify;	/* DSN_*, and ... */
	const char	*orcpt;		/* ... as in smtp.h */
	uint32_t	 index;		/* the caller's */
	struct result	 result;
	bool		 final;		/* sent, or refused for good */
	bool		 again;		/* of deliver.c: its turn comes yet */
	enum result_code unfit;		/* of deliver.c, as the next two: what the
					   last host cannot take, or R_SENT */
	enum result_code unfit_before;	/* and the one that was tried first */
	unsigned	 nunfit;	/* hosts that cannot */
	bool		 relayed;	/* sent, to a host that will not tell the
					   sender, who wants to know */
};

struct delivery {
	/* in */
	const char	*id;
	const char	*sender;	/* "" for a report */
	const char	*envid;		/* or NULL */
	enum dsn_ret	 ret;
	uint64_t	 time;		/* of submission; microseconds */
	uint64_t	 generation;	/* of the overrides: route.h */
	int		 fd;
	off_t		 start;
	off_t		 size;
	bool		 crowded;	/* others of us are served there now */
	bool		 eightbit;
	bool		 utf8;		/* as in smtp.h */
	struct delivery_rcpt *rcpt;
	size_t		 nrcpt;
	/* called at once when N recipients became final: before all else */
	void		(*outcome)(void *arg, struct delivery_rcpt *const *,
			    size_t n);
	/* a server took a new connection, or NULL */
	void		(*ready)(void *arg);
	/* the dialogue, or NULL; DIR is '>', '<', or '=' for our own words */
	void		(*trace)(void *arg, char dir, const char *line);
	void		*arg;
	/* out */
	bool		 dead;		/* no host of the destination serves us */
	struct result	 why;		/* if dead */
	time_t		 until;		/* nor will before that time, or 0 */
	bool		 offline;	/* no network was found */
	bool		 is_short;	/* this machine was short of something,
					   which says nothing of hosts */
	bool		 busy;		/* a host was there, and did not serve
					   us as it should: too many of us? */
};

struct deliver;
struct msgfile;
struct queue;

/*
 * What MF, whose file is FD, says of the message and of recipient INDEX; the
 * rest is zero.  MF is kept by reference.
 */
void	delivery_init(struct delivery *, const struct msgfile *mf, int fd);
void	delivery_rcpt_init(struct delivery_rcpt *, const struct msgfile *mf,
	    uint32_t index);

/*
 * deliver_new: for DOMAIN; all arguments are kept by reference.  The queue,
 *	or NULL, has the memory of hosts: hoststat.h.
 * deliver_message: one attempt; every recipient gets a result and a line in
 *	the log.
 * deliver_limit: ms in which deliver_message() gives something final or comes
 *	to its end, for a message of SIZE octets; name servers not counted.
 * deliver_is_connected: whether a connection waits for the next message.
 * deliver_disconnect: end it.
 */
struct deliver *deliver_new(const struct conf *, struct queue *,
	    const char *domain);
void	deliver_message(struct deliver *, struct delivery *);
int64_t	deliver_limit(const struct conf *, off_t size);
bool	deliver_is_connected(const struct deliver *);
void	deliver_disconnect(struct deliver *);
void	deliver_free(struct deliver *);		/* NULL is fine */

#endif /* SHIM_RUN_DELIVER_H */
