/* SPDX-License-Identifier: ISC */
/*
 * A result of getmxinfo(3) as one line of JSON (RFC 8259).  The keys are
 * part of the interface: new ones may appear, none changes.
 */
#include "config.h"

#include "tool/getmx.h"

#include <netinet/in.h>

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "dns.h"
#include "mxdb.h"

/*
 * The character at P in UTF-8 (RFC 3629) to *C; its octets.  An octet that
 * is not part of one is taken as Latin-1: what is written is valid.
 */
static size_t
get_utf8(const unsigned char *p, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 1;
	uint32_t u = n == 1 ? *p : *p & (0xffU >> (n + 1));

	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			break;
		u = u << 6 | (p[i] & 0x3f);
	}
	if (i < n || *p >= 0xf8 || u < least[n] || u > 0x10ffff ||
	    (u >= 0xd800 && u <= 0xdfff)) {
		*c = *p;
		return 1;
	}
	*c = u;
	return n;
}

static void
put_escaped(FILE *fp, uint32_t c)
{
	if (c >= 0x10000)
		(void)fprintf(fp, "\\u%04" PRIx32 "\\u%04" PRIx32,
		    0xd800 + ((c - 0x10000) >> 10),
		    0xdc00 + ((c - 0x10000) & 0x3ff));
	else
		(void)fprintf(fp, "\\u%04" PRIx32, c);
}

static void
put_string(FILE *fp, const char *s)
{
	const unsigned char *p;
	uint32_t c;
	size_t n;

	if (s == NULL) {
		(void)fputs("null", fp);
		return;
	}
	(void)fputc('"', fp);
	for (p = (const unsigned char *)s; *p != '\0'; p += n) {
		n = get_utf8(p, &c);
		if (c == '"' || c == '\\')
			(void)fprintf(fp, "\\%c", (int)c);
		else if (c < 0x20 || c >= 0x7f)
			put_escaped(fp, c);
		else
			(void)fputc((int)c, fp);
	}
	(void)fputc('"', fp);
}

static void
put_key_string(FILE *fp, const char *key, const char *value)
{
	(void)fprintf(fp, "\"%s\":", key);
	put_string(fp, value);
	(void)fputc(',', fp);
}

static void
put_ttl(FILE *fp, uint32_t ttl)
{
	if (ttl == UINT32_MAX)
		(void)fputs("\"ttl\":null,", fp);
	else
		(void)fprintf(fp, "\"ttl\":%" PRIu32 ",", ttl);
}

static void
put_addresses(FILE *fp, const struct mxaddr *ma)
{
	char buf[INET6_ADDRSTRLEN];
	const char *comma = "";

	(void)fputs("\"addresses\":[", fp);
	for (; ma != NULL; ma = ma->ma_next) {
		getmx_address(ma, buf, sizeof(buf));
		(void)fputs(comma, fp);
		put_string(fp, buf);
		comma = ",";
	}
	(void)fputc(']', fp);
}

static void
put_exchange(FILE *fp, const struct mxent *mx)
{
	(void)fprintf(fp, "{\"pref\":%u,", (unsigned int)mx->mx_pref);
	put_key_string(fp, "host", mx->mx_host);
	(void)fprintf(fp, "\"port\":%u,", mx->mx_port == 0 ? 25U :
	    (unsigned int)mx->mx_port);
	put_ttl(fp, mx->mx_ttl);
	put_key_string(fp, "tls", getmx_tls_word(mx->mx_tls));
	put_key_string(fp, "tls_name", mx->mx_tlsname);
	(void)fprintf(fp, "\"implicit_tls\":%s,",
	    mx->mx_flags & MXE_IMPLICITTLS ? "true" : "false");
	put_key_string(fp, "auth", mx->mx_auth);
	put_key_string(fp, "source", mx->mx_source);
	put_key_string(fp, "origin", mx->mx_origin);
	put_key_string(fp, "error", mx->mx_addrerr == 0 ? NULL :
	    mx_errname(mx->mx_addrerr));
	put_addresses(fp, mx->mx_addrs);
	(void)fputc('}', fp);
}

