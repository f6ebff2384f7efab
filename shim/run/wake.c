/* SPDX-License-Identifier: ISC */
/*
 * Anybody may send datagrams here (mode 0666): at most they say that there is
 * something to look at.
 */
#include "config.h"

#include "run/wake.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define GUARD_US	10000

static int
address(const char *path, struct sockaddr_un *sa)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (strlcpy(sa->sun_path, path, sizeof(sa->sun_path)) >=
	    sizeof(sa->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Whether a process has the socket open; a left one is removed. */
static bool
is_served(int fd, const struct sockaddr_un *sa)
{
	struct stat st;

	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0)
		return true;
	if (errno == ECONNREFUSED && lstat(sa->sun_path, &st) == 0 &&
	    S_ISSOCK(st.st_mode))
		(void)unlink(sa->sun_path);
	return false;
}

int
wake_bind(const char *path)
{
	struct sockaddr_un sa;
	int fd, probe, error;

	if (address(path, &sa) == -1 || (probe = make_socket()) == -1)
		return -1;
	if (is_served(probe, &sa)) {
		close(probe);
		errno = EADDRINUSE;
		return -1;
	}
	close(probe);
	if ((fd = make_socket()) == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    chmod(path, 0666) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/*
 * The kernel closes descriptors that came along before recvmsg(2) returns.
 * With SO_LINGER that takes as long as the sender wants; a signal ends it.
 */
static void
guard(bool on)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval t;

	memset(&t, 0, sizeof(t));
	if (on) {
		sigemptyset(&sa.sa_mask);
		(void)sigaction(SIGALRM, &sa, NULL);
		t.it_value.tv_usec = t.it_interval.tv_usec = GUARD_US;
	}
	(void)setitimer(ITIMER_REAL, &t, NULL);
}

static ssize_t
receive(int fd, char *text, size_t size, bool *slow)
{
	struct iovec iov = { text, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	int error;

	guard(true);
	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	error = errno;
	guard(false);
	errno = error;
	/* something came along, and was thrown away */
	*slow = n != -1 && (msg.msg_flags & MSG_CTRUNC) != 0;
	return n;
}

/* Connect to the abstract socket NAME; -1 if nobody listens there. */
static int
call_back(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strspn(name, "0123456789abcdef") != WAKE_NAME)
		return -1;
	memcpy(sa.sun_path + 1, name, WAKE_NAME);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sa,
	    offsetof(struct sockaddr_un, sun_path) + 1 + WAKE_NAME) == -1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void
wake_receive(int fd, struct wakeup *w)
{
	char text[ID_LEN + WAKE_NAME + 1];
	ssize_t n;

	memset(w, 0, sizeof(*w));
	w->reader = -1;
	n = receive(fd, text, sizeof(text), &w->slow);
	if (n == -1)
		return;
	w->any = true;
	if (n != ID_LEN && n != ID_LEN + WAKE_NAME)
		return;
	text[n] = '\0';
	memcpy(w->id.s, text, ID_LEN);
	if (!id_is_valid(w->id.s))
		w->id.s[0] = '\0';
	else if (n > ID_LEN)
		w->reader = call_back(text + ID_LEN);
}
