/* SPDX-License-Identifier: ISC */
/*
 * The protocol is one datagram of VARIABLE=VALUE lines to a socket whose
 * path, or abstract name after an @, is in NOTIFY_SOCKET.
 */
#include "config.h"

#include "run/service.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static struct sockaddr_un manager;
static socklen_t manager_len;	/* 0: there is none */

/* A datagram socket of this machine, as the wake socket is. */
static bool
is_wake_socket(int fd)
{
	int domain, type;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	    domain == AF_UNIX &&
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_DGRAM;
}

static int
listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	const char *why;
	long long v;

	if (pid == NULL || n == NULL)
		return 0;
	v = strtonum(pid, 1, INT32_MAX, &why);
	if (why != NULL || v != getpid())
		return 0;
	v = strtonum(n, 1, 16, &why);
	/* a number that is none of ours may be given to any file later */
	return why != NULL || !is_wake_socket(SERVICE_LISTEN_FD) ? 0 : (int)v;
}

int
service_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	memset(&manager, 0, sizeof(manager));
	manager.sun_family = AF_UNIX;
	manager_len = 0;
	if (path != NULL && (path[0] == '/' || path[0] == '@') &&
	    strlcpy(manager.sun_path, path, sizeof(manager.sun_path)) <
	    sizeof(manager.sun_path)) {
		manager_len = (socklen_t)(offsetof(struct sockaddr_un,
		    sun_path) + strlen(path));
		if (path[0] == '@')
			manager.sun_path[0] = '\0';
		else
			manager_len++;
	}
	return listen_fds();
}

void
service_notify(const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	int fd;

	if (manager_len == 0)
		return;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1) {
		/* lost, it costs a line of systemctl status */
		(void)sendto(fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&manager, manager_len);
		close(fd);
	}
	buf_clear(&b);
}
