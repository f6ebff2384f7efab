/* SPDX-License-Identifier: ISC */
/*
 * Submissions from end to end, in one process: standard input and error are
 * files, the spool is a temporary one, and nobody serves the wake socket.
 */
#include "config.h"

#include "submit/submit.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <poll.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "spool/msgfile.h"
#include "run/wake.h"
#include "submit/opts.h"
#include "submit/submission.h"
#include "spool_fixture.h"

static const char *spool;
static struct conf conf;
static char host[] = "host.example", mail_name[] = "m.example";

static struct passwd *user;	/* what getpwuid() finds */
static int lookups;

struct passwd *__wrap_getpwuid(uid_t);
struct passwd *
__wrap_getpwuid(uid_t uid)
{
	(void)uid;
	lookups++;
	return user;
}

static int write_errno;		/* of writes into the spool, or 0 */

ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fd > STDERR_FILENO && write_errno != 0) {
		errno = write_errno;
		return -1;
	}
	return __real_write(fd, p, n);
}

static int space_errno;

int __wrap_drop_space(const char *, uint64_t);
int
__wrap_drop_space(const char *path, uint64_t need)
{
	(void)path;
	assert_true(need >= 64 * 1024 * 1024 && need >= 2 * conf.max_size);
	errno = space_errno;
	return space_errno != 0 ? -1 : 0;
}

#define MAXARGS	8

static struct outcome {
	int		 code;
	struct buf	 err;
	struct buf	 out;
	int		 files;		/* in drop/ */
	struct envelope	 env;		/* of the last one */
	struct buf	 text;		/* and its message */
} got;

