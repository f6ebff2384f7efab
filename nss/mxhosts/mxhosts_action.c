/* SPDX-License-Identifier: ISC */
/*
 * The action of one /etc/mxhosts line: "[[+]PREF] TARGET [OPTION...]",
 * "dns", "reject [D.S.N] ["text"]" or "defer ["text"]".  Pure.  Whatever
 * is not exactly that is an error with a reason that says what to write.
 */
#include "config.h"

#include "mxhosts/mxhosts.h"

#include <sys/socket.h>

#include <arpa/inet.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "dsn.h"
#include "mxdb.h"

#define MAXWORD	1200	/* octets: "mx:", a name in UTF-8, a port */

/* The words of a line; each is copied here, NUL-ended. */
struct words {
	const char	*p;
	const char	*end;
	int		 quoted;
	char		*err;
	size_t		 errsize;
	char		 word[MAXWORD + 1];
};

__attribute__((format(printf, 2, 3)))
static int
fail(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->err, w->errsize, fmt, ap);
	va_end(ap);
	return -1;
}

/* It would end up in replies and logs. */
static int
bad_octet(struct words *w, char ch)
{
	return fail(w, "control character 0x%02x", (unsigned char)ch);
}

static int
too_long(struct words *w)
{
	return fail(w, "a word is longer than %d octets", MAXWORD);
}

static int
quoted_word(struct words *w)
{
	size_t n = 0;

	for (w->p++; w->p < w->end && *w->p != '"'; w->p++) {
		if (*w->p == '\\' && w->p + 1 < w->end)
			w->p++;
		if ((unsigned char)*w->p < 0x20 || *w->p == 0x7f)
			return bad_octet(w, *w->p);
		if (n == MAXWORD)
			return too_long(w);
		if ((*w->p & 0x80) != 0)
			return fail(w, "octet 0x%02x is not ASCII; write the "
			    "text in English", (unsigned char)*w->p);
		w->word[n++] = *w->p;
	}
	w->word[n] = '\0';
	w->quoted = 1;
	if (w->p == w->end)
		return fail(w, "the closing quote is missing");
	w->p++;
	if (w->p < w->end && !mxhosts_is_blank(*w->p))
		return fail(w, "a blank is missing after the closing quote");
	return 1;
}

/* How many octets of P may be part of a domain name. */
static size_t
name_span(const char *p)
{
	size_t n;

	for (n = 0; (p[n] & 0x80) != 0 || (p[n] != '\0' &&
	    strchr("=:[]@", p[n]) == NULL); n++)
		;
	return n;
}

/* Names in Unicode get A-labels, wherever they stand in the word. */
static int
fold_names(struct words *w)
{
	char out[sizeof(w->word)], name[1013], ascii[254];
	const char *p;
	size_t n, used = 0;

	if (strncmp(w->word, "auth=", 5) == 0)
		return fail(w, "auth= needs a name in ASCII");
	for (p = w->word; *p != '\0'; p += n) {
		n = name_span(p);
		if (mxhosts_is_ascii(p, n)) {
			n += n == 0;	/* one between names */
			(void)snprintf(ascii, sizeof(ascii), "%.*s", (int)n,
			    p);
		} else {
			(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
			if (mxdns_name(name, ascii, sizeof(ascii)) == -1)
				return fail(w, "a name that is not ASCII is "
				    "no domain name%s", mxdns_why(name));
		}
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s",
		    ascii);
		if (used >= sizeof(out))
			return fail(w, "a name is too long");
	}
	memcpy(w->word, out, used + 1);
	return 0;
}

/* Part of a word without quotes. */
static int
is_plain(char ch)
{
	return (unsigned char)ch > 0x20 && ch != '"' && ch != 0x7f;
}

/* 1: a word; 0: the end of the line or a comment; -1: an error. */
static int
next_word(struct words *w)
{
	const char *p = w->p, *end = w->end;
	char octets = 0;	/* all of the word in one */
	size_t n;

	while (p < end && mxhosts_is_blank(*p))
		p++;
	w->p = p;
	w->word[0] = '\0';
	w->quoted = 0;
	if (p == end || *p == '#')
		return 0;
	if (*p == '"')
		return quoted_word(w);
	for (; p < end && is_plain(*p); p++)
		octets |= *p;
	if (p < end && *p == '"')
		return fail(w, "a quote inside a word");
	if (p < end && !mxhosts_is_blank(*p))
		return bad_octet(w, *p);
	n = (size_t)(p - w->p);
	if (n > MAXWORD)
		return too_long(w);
	memcpy(w->word, w->p, n);
	w->word[n] = '\0';
	w->p = p;
	return (octets & 0x80) != 0 && fold_names(w) == -1 ? -1 : 1;
}

/* All digits and not above MAX. */
static int
number(const char *s, unsigned long max, unsigned long *value)
{
	unsigned long v = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (unsigned long)(*s - '0');
		if (v > max)
			return -1;
	}
	*value = v;
	return 0;
}

