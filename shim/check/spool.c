/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/checkup.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "spool/drop.h"
#include "spool/queue.h"
#include "spool/space.h"

#define OWNER		"_mxnss"
#define DROP_GROUP	"_mxdrop"
#define DROP_MODE	03733
#define WARN_S		(4 * 3600)	/* if the configuration says never */
#define PICKUP_S	900		/* longer than any runner takes */

static const char *const dirs[] = { "drop", "queue", "bad", "dead", "host" };

bool
check_has_systemd(const struct checkup *c)
{
	return access(c->paths->systemd, F_OK) == 0;
}

/* Name of the owner of the file, in static storage; or NULL. */
static const char *
owner_name(const struct stat *st)
{
	const struct passwd *pw = getpwuid(st->st_uid);

	return pw != NULL ? pw->pw_name : NULL;
}

bool
check_is_shared(const struct checkup *c)
{
	struct stat st, drop;
	const char *name;
	char *path;
	int rc;

	if (c->conf->spool == NULL || stat(c->conf->spool, &st) == -1)
		return c->conf->spool != NULL;
	path = xasprintf("%s/drop", c->conf->spool);
	rc = stat(path, &drop);
	free(path);
	name = owner_name(&st);
	return (name != NULL && strcmp(name, OWNER) == 0) ||
	    (rc == 0 && (drop.st_mode & 077) != 0);
}

/* --- directories ---------------------------------------------------------- */

struct place {			/* what a directory is, and must be */
	const char	*path;
	const struct stat *spool;
	mode_t		 mode;		/* wanted, or 0: what is not in more */
	mode_t		 more;		/* must not be in the mode */
	bool		 drop;
};

static bool
fault(struct checkup *c, char *remedy, const char *path, const char *what)
{
	report(c->report, MARK_FAULT, "spool", remedy, "%s %s", path, what);
	free(remedy);
	return false;
}

/* The runner reads what others drop because it is in the group of drop/. */
static bool
is_drop_group(const struct place *p, const struct stat *st)
{
	const struct group *gr = getgrgid(st->st_gid);

	return st->st_gid == p->spool->st_gid ||
	    (gr != NULL && strcmp(gr->gr_name, DROP_GROUP) == 0);
}

static bool
check_place(struct checkup *c, const struct place *p)
{
	const char *owner = owner_name(p->spool);
	struct stat st;
	char what[80];

	if (lstat(p->path, &st) == -1)
		return errno == ENOENT ? !p->drop || fault(c, xasprintf(
		    "install -d -m %o -o %s -g %s %s", (unsigned)p->mode,
		    owner != NULL ? owner : OWNER, DROP_GROUP, p->path),
		    p->path, "is not there: nobody can send mail") :
		    fault(c, xstrdup("make it accessible"), p->path,
		    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fault(c, xasprintf("move it away, and make a directory "
		    "of mode %o", (unsigned)p->mode), p->path,
		    "is no directory");
	if (st.st_uid != p->spool->st_uid)
		return fault(c, xasprintf("chown %s %s", owner != NULL ?
		    owner : OWNER, p->path), p->path,
		    "has another owner than the spool");
	if ((st.st_mode & p->more) != 0 || (p->drop &&
	    (st.st_mode & 07777) != p->mode)) {
		snprintf(what, sizeof(what), "has mode %04o, not %04o%s",
		    (unsigned)st.st_mode & 07777, (unsigned)p->mode,
		    p->drop ? ": mail cannot be sent, or is not safe" :
		    ": others can get at mail");
		return fault(c, xasprintf("chmod %o %s", (unsigned)p->mode,
		    p->path), p->path, what);
	}
	if (p->drop && p->mode == DROP_MODE && !is_drop_group(p, &st))
		return fault(c, xasprintf("chgrp " DROP_GROUP " %s; chmod "
		    "%o %s", p->path, DROP_MODE, p->path), p->path,
		    "has a group that the runner is not in");
	return true;
}

static bool
check_dirs(struct checkup *c, const struct stat *st)
{
	bool right, shared = check_is_shared(c);
	struct place p = { c->conf->spool, st, 0711, 022, false };
	char *path;
	size_t i;

	if (shared && (st->st_mode & 001) == 0)
		return fault(c, xasprintf("chmod 711 %s", p.path), p.path,
		    "does not let users reach drop/ in it");
	right = check_place(c, &p);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		p.drop = i == 0;
		p.mode = p.drop && shared ? DROP_MODE : 0700;
		p.more = p.drop ? 0 : 077;
		p.path = path = xasprintf("%s/%s", c->conf->spool, dirs[i]);
		/* a runner makes them all where there is one user */
		if (shared || access(path, F_OK) == 0)
			right &= check_place(c, &p);
		free(path);
	}
	return right;
}

