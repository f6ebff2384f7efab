/* SPDX-License-Identifier: ISC */
/* Message files: written, read, copied with every check; in anonymous files. */
#include "config.h"

#include "spool/msgfile.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "spool/crc32c.h"

#define HEAD	MSGFILE_MAGIC "U1:5\nT2:99\nS3:a@b\nR3:c@d\nR3:e@f\nM0:\n"
#define BODY	"From: a@b\r\n\r\nhello\r\n"

static int
memory_file(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd != -1);
	return fd;
}

static void
put(int fd, const void *p, size_t n)
{
	assert_int_equal(pwrite(fd, p, n, lseek(fd, 0, SEEK_END)), n);
	lseek(fd, 0, SEEK_END);
}

/* A file of HEAD, the N octets at BODY and a right trailer. */
static int
make_file(const char *head, const char *body, size_t n, char bits)
{
	char trailer[MSGFILE_TRAILER_LEN + 1];
	uint32_t crc = crc32c(crc32c(0, head, strlen(head)), body, n);
	int fd = memory_file();

	snprintf(trailer, sizeof(trailer), "E%c%016zx%08x\n", bits,
	    strlen(head) + n, (unsigned)crc);
	put(fd, head, strlen(head));
	put(fd, body, n);
	put(fd, trailer, MSGFILE_TRAILER_LEN);
	return fd;
}

static size_t
contents(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size, 0);

	assert_true(n >= 0);
	return (size_t)n;
}

