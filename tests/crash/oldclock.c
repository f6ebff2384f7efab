/* SPDX-License-Identifier: ISC */
/*
 * LD_PRELOAD: the clock of the day is OLDCLOCK seconds late.  A message that
 * is submitted with it is that old.
 */
#include "config.h"

#include <sys/syscall.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	const char *late = getenv("OLDCLOCK");

	if (syscall(SYS_clock_gettime, clock, ts) == -1)
		return -1;
	if (clock == CLOCK_REALTIME && late != NULL)
		ts->tv_sec -= strtol(late, NULL, 10);
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
