/* SPDX-License-Identifier: ISC */
/*
 * Starts and ends fakedns, and reads its log; see server.h.  The program is
 * looked for below top_builddir, which make check sets.
 */
#include "config.h"

#include "server.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mxres.h"

static void
path_in(const struct server *srv, const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/%s", srv->dir, name);
}

/* In the child, whose memory nobody frees. */
static void
run(const char *script, const char *log, const char *const addrs[], int port,
    int out)
{
	const char *top = getenv("top_builddir");
	char program[4096], number[16], *argv[32];
	size_t n = 0;

	snprintf(program, sizeof(program), "%s/tests/tools/fakedns",
	    top == NULL ? "." : top);
	snprintf(number, sizeof(number), "%d", port);
	argv[n++] = program;
	if (log != NULL) {
		argv[n++] = strdup("-l");
		argv[n++] = strdup(log);
	}
	argv[n++] = strdup("-p");
	argv[n++] = number;
	for (; *addrs != NULL && n < 28; addrs++) {
		argv[n++] = strdup("-a");
		argv[n++] = strdup(*addrs);
	}
	argv[n++] = strdup(script);
	argv[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	execv(program, argv);
	perror(program);
	_exit(127);
}

static void
write_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fputs(text, fp) < 0, 0);
	assert_int_equal(fclose(fp), 0);
}

void
server_start(struct server *srv, const char *script)
{
	static const char *const loopback[] = { "127.0.0.1", "::1", NULL };

	server_start_on(srv, script, loopback, 0);
}

void
server_start_on(struct server *srv, const char *script,
    const char *const addrs[], int port)
{
	char path[128], log[128];
	FILE *fp;
	int fd[2];

	snprintf(srv->dir, sizeof(srv->dir), "/tmp/fakedns.XXXXXX");
	assert_non_null(mkdtemp(srv->dir));
	path_in(srv, "script", path);
	path_in(srv, "log", log);
	write_file(path, script);
	write_file(log, "");
	assert_int_equal(pipe(fd), 0);
	srv->pid = fork();
	assert_int_not_equal(srv->pid, -1);
	if (srv->pid == 0)
		run(path, srv->nolog ? NULL : log, addrs, port, fd[1]);
	close(fd[1]);
	fp = fdopen(fd[0], "r");
	assert_non_null(fp);
	if (fscanf(fp, "ready %d", &srv->port) != 1)
		fail_msg("fakedns does not start");
	fclose(fp);
}

void
server_stop(struct server *srv)
{
	char path[128];

	kill(srv->pid, SIGTERM);
	assert_int_equal(waitpid(srv->pid, NULL, 0), srv->pid);
	path_in(srv, "script", path);
	unlink(path);
	path_in(srv, "log", path);
	unlink(path);
	rmdir(srv->dir);
}

void
server_log(const struct server *srv, const char *name, char *buf, size_t size)
{
	char path[128], asked[1100], type[32], transport[8];
	size_t n = 0;
	FILE *fp;

	path_in(srv, "log", path);
	fp = fopen(path, "r");
	assert_non_null(fp);
	while (fscanf(fp, "%1099s %31s %7s", asked, type, transport) == 3)
		if (strcmp(asked, name) == 0 && n < size - 1)
			buf[n++] = transport[0];
	buf[n] = '\0';
	fclose(fp);
}

void
server_addr(const struct server *srv, int family, struct sockaddr_in6 *sa)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)sa;

	memset(sa, 0, sizeof(*sa));
	if (family == AF_INET) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons((uint16_t)srv->port);
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		sa->sin6_family = AF_INET6;
		sa->sin6_port = htons((uint16_t)srv->port);
		sa->sin6_addr = in6addr_loopback;
	}
}

struct mxres_ctx *
server_ctx(const struct server *srv, int family, int ms)
{
	struct sockaddr_in6 sa;
	const struct sockaddr *list[] = { (struct sockaddr *)(void *)&sa };
	struct mxres_ctx *ctx = mxres_new();

	assert_non_null(ctx);
	server_addr(srv, family, &sa);
	assert_int_equal(mxres_set_servers(ctx, list, 1), 0);
	mxres_set_timeout(ctx, ms);
	mxres_set_shuffle(ctx, 0);
	return ctx;
}
