/* SPDX-License-Identifier: ISC */
/* Mailboxes and Maildirs in a directory of our own; locks, and what fails. */
#include "config.h"

#include "local/store.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/xmalloc.h"

#define CHUNK	32768		/* of store.c */
#define MESSAGE	"Subject: x\r\n\r\nbody\r\n"
#define HEAD	"Return-Path: <s@x.test>\nDelivered-To: u@h.test\n"

static char dir[] = "/tmp/test_store.XXXXXX";
static int message = -1;
static struct store s;
static struct result r;
static unsigned npolls;		/* waits for a lock */
static void (*on_poll)(void);
static int fsyncs_left;		/* that succeed; -1: all */
static int fsync_error = EIO;	/* of the one after these */

static void (*on_lock)(void);	/* before the lock of fcntl(2) */

int	__wrap_poll(struct pollfd *, nfds_t, int);
int	__real_fcntl64(int, int, void *);
int	__wrap_fcntl64(int, int, void *);
int	__real_fsync(int);
int	__wrap_fsync(int);

/* Nobody waits here. */
int
__wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	(void)fds;
	(void)n;
	assert_int_equal(ms, 250);
	npolls++;
	if (on_poll != NULL)
		on_poll();
	return 0;
}

int
__wrap_fcntl64(int fd, int what, void *arg)
{
	void (*call)(void) = on_lock;

	on_lock = NULL;
	if (call != NULL && what == F_SETLK)
		call();
	return __real_fcntl64(fd, what, arg);
}

int
__wrap_fsync(int fd)
{
	if (fsyncs_left == 0) {
		errno = fsync_error;
		return -1;
	}
	fsyncs_left -= fsyncs_left > 0;
	return __real_fsync(fd);
}

/* --- the directory -------------------------------------------------------- */

/* DIR/NAME; four of them may be in use at a time. */
static const char *
path(const char *name)
{
	static char text[4][256];
	static unsigned i;
	char *p = text[++i % 4];

	snprintf(p, sizeof(text[0]), "%s/%s", dir, name);
	return p;
}

