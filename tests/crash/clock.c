/* SPDX-License-Identifier: ISC */
/*
 * LD_PRELOAD: the clock of the day is wrong by as many seconds as the file
 * CLOCK_FILE says, now; "-172800" is two days late.  So is the ctime that
 * fstat(2) finds; the other times of a file are what somebody set.  CLOCK_FILE
 * is mapped, so that it is heard in a sandbox, too, and costs no system call:
 * write to it without making it shorter.
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SIZE	4096		/* behind the end of the file are zeros */

static const char *shift;

__attribute__((constructor))
static void
map(void)
{
	const char *path = getenv("CLOCK_FILE");
	void *p;
	int fd;

	if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		abort();
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	shift = p;
}

static long long
by(void)
{
	return shift != NULL ? strtoll(shift, NULL, 10) : 0;
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (syscall(SYS_clock_gettime, clock, ts) == -1)
		return -1;
	if (clock == CLOCK_REALTIME)
		ts->tv_sec += by();
	return 0;
}

time_t
time(time_t *t)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec;
	return ts.tv_sec;
}

int
fstat(int fd, struct stat *st)
{
	if (fstatat(fd, "", st, AT_EMPTY_PATH) == -1)
		return -1;
	st->st_ctim.tv_sec += by();
	return 0;
}
