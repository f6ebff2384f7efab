/* SPDX-License-Identifier: ISC */
/*
 * A block device that remembers: a FUSE file system with one file, "disk",
 * for a loop device to sit on.
 *
 *	blocklog IMAGE LOG DIRECTORY [FUSE-OPTION]...
 *
 * What is written to DIRECTORY/disk goes to IMAGE, and to LOG as a record of
 * four words of 64 bits, (type, offset, length, time in ns of
 * CLOCK_MONOTONIC), and the data.  Type 1 is a write, 2 a flush.
 */
#define FUSE_USE_VERSION 31

#include "config.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DISK	"/disk"

enum { WRITE = 1, FLUSH = 2 };

static int image, out;

static void
put(uint64_t type, uint64_t offset, const void *data, uint64_t len)
{
	struct timespec ts;
	uint64_t head[4] = { type, offset, len, 0 };
	struct iovec iov[2] = { { head, sizeof(head) },
	    { (void *)(uintptr_t)data, len } };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	head[3] = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	if (writev(out, iov, 2) != (ssize_t)(sizeof(head) + len))
		abort();
}

static int
disk_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof(*st));
	st->st_nlink = 1;
	if (strcmp(path, "/") == 0) {
		st->st_mode = S_IFDIR | 0700;
		return 0;
	}
	if (strcmp(path, DISK) != 0)
		return -ENOENT;
	st->st_mode = S_IFREG | 0600;
	st->st_size = lseek(image, 0, SEEK_END);
	return 0;
}

static int
disk_open(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	fi->direct_io = 1;
	return 0;
}

static int
disk_read(const char *path, char *buf, size_t n, off_t at,
    struct fuse_file_info *fi)
{
	ssize_t got = pread(image, buf, n, at);

	(void)path, (void)fi;
	return got == -1 ? -errno : (int)got;
}

static int
disk_write(const char *path, const char *buf, size_t n, off_t at,
    struct fuse_file_info *fi)
{
	ssize_t done;

	(void)path, (void)fi;
	put(WRITE, (uint64_t)at, buf, n);
	done = pwrite(image, buf, n, at);
	return done == -1 ? -errno : (int)done;
}

static int
disk_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
	(void)path, (void)datasync, (void)fi;
	put(FLUSH, 0, NULL, 0);
	return 0;
}

static const struct fuse_operations operations = {
	.getattr = disk_getattr,
	.open = disk_open,
	.read = disk_read,
	.write = disk_write,
	.fsync = disk_fsync,
};

int
main(int argc, char **argv)
{
	if (argc < 4)
		errx(64, "usage: blocklog IMAGE LOG DIRECTORY [OPTION]...");
	if ((image = open(argv[1], O_RDWR | O_CLOEXEC)) == -1)
		err(66, "%s", argv[1]);
	out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
	    O_CLOEXEC, 0600);
	if (out == -1)
		err(73, "%s", argv[2]);
	argv[2] = argv[0];
	return fuse_main(argc - 2, argv + 2, &operations, NULL);
}
