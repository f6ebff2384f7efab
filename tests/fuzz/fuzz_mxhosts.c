/* SPDX-License-Identifier: ISC */
/*
 * The text of an override file -> the lines for a recipient.  The first
 * line is the recipient; the rest is the file.  It is read whole and in
 * pieces, which must make no difference.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "dns.h"
#include "fuzz.h"

static void
check_text(const char *s)
{
	for (; *s != '\0'; s++)
		MUST(*s >= 0x20 && *s < 0x7f);
}

static void
check_name(const char *host)
{
	char name[254];

	MUST(mxdns_name(host, name, sizeof(name)) == 0);
	MUST(strcmp(name, host) == 0);
}

static void
check_line(const struct mxhosts_line *l)
{
	check_text(l->text);
	check_text(l->dsn);
	check_text(l->auth);
	if (l->tlsname[0] != '\0')
		check_name(l->tlsname);
	if (l->kind >= MXHOSTS_DNS)
		MUST(l->host[0] == '\0');
	else if (l->literal)
		MUST(mxdns_literal(l->host, (char [64]){ 0 }, 64) == 0);
	else
		check_name(l->host);
}

/* Behind the ends of the texts is anything. */
static int
is_same_line(const struct mxhosts_line *a, const struct mxhosts_line *b)
{
	return a->kind == b->kind && a->lineno == b->lineno &&
	    a->pref == b->pref && a->port == b->port &&
	    a->merge == b->merge && a->literal == b->literal &&
	    a->implicit_tls == b->implicit_tls && a->tls == b->tls &&
	    a->ttl == b->ttl && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->tlsname, b->tlsname) == 0 &&
	    strcmp(a->auth, b->auth) == 0 && strcmp(a->dsn, b->dsn) == 0 &&
	    strcmp(a->text, b->text) == 0;
}

/* The file in pieces of STEP octets; small ones without skipping a line. */
static void
scan(struct mxhosts *mh, const char *domain, const char *rcpt,
    const char *text, size_t n, size_t step)
{
	struct mxhosts_reader *r;
	size_t i, len;

	MUST((r = calloc(1, sizeof(*r))) != NULL);
	MUST(mxhosts_init(mh, domain, rcpt) == 0);
	r->line = mxhosts_line;
	r->skip = step > 7 ? mxhosts_skip : NULL;
	r->arg = mh;
	for (i = 0; i < n; i += len) {
		len = n - i < step ? n - i : step;
		MUST(mxhosts_feed(r, text + i, len) == 0);
	}
	MUST(mxhosts_finish(r) == 0);
	free(r);
}

static int
check_pattern(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	char folded[MXHOSTS_MAXLINE + 1], again[MXHOSTS_MAXLINE + 1];
	char err[200];
	long len = mxhosts_split(p, n);

	(void)arg;
	(void)toolong;
	MUST(lineno > 0 && len >= -1 && len <= (long)n);
	if (len <= 0)
		return 0;
	if (mxhosts_pattern(p, (size_t)len, folded, err, sizeof(err)) == -1)
		check_text(err);
	else {
		check_text(folded);
		MUST(mxhosts_pattern(folded, strlen(folded), again, err,
		    sizeof(err)) == 0);
		MUST(strcmp(folded, again) == 0);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *nl, *at;
	struct mxhosts_reader *r;
	struct mxhosts whole, parts;
	char rcpt[400], domain[254];
	size_t i, len, n;

	if (size == 0 || (nl = memchr(text, '\n', size)) == NULL)
		return 0;
	len = (size_t)(nl - text);
	if (len >= sizeof(rcpt) || memchr(text, '\0', len) != NULL)
		return 0;
	memcpy(rcpt, text, len);
	rcpt[len] = '\0';
	at = strrchr(rcpt, '@');
	if (mxdns_name(at == NULL ? rcpt : at + 1, domain,
	    sizeof(domain)) == -1)
		return 0;
	text = nl + 1;
	n = size - len - 1;
	scan(&whole, domain, at == NULL ? NULL : rcpt, text, n, 65536);
	scan(&parts, domain, at == NULL ? NULL : rcpt, text, n, 1 + len % 7);
	MUST(whole.score == parts.score && whole.nline == parts.nline);
	MUST(whole.badline == parts.badline && whole.byrcpt == parts.byrcpt);
	MUST(strcmp(whole.bad, parts.bad) == 0);
	check_text(whole.bad);
	for (i = 0; i < whole.nline; i++) {
		check_line(&whole.line[i]);
		MUST(is_same_line(&whole.line[i], &parts.line[i]));
	}
	mxhosts_clear(&whole);
	mxhosts_clear(&parts);
	MUST((r = calloc(1, sizeof(*r))) != NULL);
	r->line = check_pattern;
	MUST(mxhosts_feed(r, text, n) == 0 && mxhosts_finish(r) == 0);
	free(r);
	return 0;
}
