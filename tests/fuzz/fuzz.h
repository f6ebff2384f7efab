/* SPDX-License-Identifier: ISC */
/*
 * A fuzz target: libFuzzer calls it with octets of its own making, and
 * replay.c with those of the seeds.  It aborts when what the parser says
 * contradicts itself.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MUST(what)	do { if (!(what)) abort(); } while (0)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#endif /* TESTS_FUZZ_H */
