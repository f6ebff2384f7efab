/* SPDX-License-Identifier: ISC */
/*
 * One mail transaction.  The envelope goes in groups: one command each, or as
 * many as fit (RFC 2920) where the server offers PIPELINING; replies are
 * matched in order.  The end of the data is never sent with anything behind
 * it.  A recipient counts as sent only after a 2yz to that end.
 */
#include "config.h"

#include "smtp/smtp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "smtp/dot.h"
#include "smtp/session.h"

/* Octets of commands in a group: both sides' socket buffers hold that. */
#define GROUP_MAX	8192
/* Octets of the message in a block; stuffed, it fits in the 16 KB of net.h. */
#define BLOCK		10240
_Static_assert(DOT_MAX(BLOCK) + DOT_END_MAX <= 16384, "a block in one write");
/* RFC 5321 section 4.5.3.1.3, and some; a command must hold it. */
#define ADDRESS_MAX	320

/* What is replied to, in texts. */
#define IN_MAIL		"MAIL FROM"
#define IN_RCPT		"RCPT TO"
#define IN_DATA		"DATA"
#define IN_MESSAGE	"the message"
#define IN_END		"the end of the message"

enum state {
	OPEN,			/* no reply yet */
	ACCEPTED,		/* 2yz to RCPT */
	SETTLED			/* the result is known */
};

struct transaction {
	struct smtp		*s;
	struct smtp_message	*m;
	enum state		*state;	/* of each recipient */
	size_t			 accepted;
	bool			 rset;	/* began with RSET */
	bool			 refused; /* MAIL was */
	bool			 odd;	/* RCPT accepted without MAIL */
	bool			 go;	/* 354 */
	struct result		*r;	/* for sink() */
};

/* The commands of an envelope are numbered; recipient 0 is FIRST_RCPT. */
enum { RSET, MAIL, FIRST_RCPT };

static void
settle(struct transaction *t, size_t i, const struct result *r)
{
	t->m->rcpt[i].result = *r;
	t->state[i] = SETTLED;
}

/* The same result for all that have none. */
static void
settle_rest(struct transaction *t, const struct result *r)
{
	size_t i;

	for (i = 0; i < t->m->nrcpt; i++)
		if (t->state[i] != SETTLED)
			settle(t, i, r);
}

/* A demand for authentication or TLS: our configuration, not the mail. */
static bool
is_demand(const struct reply *rp)
{
	static const char *const escs[] = { "5.7.8", "5.7.9", "5.7.10",
	    "5.7.11", "5.7.12", "5.7.13", "5.7.14" };
	size_t i;

	if (rp->code == 530 || rp->code == 534 || rp->code == 535 ||
	    rp->code == 538)
		return true;
	for (i = 0; i < sizeof(escs) / sizeof(escs[0]); i++)
		if (strcmp(rp->esc, escs[i]) == 0)
			return true;
	return false;
}

/* The result of a 4yz or 5yz. */
static void
refusal(const struct transaction *t, const struct reply *rp, const char *what,
    struct result *r)
{
	enum result_code code = R_REFUSED;

	/* 552 is "too many recipients" here (RFC 5321 section 4.5.3.1.10) */
	if (rp->code < 500 || is_demand(rp) ||
	    (rp->code == 552 && strcmp(what, IN_RCPT) == 0))
		code = R_LATER;
	session_verdict(t->s, rp, code, what, r);
}

/* --- what can be said without asking ---------------------------------------*/

/*
 * A control character would be a command of its own; other octets outside
 * ASCII need SMTPUTF8 (RFC 6531), which no server is asked for.
 */
static bool
is_sendable(const char *addr)
{
	size_t n;

	for (n = 0; addr[n] != '\0'; n++)
		if (addr[n] < ' ' || addr[n] > '~')
			return false;
	return n <= ADDRESS_MAX;
}

