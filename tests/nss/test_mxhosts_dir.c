/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <errno.h>

#include <cmocka.h>

#include "fake.h"
#include "generation.h"
#include "tool/getmx.h"
#include "sources/module.h"
#include "mxdb.h"
#include "mxhosts/mxhosts.h"
#include "tree.h"

static const struct fake_line dns[] = {
	{ "dns", "d.example", "SUCCESS 10 dns.d.example" },
	{ NULL, NULL, NULL }
};

/* The result; EXPECT is its error. */
static struct mxinfo *
ask(const char *domain, const char *rcpt, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[200];

	(void)snprintf(sources, sizeof(sources), "files(%s) dns",
	    tree_path("mxhosts"));
	h.mh_sources = sources;
	h.mh_rcpt = rcpt;
	h.mh_flags = MXH_NORANDOM;
	fake_says(dns);
	assert_int_equal(mx_lookup(&fake_env, domain, &h, &info), expect);
	return info;
}

static void
expect_route(const char *domain, const char *rcpt, const char *exchanges,
    const char *origin)
{
	struct mxinfo *info;

	info = ask(domain, rcpt, MX_OK);
	assert_string_equal(fake_exchanges(info), exchanges);
	if (origin != NULL)
		assert_non_null(strstr(info->mi_origin, origin));
	freemxinfo(info);
}

static void
make_dropins(void)
{
	assert_int_equal(mkdir(tree_path("mxhosts.d"), 0755), 0);
}

static int
setup(void **state)
{
	if (tree_setup(state) == -1)
		return -1;
	return mkdir(tree_path("mxhosts.d"), 0755);
}

static void
test_list_order_and_names(void **state)
{
	static const char *const names[] = {
		"b.conf", "10-a.conf", "9-a.conf", "B.conf", ".h.conf",
		"x.conf~", "conf", ".conf", "x.conf.dpkg-new", "a.CONF"
	};
	static const char *const want[] = {
		"10-a.conf", "9-a.conf", "B.conf", "b.conf"
	};
	struct mxhosts_files files;
	char err[600], name[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "mxhosts.d/%s", names[i]);
		tree_write(name, "");
	}
	assert_int_equal(mxhosts_list(tree_path("mxhosts"), &files, err,
	    sizeof(err)), 0);
	assert_int_equal(files.n, 5);
	assert_string_equal(files.path[0], tree_path("mxhosts"));
	for (i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "mxhosts.d/%s", want[i]);
		assert_string_equal(files.path[i + 1], tree_path(name));
	}
	mxhosts_files_clear(&files);
}

static void
test_first_file_with_a_pattern_owns_it(void **state)
{
	(void)state;
	tree_write("mxhosts", "a.example 10 m.example\n*.b.example foo\n");
	tree_write("mxhosts.d/10.conf", "a.example 5 evil.example\n"
	    " 6 evil.example\n\nc.example 10 ten.example\n"
	    "*.b.example n.example\nx.b.example o.example\n");
	tree_write("mxhosts.d/20.conf", "c.example 1 twenty.example\n"
	    "d.example dns\n");
	tree_write("mxhosts.d/30.conf", "d.example 1 late.example\n"
	    " 2 late.example\n");
	expect_route("a.example", NULL, "10 m.example", "/mxhosts:1");
	expect_route("c.example", NULL, "10 ten.example",
	    "/mxhosts.d/10.conf:4");
	expect_route("x.b.example", NULL, "10 o.example", "10.conf:6");
	expect_route("d.example", NULL, "10 dns.d.example", NULL);
	/* what spoils a pattern of the main file stays there */
	freemxinfo(ask("y.b.example", NULL, MX_EDEFER));
}

static void
test_no_main_file(void **state)
{
	(void)state;
	tree_write("mxhosts.d/10.conf", "a.example m.example\n");
	expect_route("a.example", NULL, "10 m.example", "10.conf:1");
}

static void
test_texts_name_the_dropin(void **state)
{
	struct mxinfo *info;

	(void)state;
	tree_write("mxhosts", "b.example dns\n");
	tree_write("mxhosts.d/10.conf", "a.example foo\nb.example foo\n"
	    "c.example reject\n");
	info = ask("a.example", NULL, MX_EDEFER);
	assert_non_null(strstr(info->mi_text, "10.conf:1: unknown word"));
	freemxinfo(info);
	info = ask("c.example", NULL, MX_EREJECT);
	assert_non_null(strstr(info->mi_text, "10.conf:3)"));
	freemxinfo(info);
}

