/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "submit/stream.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>

#include "base/clock.h"

void
stream_init(struct stream *s, int fd, int silence, int total)
{
	s->fd = fd;
	s->silence = silence;
	s->end = clock_ms() + total;
}

/* 0 when EVENTS are there, or an error that the next call will tell. */
static int
await(const struct stream *s, short events)
{
	struct pollfd pfd = { .fd = s->fd, .events = events };
	int64_t left;
	int rc;

	do {
		left = s->end - clock_ms();
		if (left > s->silence)
			left = s->silence;
		rc = left > 0 ? poll(&pfd, 1, (int)left) : 0;
	} while (rc == -1 && errno == EINTR);
	if (rc == 0)
		errno = ETIMEDOUT;
	return rc > 0 ? 0 : -1;
}

int
stream_send(const struct stream *s, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		if (await(s, POLLOUT) == -1)
			return -1;
		w = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w == -1 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

ssize_t
stream_receive(const struct stream *s, char *p, size_t n)
{
	ssize_t r;

	do {
		if (await(s, POLLIN) == -1)
			return -1;
		r = recv(s->fd, p, n, MSG_DONTWAIT);
	} while (r == -1 && (errno == EINTR || errno == EAGAIN));
	return r;
}
