/* SPDX-License-Identifier: ISC */
/*
 * The server's side of RFC 5321 for programs that insist on SMTP: sendmail
 * -bs, and behind a socket unit port 25 of the loopback interface.  Each
 * message goes the way of all others (submission.c); the reply to its last
 * dot is what the exit code is there.  PIPELINING (RFC 2920), SIZE (1870),
 * 8BITMIME (6152), SMTPUTF8 (6531), DSN (3461), ENHANCEDSTATUSCODES (2034).
 */
#include "config.h"

#include "submit/smtpd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/addr.h"
#include "base/xmalloc.h"
#include "submit/smtpio.h"
#include "submit/smtpparam.h"
#include "submit/submission.h"

#define MAX_SKIP	20	/* times max-size, of a message that is refused */
#define MAX_ERRORS	20	/* commands that fail: that is no client */
#define BLANKS		" \t"

struct session {
	const struct submit_env *env;
	struct smtpio	*io;
	const char	*peer;
	char		*helo;		/* what he said, or NULL */
	bool		 esmtp;
	bool		 in_mail;	/* after MAIL */
	bool		 utf8;		/* which said SMTPUTF8 */
	struct submission mail;
	unsigned	 errors;
	bool		 over;
};

/* A reply that counts against the client. */
static void __attribute__((format(printf, 2, 3)))
fail(struct session *s, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	smtpio_reply(s->io, "%s", buf_str(&b));
	buf_clear(&b);
	if (++s->errors < MAX_ERRORS)
		return;
	smtpio_reply(s->io, "421 4.7.0 too many errors");
	s->over = true;
}

static void
end_mail(struct session *s)
{
	if (s->in_mail)
		submission_clear(&s->mail);
	s->in_mail = false;
}

/* --- commands ------------------------------------------------------------- */

/* Printable, and nothing that has a meaning in a Received field. */
static bool
is_helo(const char *name)
{
	if (*name == '\0')
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' ||
		    strchr("()<>,;\"\\", *name) != NULL)
			return false;
	return true;
}

static bool
take_helo(struct session *s, char *arg, bool esmtp)
{
	arg[strcspn(arg, BLANKS)] = '\0';
	if (!is_helo(arg) || strlen(arg) > 255) {
		fail(s, "501 5.5.4 your name is missing, as in EHLO "
		    "client.example");
		return false;
	}
	end_mail(s);
	free(s->helo);
	s->helo = xasprintf("%s (%s)", arg, s->peer);
	s->esmtp = esmtp;
	return true;
}

static void
do_helo(struct session *s, char *arg)
{
	if (take_helo(s, arg, false))
		smtpio_reply(s->io, "250 %s", s->env->conf->hostname);
}

static void
do_ehlo(struct session *s, char *arg)
{
	if (!take_helo(s, arg, true))
		return;
	smtpio_reply(s->io, "250-%s", s->env->conf->hostname);
	smtpio_reply(s->io, "250-PIPELINING");
	smtpio_reply(s->io, "250-SIZE %llu",
	    (unsigned long long)s->env->conf->max_size);
	smtpio_reply(s->io, "250-8BITMIME");
	smtpio_reply(s->io, "250-SMTPUTF8");
	smtpio_reply(s->io, "250-DSN");
	smtpio_reply(s->io, "250 ENHANCEDSTATUSCODES");
}

/* RFC 6531 section 3.1: whoever has such addresses says so before. */
static bool
is_allowed(struct session *s, const char *path)
{
	if (s->utf8 || !addr_needs_utf8(path))
		return true;
	fail(s, "553 5.6.7 an address outside ASCII needs SMTPUTF8 in MAIL");
	return false;
}