static void
test_user_patterns_in_another_file(void **state)
{
	struct mxinfo *info;

	(void)state;
	tree_write("mxhosts", "a.example m.example\n");
	tree_write("mxhosts.d/10.conf", "amy@a.example n.example\n");
	info = ask("a.example", NULL, MX_OK);
	assert_true(info->mi_flags & MXI_BYRCPT);
	assert_string_equal(fake_exchanges(info), "10 m.example");
	freemxinfo(info);
	expect_route("a.example", "amy@a.example", "10 n.example",
	    "10.conf:1");
	info = ask("d.example", NULL, MX_OK);
	assert_false(info->mi_flags & MXI_BYRCPT);
	freemxinfo(info);
}

/* Mail for D.EXAMPLE, which no file names, is held, and why. */
static void
expect_held(const char *why)
{
	struct mxinfo *info;

	info = ask("d.example", NULL, MX_ESOURCE);
	if (strstr(info->mi_text, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, info->mi_text);
	assert_int_equal(fake_asked("dns"), 0);
	freemxinfo(info);
}

static void
test_what_is_not_to_be_trusted_holds_mail(void **state)
{
	(void)state;
	tree_write("mxhosts.d/10.conf", "a.example m.example\n");
	expect_route("d.example", NULL, "10 dns.d.example", NULL);
	assert_int_equal(chmod(tree_path("mxhosts.d/10.conf"), 0664), 0);
	expect_held("mxhosts.d/10.conf: can be written by others");
	assert_int_equal(chmod(tree_path("mxhosts.d/10.conf"), 0644), 0);
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0775), 0);
	expect_held("mxhosts.d: can be written by others");
	assert_int_equal(chmod(tree_path("mxhosts.d"), 01777), 0);
	expect_held("mxhosts.d: can be written by others");
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0755), 0);
	expect_route("d.example", NULL, "10 dns.d.example", NULL);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(tree_path("mxhosts.d"), 12345, (gid_t)-1), 0);
	expect_held("mxhosts.d: belongs to somebody else");
}

static void
test_what_is_no_file_holds_mail(void **state)
{
	(void)state;
	assert_int_equal(symlink("nothing",
	    tree_path("mxhosts.d/10.conf")), 0);
	expect_held("10.conf: is a link to a file that does not exist");
	tree_write("mxhosts.d/nothing", "d.example m.example\n");
	expect_route("d.example", NULL, "10 m.example", "10.conf:1");
	assert_int_equal(mkdir(tree_path("mxhosts.d/20.conf"), 0755), 0);
	expect_held("20.conf: is not a regular file");
}

static void
test_directory_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(rmdir(tree_path("mxhosts.d")), 0);
	expect_route("d.example", NULL, "10 dns.d.example", NULL);
	tree_write("mxhosts.d", "");
	expect_held("mxhosts.d: cannot be read: Not a directory");
	assert_int_equal(unlink(tree_path("mxhosts.d")), 0);
	assert_int_equal(symlink("nothing", tree_path("mxhosts.d")), 0);
	expect_held("mxhosts.d: is a link to a file that does not exist");
	assert_int_equal(unlink(tree_path("mxhosts.d")), 0);
	make_dropins();
	expect_route("d.example", NULL, "10 dns.d.example", NULL);
}

static uint64_t
generation(void)
{
	return mxgeneration_overrides(1, tree_path("mxhosts"));
}

static void
test_generation_covers_all_files(void **state)
{
	uint64_t g = generation(), h;

	(void)state;
	assert_true(g == generation());
	tree_write("mxhosts", "a.example m.example\n");
	assert_true((h = generation()) != g);
	tree_write("mxhosts.d/10.conf", "a.example m.example\n");
	assert_true((g = generation()) != h);
	assert_true(g == generation());
	/* in place: the directory does not change */
	tree_write("mxhosts.d/10.conf", "a.example mx.example\n");
	assert_true((h = generation()) != g);
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0777), 0);
	assert_true(generation() != h);
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0755), 0);
	h = generation();
	assert_int_equal(unlink(tree_path("mxhosts.d/10.conf")), 0);
	assert_true(generation() != h);
}