/* --- the file system ------------------------------------------------------ */

static const struct {
	uint32_t	 type;		/* f_type of statfs(2) */
	const char	*name;
	bool		 network;
} systems[] = {
	{ 0x01021994, "tmpfs", false },
	{ 0x858458f6, "ramfs", false },
	{ 0x794c7630, "overlayfs", false },
	{ 0x00006969, "NFS", true },
	{ 0x0000517b, "SMB", true },
	{ 0xfe534d42, "SMB", true },
	{ 0xff534d42, "CIFS", true },
	{ 0x01021997, "9P", true },
	{ 0x00c36400, "Ceph", true },
	{ 0x5346414f, "AFS", true },
	{ 0x65735546, "FUSE", true },
};

static bool
check_system(struct checkup *c)
{
	struct statfs fs;
	size_t i;

	if (statfs(c->conf->spool, &fs) == -1)
		return true;
	for (i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		if (systems[i].type != (uint32_t)fs.f_type)
			continue;
		if (systems[i].network)
			report(c->report, MARK_WARNING, "spool", "put it on a "
			    "disk of this machine: spool: in the "
			    "configuration", "%s is on %s: whether mail there "
			    "is safe is for others to say, and two machines "
			    "must never share it", c->conf->spool,
			    systems[i].name);
		else
			report(c->report, MARK_WARNING, "spool", "put it on a "
			    "disk, or mount a volume there", "%s is on %s: "
			    "mail that waits is lost with the %s",
			    c->conf->spool, systems[i].name,
			    systems[i].type == 0x794c7630 ? "container" :
			    "power");
		return false;
	}
	return true;
}

static bool
check_room(struct checkup *c, uint64_t *mb)
{
	struct statvfs v;

	*mb = 0;
	if (statvfs(c->conf->spool, &v) == -1)
		return true;
	*mb = (uint64_t)v.f_bavail * v.f_frsize / 1000000;
	if (space_is_enough(&v, drop_need(c->conf->max_size)))
		return true;
	report(c->report, MARK_FAULT, "spool", "make room, or let max-size be "
	    "less", "%s has %" PRIu64 " MB and %" PRIu64 " inodes left: mail "
	    "is refused for want of room", c->conf->spool, *mb,
	    (uint64_t)v.f_favail);
	return false;
}

void
check_spool(struct checkup *c)
{
	const char *spool = c->conf->spool, *owner;
	bool right;
	struct stat st;
	uint64_t mb;

	if (spool == NULL) {
		report(c->report, MARK_OK, "spool", NULL, "none: mail is "
		    "delivered while its sender waits");
		return;
	}
	if (stat(spool, &st) == -1 || !S_ISDIR(st.st_mode)) {
		report(c->report, MARK_FAULT, "spool", check_has_systemd(c) ?
		    "systemd-sysusers && systemd-tmpfiles --create" :
		    "make it as README.md says, or name a directory of yours: "
		    "spool:", "%s: %s: no mail can be sent", spool,
		    strerror(errno));
		return;
	}
	if (!check_is_shared(c) && geteuid() != st.st_uid) {
		owner = owner_name(&st);
		report(c->report, MARK_FAULT, "spool", "send mail as that "
		    "user, or make a spool for all as README.md says",
		    "%s is for %s, and nobody else can send mail", spool,
		    owner != NULL ? owner : "another user");
		return;
	}
	right = check_dirs(c, &st);
	right &= check_system(c);
	right &= check_room(c, &mb);
	if (right && check_is_shared(c) && owner_name(&st) == NULL) {
		report(c->report, MARK_WARNING, "spool", "systemd-sysusers, "
		    "or make the user as README.md says",
		    "%s belongs to uid %lu, and there is no such user", spool,
		    (unsigned long)st.st_uid);
		return;
	}
	if (right)
		report(c->report, MARK_OK, "spool", NULL, "%s is right, and "
		    "has %" PRIu64 " MB left", spool, mb);
}

