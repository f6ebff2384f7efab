/* SPDX-License-Identifier: ISC */
/* The memory of hosts: what is written, and what of it is believed. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/hoststat.h"
#include "spool/queue.h"
#include "spool_fixture.h"

#define KEY	"192.0.2.1:25"
#define NOW	((time_t)1000000)

static struct queue *q;

static int
setup(void **state)
{
	const char *why;

	(void)state;
	fixture_spool();
	q = queue_open(fixture_path("", ""), &why);
	return q != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	queue_close(q);
	fixture_remove();
	return 0;
}

static void
test_hoststat_fail_and_ok(void **state)
{
	struct hoststat hs;

	(void)state;
	assert_false(hoststat_is_down(q, KEY, NOW, &hs));
	assert_int_equal(hs.failures, 0);
	assert_int_equal(hoststat_fail(q, KEY, "no\033answer", NOW, 6),
	    NOW + 60);
	assert_true(hoststat_is_down(q, KEY, NOW, &hs));
	assert_int_equal(hs.until, NOW + 60);
	assert_int_equal(hs.failures, 1);
	assert_string_equal(hs.reason, "no?answer");
	assert_true(hoststat_is_down(q, KEY, NOW + 59, &hs));
	assert_false(hoststat_is_down(q, "[2001:db8::1]:25", NOW, &hs));
	hoststat_ok(q, KEY);
	assert_false(hoststat_is_down(q, KEY, NOW, &hs));
	assert_int_equal(fixture_count("host"), 0);
}

/* When the time has come one tries it, and the others leave it alone. */
static void
test_hoststat_is_down_claims(void **state)
{
	struct hoststat hs;

	(void)state;
	(void)hoststat_fail(q, KEY, "x", NOW, 6);
	assert_false(hoststat_is_down(q, KEY, NOW + 60, &hs));
	assert_int_equal(hs.failures, 1);
	assert_true(hoststat_is_down(q, KEY, NOW + 60, &hs));
	/* that one never said how it ended */
	assert_false(hoststat_is_down(q, KEY, NOW + 120, &hs));
}

/* Of those who ask at the same time, too. */
static void
test_hoststat_is_down_claims_once(void **state)
{
	enum { ROUNDS = 50, ASKERS = 8 };
	struct hoststat hs;
	int round, i, go[2], status, tries;
	pid_t pid[ASKERS];
	char c;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		(void)hoststat_fail(q, KEY, "x", NOW, 6);
		assert_int_equal(pipe(go), 0);
		for (i = 0; i < ASKERS; i++)
			if ((pid[i] = fork()) == 0) {
				close(go[1]);
				(void)!read(go[0], &c, 1);
				_exit(hoststat_is_down(q, KEY, NOW + 2000,
				    &hs));
			}
		close(go[0]);
		close(go[1]);
		for (i = tries = 0; i < ASKERS; i++) {
			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
			assert_true(WIFEXITED(status));
			tries += WEXITSTATUS(status) == 0;
		}
		assert_int_equal(tries, 1);
		hoststat_ok(q, KEY);
	}
}

static void
test_hoststat_fail_longer_each_time(void **state)
{
	static const time_t waits[] = { 60, 120, 240, 480, 900, 900, 900 };
	time_t now = NOW, until;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		until = hoststat_fail(q, KEY, "x", now,
		    (unsigned)waits[i] / 10);
		assert_int_equal(until - now, waits[i]);
		now = until;
	}
	/* ten percent less and more */
	assert_int_equal(hoststat_fail(q, KEY, "x", now, 0) - now, 810);
	assert_int_equal(hoststat_fail(q, KEY, "x", now, 180) - now, 990);
}

