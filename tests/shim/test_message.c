/* SPDX-License-Identifier: ISC */
/* Standard input to wire form: tables, random octets, pieces of any size. */
#include "config.h"

#include "submit/message.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

static int
collect(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

/* The N octets at P, in pieces of at most STEP, through lines_feed(). */
static int
convert(const char *p, size_t n, size_t step, bool ignore_dots,
    struct buf *out)
{
	struct lines l;
	char *exact;
	size_t k;
	int rc;

	buf_reset(out);
	lines_init(&l, ignore_dots, true, collect, out);
	for (; n > 0; p += k, n -= k) {
		k = n < step ? n : step;
		exact = malloc(k);
		assert_non_null(exact);
		memcpy(exact, p, k);
		rc = lines_feed(&l, exact, k);
		free(exact);
		if (rc != 0)
			return rc;
	}
	return lines_end(&l);
}

static const struct {
	const char	*name;
	const char	*in;
	size_t		 len;
	const char	*out;		/* with dots ignored */
	const char	*dots;		/* the same without -i, if different */
} rows[] = {
#define ROW(name, in, ...) { name, in, sizeof(in) - 1, __VA_ARGS__ }
	ROW("nothing", "", "", NULL),
	ROW("LF", "a\nb\n", "a\r\nb\r\n", NULL),
	ROW("CRLF", "a\r\nb\r\n", "a\r\nb\r\n", NULL),
	ROW("no end", "a", "a\r\n", NULL),
	ROW("empty lines", "\n\n", "\r\n\r\n", NULL),
	ROW("CR CR LF", "a\r\r\nb\n", "a\r\nb\r\n", NULL),
	ROW("lone CR", "10%\r20%\n", "10%\r\n20%\r\n", NULL),
	ROW("lone CRs", "a\r\rb\n", "a\r\n\r\nb\r\n", NULL),
	ROW("CR first", "\ra\n", "\r\na\r\n", NULL),
	ROW("CR at the end", "a\r", "a\r\n", NULL),
	ROW("LF CR", "a\n\rb\n", "a\r\n\r\nb\r\n", NULL),
	ROW("NUL", "a\0b\0\n\0", "a?b?\r\n?\r\n", NULL),
	ROW("8-bit", "\xff\xc3\xa9\n", "\xff\xc3\xa9\r\n", NULL),
	ROW("LF dot LF", "a\n.\nb\n", "a\r\n.\r\nb\r\n", "a\r\n"),
	ROW("LF dot CRLF", "a\n.\r\nb\n", "a\r\n.\r\nb\r\n", "a\r\n"),
	ROW("CRLF dot CRLF", "a\r\n.\r\nb\r\n", "a\r\n.\r\nb\r\n", "a\r\n"),
	ROW("CRLF dot LF", "a\r\n.\nb\r\n", "a\r\n.\r\nb\r\n", "a\r\n"),
	ROW("LF dot CR CR LF", "a\n.\r\r\nb", "a\r\n.\r\nb\r\n", "a\r\n"),
	ROW("CR dot CR", "a\r.\rb\n", "a\r\n.\r\nb\r\n", NULL),
	ROW("CR dot LF", "a\r.\nb\n", "a\r\n.\r\nb\r\n", NULL),
	ROW("LF dot CR", "a\n.\rb\n", "a\r\n.\r\nb\r\n", NULL),
	ROW("dot first", ".\nb\n", ".\r\nb\r\n", ""),
	ROW("dot only", ".", ".\r\n", ""),
	ROW("dot at the end", "a\n.", "a\r\n.\r\n", "a\r\n"),
	ROW("dot CR at the end", "a\n.\r", "a\r\n.\r\n", "a\r\n"),
	ROW("two dots", "..\na\n", "..\r\na\r\n", NULL),
	ROW("dot and text", ".a\n.b", ".a\r\n.b\r\n", NULL),
	ROW("dot NUL", ".\0\na\n", ".?\r\na\r\n", NULL),
	ROW("dot later in the line", "a.\n", "a.\r\n", NULL),
#undef ROW
};

static void
test_lines_rows(void **state)
{
	struct buf out = BUF_INIT;
	const char *dots;
	size_t i, step;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		dots = rows[i].dots != NULL ? rows[i].dots : rows[i].out;
		for (step = 1; step <= rows[i].len + 1; step++) {
			rc = convert(rows[i].in, rows[i].len, step, true,
			    &out);
			assert_int_equal(rc, 0);
			assert_string_equal(buf_str(&out), rows[i].out);
			rc = convert(rows[i].in, rows[i].len, step, false,
			    &out);
			assert_true(rc == 0 || (rc == 1 && dots !=
			    rows[i].out));
			assert_string_equal(buf_str(&out), dots);
		}
	}
	buf_clear(&out);
}

