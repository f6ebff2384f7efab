/* SPDX-License-Identifier: ISC */
/*
 * One mail transaction, up to DATA.  The envelope goes in groups: one command
 * each, or as many as fit (RFC 2920) where the server offers PIPELINING;
 * replies are matched in order.
 */
#include "config.h"

#include "smtp/smtp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/xmalloc.h"
#include "smtp/params.h"
#include "smtp/session.h"
#include "smtp/transaction.h"

/* Octets of commands in a group: both sides' socket buffers hold that. */
#define GROUP_MAX	8192
/* RFC 5321 section 4.5.3.1.3, and some; a command must hold it. */
#define ADDRESS_MAX	320

/* The commands of an envelope are numbered; recipient 0 is FIRST_RCPT. */
enum { RSET, MAIL, FIRST_RCPT };

void
transaction_settle_one(struct transaction *t, size_t i, const struct result *r)
{
	t->m->rcpt[i].result = *r;
	t->state[i] = SETTLED;
}

/* The same result for all that are in this transaction and have none... */
void
transaction_settle(struct transaction *t, const struct result *r)
{
	size_t i;

	for (i = 0; i < t->m->nrcpt; i++)
		if (t->state[i] == OPEN || t->state[i] == ACCEPTED)
			transaction_settle_one(t, i, r);
}

