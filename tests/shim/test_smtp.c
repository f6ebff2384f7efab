/* SPDX-License-Identifier: ISC */
/*
 * The SMTP client against scripted servers.  A script is what both sides
 * say, a line each:
 *
 *	S text		the server says it, as soon as all before is done
 *	C text		the client must say exactly this
 *	M		the client must send the message and the final dot
 *	B		the client sends a part of the message
 *	Z		the same, and the server takes no more of it
 *	X		the server closes the connection
 *	T		the server says nothing: the client's time is over
 *	TLS		from here on through TLS
 */
#include "config.h"

#include "smtp/smtp.h"

#include <sys/mman.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "smtp/reply.h"

#define REPLY_TIMEOUT	300000
#define DATA_TIMEOUT	600000
#define PEER		"mx.example[192.0.2.1]:25"

struct server {
	const char	*script;	/* what is still to come */
	struct buf	 in;		/* what the client has not read yet */
	size_t		 inpos;
	struct buf	 out;		/* what the client has written */
	bool		 closed;
	bool		 silent;
	int		 ms;		/* the client's last deadline */
	int64_t		 limit;		/* and limit */
	bool		 dot;		/* heard last: a final dot */
	bool		 lmtp;		/* it has more than one reply */
	char		 asked[2048];	/* first letters of commands... */
	size_t		 nasked, nreplied; /* ...and how many had a reply */
	const struct buf *body;
	struct buf	 trace;
};

/* --- the server ----------------------------------------------------------- */

static bool
next_is(const struct server *sv, const char *word)
{
	size_t n = strlen(word);

	return strncmp(sv->script, word, n) == 0 &&
	    (sv->script[n] == ' ' || sv->script[n] == '\n');
}

static void
advance(struct server *sv)
{
	sv->script = strchr(sv->script, '\n') + 1;
}

/* All that the server does without being asked. */
static void
speak(struct server *sv)
{
	const char *end;

	while (next_is(sv, "S")) {
		end = strchr(sv->script, '\n');
		buf_add(&sv->in, sv->script + 2,
		    (size_t)(end - sv->script) - 2);
		buf_addc(&sv->in, '\n');
		advance(sv);
	}
	if (next_is(sv, "X")) {
		sv->closed = true;
		advance(sv);
	} else if (next_is(sv, "T")) {
		sv->silent = true;
		advance(sv);
	}
}

static void
consume(struct server *sv, size_t n)
{
	sv->out.len -= n;
	memmove(sv->out.data, sv->out.data + n, sv->out.len);
}

/* A line from the client must be the one of the script. */
static void
hear_line(struct server *sv)
{
	const char *lf = memchr(sv->out.data, '\n', sv->out.len);
	const char *end = strchr(sv->script, '\n');
	size_t n = (size_t)(end - sv->script) - 2;

	assert_non_null(lf);
	if ((size_t)(lf - sv->out.data) != n + 1 || lf[-1] != '\r' ||
	    memcmp(sv->out.data, sv->script + 2, n) != 0)
		fail_msg("client said: %.*s script: %.*s",
		    (int)(lf - sv->out.data + 1), sv->out.data, (int)n,
		    sv->script + 2);
	sv->dot = n == 1 && sv->script[2] == '.';
	if (!sv->dot) {
		assert_in_range(sv->nasked, 0, sizeof(sv->asked) - 1);
		sv->asked[sv->nasked++] = sv->script[2];
	}
	consume(sv, n + 2);
	advance(sv);
}

/* Undo the dots; what remains must be the message. */
static void
hear_message(struct server *sv)
{
	struct buf got = BUF_INIT;
	const char *s = sv->out.data, *end = s + sv->out.len, *lf;

	for (;;) {
		lf = memchr(s, '\n', (size_t)(end - s));
		assert_non_null(lf);
		assert_true(lf > s && lf[-1] == '\r');
		if (*s == '.' && lf - s == 2)
			break;
		if (*s == '.')
			s++;
		buf_add(&got, s, (size_t)(lf + 1 - s));
		s = lf + 1;
	}
	/* the end of the data is the last in its packet */
	assert_true(lf + 1 == end);
	assert_int_equal(got.len, sv->body->len);
	assert_memory_equal(got.data, sv->body->data, got.len);
	buf_clear(&got);
	buf_reset(&sv->out);
	sv->dot = true;
	advance(sv);
}

static void
fake_limit(void *arg, int64_t ms)
{
	((struct server *)arg)->limit = ms;
}

static void
fake_deadline(void *arg, int ms)
{
	((struct server *)arg)->ms = ms;
}

static int
fake_write(void *arg, const void *data, size_t len, struct result *r)
{
	struct server *sv = arg;

	(void)r;
	assert_false(sv->silent);
	buf_add(&sv->out, data, len);
	return 0;
}

/* In the message each flush is a block; M waits for the dot. */
static bool
is_complete(const struct server *sv)
{
	size_t n = sv->out.len;

	return n >= 5 ? memcmp(sv->out.data + n - 5, "\r\n.\r\n", 5) == 0 :
	    n == 3 && memcmp(sv->out.data, ".\r\n", 3) == 0;
}

static int
fake_flush(void *arg, struct result *r)
{
	struct server *sv = arg;

	(void)r;
	assert_in_range(sv->ms, 1, REPLY_TIMEOUT);
	if (sv->closed) {
		buf_reset(&sv->out);
		return 0;
	}
	while (sv->out.len > 0) {
		sv->dot = false;
		speak(sv);
		if (next_is(sv, "C"))
			hear_line(sv);
		else if (next_is(sv, "B")) {
			buf_reset(&sv->out);
			advance(sv);
		} else if (next_is(sv, "Z")) {
			buf_reset(&sv->out);
			advance(sv);
			speak(sv);
			return 1;
		} else if (next_is(sv, "M")) {
			if (!is_complete(sv))
				return 0;
			hear_message(sv);
		} else
			fail_msg("client said: %.*s script: %s",
			    (int)sv->out.len, sv->out.data, sv->script);
	}
	speak(sv);
	return 0;
}

static bool
fake_pending(void *arg)
{
	struct server *sv = arg;

	if (!next_is(sv, "C") && !next_is(sv, "M"))
		speak(sv);
	return sv->inpos < sv->in.len || sv->closed;
}

static ssize_t
fake_readline(void *arg, char *buf, size_t size, struct result *r)
{
	struct server *sv = arg;
	const char *s, *lf;
	size_t n;

	speak(sv);
	if (sv->inpos == sv->in.len) {
		if (sv->closed)
			result_set(r, R_LOST,
			    "connection closed by the server");
		else if (sv->silent)
			result_set(r, R_LOST, "timed out");
		else
			fail_msg("client waits; script: %s", sv->script);
		return -1;
	}
	/* these have a time of their own */
	assert_int_equal(sv->ms, sv->dot ? DATA_TIMEOUT :
	    sv->nreplied < sv->nasked &&
	    strchr("DS", sv->asked[sv->nreplied]) != NULL ?
	    120000 : REPLY_TIMEOUT);
	s = sv->in.data + sv->inpos;
	lf = memchr(s, '\n', sv->in.len - sv->inpos);
	assert_non_null(lf);
	n = (size_t)(lf - s);
	sv->inpos += n + 1;
	if (n >= size) {
		result_set(r, R_PROTO, "line of more than %zu octets",
		    size - 1);
		return -1;
	}
	memcpy(buf, s, n);
	buf[n] = '\0';
	if (n < 4 || s[3] != '-') {
		if (!sv->dot && sv->nreplied < sv->nasked)
			sv->nreplied++;
		sv->dot &= sv->lmtp;
	}
	return (ssize_t)n;
}

static void
keep_trace(void *arg, char dir, const char *line)
{
	struct server *sv = arg;
	const char *s;

	for (s = line; *s != '\0'; s++)
		assert_true(*s >= ' ' && *s <= '~');
	buf_printf(&sv->trace, "%c %s\n", dir, line);
}

static const struct smtp_params params = {
	.hostname = "client.example",
	.peer = PEER,
	.reply_timeout = REPLY_TIMEOUT,
	.data_timeout = DATA_TIMEOUT,
};

static struct smtp *
start_as(struct server *sv, const char *script, bool lmtp)
{
	struct smtp_params p = params;

	const struct smtp_io io = {
		.arg = sv,
		.limit = fake_limit,
		.deadline = fake_deadline,
		.readline = fake_readline,
		.write = fake_write,
		.flush = fake_flush,
		.pending = fake_pending,
	};

	memset(sv, 0, sizeof(*sv));
	sv->script = script;
	p.lmtp = sv->lmtp = lmtp;
	return smtp_new(&io, &p);
}

static struct smtp *
start(struct server *sv, const char *script)
{
	return start_as(sv, script, false);
}

static void
stop(struct server *sv, struct smtp *s)
{
	smtp_free(s);
	buf_clear(&sv->in);
	buf_clear(&sv->out);
	buf_clear(&sv->trace);
}

/* --- the mail ------------------------------------------------------------- */

