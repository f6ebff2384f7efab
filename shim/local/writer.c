/* SPDX-License-Identifier: ISC */
/*
 * Both ends of the socket.  The writer believes nothing of what it is asked
 * but that it is mail for the user that is named: it looks that user up, and
 * becomes it before it touches a file.
 */
#include "config.h"

#include "local/writer.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <paths.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "local/expand.h"

#define ANSWER_S	180	/* longer than the writer waits for a lock */
#define MAIL_GROUP	"mail"

/* --- the user ------------------------------------------------------------- */

/* A name that may be part of a path. */
static bool
is_plain(const char *user)
{
	return user[0] != '\0' && user[0] != '.' && user[0] != '-' &&
	    strchr(user, '/') == NULL;
}

/* The user of S.  0; -1 with *R. */
static int
find_user(struct store *s, const struct passwd **pw, struct result *r)
{
	errno = 0;
	*pw = is_plain(s->user) ? getpwnam(s->user) : NULL;
	if (*pw != NULL) {
		s->uid = (*pw)->pw_uid;
		s->home = (*pw)->pw_dir;
		return 0;
	}
	/* the values that getpwnam(3) gives for "not found" */
	if (errno == 0 || errno == ENOENT || errno == ESRCH ||
	    errno == EBADF || errno == EPERM)
		result_set(r, R_NOUSER, "there is no user \"%s\" here",
		    s->user);
	else
		result_set(r, R_LOCALERR, "cannot look up user \"%s\": %s",
		    s->user, strerror(errno));
	return -1;
}

static void
store(struct store *s, bool maildir, struct result *r)
{
	result_set(r, R_SENT, "delivered to the %s of %s",
	    maildir ? "Maildir" : "mailbox", s->user);
	if (!maildir)
		s->path = _PATH_MAILDIR;
	if (maildir)
		(void)store_maildir(s, r);
	else
		(void)store_mbox(s, r);
}

/* --- the worker's end ----------------------------------------------------- */

