/* SPDX-License-Identifier: ISC */
/*
 * The ends of an SMTP session: standard input and output, which may be pipes,
 * a terminal, or the connection that a socket unit accepted.  Nobody from
 * another machine is served, whatever the unit listens on.
 */
#include "config.h"

#include "submit/smtpd.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "submit/smtpio.h"

#define SILENCE_S	300	/* RFC 5321 section 4.5.3.2.7 */

/* A terminal ends lines with LF, and nobody can smuggle anything there. */
static size_t
add_crs(char *p, size_t n)
{
	size_t i, added = 0;

	for (i = 0; i < n; i++)
		added += p[i] == '\n';
	n += added;
	for (i = n; added > 0; ) {
		i--;
		p[i] = p[i - added];
		if (p[i] == '\n') {
			p[--i] = '\r';
			added--;
		}
	}
	return n;
}

static ssize_t
read_input(void *arg, char *p, size_t size)
{
	const bool *terminal = arg;
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;
	int rc;

	rc = poll(&pfd, 1, SILENCE_S * 1000);
	if (rc == 0)
		errno = ETIMEDOUT;
	if (rc != 1)
		return -1;
	n = read(STDIN_FILENO, p, *terminal ? size / 2 : size);
	return n > 0 && *terminal ? (ssize_t)add_crs(p, (size_t)n) : n;
}

static int
write_output(void *arg, const char *p, size_t n)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t w;

	(void)arg;
	while (n > 0) {
		w = write(STDOUT_FILENO, p, n);
		if (w == -1 && errno == EINTR)
			continue;
		/* somebody may have made it non-blocking */
		if (w == -1 && errno == EAGAIN &&
		    poll(&pfd, 1, SILENCE_S * 1000) == 1)
			continue;
		if (w == -1)
			return -1;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static bool
is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) ||
	    (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* Who is at the other end, as in a Received field.  Whether he is served. */
static bool
find_peer(char *text, size_t size)
{
	union {
		struct sockaddr_storage ss;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa;
	socklen_t len = sizeof(sa);
	char addr[INET6_ADDRSTRLEN];

	snprintf(text, size, "local");
	if (getpeername(STDIN_FILENO, (struct sockaddr *)&sa.ss, &len) == -1)
		return errno == ENOTSOCK;
	switch (sa.ss.ss_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		inet_ntop(AF_INET, &sa.in.sin_addr, addr, sizeof(addr));
		snprintf(text, size, "[%s]", addr);
		return ntohl(sa.in.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		inet_ntop(AF_INET6, &sa.in6.sin6_addr, addr, sizeof(addr));
		snprintf(text, size, "[IPv6:%s]", addr);
		return is_loopback(&sa.in6.sin6_addr);
	default:
		return false;
	}
}

int
smtpd_main(const struct submit_env *env)
{
	static const struct timeval silence = { .tv_sec = SILENCE_S };
	bool terminal = isatty(STDIN_FILENO);
	struct smtpio io = { .read = read_input, .write = write_output,
	    .arg = &terminal };
	char peer[INET6_ADDRSTRLEN + 8];
	int code = EX_OK;

	smtpio_init(&io);
	/* a client that does not read holds us no longer than a silent one */
	(void)setsockopt(STDOUT_FILENO, SOL_SOCKET, SO_SNDTIMEO, &silence,
	    sizeof(silence));
	if (find_peer(peer, sizeof(peer))) {
		smtpd_serve(env, &io, peer);
	} else {
		smtpio_reply(&io, "554 5.7.1 only programs of this machine "
		    "are served");
		(void)smtpio_flush(&io);
		code = EX_NOPERM;
	}
	smtpio_clear(&io);
	return code;
}
