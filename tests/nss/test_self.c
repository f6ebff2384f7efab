/* SPDX-License-Identifier: ISC */
/*
 * self.c: the interfaces are listed only if the kernel does not rule out that
 * an address is ours; what it lets a socket have is no proof.
 */
#include "config.h"

#include "self.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int bind_error;		/* 0: it works; -1: what the kernel says */
static int listed;		/* calls of getifaddrs(3) */

int	__real_bind(int, const struct sockaddr *, socklen_t);
int	__wrap_bind(int, const struct sockaddr *, socklen_t);
int	__real_getifaddrs(struct ifaddrs **);
int	__wrap_getifaddrs(struct ifaddrs **);

int
__wrap_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	if (bind_error == -1)
		return __real_bind(fd, sa, len);
	errno = bind_error;
	return bind_error == 0 ? 0 : -1;
}

int
__wrap_getifaddrs(struct ifaddrs **p)
{
	listed++;
	return __real_getifaddrs(p);
}

static void
test_self_rows(void **state)
{
	static const struct {
		const char	*addr;
		int		 bind_error;
		int		 own, listed;
	} rows[] = {
		{ "127.0.0.1", -1, 1, 1 },
		{ "198.51.100.7", -1, 0, 0 },
		{ "198.51.100.7", 0, 0, 1 },	/* ip_nonlocal_bind */
		{ "198.51.100.7", EPERM, 0, 1 },	/* a sandbox */
		{ "127.0.0.1", EPERM, 1, 1 },
		{ "2001:db8::7", EADDRNOTAVAIL, 0, 0 },
		{ "2001:db8::7", EPERM, 0, 1 }
	};
	struct sockaddr_in6 in6;
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&in6;
	struct ifaddrs *all;
	size_t i;
	int own;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&in6, 0, sizeof(in6));
		if (inet_pton(AF_INET, rows[i].addr, &in->sin_addr) == 1)
			in->sin_family = AF_INET;
		else if (inet_pton(AF_INET6, rows[i].addr,
		    &in6.sin6_addr) == 1)
			in6.sin6_family = AF_INET6;
		bind_error = rows[i].bind_error;
		listed = 0;
		all = NULL;
		own = mxself_is_own((struct sockaddr *)(void *)&in6, &all);
		if (own != rows[i].own || listed != rows[i].listed)
			fail_msg("row %zu, %s: own %d, listed %d", i,
			    rows[i].addr, own, listed);
		if (all != NULL)
			freeifaddrs(all);
	}
}

static void
test_self_of_another_family(void **state)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	struct ifaddrs *all = NULL;

	(void)state;
	assert_int_equal(mxself_is_own(&sa, &all), 0);
	assert_null(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self_rows),
		cmocka_unit_test(test_self_of_another_family),
	};

	return cmocka_run_group_tests_name("self", tests, NULL, NULL);
}
