/* SPDX-License-Identifier: ISC */
/*
 * The whole client against a server that says whatever it likes: peer.c with
 * the policy, then smtp.c and its fellows, over a transport without sockets.
 * Mail is sent only after a 2yz to the end of the data, and nothing of it in
 * clear text where the policy wants TLS.
 *
 * The first octet chooses the policy and the number of recipients; the rest
 * is what the server says, a line each.  A line may begin with:
 *	\1	it closes the connection
 *	\2	the time is over
 *	\3	the line came before it was asked for
 *	\4	it takes no more of what is written, and says the line
 *	\5	TLS fails
 */
#include "config.h"

#include "run/peer.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "fuzz.h"
#include "run/route.h"
#include "smtp/dial.h"
#include "smtp/net.h"
#include "smtp/smtp.h"
#include "smtp/tls.h"

#define BODY	"Subject: x\r\n\r\n.dot\r\nbody\r\n"
#define ONWIRE	"Subject: x\r\n\r\n..dot\r\nbody\r\n.\r\n"
#define MAXRCPT	5

/* --- the transport -------------------------------------------------------- */

static struct world {
	const char *s, *end;	/* what the server has still to say */
	bool	 mustls;	/* the policy wants it */
	bool	 tls;
	bool	 ended;
	int	 connections;
	struct buf out;
	/* since the end of the data was written */
	bool	 dotted;
	bool	 answered;
	bool	 good;		/* the first reply was a 2yz */
	int	 code;		/* of the reply that is being read; 0: none */
} w;

int	__wrap_dial(const struct dial_addr *, size_t, const char *, int,
	    size_t *, struct result[]);
