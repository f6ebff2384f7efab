/* SPDX-License-Identifier: ISC */
/*
 * A report has three parts: text for the sender, message/delivery-status
 * (RFC 3464), and the header of the message, never its body.  It is pure
 * US-ASCII, so that every server on the way back takes it.  It has a null
 * sender and says that it is automatic (RFC 3834), so that nothing answers.
 */
#include "config.h"

#include "run/bounce.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"

#define CRLF		"\r\n"
#define HEADER_MAX	((off_t)64 << 10)	/* of the original, returned */

/* What the sender can do about it. */
static const struct {
	enum result_code code;
	const char	*text;
} advice[] = {
	{ R_NOUSER, "There is no such user: check what is before the @, then "
	    "send it again." },
	{ R_NOHOST, "The domain after the @ does not exist: check its "
	    "spelling." },
	{ R_BADADDR, "This is not a usable address: check its spelling." },
	{ R_NULLMX, "This domain accepts no mail at all." },
	{ R_TOOBIG, "The message is too large for that server: send a "
	    "smaller one." },
	{ R_NOROUTE, "No host takes mail for that domain: check its "
	    "spelling." },
	{ R_LOOP, "The mail would come back to this host: its administrator "
	    "should look at the MX records and at mxhosts(5)." },
	{ R_BLOCKED, "The administrator of this host has blocked it in "
	    "mxhosts(5)." },
	{ R_EXPIRED, "It was tried again and again until it was too old. "
	    "Send it again later, or reach the recipient by other means." },
};

static const char *
advice_for(enum result_code code)
{
	size_t i;

	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (advice[i].code == code)
			return advice[i].text;
	return "The text above is what the other side said; its postmaster "
	    "can explain it.";
}

/* A line of text: printable US-ASCII only, then CRLF. */
static void __attribute__((format(printf, 2, 3)))
line(struct buf *b, const char *fmt, ...)
{
	size_t from = b->len;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
	if (b->len > from)
		result_clean(b->data + from);
	buf_adds(b, CRLF);
}

static void
date_line(struct buf *b, const char *name, time_t t)
{
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof(text),
	    "%a, %d %b %Y %H:%M:%S %z", &tm) != 0)
		line(b, "%s: %s", name, text);
}

static void
add_header(struct buf *b, const struct conf *conf, const struct bounce *r,
    const struct msgid *id)
{
	date_line(b, "Date", r->now);
	line(b, "From: Mail Delivery System <MAILER-DAEMON@%s>",
	    conf->mail_name);
	line(b, "To: <%s>", r->mf->env.sender);
	line(b, "Subject: Your message could not be delivered");
	line(b, "Message-ID: <%s@%s>", id->s, conf->hostname);
	line(b, "Auto-Submitted: auto-replied");
	line(b, "MIME-Version: 1.0");
	line(b, "Content-Type: multipart/report; "
	    "report-type=delivery-status;");
	line(b, " boundary=\"=_%s\"", id->s);
	buf_adds(b, CRLF);
}

static void
add_part(struct buf *b, const struct msgid *id, const char *type)
{
	line(b, "--=_%s", id->s);
	line(b, "Content-Type: %s", type);
	buf_adds(b, CRLF);
}

/* "host said: 550 5.1.1 text"; the text of a reply begins with its code. */
static void
add_reason(struct buf *b, const struct result *r)
{
	if (r->host[0] != '\0')
		buf_printf(b, "%s%s: ", r->host, r->reply != 0 ? " said" : "");
	buf_adds(b, r->text[0] != '\0' ? r->text : result_name(r->code));
}

static void
add_text(struct buf *b, const struct conf *conf, const struct bounce *r)
{
	struct buf reason = BUF_INIT;
	size_t i;

	line(b, "This is the mail system of %s.", conf->hostname);
	buf_adds(b, CRLF);
	line(b, "Your message could not be delivered to %s:",
	    r->nrcpt == 1 ? "this recipient" : "these recipients");
	for (i = 0; i < r->nrcpt; i++) {
		buf_reset(&reason);
		add_reason(&reason, &r->rcpt[i].result);
		buf_adds(b, CRLF);
		line(b, "<%s>", r->rcpt[i].addr);
		line(b, "    %s", buf_str(&reason));
		line(b, "    %s", advice_for(r->rcpt[i].result.code));
	}
	buf_adds(b, CRLF);
	line(b, "It will not be tried again. The header of your message "
	    "follows below.");
	buf_adds(b, CRLF);
	buf_clear(&reason);
}