static void
write_host(const char *name, const char *text, size_t len, time_t mtime)
{
	struct timespec ts[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };
	int fd;

	fd = open(fixture_path("host", name), O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(futimens(fd, ts), 0);
	close(fd);
}

/* What is wrong is not believed, and goes. */
static void
test_hoststat_is_down_of_garbage(void **state)
{
	static const struct {
		const char	*text;
		size_t		 len;
		time_t		 ahead;
		bool		 good;
	} rows[] = {
#define TEXT(s)	s, sizeof(s) - 1
		{ TEXT("mxnss-host 1\nfailures 1\nreason x\n"), 60, true },
		{ TEXT("mxnss-host 1\nfailures 1\nreason \n"), 60, true },
		{ TEXT(""), 60, false },
		{ TEXT("\n"), 60, false },
		{ TEXT("mxnss-host 2\nfailures 1\nreason x\n"), 60, false },
		{ TEXT("mxnss-host 1\nfailures 1\nreason x"), 60, false },
		{ TEXT("mxnss-host 1\nfailures 0\nreason x\n"), 60, false },
		{ TEXT("mxnss-host 1\nfailures -1\nreason x\n"), 60, false },
		{ TEXT("mxnss-host 1\nfailures 1001\nreason x\n"), 60, false },
		{ TEXT("mxnss-host 1\nfailures 99999999999999999999999\n"
		    "reason x\n"), 60, false },
		{ TEXT("mxnss-host 1\nfailures 1\n"), 60, false },
		{ TEXT("mxnss-host 1\nfailures 1\nreason \0\n"), 60, false },
		/* the clock was ahead when it was written */
		{ TEXT("mxnss-host 1\nfailures 1\nreason x\n"), 86400, false },
#undef TEXT
	};
	struct hoststat hs;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_host(KEY, rows[i].text, rows[i].len,
		    NOW + rows[i].ahead);
		if (hoststat_is_down(q, KEY, NOW, &hs) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(fixture_exists("host", KEY), rows[i].good);
		assert_int_equal(hs.failures, rows[i].good);
	}
	/* not a file; it stays, and hinders nothing */
	(void)unlink(fixture_path("host", KEY));
	assert_int_equal(symlink("/etc/passwd", fixture_path("host", KEY)), 0);
	assert_false(hoststat_is_down(q, KEY, NOW, &hs));
	assert_int_equal(mkdir(fixture_path("host", KEY), 0700), 0);
	assert_false(hoststat_is_down(q, KEY, NOW, &hs));
	(void)hoststat_fail(q, KEY, "x", NOW, 0);
	assert_false(hoststat_is_down(q, KEY, NOW, &hs));
	assert_int_equal(rmdir(fixture_path("host", KEY)), 0);
}

static void
test_hoststat_names_lead_nowhere(void **state)
{
	static const char *const names[] = { "", "..", ".", "../queue/x",
	    "a/b", ".hidden", "a b", "\303\244" };
	struct hoststat hs;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)hoststat_fail(q, names[i], "x", NOW, 0);
		assert_false(hoststat_is_down(q, names[i], NOW, &hs));
		hoststat_ok(q, names[i]);
	}
	assert_int_equal(fixture_count("host"), 0);
	assert_int_equal(fixture_count("queue"), 0);
	/* no memory at all */
	assert_int_equal(hoststat_fail(NULL, KEY, "x", NOW, 6), NOW + 60);
	assert_false(hoststat_is_down(NULL, KEY, NOW, &hs));
	hoststat_ok(NULL, KEY);
	hoststat_sweep(NULL, NOW);
	hoststat_forget(NULL);
}

static void
test_hoststat_tried(void **state)
{
	static const char *const in[] = { "mx1.example", "192.0.2.1" };
	char *out[HOSTSTAT_TRIED];
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(hoststat_tried(q, "d.example", now, out,
	    HOSTSTAT_TRIED), 0);
	hoststat_set_tried(q, "d.example", in, 2);
	assert_int_equal(hoststat_tried(q, "d.example", now + 1, out,
	    HOSTSTAT_TRIED), 2);
	assert_string_equal(out[0], "mx1.example");
	assert_string_equal(out[1], "192.0.2.1");
	free(out[0]);
	free(out[1]);
	assert_int_equal(hoststat_tried(q, "e.example", now, out,
	    HOSTSTAT_TRIED), 0);
	/* that was another day */
	assert_int_equal(hoststat_tried(q, "d.example", now + 86400, out,
	    HOSTSTAT_TRIED), 0);
	hoststat_set_tried(q, "d.example", NULL, 0);
	assert_int_equal(fixture_count("host"), 0);
}

static void
test_hoststat_sweep(void **state)
{
	const char *host = "mx.example";
	struct hoststat hs;
	char name[32];
	int i;

	(void)state;
	(void)hoststat_fail(q, KEY, "x", NOW, 0);
	(void)hoststat_fail(q, "192.0.2.2:25", "x", NOW - 86500, 0);
	write_host(".123", "left behind", 11, NOW - 2 * 86400);
	hoststat_sweep(q, NOW);
	assert_int_equal(fixture_count("host"), 1);
	assert_true(hoststat_is_down(q, KEY, NOW, &hs));
	/* whoever makes us write too much makes us forget */
	for (i = 0; i < 16384; i++) {
		snprintf(name, sizeof(name), "%d:25", i);
		write_host(name, "x", 1, NOW);
	}
	hoststat_sweep(q, NOW);
	assert_int_equal(fixture_count("host"), 0);
	/* sendmail -q: hosts are tried, but not the same ones again */
	(void)hoststat_fail(q, KEY, "x", NOW, 0);
	hoststat_set_tried(q, "d.example", &host, 1);
	hoststat_forget(q);
	assert_int_equal(fixture_count("host"), 1);
	assert_true(fixture_exists("host", "@d.example"));
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hoststat_fail_and_ok),
		T(test_hoststat_is_down_claims),
		T(test_hoststat_is_down_claims_once),
		T(test_hoststat_fail_longer_each_time),
		T(test_hoststat_is_down_of_garbage),
		T(test_hoststat_names_lead_nowhere),
		T(test_hoststat_tried),
		T(test_hoststat_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