/* What the receiver may rely on, whatever went in. */
static void
check_wire(const struct buf *b)
{
	const char *p = buf_str(b), *end = p + b->len, *nl;

	assert_null(memchr(p, '\0', b->len));
	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		assert_non_null(nl);
		assert_true(nl > p && nl[-1] == '\r');
		assert_ptr_equal(memchr(p, '\r', (size_t)(nl - p)), nl - 1);
		assert_in_range(nl - 1 - p, 0, 998);
		p = nl + 1;
	}
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return *seed >> 33;
}

/* The result does not depend on the pieces that the input comes in. */
static void
test_lines_random(void **state)
{
	static const char alphabet[] = "..\n\n\r\r\0ax \xc3\xa9";
	struct buf whole = BUF_INIT, pieces = BUF_INIT;
	uint64_t seed = 99;
	char in[64];
	size_t i, n;
	int round, rc, dots;

	(void)state;
	for (round = 0; round < 60000; round++) {
		n = next_random(&seed) % sizeof(in) + 1;
		for (i = 0; i < n; i++)
			in[i] = alphabet[next_random(&seed) %
			    (sizeof(alphabet) - 1)];
		dots = round % 2;
		rc = convert(in, n, n, dots, &whole);
		check_wire(&whole);
		assert_int_equal(convert(in, n, next_random(&seed) % n + 1,
		    dots, &pieces), rc);
		assert_int_equal(pieces.len, whole.len);
		assert_memory_equal(buf_str(&pieces), buf_str(&whole),
		    whole.len);
	}
	buf_clear(&whole);
	buf_clear(&pieces);
}

static void
test_lines_random_long(void **state)
{
	struct buf whole = BUF_INIT, pieces = BUF_INIT;
	uint64_t seed = 7;
	char *in = malloc(20000);
	size_t i, n;
	int round, rare;

	(void)state;
	assert_non_null(in);
	for (round = 0; round < 400; round++) {
		n = next_random(&seed) % 20000 + 1;
		rare = round % 4 * 700 + 3;
		for (i = 0; i < n; i++) {
			in[i] = (char)next_random(&seed);
			if (in[i] == '\n' || in[i] == ' ' || in[i] == '\r')
				in[i] = next_random(&seed) %
				    (uint64_t)rare == 0 ? in[i] : 'x';
		}
		convert(in, n, n, true, &whole);
		check_wire(&whole);
		convert(in, n, next_random(&seed) % 1000 + 1, true, &pieces);
		assert_int_equal(pieces.len, whole.len);
		assert_memory_equal(whole.data, pieces.data, whole.len);
	}
	free(in);
	buf_clear(&whole);
	buf_clear(&pieces);
}

/* N octets of UNIT as one line: octets added, the rest as it was. */
static size_t
check_fold(const char *unit, size_t n)
{
	struct buf in = BUF_INIT, out = BUF_INIT, flat = BUF_INIT;
	size_t k = strlen(unit), i, added;

	for (i = 0; i + k <= n; i += k)
		buf_add(&in, unit, k);
	assert_int_equal(convert(buf_str(&in), in.len, 4096, true, &out), 0);
	check_wire(&out);
	for (i = 0; i + 2 < out.len; i++) {
		if (out.data[i] == '\r') {
			/* after a fold comes a blank, then a character */
			assert_true(out.data[i + 2] == ' ');
			assert_int_not_equal((unsigned char)out.data[i + 3] &
			    0xc0, 0x80);
			i++;
			continue;
		}
		buf_addc(&flat, out.data[i]);
	}
	added = flat.len - in.len;
	buf_clear(&in);
	buf_clear(&out);
	buf_clear(&flat);
	return added;
}

static void
test_lines_long(void **state)
{
	size_t n;

	(void)state;
	/* what is legal is not touched */
	for (n = 890; n <= 998; n++) {
		assert_int_equal(check_fold("x", n), 0);
		assert_int_equal(check_fold("x ", n), 0);
	}
	assert_int_equal(check_fold("x", 999), 1);
	assert_int_equal(check_fold("x", 998 + 997), 1);
	assert_int_equal(check_fold("x", 998 + 998), 2);
	/* at blanks nothing is added */
	assert_int_equal(check_fold("words and words ", 100000), 0);
	assert_int_equal(check_fold(" ", 5000), 0);
	/* UTF-8 characters stay whole */
	assert_true(check_fold("\xc3\xa9", 100000) < 102);
	assert_true(check_fold("\xe2\x82\xac", 100000) < 102);
	assert_true(check_fold("\xf0\x9f\x93\xa8", 100000) < 102);
	assert_true(check_fold("a\xf0\x9f\x93\xa8", 100000) < 102);
}

