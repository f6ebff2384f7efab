/* SPDX-License-Identifier: ISC */
/*
 * A source is opened once for each configuration, and closed when the last
 * lookup under it is over.  Time is moved ten seconds on, so that files are
 * old enough to be remembered.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>

#include "fake.h"
#include "mxdb.h"
#include "mxnss.h"
#include "nssconf.h"
#include "sources/module.h"
#include "srclist.h"
#include "../lib/faults.h"
#include "tree.h"

/* AddressSanitizer's allocator does not survive a fork among threads. */
#ifdef __SANITIZE_ADDRESS__
#define UNSAFE_FORK	1
#else
#define UNSAFE_FORK	0
#endif

#define THREADS		8
#define VERSIONS	1000

static atomic_long ahead;		/* seconds */
static atomic_uint opens, closes;
static atomic_int refuse;		/* to open */

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (__real_clock_gettime(clock, ts) == -1)
		return -1;
	ts->tv_sec += atomic_load(&ahead);
	return 0;
}

/* --- a source that counts; its argument is the host that it names -------- */

struct counted {
	const struct mxnss_host	*host;
	char			 name[64];
};

static int
counted_open(const struct mxnss_host *host, const char *arg, void **priv)
{
	struct counted *c;

	if (atomic_load(&refuse)) {
		errno = ECONNREFUSED;
		return -1;
	}
	if ((c = malloc(sizeof(*c))) == NULL)
		return -1;
	c->host = host;
	(void)strlcpy(c->name, arg == NULL ? "none" : arg, sizeof(c->name));
	*priv = c;
	atomic_fetch_add(&opens, 1);
	return 0;
}

static enum mxnss_status
counted_ask(void *priv, const struct mxnss_query *q, struct mxnss_reply *r)
{
	const struct counted *c = priv;
	struct mxnss_record rec;

	(void)q;
	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = c->name;
	return c->host->add(r, &rec) == -1 ? MXNSS_TRYAGAIN : MXNSS_SUCCESS;
}

static void
counted_close(void *priv)
{
	free(priv);
	atomic_fetch_add(&closes, 1);
}

static const struct mxnss_module counted = {
	MXNSS_ABI, sizeof(counted), "counted", "1", counted_open,
	counted_ask, counted_close
};
static const struct mxnss_module *modules[] = { &counted, NULL };
/* Not one of the table, as if it had been loaded. */
static const struct mxnss_module *none[] = { NULL };

static char conf_path[128];
static struct nssconf_place places[] = {
	{ conf_path, 1 }, { NULL, 0 }
};
static struct mx_env env;

static int
setup(void **state)
{
	atomic_store(&ahead, 10);
	atomic_store(&refuse, 0);
	if (tree_setup(state) == -1)
		return -1;
	(void)strlcpy(conf_path, tree_path("conf"), sizeof(conf_path));
	env = fake_env;
	env.places = places;
	env.modules = modules;
	env.keep = 1;
	atomic_store(&opens, 0);
	atomic_store(&closes, 0);
	return 0;
}

/* The table of this test is not the next one's. */
static int
teardown(void **state)
{
	static const struct mxnss_module *const empty[] = {
		&_mxnss_files_module, NULL
	};
	static const char *const lists[] = { "files", "files(/a)",
		"files(/b)", "files(/c)" };
	char err[600];
	size_t i;

	env.modules = empty;
	for (i = 0; i < 4; i++)
		mxsrclist_put(mxsrclist_get(&env, lists[i], err,
		    sizeof(err)));
	return tree_teardown(state);
}

static void
says(const char *sources, const char *host)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	h.mh_sources = sources;
	h.mh_flags = MXH_NOSELFCUT;
	assert_int_equal(mx_lookup(&env, "d.example", &h, &info), MX_OK);
	assert_string_equal(info->mi_mx->mx_host, host);
	freemxinfo(info);
}

static void
counts(unsigned int o, unsigned int c)
{
	assert_int_equal(atomic_load(&opens), o);
	assert_int_equal(atomic_load(&closes), c);
}

