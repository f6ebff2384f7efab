/* SPDX-License-Identifier: ISC */
/*
 * The memory of results: the services that a source builds its reply with
 * (<mxnss.h>), lists of exchanges, and freemxinfo().  Sources are not
 * trusted with the form of what they say: names are checked, texts are
 * made printable, and numbers of records are bounded here.
 */
#include "config.h"

#include "mxinfo.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "dsn.h"

#define MAXTEXT	500

/* What a source may say of an exchange. */
#define RECORD_FLAGS	(MXE_IMPLICIT | MXE_SECURE | MXE_LITERAL | \
	    MXE_LOCALCONF | MXE_CNAME | MXE_IMPLICITTLS)

/* LEN octets that the caller knows not to be NUL. */
static void
copy_clean(char *dst, const char *src, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		dst[i] = src[i] < 0x20 || src[i] >= 0x7f ? '?' : src[i];
	dst[len] = '\0';
}

char *
mxinfo_clean(const char *text)
{
	size_t len = strnlen(text, MAXTEXT);
	char *copy;

	if ((copy = malloc(len + 1)) != NULL)
		copy_clean(copy, text, len);
	return copy;
}

void
mxinfo_free_addrs(struct mxaddr *ma)
{
	struct mxaddr *next;

	for (; ma != NULL; ma = next) {
		next = ma->ma_next;
		free(ma->ma_addr);
		free(ma);
	}
}

void
mxent_free(struct ent *e)
{
	if (e == NULL)
		return;
	mxinfo_free_addrs(e->mx.mx_addrs);
	free(e);
}

/*
 * The host in the form of the result, in BUF.  Only who speaks for the
 * administrator may name an address: in the DNS, "MX 10 192.0.2.1" is an
 * error (RFC 5321 section 5.1).
 */
static int
normal_host(const struct mxnss_record *rec, char *buf, size_t size,
    uint32_t *flags)
{
	unsigned char addr[16];
	int family;

	if (rec->host == NULL)
		return -1;
	family = strchr(rec->host, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(family, rec->host, addr) != 1)
		return mxdns_name(rec->host, buf, size);
	*flags |= MXE_LITERAL;
	if (!(rec->flags & MXE_LOCALCONF) ||
	    inet_ntop(family, addr, buf, (socklen_t)size) == NULL)
		return -1;
	return 0;
}

/* Octets that a text takes behind an entry: none if it is empty. */
static size_t
room_for(const char *text)
{
	return text == NULL || *text == '\0' ? 0 :
	    strnlen(text, MAXTEXT) + 1;
}

/* The copy of TEXT at *AT, which moves on; NULL if it takes no room. */
static char *
put_text(char **at, const char *text)
{
	size_t room = room_for(text);
	char *copy = *at;

	if (room == 0)
		return NULL;
	copy_clean(copy, text, room - 1);
	*at += room;
	return copy;
}

struct ent *
mxent_new(const struct mxnss_record *rec, const char *source,
    const char *origin)
{
	struct ent *e;
	char host[256], *at;
	uint32_t flags;

	flags = rec->flags & RECORD_FLAGS & ~(uint32_t)MXE_LITERAL;
	if (rec->size < sizeof(*rec) || rec->tls < MX_TLS_DEFAULT ||
	    rec->tls > MX_TLS_DANE ||
	    normal_host(rec, host, sizeof(host), &flags) == -1) {
		errno = EINVAL;
		return NULL;
	}
	e = malloc(sizeof(*e) + room_for(host) + room_for(rec->tlsname) +
	    room_for(rec->auth) + room_for(source) + room_for(origin));
	if (e == NULL)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->mx.mx_pref = rec->pref;
	e->mx.mx_port = rec->port;
	e->mx.mx_ttl = rec->ttl;
	e->mx.mx_flags = flags;
	e->mx.mx_tls = rec->tls;
	at = (char *)(e + 1);
	e->mx.mx_host = put_text(&at, host);
	e->mx.mx_tlsname = put_text(&at, rec->tlsname);
	e->mx.mx_auth = put_text(&at, rec->auth);
	e->mx.mx_source = put_text(&at, source);
	e->mx.mx_origin = put_text(&at, origin);
	return e;
}

static int
entlist_reserve(struct entlist *l, size_t more)
{
	struct ent **grown;
	size_t room = l->room == 0 ? 8 : l->room;

	while (room < l->n + more)
		room *= 2;
	if (room == l->room)
		return 0;
	grown = reallocarray(l->ent, room, sizeof(struct ent *));
	if (grown == NULL)
		return -1;
	l->ent = grown;
	l->room = room;
	return 0;
}

int
mxentlist_add(struct entlist *l, struct ent *e)
{
	if (entlist_reserve(l, 1) == -1) {
		mxent_free(e);
		return -1;
	}
	l->ent[l->n++] = e;
	return 0;
}

int
mxentlist_move(struct entlist *dst, struct entlist *src)
{
	struct ent **spare = dst->ent;
	size_t i, room = dst->room;

	if (dst->n == 0) {
		dst->ent = src->ent;
		dst->room = src->room;
		dst->n = src->n;
		src->ent = spare;
		src->room = room;
		src->n = 0;
		return 0;
	}
	if (entlist_reserve(dst, src->n) == -1)
		return -1;
	for (i = 0; i < src->n; i++)
		dst->ent[dst->n++] = src->ent[i];
	src->n = 0;
	return 0;
}

void
mxentlist_clear(struct entlist *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		mxent_free(l->ent[i]);
	free(l->ent);
	memset(l, 0, sizeof(*l));
}

