/* SPDX-License-Identifier: ISC */
/*
 * Sources from files: which are loaded, and whole lookups through those of
 * tests/nss/modules, copied to a directory of this test.
 */
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns.h"
#include "fake.h"
#include "sources/module.h"
#include "mxdb.h"

#define STATIC	"tests/nss/modules/mxnss_static.so"
#define HOSTILE	"tests/nss/modules/mxnss_hostile.so"

static char path[PATH_MAX];		/* of the directory */
static char conf[PATH_MAX];		/* of the configuration */
static struct nssconf_place places[2];
static struct mxmodule_dir dir;
static struct mx_env env;

/* DIR/mxnss_NAME.so */
static const char *
file_of(const char *name)
{
	static char buf[PATH_MAX + 64];

	(void)snprintf(buf, sizeof(buf), "%s/mxnss_%s.so", path, name);
	return buf;
}

static void
write_file(const char *to, const void *text, size_t len)
{
	int fd;

	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(close(fd), 0);
}

/* A copy of FROM, in the build directory, as the module NAME. */
static void
install(const char *from, const char *name)
{
	static char buf[4 * 1024 * 1024];
	size_t n;
	FILE *fp;

	assert_non_null(fp = fopen(from, "r"));
	n = fread(buf, 1, sizeof(buf), fp);
	assert_in_range(n, 1, sizeof(buf) - 1);
	assert_int_equal(fclose(fp), 0);
	write_file(file_of(name), buf, n);
}

static const struct mxnss_module *
find(const char *name, char *err)
{
	err[0] = '\0';
	return mxmodule_find(mxmodule_builtin, &dir, name, err, 700);
}

static const struct {
	const char	*name;
	const char	*from;
	const char	*why;		/* NULL: it is loaded */
} files[] = {
	{ "static", STATIC, NULL },
	{ "hostile", HOSTILE, NULL },
	{ "two-words", HOSTILE, NULL },
	{ "bigger", HOSTILE, NULL },
	{ "future", HOSTILE, "another version of <mxnss.h>" },
	{ "small", HOSTILE, "its descriptor is too small" },
	{ "other", HOSTILE, "its descriptor has another name" },
	{ "nameless", HOSTILE, "its descriptor has another name" },
	{ "noopen", HOSTILE, "its descriptor lacks a function" },
	{ "noask", HOSTILE, "its descriptor lacks a function" },
	{ "missing", HOSTILE, "it has no descriptor" }
};

static void
test_find_rows(void **state)
{
	const struct mxnss_module *mod;
	char err[700];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		print_message("# %s\n", files[i].name);
		install(files[i].from, files[i].name);
		mod = find(files[i].name, err);
		if (files[i].why == NULL) {
			assert_string_equal(err, "");
			assert_non_null(mod);
			assert_string_equal(mod->name, files[i].name);
			/* What is loaded stays, whatever becomes of the file. */
			assert_int_equal(unlink(file_of(files[i].name)), 0);
			assert_ptr_equal(find(files[i].name, err), mod);
			continue;
		}
		assert_null(mod);
		assert_non_null(strstr(err, files[i].why));
		assert_non_null(strstr(err, file_of(files[i].name)));
		assert_memory_equal(err, "source \"", 8);
	}
}

static void
test_find_linked_in_sources_first(void **state)
{
	char err[700];

	(void)state;
	install(HOSTILE, "dns");
	assert_ptr_equal(find("dns", err), &_mxnss_dns_module);
}

static void
test_find_without_a_directory(void **state)
{
	char err[700];

	(void)state;
	assert_null(mxmodule_find(mxmodule_builtin, NULL, "static", err,
	    sizeof(err)));
	assert_string_equal(err, "there is no source \"static\"");
}

/* What kind of thing lies in the place of a module. */
static void
make_good(const char *file)
{
	(void)file;
}

static void
make_group_writable(const char *file)
{
	assert_int_equal(chmod(file, 0664), 0);
}

static void
make_world_writable(const char *file)
{
	assert_int_equal(chmod(file, 0646), 0);
}

static void
make_directory_writable(const char *file)
{
	(void)file;
	assert_int_equal(chmod(path, 0775), 0);
}

static void
make_link(const char *file)
{
	char real[PATH_MAX + 64];

	(void)snprintf(real, sizeof(real), "%s.real", file);
	assert_int_equal(rename(file, real), 0);
	assert_int_equal(symlink(real, file), 0);
}

static void
make_directory(const char *file)
{
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0755), 0);
}

static void
make_fifo(const char *file)
{
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0644), 0);
}

static void
make_text(const char *file)
{
	write_file(file, "#!/bin/sh\n", 10);
}

