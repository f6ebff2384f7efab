/* SPDX-License-Identifier: ISC */
/*
 * The session around the mail: greeting, EHLO or LHLO, STARTTLS, QUIT (RFC
 * 5321 section 3.1, 3.2; RFC 3207).  Whatever a server says before MAIL concerns
 * the server, not the mail: even a 5yz is temporary.
 */
#include "config.h"

#include "smtp/smtp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"
#include "smtp/session.h"

#define EHLO_MAXLINES	4096

static const struct {
	const char	*keyword;
	unsigned	 flag;
} keywords[] = {
	{ "STARTTLS",			SMTP_STARTTLS },
	{ "PIPELINING",			SMTP_PIPELINING },
	{ "8BITMIME",			SMTP_8BITMIME },
	{ "SIZE",			SMTP_SIZE },
	{ "ENHANCEDSTATUSCODES",	SMTP_ESC },
	{ "LIMITS",			SMTP_LIMITS },
	{ "DSN",			SMTP_DSN },
	{ "SMTPUTF8",			SMTP_UTF8 },
};

struct smtp *
smtp_new(const struct smtp_io *io, const struct smtp_params *p)
{
	struct smtp *s = xcalloc(1, sizeof(*s));

	s->io = *io;
	s->hostname = xstrdup(p->hostname);
	s->peer = xstrdup(p->peer);
	s->reply_timeout = p->reply_timeout;
	s->data_timeout = p->data_timeout;
	s->lmtp = p->lmtp;
	s->trace = p->trace;
	s->trace_arg = p->trace_arg;
	return s;
}

void
smtp_set_trace(struct smtp *s, void (*trace)(void *, char, const char *),
    void *arg)
{
	s->trace = trace;
	s->trace_arg = arg;
}

unsigned
smtp_offers(const struct smtp *s)
{
	return s->offers;
}

uint64_t
smtp_size_max(const struct smtp *s)
{
	return s->size_max;
}

/*
 * A refusal of all that comes before MAIL.  The session may be closed with
 * QUIT.
 */
static int
refused(struct smtp *s, const struct reply *rp, const char *what,
    struct result *r)
{
	if (rp->code < 400)
		return session_odd(s, rp, what, r);
	session_verdict(s, rp, R_LATER, what, r);
	return -1;
}

int
smtp_greet(struct smtp *s, struct result *r)
{
	static const char what[] = "the connection";
	struct reply rp;

	s->io.limit(s->io.arg, 2 * (int64_t)s->reply_timeout);
	reply_init(&rp);
	if (session_reply(s, what, s->reply_timeout, &rp, NULL, r) == -1)
		return -1;
	return rp.code / 100 == 2 ? 0 : refused(s, &rp, what, r);
}

/* One command and its reply. */
static int
ask(struct smtp *s, const char *what, const char *arg, int ms,
    struct reply *rp,
    void (*each)(struct smtp *, size_t, const char *, size_t),
    struct result *r)
{
	reply_init(rp);
	if (each != NULL)
		rp->maxlines = EHLO_MAXLINES;
	if (session_ready(s, what, r) == -1 ||
	    session_command(s, what, r, "%s%s%s", what,
	    arg[0] != '\0' ? " " : "", arg) == -1 ||
	    session_flush(s, what, r) == -1 ||
	    session_reply(s, what, ms, rp, each, r) == -1)
		return -1;
	return 0;
}

/* The number before a blank or the end; 0 if there is no usable one. */
static uint64_t
number(const char *s, size_t len)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < len && s[i] != ' '; i++) {
		if (s[i] < '0' || s[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s[i] - '0'), &n))
			return 0;
	}
	return n;
}

/* "RCPTMAX=100 MAILMAX=20": RFC 9422 section 4; unknown ones are ignored. */
static void
take_limits(struct smtp *s, const char *line, size_t len)
{
	const struct {
		const char	*name;
		uint64_t	*value;
	} table[] = {
		{ "MAILMAX=", &s->mail_max },
		{ "RCPTMAX=", &s->rcpt_max },
		{ "RCPTDOMAINMAX=", &s->domain_max },
	};
	size_t i, n, word;

	for (; len > 0; line += word, len -= word) {
		for (word = 0; word < len && line[word] != ' '; word++)
			;
		for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			n = strlen(table[i].name);
			if (word > n && strncasecmp(table[i].name, line, n) ==
			    0)
				*table[i].value = number(line + n, word - n);
		}
		while (word < len && line[word] == ' ')
			word++;
	}
}

