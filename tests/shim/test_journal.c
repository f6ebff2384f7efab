/* SPDX-License-Identifier: ISC */
/* The journal: what is written is read back; what is torn is ignored. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/journal.h"

/* --- write(2) that is short or fails ------------------------------------ */

static ssize_t write_limit = -1;	/* octets of the next write */
static bool fsync_fails;

ssize_t	__real_write(int, const void *, size_t);
ssize_t	__wrap_write(int, const void *, size_t);
int	__real_fsync(int);
int	__wrap_fsync(int);

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (write_limit == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (write_limit > 0 && (size_t)write_limit < n)
		n = (size_t)write_limit;
	return __real_write(fd, p, n);
}

int
__wrap_fsync(int fd)
{
	if (fsync_fails) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

/* --- helpers ------------------------------------------------------------ */

struct seen {
	struct journal_record r[16];
	size_t	 n;
};

static void
see(void *arg, const struct journal_record *r)
{
	struct seen *s = arg;

	assert_true(s->n < 16);
	s->r[s->n++] = *r;
}

static int
open_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	return fd;
}

static size_t
content(int fd, char *p, size_t size)
{
	ssize_t n = pread(fd, p, size, 0);

	assert_true(n >= 0);
	return (size_t)n;
}

static struct journal_record
record(enum journal_type type, size_t rcpt, const char *text)
{
	struct journal_record r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.time = 1700000000123456U;
	r.rcpt = rcpt;
	result_set(&r.result, R_CONNECT, "%s", text);
	return r;
}

static void
assert_same(const struct journal_record *a, const struct journal_record *b)
{
	assert_int_equal(a->type, b->type);
	assert_true(a->time == b->time);
	assert_true(a->rcpt == b->rcpt);
	assert_int_equal(a->result.code, b->result.code);
	assert_int_equal(a->result.reply, b->result.reply);
	assert_string_equal(a->result.esc, b->result.esc);
	assert_string_equal(a->result.host, b->result.host);
	assert_string_equal(a->result.text, b->result.text);
}

/* --- tests -------------------------------------------------------------- */

static void
test_journal_append_is_read_back(void **state)
{
	struct journal_record in[5];
	struct seen s = { .n = 0 };
	char text[8192];
	size_t i, n;
	int fd = open_file();

	(void)state;
	in[0] = record(JOURNAL_ATTEMPT, 0, "Connection refused");
	in[1] = record(JOURNAL_DELIVERED, 1, "");
	in[1].result.code = R_SENT;
	in[1].result.reply = 250;
	in[2] = record(JOURNAL_FAILED, 4294967295U, "no such user  here ");
	in[2].result.code = R_REFUSED;
	in[2].result.reply = 550;
	strlcpy(in[2].result.esc, "5.1.1", sizeof(in[2].result.esc));
	strlcpy(in[2].result.host, "mx.example.org[192.0.2.1]:25",
	    sizeof(in[2].result.host));
	in[3] = record(JOURNAL_REPORTED, JOURNAL_ALL, "x");
	in[4] = record(JOURNAL_ATTEMPT, 7, "");
	memset(in[4].result.text, 'y', sizeof(in[4].result.text) - 1);
	memset(in[4].result.host, 'z', sizeof(in[4].result.host) - 1);
	assert_int_equal(journal_append(fd, in, 2, true), 0);
	assert_int_equal(journal_append(fd, in + 2, 3, true), 0);
	n = content(fd, text, sizeof(text));
	assert_true(journal_parse(text, n, see, &s) == n);
	assert_int_equal(s.n, 5);
	for (i = 0; i < 5; i++)
		assert_same(&in[i], &s.r[i]);
	close(fd);
}

static void
test_journal_append_keeps_one_line(void **state)
{
	struct journal_record r = record(JOURNAL_ATTEMPT, 0, "");
	struct seen s = { .n = 0 };
	char text[2048];
	size_t n;
	int fd = open_file();

	(void)state;
	/* text that did not go through result_set() */
	strlcpy(r.result.text, "a\nb\r\x1b[31m\xff", sizeof(r.result.text));
	strlcpy(r.result.host, "a b\nc", sizeof(r.result.host));
	assert_int_equal(journal_append(fd, &r, 1, true), 0);
	n = content(fd, text, sizeof(text));
	assert_true(journal_parse(text, n, see, &s) == n);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.r[0].result.text, "a?b??[31m?");
	assert_string_equal(s.r[0].result.host, "a?b?c");
	close(fd);
}

