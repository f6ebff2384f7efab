/* SPDX-License-Identifier: ISC */
/*
 * The header of a message as it leaves (RFC 5322 section 3.6): what must not
 * be seen is removed, what is missing is added, the rest put right.
 */
#ifndef SHIM_SUBMIT_COMPLETE_H
#define SHIM_SUBMIT_COMPLETE_H

#include <sys/types.h>

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/conf.h"
#include "submit/header.h"

struct complete_facts {
	const struct conf *conf;	/* names, masquerade */
	const char	*id;
	uid_t		 uid;
	time_t		 now;
	const char	*from;		/* address for From */
	const char	*full_name;	/* for From, or NULL */
	const char	*client;	/* for Received: who said HELO; or NULL */
	const char	*protocol;	/* with a client: "ESMTP" */
};

/* Whether there is an address that needs SMTPUTF8 (RFC 6531). */
bool	header_complete(struct header *, const struct complete_facts *);

/*
 * The address SPEC as others shall see it: one of our own domains becomes
 * that of the key masquerade.  The caller's.
 */
char	*complete_masquerade(const struct conf *, const char *spec);

/* RFC 5322 section 3.3, local time. */
void	complete_date(struct buf *, time_t);

#endif /* SHIM_SUBMIT_COMPLETE_H */
