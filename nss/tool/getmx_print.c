/* SPDX-License-Identifier: ISC */
/*
 * A result of getmxinfo(3) as an aligned table with notes for people, or as
 * bare names.
 */
#include "config.h"

#include "tool/getmx.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dns.h"
#include "mxdb.h"

enum column { PREF, HOST, PORT, ADDRESS, TTL, FROM, TLS, NCOLUMNS };

struct row {
	char	cell[NCOLUMNS][640];
};

static const struct {
	const char	*title;
	int		 right;		/* aligned to the right */
} columns[NCOLUMNS] = {
	[PREF] = { "PREF", 1 },
	[HOST] = { "HOST", 0 },
	[PORT] = { "PORT", 1 },
	[ADDRESS] = { "ADDRESS", 0 },
	[TTL] = { "TTL", 1 },
	[FROM] = { "FROM", 0 },
	[TLS] = { "TLS", 0 }
};

#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define RED	"\033[31m"
#define YELLOW	"\033[33m"
#define PLAIN	"\033[0m"

int
getmx_exit_code(int error)
{
	if (error == MX_OK)
		return EX_OK;
	if (error == MX_ECONFIG)
		return EX_CONFIG;
	return MX_ISTEMP(error) ? EX_TEMPFAIL : GETMX_NO;
}

const char *
getmx_tls_word(int tls)
{
	static const char *const words[] = {
		[MX_TLS_DEFAULT] = NULL,
		[MX_TLS_NONE] = "none",
		[MX_TLS_MAY] = "may",
		[MX_TLS_ENCRYPT] = "encrypt",
		[MX_TLS_VERIFY] = "verify",
		[MX_TLS_DANE] = "dane"
	};

	if (tls < 0 || (size_t)tls >= sizeof(words) / sizeof(words[0]))
		return NULL;
	return words[tls];
}

static void
add_word(char *buf, size_t size, const char *key, const char *value)
{
	if (buf[0] != '\0')
		(void)strlcat(buf, " ", size);
	(void)strlcat(buf, key, size);
	(void)strlcat(buf, value, size);
}

void
getmx_tls(const struct mxent *mx, char *buf, size_t size)
{
	const char *word;

	buf[0] = '\0';
	if ((word = getmx_tls_word(mx->mx_tls)) != NULL)
		add_word(buf, size, "tls=", word);
	if (mx->mx_tlsname != NULL)
		add_word(buf, size, "name=", mx->mx_tlsname);
	if (mx->mx_flags & MXE_IMPLICITTLS)
		add_word(buf, size, "implicit-tls", "");
	if (mx->mx_auth != NULL)
		add_word(buf, size, "auth=", mx->mx_auth);
}

void
getmx_address(const struct mxaddr *ma, char *buf, size_t size)
{
	const void *p;

	if (ma->ma_family == AF_INET6)
		p = &((const struct sockaddr_in6 *)
		    (const void *)ma->ma_addr)->sin6_addr;
	else
		p = &((const struct sockaddr_in *)
		    (const void *)ma->ma_addr)->sin_addr;
	if (inet_ntop(ma->ma_family, p, buf, (socklen_t)size) == NULL)
		(void)strlcpy(buf, "?", size);
}

#define CELL(row, c, ...) \
	(void)snprintf((row)->cell[c], sizeof((row)->cell[c]), __VA_ARGS__)

static void
fill_row(struct row *row, const struct mxent *mx)
{
	memset(row, 0, sizeof(*row));
	CELL(row, PREF, "%u", (unsigned int)mx->mx_pref);
	CELL(row, HOST, "%s", mx->mx_host);
	CELL(row, PORT, "%u", mx->mx_port == 0 ? 25U :
	    (unsigned int)mx->mx_port);
	if (mx->mx_ttl == UINT32_MAX)
		CELL(row, TTL, "-");
	else
		CELL(row, TTL, "%" PRIu32, mx->mx_ttl);
	CELL(row, FROM, "%s%s%s", mx->mx_source == NULL ? "-" :
	    mx->mx_source, mx->mx_origin == NULL ? "" : " ",
	    mx->mx_origin == NULL ? "" : mx->mx_origin);
	if (mx->mx_addrs == NULL)
		CELL(row, ADDRESS, "%s", mx->mx_addrerr == 0 ? "-" :
		    mx->mx_addrerr == MX_ENOADDR ? "none" :
		    mx_errname(mx->mx_addrerr));
	getmx_tls(mx, row->cell[TLS], sizeof(row->cell[TLS]));
}

/* One row for each address, at least one for each exchange. */
static struct row *
make_rows(const struct mxinfo *info, size_t *n)
{
	const struct mxent *mx;
	const struct mxaddr *ma;
	struct row *rows;
	size_t max = 1;

	for (mx = info->mi_mx; mx != NULL; mx = mx->mx_next)
		for (max++, ma = mx->mx_addrs; ma != NULL; ma = ma->ma_next)
			max++;
	if ((rows = calloc(max, sizeof(*rows))) == NULL)
		return NULL;
	*n = 0;
	for (mx = info->mi_mx; mx != NULL; mx = mx->mx_next) {
		fill_row(&rows[*n], mx);
		for (ma = mx->mx_addrs; ma != NULL; ma = ma->ma_next) {
			getmx_address(ma, rows[*n].cell[ADDRESS],
			    sizeof(rows[*n].cell[ADDRESS]));
			if (ma->ma_next != NULL)
				(*n)++;
		}
		(*n)++;
	}
	return rows;
}

