/* SPDX-License-Identifier: ISC */
/*
 * What a process inherits is chosen by its caller: descriptors, signals,
 * timers, limits, umask.  After priv_sanitize() none of it matters.
 */
#include "config.h"

#include "base/priv.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/xmalloc.h"

/* The leak checker of the sanitizers wants to trace its own process. */
#if defined(__SANITIZE_ADDRESS__)
#define DUMPABLE	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DUMPABLE	1
#endif
#endif
#ifndef DUMPABLE
#define DUMPABLE	0
#endif

void
priv_close(unsigned from, unsigned to)
{
	struct dirent *e;
	unsigned fd;
	DIR *d;

	if (close_range(from, to, 0) == 0)
		return;
	/* a kernel, or a filter of system calls, that does not know it */
	if ((d = opendir("/proc/self/fd")) == NULL) {
		for (fd = from; fd <= to && fd < sysconf(_SC_OPEN_MAX); fd++)
			close((int)fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		fd = (unsigned)strtoul(e->d_name, NULL, 10);
		if (fd >= from && fd <= to && (int)fd != dirfd(d))
			close((int)fd);
	}
	closedir(d);
}

static void
sanitize_descriptors(int keep)
{
	int fd;

	/* open(2) gives the lowest number that is free */
	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", O_RDWR) != fd)
			_exit(EX_TEMPFAIL);
	priv_close((unsigned)(3 + keep), ~0U);
}

static void
sanitize_signals(void)
{
	struct sigaction sa;
	sigset_t none;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	/* that forgets those that an inherited timer left, blocked */
	sa.sa_handler = SIG_IGN;
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGVTALRM, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	for (sig = 1; sig < 32; sig++) {
		sa.sa_handler = sig == SIGPIPE || sig == SIGXFSZ ?
		    SIG_IGN : SIG_DFL;
		sigaction(sig, &sa, NULL);	/* KILL and STOP refuse */
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
sanitize_timers(void)
{
	static const struct itimerval off;

	setitimer(ITIMER_REAL, &off, NULL);
	setitimer(ITIMER_VIRTUAL, &off, NULL);
	setitimer(ITIMER_PROF, &off, NULL);
}

void
priv_sanitize(int keep)
{
	static const struct rlimit none;

	sanitize_descriptors(keep);
	sanitize_timers();
	sanitize_signals();
	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, DUMPABLE);
}

/* The group of SPOOL/drop opens that directory and nothing else. */
static int
drop_group(const char *spool, gid_t *gid)
{
	char *path = xasprintf("%s/drop", spool);
	struct stat st;
	int rc, error;

	rc = stat(path, &st);
	error = errno;
	free(path);
	errno = error;
	if (rc == -1)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	*gid = st.st_gid;
	return 0;
}

int
priv_become_owner(const char *spool)
{
	struct stat st;
	gid_t group;

	if (geteuid() != 0)
		return 0;
	if (stat(spool, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	if (st.st_uid == 0)
		return 0;
	if (drop_group(spool, &group) == -1 ||
	    setgroups(1, &group) == -1 ||
	    setresgid(st.st_gid, st.st_gid, st.st_gid) == -1 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) == -1)
		return -1;
	/* no way back, or no way on */
	if (setuid(0) != -1 || geteuid() != st.st_uid ||
	    getegid() != st.st_gid) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