static void
make_empty(const char *file)
{
	write_file(file, "", 0);
}

static void
make_nothing(const char *file)
{
	assert_int_equal(unlink(file), 0);
}

static const struct {
	const char	*name;
	void		(*make)(const char *);
	const char	*why;
} places_of_modules[] = {
	{ "writable by its group", make_group_writable,
	    "mxnss_static.so: can be written by others" },
	{ "writable by all", make_world_writable,
	    "mxnss_static.so: can be written by others" },
	{ "in a writable directory", make_directory_writable,
	    "modules: can be written by others" },
	{ "a symbolic link", make_link,
	    "mxnss_static.so: is not a regular file" },
	{ "a directory", make_directory,
	    "mxnss_static.so: is not a regular file" },
	{ "a fifo", make_fifo, "mxnss_static.so: is not a regular file" },
	{ "a script", make_text, "cannot be loaded: " },
	{ "an empty file", make_empty, "cannot be loaded: " },
	{ "nothing", make_nothing,
	    "there is no source \"static\" here, and no /" },
	{ "a good one", make_good, NULL }
};

static void clear(void);

/* Each in a new directory, so that nothing is remembered from before. */
static void
test_find_trust_rows(void **state)
{
	const struct mxnss_module *mod;
	char err[700], top[PATH_MAX];
	size_t i;

	(void)state;
	(void)strlcpy(top, path, sizeof(top));
	for (i = 0; i < sizeof(places_of_modules) /
	    sizeof(places_of_modules[0]); i++) {
		print_message("# %s\n", places_of_modules[i].name);
		assert_true((size_t)snprintf(path, sizeof(path),
		    "%.*s/%zu-modules", (int)sizeof(path) - 40, top, i) <
		    sizeof(path));
		assert_int_equal(mkdir(path, 0700), 0);
		install(STATIC, "static");
		places_of_modules[i].make(file_of("static"));
		mod = find("static", err);
		if (places_of_modules[i].why == NULL)
			assert_non_null(mod);
		else if (mod != NULL ||
		    strstr(err, places_of_modules[i].why) == NULL)
			fail_msg("\"%s\" is not in \"%s\"",
			    places_of_modules[i].why, err);
		clear();
		assert_int_equal(rmdir(path), 0);
		(void)strlcpy(path, top, sizeof(path));
	}
}

static void
test_find_owner(void **state)
{
	char err[700];

	(void)state;
	if (geteuid() != 0)
		skip();		/* cannot give a file away */
	install(STATIC, "static");
	assert_int_equal(chown(file_of("static"), 1, (gid_t)-1), 0);
	assert_null(find("static", err));
	assert_non_null(strstr(err, "so: does not belong to root (chown 0)"));
	assert_int_equal(chown(file_of("static"), 0, (gid_t)-1), 0);
	assert_int_equal(chown(path, 1, (gid_t)-1), 0);
	assert_null(find("static", err));
	assert_non_null(strstr(err, "does not belong to root (chown 0)"));
	assert_null(strstr(err, ".so"));
	assert_int_equal(chown(path, 0, (gid_t)-1), 0);
}

/* The one that is compiled in belongs to root alone. */
static void
test_installed_directory(void **state)
{
	(void)state;
	assert_string_equal(mxmodule_installed.path, MXNSS_MODULEDIR);
	assert_int_equal(mxmodule_installed.path[0], '/');
	assert_int_equal(mxmodule_installed.owner, 0);
	assert_ptr_equal(mxmodule_installed.places, nssconf_places);
}

static _Atomic int opened;

void	*__real_dlopen(const char *, int);
void	*__wrap_dlopen(const char *, int);

void *
__wrap_dlopen(const char *file, int flags)
{
	opened++;
	assert_int_equal(file[0], '/');
	assert_int_equal(flags, RTLD_NOW | RTLD_LOCAL);
	return __real_dlopen(file, flags);
}

