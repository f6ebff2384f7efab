/* SPDX-License-Identifier: ISC */
/*
 * One SMTP session with one address of one hop, as the policy wants it:
 * connected, greeted, and in TLS or known to need none.
 */
#ifndef SHIM_RUN_PEER_H
#define SHIM_RUN_PEER_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/result.h"
#include "run/policy.h"

struct hop;
struct hop_addr;
struct smtp;

struct peer {
	struct smtp	*smtp;		/* ready for smtp_mail() */
	struct conn	*conn;
	char		*host;		/* of the hop */
	uint16_t	 port;
	enum policy_level level;
	char		*name;		/* of the policy */
	unsigned	 messages;	/* tried so far */
	bool		 tls;
	char		 relay[320];	/* "host[192.0.2.1]:25" */
	char		 tls_text[128];	/* "TLSv1.3 ..., verified", "no TLS" */
};

struct peer_trace {			/* for sendmail -v; may be NULL */
	void	(*line)(void *arg, char dir, const char *line);
	void	*arg;
};

/*
 * Where to: an address, and one of the other family, or NULL, in case the
 * first is slow to answer; then what became of the second.
 */
struct peer_at {
	const struct hop_addr *addr, *spare;
	bool	 spare_used;	/* it was tried... */
	bool	 spare_won;	/* ...and answered */
	struct result why;	/* then: why the first did not */
	struct result last;	/* why the last that was tried did not serve */
};

/*
 * peer_open: NULL with *R, always temporary: a host that does not serve
 *	us proves nothing about a recipient.
 * peer_serves: whether it is a session with HOP under POLICY.
 * peer_close: QUIT and close; NULL is fine.
 */
struct peer *peer_open(const struct conf *, const struct hop *,
	    struct peer_at *, const struct policy *, struct peer_trace,
	    struct result *);
bool	peer_serves(const struct peer *, const struct hop *,
	    const struct policy *);
void	peer_close(struct peer *);

#endif /* SHIM_RUN_PEER_H */
