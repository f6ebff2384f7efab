/* SPDX-License-Identifier: ISC */
/*
 * What the tests of lib/ and nss/ use of cmocka, for targets that nobody
 * packages cmocka for (musl, a cross compiler without a root directory).
 * The same names, the same TAP lines; nothing is isolated by signals, so a
 * crash ends the program.  configure takes the real cmocka where it is.
 */
#ifndef TESTS_COMPAT_CMOCKA_H
#define TESTS_COMPAT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char	 *name;
	void		(*test_func)(void **state);
	CMFixtureFunction setup_func;
	CMFixtureFunction teardown_func;
	void		 *initial_state;
};

#define cmocka_unit_test(f)	{ #f, f, NULL, NULL, NULL }
#define cmocka_unit_test_setup(f, s)	{ #f, f, s, NULL, NULL }
#define cmocka_unit_test_setup_teardown(f, s, t) { #f, f, s, t, NULL }

enum { CM_FAILED = 1, CM_SKIPPED = 2 };
static jmp_buf cm_out;

__attribute__((format(printf, 1, 2)))
static inline void
print_message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 3, 4), noreturn))
static inline void
cm_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	(void)printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
	longjmp(cm_out, CM_FAILED);
}

#define fail()		cm_fail(__FILE__, __LINE__, "failed")
#define fail_msg(...)	cm_fail(__FILE__, __LINE__, __VA_ARGS__)
#define skip()		longjmp(cm_out, CM_SKIPPED)

#define cm_check(ok, what) do {						\
	if (!(ok))							\
		cm_fail(__FILE__, __LINE__, "%s", what);		\
} while (0)
#define cm_number(x)	((uintmax_t)(x))
#define assert_true(c)	cm_check((c), #c)
#define assert_false(c)	cm_check(!(c), "not " #c)
#define assert_null(p)	cm_check((p) == NULL, #p " is not NULL")
#define assert_non_null(p) cm_check((p) != NULL, #p " is NULL")
#define assert_ptr_equal(a, b)						\
	cm_check((const void *)(a) == (const void *)(b), #a " is not " #b)
#define assert_int_not_equal(a, b)					\
	cm_check(cm_number(a) != cm_number(b), #a " is " #b)
#define assert_string_not_equal(a, b)					\
	cm_check(strcmp((a), (b)) != 0, #a " is " #b)
#define assert_memory_equal(a, b, n)					\
	cm_check(memcmp((a), (b), (n)) == 0, #a " is not " #b)

#define assert_int_equal(a, b) do {					\
	uintmax_t cm_a = cm_number(a), cm_b = cm_number(b);		\
	if (cm_a != cm_b)						\
		cm_fail(__FILE__, __LINE__, "%s is %jd, not %jd", #a,	\
		    (intmax_t)cm_a, (intmax_t)cm_b);			\
} while (0)

#define assert_in_range(n, min, max) do {				\
	uintmax_t cm_n = cm_number(n);					\
	if (cm_n < cm_number(min) || cm_n > cm_number(max))		\
		cm_fail(__FILE__, __LINE__, "%s is %jd", #n,		\
		    (intmax_t)cm_n);					\
} while (0)

#define assert_string_equal(a, b) do {					\
	const char *cm_a = (a), *cm_b = (b);				\
	if (strcmp(cm_a, cm_b) != 0)					\
		cm_fail(__FILE__, __LINE__, "\"%s\" is not \"%s\"",	\
		    cm_a, cm_b);					\
} while (0)

/* 0, or how it ended. */
static inline int
cm_run(const struct CMUnitTest *t, void **state)
{
	int how = setjmp(cm_out);

	if (how != 0)
		return how;
	if (t->setup_func != NULL && t->setup_func(state) != 0)
		return CM_FAILED;
	t->test_func(state);
	return 0;
}

static inline int
cm_group(const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
    CMFixtureFunction teardown)
{
	static const char *const words[] = { "ok", "not ok", "ok" };
	static void *group, *state;
	int failed = 0, how;
	size_t i;

	if (setup != NULL && setup(&group) != 0) {
		(void)printf("not ok - setup\n");
		return 1;
	}
	(void)printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		state = group;
		how = cm_run(&tests[i], &state);
		if (tests[i].teardown_func != NULL &&
		    tests[i].teardown_func(&state) != 0)
			how = CM_FAILED;
		(void)printf("%s %zu - %s%s\n", words[how], i + 1,
		    tests[i].name, how == CM_SKIPPED ? " # SKIP" : "");
		(void)fflush(stdout);
		failed += how == CM_FAILED;
	}
	if (teardown != NULL && teardown(&group) != 0)
		failed++;
	return failed;
}

#define cmocka_run_group_tests(tests, setup, teardown)			\
	cm_group(tests, sizeof(tests) / sizeof(tests[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)	\
	cmocka_run_group_tests(tests, setup, teardown)

#endif /* TESTS_COMPAT_CMOCKA_H */
