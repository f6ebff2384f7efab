/* SPDX-License-Identifier: ISC */
/*
 * A submitter that changes its file while the runner picks it up: the copy is
 * one of the messages that were written, as a whole, or there is none.
 *
 * MXNSS_RACES is how often that is tried; `make check-stress' asks for
 * 100,000.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "spool/queue.h"
#include "spool_fixture.h"

#define RACES	1000
#define LINES	4000	/* of a message: more than is read at once */

static struct queue *q;
static struct buf text[2];	/* two whole message files */
static struct buf body[2];
static atomic_int target;	/* the file that is changed, -1: none */
static atomic_bool ended;

static void
make_text(int which)
{
	struct envelope env;
	ssize_t n;
	size_t size;
	int fd = memfd_create("text", 0), i;

	assert_int_not_equal(fd, -1);
	buf_adds(&body[which], "Subject: race\r\n\r\n");
	for (i = 0; i < LINES; i++)
		buf_printf(&body[which], "this is line %d of message %c\r\n",
		    i, "AB"[which]);
	fixture_envelope(&env, which == 0 ? "a@example.org" : "b@example.org",
	    "c@example.net");
	fixture_write(fd, &env, buf_str(&body[which]));
	envelope_clear(&env);
	size = (size_t)lseek(fd, 0, SEEK_END);
	for (i = 0; (size_t)i < size; i++)
		buf_addc(&text[which], '\0');
	n = pread(fd, text[which].data, size, 0);
	assert_int_equal(n, size);
	close(fd);
}

/* The submitter, who has a descriptor still. */
static void *
change(void *arg)
{
	static const char junk[] = "\r\n.\r\nMAIL FROM:<root>\r\n";
	unsigned r;
	int fd;

	(void)arg;
	while (!atomic_load(&ended)) {
		if ((fd = atomic_load(&target)) == -1)
			continue;
		r = arc4random();
		switch (r % 5) {
		case 0:
		case 1:
			(void)!pwrite(fd, text[r % 5].data, text[r % 5].len,
			    0);
			break;
		case 2:
			(void)!pwrite(fd, junk, sizeof(junk) - 1,
			    (off_t)(r / 8 % text[0].len));
			break;
		case 3:
			(void)!ftruncate(fd, (off_t)(r / 8 % text[0].len));
			break;
		default:
			(void)!ftruncate(fd, (off_t)text[0].len + r % 4096);
		}
	}
	return NULL;
}

static int
make_drop(struct msgid *id)
{
	int fd;

	id_new(id);
	fd = open(fixture_path("drop", id->s), O_RDWR | O_CREAT | O_EXCL,
	    0640);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(write(fd, text[0].data, text[0].len), text[0].len);
	return fd;
}

/* Which of the two messages the copy is; it must be one of them. */
static int
identify(int fd, const struct msgfile *mf)
{
	char *got = malloc((size_t)mf->size);
	int which;

	assert_non_null(got);
	assert_int_equal(pread(fd, got, (size_t)mf->size, mf->start),
	    mf->size);
	which = mf->env.sender[0] - 'a';
	assert_in_range(which, 0, 1);
	assert_int_equal(mf->size, body[which].len);
	assert_memory_equal(got, body[which].data, body[which].len);
	free(got);
	return which;
}

static void
test_pickup_against_a_writer(void **state)
{
	const char *wanted = getenv("MXNSS_RACES");
	long i, n = wanted != NULL ? strtol(wanted, NULL, 10) : RACES;
	long seen[3] = { 0, 0, 0 };
	struct msgfile mf;
	struct msgid id;
	pthread_t writer;
	int fd, copy;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, change, NULL), 0);
	for (i = 0; i < n; i++) {
		fd = make_drop(&id);
		atomic_store(&target, i % 8 != 0 ? fd : -1);
		switch (queue_pickup(q, &id, 1 << 20, 10, 4096, &copy, &mf)) {
		case 0:
			seen[identify(copy, &mf)]++;
			msgfile_clear(&mf);
			close(copy);
			assert_int_equal(unlink(fixture_path("drop", id.s)),
			    0);
			break;
		case -2:
			seen[2]++;
			assert_false(fixture_exists("drop", id.s));
			assert_int_equal(unlink(fixture_path("bad", id.s)),
			    0);
			break;
		default:
			fail_msg("a local failure");
		}
		atomic_store(&target, -1);
		close(fd);
	}
	atomic_store(&ended, true);
	pthread_join(writer, NULL);
	print_message("# %ld times the first message, %ld the second, %ld "
	    "none\n", seen[0], seen[1], seen[2]);
	assert_true(seen[0] > 0 && seen[2] > 0);
	assert_int_equal(fixture_count("drop"), 0);
	assert_int_equal(fixture_count("queue"), 0);
}

static int
setup(void **state)
{
	const char *why;

	(void)state;
	fixture_spool();
	q = queue_open(fixture_path("", ""), &why);
	if (q == NULL || queue_lock(q) == -1)
		return -1;
	atomic_store(&target, -1);
	make_text(0);
	make_text(1);
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	queue_close(q);
	for (i = 0; i < 2; i++) {
		buf_clear(&text[i]);
		buf_clear(&body[i]);
	}
	fixture_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pickup_against_a_writer),
	};

	/* a line for each file that is thrown out is too much */
	if (freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