struct conn *__wrap_net_open(int);
void	__wrap_net_close(struct conn *);
void	__wrap_net_io(struct conn *, struct smtp_io *);
int	__wrap_net_fd(const struct conn *);
void	__wrap_net_deadline(struct conn *, int);
bool	__wrap_net_ended(const struct conn *);
int	__wrap_net_start_tls(struct conn *, struct tls *, struct result *);
struct tls *__wrap_tls_new(int, const char *, bool, struct result *);
const char *__wrap_tls_describe(struct tls *);
void	__wrap_log_info(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

static bool
next_is(char c)
{
	return w.s < w.end && *w.s == c;
}

/* The next line, or -1 at the end. */
static ssize_t
take(char *buf, size_t size)
{
	const char *lf;
	size_t n;

	if (w.s == w.end)
		return -1;
	lf = memchr(w.s, '\n', (size_t)(w.end - w.s));
	n = lf != NULL ? (size_t)(lf - w.s) : (size_t)(w.end - w.s);
	if (n >= size)
		n = size - 1;
	memcpy(buf, w.s, n);
	buf[n] = '\0';
	w.s = lf != NULL ? lf + 1 : w.end;
	return (ssize_t)n;
}

/* The first whole reply to the end of the data: what a reader would say. */
static void
watch(const char *line, size_t n)
{
	int code;

	if (!w.dotted || w.answered)
		return;
	code = n >= 3 && line[0] >= '1' && line[0] <= '9' ?
	    (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0' : -1;
	if (n > 3 && line[3] != ' ' && line[3] != '-')
		code = -1;
	if (code == -1 || (w.code != 0 && code != w.code)) {
		w.answered = true;
		return;
	}
	w.code = code;
	if (n > 3 && line[3] == '-')
		return;
	w.answered = true;
	w.good = code / 100 == 2;
}

static void
io_limit(void *arg, int64_t ms)
{
	(void)arg;
	MUST(ms > 0);
}

static void
io_deadline(void *arg, int ms)
{
	(void)arg;
	MUST(ms > 0);
}

static ssize_t
io_readline(void *arg, char *buf, size_t size, struct result *r)
{
	ssize_t n;

	(void)arg;
	if (next_is('\2')) {
		(void)take(buf, size);
		result_set(r, R_LOST, "timed out");
		return -1;
	}
	if (next_is('\1') || w.s == w.end || w.ended) {
		w.ended = true;
		result_set(r, R_LOST, "connection closed by the server");
		return -1;
	}
	if (next_is('\3') || next_is('\4') || next_is('\5'))
		w.s++;
	n = take(buf, size);
	if (n == -1) {
		w.ended = true;
		result_set(r, R_LOST, "connection closed by the server");
		return -1;
	}
	watch(buf, (size_t)n);
	return n;
}

/* What goes out in clear text, where it must not. */
static bool
is_harmless(const struct buf *b)
{
	static const char *const words[] = { "EHLO ", "STARTTLS\r\n",
	    "QUIT\r\n" };
	size_t i;

	for (i = 0; i < 3; i++)
		if (b->len >= strlen(words[i]) && memcmp(b->data, words[i],
		    strlen(words[i])) == 0)
			return memchr(b->data, '\n', b->len) ==
			    b->data + b->len - 1;
	return false;
}

static int
io_write(void *arg, const void *data, size_t len, struct result *r)
{
	(void)arg;
	(void)r;
	buf_add(&w.out, data, len);
	MUST(w.out.len <= 16384);
	return 0;
}

static int
io_flush(void *arg, struct result *r)
{
	size_t n = strlen(ONWIRE);

	(void)arg;
	(void)r;
	if (w.out.len == 0)
		return 0;
	if (w.mustls && !w.tls)
		MUST(is_harmless(&w.out));
	w.dotted = w.out.len == n && memcmp(w.out.data, ONWIRE, n) == 0;
	w.answered = w.good = false;
	w.code = 0;
	buf_reset(&w.out);
	return next_is('\4');
}

static bool
io_pending(void *arg)
{
	(void)arg;
	return next_is('\3') || next_is('\1') || w.ended;
}

int
__wrap_dial(const struct dial_addr *addr, size_t n, const char *from, int ms,
    size_t *which, struct result r[])
{
	char line[64];

	(void)addr;
	(void)from;
	MUST(n == 1 && ms > 0);
	/* each costs: clear text after TLS, HELO after EHLO */
	MUST(++w.connections <= 4);
	if (w.connections > 1 && next_is('\1'))
		(void)take(line, sizeof(line));
	if (w.s == w.end) {
		result_set(&r[0], R_CONNECT, "refused");
		return -1;
	}
	w.tls = w.ended = w.dotted = false;
	buf_reset(&w.out);
	*which = 0;
	return 1000;
}

struct conn *
__wrap_net_open(int fd)
{
	MUST(fd == 1000);
	return (struct conn *)(void *)&w;
}

void
__wrap_net_close(struct conn *c)
{
	(void)c;
}

void
__wrap_net_io(struct conn *c, struct smtp_io *io)
{
	*io = (struct smtp_io){ c, io_limit, io_deadline, io_readline,
	    io_write, io_flush, io_pending };
}

int
__wrap_net_fd(const struct conn *c)
{
	(void)c;
	return 1000;
}

void
__wrap_net_deadline(struct conn *c, int ms)
{
	(void)c;
	MUST(ms > 0);
}

bool
__wrap_net_ended(const struct conn *c)
{
	(void)c;
	return w.ended;
}

struct tls *
__wrap_tls_new(int fd, const char *name, bool verify, struct result *r)
{
	(void)verify;
	(void)r;
	MUST(fd == 1000 && strcmp(name, "mx.example") == 0);
	return (struct tls *)(void *)&w;
}

const char *
__wrap_tls_describe(struct tls *t)
{
	(void)t;
	return "TLS";
}

int
__wrap_net_start_tls(struct conn *c, struct tls *t, struct result *r)
{
	(void)c;
	(void)t;
	if (io_pending(NULL) || next_is('\5')) {
		result_set(r, R_TLS, "no TLS");
		return -1;
	}
	w.tls = true;
	return 0;
}

void
__wrap_log_info(const char *fmt, ...)
{
	(void)fmt;
}

/* --- the client ----------------------------------------------------------- */

/* A transaction with N recipients; how many of them are left. */
static size_t
transaction(struct peer *p, struct smtp_message *m, bool *over)
{
	struct smtp_rcpt left[MAXRCPT];
	struct result r;
	size_t i, n = 0;
	int rv;

	w.dotted = false;
	for (i = 0; i < m->nrcpt; i++)
		m->rcpt[i].result.code = R_MAX;
	rv = smtp_mail(p->smtp, m, &r);
	MUST(rv == 0 || rv == -1);
	MUST(rv == 0 || !result_is_ok(&r));
	for (i = 0; i < m->nrcpt; i++) {
		MUST(m->rcpt[i].result.code < R_MAX);
		MUST(m->rcpt[i].result.text[0] != '\0');
		if (result_is_ok(&m->rcpt[i].result))
			MUST(rv == 0 && w.dotted && w.answered && w.good &&
			    !m->unsure && !m->rcpt[i].again);
		if (m->rcpt[i].again) {
			MUST(result_is_temporary(&m->rcpt[i].result));
			left[n++] = m->rcpt[i];
		}
	}
	MUST(n < m->nrcpt);
	memcpy(m->rcpt, left, n * sizeof(left[0]));
	*over = rv == -1 || smtp_full(p->smtp);
	return n;
}

static int
message(void)
{
	char path[] = "/tmp/fuzz_smtp.XXXXXX";
	int fd = mkstemp(path);

	MUST(fd != -1);
	(void)unlink(path);
	MUST(write(fd, BODY, strlen(BODY)) == (ssize_t)strlen(BODY));
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char hostname[] = "client.example";
	static const char *const to[MAXRCPT] = { "a@x", "b@x", "c@y", "d@z",
	    "e@X" };
	const struct conf conf = { .hostname = hostname,
	    .connect_timeout = 1, .reply_timeout = 1, .data_timeout = 1 };
	const struct hop hop = { .host = "mx.example", .port = 25 };
	static const struct hop_addr addr;
	struct policy policy = { .name = "mx.example" };
	struct peer_trace quiet = { NULL, NULL };
	struct peer_at at = { .addr = &addr };
	struct smtp_rcpt rcpt[MAXRCPT];
	struct smtp_message m = { .sender = "s@x", .rcpt = rcpt,
	    .size = (off_t)strlen(BODY) };
	struct result r;
	struct peer *p;
	bool over = false;
	size_t i;

	if (size == 0)
		return 0;
	if (fd == -1)
		fd = message();
	w = (struct world){ .s = (const char *)data + 1, .out = w.out,
	    .end = (const char *)data + size };
	policy.level = (enum policy_level)(data[0] & 3);
	w.mustls = policy.level >= POLICY_ENCRYPT;
	m.fd = fd;
	m.nrcpt = 1 + (data[0] >> 2) % MAXRCPT;
	memset(rcpt, 0, sizeof(rcpt));
	for (i = 0; i < m.nrcpt; i++)
		rcpt[i].addr = to[i];
	p = peer_open(&conf, &hop, &at, &policy, quiet, &r);
	if (p == NULL) {
		MUST(result_is_temporary(&r) && r.text[0] != '\0');
		return 0;
	}
	MUST(p->tls == w.tls);
	MUST(w.tls || !w.mustls);
	while (!over && m.nrcpt > 0)
		m.nrcpt = transaction(p, &m, &over);
	peer_close(p);
	return 0;
}