static int
make_file(const struct buf *body)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	assert_true(fd != -1);
	/* the message does not begin at the start of the file */
	assert_int_equal(write(fd, "envelope", 8), 8);
	assert_int_equal(write(fd, buf_str(body), body->len), body->len);
	return fd;
}

struct mail {
	struct smtp_message m;
	struct smtp_rcpt *rcpt;
};

static void
mail_init(struct mail *mail, const struct buf *body, size_t nrcpt)
{
	size_t i;

	memset(mail, 0, sizeof(*mail));
	mail->rcpt = xcalloc(nrcpt, sizeof(*mail->rcpt));
	for (i = 0; i < nrcpt; i++) {
		mail->rcpt[i].addr = xasprintf("r%zu@example.net", i + 1);
		mail->rcpt[i].result.code = R_MAX;
	}
	mail->m.sender = "s@example.org";
	mail->m.rcpt = mail->rcpt;
	mail->m.nrcpt = nrcpt;
	mail->m.fd = make_file(body);
	mail->m.start = 8;
	mail->m.size = (off_t)body->len;
}

static void
mail_clear(struct mail *mail)
{
	size_t i;

	for (i = 0; i < mail->m.nrcpt; i++)
		free((void *)(uintptr_t)mail->rcpt[i].addr);
	free(mail->rcpt);
	close(mail->m.fd);
}

static void
add_results(struct buf *b, const struct mail *mail)
{
	size_t i;

	for (i = 0; i < mail->m.nrcpt; i++) {
		assert_true(mail->rcpt[i].result.code < R_MAX);
		buf_printf(b, " %s%s", result_name(mail->rcpt[i].result.code),
		    mail->rcpt[i].again ? " again" : "");
	}
}

/* --- whole sessions ------------------------------------------------------- */

#define GREET	"S 220 mx.example ESMTP\n"
#define EHLO	"C EHLO client.example\n"
#define PLAIN	GREET EHLO "S 250 mx.example\n"
#define LMTP	GREET "C LHLO client.example\nS 250-mx.example\n" \
		"S 250 PIPELINING\n"
#define PIPE	GREET EHLO "S 250-mx.example\nS 250 PIPELINING\n"
#define TLS	GREET EHLO "S 250-mx.example\nS 250 STARTTLS\nC STARTTLS\n"
#define MAIL	"C MAIL FROM:<s@example.org>\n"
#define RCPT1	"C RCPT TO:<r1@example.net>\n"
#define RCPT2	"C RCPT TO:<r2@example.net>\n"
#define RCPT3	"C RCPT TO:<r3@example.net>\n"
#define OK	"S 250 ok\n"
#define DATA	"C DATA\n"
#define GO	"S 354 go\n"
#define QUIT	"C QUIT\nS 221 bye\n"
#define BODY	"Subject: x\r\n\r\n.dot\r\nbody\r\n"

struct row {
	const char	*name;
	const char	*script;
	size_t		 nrcpt;
	/*
	 * The last step, how it ended, the results of the recipients, and
	 * whether the server may have the message all the same.
	 */
	const char	*want;
	const char	*text;		/* of the last result, or NULL */
};

