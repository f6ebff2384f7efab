/* SPDX-License-Identifier: ISC */
/*
 * sendmail -v: each line of the SMTP dialogue as it happens, marked as
 * sendmail has always marked it.  The reader must not be able to hold up the
 * delivery: what does not fit into the pipe is left out.
 */
#include "config.h"

#include "run/verbose.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/xmalloc.h"

struct verbose {
	int	fd;		/* -1: the reader is gone */
};

struct verbose *
verbose_new(int fd)
{
	struct verbose *v;
	struct stat st;
	int flags;

	if (fd == -1)
		return NULL;
	flags = fcntl(fd, F_GETFL);
	if (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode) || flags == -1 ||
	    (flags & O_ACCMODE) == O_RDONLY ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		close(fd);
		return NULL;
	}
	v = xmalloc(sizeof(*v));
	v->fd = fd;
	return v;
}

void
verbose_line(struct verbose *v, char dir, const char *line)
{
	struct buf b = BUF_INIT;
	size_t len;

	if (v->fd == -1)
		return;
	if (dir != '=')
		buf_adds(&b, dir == '>' ? ">>> " : "<<< ");
	buf_adds(&b, line);
	result_clean(b.data);
	buf_addc(&b, '\n');
	/* up to PIPE_BUF octets a write is all or nothing */
	len = b.len < PIPE_BUF ? b.len : PIPE_BUF;
	if (write(v->fd, b.data, len) == -1 && errno == EPIPE) {
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
