/* SPDX-License-Identifier: ISC */
/* verbose.c: the dialogue goes to a socket, and nothing can hold it up. */
#include "config.h"

#include "run/verbose.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_verbose_line_marks(void **state)
{
	struct verbose *v;
	char got[128];
	ssize_t n;
	int p[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_non_null(v = verbose_new(p[1]));
	verbose_line(v, '>', "EHLO me");
	verbose_line(v, '<', "250 \033[2Jok");
	verbose_line(v, '=', "done");
	verbose_free(v);
	n = read(p[0], got, sizeof(got) - 1);
	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, ">>> EHLO me\n<<< 250 ?[2Jok\ndone\n");
	assert_int_equal(read(p[0], got, sizeof(got)), 0);
	close(p[0]);
}

static void
test_verbose_line_slow_reader(void **state)
{
	struct verbose *v;
	char line[1000];
	int p[2], i;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_non_null(v = verbose_new(p[1]));
	/* what the reader can do to flags that are shared */
	assert_int_equal(fcntl(p[1], F_SETFL, 0), 0);
	for (i = 0; i < 5000; i++)
		verbose_line(v, '=', line);
	verbose_free(v);
	close(p[0]);
}

static void
test_verbose_line_no_reader(void **state)
{
	struct verbose *v;
	int p[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_non_null(v = verbose_new(p[1]));
	close(p[0]);
	verbose_line(v, '=', "nobody");
	/* it was closed at once */
	assert_int_equal(fcntl(p[1], F_GETFD), -1);
	verbose_line(v, '=', "nobody");
	verbose_free(v);
}

static void
test_verbose_new_nobody(void **state)
{
	(void)state;
	assert_null(verbose_new(-1));
	verbose_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbose_line_marks),
		cmocka_unit_test(test_verbose_line_slow_reader),
		cmocka_unit_test(test_verbose_line_no_reader),
		cmocka_unit_test(test_verbose_new_nobody),
	};

	/* as every main of the project does */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