static const struct verdict none = MXVERDICT_NONE;

void
mxverdict_clear(struct verdict *v)
{
	free(v->origin);
	free(v->text);
	free(v->dsn);
	free(v->cname);
	free(v->rule);
	*v = none;
}

void
mxverdict_move(struct verdict *dst, struct verdict *src)
{
	mxverdict_clear(dst);
	*dst = *src;
	dst->set = 1;
	*src = none;
}

static void
free_notes(struct mxnote *n)
{
	struct mxnote *next;

	for (; n != NULL; n = next) {
		next = n->mn_next;
		free(n->mn_text);
		free(n);
	}
}

/* The same note twice is noise; more than a screenful is no help. */
int
mxinfo_note(struct mxnote **list, unsigned int *n, const char *text)
{
	struct mxnote *note;

	if (*n >= MXINFO_MAXNOTES)
		return 0;
	if ((note = calloc(1, sizeof(*note))) == NULL)
		return -1;
	if ((note->mn_text = mxinfo_clean(text)) == NULL) {
		free(note);
		return -1;
	}
	for (; *list != NULL; list = &(*list)->mn_next)
		if (strcmp((*list)->mn_text, note->mn_text) == 0) {
			free_notes(note);
			return 0;
		}
	*list = note;
	(*n)++;
	return 0;
}

void
mxreply_init(struct mxnss_reply *r, const char *source)
{
	memset(r, 0, sizeof(*r));
	r->source = source;
	r->v = none;
}

void
mxreply_clear(struct mxnss_reply *r)
{
	mxverdict_clear(&r->v);
	mxentlist_clear(&r->list);
	mxentlist_clear(&r->next);
	free_notes(r->notes);
	memset(r, 0, sizeof(*r));
}

static int
nomem(struct mxnss_reply *r)
{
	r->nomem = 1;
	return -1;
}

static int
take_record(struct mxnss_reply *r, const struct mxnss_record *rec,
    struct entlist *list)
{
	struct ent *e;

	if (r->list.n + r->next.n >= MXINFO_MAXENTS) {
		r->v.flags |= MXI_PARTIAL;
		return -1;
	}
	if (rec == NULL)
		return -1;
	if ((e = mxent_new(rec, r->source, r->v.origin)) == NULL)
		return errno == ENOMEM ? nomem(r) : -1;
	return mxentlist_add(list, e) == -1 ? nomem(r) : 0;
}

static int
host_add(struct mxnss_reply *r, const struct mxnss_record *rec)
{
	return take_record(r, rec, &r->list);
}

static int
host_next_query(struct mxnss_reply *r, const struct mxnss_record *rec)
{
	return take_record(r, rec, &r->next);
}

static int
host_null_mx(struct mxnss_reply *r)
{
	r->nullmx = 1;
	return 0;
}

static int
host_nodata(struct mxnss_reply *r)
{
	r->nodata = 1;
	return 0;
}

static int
host_merge(struct mxnss_reply *r)
{
	r->merge = 1;
	return 0;
}

static int
replace_text(struct mxnss_reply *r, char **dst, const char *src)
{
	free(*dst);
	*dst = NULL;
	if (src == NULL || *src == '\0')
		return 0;
	return (*dst = mxinfo_clean(src)) == NULL ? nomem(r) : 0;
}

/* A code that nobody knows, or of the other class, is worse than none. */
static int
host_fail(struct mxnss_reply *r, int error, const char *dsn,
    const char *text)
{
	if (error == MX_OK || strcmp(mx_errname(error), mx_errname(-1)) == 0)
		error = MX_ESOURCE;
	if (dsn != NULL && !mxdsn_is_code(dsn, MX_ISTEMP(error) ? '4' : '5'))
		dsn = NULL;
	r->v.error = error;
	if (replace_text(r, &r->v.dsn, dsn) == -1)
		return -1;
	return replace_text(r, &r->v.text, text);
}

static int
host_origin(struct mxnss_reply *r, const char *text)
{
	return replace_text(r, &r->v.origin, text);
}

static int
host_note(struct mxnss_reply *r, const char *text)
{
	if (text == NULL)
		return -1;
	return mxinfo_note(&r->notes, &r->nnotes, text) == -1 ? nomem(r) : 0;
}

static int
host_flags(struct mxnss_reply *r, uint32_t flags)
{
	r->v.flags |= flags;
	return 0;
}

static int
host_facts(struct mxnss_reply *r, const char *cname, int rcode, uint32_t ttl,
    int error)
{
	r->v.rcode = rcode;
	r->v.ttl = ttl;
	r->v.err = error;
	return replace_text(r, &r->v.cname, cname);
}

static int
host_rule(struct mxnss_reply *r, const char *text)
{
	return replace_text(r, &r->v.rule, text);
}

const struct mxnss_host mxinfo_host = {
	sizeof(struct mxnss_host), host_add, host_null_mx, host_fail,
	host_nodata, host_origin, host_next_query, host_merge, host_note,
	host_flags, host_facts, host_rule
};

void
freemxinfo(struct mxinfo *info)
{
	struct mxent *mx, *next;

	if (info == NULL)
		return;
	for (mx = info->mi_mx; mx != NULL; mx = next) {
		next = mx->mx_next;
		mxent_free((struct ent *)mx);
	}
	free_notes(info->mi_notes);
	free(info->mi_qname);
	free(info->mi_cname);
	free(info->mi_source);
	free(info->mi_origin);
	free(info->mi_text);
	free(info->mi_dsn);
	free(info);
}
