/* SPDX-License-Identifier: ISC */
/*
 * One connection.  The socket never blocks; every wait is a poll(2) that ends
 * at a monotonic deadline, and all of them at a limit.  What the server said
 * before it hung up is read before the hang-up is reported: it is often the
 * reason.
 */
#include "config.h"

#include "smtp/net.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "smtp/smtp.h"
#include "smtp/tls.h"

#define IN_SIZE		4096
#define OUT_SIZE	16384

struct conn {
	int	 fd;
	struct tls *tls;		/* or NULL */
	int64_t	 deadline;		/* of what is waited for now */
	int64_t	 limit;			/* of all that is to do */
	bool	 ended;			/* no more input; end says why */
	struct result end;
	size_t	 inpos, inlen;
	size_t	 outpos, outlen;
	char	 in[IN_SIZE];
	char	 out[OUT_SIZE];
};

void
net_limit(struct conn *c, int64_t ms)
{
	c->limit = clock_ms() + ms;
	c->deadline = c->limit;
}

void
net_deadline(struct conn *c, int ms)
{
	c->deadline = clock_ms() + ms;
	if (c->deadline > c->limit)
		c->deadline = c->limit;
}

/* Wait for one of EVENTS.  0, or -1 with *R. */
static int
wait_for(struct conn *c, short events, struct result *r)
{
	struct pollfd pfd = { .fd = c->fd, .events = events };
	int64_t left;
	int n;

	for (;;) {
		left = c->deadline - clock_ms();
		if (left <= 0) {
			result_set(r, R_LOST, c->deadline == c->limit ?
			    "timed out: too slow as a whole" : "timed out");
			return -1;
		}
		n = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 0;
		if (n == -1 && errno != EINTR) {
			result_set_errno(r, R_LOST, errno, "poll");
			return -1;
		}
	}
}

struct conn *
net_open(int fd)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	c->limit = INT64_MAX;
	return c;
}

/*
 * Move octets without waiting: like tls_read() and tls_write(), over TLS or
 * not.
 */
static ssize_t
raw_read(struct conn *c, void *buf, size_t size, struct result *r)
{
	ssize_t n;

	if (c->tls != NULL)
		return tls_read(c->tls, buf, size, r);
	while ((n = recv(c->fd, buf, size, 0)) == -1 && errno == EINTR)
		;
	if (n >= 0)
		return n;
	if (errno == EAGAIN)
		return TLS_WANT_READ;
	result_set_errno(r, R_LOST, errno, "connection lost");
	return -1;
}

static ssize_t
raw_write(struct conn *c, const void *buf, size_t len, struct result *r)
{
	ssize_t n;

	if (c->tls != NULL)
		return tls_write(c->tls, buf, len, r);
	while ((n = send(c->fd, buf, len, MSG_NOSIGNAL)) == -1 &&
	    errno == EINTR)
		;
	if (n >= 0)
		return n;
	if (errno == EAGAIN)
		return TLS_WANT_WRITE;
	result_set_errno(r, R_LOST, errno, "connection lost");
	return -1;
}

/* Take in what has arrived, if there is room.  What poll must wait for. */
static short
fill(struct conn *c)
{
	ssize_t n;

	if (c->inpos == c->inlen)
		c->inpos = c->inlen = 0;
	if (c->ended || c->inlen == sizeof(c->in))
		return 0;
	n = raw_read(c, c->in + c->inlen, sizeof(c->in) - c->inlen, &c->end);
	if (n == TLS_WANT_READ)
		return POLLIN;
	if (n == TLS_WANT_WRITE)
		return POLLOUT;
	if (n > 0) {
		c->inlen += (size_t)n;
		return 0;
	}
	if (n == 0)
		result_set(&c->end, R_LOST, "connection closed by the server");
	c->ended = true;
	return 0;
}

/*
 * Send what can be sent now.  What poll must wait for, 0 when all is sent.
 * An error empties the buffer and sets *R; reading will meet it as well.
 */
static short
drain(struct conn *c, struct result *r, bool *failed)
{
	ssize_t n;

	while (c->outpos < c->outlen) {
		n = raw_write(c, c->out + c->outpos, c->outlen - c->outpos, r);
		if (n == TLS_WANT_READ)
			return POLLIN;
		if (n == TLS_WANT_WRITE)
			return POLLOUT;
		if (n == 0)
			result_set(r, R_LOST, "closed by the server");
		if (n <= 0) {
			*failed = true;
			break;
		}
		c->outpos += (size_t)n;
	}
	c->outpos = c->outlen = 0;
	return 0;
}

bool
net_buffered(const struct conn *c)
{
	return c->inpos < c->inlen;
}

bool
net_ended(const struct conn *c)
{
	return c->ended;
}

bool
net_pending(struct conn *c)
{
	if (!net_buffered(c))
		(void)fill(c);
	return net_buffered(c) || c->ended;
}