static void
do_mail(struct session *s, char *arg)
{
	struct smtpparam_mail p = { 0 };
	const char *why, *path;

	if (s->helo == NULL) {
		fail(s, "503 5.5.1 EHLO first");
		return;
	}
	if (s->in_mail) {
		fail(s, "503 5.5.1 there is a sender already; RSET first");
		return;
	}
	if ((path = smtpparam_path(&arg, "FROM:")) == NULL) {
		fail(s, "501 5.5.4 as in MAIL FROM:<you@example.org>");
		return;
	}
	why = smtpparam_mail(arg, &p);
	s->utf8 = p.utf8;
	if (why != NULL) {
		fail(s, "%s", why);
	} else if (!is_allowed(s, path)) {
		/* he was told */
	} else if (p.size > s->env->conf->max_size) {
		fail(s, "552 5.3.4 the message is larger than max-size in "
		    MXNSS_SYSCONFDIR "/mxnss.conf allows (%llu octets)",
		    (unsigned long long)s->env->conf->max_size);
	} else {
		submission_init(&s->mail, s->env);
		s->in_mail = true;
		s->mail.envelope.ret = p.ret;
		s->mail.envelope.envid = p.envid;
		p.envid = NULL;
		if (submission_sender(&s->mail, path) == EX_OK) {
			smtpio_reply(s->io, "250 2.1.0 ok");
		} else {
			fail(s, "553 %s %s", s->mail.refusal.esc,
			    buf_str(&s->mail.refusal.text));
			end_mail(s);
		}
	}
	free(p.envid);
}

static void
do_rcpt(struct session *s, char *arg)
{
	struct envelope *e = &s->mail.envelope;
	const struct conf *conf = s->env->conf;
	struct smtpparam_rcpt p = { 0 };
	struct envelope_rcpt *rcpt;
	const char *why, *path;
	char *addr = NULL;

	if (!s->in_mail) {
		fail(s, "503 5.5.1 MAIL first");
		return;
	}
	if ((path = smtpparam_path(&arg, "TO:")) == NULL) {
		fail(s, "501 5.5.4 as in RCPT TO:<them@example.org>");
		return;
	}
	if ((why = smtpparam_rcpt(arg, conf->mail_name, &p)) != NULL) {
		fail(s, "%s", why);
		goto out;
	}
	if (e->nrcpt >= conf->max_rcpts) {
		/* RFC 5321 section 4.5.3.1.10: the client sends the rest in
		   another message */
		smtpio_reply(s->io, "452 4.5.3 no more than %u recipients",
		    conf->max_rcpts);
		goto out;
	}
	if (!is_allowed(s, path))
		goto out;
	if (!submission_has_control(path))
		addr = addr_one(path, conf->mail_name, &why);
	if (addr == NULL || addr[0] == '\0') {
		fail(s, "553 5.1.3 \"%.300s\" is not an address: %s", path,
		    addr != NULL ? "it is empty" :
		    why != NULL ? why : "a control character");
		goto out;
	}
	rcpt = envelope_add_rcpt(e, addr);
	rcpt->notify = p.notify;
	rcpt->orcpt = p.orcpt;
	p.orcpt = NULL;
	smtpio_reply(s->io, "250 2.1.5 ok");
out:
	free(p.orcpt);
	free(addr);
}

/* What became of the message, and where the client's next command begins. */
static void
answer(struct session *s, int code)
{
	const struct refusal *r = &s->mail.refusal;

	if (code == EX_OK) {
		smtpio_reply(s->io, "250 2.0.0 queued as %s", s->mail.id.s);
		s->errors = 0;
		return;
	}
	if (smtpio_skip_data(s->io, MAX_SKIP * s->env->conf->max_size) ==
	    -1) {
		smtpio_reply(s->io, "421 4.4.2 no end of the message; nothing "
		    "was queued");
		s->over = true;
	} else if (s->io->bad) {
		fail(s, "554 5.6.0 CR or LF stands alone in the message: lines "
		    "end in CRLF (RFC 5321 section 2.3.8)");
	} else {
		fail(s, "%s %s %s", r->esc[0] == '4' ? "451" :
		    strcmp(r->esc, "5.3.4") == 0 ? "552" : "554", r->esc,
		    buf_str(&r->text));
	}
}

