/* SPDX-License-Identifier: ISC */
/*
 * libmxnss: where does mail for a domain go?  The answer comes from a
 * configured list of sources - by default the override file
 * /etc/mxhosts, then the DNS - as in nsswitch.conf(5).
 *
 * Result structures are made and freed only by the library and may grow at
 * their end: never copy or embed one by value.  All functions may be called
 * from several threads at once; the library never prints, logs, exits or
 * touches signals.
 */
#ifndef MXDB_H
#define MXDB_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/*
 * Errors.  1 to 99 are temporary: keep the mail and ask again (RFC 5321
 * section 5.1).  From 100 on they are permanent.  Never renumbered.
 */
#define MX_OK		0
#define MX_ETIMEOUT	1	/* no answer in time */
#define MX_ENOSERVER	2	/* no name server configured or reachable */
#define MX_EAGAIN	3	/* local shortage of resources */
#define MX_ESERVFAIL	4	/* the server failed, RCODE 2 */
#define MX_EREFUSED	5	/* refused, not implemented, format error */
#define MX_EBADRESP	6	/* malformed, truncated or lame answer */
#define MX_EADDRAGAIN	7	/* exchanges found, an address lookup failed */
#define MX_EDEFER	8	/* "defer" in an override, or an unreadable line */
#define MX_ESOURCE	9	/* a source cannot be used now */
#define MX_ECONFIG	10	/* the source list is wrong */
#define MX_ENOMEM	11
#define MX_ESYSTEM	12	/* see mi_errno */
#define MX_EINVAL	13	/* misuse of this interface */
#define MX_ENXDOMAIN	100	/* no such domain */
#define MX_ENULLMX	101	/* the domain takes no mail, RFC 7505 */
#define MX_ENOADDR	102	/* no exchange has an address */
#define MX_ELOOP	103	/* we are the best exchange ourselves */
#define MX_EREJECT	104	/* "reject" in an override */
#define MX_EBADNAME	105	/* not a domain name */
#define MX_EUNUSABLE	106	/* no source knows the domain */
#define MX_ISTEMP(e)	((e) > 0 && (e) < 100)

/* mx_tls: what the administrator demands of the connection. */
#define MX_TLS_DEFAULT	0	/* nothing was said */
#define MX_TLS_NONE	1
#define MX_TLS_MAY	2
#define MX_TLS_ENCRYPT	3
#define MX_TLS_VERIFY	4
#define MX_TLS_DANE	5

/* mx_flags */
#define MXE_IMPLICIT	0x01	/* the domain itself: it has no MX */
#define MXE_SECURE	0x02	/* DNSSEC: AD set by a trusted resolver */
#define MXE_LITERAL	0x04	/* mx_host is an IP address */
#define MXE_LOCALCONF	0x08	/* an administrator wrote it */
#define MXE_CNAME	0x10	/* the host name is an alias */
#define MXE_IMPLICITTLS	0x20	/* TLS from the first octet (RFC 8314) */

/* ma_flags */
#define MXA_SECURE	0x01

/* mi_flags */
#define MXI_IMPLICIT	0x01	/* implicit MX, RFC 5321 section 5.1 */
#define MXI_SECURE	0x02	/* the MX answer was authenticated */
#define MXI_SELFCUT	0x04	/* we were in the list; it ends before us */
#define MXI_MERGED	0x08	/* override lines and DNS together */
#define MXI_PARTIAL	0x10	/* more records than are kept */
#define MXI_BYRCPT	0x20	/* an override names recipients of this
				   domain: another one may get another answer */

/* mh_flags */
#define MXH_ADDRS	0x01	/* resolve the addresses of all exchanges */
#define MXH_DNSSEC	0x02	/* want to know what is authenticated */
#define MXH_NOIMPLICIT	0x04	/* no implicit MX: MX_EUNUSABLE instead */
#define MXH_NOSELFCUT	0x08
#define MXH_NORANDOM	0x10	/* equals in the order they came */
#define MXH_NOFILES	0x20	/* leave the files source out */
#define MXH_ASKALL	0x40	/* with mh_trace: then ask the sources, too,
				   that the answer does not need */

