/* SPDX-License-Identifier: ISC */
/*
 * A page of counters that a tool of the benchmark shares with the driver,
 * which maps the same file: nobody is asked, and so nobody is disturbed,
 * while something is measured.
 */
#ifndef TESTS_BENCH_PAGE_H
#define TESTS_BENCH_PAGE_H

#include <sys/mman.h>

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define PAGE_SIZE	4096

/* The page in the file PATH, which is made; ends the program on failure. */
static inline void *
page_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *p;

	if (fd == -1 || ftruncate(fd, PAGE_SIZE) == -1)
		err(1, "%s", path);
	p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return p;
}

/* Nanoseconds on the clock that all processes share. */
static inline uint64_t
page_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#endif