static void
test_msgwriter_octets(void **state)
{
	char got[512], want[512];
	struct envelope e;
	struct msgwriter *w;
	int fd = memory_file(), fd2 = make_file(HEAD, BODY, strlen(BODY), '7');
	size_t n;

	(void)state;
	envelope_init(&e);
	e.uid = 5;
	e.time = 99;
	e.sender = strdup("a@b");
	envelope_add_rcpt(&e, "c@d");
	envelope_add_rcpt(&e, "e@f");
	w = msgwriter_new(fd, &e);
	assert_int_equal(msgwriter_data(w, BODY, 5), 0);
	assert_int_equal(msgwriter_data(w, "", 0), 0);
	assert_int_equal(msgwriter_data(w, &BODY[5], strlen(BODY) - 5), 0);
	assert_int_equal(msgwriter_end(w), 0);
	n = contents(fd2, want, sizeof(want));
	assert_int_equal(contents(fd, got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
	envelope_clear(&e);
	close(fd);
	close(fd2);
}

static void
test_msgfile_read(void **state)
{
	struct msgfile mf;
	const char *why;
	int fd = make_file(HEAD, BODY "\xc3\xa9\r\n", strlen(BODY) + 4, '8');

	(void)state;
	assert_int_equal(msgfile_read(fd, 2, &mf, &why), 0);
	assert_string_equal(mf.env.sender, "a@b");
	assert_int_equal(mf.env.nrcpt, 2);
	assert_int_equal(mf.start, strlen(HEAD));
	assert_int_equal(mf.size, strlen(BODY) + 4);
	assert_true(mf.eightbit);
	msgfile_clear(&mf);
	assert_int_equal(msgfile_read(fd, 1, &mf, &why), -1);
	assert_string_equal(why, "too many recipients");
	close(fd);
}

static const struct stat nobody;

static void
check_copy(int from, const char *body, size_t n, bool eightbit)
{
	struct msgfile mf;
	const struct stat st = { .st_uid = 4242, .st_ctim = { 1, 0 } };
	const char *why = NULL;
	char *got = malloc(n + 1);
	int to = memory_file();

	assert_non_null(got);
	assert_int_equal(msgfile_copy(from, to, &st, n, 2, &mf, &why), 0);
	assert_int_equal(mf.env.uid, 4242);
	assert_int_equal(mf.size, n);
	assert_int_equal(mf.eightbit, eightbit);
	assert_int_equal(pread(to, got, n, mf.start), n);
	assert_memory_equal(got, body, n);
	msgfile_clear(&mf);
	/* and the copy is a message file, too */
	assert_int_equal(msgfile_read(to, 2, &mf, &why), 0);
	assert_int_equal(mf.env.uid, 4242);
	assert_true(mf.env.time == 99);
	assert_int_equal(mf.size, n);
	assert_int_equal(mf.eightbit, eightbit);
	msgfile_clear(&mf);
	close(to);
	free(got);
}

/* A message from the future would never be too old. */
static void
test_msgfile_copy_time(void **state)
{
	const struct stat st = { .st_uid = 4242, .st_ctim = { 0, 98999 } };
	struct msgfile mf;
	const char *why;
	int to = memory_file(), fd = make_file(HEAD, "", 0, '7');

	(void)state;
	assert_int_equal(msgfile_copy(fd, to, &st, 0, 2, &mf, &why), 0);
	assert_true(mf.env.time == 98);
	msgfile_clear(&mf);
	assert_int_equal(msgfile_read(to, 2, &mf, &why), 0);
	assert_true(mf.env.time == 98);
	msgfile_clear(&mf);
	close(to);
	close(fd);
}

/* A submitter could reach a mailbox behind its alias otherwise. */
static void
test_msgfile_copy_claims(void **state)
{
	const struct stat st = { .st_uid = 4242, .st_ctim = { 1, 0 } };
	struct msgfile mf;
	const char *why;
	int to = memory_file(), fd = make_file(MSGFILE_MAGIC "U1:0\nT1:1\n"
	    "S0:\nR3:a@b\nL0:\nA0:\nM0:\n", "", 0, '7');

	(void)state;
	assert_int_equal(msgfile_copy(fd, to, &st, 0, 2, &mf, &why), 0);
	assert_false(mf.env.rcpt[0].mailbox || mf.env.rcpt[0].expanded);
	msgfile_clear(&mf);
	assert_int_equal(msgfile_read(to, 2, &mf, &why), 0);
	assert_false(mf.env.rcpt[0].mailbox || mf.env.rcpt[0].expanded);
	msgfile_clear(&mf);
	close(to);
	close(fd);
}

static void
test_msgfile_readdress(void **state)
{
	struct msgfile mf, back;
	const char *why;
	char got[sizeof(BODY)];
	off_t start;
	int to = memory_file(), fd = make_file(HEAD, BODY, strlen(BODY), '7');

	(void)state;
	assert_int_equal(msgfile_read(fd, 2, &mf, &why), 0);
	mf.env.rcpt[0].expanded = true;
	envelope_add_rcpt(&mf.env, "new@x")->mailbox = true;
	assert_int_equal(msgfile_readdress(fd, &mf, &mf.env, to, &start), 0);
	assert_int_equal(msgfile_read(to, 3, &back, &why), 0);
	assert_int_equal(back.start, start);
	assert_int_equal(back.size, mf.size);
	assert_true(back.env.time == mf.env.time);
	assert_true(back.env.rcpt[0].expanded);
	assert_string_equal(back.env.rcpt[2].addr, "new@x");
	assert_true(back.env.rcpt[2].mailbox);
	assert_int_equal(pread(to, got, strlen(BODY), start), strlen(BODY));
	assert_memory_equal(got, BODY, strlen(BODY));
	/* a file that lost its end meanwhile */
	assert_int_equal(ftruncate(fd, mf.start + 1), 0);
	assert_int_equal(msgfile_readdress(fd, &mf, &mf.env, to, &start), -1);
	msgfile_clear(&mf);
	msgfile_clear(&back);
	close(to);
	close(fd);
}

static void
test_msgfile_copy(void **state)
{
	int fd;

	(void)state;
	fd = make_file(HEAD, BODY, strlen(BODY), '7');
	check_copy(fd, BODY, strlen(BODY), false);
	close(fd);
	fd = make_file(HEAD, "\xff\r\n", 3, '8');
	check_copy(fd, "\xff\r\n", 3, true);
	close(fd);
	fd = make_file(HEAD, "", 0, '7');
	check_copy(fd, "", 0, false);
	close(fd);
}

/* CR and LF on both sides of every boundary between pieces. */
static void
test_msgfile_copy_big(void **state)
{
	enum { SIZE = 3 * 65536 };
	char *body = malloc(SIZE + 2);
	size_t cut, i;
	int fd;

	(void)state;
	assert_non_null(body);
	for (cut = 0; cut < 140; cut++) {
		for (i = 0; i < SIZE; i++)
			body[i] = i % 70 == 68 ? '\r' : i % 70 == 69 ?
			    '\n' : 'x';
		body[SIZE - cut] = '\r';
		body[SIZE - cut + 1] = '\n';
		if ((SIZE - cut) % 70 == 69)
			continue;	/* that CR would stand alone */
		fd = make_file(HEAD, body, SIZE - cut + 2, '7');
		if ((SIZE - cut) % 70 == 68 || body[SIZE - cut - 1] != '\r')
			check_copy(fd, body, SIZE - cut + 2, false);
		close(fd);
	}
	free(body);
}

static const struct {
	const char	*name;
	const char	*head;
	const char	*body;
	size_t		 len;
	char		 bits;
	const char	*why;
} wrong[] = {
#define LINES	"a NUL or a line that does not end in CRLF"
#define ROW(name, body, bits, why) \
	{ name, HEAD, body, sizeof(body) - 1, bits, why }
	ROW("bare LF", "a\nb\r\n", '7', LINES),
	ROW("bare LF first", "\nb\r\n", '7', LINES),
	ROW("bare LF last", "b\r\n\n", '7', LINES),
	ROW("LF dot LF", "a\r\n\n.\n\r\n", '7', LINES),
	ROW("LF dot CRLF", "a\n.\r\nb\r\n", '7', LINES),
	ROW("bare CR", "a\rb\r\n", '7', LINES),
	ROW("CR CR LF", "a\r\r\n", '7', LINES),
	ROW("CR dot CR", "a\r\n\r.\r\r\n", '7', LINES),
	ROW("CR at the end", "a\r\nb\r", '7', "the last line does not end in "
	    "CRLF"),
	ROW("no line end", "a\r\nb", '7', "the last line does not end in "
	    "CRLF"),
	ROW("NUL", "a\0b\r\n", '7', LINES),
	ROW("8-bit unannounced", "\xff\r\n", '7', "no valid trailer"),
	ROW("8-bit announced and absent", "a\r\n", '8', "no valid trailer"),
	{ "another magic", "mxnss x\nU1:5\nT2:99\nS3:a@b\nR3:c@d\nM0:\n",
	    "a\r\n", 3, '7', "no message file" },
	{ "no line end after the version", "mxnss 2.\nU1:5\nT2:99\nS0:\nM0:\n",
	    "a\r\n", 3, '7', "no message file" },
	{ "no magic", "U1:5\nT2:99\nS3:a@b\nR3:c@d\nM0:\n", "a\r\n", 3, '7',
	    "no message file" },
	{ "envelope wrong", MSGFILE_MAGIC "U1:5\nS0:\n", "a\r\n", 3, '7',
	    "envelope records out of order" },
	{ "envelope without end", MSGFILE_MAGIC "U1:5\nT1:1\nS0:\nR3:a@b\n",
	    "", 0, '7', "the envelope does not end" },
	{ "three recipients", MSGFILE_MAGIC "U1:5\nT1:1\nS0:\nR3:a@b\n"
	    "R3:a@b\nR3:a@b\nM0:\n", "a\r\n", 3, '7', "too many recipients" },
#undef ROW
};

static void
test_msgfile_copy_wrong(void **state)
{
	struct msgfile mf;
	const char *why;
	size_t i;
	int fd, to;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("%s\n", wrong[i].name);
		fd = make_file(wrong[i].head, wrong[i].body, wrong[i].len,
		    wrong[i].bits);
		to = memory_file();
		why = NULL;
		assert_int_equal(msgfile_copy(fd, to, &nobody, 1000, 2, &mf,
		    &why), -1);
		assert_string_equal(why, wrong[i].why);
		assert_null(mf.env.rcpt);
		close(fd);
		close(to);
	}
}

/* Neither ours to read nor ours to throw away. */
static void
test_msgfile_later_version(void **state)
{
	static const char *const heads[] = { "mxnss 2\n", "mxnss 10\n",
	    "mxnss 2\nX: something else\n" };
	struct msgfile mf;
	const char *why;
	size_t i;
	int fd, to;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		fd = make_file(heads[i], BODY, strlen(BODY), '7');
		to = memory_file();
		assert_int_equal(msgfile_copy(fd, to, &nobody, 1000, 2, &mf,
		    &why), -3);
		assert_string_equal(why, "its format is of a later version");
		assert_int_equal(msgfile_read(fd, 2, &mf, &why), -3);
		assert_null(mf.env.rcpt);
		close(fd);
		close(to);
	}
}

