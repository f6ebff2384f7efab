/* SPDX-License-Identifier: ISC */
/*
 * An SMTP client that says whatever it likes, against sendmail -bs up to the
 * point where the message goes into the spool.  A message is one only between
 * DATA and the first CRLF "." CRLF, and has no CR or LF that stands alone;
 * every reply is one line of the form that RFC 5321 section 4.2 has.
 *
 * The first octet says how many octets a read(2) gives at most.
 */
#include "config.h"

#include "submit/smtpd.h"

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "base/conf.h"
#include "base/xmalloc.h"
#include "fuzz.h"
#include "submit/smtpio.h"
#include "submit/submission.h"

#define MAX_SIZE	1000
#define MAX_RCPTS	5

static struct {
	const char	*p, *end;
	size_t		 step;
	struct buf	 out;
} w;

static ssize_t
read_input(void *arg, char *p, size_t n)
{
	(void)arg;
	if (n > w.step)
		n = w.step;
	if (n > (size_t)(w.end - w.p))
		n = (size_t)(w.end - w.p);
	if (n > 0)
		memcpy(p, w.p, n);
	w.p += n;
	return (ssize_t)n;
}

static int
write_output(void *arg, const char *p, size_t n)
{
	(void)arg;
	buf_add(&w.out, p, n);
	return 0;
}

static int
take(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

static void
check_lines(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		MUST(p[i] != '\r' || (i + 1 < n && p[i + 1] == '\n'));
		MUST(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
	}
}

int __wrap_submission_store(struct submission *);
int
__wrap_submission_store(struct submission *s)
{
	struct buf body = BUF_INIT;
	struct mime_facts facts;
	enum message_error error;
	size_t i;

	MUST(s->envelope.nrcpt > 0 && s->envelope.nrcpt <= MAX_RCPTS);
	for (i = 0; i < s->envelope.nrcpt; i++)
		MUST(strchr(s->envelope.rcpt[i].addr, '@') != NULL &&
		    !submission_has_control(s->envelope.rcpt[i].addr));
	MUST(!submission_has_control(s->client));
	error = message_body(s->message, true, &facts, take, &body);
	check_lines(buf_str(&body), body.len);
	buf_clear(&body);
	if (error != MESSAGE_OK)
		return submission_refuse(s, EX_IOERR, "4.3.0", "read");
	/* the dot that ended it is the last thing that was read, but for
	   what the client sent ahead */
	strlcpy(s->id.s, "0123456789abcdefghij", sizeof(s->id.s));
	return EX_OK;
}

static void
check_replies(void)
{
	const char *p = buf_str(&w.out), *end = p + w.out.len, *lf;

	check_lines(p, w.out.len);
	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		MUST(lf != NULL && lf - p >= 5);
		MUST(p[0] >= '2' && p[0] <= '5' && p[1] >= '0' && p[1] <= '5' &&
		    p[2] >= '0' && p[2] <= '9' && (p[3] == ' ' || p[3] == '-'));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char host[] = "h.example", name[] = "m.example";
	struct conf conf = { .hostname = host, .mail_name = name,
	    .max_size = MAX_SIZE, .max_rcpts = MAX_RCPTS };
	const struct submit_env env = { .conf = &conf };
	struct smtpio io = { .read = read_input, .write = write_output };

	if (size < 1)
		return 0;
	w.step = (size_t)data[0] + 1;
	w.p = (const char *)data + 1;
	w.end = w.p + size - 1;
	smtpio_init(&io);
	smtpd_serve(&env, &io, "[127.0.0.1]");
	smtpio_clear(&io);
	check_replies();
	buf_clear(&w.out);
	return 0;
}
