/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/checkup.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/xmalloc.h"

#define YOUNGEST	1764547200	/* 2025-12-01: before this program */

void
check_clock(struct checkup *c)
{
	char day[32];
	struct tm tm;

	if (gmtime_r(&c->now, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &tm) == 0)
		(void)strlcpy(day, "no time at all", sizeof(day));
	if (c->now < YOUNGEST)
		report(c->report, MARK_FAULT, "clock", "set the clock: no "
		    "certificate is valid now, and mail has a wrong date",
		    "it is %s, says the clock: older than mxnss", day);
	else
		report(c->report, MARK_OK, "clock", NULL, "it is %s", day);
}

/* --- configuration -------------------------------------------------------- */

/* What PROGRAM --check prints, into B.  Its exit status, or -1. */
static int
run_check(const char *program, struct buf *b)
{
	char name[] = "getmx", option[] = "--check", chunk[1024];
	char *argv[] = { name, option, NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t files;
	int fd[2], status, rc;
	ssize_t n;
	pid_t pid;

	if (pipe(fd) == -1)
		return -1;
	posix_spawn_file_actions_init(&files);
	rc = posix_spawn_file_actions_adddup2(&files, fd[1], STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclose(&files, fd[0]);
	if (rc == 0)
		rc = posix_spawn(&pid, program, &files, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	close(fd[1]);
	while (rc == 0 && ((n = read(fd[0], chunk, sizeof(chunk))) > 0 ||
	    (n == -1 && errno == EINTR)))
		if (n > 0)
			buf_add(b, chunk, (size_t)n);
	close(fd[0]);
	errno = rc;
	if (rc != 0)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	errno = ENOEXEC;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
is_told(const struct conf *conf, const char *line)
{
	size_t i;

	for (i = 0; i < conf->nerrors; i++)
		if (strcmp(conf->errors[i], line) == 0)
			return true;
	return false;
}

/* A line of getmx --check.  Whether something is wrong. */
static bool
take_line(struct checkup *c, const char *line)
{
	static const char warning[] = ": warning: ", none[] = ": no overrides";
	size_t n = strlen(line);

	if (n == 0 || is_told(c->conf, line) ||
	    (strstr(line, warning) == NULL && (strstr(line, "no error") !=
	    NULL || (n >= sizeof(none) - 1 &&
	    strcmp(line + n - (sizeof(none) - 1), none) == 0))))
		return false;
	if (strstr(line, warning) != NULL)
		report(c->report, MARK_WARNING, "configuration",
		    "change the line, or remove it", "%s", line);
	else
		report(c->report, MARK_FAULT, "configuration",
		    "correct it; mail that it concerns waits until then", "%s",
		    line);
	return true;
}

void
check_configuration(struct checkup *c)
{
	struct buf text = BUF_INIT;
	bool wrong = c->conf->nerrors > 0;
	char *rest, *line;
	size_t i;
	int rc;

	for (i = 0; i < c->conf->nerrors; i++)
		report(c->report, MARK_FAULT, "configuration", "correct the "
		    "line; all mail is held until then", "%s",
		    c->conf->errors[i]);
	rc = run_check(c->paths->getmx, &text);
	if (rc != EX_OK && rc != EX_CONFIG) {
		report(c->report, MARK_NOTE, "configuration", "install it",
		    "the source list and mxhosts are not checked: %s: %s",
		    c->paths->getmx, strerror(errno));
		wrong = true;
	}
	rest = text.data;
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		wrong |= take_line(c, line);
	buf_clear(&text);
	if (!wrong)
		report(c->report, MARK_OK, "configuration", NULL,
		    "getmx --check finds no error");
}

/* --- the program ---------------------------------------------------------- */

static bool
is_ours(const struct checkup *c, const char *path)
{
	struct stat own, st;

	return stat(c->paths->own, &own) == 0 && stat(path, &st) == 0 &&
	    own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

/* The first sendmail of PATH, the caller's; or NULL. */
static char *
find_sendmail(const char *search)
{
	char *path;
	size_t n;

	for (; search != NULL && *search != '\0'; search += n) {
		search += *search == ':';
		n = strcspn(search, ":");
		path = xasprintf("%.*s/sendmail", (int)n, search);
		if (n > 0 && access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* Whether PATH is ours; if not, that is said. */
static bool
try_sendmail(struct checkup *c, const char *path)
{
	char *own, *remedy;

	if (is_ours(c, path))
		return true;
	own = realpath(c->paths->own, NULL);
	remedy = xasprintf("make it a link to %s", own != NULL ? own :
	    "the sendmail of mxnss, which is missing, too");
	if (access(path, F_OK) == -1)
		report(c->report, MARK_WARNING, "sendmail", remedy,
		    "%s: %s: most programs look there", path,
		    strerror(errno));
	else
		report(c->report, MARK_WARNING, "sendmail", remedy,
		    "%s is another program: mail that it is given does not "
		    "come here", path);
	free(remedy);
	free(own);
	return false;
}

void
check_sendmail(struct checkup *c)
{
	char *found = find_sendmail(c->paths->search);
	bool right = try_sendmail(c, c->paths->sendmail);

	if (found != NULL && strcmp(found, c->paths->sendmail) != 0)
		right &= try_sendmail(c, found);
	if (right)
		report(c->report, MARK_OK, "sendmail", NULL,
		    "%s is that of mxnss", c->paths->sendmail);
	free(found);
}

/* --- the kernel ----------------------------------------------------------- */

void
check_kernel(struct checkup *c)
{
	static const struct {
		const char *name;
		const char *risk;
	} rows[] = {
		{ "protected_hardlinks", "link files of others into drop/" },
		{ "protected_symlinks", "lead others astray in drop/" },
		{ "protected_regular", "put files into the way of others" },
	};
	struct buf b = BUF_INIT;
	char *path, *remedy;
	size_t i, good = 0, n = sizeof(rows) / sizeof(rows[0]);

	if (!check_is_shared(c))
		return;
	for (i = 0; i < n; i++) {
		path = xasprintf("%s/%s", c->paths->sysctl, rows[i].name);
		remedy = xasprintf("sysctl -w fs.%s=1, and in /etc/sysctl.d",
		    rows[i].name);
		buf_reset(&b);
		if (file_read(path, 64, &b) == -1)
			report(c->report, MARK_NOTE, "kernel", "mount /proc, "
			    "and try again", "%s: %s", path, strerror(errno));
		else if (*buf_str(&b) == '0')
			report(c->report, MARK_WARNING, "kernel", remedy,
			    "fs.%s is 0: users may %s", rows[i].name,
			    rows[i].risk);
		else
			good++;
		free(remedy);
		free(path);
	}
	if (good == n)
		report(c->report, MARK_OK, "kernel", NULL,
		    "links and files in drop/ are protected");
	buf_clear(&b);
}
