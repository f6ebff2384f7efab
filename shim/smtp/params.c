/* SPDX-License-Identifier: ISC */
/*
 * What a sender asked of reports goes to whom can heed it (RFC 3461 section
 * 5.2.1): what was not asked is not sent, but for ORCPT, so that a report of
 * another host names the recipient as the sender knows it.
 */
#include "config.h"

#include "smtp/params.h"

#include <stdint.h>

#include "base/dsn.h"

void
params_mail(struct buf *b, const struct smtp *s, const struct smtp_message *m,
    bool utf8)
{
	if ((s->offers & SMTP_SIZE) != 0)
		buf_printf(b, " SIZE=%jd", (intmax_t)m->size);
	if (m->eightbit && (s->offers & SMTP_8BITMIME) != 0)
		buf_adds(b, " BODY=8BITMIME");
	if (utf8)
		buf_adds(b, " SMTPUTF8");
	if ((s->offers & SMTP_DSN) == 0)
		return;
	/* a report has none (section 6.1) */
	if (m->ret != DSN_RET_UNSAID && m->sender[0] != '\0')
		buf_printf(b, " RET=%s", dsn_ret_name(m->ret));
	if (m->envid != NULL) {
		buf_adds(b, " ENVID=");
		dsn_add_xtext(b, m->envid);
	}
}

static void
add_orcpt(struct buf *b, const char *orcpt)
{
	struct buf text = BUF_INIT;

	dsn_add_orcpt(&text, orcpt);
	if (text.len <= DSN_MAX_ORCPT)
		buf_printf(b, " ORCPT=%s", buf_str(&text));
	buf_clear(&text);
}

void
params_rcpt(struct buf *b, const struct smtp *s, const struct smtp_rcpt *rcpt)
{
	if ((s->offers & SMTP_DSN) == 0)
		return;
	if (rcpt->notify != 0) {
		buf_adds(b, " NOTIFY=");
		dsn_add_notify(b, rcpt->notify);
	}
	if (rcpt->orcpt != NULL)
		add_orcpt(b, rcpt->orcpt);
}