static void
print_cells(FILE *fp, const struct row *row, const int *width)
{
	enum column c, last = PREF;

	for (c = PREF; c < NCOLUMNS; c++)
		if (row->cell[c][0] != '\0')
			last = c;
	for (c = PREF; c <= last; c++) {
		if (width[c] == 0)
			continue;
		(void)fputs("  ", fp);
		if (c == last && !columns[c].right)
			(void)fputs(row->cell[c], fp);
		else
			(void)fprintf(fp, "%*s", columns[c].right ?
			    width[c] : -width[c], row->cell[c]);
	}
}

static void
print_rows(FILE *fp, const struct row *rows, size_t n, int colour)
{
	struct row head;
	int width[NCOLUMNS] = { 0 };
	enum column c;
	size_t i;
	int len;

	memset(&head, 0, sizeof(head));
	for (c = PREF; c < NCOLUMNS; c++) {
		for (i = 0; i < n; i++) {
			len = (int)strlen(rows[i].cell[c]);
			if (len > width[c])
				width[c] = len;
		}
		if (width[c] == 0)
			continue;	/* no such column then */
		(void)strlcpy(head.cell[c], columns[c].title,
		    sizeof(head.cell[c]));
		len = (int)strlen(columns[c].title);
		if (len > width[c])
			width[c] = len;
	}
	if (colour)
		(void)fputs(DIM, fp);
	print_cells(fp, &head, width);
	(void)fprintf(fp, "%s\n", colour ? PLAIN : "");
	for (i = 0; i < n; i++) {
		print_cells(fp, &rows[i], width);
		(void)fputc('\n', fp);
	}
}

void
getmx_notes(const struct mxinfo *info, int rcpt,
    void (*note)(void *, const char *), void *arg)
{
	static const struct {
		uint32_t	 flag;
		const char	*text;
	} flags[] = {
		{ MXI_SECURE, "authenticated by DNSSEC" },
		{ MXI_IMPLICIT, "no MX record: mail goes to the domain's own "
		    "address (RFC 5321 section 5.1)" },
		{ MXI_MERGED, "override lines and other sources together" },
		{ MXI_SELFCUT, "this host is an exchange of the domain; it "
		    "and those that are not better are left out" },
		{ MXI_PARTIAL, "more exchanges than can be used; the worst "
		    "are left out" }
	};
	const struct mxnote *n;
	char text[600];
	size_t i;

	if (info->mi_cname != NULL) {
		(void)snprintf(text, sizeof(text), "%s is an alias of %s",
		    info->mi_qname, info->mi_cname);
		note(arg, text);
	}
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (info->mi_mx != NULL && (info->mi_flags & flags[i].flag))
			note(arg, flags[i].text);
	if ((info->mi_flags & MXI_BYRCPT) && !rcpt)
		note(arg, "overrides name single users of the domain: ask "
		    "for user@domain to see theirs");
	for (n = info->mi_notes; n != NULL; n = n->mn_next)
		note(arg, n->mn_text);
}

struct printer {
	FILE	*fp;
	int	 colour;
};

static void
print_note(void *arg, const char *text)
{
	const struct printer *p = arg;

	(void)fprintf(p->fp, "  %snote:%s %s\n", p->colour ? YELLOW : "",
	    p->colour ? PLAIN : "", text);
}

/* With its Unicode form, if it has one. */
static void
print_domain(FILE *fp, const struct mxinfo *info, int colour)
{
	char text[1013];

	(void)fprintf(fp, "%s%s%s", colour ? BOLD : "", info->mi_qname,
	    colour ? PLAIN : "");
	mxdns_unicode(info->mi_qname, text, sizeof(text));
	if (*text != '\0')
		(void)fprintf(fp, " (%s)", text);
}

static void
print_error(FILE *fp, const struct mxinfo *info, int colour)
{
	int temp = MX_ISTEMP(info->mi_error);

	print_domain(fp, info, colour);
	(void)fprintf(fp, ": %s%s%s", !colour ? "" : temp ? YELLOW : RED,
	    info->mi_text, colour ? PLAIN : "");
	(void)fprintf(fp, " (%s error %s %s", temp ? "temporary" :
	    "permanent", mx_errname(info->mi_error), info->mi_dsn);
	if (info->mi_source != NULL)
		(void)fprintf(fp, ", from %s", info->mi_source);
	if (info->mi_origin != NULL)
		(void)fprintf(fp, " %s", info->mi_origin);
	(void)fputs(")\n", fp);
}

void
getmx_table(FILE *fp, const struct mxinfo *info, int rcpt, int colour)
{
	struct printer printer = { fp, colour };
	struct row *rows;
	size_t n;

	if (info->mi_error != MX_OK)
		print_error(fp, info, colour);
	else if ((rows = make_rows(info, &n)) == NULL)
		(void)fprintf(fp, "%s: %s\n", info->mi_qname,
		    mx_strerror(MX_ENOMEM));
	else {
		print_domain(fp, info, colour);
		(void)fputc('\n', fp);
		print_rows(fp, rows, n, colour);
		free(rows);
	}
	getmx_notes(info, rcpt, print_note, &printer);
}

void
getmx_names(FILE *fp, const struct mxinfo *info)
{
	const struct mxent *mx;

	for (mx = info->mi_mx; mx != NULL; mx = mx->mx_next)
		(void)fprintf(fp, "%s\n", mx->mx_host);
}
