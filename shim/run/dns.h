/* SPDX-License-Identifier: ISC */
/*
 * What the DNS says of names and addresses of this machine: the shim's only
 * door to <mxres.h>.  Where mail goes is route.h's to say.
 */
#ifndef SHIM_RUN_DNS_H
#define SHIM_RUN_DNS_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/conf.h"

enum dns_status {
	DNS_OK,
	DNS_NONE,		/* there is no such record: proven */
	DNS_FAILED,		/* a server said that it failed, or nonsense */
	DNS_SILENT		/* no server answered, or would serve us */
};

struct dns;

/*
 * dns_new: asks the servers of resolv.conf(5), for 10 s at most each time.
 * dns_addresses: those of HOST, as text, into OUT, with ", " between them;
 *	if there are none, the reason.
 * dns_has: whether SA is one of them.
 * dns_name: name I of the address SA, into NAME, of SIZE octets; DNS_NONE
 *	when there are not so many.  WHY gets the reason of a failure.
 * dns_server: who answered last, or failed to: "192.0.2.53#53", or "".
 * dns_trusts_ad: whether answers count as authenticated that say so.
 */
struct dns *dns_new(const struct conf *);
void	dns_free(struct dns *);			/* NULL is fine */
enum dns_status dns_addresses(struct dns *, const char *host, struct buf *out);
bool	dns_has(struct dns *, const char *host, const struct sockaddr *sa);
enum dns_status dns_name(struct dns *, const struct sockaddr *sa, size_t i,
	    char *name, size_t size, struct buf *why);
const char *dns_server(const struct dns *);
bool	dns_trusts_ad(struct dns *);

#endif /* SHIM_RUN_DNS_H */