/* The name in "name[address]:port". */
static void
add_mta(struct buf *b, const struct result *r)
{
	if (r->host[0] != '\0' && r->host[0] != '[')
		line(b, "Remote-MTA: dns; %.*s",
		    (int)strcspn(r->host, "["), r->host);
}

static void
add_status(struct buf *b, const struct conf *conf, const struct bounce *r)
{
	const struct result *res;
	size_t i;

	line(b, "Reporting-MTA: dns; %s", conf->hostname);
	line(b, "X-Queue-ID: %s", r->id->s);
	date_line(b, "Arrival-Date", (time_t)(r->mf->env.time / 1000000));
	for (i = 0; i < r->nrcpt; i++) {
		res = &r->rcpt[i].result;
		buf_adds(b, CRLF);
		line(b, "Final-Recipient: rfc822; %s", r->rcpt[i].addr);
		line(b, "Action: failed");
		line(b, "Status: %s", result_esc(res));
		add_mta(b, res);
		line(b, "Diagnostic-Code: %s; %s",
		    res->reply != 0 ? "smtp" : "x-mxnss", res->text);
		date_line(b, "Last-Attempt-Date", r->now);
	}
	buf_adds(b, CRLF);
}

/* The header of the message, without the empty line that ends it. */
static int
add_original(struct buf *b, const struct bounce *r)
{
	off_t end, at;
	char block[4096], *p;
	size_t from = b->len, i;
	ssize_t n;

	end = r->mf->size < HEADER_MAX ? r->mf->size : HEADER_MAX;
	for (at = 0; at < end; at += n) {
		n = (ssize_t)sizeof(block);
		if (n > end - at)
			n = (ssize_t)(end - at);
		n = pread(r->fd, block, (size_t)n, r->mf->start + at);
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		for (i = 0; i < (size_t)n; i++)
			buf_addc(b, block[i] == '\r' || block[i] == '\n' ||
			    block[i] == '\t' ||
			    (block[i] >= ' ' && block[i] <= '~') ?
			    block[i] : '?');
		p = memmem(b->data + from, b->len - from, "\r\n\r\n", 4);
		if (p != NULL) {
			b->len = (size_t)(p + 2 - b->data);
			return 0;
		}
	}
	/* no end, or far too long: whole lines only */
	while (b->len > from && b->data[b->len - 1] != '\n')
		b->len--;
	return 0;
}

static int
write_report(int fd, const char *to, time_t now, const struct buf *b)
{
	struct envelope env;
	struct msgwriter *w;
	int ret = -1;

	envelope_init(&env);
	env.uid = geteuid();
	env.time = (uint64_t)now * 1000000;
	env.sender = xstrdup("");
	envelope_add_rcpt(&env, to);
	if ((w = msgwriter_new(fd, &env)) == NULL)
		goto out;
	if (msgwriter_data(w, b->data, b->len) == -1)
		msgwriter_free(w);
	else
		ret = msgwriter_end(w);
out:
	envelope_clear(&env);
	return ret;
}

int
bounce_make(struct queue *q, const struct conf *conf, const struct bounce *r,
    struct msgid *id)
{
	struct buf b = BUF_INIT;
	int fd, error, ret = -1;

	id_derive(id, r->id->s, r->nth);
	if ((fd = queue_tmpfile(q)) == -1)
		return -1;
	add_header(&b, conf, r, id);
	line(&b, "This report has parts for people and for programs "
	    "(RFC 3464).");
	buf_adds(&b, CRLF);
	add_part(&b, id, "text/plain; charset=us-ascii");
	add_text(&b, conf, r);
	add_part(&b, id, "message/delivery-status");
	add_status(&b, conf, r);
	add_part(&b, id, "text/rfc822-headers");
	if (add_original(&b, r) == -1)
		goto out;
	buf_adds(&b, CRLF);
	line(&b, "--=_%s--", id->s);
	if (write_report(fd, r->mf->env.sender, r->now, &b) == -1)
		goto out;
	ret = queue_link(q, id, fd);
out:
	error = errno;
	buf_clear(&b);
	close(fd);
	errno = error;
	return ret;
}
