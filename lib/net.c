/* SPDX-License-Identifier: ISC */
/*
 * One DNS query over UDP or TCP.  libresolv's own exchange counts whole
 * seconds and has no time limit at all over TCP, where its connect and read
 * block for as long as the server likes; and each C library has its own, or
 * none, for servers that are not those of resolv.conf.  Here nothing blocks
 * but poll(2), and that only until the deadline, however slowly the octets
 * drip.
 */
#include "config.h"

#include "net.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parse.h"

int64_t
mxres_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until FD is ready for EVENTS; -1 with ETIMEDOUT at the deadline. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left;
	int r;

	for (;;) {
		left = deadline - mxres_now();
		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		r = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (r > 0)
			return 0;
		if (r == -1 && errno != EINTR)
			return -1;
	}
}

socklen_t
mxres_server_len(const union mxres_server *srv)
{
	return srv->sa.sa_family == AF_INET ? sizeof(srv->sin) :
	    sizeof(srv->sin6);
}

/* A socket connected to SRV; for TCP, before the deadline. */
static int
connect_by(const union mxres_server *srv, int type, int64_t deadline)
{
	socklen_t len = sizeof(int);
	int error, fd;

	fd = socket(srv->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, &srv->sa, mxres_server_len(srv)) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		if (wait_for(fd, POLLOUT, deadline) == -1 ||
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
			error = errno;
		if (error == 0)
			return fd;
	}
	(void)close(fd);
	errno = error;
	return -1;
}

static int
close_keeping_errno(int fd)
{
	int error = errno;

	(void)close(fd);
	errno = error;
	return -1;
}

static int
send_all(int fd, const uint8_t *p, size_t len, int64_t deadline)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n >= 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (wait_for(fd, POLLOUT, deadline) == -1)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	return 0;
}

static int
recv_all(int fd, uint8_t *p, size_t len, int64_t deadline)
{
	ssize_t n;

	while (len > 0) {
		if (wait_for(fd, POLLIN, deadline) == -1)
			return -1;
		n = recv(fd, p, len, 0);
		if (n == 0) {
			errno = ECONNRESET;
			return -1;
		}
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno != EINTR && errno != EAGAIN)
			return -1;
	}
	return 0;
}

/* Query and reply each follow two octets with their length. */
static ssize_t
exchange(int fd, const uint8_t *query, size_t len, uint8_t *buf, size_t size,
    int64_t deadline)
{
	uint8_t out[2 + 512], in[2];
	size_t n;

	if (len > sizeof(out) - 2) {
		errno = EMSGSIZE;
		return -1;
	}
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	memcpy(out + 2, query, len);
	if (send_all(fd, out, len + 2, deadline) == -1 ||
	    recv_all(fd, in, sizeof(in), deadline) == -1)
		return -1;
	n = (size_t)in[0] << 8 | in[1];
	if (n < MXRES_HEADERLEN || n > size) {
		errno = EBADMSG;
		return -1;
	}
	if (recv_all(fd, buf, n, deadline) == -1)
		return -1;
	return (ssize_t)n;
}

/*
 * The kernel takes datagrams from the server's address only, but anybody
 * may forge that; a forger would have to guess our port and what ACCEPT
 * compares, and gets no more tries than fit before the deadline.
 */
ssize_t
mxres_udp(const union mxres_server *srv, const uint8_t *query, size_t len,
    mxres_accept *accept, uint8_t *buf, size_t size, int64_t deadline)
{
	ssize_t n;
	int fd;

	if ((fd = connect_by(srv, SOCK_DGRAM, deadline)) == -1)
		return -1;
	if (send_all(fd, query, len, deadline) == -1)
		return close_keeping_errno(fd);
	do {
		if (wait_for(fd, POLLIN, deadline) == -1)
			return close_keeping_errno(fd);
		n = recv(fd, buf, size, 0);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return close_keeping_errno(fd);
	} while (n < MXRES_HEADERLEN || !accept(query, len, buf, (size_t)n));
	(void)close(fd);
	return n;
}

ssize_t
mxres_tcp(const union mxres_server *srv, const uint8_t *query, size_t len,
    uint8_t *buf, size_t size, int64_t deadline)
{
	ssize_t n;
	int fd;

	if ((fd = connect_by(srv, SOCK_STREAM, deadline)) == -1)
		return -1;
	n = exchange(fd, query, len, buf, size, deadline);
	(void)close_keeping_errno(fd);
	return n;
}
