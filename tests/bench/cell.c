/* SPDX-License-Identifier: ISC */
/*
 * Process 1 of the process namespace that a program under measurement lives
 * in.  It inherits whatever that leaves behind, and adds up what the ended
 * ones have cost: so no process escapes the account, however it detaches.
 * When it is killed the kernel ends the rest.
 *
 *	cell PAGE
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "page.h"

struct counters {
	uint64_t	ready;		/* 1 */
	uint64_t	cpu;		/* us of all that have been reaped */
	uint64_t	maxrss;		/* KiB, of the largest of them since
					   the driver set it to 0 */
};

static uint64_t
microseconds(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000 + (uint64_t)tv->tv_usec;
}

int
main(int argc, char **argv)
{
	struct counters *counters;
	struct rusage ru;
	sigset_t set;
	int sig;

	if (argc != 2)
		errx(64, "usage: cell PAGE");
	counters = page_open(argv[1]);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	counters->ready = 1;
	for (;;) {
		while (wait4(-1, NULL, WNOHANG, &ru) > 0) {
			counters->cpu += microseconds(&ru.ru_utime) +
			    microseconds(&ru.ru_stime);
			if ((uint64_t)ru.ru_maxrss > counters->maxrss)
				counters->maxrss = (uint64_t)ru.ru_maxrss;
		}
		sigwait(&set, &sig);
	}
}
