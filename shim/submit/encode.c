/* SPDX-License-Identifier: ISC */
/*
 * Encoded words, and parameters that are encoded.  Programs write names and
 * subjects as they have them, in UTF-8 mostly; that is how such text passes
 * servers that know only ASCII.
 */
#include "config.h"

#include "submit/encode.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define BLANKS		" \t\r\n"
/* Octets in a word: 48 digits of base64, so that it has at most 75. */
#define WORD_MAX	36

const char *
encode_charset(const char *p, size_t n)
{
	return utf8_is_valid(p, n) ? "utf-8" : "unknown-8bit";
}

static bool
is_blank(char c)
{
	return strchr(BLANKS, c) != NULL && c != '\0';
}

static void
add_base64(struct buf *b, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v;
	size_t i;

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)p[i] << 16;
		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		buf_addc(b, digits[v >> 18]);
		buf_addc(b, digits[v >> 12 & 63]);
		buf_addc(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_addc(b, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* Words of whole characters, a line each (RFC 2047 section 2). */
static void
add_words(struct buf *b, const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	const char *charset = encode_charset(text, left);
	size_t n;

	for (; left > 0; p += n, left -= n) {
		n = left > WORD_MAX ? WORD_MAX : left;
		while (n > WORD_MAX - 4 && n < left && (p[n] & 0xc0) == 0x80)
			n--;
		buf_printf(b, "=?%s?B?", charset);
		add_base64(b, p, n);
		buf_adds(b, left > n ? "?=\r\n " : "?=");
	}
}

void
encode_phrase(struct buf *b, const char *name)
{
	static const char atoms[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ";
	const char *p;

	for (p = name; *p >= ' ' && *p < 0x7f; p++)
		continue;
	/* "=?" would be read as an encoded word */
	if (*p != '\0' || strstr(name, "=?") != NULL) {
		add_words(b, name, strlen(name));
		return;
	}
	if (name[strspn(name, atoms)] == '\0' && !is_blank(name[0])) {
		buf_adds(b, name);
		return;
	}
	buf_addc(b, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *name);
	}
	buf_addc(b, '"');
}

static size_t
blanks_length(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && is_blank(p[i]); i++)
		continue;
	return i;
}

static size_t
word_length(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && !is_blank(p[i]); i++)
		continue;
	return i;
}

/*
 * Octets of the words at P that are to be encoded together: the blanks
 * between two encoded words do not count (RFC 2047 section 6.2), so those
 * between two words of the text must be in one.
 */
static size_t
run_length(const char *p, size_t n)
{
	size_t len = word_length(p, n), blanks, word;

	for (;;) {
		blanks = blanks_length(p + len, n - len);
		word = word_length(p + len + blanks, n - len - blanks);
		if (!utf8_has_eightbit(p + len + blanks, word))
			return len;
		len += blanks + word;
	}
}

static bool
is_encoded_word(const char *p, size_t n)
{
	return n > 4 && memcmp(p, "=?", 2) == 0 &&
	    memcmp(p + n - 2, "?=", 2) == 0;
}

/* Unfolded (RFC 5322 section 2.2.3). */
static void
add_unfolded(struct buf *b, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != '\r' && p[i] != '\n')
			buf_addc(b, p[i]);
}

/*
 * The run of LEN octets at P, with N octets left of the text; BEFORE blanks
 * are in front of it.  Blanks to an encoded word of the author are encoded,
 * too, or they would not count.
 */
static void
encode_run(struct buf *b, const char *p, size_t len, size_t n, size_t before)
{
	const char *next = p + len;
	size_t after = blanks_length(next, n - len);
	struct buf run = BUF_INIT;

	add_unfolded(&run, p - before, before);
	add_unfolded(&run, p, len);
	if (is_encoded_word(next + after,
	    word_length(next + after, n - len - after)))
		add_unfolded(&run, next, after);
	add_words(b, buf_str(&run), run.len);
	buf_clear(&run);
}

void
encode_text(struct buf *b, const char *p, size_t n)
{
	bool after_word = false;
	size_t blanks, len;

	while (n > 0) {
		blanks = blanks_length(p, n);
		buf_add(b, p, blanks);
		p += blanks;
		n -= blanks;
		len = word_length(p, n);
		if (utf8_has_eightbit(p, len)) {
			len = run_length(p, n);
			encode_run(b, p, len, n, after_word ? blanks : 0);
			after_word = false;
		} else {
			buf_add(b, p, len);
			after_word = is_encoded_word(p, len);
		}
		p += len;
		n -= len;
	}
}

/* Octets of the quoted string, literal or comment that begins at P. */
static size_t
enclosed_length(const char *p, size_t n)
{
	char open = p[0], close = '"';
	size_t i, depth = 1;

	if (open == '(')
		close = ')';
	else if (open == '[')
		close = ']';
	for (i = 1; i < n && depth > 0; i++) {
		if (p[i] == '\\' && i + 1 < n)
			i++;
		else if (p[i] == close)
			depth--;
		else if (p[i] == open && open == '(')
			depth++;
	}
	return i;
}

