/* SPDX-License-Identifier: ISC */
/* The client's end of the socket over which messages are handed to the spool. */
#include "config.h"

#include "submit/handover.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/result.h"
#include "submit/stream.h"

#define SILENCE_MS	120000	/* a disk may be slow */
#define TOTAL_MS	600000
#define TRIES		6
#define PAUSE_MS	100	/* before the second try; each is twice as long */

bool
handover_is_open(const char *path)
{
	struct stat st;

	if (access(path, W_OK) == -1 || stat(path, &st) == -1)
		return false;
	errno = ENOTSOCK;
	return S_ISSOCK(st.st_mode);
}

static int
open_socket(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	int sock, error;

	if (n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, n + 1);
	if ((sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (connect(sock, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return sock;
	error = errno;
	close(sock);
	errno = error;
	return -1;
}

static int
send_piece(void *stream, const void *octets, size_t n)
{
	return stream_send(stream, octets, n);
}

/* The answer: its code, and what else is in its line.  -1: it is none. */
static int
parse_answer(char *line, size_t len, struct buf *text)
{
	char *end;
	long code;

	if (len == 0 || line[len - 1] != '\n' || line[0] < '0' || line[0] > '9')
		return -1;
	line[len - 1] = '\0';
	code = strtol(line, &end, 10);
	if (*end != ' ' || (code != EX_OK && (code < EX__BASE ||
	    code > EX__MAX)))
		return -1;
	result_clean(end);
	buf_reset(text);
	buf_adds(text, end + 1);
	return (int)code;
}

/*
 * The code of the answer, or -1 with errno; ECONNRESET: there was none.
 * *BEGUN: the message may be in the spool.
 */
static int
read_answer(const struct stream *s, struct buf *text, bool *begun)
{
	char line[1024], *answer = line;
	size_t len = 0;
	ssize_t n = 1;

	/* who has not read all resets the connection: stop at the LF */
	while (n > 0 && len < sizeof(line) - 1 &&
	    (len == 0 || line[len - 1] != '\n')) {
		n = stream_receive(s, line + len, sizeof(line) - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (len > 0 && line[0] == '+') {
		*begun = true;
		answer++;
		len--;
	}
	if (n == -1)
		return -1;
	answer[len] = '\0';
	n = parse_answer(answer, len, text);
	errno = len == 0 ? ECONNRESET : EPROTO;
	return (int)n;
}

/* One try.  The code of the answer, or -1 with errno; *BEGUN as above. */
static int
try_once(const char *path, const char *id, int fd, struct buf *text,
    bool *begun)
{
	struct stream s;
	int sock, code, error = 0;

	if ((sock = open_socket(path)) == -1)
		return -1;
	stream_init(&s, sock, SILENCE_MS, TOTAL_MS);
	buf_reset(text);
	buf_printf(text, "%s%s\n", id, *begun ? "+" : "");
	/* who refuses does not read all of it */
	if (stream_send(&s, text->data, text->len) == -1 ||
	    file_feed(fd, 0, send_piece, &s) == -1)
		error = errno;
	(void)shutdown(sock, SHUT_WR);
	code = error == ETIMEDOUT ? -1 : read_answer(&s, text,
	    begun);
	if (code == -1 && error == 0)
		error = errno;
	close(sock);
	if (code == EX_OK && error != 0)
		code = -1;	/* it cannot have all of it */
	errno = error;
	return code;
}

int
handover_send(const char *path, const char *id, int fd, struct buf *text)
{
	struct pollfd none = { .fd = -1 };
	bool begun = false;
	int i, code;

	for (i = 0; (code = try_once(path, id, fd, text, &begun)) == -1; i++) {
		/* it died, or there are too many at the moment */
		if (i == TRIES - 1 || (errno != ECONNRESET && errno != EPIPE &&
		    errno != EAGAIN))
			break;
		(void)poll(&none, 1, PAUSE_MS << i);
	}
	if (code != -1)
		return code;
	buf_reset(text);
	buf_adds(text, errno == ECONNRESET || errno == EPIPE ?
	    "nobody answers" : strerror(errno));
	return EX_TEMPFAIL;
}
