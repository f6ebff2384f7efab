/* SPDX-License-Identifier: ISC */
/*
 * The meaning of an MX_E* code in other tongues: its name, a phrase, the
 * enhanced status code (RFC 3463, 7505), the SMTP reply code (RFC 5321,
 * 7504) and the exit code of sysexits(3).  A code that is not in the table
 * is doubt, and so it is temporary.
 */
#include "config.h"

#include <stddef.h>
#include <sysexits.h>

#include "mxdb.h"

struct meaning {
	int		 code;
	const char	*name;
	const char	*text;
	const char	*dsn;
	int		 smtp;
	int		 sysexit;
};

static const struct meaning meanings[] = {
	{ MX_OK, "MX_OK", "success", "2.0.0", 250, EX_OK },
	{ MX_ETIMEOUT, "MX_ETIMEOUT", "no answer in time",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_ENOSERVER, "MX_ENOSERVER", "no name server can be reached",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_EAGAIN, "MX_EAGAIN", "out of a local resource",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_ESERVFAIL, "MX_ESERVFAIL", "the name server failed",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_EREFUSED, "MX_EREFUSED", "the name server refused to answer",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_EBADRESP, "MX_EBADRESP", "malformed answer from the name server",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_EADDRAGAIN, "MX_EADDRAGAIN",
	    "the addresses of the mail exchangers cannot be looked up now",
	    "4.4.3", 451, EX_TEMPFAIL },
	{ MX_EDEFER, "MX_EDEFER", "held by local configuration",
	    "4.3.2", 451, EX_TEMPFAIL },
	{ MX_ESOURCE, "MX_ESOURCE",
	    "a source of mail exchangers cannot be used",
	    "4.3.5", 451, EX_TEMPFAIL },
	{ MX_ECONFIG, "MX_ECONFIG",
	    "the list of mail exchanger sources is wrong",
	    "4.3.5", 451, EX_TEMPFAIL },
	{ MX_ENOMEM, "MX_ENOMEM", "out of memory",
	    "4.3.0", 451, EX_TEMPFAIL },
	{ MX_ESYSTEM, "MX_ESYSTEM", "system error",
	    "4.3.0", 451, EX_TEMPFAIL },
	{ MX_EINVAL, "MX_EINVAL", "invalid argument",
	    "4.3.0", 451, EX_SOFTWARE },
	{ MX_ENXDOMAIN, "MX_ENXDOMAIN", "no such domain",
	    "5.1.2", 550, EX_NOHOST },
	{ MX_ENULLMX, "MX_ENULLMX", "the domain takes no mail",
	    "5.1.10", 556, EX_UNAVAILABLE },
	{ MX_ENOADDR, "MX_ENOADDR", "no mail exchanger has an address",
	    "5.4.4", 550, EX_NOHOST },
	{ MX_ELOOP, "MX_ELOOP",
	    "the best mail exchanger is this host itself",
	    "5.4.6", 554, EX_CONFIG },
	{ MX_EREJECT, "MX_EREJECT", "rejected by local configuration",
	    "5.7.1", 550, EX_UNAVAILABLE },
	{ MX_EBADNAME, "MX_EBADNAME", "not a domain name",
	    "5.1.3", 553, EX_DATAERR },
	{ MX_EUNUSABLE, "MX_EUNUSABLE",
	    "no source knows a mail exchanger of the domain",
	    "5.4.4", 550, EX_NOHOST }
};

static const struct meaning unknown = {
	-1, "MX_E?", "unknown error", "4.3.0", 451, EX_TEMPFAIL
};

static const struct meaning *
meaning_of(int error)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == error)
			return &meanings[i];
	return &unknown;
}

const char *
mx_strerror(int error)
{
	return meaning_of(error)->text;
}

const char *
mx_errname(int error)
{
	return meaning_of(error)->name;
}

const char *
mx_dsn(int error)
{
	return meaning_of(error)->dsn;
}

int
mx_smtpcode(int error)
{
	return meaning_of(error)->smtp;
}

int
mx_sysexit(int error)
{
	return meaning_of(error)->sysexit;
}
