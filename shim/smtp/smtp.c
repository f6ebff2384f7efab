/* SPDX-License-Identifier: ISC */
/*
 * The session around the mail: greeting, EHLO, STARTTLS, QUIT (RFC 5321
 * section 3.1, 3.2; RFC 3207).  Whatever a server says before MAIL concerns
 * the server, not the mail: even a 5yz is temporary.
 */
#include "config.h"

#include "smtp/smtp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"
#include "smtp/session.h"

#define QUIT_TIMEOUT	20000
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

	reply_init(&rp);
	if (session_reply(s, what, s->reply_timeout, &rp, NULL, r) == -1)
		return -1;
	return rp.code / 100 == 2 ? 0 : refused(s, &rp, what, r);
}

/* One command and its reply. */
static int
ask(struct smtp *s, const char *what, const char *arg, struct reply *rp,
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
	    session_reply(s, what, s->reply_timeout, rp, each, r) == -1)
		return -1;
	return 0;
}

/* The number of SIZE (RFC 1870 section 3); 0 if there is no usable one. */
static uint64_t
size_limit(const char *s, size_t len)
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

/* A line of the reply to EHLO (RFC 5321 section 4.1.1.1). */
static void
ehlo_line(struct smtp *s, size_t n, const char *line, size_t len)
{
	size_t i, word = 0;

	if (n == 1)
		return;		/* the server's name */
	while (word < len && line[word] != ' ')
		word++;
	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strlen(keywords[i].keyword) != word ||
		    strncasecmp(keywords[i].keyword, line, word) != 0)
			continue;
		s->offers |= keywords[i].flag;
		if (keywords[i].flag == SMTP_SIZE)
			s->limit = word == len ? 0 :
			    size_limit(line + word + 1, len - word - 1);
	}
}

int
smtp_hello(struct smtp *s, bool mayhelo, struct result *r)
{
	struct reply rp;

	/* what was said before does not count (RFC 3207 section 4.2) */
	s->offers = 0;
	s->limit = 0;
	if (ask(s, "EHLO", s->hostname, &rp, ehlo_line, r) == -1)
		return -1;
	if (rp.code / 100 == 2) {
		s->offers |= SMTP_EHLO;
		return 0;
	}
	s->offers = 0;
	s->limit = 0;
	if (rp.code < 500 || !mayhelo)
		return refused(s, &rp, "EHLO", r);
	if (ask(s, "HELO", s->hostname, &rp, NULL, r) == -1)
		return -1;
	return rp.code / 100 == 2 ? 0 : refused(s, &rp, "HELO", r);
}

int
smtp_starttls(struct smtp *s, struct result *r)
{
	static const char what[] = "STARTTLS";
	struct reply rp;

	if (ask(s, what, "", &rp, NULL, r) == -1)
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

void
smtp_quit(struct smtp *s)
{
	struct result ignored;

	if (s->dead || s->io.pending(s->io.arg) ||
	    session_command(s, "QUIT", &ignored, "QUIT") == -1)
		return;
	if (s->reply_timeout > QUIT_TIMEOUT)
		s->io.deadline(s->io.arg, QUIT_TIMEOUT);
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
