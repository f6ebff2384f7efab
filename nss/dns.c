/* SPDX-License-Identifier: ISC */
/*
 * Contexts of libmxres with the caller's servers and deadline; its statuses
 * as MX_E* codes; and one line for people about what a lookup met.
 */
#include "config.h"

#include "dns.h"

#include <arpa/inet.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <mxres.h>

#include "mxdb.h"
#include "mxnss.h"

int64_t
mxdns_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
mxdns_name(const char *domain, char *buf, size_t size)
{
	return mxres_name(domain, buf, size);
}

void
mxdns_unicode(const char *name, char *buf, size_t size)
{
	if (mxres_name_unicode(name, buf, size) == -1)
		*buf = '\0';
}

const char *
mxdns_why(const char *name)
{
	int error = errno;

	while (*name != '\0' && (*name & 0x80) == 0)
		name++;
	if (*name == '\0')
		return "";
	return error == ENOTSUP ? "; write it in its xn-- form, as names in "
	    "Unicode need libidn2, which is not built in" :
	    "; if it is right, write it in its xn-- form";
}

int
mxdns_literal(const char *text, char *buf, size_t size)
{
	unsigned char addr[16];
	int family = AF_INET;

	if (strncasecmp(text, "IPv6:", 5) == 0) {
		text += 5;
		family = AF_INET6;
	} else if (strchr(text, ':') != NULL)
		family = AF_INET6;
	if (inet_pton(family, text, addr) != 1)
		return -1;
	return inet_ntop(family, addr, buf, (socklen_t)size) == NULL ? -1 : 0;
}

struct mxres_ctx *
mxdns_new(const struct sockaddr *const *servers, int dnssec,
    int64_t deadline)
{
	struct mxres_ctx *ctx;
	int64_t left;
	size_t n = 0;
	int saved;

	left = deadline - mxdns_now();
	if (left <= 0) {
		errno = ETIMEDOUT;
		return NULL;
	}
	if ((ctx = mxres_new()) == NULL)
		return NULL;
	while (servers != NULL && servers[n] != NULL)
		n++;
	if (n > 0 && mxres_set_servers(ctx, servers, n) == -1) {
		saved = errno;
		mxres_free(ctx);
		errno = saved;
		return NULL;
	}
	mxres_set_timeout(ctx, left > INT_MAX ? INT_MAX : (int)left);
	mxres_set_dnssec(ctx, (enum mxres_dnssec)dnssec);
	mxres_set_shuffle(ctx, 0);	/* getmxinfo() does, after merging */
	return ctx;
}

int
mxdns_error(int status)
{
	static const struct {
		int	status;
		int	error;
	} map[] = {
		{ MXRES_OK, MX_OK },
		{ MXRES_NODATA, MX_EUNUSABLE },
		{ MXRES_NULLMX, MX_ENULLMX },
		{ MXRES_NXDOMAIN, MX_ENXDOMAIN },
		{ MXRES_TIMEOUT, MX_ETIMEOUT },
		{ MXRES_NOSERVER, MX_ENOSERVER },
		{ MXRES_AGAIN, MX_EAGAIN },
		{ MXRES_SERVFAIL, MX_ESERVFAIL },
		{ MXRES_REFUSED, MX_EREFUSED },
		{ MXRES_BADRESP, MX_EBADRESP },
		{ MXRES_NOMEM, MX_ENOMEM },
		{ MXRES_BADNAME, MX_EBADNAME },
		{ MXRES_INVAL, MX_EINVAL }
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].status == status)
			return map[i].error;
	return MX_ESOURCE;
}

void
mxdns_describe(const struct mxres_answer *a, int status, const char *what,
    const char *name, char *buf, size_t size)
{
	const char *server = a == NULL ? "" : a->server;

	switch (status) {
	case MXRES_NXDOMAIN:
		if (a != NULL && a->cname != NULL &&
		    strcmp(a->cname, name) != 0)
			(void)snprintf(buf, size, "%s is an alias of %s, "
			    "which does not exist in the DNS", name,
			    a->cname);
		else
			(void)snprintf(buf, size,
			    "%s does not exist in the DNS", name);
		return;
	case MXRES_NULLMX:
		(void)snprintf(buf, size, "%s takes no mail: its MX record "
		    "says so (RFC 7505)", name);
		return;
	case MXRES_NODATA:
		(void)snprintf(buf, size, "%s has no %s record", name, what);
		return;
	default:
		(void)snprintf(buf, size, "%s lookup of %s%s%s: %s", what,
		    name, server[0] == '\0' ? "" : " at ", server,
		    mxres_strerror((enum mxres_status)status));
	}
}

void
mxdns_note(const struct mxres_answer *a, size_t n, char *buf, size_t size)
{
	static const char *const words[] = {
		[MXRES_NOTE_MALFORMED] = "is malformed; ignored",
		[MXRES_NOTE_BADHOST] = "names no valid host; ignored",
		[MXRES_NOTE_ADDRESS] = "must name a host, not an IP address; "
		    "ignored",
		[MXRES_NOTE_NULLMIX] = "(null MX) stands beside other "
		    "exchanges; ignored",
		[MXRES_NOTE_DUPLICATE] = "names the same host twice",
		[MXRES_NOTE_TOOMANY] = "",
		[MXRES_NOTE_BADADDR] = "is no address that mail can be sent "
		    "to; ignored"
	};
	const struct mxres_note *note = &a->note[n];
	const char *word = "";

	if (note->kind > 0 &&
	    (size_t)note->kind < sizeof(words) / sizeof(words[0]) &&
	    words[note->kind] != NULL)
		word = words[note->kind];
	(void)snprintf(buf, size, "%s: %s%s%s", a->qname, note->text,
	    word[0] == '\0' ? "" : " ", word);
}

int
mxdns_mx(const struct mxnss_query *q, const char *name,
    struct mxres_answer **a)
{
	struct mxres_ctx *ctx;
	enum mxres_status status;
	int saved;

	*a = NULL;
	if ((ctx = mxdns_new(q->servers, q->dnssec, q->deadline)) == NULL)
		return errno == ETIMEDOUT ? MXRES_TIMEOUT : MXRES_AGAIN;
	errno = 0;
	status = mxres_mx(ctx, name, a);
	saved = errno;
	mxres_free(ctx);
	errno = saved;
	return (int)status;
}

int
mxdns_add(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a)
{
	struct mxnss_record rec;
	size_t i;

	for (i = 0; i < a->nmx; i++) {
		memset(&rec, 0, sizeof(rec));
		rec.size = sizeof(rec);
		rec.host = a->mx[i].host;
		rec.pref = a->mx[i].pref;
		rec.ttl = a->mx[i].ttl;
		if (a->flags & MXRES_F_SECURE)
			rec.flags |= MXE_SECURE;
		if (host->add(r, &rec) == -1)
			return -1;
	}
	return 0;
}

static void
pass_note(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a, size_t n)
{
	char text[700];

	mxdns_note(a, n, text, sizeof(text));
	(void)host->note(r, text);
}

void
mxdns_notes(const struct mxnss_host *host, struct mxnss_reply *r,
    const struct mxres_answer *a)
{
	size_t i;

	for (i = 0; i < a->nnote; i++)
		pass_note(host, r, a, i);
}
