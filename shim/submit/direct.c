/* SPDX-License-Identifier: ISC */
/*
 * The runner knows how mail is delivered; we link neither resolver nor
 * OpenSSL.  Its standard input is the message, and its standard output what
 * it has to say (run/now.h).
 */
#include "config.h"

#include "submit/direct.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define FAILED		"! "	/* NOW_FAILED: others are dialogue */
#define MAX_TEXT	4096

/* An errno of starting the runner, or 0. */
static int
start(const char *runner, int fd, const char *id, bool verbose, int out,
    pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char name[] = "runner", now[] = "--now", tell[] = "--verbose";
	char *copy = xstrdup(id), *envp[] = { path, NULL };
	char *argv[] = { name, now, copy, verbose ? tell : NULL, NULL };
	posix_spawn_file_actions_t files;
	int error;

	posix_spawn_file_actions_init(&files);
	error = posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, out,
		    STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn(pid, runner, &files, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	free(copy);
	return error;
}

/* What it says: failures to TEXT, the rest to our own standard output. */
static void
listen_to(int fd, struct buf *text)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	bool reads = true;	/* somebody there does */
	ssize_t n;

	if (in == NULL) {
		close(fd);
		return;
	}
	while ((n = getline(&line, &size, in)) > 0) {
		if (strncmp(line, FAILED, strlen(FAILED)) != 0) {
			reads = reads && write(STDOUT_FILENO, line,
			    (size_t)n) != -1;
			continue;
		}
		if (text->len > MAX_TEXT)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (text->len > 0)
			buf_adds(text, "; ");
		buf_adds(text, line + strlen(FAILED));
	}
	free(line);
	fclose(in);
}

static int
wait_for(pid_t pid, struct buf *text)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EX_TEMPFAIL;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == EX_OK ||
	    WEXITSTATUS(status) == EX_TEMPFAIL ||
	    WEXITSTATUS(status) == EX_UNAVAILABLE))
		return WEXITSTATUS(status);
	/* who gets it is not known: it is to be sent again */
	buf_printf(text, "%sthe runner ended with %s %d", text->len > 0 ?
	    "; " : "", WIFEXITED(status) ? "status" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return EX_TEMPFAIL;
}

int
direct_deliver(const char *runner, int fd, const char *id, bool verbose,
    struct buf *text)
{
	int ends[2], error;
	pid_t pid;

	buf_reset(text);
	if (pipe2(ends, O_CLOEXEC) == -1) {
		buf_adds(text, strerror(errno));
		return EX_TEMPFAIL;
	}
	error = start(runner, fd, id, verbose, ends[1], &pid);
	close(ends[1]);
	if (error != 0) {
		close(ends[0]);
		buf_printf(text, "%s: %s", runner, strerror(error));
		return EX_TEMPFAIL;
	}
	listen_to(ends[0], text);
	return wait_for(pid, text);
}
