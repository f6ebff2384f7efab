/* SPDX-License-Identifier: ISC */
/*
 * mx.c: whole MX lookups over a real socket, as a caller sees them.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faults.h"
#include "mxres.h"
#include "server.h"

static const char script[] =
    "one.test MX MX 10 mx.one.test\n"
    "three.test MX MX 30 c.test MX 10 a.test MX 20 b.test\n"
    "equal.test MX MX 10 a.test MX 10 b.test MX 10 c.test\n"
    "a-only.test A A 192.0.2.1\n"
    "null.test MX MX 0 .\n"
    "alias.test CNAME ttl=40 CNAME three.test\n"
    "dangling.test CNAME CNAME gone.test\n"
    "to-a.test CNAME CNAME a-only.test\n"
    "cname-only.test MX CNAME a-only.test\n"
    "literal.test MX MX 10 192.0.2.1\n"
    "mixed.test MX MX 10 192.0.2.1 MX 20 ok.test RAW MX 0001 MX 5 .\n"
    "stranger.test MX owner=other.test MX 10 evil.test\n"
    "fail.test MX servfail\n"
    "malformed.test MX RAW MX 00 LOOP 5\n"
    "sixty.test MX gen=60\n"
    "many.test MX gen=1050\n";

static struct server srv;

static const struct {
	const char		*domain;
	enum mxres_status	 status;
	const char		*text;	/* PREF/HOST... [kinds of notes] */
	const char		*cname;
	uint32_t		 ttl;
} rows[] = {
	{ "one.test", MXRES_OK, "10/mx.one.test", "one.test", 300 },
	{ "ONE.Test.", MXRES_OK, "10/mx.one.test", "one.test", 300 },
	{ "three.test", MXRES_OK, "10/a.test 20/b.test 30/c.test",
	    "three.test", 300 },
	{ "equal.test", MXRES_OK, "10/a.test 10/b.test 10/c.test",
	    "equal.test", 300 },
	{ "a-only.test", MXRES_NODATA, "", "a-only.test", 60 },
	{ "null.test", MXRES_NULLMX, "", "null.test", 300 },
	{ "alias.test", MXRES_OK, "10/a.test 20/b.test 30/c.test",
	    "three.test", 40 },
	{ "dangling.test", MXRES_NXDOMAIN, "", "gone.test", 60 },
	{ "to-a.test", MXRES_NODATA, "", "a-only.test", 60 },
	{ "cname-only.test", MXRES_NODATA, "", "a-only.test", 0 },
	{ "nowhere.test", MXRES_NXDOMAIN, "", "nowhere.test", 60 },
	{ "literal.test", MXRES_OK, "[3]", "literal.test", 300 },
	{ "mixed.test", MXRES_OK, "20/ok.test [3] [1] [4]", "mixed.test",
	    300 },
	{ "stranger.test", MXRES_BADRESP, "", "stranger.test", 0 },
	{ "fail.test", MXRES_SERVFAIL, "", "fail.test", 0 },
	{ "malformed.test", MXRES_BADRESP, "[1] [1]", "malformed.test", 0 }
};

static void
write_out(const struct mxres_answer *a, char *text, size_t size)
{
	size_t i, n = 0;

	text[0] = '\0';
	for (i = 0; i < a->nmx; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%u/%s",
		    n > 0 ? " " : "", a->mx[i].pref, a->mx[i].host);
	for (i = 0; i < a->nnote; i++)
		n += (size_t)snprintf(text + n, size - n, "%s[%d]",
		    n > 0 ? " " : "", (int)a->note[i].kind);
}

static void
test_mx_rows(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	enum mxres_status status;
	struct mxres_answer *a;
	char text[2048];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status = mxres_mx(ctx, rows[i].domain, &a);
		assert_non_null(a);
		assert_int_equal(status, a->status);
		write_out(a, text, sizeof(text));
		if (status != rows[i].status || a->ttl != rows[i].ttl ||
		    strcmp(text, rows[i].text) != 0 ||
		    strcmp(a->cname, rows[i].cname) != 0)
			fail_msg("%s: %s: %s, ttl %u, cname %s",
			    rows[i].domain, mxres_strerror(status), text,
			    a->ttl, a->cname);
		assert_int_equal((a->flags & MXRES_F_CNAME) != 0,
		    strcmp(a->cname, a->qname) != 0);
		mxres_answer_free(a);
	}
	mxres_free(ctx);
}