/* Settle what must not be sent.  Whether anything is left to do. */
static bool
check(struct transaction *t)
{
	const struct smtp_message *m = t->m;
	const struct smtp *s = t->s;
	struct result r;
	size_t i, left = 0;

	if (s->limit != 0 && (uint64_t)m->size > s->limit) {
		result_set(&r, R_TOOBIG, "message of %jd octets; the server "
		    "takes %" PRIu64, (intmax_t)m->size, s->limit);
		(void)strlcpy(r.host, s->peer, sizeof(r.host));
		settle_rest(t, &r);
	} else if (!is_sendable(m->sender)) {
		result_set(&r, R_BADADDR, "sender address cannot be sent");
		settle_rest(t, &r);
	}
	for (i = 0; i < m->nrcpt; i++) {
		if (t->state[i] == OPEN && !is_sendable(m->rcpt[i].addr)) {
			result_set(&r, R_BADADDR, "address cannot be sent");
			settle(t, i, &r);
		}
		left += t->state[i] == OPEN;
	}
	return left > 0;
}

/* --- the envelope --------------------------------------------------------- */

static int
write_mail(struct transaction *t, struct result *r)
{
	const struct smtp_message *m = t->m;
	struct smtp *s = t->s;
	char size[32] = "";

	if (s->offers & SMTP_SIZE)
		(void)snprintf(size, sizeof(size), " SIZE=%jd",
		    (intmax_t)m->size);
	return session_command(s, IN_MAIL, r, "MAIL FROM:<%s>%s%s", m->sender,
	    size, m->eightbit && (s->offers & SMTP_8BITMIME) ?
	    " BODY=8BITMIME" : "");
}

/* Whether command I is sent at all, as far as is known now. */
static bool
is_wanted(const struct transaction *t, size_t i, size_t asked)
{
	if (i == RSET)
		return t->rset;
	if (i == MAIL)
		return true;
	if (i - FIRST_RCPT < t->m->nrcpt)
		return t->state[i - FIRST_RCPT] == OPEN;
	/* no DATA without a recipient that is, or may be, accepted */
	return t->accepted + asked > 0;
}

static int
write_command(struct transaction *t, size_t i, struct result *r)
{
	if (i == RSET)
		return session_command(t->s, "RSET", r, "RSET");
	if (i == MAIL)
		return write_mail(t, r);
	if (i - FIRST_RCPT < t->m->nrcpt)
		return session_command(t->s, IN_RCPT, r, "RCPT TO:<%s>",
		    t->m->rcpt[i - FIRST_RCPT].addr);
	return session_command(t->s, IN_DATA, r, "DATA");
}

/*
 * Send commands from *NEXT on.  *NEXT becomes the first that was not handled,
 * WANTED tells which of them were sent.
 */
static int
send_group(struct transaction *t, size_t *next, size_t end, bool *wanted,
    struct result *r)
{
	size_t asked = 0, i = *next, octets = 0;

	if (session_ready(t->s, IN_MAIL, r) == -1)
		return -1;
	for (; i < end; i++) {
		wanted[i] = is_wanted(t, i, asked);
		if (!wanted[i])
			continue;
		if (write_command(t, i, r) == -1)
			return -1;
		asked += i >= FIRST_RCPT && i < end - 1;
		/* the address, and what is around it */
		octets += i >= FIRST_RCPT && i < end - 1 ?
		    strlen(t->m->rcpt[i - FIRST_RCPT].addr) + 16 : 16;
		if (!(t->s->offers & SMTP_PIPELINING) || octets > GROUP_MAX) {
			i++;
			break;
		}
	}
	*next = i;
	return session_flush(t->s, IN_MAIL, r) == -1 ? -1 : 0;
}

static int
on_mail(struct transaction *t, const struct reply *rp, struct result *r)
{
	switch (rp->code / 100) {
	case 2:
		t->s->open = true;
		return 0;
	case 3:
		return session_odd(t->s, rp, IN_MAIL, r);
	}
	t->refused = true;
	refusal(t, rp, IN_MAIL, r);
	settle_rest(t, r);
	return 0;
}

