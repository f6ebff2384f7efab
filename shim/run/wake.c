/* SPDX-License-Identifier: ISC */
/*
 * Anybody may send datagrams here (mode 0666): at most they say that there is
 * something to look at.
 */
#include "config.h"

#include "run/wake.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

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

/* Descriptors that came along: one pipe is kept, the others are closed. */
static int
take_pipe(struct msghdr *msg)
{
	struct cmsghdr *c;
	struct stat st;
	int fd, kept = -1;
	size_t i, n;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(fd));
			if (kept == -1 && fstat(fd, &st) == 0 &&
			    S_ISFIFO(st.st_mode))
				kept = fd;
			else
				close(fd);
		}
	}
	return kept;
}

void
wake_receive(int fd, struct wakeup *w)
{
	union {
		struct cmsghdr	hdr;
		char		space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[ID_LEN + 1];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(w, 0, sizeof(*w));
	w->pipe = -1;
	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return;
	w->any = true;
	w->pipe = take_pipe(&msg);
	if (n == ID_LEN) {
		text[n] = '\0';
		if (id_is_valid(text))
			memcpy(w->id.s, text, sizeof(w->id.s));
	}
	if (w->id.s[0] == '\0' && w->pipe != -1) {
		close(w->pipe);
		w->pipe = -1;
	}
}
