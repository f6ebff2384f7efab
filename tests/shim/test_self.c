/* SPDX-License-Identifier: ISC */
/* self.c: which addresses are our own; getifaddrs() is replaced. */
#include "config.h"

#include "run/self.h"

#include <sys/types.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <ifaddrs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_in eth4 = { .sin_family = AF_INET };
static struct sockaddr_in6 eth6 = { .sin6_family = AF_INET6 };
static struct sockaddr link_layer = { .sa_family = AF_PACKET };
static struct ifaddrs list[4];
static bool broken;

int	__wrap_getifaddrs(struct ifaddrs **);
void	__wrap_freeifaddrs(struct ifaddrs *);

int
__wrap_getifaddrs(struct ifaddrs **p)
{
	if (broken) {
		errno = EMFILE;
		return -1;
	}
	inet_pton(AF_INET, "192.0.2.7", &eth4.sin_addr);
	inet_pton(AF_INET6, "2001:db8::7", &eth6.sin6_addr);
	/* an interface may have no address */
	list[0].ifa_next = &list[1];
	list[1].ifa_addr = &link_layer;
	list[1].ifa_next = &list[2];
	list[2].ifa_addr = (struct sockaddr *)&eth4;
	list[2].ifa_next = &list[3];
	list[3].ifa_addr = (struct sockaddr *)&eth6;
	*p = list;
	return 0;
}

void
__wrap_freeifaddrs(struct ifaddrs *p)
{
	assert_ptr_equal(p, list);
}

static bool
is_self(const char *text)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = 25 };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &sin.sin_addr) == 1)
		return self_is_address((struct sockaddr *)&sin);
	assert_int_equal(inet_pton(AF_INET6, text, &sin6.sin6_addr), 1);
	return self_is_address((struct sockaddr *)&sin6);
}

static const struct {
	const char	*addr;
	bool		 self;
	bool		 always;
} rows[] = {
	{ "192.0.2.7", true, false },
	{ "192.0.2.8", false, false },
	{ "2001:db8::7", true, false },
	{ "2001:db8::8", false, false },
	{ "::ffff:192.0.2.7", true, false },
	{ "::ffff:192.0.2.8", false, false },
	{ "127.0.0.1", true, true },
	{ "127.9.9.9", true, true },
	{ "0.0.0.0", true, true },
	{ "::ffff:127.0.0.1", true, true },
	{ "::1", true, true },
	{ "::", true, true },
	{ "::2", false, false },
	{ "128.0.0.1", false, false },
};

static void
test_self_is_address_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_self(rows[i].addr) != rows[i].self)
			fail_msg("%s", rows[i].addr);
}

static void
test_self_is_address_without_interfaces(void **state)
{
	size_t i;

	(void)state;
	broken = true;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_self(rows[i].addr) != rows[i].always)
			fail_msg("%s", rows[i].addr);
	broken = false;
}

static void
test_self_is_address_other_family(void **state)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };

	(void)state;
	assert_false(self_is_address(&sa));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self_is_address_rows),
		cmocka_unit_test(test_self_is_address_without_interfaces),
		cmocka_unit_test(test_self_is_address_other_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
