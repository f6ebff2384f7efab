/* SPDX-License-Identifier: ISC */
/*
 * Submits messages: runs a command again and again with a message as its
 * standard input, from some submitters at a time, and says what it took as
 * one JSON object.  `%' in an argument becomes the number of a domain, which
 * goes round from 0.  The command is started as posix_spawn(3) does, so that
 * what is measured is the command, not the cost of copying this program.
 *
 *	load [-c procs] [-d domains] [-g gid] [-j submitters] [-n count]
 *	    [-p PAGE] [-u uid] -m message command [argument ...]
 *
 * With -c it joins that control group first, whose account then has what the
 * commands use, and what this program itself does, which it tells.  With -p
 * each submission waits until the sink that has this page has taken the one
 * before it.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "page.h"

#define PATIENCE	10	/* s for a message to arrive, with -p */

struct sample {
	uint64_t	ns;
	int		status;
};

struct plan {
	unsigned long	  count;
	unsigned long	  jobs;
	unsigned long	  domains;
	const char	 *message;
	const volatile uint64_t *arrived;	/* messages, or NULL */
	char		**argv;
};

static char *const envp[] = { NULL };

static unsigned long
number(const char *s)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s == '\0' || *end != '\0')
		errx(64, "%s is no number", s);
	return v;
}

/* ARGV with the domain number in the place of each `%'. */
static void
fill_in(char **argv, char **out, char *space, size_t size, unsigned long domain)
{
	char *pct;
	int n;

	for (; *argv != NULL; argv++, out++) {
		if ((pct = strchr(*argv, '%')) == NULL) {
			*out = *argv;
			continue;
		}
		n = snprintf(space, size, "%.*s%lu%s", (int)(pct - *argv),
		    *argv, domain, pct + 1);
		if (n < 0 || (size_t)n >= size)
			errx(64, "arguments too long");
		*out = space;
		space += n + 1;
		size -= (size_t)n + 1;
	}
	*out = NULL;
}

static void
submit(const struct plan *plan, char *const *argv, struct sample *s)
{
	posix_spawn_file_actions_t files;
	uint64_t start;
	pid_t pid;
	int rc;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, plan->message, O_RDONLY, 0);
	start = page_clock();
	rc = posix_spawn(&pid, argv[0], &files, NULL, argv, envp);
	if (rc != 0)
		errc(1, rc, "%s", argv[0]);
	while (waitpid(pid, &s->status, 0) == -1)
		if (errno != EINTR)
			err(1, "waitpid");
	s->ns = page_clock() - start;
	posix_spawn_file_actions_destroy(&files);
}

/* Wait until N messages have arrived. */
static void
await(const struct plan *plan, uint64_t n)
{
	uint64_t end = page_clock() + PATIENCE * UINT64_C(1000000000);

	while (*plan->arrived < n) {
		if (page_clock() > end)
			errx(1, "message %lu does not arrive",
			    (unsigned long)n);
		usleep(1000);
	}
	/* what its sender does after that is not our time */
	usleep(5000);
}

/* us that this process itself has used. */
static uint64_t
own_time(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru) == -1)
		err(1, "getrusage");
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

static void
work(const struct plan *plan, unsigned long job, struct sample *samples)
{
	char *argv[64], space[4096];
	uint64_t before = plan->arrived != NULL ? *plan->arrived : 0;
	unsigned long i, done = 0;

	for (i = job; i < plan->count; i += plan->jobs, done++) {
		if (plan->arrived != NULL)
			await(plan, before + done);
		fill_in(plan->argv, argv, space, sizeof(space),
		    i % plan->domains);
		submit(plan, argv, &samples[i]);
	}
}

static void
print(const struct plan *plan, const struct sample *s, uint64_t start,
    uint64_t own)
{
	unsigned long i, failed = 0;

	for (i = 0; i < plan->count; i++)
		failed += s[i].status != 0;
	printf("{\"start\": %llu, \"failed\": %lu, \"own_us\": %llu, "
	    "\"ns\": [", (unsigned long long)start, failed,
	    (unsigned long long)own);
	for (i = 0; i < plan->count; i++)
		printf("%s%llu", i > 0 ? ", " : "",
		    (unsigned long long)s[i].ns);
	printf("]}\n");
}

static void *
shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void
run(const struct plan *plan)
{
	struct sample *samples = shared(plan->count * sizeof(*samples));
	uint64_t *own = shared(plan->jobs * sizeof(*own));
	uint64_t before = own_time(), start = page_clock();
	unsigned long i;
	pid_t pid;
	int status;

	for (i = 1; i < plan->jobs; i++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			work(plan, i, samples);
			own[i] = own_time();
			_exit(0);
		}
	}
	work(plan, 0, samples);
	while (wait(&status) != -1 || errno == EINTR)
		if (status != 0)
			errx(1, "a submitter failed");
	own[0] = own_time() - before;
	for (i = 1; i < plan->jobs; i++)
		own[0] += own[i];
	print(plan, samples, start, own[0]);
}

/* Become a member of the control group whose file of members is PATH. */
static void
join(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, "0", 1) != 1)
		err(1, "%s", path);
	close(fd);
}

int
main(int argc, char **argv)
{
	struct plan plan = { .count = 1, .jobs = 1, .domains = 1 };
	unsigned long uid = 0, gid = 0;
	const char *group = NULL, *page = NULL;
	int c;

	while ((c = getopt(argc, argv, "+c:d:g:j:m:n:p:u:")) != -1)
		switch (c) {
		case 'c': group = optarg; break;
		case 'd': plan.domains = number(optarg); break;
		case 'g': gid = number(optarg); break;
		case 'j': plan.jobs = number(optarg); break;
		case 'm': plan.message = optarg; break;
		case 'n': plan.count = number(optarg); break;
		case 'p': page = optarg; break;
		case 'u': uid = number(optarg); break;
		default: return 64;
		}
	plan.argv = argv + optind;
	if (argc - optind < 1 || argc - optind > 60 || plan.message == NULL ||
	    plan.count == 0 || plan.jobs == 0 || plan.domains == 0)
		errx(64, "usage: load [-n count] ... -m message command ...");
	if (page != NULL)
		plan.arrived = page_open(page);
	if (group != NULL)
		join(group);
	if (uid != 0 && (setgroups(0, NULL) == -1 || setgid((gid_t)gid) == -1 ||
	    setuid((uid_t)uid) == -1))
		err(1, "uid %lu", uid);
	run(&plan);
	return 0;
}