static int
memory_file(const char *p, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(__real_write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
read_all(int fd, struct buf *b)
{
	char chunk[4096];
	ssize_t n;
	off_t at = 0;

	buf_reset(b);
	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		buf_add(b, chunk, (size_t)n);
		at += n;
	}
}

static void
read_message(const char *name)
{
	struct msgfile mf;
	struct stat st;
	const char *why;
	int from, to;

	from = open(fixture_path("drop", name), O_RDONLY | O_CLOEXEC);
	to = memfd_create("copy", MFD_CLOEXEC);
	assert_true(from != -1 && to != -1);
	assert_int_equal(fstat(from, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	if (msgfile_copy(from, to, &st, UINT64_MAX, 100000, &mf,
	    &why) != 0)
		fail_msg("%s", why);
	read_all(to, &got.text);
	memmove(got.text.data, got.text.data + mf.start,
	    (size_t)mf.size + 1);
	got.text.len = (size_t)mf.size;
	got.text.data[mf.size] = '\0';
	envelope_clear(&got.env);
	got.env = mf.env;
	close(from);
	close(to);
}

/* Look at what is in drop/, and remove it. */
static void
empty_drop(void)
{
	DIR *d = opendir(fixture_path("drop", ""));
	struct dirent *de;

	assert_non_null(d);
	got.files = 0;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		got.files++;
		read_message(de->d_name);
		assert_int_equal(unlink(fixture_path("drop", de->d_name)), 0);
	}
	closedir(d);
}

/* submit() with ARGS and descriptor IN; everything it did is in GOT. */
static void
run_fd(int in, const char *const *args, const struct submit_env *env)
{
	int err = memory_file("", 0), out = memory_file("", 0), i, n;
	char *argv[MAXARGS + 1], *why;
	struct submit_env e = *env;
	struct opts opts;
	int saved[3];

	for (n = 0; n < MAXARGS && args[n] != NULL; n++)
		assert_non_null(argv[n] = strdup(args[n]));
	assert_int_equal(opts_parse(&opts, n, argv, &why), 0);
	e.conf = &conf;
	e.opts = &opts;
	fflush(stdout);
	for (i = 0; i < 3; i++)
		saved[i] = dup(i);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	got.code = submit(&e);
	for (i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	read_all(err, &got.err);
	read_all(out, &got.out);
	close(err);
	close(out);
	for (i = 0; i < n; i++)
		free(argv[i]);
	empty_drop();
}

static const struct submit_env nobody = { NULL, NULL, "/nonexistent/wake",
    "/nonexistent/runner", NULL };

static void
run_octets(const char *p, size_t n, const char *const *args)
{
	int in = memory_file(p, n);

	run_fd(in, args, &nobody);
	close(in);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
run(const char *text, const char *const *args)
{
	run_octets(text, strlen(text), args);
}

static struct passwd me = { .pw_name = (char[]){ "me" },
    .pw_gecos = (char[]){ " Me & You ,room 1" } };

static int
reset(void **state)
{
	(void)state;
	user = &me;
	lookups = 0;
	write_errno = space_errno = 0;
	memset(&conf, 0, sizeof(conf));
	conf.hostname = host;
	conf.mail_name = mail_name;
	conf.spool = strdup(spool);
	conf.max_size = 1000000;
	conf.max_rcpts = 5;
	return 0;
}

static int
tidy(void **state)
{
	(void)state;
	free(conf.spool);
	buf_clear(&got.err);
	buf_clear(&got.out);
	buf_clear(&got.text);
	envelope_clear(&got.env);
	return 0;
}

static void
accepted(void)
{
	assert_string_equal(buf_str(&got.err), "");
	assert_int_equal(got.code, EX_OK);
	assert_int_equal(got.files, 1);
}

/* Exactly one line that has TEXT in it, and nothing in the spool. */
static void
refused(int code, const char *text)
{
	const char *err = buf_str(&got.err), *nl = strchr(err, '\n');

	print_message("%s", err);
	assert_int_equal(got.code, code);
	assert_non_null(strstr(err, text));
	assert_memory_equal(err, "sendmail: ", 10);
	assert_non_null(nl);
	assert_string_equal(nl, "\n");
	assert_int_equal(got.out.len, 0);
	assert_int_equal(got.files, 0);
}

static void
has(const char *line)
{
	if (strstr(got.text.data, line) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, got.text.data);
}

static void
test_submit_plain(void **state)
{
	(void)state;
	run("Subject: x\n\nbody\n", ARGS("a@b.example"));
	accepted();
	assert_int_equal(got.env.uid, getuid());
	assert_string_equal(got.env.sender, "me@m.example");
	assert_int_equal(got.env.nrcpt, 1);
	assert_string_equal(got.env.rcpt[0].addr, "a@b.example");
	assert_memory_equal(got.text.data,
	    "Received: by host.example (mxnss, from userid ", 46);
	has("\r\nSubject: x\r\n");
	has("\r\nFrom: Me Me You <me@m.example>\r\n");
	has("\r\n\r\nbody\r\n");
	assert_int_equal(lookups, 1);
}

static void
test_submit_dsn(void **state)
{
	(void)state;
	run("Subject: x\n\nbody\n", ARGS("-N", "success,delay", "-Rfull",
	    "-VQQ 314", "a@b.example", "c@d.example"));
	accepted();
	assert_int_equal(got.env.rcpt[0].notify, DSN_SUCCESS | DSN_DELAY);
	assert_int_equal(got.env.rcpt[1].notify, DSN_SUCCESS | DSN_DELAY);
	assert_int_equal(got.env.ret, DSN_RET_FULL);
	assert_string_equal(got.env.envid, "QQ 314");
}

static void
test_submit_needs_no_lookup(void **state)
{
	(void)state;
	run("From: a@b\n\nbody\n", ARGS("-fa@b", "c@d"));
	accepted();
	run("\nbody\n", ARGS("-fa@b", "c@d"));
	accepted();
	has("\r\nFrom: a@b\r\n");
	assert_int_equal(lookups, 0);
}

static void
test_submit_sender(void **state)
{
	(void)state;
	run("\nx\n", ARGS("-f", "www", "-F", "A Name", "a@b"));
	accepted();
	assert_string_equal(got.env.sender, "www@m.example");
	has("\r\nFrom: A Name <www@m.example>\r\n");
	run("\nx\n", ARGS("-f", "<>", "a@b"));
	accepted();
	assert_string_equal(got.env.sender, "");
	has("\r\nFrom: Me Me You <me@m.example>\r\n");
	run("\nx\n", ARGS("-f", "", "a@b"));
	accepted();
	assert_string_equal(got.env.sender, "");
	run("\nx\n", ARGS("-f", "Some <one@x>", "-F", "x\r\nBcc: y@z", "a@b"));
	accepted();
	assert_string_equal(got.env.sender, "one@x");
	assert_null(strstr(got.text.data, "Bcc"));
}

static void
test_submit_nameless_user(void **state)
{
	char want[64];

	(void)state;
	user = NULL;
	run("\nx\n", ARGS("a@b"));
	accepted();
	snprintf(want, sizeof(want), "uid-%lu@m.example",
	    (unsigned long)getuid());
	assert_string_equal(got.env.sender, want);
	snprintf(want, sizeof(want), "\r\nFrom: uid-%lu@m.example\r\n",
	    (unsigned long)getuid());
	has(want);
}

static const struct {
	const char	*name, *gecos, *sender, *from;
} users[] = {
	{ "me", "", "me@m.example", "me@m.example" },
	{ "me", NULL, "me@m.example", "me@m.example" },
	{ "me", ",,,", "me@m.example", "me@m.example" },
	{ "x.y", "Q. Z", "x.y@m.example", "\"Q. Z\" <x.y@m.example>" },
	{ "me", "J\xc3\xbcrgen", "me@m.example",
	    "=?utf-8?B?SsO8cmdlbg==?= <me@m.example>" },
	{ "me", "x\nBcc: a@b", "me@m.example",
	    "=?utf-8?B?eApCY2M6IGFAYg==?= <me@m.example>" },
	{ "DOM\\me", "A", NULL, NULL },
	{ "two words", "A", NULL, NULL },
};

static void
test_submit_users(void **state)
{
	static struct passwd pw;
	char want[256];
	size_t i;

	(void)state;
	user = &pw;
	for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		print_message("%s\n", users[i].name);
		pw.pw_name = strdup(users[i].name);
		pw.pw_gecos = users[i].gecos != NULL ?
		    strdup(users[i].gecos) : NULL;
		run("\nx\n", ARGS("a@b"));
		accepted();
		if (users[i].sender != NULL) {
			assert_string_equal(got.env.sender, users[i].sender);
			snprintf(want, sizeof(want), "\r\nFrom: %s\r\n",
			    users[i].from);
			has(want);
		} else {
			assert_memory_equal(got.env.sender, "uid-", 4);
		}
		free(pw.pw_name);
		free(pw.pw_gecos);
	}
}

static void
test_submit_recipients(void **state)
{
	(void)state;
	run("To: a@b, c\nCc: A@b\nBcc: d@e\n\nx\n",
	    ARGS("-t", "a@B", "f@g", "a@b"));
	accepted();
	assert_int_equal(got.env.nrcpt, 5);
	assert_string_equal(got.env.rcpt[0].addr, "a@B");
	assert_string_equal(got.env.rcpt[1].addr, "f@g");
	assert_string_equal(got.env.rcpt[2].addr, "c@m.example");
	assert_string_equal(got.env.rcpt[3].addr, "A@b");
	assert_string_equal(got.env.rcpt[4].addr, "d@e");
	has("\r\nTo: a@b, c@m.example\r\n");
	assert_null(strstr(got.text.data, "d@e"));
	/* one argument may name several */
	run("\nx\n", ARGS("a@b, C <c@d>"));
	accepted();
	assert_int_equal(got.env.nrcpt, 2);
	/* without -t the header names nobody */
	run("To: x@y\n\nx\n", ARGS("a@b"));
	accepted();
	assert_int_equal(got.env.nrcpt, 1);
	run("\nx\n", ARGS("--", "-x@y"));
	accepted();
	assert_string_equal(got.env.rcpt[0].addr, "-x@y");
}

static const struct {
	const char	*args[4];
	const char	*text;
	int		 code;
	const char	*why;
} wrong[] = {
	{ { NULL }, "\nx\n", EX_USAGE, "no recipient: give addresses" },
	{ { "-t" }, "Subject: x\n\nx\n", EX_USAGE, "no recipient" },
	{ { "-t" }, "To: undisclosed-recipients:;\n\nx\n", EX_USAGE,
	    "no recipient" },
	{ { "-t" }, "", EX_USAGE, "no recipient" },
	{ { "" }, "\nx\n", EX_DATAERR, "\"\" is not an address: it is empty" },
	{ { "," }, "\nx\n", EX_DATAERR, "\",\" is not an address" },
	{ { "<>" }, "\nx\n", EX_DATAERR, "<> is not a recipient" },
	{ { "a@b@c" }, "\nx\n", EX_DATAERR, "\"a@b@c\" is not an address: " },
	{ { "a@b", "c d" }, "\nx\n", EX_DATAERR, "\"c d\" is not an address" },
	{ { "a@b\n.c" }, "\nx\n", EX_DATAERR, "\"a@b?.c\" is not an address: "
	    "a control character" },
	{ { "a\tb@c" }, "\nx\n", EX_DATAERR, "a control character" },
	{ { "\xc3@b" }, "\nx\n", EX_DATAERR, "\"?@b\" is not an address: it is "
	    "outside ASCII, and not UTF-8" },
	{ { "-f", "x y", "a@b" }, "\nx\n", EX_DATAERR,
	    "the sender \"x y\" is not an address" },
	{ { "-fx@y\n", "a@b" }, "\nx\n", EX_DATAERR,
	    "the sender \"x@y?\" is not an address: a control character" },
	{ { "-t" }, "To: a@b\nCc: a@b@c,\n d@e\n\nx\n", EX_DATAERR,
	    "\"Cc: a@b@c,?? d@e\" has something that is not an address" },
	{ { "a@b", "c@d, e@f, g@h", "i@j, k@l" }, "\nx\n", EX_UNAVAILABLE,
	    "6 recipients are more than max-rcpts" },
};

static void
test_submit_wrong(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		run(wrong[i].text, wrong[i].args);
		refused(wrong[i].code, wrong[i].why);
	}
}

static void
test_submit_size(void **state)
{
	size_t n, size;
	char *text;

	(void)state;
	run("From: a@b\nDate: d\nMessage-ID: <m>\n\nbody\n",
	    ARGS("-fa@b", "c@d"));
	accepted();
	size = got.text.len;
	conf.max_size = size;
	run("From: a@b\nDate: d\nMessage-ID: <m>\n\nbody\n",
	    ARGS("-fa@b", "c@d"));
	accepted();
	conf.max_size = size - 1;
	run("From: a@b\nDate: d\nMessage-ID: <m>\n\nbody\n",
	    ARGS("-fa@b", "c@d"));
	refused(EX_UNAVAILABLE, "max-size");
	conf.max_size = 10;
	run("\nx\n", ARGS("c@d"));
	refused(EX_UNAVAILABLE, "larger than max-size");
	conf.max_size = 3000000;
	n = 4000000;
	text = malloc(n);
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "A: b\n\n", 6);
	run_octets(text, n, ARGS("c@d"));
	refused(EX_UNAVAILABLE, "3000000 octets");
	/* the same as a header */
	memcpy(text, "A: b:c", 6);
	run_octets(text, n, ARGS("c@d"));
	refused(EX_DATAERR, "the header has more than 1048576 octets");
	free(text);
}

static void
test_submit_loop(void **state)
{
	struct buf b = BUF_INIT;
	int i;

	(void)state;
	for (i = 0; i < 50; i++)
		buf_printf(&b, "Received: by h%d\n", i);
	buf_adds(&b, "\nx\n");
	run(buf_str(&b), ARGS("a@b"));
	accepted();
	buf_reset(&b);
	for (i = 0; i < 51; i++)
		buf_printf(&b, "RECEIVED : by h%d\n", i);
	buf_adds(&b, "\nx\n");
	run(buf_str(&b), ARGS("a@b"));
	refused(EX_UNAVAILABLE, "more than 50 Received fields");
	buf_clear(&b);
}

static void
test_submit_nothing_to_read(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fds[2];

	(void)state;
	run_fd(null, ARGS("a@b"), &nobody);
	accepted();
	assert_memory_equal(got.text.data + got.text.len - 4, "\r\n\r\n", 4);
	run_fd(dir, ARGS("a@b"), &nobody);
	refused(EX_IOERR, "cannot read the message: Is a directory");
	assert_int_equal(pipe(fds), 0);
	run_fd(fds[1], ARGS("a@b"), &nobody);	/* opened for writing */
	refused(EX_IOERR, "cannot read the message: Bad file descriptor");
	close(fds[0]);
	close(fds[1]);
	close(null);
	close(dir);
}

static const struct {
	int		 error;
	const char	*why;
} failures[] = {
	{ ENOSPC, "No space left on device; the message was not queued: free "
	    "some space" },
	{ EDQUOT, "free some space" },
	{ EFBIG, "raise the limit on the size of files" },
	{ EROFS, "on a writable file system" },
	{ EIO, "Input/output error; the message was not queued" },
};

static void
test_submit_cannot_write(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		write_errno = failures[i].error;
		run("\nx\n", ARGS("a@b"));
		refused(EX_TEMPFAIL, failures[i].why);
	}
	write_errno = 0;
	space_errno = ENOSPC;
	run("\nx\n", ARGS("a@b"));
	refused(EX_TEMPFAIL, "free some space, or lower max-size");
}

