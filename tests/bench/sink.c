/* SPDX-License-Identifier: ISC */
/*
 * The receiver of the benchmark: an SMTP server that accepts everything,
 * keeps nothing and counts.  One process over epoll(7), so that it costs
 * every sender the same little; each reply may be held back for a time, as
 * a distant server does.
 *
 *	sink PAGE PORT
 */
#include "config.h"

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "page.h"

#define INPUT	65536
#define EVENTS	256

struct counters {
	uint64_t	messages;	/* whose 250 has been sent */
	uint64_t	octets;
	uint64_t	connections;
	uint64_t	open;		/* connections now */
	uint64_t	most;		/* of those at a time */
	uint64_t	last;		/* page_clock() of the last message */
	uint64_t	delay;		/* ms that each reply is late: set by
					   the driver */
};

struct conn {
	int		 fd;		/* -1: closed, but replies are due */
	unsigned int	 due;		/* replies */
	bool		 in_data;
	bool		 quit;
	size_t		 len;
	char		 in[INPUT];
	size_t		 nout;		/* of this turn */
	uint64_t	 nmessages;
	char		 out[8192];
};

struct reply {
	STAILQ_ENTRY(reply)	 next;
	struct conn		*conn;
	uint64_t		 time;	/* when to send it */
	uint64_t		 nmessages;
	size_t			 len;
	char			 text[];
};

static STAILQ_HEAD(, reply) late = STAILQ_HEAD_INITIALIZER(late);
static struct counters *counters;
static int poller;

static void
hang_up(struct conn *c)
{
	if (c->fd != -1) {
		close(c->fd);
		c->fd = -1;
		counters->open--;
	}
	if (c->due == 0)
		free(c);
}

/* Send, and count what it acknowledges.  C may be gone afterwards. */
static void
send_reply(struct conn *c, const char *text, size_t len, uint64_t nmessages)
{
	if (c->fd == -1 || send(c->fd, text, len, MSG_NOSIGNAL |
	    MSG_DONTWAIT) != (ssize_t)len) {
		hang_up(c);
		return;
	}
	if (nmessages > 0) {
		counters->messages += nmessages;
		counters->last = page_clock();
	}
	if (c->quit && c->due == 0)
		hang_up(c);
}

/* What the turn has to say, at once or late.  C may be gone afterwards. */
static void
end_turn(struct conn *c)
{
	uint64_t n = c->nmessages;
	size_t len = c->nout;
	struct reply *r;

	c->nmessages = 0;
	c->nout = 0;
	if (len == 0)
		return;
	if (counters->delay == 0 && c->due == 0) {
		send_reply(c, c->out, len, n);
		return;
	}
	if ((r = malloc(sizeof(*r) + len)) == NULL)
		err(1, "malloc");
	r->conn = c;
	r->time = page_clock() + counters->delay * 1000000;
	r->nmessages = n;
	r->len = len;
	memcpy(r->text, c->out, len);
	c->due++;
	STAILQ_INSERT_TAIL(&late, r, next);
}

/* Send what is due.  Milliseconds until the next is, or -1. */
static int
send_late(void)
{
	struct reply *r;
	uint64_t now = page_clock();

	while ((r = STAILQ_FIRST(&late)) != NULL) {
		if (r->time > now)
			return (int)((r->time - now + 999999) / 1000000);
		STAILQ_REMOVE_HEAD(&late, next);
		r->conn->due--;
		send_reply(r->conn, r->text, r->len, r->nmessages);
		free(r);
	}
	return -1;
}

static void
say(struct conn *c, const char *text)
{
	size_t n = strlen(text);

	if (n > sizeof(c->out) - c->nout)
		errx(1, "a client pipelines without end");
	memcpy(c->out + c->nout, text, n);
	c->nout += n;
}

static bool
is_verb(const char *line, size_t n, const char *verb)
{
	return n >= 4 && strncasecmp(line, verb, 4) == 0;
}

static void
command(struct conn *c, const char *line, size_t n)
{
	if (is_verb(line, n, "EHLO"))
		say(c, "250-sink.example\r\n250-PIPELINING\r\n"
		    "250-SIZE 104857600\r\n250-ENHANCEDSTATUSCODES\r\n"
		    "250 8BITMIME\r\n");
	else if (is_verb(line, n, "DATA")) {
		say(c, "354 go on\r\n");
		c->in_data = true;
	} else if (is_verb(line, n, "QUIT")) {
		say(c, "221 2.0.0 bye\r\n");
		c->quit = true;
	} else
		say(c, "250 2.0.0 ok\r\n");
}

/* Take command lines or message text from the input; octets taken. */
static size_t
take(struct conn *c, char *p, size_t n)
{
	char *end;

	if (!c->in_data) {
		if ((end = memchr(p, '\n', n)) == NULL)
			return 0;
		command(c, p, (size_t)(end - p));
		/* a dot may follow at once: the CRLF belongs to it too */
		return (size_t)(end - p) + 1 - (c->in_data ? 2 : 0);
	}
	if ((end = memmem(p, n, "\r\n.\r\n", 5)) == NULL) {
		counters->octets += n > 4 ? n - 4 : 0;
		return n > 4 ? n - 4 : 0;
	}
	c->in_data = false;
	c->nmessages++;
	say(c, "250 2.0.0 taken\r\n");
	return (size_t)(end - p) + 5;
}

static void
serve(struct conn *c)
{
	size_t used = 0, n;
	ssize_t got = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);

	if (got <= 0) {
		if (got == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		hang_up(c);
		return;
	}
	c->len += (size_t)got;
	while (!c->quit && (n = take(c, c->in + used, c->len - used)) > 0)
		used += n;
	c->len -= used;
	memmove(c->in, c->in + used, c->len);
	if (c->len == sizeof(c->in))
		errx(1, "a client sends a line without end");
	end_turn(c);
}

static void
greet(int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	const int on = 1;
	struct conn *c;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC |
	    SOCK_NONBLOCK)) != -1) {
		if ((c = malloc(sizeof(*c))) == NULL)
			err(1, "malloc");
		c->fd = fd;
		c->due = 0;
		c->in_data = c->quit = false;
		c->len = c->nout = 0;
		c->nmessages = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		ev.data.ptr = c;
		if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &ev) == -1)
			err(1, "epoll_ctl");
		counters->connections++;
		if (++counters->open > counters->most)
			counters->most = counters->open;
		say(c, "220 sink.example ESMTP\r\n");
		end_turn(c);
	}
}

static int
listen_on(int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 4096) == -1)
		err(1, "port %d", port);
	return fd;
}

int
main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN }, events[EVENTS];
	struct rlimit files;
	int listener, i, n;

	if (argc != 3)
		errx(64, "usage: sink PAGE PORT");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	counters = page_open(argv[1]);
	listener = listen_on((int)strtol(argv[2], NULL, 10));
	if ((poller = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &ev) == -1)
		err(1, "epoll");
	for (;;) {
		n = epoll_wait(poller, events, EVENTS, send_late());
		if (n == -1 && errno != EINTR)
			err(1, "epoll_wait");
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				greet(listener);
			else
				serve(events[i].data.ptr);
		}
	}
}
