/* SPDX-License-Identifier: ISC */
/*
 * A message file that somebody else wrote: into drop/, or to the socket of
 * the acceptor.  What is taken is a message in wire form, whose copy is taken
 * again and is the same.
 *
 * The first octet of the input says what the rest is: 'r', a whole file; any
 * other, one that lacks its trailer, which is made here.
 */
#include "config.h"

#include "spool/msgfile.h"

#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "fuzz.h"
#include "spool/crc32c.h"

#define MAX_SIZE	100000
#define MAX_RCPTS	50
#define SUBMITTER	4711

static int
file_of(const uint8_t *data, size_t size, bool whole)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	bool eightbit = false;
	size_t i;

	MUST(fd != -1);
	MUST(write(fd, data, size) == (ssize_t)size);
	if (whole)
		return fd;
	for (i = 0; i < size; i++)
		eightbit |= data[i] >= 0x80;
	MUST(dprintf(fd, "E%c%016llx%08lx\n", eightbit ? '8' : '7',
	    (unsigned long long)size,
	    (unsigned long)crc32c(0, (const char *)data, size)) ==
	    MSGFILE_TRAILER_LEN);
	return fd;
}

static char *
octets_of(int fd, size_t *n)
{
	struct stat st;
	char *p;

	MUST(fstat(fd, &st) == 0);
	*n = (size_t)st.st_size;
	p = xmalloc(*n + 1);
	MUST(pread(fd, p, *n, 0) == (ssize_t)*n);
	return p;
}

static int
copy(int from, int to, uid_t uid, struct msgfile *mf)
{
	const struct stat st = { .st_uid = uid, .st_ctim.tv_sec = 4000000000 };
	const char *why = NULL;
	int rc = msgfile_copy(from, to, &st, MAX_SIZE, MAX_RCPTS, mf, &why);

	MUST(rc == 0 || ((rc == -1 || rc == -3) && why != NULL));
	return rc;
}

/* RFC 5321 section 2.3.8: CR and LF only together, and at the end. */
static void
check_wire(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		MUST(p[i] != '\0');
		MUST(p[i] != '\r' || (i + 1 < n && p[i + 1] == '\n'));
		MUST(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
	}
	MUST(n == 0 || p[n - 1] == '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msgfile mf, again;
	const char *why;
	char *one, *two;
	size_t n, m;
	int from, to, third;

	if (size == 0)
		return 0;
	from = file_of(data + 1, size - 1, data[0] == 'r');
	to = file_of(NULL, 0, true);
	if (copy(from, to, SUBMITTER, &mf) == 0) {
		MUST(mf.env.uid == SUBMITTER && mf.env.origin.s[0] == '\0');
		MUST(mf.size <= MAX_SIZE);
		one = octets_of(to, &n);
		check_wire(one + mf.start, (size_t)mf.size);
		MUST(msgfile_read(to, MAX_RCPTS, &again, &why) == 0);
		MUST(again.start == mf.start && again.size == mf.size &&
		    again.eightbit == mf.eightbit &&
		    again.env.nrcpt == mf.env.nrcpt);
		msgfile_clear(&again);
		third = file_of(NULL, 0, true);
		MUST(copy(to, third, SUBMITTER, &again) == 0);
		two = octets_of(third, &m);
		MUST(n == m && memcmp(one, two, n) == 0);
		msgfile_clear(&again);
		msgfile_clear(&mf);
		close(third);
		free(one);
		free(two);
	}
	close(from);
	close(to);
	return 0;
}
