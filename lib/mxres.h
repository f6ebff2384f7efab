/* SPDX-License-Identifier: ISC */
/*
 * libmxres: mail-exchanger, address, TLSA, TXT and PTR lookups at the name
 * servers of the system, and preference ordering (RFC 1035, 2181, 5321
 * section 5.1, 6698, 7505).  The library never prints, logs, exits or touches
 * signals; it keeps no global state.  A context serves one thread at a time;
 * several threads use several contexts.
 *
 * Result structures are made and freed only by the library and may grow at
 * their end: never copy or embed one by value.
 */
#ifndef MXRES_H
#define MXRES_H

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
 * What a lookup found out.  Only MXRES_OK carries records.  MXRES_NODATA
 * to MXRES_NXDOMAIN are answers, proven by the server; everything between
 * MXRES_TEMP_FIRST and MXRES_TEMP_LAST is doubt and may be asked again
 * later (RFC 5321 section 5.1: a temporary error must be queued).
 */
enum mxres_status {
	MXRES_OK = 0,
	/* clean negative answers */
	MXRES_NODATA = 1,	/* the name exists, no record of the type */
	MXRES_NULLMX = 2,	/* "MX 0 ." alone: takes no mail, RFC 7505 */
	MXRES_NXDOMAIN = 3,	/* no such name, also at the end of a CNAME */
	/* temporary */
	MXRES_TIMEOUT = 10,	/* no answer before the deadline */
	MXRES_NOSERVER = 11,	/* no name server configured or reachable */
	MXRES_AGAIN = 12,	/* local shortage: descriptors, buffers */
	MXRES_SERVFAIL = 13,	/* RCODE 2 */
	MXRES_REFUSED = 14,	/* RCODE 5, 4, 1 or any other */
	MXRES_BADRESP = 15,	/* malformed, truncated, lame, loop of CNAMEs */
	MXRES_NOMEM = 16,
	/* the caller's own mistakes */
	MXRES_BADNAME = 30,	/* not a domain name, RFC 1035 section 2.3.4 */
	MXRES_INVAL = 31	/* misuse of this interface */
};
#define MXRES_TEMP_FIRST	10
#define MXRES_TEMP_LAST		29
#define MXRES_ISTEMP(s) \
	((int)(s) >= MXRES_TEMP_FIRST && (int)(s) <= MXRES_TEMP_LAST)

/* When the AD bit of an answer is believed (RFC 4035 section 4.9.3). */
enum mxres_dnssec {
	MXRES_DNSSEC_AUTO = 0,	/* all name servers loopback, or the system
				   resolv.conf says trust-ad */
	MXRES_DNSSEC_TRUST = 1,	/* always: the path to them is secure */
	MXRES_DNSSEC_OFF = 2	/* never */
};

struct mxres_ctx;		/* opaque */

/* One exchange of an MX answer. */
struct mxres_mx {
	char		*host;	/* A-labels, lower case, no final dot */
	uint16_t	 pref;	/* lower is tried first */
	uint32_t	 ttl;	/* seconds */
};

/* One address of a host. */
struct mxres_addr {
	int		 family;	/* AF_INET or AF_INET6 */
	uint32_t	 ttl;		/* seconds */
	unsigned char	 addr[16];	/* network order; 4 octets for AF_INET */
};

/*
 * One TLSA record (RFC 6698 section 2.1).  Every record of the answer is
 * listed: those that no client can match with are not usable, because a
 * host whose records are all unusable still has some, which is another
 * thing than none (RFC 7671 section 10.1).
 */
struct mxres_tlsa {
	unsigned char	 usage;
	unsigned char	 selector;
	unsigned char	 mtype;		/* matching type */
	unsigned char	 usable;	/* 0: malformed, or of unknown kind */
	uint32_t	 ttl;		/* seconds */
	unsigned char	*data;		/* association data, NULL if none */
	size_t		 len;
};

/* One TXT record, its strings joined (RFC 7208 section 3.3). */
struct mxres_txt {
	unsigned char	*data;		/* any octets, and a NUL behind them */
	size_t		 len;		/* without that, at most 4096 */
	uint32_t	 ttl;		/* seconds */
};