static int
no_more(struct words *w, const char *after)
{
	int more;

	more = next_word(w);
	if (more == 1)
		return fail(w, "\"%.60s\" cannot follow %s", w->word, after);
	return more;
}

static int
take_text(struct words *w, struct mxhosts_line *l, const char *after)
{
	if (!w->quoted)
		return fail(w, "the text after %s must be in double quotes",
		    after);
	if (strlcpy(l->text, w->word, sizeof(l->text)) >= sizeof(l->text))
		return fail(w, "the text is longer than %zu characters",
		    sizeof(l->text) - 1);
	return no_more(w, "the text");
}

static int
action_dns(struct words *w, struct mxhosts_line *l)
{
	l->kind = MXHOSTS_DNS;
	return no_more(w, "dns");
}

static int
action_defer(struct words *w, struct mxhosts_line *l)
{
	int more;

	l->kind = MXHOSTS_DEFER;
	if ((more = next_word(w)) <= 0)
		return more;
	return take_text(w, l, "defer");
}

static int
action_reject(struct words *w, struct mxhosts_line *l)
{
	int more;

	l->kind = MXHOSTS_REJECT;
	if ((more = next_word(w)) <= 0)
		return more;
	if (!w->quoted && w->word[0] >= '0' && w->word[0] <= '9') {
		if (!mxdsn_is_code(w->word, '5'))
			return fail(w, "\"%.40s\" is no permanent status "
			    "code such as 5.7.1", w->word);
		(void)strlcpy(l->dsn, w->word, sizeof(l->dsn));
		if ((more = next_word(w)) <= 0)
			return more;
	}
	return take_text(w, l, "reject");
}

static int
take_port(struct words *w, const char *text, struct mxhosts_line *l)
{
	unsigned long port;

	if (number(text, 65535, &port) == -1 || port == 0)
		return fail(w, "\":%.40s\": a port is a number from 1 to "
		    "65535", text);
	l->port = (uint16_t)port;
	return 0;
}

/* "[192.0.2.1]:25", "[2001:db8::1]", "[singlelabel]" */
static int
target_bracket(struct words *w, char *text, struct mxhosts_line *l)
{
	char *close;

	if ((close = strchr(text, ']')) == NULL)
		return fail(w, "\"]\" is missing in \"%.60s\"", text);
	*close++ = '\0';
	text++;
	if (mxdns_literal(text, l->host, sizeof(l->host)) == 0)
		l->literal = 1;
	else if (mxdns_name(text, l->host, sizeof(l->host)) == -1)
		return fail(w, "\"[%.60s]\" holds neither an IP address nor "
		    "a host name", text);
	if (*close == '\0')
		return 0;
	if (*close != ':')
		return fail(w, "only \":port\" can follow \"]\"");
	return take_port(w, close + 1, l);
}

static int
target_host(struct words *w, char *text, struct mxhosts_line *l)
{
	unsigned char addr[16];
	char *colon;

	if (inet_pton(AF_INET6, text, addr) == 1)
		return fail(w, "an IP address needs brackets: [%.60s]", text);
	if ((colon = strchr(text, ':')) != NULL)
		*colon++ = '\0';
	if (inet_pton(AF_INET, text, addr) == 1)
		return fail(w, "an IP address needs brackets: [%.60s]", text);
	if (mxdns_name(text, l->host, sizeof(l->host)) == -1)
		return fail(w, "\"%.60s\" is not a host name", text);
	if (strchr(l->host, '.') == NULL)
		return fail(w, "unknown word \"%.60s\"; a host name without "
		    "a dot needs brackets: [%.60s]", text, l->host);
	return colon == NULL ? 0 : take_port(w, colon, l);
}

static int
take_target(struct words *w, struct mxhosts_line *l)
{
	if (w->quoted)
		return fail(w, "a quoted text can follow reject and defer "
		    "only");
	if (strncmp(w->word, "mx:", 3) != 0)
		return w->word[0] == '[' ? target_bracket(w, w->word, l) :
		    target_host(w, w->word, l);
	l->kind = MXHOSTS_MX;
	if (mxdns_name(w->word + 3, l->host, sizeof(l->host)) == -1)
		return fail(w, "\"%.60s\": mx: needs a domain name and "
		    "nothing else", w->word);
	return 0;
}

static int
option_tls(struct words *w, struct mxhosts_line *l, const char *value)
{
	static const struct {
		const char	*word;
		int		 tls;
	} levels[] = {
		{ "none", MX_TLS_NONE },
		{ "may", MX_TLS_MAY },
		{ "encrypt", MX_TLS_ENCRYPT },
		{ "verify", MX_TLS_VERIFY },
		{ "dane", MX_TLS_DANE }
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(value, levels[i].word) == 0) {
			l->tls = levels[i].tls;
			return 0;
		}
	return fail(w, "\"tls=%.40s\" must be one of none, may, encrypt, "
	    "verify and dane", value);
}

