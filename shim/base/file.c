/* SPDX-License-Identifier: ISC */
/* A FIFO or a device shall not stop us: it gives what it has. */
#include "config.h"

#include "base/file.h"

#include <sys/mman.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHUNK	65536

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U		/* <linux/memfd.h> */
#endif

static int
read_all(int fd, size_t max, struct buf *b)
{
	size_t start = b->len;
	char chunk[4096];
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if ((size_t)n > max - (b->len - start)) {
			errno = EFBIG;
			return -1;
		}
		buf_add(b, chunk, (size_t)n);
	}
}

int
file_read(const char *path, size_t max, struct buf *b)
{
	int fd, rc, error;

	do {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	} while (fd == -1 && errno == EINTR);
	if (fd == -1)
		return -1;
	rc = read_all(fd, max, b);
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

int
file_write(int fd, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, p, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return -1;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int
file_feed(int from, off_t at, int (*sink)(void *, const void *, size_t),
    void *arg)
{
	char chunk[CHUNK];
	ssize_t n;

	for (;;) {
		n = pread(from, chunk, sizeof(chunk), at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if (sink(arg, chunk, (size_t)n) == -1)
			return -1;
		at += n;
	}
}

static int
write_to(void *fd, const void *octets, size_t n)
{
	return file_write(*(const int *)fd, octets, n);
}

int
file_copy(int from, off_t at, int to)
{
	return file_feed(from, at, write_to, &to);
}

/* Some kernels want to hear that nobody executes it, others know no such. */
int
file_in_memory(void)
{
	int fd = memfd_create("message", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd == -1 && errno == EINVAL)
		fd = memfd_create("message", MFD_CLOEXEC);
	return fd;
}

bool
file_is_in_memory(int fd)
{
	return fcntl(fd, F_GET_SEALS) != -1;
}