/* The server's name is the first word of its reply. */
static void
take_name(struct smtp *s, const char *line, size_t word)
{
	if (word >= sizeof(s->name))
		word = 0;
	memcpy(s->name, line, word);
	s->name[word] = '\0';
	result_clean(s->name);
}

/* A line of the reply to EHLO (RFC 5321 section 4.1.1.1). */
static void
ehlo_line(struct smtp *s, size_t n, const char *line, size_t len)
{
	size_t arg, i, word = 0;

	while (word < len && line[word] != ' ')
		word++;
	arg = word < len ? word + 1 : len;
	if (n == 1) {
		take_name(s, line, word);
		return;
	}
	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strlen(keywords[i].keyword) != word ||
		    strncasecmp(keywords[i].keyword, line, word) != 0)
			continue;
		s->offers |= keywords[i].flag;
		if (keywords[i].flag == SMTP_SIZE)
			s->size_max = number(line + arg, len - arg);
		if (keywords[i].flag == SMTP_LIMITS)
			take_limits(s, line + arg, len - arg);
		return;
	}
}

/* What was said before does not count (RFC 3207 section 4.2). */
static void
forget(struct smtp *s)
{
	s->offers = 0;
	s->size_max = 0;
	s->mail_max = s->rcpt_max = s->domain_max = 0;
	s->name[0] = '\0';
}

int
smtp_hello(struct smtp *s, enum smtp_how how, struct result *r)
{
	/* RFC 2033 section 4.1: all else is as with EHLO */
	const char *hello = s->lmtp ? "LHLO" : "EHLO";
	struct reply rp;

	forget(s);
	if (how != SMTP_HELO_ONLY || s->lmtp) {
		if (ask(s, hello, s->hostname, s->reply_timeout, &rp,
		    ehlo_line, r) == -1)
			return -1;
		if (rp.code / 100 == 2) {
			s->offers |= SMTP_EHLO;
			return 0;
		}
		forget(s);
		if (rp.code < 500 || how == SMTP_EHLO_ONLY || s->lmtp)
			return refused(s, &rp, hello, r);
	}
	if (ask(s, "HELO", s->hostname, s->reply_timeout, &rp, NULL, r) == -1)
		return -1;
	return rp.code / 100 == 2 ? 0 : refused(s, &rp, "HELO", r);
}

const char *
smtp_name(const struct smtp *s)
{
	return s->name;
}

int
smtp_starttls(struct smtp *s, struct result *r)
{
	static const char what[] = "STARTTLS";
	struct reply rp;

	if (ask(s, what, "", session_ms(s, SESSION_STARTTLS), &rp, NULL, r) ==
	    -1)
		return -1;
	if (rp.code >= 400) {
		session_verdict(s, &rp, R_TLS, what, r);
		return 1;
	}
	if (rp.code != 220)
		return session_odd(s, &rp, what, r);
	if (s->io.pending(s->io.arg))
		return session_fail(s, R_TLS, what,
		    "more than one reply, before TLS", r);
	return 0;
}

bool
smtp_full(const struct smtp *s)
{
	return s->mail_max != 0 && s->mails >= s->mail_max;
}

void
smtp_quit(struct smtp *s)
{
	struct result ignored;

	if (s->dead || s->io.pending(s->io.arg))
		return;
	s->io.limit(s->io.arg, session_ms(s, SESSION_QUIT));
	if (session_command(s, "QUIT", &ignored, "QUIT") == -1)
		return;
	(void)s->io.flush(s->io.arg, &ignored);
	s->dead = true;
}

void
smtp_free(struct smtp *s)
{
	if (s == NULL)
		return;
	free(s->hostname);
	free(s->peer);
	free(s);
}
