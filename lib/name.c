/* SPDX-License-Identifier: ISC */
/*
 * Domain names.  Text comes in from callers and is checked against RFC 1035
 * section 2.3.4 and RFC 5321 section 4.1.2; wire names come from parse.c,
 * already bounded, and go out as printable text.  What mxres_name() accepts
 * needs no escape anywhere: not in a log line, a header, or a DNS query.
 */
#include "config.h"

#include "name.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "idna.h"
#include "mxres.h"

#define MAXLABEL	63	/* octets, RFC 1035 section 2.3.4 */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Letters, which become small, digits, hyphen, and the underscore that real
 * names have; 0 for what is no part of a name.  Each octet of each name in
 * an answer comes here.
 */
static char
fold(char c)
{
	char letter = (char)(c | 0x20);

	if (letter >= 'a' && letter <= 'z')
		return letter;
	return is_digit(c) || c == '-' || c == '_' ? c : '\0';
}

/*
 * "127.1", "2130706433" and "0x7f.1" are addresses to inet_aton(3); what
 * they share is a last label that is a number.  No top-level domain is one.
 */
static bool
is_number(const char *label, size_t len)
{
	static const char digits[] = "0123456789";
	static const char xdigits[] = "0123456789abcdefABCDEF";

	if (len >= 2 && label[0] == '0' && fold(label[1]) == 'x')
		return strspn(label + 2, xdigits) >= len - 2;
	return len > 0 && strspn(label, digits) >= len;
}

/* The same for a name in ASCII; BUF may be DOMAIN. */
static int
check_ascii(const char *domain, char *buf, size_t size)
{
	size_t i, len, label = 0;
	char c;

	len = strnlen(domain, MXRES_TEXTMAX + 1);
	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (len == 0 || len >= MXRES_TEXTMAX || len >= size)
		return -1;
	for (i = 0; i < len; i++) {
		if ((c = fold(domain[i])) == '\0') {
			if (domain[i] != '.' || i == label ||
			    i - label > MAXLABEL)
				return -1;
			c = '.';
			label = i + 1;
		}
		buf[i] = c;
	}
	if (label == len || len - label > MAXLABEL ||
	    is_number(domain + label, len - label))
		return -1;
	buf[len] = '\0';
	return 0;
}

/* What is too long to be a name in UTF-8 is not looked at as one. */
static bool
is_unicode(const char *s)
{
	size_t i, len = strnlen(s, MXRES_UTF8MAX + 1);

	if (len > MXRES_UTF8MAX)
		return false;
	for (i = 0; i < len; i++)
		if ((s[i] & 0x80) != 0)
			return true;
	return false;
}

/* The same for one in Unicode. */
static int
check_unicode(const char *domain, char *buf, size_t size)
{
	char ascii[MXRES_TEXTMAX + 1];

	if (mxres_idna_ascii(domain, ascii, sizeof(ascii)) == -1)
		return -1;
	if (check_ascii(ascii, buf, size) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

int
mxres_name(const char *domain, char *buf, size_t size)
{
	if (domain == NULL || buf == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (check_ascii(domain, buf, size) == 0)
		return 0;
	if (is_unicode(domain))
		return check_unicode(domain, buf, size);
	errno = EINVAL;
	return -1;
}

size_t
mxres_name_wire(const char *name, uint8_t wire[MXRES_WIREMAX])
{
	size_t len = 0, label;

	while (*name != '\0') {
		label = strcspn(name, ".");
		wire[len] = (uint8_t)label;
		memcpy(wire + len + 1, name, label);
		len += label + 1;
		name += label;
		if (*name == '.')
			name++;
	}
	wire[len] = 0;
	return len + 1;
}

/*
 * One octet of a label that no host name has; returns the octets written.
 * What an IPv6 address is made of stays readable.
 */
static size_t
put_escaped(uint8_t c, char *out)
{
	if (c == ':' || c == '[' || c == ']') {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + c / 100);
	out[2] = (char)('0' + c / 10 % 10);
	out[3] = (char)('0' + c % 10);
	return 4;
}

bool
mxres_name_text(const uint8_t *wire, char text[MXRES_ESCMAX])
{
	size_t n = 0;
	bool plain = true;
	uint8_t i;

	for (; *wire != 0; wire += *wire + 1) {
		if (n > 0)
			text[n++] = '.';
		for (i = 1; i <= *wire; i++)
			if (fold((char)wire[i]) != '\0')
				text[n++] = (char)wire[i];
			else {
				n += put_escaped(wire[i], text + n);
				plain = false;
			}
	}
	if (n == 0)
		text[n++] = '.';
	text[n] = '\0';
	return plain;
}

bool
mxres_name_isaddress(const char *text)
{
	struct in6_addr in6;
	const char *last;
	char buf[INET6_ADDRSTRLEN];
	size_t len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET6, buf, &in6) == 1)
		return true;
	last = strrchr(buf, '.');
	last = last == NULL ? buf : last + 1;
	return is_number(last, strlen(last));
}

static bool
usable4(const uint8_t *a)
{
	if (a[0] == 0 || a[0] == 127)
		return false;
	if (a[0] == 169 && a[1] == 254)
		return false;
	if (a[0] >= 224 && a[0] <= 239)
		return false;
	return !(a[0] == 255 && a[1] == 255 && a[2] == 255 && a[3] == 255);
}

int
mxres_addr_usable(int family, const void *addr)
{
	static const uint8_t zero[12];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *a = addr;

	if (family == AF_INET)
		return usable4(a);
	if (family != AF_INET6)
		return 0;
	if (memcmp(a, mapped, 12) == 0)
		return usable4(a + 12);
	/* ::, ::1 and the rest of what was once IPv4-compatible */
	if (memcmp(a, zero, 12) == 0)
		return 0;
	if (a[0] == 0xff)
		return 0;
	return !(a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}