/* Cut at every octet: the records before the cut, and nothing else. */
static void
test_journal_parse_torn_anywhere(void **state)
{
	struct journal_record in[3] = {
		record(JOURNAL_ATTEMPT, 0, "one"),
		record(JOURNAL_FAILED, 1, "two"),
		record(JOURNAL_REPORTED, JOURNAL_ALL, "three"),
	};
	char text[2048], torn[2048];
	size_t ends[3], i, n, cut, whole, fill;
	struct seen s;
	int fd = open_file();

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(journal_append(fd, &in[i], 1, true), 0);
		ends[i] = content(fd, text, sizeof(text));
	}
	n = ends[2];
	for (cut = 0; cut <= n; cut++)
		for (fill = 0; fill < 2; fill++) {
			/* the rest is missing, or zeros that were never written */
			memset(torn, 0, sizeof(torn));
			memcpy(torn, text, cut);
			for (whole = 0; whole < 3 && ends[whole] <= cut;)
				whole++;
			s.n = 0;
			assert_true(journal_parse(torn, fill ? n : cut, see,
			    &s) == (whole != 0 ? ends[whole - 1] : 0));
			assert_int_equal(s.n, whole);
			for (i = 0; i < whole; i++)
				assert_same(&in[i], &s.r[i]);
		}
	close(fd);
}

/* A record that follows a torn one is a promise like any other. */
static void
test_journal_append_after_torn_record(void **state)
{
	struct journal_record first = record(JOURNAL_ATTEMPT, 0, "first");
	struct journal_record second = record(JOURNAL_DELIVERED, 1, "second");
	struct seen s;
	char text[2048];
	size_t full, n;
	ssize_t cut;
	int fd = open_file();

	(void)state;
	assert_int_equal(journal_append(fd, &first, 1, true), 0);
	full = content(fd, text, sizeof(text));
	close(fd);
	for (cut = 1; (size_t)cut < full; cut++) {
		fd = open_file();
		write_limit = cut;
		assert_int_equal(journal_append(fd, &first, 1, true), -1);
		assert_int_equal(errno, ENOSPC);
		write_limit = -1;
		assert_int_equal(journal_append(fd, &second, 1, true), 0);
		n = content(fd, text, sizeof(text));
		s.n = 0;
		journal_parse(text, n, see, &s);
		/* cut before the last line feed, the first is whole again */
		assert_in_range(s.n, 1, 2);
		assert_same(&second, &s.r[s.n - 1]);
		close(fd);
	}
}

static void
test_journal_parse_changed_octet(void **state)
{
	struct journal_record in[2] = {
		record(JOURNAL_ATTEMPT, 0, "one"),
		record(JOURNAL_FAILED, 1, "two"),
	};
	char text[1024], bad[1024];
	struct seen s;
	size_t i, n, end;
	int fd = open_file();

	(void)state;
	assert_int_equal(journal_append(fd, &in[0], 1, true), 0);
	end = content(fd, text, sizeof(text));
	assert_int_equal(journal_append(fd, &in[1], 1, true), 0);
	n = content(fd, text, sizeof(text));
	for (i = 1; i < end - 1; i++) {
		memcpy(bad, text, n);
		bad[i] ^= 0x04;
		s.n = 0;
		journal_parse(bad, n, see, &s);
		assert_int_equal(s.n, 1);
		assert_same(&in[1], &s.r[0]);
	}
	close(fd);
}

static const struct {
	const char	*name;
	const char	*text;
} nonsense[] = {
	{ "empty line", "\n\n\n" },
	{ "no length", " 00000000 A 1 - sent 0 - - \n" },
	{ "length too large", "ffff 00000000 A 1 - sent 0 - - x\n" },
	{ "upper case", "001A 00000000 A 1 - sent 0 - - x\n" },
	{ "short head", "0000 0000\n" },
	{ "head only", "0000 00000000 \n" },
};

static void
test_journal_parse_nonsense(void **state)
{
	struct seen s = { .n = 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		assert_true(journal_parse(nonsense[i].text,
		    strlen(nonsense[i].text), see, &s) == 0);
		assert_int_equal(s.n, 0);
	}
}

static void
test_journal_append_reports_failures(void **state)
{
	struct journal_record r = record(JOURNAL_ATTEMPT, 0, "x");
	int fd = open_file();

	(void)state;
	write_limit = 0;
	assert_int_equal(journal_append(fd, &r, 1, true), -1);
	assert_int_equal(errno, ENOSPC);
	write_limit = -1;
	fsync_fails = true;
	assert_int_equal(journal_append(fd, &r, 1, true), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(journal_append(fd, &r, 1, false), 0);
	fsync_fails = false;
	close(fd);
}

static void
test_journal_is_promise(void **state)
{
	struct journal_record r[2] = {
		record(JOURNAL_ATTEMPT, 0, ""), record(JOURNAL_ATTEMPT, 1, ""),
	};

	(void)state;
	assert_false(journal_is_promise(r, 2));
	r[1].type = JOURNAL_DELIVERED;
	assert_true(journal_is_promise(r, 2));
	assert_false(journal_is_promise(r, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_append_is_read_back),
		cmocka_unit_test(test_journal_append_keeps_one_line),
		cmocka_unit_test(test_journal_parse_torn_anywhere),
		cmocka_unit_test(test_journal_append_after_torn_record),
		cmocka_unit_test(test_journal_parse_changed_octet),
		cmocka_unit_test(test_journal_parse_nonsense),
		cmocka_unit_test(test_journal_append_reports_failures),
		cmocka_unit_test(test_journal_is_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