/* mt_event */
#define MXT_LIST	1	/* the sources in mt_text, from mt_origin */
#define MXT_SOURCE	2	/* a source has answered */
#define MXT_BORROW	3	/* so has the DNS, about the mx: line of the
				   source that answers next */
#define MXT_DROPPED	4	/* an exchange is left out; mt_text says why */
#define MXT_ADDRS	5	/* the addresses of an exchange are known */

/* mt_flags */
#define MXT_UNUSED	0x01	/* asked for MXH_ASKALL only */

struct mxaddr {			/* one address of one exchange */
	struct mxaddr	*ma_next;
	struct sockaddr	*ma_addr;	/* port filled in: mx_port or 25 */
	socklen_t	 ma_addrlen;
	int		 ma_family;
	uint32_t	 ma_ttl;	/* seconds; UINT32_MAX: not known */
	uint32_t	 ma_flags;	/* MXA_* */
};

struct mxent {			/* one exchange; a list in delivery order */
	struct mxent	*mx_next;
	char		*mx_host;	/* A-labels in lower case without final
					   dot, or a bare IP address */
	uint16_t	 mx_pref;
	uint16_t	 mx_port;	/* 0: none written, use 25 */
	uint32_t	 mx_ttl;	/* seconds; UINT32_MAX: not known */
	uint32_t	 mx_flags;	/* MXE_* */
	int		 mx_addrerr;	/* 0 or MX_E*: why mx_addrs is empty */
	int		 mx_tls;	/* MX_TLS_* */
	char		*mx_tlsname;	/* name to verify; NULL: mx_host */
	char		*mx_auth;	/* credentials by this name, or NULL */
	struct mxaddr	*mx_addrs;	/* NULL until resolved */
	char		*mx_source;	/* "files", "zone", "dns": who named
					   it */
	char		*mx_origin;	/* "/etc/mxhosts:12", or NULL */
};

struct mxnote {			/* what is odd about the domain's records */
	struct mxnote	*mn_next;
	char		*mn_text;	/* one printable line */
};

struct mxinfo {			/* the result */
	struct mxent	*mi_mx;		/* NULL on failure */
	char		*mi_qname;	/* as looked up */
	char		*mi_cname;	/* at the end of the CNAMEs, or NULL */
	char		*mi_source;	/* "files", "dns", ...: who answered */
	char		*mi_origin;	/* "/etc/mxhosts:12", for the DNS the
					   server "192.0.2.53#53", for a zone
					   the name in it, or NULL */
	char		*mi_text;	/* one-line reason, printable, or NULL */
	char		*mi_dsn;	/* "5.1.10" (RFC 3463); NULL on success */
	int		 mi_error;	/* the same as the return value */
	int		 mi_rcode;	/* DNS RCODE, or -1 */
	int		 mi_errno;	/* errno, or 0 */
	uint32_t	 mi_ttl;	/* seconds, least of what was used;
					   UINT32_MAX: not known */
	uint32_t	 mi_flags;	/* MXI_* */
	unsigned int	 mi_count;	/* length of mi_mx */
	struct mxnote	*mi_notes;
};

struct mxtrace {		/* one step of a lookup; what does not belong
				   to the event is NULL or 0 */
	int		 mt_event;	/* MXT_* */
	uint32_t	 mt_flags;	/* MXT_UNUSED */
	const char	*mt_domain;	/* that was asked for */
	const char	*mt_source;	/* "files" */
	const char	*mt_arg;	/* its argument, or NULL */
	const char	*mt_status;	/* "SUCCESS", "NOTFOUND", "UNAVAIL",
					   "TRYAGAIN" */
	const char	*mt_action;	/* "return", "continue", "merge": what
					   follows from that */
	const char	*mt_text;	/* one printable line, or NULL */
	const char	*mt_origin;	/* as mi_origin */
	const char	*mt_rule;	/* pattern that decided, or NULL */
	int		 mt_error;	/* MX_E* or 0 */
	uint64_t	 mt_usec;	/* time taken, microseconds */
	const struct mxent *mt_mx;	/* the exchanges, in no order */
	const struct mxnote *mt_notes;
};