static const struct row rows[] = {
	/* the greeting */
	{ "says nothing", "T\n", 1, "greet lost",
	    "timed out (in reply to the connection)" },
	{ "closes at once", "X\n", 1, "greet lost",
	    "connection closed by the server (in reply to the connection)" },
	{ "554 banner", "S 554 no\nC QUIT\n", 1, "greet later",
	    "554 no (in reply to the connection)" },
	{ "521 banner", "S 521 5.3.2 no mail here\nC QUIT\n", 1,
	    "greet later",
	    "521 5.3.2 no mail here (in reply to the connection)" },
	{ "421 banner", "S 421 busy\n", 1, "greet later", NULL },
	{ "450 banner", "S 450 busy\nC QUIT\n", 1, "greet later", NULL },
	{ "354 banner", "S 354 what\n", 1, "greet proto", NULL },
	{ "banner 2", "S 2\n", 1, "greet proto",
	    "malformed reply: 2 (in reply to the connection)" },
	{ "banner 22", "S 22\n", 1, "greet proto", NULL },
	{ "banner 2200", "S 2200\n", 1, "greet proto", NULL },
	{ "banner with a blank first", "S  220 x\n", 1, "greet proto", NULL },
	{ "banner 220x", "S 220x\n", 1, "greet proto", NULL },
	{ "empty banner", "S \n", 1, "greet proto", NULL },
	{ "escape sequences in the banner", "S 554 \033[2J\rx\200\n"
	    "C QUIT\n", 1, "greet later",
	    "554 ?[2J?x? (in reply to the connection)" },
	{ "HTTP instead of SMTP", "S HTTP/1.1 400 Bad Request\n", 1,
	    "greet proto", NULL },
	{ "more after the banner", GREET "S 220 again\n", 1, "hello proto",
	    "220 again (in reply to nothing)" },

	/* EHLO */
	{ "closes after EHLO", GREET EHLO "X\n", 1, "hello lost",
	    "connection closed by the server (in reply to EHLO)" },
	{ "silent after EHLO", GREET EHLO "T\n", 1, "hello lost",
	    "timed out (in reply to EHLO)" },
	{ "HELO after 5yz to EHLO", GREET EHLO "S 502 what\n"
	    "C HELO client.example\nS 250 mx\n" MAIL OK RCPT1 OK DATA GO
	    "M\n" OK QUIT, 1, "mail 0 sent", NULL },
	{ "5yz to HELO too", GREET EHLO "S 502 what\n"
	    "C HELO client.example\nS 550 no\nC QUIT\n", 1, "hello later",
	    "550 no (in reply to HELO)" },
	{ "no HELO after 4yz to EHLO", GREET EHLO "S 450 later\nC QUIT\n", 1,
	    "hello later", NULL },
	{ "no HELO after 421 to EHLO", GREET EHLO "S 421 later\n", 1,
	    "hello later", NULL },
	{ "3yz to EHLO", GREET EHLO "S 354 go\n", 1, "hello proto", NULL },
	{ "other code in the continuation", GREET EHLO
	    "S 250-mx\nS 550 PIPELINING\n", 1, "hello proto", NULL },
	{ "keywords do not count in a refusal", GREET EHLO
	    "S 550-mx\nS 550 PIPELINING\nC HELO client.example\nS 250 mx\n"
	    MAIL OK RCPT1 OK DATA GO "M\n" OK QUIT, 1, "mail 0 sent", NULL },

	/* STARTTLS */
	{ "STARTTLS", TLS "S 220 go\nTLS\n" EHLO "S 250 mx\n" MAIL OK RCPT1
	    OK DATA GO "M\n" OK QUIT, 1, "mail 0 sent", NULL },
	{ "keywords of the clear text are forgotten", GREET EHLO
	    "S 250-mx\nS 250-PIPELINING\nS 250-SIZE 1\nS 250 STARTTLS\n"
	    "C STARTTLS\nS 220 go\nTLS\n" EHLO "S 250 mx\n" MAIL OK RCPT1 OK
	    DATA GO "M\n" OK QUIT, 1, "mail 0 sent", NULL },
	{ "more after the 220 to STARTTLS", TLS "S 220 go\nS 250 mx\n", 1,
	    "starttls tls",
	    "more than one reply, before TLS (in reply to STARTTLS)" },
	{ "454 to STARTTLS", TLS "S 454 not now\n" MAIL OK RCPT1 OK DATA GO
	    "M\n" OK QUIT, 1, "mail 0 sent", NULL },
	{ "501 to STARTTLS", TLS "S 501 no\n" MAIL OK RCPT1 OK DATA GO
	    "M\n" OK QUIT, 1, "mail 0 sent", NULL },
	{ "502 to STARTTLS", TLS "S 502 no\n" MAIL OK RCPT1 OK DATA GO
	    "M\n" OK QUIT, 1, "mail 0 sent", NULL },
	{ "421 to STARTTLS", TLS "S 421 bye\n", 1, "starttls later", NULL },
	{ "250 to STARTTLS", TLS "S 250 ok\n", 1, "starttls proto", NULL },
	{ "closes after STARTTLS", TLS "X\n", 1, "starttls lost", NULL },

	/* MAIL */
	{ "one after the other", PLAIN MAIL OK RCPT1 OK RCPT2 OK DATA GO "M\n"
	    "S 250 2.0.0 queued\n" QUIT, 2, "mail 0 sent sent",
	    "250 2.0.0 queued" },
	{ "pipelined", PIPE MAIL RCPT1 RCPT2 DATA OK OK OK GO "M\n" OK QUIT,
	    2, "mail 0 sent sent", "250 ok" },
	{ "4yz to MAIL", PLAIN MAIL "S 451 later\n" QUIT, 2,
	    "mail 0 later later busy", "451 later (in reply to MAIL FROM)" },
	{ "5yz to MAIL", PLAIN MAIL "S 550 5.7.1 no\n" QUIT, 2,
	    "mail 0 refused refused",
	    "550 5.7.1 no (in reply to MAIL FROM)" },
	{ "530 to MAIL", PLAIN MAIL "S 530 5.7.0 STARTTLS first\n" QUIT, 1,
	    "mail 0 later", NULL },
	{ "534 to MAIL", PLAIN MAIL "S 534 weak\n" QUIT, 1, "mail 0 later",
	    NULL },
	{ "535 to MAIL", PLAIN MAIL "S 535 who\n" QUIT, 1, "mail 0 later",
	    NULL },
	{ "538 to MAIL", PLAIN MAIL "S 538 in clear\n" QUIT, 1,
	    "mail 0 later", NULL },
	{ "550 5.7.10 to MAIL", PLAIN MAIL "S 550 5.7.10 encrypt\n" QUIT, 1,
	    "mail 0 later", NULL },
	{ "5yz to pipelined MAIL", PIPE MAIL RCPT1 RCPT2 DATA "S 550 no\n"
	    "S 503 mail first\nS 503 mail first\nS 503 mail first\n" QUIT, 2,
	    "mail 0 refused refused", "550 no (in reply to MAIL FROM)" },
	{ "4yz to pipelined MAIL, permanent echoes", PIPE MAIL RCPT1 DATA
	    "S 450 wait\nS 550 mail first\nS 503 no\n" QUIT, 1,
	    "mail 0 later busy", NULL },
	{ "354 though MAIL was refused", PIPE MAIL RCPT1 DATA
	    "S 550 no\nS 503 no\nS 354 go\nC .\nS 554 no\n" QUIT, 1,
	    "mail 0 refused", NULL },
	{ "all accepted though MAIL was refused", PIPE MAIL RCPT1 DATA
	    "S 450 no\n" OK GO, 1, "mail proto later busy", NULL },
	{ "3yz to MAIL", PLAIN MAIL "S 354 go\n", 1, "mail proto proto",
	    NULL },
	{ "421 to MAIL", PLAIN MAIL "S 421 bye\n", 2,
	    "mail later later later", NULL },
	{ "closes after MAIL", PLAIN MAIL "X\n", 1, "mail lost lost", NULL },
	{ "closes after pipelined MAIL", PIPE MAIL RCPT1 DATA OK "X\n", 1,
	    "mail lost lost", NULL },

	/* RCPT */
	{ "mixed replies to RCPT", PLAIN MAIL OK RCPT1 OK RCPT2
	    "S 450 later\n" RCPT3 "S 550 5.1.1 who\n" DATA GO "M\n" OK QUIT,
	    3, "mail 0 sent later refused", NULL },
	{ "mixed replies to RCPT, pipelined", PIPE MAIL RCPT1 RCPT2 RCPT3 DATA
	    OK "S 550 5.1.1 who\nS 450 later\n" OK GO "M\n" OK QUIT, 3,
	    "mail 0 refused later sent", NULL },
	{ "251 and 252", PLAIN MAIL OK RCPT1 "S 251 forwards\n" RCPT2
	    "S 252 perhaps\n" DATA GO "M\n" OK QUIT, 2, "mail 0 sent sent",
	    NULL },
	{ "552 to RCPT", PLAIN MAIL OK RCPT1 "S 552 5.2.2 full\n" QUIT, 1,
	    "mail 0 later", NULL },
	{ "452 to the second RCPT", PLAIN MAIL OK RCPT1 OK RCPT2
	    "S 452 too many\n" DATA GO "M\n" OK QUIT, 2,
	    "mail 0 sent later again", NULL },
	{ "the rest is not asked", PLAIN MAIL OK RCPT1 OK RCPT2
	    "S 452 4.5.3 too many\n" DATA GO "M\n" OK QUIT, 3,
	    "mail 0 sent later again later again", NULL },
	{ "552 to the second RCPT", PLAIN MAIL OK RCPT1 OK RCPT2
	    "S 552 too many\n" DATA GO "M\n" OK QUIT, 2,
	    "mail 0 sent later again", NULL },
	{ "452 for a reason of its own", PLAIN MAIL OK RCPT1 OK RCPT2
	    "S 452 4.2.2 full\n" RCPT3 OK DATA GO "M\n" OK QUIT, 3,
	    "mail 0 sent later sent", NULL },
	{ "452 to the first RCPT", PLAIN MAIL OK RCPT1 "S 452 no room\n"
	    RCPT2 OK DATA GO "M\n" OK QUIT, 2, "mail 0 later sent", NULL },
	{ "452, pipelined", PIPE MAIL RCPT1 RCPT2 RCPT3 DATA OK OK
	    "S 452 4.5.3 too many\n" OK GO "M\n" OK QUIT, 3,
	    "mail 0 sent later again sent", NULL },
	{ "452, and the message is refused for now", PLAIN MAIL OK RCPT1 OK
	    RCPT2 "S 452 too many\n" DATA GO "M\n" "S 451 no\n" QUIT, 2,
	    "mail 0 later later busy", NULL },
	{ "452, and the message is refused", PLAIN MAIL OK RCPT1 OK
	    RCPT2 "S 452 too many\n" DATA GO "M\n" "S 554 no\n" QUIT, 2,
	    "mail 0 refused later again", NULL },
	{ "452, and DATA is refused for now", PLAIN MAIL OK RCPT1 OK
	    RCPT2 "S 452 too many\n" DATA "S 451 no\n" QUIT, 2,
	    "mail 0 later later busy", NULL },
	{ "452, and lost", PLAIN MAIL OK RCPT1 OK
	    RCPT2 "S 452 too many\n" DATA GO "M\n" "X\n", 2,
	    "mail lost lost lost unsure", NULL },
	{ "RCPTMAX", GREET EHLO "S 250-mx\nS 250 LIMITS RCPTMAX=2\n" MAIL OK
	    RCPT1 OK RCPT2 OK DATA GO "M\n" OK QUIT, 3,
	    "mail 0 sent sent later again", "the server takes no more "
	    "recipients at a time" },
	{ "RCPTMAX, all refused", GREET EHLO "S 250-mx\n"
	    "S 250 LIMITS RCPTMAX=1\n" MAIL OK RCPT1 "S 550 who\n" QUIT, 2,
	    "mail 0 refused later again", NULL },
	{ "RCPTMAX, MAIL refused", GREET EHLO "S 250-mx\n"
	    "S 250 LIMITS RCPTMAX=1\n" MAIL "S 550 no\n" QUIT, 2,
	    "mail 0 refused refused", NULL },
	{ "all RCPT refused: no DATA", PLAIN MAIL OK RCPT1 "S 550 who\n"
	    RCPT2 "S 550 who\n" QUIT, 2, "mail 0 refused refused", NULL },
	{ "all RCPT refused, pipelined", PIPE MAIL RCPT1 RCPT2 DATA OK
	    "S 550 who\nS 450 later\nS 554 nobody\n" QUIT, 2,
	    "mail 0 refused later", NULL },
	{ "all RCPT refused, pipelined, and 354", PIPE MAIL RCPT1 DATA OK
	    "S 550 who\nS 354 go\nC .\nS 250 delivered\n" QUIT, 1,
	    "mail 0 refused", NULL },
	{ "the same, and it closes", PIPE MAIL RCPT1 DATA OK
	    "S 550 who\nS 354 go\nC .\nX\n", 1, "mail lost refused", NULL },
	{ "enhanced code of another class", PLAIN MAIL OK RCPT1
	    "S 250 5.7.1 ok\n" DATA GO "M\n" OK QUIT, 1, "mail 0 sent",
	    NULL },
	{ "421 to RCPT", PLAIN MAIL OK RCPT1 OK RCPT2 "S 421 bye\n", 3,
	    "mail later later later later", NULL },
	{ "421 to RCPT, one refused before", PIPE MAIL RCPT1 RCPT2 DATA OK
	    "S 550 who\nS 421 bye\n", 2, "mail later refused later", NULL },
	{ "3yz to RCPT", PLAIN MAIL OK RCPT1 "S 354 go\n", 1,
	    "mail proto proto", NULL },
	{ "closes after RCPT", PLAIN MAIL OK RCPT1 "X\n", 1,
	    "mail lost lost", NULL },
	{ "closes after a refused RCPT", PLAIN MAIL OK RCPT1 "S 550 who\n"
	    RCPT2 "X\n", 2, "mail lost refused lost",
	    "connection closed by the server (in reply to RCPT TO)" },
	{ "silent after RCPT", PLAIN MAIL OK RCPT1 "T\n", 1,
	    "mail lost lost", NULL },
	{ "continuation for ever", PLAIN MAIL OK RCPT1
#define L8	"S 250-a\nS 250-a\nS 250-a\nS 250-a\nS 250-a\nS 250-a\n" \
		"S 250-a\nS 250-a\n"
	    L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8 L8, 1,
	    "mail proto proto", "endless reply (in reply to RCPT TO)" },

	/* replies that nobody asked for */
	{ "one more before MAIL", PLAIN "S 250 ok\n", 1, "mail proto proto",
	    "250 ok (in reply to nothing)" },
	{ "one more before RCPT", PLAIN MAIL OK OK, 1, "mail proto proto",
	    NULL },
	{ "one more before DATA", PLAIN MAIL OK RCPT1 OK OK, 1,
	    "mail proto proto", NULL },
	{ "421 before MAIL", PLAIN "S 421 idle\n", 1, "mail later later",
	    "421 idle (in reply to MAIL FROM)" },
	{ "closes before MAIL", PLAIN "X\n", 1, "mail lost lost", NULL },
	{ "one more after the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    OK "S 250 again\n", 1, "mail 0 sent", NULL },

	/* DATA */
	{ "250 to DATA", PLAIN MAIL OK RCPT1 OK DATA "S 250 ok\n", 1,
	    "mail proto proto", "250 ok (in reply to DATA)" },
	{ "4yz to DATA", PLAIN MAIL OK RCPT1 OK DATA "S 451 later\n" QUIT, 1,
	    "mail 0 later busy", "451 later (in reply to DATA)" },
	{ "5yz to DATA", PLAIN MAIL OK RCPT1 OK RCPT2 "S 450 later\n" DATA
	    "S 554 no\n" QUIT, 2, "mail 0 refused later", NULL },
	{ "530 to DATA", PLAIN MAIL OK RCPT1 OK DATA "S 530 who\n" QUIT, 1,
	    "mail 0 later", NULL },
	{ "421 to DATA", PLAIN MAIL OK RCPT1 OK DATA "S 421 bye\n", 1,
	    "mail later later", NULL },
	{ "150 to DATA", PLAIN MAIL OK RCPT1 OK DATA "S 150 hm\n", 1,
	    "mail proto proto", NULL },
	{ "650 to DATA", PLAIN MAIL OK RCPT1 OK DATA "S 650 hm\n", 1,
	    "mail proto proto", NULL },
	{ "closes after DATA", PLAIN MAIL OK RCPT1 OK DATA "X\n", 1,
	    "mail lost lost", NULL },
	{ "354 and closes", PLAIN MAIL OK RCPT1 OK DATA GO "X\n", 1,
	    "mail lost lost",
	    "connection closed by the server (in reply to the message)" },
	{ "354 and 554 at once", PLAIN MAIL OK RCPT1 OK DATA GO
	    "S 554 no\n", 1, "mail later later",
	    "554 no (in reply to the message)" },
	{ "354 and 250 at once", PLAIN MAIL OK RCPT1 OK DATA GO
	    "S 250 done\n", 1, "mail proto proto", NULL },
	{ "354 and 421 at once", PLAIN MAIL OK RCPT1 OK DATA GO
	    "S 421 bye\n", 1, "mail later later", NULL },

	/* the end of the data */
	{ "4yz to the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    "S 451 4.3.0 later\n" QUIT, 1, "mail 0 later busy",
	    "451 4.3.0 later (in reply to the end of the message)" },
	{ "5yz to the message", PLAIN MAIL OK RCPT1 OK RCPT2 "S 450 x\n" DATA
	    GO "M\n" "S 554 5.7.1 spam\n" QUIT, 2, "mail 0 refused later",
	    NULL },
	{ "421 to the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    "S 421 bye\n", 1, "mail later later", NULL },
	{ "354 to the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n" GO, 1,
	    "mail proto proto unsure", NULL },
	{ "999 to the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    "S 999 ok\n", 1, "mail proto proto unsure", NULL },
	{ "half a reply to the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    "S 250-ok\nX\n", 1, "mail lost lost unsure", NULL },
	{ "closes after the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    "X\n", 1, "mail lost lost unsure", "connection lost; it may have "
	    "been delivered (in reply to the end of the message)" },
	{ "silent after the message", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    "T\n", 1, "mail lost lost unsure", "timed out; it may have been "
	    "delivered (in reply to the end of the message)" },
	{ "sent, then closes", PLAIN MAIL OK RCPT1 OK DATA GO "M\n" OK "X\n",
	    1, "mail 0 sent", "250 ok" },

	/* LMTP */
	{ "LMTP: LHLO refused", GREET "C LHLO client.example\nS 500 what\n"
	    "C QUIT\n", 1, "hello later",
	    "500 what (in reply to LHLO)" },
	{ "LMTP: a reply for each", LMTP MAIL RCPT1 RCPT2 RCPT3 DATA OK OK
	    OK OK GO "M\n" OK "S 452 4.2.2 full\n" "S 550 5.7.1 no\n" QUIT, 3,
	    "mail 0 sent later refused",
	    "550 5.7.1 no (in reply to the end of the message)" },
	{ "LMTP: none for those that were refused", LMTP MAIL RCPT1 RCPT2
	    RCPT3 DATA OK OK "S 550 5.1.1 who\n" OK GO "M\n" OK
	    "S 552 5.2.2 full\n" QUIT, 3, "mail 0 sent refused refused" , NULL },
	{ "LMTP: dies between the replies", LMTP MAIL RCPT1 RCPT2 RCPT3 DATA
	    OK OK OK OK GO "M\n" OK "S 550 5.7.1 no\nX\n", 3,
	    "mail lost sent refused lost unsure",
	    "connection lost; it may have been delivered (in reply to the "
	    "end of the message)" },
	{ "LMTP: silent between the replies", LMTP MAIL RCPT1 RCPT2 DATA OK OK
	    OK GO "M\n" OK "T\n", 2, "mail lost sent lost unsure", NULL },
	{ "LMTP: 421 between the replies", LMTP MAIL RCPT1 RCPT2 DATA OK OK
	    OK GO "M\n" OK "S 421 4.3.2 bye\n", 2, "mail later sent later",
	    NULL },
	{ "LMTP: a reply that is none", LMTP MAIL RCPT1 RCPT2 DATA OK OK OK GO
	    "M\n" OK "S 354 go\n", 2, "mail proto sent proto unsure", NULL },
	{ "LMTP: one reply too many", LMTP MAIL RCPT1 DATA OK OK GO "M\n" OK
	    OK, 1, "mail 0 sent", NULL },
	{ "LMTP: 354 with nobody", LMTP MAIL RCPT1 DATA OK "S 550 no\n" GO, 1,
	    "mail proto refused", NULL },
};

/* STEP of the session, and how it ended. */
static void
note(struct buf *got, const char *step, int rv, const struct result *r)
{
	buf_reset(got);
	buf_printf(got, "%s %s", step, rv == 0 ? "0" : result_name(r->code));
	if (rv != 0)
		assert_string_equal(r->host, PEER);
}

static void
converse(struct server *sv, struct smtp *s, struct mail *mail,
    struct buf *got, struct result *r)
{
	int rv;

	rv = smtp_greet(s, r);
	note(got, "greet", rv, r);
	if (rv == -1)
		return;
	rv = smtp_hello(s, SMTP_EHLO_OR_HELO, r);
	note(got, "hello", rv, r);
	if (rv == -1)
		return;
	if (smtp_offers(s) & SMTP_STARTTLS) {
		rv = smtp_starttls(s, r);
		note(got, "starttls", rv, r);
		if (rv == -1)
			return;
		if (rv == 0) {
			assert_true(next_is(sv, "TLS"));
			advance(sv);
			rv = smtp_hello(s, SMTP_EHLO_ONLY, r);
			note(got, "hello", rv, r);
			if (rv == -1)
				return;
		}
	}
	rv = smtp_mail(s, &mail->m, r);
	note(got, "mail", rv, r);
	add_results(got, mail);
	if (mail->m.unsure)
		buf_adds(got, " unsure");
	if (mail->m.busy)
		buf_adds(got, " busy");
	*r = mail->rcpt[mail->m.nrcpt - 1].result;
}

static void
run_row(const struct row *row)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;

	print_message("%s\n", row->name);
	buf_adds(&body, BODY);
	mail_init(&mail, &body, row->nrcpt);
	s = start_as(&sv, row->script, strstr(row->script, "LHLO") != NULL);
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	smtp_quit(s);
	assert_string_equal(buf_str(&got), row->want);
	if (row->text != NULL)
		assert_string_equal(r.text, row->text);
	/* nobody said less than the script */
	speak(&sv);
	assert_string_equal(sv.script, "");
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

static void
test_session(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
}

/* --- what a result holds -------------------------------------------------- */

static void
test_result_fields(void **state)
{
	static const struct {
		const char	*name;
		const char	*reply;
		int		 code;
		const char	*esc;
	} table[] = {
		{ "permanent", "550 5.1.1 who", 550, "5.1.1" },
		{ "temporary", "450 4.7.1 wait", 450, "4.7.1" },
		{ "no enhanced code", "550 who", 550, "5.0.0" },
		{ "552 becomes temporary", "552 5.2.2 full", 552, "4.2.2" },
		{ "530 becomes temporary", "530 5.7.0 auth", 530, "4.7.0" },
		{ "wrong class", "550 4.7.1 x", 550, "5.0.0" },
	};
	struct buf body = BUF_INIT, script = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t i;

	(void)state;
	buf_adds(&body, BODY);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		buf_reset(&script);
		buf_printf(&script, PLAIN MAIL OK RCPT1 "S %s\n",
		    table[i].reply);
		mail_init(&mail, &body, 1);
		s = start(&sv, buf_str(&script));
		converse(&sv, s, &mail, &got, &r);
		assert_int_equal(r.reply, table[i].code);
		assert_string_equal(result_esc(&r), table[i].esc);
		assert_string_equal(r.host, PEER);
		stop(&sv, s);
		mail_clear(&mail);
	}
	buf_clear(&body);
	buf_clear(&script);
	buf_clear(&got);
}

/* --- EHLO and its keywords ------------------------------------------------ */

static void
test_hello_keywords(void **state)
{
	static const struct {
		const char	*name;
		const char	*lines;
		unsigned	 offers;
	} table[] = {
		{ "none", "S 250 mx\n", 0 },
		{ "the name is no keyword", "S 250 PIPELINING\n", 0 },
		{ "all", "S 250-mx\nS 250-PIPELINING\nS 250-8BITMIME\n"
		    "S 250-SIZE 100\nS 250-STARTTLS\n"
		    "S 250 ENHANCEDSTATUSCODES\n", SMTP_PIPELINING |
		    SMTP_8BITMIME | SMTP_SIZE | SMTP_STARTTLS | SMTP_ESC },
		{ "lower case", "S 250-mx\nS 250 pipelining\n",
		    SMTP_PIPELINING },
		{ "trailing blank", "S 250-mx\nS 250 PIPELINING \n",
		    SMTP_PIPELINING },
		{ "twice", "S 250-mx\nS 250-SIZE 1\nS 250-SIZE\n"
		    "S 250 SIZE 9999\n", SMTP_SIZE },
		{ "unknown, and no prefix of one", "S 250-mx\nS 250-X\n"
		    "S 250-PIPELININGS\nS 250-PIPE\nS 250 \n", 0 },
		{ "parameters", "S 250-mx\nS 250 STARTTLS a b c\n",
		    SMTP_STARTTLS },
		{ "odd SIZE", "S 250-mx\nS 250-SIZE x\nS 250-SIZE -1\n"
		    "S 250-SIZE 99999999999999999999999\nS 250 SIZE \n",
		    SMTP_SIZE },
	};
	struct buf script = BUF_INIT;
	struct server sv;
	struct result r;
	struct smtp *s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		buf_reset(&script);
		buf_printf(&script, GREET EHLO "%s", table[i].lines);
		s = start(&sv, buf_str(&script));
		assert_int_equal(smtp_greet(s, &r), 0);
		assert_int_equal(smtp_hello(s, SMTP_EHLO_ONLY, &r), 0);
		assert_int_equal(smtp_offers(s), SMTP_EHLO |
		    table[i].offers);
		stop(&sv, s);
	}
	buf_clear(&script);
}

/* RFC 9422: how many transactions, and how many recipients in the first. */
static void
test_hello_limits(void **state)
{
	static const struct {
		const char	*name;
		const char	*lines;
		const char	*taken;	/* of a@x b@x c@y d@z e@X */
		bool		 full;
	} table[] = {
		{ "none", "S 250 mx\n", "abcde", false },
		{ "no limit named", "S 250-mx\nS 250 LIMITS\n", "abcde",
		    false },
		{ "RCPTMAX", "S 250-mx\nS 250 LIMITS RCPTMAX=3\n", "abc",
		    false },
		{ "RCPTDOMAINMAX 1", "S 250-mx\n"
		    "S 250 LIMITS RCPTDOMAINMAX=1\n", "abe", false },
		{ "RCPTDOMAINMAX 2", "S 250-mx\n"
		    "S 250 limits rcptdomainmax=2\n", "abce", false },
		{ "all", "S 250-mx\nS 250 LIMITS X=7 MAILMAX=1  RCPTMAX=2 "
		    "RCPTDOMAINMAX=1\n", "ab", true },
		{ "MAILMAX 2", "S 250-mx\nS 250 LIMITS MAILMAX=2\n", "abcde",
		    false },
		{ "no numbers", "S 250-mx\nS 250 LIMITS RCPTMAX= MAILMAX=x "
		    "RCPTDOMAINMAX=0 RCPTMAX\n", "abcde", false },
		{ "too big for any number", "S 250-mx\nS 250 LIMITS "
		    "RCPTMAX=99999999999999999999999\n", "abcde", false },
	};
	static const char *const addrs[] = { "a@x", "b@x", "c@y", "d@z",
	    "e@X" };
	struct buf body = BUF_INIT, script = BUF_INIT;
	struct smtp_rcpt rcpt[5];
	struct smtp_message m = { .sender = "", .rcpt = rcpt, .nrcpt = 5 };
	struct server sv;
	struct result r;
	struct smtp *s;
	size_t i, k;

	(void)state;
	buf_adds(&body, BODY);
	m.fd = make_file(&body);
	m.start = 8;
	m.size = (off_t)body.len;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		buf_reset(&script);
		buf_printf(&script, GREET EHLO "%sC MAIL FROM:<>\n" OK,
		    table[i].lines);
		for (k = 0; k < 5; k++) {
			rcpt[k].addr = addrs[k];
			if (strchr(table[i].taken, addrs[k][0]) != NULL)
				buf_printf(&script, "C RCPT TO:<%s>\n" OK,
				    addrs[k]);
		}
		buf_adds(&script, DATA GO "M\n" OK);
		s = start(&sv, buf_str(&script));
		sv.body = &body;
		assert_int_equal(smtp_greet(s, &r), 0);
		assert_int_equal(smtp_hello(s, SMTP_EHLO_ONLY, &r), 0);
		assert_string_equal(smtp_name(s), "mx");
		assert_false(smtp_full(s));
		assert_int_equal(smtp_mail(s, &m, &r), 0);
		for (k = 0; k < 5; k++)
			assert_int_equal(rcpt[k].again,
			    strchr(table[i].taken, addrs[k][0]) == NULL);
		assert_int_equal(smtp_full(s), table[i].full);
		assert_string_equal(sv.script, "");
		stop(&sv, s);
	}
	close(m.fd);
	buf_clear(&body);
	buf_clear(&script);
}

/*
 * The time for all together: twice the reply timeout, and 500 octets a
 * second; what follows the end of the data has its own.
 */
static void
test_limits_of_time(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;

	(void)state;
	buf_adds(&body, BODY);
	mail_init(&mail, &body, 1);
	s = start(&sv, PLAIN MAIL OK RCPT1 OK DATA "X\n");
	sv.body = &body;
	assert_int_equal(smtp_greet(s, &r), 0);
	assert_int_equal(sv.limit, 2 * REPLY_TIMEOUT);
	sv.limit = 0;
	assert_int_equal(smtp_hello(s, SMTP_EHLO_ONLY, &r), 0);
	assert_int_equal(sv.limit, 0);
	assert_int_equal(smtp_mail(s, &mail.m, &r), -1);
	assert_int_equal(sv.limit, 2 * REPLY_TIMEOUT + 2 * 26);
	stop(&sv, s);
	s = start(&sv, PLAIN MAIL OK RCPT1 OK DATA GO "M\n" OK QUIT);
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), "mail 0 sent");
	assert_int_equal(sv.limit, DATA_TIMEOUT);
	smtp_quit(s);
	assert_int_equal(sv.limit, 20000);
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

