/* SPDX-License-Identifier: ISC */
/*
 * The index must say what a pass over the files says.  Time is moved ten
 * seconds on, so that files are old enough to be indexed; where a test
 * changes a file, the new one differs in its size.
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

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/faults.h"
#include "mxdb.h"
#include "mxhosts/mxhosts.h"
#include "mxhosts/mxhosts_memo.h"
#include "tree.h"

/* AddressSanitizer's allocator does not survive a fork among threads. */
#ifdef __SANITIZE_ADDRESS__
#define UNSAFE_FORK	1
#else
#define UNSAFE_FORK	0
#endif

static atomic_uint scans;
static atomic_long ahead;		/* seconds */

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);
int __real_mxhosts_scan(const char *, const char *, const char *,
    struct mxhosts *, char *, size_t);
int __wrap_mxhosts_scan(const char *, const char *, const char *,
    struct mxhosts *, char *, size_t);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (__real_clock_gettime(clock, ts) == -1)
		return -1;
	ts->tv_sec += atomic_load(&ahead);
	return 0;
}

int
__wrap_mxhosts_scan(const char *path, const char *domain, const char *rcpt,
    struct mxhosts *mh, char *err, size_t errsize)
{
	atomic_fetch_add(&scans, 1);
	return __real_mxhosts_scan(path, domain, rcpt, mh, err, errsize);
}

static int
setup(void **state)
{
	atomic_store(&ahead, 10);
	if (tree_setup(state) == -1)
		return -1;
	return mkdir(tree_path("mxhosts.d"), 0755);
}

static char err[600];

static int
look(struct mxhosts *mh, const char *domain, const char *rcpt)
{
	return mxhosts_lookup(tree_path("mxhosts"), domain, rcpt, mh, err,
	    sizeof(err));
}

/* HOST is that of the first line; NULL: nothing matches. */
static void
expect(const char *domain, const char *host)
{
	struct mxhosts mh;

	assert_int_equal(look(&mh, domain, NULL), 0);
	if (host == NULL)
		assert_int_equal(mh.nline, 0);
	else {
		assert_true(mh.nline > 0);
		assert_string_equal(mh.line[0].host, host);
	}
	mxhosts_clear(&mh);
}

/* The index has been made when this returns. */
static void
warm_up(void)
{
	struct mxhosts mh;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(look(&mh, "warm.example", NULL), 0);
		mxhosts_clear(&mh);
	}
	atomic_store(&scans, 0);
}

static void
test_index_from_the_third_lookup(void **state)
{
	unsigned int i;

	(void)state;
	tree_write("mxhosts", "a.example m.example\n");
	atomic_store(&scans, 0);
	for (i = 0; i < 10; i++) {
		expect("a.example", "m.example");
		assert_int_equal(atomic_load(&scans), i < 2 ? i + 1 : 2);
	}
	tree_replace("mxhosts", "a.example mx.example\n", 21);
	for (i = 0; i < 10; i++) {
		expect("a.example", "mx.example");
		assert_int_equal(atomic_load(&scans), i < 2 ? i + 3 : 4);
	}
}

static void
test_every_change_is_seen(void **state)
{
	struct mxhosts mh;
	int i;

	(void)state;
	warm_up();
	expect("a.example", NULL);
	assert_int_equal(atomic_load(&scans), 0);
	tree_write("mxhosts", "a.example m.example\n");
	expect("a.example", "m.example");
	warm_up();
	tree_write("mxhosts", "b.example m.example\n\n");
	expect("a.example", NULL);
	expect("b.example", "m.example");
	warm_up();
	tree_write("mxhosts.d/10.conf", "a.example n.example\n");
	expect("a.example", "n.example");
	warm_up();
	expect("a.example", "n.example");
	assert_int_equal(atomic_load(&scans), 0);
	tree_write("mxhosts.d/10.conf", "a.example o.example\n\n");
	expect("a.example", "o.example");
	warm_up();
	assert_int_equal(unlink(tree_path("mxhosts.d/10.conf")), 0);
	expect("a.example", NULL);
	warm_up();
	assert_int_equal(unlink(tree_path("mxhosts")), 0);
	expect("b.example", NULL);
	warm_up();
	assert_int_equal(symlink("nothing", tree_path("mxhosts")), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(look(&mh, "b.example", NULL), -1);
}

static void
test_trust_is_looked_at_again(void **state)
{
	struct mxhosts mh;

	(void)state;
	tree_write("mxhosts", "a.example m.example\n");
	warm_up();
	expect("a.example", "m.example");
	assert_int_equal(chmod(tree_path("mxhosts"), 0666), 0);
	assert_int_equal(look(&mh, "a.example", NULL), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(chmod(tree_path("mxhosts"), 0644), 0);
	warm_up();
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0777), 0);
	assert_int_equal(look(&mh, "a.example", NULL), -1);
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(tree_path("mxhosts.d"), 0755), 0);
	assert_int_equal(chmod(tree_path("."), 0755), 0);
	assert_int_equal(chmod(tree_path("mxhosts"), 0600), 0);
	warm_up();
	expect("a.example", "m.example");
	assert_int_equal(atomic_load(&scans), 0);
	/* who may not read the file does not get to know the index */
	assert_int_equal(seteuid(12345), 0);
	assert_int_equal(look(&mh, "a.example", NULL), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(seteuid(0), 0);
}