static void
test_submit_no_spool(void **state)
{
	(void)state;
	free(conf.spool);
	conf.spool = strdup("/nonexistent/spool");
	run("\nx\n", ARGS("a@b"));
	refused(EX_TEMPFAIL, "/nonexistent/spool/drop: No such file or "
	    "directory; the message was not queued: make the spool");
}

static void
test_submit_dots(void **state)
{
	(void)state;
	run("\na\n.\nb\n", ARGS("a@b"));
	accepted();
	assert_string_equal(strstr(got.text.data, "\r\n\r\n"), "\r\n\r\na\r\n");
	run("\na\n.\nb\n", ARGS("-i", "a@b"));
	accepted();
	assert_string_equal(strstr(got.text.data, "\r\n\r\n"),
	    "\r\n\r\na\r\n.\r\nb\r\n");
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd != -1 && strlen(path) < sizeof(sa.sun_path));
	memcpy(sa.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void
test_submit_wakes_the_runner(void **state)
{
	struct submit_env env = nobody;
	int in = memory_file("\nx\n", 3), fd;
	char text[64];

	(void)state;
	env.wake_path = fixture_path("bad", "wake");
	fd = listen_at(env.wake_path);
	run_fd(in, ARGS("a@b"), &env);
	accepted();
	assert_string_equal(buf_str(&got.out), "");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 20);
	text[20] = '\0';
	assert_true(id_is_valid(text));
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	close(fd);
	close(in);
	unlink(env.wake_path);
}