static void
test_hello_thousand_keywords(void **state)
{
	struct buf script = BUF_INIT;
	struct server sv;
	struct result r;
	struct smtp *s;
	int i;

	(void)state;
	buf_adds(&script, GREET EHLO "S 250-mx\n");
	for (i = 0; i < 1000; i++)
		buf_printf(&script, "S 250-X-KEYWORD-%d\n", i);
	buf_adds(&script, "S 250 8BITMIME\n");
	s = start(&sv, buf_str(&script));
	assert_int_equal(smtp_greet(s, &r), 0);
	assert_int_equal(smtp_hello(s, SMTP_EHLO_ONLY, &r), 0);
	assert_int_equal(smtp_offers(s), SMTP_EHLO | SMTP_8BITMIME);
	stop(&sv, s);

	/* but not for ever */
	buf_reset(&script);
	buf_adds(&script, GREET EHLO);
	for (i = 0; i < 8000; i++)
		buf_adds(&script, "S 250-KEYWORD\n");
	s = start(&sv, buf_str(&script));
	assert_int_equal(smtp_greet(s, &r), 0);
	assert_int_equal(smtp_hello(s, SMTP_EHLO_OR_HELO, &r), -1);
	assert_int_equal(r.code, R_PROTO);
	stop(&sv, s);
	buf_clear(&script);
}