/* One name of an address (RFC 1035 section 3.5). */
struct mxres_ptr {
	char		*host;	/* A-labels, lower case, no final dot */
	uint32_t	 ttl;	/* seconds */
};

#define MXRES_F_SECURE	0x01	/* AD was set and may be believed */
#define MXRES_F_CNAME	0x02	/* cname differs from qname */
#define MXRES_F_PARTIAL	0x04	/* more records than the caps keep */

/*
 * What was wrong with records that were left out of, or mended in, an
 * answer; for people, and for tools that diagnose a domain.
 */
enum mxres_note_kind {
	MXRES_NOTE_MALFORMED = 1,	/* RDATA of impossible length or name */
	MXRES_NOTE_BADHOST,		/* target is no host name */
	MXRES_NOTE_ADDRESS,		/* target is written as an IP address */
	MXRES_NOTE_NULLMIX,		/* "." beside other exchanges, ignored */
	MXRES_NOTE_DUPLICATE,		/* same target twice, better one kept */
	MXRES_NOTE_TOOMANY,		/* over the cap, ignored */
	MXRES_NOTE_BADADDR		/* loopback, unspecified or multicast */
};
struct mxres_note {
	enum mxres_note_kind	 kind;
	char			*text;	/* the record in question, printable */
};

/*
 * The outcome of one lookup: set on success and on failure alike.
 * At most one of mx, addr, tlsa, txt and ptr holds records.
 */
struct mxres_answer {
	enum mxres_status	 status;
	char			*qname;	/* as asked: lower case, no final dot */
	char			*cname;	/* the name at the end of the CNAMEs */
	struct mxres_mx		*mx;	/* in delivery order */
	size_t			 nmx;
	struct mxres_addr	*addr;	/* in resolver order, AAAA first */
	size_t			 naddr;
	uint32_t		 ttl;	/* seconds, least of all that was used;
					   of a negative answer RFC 2308 */
	uint32_t		 flags;	/* MXRES_F_* */
	int			 rcode;	/* DNS RCODE, -1: no answer arrived */
	int			 error;	/* errno behind a failure, or 0 */
	char			 server[64]; /* address#port that answered or
					   was last tried, "" if unknown */
	struct mxres_note	*note;
	size_t			 nnote;
	struct mxres_tlsa	*tlsa;	/* in the order of the answer */
	size_t			 ntlsa;
	struct mxres_txt	*txt;	/* in the order of the answer */
	size_t			 ntxt;
	struct mxres_ptr	*ptr;	/* in the order of the answer */
	size_t			 nptr;
};

/*
 * mxres_new: a context that asks the name servers of resolv.conf; each
 *	lookup follows that file as it is then.  Returns NULL with errno set.
 * mxres_free: NULL is fine.
 */
struct mxres_ctx *mxres_new(void);
void	mxres_free(struct mxres_ctx *);

/*
 * mxres_set_servers: ask these N servers (AF_INET or AF_INET6, port
 *	included) instead of those of resolv.conf; N 0 goes back to
 *	resolv.conf.  The addresses are copied.  0, or -1 with errno.
 * mxres_set_timeout: bound of one lookup with all its retries, TCP
 *	included, in milliseconds; 0 is the default of 30,000.
 * mxres_set_dnssec: see enum mxres_dnssec; default MXRES_DNSSEC_AUTO.
 * mxres_set_shuffle: nonzero (the default) puts equal preferences in
 *	random order (RFC 5321 section 5.1), 0 keeps that of the answer.
 * mxres_trusts_ad: 1 if a lookup that began now would believe the AD bit, 0
 *	if not, -1 with errno if resolv.conf cannot be read.
 */
int	mxres_set_servers(struct mxres_ctx *, const struct sockaddr *const [],
	    size_t n);
void	mxres_set_timeout(struct mxres_ctx *, int ms);
void	mxres_set_dnssec(struct mxres_ctx *, enum mxres_dnssec);
void	mxres_set_shuffle(struct mxres_ctx *, int);
int	mxres_trusts_ad(struct mxres_ctx *);

