/* SPDX-License-Identifier: ISC */
/*
 * Process 1 of the process namespace that a program under measurement lives
 * in.  It waits for whatever that leaves behind, and when it is killed the
 * kernel ends the rest.  It also is the syslogd that these programs write
 * to, and throws away what they say.
 */
#include "config.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static int
open_log(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX,
	    .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    chmod(sa.sun_path, 0666) == -1)
		err(1, "%s", sa.sun_path);
	return fd;
}

int
main(void)
{
	struct signalfd_siginfo info;
	struct pollfd pfd[2] = { { .events = POLLIN }, { .events = POLLIN } };
	char line[8192];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pfd[0].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (pfd[0].fd == -1)
		err(1, "signalfd");
	pfd[1].fd = open_log();
	for (;;) {
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			err(1, "poll");
		/* several deaths may be one signal: clear it, then look */
		while (read(pfd[0].fd, &info, sizeof(info)) > 0)
			;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		while (recv(pfd[1].fd, line, sizeof(line), 0) >= 0)
			;
	}
}
