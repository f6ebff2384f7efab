/* SPDX-License-Identifier: ISC */
/* The steps of a lookup, as its caller hears of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "mxdb.h"

#define D	"d.example"

struct heard {
	char	 text[8192];
	size_t	 n;
	int	 events;
};

__attribute__((format(printf, 2, 3)))
static void
say(struct heard *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	h->n += (size_t)vsnprintf(h->text + h->n, sizeof(h->text) - h->n,
	    fmt, ap);
	va_end(ap);
	assert_true(h->n < sizeof(h->text));
}

static void
say_if(struct heard *h, const char *before, const char *text)
{
	if (text != NULL)
		say(h, "%s%s", before, text);
}

/* One line for each step, with all but the time. */
static void
hear(void *arg, const struct mxtrace *t)
{
	static const char *const events[] = {
		[MXT_LIST] = "list",
		[MXT_SOURCE] = "source",
		[MXT_BORROW] = "borrow",
		[MXT_DROPPED] = "dropped",
		[MXT_ADDRS] = "addrs"
	};
	struct heard *h = arg;
	const struct mxent *mx;
	const struct mxnote *n;

	h->events++;
	assert_true(t->mt_usec < 60000000);
	assert_non_null(t->mt_domain);
	say(h, "%s", events[t->mt_event]);
	if (t->mt_event == MXT_LIST) {
		assert_non_null(strstr(t->mt_text, "[SUCCESS="));
		say(h, "\n");
		return;
	}
	if (strcmp(t->mt_domain, D) != 0)
		say(h, " of %s", t->mt_domain);
	say_if(h, " ", t->mt_source);
	say_if(h, " arg=", t->mt_arg);
	say_if(h, " ", t->mt_flags & MXT_UNUSED ? "unused" : NULL);
	say_if(h, " ", t->mt_status);
	say_if(h, " ", t->mt_action);
	say_if(h, " ", t->mt_error == 0 ? NULL : mx_errname(t->mt_error));
	say_if(h, " at=", t->mt_origin);
	say_if(h, " rule=", t->mt_rule);
	say_if(h, " \"", t->mt_text);
	say_if(h, "", t->mt_text == NULL ? NULL : "\"");
	for (mx = t->mt_mx; mx != NULL; mx = mx->mx_next)
		say(h, " %u %s", (unsigned int)mx->mx_pref, mx->mx_host);
	for (n = t->mt_notes; n != NULL; n = n->mn_next)
		say(h, " note=%s", n->mn_text);
	say(h, "\n");
}

static const char *const selves[] = { "self.example", NULL };

static const struct {
	const char	*name;
	const char	*sources;
	struct fake_line lines[4];
	uint32_t	 flags;
	int		 error;
	const char	*heard;
} rows[] = {
	{ "one source after the other, and what was not needed",
	    "alpha beta gamma(x) dns", {
	    { "alpha", D, "NOTFOUND note odd" },
	    { "beta", D, "SUCCESS origin f:1 20 b.example 10 a.example" },
	    { "gamma", D, "SUCCESS MX_EREJECT" } }, MXH_ASKALL, MX_OK,
	    "list\n"
	    "source alpha NOTFOUND continue note=odd\n"
	    "source beta SUCCESS return at=f:1 20 b.example 10 a.example\n"
	    "source gamma arg=x unused SUCCESS MX_EREJECT \"rejected by "
	    "local configuration\"\n"
	    "source dns unused NOTFOUND\n" },
	{ "only what was needed", "alpha beta", {
	    { "alpha", D, "TRYAGAIN MX_ETIMEOUT" } }, 0, MX_ETIMEOUT,
	    "list\n"
	    "source alpha TRYAGAIN return MX_ETIMEOUT \"no answer in "
	    "time\"\n" },
	{ "an implicit exchange", "alpha", {
	    { "alpha", D, "NOTFOUND nodata" } }, 0, MX_OK,
	    "list\n"
	    "source alpha NOTFOUND continue \"the domain exists, but has no "
	    "MX record\"\n" },
	{ "a source that is not there", "nosuch alpha", {
	    { "alpha", D, "SUCCESS 10 a.example" } }, 0, MX_OK,
	    "list\n"
	    "source nosuch UNAVAIL continue MX_ESOURCE \"there is no source "
	    "\"nosuch\"\"\n"
	    "source alpha SUCCESS return 10 a.example\n" },
	{ "merged, with the same host twice", "alpha beta", {
	    { "alpha", D, "SUCCESS + local origin f:3 5 a.example" },
	    { "beta", D, "SUCCESS 1 a.example 10 b.example" } }, 0, MX_OK,
	    "list\n"
	    "source alpha SUCCESS merge at=f:3 5 a.example\n"
	    "source beta SUCCESS return 1 a.example 10 b.example\n"
	    "dropped beta \"the same host and port are in the list "
	    "already\" 1 a.example\n" },
	{ "self cut", "alpha", {
	    { "alpha", D, "SUCCESS 10 a.example 20 b.example 20 self.example "
	    "30 c.example" } }, 0, MX_OK,
	    "list\n"
	    "source alpha SUCCESS return 10 a.example 20 b.example "
	    "20 self.example 30 c.example\n"
	    "dropped alpha \"it is not better than this host, which is an "
	    "exchange, too\" 20 b.example\n"
	    "dropped alpha \"it is this host itself\" 20 self.example\n"
	    "dropped alpha \"it is not better than this host, which is an "
	    "exchange, too\" 30 c.example\n" },
	{ "borrowed", "alpha", {
	    { "alpha", D, "SUCCESS mx 7 o.example" },
	    { "dns", "o.example", "SUCCESS origin 1.2.3.4#53 10 o1.example" }
	    }, 0, MX_OK,
	    "list\n"
	    "borrow of o.example dns SUCCESS at=1.2.3.4#53 10 o1.example\n"
	    "source alpha SUCCESS return 7 o1.example\n" },
	{ "addresses", "alpha", {
	    { "alpha", D, "SUCCESS local 5 192.0.2.1" } }, MXH_ADDRS, MX_OK,
	    "list\n"
	    "source alpha SUCCESS return 5 192.0.2.1\n"
	    "addrs alpha 5 192.0.2.1\n" }
};