/* ...and for those that are left as well: there will be no other. */
static void
settle_all(struct transaction *t, const struct result *r)
{
	size_t i;

	for (i = 0; i < t->m->nrcpt; i++)
		if (t->state[i] != SETTLED)
			transaction_settle_one(t, i, r);
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
void
transaction_refusal(const struct transaction *t, const struct reply *rp,
    const char *what, struct result *r)
{
	enum result_code code = R_REFUSED;

	/* 552 is "too many recipients" here (RFC 5321 section 4.5.3.1.10) */
	if (rp->code < 500 || is_demand(rp) ||
	    (rp->code == 552 && strcmp(what, IN_RCPT) == 0))
		code = R_LATER;
	session_verdict(t->s, rp, code, what, r);
}

/* --- what can be said without asking ---------------------------------------*/

/* A control character would be a command of its own. */
static bool
is_sendable(const char *addr)
{
	size_t n;

	for (n = 0; addr[n] != '\0'; n++)
		if ((unsigned char)addr[n] < ' ' || addr[n] == 0x7f)
			return false;
	return n <= ADDRESS_MAX;
}

/*
 * Without SMTPUTF8 (RFC 6531 section 3.2) there is no other form of an address
 * that needs it: not of the sender's, of one in the header, or of RCPT's.
 */
static bool
lacks_utf8(const struct transaction *t, const struct smtp_rcpt *rcpt)
{
	return (t->s->offers & SMTP_UTF8) == 0 && (t->m->utf8 ||
	    addr_needs_utf8(t->m->sender) || addr_needs_utf8(rcpt->addr));
}

static void
check_rcpt(struct transaction *t, size_t i)
{
	const struct smtp_rcpt *rcpt = &t->m->rcpt[i];
	struct result r;

	if (!is_sendable(rcpt->addr))
		result_set(&r, R_BADADDR, "address cannot be sent");
	else if (lacks_utf8(t, rcpt)) {
		result_set(&r, R_UTF8, "the server does not know addresses "
		    "outside ASCII (SMTPUTF8), as that of %s",
		    addr_needs_utf8(rcpt->addr) ? "the recipient" :
		    addr_needs_utf8(t->m->sender) ? "the sender" :
		    "somebody in the header");
		(void)strlcpy(r.host, t->s->peer, sizeof(r.host));
	} else
		return;
	transaction_settle_one(t, i, &r);
}

/* Settle what must not be sent.  Whether anything is left to do. */
static bool
check(struct transaction *t)
{
	const struct smtp_message *m = t->m;
	const struct smtp *s = t->s;
	struct result r;
	size_t i, left = 0;

	if (s->size_max != 0 && (uint64_t)m->size > s->size_max) {
		result_set(&r, R_TOOBIG, "message of %jd octets; the server "
		    "takes %" PRIu64, (intmax_t)m->size, s->size_max);
		(void)strlcpy(r.host, s->peer, sizeof(r.host));
		transaction_settle(t, &r);
	} else if (!is_sendable(m->sender)) {
		result_set(&r, R_BADADDR, "sender address cannot be sent");
		transaction_settle(t, &r);
	}
	for (i = 0; i < m->nrcpt; i++) {
		if (t->state[i] == OPEN)
			check_rcpt(t, i);
		left += t->state[i] == OPEN;
	}
	return left > 0;
}

/* --- as many recipients as the server takes ------------------------------- */

static const char *
domain_of(const char *addr)
{
	const char *at = strrchr(addr, '@');

	return at != NULL ? at : "";
}

/* Whether the domain of recipient I is that of one that is OPEN before it. */
static bool
is_known_domain(const struct transaction *t, size_t i)
{
	const struct smtp_rcpt *rcpt = t->m->rcpt;
	size_t k;

	for (k = i; k-- > 0; )
		if (t->state[k] == OPEN && strcasecmp(domain_of(rcpt[k].addr),
		    domain_of(rcpt[i].addr)) == 0)
			return true;
	return false;
}

/* Keep to RCPTMAX and RCPTDOMAINMAX (RFC 9422); the rest is left. */
static void
select_rcpts(struct transaction *t)
{
	const struct smtp *s = t->s;
	uint64_t domains = 0, rcpts = 0;
	bool fresh;
	size_t i;

	if (s->rcpt_max == 0 && s->domain_max == 0)
		return;
	for (i = 0; i < t->m->nrcpt; i++) {
		if (t->state[i] != OPEN)
			continue;
		fresh = s->domain_max != 0 && !is_known_domain(t, i);
		if ((s->rcpt_max != 0 && rcpts >= s->rcpt_max) ||
		    (fresh && domains >= s->domain_max)) {
			t->state[i] = LEFT;
			continue;
		}
		rcpts++;
		domains += fresh;
	}
}

/*
 * "Too many recipients", which need not come with the enhanced code that
 * says so; without one it can as well mean this recipient, who then is told
 * so alone.
 */
static bool
is_too_many(const struct transaction *t, const struct reply *rp)
{
	return t->accepted > 0 && (rp->code == 452 || rp->code == 552) &&
	    (rp->esc[0] == '\0' || strcmp(rp->esc + 1, ".5.3") == 0);
}

/* What was not asked yet need not be. */
static void
leave_open(struct transaction *t)
{
	size_t i;

	for (i = 0; i < t->m->nrcpt; i++)
		if (t->state[i] == OPEN)
			t->state[i] = LEFT;
}

/* The end: those that are left are told from those that had their chance. */
static void
mark_left(struct transaction *t)
{
	struct result r;
	size_t i;

	result_set(&r, R_LATER, "the server takes no more recipients at a "
	    "time");
	(void)strlcpy(r.host, t->s->peer, sizeof(r.host));
	for (i = 0; i < t->m->nrcpt; i++)
		if (t->state[i] == LEFT) {
			transaction_settle_one(t, i, &r);
			t->m->rcpt[i].again = true;
		}
}

/* --- the envelope --------------------------------------------------------- */

/* Whether somebody in this transaction needs it. */
static bool
needs_utf8(const struct transaction *t)
{
	bool needs = t->m->utf8 || addr_needs_utf8(t->m->sender);
	size_t i;

	for (i = 0; i < t->m->nrcpt && !needs; i++)
		needs = t->state[i] == OPEN &&
		    addr_needs_utf8(t->m->rcpt[i].addr);
	return needs;
}

static int
write_mail(struct transaction *t, struct result *r)
{
	struct buf params = BUF_INIT;
	int rv;

	params_mail(&params, t->s, t->m, needs_utf8(t));
	rv = session_command(t->s, IN_MAIL, r, "MAIL FROM:<%s>%s",
	    t->m->sender, buf_str(&params));
	buf_clear(&params);
	return rv;
}

static int
write_rcpt(struct transaction *t, const struct smtp_rcpt *rcpt,
    struct result *r)
{
	struct buf params = BUF_INIT;
	int rv;

	params_rcpt(&params, t->s, rcpt);
	rv = session_command(t->s, IN_RCPT, r, "RCPT TO:<%s>%s", rcpt->addr,
	    buf_str(&params));
	buf_clear(&params);
	return rv;
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
		return write_rcpt(t, &t->m->rcpt[i - FIRST_RCPT], r);
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
	size_t asked = 0, i = *next;

	if (session_ready(t->s, IN_MAIL, r) == -1)
		return -1;
	for (; i < end; i++) {
		wanted[i] = is_wanted(t, i, asked);
		if (!wanted[i])
			continue;
		if (write_command(t, i, r) == -1)
			return -1;
		asked += i >= FIRST_RCPT && i < end - 1;
		if (!(t->s->offers & SMTP_PIPELINING) ||
		    t->s->unsent > GROUP_MAX) {
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
	t->m->busy = rp->code < 500;
	transaction_refusal(t, rp, IN_MAIL, r);
	settle_all(t, r);
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
	if (t->refused)
		return 0;
	if (is_too_many(t, rp)) {
		leave_open(t);
		return 0;
	}
	transaction_refusal(t, rp, IN_RCPT, r);
	transaction_settle_one(t, i, r);
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

	/* nor has LMTP replies to wait for then */
	if (t->odd || t->s->lmtp)
		return session_odd(t->s, rp, IN_DATA, r);
	reply_init(&end);
	t->s->open = true;
	if (session_ready(t->s, IN_DATA, r) == -1 ||
	    session_command(t->s, IN_DATA, r, ".") == -1 ||
	    session_flush(t->s, IN_DATA, r) == -1)
		return -1;
	return session_reply(t->s, IN_END, t->s->data_timeout, &end, NULL, r);
}

/*
 * A refusal of the message.  One for now is for those that are left as well:
 * the message is not sent again and again.
 */
void
transaction_refuse(struct transaction *t, const struct reply *rp,
    const char *what, struct result *r)
{
	transaction_refusal(t, rp, what, r);
	t->m->busy = rp->code < 500;
	if (result_is_temporary(r))
		settle_all(t, r);
	else
		transaction_settle(t, r);
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
	if (t->accepted > 0)
		transaction_refuse(t, rp, IN_DATA, r);
	return 0;
}

static int
on_reply(struct transaction *t, size_t i, size_t end, struct result *r)
{
	struct reply rp;
	const char *what = i == RSET ? "RSET" : i == MAIL ? IN_MAIL :
	    i < end - 1 ? IN_RCPT : IN_DATA;

	reply_init(&rp);
	if (session_reply(t->s, what, i == end - 1 ? session_ms(t->s,
	    SESSION_DATA) : t->s->reply_timeout, &rp, NULL, r) == -1)
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

/* --- all of it ------------------------------------------------------------ */

bool
transaction_converts(const struct transaction *t)
{
	return t->m->eightbit && (t->s->offers & SMTP_8BITMIME) == 0;
}

/* ms for all but the reply to the end of the data */
static int64_t
time_for(const struct smtp *s, const struct smtp_message *m)
{
	return 2 * (int64_t)s->reply_timeout +
	    (int64_t)m->size * (1000 / SMTP_MIN_RATE);
}

int
smtp_mail(struct smtp *s, struct smtp_message *m, struct result *r)
{
	struct transaction t = { .s = s, .m = m, .rset = s->open };
	size_t i;
	int rv = 0;

	m->unsure = m->busy = false;
	for (i = 0; i < m->nrcpt; i++)
		m->rcpt[i].again = false;
	m->dsn = (s->offers & SMTP_DSN) != 0;
	t.state = xcalloc(m->nrcpt + 1, sizeof(*t.state));
	if (check(&t)) {
		select_rcpts(&t);
		s->mails++;
		s->io.limit(s->io.arg, time_for(s, m));
		if ((rv = send_envelope(&t, r)) == 0 && t.go)
			rv = transaction_data(&t, r);
		if (rv == -1 && result_is_permanent(r))
			transaction_settle(&t, r);
		else if (rv == -1)
			settle_all(&t, r);
		mark_left(&t);
	}
	free(t.state);
	return rv;
}
