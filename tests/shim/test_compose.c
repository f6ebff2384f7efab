/* SPDX-License-Identifier: ISC */
/* Header and body into a file: one way through, two ways, limits, faults. */
#include "config.h"

#include "submit/compose.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
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

#include "spool/msgfile.h"

static char spool[] = "/tmp/mxnss-compose-XXXXXX";
static char host_name[] = "host.example";
static char *local_domains[] = { host_name, NULL };
static struct conf conf = { .hostname = host_name, .mail_name = host_name,
	.local_domains = local_domains };
static const struct complete_facts facts = { .conf = &conf, .id = "ID",
	.from = "me@host.example" };

static int
make_spool(void **state)
{
	char drop[64];

	(void)state;
	if (mkdtemp(spool) == NULL)
		return -1;
	snprintf(drop, sizeof(drop), "%s/drop", spool);
	return mkdir(drop, 0700);
}

static int
remove_spool(void **state)
{
	char drop[64];

	(void)state;
	snprintf(drop, sizeof(drop), "%s/drop", spool);
	return rmdir(drop) == 0 ? rmdir(spool) : -1;
}

/* What became of the message TEXT, of N octets. */
struct outcome {
	enum message_error error;
	struct buf	 header;
	struct buf	 body;
	bool		 eightbit;
};

static void
read_outcome(int fd, struct outcome *o)
{
	const char *why, *end;
	struct msgfile mf;
	char *text;

	assert_int_equal(msgfile_read(fd, 10, &mf, &why), 0);
	text = malloc((size_t)mf.size + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)mf.size, mf.start), mf.size);
	text[mf.size] = '\0';
	end = strstr(text, "\r\n\r\n");
	assert_non_null(end);
	buf_add(&o->header, text, (size_t)(end + 2 - text));
	buf_add(&o->body, end + 4, (size_t)(text + mf.size - end - 4));
	o->eightbit = mf.eightbit;
	free(text);
	msgfile_clear(&mf);
}

static void
run(const char *text, size_t n, uint64_t max, struct outcome *o)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	struct message *m = message_new(fd, true);
	struct envelope env;
	struct drop *drop;
	struct header h;
	struct msgid id;

	memset(o, 0, sizeof(*o));
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	envelope_init(&env);
	env.sender = strdup("a@b");
	envelope_add_rcpt(&env, "c@d");
	header_init(&h);
	assert_int_equal(message_header(m, &h), MESSAGE_OK);
	drop = drop_open(spool, &id);
	assert_non_null(drop);
	o->error = compose(&(struct compose){ m, &h, &facts, &env, drop,
	    max });
	if (o->error == MESSAGE_OK)
		read_outcome(drop_fd(drop), o);
	drop_abort(drop);
	header_clear(&h);
	envelope_clear(&env);
	message_free(m);
	close(fd);
}

static void
outcome_clear(struct outcome *o)
{
	buf_clear(&o->header);
	buf_clear(&o->body);
}

/* A body of N lines, then LAST. */
static void
fill(struct buf *in, const char *header, size_t n, const char *last)
{
	size_t i;

	buf_reset(in);
	buf_printf(in, "%sTo: c@d\n\n", header);
	for (i = 0; i < n; i++)
		buf_adds(in, "The quick brown fox jumps over the lazy dog.\n");
	buf_adds(in, last);
}

static void
test_compose_plain(void **state)
{
	struct buf in = BUF_INIT;
	struct outcome o;
	size_t n;

	(void)state;
	for (n = 1; n < 10000; n *= 3) {
		fill(&in, "", n, "");
		run(in.data, in.len, UINT64_MAX, &o);
		assert_int_equal(o.error, MESSAGE_OK);
		assert_null(strstr(o.header.data, "MIME"));
		assert_int_equal(o.body.len, n * 46);
		assert_false(o.eightbit);
		outcome_clear(&o);
	}
	buf_clear(&in);
}

/*
 * What a body is shows at its end: the file must be the same as if it had
 * been known from the start.
 */
