/* SPDX-License-Identifier: ISC */
/*
 * The message around the parts.  It is US-ASCII, so that every server on the
 * way back takes it, unless all of a message with other octets is returned, or
 * the sender has an address outside ASCII.
 * It has a null sender, and says that it is automatic, so that nothing
 * answers (RFC 3834 section 5.1: auto-replied, also for such a report).
 */
#include "config.h"

#include "run/notice.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/quotedp.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define HEADER_MAX	((off_t)64 << 10)	/* of the original, returned */
#define CHUNK		16384

static const char *const subjects[] = {
	[NOTICE_FAILED] = "Your message could not be delivered",
	[NOTICE_RELAYED] = "Your message was passed on",
	[NOTICE_DELAYED] = "Your message is late",
};
_Static_assert(sizeof(subjects) / sizeof(subjects[0]) == NOTICE_MAX,
    "a subject for each kind");

/*
 * Only who failed gets the text back (RFC 3461 section 4.3); and not as a part
 * that would need SMTPUTF8 on the whole way.
 */
static bool
is_full(const struct notice *n)
{
	return n->kind == NOTICE_FAILED && n->mf->env.ret == DSN_RET_FULL &&
	    !n->mf->env.utf8;
}

static void
add_header(struct buf *b, const struct conf *conf, const struct notice *n,
    const struct msgid *name)
{
	notice_date(b, "Date: ", n->now, "");
	notice_line(b, "From: Mail Delivery System <MAILER-DAEMON@%s>",
	    conf->mail_name);
	notice_line(b, "To: <%s>", n->to);
	notice_line(b, "Subject: %s", notice_is_delivered(n) ?
	    "Your message was delivered" : subjects[n->kind]);
	notice_line(b, "Message-ID: <%s@%s>", name->s, conf->hostname);
	notice_line(b, "Auto-Submitted: auto-replied");
	notice_line(b, "MIME-Version: 1.0");
	notice_line(b, "Content-Type: multipart/report; "
	    "report-type=delivery-status;");
	notice_line(b, " boundary=\"=_%s\"", name->s);
	if (is_full(n) && n->mf->eightbit)
		notice_line(b, "Content-Transfer-Encoding: 8bit");
	buf_adds(b, CRLF);
	notice_line(b, "This report has parts for people and for programs "
	    "(RFC 3464).");
	buf_adds(b, CRLF);
}

static void
begin_part(struct buf *b, const struct msgid *name, const char *type,
    const char *encoding)
{
	notice_line(b, "--=_%s", name->s);
	notice_line(b, "Content-Type: %s", type);
	if (encoding != NULL)
		notice_line(b, "Content-Transfer-Encoding: %s", encoding);
	buf_adds(b, CRLF);
}

/* --- the original --------------------------------------------------------- */

/* A piece of the original, from AT.  As pread(2), but never 0. */
static ssize_t
read_piece(const struct notice *n, void *chunk, size_t size, off_t at)
{
	off_t left = n->mf->size - at;
	ssize_t r;

	if (left < (off_t)size)
		size = (size_t)left;
	while ((r = pread(n->fd, chunk, size, n->mf->start + at)) == -1 &&
	    errno == EINTR)
		;
	if (r == 0) {
		errno = EIO;	/* it was whole when it was copied */
		r = -1;
	}
	return r;
}

/* The header of the message, without the empty line that ends it. */
static int
read_header(const struct notice *n, struct buf *b)
{
	char chunk[4096], *p;
	off_t at = 0;
	ssize_t r;

	while (at < n->mf->size && at < HEADER_MAX) {
		if ((r = read_piece(n, chunk, sizeof(chunk), at)) == -1)
			return -1;
		buf_add(b, chunk, (size_t)r);
		at += r;
		if ((p = memmem(b->data, b->len, "\r\n\r\n", 4)) != NULL) {
			b->len = (size_t)(p + 2 - b->data);
			return 0;
		}
	}
	/* no end, or far too long: whole lines only */
	while (b->len > 0 && b->data[b->len - 1] != '\n')
		b->len--;
	return 0;
}

