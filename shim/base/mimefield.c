/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/mimefield.h"

#include <string.h>
#include <strings.h>

const char *
mimefield_skip(const char *p)
{
	int depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(" \t\r\n", *p) == NULL)
			break;
	}
	return p;
}

bool
mimefield_is(const char *value, const char *word)
{
	size_t n = strlen(word);
	const char *p = mimefield_skip(value);

	return strncasecmp(p, word, n) == 0 &&
	    (p[n] == '\0' || strchr(" \t\r\n;/(", p[n]) != NULL);
}

/* After the next semicolon, or at the end; what is quoted does not count. */
static const char *
next_param(const char *p)
{
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == ';' && !quoted)
			return mimefield_skip(p + 1);
	}
	return p;
}

/* The value of a parameter at P.  As mimefield_param(). */
static int
take_value(const char *p, char *buf, size_t size)
{
	bool quoted = *p == '"';
	size_t n = 0;

	for (p += quoted; *p != '\0'; p++) {
		if (quoted ? *p == '"' : strchr(" \t\r\n;(", *p) != NULL)
			break;
		if (quoted && (*p == '\r' || *p == '\n'))
			continue;	/* folding */
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		if (n + 1 >= size)
			return -1;
		buf[n++] = *p;
	}
	buf[n] = '\0';
	return 1;
}

int
mimefield_param(const char *value, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);
	const char *p = value, *v;

	while (*(p = next_param(p)) != '\0') {
		if (strncasecmp(p, name, n) != 0)
			continue;
		v = mimefield_skip(p + n);
		if (*v == '=')
			return take_value(mimefield_skip(v + 1), buf, size);
	}
	return 0;
}