static void
test_opened_once_for_a_configuration(void **state)
{
	int i;

	(void)state;
	tree_write("conf", "mxhosts: counted(a.example)\n");
	for (i = 0; i < 5; i++)
		says(NULL, "a.example");
	counts(1, 0);
	tree_write("conf", "mxhosts: counted(bb.example)\n");
	for (i = 0; i < 5; i++)
		says(NULL, "bb.example");
	counts(2, 1);
	/* the file goes, and the default list has no source here */
	assert_int_equal(unlink(conf_path), 0);
	tree_write("conf", "# nothing\nmxhosts: counted(a.example)\n");
	says(NULL, "a.example");
	counts(3, 2);
}

static void
test_young_configuration_is_not_kept(void **state)
{
	char text[64], host[32];
	unsigned int i;

	(void)state;
	atomic_store(&ahead, 0);
	for (i = 1; i < 100; i++) {
		(void)snprintf(host, sizeof(host), "h%02u.example", i);
		(void)snprintf(text, sizeof(text), "mxhosts: counted(%s)\n",
		    host);
		tree_write("conf", text);
		says(NULL, host);
		counts(i, i);
	}
}

static void
test_lists_of_the_caller(void **state)
{
	static const char *const lists[] = { "counted(a.example)",
	    "counted(b.example)", "counted(c.example)", "counted(d.example)",
	    "counted(e.example)" };
	char host[] = "a.example";
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		host[0] = (char)('a' + i % 4);
		says(lists[i % 4], host);
	}
	counts(4, 0);
	says(lists[4], "e.example");	/* the oldest makes room */
	counts(5, 1);
	says(lists[1], "b.example");
	counts(5, 1);
	says(lists[0], "a.example");
	counts(6, 2);
}

static void
test_a_list_in_use_stays_open(void **state)
{
	struct mxsrclist *l;
	char err[600];
	int error;

	(void)state;
	tree_write("conf", "mxhosts: counted(a.example)\n");
	assert_non_null(l = mxsrclist_get(&env, NULL, err, sizeof(err)));
	assert_non_null(mxsrclist_open(l, 0, err, sizeof(err), &error));
	tree_write("conf", "mxhosts: counted(bb.example)\n");
	says(NULL, "bb.example");
	counts(2, 0);
	assert_string_equal(mxsrclist_conf(l)->src[0].arg, "a.example");
	mxsrclist_put(l);
	counts(2, 1);
	mxsrclist_put(NULL);
}

static void
test_a_failure_to_open_is_not_kept(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	int i;

	(void)state;
	tree_write("conf", "mxhosts: counted(a.example)\n");
	atomic_store(&refuse, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(mx_lookup(&env, "d.example", &h, &info),
		    MX_ESOURCE);
		assert_non_null(strstr(info->mi_text, "cannot be opened"));
		freemxinfo(info);
	}
	atomic_store(&refuse, 0);
	says(NULL, "a.example");
	says(NULL, "a.example");
	counts(1, 0);
}

static void
test_a_wrong_list_is_read_again(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	tree_write("conf", "mxhosts: counted(\n");
	assert_int_equal(mx_lookup(&env, "d.example", &h, &info), MX_ECONFIG);
	freemxinfo(info);
	tree_write("conf", "mxhosts: counted(a.example)\n");
	says(NULL, "a.example");
}

static void
test_allocation_failures(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char text[128];
	size_t n;
	int error;

	(void)state;
	h.mh_flags = MXH_NOSELFCUT;
	for (n = 1;; n++) {
		(void)snprintf(text, sizeof(text), "#%*d\nmxhosts: "
		    "counted(a.example)\n", (int)n, 0);
		tree_write("conf", text);
		faults_begin(n);
		error = mx_lookup(&env, "d.example", &h, &info);
		if (!faults_end())
			break;
		assert_true(error == MX_ENOMEM || MX_ISTEMP(error));
		freemxinfo(info);
		says(NULL, "a.example");
	}
	assert_true(n > 5);
	assert_int_equal(error, MX_OK);
	freemxinfo(info);
	assert_int_equal(atomic_load(&opens), atomic_load(&closes) + 1);
}

/* --- threads -------------------------------------------------------------- */

static atomic_uint newest, done, stop, wrong, lookups;

static void
write_version(unsigned int v)
{
	char text[128];

	atomic_store(&newest, v);
	(void)snprintf(text, sizeof(text), "#%*u\nmxhosts: "
	    "counted(v%u.example)\n", (int)(v % 50 + 1), v, v);
	tree_replace("conf", text, strlen(text));
	atomic_store(&done, v);
}