static int
option_name(struct words *w, struct mxhosts_line *l, const char *value)
{
	if (mxdns_name(value, l->tlsname, sizeof(l->tlsname)) == -1)
		return fail(w, "\"name=%.60s\" needs a host name", value);
	return 0;
}

static int
option_ttl(struct words *w, struct mxhosts_line *l, const char *value)
{
	unsigned long ttl;

	if (number(value, 0x7fffffff, &ttl) == -1)
		return fail(w, "\"ttl=%.40s\" needs a number of seconds",
		    value);
	l->ttl = (uint32_t)ttl;
	return 0;
}

static int
option_auth(struct words *w, struct mxhosts_line *l, const char *value)
{
	if (*value == '\0' ||
	    strlcpy(l->auth, value, sizeof(l->auth)) >= sizeof(l->auth))
		return fail(w, "\"auth=%.40s\" needs a name of at most %zu "
		    "characters", value, sizeof(l->auth) - 1);
	return 0;
}

static int
option_implicit(struct words *w, struct mxhosts_line *l, const char *value)
{
	(void)w;
	(void)value;
	l->implicit_tls = 1;
	return 0;
}

static const struct option {
	const char	*name;		/* with its "=", if it has a value */
	int		(*take)(struct words *, struct mxhosts_line *,
			    const char *);
} options[] = {
	{ "tls=", option_tls },
	{ "name=", option_name },
	{ "ttl=", option_ttl },
	{ "auth=", option_auth },
	{ "implicit-tls", option_implicit }
};

static int
take_option(struct words *w, struct mxhosts_line *l, unsigned int *seen)
{
	const struct option *o;
	size_t i, len;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		o = &options[i];
		len = strlen(o->name);
		if (w->quoted || strncmp(w->word, o->name, len) != 0)
			continue;
		if (o->name[len - 1] != '=' && w->word[len] != '\0')
			continue;
		if (*seen & (1U << i))
			return fail(w, "\"%s\" stands twice", o->name);
		*seen |= 1U << i;
		return o->take(w, l, w->word + len);
	}
	return fail(w, "unknown option \"%.60s\"", w->word);
}

static int
take_options(struct words *w, struct mxhosts_line *l)
{
	unsigned int seen = 0;
	int more;

	while ((more = next_word(w)) == 1)
		if (take_option(w, l, &seen) == -1)
			return -1;
	if (more == 0 && l->implicit_tls && l->tls == MX_TLS_NONE)
		return fail(w, "implicit-tls contradicts tls=none");
	return more;
}

/* "10" or "+10": 1 if there was one, 0 if not, -1 if it is wrong. */
static int
take_pref(struct words *w, struct mxhosts_line *l)
{
	const char *text = w->word;
	unsigned long pref;
	int more;

	if (w->quoted || (*text != '+' &&
	    strspn(text, "0123456789") != strlen(text)))
		return 0;
	l->merge = *text == '+';
	if (number(text + l->merge, 65535, &pref) == -1)
		return fail(w, "\"%.40s\": a preference is a number from 0 "
		    "to 65535", w->word);
	l->pref = (uint16_t)pref;
	if ((more = next_word(w)) == 0)
		return fail(w, "a host must follow the preference");
	return more;
}

static const struct {
	const char	*word;
	int		(*parse)(struct words *, struct mxhosts_line *);
} keywords[] = {
	{ "dns", action_dns },
	{ "reject", action_reject },
	{ "defer", action_defer }
};

/* What the texts were before is left behind their ends. */
static void
clear_line(struct mxhosts_line *l)
{
	l->kind = MXHOSTS_HOST;
	l->lineno = 0;
	l->pref = MXHOSTS_DEFPREF;
	l->port = 0;
	l->merge = l->literal = l->implicit_tls = 0;
	l->tls = MX_TLS_DEFAULT;
	l->ttl = UINT32_MAX;
	l->host[0] = l->tlsname[0] = l->auth[0] = l->dsn[0] = l->text[0] =
	    '\0';
}

int
mxhosts_action(const char *p, size_t n, struct mxhosts_line *l, char *err,
    size_t errsize)
{
	struct words w UNCLEARED;
	size_t i;
	int more;

	w.p = p;
	w.end = p + n;
	w.err = err;
	w.errsize = errsize;
	clear_line(l);
	if ((more = next_word(&w)) == 0)
		return fail(&w, "an action must follow the pattern");
	if (more == -1)
		return -1;
	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (!w.quoted && strcmp(w.word, keywords[i].word) == 0)
			return keywords[i].parse(&w, l);
	if (take_pref(&w, l) == -1 || take_target(&w, l) == -1)
		return -1;
	return take_options(&w, l);
}