static void
test_hello_without_helo(void **state)
{
	struct server sv;
	struct result r;
	struct smtp *s;

	(void)state;
	s = start(&sv, GREET EHLO "S 502 what\nC QUIT\n");
	assert_int_equal(smtp_greet(s, &r), 0);
	assert_int_equal(smtp_hello(s, SMTP_EHLO_ONLY, &r), -1);
	assert_int_equal(r.code, R_LATER);
	smtp_quit(s);
	assert_string_equal(sv.script, "");
	stop(&sv, s);
}

static void
test_starttls_refused(void **state)
{
	struct server sv;
	struct result r;
	struct smtp *s;

	(void)state;
	s = start(&sv, TLS "S 454 4.7.0 not now\n");
	assert_int_equal(smtp_greet(s, &r), 0);
	assert_int_equal(smtp_hello(s, SMTP_EHLO_ONLY, &r), 0);
	assert_int_equal(smtp_starttls(s, &r), 1);
	assert_int_equal(r.code, R_TLS);
	assert_string_equal(r.text, "454 4.7.0 not now (in reply to STARTTLS)");
	stop(&sv, s);
}

/* --- parameters of MAIL, sizes, addresses --------------------------------- */

static void
test_mail_parameters(void **state)
{
	static const struct {
		const char	*name;
		const char	*offer;
		bool		 eightbit;
		const char	*want;
		enum result_code code;
	} table[] = {
		{ "nothing offered", "S 250 mx\n", true, "", R_SENT },
		{ "SIZE", "S 250-mx\nS 250 SIZE\n", true, " SIZE=26",
		    R_SENT },
		{ "SIZE 0", "S 250-mx\nS 250 SIZE 0\n", true, " SIZE=26",
		    R_SENT },
		{ "SIZE exactly", "S 250-mx\nS 250 SIZE 26\n", false,
		    " SIZE=26", R_SENT },
		{ "SIZE one less", "S 250-mx\nS 250 SIZE 25\n", false, NULL,
		    R_TOOBIG },
		{ "8BITMIME, 7-bit message", "S 250-mx\nS 250 8BITMIME\n",
		    false, "", R_SENT },
		{ "8BITMIME, 8-bit message", "S 250-mx\nS 250 8BITMIME\n",
		    true, " BODY=8BITMIME", R_SENT },
		{ "both", "S 250-mx\nS 250-8BITMIME\nS 250 SIZE 100\n", true,
		    " SIZE=26 BODY=8BITMIME", R_SENT },
	};
	struct buf body = BUF_INIT, script = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t i;

	(void)state;
	buf_adds(&body, BODY);
	assert_int_equal(body.len, 26);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		buf_reset(&script);
		buf_printf(&script, GREET EHLO "%s", table[i].offer);
		if (table[i].want != NULL)
			buf_printf(&script, "C MAIL FROM:<s@example.org>%s\n"
			    OK RCPT1 OK DATA GO "M\n" OK, table[i].want);
		mail_init(&mail, &body, 1);
		mail.m.eightbit = table[i].eightbit;
		s = start(&sv, buf_str(&script));
		sv.body = &body;
		converse(&sv, s, &mail, &got, &r);
		assert_int_equal(r.code, table[i].code);
		if (r.code == R_TOOBIG)
			assert_string_equal(result_esc(&r), "5.3.4");
		assert_string_equal(sv.script, "");
		stop(&sv, s);
		mail_clear(&mail);
	}
	buf_clear(&body);
	buf_clear(&script);
	buf_clear(&got);
}

