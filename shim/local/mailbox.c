/* SPDX-License-Identifier: ISC */
/*
 * mailbox: writes mail into mailboxes, which takes a right that the runner
 * does not have.  It serves one connection on standard input, which a socket
 * unit made; or, started by a runner that began as root, listens itself.
 * Who may ask is the owner of the spool, and nobody else.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/priv.h"
#include "local/writer.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define SOCK_PATH	MXNSS_RUNDIR "/mailbox"
#define BACKLOG		32
#define MAX_CHILDREN	16

static const char usage[] =
    "usage: mailbox [--listen | --help | --version]\n"
    "Standard input is a connection from the runner.  See "
    "mxnss-mailbox(8).\n";

enum { OPT_LISTEN = 1, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{ "listen", no_argument, NULL, OPT_LISTEN },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

/* The owner of the spool, or root. */
static bool
may_ask(int fd, const char *spool)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	return peer.uid == 0 ||
	    (stat(spool, &st) == 0 && st.st_uid == peer.uid);
}

static int
serve(int fd, const char *spool)
{
	if (!may_ask(fd, spool)) {
		log_warn("a connection from somebody who is not the owner of "
		    "%s", spool);
		return EX_NOPERM;
	}
	writer_serve(fd);
	return EX_OK;
}

static int
listen_at(const char *path, const char *spool)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (strlcpy(un.sun_path, path, sizeof(un.sun_path)) >=
	    sizeof(un.sun_path) || stat(spool, &st) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* another one serves it, or systemd does */
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0) {
		close(fd);
		errno = EADDRINUSE;
		return -1;
	}
	(void)unlink(path);
	umask(0177);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    lchown(path, st.st_uid, st.st_gid) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		close(fd);
		return -1;
	}
	umask(077);
	return fd;
}

/* One process for each connection: none can disturb another. */
static bool
accept_one(int listener, const char *spool)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (fd == -1)
		return false;
	pid = fork();
	if (pid == 0)
		_exit(serve(fd, spool));
	if (pid == -1)
		log_err("fork: %s", strerror(errno));
	close(fd);
	return pid != -1;
}

/*
 * Until standard input ends: the runner that started us is gone then.
 * Connections wait in the listener while there are as many processes as there
 * may be.
 */
static int
serve_all(const char *spool)
{
	struct pollfd pfd[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
	    { .events = POLLIN } };
	int children = 0;

	pfd[1].fd = listen_at(SOCK_PATH, spool);
	if (pfd[1].fd == -1) {
		if (errno == EADDRINUSE)
			return EX_OK;
		log_err("%s: %s", SOCK_PATH, strerror(errno));
		return EX_OSERR;
	}
	/* the runner waits for that */
	close(STDOUT_FILENO);
	while ((pfd[0].revents & (POLLIN | POLLHUP)) == 0) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			children--;
		pfd[0].revents = pfd[1].revents = 0;
		/* children end within a second or so; look again then */
		if (poll(pfd, children < MAX_CHILDREN ? 2 : 1,
		    children > 0 ? 1000 : -1) > 0 && pfd[1].revents != 0)
			children += accept_one(pfd[1].fd, spool);
	}
	(void)unlink(SOCK_PATH);
	return EX_OK;
}

int
main(int argc, char **argv)
{
	bool listening = false;
	struct conf *conf;
	int c, ret;

	if (argc < 1)
		return EX_USAGE;
	priv_sanitize(0);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case OPT_LISTEN:
			listening = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return EX_OK;
		case OPT_VERSION:
			printf("mxnss %s\n", MXNSS_VERSION);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	if (optind != argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	conf = conf_load(CONF_PATH);
	log_open("local", conf->log);
	if (clearenv() != 0 || chdir("/") == -1)
		ret = EX_OSERR;
	else if (conf->spool == NULL)
		ret = EX_CONFIG;	/* nobody may ask */
	else if (listening)
		ret = serve_all(conf->spool);
	else
		ret = serve(STDIN_FILENO, conf->spool);
	conf_free(conf);
	return ret;
}
