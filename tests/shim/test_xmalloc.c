/* SPDX-License-Identifier: ISC */
/* Allocation that cannot fail: the exit when it does, and edges. */
#include "config.h"

#include "base/xmalloc.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

static bool no_memory;

#define WRAP(name, params, args)					\
	void *__real_##name params;					\
	void *__wrap_##name params;					\
	void *__wrap_##name params					\
	{								\
		return no_memory ? NULL : __real_##name args;		\
	}

WRAP(malloc, (size_t n), (n))
WRAP(calloc, (size_t n, size_t size), (n, size))
WRAP(realloc, (void *p, size_t n), (p, n))
WRAP(strdup, (const char *s), (s))
WRAP(strndup, (const char *s, size_t n), (s, n))

static void
want_malloc(void)
{
	free(xmalloc(10));
}

static void
want_calloc(void)
{
	free(xcalloc(10, 10));
}

static void
want_reallocarray(void)
{
	free(xreallocarray(NULL, 10, 10));
}

static void
want_too_much(void)
{
	volatile size_t many = SIZE_MAX / 2;

	no_memory = false;
	free(xreallocarray(NULL, many, 4));
}

static void
want_strdup(void)
{
	free(xstrdup("x"));
}

static void
want_strndup(void)
{
	free(xstrndup("x", 1));
}

static const struct {
	const char	*name;
	void		(*run_out)(void);
} rows[] = {
	{ "malloc", want_malloc },
	{ "calloc", want_calloc },
	{ "reallocarray", want_reallocarray },
	{ "reallocarray, too much", want_too_much },
	{ "strdup", want_strdup },
	{ "strndup", want_strndup },
};

/* Calls RUN_OUT in a child, with its message in TEXT. */
static int
child_exit(void (*run_out)(void), char *text, size_t size)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		if (dup2(fds[1], STDERR_FILENO) == -1)
			_exit(1);
		no_memory = true;
		run_out();
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_xmalloc_no_memory_exits(void **state)
{
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(child_exit(rows[i].run_out, text, sizeof(text)),
		    EX_TEMPFAIL);
		assert_string_equal(text, "mxnss: out of memory\n");
	}
}

static void
test_xmalloc_of_nothing(void **state)
{
	void *p;

	(void)state;
	assert_non_null(p = xmalloc(0));
	free(p);
	assert_non_null(p = xcalloc(0, 0));
	p = xreallocarray(p, 0, 7);
	assert_non_null(p);
	free(p);
}

static void
test_xcalloc_is_zero(void **state)
{
	static const char zero[512];
	char *p = xcalloc(4, 128);

	(void)state;
	assert_memory_equal(p, zero, sizeof(zero));
	free(p);
}

static void
test_xstrings(void **state)
{
	char *s;

	(void)state;
	assert_string_equal(s = xstrdup("abc"), "abc");
	free(s);
	assert_string_equal(s = xstrndup("abc", 2), "ab");
	free(s);
	assert_string_equal(s = xstrndup("abc", 20), "abc");
	free(s);
	assert_string_equal(s = xasprintf("%s/%d", "x", 5), "x/5");
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xmalloc_no_memory_exits),
		cmocka_unit_test(test_xmalloc_of_nothing),
		cmocka_unit_test(test_xcalloc_is_zero),
		cmocka_unit_test(test_xstrings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
