/* SPDX-License-Identifier: ISC */
/*
 * What a lookup costs with overrides of 100, 10,000 and 1,000,000 lines, the
 * first time and from the fourth on in a process.  Prints medians beside the
 * figures to reach and, as a busy machine spoils those, beside what it takes
 * to read(2) the file or to stat(2) it in the same run; it asserts nothing
 * about time.
 *
 * What comes beside two stat(2) is small, and both change with what else the
 * machine does.  So lookups and stats take turns, some dozens of each, and
 * the figure is the median of the differences between neighbours.
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mxdb.h"
#include "mxhosts/mxhosts.h"
#include "timing.h"

#define CHILDREN	5	/* processes, for the first lookup */
#define SLICES		400
#define SLICE		50	/* lookups */
#define LOOKUPS		(SLICES * SLICE)
#define DOMAIN		24	/* octets of a name */

static const unsigned long sizes[] = { 100, 10000, 1000000 };
#define NSIZES	(sizeof(sizes) / sizeof(sizes[0]))

enum figure {
	READ, FIRST, SECOND, THIRD, STATS, MISS, HIT, ANY, INFO, NFIGURES
};
struct figures {
	double	us[NFIGURES];
};

static char dir[] = "/tmp/bench_mxhosts.XXXXXX";

static const char *
path_of(const char *name, unsigned long n)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s%lu", dir, name, n);
	return path;
}

static void
write_overrides(unsigned long n)
{
	unsigned long i;
	FILE *fp;

	if ((fp = fopen(path_of("mxhosts", n), "w")) == NULL)
		err(1, "%s", path_of("mxhosts", n));
	for (i = 0; i < n; i++)
		(void)fprintf(fp, "d%06lu.example 10 mx%04lu.relay.example"
		    ":587 tls=verify\n", i, i % 10000);
	if (fclose(fp) == EOF || chmod(path_of("mxhosts", n), 0644) == -1)
		err(1, "%s", path_of("mxhosts", n));
}

/* Microseconds of one lookup among those of COUNT domains. */
static double
lookups(const char *path, char domain[][DOMAIN], size_t count, size_t expect)
{
	struct mxhosts mh;
	char why[600];
	double start = now();
	size_t i;

	for (i = 0; i < count; i++) {
		if (mxhosts_lookup(path, domain[i], NULL, &mh, why,
		    sizeof(why)) == -1)
			errx(1, "%s", why);
		if (mh.nline != expect)
			errx(1, "%s: %zu lines", domain[i], mh.nline);
		mxhosts_clear(&mh);
	}
	return (now() - start) / (double)count;
}

/* A pass that looks at nothing. */
static double
read_pass(const char *path)
{
	static char buf[65536];
	double start = now();
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (n == -1 || close(fd) == -1)
		err(1, "%s", path);
	return now() - start;
}

/* What it takes to see that file and directory are as they were. */
static double
stats(const char *path)
{
	char other[160];
	struct stat st;
	double start = now();
	size_t i;

	(void)snprintf(other, sizeof(other), "%s.d", path);
	for (i = 0; i < SLICE; i++) {
		(void)lstat(path, &st);
		(void)lstat(other, &st);
	}
	return (now() - start) / SLICE;
}

enum which { ABSENT, SAME, RANDOM };

/* Names for one slice, of a file of N lines. */
static void
choose(char domain[SLICE][DOMAIN], enum which which, unsigned long n)
{
	static uint32_t seed;
	size_t i;

	for (i = 0; i < SLICE; i++) {
		seed = seed * 1664525 + 1013904223;
		(void)snprintf(domain[i], DOMAIN, which == ABSENT ?
		    "none.example" : "d%06lu.example", which == SAME ?
		    n / 2 : (unsigned long)((uint64_t)seed * n >> 32));
	}
}

/* Microseconds of a lookup beside those of two stats, which go to *STAT. */
static double
beside_stats(const char *path, enum which which, unsigned long n,
    double *stat)
{
	char domain[SLICE][DOMAIN];
	double stat_us[SLICES], more_us[SLICES];
	size_t i;

	for (i = 0; i < SLICES; i++) {
		choose(domain, which, n);
		stat_us[i] = stats(path);
		more_us[i] = lookups(path, domain, SLICE, which != ABSENT) -
		    stat_us[i];
	}
	*stat = median(stat_us, SLICES);
	return median(more_us, SLICES);
}

static double
infos(const char *path, const char *domain)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[200];
	double start = now();
	size_t i;

	(void)snprintf(sources, sizeof(sources), "files(%s)", path);
	h.mh_sources = sources;
	for (i = 0; i < LOOKUPS; i++) {
		if (getmxinfo(domain, &h, &info) != MX_OK)
			errx(1, "%s", info->mi_text);
		freemxinfo(info);
	}
	return (now() - start) / LOOKUPS;
}

static void
measure(struct figures *f, unsigned long n)
{
	const char *path = path_of("mxhosts", n);
	char domain[SLICE][DOMAIN];

	f->us[READ] = read_pass(path);
	choose(domain, ABSENT, n);
	f->us[FIRST] = lookups(path, domain, 1, 0);
	f->us[SECOND] = lookups(path, domain, 1, 0);
	f->us[THIRD] = lookups(path, domain, 1, 0);
	f->us[MISS] = beside_stats(path, ABSENT, n, &f->us[STATS]);
	f->us[ANY] = beside_stats(path, RANDOM, n, &f->us[STATS]);
	f->us[HIT] = beside_stats(path, SAME, n, &f->us[STATS]);
	choose(domain, SAME, n);
	f->us[INFO] = infos(path, domain[0]);
}

static void
bench_overrides(unsigned long n)
{
	struct figures *f;
	double v[CHILDREN], m[NFIGURES];
	size_t i, j;
	pid_t pid;
	int status;

	f = mmap(NULL, sizeof(*f) * CHILDREN, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < CHILDREN; i++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			measure(&f[i], n);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) == -1 || status != 0)
			errx(1, "a child failed");
	}
	for (j = 0; j < NFIGURES; j++) {
		for (i = 0; i < CHILDREN; i++)
			v[i] = f[i].us[j];
		m[j] = median(v, CHILDREN);
	}
	(void)munmap(f, sizeof(*f) * CHILDREN);
	(void)printf("%9lu %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f "
	    "%7.2f\n", n, m[READ] / 1e3, m[FIRST] / 1e3, m[SECOND] / 1e3,
	    m[THIRD] / 1e3, m[STATS], m[MISS], m[HIT], m[ANY],
	    m[INFO]);
	(void)fflush(stdout);
}

int
main(void)
{
	size_t i;

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	for (i = 0; i < NSIZES; i++)
		write_overrides(sizes[i]);
	(void)sleep(4);		/* younger files are not indexed */
	(void)printf("overrides: ms of a read(2) of the file and of the first "
	    "three lookups; then us of\ntwo stat(2), beside them of a lookup "
	    "without match, of one line again and again,\nof any line; and of "
	    "a getmxinfo(3) in all\n"
	    "%9s %7s %7s %7s %7s %7s %7s %7s %7s %7s\n", "lines", "read",
	    "1st", "2nd", "3rd", "stat", "none", "match", "any", "info");
	for (i = 0; i < NSIZES; i++) {
		bench_overrides(sizes[i]);
		(void)unlink(path_of("mxhosts", sizes[i]));
	}
	(void)printf("to reach with 1,000,000 lines: 1st 40 ms; none and "
	    "match 1 us\n");
	(void)rmdir(dir);
	return 0;
}
