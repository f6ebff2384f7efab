/* SPDX-License-Identifier: ISC */
/*
 * Outcomes: one table from a code to its enhanced status code (RFC 3463),
 * exit code and name.
 */
#include "config.h"

#include "base/result.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	const char	*name;
	const char	*esc;
	int		 exit;
} table[] = {
	[R_SENT] =	{ "sent",	"2.0.0",	EX_OK },
	[R_NOUSER] =	{ "nouser",	"5.1.1",	EX_NOUSER },
	[R_NOHOST] =	{ "nohost",	"5.1.2",	EX_NOHOST },
	[R_BADADDR] =	{ "badaddr",	"5.1.3",	EX_DATAERR },
	[R_NULLMX] =	{ "nullmx",	"5.1.10",	EX_UNAVAILABLE },
	[R_TOOBIG] =	{ "toobig",	"5.3.4",	EX_UNAVAILABLE },
	[R_UTF8] =	{ "utf8",	"5.6.7",	EX_UNAVAILABLE },
	[R_NOROUTE] =	{ "noroute",	"5.4.4",	EX_NOHOST },
	[R_LOOP] =	{ "loop",	"5.4.6",	EX_CONFIG },
	[R_REFUSED] =	{ "refused",	"5.0.0",	EX_UNAVAILABLE },
	[R_BLOCKED] =	{ "blocked",	"5.7.1",	EX_UNAVAILABLE },
	[R_EXPIRED] =	{ "expired",	"5.4.7",	EX_UNAVAILABLE },
	[R_LOCALERR] =	{ "localerr",	"4.3.0",	EX_TEMPFAIL },
	[R_SHORT] =	{ "short",	"4.3.0",	EX_TEMPFAIL },
	[R_HELD] =	{ "held",	"4.3.2",	EX_TEMPFAIL },
	[R_CONFIG] =	{ "config",	"4.3.5",	EX_TEMPFAIL },
	[R_CONNECT] =	{ "connect",	"4.4.1",	EX_TEMPFAIL },
	[R_OFFLINE] =	{ "offline",	"4.4.1",	EX_TEMPFAIL },
	[R_LOST] =	{ "lost",	"4.4.2",	EX_TEMPFAIL },
	[R_DNSTEMP] =	{ "dnstemp",	"4.4.3",	EX_TEMPFAIL },
	[R_PROTO] =	{ "proto",	"4.5.0",	EX_TEMPFAIL },
	[R_TLS] =	{ "tls",	"4.7.5",	EX_TEMPFAIL },
	[R_LATER] =	{ "later",	"4.0.0",	EX_TEMPFAIL },
};

static_assert(sizeof(table) / sizeof(table[0]) == R_MAX,
    "one row for each result code");

void
result_set(struct result *r, enum result_code code, const char *fmt, ...)
{
	va_list ap;

	memset(r, 0, sizeof(*r));
	r->code = code;
	va_start(ap, fmt);
	/* a text that is too long is cut: it is for people */
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	result_clean(r->text);
}

void
result_set_errno(struct result *r, enum result_code code, int error,
    const char *what)
{
	const char *why = strerror(error);

	switch (error) {
	case EMFILE:
		why = "out of file descriptors here";
		code = R_SHORT;
		break;
	case ENFILE:
		why = "out of file descriptors on this machine";
		code = R_SHORT;
		break;
	case ENOMEM:
	case ENOBUFS:
		why = "out of memory here";
		code = R_SHORT;
		break;
	}
	result_set(r, code, "%s: %s", what, why);
}

const char *
result_esc(const struct result *r)
{
	return r->esc[0] != '\0' ? r->esc : table[r->code].esc;
}

bool
result_is_ok(const struct result *r)
{
	return r->code == R_SENT;
}

bool
result_is_temporary(const struct result *r)
{
	return table[r->code].esc[0] == '4';
}

bool
result_is_permanent(const struct result *r)
{
	return table[r->code].esc[0] == '5';
}

int
result_exit(const struct result *r)
{
	return table[r->code].exit;
}

const char *
result_status(const struct result *r)
{
	if (result_is_ok(r))
		return "sent";
	return result_is_temporary(r) ? "deferred" : "bounced";
}

const char *
result_name(enum result_code code)
{
	return table[code].name;
}

int
result_by_name(const char *name, enum result_code *code)
{
	int i;

	for (i = 0; i < R_MAX; i++)
		if (strcmp(table[i].name, name) == 0) {
			*code = (enum result_code)i;
			return 0;
		}
	return -1;
}

void
result_clean(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}
