/* SPDX-License-Identifier: ISC */
/*
 * The source `dns': the MX records of the domain, through libmxres.  A
 * name without MX is NODATA, and the implicit MX is not decided here.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <mxres.h>

#include "dns.h"
#include "sources/module.h"
#include "mxdb.h"
#include "mxnss.h"

struct dns {
	const struct mxnss_host	*host;
};

static int
dns_open(const struct mxnss_host *host, const char *arg, void **priv)
{
	struct dns *d;

	if (arg != NULL) {
		errno = EINVAL;
		return -1;
	}
	if ((d = malloc(sizeof(*d))) == NULL)
		return -1;
	d->host = host;
	*priv = d;
	return 0;
}

static void
dns_close(void *priv)
{
	free(priv);
}

static enum mxnss_status
add_all(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a)
{
	if (a->nmx == 0) {
		(void)host->fail(r, MX_ENOADDR, NULL,
		    "the domain has MX records, but none of them is usable");
		return MXNSS_SUCCESS;
	}
	return mxdns_add(host, r, a) == -1 ? MXNSS_TRYAGAIN : MXNSS_SUCCESS;
}

static enum mxnss_status
failed(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a, enum mxres_status status,
    const char *domain)
{
	char text[700];

	mxdns_describe(a, (int)status, "MX", domain, text, sizeof(text));
	(void)host->fail(r, mxdns_error((int)status), NULL, text);
	return status == MXRES_NXDOMAIN || status == MXRES_BADNAME ?
	    MXNSS_NOTFOUND : MXNSS_TRYAGAIN;
}

static enum mxnss_status
null_mx(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a, const char *domain)
{
	char text[700];

	mxdns_describe(a, MXRES_NULLMX, "MX", domain, text, sizeof(text));
	(void)host->null_mx(r);
	(void)host->fail(r, MX_ENULLMX, NULL, text);
	return MXNSS_SUCCESS;
}

static enum mxnss_status
report(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a, enum mxres_status status,
    const char *domain)
{
	switch (status) {
	case MXRES_OK:
		return add_all(host, r, a);
	case MXRES_NULLMX:
		return null_mx(host, r, a, domain);
	case MXRES_NODATA:
		(void)host->nodata(r);
		return MXNSS_NOTFOUND;
	default:
		return failed(host, r, a, status, domain);
	}
}

/* What the answer says beside its records. */
static void
report_facts(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a)
{
	uint32_t flags = 0;

	(void)host->facts(r, a->flags & MXRES_F_CNAME ? a->cname : NULL,
	    a->rcode, MXRES_ISTEMP(a->status) ? UINT32_MAX : a->ttl,
	    a->error);
	if (a->server[0] != '\0')
		(void)host->origin(r, a->server);
	if (a->flags & MXRES_F_SECURE)
		flags |= MXI_SECURE;
	if (a->flags & MXRES_F_PARTIAL)
		flags |= MXI_PARTIAL;
	(void)host->flags(r, flags);
	mxdns_notes(host, r, a);
}

static enum mxnss_status
dns_getmxbyname(void *priv, const struct mxnss_query *q,
    struct mxnss_reply *r)
{
	const struct dns *d = priv;
	struct mxres_answer *a = NULL;
	enum mxres_status status;
	enum mxnss_status ret;

	status = (enum mxres_status)mxdns_mx(q, q->domain, &a);
	if (a != NULL) {
		report_facts(d->host, r, a);
		ret = report(d->host, r, a, status, q->domain);
	} else {
		(void)d->host->facts(r, NULL, -1, UINT32_MAX, errno);
		ret = failed(d->host, r, NULL, status, q->domain);
	}
	mxres_answer_free(a);
	return ret;
}

const struct mxnss_module _mxnss_dns_module = {
	MXNSS_ABI, sizeof(struct mxnss_module), "dns", MXNSS_VERSION,
	dns_open, dns_getmxbyname, dns_close
};