/* Until the file system says that the configuration has changed. */
static void
change_configuration(void)
{
	struct stat before, after;

	assert_int_equal(stat(conf, &before), 0);
	do {
		write_file(conf, "mxhosts: static(c=d)\n", 21);
		assert_int_equal(stat(conf, &after), 0);
	} while (after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
	    after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

static void
test_failure_remembered_until_a_change(void **state)
{
	char err[700], again[700];

	(void)state;
	install(STATIC, "static");
	make_text(file_of("static"));
	opened = 0;
	assert_null(find("static", err));
	assert_null(find("static", again));
	assert_string_equal(again, err);
	assert_int_equal(opened, 1);
	change_configuration();
	assert_null(find("static", again));
	assert_null(find("static", again));
	assert_string_equal(again, err);
	assert_int_equal(opened, 2);
	assert_int_equal(unlink(file_of("static")), 0);
	install(STATIC, "static");
	assert_non_null(find("static", err));
	assert_non_null(find("static", err));
	assert_int_equal(opened, 3);
}

/* More failures than are remembered: each is still one. */
static void
test_failure_of_many(void **state)
{
	char name[16], err[700];
	int i, round;

	(void)state;
	for (round = 0; round < 2; round++)
		for (i = 0; i < 20; i++) {
			(void)snprintf(name, sizeof(name), "none%d", i);
			assert_null(find(name, err));
			assert_non_null(strstr(err, name));
		}
}

static void *
find_often(void *arg)
{
	static const char *const names[] = { "static", "future", "none" };
	const struct mxnss_module *mod;
	char err[700];
	int i;

	(void)arg;
	for (i = 0; i < 3000; i++) {
		mod = find(names[i % 3], err);
		if (mod == NULL ? strstr(err, names[i % 3]) == NULL :
		    i % 3 != 0 || strcmp(mod->name, "static") != 0)
			return err[0] == '\0' ? strdup("no text") :
			    strdup(err);
	}
	return NULL;
}

static void
test_find_by_threads(void **state)
{
	pthread_t thread[8];
	void *wrong;
	size_t i;

	(void)state;
	install(STATIC, "static");
	install(HOSTILE, "future");
	for (i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, find_often,
		    NULL), 0);
	for (i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(thread[i], &wrong), 0);
		if (wrong != NULL)
			fail_msg("%s", (const char *)wrong);
	}
}

/* --- lookups ------------------------------------------------------------- */

static struct mxinfo *
look_up(const char *sources, int timeout, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	int error;

	h.mh_sources = sources;
	h.mh_timeout = timeout;
	h.mh_flags = MXH_NORANDOM;
	error = mx_lookup(&env, "one.example", &h, &info);
	if (error != expect)
		print_message("%s: %s: %s\n", sources, mx_errname(error),
		    info == NULL ? "" : info->mi_text);
	assert_int_equal(error, expect);
	return info;
}

static const struct {
	const char	*sources;
	int		 error;
	const char	*exchanges;
	const char	*source;
	const char	*text;		/* part of mi_text */
	const char	*note;		/* part of the first note */
} rows[] = {
	{ "static(one.example=mx.example)", 0, "10 mx.example", "static",
	    NULL, NULL },
	{ "static(two.example=mx.example) alpha", 0, "10 a.example", "alpha",
	    NULL, NULL },
	{ "static(one.example=192.0.2.1)", 0, "10 192.0.2.1", "static", NULL,
	    NULL },
	{ "static(one.example=a b) alpha", MX_ESOURCE, "", "static",
	    "the exchange is not a host name", NULL },
	{ "static alpha", MX_ECONFIG, "", "static",
	    "source \"static\" needs an argument", NULL },
	{ "static(x) alpha", MX_ECONFIG, "", "static",
	    "source \"static\" refuses its argument \"x\"", NULL },
	{ "nosuch", MX_ESOURCE, "", "nosuch",
	    "there is no source \"nosuch\" here, and no /", NULL },
	{ "nosuch alpha", 0, "10 a.example", "alpha", NULL,
	    "passed over: there is no source \"nosuch\" here, and no /" },
	{ "nosuch [UNAVAIL=return] alpha", MX_ESOURCE, "", "nosuch",
	    "there is no source", NULL },
	{ "future alpha", 0, "10 a.example", "alpha", NULL,
	    "passed over: source \"future\" cannot be loaded" },
	{ "future beta", MX_ESOURCE, "", "future",
	    "source \"future\" cannot be loaded", NULL },
	{ "hostile(closed)", MX_ESOURCE, "", "hostile", "cannot be opened: "
	    "no reason given", NULL },
	{ "hostile(positive)", MX_ESOURCE, "", "hostile",
	    "cannot be opened: no reason given", NULL },
	{ "hostile(empty)", MX_ESOURCE, "", "hostile", "names no exchange",
	    NULL },
	{ "hostile(rubbish)", MX_ESOURCE, "", "hostile", "names no exchange",
	    NULL },
	{ "hostile(nothing)", MX_ESOURCE, "", "hostile",
	    "a source of mail exchangers cannot be used", NULL },
	{ "hostile(status)", MX_ESOURCE, "", "hostile",
	    "a status that does not exist", NULL },
	{ "hostile(minus)", MX_ESOURCE, "", "hostile",
	    "a status that does not exist", NULL },
	{ "hostile(minus) alpha", 0, "10 a.example", "alpha", NULL,
	    "passed over: source \"hostile\" returned a status" },
	{ "hostile(again) alpha", MX_ESOURCE, "", "hostile",
	    "failed for now", NULL },
	{ "hostile(bounce) alpha", MX_ESOURCE, "", "hostile",
	    "go??away?[2J", NULL },
	{ "hostile(permanent)", MX_ESOURCE, "", "hostile", "no such domain",
	    NULL }
};

