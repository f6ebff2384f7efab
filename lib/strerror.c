/* SPDX-License-Identifier: ISC */
/*
 * Statuses as phrases for people.
 */
#include "config.h"

#include "mxres.h"

static const struct {
	enum mxres_status	 status;
	const char		*text;
} texts[] = {
	{ MXRES_OK,		"no error" },
	{ MXRES_NODATA,		"the name has no record of this type" },
	{ MXRES_NULLMX,		"the domain accepts no mail (null MX)" },
	{ MXRES_NXDOMAIN,	"no such domain" },
	{ MXRES_TIMEOUT,	"no answer from the name servers in time" },
	{ MXRES_NOSERVER,	"no name server can be reached" },
	{ MXRES_AGAIN,		"out of system resources" },
	{ MXRES_SERVFAIL,	"the name server failed (SERVFAIL)" },
	{ MXRES_REFUSED,	"the name server refused the query" },
	{ MXRES_BADRESP,	"malformed or incomplete answer from the name "
				"server" },
	{ MXRES_NOMEM,		"out of memory" },
	{ MXRES_BADNAME,	"not a domain name" },
	{ MXRES_INVAL,		"invalid argument" }
};

const char *
mxres_strerror(enum mxres_status status)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "unknown status";
}