static int
unreachable(const char *path, struct result *r)
{
	int error = errno;

	result_set(r, R_HELD, "the mailbox writer does not answer (%s: %s); "
	    "start mxnss-mailbox.socket, or choose another way with local: in "
	    "mxnss.conf", path, strerror(error));
	return -1;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = ANSWER_S };
	int fd;

	if (strlcpy(un.sun_path, path, sizeof(un.sun_path)) >=
	    sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == -1 ||
	    connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool
set_string(char *to, size_t size, const char *from)
{
	return strlcpy(to, from, size) < size;
}

static bool
make_request(const struct store *s, struct writer_request *q)
{
	memset(q, 0, sizeof(*q));
	q->version = WRITER_VERSION;
	q->maildir = s->path != NULL;
	q->start = s->start;
	q->size = s->size;
	return set_string(q->user, sizeof(q->user), s->user) &&
	    set_string(q->path, sizeof(q->path),
	    s->path != NULL ? s->path : "") &&
	    set_string(q->id, sizeof(q->id), s->id) &&
	    set_string(q->sender, sizeof(q->sender), s->sender) &&
	    set_string(q->rcpt, sizeof(q->rcpt), s->rcpt) &&
	    set_string(q->hostname, sizeof(q->hostname), s->hostname);
}

union control {
	struct cmsghdr	align;
	char		space[CMSG_SPACE(sizeof(int))];
};

static ssize_t
send_request(int sock, struct writer_request *q, int fd)
{
	union control control;
	struct iovec iov = { q, sizeof(*q) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n;
}

static int
ask(int sock, const struct store *s, struct result *r)
{
	struct writer_request q;
	struct writer_answer a;
	ssize_t n;

	if (!make_request(s, &q)) {
		result_set(r, R_LOCALERR, "a name is too long");
		return 0;
	}
	if (send_request(sock, &q, s->fd) == -1)
		return -1;
	do {
		n = recv(sock, &a, sizeof(a), 0);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	if (n != sizeof(a) || a.version != WRITER_VERSION ||
	    (unsigned)a.result.code >= R_MAX) {
		errno = n == 0 ? ECONNRESET : EPROTO;
		return -1;
	}
	*r = a.result;
	r->text[sizeof(r->text) - 1] = r->esc[sizeof(r->esc) - 1] =
	    r->host[sizeof(r->host) - 1] = '\0';
	return 0;
}

void
writer_deliver(struct store *s, const char *sock, struct result *r)
{
	const struct passwd *pw;
	int fd;

	if (find_user(s, &pw, r) == -1)
		return;
	if (s->uid == geteuid()) {
		store(s, s->path != NULL, r);
		return;
	}
	fd = connect_to(sock);
	if (fd == -1 || ask(fd, s, r) == -1)
		(void)unreachable(sock, r);
	if (fd != -1)
		close(fd);
}

/* In the child: it lives while IN is open, and closes OUT when it listens. */
static void
become_program(const char *program, int in, int out)
{
	static char option[] = "--listen";
	char *name = xstrdup(program);
	char *argv[] = { name, option, NULL }, *env[] = { NULL };

	if (dup2(in, STDIN_FILENO) != -1 && dup2(out, STDOUT_FILENO) != -1)
		execve(program, argv, env);
	_exit(EX_OSERR);
}

void
writer_start(const char *program)
{
	int life[2], ready[2];
	char c;

	if (pipe2(life, O_CLOEXEC) == -1)
		return;
	if (pipe2(ready, O_CLOEXEC) == -1) {
		close(life[0]);
		close(life[1]);
		return;
	}
	if (fork() == 0)
		become_program(program, life[0], ready[1]);
	/* life[1] stays open as long as we live */
	close(life[0]);
	close(ready[1]);
	while (read(ready[0], &c, 1) == -1 && errno == EINTR)
		continue;
	close(ready[0]);
}

/* --- the writer's end ----------------------------------------------------- */

/*
 * A mailbox in /var/mail is made and locked by the group mail; a Maildir is
 * in the user's own hands.
 */
static int
become(const struct passwd *pw, bool maildir)
{
	const struct group *gr = maildir ? NULL : getgrnam(MAIL_GROUP);

	return setgroups(0, NULL) == 0 &&
	    setegid(gr != NULL ? gr->gr_gid : pw->pw_gid) == 0 &&
	    seteuid(pw->pw_uid) == 0 && geteuid() == pw->pw_uid ? 0 : -1;
}

static void
come_back(void)
{
	/* whoever cannot must not serve another user */
	if (seteuid(0) == -1 || setegid(0) == -1)
		abort();
}

static bool
ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool
is_valid(const struct writer_request *q, int fd)
{
	struct stat st;

	return q->version == WRITER_VERSION && fd != -1 &&
	    fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && q->start >= 0 &&
	    q->size >= 0 && q->start <= st.st_size &&
	    q->size <= st.st_size - q->start &&
	    ends(q->user, sizeof(q->user)) && ends(q->path, sizeof(q->path)) &&
	    ends(q->id, sizeof(q->id)) && strchr(q->id, '/') == NULL &&
	    ends(q->sender, sizeof(q->sender)) &&
	    ends(q->rcpt, sizeof(q->rcpt)) &&
	    strpbrk(q->sender, "\r\n") == NULL &&
	    strpbrk(q->rcpt, "\r\n") == NULL &&
	    ends(q->hostname, sizeof(q->hostname)) &&
	    strchr(q->hostname, '/') == NULL;
}

static void
serve_one(const struct writer_request *q, int fd, const int *asker,
    struct result *r)
{
	const struct passwd *pw;
	struct store s = { .user = q->user, .path = q->path, .id = q->id,
	    .sender = q->sender, .rcpt = q->rcpt, .hostname = q->hostname,
	    .fd = fd, .start = (off_t)q->start, .size = (off_t)q->size,
	    .asker = asker };

	if (!is_valid(q, fd)) {
		result_set(r, R_LOCALERR, "the mailbox writer does not "
		    "understand the request");
		return;
	}
	if (find_user(&s, &pw, r) == -1)
		return;
	if (become(pw, q->maildir != 0) == -1)
		result_set(r, R_LOCALERR, "cannot become user \"%s\": %s",
		    q->user, strerror(errno));
	else
		store(&s, q->maildir != 0, r);
	come_back();
}

/* 1: a request, with its file in *FD or -1; 0: the end. */
static int
receive(int sock, struct writer_request *q, int *fd)
{
	union control control;
	struct iovec iov = { q, sizeof(*q) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	memset(q, 0, sizeof(*q));
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	if ((size_t)n != sizeof(*q))
		q->version = 0;
	return 1;
}

void
writer_serve(int sock)
{
	struct writer_request q;
	struct writer_answer a;
	int fd;

	while (receive(sock, &q, &fd) == 1) {
		memset(&a, 0, sizeof(a));
		a.version = WRITER_VERSION;
		serve_one(&q, fd, &sock, &a.result);
		if (fd != -1)
			close(fd);
		if (send(sock, &a, sizeof(a), MSG_NOSIGNAL) == -1)
			break;
	}
}
