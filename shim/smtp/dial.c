/* SPDX-License-Identifier: ISC */
/*
 * Connecting.  One call, one or two non-blocking sockets, one poll(2).
 */
#include "config.h"

#include "smtp/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define MAX	2

struct call {
	const struct dial_addr *to;
	int	 fd;		/* -1: not begun, or over */
	bool	 begun;
	int64_t	 until;
	struct result *why;	/* it failed */
};

static void
hang_up(struct call *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

/* Use source address FROM.  0, or -1 when the call is over. */
static int
bind_from(struct call *c, const char *from)
{
	int family = c->to->sa->sa_family, on = 1;
	const struct addrinfo hints = { .ai_family = family,
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *ai = NULL;
	char what[128];

#ifdef IP_BIND_ADDRESS_NO_PORT
	(void)setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
#else
	(void)on;
#endif
	if (getaddrinfo(from, NULL, &hints, &ai) != 0) {
		result_set(c->why, R_LOCALERR, "source-address %s is no %s "
		    "address", from, family == AF_INET6 ? "IPv6" : "IPv4");
		hang_up(c);
	} else if (bind(c->fd, ai->ai_addr, ai->ai_addrlen) == -1) {
		snprintf(what, sizeof(what), "cannot use source-address %s",
		    from);
		result_set_errno(c->why, R_LOCALERR, errno, what);
		hang_up(c);
	}
	if (ai != NULL)
		freeaddrinfo(ai);
	return c->fd == -1 ? -1 : 0;
}

/* Nothing left this host: it says nothing about the other one. */
static bool
is_offline(int error)
{
	return error == ENETUNREACH || error == ENETDOWN ||
	    error == EADDRNOTAVAIL;
}

/* "cannot connect to 192.0.2.1: Connection refused" */
static void
failed(struct call *c, int error)
{
	char ip[INET6_ADDRSTRLEN], what[sizeof(ip) + 32];

	if (getnameinfo(c->to->sa, c->to->len, ip, sizeof(ip), NULL, 0,
	    NI_NUMERICHOST) != 0)
		(void)strlcpy(ip, "unknown", sizeof(ip));
	snprintf(what, sizeof(what), "cannot connect to %s", ip);
	result_set_errno(c->why, is_offline(error) ? R_OFFLINE : R_CONNECT,
	    error, what);
	hang_up(c);
}

/* Whether the connection was made at once. */
static bool
begin(struct call *c, const char *from, int64_t until)
{
	int on = 1;

	c->begun = true;
	c->until = until;
	c->fd = socket(c->to->sa->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1) {
		result_set_errno(c->why, R_LOCALERR, errno,
		    "cannot make a socket");
		return false;
	}
	/* commands are flushed when they are complete */
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (from != NULL && bind_from(c, from) == -1)
		return false;
	if (connect(c->fd, c->to->sa, c->to->len) == 0)
		return true;
	if (errno != EINPROGRESS && errno != EINTR)
		failed(c, errno);
	return false;
}

/* Whether the call is answered now; poll(2) said REVENTS. */
static bool
look(struct call *c, short revents, int64_t now)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (revents == 0) {
		if (now >= c->until)
			failed(c, ETIMEDOUT);
		return false;
	}
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0)
		failed(c, error);
	return error == 0;
}

/* Wait for an answer, until WAKE at the latest.  The call's index, or -1. */
static int
wait_for(struct call *call, size_t n, int64_t wake)
{
	struct pollfd pfd[MAX];
	int64_t now = clock_ms(), left;
	size_t i;

	for (i = 0; i < n; i++) {
		pfd[i] = (struct pollfd){ .fd = call[i].fd,
		    .events = POLLOUT };
		if (call[i].fd != -1 && call[i].until < wake)
			wake = call[i].until;
	}
	left = wake > now ? wake - now : 0;
	if (poll(pfd, (nfds_t)n, left > INT_MAX ? INT_MAX : (int)left) == -1) {
		/* an interrupted wait is only a short one */
		for (i = 0; errno != EINTR && i < n; i++)
			if (call[i].fd != -1)
				failed(&call[i], errno);
		return -1;
	}
	now = clock_ms();
	for (i = 0; i < n; i++)
		if (call[i].fd != -1 && look(&call[i], pfd[i].revents, now))
			return (int)i;
	return -1;
}

/* Begin what is due.  The index of a call that was answered at once, or -1. */
static int
begin_due(struct call *call, size_t n, const char *from, int ms,
    int64_t second)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (call[i].begun || (i > 0 && call[0].fd != -1 &&
		    clock_ms() < second))
			continue;
		if (begin(&call[i], from, clock_ms() + ms))
			return (int)i;
	}
	return -1;
}

int
dial(const struct dial_addr *addr, size_t n, const char *from, int ms,
    size_t *which, struct result r[])
{
	struct call call[MAX] = { { .fd = -1 }, { .fd = -1 } };
	int64_t second = clock_ms() + DIAL_HEAD_START;
	int fd = -1, won;
	size_t i;

	if (n > MAX)
		n = MAX;
	for (i = 0; i < n; i++)
		call[i] = (struct call){ .to = &addr[i], .fd = -1,
		    .why = &r[i] };
	while ((won = begin_due(call, n, from, ms, second)) == -1 &&
	    (call[0].fd != -1 || call[1].fd != -1) &&
	    (won = wait_for(call, n, n > 1 && !call[1].begun ? second :
	    INT64_MAX)) == -1)
		;
	if (won != -1) {
		*which = (size_t)won;
		fd = call[won].fd;
		call[won].fd = -1;
	}
	for (i = 0; i < n; i++)
		if (call[i].fd != -1)
			failed(&call[i], ETIMEDOUT);
	return fd;
}
