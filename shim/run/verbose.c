/* SPDX-License-Identifier: ISC */
/*
 * sendmail -v: each line of the SMTP dialogue as it happens, marked as
 * sendmail has always marked it.  The reader must not be able to hold up the
 * delivery: what does not fit into the socket is left out.  MSG_DONTWAIT says
 * so for each line; a flag of the descriptor the reader could take back.
 */
#include "config.h"

#include "run/verbose.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#define MAX_LINE	4096	/* a line is sent whole or not at all */

struct verbose {
	int	fd;		/* -1: the reader is gone */
};

struct verbose *
verbose_new(int fd)
{
	struct verbose *v;

	if (fd == -1)
		return NULL;
	v = xmalloc(sizeof(*v));
	v->fd = fd;
	return v;
}

void
verbose_format(struct buf *b, char dir, const char *line)
{
	size_t start = b->len;

	if (dir != '=')
		buf_adds(b, dir == '>' ? ">>> " : "<<< ");
	buf_adds(b, line);
	if (b->len > start)
		utf8_clean(b->data + start);
	buf_addc(b, '\n');
}

void
verbose_line(struct verbose *v, char dir, const char *line)
{
	struct buf b = BUF_INIT;
	size_t len;

	if (v->fd == -1)
		return;
	verbose_format(&b, dir, line);
	len = b.len < MAX_LINE ? b.len : MAX_LINE;
	if (send(v->fd, b.data, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 &&
	    errno != EAGAIN && errno != EINTR) {
		close(v->fd);
		v->fd = -1;
	}
	buf_clear(&b);
}

void
verbose_free(struct verbose *v)
{
	if (v == NULL)
		return;
	if (v->fd != -1)
		close(v->fd);
	free(v);
}
