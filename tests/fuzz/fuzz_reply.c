/* SPDX-License-Identifier: ISC */
/*
 * What a server says -> replies, line by line: reply codes, enhanced codes,
 * continuations and caps.
 */
#include "config.h"

#include "smtp/reply.h"

#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3463 section 2: class "." subject "." detail. */
static void
check_esc(const struct reply *rp)
{
	const char *p = rp->esc;
	int dots = 0;

	if (*p == '\0')
		return;
	MUST(*p == '0' + rp->code / 100);
	for (; *p != '\0'; p++) {
		MUST(is_digit(*p) || *p == '.');
		dots += *p == '.';
	}
	MUST(dots == 2 && is_digit(p[-1]));
}

static void
check_reply(const struct reply *rp, const char *first, size_t len)
{
	const char *p;

	MUST(rp->code >= 200 && rp->code <= 599);
	MUST(len >= 3 && rp->code == (first[0] - '0') * 100 +
	    (first[1] - '0') * 10 + first[2] - '0');
	MUST(rp->lines >= 1 && rp->lines <= REPLY_MAXLINES);
	MUST(rp->octets <= REPLY_MAXOCTETS);
	MUST(strnlen(rp->text, sizeof(rp->text)) < sizeof(rp->text));
	for (p = rp->text; *p != '\0'; p++)
		MUST(*p >= ' ' && *p <= '~');
	check_esc(rp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *end = s + size, *first = NULL;
	const char *lf;
	struct reply rp;
	size_t len, firstlen = 0;
	int rv = 1;

	for (; s < end; s = lf + 1) {
		if ((lf = memchr(s, '\n', (size_t)(end - s))) == NULL)
			break;
		len = (size_t)(lf - s);
		if (rv == 1) {
			reply_init(&rp);
			first = s;
			firstlen = len;
		}
		rv = reply_line(&rp, s, len);
		MUST(rv == 1 || rv == 0 || rv == -1);
		if (rv == -1)
			break;
		/* another line follows only where a hyphen says so */
		MUST((rv == 0) == (len > 3 && s[3] == '-'));
		check_reply(&rp, first, firstlen);
	}
	return 0;
}