static int
on_rcpt(struct transaction *t, size_t i, const struct reply *rp,
    struct result *r)
{
	switch (rp->code / 100) {
	case 2:
		if (t->refused) {
			t->odd = true;
			return 0;
		}
		t->state[i] = ACCEPTED;
		t->accepted++;
		return 0;
	case 3:
		return session_odd(t->s, rp, IN_RCPT, r);
	}
	if (!t->refused) {
		refusal(t, rp, IN_RCPT, r);
		settle(t, i, r);
	}
	return 0;
}

/*
 * 354 though nobody was accepted: an empty message ends it (RFC 2920 section
 * 3.1).  It has no recipient, if the server is of the same opinion.
 */
static int
end_unwanted(struct transaction *t, const struct reply *rp, struct result *r)
{
	struct reply end;

	if (t->odd)
		return session_odd(t->s, rp, IN_DATA, r);
	reply_init(&end);
	t->s->open = true;
	if (session_ready(t->s, IN_DATA, r) == -1 ||
	    session_command(t->s, IN_DATA, r, ".") == -1 ||
	    session_flush(t->s, IN_DATA, r) == -1)
		return -1;
	return session_reply(t->s, IN_END, t->s->data_timeout, &end, NULL, r);
}

static int
on_data(struct transaction *t, const struct reply *rp, struct result *r)
{
	switch (rp->code / 100) {
	case 2:
		return session_odd(t->s, rp, IN_DATA, r);
	case 3:
		if (t->accepted == 0)
			return end_unwanted(t, rp, r);
		t->go = true;
		return 0;
	}
	if (t->accepted > 0) {
		refusal(t, rp, IN_DATA, r);
		settle_rest(t, r);
	}
	return 0;
}

static int
on_reply(struct transaction *t, size_t i, size_t end, struct result *r)
{
	struct reply rp;
	const char *what = i == RSET ? "RSET" : i == MAIL ? IN_MAIL :
	    i < end - 1 ? IN_RCPT : IN_DATA;

	reply_init(&rp);
	if (session_reply(t->s, what, t->s->reply_timeout, &rp, NULL, r) == -1)
		return -1;
	if (i == MAIL)
		return on_mail(t, &rp, r);
	if (i == end - 1)
		return on_data(t, &rp, r);
	if (i != RSET)
		return on_rcpt(t, i - FIRST_RCPT, &rp, r);
	if (rp.code / 100 != 2)
		return session_odd(t->s, &rp, what, r);
	t->s->open = false;
	return 0;
}

/* 0 also when nobody was accepted: then t->go is not set. */
static int
send_envelope(struct transaction *t, struct result *r)
{
	size_t done = 0, end = FIRST_RCPT + t->m->nrcpt + 1, next = 0;
	bool *wanted = xcalloc(end, sizeof(*wanted));
	int rv = 0;

	while (rv == 0 && next < end && !t->refused) {
		rv = send_group(t, &next, end, wanted, r);
		for (; rv == 0 && done < next; done++)
			if (wanted[done])
				rv = on_reply(t, done, end, r);
	}
	free(wanted);
	return rv;
}

/* --- the message ---------------------------------------------------------- */

/*
 * A reply before the end of the data.  A 5yz that comes alone, in the middle,
 * can mean nothing but the message; everything else is doubt.
 */
static int
premature(struct transaction *t, bool begun, struct result *r)
{
	struct smtp *s = t->s;
	struct reply rp, more;
	struct result end;

	reply_init(&rp);
	reply_init(&more);
	if (session_reply(s, IN_MESSAGE, s->reply_timeout, &rp, NULL, r) == -1)
		return -1;
	s->dead = true;
	if (rp.code < 400)
		return session_odd(s, &rp, IN_MESSAGE, r);
	t->m->unsure = false;
	refusal(t, &rp, IN_MESSAGE, r);
	if (!begun || (s->io.pending(s->io.arg) && !(session_reply(s,
	    IN_MESSAGE, s->reply_timeout, &more, NULL, &end) == -1 &&
	    end.code == R_LOST)))
		session_verdict(s, &rp, R_LATER, IN_MESSAGE, r);
	return -1;
}