static void
do_data(struct session *s, char *arg)
{
	int code;

	if (*arg != '\0') {
		fail(s, "501 5.5.4 DATA takes no argument");
		return;
	}
	if (!s->in_mail || s->mail.envelope.nrcpt == 0) {
		fail(s, "%s", s->in_mail ? "554 5.5.1 no valid recipients" :
		    "503 5.5.1 MAIL and RCPT first");
		return;
	}
	smtpio_reply(s->io, "354 the message, then a line with a dot");
	smtpio_begin_data(s->io);
	s->mail.client = s->helo;
	/* RFC 6531 section 4.3 */
	s->mail.protocol = s->utf8 ? "UTF8SMTP" : s->esmtp ? "ESMTP" : "SMTP";
	s->mail.message = message_new_from(smtpio_data, s->io);
	code = submission_header(&s->mail);
	if (code == EX_OK)
		code = submission_store(&s->mail);
	answer(s, code);
	end_mail(s);
}

static void
do_rset(struct session *s, char *arg)
{
	(void)arg;
	end_mail(s);
	smtpio_reply(s->io, "250 2.0.0 ok");
}

static void
do_noop(struct session *s, char *arg)
{
	(void)arg;
	smtpio_reply(s->io, "250 2.0.0 ok");
}

static void
do_quit(struct session *s, char *arg)
{
	(void)arg;
	smtpio_reply(s->io, "221 2.0.0 bye");
	s->over = true;
}

static void
do_help(struct session *s, char *arg)
{
	(void)arg;
	smtpio_reply(s->io, "214 2.0.0 see sendmail(8) and RFC 5321");
}

static void
do_vrfy(struct session *s, char *arg)
{
	(void)arg;
	smtpio_reply(s->io, "252 2.5.2 send some mail, and it will be tried");
}

static void
do_refused(struct session *s, char *arg)
{
	(void)arg;
	fail(s, "502 5.5.1 not offered");
}

/*
 * Not a client of ours: a browser, or another program that was told to talk
 * HTTP to this port.  Its lines must not be counted as mistakes up to the body,
 * in which somebody may have written commands.
 */
static void
do_http(struct session *s, char *arg)
{
	(void)arg;
	smtpio_reply(s->io, "421 4.7.0 this is SMTP");
	s->over = true;
}

static const struct command {
	const char	*name;
	void		(*run)(struct session *, char *arg);
} commands[] = {
	{ "HELO", do_helo },
	{ "EHLO", do_ehlo },
	{ "MAIL", do_mail },
	{ "RCPT", do_rcpt },
	{ "DATA", do_data },
	{ "RSET", do_rset },
	{ "NOOP", do_noop },
	{ "QUIT", do_quit },
	{ "HELP", do_help },
	{ "VRFY", do_vrfy },
	{ "EXPN", do_refused },
	{ "AUTH", do_refused },
	{ "STARTTLS", do_refused },
	{ "BDAT", do_refused },
	{ "ETRN", do_refused },
	{ "GET", do_http },
	{ "POST", do_http },
	{ "PUT", do_http },
	{ "CONNECT", do_http },
	{ "Host:", do_http },	/* after any other method */
};

static void
obey(struct session *s, char *line)
{
	size_t i, n = strcspn(line, BLANKS);
	char *arg = line + n;

	arg += strspn(arg, BLANKS);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == n &&
		    strncasecmp(commands[i].name, line, n) == 0) {
			commands[i].run(s, arg);
			return;
		}
	fail(s, "500 5.5.1 \"%.40s\" is no command", line);
}

void
smtpd_serve(const struct submit_env *env, struct smtpio *io, const char *peer)
{
	struct session s = { .env = env, .io = io, .peer = peer };
	struct buf line = BUF_INIT;

	smtpio_reply(io, "220 %s ESMTP mxnss", env->conf->hostname);
	while (!s.over) {
		switch (smtpio_line(io, &line)) {
		case LINE_OK:
			obey(&s, line.data);
			break;
		case LINE_LONG:
			fail(&s, "500 5.5.2 a line has at most %d octets",
			    SMTPIO_LINE_MAX);
			break;
		case LINE_BAD:
			fail(&s, "500 5.5.2 lines end in CRLF, without a CR "
			    "or LF that stands alone");
			break;
		case LINE_GONE:
			if (errno == ETIMEDOUT)
				smtpio_reply(io, "421 4.4.2 silence");
			s.over = true;
			break;
		}
	}
	(void)smtpio_flush(io);
	end_mail(&s);
	free(s.helo);
	buf_clear(&line);
}
