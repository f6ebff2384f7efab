/* SPDX-License-Identifier: ISC */
/* Names to those who get the mail: chains, loops, lists, files. */
#include "config.h"

#include "local/expand.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"

static char here[] = "here.example", other[] = "other.example";
static char *local_domains[] = { here, other, NULL };
static char *include_path;
static struct conf conf = { .hostname = here, .local_domains = local_domains };

static const char text[] =
    "root: alice, \"B C\"\n"
    "\"b c\": far@away.example, ALICE@OTHER.example\n"
    "self: self, far@away.example\n"
    "plain: \\root\n"
    "one: two\ntwo: three\nthree: one\n"
    "ext+tag: tagged\next: untagged\n"
    "none: /dev/null\nhalf: /dev/null, alice\n"
    "bad: |x\nleads: bad\n"
    "away: root@away.example\n";

static const struct {
	const char	*addr;
	const char	*want;		/* NULL: temporary, with file and line */
} rows[] = {
	{ "alice@here.example", "m:alice@here.example " },
	{ "alice", "m:alice@here.example " },
	{ "alice@OTHER.example", "m:alice@OTHER.example " },
	{ "\"a b\"@here.example", "m:\"a b\"@here.example " },
	{ "root@here.example", "m:alice@here.example a:far@away.example "
	    "m:ALICE@OTHER.example " },
	{ "ROOT@other.example", "m:alice@here.example a:far@away.example "
	    "m:ALICE@OTHER.example " },
	{ "\"root\"@here.example", "m:alice@here.example a:far@away.example "
	    "m:ALICE@OTHER.example " },
	{ "root+x@here.example", "m:alice@here.example a:far@away.example "
	    "m:ALICE@OTHER.example " },
	{ "self@here.example", "m:self@here.example a:far@away.example " },
	{ "plain@here.example", "m:root@here.example " },
	{ "ext@here.example", "m:untagged@here.example " },
	{ "ext+tag@here.example", "m:tagged@here.example " },
	{ "ext+no@here.example", "m:untagged@here.example " },
	{ "postmaster@here.example", "m:alice@here.example "
	    "a:far@away.example m:ALICE@OTHER.example " },
	{ "Mailer-Daemon@here.example", "m:alice@here.example "
	    "a:far@away.example m:ALICE@OTHER.example " },
	{ "none@here.example", "0" },
	{ "half@here.example", "m:alice@here.example 0" },
	{ "away@here.example", "a:root@away.example " },
	{ "one@here.example", NULL },
	{ "bad@here.example", NULL },
	{ "leads@here.example", NULL },
};

static void
parse(struct aliases *a, const char *t)
{
	alias_init(a);
	alias_parse(a, "F", t, strlen(t));
	alias_sort(a);
}

static void
check(const struct aliases *a, const char *addr, const char *want)
{
	struct buf b = BUF_INIT;
	struct expansion x;
	struct result r;
	size_t i;
	int rc;

	print_message("%s\n", addr);
	rc = expand(&conf, a, addr, &x, &r);
	if (want == NULL) {
		assert_int_equal(rc, -1);
		assert_true(result_is_temporary(&r));
		assert_non_null(strstr(r.text, "F:"));
		assert_int_equal(x.nto, 0);
		return;
	}
	assert_int_equal(rc, 0);
	for (i = 0; i < x.nto; i++)
		buf_printf(&b, "%c:%s ", x.to[i].mailbox ? 'm' : 'a',
		    x.to[i].addr);
	if (x.discarded)
		buf_addc(&b, '0');
	assert_string_equal(buf_str(&b), want);
	expansion_clear(&x);
	buf_clear(&b);
}

static void
test_expand(void **state)
{
	struct aliases a;
	size_t i;

	(void)state;
	parse(&a, text);
	assert_int_equal(a.nerrors, 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&a, rows[i].addr, rows[i].want);
	alias_clear(&a);
}

