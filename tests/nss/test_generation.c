/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "generation.h"
#include "mxdb.h"

static char dir[] = "/tmp/test_generation.XXXXXX";
static char path[sizeof(dir) + 8], other[sizeof(dir) + 8];

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/a", dir);
	(void)snprintf(other, sizeof(other), "%s/b", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	return rmdir(dir);
}

static void
write_file(const char *name, const char *text)
{
	FILE *fp = fopen(name, "w");

	assert_non_null(fp);
	assert_int_not_equal(fputs(text, fp), EOF);
	assert_int_equal(fclose(fp), 0);
}

static void
set_mtime(time_t t)
{
	const struct timespec ts[2] = { { t, 0 }, { t, 0 } };

	assert_int_equal(utimensat(-1, path, ts, 0), 0);
}

static void
test_generation_file(void **state)
{
	uint64_t absent = mxgeneration_file(1, path), g, h;

	(void)state;
	assert_true(absent == mxgeneration_file(1, path));
	write_file(path, "one");
	g = mxgeneration_file(1, path);
	assert_true(g != absent);
	assert_true(g == mxgeneration_file(1, path));
	assert_true(g != mxgeneration_file(2, path));
	/* another size, another time, another file of the same size */
	write_file(path, "three");
	assert_true((h = mxgeneration_file(1, path)) != g);
	set_mtime(1000000);
	assert_true((g = mxgeneration_file(1, path)) != h);
	write_file(other, "seven");
	assert_int_equal(rename(other, path), 0);
	assert_true(mxgeneration_file(1, path) != g);
	assert_int_equal(unlink(path), 0);
	assert_true(mxgeneration_file(1, path) == absent);
}

static void
test_generation_is_stable(void **state)
{
	(void)state;
	assert_true(mx_generation() == mx_generation());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generation_file),
		cmocka_unit_test(test_generation_is_stable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