static void
test_submit_verbose_alone(void **state)
{
	(void)state;
	run("\nx\n", ARGS("-v", "a@b"));
	accepted();
	assert_memory_equal(got.out.data, "queued as ", 10);
	assert_int_equal(got.out.len, 10 + 20 + 1);
}

/*
 * With a runner: it hears first where the dialogue is wanted, then, when the
 * message is committed, of the message alone.
 */
static void
test_submit_verbose_offers_the_dialogue(void **state)
{
	struct submit_env env = nobody;
	int in = memory_file("\nx\n", 3), fd, status;
	struct wakeup first, second;
	pid_t pid;

	(void)state;
	env.wake_path = fixture_path("bad", "wake");
	fd = listen_at(env.wake_path);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		poll(&pfd, 1, -1);
		wake_receive(fd, &first);
		poll(&pfd, 1, -1);
		wake_receive(fd, &second);
		_exit(write(first.reader, "220 x\n", 6) != 6 ||
		    second.reader != -1 ||
		    strcmp(first.id.s, second.id.s) != 0);
	}
	run_fd(in, ARGS("-v", "a@b"), &env);
	accepted();
	assert_int_equal(got.out.len, 10 + 20 + 1 + 6);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	close(in);
	unlink(env.wake_path);
}

static int
setup(void **state)
{
	(void)state;
	spool = fixture_spool();
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_remove();
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, tidy)
	const struct CMUnitTest tests[] = {
		TEST(test_submit_plain),
		TEST(test_submit_dsn),
		TEST(test_submit_needs_no_lookup),
		TEST(test_submit_sender),
		TEST(test_submit_nameless_user),
		TEST(test_submit_users),
		TEST(test_submit_recipients),
		TEST(test_submit_wrong),
		TEST(test_submit_size),
		TEST(test_submit_loop),
		TEST(test_submit_nothing_to_read),
		TEST(test_submit_cannot_write),
		TEST(test_submit_no_spool),
		TEST(test_submit_dots),
		TEST(test_submit_wakes_the_runner),
		TEST(test_submit_verbose_alone),
		TEST(test_submit_verbose_offers_the_dialogue),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
