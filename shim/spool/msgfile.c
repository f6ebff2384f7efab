/* SPDX-License-Identifier: ISC */
/*
 * Message files: written in one pass, read in one pass.  What is read comes
 * from a file that somebody else may own and change meanwhile: nothing is
 * believed that was not seen in the octets that are copied.
 */
#include "config.h"

#include "spool/msgfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "spool/crc32c.h"

#define MAGIC_LEN	(sizeof(MSGFILE_MAGIC) - 1)
#define CHUNK		65536
/* the records of one recipient, and all but the recipients together */
#define MAX_RECORD	(2 * ENVELOPE_MAX_ADDR + 64)
#define MAX_OTHERS	(8 * MAX_RECORD)

struct msgwriter {
	int	 fd;
	uint64_t total;		/* octets so far, those in the buffer too */
	uint32_t crc;		/* of what was written */
	int	 error;		/* errno of the first failure: it stays */
	bool	 eightbit;	/* in the message, but for what is new */
	size_t	 new;		/* from there on the buffer was not looked at */
	size_t	 len;
	char	 buf[CHUNK];
};

/* Like pread(2) until N octets or the end of the file. */
static ssize_t
pread_all(int fd, char *p, size_t n, off_t at)
{
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = pread(fd, p + done, n - done, at + (off_t)done);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

static bool
has_eightbit(struct msgwriter *w)
{
	if (!w->eightbit)
		w->eightbit = utf8_has_eightbit(w->buf + w->new,
		    w->len - w->new);
	w->new = w->len;
	return w->eightbit;
}

int
msgwriter_flush(struct msgwriter *w)
{
	(void)has_eightbit(w);
	w->crc = crc32c(w->crc, w->buf, w->len);
	if (w->error == 0 && file_write(w->fd, w->buf, w->len) == -1)
		w->error = errno;
	w->len = w->new = 0;
	errno = w->error;
	return w->error == 0 ? 0 : -1;
}

int
msgwriter_data(struct msgwriter *w, const void *data, size_t n)
{
	const char *p = data;
	size_t take;

	w->total += n;
	while (n > sizeof(w->buf) - w->len) {
		take = sizeof(w->buf) - w->len;
		memcpy(w->buf + w->len, p, take);
		w->len += take;
		p += take;
		n -= take;
		if (msgwriter_flush(w) == -1)
			return -1;
	}
	memcpy(w->buf + w->len, p, n);
	w->len += n;
	return 0;
}

struct msgwriter *
msgwriter_new(int fd, const struct envelope *env)
{
	struct msgwriter *w = xmalloc(sizeof(*w));
	struct buf b = BUF_INIT;

	w->fd = fd;
	w->total = 0;
	w->crc = 0;
	w->error = 0;
	w->eightbit = false;
	w->len = w->new = 0;
	buf_adds(&b, MSGFILE_MAGIC);
	envelope_format(env, &b);
	/* a failure shows in msgwriter_end() */
	(void)msgwriter_data(w, b.data, b.len);
	buf_clear(&b);
	/* addresses may have what the message has not */
	w->eightbit = false;
	w->new = w->len;
	return w;
}

off_t
msgwriter_offset(const struct msgwriter *w)
{
	return (off_t)w->total;
}

static void
format_trailer(char trailer[MSGFILE_TRAILER_LEN + 1], bool eightbit,
    uint64_t total, uint32_t crc)
{
	snprintf(trailer, MSGFILE_TRAILER_LEN + 1, "E%c%016llx%08lx\n",
	    eightbit ? '8' : '7', (unsigned long long)total,
	    (unsigned long)crc);
}

int
msgwriter_end(struct msgwriter *w)
{
	char trailer[MSGFILE_TRAILER_LEN + 1];
	int rc, error;

	/* the checksum covers what was flushed, so flush first */
	rc = msgwriter_flush(w);
	if (rc == 0) {
		format_trailer(trailer, w->eightbit, w->total, w->crc);
		rc = file_write(w->fd, trailer, MSGFILE_TRAILER_LEN);
	}
	error = errno;
	msgwriter_free(w);
	errno = error;
	return rc;
}

void
msgwriter_free(struct msgwriter *w)
{
	free(w);
}

void
msgfile_clear(struct msgfile *mf)
{
	envelope_clear(&mf->env);
}

/* Hexadecimal digits as the writer makes them: fixed number, lower case. */
static int
parse_hex(const char *p, size_t n, uint64_t *v)
{
	static const char digits[] = "0123456789abcdef";
	const char *d;
	size_t i;

	*v = 0;
	for (i = 0; i < n; i++) {
		d = p[i] != '\0' ? strchr(digits, p[i]) : NULL;
		if (d == NULL)
			return -1;
		*v = *v << 4 | (uint64_t)(d - digits);
	}
	return 0;
}

struct trailer {
	bool	 eightbit;
	uint64_t total;
	uint64_t crc;
};

static int
parse_trailer(const char p[MSGFILE_TRAILER_LEN], struct trailer *t)
{
	if (p[0] != 'E' || (p[1] != '7' && p[1] != '8') ||
	    parse_hex(p + 2, 16, &t->total) == -1 ||
	    parse_hex(p + 18, 8, &t->crc) == -1 || p[26] != '\n')
		return -1;
	t->eightbit = p[1] == '8';
	return 0;
}

/* *END octets come before the trailer.  As read_head() returns. */
static int
body_end(int fd, off_t *end, const char **why)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		*why = strerror(errno);
		return -2;
	}
	if (st.st_size < (off_t)(MAGIC_LEN + MSGFILE_TRAILER_LEN)) {
		*why = "too short for a message file";
		return -1;
	}
	*end = st.st_size - MSGFILE_TRAILER_LEN;
	return 0;
}

