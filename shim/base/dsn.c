/* SPDX-License-Identifier: ISC */
/* The values of NOTIFY, RET and ENVID, read and written. */
#include "config.h"

#include "base/dsn.h"

#include <string.h>
#include <strings.h>

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