/*
 * Versions of one size within one tick of the clock look alike, so a young
 * file is read each time.
 */
static void
test_young_file_is_not_remembered(void **state)
{
	char text[40], host[16];
	int i, j;

	(void)state;
	atomic_store(&ahead, 0);
	for (i = 100; i < 300; i++) {
		(void)snprintf(host, sizeof(host), "m%d.example", i);
		(void)snprintf(text, sizeof(text), "a.example %s\n", host);
		tree_write("mxhosts", text);
		for (j = 0; j < 4; j++)
			expect("a.example", host);
	}
}

/* --- the same answers ----------------------------------------------------- */

static uint32_t seed;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

static const char *const names[] = {
	"a.example", "b.a.example", "c.b.a.example", "x.example", "example",
	"org", "A.Example.", "aa.example", "a.example.org", "a.b.c.d.example",
	"xn--tda.example", "\303\274.Example.", "a.xn--tda.example"
};
#define NNAMES	(sizeof(names) / sizeof(names[0]))
static const char *const users[] = {
	"amy", "amy+x", "Amy", "bob", "amy+", "+x", "a@b", ""
};
#define NUSERS	(sizeof(users) / sizeof(users[0]))
static const char *const actions[] = {
	"m.example", "7 m.example tls=verify", "+3 m.example", "dns", "foo",
	"reject 5.7.1 \"no\"", "mx:x.example", "", "20 n.example"
};
#define NACTIONS (sizeof(actions) / sizeof(actions[0]))

static size_t
random_pattern(char *buf, size_t size)
{
	const char *name = names[below(NNAMES)];

	switch (below(8)) {
	case 0:
		return (size_t)snprintf(buf, size, "*");
	case 1:
		return (size_t)snprintf(buf, size, "*.%s", name);
	case 2:
		return (size_t)snprintf(buf, size, ".%s", name);
	case 3:
	case 4:
		return (size_t)snprintf(buf, size, "%s@%s",
		    users[below(NUSERS)], name);
	case 5:
		return (size_t)snprintf(buf, size, "%s", below(2) ? "*." :
		    below(2) ? "." : "*x");
	default:
		return (size_t)snprintf(buf, size, "%s", name);
	}
}

static void
random_file(const char *name)
{
	char text[8192];
	size_t i, n = 0, lines = below(30);

	text[0] = '\0';
	for (i = 0; i < lines; i++) {
		switch (below(6)) {
		case 0:
			break;
		case 1:
			n += (size_t)snprintf(text + n, 100, "%s# x\n",
			    below(2) ? " " : "");
			continue;
		default:
			n += random_pattern(text + n, 100);
		}
		n += (size_t)snprintf(text + n, 100, " %s%s\n",
		    actions[below(NACTIONS)], below(8) ? "" : "\r");
	}
	if (n > 0 && below(4) == 0)
		text[n - 1] = '\0';
	tree_write(name, text);
}

static void
assert_same(const struct mxhosts *a, const struct mxhosts *b)
{
	size_t i;

	assert_int_equal(a->score, b->score);
	assert_int_equal(a->nline, b->nline);
	assert_int_equal(a->byrcpt, b->byrcpt);
	assert_int_equal(a->badline, b->badline);
	assert_int_equal(a->where, b->where);
	if (a->badline != 0)
		assert_string_equal(a->bad, b->bad);
	for (i = 0; i < a->nline; i++) {
		assert_int_equal(a->line[i].lineno, b->line[i].lineno);
		assert_int_equal(a->line[i].kind, b->line[i].kind);
		assert_int_equal(a->line[i].pref, b->line[i].pref);
		assert_string_equal(a->line[i].host, b->line[i].host);
	}
	if (a->score != MXHOSTS_NOMATCH)
		assert_string_equal(a->origin, b->origin);
}

