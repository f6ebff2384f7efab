/* SPDX-License-Identifier: ISC */
/*
 * One connection.  The socket never blocks; every wait is a poll(2) that ends
 * at one monotonic deadline.  What the server said before it hung up is read
 * before the hang-up is reported: it is often the reason.
 */
#include "config.h"

#include "smtp/net.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "smtp/smtp.h"
#include "smtp/tls.h"

#define IN_SIZE		4096
#define OUT_SIZE	16384

struct conn {
	int	 fd;
	struct tls *tls;		/* or NULL */
	int64_t	 deadline;
	bool	 ended;			/* no more input; end says why */
	struct result end;
	char	 peer[NI_MAXHOST];
	size_t	 inpos, inlen;
	size_t	 outpos, outlen;
	char	 in[IN_SIZE];
	char	 out[OUT_SIZE];
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
net_deadline(struct conn *c, int ms)
{
	c->deadline = now_ms() + ms;
}

/* Wait for one of EVENTS.  0, or -1 with *R. */
static int
wait_for(struct conn *c, short events, struct result *r)
{
	struct pollfd pfd = { .fd = c->fd, .events = events };
	int64_t left;
	int n;

	for (;;) {
		left = c->deadline - now_ms();
		if (left <= 0) {
			result_set(r, R_LOST, "timed out");
			return -1;
		}
		n = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 0;
		if (n == -1 && errno != EINTR) {
			result_set(r, R_LOST, "poll: %s", strerror(errno));
			return -1;
		}
	}
}

/* A socket for FAMILY with source address FROM, or -1 with *R. */
static int
make_socket(int family, const char *from, struct result *r)
{
	const struct addrinfo hints = { .ai_family = family,
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *ai = NULL;
	int fd, on = 1;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		result_set(r, R_LOCALERR, "cannot make a socket: %s",
		    strerror(errno));
		return -1;
	}
	/* commands are flushed when they are complete */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (from == NULL)
		return fd;
#ifdef IP_BIND_ADDRESS_NO_PORT
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
#endif
	if (getaddrinfo(from, NULL, &hints, &ai) != 0)
		result_set(r, R_LOCALERR, "source-address %s is no %s address",
		    from, family == AF_INET6 ? "IPv6" : "IPv4");
	else if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		result_set(r, R_LOCALERR, "cannot use source-address %s: %s",
		    from, strerror(errno));
	else {
		freeaddrinfo(ai);
		return fd;
	}
	if (ai != NULL)
		freeaddrinfo(ai);
	close(fd);
	return -1;
}

/* Connect within the deadline.  0, or an errno. */
static int
finish_connect(struct conn *c, const struct sockaddr *sa, socklen_t salen)
{
	struct result r;
	socklen_t len = sizeof(int);
	int error = 0;

	if (connect(c->fd, sa, salen) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return errno;
	if (wait_for(c, POLLOUT, &r) == -1)
		return ETIMEDOUT;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	return error;
}

/* Nothing left this host: it says nothing about the other one. */
static bool
is_offline(int error)
{
	return error == ENETUNREACH || error == ENETDOWN ||
	    error == EADDRNOTAVAIL;
}

struct conn *
net_connect(const struct sockaddr *sa, socklen_t salen, const char *from,
    int ms, struct result *r)
{
	struct conn *c;
	int error, fd;

	if ((fd = make_socket(sa->sa_family, from, r)) == -1)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	net_deadline(c, ms);
	if (getnameinfo(sa, salen, c->peer, sizeof(c->peer), NULL, 0,
	    NI_NUMERICHOST) != 0)
		(void)strlcpy(c->peer, "unknown", sizeof(c->peer));
	if ((error = finish_connect(c, sa, salen)) != 0) {
		result_set(r, is_offline(error) ? R_OFFLINE : R_CONNECT,
		    "cannot connect to %s: %s", c->peer,
		    strerror(error));
		net_close(c);
		return NULL;
	}
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
	result_set(r, R_LOST, "connection lost: %s", strerror(errno));
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
	result_set(r, R_LOST, "connection lost: %s", strerror(errno));
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
			result_set(r, R_TLS, "TLS handshake: %s", waited.text);
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

const char *
net_peer(const struct conn *c)
{
	return c->peer;
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
	io->deadline = io_deadline;
	io->readline = io_readline;
	io->write = io_write;
	io->flush = io_flush;
	io->pending = io_pending;
}
