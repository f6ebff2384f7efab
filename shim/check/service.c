/* SPDX-License-Identifier: ISC */
/*
 * Sockets are asked by a connection, over which nothing is said: a file that
 * is there may have nobody behind it.
 */
#include "config.h"

#include "check/checkup.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define ENABLE	"systemctl enable --now "

int
check_connect(const char *path, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, rc, error;

	if (strlcpy(sa.sun_path, path, sizeof(sa.sun_path)) >=
	    sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* one that is full has somebody, too */
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	if (rc == -1 && errno == EAGAIN)
		rc = 0;
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

/* Whether a unit is wanted by TARGET, as systemctl enable makes it. */
static bool
is_enabled(const struct checkup *c, const char *target, const char *unit)
{
	const char *const *dir;
	bool enabled = false;
	struct stat st;
	char *path;

	for (dir = c->paths->units; *dir != NULL && !enabled; dir++) {
		path = xasprintf("%s/%s.target.wants/%s", *dir, target, unit);
		enabled = lstat(path, &st) == 0;
		free(path);
	}
	return enabled;
}

/* What starts it when the socket cannot, or was not told. */
static bool
check_units(struct checkup *c)
{
	static const struct {
		const char *target;
		const char *unit;
		const char *use;
		const char *remedy;
	} rows[] = {
		{ "paths", "mxnss.path", "for senders that cannot reach the "
		    "socket", ENABLE "mxnss.path" },
		{ "timers", "mxnss-boot.timer", "for mail that waited when "
		    "the machine was started", ENABLE "mxnss-boot.timer" },
	};
	bool right = true;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!is_enabled(c, rows[i].target, rows[i].unit)) {
			right = false;
			report(c->report, MARK_WARNING, "runner",
			    rows[i].remedy, "%s is not enabled: it starts "
			    "the runner %s", rows[i].unit, rows[i].use);
		}
	return right;
}

void
check_runner(struct checkup *c)
{
	char *path = xasprintf("%s/wake", c->paths->rundir);
	bool systemd = check_has_systemd(c);

	if (c->conf->spool == NULL)
		report(c->report, MARK_OK, "runner", NULL, "sendmail calls it "
		    "for each message");
	else if (!check_is_shared(c))
		report(c->report, MARK_OK, "runner", NULL, "sendmail starts "
		    "it: the spool is for one user");
	else if (check_connect(path, SOCK_DGRAM) == -1)
		report(c->report, systemd ? MARK_FAULT : MARK_WARNING,
		    "runner", systemd ? ENABLE "mxnss.socket mxnss.path "
		    "mxnss-boot.timer" : "let a supervisor run runner "
		    "--daemon, or cron call sendmail -q", "%s: %s: mail "
		    "waits until somebody calls sendmail -q", path,
		    strerror(errno));
	else if (!systemd || check_units(c))
		report(c->report, MARK_OK, "runner", NULL, "%s wakes it",
		    path);
	free(path);
}

void
check_submit(struct checkup *c)
{
	char *path = xasprintf("%s/submit", c->paths->rundir);

	if (check_is_shared(c)) {
		if (check_connect(path, SOCK_STREAM) == 0)
			report(c->report, MARK_OK, "submit", NULL,
			    "%s takes mail of services that cannot write to "
			    "the spool", path);
		else
			report(c->report, MARK_NOTE, "submit",
			    check_has_systemd(c) ?
			    ENABLE "mxnss-submit.socket" : "run acceptor for "
			    "each connection there",
			    "%s: %s: services that cannot write to the spool "
			    "(ProtectSystem=strict) cannot send", path,
			    strerror(errno));
	}
	free(path);
}