static void
test_msgfile_copy_size(void **state)
{
	struct msgfile mf;
	const char *why;
	int fd = make_file(HEAD, BODY, strlen(BODY), '7'), to = memory_file();

	(void)state;
	assert_int_equal(msgfile_copy(fd, to, &nobody, strlen(BODY) - 1, 2, &mf,
	    &why), -1);
	assert_string_equal(why, "larger than max-size");
	/* a hole of 1 TB costs nothing either */
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(msgfile_copy(fd, to, &nobody, 1000, 2, &mf,
	    &why), -1);
	close(fd);
	close(to);
}

/* A file that is cut anywhere, or has one octet changed, is no message. */
static void
test_msgfile_copy_damaged(void **state)
{
	char whole[512], octet;
	struct msgfile mf;
	const char *why;
	size_t n, i;
	int fd = make_file(HEAD, BODY, strlen(BODY), '7'), to, cut;

	(void)state;
	n = contents(fd, whole, sizeof(whole));
	for (i = 0; i < n; i++) {
		to = memory_file();
		cut = memory_file();
		put(cut, whole, i);
		assert_int_equal(msgfile_copy(cut, to, &nobody, 1000, 2, &mf,
		    &why), -1);
		octet = (char)(whole[i] ^ 1);
		assert_int_equal(pwrite(fd, &octet, 1, (off_t)i), 1);
		assert_int_equal(msgfile_copy(fd, to, &nobody, 1000, 2, &mf,
		    &why), -1);
		assert_int_equal(pwrite(fd, whole + i, 1, (off_t)i), 1);
		close(to);
		close(cut);
	}
	put(fd, "x", 1);
	to = memory_file();
	assert_int_equal(msgfile_copy(fd, to, &nobody, 1000, 2, &mf,
	    &why), -1);
	assert_int_equal(msgfile_read(fd, 2, &mf, &why), -1);
	close(to);
	close(fd);
}