static void
put(const char *name, const char *text)
{
	int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
assert_file(const char *name, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(file_read(path(name), 1 << 20, &b), 0);
	assert_string_equal(buf_str(&b), want);
	buf_clear(&b);
}

/* The same, but the first line is "From WHO" and a date. */
static void
assert_mbox(const char *before, const char *who, const char *want)
{
	struct buf b = BUF_INIT;
	size_t n = strlen(before);
	const char *from, *lf;

	assert_int_equal(file_read(path("u"), 1 << 20, &b), 0);
	assert_memory_equal(buf_str(&b), before, n);
	from = buf_str(&b) + n;
	assert_memory_equal(from, "From ", 5);
	assert_memory_equal(from + 5, who, strlen(who));
	assert_int_equal(from[5 + strlen(who)], ' ');
	assert_non_null(lf = strchr(from, '\n'));
	/* asctime(3) without its line end */
	assert_int_equal(lf - from, 5 + strlen(who) + 1 + 24);
	assert_string_equal(lf + 1, want);
	buf_clear(&b);
}

static bool
exists(const char *name)
{
	struct stat st;

	return lstat(path(name), &st) == 0;
}

static void
remove_all(void)
{
	char *command = xasprintf("rm -rf %s/*", dir);

	assert_int_equal(system(command), 0);
	free(command);
}

static void
set_message(const char *text, size_t n)
{
	if (message != -1)
		close(message);
	message = memfd_create("message", MFD_CLOEXEC);
	assert_int_not_equal(message, -1);
	assert_int_equal(write(message, "envelope", 8), 8);
	assert_int_equal(write(message, text, n), n);
	s.fd = message;
	s.start = 8;
	s.size = (off_t)n;
}

static int
setup(void **state)
{
	(void)state;
	s = (struct store){ .user = "u", .uid = geteuid(), .home = dir,
	    .path = dir, .id = "0123456789ABCDEFGHJK", .sender = "s@x.test",
	    .rcpt = "u@h.test", .hostname = "h.test" };
	set_message(MESSAGE, sizeof(MESSAGE) - 1);
	memset(&r, 0, sizeof(r));
	npolls = 0;
	on_poll = NULL;
	fsyncs_left = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	remove_all();
	return 0;
}

/* --- the copy ------------------------------------------------------------- */

static void
copy(const char *text, size_t n, bool quote, const char *want)
{
	struct buf b = BUF_INIT;
	int fd = memfd_create("copy", MFD_CLOEXEC);
	char piece[4096];
	off_t at = 0;
	ssize_t got;

	set_message(text, n);
	assert_int_equal(store_copy(&s, fd, quote), 0);
	while ((got = pread(fd, piece, sizeof(piece), at)) > 0) {
		buf_add(&b, piece, (size_t)got);
		at += got;
	}
	assert_memory_equal(buf_str(&b), HEAD, sizeof(HEAD) - 1);
	assert_string_equal(buf_str(&b) + sizeof(HEAD) - 1, want);
	buf_clear(&b);
	close(fd);
}

static void
test_store_copy(void **state)
{
#define COPY(text, quote, want) copy(text, sizeof(text) - 1, quote, want)
	(void)state;
	COPY("A: b\r\n\r\nFrom x\r\n>From y\r\n", false,
	    "A: b\n\nFrom x\n>From y\n");
	COPY("A: b\r\n\r\nFrom x\r\n>From y\r\n>>>From z\r\n", true,
	    "A: b\n\n>From x\n>>From y\n>>>>From z\n");
	/* only the word and its blank, at the beginning, in the body */
	COPY("From x\r\nA: b\r\n\r\nFrom\r\nFromm x\r\n From x\r\n> From x\r\n"
	    "from x\r\n>\r\n\r\nFrom \r\n", true,
	    "From x\nA: b\n\nFrom\nFromm x\n From x\n> From x\nfrom x\n>\n\n"
	    ">From \n");
	COPY("", true, "");
	COPY("A: b\r\n", true, "A: b\n");
#undef COPY
}

/* However a read(2) cuts it. */
static void
test_store_copy_pieces(void **state)
{
	static const char text[] = "\r\n>From x\r\nFrom y\r\nFro\r\n";
	struct buf in = BUF_INIT, want = BUF_INIT;
	size_t pad;

	(void)state;
	for (pad = CHUNK - 40; pad < CHUNK + 4; pad++) {
		buf_reset(&in);
		buf_reset(&want);
		buf_adds(&in, "A: b\r\n\r\n");
		buf_adds(&want, "A: b\n\n");
		while (in.len < pad) {
			buf_addc(&in, 'x');
			buf_addc(&want, 'x');
		}
		buf_adds(&in, text);
		buf_adds(&want, "\n>>From x\n>From y\nFro\n");
		copy(in.data, in.len, true, buf_str(&want));
	}
	buf_clear(&in);
	buf_clear(&want);
}

static void
test_store_copy_ends_early(void **state)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	(void)state;
	s.size++;
	assert_int_equal(store_copy(&s, fd, true), -1);
	assert_int_equal(errno, EIO);
	close(fd);
}

/* --- mbox ----------------------------------------------------------------- */

