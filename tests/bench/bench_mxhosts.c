/* SPDX-License-Identifier: ISC */
/*
 * What a lookup costs with overrides of 100, 10,000 and 1,000,000 lines, the
 * first time and from the fourth on in a process.  Prints medians beside the
 * figures to reach and, as a busy machine spoils those, beside what it takes
 * to read(2) the file or to stat(2) it in the same run; it asserts nothing
 * about time.
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
#define LOOKUPS		20000

static const unsigned long sizes[] = { 100, 10000, 1000000 };
#define NSIZES	(sizeof(sizes) / sizeof(sizes[0]))

enum figure {
	READ, FIRST, SECOND, THIRD, STATS, MISS, HIT, INFO, NFIGURES
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

/* Microseconds of one lookup among COUNT. */
static double
lookups(const char *path, const char *domain, size_t count, size_t expect)
{
	struct mxhosts mh;
	char why[600];
	double start = now();
	size_t i;

	for (i = 0; i < count; i++) {
		if (mxhosts_lookup(path, domain, NULL, &mh, why,
		    sizeof(why)) == -1)
			errx(1, "%s", why);
		if (mh.nline != expect)
			errx(1, "%s: %zu lines", domain, mh.nline);
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
	for (i = 0; i < LOOKUPS; i++) {
		(void)lstat(path, &st);
		(void)lstat(other, &st);
	}
	return (now() - start) / LOOKUPS;
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
	char hit[64];

	(void)snprintf(hit, sizeof(hit), "d%06lu.example", n / 2);
	f->us[READ] = read_pass(path);
	f->us[FIRST] = lookups(path, "none.example", 1, 0);
	f->us[SECOND] = lookups(path, "none.example", 1, 0);
	f->us[THIRD] = lookups(path, "none.example", 1, 0);
	f->us[MISS] = lookups(path, "none.example", LOOKUPS, 0);
	f->us[HIT] = lookups(path, hit, LOOKUPS, 1);
	f->us[STATS] = stats(path);
	f->us[INFO] = infos(path, hit);
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
	(void)printf("%9lu %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f\n",
	    n, m[READ] / 1e3, m[FIRST] / 1e3, m[SECOND] / 1e3,
	    m[THIRD] / 1e3, m[STATS], m[MISS], m[HIT], m[INFO]);
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
	    "three lookups; then us of\ntwo stat(2), and of a lookup without "
	    "match, with one, and by getmxinfo\n"
	    "%9s %7s %7s %7s %7s %7s %7s %7s %7s\n", "lines", "read", "1st",
	    "2nd", "3rd", "stat", "none", "match", "info");
	for (i = 0; i < NSIZES; i++) {
		bench_overrides(sizes[i]);
		(void)unlink(path_of("mxhosts", sizes[i]));
	}
	(void)printf("to reach with 1,000,000 lines: 1st 40 ms; none and "
	    "match: 1 us and the stat\n");
	(void)rmdir(dir);
	return 0;
}