static void
test_msgfile_local_failure(void **state)
{
	struct msgfile mf;
	const char *why;
	char path[64];
	int mute;
	int fd = make_file(HEAD, BODY, strlen(BODY), '7');
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(msgfile_copy(fd, full, &nobody, 1000, 2, &mf, &why), -2);
	assert_int_equal(errno, ENOSPC);
	assert_null(mf.env.rcpt);
	assert_int_equal(msgfile_copy(-1, fd, 0, 1000, 2, &mf, &why), -2);
	assert_int_equal(errno, EBADF);
	/* what cannot be read may be a message */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	mute = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(mute, -1);
	assert_int_equal(msgfile_read(mute, 2, &mf, &why), -2);
	close(mute);
	assert_int_equal(msgfile_copy(dir, fd, 0, 1000, 2, &mf, &why), -2);
	assert_int_equal(errno, EISDIR);
	close(fd);
	close(full);
	close(dir);
}

static void
test_msgwriter_failure_stays(void **state)
{
	static const char block[100000];
	struct envelope e;
	struct msgwriter *w;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	envelope_init(&e);
	w = msgwriter_new(full, &e);
	assert_int_equal(msgwriter_data(w, block, sizeof(block)), -1);
	assert_int_equal(errno, ENOSPC);
	errno = 0;
	assert_int_equal(msgwriter_end(w), -1);
	assert_int_equal(errno, ENOSPC);
	msgwriter_free(msgwriter_new(full, &e));
	msgwriter_free(NULL);
	close(full);
}

static void
test_msgwriter_many_recipients(void **state)
{
	enum { N = 5000 };
	struct envelope e;
	struct msgwriter *w;
	struct msgfile mf;
	const char *why;
	int fd = memory_file(), to = memory_file();
	unsigned i;

	(void)state;
	envelope_init(&e);
	e.sender = strdup("");
	for (i = 0; i < N; i++)
		envelope_add_rcpt(&e, "somebody.with.a.name@host.example.org");
	w = msgwriter_new(fd, &e);
	assert_int_equal(msgwriter_data(w, BODY, strlen(BODY)), 0);
	assert_int_equal(msgwriter_end(w), 0);
	assert_int_equal(msgfile_copy(fd, to, &nobody, 1000, N, &mf, &why), 0);
	assert_int_equal(mf.env.nrcpt, N);
	msgfile_clear(&mf);
	assert_int_equal(msgfile_read(to, N, &mf, &why), 0);
	assert_int_equal(mf.env.nrcpt, N);
	msgfile_clear(&mf);
	envelope_clear(&e);
	close(fd);
	close(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msgwriter_octets),
		cmocka_unit_test(test_msgfile_read),
		cmocka_unit_test(test_msgfile_copy),
		cmocka_unit_test(test_msgfile_copy_claims),
		cmocka_unit_test(test_msgfile_readdress),
		cmocka_unit_test(test_msgfile_copy_time),
		cmocka_unit_test(test_msgfile_copy_big),
		cmocka_unit_test(test_msgfile_copy_wrong),
		cmocka_unit_test(test_msgfile_later_version),
		cmocka_unit_test(test_msgfile_copy_size),
		cmocka_unit_test(test_msgfile_copy_damaged),
		cmocka_unit_test(test_msgfile_local_failure),
		cmocka_unit_test(test_msgwriter_failure_stays),
		cmocka_unit_test(test_msgwriter_many_recipients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