static void
test_expand_forward(void **state)
{
	struct aliases a;

	(void)state;
	conf.local = CONF_FORWARD;
	conf.forward = (char *)(uintptr_t)"all@away.example";
	parse(&a, text);
	check(&a, "alice", "a:all@away.example ");
	check(&a, "root", "a:all@away.example a:far@away.example ");
	conf.local = CONF_MBOX;
	conf.forward = NULL;
	alias_clear(&a);
}

static void
write_include(const char *t)
{
	FILE *fp = fopen(include_path, "w");

	assert_non_null(fp);
	fputs(t, fp);
	assert_int_equal(fclose(fp), 0);
}

static void
test_expand_include(void **state)
{
	char path[] = "/tmp/mxnss-expand-XXXXXX";
	struct buf b = BUF_INIT;
	struct aliases a;
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	include_path = path;
	buf_printf(&b, "list: :include:%s\nboss: alice\n"
	    "lost: :include:/nonexistent/x\n", path);
	parse(&a, buf_str(&b));
	write_include("# people\nboss, bob@away.example\n\nalice\n");
	check(&a, "list", "m:alice@here.example a:bob@away.example ");
	write_include("list\n");
	check(&a, "list", "m:list@here.example ");
	write_include(":include:/nonexistent/x\n");
	check(&a, "list", NULL);
	write_include("a b\n");
	check(&a, "list", NULL);
	write_include("|x\n");
	check(&a, "list", NULL);
	write_include("");
	check(&a, "list", "");
	check(&a, "lost", NULL);
	alias_clear(&a);
	buf_clear(&b);
	unlink(path);
}

/* Chains and lists that go on for ever, nearly. */
/* A file that names a file: each once, but not within itself. */
static void
test_expand_include_nested(void **state)
{
	char outer[] = "/tmp/mxnss-expand-XXXXXX";
	char inner[] = "/tmp/mxnss-expand-XXXXXX";
	struct buf b = BUF_INIT, line = BUF_INIT;
	struct aliases a;

	(void)state;
	close(mkstemp(outer));
	close(mkstemp(inner));
	buf_printf(&b, "list: :include:%s\nboss: alice\n", outer);
	parse(&a, buf_str(&b));
	include_path = outer;
	buf_printf(&line, "boss\n:include:%s\nend@away.example, "
	    ":include:%s\n", inner, inner);
	write_include(buf_str(&line));
	include_path = inner;
	write_include("bob\n");
	check(&a, "list", "m:alice@here.example m:bob@here.example "
	    "a:end@away.example ");
	/* the inner one, which is named twice, names the outer, or itself */
	buf_reset(&line);
	buf_printf(&line, ":include:%s\n", outer);
	write_include(buf_str(&line));
	check(&a, "list", NULL);
	buf_reset(&line);
	buf_printf(&line, "bob\n:include:%s\n", inner);
	write_include(buf_str(&line));
	check(&a, "list", NULL);
	write_include("bob\n|x\n");
	check(&a, "list", NULL);
	alias_clear(&a);
	buf_clear(&b);
	buf_clear(&line);
	unlink(outer);
	unlink(inner);
}

static void
test_expand_limits(void **state)
{
	struct buf b = BUF_INIT;
	struct aliases a;
	int i;

	(void)state;
	for (i = 0; i < 30; i++)
		buf_printf(&b, "n%d: n%d\n", i, i + 1);
	buf_adds(&b, "many: x0@a");
	for (i = 1; i <= EXPAND_MAX; i++)
		buf_printf(&b, ",\n x%d@a", i);
	parse(&a, buf_str(&b));
	check(&a, "n0", NULL);
	check(&a, "n20", "m:n30@here.example ");
	check(&a, "many", NULL);
	alias_clear(&a);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_forward),
		cmocka_unit_test(test_expand_include),
		cmocka_unit_test(test_expand_include_nested),
		cmocka_unit_test(test_expand_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
