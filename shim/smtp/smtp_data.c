/* SPDX-License-Identifier: ISC */
/*
 * The message of a transaction, from the 354 to the reply to its end: one for
 * all recipients, or with LMTP one for each (RFC 2033 section 4.2).  The end
 * is never sent with anything behind it, and a recipient counts as sent only
 * after a 2yz to it.
 */
#include "config.h"

#include "smtp/transaction.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "smtp/dot.h"
#include "smtp/session.h"
#include "smtp/sevenbit.h"

/* Octets of the message in a block; stuffed, it fits in the 16 KB of net.h. */
#define BLOCK		10240
#define BLOCK_8		1024	/* of one that is converted */
_Static_assert(DOT_MAX(BLOCK) + DOT_END_MAX <= 16384, "a block in one write");
_Static_assert(DOT_MAX(SEVENBIT_MAX(BLOCK_8)) + DOT_END_MAX <= 16384,
    "a block in one write");

struct outlet {			/* of a message */
	char		 block[BLOCK];
	size_t		 size;		/* of a block */
	struct sevenbit	*seven;		/* or NULL: it goes as it is */
	struct dot	 dot;
};

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
	transaction_refusal(t, &rp, IN_MESSAGE, r);
	/* of LMTP it is not known for whom it speaks */
	if (!begun || s->lmtp || (s->io.pending(s->io.arg) && !(session_reply(s,
	    IN_MESSAGE, s->reply_timeout, &more, NULL, &end) == -1 &&
	    end.code == R_LOST)))
		session_verdict(s, &rp, R_LATER, IN_MESSAGE, r);
	return -1;
}

/* The next block of the message.  Its length, or -1 with *R. */
static ssize_t
read_block(struct transaction *t, struct outlet *o, off_t at,
    struct result *r)
{
	off_t left = t->m->size - at;
	size_t want = left < (off_t)o->size ? (size_t)left : o->size;
	ssize_t n;

	while ((n = pread(t->m->fd, o->block, want, t->m->start + at)) == -1 &&
	    errno == EINTR)
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

static int
to_dot(void *arg, const void *data, size_t len)
{
	return dot_add(arg, data, len);
}

/* The next block on its way to the server.  Its length, or -1. */
static ssize_t
send_block(struct transaction *t, struct outlet *o, off_t at)
{
	ssize_t n = read_block(t, o, at, t->r);
	int rv;

	if (n == -1)
		return -1;
	rv = o->seven != NULL ? sevenbit_feed(o->seven, o->block, (size_t)n) :
	    dot_add(&o->dot, o->block, (size_t)n);
	return rv == 0 ? n : -1;
}

static int
send_end(struct transaction *t, struct outlet *o)
{
	if (o->seven != NULL && sevenbit_end(o->seven) != 0)
		return -1;
	session_trace(t->s, '>', ".");
	t->m->unsure = true;
	return dot_end(&o->dot);
}

/* The message and its end.  0 when all is on its way. */
static int
send_blocks(struct transaction *t, struct outlet *o)
{
	struct smtp *s = t->s;
	off_t at = 0;
	ssize_t n;
	bool last;
	int rv;

	do {
		if (s->io.pending(s->io.arg))
			return premature(t, at > 0, t->r);
		if (at < t->m->size) {
			if ((n = send_block(t, o, at)) == -1)
				return -1;
			at += n;
		}
		if ((last = at == t->m->size) && send_end(t, o) == -1)
			return -1;
		if ((rv = session_flush(s, IN_MESSAGE, t->r)) == 1)
			return premature(t, true, t->r);
	} while (rv == 0 && !last);
	return rv;
}

static int
send_data(struct transaction *t)
{
	const struct smtp_message *m = t->m;
	struct outlet o = { .size = BLOCK };
	int rv;

	dot_init(&o.dot, sink, t);
	if (transaction_converts(t)) {
		o.size = BLOCK_8;
		o.seven = sevenbit_new(m->fd, m->start, m->size, to_dot,
		    &o.dot);
	}
	rv = send_blocks(t, &o);
	sevenbit_free(o.seven);
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

/* A reply to the end. */
static int
read_answer(struct transaction *t, struct reply *rp, struct result *r)
{
	t->s->io.limit(t->s->io.arg, t->s->data_timeout);
	reply_init(rp);
	if (session_reply(t->s, IN_END, t->s->data_timeout, rp, NULL, r) == -1)
		return no_answer(t, r);
	return rp->code / 100 == 3 ? session_odd(t->s, rp, IN_END, r) : 0;
}

/* Each recipient that was accepted has a reply of its own, in order. */
static int
read_answers(struct transaction *t, struct result *r)
{
	struct reply rp;
	size_t i;

	for (i = 0; i < t->m->nrcpt; i++) {
		if (t->state[i] != ACCEPTED)
			continue;
		if (read_answer(t, &rp, r) == -1)
			return -1;
		if (rp.code / 100 == 2)
			session_verdict(t->s, &rp, R_SENT, IN_END, r);
		else
			transaction_refusal(t, &rp, IN_END, r);
		transaction_settle_one(t, i, r);
		if (t->m->answered != NULL)
			t->m->answered(t->m->arg, &t->m->rcpt[i]);
	}
	t->m->unsure = false;
	t->s->open = false;
	return 0;
}

int
transaction_data(struct transaction *t, struct result *r)
{
	struct reply rp;

	t->r = r;
	if (send_data(t) == -1)
		return -1;
	/* from here on the mail may be the server's */
	if (t->s->lmtp)
		return read_answers(t, r);
	if (read_answer(t, &rp, r) == -1)
		return -1;
	t->m->unsure = false;
	t->s->open = false;
	if (rp.code / 100 != 2) {
		transaction_refuse(t, &rp, IN_END, r);
		return 0;
	}
	session_verdict(t->s, &rp, R_SENT, IN_END, r);
	transaction_settle(t, r);
	return 0;
}