/* --- what waits ----------------------------------------------------------- */

struct census {
	time_t	 now;
	size_t	 waiting;
	size_t	 held;
	time_t	 age;		/* of the oldest that is not held; seconds */
	time_t	 dropped;	/* of the oldest in drop/ */
};

static void
count(void *arg, const struct queue_entry *e)
{
	struct census *n = arg;
	time_t age = n->now - (time_t)(id_time(e->id.s) / 1000000);

	n->waiting++;
	if (e->place == IN_DROP) {
		if (age > n->dropped)
			n->dropped = age;
	} else if (e->held)
		n->held++;
	else if (age > n->age)
		n->age = age;
}

/* How many files SPOOL/DIR has, or 0. */
static size_t
files_of(const char *spool, const char *dir)
{
	char *path = xasprintf("%s/%s", spool, dir);
	DIR *d = opendir(path);
	struct dirent *e;
	size_t n = 0;

	free(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

static void
tell_counts(struct checkup *c, const struct census *n)
{
	size_t bad = files_of(c->conf->spool, "bad");
	size_t dead = files_of(c->conf->spool, "dead");
	time_t most = (time_t)(c->conf->warn != 0 ? c->conf->warn : WARN_S);

	if (n->dropped > PICKUP_S)
		report(c->report, MARK_WARNING, "queue", "see the line "
		    "\"runner\", and the log", "mail lies in drop/ for %ld "
		    "min: no runner takes it", (long)n->dropped / 60);
	if (n->age > most)
		report(c->report, MARK_WARNING, "queue", "mailq says why; "
		    "sendmail -q tries again", "mail waits, some for %ld h",
		    (long)n->age / 3600);
	if (dead > 0)
		report(c->report, MARK_WARNING, "queue", "read the files, "
		    "then remove them", "%zu in %s/dead could neither be "
		    "delivered nor returned", dead, c->conf->spool);
	if (bad > 0)
		report(c->report, MARK_NOTE, "queue", "look whose they are, "
		    "then remove them", "%zu in %s/bad: files that were "
		    "dropped and are no messages", bad, c->conf->spool);
	if (n->held > 0)
		report(c->report, MARK_NOTE, "queue", "mailq release ID",
		    "%zu held", n->held);
	if (n->dropped <= PICKUP_S && n->age <= most && dead == 0)
		report(c->report, MARK_OK, "queue", NULL, "%zu waiting",
		    n->waiting);
}

/* queue_open() makes what is not there; we change nothing. */
static bool
is_complete(const char *spool)
{
	bool complete = true;
	char *path;
	size_t i;

	for (i = 0; complete && i <= sizeof(dirs) / sizeof(dirs[0]); i++) {
		path = xasprintf("%s/%s", spool, i == 0 ? "VERSION" :
		    dirs[i - 1]);
		complete = access(path, F_OK) == 0 || errno != ENOENT;
		free(path);
	}
	return complete;
}

void
check_queue(struct checkup *c)
{
	struct census n = { .now = c->now };
	struct queue *q;
	const char *why;

	if (c->conf->spool == NULL || access(c->conf->spool, F_OK) == -1)
		return;
	if (!is_complete(c->conf->spool)) {
		report(c->report, MARK_NOTE, "queue", "the first runner "
		    "makes what is missing", "%s is not complete yet",
		    c->conf->spool);
		return;
	}
	if ((q = queue_open(c->conf->spool, &why)) == NULL) {
		if (errno == EACCES || errno == EPERM)
			report(c->report, MARK_NOTE, "queue", "run mxcheck as "
			    "root", "only root and the owner of %s may look",
			    c->conf->spool);
		else
			report(c->report, MARK_FAULT, "queue", "mail does not "
			    "move until that is mended", "%s", why);
		return;
	}
	if (queue_scan(q, IN_QUEUE, count, &n) == -1 ||
	    queue_scan(q, IN_DROP, count, &n) == -1)
		report(c->report, MARK_FAULT, "queue", "mail does not move "
		    "until that is mended", "%s cannot be read: %s",
		    c->conf->spool, strerror(errno));
	else
		tell_counts(c, &n);
	queue_close(q);
}
