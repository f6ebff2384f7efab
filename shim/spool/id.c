/* SPDX-License-Identifier: ISC */
/*
 * Message identifiers.  The alphabet is in ASCII order, so that sorting
 * text sorts time; it has no I, L, O and U, which people misread.  Nothing
 * in an identifier tells about the process or the machine.
 */
#include "config.h"

#include "spool/id.h"

#include <sys/random.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TIME_CHARS	12
#define RANDOM_CHARS	(ID_LEN - TIME_CHARS)
#define REPORT_BIT	((uint64_t)1 << (5 * RANDOM_CHARS - 1))

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Write the low 5 * N bits of V as N characters. */
static void
encode(char *p, size_t n, uint64_t v)
{
	while (n-- > 0) {
		p[n] = alphabet[v & 31];
		v >>= 5;
	}
}

static uint64_t
random_bits(void)
{
	uint64_t v;
	ssize_t n;

	/* up to 256 octets come whole; only an early boot interrupts */
	do {
		n = getrandom(&v, sizeof(v), 0);
	} while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(v)) {
		dprintf(STDERR_FILENO, "mxnss: no random numbers: %s\n",
		    strerror(errno));
		exit(EX_TEMPFAIL);
	}
	return v;
}

void
id_new(struct msgid *id)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	encode(id->s, TIME_CHARS, (uint64_t)now.tv_sec * 1000000 +
	    (uint64_t)now.tv_nsec / 1000);
	encode(id->s + TIME_CHARS, RANDOM_CHARS, random_bits() & ~REPORT_BIT);
	id->s[ID_LEN] = '\0';
}

/* As strchr(3) in the alphabet has it: asked for each file of a scan. */
static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z' && c != 'I' &&
	    c != 'L' && c != 'O' && c != 'U');
}

bool
id_is_valid(const char *s)
{
	size_t i;

	for (i = 0; i < ID_LEN; i++)
		if (!is_digit(s[i]))
			return false;
	return s[i] == '\0';
}

uint64_t
id_time(const char *s)
{
	const char *p;
	uint64_t v = 0;
	int i;

	for (i = 0; i < TIME_CHARS && s[i] != '\0'; i++) {
		p = strchr(alphabet, s[i]);
		v = v << 5 | (p != NULL ? (uint64_t)(p - alphabet) : 0);
	}
	return v;
}

uint64_t
id_hash(const char *s)
{
	uint64_t a, b;
	uint32_t c;

	_Static_assert(ID_LEN == sizeof(a) + sizeof(b) + sizeof(c),
	    "three words are an identifier");
	memcpy(&a, s, sizeof(a));
	memcpy(&b, s + sizeof(a), sizeof(b));
	memcpy(&c, s + sizeof(a) + sizeof(b), sizeof(c));
	a = (a ^ c) * 0x9e3779b97f4a7c15;
	a = (a ^ a >> 32 ^ b) * 0xff51afd7ed558ccd;
	return a ^ a >> 32;
}

bool
id_is_report(const char *s)
{
	/* the first random character has the bit */
	return strchr(alphabet + 16, s[TIME_CHARS]) != NULL;
}

void
id_derive(struct msgid *id, const char *from, unsigned n)
{
	uint64_t h = 0xcbf29ce484222325;
	const char *p;

	/* FNV-1a over FROM and N, then mixed so that all bits depend on all */
	for (p = from; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	h = (h ^ n) * 0x100000001b3;
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15;
	h ^= h >> 29;
	memcpy(id->s, from, TIME_CHARS);
	encode(id->s + TIME_CHARS, RANDOM_CHARS, h | REPORT_BIT);
	id->s[ID_LEN] = '\0';
}