static void
test_store_mbox(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_mbox("", "s@x.test", HEAD "Subject: x\n\nbody\n\n");
	assert_int_equal(stat(path("u"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(exists("u.lock"));
	/* to the end; what is there stays */
	put("u", "From a b\n\nold\n\n");
	s.sender = "";
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_mbox("From a b\n\nold\n\n", "MAILER-DAEMON",
	    "Return-Path: <>\nDelivered-To: u@h.test\nSubject: x\n\nbody\n\n");
	/* half a line is ended first */
	put("u", "From a b\n\nol");
	s.sender = "\"a b\"@x.test";
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_mbox("From a b\n\nol\n", "MAILER-DAEMON",
	    "Return-Path: <\"a b\"@x.test>\nDelivered-To: u@h.test\n"
	    "Subject: x\n\nbody\n\n");
}

static void
refused(const char *why)
{
	assert_int_equal(store_mbox(&s, &r), -1);
	assert_int_equal(r.code, R_LOCALERR);
	if (strstr(r.text, why) == NULL)
		fail_msg("%s", r.text);
	assert_false(exists("u.lock"));
}

static void
test_store_mbox_refused(void **state)
{
	(void)state;
	put("other", "other\n");
	assert_int_equal(symlink(path("other"), path("u")), 0);
	refused("symbolic link");
	assert_int_equal(unlink(path("u")), 0);
	assert_int_equal(link(path("other"), path("u")), 0);
	refused("another name");
	assert_int_equal(unlink(path("u")), 0);
	assert_int_equal(mkfifo(path("u"), 0600), 0);
	refused("not a regular file");
	assert_int_equal(unlink(path("u")), 0);
	put("u", "mine\n");
	s.uid++;
	refused("not the user's own");
	assert_file("u", "mine\n");
	assert_file("other", "other\n");
	s.path = path("nowhere");
	refused("nowhere: No such file");
}

/* A write that is not all of it, or not for sure: nothing of it stays. */
static void
test_store_mbox_fails(void **state)
{
	struct rlimit old, now;
	char *big = malloc(200000);
	size_t i;

	(void)state;
	assert_non_null(big);
	for (i = 0; i < 200000; i += 2)
		memcpy(big + i, "\r\n", 2);
	set_message(big, 200000);
	put("u", "old\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	now = old;
	now.rlim_cur = 50000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(store_mbox(&s, &r), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_string_equal(result_esc(&r), "4.2.2");
	assert_file("u", "old\n");
	assert_false(exists("u.lock"));
	free(big);

	fsyncs_left = 0;
	set_message(MESSAGE, sizeof(MESSAGE) - 1);
	assert_int_equal(store_mbox(&s, &r), -1);
	assert_int_equal(r.code, R_LOCALERR);
	assert_string_equal(result_esc(&r), "4.3.0");
	assert_file("u", "old\n");

	/* over quota; some file systems say so only now */
	fsync_error = EDQUOT;
	assert_int_equal(store_mbox(&s, &r), -1);
	assert_true(result_is_temporary(&r));
	assert_string_equal(result_esc(&r), "4.2.2");
	assert_file("u", "old\n");
	fsync_error = EIO;
}

static void
test_store_mbox_lock_file(void **state)
{
	struct timespec old[2] = { { .tv_sec = time(NULL) - 301 },
	    { .tv_sec = time(NULL) - 301 } };

	(void)state;
	put("u.lock", "1\n");
	assert_int_equal(store_mbox(&s, &r), -1);
	assert_int_equal(r.code, R_LATER);
	assert_string_equal(result_esc(&r), "4.2.0");
	assert_int_equal(npolls, 120);
	assert_true(exists("u.lock"));
	assert_file("u", "");
	/* whoever made it has died */
	assert_int_equal(utimensat(AT_FDCWD, path("u.lock"), old, 0), 0);
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_int_equal(npolls, 121);
	assert_false(exists("u.lock"));
	/* or the clock went back since */
	put("u.lock", "1\n");
	old[0].tv_sec = old[1].tv_sec = time(NULL) + 310;
	assert_int_equal(utimensat(AT_FDCWD, path("u.lock"), old, 0), 0);
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_false(exists("u.lock"));
}

static pid_t holder;

static void
end_holder(void)
{
	if (npolls == 3) {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
	}
}

/* Somebody else has the lock of fcntl(2) for a while. */
static void
test_store_mbox_fcntl(void **state)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int ready[2], fd;
	char c;

	(void)state;
	put("u", "");
	assert_int_equal(pipe(ready), 0);
	holder = fork();
	assert_int_not_equal(holder, -1);
	if (holder == 0) {
		fd = open(path("u"), O_RDWR);
		if (fd == -1 || fcntl(fd, F_SETLK, &fl) == -1 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	on_poll = end_holder;
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_int_equal(npolls, 3);
	assert_mbox("", "s@x.test", HEAD "Subject: x\n\nbody\n\n");
	close(ready[0]);
	close(ready[1]);
}

static void
replace(void)
{
	put("new", "new\n");
	assert_int_equal(rename(path("new"), path("u")), 0);
	(void)unlink(path("u.lock"));
}

/*
 * A program that reads mail writes the file anew: while we wait, or between
 * our open and our lock.
 */
static void
test_store_mbox_replaced(void **state)
{
	(void)state;
	put("u", "old\n");
	put("u.lock", "");
	on_poll = replace;
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_int_equal(npolls, 1);
	assert_mbox("new\n", "s@x.test", HEAD "Subject: x\n\nbody\n\n");
	put("u", "old\n");
	on_poll = NULL;
	on_lock = replace;
	assert_int_equal(store_mbox(&s, &r), 0);
	assert_int_equal(npolls, 2);
	assert_mbox("new\n", "s@x.test", HEAD "Subject: x\n\nbody\n\n");
}

/* --- Maildir -------------------------------------------------------------- */

#define NAME	"0123456789ABCDEFGHJK.h.test"

static void
test_store_maildir(void **state)
{
	struct stat st;

	(void)state;
	s.path = "~/Mail-%u-%";
	assert_int_equal(store_maildir(&s, &r), 0);
	assert_file("Mail-u-%/new/" NAME, HEAD "Subject: x\n\nbody\n");
	assert_int_equal(stat(path("Mail-u-%/new/" NAME), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(path("Mail-u-%/cur"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_false(exists("Mail-u-%/tmp/" NAME));
	/* delivered before a crash: not again */
	put("Mail-u-%/new/" NAME, "the first\n");
	put("Mail-u-%/tmp/" NAME, "half");
	assert_int_equal(store_maildir(&s, &r), 0);
	assert_file("Mail-u-%/new/" NAME, "the first\n");
	assert_false(exists("Mail-u-%/tmp/" NAME));
}

static void
test_store_maildir_fails(void **state)
{
	(void)state;
	s.path = "~/M";
	fsyncs_left = 0;
	assert_int_equal(store_maildir(&s, &r), -1);
	assert_int_equal(r.code, R_LOCALERR);
	assert_false(exists("M/new/" NAME));
	assert_false(exists("M/tmp/" NAME));
	fsync_error = EDQUOT;
	assert_int_equal(store_maildir(&s, &r), -1);
	assert_true(result_is_temporary(&r));
	assert_string_equal(result_esc(&r), "4.2.2");
	fsync_error = EIO;
	/* it is there, but not for sure: the next try finds it */
	fsyncs_left = 1;
	assert_int_equal(store_maildir(&s, &r), -1);
	assert_true(exists("M/new/" NAME));
	fsyncs_left = -1;
	assert_int_equal(store_maildir(&s, &r), 0);
	assert_file("M/new/" NAME, HEAD "Subject: x\n\nbody\n");

	remove_all();
	assert_int_equal(mkdir(path("M"), 0700), 0);
	assert_int_equal(mkdir(path("elsewhere"), 0700), 0);
	assert_int_equal(symlink("../elsewhere", path("M/new")), 0);
	assert_int_equal(store_maildir(&s, &r), -1);
	assert_non_null(strstr(r.text, "M/new: "));
	s.path = path("no/where");
	assert_int_equal(store_maildir(&s, &r), -1);
	assert_non_null(strstr(r.text, "no/where: No such file"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_store_copy),
		TEST(test_store_copy_pieces),
		TEST(test_store_copy_ends_early),
		TEST(test_store_mbox),
		TEST(test_store_mbox_refused),
		TEST(test_store_mbox_fails),
		TEST(test_store_mbox_lock_file),
		TEST(test_store_mbox_fcntl),
		TEST(test_store_mbox_replaced),
		TEST(test_store_maildir),
		TEST(test_store_maildir_fails),
	};
	int rc;

	setenv("TZ", "UTC", 1);
	if (mkdtemp(dir) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	return rc;
}
