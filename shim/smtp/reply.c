/* SPDX-License-Identifier: ISC */
/*
 * SMTP replies.  A line is exactly three digits, then nothing, a blank or a
 * hyphen (RFC 5321 section 4.2); all lines of a reply have the same code; how
 * long a reply may be is bounded.  Text that a server sends is data: what is
 * kept of it is printable and of fixed size.
 */
#include "config.h"

#include "smtp/reply.h"

#include <stdbool.h>
#include <string.h>

void
reply_init(struct reply *rp)
{
	memset(rp, 0, sizeof(*rp));
	rp->maxlines = REPLY_MAXLINES;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The code of a line, or -1. */
static int
line_code(const char *line, size_t len)
{
	if (len < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
	    !is_digit(line[2]))
		return -1;
	if (len > 3 && line[3] != ' ' && line[3] != '-')
		return -1;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
}

/* The length of the one to three digits at S, without leading zeros. */
static size_t
digits(const char *s, size_t len)
{
	size_t n;

	for (n = 0; n < len && is_digit(s[n]); n++)
		;
	return n > 3 || (n > 1 && s[0] == '0') ? 0 : n;
}

/*
 * The length of the enhanced code at the start of S, 0 if there is none or
 * if it is of another class than the reply (RFC 2034 section 4).
 */
static size_t
esc_length(const char *s, size_t len, int code)
{
	size_t i = 2, n;

	if (len < 5 || s[0] - '0' != code / 100 || s[1] != '.')
		return 0;
	if ((n = digits(s + i, len - i)) == 0)
		return 0;
	i += n;
	if (i == len || s[i++] != '.')
		return 0;
	if ((n = digits(s + i, len - i)) == 0)
		return 0;
	i += n;
	return i == len || s[i] == ' ' ? i : 0;
}

static void
add_text(struct reply *rp, const char *s, size_t len)
{
	size_t i, n = strlen(rp->text);

	if (n > 0 && len > 0 && n < sizeof(rp->text) - 1)
		rp->text[n++] = ' ';
	for (i = 0; i < len && n < sizeof(rp->text) - 1; i++)
		rp->text[n++] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
	rp->text[n] = '\0';
}

int
reply_line(struct reply *rp, const char *line, size_t len)
{
	const char *s;
	size_t n;
	int code;

	rp->lines++;
	rp->octets += len + 2;
	if (len >= REPLY_MAXLINE || rp->lines > rp->maxlines ||
	    rp->octets > REPLY_MAXOCTETS)
		return -1;
	code = line_code(line, len);
	if (code == -1 || (rp->lines > 1 && code != rp->code))
		return -1;
	rp->code = code;
	if (len > 4) {
		s = line + 4;
		len -= 4;
		if ((n = esc_length(s, len, code)) > 0) {
			if (rp->esc[0] == '\0')
				memcpy(rp->esc, s, n);
			if (n < len)
				n++;
			s += n;
			len -= n;
		}
		add_text(rp, s, len);
		return line[3] != '-';
	}
	return len != 4 || line[3] != '-';
}