static void
test_mail_bad_addresses(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	char *saved[2];

	(void)state;
	buf_adds(&body, BODY);
	mail_init(&mail, &body, 3);
	saved[0] = (char *)(uintptr_t)mail.rcpt[0].addr;
	saved[1] = (char *)(uintptr_t)mail.rcpt[2].addr;
	mail.rcpt[0].addr = "a@b>\r\nRCPT TO:<c@d";
	mail.rcpt[2].addr = "a\177@b";
	s = start(&sv, PIPE MAIL RCPT2 DATA OK OK GO "M\n" OK);
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), "mail 0 badaddr sent badaddr");

	/* what needs SMTPUTF8, the same */
	mail.rcpt[0].addr = "\303\251@b";
	mail.m.nrcpt = 1;
	assert_int_equal(smtp_mail(s, &mail.m, &r), 0);
	assert_int_equal(mail.rcpt[0].result.code, R_UTF8);
	mail.rcpt[0].addr = "a@b>\r\nRCPT TO:<c@d";

	/* none is left: nothing is said */
	mail.m.nrcpt = 1;
	assert_int_equal(smtp_mail(s, &mail.m, &r), 0);
	assert_int_equal(mail.rcpt[0].result.code, R_BADADDR);

	mail.rcpt[0].addr = saved[0];
	mail.m.sender = "a@b> X\nY";
	assert_int_equal(smtp_mail(s, &mail.m, &r), 0);
	assert_int_equal(mail.rcpt[0].result.code, R_BADADDR);
	stop(&sv, s);
	mail.rcpt[2].addr = saved[1];
	mail.m.nrcpt = 3;
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

/* --- several messages in a session ---------------------------------------- */

static void
run_two(const char *name, const char *script, const char *first,
    const char *second)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	int rv;

	print_message("%s\n", name);
	buf_adds(&body, BODY);
	mail_init(&mail, &body, 1);
	s = start(&sv, script);
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), first);
	rv = smtp_mail(s, &mail.m, &r);
	note(&got, "mail", rv, &r);
	add_results(&got, &mail);
	assert_string_equal(buf_str(&got), second);
	smtp_quit(s);
	assert_string_equal(sv.script, "");
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

static void
test_mail_twice(void **state)
{
	(void)state;
	run_two("no RSET after a delivery", PLAIN MAIL OK RCPT1 OK DATA GO
	    "M\n" OK MAIL OK RCPT1 OK DATA GO "M\n" OK "C QUIT\n",
	    "mail 0 sent", "mail 0 sent");
	run_two("RSET after all were refused", PLAIN MAIL OK RCPT1
	    "S 550 who\nC RSET\n" OK MAIL OK RCPT1 OK DATA GO "M\n" OK
	    "C QUIT\n", "mail 0 refused", "mail 0 sent");
	run_two("RSET is pipelined", PIPE MAIL RCPT1 DATA OK
	    "S 550 who\nS 554 none\nC RSET\n" MAIL RCPT1 DATA OK OK OK GO
	    "M\n" OK "C QUIT\n", "mail 0 refused", "mail 0 sent");
	run_two("RSET after 5yz to DATA", PLAIN MAIL OK RCPT1 OK DATA
	    "S 554 no\nC RSET\n" OK MAIL OK RCPT1 OK DATA GO "M\n" OK
	    "C QUIT\n", "mail 0 refused", "mail 0 sent");
	run_two("RSET after the lone dot", PIPE MAIL RCPT1 DATA OK
	    "S 550 who\n" GO "C .\nS 554 none\nC RSET\n" MAIL RCPT1 DATA
	    OK OK OK GO "M\n" OK "C QUIT\n", "mail 0 refused",
	    "mail 0 sent");
	run_two("no RSET after MAIL was refused", PLAIN MAIL "S 450 wait\n"
	    MAIL OK RCPT1 OK DATA GO "M\n" OK "C QUIT\n", "mail 0 later busy",
	    "mail 0 sent");
	run_two("RSET refused", PLAIN MAIL OK RCPT1 "S 550 who\nC RSET\n"
	    "S 500 what\n", "mail 0 refused", "mail proto proto");
	run_two("a reply too many in between", PLAIN MAIL OK RCPT1 OK DATA GO
	    "M\n" OK OK, "mail 0 sent", "mail proto proto");
	run_two("421 in between", PLAIN MAIL OK RCPT1 OK DATA GO "M\n" OK
	    "S 421 idle\n", "mail 0 sent", "mail later later");
	run_two("closed in between", PLAIN MAIL OK RCPT1 OK DATA GO "M\n" OK
	    "X\n", "mail 0 sent", "mail lost lost");
	run_two("nothing is sent in a dead session", PLAIN MAIL "X\n",
	    "mail lost lost", "mail lost lost");
}

/* --- reports --------------------------------------------------------------- */

#define DSN	GREET EHLO "S 250-mx.example\nS 250 DSN\n"

/* One message with all that may be asked of reports (RFC 3461). */
static void
run_dsn(const char *script, const char *sender, const char *orcpt)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;

	buf_adds(&body, BODY);
	mail_init(&mail, &body, 2);
	mail.m.sender = sender;
	mail.m.envid = "QQ+31 4=";
	mail.m.ret = DSN_RET_HDRS;
	mail.rcpt[0].notify = DSN_SUCCESS | DSN_DELAY;
	mail.rcpt[0].orcpt = orcpt;
	s = start(&sv, script);
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), "mail 0 sent sent");
	assert_string_equal(sv.script, "");
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