struct mxhints {		/* made by the caller: MXHINTS_INIT, then set */
	size_t		 mh_size;	/* sizeof(struct mxhints) */
	uint32_t	 mh_flags;	/* MXH_* */
	int		 mh_family;	/* AF_UNSPEC, AF_INET or AF_INET6 */
	int		 mh_timeout;	/* whole lookup, ms; 0: 30,000 */
	const char	*mh_rcpt;	/* the recipient, for user@domain lines */
	const char *const *mh_self;	/* NULL-ended: names we are known by;
					   NULL: the host name, if dotted */
	const char	*mh_sources;	/* "files dns": instead of the
					   configured list */
	const struct sockaddr *const *mh_servers; /* NULL-ended: name servers
					   instead of those of resolv.conf */
	int		 mh_dnssec;	/* 0 auto, 1 trust, 2 off: whether the
					   AD bit is believed, mxres_new(3) */
	void		(*mh_trace)(void *, const struct mxtrace *);
					/* called by getmxinfo() at each step;
					   the step is valid until it
					   returns */
	void		*mh_tracearg;	/* its first argument */
};
#define MXHINTS_INIT	{ sizeof(struct mxhints), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/*
 * getmxinfo: the exchanges of DOMAIN (a domain name, or a literal such as
 *	"[192.0.2.1]", RFC 5321 section 4.1.3) in delivery order (section
 *	5.1).  DOMAIN and all that HINTS, which may be NULL, points to stay
 *	the caller's and are not needed after the call.  Returns 0 or an
 *	MX_E* code within mh_timeout milliseconds; not bounded by that are a
 *	source that blocks (mxnss_module(3)) and, with MXH_ADDRS,
 *	getaddrinfo(3) for hosts that an administrator wrote.  *RES is set
 *	on failure too, with the reason; after MX_ENOMEM and MX_EINVAL it is
 *	NULL.  It is the caller's, to be freed by freemxinfo(); no other
 *	thread may use it meanwhile.
 * mxresolve: the addresses of ENT, one exchange of INFO, into its mx_addrs,
 *	which replaces those that it had; they belong to INFO.  Returns 0,
 *	or the MX_E* code that it also stores in mx_addrerr; MX_ENOADDR only
 *	if it is proven that there is none.  Addresses of an exchange that
 *	DNS named come from the DNS; those of one that an administrator
 *	wrote from getaddrinfo(3), whose time is bounded by resolv.conf(5)
 *	only.
 * freemxinfo: a result with everything in it; NULL is fine.
 * getmxbyname: the traditional call, getmxinfo() without hints.  The list
 *	belongs to the library and is valid until this thread's next call, or
 *	its end.  NULL: the MX_E* code is in mx_errno, and h_errno is set as
 *	gethostbyname(3) would.
 */
int		 getmxinfo(const char *domain, const struct mxhints *hints,
		    struct mxinfo **res);
int		 mxresolve(struct mxinfo *info, struct mxent *ent,
		    const struct mxhints *hints);
void		 freemxinfo(struct mxinfo *);
struct mxent	*getmxbyname(const char *domain);

/*
 * mx_generation: a number that stays the same as long as the files do which
 *	say where mail goes: mxnss.conf, nsswitch.conf, mxhosts and
 *	mxhosts.d.  Who keeps results takes it before the lookup, and asks
 *	again when it has changed or mi_ttl is over.  Never fails; costs a
 *	stat(2) a file.
 */
uint64_t	 mx_generation(void);

/*
 * What an error means elsewhere; all strings are static and in English.  A
 * number that is no MX_E* code counts as a temporary error.
 * mx_strerror: a phrase.
 * mx_errname: "MX_ENXDOMAIN".
 * mx_dsn: the enhanced status code of RFC 3463 (RFC 7505 for a null MX),
 *	"2.0.0" for 0.
 * mx_smtpcode: the reply code of RFC 5321 section 4.2.3 and RFC 7504, 250
 *	for 0.
 * mx_sysexit: the exit code of sysexits(3).
 */
const char	*mx_strerror(int error);
const char	*mx_errname(int error);
const char	*mx_dsn(int error);
int		 mx_smtpcode(int error);
int		 mx_sysexit(int error);

/* mx_errno: of the latest getmxbyname() of this thread; never NULL. */
int		*mx_errno_location(void);
#define mx_errno	(*mx_errno_location())

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif /* MXDB_H */