static bool
is_opening(char c)
{
	return c == '"' || c == '(' || c == '[';
}

/* Everything but the comments stays. */
static void
encode_comments(struct buf *b, const char *p, size_t n)
{
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = is_opening(*p) ? enclosed_length(p, n) : 1;
		if (*p != '(' || len < 2 || p[len - 1] != ')') {
			buf_add(b, p, len);
			continue;
		}
		buf_addc(b, '(');
		encode_text(b, p + 1, len - 2);
		buf_addc(b, ')');
	}
}

/* The text, of which some may be quoted; unfolded. */
static void
unquote(struct buf *b, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == '\\' && i + 1 < n)
			i++;
		else if (p[i] == '"' || p[i] == '\r' || p[i] == '\n')
			continue;
		buf_addc(b, p[i]);
	}
}

/* The name of a mailbox or group, from blank to blank. */
static void
encode_name(struct buf *b, const char *p, size_t n)
{
	struct buf name = BUF_INIT;
	size_t before = blanks_length(p, n);

	if (!utf8_has_eightbit(p, n)) {
		buf_add(b, p, n);
		return;
	}
	buf_add(b, p, before);
	while (n > before && is_blank(p[n - 1]))
		n--;
	unquote(&name, p + before, n - before);
	encode_phrase(b, buf_str(&name));
	buf_addc(b, ' ');
	buf_clear(&name);
}

/*
 * One mailbox, or the name of a group, up to its end: a comma, semicolon or
 * colon, or the end of the text.  *ANGLE is where "<" is, or the length.
 */
static size_t
mailbox_length(const char *p, size_t n, size_t *angle)
{
	bool within = false;
	size_t i = 0;

	*angle = n;
	while (i < n) {
		if (is_opening(p[i])) {
			i += enclosed_length(p + i, n - i);
			continue;
		}
		if (p[i] == '<' && *angle == n) {
			*angle = i;
			within = true;
		} else if (p[i] == '>') {
			within = false;
		} else if (!within && strchr(",;:", p[i]) != NULL) {
			break;
		}
		i++;
	}
	if (*angle > i)
		*angle = i;
	return i;
}

void
encode_addresses(struct buf *b, const char *p, size_t n)
{
	size_t len, angle;

	while (n > 0) {
		len = mailbox_length(p, n, &angle);
		if (angle < len || (len < n && p[len] == ':'))
			encode_name(b, p, angle);
		else
			angle = 0;
		encode_comments(b, p + angle, len - angle);
		if (len < n)
			buf_addc(b, p[len++]);
		p += len;
		n -= len;
	}
}

/* --- parameters ----------------------------------------------------------- */

/* RFC 2231 section 4. */
static void
add_extended(struct buf *b, const struct buf *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~";
	size_t i;

	buf_printf(b, "*=%s''", encode_charset(text->data, text->len));
	for (i = 0; i < text->len; i++)
		if (text->data[i] != '\0' &&
		    strchr(plain, text->data[i]) != NULL)
			buf_addc(b, text->data[i]);
		else
			buf_printf(b, "%%%02X", (unsigned char)text->data[i]);
}

/* Whether there is such a form of the parameter NAME already. */
static bool
is_extended(const char *p, size_t n, const char *name, size_t len)
{
	for (; n > len; p++, n--)
		if (p[len] == '*' && strncasecmp(p, name, len) == 0)
			return true;
	return false;
}

/*
 * The parameter behind the semicolon at P, if it is outside ASCII: how many
 * octets were dealt with, or 0.  ALL is the whole field.
 */
static size_t
encode_parameter(struct buf *b, const char *p, size_t n, const char *all)
{
	size_t name = 1 + blanks_length(p + 1, n - 1), value = name, len;
	struct buf text = BUF_INIT;

	while (value < n && !is_blank(p[value]) &&
	    strchr("=*;\"", p[value]) == NULL)
		value++;
	if (value == name || value == n || p[value] != '=')
		return 0;
	len = value + 1;
	if (len < n && p[len] == '"')
		len += enclosed_length(p + len, n - len);
	else
		while (len < n && !is_blank(p[len]) && p[len] != ';')
			len++;
	/* what separates the parts is looked for as it is written */
	if (!utf8_has_eightbit(p + value, len - value) ||
	    strncasecmp(p + name, "boundary", value - name) == 0)
		return 0;
	if (is_extended(all, (size_t)(p + n - all), p + name, value - name))
		return len;
	unquote(&text, p + value + 1, len - value - 1);
	buf_add(b, p, value);
	add_extended(b, &text);
	buf_clear(&text);
	return len;
}

void
encode_parameters(struct buf *b, const char *p, size_t n)
{
	const char *all = p;
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = *p == ';' ? encode_parameter(b, p, n, all) : 0;
		if (len != 0)
			continue;
		len = *p == '"' || *p == '(' ? enclosed_length(p, n) : 1;
		buf_add(b, p, len);
	}
}