static void
compare(const char *domain, const char *user)
{
	struct mxhosts a, b;
	char rcpt[100];

	(void)snprintf(rcpt, sizeof(rcpt), "%s@%s", user == NULL ? "" : user,
	    domain);
	assert_int_equal(look(&a, domain, user == NULL ? NULL : rcpt), 0);
	assert_int_equal(__real_mxhosts_scan(tree_path("mxhosts"), domain,
	    user == NULL ? NULL : rcpt, &b, err, sizeof(err)), 0);
	assert_same(&a, &b);
	mxhosts_clear(&a);
	mxhosts_clear(&b);
}

static void
test_index_says_what_a_pass_says(void **state)
{
	uint32_t round;
	size_t i, j;

	(void)state;
	for (round = 0; round < 300; round++) {
		seed = round;
		random_file("mxhosts");
		random_file("mxhosts.d/10.conf");
		random_file("mxhosts.d/20.conf");
		/* without these, two rounds might look alike */
		assert_int_equal(truncate(tree_path("mxhosts"),
		    8192 + round), 0);
		warm_up();
		for (i = 0; i < NNAMES; i++) {
			/* what is looked up is in its normal form */
			if (names[i][0] == 'A' || (names[i][0] & 0x80) != 0)
				continue;
			compare(names[i], NULL);
			for (j = 0; j < NUSERS; j++)
				compare(names[i], users[j]);
		}
		assert_int_equal(atomic_load(&scans), 0);
	}
}

/* Longer than what is read at once. */
static void
test_long_entries(void **state)
{
	static char text[300 * 60];
	struct mxhosts mh;
	size_t i, n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "b.example x.example\n");
	for (i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%zu "
		    "mail%zu.example # %30s\n", i % 3 ? " " : "a.example ",
		    i, i, "");
	(void)snprintf(text + n, sizeof(text) - n, "c.example y.example\n");
	tree_write("mxhosts", text);
	warm_up();
	assert_int_equal(look(&mh, "a.example", NULL), 0);
	assert_int_equal(mh.nline, 300);
	assert_int_equal(mh.badline, 0);
	for (i = 0; i < 300; i++)
		assert_int_equal(mh.line[i].lineno, i + 2);
	mxhosts_clear(&mh);
	assert_int_equal(atomic_load(&scans), 0);
}

/* What is known of one chunk of a file is not believed of the next. */
static void
test_users_far_down(void **state)
{
	static char text[300 * 1024];
	struct mxhosts mh;
	size_t i, n = 0;

	(void)state;
	while (n < sizeof(text) - 200)
		n += (size_t)snprintf(text + n, 100, "filler%zu.example %s\n",
		    n, n % 1000 < 30 ? "defer \"x@y\"" : "m.example");
	for (i = 0; i < 3; i++) {
		(void)snprintf(text + n, 100, "amy@a.example m%zu.example\n",
		    i);
		tree_write("mxhosts", text + i);
		assert_int_equal(look(&mh, "a.example", "amy@a.example"), 0);
		assert_int_equal(mh.nline, 1);
		mxhosts_clear(&mh);
	}
	assert_true(atomic_load(&scans) >= 3);
}

/* As many patterns as fit before the table grows, and one more. */
static void
test_full_table(void **state)
{
	static char text[12289 * 40];
	char domain[40], host[40];
	size_t i, n, patterns;

	(void)state;
	for (patterns = 12288; patterns <= 12289; patterns++) {
		for (i = n = 0; i < patterns; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "d%zu.example m%zu.example\n", i, i);
		tree_write("mxhosts", text);
		warm_up();
		for (i = 0; i < patterns; i++) {
			(void)snprintf(domain, sizeof(domain), "d%zu.example",
			    i);
			(void)snprintf(host, sizeof(host), "m%zu.example", i);
			expect(domain, host);
		}
		expect("d12289.example", NULL);
		assert_int_equal(atomic_load(&scans), 0);
	}
}

