/* SPDX-License-Identifier: ISC */
/* CRC-32C: the vectors of RFC 3720 B.4, pieces, both ways to compute it. */
#include "config.h"

#include "spool/crc32c.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

static void
check(const void *p, size_t n, uint32_t want)
{
	assert_int_equal(crc32c(0, p, n), want);
	assert_int_equal(crc32c_portable(0, p, n), want);
}

static void
test_crc32c_vectors(void **state)
{
	unsigned char block[32];
	unsigned i;

	(void)state;
	check("", 0, 0);
	check("123456789", 9, 0xe3069283);
	check("a", 1, 0xc1d04330);
	memset(block, 0, sizeof(block));
	check(block, sizeof(block), 0x8a9136aa);
	memset(block, 0xff, sizeof(block));
	check(block, sizeof(block), 0x62a8ab43);
	for (i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)i;
	check(block, sizeof(block), 0x46dd794e);
	for (i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)(31 - i);
	check(block, sizeof(block), 0x113fdb5c);
}

static void
test_crc32c_pieces_and_alignment(void **state)
{
	unsigned char *data = malloc(4096 + 8);
	size_t i, cut, at;
	uint32_t whole;

	(void)state;
	assert_non_null(data);
	for (i = 0; i < 4096 + 8; i++)
		data[i] = (unsigned char)(i * i * 31 + i / 7);
	for (at = 0; at < 8; at++) {
		whole = crc32c(0, data + at, 4096);
		assert_int_equal(crc32c_portable(0, data + at, 4096), whole);
		for (cut = 0; cut < 100; cut++)
			assert_int_equal(crc32c(crc32c_portable(0, data + at,
			    cut), data + at + cut, 4096 - cut), whole);
	}
	free(data);
}

static void
test_crc32c_sees_every_bit(void **state)
{
	unsigned char data[100];
	uint32_t whole;
	size_t i;

	(void)state;
	memset(data, 'x', sizeof(data));
	whole = crc32c(0, data, sizeof(data));
	for (i = 0; i < 8 * sizeof(data); i++) {
		data[i / 8] ^= (unsigned char)(1 << i % 8);
		assert_int_not_equal(crc32c(0, data, sizeof(data)), whole);
		data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c_vectors),
		cmocka_unit_test(test_crc32c_pieces_and_alignment),
		cmocka_unit_test(test_crc32c_sees_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
