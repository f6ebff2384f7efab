/* SPDX-License-Identifier: ISC */
/*
 * What a hop's connection must be protected with, and what to do when the
 * server does not play along.  The administrator's word for the hop comes
 * first, then mxnss.conf's `tls:'.
 */
#ifndef SHIM_RUN_POLICY_H
#define SHIM_RUN_POLICY_H

#include "base/conf.h"
#include "base/result.h"

struct hop;

enum policy_level {
	POLICY_NONE,		/* clear text, even if TLS is offered */
	POLICY_MAY,		/* TLS if it works (RFC 7435) */
	POLICY_ENCRYPT,		/* TLS or not at all; any certificate */
	POLICY_VERIFY		/* TLS with a certificate for the name */
};

struct policy {
	enum policy_level level;
	const char	*name;	/* for SNI and verification; of the hop */
};

/* What may come in the way of TLS... */
enum policy_event {
	POLICY_NOT_OFFERED,	/* no STARTTLS in the EHLO reply */
	POLICY_REFUSED,		/* a clean 4yz or 5yz to STARTTLS */
	POLICY_FAILED		/* handshake or certificate */
};

/* ...and what to do then. */
enum policy_step {
	POLICY_GO_ON,		/* in clear text, on this connection */
	POLICY_RECONNECT,	/* in clear text, on a new connection */
	POLICY_NEXT		/* not this host; if no other, wait */
};

/*
 * policy_find: 0; or -1 with *R when the hop asks for what is not built: an
 *	option is never ignored, so the mail waits.
 */
int	policy_find(const struct conf *, const struct hop *, struct policy *,
	    struct result *);
enum policy_step policy_step(enum policy_level, enum policy_event);

#endif /* SHIM_RUN_POLICY_H */