static void
test_compose_late(void **state)
{
	static const struct {
		const char	*last;
		const char	*type;
		const char	*encoding;
		const char	*tail;	/* of the body */
		bool		 eightbit;
	} rows[] = {
		{ "\xc3\xa9\n", "charset=utf-8\r\n", ": 8bit\r\n",
		    "dog.\r\n\xc3\xa9\r\n", true },
		{ "\xe9\n", "charset=unknown-8bit\r\n", ": 8bit\r\n",
		    "dog.\r\n\xe9\r\n", true },
		{ "LONG \xc3\xa9\n", "charset=utf-8\r\n",
		    ": quoted-printable\r\n", "x=\r\nxx =C3=A9\r\n", false },
	};
	struct buf in = BUF_INIT, last = BUF_INIT;
	struct outcome o;
	size_t i, n, k;

	(void)state;
	for (i = 0; i < 3; i++) {
		buf_reset(&last);
		if (strncmp(rows[i].last, "LONG", 4) == 0) {
			for (k = 0; k < 1052; k++)
				buf_addc(&last, 'x');
			buf_adds(&last, rows[i].last + 4);
		} else {
			buf_adds(&last, rows[i].last);
		}
		for (n = 1; n < 10000; n *= 3) {
			fill(&in, "", n, buf_str(&last));
			run(in.data, in.len, UINT64_MAX, &o);
			assert_int_equal(o.error, MESSAGE_OK);
			assert_non_null(strstr(o.header.data, rows[i].type));
			assert_non_null(strstr(o.header.data,
			    rows[i].encoding));
			k = strlen(rows[i].tail);
			assert_true(o.body.len > n * 46);
			assert_string_equal(o.body.data + o.body.len - k,
			    rows[i].tail);
			assert_memory_equal(o.body.data, "The quick", 9);
			assert_int_equal(o.eightbit, rows[i].eightbit);
			outcome_clear(&o);
		}
	}
	buf_clear(&in);
	buf_clear(&last);
}

/* First one thing, later another: the charset changes, the body does not. */
static void
test_compose_twice(void **state)
{
	struct buf in = BUF_INIT;
	struct outcome o;
	size_t i;

	(void)state;
	fill(&in, "", 1, "\xc3\xa9 ");
	for (i = 0; i < 1000; i++)
		buf_addc(&in, 'x');
	for (i = 0; i < 3000; i++)
		buf_adds(&in, "\nThe quick brown fox jumps over it");
	buf_adds(&in, "\n\xff\n");
	run(in.data, in.len, UINT64_MAX, &o);
	assert_int_equal(o.error, MESSAGE_OK);
	assert_non_null(strstr(o.header.data, "charset=unknown-8bit\r\n"));
	assert_non_null(strstr(o.header.data, "quoted-printable"));
	assert_non_null(strstr(o.body.data, "\r\n=C3=A9 xx"));
	assert_null(strstr(o.body.data, "=3D"));
	assert_string_equal(o.body.data + o.body.len - 9, "it\r\n=FF\r\n");
	outcome_clear(&o);
	buf_clear(&in);
}

/* No part of text alone: long lines are folded, the header stays. */
static void
test_compose_folds(void **state)
{
	struct buf in = BUF_INIT;
	struct outcome o;
	size_t i;

	(void)state;
	fill(&in, "Content-Type: multipart/mixed; boundary=b\n", 3000, "");
	for (i = 0; i < 3000; i++)
		buf_addc(&in, 'x');
	run(in.data, in.len, UINT64_MAX, &o);
	assert_int_equal(o.error, MESSAGE_OK);
	assert_null(strstr(o.header.data, "Encoding"));
	assert_int_equal(o.body.len, 3000 * 46 + 3000 + 2 + 3 * 3);
	outcome_clear(&o);
	buf_clear(&in);
}

/* The limit counts what leaves, header included, in every way through. */
static void
test_compose_limit(void **state)
{
	static const char *const lasts[] = { "", "\xc3\xa9" };
	struct buf in = BUF_INIT;
	struct outcome o;
	uint64_t size;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fill(&in, "", 4000, lasts[i]);
		run(in.data, in.len, UINT64_MAX, &o);
		assert_int_equal(o.error, MESSAGE_OK);
		size = o.header.len + 2 + o.body.len;
		outcome_clear(&o);
		run(in.data, in.len, size, &o);
		assert_int_equal(o.error, MESSAGE_OK);
		outcome_clear(&o);
		run(in.data, in.len, size - 1, &o);
		assert_int_equal(o.error, MESSAGE_TOO_BIG);
		run(in.data, in.len, 10, &o);
		assert_int_equal(o.error, MESSAGE_TOO_BIG);
	}
	buf_clear(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose_plain),
		cmocka_unit_test(test_compose_late),
		cmocka_unit_test(test_compose_twice),
		cmocka_unit_test(test_compose_folds),
		cmocka_unit_test(test_compose_limit),
	};

	return cmocka_run_group_tests(tests, make_spool, remove_spool);
}
