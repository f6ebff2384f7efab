/* SPDX-License-Identifier: ISC */
/*
 * The wake socket, starting a runner, and sendmail -v.  Failure is normal
 * here: the runner finds the message by itself.
 */
#include "config.h"

#include "submit/notify.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define RETRY_MS	10

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
send_to(int sock, const struct sockaddr_un *sa, const char *id, int pipe)
{
	union {
		struct cmsghdr	hdr;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	struct sockaddr_un to = *sa;
	char text[64];
	struct iovec iov = { text, strnlen(id, sizeof(text)) };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to),
	    .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(text, id, iov.iov_len);
	if (pipe != -1) {
		memset(&control, 0, sizeof(control));
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.hdr), &pipe, sizeof(pipe));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -1 : 0;
}

int
notify_wake(const char *path, const char *id, int pipe)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	int sock, rc, error;

	if (n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, n + 1);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock == -1)
		return -1;
	rc = send_to(sock, &sa, id, pipe);
	error = errno;
	close(sock);
	errno = error;
	return rc;
}

/* Whether the lock of a runner on SPOOL could be taken. */
static bool
is_unlocked(const char *spool)
{
	char *path = xasprintf("%s/queue", spool);
	bool free_lock;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (fd == -1)
		return false;
	free_lock = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return free_lock;
}

static bool
spawn(const char *program)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *name = xstrdup(program);
	char *argv[] = { name, NULL }, *envp[] = { path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	pid_t pid;
	int rc;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	/* a caller that waits for the end of our output waits for us only */
	rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null",
	    O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, 0, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, 0, 2);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	if (rc == 0)
		rc = posix_spawn(&pid, program, &files, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	free(name);
	return rc == 0;
}

bool
notify_start(const char *program, const char *spool)
{
	struct stat st;

	return stat(spool, &st) == 0 && st.st_uid == geteuid() &&
	    is_unlocked(spool) && spawn(program);
}

int
notify_await(const char *path, const char *id, int pipe, int ms)
{
	int64_t end = now_ms() + ms;
	struct pollfd none = { .fd = -1 };

	while (notify_wake(path, id, pipe) == -1) {
		if (now_ms() >= end)
			return -1;
		poll(&none, 1, RETRY_MS);
	}
	return 0;
}

void
notify_follow(int fd, int ms)
{
	int64_t end = now_ms() + ms, left;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char chunk[4096];
	ssize_t n;

	while ((left = end - now_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 || write(STDOUT_FILENO, chunk, (size_t)n) == -1)
			return;
	}
}