static int countdown;

static int
fail_later(void *arg, const void *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	errno = ENOSPC;
	return --countdown < 0 ? -1 : 0;
}

/* A sink that fails at any call stops the conversion. */
static void
test_lines_sink_fails_anywhere(void **state)
{
	static const char in[] = "a\r\rb\0c\n.x\nlast";
	struct lines l;
	int n, rc;

	(void)state;
	for (n = 0, rc = -1; rc == -1; n++) {
		countdown = n;
		lines_init(&l, false, true, fail_later, NULL);
		rc = lines_feed(&l, in, sizeof(in) - 1);
		if (rc == 0)
			rc = lines_end(&l);
		if (rc == -1)
			assert_int_equal(countdown, -1);
	}
	assert_true(n > 8);
}

/* A descriptor that gives the N octets at P. */
static int
input(const char *p, size_t n)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static const struct {
	const char	*name;
	const char	*in;
	bool		 ignore_dots;
	const char	*header;	/* as header_format() gives it */
	const char	*body;
} messages[] = {
	{ "both", "A: b\n\nbody\n", false, "A: b\r\n\r\n", "body\r\n" },
	{ "CRLF", "A: b\r\n c\r\n\r\nbody\r\n", false, "A: b\r\n c\r\n\r\n",
	    "body\r\n" },
	{ "CR CR LF", "A: b\r\r\nC: d\r\r\n\r\r\nbody\r\r\n", false,
	    "A: b\r\nC: d\r\n\r\n", "body\r\n" },
	{ "CR within a field", "A: b\rBcc: x@y\n\nbody", false,
	    "A: b Bcc: x@y\r\n\r\n", "body\r\n" },
	{ "header only", "A: b\n", false, "A: b\r\n\r\n", "" },
	{ "header without end", "A: b", false, "A: b\r\n\r\n", "" },
	{ "body only", "hello\nyou\n", false, "\r\n", "hello\r\nyou\r\n" },
	{ "body after an empty line", "\nhello\n", false, "\r\n",
	    "hello\r\n" },
	{ "no empty line", "A: b\nhello\nyou\n", false, "A: b\r\n\r\n",
	    "hello\r\nyou\r\n" },
	{ "nothing", "", false, "\r\n", "" },
	{ "a dot in the header", "A: b\n.\nC: d\n\nx\n", false,
	    "A: b\r\n\r\n", "" },
	{ "a dot in the header, -i", "A: b\n.\nx\n", true, "A: b\r\n\r\n",
	    ".\r\nx\r\n" },
	{ "a dot in the body", "A: b\n\nx\n.\ny\n", false, "A: b\r\n\r\n",
	    "x\r\n" },
	{ "a dot in the body, -i", "A: b\n\nx\n.\ny\n", true, "A: b\r\n\r\n",
	    "x\r\n.\r\ny\r\n" },
	{ "mbox line", "From x\nA: b\n\nFrom y\n", true, "A: b\r\n\r\n",
	    "From y\r\n" },
};

static void
test_message_parts(void **state)
{
	struct buf head = BUF_INIT, body = BUF_INIT;
	struct message *m;
	struct mime_facts facts;
	struct header h;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		print_message("%s\n", messages[i].name);
		fd = input(messages[i].in, strlen(messages[i].in));
		m = message_new(fd, messages[i].ignore_dots);
		header_init(&h);
		buf_reset(&head);
		buf_reset(&body);
		assert_int_equal(message_header(m, &h), MESSAGE_OK);
		header_format(&h, &head);
		assert_string_equal(buf_str(&head), messages[i].header);
		assert_int_equal(message_body(m, true, &facts, collect, &body),
		    MESSAGE_OK);
		assert_string_equal(buf_str(&body), messages[i].body);
		header_clear(&h);
		message_free(m);
		close(fd);
	}
	buf_clear(&head);
	buf_clear(&body);
}

static void
test_message_nul_in_header(void **state)
{
	struct buf head = BUF_INIT;
	struct header h;
	int fd = input("A: b\0c\n\n", 8);
	struct message *m = message_new(fd, false);

	(void)state;
	header_init(&h);
	assert_int_equal(message_header(m, &h), MESSAGE_OK);
	header_format(&h, &head);
	assert_string_equal(buf_str(&head), "A: b?c\r\n\r\n");
	header_clear(&h);
	buf_clear(&head);
	message_free(m);
	close(fd);
}