static void
test_mx_sixty_and_many(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;
	size_t i;

	(void)state;
	assert_int_equal(mxres_mx(ctx, "sixty.test", &a), MXRES_OK);
	assert_int_equal(a->nmx, 60);
	assert_int_equal(a->flags & MXRES_F_PARTIAL, 0);
	for (i = 0; i < 60; i++)
		assert_int_equal(a->mx[i].pref, i + 1);
	mxres_answer_free(a);
	assert_int_equal(mxres_mx(ctx, "many.test", &a), MXRES_OK);
	assert_int_equal(a->nmx, 100);
	assert_int_equal(a->flags & MXRES_F_PARTIAL, MXRES_F_PARTIAL);
	for (i = 0; i < 100; i++)
		assert_int_equal(a->mx[i].pref, i + 1);
	mxres_answer_free(a);
	mxres_free(ctx);
}

/* That it is shuffled at all; test_order.c tells that it is fair. */
static void
test_mx_shuffles_equals(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;
	unsigned int first[3] = { 0 }, i;

	(void)state;
	mxres_set_shuffle(ctx, 1);
	for (i = 0; i < 200; i++) {
		assert_int_equal(mxres_mx(ctx, "equal.test", &a), MXRES_OK);
		first[a->mx[0].host[0] - 'a']++;
		mxres_answer_free(a);
	}
	for (i = 0; i < 3; i++)
		assert_true(first[i] > 0);
	mxres_free(ctx);
}

static void
test_mx_arguments(void **state)
{
	static const struct {
		const char	*domain;
		const char	*shown;
	} bad[] = {
		{ "", "" }, { ".", "." }, { "a..b", "a..b" },
		{ "192.0.2.1", "192.0.2.1" }, { "a b\nc", "a?b?c" },
		{ "b\xfc" "cher.test", "b?cher.test" }
	};
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;
	char name[400];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mxres_mx(ctx, bad[i].domain, &a),
		    MXRES_BADNAME);
		assert_int_equal(a->status, MXRES_BADNAME);
		assert_string_equal(a->qname, bad[i].shown);
		assert_int_equal(a->rcode, -1);
		mxres_answer_free(a);
	}
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(mxres_mx(ctx, name, &a), MXRES_BADNAME);
	assert_int_equal(strlen(a->qname), 253);
	mxres_answer_free(a);
	assert_int_equal(mxres_mx(NULL, "one.test", &a), MXRES_INVAL);
	assert_null(a);
	assert_int_equal(mxres_mx(ctx, NULL, &a), MXRES_INVAL);
	assert_null(a);
	assert_int_equal(mxres_mx(ctx, "one.test", NULL), MXRES_INVAL);
	mxres_free(ctx);
}

static void
test_mx_without_memory(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;
	enum mxres_status status;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (n = 1;; n++) {
			faults_begin(n);
			status = mxres_mx(ctx, rows[i].domain, &a);
			if (!faults_end()) {
				assert_int_equal(status, rows[i].status);
				mxres_answer_free(a);
				break;
			}
			assert_int_equal(status, MXRES_NOMEM);
			assert_null(a);
		}
	mxres_free(ctx);
	for (n = 1;; n++) {
		faults_begin(n);
		ctx = mxres_new();
		if (!faults_end())
			break;
		assert_null(ctx);
	}
	assert_true(n > 1);
	mxres_free(ctx);
}

static int
start(void **state)
{
	(void)state;
	server_start(&srv, script);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&srv);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mx_rows),
		cmocka_unit_test(test_mx_sixty_and_many),
		cmocka_unit_test(test_mx_shuffles_equals),
		cmocka_unit_test(test_mx_arguments),
		cmocka_unit_test(test_mx_without_memory),
	};

	return cmocka_run_group_tests_name("mx", tests, start, stop);
}