/* The next block of the message.  Its length, or -1 with *R. */
static ssize_t
read_block(struct transaction *t, char *block, off_t at, struct result *r)
{
	off_t left = t->m->size - at;
	ssize_t n;

	while ((n = pread(t->m->fd, block, left < BLOCK ? (size_t)left : BLOCK,
	    t->m->start + at)) == -1 && errno == EINTR)
		;
	if (n > 0)
		return n;
	/* without its end the server keeps nothing of it */
	return session_fail(t->s, R_LOCALERR, IN_MESSAGE, n == 0 ?
	    "the message file is too short" : strerror(errno), r);
}

static int
sink(void *arg, const void *data, size_t len)
{
	struct transaction *t = arg;

	return session_write(t->s, IN_MESSAGE, data, len, t->r);
}

/* The message and its end.  0 when all is on its way. */
static int
send_data(struct transaction *t)
{
	struct smtp *s = t->s;
	struct dot dot;
	char block[BLOCK];
	off_t at = 0;
	ssize_t n;
	bool last;
	int rv;

	dot_init(&dot, sink, t);
	do {
		if (s->io.pending(s->io.arg))
			return premature(t, at > 0, t->r);
		if (at < t->m->size) {
			if ((n = read_block(t, block, at, t->r)) == -1 ||
			    dot_add(&dot, block, (size_t)n) == -1)
				return -1;
			at += n;
		}
		if ((last = at == t->m->size)) {
			session_trace(s, '>', ".");
			t->m->unsure = true;
			if (dot_end(&dot) == -1)
				return -1;
		}
		if ((rv = session_flush(s, IN_MESSAGE, t->r)) == 1)
			return premature(t, true, t->r);
	} while (rv == 0 && !last);
	return rv;
}

/* What became of it is not known: no reply, or none that is one. */
static int
no_answer(struct transaction *t, struct result *r)
{
	/* a 421 is an answer */
	t->m->unsure = r->code != R_LATER;
	if (r->code == R_LOST)
		(void)session_fail(t->s, R_LOST, IN_END,
		    strncmp(r->text, "timed out", 9) == 0 ?
		    "timed out; it may have been delivered" :
		    "connection lost; it may have been delivered", r);
	return -1;
}

static int
send_message(struct transaction *t, struct result *r)
{
	struct reply rp;

	t->r = r;
	if (send_data(t) == -1)
		return -1;
	/* from here on the mail may be the server's */
	reply_init(&rp);
	if (session_reply(t->s, IN_END, t->s->data_timeout, &rp, NULL, r) ==
	    -1)
		return no_answer(t, r);
	if (rp.code / 100 == 3)
		return session_odd(t->s, &rp, IN_END, r);
	t->m->unsure = false;
	t->s->open = false;
	if (rp.code / 100 == 2)
		session_verdict(t->s, &rp, R_SENT, IN_END, r);
	else
		refusal(t, &rp, IN_END, r);
	settle_rest(t, r);
	return 0;
}

int
smtp_mail(struct smtp *s, struct smtp_message *m, struct result *r)
{
	struct transaction t = { .s = s, .m = m, .rset = s->open };
	int rv = 0;

	m->unsure = false;
	t.state = xcalloc(m->nrcpt + 1, sizeof(*t.state));
	if (check(&t)) {
		if ((rv = send_envelope(&t, r)) == 0 && t.go)
			rv = send_message(&t, r);
		if (rv == -1)
			settle_rest(&t, r);
	}
	free(t.state);
	return rv;
}