/* A body larger than any buffer, through a pipe that gives odd pieces. */
static void
test_message_big_through_pipe(void **state)
{
	enum { LINES = 40000 };
	struct buf body = BUF_INIT;
	struct message *m;
	struct mime_facts facts;
	struct header h;
	int fds[2], status, i;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		close(fds[0]);
		status = write(fds[1], "A: b\n\n", 6) != 6;
		for (i = 0; i < LINES; i += 8)
			status |= write(fds[1], "line 678\nline 678\nline 678\n"
			    "line 678\nline 678\nline 678\nline 678\nline 678\n",
			    72) != 72;
		_exit(status);
	}
	close(fds[1]);
	m = message_new(fds[0], true);
	header_init(&h);
	assert_int_equal(message_header(m, &h), MESSAGE_OK);
	assert_int_equal(message_body(m, true, &facts, collect, &body), MESSAGE_OK);
	assert_int_equal(body.len, LINES * 10);
	for (i = 0; i < LINES; i++)
		assert_memory_equal(body.data + i * 10, "line 678\r\n", 10);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	buf_clear(&body);
	header_clear(&h);
	message_free(m);
	close(fds[0]);
}

#define X100	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X900	X100 X100 X100 X100 X100 X100 X100 X100 X100
#define X98	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char	*name;
	const char	*body;
	struct mime_facts facts;
} bodies[] = {
	{ "none", "", { false, true, false } },
	{ "ASCII", "a\nb", { false, true, false } },
	{ "UTF-8", "a\n\xc3\xa9\n", { true, true, false } },
	{ "not UTF-8", "\xe9\n", { true, false, false } },
	{ "a character in two lines", "\xc3\n\xa9\n", { true, false, false } },
	{ "half a character", "a\xc3", { true, false, false } },
	{ "998 octets", X900 X98 "\n" X900 X98, { false, true, false } },
	{ "999 octets", "a\n" X900 X98 "x\n", { false, true, true } },
	{ "999 with CRLF", X900 X98 "x\r\n", { false, true, true } },
	{ "lone CRs end lines", X900 "\r" X900 "\r", { false, true, false } },
	{ "all", X900 X900 "\xff", { true, false, true } },
	{ "what follows the dot", "a\n.\n\xff" X900 X900,
	    { false, true, false } },
};

static void
assert_facts(const struct mime_facts *got, const struct mime_facts *want)
{
	assert_int_equal(got->eightbit, want->eightbit);
	assert_int_equal(got->utf8, want->utf8);
	assert_int_equal(got->long_line, want->long_line);
}

static void
test_message_facts(void **state)
{
	struct buf in = BUF_INIT, body = BUF_INIT, first = BUF_INIT;
	struct mime_facts facts;
	struct message *m;
	struct header h;
	size_t i;
	int fd, fold;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		print_message("%s\n", bodies[i].name);
		buf_reset(&in);
		buf_printf(&in, "A: b\n\n%s", bodies[i].body);
		buf_reset(&first);
		for (fold = 0; fold < 4; fold++) {
			fd = input(in.data, in.len);
			m = message_new(fd, false);
			header_init(&h);
			buf_reset(&body);
			assert_int_equal(message_header(m, &h), MESSAGE_OK);
			if (fold < 2) {
				assert_int_equal(message_peek(m, &facts),
				    MESSAGE_OK);
				assert_facts(&facts, &bodies[i].facts);
			}
			assert_int_equal(message_body(m, fold % 2 != 0,
			    &facts, collect, &body), MESSAGE_OK);
			assert_facts(&facts, &bodies[i].facts);
			/* having looked changes nothing */
			if (fold == 0)
				buf_adds(&first, buf_str(&body));
			else if (fold == 2)
				assert_string_equal(buf_str(&body),
				    buf_str(&first));
			header_clear(&h);
			message_free(m);
			close(fd);
		}
	}
	buf_clear(&in);
	buf_clear(&body);
	buf_clear(&first);
}

/* A look sees one piece; a character that it cuts is not held against it. */
static void
test_message_peek_is_bounded(void **state)
{
	struct buf in = BUF_INIT, body = BUF_INIT;
	struct mime_facts facts;
	struct message *m;
	struct header h;
	size_t shift, i;
	int fd;

	(void)state;
	for (shift = 0; shift < 3; shift++) {
		buf_reset(&in);
		buf_reset(&body);
		buf_printf(&in, "A: b\n\n%.*s", (int)shift, "xx");
		for (i = 0; i < 40000; i++)
			buf_adds(&in, i % 50 == 49 ? "\n" : "\xe2\x82\xac");
		buf_adds(&in, "\n\xff\n");
		fd = input(in.data, in.len);
		m = message_new(fd, false);
		header_init(&h);
		assert_int_equal(message_header(m, &h), MESSAGE_OK);
		assert_int_equal(message_peek(m, &facts), MESSAGE_OK);
		assert_true(facts.eightbit && facts.utf8);
		assert_int_equal(message_body(m, false, &facts, collect,
		    &body), MESSAGE_OK);
		assert_true(facts.eightbit && !facts.utf8);
		header_clear(&h);
		message_free(m);
		close(fd);
	}
	buf_clear(&in);
	buf_clear(&body);
}