static void
test_mail_dsn(void **state)
{
	char orcpt[321], *script;

	(void)state;
	run_dsn(DSN "C MAIL FROM:<s@example.org> RET=HDRS "
	    "ENVID=QQ+2B31+204+3D\n" OK
	    "C RCPT TO:<r1@example.net> NOTIFY=SUCCESS,DELAY "
	    "ORCPT=rfc822;a+2Bb@example.com\n" OK RCPT2 OK DATA GO "M\n" OK,
	    "s@example.org", "a+b@example.com");
	/* not offered: nothing of it */
	run_dsn(PLAIN MAIL OK RCPT1 OK RCPT2 OK DATA GO "M\n" OK,
	    "s@example.org", "a+b@example.com");
	/* RFC 3461 section 6.1 */
	run_dsn(DSN "C MAIL FROM:<> ENVID=QQ+2B31+204+3D\n" OK
	    "C RCPT TO:<r1@example.net> NOTIFY=SUCCESS,DELAY\n" OK RCPT2 OK
	    DATA GO "M\n" OK, "", NULL);
	/* longer than it may be once it is written */
	memset(orcpt, '=', sizeof(orcpt) - 1);
	orcpt[sizeof(orcpt) - 1] = '\0';
	run_dsn(DSN "C MAIL FROM:<s@example.org> RET=HDRS "
	    "ENVID=QQ+2B31+204+3D\n" OK
	    "C RCPT TO:<r1@example.net> NOTIFY=SUCCESS,DELAY\n" OK RCPT2 OK
	    DATA GO "M\n" OK, "s@example.org", orcpt);
	memset(orcpt, 'x', sizeof(orcpt) - 1);
	script = xasprintf(DSN "C MAIL FROM:<s@example.org> RET=HDRS "
	    "ENVID=QQ+2B31+204+3D\n" OK
	    "C RCPT TO:<r1@example.net> NOTIFY=SUCCESS,DELAY "
	    "ORCPT=rfc822;%s\n" OK RCPT2 OK DATA GO "M\n" OK, orcpt);
	run_dsn(script, "s@example.org", orcpt);
	free(script);
}

/* --- addresses outside ASCII ---------------------------------------------- */

#define E8	"\xc3\xa9"
#define UTF8	GREET EHLO "S 250-mx.example\nS 250-8BITMIME\nS 250 SMTPUTF8\n"

static const struct {
	const char	*name;
	const char	*script;
	const char	*sender, *second; /* recipient, instead of r2 */
	bool		 header;
	const char	*want;
	const char	*text;		/* of the last result */
} utf8_rows[] = {
	{ "not needed: not said", UTF8 MAIL OK RCPT1 OK RCPT2 OK DATA GO "M\n"
	    OK, NULL, NULL, false, "mail 0 sent sent", NULL },
	{ "a recipient", UTF8 "C MAIL FROM:<s@example.org> SMTPUTF8\n" OK RCPT1
	    OK "C RCPT TO:<" E8 "@x>\n" OK DATA GO "M\n" OK, NULL, E8 "@x",
	    false, "mail 0 sent sent", NULL },
	{ "the sender", UTF8 "C MAIL FROM:<" E8 "@x> SMTPUTF8\n" OK RCPT1 OK
	    RCPT2 OK DATA GO "M\n" OK, E8 "@x", NULL, false,
	    "mail 0 sent sent", NULL },
	{ "the header", UTF8 "C MAIL FROM:<s@example.org> SMTPUTF8\n" OK RCPT1
	    OK RCPT2 OK DATA GO "M\n" OK, NULL, NULL, true,
	    "mail 0 sent sent", NULL },
	{ "not offered: that recipient", PLAIN MAIL OK RCPT1 OK DATA GO "M\n"
	    OK, NULL, E8 "@x", false, "mail 0 sent utf8",
	    "the server does not know addresses outside ASCII (SMTPUTF8), "
	    "as that of the recipient" },
	{ "not offered: of the sender", PLAIN, E8 "@x", NULL, false,
	    "mail 0 utf8 utf8", "the server does not know addresses outside "
	    "ASCII (SMTPUTF8), as that of the sender" },
	{ "not offered: in the header", PLAIN, NULL, NULL, true,
	    "mail 0 utf8 utf8", "the server does not know addresses outside "
	    "ASCII (SMTPUTF8), as that of somebody in the header" },
	{ "a control character is another matter", UTF8 MAIL OK RCPT1 OK DATA
	    GO "M\n" OK, NULL, "a\rb@x", false, "mail 0 sent badaddr", NULL },
};

static void
test_mail_utf8(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t i;

	(void)state;
	buf_adds(&body, BODY);
	for (i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++) {
		print_message("%s\n", utf8_rows[i].name);
		mail_init(&mail, &body, 2);
		if (utf8_rows[i].sender != NULL)
			mail.m.sender = utf8_rows[i].sender;
		if (utf8_rows[i].second != NULL) {
			free((void *)(uintptr_t)mail.rcpt[1].addr);
			mail.rcpt[1].addr = xstrdup(utf8_rows[i].second);
		}
		mail.m.utf8 = utf8_rows[i].header;
		s = start(&sv, utf8_rows[i].script);
		sv.body = &body;
		buf_reset(&got);
		converse(&sv, s, &mail, &got, &r);
		assert_string_equal(buf_str(&got), utf8_rows[i].want);
		if (utf8_rows[i].text != NULL)
			assert_string_equal(r.text, utf8_rows[i].text);
		assert_string_equal(sv.script, "");
		stop(&sv, s);
		mail_clear(&mail);
	}
	buf_clear(&body);
	buf_clear(&got);
}

/* --- many recipients ------------------------------------------------------ */

/* Replies in any mix; N commands that are sent in groups. */
static void
run_many(size_t n, bool pipelining, unsigned seed)
{
	static const struct {
		const char	*reply;
		enum result_code code;
	} pool[] = {
		{ "250 ok", R_SENT }, { "251 fwd", R_SENT },
		{ "450 wait", R_LATER }, { "550 who", R_REFUSED },
		{ "552 5.2.2 full", R_LATER },
	};
	enum result_code *want = xcalloc(n, sizeof(*want));
	struct buf body = BUF_INIT, script = BUF_INIT, replies = BUF_INIT;
	struct buf got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t i, k, octets = strlen(MAIL), accepted = 0;

	buf_adds(&body, BODY);
	mail_init(&mail, &body, n);
	buf_adds(&script, pipelining ? PIPE MAIL : PLAIN MAIL OK);
	if (pipelining)
		buf_adds(&replies, OK);
	for (i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		k = seed / 65536 % (sizeof(pool) / sizeof(pool[0]));
		want[i] = pool[k].code;
		accepted += want[i] == R_SENT;
		buf_printf(&script, "C RCPT TO:<%s>\n", mail.rcpt[i].addr);
		buf_printf(&replies, "S %s\n", pool[k].reply);
		octets += strlen("RCPT TO:<>\r\n") + strlen(mail.rcpt[i].addr);
		if (!pipelining || octets > 8192) {
			buf_adds(&script, buf_str(&replies));
			buf_reset(&replies);
			octets = 0;
		}
	}
	if (accepted > 0 || replies.len > 0) {
		buf_printf(&script, DATA "%s%s", buf_str(&replies),
		    accepted > 0 ? GO "M\n" OK : "S 554 none\n");
	}
	s = start(&sv, buf_str(&script));
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	for (i = 0; i < n; i++)
		assert_int_equal(mail.rcpt[i].result.code, want[i]);
	assert_string_equal(sv.script, "");
	stop(&sv, s);
	mail_clear(&mail);
	free(want);
	buf_clear(&body);
	buf_clear(&script);
	buf_clear(&replies);
	buf_clear(&got);
}

static void
test_mail_many_recipients(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 100, 240, 290, 294, 295,
	    296, 297, 298, 299, 1000 };
	unsigned seed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (seed = 1; seed < 9; seed++) {
			run_many(counts[i], false, seed);
			run_many(counts[i], true, seed);
		}
}

/* --- big messages --------------------------------------------------------- */

static void
big_body(struct buf *body, size_t size)
{
	while (body->len + 2 < size)
		buf_adds(body, body->len % 7 == 0 ? "\r\n." :
		    body->len % 3 == 0 ? "x\r\n.\r\n" : "text");
	body->len = size - 2;
	buf_adds(body, "\r\n");
}

/* Sizes around the blocks in which the message is read. */
static void
test_mail_block_boundaries(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t size;

	(void)state;
	for (size = 10200; size < 30800; size += size % 10240 > 10200 ||
	    size % 10240 < 40 ? 1 : 997) {
		buf_reset(&body);
		big_body(&body, size);
		mail_init(&mail, &body, 1);
		s = start(&sv, PLAIN MAIL OK RCPT1 OK DATA GO "M\n" OK);
		sv.body = &body;
		converse(&sv, s, &mail, &got, &r);
		assert_int_equal(r.code, R_SENT);
		stop(&sv, s);
		mail_clear(&mail);
	}
	buf_clear(&body);
	buf_clear(&got);
}

static void
test_mail_empty_message(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;

	(void)state;
	mail_init(&mail, &body, 1);
	s = start(&sv, PLAIN MAIL OK RCPT1 OK DATA GO "C .\n" OK);
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), "mail 0 sent");
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&got);
}

