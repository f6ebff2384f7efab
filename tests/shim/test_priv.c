/* SPDX-License-Identifier: ISC */
/* What a process inherits, and what is left of it; each in a child. */
#include "config.h"

#include "base/priv.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "spool_fixture.h"

#define OWNER	64901
#define GROUP	64902
#define DROP	64903

static bool unknown;	/* close_range(2), to the kernel */

int	__wrap_close_range(unsigned, unsigned, int);
int	__real_close_range(unsigned, unsigned, int);

int
__wrap_close_range(unsigned from, unsigned to, int flags)
{
	if (!unknown)
		return __real_close_range(from, to, flags);
	errno = ENOSYS;
	return -1;
}

/* Run CHILD with ARG in a process of its own; its exit code. */
static int
in_child(int (*child)(int arg), int arg)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid != -1);
	if (pid == 0)
		_exit(child(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ARG: bit N is set if descriptor N is closed. */
static int
child_descriptors(int closed)
{
	struct stat st;
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if ((closed & 1 << fd) != 0)
			close(fd);
	priv_sanitize(0);
	for (fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) == -1 ||
		    ((closed & 1 << fd) != 0 && !S_ISCHR(st.st_mode)))
			return 1;
	for (fd = 3; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			return 2;
	return 0;
}

static void
test_priv_sanitize_descriptors(void **state)
{
	int closed, extra[4], i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_true((extra[i] = dup(0)) != -1);
	for (closed = 0; closed < 8; closed++)
		assert_int_equal(in_child(child_descriptors, closed), 0);
	for (i = 0; i < 4; i++)
		close(extra[i]);
}

static int
child_keep(int keep)
{
	int fd;

	for (fd = 3; fd < 16; fd++)
		if (dup2(0, fd) == -1)
			return 1;
	priv_sanitize(keep);
	for (fd = 3; fd < 16; fd++)
		if ((fcntl(fd, F_GETFD) != -1) != (fd < 3 + keep))
			return 2;
	return 0;
}

static void
test_priv_sanitize_keeps_sockets(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_keep, 0), 0);
	assert_int_equal(in_child(child_keep, 1), 0);
	assert_int_equal(in_child(child_keep, 3), 0);
}

static int
child_no_descriptor_left(int arg)
{
	const struct rlimit three = { 3, 3 };

	(void)arg;
	if (setrlimit(RLIMIT_NOFILE, &three) == -1)
		return 1;
	priv_sanitize(0);
	return 0;
}

static int
child_closes(int arg)
{
	(void)arg;
	unknown = true;
	if (dup2(0, 10) == -1 || dup2(0, 20) == -1 || dup2(0, 30) == -1)
		return 1;
	priv_close(10, 20);
	return fcntl(10, F_GETFD) == -1 && fcntl(20, F_GETFD) == -1 &&
	    fcntl(30, F_GETFD) != -1 ? 0 : 2;
}

static void
test_priv_close_without_close_range(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_closes, 0), 0);
}

static void
test_priv_sanitize_needs_no_descriptor(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_no_descriptor_left, 0), 0);
}

static int
child_inherited(int arg)
{
	static const struct itimerval soon = { { 0, 0 }, { 1000, 0 } };
	struct itimerval left;
	struct rlimit core;
	struct sigaction sa;
	sigset_t set;
	int sig;

	(void)arg;
	for (sig = 1; sig < 32; sig++)
		signal(sig, sig % 2 != 0 ? SIG_IGN : SIG_DFL);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	umask(0777);
	priv_sanitize(0);
	for (sig = 1; sig < 32; sig++)
		if (sigaction(sig, NULL, &sa) == -1 || sa.sa_handler !=
		    (sig == SIGPIPE || sig == SIGXFSZ ? SIG_IGN : SIG_DFL))
			return sig;
	sigprocmask(SIG_SETMASK, NULL, &set);
	for (sig = 1; sig < 32; sig++)
		if (sigismember(&set, sig) != 0)
			return 32 + sig;
	if (getitimer(ITIMER_REAL, &left) == -1 || left.it_value.tv_sec != 0)
		return 100;
	if (umask(0) != 077)
		return 101;
	if (getrlimit(RLIMIT_CORE, &core) == -1 || core.rlim_cur != 0)
		return 102;
	return 0;
}

static void
test_priv_sanitize_signals_timers_umask(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_inherited, 0), 0);
}

static const char *spool;

static int
child_become(int arg)
{
	gid_t groups[64];

	(void)arg;
	if (priv_become_owner(spool) == -1)
		return 1;
	if (getuid() != OWNER || geteuid() != OWNER || getgid() != GROUP ||
	    getegid() != GROUP)
		return 2;
	if (getgroups(64, groups) != 1 || groups[0] != DROP)
		return 3;
	return setuid(0) == -1 && setgid(0) == -1 ? 0 : 4;
}

static void
test_priv_become_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(spool, OWNER, GROUP), 0);
	assert_int_equal(chown(fixture_path("drop", ""), OWNER, DROP), 0);
	assert_int_equal(in_child(child_become, 0), 0);
	assert_int_equal(chown(spool, 0, 0), 0);
}

static int
child_stay(int arg)
{
	uid_t uid = geteuid();

	(void)arg;
	return priv_become_owner(spool) == 0 && geteuid() == uid ? 0 : 1;
}

static void
test_priv_become_owner_is_owner(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_stay, 0), 0);
}

static int
child_lost(int what)
{
	static const int errors[] = { ENOENT, ENOTDIR };

	if (priv_become_owner(what == 0 ? "/nonexistent/spool" :
	    "/dev/null") != -1)
		return 1;
	return errno == errors[what] ? 0 : 2;
}

static void
test_priv_become_owner_no_spool(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(child_lost, 0), 0);
	assert_int_equal(in_child(child_lost, 1), 0);
}

static int
setup(void **state)
{
	(void)state;
	spool = fixture_spool();
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priv_sanitize_descriptors),
		cmocka_unit_test(test_priv_sanitize_keeps_sockets),
		cmocka_unit_test(test_priv_close_without_close_range),
		cmocka_unit_test(test_priv_sanitize_needs_no_descriptor),
		cmocka_unit_test(test_priv_sanitize_signals_timers_umask),
		cmocka_unit_test(test_priv_become_owner),
		cmocka_unit_test(test_priv_become_owner_is_owner),
		cmocka_unit_test(test_priv_become_owner_no_spool),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