int
net_flush(struct conn *c, struct result *r)
{
	bool failed = false;
	short events;

	while ((events = drain(c, r, &failed)) != 0) {
		if (net_pending(c))
			return 1;
		if (wait_for(c, events | POLLIN, r) == -1)
			return -1;
	}
	if (!failed)
		return 0;
	/* the server's last words are worth more than "broken pipe" */
	(void)fill(c);
	return net_buffered(c) ? 1 : -1;
}

int
net_write(struct conn *c, const void *data, size_t len, struct result *r)
{
	const char *s = data;
	size_t n;

	while (len > 0) {
		if (c->outlen == sizeof(c->out) && net_flush(c, r) == -1)
			return -1;
		if ((n = sizeof(c->out) - c->outlen) == 0) {
			result_set(r, R_LOST, "the server reads no more");
			return -1;
		}
		if (n > len)
			n = len;
		memcpy(c->out + c->outlen, s, n);
		c->outlen += n;
		s += n;
		len -= n;
	}
	return 0;
}

/*
 * Move octets from the input buffer to BUF at *LEN, to the end of the line
 * if it is there.  1: a line; 0: more is needed; -1: too long.
 */
static int
take_line(struct conn *c, char *buf, size_t size, size_t *len)
{
	const char *s = c->in + c->inpos, *lf;
	size_t n = c->inlen - c->inpos;

	if ((lf = memchr(s, '\n', n)) != NULL)
		n = (size_t)(lf - s);
	/* one octet more than fits may be the CR before the LF */
	if (n > size - *len)
		return -1;
	memcpy(buf + *len, s, n);
	*len += n;
	c->inpos += n;
	if (lf == NULL)
		return 0;
	c->inpos++;
	if (*len > 0 && buf[*len - 1] == '\r')
		--*len;
	if (*len >= size)
		return -1;
	buf[*len] = '\0';
	return 1;
}

ssize_t
net_readline(struct conn *c, char *buf, size_t size, struct result *r)
{
	struct result ignored;
	size_t len = 0;
	bool failed = false;
	short in, out;

	for (;;) {
		switch (take_line(c, buf, size, &len)) {
		case 1:
			return (ssize_t)len;
		case -1:
			result_set(r, R_PROTO, "line of more than %zu octets",
			    size - 1);
			return -1;
		}
		out = drain(c, &ignored, &failed);
		in = fill(c);
		if (net_buffered(c))
			continue;
		if (c->ended) {
			*r = c->end;
			return -1;
		}
		if (wait_for(c, in | out, r) == -1)
			return -1;
	}
}

static int
handshake(struct conn *c, struct tls *tls, struct result *r)
{
	struct result waited;
	ssize_t n;

	while ((n = tls_handshake(tls, r)) < 0 && n != -1)
		if (wait_for(c, n == TLS_WANT_WRITE ? POLLOUT : POLLIN,
		    &waited) == -1) {
			result_set(r, waited.code == R_SHORT ? R_SHORT :
			    R_TLS, "TLS handshake: %s", waited.text);
			return -1;
		}
	if (n == 0)
		result_set(r, R_TLS, "TLS handshake: closed by the server");
	return n > 0 ? 0 : -1;
}

int
net_start_tls(struct conn *c, struct tls *tls, struct result *r)
{
	/*
	 * Anything that is here now was sent in clear: nobody knows by whom
	 * (RFC 3207 section 4.2 and 5).
	 */
	if (net_pending(c)) {
		if (net_buffered(c))
			result_set(r, R_TLS, "unexpected data from the server "
			    "before the TLS handshake");
		else
			result_set(r, R_TLS, "before the TLS handshake: %s",
			    c->end.text);
		tls_free(tls);
		return -1;
	}
	if (handshake(c, tls, r) == -1) {
		tls_free(tls);
		return -1;
	}
	c->tls = tls;
	return 0;
}

int
net_fd(const struct conn *c)
{
	return c->fd;
}

void
net_close(struct conn *c)
{
	if (c == NULL)
		return;
	tls_free(c->tls);
	close(c->fd);
	free(c);
}

static void
io_limit(void *c, int64_t ms)
{
	net_limit(c, ms);
}

static void
io_deadline(void *c, int ms)
{
	net_deadline(c, ms);
}

static ssize_t
io_readline(void *c, char *buf, size_t size, struct result *r)
{
	return net_readline(c, buf, size, r);
}

static int
io_write(void *c, const void *data, size_t len, struct result *r)
{
	return net_write(c, data, len, r);
}

static int
io_flush(void *c, struct result *r)
{
	return net_flush(c, r);
}

static bool
io_pending(void *c)
{
	return net_pending(c);
}

void
net_io(struct conn *c, struct smtp_io *io)
{
	io->arg = c;
	io->limit = io_limit;
	io->deadline = io_deadline;
	io->readline = io_readline;
	io->write = io_write;
	io->flush = io_flush;
	io->pending = io_pending;
}
