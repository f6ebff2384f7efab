/* SPDX-License-Identifier: ISC */
/* The values of NOTIFY, RET, ENVID and ORCPT, read and written. */
#include "config.h"

#include "base/dsn.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

static const struct {
	const char	*name;
	unsigned	 flag;
} events[] = {
	{ "NEVER",	DSN_NEVER },
	{ "SUCCESS",	DSN_SUCCESS },
	{ "FAILURE",	DSN_FAILURE },
	{ "DELAY",	DSN_DELAY },
};

#define NEVENTS	(sizeof(events) / sizeof(events[0]))

static const char *const rets[] = {
	[DSN_RET_UNSAID] = "", [DSN_RET_FULL] = "FULL",
	[DSN_RET_HDRS] = "HDRS",
};

static bool
is_word(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

int
dsn_parse_notify(const char *p, size_t n, unsigned *notify)
{
	const char *end = p + n, *comma;
	size_t i, len;

	*notify = 0;
	do {
		comma = memchr(p, ',', (size_t)(end - p));
		len = (size_t)((comma != NULL ? comma : end) - p);
		for (i = 0; i < NEVENTS; i++)
			if (is_word(p, len, events[i].name))
				break;
		if (i == NEVENTS)
			return -1;
		*notify |= events[i].flag;
		p += len + 1;
	} while (comma != NULL);
	return (*notify & DSN_NEVER) != 0 && *notify != DSN_NEVER ? -1 : 0;
}

int
dsn_parse_ret(const char *p, size_t n, enum dsn_ret *ret)
{
	for (*ret = DSN_RET_FULL; *ret <= DSN_RET_HDRS; (*ret)++)
		if (is_word(p, n, rets[*ret]))
			return 0;
	*ret = DSN_RET_UNSAID;
	return -1;
}

void
dsn_add_notify(struct buf *b, unsigned notify)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < NEVENTS; i++)
		if ((notify & events[i].flag) != 0) {
			buf_printf(b, "%s%s", comma, events[i].name);
			comma = ",";
		}
}

const char *
dsn_ret_name(enum dsn_ret ret)
{
	return rets[ret];
}

bool
dsn_wants(unsigned notify, unsigned what)
{
	if (notify == 0)
		return what != DSN_SUCCESS;
	return (notify & what) != 0;
}

/* What xtext writes as itself. */
static bool
is_xchar(char c)
{
	return c > ' ' && c <= '~' && c != '+' && c != '=';
}

bool
dsn_is_envid(const char *p, size_t n)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		if (p[i] < ' ' || p[i] > '~')
			return false;
		len += is_xchar(p[i]) ? 1 : 3;
	}
	return len > 0 && len <= DSN_MAX_ENVID;
}

void
dsn_add_xtext(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		if (is_xchar(*s))
			buf_addc(b, *s);
		else
			buf_printf(b, "+%02X", (unsigned)(unsigned char)*s);
}

/* A digit of xtext: RFC 3461 wants capital letters. */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
dsn_parse_xtext(const char *p, size_t n, struct buf *b)
{
	size_t i;
	int c;

	for (i = 0; i < n; i++) {
		c = p[i];
		if (c == '+') {
			if (n - i < 3 || hex(p[i + 1]) < 0 ||
			    hex(p[i + 2]) < 0)
				return -1;
			c = hex(p[i + 1]) * 16 + hex(p[i + 2]);
			i += 2;
		} else if (!is_xchar(p[i])) {
			return -1;
		}
		if (c < ' ' || c > '~')
			return -1;
		buf_addc(b, (char)c);
	}
	return 0;
}

/* --- ORCPT (RFC 6533 section 3) ------------------------------------------- */

/* What utf-8-addr-xtext writes as itself: QCHAR. */
static bool
is_qchar(char c)
{
	return is_xchar(c) && c != '\\';
}

/* The character at P, well-formed UTF-8, and its length. */
static unsigned
code_point(const char *p, size_t *len)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned v = s[0] < 0x80 ? s[0] : s[0] < 0xe0 ? s[0] & 0x1f :
	    s[0] < 0xf0 ? s[0] & 0x0f : s[0] & 0x07;

	for (*len = 1; (s[*len] & 0xc0) == 0x80; ++*len)
		v = v << 6 | (s[*len] & 0x3f);
	return v;
}

void
dsn_add_orcpt(struct buf *b, const char *s)
{
	size_t len;

	if (!utf8_has_eightbit(s, strlen(s))) {
		buf_adds(b, "rfc822;");
		dsn_add_xtext(b, s);
		return;
	}
	buf_adds(b, "utf-8;");
	for (; *s != '\0'; s += len) {
		len = 1;
		if (is_qchar(*s))
			buf_addc(b, *s);
		else
			buf_printf(b, "\\x{%02X}", code_point(s, &len));
	}
}

static void
add_utf8(struct buf *b, unsigned v)
{
	if (v < 0x80) {
		buf_addc(b, (char)v);
		return;
	}
	if (v < 0x800)
		buf_addc(b, (char)(0xc0 | v >> 6));
	else if (v < 0x10000)
		buf_addc(b, (char)(0xe0 | v >> 12));
	else {
		buf_addc(b, (char)(0xf0 | v >> 18));
		buf_addc(b, (char)(0x80 | (v >> 12 & 0x3f)));
	}
	if (v >= 0x800)
		buf_addc(b, (char)(0x80 | (v >> 6 & 0x3f)));
	buf_addc(b, (char)(0x80 | (v & 0x3f)));
}

/* The octets of "\\x{...}" at P, its value in *V; 0: it is none. */
static size_t
parse_point(const char *p, size_t n, unsigned *v)
{
	size_t i;

	if (n < 6 || memcmp(p, "\\x{", 3) != 0)
		return 0;
	for (*v = 0, i = 3; i < n && i < 9 && hex(p[i]) >= 0; i++)
		*v = *v * 16 + (unsigned)hex(p[i]);
	return i >= 5 && i < n && p[i] == '}' && *v <= 0x10ffff ? i + 1 : 0;
}

/* Either form: octets of UTF-8 may also be there as they are. */
static int
parse_utf8_xtext(const char *p, size_t n, struct buf *b)
{
	size_t len;
	unsigned v;

	for (; n > 0; p += len, n -= len) {
		len = 1;
		if (is_qchar(*p) || (unsigned char)*p >= 0x80)
			buf_addc(b, *p);
		else if ((len = parse_point(p, n, &v)) != 0)
			add_utf8(b, v);
		else
			return -1;
	}
	return utf8_is_valid(buf_str(b), b->len) &&
	    memchr(buf_str(b), '\0', b->len) == NULL ? 0 : -1;
}

int
dsn_parse_orcpt(const char *p, size_t n, struct buf *b)
{
	const char *semicolon = memchr(p, ';', n);
	size_t type;

	if (semicolon == NULL || semicolon == p)
		return -1;
	type = (size_t)(semicolon + 1 - p);
	if (type == 6 && strncasecmp(p, "utf-8;", type) == 0)
		return parse_utf8_xtext(p + type, n - type, b);
	if (dsn_parse_xtext(p + type, n - type, b) == -1)
		return -1;
	return type == 7 && strncasecmp(p, "rfc822;", type) == 0 ? 0 : 1;
}
