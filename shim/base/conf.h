/* SPDX-License-Identifier: ISC */
/*
 * /etc/mxnss.conf: `key: value' lines.  Every key has a default that works.
 * A line that is wrong is reported with file and line and leaves its key at
 * the default; it never stops the lines that are right.
 */
#ifndef SHIM_BASE_CONF_H
#define SHIM_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct hostname_env;

enum conf_tls { CONF_TLS_MAY, CONF_TLS_NONE, CONF_TLS_ENCRYPT,
    CONF_TLS_VERIFY };

struct conf_rate {
	char	*domain;	/* in lower case; "*": all others */
	int64_t	 interval;	/* microseconds between two messages */
};

enum conf_local { CONF_MBOX, CONF_MAILDIR, CONF_LMTP, CONF_FORWARD,
    CONF_NONE };

struct conf {
	char	*hostname;	/* EHLO name; never NULL after conf_load() */
	bool	 bare_hostname;	/* it has no dot: few servers will like it */
	char	*mail_name;	/* completes addresses; never NULL */
	char	*masquerade;	/* "domain" or "user@domain", or NULL */
	char	**local_domains; /* NULL-ended; default: hostname */
	enum conf_local local;	/* what happens to mail for a user here */
	char	*local_path;	/* of the Maildir, of the socket, or NULL */
	char	*forward;	/* address of CONF_FORWARD, or NULL */
	char	**aliases;	/* NULL-ended: paths */
	bool	 aliases_default; /* they were not named */
	char	*spool;		/* directory, or NULL: nothing waits */
	char	*source_address; /* address to connect from, or NULL */
	uint64_t max_size;	/* octets of a message */
	unsigned max_rcpts;
	unsigned user_messages;	/* in the queue, of one user */
	uint64_t user_size;	/* octets of them together */
	int64_t	 expire;	/* seconds */
	int64_t	 warn;		/* seconds; 0: nobody is warned */
	int64_t	 retry_min;	/* seconds */
	int64_t	 retry_max;	/* seconds */
	unsigned workers;
	unsigned per_destination;
	int	 connect_timeout; /* ms */
	int	 reply_timeout;	/* ms */
	int	 data_timeout;	/* ms */
	int	 family;	/* AF_UNSPEC, AF_INET, AF_INET6 */
	enum conf_tls tls;
	int	 dnssec;	/* 0 auto, 1 trust, 2 off: mh_dnssec of <mxdb.h> */
	struct conf_rate *rate;	/* in the order of the file */
	size_t	 nrates;
	enum log_dest log;
	char	**errors;	/* NULL-ended: "FILE:LINE: text" */
	size_t	 nerrors;
};

/*
 * Read PATH.  Returns the configuration, to be freed with conf_free(); a
 * file that is absent means all defaults, one that cannot be read is an
 * error like a wrong line.  hostname and mail-name are found as
 * mxnss.conf(5) says, without asking the DNS.
 */
struct conf *conf_load(const char *path);
/* The same with other files to find hostname and mail-name in. */
struct conf *conf_load_env(const char *path, const struct hostname_env *);
void	 conf_free(struct conf *);
/* Microseconds between two messages to DOMAIN, in lower case; 0: no limit. */
int64_t	 conf_rate(const struct conf *, const char *domain);

/* Whether users of DOMAIN are users of this machine. */
bool	 conf_is_local(const struct conf *, const char *domain);

#endif /* SHIM_BASE_CONF_H */
