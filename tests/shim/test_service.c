/* SPDX-License-Identifier: ISC */
/* What a service manager passes in, and what it is told. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/service.h"

/* FD becomes what is passed in. */
static void
put(int fd)
{
	assert_int_not_equal(fd, -1);
	if (fd == SERVICE_LISTEN_FD)
		return;
	assert_int_equal(dup2(fd, SERVICE_LISTEN_FD), SERVICE_LISTEN_FD);
	close(fd);
}

static void
test_service_init_sockets(void **state)
{
	static const struct {
		const char	*pid;	/* NULL: not set; "": ours */
		const char	*fds;
		int		 n;
	} rows[] = {
		{ "", "1", 1 },
		{ "", "16", 16 },
		{ "", "17", 0 },
		{ "", "0", 0 },
		{ "", "-1", 0 },
		{ "", "x", 0 },
		{ "", NULL, 0 },
		{ NULL, "1", 0 },
		{ "1", "1", 0 },
		{ "99999999999", "1", 0 },
	};
	char pid[32];
	size_t i;

	(void)state;
	put(socket(AF_UNIX, SOCK_DGRAM, 0));
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDS");
		if (rows[i].pid != NULL)
			setenv("LISTEN_PID", *rows[i].pid != '\0' ?
			    rows[i].pid : pid, 1);
		if (rows[i].fds != NULL)
			setenv("LISTEN_FDS", rows[i].fds, 1);
		if (service_init() != rows[i].n)
			fail_msg("row %zu", i);
	}
	unsetenv("LISTEN_PID");
}

/* The environment speaks of a socket that is none, or another one. */
static void
test_service_listen_fd_is_another(void **state)
{
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	put(socket(AF_UNIX, SOCK_DGRAM, 0));
	assert_int_equal(service_init(), 1);
	put(socket(AF_UNIX, SOCK_STREAM, 0));
	assert_int_equal(service_init(), 0);
	put(socket(AF_INET, SOCK_DGRAM, 0));
	assert_int_equal(service_init(), 0);
	put(open("/dev/null", O_RDWR));
	assert_int_equal(service_init(), 0);
	close(SERVICE_LISTEN_FD);
	assert_int_equal(service_init(), 0);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

static void
test_service_notify(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa);
	char name[sizeof(sa.sun_path) + 2], text[64];
	ssize_t n;
	int fd;

	(void)state;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa,
	    sizeof(sa.sun_family)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(len -
	    offsetof(struct sockaddr_un, sun_path) - 1), sa.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	(void)service_init();
	/* it is not asked again */
	unsetenv("NOTIFY_SOCKET");
	service_notify("READY=%d", 1);
	n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	assert_int_equal(n, 7);
	assert_memory_equal(text, "READY=1", 7);
	close(fd);
	/* nobody listens any more */
	service_notify("STOPPING=1");
}

static void
test_service_notify_nobody(void **state)
{
	static const char *const names[] = { "", "relative", "vsock:2:1",
	    "/nonexistent/socket", "/a-name-that-is-much-too-long-for-a-socket"
	    "-address-as-it-has-only-108-octets-in-this-kernel-and-in-all-"
	    "others-that-we-know" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		(void)service_init();
		service_notify("READY=1");
	}
	unsetenv("NOTIFY_SOCKET");
	(void)service_init();
	service_notify("READY=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service_init_sockets),
		cmocka_unit_test(test_service_listen_fd_is_another),
		cmocka_unit_test(test_service_notify),
		cmocka_unit_test(test_service_notify_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