/* Whether the N octets need no encoding: text, in lines that are not long. */
static bool
is_plain(const char *p, size_t n)
{
	size_t i, col = 0;

	for (i = 0; i < n; i++) {
		if (p[i] == '\n')
			col = 0;
		else if (++col > 999 || p[i] == '\0' || p[i] == '\x7f' ||
		    (p[i] < ' ' && p[i] != '\t' && p[i] != '\r'))
			return false;
	}
	return !utf8_has_eightbit(p, n);
}

static int
add_to(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

/*
 * A part of TYPE, or of TYPE_8 if it is not plain: RFC 6522 section 4 allows
 * quoted-printable for that.
 */
static void
add_part(struct buf *b, const struct msgid *name, const char *type,
    const char *type_8, const struct buf *text)
{
	struct quotedp q;

	if (is_plain(buf_str(text), text->len)) {
		begin_part(b, name, type, NULL);
		buf_add(b, buf_str(text), text->len);
		return;
	}
	begin_part(b, name, type_8, "quoted-printable");
	quotedp_init(&q, add_to, b);
	(void)quotedp_feed(&q, buf_str(text), text->len);
	(void)quotedp_end(&q);
}

static int
add_headers(struct buf *b, const struct notice *n, const struct msgid *name)
{
	struct buf header = BUF_INIT;
	int rc;

	if ((rc = read_header(n, &header)) == 0)
		add_part(b, name, "text/rfc822-headers", "text/rfc822-headers",
		    &header);
	buf_clear(&header);
	return rc;
}

/* For people: in UTF-8, where an address is. */
static void
add_text(struct buf *b, const struct conf *conf, const struct notice *n,
    const struct msgid *name)
{
	struct buf text = BUF_INIT;

	notice_text(&text, conf, n);
	add_part(b, name, "text/plain; charset=us-ascii",
	    "text/plain; charset=utf-8", &text);
	buf_clear(&text);
}

static int
write_original(struct msgwriter *w, const struct notice *n)
{
	char chunk[CHUNK];
	off_t at;
	ssize_t r;

	for (at = 0; at < n->mf->size; at += r)
		if ((r = read_piece(n, chunk, sizeof(chunk), at)) == -1 ||
		    msgwriter_data(w, chunk, (size_t)r) == -1)
			return -1;
	return 0;
}

/* --- the file ------------------------------------------------------------- */

static void
make_envelope(struct envelope *env, const struct notice *n)
{
	envelope_init(env);
	env->uid = geteuid();
	env->time = (uint64_t)n->now * 1000000;
	env->sender = xstrdup("");
	env->origin = *n->id;
	env->utf8 = addr_needs_utf8(n->to);
	envelope_add_rcpt(env, n->to);
}

static int
write_notice(int fd, const struct conf *conf, const struct notice *n,
    const struct msgid *name)
{
	struct buf b = BUF_INIT;
	struct envelope env;
	struct msgwriter *w;
	int ret = 0;

	make_envelope(&env, n);
	w = msgwriter_new(fd, &env);
	add_header(&b, conf, n, name);
	add_text(&b, conf, n, name);
	begin_part(&b, name, "message/delivery-status", NULL);
	notice_status(&b, conf, n);
	if (is_full(n)) {
		begin_part(&b, name, "message/rfc822",
		    n->mf->eightbit ? "8bit" : NULL);
		ret = msgwriter_data(w, b.data, b.len);
		buf_reset(&b);
		if (ret == 0)
			ret = write_original(w, n);
	} else
		ret = add_headers(&b, n, name);
	buf_adds(&b, CRLF);
	notice_line(&b, "--=_%s--", name->s);
	if (ret == 0)
		ret = msgwriter_data(w, b.data, b.len);
	if (ret == 0)
		ret = msgwriter_end(w);
	else
		msgwriter_free(w);
	envelope_clear(&env);
	buf_clear(&b);
	return ret;
}

int
notice_make(struct queue *q, const struct conf *conf, const struct notice *n,
    struct msgid *name)
{
	int fd, error, ret;

	id_derive(name, n->id->s, (unsigned)n->kind << 16 | n->nth);
	if ((fd = queue_tmpfile(q)) == -1)
		return -1;
	ret = write_notice(fd, conf, n, name);
	if (ret == 0)
		ret = queue_link(q, name, fd);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}
