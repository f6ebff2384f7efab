/* SPDX-License-Identifier: ISC */
/*
 * For authors of a source of mail exchangers.  A source is one descriptor,
 * _mxnss_NAME_module; `files', `zone' and `dns' are descriptors linked into
 * libmxnss.  The library owns all memory of a result: a source only calls
 * the functions of struct mxnss_host.  mxnss_module(3) has an example.
 *
 * open() is called once for each process and configuration (by threads that
 * come at the same moment each, and one of them is kept), close() when the
 * last lookup under that configuration is over.  getmxbyname() may be called
 * from several threads at once with the same PRIV; locking it is the source's
 * business.  In a child of fork(2) the source is opened anew.
 */
#ifndef MXNSS_H
#define MXNSS_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MXNSS_ABI	1

/* As enum nss_status of <nss.h>. */
enum mxnss_status {
	MXNSS_TRYAGAIN = -2,	/* a passing failure */
	MXNSS_UNAVAIL = -1,	/* the source cannot be used */
	MXNSS_NOTFOUND = 0,	/* the source knows nothing of the domain, or
				   it has said with fail() what it knows */
	MXNSS_SUCCESS = 1	/* records were added, or it said the final
				   word with null_mx() or fail() */
};

struct mxnss_reply;		/* opaque */

struct mxnss_query {
	size_t		 size;		/* sizeof(struct mxnss_query) */
	const char	*domain;	/* lower case, no final dot */
	const char	*rcpt;		/* whole recipient, or NULL */
	uint32_t	 flags;		/* MXH_* of <mxdb.h> */
	int64_t		 deadline;	/* CLOCK_MONOTONIC, milliseconds */
	const struct sockaddr *const *servers; /* mh_servers of <mxdb.h> */
	int		 dnssec;	/* mh_dnssec of <mxdb.h> */
};

struct mxnss_record {
	size_t		 size;		/* sizeof(struct mxnss_record) */
	const char	*host;		/* name, or bare IP address */
	uint16_t	 pref;
	uint16_t	 port;		/* 0: none */
	uint32_t	 ttl;		/* seconds; UINT32_MAX: not known */
	uint32_t	 flags;		/* MXE_* of <mxdb.h> */
	int		 tls;		/* MX_TLS_* of <mxdb.h> */
	const char	*tlsname;	/* or NULL */
	const char	*auth;		/* or NULL */
};

struct mxnss_host {		/* services of the library */
	size_t	  size;
	/* one exchange; 0, or -1 if it was refused or memory ran out */
	int	(*add)(struct mxnss_reply *, const struct mxnss_record *);
	/* the domain takes no mail (RFC 7505) */
	int	(*null_mx)(struct mxnss_reply *);
	/* the detail behind a status other than plain success; one printable
	   line, or NULL for the standard text of MX_ERROR */
	int	(*fail)(struct mxnss_reply *, int mx_error, const char *dsn,
		    const char *text);
	/* the name exists and has no MX: implicit MX may apply */
	int	(*nodata)(struct mxnss_reply *);
	/* "FILE:LINE" or whatever names the place of the records that are
	   added next, and of the answer */
	int	(*origin)(struct mxnss_reply *, const char *text);
	/* add the MX records (DNS) of the domain that the record names as
	   its host, at its preference and with its TLS demands */
	int	(*next_query)(struct mxnss_reply *,
		    const struct mxnss_record *);
	/* what was added is to be merged with what the next sources say */
	int	(*merge)(struct mxnss_reply *);
	/* something odd that a person should see; one printable line */
	int	(*note)(struct mxnss_reply *, const char *text);
	/* MXI_BYRCPT and other MXI_* flags of the result */
	int	(*flags)(struct mxnss_reply *, uint32_t mxi_flags);
	/* facts of a DNS answer: the name at the end of the CNAMEs or NULL,
	   RCODE or -1, time to live (also of a negative answer) or
	   UINT32_MAX, errno or 0 */
	int	(*facts)(struct mxnss_reply *, const char *cname, int rcode,
		    uint32_t ttl, int error);
	/* the pattern or key that decided the answer, for people; not in
	   a host whose size ends before it */
	int	(*rule)(struct mxnss_reply *, const char *text);
};

struct mxnss_module {
	uint32_t	 abi;		/* MXNSS_ABI */
	uint32_t	 size;		/* sizeof(struct mxnss_module) */
	const char	*name;
	const char	*version;
	int		(*open)(const struct mxnss_host *, const char *arg,
			    void **priv);
	enum mxnss_status (*getmxbyname)(void *priv,
			    const struct mxnss_query *, struct mxnss_reply *);
	void		(*close)(void *priv);
};

#ifdef __cplusplus
}
#endif

#endif /* MXNSS_H */