/* --- answers that are kept ------------------------------------------------ */

/* What is still held of a file that has changed is what it was. */
static void
test_answer_outlives_the_file(void **state)
{
	struct mxhosts held[4], mh;	/* the last two borrow the lines */
	int i;

	(void)state;
	tree_write("mxhosts", "a.example 7 m.example\n 8 n.example\n");
	warm_up();
	for (i = 0; i < 4; i++)
		assert_int_equal(look(&held[i], "a.example", NULL), 0);
	tree_replace("mxhosts", "a.example reject\n", 17);
	for (i = 0; i < 5; i++) {
		assert_int_equal(look(&mh, "a.example", NULL), 0);
		assert_int_equal(mh.nline, 1);
		assert_int_equal(mh.line[0].kind, MXHOSTS_REJECT);
		mxhosts_clear(&mh);
	}
	assert_true(held[0].line != held[1].line);
	assert_ptr_equal(held[2].line, held[3].line);
	for (i = 0; i < 4; i++) {
		assert_int_equal(held[i].nline, 2);
		assert_string_equal(held[i].line[0].host, "m.example");
		assert_string_equal(held[i].line[1].host, "n.example");
		assert_string_equal(held[i].origin, tree_path("mxhosts"));
		mxhosts_clear(&held[i]);
		mxhosts_clear(&held[i]);
	}
}

static struct mxanswer *
answer_of(const char *domain)
{
	struct mxhosts mh;
	struct mxanswer *answer;

	assert_int_equal(look(&mh, domain, NULL), 0);
	answer = mxanswer_new(&mh);
	mxhosts_clear(&mh);
	return answer;
}

/* What is asked for twice stays until another is, and as long as it is used. */
static void
test_who_gets_a_place(void **state)
{
	static struct mxmemo memo;
	struct mxanswer *a, *b;
	int wanted = -1;

	(void)state;
	tree_write("mxhosts", "a.example m.example\nb.example n.example\n"
	    "c.example m1\nd.example [m1]\n [m2]\n [m3]\n [m4]\n"
	    "e.example [m1]\n [m2]\n [m3]\n [m4]\n [m5]\n"
	    "amy@f.example m.example\nf.example m.example\n");
	a = answer_of("a.example");
	b = answer_of("b.example");
	assert_null(mxmemo_find(&memo, 7, "a.example", &wanted));
	assert_false(wanted);
	assert_null(mxmemo_find(&memo, 7 + MXMEMO_PLACES, "b.example",
	    &wanted));
	assert_false(wanted);
	assert_null(mxmemo_find(&memo, 7, "a.example", &wanted));
	assert_false(wanted);
	assert_null(mxmemo_find(&memo, 7, "a.example", &wanted));
	assert_true(wanted);
	assert_null(mxmemo_put(&memo, 7, a));
	assert_ptr_equal(mxmemo_find(&memo, 7, "a.example", &wanted), a);
	/* the same place, and even the same hash, are not the same domain */
	assert_null(mxmemo_find(&memo, 7, "b.example", &wanted));
	assert_ptr_equal(mxmemo_put(&memo, 7 + MXMEMO_PLACES, b), a);
	assert_false(mxanswer_release(a));
	assert_string_equal(a->mh.line[0].host, "m.example");
	assert_true(mxanswer_release(a));
	mxanswer_free(a);
	mxmemo_clear(&memo);
	/* more lines than are worth it; no line; not the answer for all */
	assert_non_null(a = answer_of("d.example"));
	mxanswer_free(a);
	assert_null(answer_of("c.example"));
	assert_null(answer_of("e.example"));
	assert_null(answer_of("f.example"));
	assert_null(answer_of("g.example"));
}

/* An answer for one recipient is not that of the next. */
static void
test_recipients_are_told_apart(void **state)
{
	struct mxhosts mh;
	int i;

	(void)state;
	tree_write("mxhosts", "a.example m.example\namy@b.example n.example\n"
	    "b.example o.example\n");
	warm_up();
	for (i = 0; i < 3; i++) {
		assert_int_equal(look(&mh, "b.example", "amy@b.example"), 0);
		assert_string_equal(mh.line[0].host, "n.example");
		mxhosts_clear(&mh);
		assert_int_equal(look(&mh, "b.example", "bob@b.example"), 0);
		assert_string_equal(mh.line[0].host, "o.example");
		assert_true(mh.byrcpt);
		mxhosts_clear(&mh);
		assert_int_equal(look(&mh, "a.example", "amy@a.example"), 0);
		assert_string_equal(mh.line[0].host, "m.example");
		assert_false(mh.byrcpt);
		mxhosts_clear(&mh);
	}
}

