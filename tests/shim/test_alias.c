/* SPDX-License-Identifier: ISC */
/* aliases(5): what is a name, a target, a line; what is wrong and where. */
#include "config.h"

#include "local/alias.h"

#include <errno.h>
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

static void
parse(struct aliases *a, const char *text)
{
	size_t n = strlen(text);
	char *exact = malloc(n != 0 ? n : 1);

	assert_non_null(exact);
	memcpy(exact, text, n);
	alias_init(a);
	alias_parse(a, "F", exact, n);
	alias_sort(a);
	free(exact);
}

/* "name=target,target" with a letter for the kind; "!" for a wrong line. */
static void
show(const struct alias *one, struct buf *b)
{
	static const char kinds[] = "aui0";
	size_t i;

	buf_printf(b, "%s@%s=", one->name, one->origin);
	for (i = 0; i < one->ntarget; i++)
		buf_printf(b, "%c:%s ", kinds[one->target[i].kind],
		    one->target[i].text);
	buf_adds(b, one->wrong != NULL ? "!\n" : "\n");
}

static const struct {
	const char	*text;
	const char	*want;
	size_t		 nerrors;
} rows[] = {
	{ "", "", 0 },
	{ "a: b\n", "a@F:1=a:b \n", 0 },
	{ "a:b", "a@F:1=a:b \n", 0 },
	{ "A :\tb , c@d.example,\n", "A@F:1=a:b a:c@d.example \n", 0 },
	{ "# x\n\n   \n a: no\nb: c\n", "b@F:5=a:c \n", 1 },
	{ "a: b\n c,\n# x\n\t\n\td\ne: f\n", "a@F:1=\x21", 1 },
	{ "a: b,\n c,\n# x\n\t\n\td\ne: f\n",
	    "a@F:1=a:b a:c a:d \ne@F:6=a:f \n", 0 },
	{ "b: x\na: y\n", "a@F:2=a:y \nb@F:1=a:x \n", 0 },
	{ "\"a b\": c\n", "a b@F:1=a:c \n", 0 },
	{ "\"a: b\": c\n", "a: b@F:1=a:c \n", 0 },
	{ "a: \"b c\"@d\n", "a@F:1=a:\"b c\"@d \n", 0 },
	{ "a: \"b,c\"\n", "a@F:1=a:\"b,c\" \n", 0 },
	{ "a: \\a, \\b@c\n", "a@F:1=u:a u:b@c \n", 0 },
	{ "a: :include:/x y\n", "a@F:1=i:/x y \n", 0 },
	{ "a: \":include:/x, y\"\n", "a@F:1=i:/x, y \n", 0 },
	{ "a: /dev/null\n", "a@F:1=0:/dev/null \n", 0 },
	{ "a: Name <b@c>\n", "a@F:1=a:b@c \n", 0 },
	/* what only addresses have: RFC 5322 sections 3.2.2, 3.4 and 4.4 */
	{ "a: b (c, (d) e, \\) f), g\n", "a@F:1=a:b a:g \n", 0 },
	{ "a: \"J, R\" <b@c>, <@d,@e:f@g>, h\n",
	    "a@F:1=a:b@c a:f@g a:h \n", 0 },
	{ "a: <\"b>,\"@c>, d\n", "a@F:1=a:\"b>,\"@c a:d \n", 0 },
	{ "a: G: b@c, d (;), \"e;\" ;, f\n",
	    "a@F:1=a:b@c a:d a:\"e;\" a:f \n", 0 },
	{ "a: b@[IPv6:2001:db8::1], c\n",
	    "a@F:1=a:b@[IPv6:2001:db8::1] a:c \n", 0 },
	{ "a: G:;, b\n", "a@F:1=a:b \n", 0 },
	{ "a: G:;\n", "a@F:1=!\n", 1 },
	{ "a: G: b, c\n", "!", 1 },
	{ "a: b (c, d\n", "!", 1 },
	{ "a: <b, c\n", "!", 1 },
	{ "a: b, \\\n", "!", 1 },
	/* a wrong line keeps its name */
	{ "a: |prog\n", "a@F:1=!\n", 1 },
	{ "a: b, \"|prog x\"\n", "a@F:1=a:b !\n", 1 },
	{ "a: /tmp/x\n", "a@F:1=!\n", 1 },
	{ "a: :include:x\n", "a@F:1=!\n", 1 },
	{ "a:\n", "a@F:1=!\n", 1 },
	{ "a: ,\n", "a@F:1=!\n", 1 },
	{ "a: b c\n", "a@F:1=!\n", 1 },
	{ "a: b@\n", "a@F:1=!\n", 1 },
	{ "a: <>\n", "a@F:1=!\n", 1 },
	{ "a: \"b\n", "a@F:1=!\n", 1 },
	{ "a: b\001\n", "a@F:1=!\n", 1 },
	/* a line without a name has none */
	{ "hello\n", "", 1 },
	{ ": b\n", "", 1 },
	{ "a@b: c\n", "", 1 },
	{ "\"a: c\n", "", 1 },
	/* twice */
	{ "a: b\nc: d\nA: e\n", "a@F:1=a:b \nc@F:2=a:d \n", 1 },
};