static void
test_mail_premature_reply(void **state)
{
	static const struct row table[] = {
		{ "5yz in the middle, and closes", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nS 552 5.3.4 too big\nX\n", 1,
		    "mail refused refused",
		    "552 5.3.4 too big (in reply to the message)" },
		{ "the same, and takes no more", PLAIN MAIL OK RCPT1 OK DATA
		    GO "Z\nS 552 5.3.4 too big\nX\n", 1,
		    "mail refused refused", NULL },
		{ "5yz in the middle, stays open", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nS 554 no\n", 1, "mail refused refused", NULL },
		{ "5yz in the middle, and more", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nS 554 no\nS 500 what\n", 1, "mail later later",
		    NULL },
		{ "4yz in the middle", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nS 451 disk full\n", 1, "mail later later", NULL },
		{ "421 in the middle", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nS 421 bye\n", 1, "mail later later", NULL },
		{ "250 in the middle", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nS 250 thanks\n", 1, "mail proto proto", NULL },
		{ "250 while it takes no more", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nB\nZ\nS 250 thanks\n", 1, "mail proto proto unsure",
		    NULL },
		{ "552 while it takes no more", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nB\nZ\nS 552 full\n", 1, "mail refused refused",
		    NULL },
		{ "closes in the middle", PLAIN MAIL OK RCPT1 OK DATA
		    GO "B\nX\n", 1, "mail lost lost",
		    "connection closed by the server (in reply to the "
		    "message)" },
	};
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t i;

	(void)state;
	big_body(&body, 30000);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		mail_init(&mail, &body, 1);
		s = start(&sv, table[i].script);
		sv.body = &body;
		converse(&sv, s, &mail, &got, &r);
		assert_string_equal(buf_str(&got), table[i].want);
		if (table[i].text != NULL)
			assert_string_equal(r.text, table[i].text);
		/* the state is not clear: not even QUIT */
		smtp_quit(s);
		assert_string_equal(sv.script, "");
		stop(&sv, s);
		mail_clear(&mail);
	}
	buf_clear(&body);
	buf_clear(&got);
}

/* A file that is shorter than it should be must not look complete. */
static void
test_mail_short_file(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;

	(void)state;
	big_body(&body, 30000);
	mail_init(&mail, &body, 2);
	mail.m.size++;
	s = start(&sv, PIPE MAIL RCPT1 RCPT2 DATA OK "S 550 who\n" OK GO
	    "B\nB\nB\n");
	sv.body = &body;
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), "mail localerr refused localerr");
	smtp_quit(s);
	stop(&sv, s);
	mail_clear(&mail);

	mail_init(&mail, &body, 1);
	close(mail.m.fd);
	mail.m.fd = -1;
	s = start(&sv, PLAIN MAIL OK RCPT1 OK DATA GO);
	converse(&sv, s, &mail, &got, &r);
	assert_string_equal(buf_str(&got), "mail localerr localerr");
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

/* --- any server ----------------------------------------------------------- */

struct chaos {
	unsigned seed;
	bool	 dotted;	/* the last flush ended the message */
	bool	 answered;	/* and one whole reply came since */
	int	 answer;	/* of this class */
	struct buf out;
};

static unsigned
draw(struct chaos *c, unsigned n)
{
	c->seed = c->seed * 1103515245 + 12345;
	return c->seed / 65536 % n;
}

static void
chaos_limit(void *arg, int64_t ms)
{
	(void)arg;
	assert_true(ms > 0);
}

static void
chaos_deadline(void *arg, int ms)
{
	(void)arg;
	assert_true(ms > 0);
}

static int
chaos_write(void *arg, const void *data, size_t len, struct result *r)
{
	struct chaos *c = arg;

	(void)r;
	buf_add(&c->out, data, len);
	return 0;
}

static int
chaos_flush(void *arg, struct result *r)
{
	struct chaos *c = arg;

	c->dotted = c->out.len > sizeof(BODY) &&
	    memcmp(c->out.data + c->out.len - 5, "\r\n.\r\n", 5) == 0;
	c->answered = false;
	buf_reset(&c->out);
	if (draw(c, 60) == 0) {
		result_set(r, R_LOST, "broken");
		return -1;
	}
	return draw(c, 60) == 0;
}

static bool
chaos_pending(void *arg)
{
	return draw(arg, 60) == 0;
}

static ssize_t
chaos_readline(void *arg, char *buf, size_t size, struct result *r)
{
	static const char *const pool[] = { "250 2.0.0 ok", "251 ok",
	    "250-PIPELINING", "250-8BITMIME", "354 go", "450 wait",
	    "550 no", "421 bye", "2500", "25", "", "250-x",
	    "999 x", "250x" };
	struct chaos *c = arg;
	const char *s;

	/* often what makes it go on */
	if (draw(c, 4) != 0)
		s = draw(c, 5) != 0 ? "250 ok" : "354 go";
	else
		s = pool[draw(c, sizeof(pool) / sizeof(pool[0]))];
	if (draw(c, 60) == 0) {
		result_set(r, R_LOST, "gone");
		return -1;
	}
	if (!c->answered) {
		c->answered = strlen(s) < 4 || s[3] != '-';
		c->answer = strlen(s) > 3 && s[3] == ' ' && s[0] < '6' ?
		    s[0] - '0' : 0;
	}
	(void)strlcpy(buf, s, size);
	return (ssize_t)strlen(s);
}

/*
 * Whatever a server says: every recipient gets a result, and "sent" only
 * where the reply to the end of the message was a 2yz.
 */
static void
test_mail_any_server(void **state)
{
	struct chaos c = { .seed = 7, .out = BUF_INIT };
	const struct smtp_io io = { &c, chaos_limit, chaos_deadline, chaos_readline,
	    chaos_write, chaos_flush, chaos_pending };
	struct buf body = BUF_INIT;
	struct result r;
	struct mail mail;
	struct smtp *s;
	size_t i, sent = 0;
	int n, rv;

	(void)state;
	buf_adds(&body, BODY);
	mail_init(&mail, &body, 3);
	for (n = 0; n < 100000; n++) {
		for (i = 0; i < 3; i++)
			mail.rcpt[i].result.code = R_MAX;
		s = smtp_new(&io, &params);
		rv = smtp_hello(s, SMTP_EHLO_OR_HELO, &r);
		if (rv == 0 && draw(&c, 4) == 0)
			rv = smtp_starttls(s, &r);
		if (rv == 0) {
			c.dotted = false;
			rv = smtp_mail(s, &mail.m, &r);
			for (i = 0; i < 3; i++) {
				assert_true(mail.rcpt[i].result.code < R_MAX);
				if (mail.rcpt[i].result.code != R_SENT)
					continue;
				assert_int_equal(rv, 0);
				assert_true(c.dotted && c.answered);
				assert_false(mail.m.unsure);
				assert_int_equal(c.answer, 2);
				sent++;
			}
		}
		if (rv == -1)
			assert_true(r.code != R_SENT);
		smtp_free(s);
	}
	/* or the test would show nothing */
	assert_true(sent > 100);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&c.out);
}

/* --- the dialogue for sendmail -v ----------------------------------------- */

static void
test_trace(void **state)
{
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct server sv;
	struct result r;
	struct mail mail;
	struct smtp *s;

	(void)state;
	buf_adds(&body, BODY);
	mail_init(&mail, &body, 1);
	s = start(&sv, "S 220 \033[31mmx\n" EHLO "S 250 mx\n" MAIL OK RCPT1 OK
	    DATA GO "M\n" OK QUIT);
	sv.body = &body;
	smtp_set_trace(s, keep_trace, &sv);
	converse(&sv, s, &mail, &got, &r);
	smtp_quit(s);
	assert_string_equal(buf_str(&sv.trace), "< 220 ?[31mmx\n"
	    "> EHLO client.example\n< 250 mx\n> MAIL FROM:<s@example.org>\n"
	    "< 250 ok\n> RCPT TO:<r1@example.net>\n< 250 ok\n> DATA\n"
	    "< 354 go\n> .\n< 250 ok\n> QUIT\n");
	stop(&sv, s);
	mail_clear(&mail);
	buf_clear(&body);
	buf_clear(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_result_fields),
		cmocka_unit_test(test_hello_keywords),
		cmocka_unit_test(test_hello_limits),
		cmocka_unit_test(test_hello_thousand_keywords),
		cmocka_unit_test(test_limits_of_time),
		cmocka_unit_test(test_hello_without_helo),
		cmocka_unit_test(test_starttls_refused),
		cmocka_unit_test(test_mail_parameters),
		cmocka_unit_test(test_mail_bad_addresses),
		cmocka_unit_test(test_mail_twice),
		cmocka_unit_test(test_mail_dsn),
		cmocka_unit_test(test_mail_utf8),
		cmocka_unit_test(test_mail_many_recipients),
		cmocka_unit_test(test_mail_block_boundaries),
		cmocka_unit_test(test_mail_empty_message),
		cmocka_unit_test(test_mail_premature_reply),
		cmocka_unit_test(test_mail_short_file),
		cmocka_unit_test(test_mail_any_server),
		cmocka_unit_test(test_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
