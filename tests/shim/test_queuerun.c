/* SPDX-License-Identifier: ISC */
/* sendmail -q by the owner of the spool, beside a runner that works. */
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
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "spool/queue.h"
#include "spool_fixture.h"
#include "submit/pick.h"
#include "submit/queuerun.h"

static struct queue *q;
static char spool[512];

static int
setup(void **state)
{
	const char *why;

	(void)state;
	if (strlcpy(spool, fixture_spool(), sizeof(spool)) >= sizeof(spool))
		return -1;
	q = queue_open(spool, &why);
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
in_queue(struct msgid *id, time_t next)
{
	struct envelope env;
	int fd = queue_tmpfile(q);

	assert_int_not_equal(fd, -1);
	id_new(id);
	fixture_envelope(&env, "a@example.org", "b@example.net");
	fixture_write(fd, &env, FIXTURE_BODY);
	envelope_clear(&env);
	assert_int_equal(queue_link(q, id, fd), 0);
	assert_int_equal(queue_set_next(q, id, next), 0);
	close(fd);
}

static time_t
next_of(const struct msgid *id)
{
	struct stat st;

	assert_int_equal(stat(fixture_path("queue", id->s), &st), 0);
	return st.st_mtime;
}

/* In a process of its own, as it changes what a process is. */
static int
flush_some(char *dir, const struct pick *pick)
{
	struct conf conf;
	int status = -1;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* the lock is the parent's, as if that were a runner */
		memset(&conf, 0, sizeof(conf));
		conf.spool = dir;
		_exit(queuerun_main(&conf, pick));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
flush(char *dir)
{
	static const struct pick every;

	return flush_some(dir, &every);
}

static void
test_queuerun_makes_all_due(void **state)
{
	struct msgid waits, held, due;
	time_t now = time(NULL);

	(void)state;
	in_queue(&waits, now + 3600);
	in_queue(&held, now + 3600);
	assert_int_equal(chmod(fixture_path("queue", held.s), 0400), 0);
	in_queue(&due, now - 3600);
	assert_int_equal(queue_lock(q), 0);
	assert_int_equal(flush(spool), EX_OK);
	assert_true(next_of(&waits) >= now && next_of(&waits) < now + 3600);
	assert_true(next_of(&held) == now + 3600);
	assert_true(next_of(&due) == now - 3600);
}

static void
test_queuerun_makes_some_due(void **state)
{
	struct msgid one, other;
	struct pick pick;
	char part[1 + sizeof(one.s)];
	time_t now = time(NULL);

	(void)state;
	in_queue(&one, now + 3600);
	in_queue(&other, now + 3600);
	assert_int_equal(queue_lock(q), 0);
	memset(&pick, 0, sizeof(pick));
	assert_null(pick_add(&pick, "Rexample.net"));
	assert_null(pick_add(&pick, "Sa@"));
	snprintf(part, sizeof(part), "I%s", one.s);
	assert_null(pick_add(&pick, part));
	assert_int_equal(flush_some(spool, &pick), EX_OK);
	assert_true(next_of(&one) <= now + 1800);
	assert_true(next_of(&other) == now + 3600);
}

static void
test_queuerun_without_a_spool(void **state)
{
	char nowhere[] = "/nonexistent/spool";

	(void)state;
	assert_int_equal(flush(nowhere), EX_OSFILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_queuerun_makes_all_due,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_queuerun_makes_some_due,
		    setup, teardown),
		cmocka_unit_test(test_queuerun_without_a_spool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