static const struct fake_line lines[] = {
	{ "alpha", "one.example", "SUCCESS 10 a.example" },
	{ NULL, NULL, NULL }
};

static void
test_lookup_rows(void **state)
{
	struct mxinfo *info;
	size_t i;

	(void)state;
	install(STATIC, "static");
	install(HOSTILE, "hostile");
	install(HOSTILE, "future");
	fake_says(lines);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].sources);
		info = look_up(rows[i].sources, 0, rows[i].error);
		assert_string_equal(fake_exchanges(info), rows[i].exchanges);
		assert_string_equal(info->mi_source, rows[i].source);
		if (rows[i].text != NULL &&
		    strstr(info->mi_text, rows[i].text) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", rows[i].text,
			    info->mi_text);
		if (rows[i].error != 0)
			assert_string_equal(info->mi_dsn, "4.3.5");
		if (rows[i].note == NULL)
			assert_null(info->mi_notes);
		else
			assert_non_null(strstr(info->mi_notes->mn_text,
			    rows[i].note));
		freemxinfo(info);
	}
}

static void
test_lookup_flood_is_bounded(void **state)
{
	const struct mxnote *note;
	struct mxinfo *info;
	int n = 0;

	(void)state;
	install(HOSTILE, "hostile");
	info = look_up("hostile(flood)", 0, MX_OK);
	assert_int_equal(info->mi_count, 100);
	assert_true(info->mi_flags & MXI_PARTIAL);
	for (note = info->mi_notes; note != NULL; note = note->mn_next)
		n++;
	assert_int_equal(n, 50);
	freemxinfo(info);
}

static void
test_lookup_flags_are_those_of_the_header(void **state)
{
	struct mxinfo *info;

	(void)state;
	install(HOSTILE, "hostile");
	info = look_up("hostile(flags)", 0, MX_OK);
	assert_int_equal(info->mi_flags & ~(uint32_t)(MXI_IMPLICIT |
	    MXI_PARTIAL | MXI_BYRCPT), 0);
	assert_int_equal(info->mi_mx->mx_flags & ~(uint32_t)(MXE_IMPLICIT |
	    MXE_SECURE | MXE_LOCALCONF | MXE_CNAME | MXE_IMPLICITTLS), 0);
	freemxinfo(info);
}

/* It cannot be stopped, but nobody else is asked after the deadline. */
static void
test_lookup_blocked(void **state)
{
	struct mxinfo *info;

	(void)state;
	install(HOSTILE, "hostile");
	fake_says(lines);
	env.now = mxdns_now;
	info = look_up("hostile(block) alpha", 50, MX_ETIMEOUT);
	env.now = fake_env.now;
	assert_string_equal(info->mi_source, "alpha");
	assert_int_equal(fake_asked("alpha"), 0);
	freemxinfo(info);
}

/* --- each test in a directory of its own --------------------------------- */

static void
clear(void)
{
	struct dirent *de;
	DIR *d;

	assert_non_null(d = opendir(path));
	while ((de = readdir(d)) != NULL)
		if (unlinkat(dirfd(d), de->d_name, 0) == -1)
			(void)unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	(void)closedir(d);
}

static int
setup(void **state)
{
	(void)state;
	if (realpath("tests/nss", path) == NULL ||
	    strlcat(path, "/modules.XXXXXX", sizeof(path)) >= sizeof(path) ||
	    mkdtemp(path) == NULL)
		return -1;
	(void)strlcpy(conf, fake_text("mxnss.conf", "mxhosts: static(a=b)\n"),
	    sizeof(conf));
	places[0].path = conf;
	dir.path = path;
	dir.owner = geteuid();
	dir.places = places;
	env = fake_env;
	env.moddir = &dir;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	clear();
	fake_clean();
	return rmdir(path);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_find_rows),
		TEST(test_find_linked_in_sources_first),
		TEST(test_find_without_a_directory),
		TEST(test_find_trust_rows),
		TEST(test_find_owner),
		TEST(test_installed_directory),
		TEST(test_failure_remembered_until_a_change),
		TEST(test_failure_of_many),
		TEST(test_find_by_threads),
		TEST(test_lookup_rows),
		TEST(test_lookup_flood_is_bounded),
		TEST(test_lookup_flags_are_those_of_the_header),
		TEST(test_lookup_blocked)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
