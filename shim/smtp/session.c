/* SPDX-License-Identifier: ISC */
/*
 * One command, one reply.  The rules that every step keeps: nothing may have
 * arrived unasked before a command is sent, a malformed reply and a 421 end
 * the session, and each wait has an end (RFC 5321 section 4.5.3.2).
 */
#include "config.h"

#include "smtp/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Room for any command line (RFC 5321 section 4.5.3.1.4). */
#define COMMAND_MAX	1024

void
session_trace(const struct smtp *s, char dir, const char *line)
{
	char clean[REPLY_MAXLINE];

	if (s->trace == NULL)
		return;
	(void)strlcpy(clean, line, sizeof(clean));
	utf8_clean(clean);
	s->trace(s->trace_arg, dir, clean);
}

/* The session is over; complete a reason that came from below. */
static int
lost(struct smtp *s, const char *what, struct result *r)
{
	struct result low = *r;

	return session_fail(s, low.code, what, low.text, r);
}

int
session_fail(struct smtp *s, enum result_code code, const char *what,
    const char *text, struct result *r)
{
	s->dead = true;
	result_set(r, code, "%s (in reply to %s)", text, what);
	(void)strlcpy(r->host, s->peer, sizeof(r->host));
	return -1;
}

void
session_verdict(const struct smtp *s, const struct reply *rp,
    enum result_code code, const char *what, struct result *r)
{
	result_set(r, code, "%d%s%s%s%.400s%s%s%s", rp->code,
	    rp->esc[0] != '\0' ? " " : "", rp->esc,
	    rp->text[0] != '\0' ? " " : "", rp->text,
	    code == R_SENT ? "" : " (in reply to ",
	    code == R_SENT ? "" : what, code == R_SENT ? "" : ")");
	(void)strlcpy(r->host, s->peer, sizeof(r->host));
	r->reply = rp->code;
	memcpy(r->esc, rp->esc, sizeof(r->esc));
	/* the class is that of our verdict, where it differs */
	if (r->esc[0] != '\0' && result_is_temporary(r))
		r->esc[0] = '4';
}

int
session_odd(struct smtp *s, const struct reply *rp, const char *what,
    struct result *r)
{
	s->dead = true;
	session_verdict(s, rp, R_PROTO, what, r);
	r->esc[0] = '\0';
	return -1;
}

int
session_reply(struct smtp *s, const char *what, int ms, struct reply *rp,
    void (*each)(struct smtp *, size_t, const char *, size_t),
    struct result *r)
{
	char line[REPLY_MAXLINE];
	ssize_t len;
	int rv = 0;

	s->io.deadline(s->io.arg, ms);
	while (rv == 0) {
		len = s->io.readline(s->io.arg, line, sizeof(line), r);
		if (len == -1)
			return lost(s, what, r);
		session_trace(s, '<', line);
		rv = reply_line(rp, line, (size_t)len);
		if (rv != -1 && each != NULL && len > 4)
			each(s, rp->lines, line + 4, (size_t)len - 4);
	}
	if (rv == -1) {
		char text[160];

		if (rp->lines > rp->maxlines || rp->octets > REPLY_MAXOCTETS)
			return session_fail(s, R_PROTO, what,
			    "endless reply", r);
		(void)snprintf(text, sizeof(text), "malformed reply: %.100s",
		    line);
		return session_fail(s, R_PROTO, what, text, r);
	}
	if (rp->code == 421) {
		s->dead = true;
		session_verdict(s, rp, R_LATER, what, r);
		return -1;
	}
	return 0;
}

int
session_ms(const struct smtp *s, int cap)
{
	return s->reply_timeout < cap ? s->reply_timeout : cap;
}

int
session_ready(struct smtp *s, const char *what, struct result *r)
{
	struct reply rp;

	if (s->dead)
		return session_fail(s, R_LOST, what, "the session has ended",
		    r);
	if (!s->io.pending(s->io.arg))
		return 0;
	/* a 421 may come at any time (RFC 5321 section 3.8), as may the end */
	reply_init(&rp);
	if (session_reply(s, what, s->reply_timeout, &rp, NULL, r) == -1)
		return -1;
	return session_odd(s, &rp, "nothing", r);
}

int
session_command(struct smtp *s, const char *what, struct result *r,
    const char *fmt, ...)
{
	char line[COMMAND_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line) - 2)
		return session_fail(s, R_LOCALERR, what, "command too long",
		    r);
	session_trace(s, '>', line);
	memcpy(line + n, "\r\n", 2);
	s->unsent += (size_t)n + 2;
	return session_write(s, what, line, (size_t)n + 2, r);
}

int
session_write(struct smtp *s, const char *what, const void *data, size_t len,
    struct result *r)
{
	s->io.deadline(s->io.arg, session_ms(s, SESSION_BLOCK));
	return s->io.write(s->io.arg, data, len, r) == -1 ? lost(s, what, r) :
	    0;
}

int
session_flush(struct smtp *s, const char *what, struct result *r)
{
	int rv;

	s->unsent = 0;
	s->io.deadline(s->io.arg, session_ms(s, SESSION_BLOCK));
	if ((rv = s->io.flush(s->io.arg, r)) == -1)
		return lost(s, what, r);
	return rv;
}
