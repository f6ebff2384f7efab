/* SPDX-License-Identifier: ISC */
/* What is to be delivered, and to whom, out of a message file. */
#include "config.h"

#include <string.h>

#include "run/deliver.h"
#include "spool/msgfile.h"

void
delivery_init(struct delivery *m, const struct msgfile *mf, int fd)
{
	memset(m, 0, sizeof(*m));
	m->sender = mf->env.sender;
	m->envid = mf->env.envid;
	m->ret = mf->env.ret;
	m->time = mf->env.time;
	m->utf8 = mf->env.utf8;
	m->fd = fd;
	m->start = mf->start;
	m->size = mf->size;
	m->eightbit = mf->eightbit;
}

void
delivery_rcpt_init(struct delivery_rcpt *to, const struct msgfile *mf,
    uint32_t index)
{
	const struct envelope_rcpt *rcpt = &mf->env.rcpt[index];

	memset(to, 0, sizeof(*to));
	to->index = index;
	to->addr = rcpt->addr;
	to->notify = rcpt->notify;
	to->orcpt = envelope_orcpt(rcpt);
}