/* "mxnss 2" is a message that a later version will understand. */
static int
wrong_magic(const struct buf *b, const char **why)
{
	const size_t name = sizeof("mxnss ") - 1;
	size_t n = name;

	*why = "no message file";
	if (b->len <= name || memcmp(b->data, MSGFILE_MAGIC, name) != 0 ||
	    b->data[n] < '1' || b->data[n] > '9')
		return -1;
	while (n < b->len && n < name + 9 && b->data[n] >= '0' &&
	    b->data[n] <= '9')
		n++;
	if (n == b->len || b->data[n] != '\n')
		return -1;
	*why = "its format is of a later version";
	return -3;
}

/*
 * Read magic and envelope from the first octets of FD, of which END are not
 * trailer.  What was read is in B; *USED octets of it are header.
 * 0, -1 it is no message, -2 cannot be read, -3 a later version; all with
 * *WHY.
 */
static int
read_head(int fd, off_t end, size_t maxrcpt, struct envelope *env,
    struct buf *b, size_t *used, const char **why)
{
	size_t want = 4096, limit;
	char *chunk;
	ssize_t n;
	int rc;

	if (__builtin_mul_overflow(maxrcpt, (size_t)MAX_RECORD, &limit) ||
	    __builtin_add_overflow(limit, (size_t)MAX_OTHERS, &limit))
		limit = SIZE_MAX / 4;
	for (;;) {
		if ((uint64_t)want > (uint64_t)end)
			want = (size_t)end;
		chunk = xmalloc(want);
		n = pread_all(fd, chunk, want, 0);
		buf_reset(b);
		if (n > 0)
			buf_add(b, chunk, (size_t)n);
		free(chunk);
		if (n == -1) {
			*why = strerror(errno);
			return -2;
		}
		if (b->len < MAGIC_LEN ||
		    memcmp(b->data, MSGFILE_MAGIC, MAGIC_LEN) != 0)
			return wrong_magic(b, why);
		rc = envelope_parse(env, b->data + MAGIC_LEN,
		    b->len - MAGIC_LEN, maxrcpt, used, why);
		if (rc != 0)
			break;
		if (b->len < want || (off_t)want == end || want > limit) {
			*why = "the envelope does not end";
			return -1;
		}
		want *= 4;
	}
	*used += MAGIC_LEN;
	return rc == 1 ? 0 : -1;
}

