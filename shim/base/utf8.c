/* SPDX-License-Identifier: ISC */
/* The table of RFC 3629 section 4, one octet at a time. */
#include "config.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static const struct lead {
	unsigned char	first, last;	/* the first octet */
	unsigned char	more;
	unsigned char	low, high;	/* the second one */
} leads[] = {
	{ 0x00, 0x7f, 0, 0x80, 0xbf },
	{ 0xc2, 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
	{ 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f },
	{ 0xee, 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f },
};

static void
lead(struct utf8 *u, unsigned char c)
{
	size_t i;

	for (i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (c >= leads[i].first && c <= leads[i].last) {
			u->more = leads[i].more;
			u->low = leads[i].low;
			u->high = leads[i].high;
			return;
		}
	u->bad = true;
}

bool
utf8_has_eightbit(const char *p, size_t n)
{
	uint64_t word, all = 0;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		all |= word;
	}
	while (n-- > 0)
		all |= (unsigned char)*p++;
	return (all & 0x8080808080808080) != 0;
}

void
utf8_feed(struct utf8 *u, const char *p, size_t n)
{
	const char *end = p + n;
	unsigned char c;

	/* most text is ASCII */
	if (u->more == 0 && !utf8_has_eightbit(p, n))
		return;
	for (; p < end && !u->bad; p++) {
		c = (unsigned char)*p;
		if (u->more == 0) {
			lead(u, c);
		} else if (c < u->low || c > u->high) {
			u->bad = true;
		} else {
			u->more--;
			u->low = 0x80;
			u->high = 0xbf;
		}
	}
}

bool
utf8_is_complete(const struct utf8 *u)
{
	return !u->bad && u->more == 0;
}

bool
utf8_is_valid(const char *p, size_t n)
{
	struct utf8 u = { 0, 0, 0, false };

	utf8_feed(&u, p, n);
	return utf8_is_complete(&u);
}

/* Octets of the character that begins with C; 0: none does. */
static size_t
length(unsigned char c)
{
	struct utf8 u = { 0, 0, 0, false };

	lead(&u, c);
	return u.bad ? 0 : (size_t)u.more + 1;
}

bool
utf8_is_printable(const char *p, size_t n)
{
	unsigned char c = (unsigned char)p[0];

	if (n == 1)
		return c >= ' ' && c < 0x7f;
	/* U+0080 to U+009F: controls */
	if (n == 2)
		return c != 0xc2 || (unsigned char)p[1] >= 0xa0;
	if (n != 3)
		return true;
	/* U+2028 to U+202E, U+2066 to U+2069, U+FEFF, U+FFFE, U+FFFF */
	if (memcmp(p, "\xe2\x80", 2) == 0)
		return (unsigned char)p[2] < 0xa8 ||
		    (unsigned char)p[2] > 0xae;
	if (memcmp(p, "\xe2\x81", 2) == 0)
		return (unsigned char)p[2] < 0xa6 ||
		    (unsigned char)p[2] > 0xa9;
	return memcmp(p, "\xef\xbb\xbf", 3) != 0 &&
	    memcmp(p, "\xef\xbf\xbe", 3) != 0 &&
	    memcmp(p, "\xef\xbf\xbf", 3) != 0;
}

void
utf8_clean(char *s)
{
	size_t n;

	for (; *s != '\0'; s += n) {
		n = length((unsigned char)*s);
		if (n == 0 || strnlen(s, n) < n || !utf8_is_valid(s, n)) {
			*s = '?';
			n = 1;
		} else if (!utf8_is_printable(s, n))
			memset(s, '?', n);
	}
}