static void
test_alias_parse(void **state)
{
	struct buf b = BUF_INIT;
	struct aliases a;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].text);
		parse(&a, rows[i].text);
		buf_reset(&b);
		for (k = 0; k < a.nalias; k++)
			show(&a.alias[k], &b);
		if (strchr(rows[i].want, '!') != NULL &&
		    strchr(rows[i].want, '\n') == NULL)
			assert_non_null(strchr(buf_str(&b), '!'));
		else
			assert_string_equal(buf_str(&b), rows[i].want);
		assert_int_equal(a.nerrors, rows[i].nerrors);
		for (k = 0; k < a.nerrors; k++)
			assert_memory_equal(a.errors[k], "F:", 2);
		alias_clear(&a);
	}
	buf_clear(&b);
}

static void
test_alias_find(void **state)
{
	struct buf text = BUF_INIT;
	struct aliases a;
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_printf(&text, "n%d: t%d\n", i * 7919 % 1000, i);
	parse(&a, buf_str(&text));
	assert_int_equal(a.nalias, 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "N%d", i);
		assert_string_equal(alias_find(&a, name)->name + 1, name + 1);
	}
	assert_null(alias_find(&a, "n"));
	assert_null(alias_find(&a, ""));
	assert_null(alias_find(&a, "zz"));
	alias_clear(&a);
	assert_null(alias_find(&a, "a"));
	buf_clear(&text);
}

static int
collect(void *arg, const struct alias_target *t)
{
	buf_printf(arg, "%d%s ", (int)t->kind, t->text);
	return strcmp(t->text, "stop") == 0 ? -1 : 0;
}

static void
test_alias_include(void **state)
{
	static const char good[] = "# x\na, b@c\n\n  \"d e\"@f ,\n\\g\n";
	static const char bad[] = "a\n\nb c\nd\n", stop[] = "a\nstop\nb\n";
	struct buf b = BUF_INIT;
	char *why;

	(void)state;
	assert_int_equal(alias_include(good, strlen(good), collect, &b, &why),
	    0);
	assert_string_equal(buf_str(&b), "0a 0b@c 0\"d e\"@f 1g ");
	assert_null(why);
	buf_reset(&b);
	assert_int_equal(alias_include(bad, strlen(bad), collect, &b, &why),
	    -1);
	assert_string_equal(buf_str(&b), "0a ");
	assert_memory_equal(why, "line 3: ", 8);
	free(why);
	buf_reset(&b);
	assert_int_equal(alias_include(stop, strlen(stop), collect, &b, &why),
	    -1);
	assert_string_equal(buf_str(&b), "0a 0stop ");
	assert_null(why);
	buf_clear(&b);
}

static void
test_alias_load(void **state)
{
	char one[] = "/tmp/mxnss-alias-XXXXXX", none[] = "/nonexistent/a";
	char dir[] = "/";
	char *first[] = { one, none, NULL }, *last[] = { none, one, NULL };
	char *wrong[] = { dir, NULL };
	struct aliases a;
	const char *which;
	int fd = mkstemp(one);

	(void)state;
	assert_int_equal(write(fd, "a: b\n", 5), 5);
	close(fd);
	alias_init(&a);
	assert_int_equal(alias_load(&a, last, true, &which), 0);
	assert_int_equal(a.nalias, 1);
	assert_memory_equal(a.alias[0].origin, one, strlen(one));
	alias_clear(&a);
	assert_int_equal(alias_load(&a, first, false, &which), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(which, none);
	alias_clear(&a);
	assert_int_equal(alias_load(&a, wrong, true, &which), -1);
	assert_int_equal(errno, EISDIR);
	alias_clear(&a);
	unlink(one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alias_parse),
		cmocka_unit_test(test_alias_find),
		cmocka_unit_test(test_alias_include),
		cmocka_unit_test(test_alias_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