static int
read_trailer(int fd, off_t end, struct trailer *t, const char **why)
{
	char raw[MSGFILE_TRAILER_LEN];
	ssize_t n;

	if ((n = pread_all(fd, raw, sizeof(raw), end)) == -1) {
		*why = strerror(errno);
		return -2;
	}
	if (n == (ssize_t)sizeof(raw) && parse_trailer(raw, t) == 0 &&
	    t->total == (uint64_t)end)
		return 0;
	*why = "no valid trailer";
	return -1;
}

int
msgfile_read(int fd, size_t maxrcpt, struct msgfile *mf, const char **why)
{
	struct buf b = BUF_INIT;
	struct trailer t;
	size_t used;
	off_t end;
	int rc;

	memset(mf, 0, sizeof(*mf));
	if ((rc = body_end(fd, &end, why)) != 0 ||
	    (rc = read_head(fd, end, maxrcpt, &mf->env, &b, &used, why)) != 0)
		goto out;
	if ((rc = read_trailer(fd, end, &t, why)) != 0) {
		msgfile_clear(mf);
		goto out;
	}
	mf->start = (off_t)used;
	mf->size = end - mf->start;
	mf->eightbit = t.eightbit;
out:
	buf_clear(&b);
	return rc;
}

/* Whether what was seen so far is lines that end in CRLF, without NUL. */
struct wire {
	bool	 cr;		/* the last octet was a CR */
	bool	 midline;	/* the last octet did not end a line */
};

static int
wire_check(struct wire *w, const char *p, size_t n)
{
	const char *end = p + n, *nl;

	if (n == 0)
		return 0;
	if (memchr(p, '\0', n) != NULL)
		return -1;
	if (w->cr && *p++ != '\n')
		return -1;
	for (; (nl = memchr(p, '\n', (size_t)(end - p))) != NULL; p = nl + 1) {
		/* the first CR of the line is just before its LF */
		if (nl == p || memchr(p, '\r', (size_t)(nl - p)) != nl - 1)
			return -1;
	}
	w->cr = end[-1] == '\r' && p < end;
	w->midline = p < end;
	nl = p < end ? memchr(p, '\r', (size_t)(end - p)) : NULL;
	return nl == NULL || nl == end - 1 ? 0 : -1;
}

static size_t
least(size_t max, off_t left)
{
	return left < (off_t)max ? (size_t)left : max;
}

struct copy {
	int		 from;
	off_t		 pos;
	off_t		 end;		/* of what the checksum covers */
	struct msgwriter *out;
	uint32_t	 crc;		/* of what was read */
	struct wire	 wire;
	const char	*why;
};

/* One piece of the message: check it, pass it on. */
static int
copy_piece(struct copy *c, const char *p, size_t n)
{
	c->crc = crc32c(c->crc, p, n);
	if (wire_check(&c->wire, p, n) == -1) {
		c->why = "a NUL or a line that does not end in CRLF";
		return -1;
	}
	return msgwriter_data(c->out, p, n) == -1 ? -2 : 0;
}

static int
copy_message(struct copy *c)
{
	size_t want = least(CHUNK, c->end - c->pos);
	char *chunk = xmalloc(want + 1);
	ssize_t n;
	int rc = 0;

	while (rc == 0 && c->pos < c->end) {
		want = least(CHUNK, c->end - c->pos);
		n = pread_all(c->from, chunk, want, c->pos);
		if (n == -1) {
			rc = -2;
		} else if ((size_t)n < want) {
			c->why = "the file became shorter";
			rc = -1;
		} else {
			rc = copy_piece(c, chunk, (size_t)n);
			c->pos += n;
		}
	}
	if (rc == 0 && c->wire.midline) {
		c->why = "the last line does not end in CRLF";
		rc = -1;
	}
	free(chunk);
	return rc;
}