static char *text;

static int
run(int (*what)(FILE *, const struct getmx_paths *, const char *))
{
	static const struct nssconf_place places[] = { { NULL, 0 } };
	static const struct mxmodule_dir moddir = { "/nonexistent", 0,
	    places };
	struct getmx_paths paths = { places, tree_path("mxhosts"),
	    "/nonexistent/runner", &moddir };
	FILE *fp;
	size_t size;
	int code;

	free(text);
	assert_non_null(fp = open_memstream(&text, &size));
	code = what(fp, &paths, NULL);
	assert_int_equal(fclose(fp), 0);
	return code;
}

static void
test_check_and_config_know_all_files(void **state)
{
	(void)state;
	tree_write("mxhosts", "a.example m.example\n");
	tree_write("mxhosts.d/10.conf", "b.example m.example\n");
	assert_int_equal(run(getmx_check), 0);
	assert_non_null(strstr(text, "mxhosts: 1 pattern, no error\n"));
	assert_non_null(strstr(text, "10.conf: 1 pattern, no error\n"));
	tree_write("mxhosts.d/20.conf", "\nb.example foo\n");
	assert_int_equal(symlink("nothing",
	    tree_path("mxhosts.d/30.conf")), 0);
	assert_int_equal(run(getmx_check), 78);
	assert_non_null(strstr(text, "20.conf:2: unknown word"));
	assert_non_null(strstr(text, "30.conf: is a link to"));
	assert_int_equal(run(getmx_config), 0);
	assert_non_null(strstr(text, "/mxhosts\n# files: "));
	assert_non_null(strstr(text, "/mxhosts.d/10.conf\n# files: "));
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0777), 0);
	assert_int_equal(run(getmx_config), 0);
	assert_non_null(strstr(text, "mxhosts.d: can be written by others"));
	assert_int_equal(run(getmx_check), 78);
	assert_non_null(strstr(text, "mxhosts.d: can be written by others"));
	assert_non_null(strstr(text, "mxhosts: 1 pattern, no error\n"));
	free(text);
	text = NULL;
}

static void
test_check_knows_who_owns_a_pattern(void **state)
{
	(void)state;
	tree_write("mxhosts", "a.example m.example\n*.w.example m.example\n"
	    "amy@u.example dns\n");
	tree_write("mxhosts.d/10.conf", "\nA.example. 20 x.example\n"
	    "\t30 y.example\nb.example m.example\nbob@a.example dns\n");
	tree_write("mxhosts.d/20.conf", "b.example z.example\n"
	    ".W.example z.example\nu.example z.example\n"
	    "eve@v.example dns\n");
	assert_int_equal(run(getmx_check), 0);
	assert_non_null(strstr(text, "10.conf:2: warning: the pattern belongs "
	    "to /"));
	assert_non_null(strstr(text, "/mxhosts:1, which is read first; its "
	    "lines here have no effect\n"));
	assert_null(strstr(text, "10.conf:3:"));
	assert_null(strstr(text, "10.conf:4:"));
	assert_non_null(strstr(text, "20.conf:1: warning: the pattern belongs "
	    "to /"));
	assert_non_null(strstr(text, "/mxhosts.d/10.conf:4, which"));
	assert_non_null(strstr(text, "20.conf:2: warning: the pattern belongs "
	    "to /"));
	assert_null(strstr(text, "20.conf:3:"));
	/* another file may cover a user */
	assert_null(strstr(text, "mxhosts:3:"));
	assert_null(strstr(text, "10.conf:5:"));
	assert_non_null(strstr(text, "20.conf:4: warning: no other pattern "
	    "covers this user"));
	free(text);
	text = NULL;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_list_order_and_names),
		TEST(test_first_file_with_a_pattern_owns_it),
		TEST(test_no_main_file),
		TEST(test_texts_name_the_dropin),
		TEST(test_user_patterns_in_another_file),
		TEST(test_what_is_not_to_be_trusted_holds_mail),
		TEST(test_what_is_no_file_holds_mail),
		TEST(test_directory_that_is_none),
		TEST(test_generation_covers_all_files),
		TEST(test_check_and_config_know_all_files),
		TEST(test_check_knows_who_owns_a_pattern)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
