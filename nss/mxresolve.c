/* SPDX-License-Identifier: ISC */
/*
 * The addresses of one exchange.  A host that the DNS named is looked up in
 * the DNS, where AD and time to live are known and /etc/hosts cannot
 * surprise; one that an administrator wrote goes through getaddrinfo(3), so
 * that /etc/hosts and the hosts: line of nsswitch.conf(5) apply to it.
 */
#include "config.h"

#include "mxresolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxres.h>

#include "absolute.h"
#include "dns.h"
#include "mxinfo.h"

#define SMTP_PORT	25

static in_port_t
port_of(const struct mxent *ent)
{
	return htons(ent->mx_port == 0 ? SMTP_PORT : ent->mx_port);
}

/* An empty address of FAMILY at the end of the list, port filled in. */
static struct mxaddr *
append(struct mxent *ent, int family)
{
	struct mxaddr *ma, **end;
	struct sockaddr_in6 *in6;
	struct sockaddr_in *in;

	if ((ma = calloc(1, sizeof(*ma))) == NULL)
		return NULL;
	if (family == AF_INET6) {
		ma->ma_addrlen = sizeof(*in6);
		if ((in6 = calloc(1, sizeof(*in6))) == NULL)
			goto fail;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port_of(ent);
		ma->ma_addr = (struct sockaddr *)in6;
	} else {
		ma->ma_addrlen = sizeof(*in);
		if ((in = calloc(1, sizeof(*in))) == NULL)
			goto fail;
		in->sin_family = AF_INET;
		in->sin_port = port_of(ent);
		ma->ma_addr = (struct sockaddr *)in;
	}
	ma->ma_family = family;
	ma->ma_ttl = UINT32_MAX;
	for (end = &ent->mx_addrs; *end != NULL; end = &(*end)->ma_next)
		;
	*end = ma;
	return ma;
fail:
	free(ma);
	return NULL;
}

/* The octets of the address proper. */
static void *
octets(struct mxaddr *ma)
{
	if (ma->ma_family == AF_INET6)
		return &((struct sockaddr_in6 *)(void *)ma->ma_addr)->sin6_addr;
	return &((struct sockaddr_in *)(void *)ma->ma_addr)->sin_addr;
}

static int
resolve_literal(struct mxent *ent, int family)
{
	struct mxaddr *ma;
	int own;

	own = strchr(ent->mx_host, ':') != NULL ? AF_INET6 : AF_INET;
	if (family != AF_UNSPEC && family != own)
		return MX_ENOADDR;
	if ((ma = append(ent, own)) == NULL)
		return MX_ENOMEM;
	return inet_pton(own, ent->mx_host, octets(ma)) == 1 ? MX_OK :
	    MX_EBADNAME;
}

static int
error_of_gai(int error)
{
	switch (error) {
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
#if defined(EAI_ADDRFAMILY) && EAI_ADDRFAMILY != EAI_NONAME
	case EAI_ADDRFAMILY:
#endif
		return MX_ENOADDR;
	case EAI_MEMORY:
		return MX_ENOMEM;
	case EAI_SYSTEM:
		return MX_ESYSTEM;
	default:
		return MX_EADDRAGAIN;
	}
}

static int
resolve_local(struct mxent *ent, int family)
{
	struct addrinfo hints, *res = NULL, *ai;
	struct mxaddr *ma;
	const void *from;
	int error;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	error = mxabsolute_getaddrinfo(ent->mx_host, &hints, &res);
	if (error != 0)
		return error_of_gai(error);
	for (ai = res; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_family == AF_INET6)
			from = &((const struct sockaddr_in6 *)
			    (const void *)ai->ai_addr)->sin6_addr;
		else if (ai->ai_family == AF_INET)
			from = &((const struct sockaddr_in *)
			    (const void *)ai->ai_addr)->sin_addr;
		else
			continue;
		if ((ma = append(ent, ai->ai_family)) == NULL) {
			error = MX_ENOMEM;
			break;
		}
		memcpy(octets(ma), from, ai->ai_family == AF_INET6 ? 16 : 4);
	}
	freeaddrinfo(res);
	if (error == 0 && ent->mx_addrs == NULL)
		error = MX_ENOADDR;
	return error;
}

/* Said once, and with an answer that has no exchange left as well. */
static int
note_alias(struct mxinfo *info, struct mxent *ent, unsigned int *nnotes)
{
	char text[400];

	if (ent->mx_flags & (MXE_CNAME | MXE_IMPLICIT))
		return 0;
	(void)snprintf(text, sizeof(text), "%s: an exchange must not be an "
	    "alias (RFC 2181 section 10.3); used all the same", ent->mx_host);
	return mxinfo_note(&info->mi_notes, nnotes, text);
}