/* Who has a result may do with it as he likes. */
static void
test_result_is_the_callers(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[200], origin[200];
	int i;

	(void)state;
	tree_write("mxhosts", "# x\na.example 7 m.example name=n.example "
	    "auth=au\n");
	warm_up();
	(void)snprintf(sources, sizeof(sources), "files(%s)",
	    tree_path("mxhosts"));
	(void)snprintf(origin, sizeof(origin), "%s:2", tree_path("mxhosts"));
	h.mh_sources = sources;
	for (i = 0; i < 5; i++) {
		assert_int_equal(getmxinfo("a.example", &h, &info), MX_OK);
		assert_int_equal(info->mi_mx->mx_pref, 7);
		assert_string_equal(info->mi_mx->mx_host, "m.example");
		assert_string_equal(info->mi_mx->mx_tlsname, "n.example");
		assert_string_equal(info->mi_mx->mx_auth, "au");
		assert_string_equal(info->mi_mx->mx_origin, origin);
		assert_string_equal(info->mi_origin, origin);
		info->mi_mx->mx_pref = 8;
		memset(info->mi_mx->mx_host, 'X', 9);
		memset(info->mi_mx->mx_tlsname, 'X', 9);
		memset(info->mi_mx->mx_auth, 'X', 2);
		memset(info->mi_mx->mx_origin, 'X', strlen(origin));
		memset(info->mi_origin, 'X', strlen(origin));
		freemxinfo(info);
	}
	assert_int_equal(atomic_load(&scans), 0);
}

static void
test_allocation_failures(void **state)
{
	struct mxhosts mh;
	size_t i;
	bool failed;
	int ret;

	(void)state;
	for (i = 1; i < 100; i++) {
		tree_write("mxhosts", "amy@a.example m.example\n"
		    "a.example n.example\n");
		assert_int_equal(truncate(tree_path("mxhosts"),
		    (off_t)(100 + i)), 0);
		expect("a.example", "n.example");
		expect("a.example", "n.example");
		faults_begin(i);
		ret = look(&mh, "a.example", "amy@a.example");
		failed = faults_end();
		if (ret == 0) {
			assert_string_equal(mh.line[0].host, "m.example");
			mxhosts_clear(&mh);
		} else
			assert_int_equal(errno, ENOMEM);
		expect("a.example", "n.example");
		if (!failed)
			break;
	}
	assert_true(i > 10 && i < 100);
}

/* --- threads -------------------------------------------------------------- */

#define THREADS	8
#define VERSIONS 1000

static atomic_uint begun, done;	/* versions of the file */
static atomic_int stop;
static atomic_uint wrong, lookups;

/* Versions differ in their size. */
static void
write_version(unsigned int v)
{
	static char text[8192];
	int n;

	n = snprintf(text, sizeof(text), "a.example 1 v%u.example\n"
	    "*.pad.example dns\n#%*s\na.example 2 v%u.example\n",
	    v, (int)v + 1, "", v);
	atomic_store(&begun, v);
	tree_replace("mxhosts", text, (size_t)n);
	atomic_store(&done, v);
}

/* One version, and one that was there while it was looked for? */
static int
is_right(const struct mxhosts *mh, unsigned int first, unsigned int last)
{
	unsigned int a, b;

	if (mh->nline != 2 || mh->badline != 0)
		return 0;
	a = (unsigned int)strtoul(mh->line[0].host + 1, NULL, 10);
	b = (unsigned int)strtoul(mh->line[1].host + 1, NULL, 10);
	return a == b && a >= first && a <= last;
}

static void *
reader(void *arg)
{
	struct mxhosts mh;
	unsigned int first;
	char why[600];

	while (!atomic_load(&stop)) {
		first = atomic_load(&done);
		if (mxhosts_lookup(arg, "a.example", NULL, &mh, why,
		    sizeof(why)) == -1) {
			atomic_fetch_add(&wrong, 1);
			continue;
		}
		if (!is_right(&mh, first, atomic_load(&begun)))
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&lookups, 1);
		(void)sched_yield();	/* the writer has one turn in nine */
		mxhosts_clear(&mh);
	}
	return NULL;
}

