/* SPDX-License-Identifier: ISC */
/*
 * The main of a fuzz target in `make check': fuzz_NAME feeds it each file
 * of tests/fuzz/NAME/ in the source tree, or those named as arguments.  A
 * seed that is found wanting ends it by a signal.
 */
#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAXSEED	(1 << 20)

static void
replay(const char *path)
{
	uint8_t *buf, *exact;
	ssize_t n;
	size_t len = 0;
	int fd;

	if ((buf = malloc(MAXSEED)) == NULL ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	while ((n = read(fd, buf + len, MAXSEED - len)) > 0)
		len += (size_t)n;
	if (n == -1 || len == MAXSEED)
		errx(1, "%s: cannot be read, or is too long", path);
	(void)close(fd);
	/* no octet more than there is, for the sanitizers */
	if ((exact = malloc(len > 0 ? len : 1)) == NULL)
		err(1, NULL);
	memcpy(exact, buf, len);
	free(buf);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	(void)printf("ok - %s\n", path);
	(void)fflush(stdout);
}

static int
is_seed(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int
main(int argc, char *argv[])
{
	const char *name, *top = getenv("top_srcdir");
	struct dirent **seed;
	char dir[2048], path[4096];
	int i, n;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc > 1)
		return 0;
	name = strrchr(argv[0], '_');
	if (name == NULL || top == NULL)
		errx(1, "usage: fuzz_name seed ...");
	(void)snprintf(dir, sizeof(dir), "%s/tests/fuzz/%s", top, name + 1);
	if ((n = scandir(dir, &seed, is_seed, alphasort)) <= 0)
		err(1, "%s", dir);
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir,
		    seed[i]->d_name);
		replay(path);
		free(seed[i]);
	}
	free(seed);
	return 0;
}