static void *
reader(void *arg)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	unsigned int least;
	unsigned long v;

	(void)arg;
	h.mh_flags = MXH_NOSELFCUT;
	while (!atomic_load(&stop)) {
		least = atomic_load(&done);
		if (mx_lookup(&env, "d.example", &h, &info) != MX_OK)
			atomic_fetch_add(&wrong, 1);
		else {
			v = strtoul(info->mi_mx->mx_host + 1, NULL, 10);
			if (v < least || v > atomic_load(&newest))
				atomic_fetch_add(&wrong, 1);
		}
		freemxinfo(info);
		atomic_fetch_add(&lookups, 1);
		(void)sched_yield();	/* the writer has one turn in nine */
	}
	return NULL;
}

static void
start_readers(pthread_t *thread)
{
	size_t i;

	atomic_store(&stop, 0);
	atomic_store(&wrong, 0);
	atomic_store(&lookups, 0);
	write_version(1);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader,
		    NULL), 0);
}

static void
stop_readers(pthread_t *thread)
{
	size_t i;

	atomic_store(&stop, 1);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(atomic_load(&wrong), 0);
}

static void
test_configuration_changes_among_threads(void **state)
{
	pthread_t thread[THREADS];
	unsigned int v, seen;

	(void)state;
	start_readers(thread);
	for (v = 2; v <= VERSIONS; v++) {
		seen = atomic_load(&lookups);
		while (atomic_load(&lookups) - seen < v % 16)
			(void)sched_yield();
		write_version(v);
	}
	stop_readers(thread);
	print_message("# %u lookups, opened %u times\n",
	    atomic_load(&lookups), atomic_load(&opens));
	says(NULL, "v1000.example");
	/* the last one is still open, and no other */
	assert_int_equal(atomic_load(&opens), atomic_load(&closes) + 1);
}

static const struct mxsource *
open_first(void)
{
	struct mxsrclist *l;
	const struct mxsource *s;
	char err[600];
	int error;

	if ((l = mxsrclist_get(&env, NULL, err, sizeof(err))) == NULL)
		return NULL;
	s = mxsrclist_open(l, 0, err, sizeof(err), &error);
	mxsrclist_put(l);
	return s;
}

static void
test_fork(void **state)
{
	const struct mxsource *parents;
	unsigned int o;
	pid_t pid;
	int status;

	(void)state;
	tree_write("conf", "mxhosts: counted(a.example)\n");
	assert_non_null(parents = open_first());
	assert_ptr_equal(open_first(), parents);
	counts(1, 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0)		/* of a source that is linked in: the same */
		_exit(open_first() != parents);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	o = atomic_load(&opens);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		/* Only now, or the first fork would have forgotten it. */
		modules[0] = none[0];
		if ((pid = fork()) == 0) {
			modules[0] = &counted;
			_exit(open_first() == parents ||
			    atomic_load(&opens) != o + 1 ||
			    atomic_load(&closes) != 0);
		}
		_exit(waitpid(pid, &status, 0) != pid || status != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_fork_while_others_look_up(void **state)
{
	pthread_t thread[THREADS];
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	unsigned int v;
	pid_t pid;
	int status;

	(void)state;
	/* Nor does qemu-user, whose own locks the child inherits. */
	if (UNSAFE_FORK || getenv("TEST_EXEC") != NULL) {
		print_message("# not with this allocator or emulator\n");
		skip();
	}
	start_readers(thread);
	for (v = 2; v < 100; v++) {
		write_version(v);
		assert_int_not_equal(pid = fork(), -1);
		if (pid == 0) {
			(void)alarm(60);	/* a lock that nobody opens */
			h.mh_flags = MXH_NOSELFCUT;
			_exit(mx_lookup(&env, "d.example", &h, &info) !=
			    MX_OK);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	stop_readers(thread);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_opened_once_for_a_configuration),
		TEST(test_young_configuration_is_not_kept),
		TEST(test_lists_of_the_caller),
		TEST(test_a_list_in_use_stays_open),
		TEST(test_a_failure_to_open_is_not_kept),
		TEST(test_a_wrong_list_is_read_again),
		TEST(test_allocation_failures),
		TEST(test_configuration_changes_among_threads),
		TEST(test_fork),
		TEST(test_fork_while_others_look_up)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
