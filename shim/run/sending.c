/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "run/sending.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "smtp/smtp.h"

struct pass {
	struct sending	*s;
	struct smtp_message msg;
};

size_t
sending_choose(struct delivery_rcpt *const *rcpt, size_t n, bool again,
    struct delivery_rcpt **who)
{
	size_t i, chosen = 0;

	for (i = 0; i < n; i++)
		if (!again || rcpt[i]->again)
			who[chosen++] = rcpt[i];
	return chosen;
}

static void
take(struct delivery_rcpt *to, const struct smtp_rcpt *from)
{
	to->result = from->result;
	to->again = from->again;
}

static void
on_answer(void *arg, const struct smtp_rcpt *rcpt)
{
	const struct pass *p = arg;
	struct delivery_rcpt *who = p->s->who[rcpt - p->msg.rcpt];

	take(who, rcpt);
	if (p->s->answered != NULL)
		p->s->answered(p->s->arg, who);
}

int
sending_run(struct sending *s, struct smtp *smtp, struct result *r)
{
	const struct delivery *m = s->m;
	struct pass p = { .s = s, .msg = { .sender = m->sender,
	    .envid = m->envid, .ret = m->ret, .fd = m->fd, .start = m->start,
	    .size = m->size, .eightbit = m->eightbit, .utf8 = m->utf8,
	    .nrcpt = s->n } };
	struct smtp_rcpt *rcpt;
	size_t i;
	int rv;

	p.msg.answered = on_answer;
	p.msg.arg = &p;
	p.msg.rcpt = xcalloc(s->n, sizeof(*p.msg.rcpt));
	for (i = 0; i < s->n; i++) {
		rcpt = &p.msg.rcpt[i];
		rcpt->addr = s->who[i]->addr;
		rcpt->notify = s->who[i]->notify;
		rcpt->orcpt = s->who[i]->orcpt;
		rcpt->result = s->who[i]->result;
	}
	smtp_set_trace(smtp, m->trace, m->arg);
	rv = smtp_mail(smtp, &p.msg, r);
	smtp_set_trace(smtp, NULL, NULL);
	for (i = 0; i < s->n; i++)
		take(s->who[i], &p.msg.rcpt[i]);
	s->dsn = p.msg.dsn;
	s->busy = p.msg.busy;
	s->unsure = p.msg.unsure;
	free(p.msg.rcpt);
	return rv;
}
