/* SPDX-License-Identifier: ISC */
/*
 * CRC-32C, reflected polynomial 0x82f63b78: the processor's instruction
 * where there is one, else eight octets at a time by tables ("slicing by
 * 8").  Every octet of a message passes here at least twice.
 */
#include "config.h"

#include "spool/crc32c.h"

#include <string.h>

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

static uint32_t table[8][256];

static void
make_table(void)
{
	uint32_t c;
	unsigned i, k;

	for (i = 0; i < 256; i++) {
		c = i;
		for (k = 0; k < 8; k++)
			c = c >> 1 ^ (0x82f63b78 & (0 - (c & 1)));
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^
			    table[0][table[k - 1][i] & 0xff];
}

static uint32_t
crc_octets(uint32_t c, const unsigned char *p, size_t n)
{
	while (n-- > 0)
		c = c >> 8 ^ table[0][(c ^ *p++) & 0xff];
	return c;
}

static uint32_t
crc_tables(uint32_t c, const unsigned char *p, size_t n)
{
	if (table[0][1] == 0)
		make_table();
	for (; n >= 8; p += 8, n -= 8) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		c = table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^
		    table[5][c >> 16 & 0xff] ^ table[4][c >> 24] ^
		    table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
		    table[0][p[7]];
	}
	return crc_octets(c, p, n);
}

#if defined(__x86_64__) && defined(__GNUC__)
static uint32_t __attribute__((target("sse4.2")))
crc_sse(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t c = crc, word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		c = __builtin_ia32_crc32di(c, word);
	}
	crc = (uint32_t)c;
	while (n-- > 0)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}

/*
 * What the C library knows already costs nothing.  The compiler's own way
 * asks the processor again, at the start of the program, and that is what a
 * virtual machine has to step in for: 50 us of a submission.
 */
#ifdef CPU_FEATURE_ACTIVE
#define HAVE_SSE4_2()	CPU_FEATURE_ACTIVE(SSE4_2)
#else
#define HAVE_SSE4_2()	__builtin_cpu_supports("sse4.2")
#endif

static uint32_t
crc_best(uint32_t c, const unsigned char *p, size_t n)
{
	return HAVE_SSE4_2() ? crc_sse(c, p, n) : crc_tables(c, p, n);
}
#else
#define crc_best	crc_tables
#endif

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	return ~crc_best(~crc, p, n);
}

uint32_t
crc32c_portable(uint32_t crc, const void *p, size_t n)
{
	return ~crc_tables(~crc, p, n);
}
