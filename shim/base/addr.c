/* SPDX-License-Identifier: ISC */
/*
 * The address parser.  It reads what RFC 5322 allows and what is common
 * beyond it (two dots in a row, an address as display name, a group without
 * its semicolon), and gives addresses as RFC 5321 and 6531 write them.  Octets
 * that could end a line come out of it as errors, as does what is not UTF-8.
 */
#include "config.h"

#include "base/addr.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/hostname.h"
#include "base/idna.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

struct parser {
	const char	*p;
	size_t		 n;
	size_t		 pos;
	size_t		 start;		/* of the first word */
	size_t		 end;		/* after the last one */
	struct buf	 local;		/* without quotes */
	bool		 has_local;
	bool		 after_dot;	/* the last word ended in a dot */
	bool		 is_phrase;	/* words that are no local part */
	struct buf	 domain;
	bool		 has_domain;
	struct buf	 spec;
	const char	*(*each)(void *, const struct addr *);
	void		*arg;
	const char	*why;
};

static int
fail(struct parser *ps, const char *why)
{
	ps->why = why;
	return -1;
}

/* The next octet, or -1 at the end. */
static int
peek(const struct parser *ps)
{
	return ps->pos < ps->n ? (unsigned char)ps->p[ps->pos] : -1;
}

/* atext of RFC 5322 and RFC 6532. */
static bool
is_atext(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c >= 0x80 ||
	    (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static int
skip_comment(struct parser *ps)
{
	int c, depth = 0;

	while ((c = peek(ps)) != -1) {
		ps->pos++;
		if (c == '\\' && ps->pos < ps->n)
			ps->pos++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return 0;
	}
	return fail(ps, "a comment is not closed");
}

/* Comments and folding white space. */
static int
skip_cfws(struct parser *ps)
{
	int c;

	while ((c = peek(ps)) != -1) {
		if (c == '(') {
			if (skip_comment(ps) == -1)
				return -1;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			ps->pos++;
		} else {
			break;
		}
	}
	return 0;
}

/* A quoted string at the cursor, without its quotes, onto the local part. */
static int
read_quoted(struct parser *ps)
{
	int c;

	for (ps->pos++; (c = peek(ps)) != -1; ps->pos++) {
		if (c == '"') {
			ps->pos++;
			return 0;
		}
		if (c == '\r' || c == '\n')
			continue;	/* folding */
		if (c == '\\') {
			ps->pos++;
			if ((c = peek(ps)) == -1)
				break;
		}
		buf_addc(&ps->local, (char)c);
	}
	return fail(ps, "a quoted string is not closed");
}

/*
 * One word or dot of a phrase or local part.  Two words without a dot in
 * between make it a phrase.
 */
static int
read_word(struct parser *ps)
{
	int c = peek(ps), rc = 0;

	if (!ps->has_local)
		ps->start = ps->pos;
	else if (!ps->after_dot && c != '.')
		ps->is_phrase = true;
	ps->has_local = true;
	ps->after_dot = false;
	if (c == '"')
		rc = read_quoted(ps);
	for (; c != '"' && (is_atext(c) || c == '.'); c = peek(ps)) {
		buf_addc(&ps->local, (char)c);
		ps->after_dot = c == '.';
		ps->pos++;
	}
	ps->end = ps->pos;
	return rc;
}

static bool
starts_word(int c)
{
	return is_atext(c) || c == '.' || c == '"';
}

static int
read_literal(struct parser *ps)
{
	int c;

	while ((c = peek(ps)) != -1) {
		buf_addc(&ps->domain, (char)c);
		ps->pos++;
		if (c == ']')
			return 0;
	}
	return fail(ps, "an address literal is not closed");
}

/* White space and comments may surround the dots (RFC 5322 section 4.4). */
static int
read_domain_name(struct parser *ps)
{
	bool dot;
	int c;

	do {
		for (c = peek(ps); is_atext(c) || c == '.'; c = peek(ps)) {
			buf_addc(&ps->domain, (char)c);
			ps->pos++;
		}
		ps->end = ps->pos;
		dot = ps->domain.len > 0 &&
		    ps->domain.data[ps->domain.len - 1] == '.';
		if (skip_cfws(ps) == -1)
			return -1;
		c = peek(ps);
	} while (c == '.' || (dot && is_atext(c)));
	return 0;
}

/* The domain after an @, which is at the cursor. */
static int
read_domain(struct parser *ps)
{
	int rc;

	ps->pos++;
	ps->has_domain = true;
	buf_reset(&ps->domain);
	if (skip_cfws(ps) == -1)
		return -1;
	if (peek(ps) == '[') {
		rc = read_literal(ps);
		ps->end = ps->pos;
		if (rc == 0)
			rc = skip_cfws(ps);
		return rc;
	}
	return read_domain_name(ps);
}

/* An obsolete route, "@a,@b:", which means nothing any more. */
static int
skip_route(struct parser *ps)
{
	while (peek(ps) == '@' || peek(ps) == ',') {
		if (peek(ps) == ',')
			ps->pos++;
		else if (read_domain(ps) == -1)
			return -1;
		if (skip_cfws(ps) == -1)
			return -1;
	}
	if (peek(ps) != ':')
		return fail(ps, "an address begins with @");
	ps->pos++;
	return skip_cfws(ps);
}

static void
begin_address(struct parser *ps)
{
	buf_reset(&ps->local);
	buf_reset(&ps->domain);
	ps->has_local = false;
	ps->after_dot = false;
	ps->has_domain = false;
	ps->is_phrase = false;
	ps->end = ps->pos;
}

static bool
is_literal_valid(char *s, size_t n)
{
	unsigned char in[sizeof(struct in6_addr)];
	bool valid;

	s[n - 1] = '\0';	/* the bracket */
	valid = strncasecmp(s + 1, "IPv6:", 5) == 0 ?
	    inet_pton(AF_INET6, s + 6, in) == 1 :
	    inet_pton(AF_INET, s + 1, in) == 1;
	s[n - 1] = ']';
	return valid;
}

/*
 * What the DNS knows it by.  That form needs no SMTPUTF8: an address does
 * only where its local part is outside ASCII.
 */
static const char *
to_ascii(struct buf *d)
{
	char ascii[ADDR_MAX_DOMAIN + 1];
	const char *why = idna_ascii(buf_str(d), ascii, sizeof(ascii));

	if (why == NULL) {
		buf_reset(d);
		buf_adds(d, ascii);
	}
	return why;
}

static const char *
check_domain(struct buf *d, bool *converted)
{
	const char *why;

	*converted = utf8_has_eightbit(buf_str(d), d->len) && d->len > 0 &&
	    d->data[0] != '[';
	if (*converted && (why = to_ascii(d)) != NULL)
		return why;
	if (d->len > 1 && d->data[d->len - 1] == '.')
		d->data[--d->len] = '\0';
	if (d->len == 0)
		return "the domain is missing";
	if (d->len > ADDR_MAX_DOMAIN)
		return "the domain is too long";
	if (memchr(d->data, '\0', d->len) != NULL)
		return "a control character";
	if (d->data[0] == '[')
		return is_literal_valid(d->data, d->len) ? NULL :
		    "the address literal is not valid";
	return hostname_is_valid(d->data) ? NULL : "the domain is not valid";
}

/* RFC 5321 section 4.1.2: a dot-string, or else a quoted string. */
static void
format_local(struct buf *out, const struct buf *local)
{
	const char *p = buf_str(local);
	size_t i;
	bool plain = local->len > 0 && p[0] != '.' &&
	    p[local->len - 1] != '.' && strstr(p, "..") == NULL;

	for (i = 0; i < local->len && plain; i++)
		plain = p[i] == '.' || is_atext((unsigned char)p[i]);
	if (plain) {
		buf_add(out, p, local->len);
		return;
	}
	buf_addc(out, '"');
	for (i = 0; i < local->len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, p[i]);
	}
	buf_addc(out, '"');
}

static const char *
check_octets(const struct buf *b)
{
	size_t i, n;

	if (!utf8_is_valid(buf_str(b), b->len))
		return "it is outside ASCII, and not UTF-8";
	for (i = 0; i < b->len; i += n) {
		for (n = 1; i + n < b->len &&
		    ((unsigned char)b->data[i + n] & 0xc0) == 0x80; n++)
			continue;
		if (!utf8_is_printable(b->data + i, n))
			return "a control character";
	}
	return NULL;
}

/* The address is complete: check it and hand it on. */
static int
emit(struct parser *ps)
{
	struct addr a = { .has_domain = ps->has_domain };
	const char *why = NULL;

	if (ps->local.len == 0)
		return fail(ps, "the part before @ is missing");
	if ((why = check_octets(&ps->local)) != NULL ||
	    (why = check_octets(&ps->domain)) != NULL ||
	    (ps->has_domain && (why = check_domain(&ps->domain,
	    &a.converted)) != NULL))
		return fail(ps, why);
	buf_reset(&ps->spec);
	format_local(&ps->spec, &ps->local);
	if (ps->spec.len > ADDR_MAX_LOCAL)
		return fail(ps, "the part before @ is too long");
	if (ps->has_domain)
		buf_printf(&ps->spec, "@%s", ps->domain.data);
	if (ps->spec.len > ADDR_MAX)
		return fail(ps, "the address is too long");
	a.spec = buf_str(&ps->spec);
	a.start = ps->start;
	a.end = ps->end;
	why = ps->each(ps->arg, &a);
	return why != NULL ? fail(ps, why) : 0;
}

static int
emit_null(struct parser *ps)
{
	const struct addr a = { .spec = "", .start = ps->pos,
	    .end = ps->pos };
	const char *why = ps->each(ps->arg, &a);

	return why != NULL ? fail(ps, why) : 0;
}

/* "<...>", which is at the cursor. */
static int
parse_angle(struct parser *ps)
{
	bool empty;

	ps->pos++;
	begin_address(ps);
	if (skip_cfws(ps) == -1)
		return -1;
	empty = peek(ps) == '>';
	if (peek(ps) == '@' && skip_route(ps) == -1)
		return -1;
	begin_address(ps);
	while (starts_word(peek(ps)))
		if (read_word(ps) == -1 || skip_cfws(ps) == -1)
			return -1;
	if (ps->is_phrase)
		return fail(ps, "a blank within an address");
	if (peek(ps) == '@' && read_domain(ps) == -1)
		return -1;
	if (peek(ps) != '>')
		return fail(ps, "expected > at the end of the address");
	ps->pos++;
	if (skip_cfws(ps) == -1)
		return -1;
	return empty ? emit_null(ps) : emit(ps);
}

/* One mailbox, or the name of a group: then 1. */
static int
parse_mailbox(struct parser *ps)
{
	int c;

	begin_address(ps);
	for (;;) {
		if (skip_cfws(ps) == -1)
			return -1;
		c = peek(ps);
		if (c == '<')
			return parse_angle(ps);
		if (c == ':' && ps->has_local && !ps->has_domain)
			return 1;
		if (c == -1 || c == ',' || c == ';')
			break;
		if (c == '@' && !ps->has_domain) {
			if (read_domain(ps) == -1)
				return -1;
		} else if (starts_word(c)) {
			/* "a@b.example <a@b.example>" */
			if (ps->has_domain)
				ps->is_phrase = true;
			if (read_word(ps) == -1)
				return -1;
		} else {
			return fail(ps, "an unexpected character");
		}
	}
	if (ps->is_phrase)
		return fail(ps, "a blank within an address");
	return emit(ps);
}

static int
parse_list(struct parser *ps)
{
	bool in_group = false;
	int c, rc = 0;

	while (rc == 0) {
		if (skip_cfws(ps) == -1)
			return -1;
		c = peek(ps);
		if (c == -1)
			break;
		if (c == ',') {
			ps->pos++;
		} else if (c == ';') {
			if (!in_group)
				return fail(ps, "a semicolon; addresses are "
				    "separated by commas");
			in_group = false;
			ps->pos++;
		} else {
			rc = parse_mailbox(ps);
			c = peek(ps);
			if (rc == 1 && in_group) {
				return fail(ps, "a group within a group");
			} else if (rc == 1) {
				in_group = true;
				ps->pos++;
				rc = 0;
			} else if (rc == 0 && c != ',' && c != ';' &&
			    c != -1) {
				return fail(ps, "expected a comma between "
				    "addresses");
			}
		}
	}
	return rc;
}

int
addr_list(const char *p, size_t n,
    const char *(*each)(void *arg, const struct addr *), void *arg,
    const char **why)
{
	struct parser ps = { .p = p, .n = n, .each = each, .arg = arg };
	int rc = parse_list(&ps);

	buf_clear(&ps.local);
	buf_clear(&ps.domain);
	buf_clear(&ps.spec);
	*why = ps.why;
	return rc;
}

char *
addr_complete(const struct addr *a, const char *default_domain,
    const char **why)
{
	char *s;

	if (a->has_domain)
		return xstrdup(a->spec);
	s = xasprintf("%s@%s", a->spec, default_domain);
	if (strlen(s) <= ADDR_MAX)
		return s;
	free(s);
	*why = "the address is too long";
	return NULL;
}

struct one {
	const char	*default_domain;
	char		*spec;
};

static const char *
take_one(void *arg, const struct addr *a)
{
	struct one *one = arg;
	const char *why = NULL;

	if (one->spec != NULL)
		return "more than one address";
	if (a->spec[0] == '\0')
		one->spec = xstrdup("");
	else
		one->spec = addr_complete(a, one->default_domain, &why);
	return why;
}

char *
addr_one(const char *s, const char *default_domain, const char **why)
{
	struct one one = { default_domain, NULL };

	if (s[0] == '\0')
		return xstrdup("");
	if (addr_list(s, strlen(s), take_one, &one, why) == -1) {
		free(one.spec);
		return NULL;
	}
	if (one.spec == NULL)
		*why = "no address";
	return one.spec;
}

bool
addr_needs_utf8(const char *address)
{
	return utf8_has_eightbit(address, strlen(address));
}

int
addr_compare(const char *a, const char *b)
{
	const char *at = strrchr(a, '@'), *bt = strrchr(b, '@');
	size_t na = at != NULL ? (size_t)(at - a) : strlen(a);
	size_t nb = bt != NULL ? (size_t)(bt - b) : strlen(b);
	int rc = memcmp(a, b, na < nb ? na : nb);

	if (rc != 0)
		return rc;
	if (na != nb)
		return na < nb ? -1 : 1;
	return strcasecmp(a + na, b + nb);
}