struct notes {
	FILE		*fp;
	const char	*comma;
};

static void
put_note(void *arg, const char *text)
{
	struct notes *n = arg;

	(void)fputs(n->comma, n->fp);
	put_string(n->fp, text);
	n->comma = ",";
}

static void
put_exchanges(FILE *fp, const struct mxent *mx)
{
	(void)fputs("\"mx\":[", fp);
	while (mx != NULL) {
		put_exchange(fp, mx);
		if ((mx = mx->mx_next) != NULL)
			(void)fputc(',', fp);
	}
	(void)fputs("],", fp);
}

static const char *
event_word(int event)
{
	static const char *const words[] = {
		[MXT_LIST] = "list",
		[MXT_SOURCE] = "source",
		[MXT_BORROW] = "borrow",
		[MXT_DROPPED] = "dropped",
		[MXT_ADDRS] = "addresses"
	};

	if (event < 0 || (size_t)event >= sizeof(words) / sizeof(words[0]))
		return NULL;
	return words[event];
}

void
getmx_trace_json(FILE *fp, const struct mxtrace *t)
{
	struct notes notes = { fp, "" };
	const struct mxnote *n;

	(void)fputc('{', fp);
	put_key_string(fp, "event", event_word(t->mt_event));
	put_key_string(fp, "domain", t->mt_domain);
	put_key_string(fp, "source", t->mt_source);
	put_key_string(fp, "arg", t->mt_arg);
	put_key_string(fp, "status", t->mt_status);
	put_key_string(fp, "action", t->mt_action);
	put_key_string(fp, "error", t->mt_error == 0 ? NULL :
	    mx_errname(t->mt_error));
	put_key_string(fp, "text", t->mt_text);
	put_key_string(fp, "origin", t->mt_origin);
	put_key_string(fp, "pattern", t->mt_rule);
	(void)fprintf(fp, "\"used\":%s,\"usec\":%" PRIu64 ",",
	    t->mt_flags & MXT_UNUSED ? "false" : "true", t->mt_usec);
	put_exchanges(fp, t->mt_mx);
	(void)fputs("\"notes\":[", fp);
	for (n = t->mt_notes; n != NULL; n = n->mn_next)
		put_note(&notes, n->mn_text);
	(void)fputs("]}", fp);
}

void
getmx_json(FILE *fp, const char *domain, const struct mxinfo *info,
    const char *trace)
{
	struct notes notes = { fp, "" };
	char unicode[1013];
	int error = info->mi_error;

	(void)fputc('{', fp);
	mxdns_unicode(info->mi_qname, unicode, sizeof(unicode));
	put_key_string(fp, "domain", domain);
	put_key_string(fp, "ascii", info->mi_qname);
	put_key_string(fp, "unicode", *unicode == '\0' ? NULL : unicode);
	put_key_string(fp, "status", error == MX_OK ? "ok" :
	    MX_ISTEMP(error) ? "temporary" : "permanent");
	put_key_string(fp, "error", error == MX_OK ? NULL :
	    mx_errname(error));
	put_key_string(fp, "dsn", info->mi_dsn);
	put_key_string(fp, "text", info->mi_text);
	put_key_string(fp, "source", info->mi_source);
	put_key_string(fp, "origin", info->mi_origin);
	put_ttl(fp, info->mi_ttl);
	(void)fprintf(fp, "\"secure\":%s,",
	    info->mi_flags & MXI_SECURE ? "true" : "false");
	put_exchanges(fp, info->mi_mx);
	(void)fputs("\"notes\":[", fp);
	getmx_notes(info, strchr(domain, '@') != NULL, put_note, &notes);
	(void)fputc(']', fp);
	if (trace != NULL)
		(void)fprintf(fp, ",\"trace\":[%s]", trace);
	(void)fputs("}\n", fp);
}