static int
check_trailer(struct copy *c, bool eightbit)
{
	char raw[MSGFILE_TRAILER_LEN];
	struct trailer t;
	ssize_t n;

	n = pread_all(c->from, raw, sizeof(raw), c->end);
	if (n == -1)
		return -2;
	if (n != (ssize_t)sizeof(raw) || parse_trailer(raw, &t) == -1 ||
	    t.total != (uint64_t)c->end || t.eightbit != eightbit) {
		c->why = "no valid trailer";
		return -1;
	}
	if (t.crc != c->crc) {
		c->why = "the checksum is wrong";
		return -1;
	}
	return 0;
}

/* The message of C, whose head was read into *HEAD, to TO. */
static int
copy_to(struct copy *c, int to, const struct buf *head, size_t used,
    struct msgfile *mf)
{
	int rc;

	c->crc = crc32c(0, head->data, used);
	c->pos = (off_t)used;
	c->out = msgwriter_new(to, &mf->env);
	mf->start = (off_t)c->out->total;
	rc = copy_message(c);
	mf->size = (off_t)c->out->total - mf->start;
	mf->eightbit = has_eightbit(c->out);
	if (rc == 0)
		rc = check_trailer(c, mf->eightbit);
	if (rc == 0)
		return msgwriter_end(c->out) == -1 ? -2 : 0;
	msgwriter_free(c->out);
	return rc;
}

static uint64_t
usec(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000 + (uint64_t)ts->tv_nsec / 1000;
}

int
msgfile_copy(int from, int to, const struct stat *st, uint64_t maxsize,
    size_t maxrcpt, struct msgfile *mf, const char **why)
{
	struct copy c = { .from = from };
	struct buf head = BUF_INIT;
	size_t used;
	int rc, error;

	memset(mf, 0, sizeof(*mf));
	rc = body_end(from, &c.end, &c.why);
	if (rc == 0)
		rc = read_head(from, c.end, maxrcpt, &mf->env, &head, &used,
		    &c.why);
	if (rc == 0 && (uint64_t)(c.end - (off_t)used) > maxsize) {
		c.why = "larger than max-size";
		rc = -1;
	}
	if (rc == 0) {
		/* what a submitter says is a claim; what the kernel says is
		   not, and neither is what we wrote for somebody else */
		if (st->st_uid != geteuid())
			mf->env.uid = st->st_uid;
		envelope_forget_claims(&mf->env);
		if (mf->env.time > usec(&st->st_ctim))
			mf->env.time = usec(&st->st_ctim);
		rc = copy_to(&c, to, &head, used, mf);
	}
	error = errno;
	if (rc != 0)
		msgfile_clear(mf);
	buf_clear(&head);
	*why = c.why;
	errno = error;
	return rc;
}

int
msgfile_readdress(int from, const struct msgfile *old,
    const struct envelope *env, int to, off_t *start)
{
	struct msgwriter *w = msgwriter_new(to, env);
	char *chunk = xmalloc(CHUNK);
	off_t done = 0;
	size_t want;
	ssize_t n;
	int rc = 0;

	*start = msgwriter_offset(w);
	while (rc == 0 && done < old->size) {
		want = least(CHUNK, old->size - done);
		n = pread_all(from, chunk, want, old->start + done);
		if (n >= 0 && (size_t)n < want)
			errno = EIO;	/* it was whole when it was copied */
		rc = n == (ssize_t)want ? msgwriter_data(w, chunk, want) : -1;
		done += n;
	}
	free(chunk);
	if (rc == 0)
		return msgwriter_end(w);
	msgwriter_free(w);
	return -1;
}
