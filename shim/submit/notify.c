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
#include <stddef.h>
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

int
notify_listen(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, error;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1)
		return -1;
	/* the kernel finds an abstract name: "autobind" in unix(7) */
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa.sun_family)) == 0 &&
	    listen(fd, 8) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* ID, then the name of LISTENER.  The length, or -1 with errno. */
static ssize_t
make_text(char *text, size_t size, const char *id, int listener)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	size_t n = strlen(id), name = 0;

	if (listener != -1) {
		if (getsockname(listener, (struct sockaddr *)&sa, &len) == -1)
			return -1;
		/* without the NUL that makes it abstract */
		name = len - offsetof(struct sockaddr_un, sun_path) - 1;
	}
	if (n + name > size) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(text, id, n);
	if (name != 0)
		memcpy(text + n, sa.sun_path + 1, name);
	return (ssize_t)(n + name);
}

int
notify_wake(const char *path, const char *id, int listener)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	char text[64];
	ssize_t len;
	int sock, rc, error;

	if (n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, n + 1);
	if ((len = make_text(text, sizeof(text), id, listener)) == -1)
		return -1;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock == -1)
		return -1;
	rc = sendto(sock, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (struct sockaddr *)&sa, sizeof(sa)) == -1 ? -1 : 0;
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
	free_lock = errno == ENOENT;	/* the first runner makes it */
	free(path);
	if (fd == -1)
		return free_lock;
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
notify_await(const char *path, const char *id, int listener, int ms)
{
	int64_t end = now_ms() + ms;
	struct pollfd none = { .fd = -1 };

	while (notify_wake(path, id, listener) == -1) {
		if (now_ms() >= end)
			return -1;
		poll(&none, 1, RETRY_MS);
	}
	return 0;
}

/* Wait for input on FD until END.  Whether there is some. */
static bool
wait_until(int fd, int64_t end)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t left;

	while ((left = end - now_ms()) > 0)
		if (poll(&pfd, 1, (int)left) > 0)
			return true;
	return false;
}

/* Anybody may connect; what others than the runner say is not shown. */
static bool
is_runner(int fd, const char *spool)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    stat(spool, &st) == 0 && peer.uid == st.st_uid;
}

/* The runner's call, until END; or -1. */
static int
accept_runner(int listener, const char *spool, int64_t end)
{
	int fd;

	while (wait_until(listener, end)) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1)
			continue;
		if (is_runner(fd, spool))
			return fd;
		close(fd);
	}
	return -1;
}

void
notify_follow(int listener, const char *spool, int ms)
{
	int64_t now = now_ms(), end = now + ms;
	char chunk[4096];
	ssize_t n;
	int fd;

	fd = accept_runner(listener, spool, ms < NOTIFY_CALL_MS ? end :
	    now + NOTIFY_CALL_MS);
	while (fd != -1 && wait_until(fd, end)) {
		n = read(fd, chunk, sizeof(chunk));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 || write(STDOUT_FILENO, chunk, (size_t)n) == -1)
			break;
	}
	if (fd != -1)
		close(fd);
}
