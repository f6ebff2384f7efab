/* SPDX-License-Identifier: ISC */
/*
 * The source `zone(NAME)': an override zone.  The MX records of
 * DOMAIN.NAME in the DNS are the exchanges of DOMAIN; no such name, or a
 * name without MX records, is no override.  Whatever leaves doubt is a
 * passing failure, so that mail waits instead of leaving by the next
 * source.  The records are treated as all that the DNS says: checked, cut
 * before this host itself, and without addresses in digits.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxres.h>

#include "dns.h"
#include "sources/module.h"
#include "mxdb.h"
#include "mxnss.h"

#define NAMESIZE	254	/* of a domain name as text */

struct zone {
	const struct mxnss_host	*host;
	char			 name[NAMESIZE];
};

static int
zone_open(const struct mxnss_host *host, const char *arg, void **priv)
{
	struct zone *z;

	if ((z = malloc(sizeof(*z))) == NULL)
		return -1;
	z->host = host;
	if (arg == NULL || mxdns_name(arg, z->name, sizeof(z->name)) == -1) {
		free(z);
		errno = EINVAL;
		return -1;
	}
	*priv = z;
	return 0;
}

static void
zone_close(void *priv)
{
	free(priv);
}

static enum mxnss_status
final_word(const struct zone *z, struct mxnss_reply *r, int error,
    const char *name, const char *what)
{
	char text[700];

	(void)snprintf(text, sizeof(text), "%s %s", name, what);
	(void)z->host->fail(r, error, NULL, text);
	return MXNSS_SUCCESS;
}

static enum mxnss_status
failed(const struct zone *z, struct mxnss_reply *r,
    const struct mxres_answer *a, int status, const char *name)
{
	char text[700];

	mxdns_describe(a, status, "MX", name, text, sizeof(text));
	(void)z->host->fail(r, mxdns_error(status), NULL, text);
	return MXNSS_TRYAGAIN;
}

/* An alias that leads nowhere is no override, but hardly what was meant. */
static enum mxnss_status
no_override(const struct zone *z, struct mxnss_reply *r,
    const struct mxres_answer *a, const char *name)
{
	char text[700];

	if (a->flags & MXRES_F_CNAME) {
		(void)snprintf(text, sizeof(text), "%s: is an alias of %s, "
		    "which has no MX record; no override", name, a->cname);
		(void)z->host->note(r, text);
	}
	return MXNSS_NOTFOUND;
}

static enum mxnss_status
override(const struct zone *z, struct mxnss_reply *r,
    const struct mxres_answer *a)
{
	if (a->flags & MXRES_F_PARTIAL)
		(void)z->host->flags(r, MXI_PARTIAL);
	return mxdns_add(z->host, r, a) == -1 ? MXNSS_TRYAGAIN :
	    MXNSS_SUCCESS;
}

static enum mxnss_status
answer(const struct zone *z, struct mxnss_reply *r,
    const struct mxres_answer *a, const char *name)
{
	switch (a->status) {
	case MXRES_NXDOMAIN:
	case MXRES_NODATA:
		return no_override(z, r, a, name);
	case MXRES_NULLMX:
		return final_word(z, r, MX_ENULLMX, name, "says that the "
		    "domain takes no mail: a null MX record (RFC 7505)");
	case MXRES_OK:
		if (a->nmx > 0)
			return override(z, r, a);
		/* A slip of the administrator bounces nothing. */
		return final_word(z, r, MX_EDEFER, name, "has MX records, "
		    "but none of them is usable; mend or remove them");
	default:
		return failed(z, r, a, (int)a->status, name);
	}
}

static enum mxnss_status
zone_getmxbyname(void *priv, const struct mxnss_query *q,
    struct mxnss_reply *r)
{
	const struct zone *z = priv;
	struct mxres_answer *a;
	enum mxnss_status ret;
	char name[2 * NAMESIZE];
	int n, status;

	n = snprintf(name, sizeof(name), "%s.%s", q->domain, z->name);
	if (n < 0 || n >= NAMESIZE)
		return MXNSS_NOTFOUND;	/* the zone cannot have that name */
	(void)z->host->origin(r, name);
	status = mxdns_mx(q, name, &a);
	if (a == NULL) {
		(void)z->host->facts(r, NULL, -1, UINT32_MAX, errno);
		return failed(z, r, NULL, status, name);
	}
	(void)z->host->facts(r, NULL, a->rcode,
	    MXRES_ISTEMP(a->status) ? UINT32_MAX : a->ttl, a->error);
	mxdns_notes(z->host, r, a);
	ret = answer(z, r, a, name);
	mxres_answer_free(a);
	return ret;
}

const struct mxnss_module _mxnss_zone_module = {
	MXNSS_ABI, sizeof(struct mxnss_module), "zone", MXNSS_VERSION,
	zone_open, zone_getmxbyname, zone_close
};
