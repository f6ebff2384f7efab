/* SPDX-License-Identifier: ISC */
/*
 * The server's end: a message from a socket into the spool.  All of it is
 * here, in a file without a name, before anything can be seen in drop/.
 */
#include "config.h"

#include "submit/handover.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/result.h"
#include "base/xmalloc.h"
#include "spool/drop.h"
#include "spool/msgfile.h"
#include "spool/queue.h"
#include "submit/stream.h"

#define CHUNK		16384
#define SILENCE_MS	30000	/* a program on the same machine is not slow */
#define TOTAL_MS	240000
#define ANSWER_MS	5000
#define TRIES		5
#define KNOWN		(-1)	/* no exit code: it is in the spool already */

struct take {
	struct stream	 s;
	const struct conf *conf;
	struct msgid	*id;
	uid_t		 uid;		/* of the other side */
	bool		 again;		/* it knows of a commit */
	int		 from;		/* what came */
};

static int __attribute__((format(printf, 3, 4)))
answer(const struct take *t, int code, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	struct stream s;
	va_list ap;

	buf_printf(&b, "%d ", code);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	result_clean(b.data);
	buf_addc(&b, '\n');
	/* who does not hear it will ask again, or has gone */
	stream_init(&s, t->s.fd, ANSWER_MS, ANSWER_MS);
	(void)stream_send(&s, b.data, b.len);
	buf_clear(&b);
	return code;
}

static int
spool_failed(const struct take *t)
{
	return answer(t, EX_TEMPFAIL, "%s/drop: %s", t->conf->spool,
	    strerror(errno));
}

/* --- what comes ----------------------------------------------------------- */

/* N octets, no less. */
static bool
read_octets(const struct take *t, char *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r)
		if ((r = stream_receive(&t->s, p, n)) <= 0)
			return false;
	return true;
}

static bool
read_id(struct take *t)
{
	char line[ID_LEN + 1];

	if (!read_octets(t, line, sizeof(line)))
		return false;
	if ((t->again = line[ID_LEN] == '+') &&
	    !read_octets(t, line + ID_LEN, 1))
		return false;
	if (line[ID_LEN] != '\n')
		return false;
	line[ID_LEN] = '\0';
	memcpy(t->id->s, line, sizeof(t->id->s));
	/* the name of a report is not for others to take */
	return id_is_valid(t->id->s) && !id_is_report(t->id->s);
}

static int
read_file(const struct take *t)
{
	uint64_t left = queue_file_limit(t->conf->max_size,
	    t->conf->max_rcpts);
	char chunk[CHUNK];
	ssize_t n;

	while ((n = stream_receive(&t->s, chunk, sizeof(chunk))) > 0) {
		if ((uint64_t)n > left)
			return answer(t, EX_UNAVAILABLE, "the message is "
			    "larger than max-size allows (%llu octets)",
			    (unsigned long long)t->conf->max_size);
		left -= (uint64_t)n;
		if (file_write(t->from, chunk, (size_t)n) == -1)
			return spool_failed(t);
	}
	return n == 0 ? EX_OK : answer(t, EX_IOERR, "the message has no end: "
	    "%s", strerror(errno));
}

static int
receive(struct take *t)
{
	if (!read_id(t))
		return answer(t, EX_DATAERR, "this is no message: it has no "
		    "identifier");
	if (drop_space(t->conf->spool, drop_need(t->conf->max_size)) == -1 ||
	    (t->from = drop_unnamed(t->conf->spool)) == -1)
		return spool_failed(t);
	return read_file(t);
}

/* --- where it goes -------------------------------------------------------- */

/* The verified message to TO.  The code answered, or EX_OK. */
static int
copy(const struct take *t, int to)
{
	struct stat st = { .st_uid = t->uid };
	struct msgfile mf;
	const char *why;

	(void)clock_gettime(CLOCK_REALTIME, &st.st_ctim);
	switch (msgfile_copy(t->from, to, &st, t->conf->max_size,
	    t->conf->max_rcpts, &mf, &why)) {
	case 0:
		msgfile_clear(&mf);
		return EX_OK;
	case -1:
		return answer(t, EX_DATAERR, "the message is refused: %s",
		    why);
	case -3:
		return answer(t, EX_TEMPFAIL, "%s", why);
	default:
		return spool_failed(t);
	}
}