static int
take_answer(struct mxinfo *info, struct mxent *ent,
    const struct mxres_answer *a)
{
	struct mxaddr *ma;
	unsigned int nnotes = 0;
	struct mxnote *n;
	char text[700];
	size_t i;

	for (n = info->mi_notes; n != NULL; n = n->mn_next)
		nnotes++;
	for (i = 0; i < a->nnote; i++) {
		mxdns_note(a, i, text, sizeof(text));
		if (mxinfo_note(&info->mi_notes, &nnotes, text) == -1)
			return MX_ENOMEM;
	}
	if (a->flags & MXRES_F_CNAME) {
		if (note_alias(info, ent, &nnotes) == -1)
			return MX_ENOMEM;
		ent->mx_flags |= MXE_CNAME;
	}
	for (i = 0; i < a->naddr; i++) {
		if ((ma = append(ent, a->addr[i].family)) == NULL)
			return MX_ENOMEM;
		memcpy(octets(ma), a->addr[i].addr,
		    a->addr[i].family == AF_INET6 ? 16 : 4);
		ma->ma_ttl = a->addr[i].ttl;
		if (a->flags & MXRES_F_SECURE)
			ma->ma_flags |= MXA_SECURE;
	}
	return MX_OK;
}

/* MX_OK, MX_ENOADDR or a temporary error; *A may be NULL, but for MX_OK. */
static int
ask_dns(const struct mxent *ent, const struct mxhints *h, int64_t deadline,
    struct mxres_answer **a)
{
	struct mxres_ctx *ctx;
	int error;

	*a = NULL;
	ctx = mxdns_new(h->mh_servers, h->mh_dnssec, deadline);
	if (ctx == NULL)
		return errno == ETIMEDOUT ? MX_ETIMEOUT : MX_EAGAIN;
	error = mxdns_error((int)mxres_addr(ctx, ent->mx_host, h->mh_family,
	    a));
	mxres_free(ctx);
	if (error != MX_OK && !MX_ISTEMP(error))
		error = MX_ENOADDR;	/* no such host, or no address */
	return error;
}

static int
resolve_dns(struct mxinfo *info, struct mxent *ent, const struct mxhints *h,
    int64_t deadline)
{
	struct mxres_answer *a;
	int error = ask_dns(ent, h, deadline, &a);

	if (a != NULL && take_answer(info, ent, a) == MX_ENOMEM)
		error = MX_ENOMEM;
	mxres_answer_free(a);
	return error;
}

/*
 * getaddrinfo(3) calls a host unknown, too, when only one of its two
 * questions was answered with no, and the other one by SERVFAIL.  So only
 * the DNS proves that a host is not there, and of one without a dot
 * nothing does.
 */
static int
prove_absence(const struct mxent *ent, const struct mxhints *h,
    int64_t deadline)
{
	struct mxres_answer *a;
	int error;

	if (strchr(ent->mx_host, '.') == NULL)
		return MX_EADDRAGAIN;
	error = ask_dns(ent, h, deadline, &a);
	mxres_answer_free(a);
	return error == MX_OK ? MX_EADDRAGAIN : error;
}

int
mxresolve_until(struct mxinfo *info, struct mxent *ent,
    const struct mxhints *h, int64_t deadline)
{
	int error;

	mxinfo_free_addrs(ent->mx_addrs);
	ent->mx_addrs = NULL;
	if (ent->mx_flags & MXE_LITERAL)
		error = resolve_literal(ent, h->mh_family);
	else if ((ent->mx_flags & MXE_LOCALCONF) == 0)
		error = resolve_dns(info, ent, h, deadline);
	else {
		error = resolve_local(ent, h->mh_family);
		if (error == MX_ENOADDR)
			error = prove_absence(ent, h, deadline);
	}
	if (error != MX_OK) {
		mxinfo_free_addrs(ent->mx_addrs);
		ent->mx_addrs = NULL;
	}
	ent->mx_addrerr = error;
	return error;
}

int
mxhints_copy(struct mxhints *dst, const struct mxhints *src)
{
	static const struct mxhints none = MXHINTS_INIT;

	*dst = none;
	if (src != NULL) {
		if (src->mh_size < offsetof(struct mxhints, mh_family))
			return -1;
		memcpy(dst, src, src->mh_size < sizeof(*dst) ?
		    src->mh_size : sizeof(*dst));
	}
	if (dst->mh_family != AF_UNSPEC && dst->mh_family != AF_INET &&
	    dst->mh_family != AF_INET6)
		return -1;
	if (dst->mh_timeout < 0 || dst->mh_dnssec < MXRES_DNSSEC_AUTO ||
	    dst->mh_dnssec > MXRES_DNSSEC_OFF)
		return -1;
	if (dst->mh_timeout == 0)
		dst->mh_timeout = MXHINTS_TIMEOUT;
	return 0;
}

int
mxresolve(struct mxinfo *info, struct mxent *ent, const struct mxhints *hints)
{
	struct mxhints h;

	if (info == NULL || ent == NULL || mxhints_copy(&h, hints) == -1)
		return MX_EINVAL;
	return mxresolve_until(info, ent, &h, mxdns_now() + h.mh_timeout);
}