/*
 * mxres_mx: the MX records of DOMAIN, validated, without duplicates, at
 *	most 100, sorted by preference (RFC 5321 section 5.1).  MXRES_OK
 *	with no exchange at all (nmx 0): the domain has MX records, but none
 *	names a host; see the notes.  That is no reason for an implicit MX.
 * mxres_addr: the addresses of HOST: AAAA and A for AF_UNSPEC, else of
 *	the one family; at most 20.  Loopback, unspecified and multicast
 *	addresses are left out, with a note; if no other is there, the
 *	status is MXRES_NODATA.
 * mxres_tlsa: the TLSA records of the TCP service at PORT of HOST, that is
 *	of _PORT._tcp.HOST (RFC 6698 section 3); at most 64.  They mean
 *	something only if MXRES_F_SECURE is set.  A temporary status does not
 *	mean that there are none (RFC 7672 section 2.1.2).
 * mxres_txt: the TXT records of NAME, at most 64 of at most 4096 octets.
 * mxres_ptr: the names of ADDR, an address of AF_INET or AF_INET6 in network
 *	order, at most 64.  Anybody may write there what he likes: look up the
 *	addresses of a name before it is believed.
 *
 * All return the status and set *ANSWER, which the caller frees with
 * mxres_answer_free(), unless memory ran out or the arguments were
 * invalid (MXRES_NOMEM, MXRES_INVAL): then *ANSWER is NULL.
 */
enum mxres_status mxres_mx(struct mxres_ctx *, const char *domain,
	    struct mxres_answer **answer);
enum mxres_status mxres_addr(struct mxres_ctx *, const char *host, int family,
	    struct mxres_answer **answer);
enum mxres_status mxres_tlsa(struct mxres_ctx *, const char *host,
	    uint16_t port, struct mxres_answer **answer);
enum mxres_status mxres_txt(struct mxres_ctx *, const char *name,
	    struct mxres_answer **answer);
enum mxres_status mxres_ptr(struct mxres_ctx *, int family, const void *addr,
	    struct mxres_answer **answer);
void	mxres_answer_free(struct mxres_answer *);

/*
 * mxres_parse_mx, mxres_parse_addr: the same from the octets of a DNS
 *	message, for tools and tests; no network, clock or random source.
 *	QNAME is the name that was asked; TYPE 1 (A) or 28 (AAAA).  The
 *	exchanges come in the order of the message.
 * mxres_order: sort N exchanges by preference; equals are shuffled with
 *	RND(arg, bound), which returns a uniform number below BOUND, or
 *	keep their order if RND is NULL.
 */
enum mxres_status mxres_parse_mx(const unsigned char *msg, size_t len,
	    const char *qname, struct mxres_answer **answer);
enum mxres_status mxres_parse_addr(const unsigned char *msg, size_t len,
	    const char *qname, int type, struct mxres_answer **answer);
void	mxres_order(struct mxres_mx *, size_t n,
	    uint32_t (*rnd)(void *arg, uint32_t bound), void *arg);

/*
 * mxres_name: check DOMAIN (RFC 1035 section 2.3.4, RFC 5321 section
 *	4.1.2: labels of 1 to 63 of [A-Za-z0-9_-], 253 octets in all, not
 *	an IPv4 address nor anything else whose last label is a number,
 *	one final dot allowed) and write it in lower case
 *	without the final dot to BUF of SIZE >= 254, which may be DOMAIN.  A
 *	name in Unicode, as UTF-8, is written with A-labels (RFC 5890; UTS 46,
 *	non-transitional).
 *	0, or -1 with errno: EINVAL, ENOMEM, or ENOTSUP for a name in Unicode
 *	when the library was built without libidn2.
 * mxres_name_unicode: the Unicode form, as UTF-8, of a name with A-labels
 *	("xn--...") to BUF of SIZE >= 1013.  0, or -1 with errno: EINVAL if
 *	the name has none, or none that stand for letters, ENOMEM, ENOTSUP.
 * mxres_addr_usable: whether mail may be sent to an address that DNS
 *	named: not unspecified, loopback, multicast, broadcast or
 *	link-local.
 * mxres_strerror: a phrase for a status; static storage.
 */
int	mxres_name(const char *domain, char *buf, size_t size);
int	mxres_name_unicode(const char *name, char *buf, size_t size);
int	mxres_addr_usable(int family, const void *addr);
const char *mxres_strerror(enum mxres_status);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif /* MXRES_H */