static void
look_up(const char *sources, uint32_t flags, int expect, struct heard *heard)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	memset(heard, 0, sizeof(*heard));
	h.mh_sources = sources;
	h.mh_self = selves;
	h.mh_flags = MXH_NORANDOM | flags;
	h.mh_trace = hear;
	h.mh_tracearg = heard;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), expect);
	freemxinfo(info);
}

static void
test_trace_rows(void **state)
{
	struct heard heard;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].name);
		fake_says(rows[i].lines);
		look_up(rows[i].sources, rows[i].flags, rows[i].error,
		    &heard);
		assert_string_equal(heard.text, rows[i].heard);
	}
}

/* The pattern and line of an override, of what kind it may be. */
static void
test_trace_names_the_pattern_that_decided(void **state)
{
	static const struct {
		const char	*file;
		int		 error;
		const char	*says;
	} files[] = {
		{ "* a.b\n*.Example m.example\n", MX_OK,
		    ":2 rule=*.Example 10 m.example\n" },
		{ "d.example dns\n", MX_EUNUSABLE,
		    " NOTFOUND continue at=" },
		{ "d.example dns\n", MX_EUNUSABLE, ":1 rule=d.example\n" },
		{ "* reject \"no\"\n", MX_EREJECT, ":1 rule=* \"no\"\n" },
		{ "* foo\n", MX_EDEFER, ":1 rule=* \"" },
		{ "x.example a.b\n", MX_EUNUSABLE,
		    " NOTFOUND continue\n" }
	};
	struct heard heard;
	char sources[4200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		print_message("# %s", files[i].file);
		(void)snprintf(sources, sizeof(sources), "files(%s)",
		    fake_text("mxhosts", files[i].file));
		look_up(sources, 0, files[i].error, &heard);
		if (strstr(heard.text, files[i].says) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", files[i].says,
			    heard.text);
	}
}

/* What the trace alone asks for has no part in the result. */
static void
test_trace_changes_no_answer(void **state)
{
	static const struct fake_line lines[] = {
		{ "alpha", D, "SUCCESS 10 a.example" },
		{ "beta", D, "SUCCESS note odd byrcpt 5 b.example" },
		{ NULL, NULL, NULL }
	};
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	struct heard heard;

	(void)state;
	memset(&heard, 0, sizeof(heard));
	fake_says(lines);
	h.mh_sources = "alpha beta";
	h.mh_flags = MXH_ASKALL;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_OK);
	assert_int_equal(fake_asked("beta"), 0);	/* nobody listens */
	freemxinfo(info);
	h.mh_trace = hear;
	h.mh_tracearg = &heard;
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_OK);
	assert_int_equal(fake_asked("beta"), 1);
	assert_int_equal(heard.events, 3);
	assert_string_equal(fake_exchanges(info), "10 a.example");
	assert_null(info->mi_notes);
	assert_int_equal(info->mi_flags, 0);
	freemxinfo(info);
	/* A caller of before there was a trace. */
	h.mh_size = offsetof(struct mxhints, mh_trace);
	assert_int_equal(mx_lookup(&fake_env, D, &h, &info), MX_OK);
	assert_int_equal(heard.events, 3);
	freemxinfo(info);
}

static int
teardown(void **state)
{
	(void)state;
	fake_clean();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_rows),
		cmocka_unit_test(test_trace_names_the_pattern_that_decided),
		cmocka_unit_test(test_trace_changes_no_answer)
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
