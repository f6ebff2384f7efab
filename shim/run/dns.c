/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "run/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include <mxres.h>

#include "base/xmalloc.h"

#define TIMEOUT_MS	10000

struct dns {
	struct mxres_ctx *ctx;
	char	 server[64];
};

struct dns *
dns_new(const struct conf *conf)
{
	static const enum mxres_dnssec dnssec[] = { MXRES_DNSSEC_AUTO,
	    MXRES_DNSSEC_TRUST, MXRES_DNSSEC_OFF };
	struct dns *d = xcalloc(1, sizeof(*d));

	if ((d->ctx = mxres_new()) == NULL)
		return d;
	mxres_set_timeout(d->ctx, TIMEOUT_MS);
	mxres_set_dnssec(d->ctx, dnssec[conf->dnssec]);
	return d;
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	mxres_free(d->ctx);
	free(d);
}

const char *
dns_server(const struct dns *d)
{
	return d->server;
}

bool
dns_trusts_ad(struct dns *d)
{
	return d->ctx != NULL && mxres_trusts_ad(d->ctx) == 1;
}

/* What a lookup ended with, and in WHY the reason if it failed. */
static enum dns_status
conclude(struct dns *d, const char *what, enum mxres_status status,
    const struct mxres_answer *a, struct buf *why)
{
	if (a != NULL && a->server[0] != '\0')
		(void)strlcpy(d->server, a->server, sizeof(d->server));
	if (status == MXRES_OK)
		return DNS_OK;
	buf_printf(why, "%s: %s%s%s%s", what, mxres_strerror(status),
	    d->server[0] != '\0' ? " (" : "", d->server,
	    d->server[0] != '\0' ? ")" : "");
	if (!MXRES_ISTEMP(status))
		return DNS_NONE;
	return status == MXRES_SERVFAIL || status == MXRES_BADRESP ?
	    DNS_FAILED : DNS_SILENT;
}

enum dns_status
dns_addresses(struct dns *d, const char *host, struct buf *out)
{
	struct mxres_answer *a = NULL;
	char text[INET6_ADDRSTRLEN];
	enum mxres_status found;
	enum dns_status status;
	size_t i;

	found = mxres_addr(d->ctx, host, AF_UNSPEC, &a);
	status = conclude(d, host, found, a, out);
	for (i = 0; a != NULL && i < a->naddr; i++)
		if (inet_ntop(a->addr[i].family, a->addr[i].addr, text,
		    sizeof(text)) != NULL)
			buf_printf(out, "%s%s", i > 0 ? ", " : "", text);
	mxres_answer_free(a);
	return status;
}

/* The octets of the address, and how many. */
static const void *
octets(const struct sockaddr *sa, size_t *n)
{
	*n = sa->sa_family == AF_INET ? 4 : 16;
	return sa->sa_family == AF_INET ?
	    (const void *)&((const struct sockaddr_in *)sa)->sin_addr :
	    (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;
}

bool
dns_has(struct dns *d, const char *host, const struct sockaddr *sa)
{
	struct mxres_answer *a = NULL;
	const void *p;
	bool has = false;
	size_t i, n;

	p = octets(sa, &n);
	(void)mxres_addr(d->ctx, host, sa->sa_family, &a);
	for (i = 0; a != NULL && i < a->naddr; i++)
		has |= memcmp(a->addr[i].addr, p, n) == 0;
	mxres_answer_free(a);
	return has;
}

enum dns_status
dns_name(struct dns *d, const struct sockaddr *sa, size_t i, char *name,
    size_t size, struct buf *why)
{
	struct mxres_answer *a = NULL;
	char text[INET6_ADDRSTRLEN] = "";
	enum mxres_status found;
	enum dns_status status;
	const void *p;
	size_t n;

	p = octets(sa, &n);
	(void)inet_ntop(sa->sa_family, p, text, sizeof(text));
	found = mxres_ptr(d->ctx, sa->sa_family, p, &a);
	status = conclude(d, text, found, a, why);
	if (status == DNS_OK && (i >= a->nptr ||
	    strlcpy(name, a->ptr[i].host, size) >= size))
		status = DNS_NONE;
	mxres_answer_free(a);
	return status;
}