static void
start_readers(pthread_t *thread, char *path)
{
	size_t i;

	atomic_store(&stop, 0);
	atomic_store(&wrong, 0);
	atomic_store(&lookups, 0);
	write_version(1);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader,
		    path), 0);
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

/* Some versions last long enough to be indexed, some do not. */
static void
test_writer_and_readers(void **state)
{
	pthread_t thread[THREADS];
	char path[128];
	unsigned int v, seen;

	(void)state;
	(void)strlcpy(path, tree_path("mxhosts"), sizeof(path));
	atomic_store(&scans, 0);
	start_readers(thread, path);
	for (v = 2; v <= VERSIONS; v++) {
		seen = atomic_load(&lookups);
		while (v % 4 != 0 && atomic_load(&lookups) - seen < v % 16)
			(void)sched_yield();
		write_version(v);
	}
	stop_readers(thread);
	print_message("# %u lookups, %u passes\n", atomic_load(&lookups),
	    atomic_load(&scans));
	/* both ways were gone */
	assert_true(atomic_load(&scans) > 0);
	assert_true(atomic_load(&scans) < atomic_load(&lookups));
}

/* All threads are the first to find each domain. */
#define ROUNDS	200

static pthread_barrier_t gate;

static void *
meet(void *path)
{
	struct mxhosts mh;
	char domain[40], host[40], why[600];
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		(void)snprintf(domain, sizeof(domain), "d%u.example", round);
		(void)snprintf(host, sizeof(host), "m%u.example", round);
		(void)pthread_barrier_wait(&gate);
		if (mxhosts_lookup(path, domain, NULL, &mh, why,
		    sizeof(why)) == -1) {
			atomic_fetch_add(&wrong, 1);
			continue;
		}
		if (mh.nline != 1 || strcmp(mh.line[0].host, host) != 0)
			atomic_fetch_add(&wrong, 1);
		mxhosts_clear(&mh);
	}
	return NULL;
}

static void
test_threads_meet_at_a_line(void **state)
{
	pthread_t thread[THREADS];
	char text[ROUNDS * 40], path[128];
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < ROUNDS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "d%zu.example m%zu.example\n", i, i);
	tree_write("mxhosts", text);
	warm_up();
	(void)strlcpy(path, tree_path("mxhosts"), sizeof(path));
	atomic_store(&wrong, 0);
	assert_int_equal(pthread_barrier_init(&gate, NULL, THREADS), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, meet,
		    path), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	(void)pthread_barrier_destroy(&gate);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(atomic_load(&scans), 0);
}

static void
child(const char *path)
{
	struct mxhosts mh;
	char why[600];
	int i;

	(void)alarm(60);	/* a lock that nobody opens */
	for (i = 0; i < 5; i++) {
		if (mxhosts_lookup(path, "a.example", NULL, &mh, why,
		    sizeof(why)) == -1)
			_exit(1);
		mxhosts_clear(&mh);
	}
	_exit(0);
}

static void
test_fork_while_others_look_up(void **state)
{
	pthread_t thread[THREADS];
	char path[128];
	unsigned int v;
	pid_t pid;
	int status;

	(void)state;
	/* Nor does qemu-user, whose own locks the child inherits. */
	if (UNSAFE_FORK || getenv("TEST_EXEC") != NULL) {
		print_message("# not with this allocator or emulator\n");
		skip();
	}
	(void)strlcpy(path, tree_path("mxhosts"), sizeof(path));
	start_readers(thread, path);
	for (v = 2; v < 100; v++) {
		write_version(v);
		assert_int_not_equal(pid = fork(), -1);
		if (pid == 0)
			child(path);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	stop_readers(thread);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_index_from_the_third_lookup),
		TEST(test_every_change_is_seen),
		TEST(test_trust_is_looked_at_again),
		TEST(test_young_file_is_not_remembered),
		TEST(test_index_says_what_a_pass_says),
		TEST(test_long_entries),
		TEST(test_users_far_down),
		TEST(test_full_table),
		TEST(test_answer_outlives_the_file),
		TEST(test_who_gets_a_place),
		TEST(test_recipients_are_told_apart),
		TEST(test_result_is_the_callers),
		TEST(test_allocation_failures),
		TEST(test_threads_meet_at_a_line),
		TEST(test_writer_and_readers),
		TEST(test_fork_while_others_look_up)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
