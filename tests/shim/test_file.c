/* SPDX-License-Identifier: ISC */
/* Files into memory and from there: sizes, limits, what is no plain file. */
#include "config.h"

#include "base/file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

static void
test_file_read_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
	char path[] = "/tmp/mxnss-file-XXXXXX";
	struct buf want = BUF_INIT, got = BUF_INIT;
	size_t i;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd != -1);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		while (want.len < sizes[i])
			buf_addc(&want, (char)('a' + want.len % 26));
		assert_int_equal(pwrite(fd, buf_str(&want), want.len, 0),
		    want.len);
		buf_reset(&got);
		buf_adds(&got, "before ");
		assert_int_equal(file_read(path, sizes[i], &got), 0);
		assert_int_equal(got.len, 7 + sizes[i]);
		assert_memory_equal(got.data + 7, buf_str(&want), sizes[i]);
		if (sizes[i] > 0) {
			assert_int_equal(file_read(path, sizes[i] - 1, &got),
			    -1);
			assert_int_equal(errno, EFBIG);
		}
	}
	close(fd);
	unlink(path);
	buf_clear(&want);
	buf_clear(&got);
}

static void
test_file_read_others(void **state)
{
	char dir[] = "/tmp/mxnss-file-XXXXXX", fifo[64];
	struct buf b = BUF_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(file_read("/nonexistent/x", 1, &b), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_read(dir, 1, &b), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(file_read("/dev/null", 1, &b), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(file_read("/dev/zero", 10000, &b), -1);
	assert_int_equal(errno, EFBIG);
	/* nobody writes: the test ends */
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	buf_reset(&b);
	assert_int_equal(file_read(fifo, 1, &b), 0);
	assert_int_equal(b.len, 0);
	unlink(fifo);
	rmdir(dir);
	buf_clear(&b);
}

/* A copy begins at the start, wherever the file is being read. */
static void
test_file_copy(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 100000 };
	struct buf want = BUF_INIT;
	char *got = malloc(100002);
	size_t i;
	int from, to;

	(void)state;
	assert_non_null(got);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		while (want.len < sizes[i])
			buf_addc(&want, (char)('a' + want.len % 26));
		assert_true((from = file_in_memory()) != -1);
		assert_true((to = file_in_memory()) != -1);
		assert_true(file_is_in_memory(from));
		assert_int_equal(file_write(from, buf_str(&want), want.len),
		    0);
		assert_int_equal(file_copy(from, 0, to), 0);
		assert_int_equal(pread(to, got, 100002, 0), want.len);
		assert_memory_equal(got, buf_str(&want), want.len);
		/* behind what is there */
		if (want.len > 1)
			assert_int_equal(file_copy(from, (off_t)want.len - 1,
			    to), 0);
		assert_int_equal(pread(to, got, 100002, 0),
		    want.len + (want.len > 1));
		close(from);
		close(to);
	}
	free(got);
	buf_clear(&want);
}

static void
test_file_copy_fails(void **state)
{
	int full = open("/dev/full", O_WRONLY), from = file_in_memory();

	(void)state;
	assert_true(full != -1 && from != -1);
	assert_false(file_is_in_memory(full));
	assert_int_equal(file_copy(-1, 0, from), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(file_write(from, "x", 1), 0);
	assert_int_equal(file_copy(from, 0, full), -1);
	assert_int_equal(errno, ENOSPC);
	close(full);
	close(from);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_read_sizes),
		cmocka_unit_test(test_file_read_others),
		cmocka_unit_test(test_file_copy),
		cmocka_unit_test(test_file_copy_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
