/* SPDX-License-Identifier: ISC */
/*
 * getaddrinfo(3) takes "mail.partner.example" for a name below each domain
 * of the search list too, with "options ndots:5" even first, and a wildcard
 * there would get the mail.  A final dot would forbid that, but then
 * /etc/hosts is of no use; so RES_DNSRCH is off in the state of this
 * thread during the call.
 */
#include "config.h"

#include "absolute.h"

#include <sys/types.h>
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

int
mxabsolute_getaddrinfo(const char *host, const struct addrinfo *hints,
    struct addrinfo **res)
{
	unsigned char query[NS_PACKETSZ];
	unsigned long search;
	int error;

	if (strchr(host, '.') == NULL)
		return getaddrinfo(host, NULL, hints, res);
	/*
	 * A state that has been touched no longer follows resolv.conf; this
	 * makes it do so now, and asks nobody.
	 */
	(void)res_mkquery(QUERY, host, C_IN, T_A, NULL, 0, NULL, query,
	    (int)sizeof(query));
	search = _res.options & RES_DNSRCH;
	_res.options &= ~(unsigned long)RES_DNSRCH;
	error = getaddrinfo(host, NULL, hints, res);
	_res.options |= search;
	return error;
}