static bool
is_same(int a, int b)
{
	char of_a[CHUNK], of_b[CHUNK];
	ssize_t n;
	off_t at = 0;

	while ((n = pread(a, of_a, sizeof(of_a), at)) > 0) {
		if (pread(b, of_b, sizeof(of_b), at) != n ||
		    memcmp(of_a, of_b, (size_t)n) != 0)
			return false;
		at += n;
	}
	return n == 0 && pread(b, of_b, 1, at) == 0;
}

/* Whether FD is a message that we committed for who asks. */
static bool
is_his(const struct take *t, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 07777) == 0440 &&
	    st.st_mtim.tv_nsec == (long)queue_uid(t->uid);
}

static int
open_at(const struct take *t, const char *dir)
{
	char *path = xasprintf("%s/%s/%s", t->conf->spool, dir, t->id->s);
	int fd, error;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	error = errno;
	free(path);
	errno = error;
	return fd;
}

/* The identifier is taken by FD, a file in drop/, perhaps by what came. */
static int
compare(const struct take *t, int fd)
{
	int again, code;

	if (!is_his(t, fd))
		return answer(t, EX_TEMPFAIL, "the identifier is taken");
	if ((again = drop_unnamed(t->conf->spool)) == -1)
		return spool_failed(t);
	code = copy(t, again);
	if (code == EX_OK && !is_same(fd, again))
		code = answer(t, EX_TEMPFAIL, "the identifier is taken");
	/* who committed it may have died before the fsync(2) */
	if (code == EX_OK && fsync(fd) == -1)
		code = spool_failed(t);
	close(again);
	return code;
}

/* KNOWN if the runner has taken it already, for who asks; or the code. */
static int
look_in_queue(const struct take *t)
{
	int fd = open_at(t, "queue"), code = EX_OK;
	struct stat st;

	if (fd == -1)
		return errno == ENOENT ? EX_OK : spool_failed(t);
	if (fstat(fd, &st) == -1 || st.st_mtim.tv_nsec !=
	    (long)queue_uid(t->uid))
		code = answer(t, EX_TEMPFAIL, "the identifier is taken");
	close(fd);
	return code == EX_OK ? KNOWN : code;
}

/* As a new file.  The code answered, EX_OK, or KNOWN. */
static int
store(const struct take *t, struct drop *d)
{
	int code = look_in_queue(t);

	if (code == EX_OK && t->again)
		code = KNOWN;	/* and delivered */
	if (code == EX_OK)
		code = copy(t, drop_fd(d));
	/* from here on the client knows that it may be in the spool */
	if (code == EX_OK && stream_send(&t->s, "+", 1) == -1)
		code = EX_IOERR;	/* nobody would hear that it is safe */
	if (code == EX_OK && drop_commit_for(d, t->uid) == 0)
		return EX_OK;
	/* what is gone without an answer would be taken for delivered */
	if (code == EX_OK)
		code = spool_failed(t);
	drop_abort(d);
	return code;
}

/* As store(). */
static int
keep(const struct take *t)
{
	struct drop *d;
	int fd, code, i;

	for (i = 0; i < TRIES; i++) {
		if ((d = drop_open_as(t->conf->spool, t->id)) != NULL)
			return store(t, d);
		if (errno != EEXIST)
			break;
		if ((fd = open_at(t, "drop")) != -1) {
			code = compare(t, fd);
			close(fd);
			return code;
		}
		if (errno != ENOENT)
			return answer(t, EX_TEMPFAIL, "the identifier is "
			    "taken");
		/* the runner took it meanwhile */
	}
	return spool_failed(t);
}

int
handover_take(int sock, const struct conf *conf, struct msgid *id)
{
	struct take t = { .conf = conf, .id = id, .from = -1 };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int code;

	stream_init(&t.s, sock, SILENCE_MS, TOTAL_MS);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return answer(&t, EX_OSERR, "who are you? %s",
		    strerror(errno));
	t.uid = peer.uid;
	if ((code = receive(&t)) == EX_OK)
		code = keep(&t);
	if (t.from != -1)
		close(t.from);
	if (code == EX_OK || code == KNOWN)
		code = answer(&t, EX_OK, "%s", "");
	return code;
}