static void
test_message_header_limit(void **state)
{
	static const struct {
		const char	*first;
		size_t		 fill;
		int		 every;	/* a line end after so many */
		enum message_error error;
	} cases[] = {
		{ "A: ", HEADER_MAX - 10, 0, MESSAGE_OK },
		{ "A: ", HEADER_MAX + 10, 0, MESSAGE_LONG_HEADER },
		{ "A: ", HEADER_MAX * 2, 0, MESSAGE_LONG_HEADER },
		{ "A: ", HEADER_MAX * 2, 70, MESSAGE_LONG_HEADER },
		/* no header at all: a body may be that long */
		{ "no field ", HEADER_MAX * 2, 0, MESSAGE_OK },
	};
	struct buf in = BUF_INIT, body = BUF_INIT;
	struct message *m;
	struct mime_facts facts;
	struct header h;
	size_t i, k;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&in);
		buf_reset(&body);
		buf_adds(&in, cases[i].first);
		for (k = 0; k < cases[i].fill; k++) {
			buf_addc(&in, 'x');
			if (cases[i].every != 0 &&
			    k % (size_t)cases[i].every == 0)
				buf_adds(&in, "\n ");
		}
		fd = input(in.data, in.len);
		m = message_new(fd, false);
		header_init(&h);
		assert_int_equal(message_header(m, &h), cases[i].error);
		if (i == 4) {
			assert_int_equal(message_body(m, true, &facts,
			    collect, &body), MESSAGE_OK);
			check_wire(&body);
			assert_true(body.len > in.len);
		}
		header_clear(&h);
		message_free(m);
		close(fd);
	}
	buf_clear(&in);
	buf_clear(&body);
}

static void
test_message_read_error(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct message *m = message_new(fd, false);
	struct header h;

	(void)state;
	header_init(&h);
	assert_int_equal(message_header(m, &h), MESSAGE_READ);
	assert_int_equal(errno, EISDIR);
	header_clear(&h);
	message_free(m);
	close(fd);
	message_free(NULL);
}

/* The input breaks off in the middle of the body. */
static void
test_message_read_error_later(void **state)
{
	struct buf body = BUF_INIT;
	int fd = input("A: b\n\nbody\n", 11), dir;
	struct message *m = message_new(fd, false);
	struct mime_facts facts;
	struct header h;

	(void)state;
	header_init(&h);
	assert_int_equal(message_header(m, &h), MESSAGE_OK);
	dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dup2(dir, fd) != -1);
	assert_int_equal(message_body(m, true, &facts, collect, &body), MESSAGE_READ);
	assert_int_equal(errno, EISDIR);
	header_clear(&h);
	buf_clear(&body);
	message_free(m);
	close(fd);
	close(dir);
}

static void
test_message_write_error(void **state)
{
	int fd = input("A: b\n\nbody\n", 11);
	struct message *m = message_new(fd, false);
	struct mime_facts facts;
	struct header h;

	(void)state;
	header_init(&h);
	assert_int_equal(message_header(m, &h), MESSAGE_OK);
	countdown = 0;
	assert_int_equal(message_body(m, true, &facts, fail_later, NULL),
	    MESSAGE_WRITE);
	assert_int_equal(errno, ENOSPC);
	header_clear(&h);
	message_free(m);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_rows),
		cmocka_unit_test(test_lines_random),
		cmocka_unit_test(test_lines_random_long),
		cmocka_unit_test(test_lines_long),
		cmocka_unit_test(test_lines_sink_fails_anywhere),
		cmocka_unit_test(test_message_parts),
		cmocka_unit_test(test_message_nul_in_header),
		cmocka_unit_test(test_message_big_through_pipe),
		cmocka_unit_test(test_message_facts),
		cmocka_unit_test(test_message_peek_is_bounded),
		cmocka_unit_test(test_message_header_limit),
		cmocka_unit_test(test_message_read_error),
		cmocka_unit_test(test_message_read_error_later),
		cmocka_unit_test(test_message_write_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
