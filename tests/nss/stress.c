/* SPDX-License-Identifier: ISC */
/*
 * make check-threads: 16 threads make 100,000 lookups each, or as many as
 * STRESS_LOOKUPS says, of libmxres and of libmxnss, from a name server and
 * from overrides, while resolv.conf and the override file change and
 * processes fork.  Built once with ThreadSanitizer, which finds the races,
 * and once without, when the heap must not have grown: what each lookup, or
 * one in ten, leaks is seen with 5,000 already.
 *
 * Half of the time clocks are ten seconds ahead, so that files are old enough
 * to be remembered.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/netns.h"
#include "../lib/server.h"
#include "mxdb.h"
#include "mxres.h"

#define THREADS		16
#define LOOKUPS		100000		/* of each thread, by default */
#define WARMUP		2000
#define GROWTH		(64 * 1024)	/* octets, for all lookups */

static const char script[] =
    "d.test MX MX 10 a.test MX 10 b.test\n"
    "null.test MX MX 0 .\n"
    "a.test A A 192.0.2.1\n"
    "fail.test MX servfail\n";

static struct server srv = { .nolog = true };
static const char *why;
static char dir[] = "/tmp/mxnss-stress.XXXXXX", list[128];
static atomic_uint wrong;
static atomic_bool over;
static atomic_long ahead;		/* seconds */
static unsigned int lookups;

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (__real_clock_gettime(clock, ts) == -1)
		return -1;
	if (clock == CLOCK_REALTIME)
		ts->tv_sec += atomic_load(&ahead);
	return 0;
}

static void
expect(bool good)
{
	if (!good)
		atomic_fetch_add(&wrong, 1);
}

static void
ask_mxres(struct mxres_ctx *ctx, unsigned int i)
{
	struct mxres_answer *a = NULL;

	switch (i % 4) {
	case 0:
		expect(mxres_mx(ctx, "d.test", &a) == MXRES_OK &&
		    a->nmx == 2);
		break;
	case 1:
		expect(mxres_addr(ctx, "a.test", AF_INET, &a) == MXRES_OK);
		break;
	case 2:
		expect(mxres_mx(ctx, "fail.test", &a) == MXRES_SERVFAIL);
		break;
	default:
		expect(mxres_tlsa(ctx, "a.test", 25, &a) == MXRES_NXDOMAIN);
		break;
	}
	mxres_answer_free(a);
}

static void
ask_mxnss(const char *domain, int error)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info = NULL;

	h.mh_sources = list;
	expect(getmxinfo(domain, &h, &info) == error);
	freemxinfo(info);
}

/* One in eight lookups asks libmxres, one in eight libmxnss the DNS. */
static void *
look_up(void *arg)
{
	struct mxres_ctx *ctx = mxres_new();
	unsigned int i;

	(void)arg;
	expect(ctx != NULL);
	for (i = 0; i < lookups && ctx != NULL; i++)
		switch (i % 8) {
		case 0:
			ask_mxres(ctx, i / 8);
			break;
		case 1:
			ask_mxnss(i % 16 == 1 ? "d.test" : "null.test",
			    i % 16 == 1 ? MX_OK : MX_ENULLMX);
			break;
		case 2:
			ask_mxnss("no.example", MX_EREJECT);
			break;
		default:
			ask_mxnss("over.example", MX_OK);
		}
	mxres_free(ctx);
	return NULL;
}

static void
write_overrides(unsigned int version)
{
	char path[128], new[128];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/mxhosts", dir);
	snprintf(new, sizeof(new), "%s/new", dir);
	if ((fp = fopen(new, "we")) == NULL)
		abort();
	fprintf(fp, "over.example %u m.example\nno.example reject\n",
	    version % 60000);
	if (fclose(fp) != 0 || rename(new, path) != 0)
		abort();
}

/*
 * ThreadSanitizer's own allocator may stay locked in a child of a process
 * with threads; then the kernel ends it.  That is rare: once in hundreds.
 */
#ifdef __SANITIZE_THREAD__
#define HANGS_MAX	2
#else
#define HANGS_MAX	0
#endif

static void
fork_one(void)
{
	struct mxres_ctx *ctx;
	static int hangs;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (HANGS_MAX > 0)
			alarm(20);
		atomic_store(&wrong, 0);
		if ((ctx = mxres_new()) == NULL)
			_exit(1);
		ask_mxres(ctx, 0);
		ask_mxnss("over.example", MX_OK);
		ask_mxnss("d.test", MX_OK);
		mxres_free(ctx);
		_exit(atomic_load(&wrong) != 0);
	}
	expect(pid != -1 && waitpid(pid, &status, 0) == pid && (status == 0 ||
	    (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM &&
	    ++hangs <= HANGS_MAX)));
}

/*
 * The world changes; the overrides seldom, as a file that is younger than
 * two seconds is read at each lookup.  Each other second nothing changes but
 * the clock.
 */
static void *
disturb(void *arg)
{
	static const char *const confs[] = {
		"nameserver 127.0.0.1\n",
		"nameserver ::1\noptions edns0\n",
		"nameserver 192.0.2.53\noptions rotate trust-ad\n"
	};
	const struct timespec pause = { .tv_nsec = 20000000 };
	unsigned int i;

	(void)arg;
	for (i = 0; !atomic_load(&over); i++) {
		atomic_store(&ahead, i / 50 % 2 * 10);
		if (i % 100 < 60)
			expect(netns_resolvconf(confs[i % 3]));
		if (i % 200 == 0)
			write_overrides(i);
		if (i % 10 == 0)
			fork_one();
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void
run_threads(unsigned int n)
{
	pthread_t thread[THREADS];
	size_t i;

	lookups = n;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, look_up,
		    NULL), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

static size_t
heap(void)
{
	return mallinfo2().uordblks;
}

static void
test_threads_and_heap(void **state)
{
	const char *number = getenv("STRESS_LOOKUPS");
	unsigned int n = number == NULL ? LOOKUPS :
	    (unsigned int)strtonum(number, 1, 100000000, NULL);
	pthread_t disturber;
	size_t before, after;

	(void)state;
	if (why != NULL) {
		print_message("# %s\n", why);
		skip();
	}
	assert_int_equal(pthread_create(&disturber, NULL, disturb, NULL), 0);
	run_threads(WARMUP);
	before = heap();
	run_threads(n);
	after = heap();
	atomic_store(&over, true);
	assert_int_equal(pthread_join(disturber, NULL), 0);
	print_message("# %u lookups, heap %zu, then %zu\n",
	    THREADS * n, before, after);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(after < before + GROWTH);
}

static int
start(void **state)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "192.0.2.53", NULL
	};

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(list, sizeof(list), "files(%s/mxhosts) dns", dir);
	write_overrides(0);
	if ((why = netns_enter()) != NULL)
		return 0;
	server_start_on(&srv, script, addrs, 53);
	return netns_resolvconf("nameserver 127.0.0.1\n") ? 0 : -1;
}

static int
stop(void **state)
{
	char path[128];

	(void)state;
	if (why == NULL)
		server_stop(&srv);
	netns_leave();
	snprintf(path, sizeof(path), "%s/mxhosts", dir);
	(void)unlink(path);
	(void)rmdir(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_and_heap),
	};

	return cmocka_run_group_tests_name("stress", tests, start, stop);
}
