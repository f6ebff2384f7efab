/* SPDX-License-Identifier: ISC */
/*
 * What sendmail -oem asks for: whoever cannot see standard error, as a cron
 * job, finds in his mailbox what was wrong, and the message.  The report has
 * the null sender (RFC 5321 section 4.5.5) and says that a program wrote it
 * (RFC 3834): nothing answers it.
 */
#include "config.h"

#include "submit/returned.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "spool/msgfile.h"
#include "submit/complete.h"
#include "submit/submission.h"

struct report {
	struct msgwriter *w;
	uint64_t	  left;		/* octets of the message that fit */
};

static int
take(void *arg, const void *p, size_t n)
{
	struct report *r = arg;

	if (n > r->left)
		return -1;
	r->left -= n;
	return msgwriter_data(r->w, p, n);
}

static int
put(struct report *r, const struct buf *b)
{
	return msgwriter_data(r->w, buf_str(b), b->len);
}

static void
format_head(const struct submission *s, const char *id, const char *to,
    struct buf *b)
{
	buf_printf(b, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <%s>\r\nSubject: Your message was not sent\r\nDate: ",
	    s->conf->mail_name, to);
	complete_date(b, (time_t)(id_time(id) / 1000000));
	buf_printf(b, "\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=\"%s\"\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n", id,
	    s->conf->hostname, id);
	buf_printf(b, "--%s\r\nContent-Type: text/plain; "
	    "charset=us-ascii\r\n\r\n"
	    "sendmail on %s was given the message below, and did not "
	    "send it:\r\n\r\n", id, s->conf->hostname);
	buf_printf(b, "    %.700s\r\n\r\n--%s\r\n"
	    "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    buf_str(&s->refusal.text), id);
}

/* The message as it came, as much of it as there is and fits. */
static int
put_message(struct submission *s, struct report *r)
{
	struct buf head = BUF_INIT;
	struct mime_facts facts;
	int rc;

	if (s->header.nfield == 0)
		(void)message_header(s->message, &s->header);
	header_format(&s->header, &head);
	rc = take(r, head.data, head.len);
	buf_clear(&head);
	/* a failure to write stays in the writer */
	if (rc == 0)
		(void)message_body(s->message, true, &facts, take, r);
	return msgwriter_flush(r->w);
}

static int
write_report(struct submission *s, const struct drop *d, const char *id,
    const struct envelope *e)
{
	struct report r = { msgwriter_new(drop_fd(d), e), s->conf->max_size };
	struct buf b = BUF_INIT;
	int rc;

	format_head(s, id, e->rcpt[0].addr, &b);
	rc = put(&r, &b);
	if (rc == 0)
		rc = put_message(s, &r);
	buf_reset(&b);
	buf_printf(&b, "\r\n--%s--\r\n", id);
	if (rc == 0)
		rc = put(&r, &b);
	buf_clear(&b);
	if (rc == 0)
		return msgwriter_end(r.w);
	msgwriter_free(r.w);
	return -1;
}

int
returned_mail(struct submission *s)
{
	const char *to = s->envelope.sender;
	struct envelope e;
	struct msgid id;
	struct drop *d;
	int rc = -1;

	drop_abort(s->drop);
	s->drop = NULL;
	if (to == NULL)
		to = submission_login(s);
	if (to[0] == '\0' || s->conf->spool == NULL ||
	    (d = drop_open(s->conf->spool, &id)) == NULL)
		return -1;
	envelope_init(&e);
	e.uid = getuid();
	e.time = id_time(id.s);
	e.sender = xstrdup("");
	envelope_add_rcpt(&e, to);
	if (write_report(s, d, id.s, &e) == 0)
		rc = drop_commit(d);
	else
		drop_abort(d);
	envelope_clear(&e);
	if (rc == 0)
		submission_wake(s, id.s);
	return rc;
}
