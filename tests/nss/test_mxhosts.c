/* SPDX-License-Identifier: ISC */
#include "config.h"

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

#include "fake.h"
#include "mxdb.h"
#include "mxhosts/mxhosts.h"

/* --- the grammar of an action -------------------------------------------- */

/*
 * An action in words, for comparison: kind, +, preference, host, port,
 * options.
 */
static void
spell(const struct mxhosts_line *l, char *buf, size_t size)
{
	static const char *const kinds[] = {
		"host", "mx", "dns", "reject", "defer"
	};

	if (l->kind >= MXHOSTS_DNS) {
		(void)snprintf(buf, size, "%s %s <%s>", kinds[l->kind],
		    l->dsn, l->text);
		return;
	}
	(void)snprintf(buf, size, "%s%s %s%u %s:%u tls=%d name=%s ttl=%ld "
	    "auth=%s%s", kinds[l->kind], l->literal ? "[]" : "",
	    l->merge ? "+" : "", (unsigned int)l->pref, l->host,
	    (unsigned int)l->port, l->tls, l->tlsname,
	    l->ttl == UINT32_MAX ? -1L : (long)l->ttl, l->auth,
	    l->implicit_tls ? " implicit" : "");
}

#define PLAIN	" tls=0 name= ttl=-1 auth="

static const struct {
	const char	*text;
	const char	*says;		/* NULL: an error */
	const char	*err;		/* part of it */
} actions[] = {
	{ " mail.a.example", "host 10 mail.a.example:0" PLAIN, NULL },
	{ " 0 mail.a.example", "host 0 mail.a.example:0" PLAIN, NULL },
	{ "\t65535\tMail.A.Example.\t", "host 65535 mail.a.example:0" PLAIN,
	    NULL },
	{ " +5 mail.a.example", "host +5 mail.a.example:0" PLAIN, NULL },
	{ " mail.a.example:2525", "host 10 mail.a.example:2525" PLAIN,
	    NULL },
	{ " mail.a.example # why", "host 10 mail.a.example:0" PLAIN, NULL },
	{ " [192.0.2.1]", "host[] 10 192.0.2.1:0" PLAIN, NULL },
	{ " [192.0.2.1]:587", "host[] 10 192.0.2.1:587" PLAIN, NULL },
	{ " [2001:DB8::1]", "host[] 10 2001:db8::1:0" PLAIN, NULL },
	{ " [2001:db8:0:0::1]:587", "host[] 10 2001:db8::1:587" PLAIN,
	    NULL },
	{ " [IPv6:2001:db8::1]", "host[] 10 2001:db8::1:0" PLAIN, NULL },
	{ " [exch1]", "host 10 exch1:0" PLAIN, NULL },
	{ " [exch1]:26", "host 10 exch1:26" PLAIN, NULL },
	{ " [mail.a.example]", "host 10 mail.a.example:0" PLAIN, NULL },
	{ " mx:a.example", "mx 10 a.example:0" PLAIN, NULL },
	{ " 7 mx:A.example.", "mx 7 a.example:0" PLAIN, NULL },
	{ " +7 mx:a.example tls=encrypt",
	    "mx +7 a.example:0 tls=3 name= ttl=-1 auth=", NULL },
	{ " m.a.example tls=none", "host 10 m.a.example:0 tls=1 name= "
	    "ttl=-1 auth=", NULL },
	{ " m.a.example tls=may", "host 10 m.a.example:0 tls=2 name= "
	    "ttl=-1 auth=", NULL },
	{ " m.a.example tls=verify name=N.a.example",
	    "host 10 m.a.example:0 tls=4 name=n.a.example ttl=-1 auth=",
	    NULL },
	{ " m.a.example tls=dane", "host 10 m.a.example:0 tls=5 name= "
	    "ttl=-1 auth=", NULL },
	{ " m.a.example ttl=0", "host 10 m.a.example:0 tls=0 name= ttl=0 "
	    "auth=", NULL },
	{ " m.a.example ttl=2147483647", "host 10 m.a.example:0 tls=0 "
	    "name= ttl=2147483647 auth=", NULL },
	{ " m.a.example implicit-tls auth=relay", "host 10 m.a.example:0 "
	    "tls=0 name= ttl=-1 auth=relay implicit", NULL },
	{ " dns", "dns  <>", NULL },
	{ " dns # yes", "dns  <>", NULL },
	{ " reject", "reject  <>", NULL },
	{ " reject 5.7.1", "reject 5.7.1 <>", NULL },
	{ " reject \"no mail\"", "reject  <no mail>", NULL },
	{ " reject 5.1.10 \"a # b \\\"c\\\" \\\\ d\" # e",
	    "reject 5.1.10 <a # b \"c\" \\ d>", NULL },
	{ " defer", "defer  <>", NULL },
	{ " defer \"\"", "defer  <>", NULL },
	{ " defer \"until Monday\"", "defer  <until Monday>", NULL },

	{ "", NULL, "an action must follow" },
	{ " # 10 m.a.example", NULL, "an action must follow" },
	{ " 10", NULL, "a host must follow" },
	{ " +10 # x", NULL, "a host must follow" },
	{ " foo", NULL, "unknown word \"foo\"" },
	{ " DNS", NULL, "unknown word \"DNS\"" },
	{ " 10 dns", NULL, "unknown word \"dns\"" },
	{ " mail:25", NULL, "unknown word \"mail\"" },
	{ " mail.", NULL, "unknown word" },
	{ " 65536 m.a.example", NULL, "a preference is" },
	{ " 99999999999999999999 m.a.example", NULL, "a preference is" },
	{ " +x m.a.example", NULL, "a preference is" },
	{ " + 5 m.a.example", NULL, "a preference is" },
	{ " -5 m.a.example", NULL, "\"-5\"" },
	{ " 192.0.2.1", NULL, "needs brackets: [192.0.2.1]" },
	{ " 192.0.2.1:25", NULL, "needs brackets: [192.0.2.1]" },
	{ " 2001:db8::1", NULL, "needs brackets: [2001:db8::1]" },
	{ " [192.0.2.256]", NULL, "neither an IP address" },
	{ " [fe80::1%eth0]", NULL, "neither an IP address" },
	{ " [IPv6:192.0.2.1]", NULL, "neither an IP address" },
	{ " []", NULL, "neither an IP address" },
	{ " [192.0.2.1", NULL, "\"]\" is missing" },
	{ " [192.0.2.1]25", NULL, "only \":port\"" },
	{ " [192.0.2.1]:", NULL, "a port is" },
	{ " m.a.example:0", NULL, "a port is" },
	{ " m.a.example:65536", NULL, "a port is" },
	{ " m.a.example:smtp", NULL, "a port is" },
	{ " m.a.example:25:26", NULL, "a port is" },
	{ " a..example", NULL, "is not a host name" },
	{ " a.exa$mple", NULL, "is not a host name" },
#ifdef HAVE_LIBIDN2
	{ " B\303\274cher.example:26", "host 10 xn--bcher-kva.example:26"
	    PLAIN, NULL },
	{ " [b\303\274cher]", "host 10 xn--bcher-kva:0" PLAIN, NULL },
	{ " mx:b\303\274cher.example", "mx 10 xn--bcher-kva.example:0"
	    PLAIN, NULL },
	{ " m.a.example tls=verify name=b\303\274cher.example",
	    "host 10 m.a.example:0 tls=4 name=xn--bcher-kva.example ttl=-1 "
	    "auth=", NULL },
#else
	{ " b\303\274cher.example", NULL, "xn-- form, as names in Unicode "
	    "need libidn2" },
#endif
	{ " b\303\274cher", NULL, "xn--" },
	{ " b\374cher.example", NULL, "no domain name" },
	{ " b\303\274..example", NULL, "no domain name" },
	{ " m.a.example auth=\303\274", NULL, "in ASCII" },
	{ " m.a.example\001", NULL, "control character 0x01" },
	{ " m.a.exa\rmple", NULL, "control character 0x0d" },
	{ " mx:", NULL, "mx: needs a domain" },
	{ " mx:a.example:25", NULL, "mx: needs a domain" },
	{ " mx:[192.0.2.1]", NULL, "mx: needs a domain" },
	{ " m.a.example 10", NULL, "unknown option \"10\"" },
	{ " m.a.example n.a.example", NULL, "unknown option" },
	{ " m.a.example tls=Verify", NULL, "\"tls=Verify\"" },
	{ " m.a.example tls=", NULL, "must be one of" },
	{ " m.a.example tls=may tls=may", NULL, "stands twice" },
	{ " m.a.example name=", NULL, "needs a host name" },
	{ " m.a.example ttl=-1", NULL, "number of seconds" },
	{ " m.a.example ttl=2147483648", NULL, "number of seconds" },
	{ " m.a.example auth=", NULL, "needs a name" },
	{ " m.a.example implicit-tlsx", NULL, "unknown option" },
	{ " m.a.example implicit-tls=1", NULL, "unknown option" },
	{ " m.a.example implicit-tls tls=none", NULL, "contradicts" },
	{ " m.a.example \"text\"", NULL, "unknown option" },
	{ " \"m.a.example\"", NULL, "can follow reject" },
	{ " m.\"a\".example", NULL, "a quote inside" },
	{ " dns x", NULL, "\"x\" cannot follow dns" },
	{ " dns tls=may", NULL, "cannot follow dns" },
	{ " reject no", NULL, "double quotes" },
	{ " reject 4.7.1", NULL, "no permanent status" },
	{ " reject 5.7", NULL, "no permanent status" },
	{ " reject 5.7.1234", NULL, "no permanent status" },
	{ " reject \"a\" \"b\"", NULL, "cannot follow the text" },
	{ " reject \"a", NULL, "closing quote" },
	{ " reject \"a\"b", NULL, "a blank is missing" },
	{ " reject \"a\tb\"", NULL, "control character 0x09" },
	{ " reject \"\303\274\"", NULL, "not ASCII" },
	{ " defer 4.3.0", NULL, "double quotes" }
};

static void
test_mxhosts_action_rows(void **state)
{
	struct mxhosts_line line;
	char err[200], says[1000];
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		err[0] = '\0';
		ret = mxhosts_action(actions[i].text,
		    strlen(actions[i].text), &line, err, sizeof(err));
		if (actions[i].says == NULL) {
			print_message("# \"%s\": %s\n", actions[i].text, err);
			assert_int_equal(ret, -1);
			assert_non_null(strstr(err, actions[i].err));
			continue;
		}
		assert_string_equal(err, "");
		assert_int_equal(ret, 0);
		spell(&line, says, sizeof(says));
		assert_string_equal(says, actions[i].says);
	}
}

static void
test_mxhosts_action_nul(void **state)
{
	static const char text[] = " m.a.example\0.b.example";
	struct mxhosts_line line;
	char err[200];

	(void)state;
	assert_int_equal(mxhosts_action(text, sizeof(text) - 1, &line, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "control character 0x00"));
}

static void
test_mxhosts_action_text_too_long(void **state)
{
	struct mxhosts_line line;
	char err[200], text[400];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, " defer \"", 8);
	text[8 + 255] = '"';
	assert_int_equal(mxhosts_action(text, 8 + 256, &line, err,
	    sizeof(err)), 0);
	assert_int_equal(strlen(line.text), 255);
	text[8 + 255] = 'x';
	text[8 + 256] = '"';
	assert_int_equal(mxhosts_action(text, 8 + 257, &line, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "longer than 255"));
}

/* --- patterns ------------------------------------------------------------- */

static const struct {
	const char	*text;
	const char	*folded;	/* NULL: cannot be read */
} patterns[] = {
	{ "*", "*" },
	{ "a.example", "a.example" },
	{ "A.Example.", "a.example" },
	{ "localnet", "localnet" },
	{ "*.a.example", ".a.example" },
	{ ".A.example", ".a.example" },
	{ "user@a.example", "user@a.example" },
	{ "User+Ext@A.example.", "User+Ext@a.example" },
	{ "a@b@c.example", "a@b@c.example" },
	{ "**", NULL },
	{ "*.", NULL },
	{ ".", NULL },
	{ "*@a.example.*", NULL },
	{ "@a.example", NULL },
	{ "user@", NULL },
	{ "user@*.example", NULL },
	{ "a..example", NULL },
	{ "[192.0.2.1]", NULL },
	{ "192.0.2.1", NULL },
	{ "a.example:", NULL },
#ifdef HAVE_LIBIDN2
	{ "b\303\274cher.example", "xn--bcher-kva.example" },
	{ "B\303\234CHER.Example.", "xn--bcher-kva.example" },
	{ "*.b\303\274cher.example", ".xn--bcher-kva.example" },
	{ "User@b\303\274cher.example", "User@xn--bcher-kva.example" },
#else
	{ "b\303\274cher.example", NULL },
#endif
	{ "b\374cher.example", NULL },
	{ "\357\275\201.example", NULL },	/* a full-width "a" */
	{ "\303\274@a.example", NULL },
	{ "a.exam\001ple", NULL }
};

static void
test_mxhosts_pattern_rows(void **state)
{
	char folded[MXHOSTS_MAXLINE + 1], err[200];
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		print_message("# %s\n", patterns[i].text);
		ret = mxhosts_pattern(patterns[i].text,
		    strlen(patterns[i].text), folded, err, sizeof(err));
		if (patterns[i].folded == NULL) {
			assert_int_equal(ret, -1);
			continue;
		}
		assert_int_equal(ret, 0);
		assert_string_equal(folded, patterns[i].folded);
	}
}

typedef const char *skip_fn(struct mxhosts_reader *, const char *,
    const char *);

static const char *
scan_with(skip_fn *skip, const char *text, size_t len, size_t step,
    const char *domain, const char *rcpt, int *byrcpt)
{
	static char buf[2000];
	static struct mxhosts_reader reader;
	struct mxhosts mh;
	size_t i, n = 0;

	assert_int_equal(mxhosts_init(&mh, domain, rcpt), 0);
	memset(&reader, 0, sizeof(reader));
	reader.line = mxhosts_line;
	reader.skip = skip;
	reader.arg = &mh;
	for (i = 0; i < len; i += step)
		assert_int_equal(mxhosts_feed(&reader, text + i,
		    len - i < step ? len - i : step), 0);
	assert_int_equal(mxhosts_finish(&reader), 0);
	buf[0] = '\0';
	if (mh.badline != 0)
		(void)snprintf(buf, sizeof(buf), "!%u %s", mh.badline,
		    mh.bad);
	else
		for (i = 0; i < mh.nline; i++)
			n += (size_t)snprintf(buf + n, sizeof(buf) - n,
			    "%s%s", i == 0 ? "" : " ",
			    mh.line[i].kind == MXHOSTS_DNS ? "dns" :
			    mh.line[i].host);
	if (byrcpt != NULL)
		*byrcpt = mh.byrcpt;
	mxhosts_clear(&mh);
	return buf;
}

/*
 * The file in chunks of STEP octets; the hosts that answer, or "!reason".
 * Whether lines are skipped makes no difference.
 */
static const char *
scan(const char *text, size_t len, size_t step, const char *domain,
    const char *rcpt, int *byrcpt)
{
	char all[2000];
	const char *some;

	(void)strlcpy(all, scan_with(NULL, text, len, step, domain, rcpt,
	    byrcpt), sizeof(all));
	some = scan_with(mxhosts_skip, text, len, step, domain, rcpt, byrcpt);
	assert_string_equal(some, all);
	return some;
}

static const char order[] =
    "*             any.example\n"
    "*.example     one.example\n"
    ".b.example    two.example\n"
    "a.b.example   exact.example\n"
    "amy@a.b.example     amy.example\n"
    "amy+x@a.b.example   amyx.example\n"
    "Bob@a.b.example     bob.example\n"
    "*.c.b.example       three.example\n";

static const struct {
	const char	*domain;
	const char	*rcpt;
	const char	*answer;
	int		 byrcpt;
} best[] = {
	{ "org", NULL, "any.example", 0 },
	{ "example", NULL, "any.example", 0 },
	{ "x.example", NULL, "one.example", 0 },
	{ "xexample", NULL, "any.example", 0 },
	{ "b.example", NULL, "one.example", 0 },
	{ "z.b.example", NULL, "two.example", 0 },
	{ "c.b.example", NULL, "two.example", 0 },
	{ "y.c.b.example", NULL, "three.example", 0 },
	{ "x.y.c.b.example", NULL, "three.example", 0 },
	{ "a.b.example", NULL, "exact.example", 1 },
	{ "x.a.b.example", NULL, "two.example", 0 },
	{ "a.b.example", "amy@a.b.example", "amy.example", 1 },
	{ "a.b.example", "amy+x@a.b.example", "amyx.example", 1 },
	{ "a.b.example", "amy+y@a.b.example", "amy.example", 1 },
	{ "a.b.example", "amy+x+y@a.b.example", "amy.example", 1 },
	{ "a.b.example", "Amy@a.b.example", "exact.example", 1 },
	{ "a.b.example", "bob@a.b.example", "exact.example", 1 },
	{ "a.b.example", "Bob@A.B.Example", "bob.example", 1 },
	{ "a.b.example", "amyx@a.b.example", "exact.example", 1 },
	{ "a.b.example", "+x@a.b.example", "exact.example", 1 },
	{ "b.example", "amy@b.example", "one.example", 0 }
};

static void
test_mxhosts_most_specific_pattern_wins(void **state)
{
	int byrcpt;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(best) / sizeof(best[0]); i++) {
		print_message("# %s %s\n", best[i].domain, best[i].rcpt ==
		    NULL ? "" : best[i].rcpt);
		assert_string_equal(scan(order, sizeof(order) - 1, 4096,
		    best[i].domain, best[i].rcpt, &byrcpt), best[i].answer);
		assert_int_equal(byrcpt, best[i].byrcpt);
	}
}

/* Whatever the order of the lines and the size of the chunks. */
static void
test_mxhosts_order_of_lines_does_not_matter(void **state)
{
	static char turned[sizeof(order)];
	const char *end = order + sizeof(order) - 1, *nl;
	size_t i, step, n = 0;

	(void)state;
	while (end > order) {
		for (nl = end - 1; nl > order && nl[-1] != '\n'; nl--)
			;
		memcpy(turned + n, nl, (size_t)(end - nl));
		n += (size_t)(end - nl);
		end = nl;
	}
	for (step = 1; step < 60; step++)
		for (i = 0; i < sizeof(best) / sizeof(best[0]); i++)
			assert_string_equal(scan(turned, n, step,
			    best[i].domain, best[i].rcpt, NULL),
			    best[i].answer);
}

static const struct {
	const char	*name;
	const char	*text;
	const char	*answer;	/* for a.example */
} files[] = {
	{ "empty", "", "" },
	{ "only comments", "# a\n  # b\n\n", "" },
	{ "no final newline", "a.example m.example", "m.example" },
	{ "CRLF", "a.example m.example\r\n 20 n.example\r\n",
	    "m.example n.example" },
	{ "CR before the end of the file", "a.example m.example\r",
	    "m.example" },
	{ "continuation", "a.example 10 m.example\n\t20 n.example\n",
	    "m.example n.example" },
	{ "continuation after a comment and an empty line",
	    "a.example 10 m.example\n# x\n\n  # y\n 20 n.example\n",
	    "m.example n.example" },
	{ "continuation of another pattern",
	    "a.example m.example\nb.example x.example\n y.example\n",
	    "m.example" },
	{ "the same pattern twice",
	    "a.example m.example\nb.example x.example\n"
	    "A.EXAMPLE. n.example\n", "m.example n.example" },
	{ "continuation without a pattern", " 10 m.example\n", "" },
	{ "continuation of an unreadable pattern",
	    "a.example m.example\na..b x.example\n 20 y.example\n",
	    "m.example" },
	{ "comment glued to the pattern", "a.example#b m.example\n", "" },
	{ "comment glued to the host", "a.example m.example#b\n",
	    "!1 \"m.example#b\" is not a host name" },
	{ "pattern alone", "a.example\n 10 m.example\n",
	    "!1 an action must follow the pattern" },
	{ "pattern alone before CRLF",
	    "x.example m.example\r\na.example\r\n 10 m.example\r\n",
	    "!2 an action must follow the pattern" },
	{ "empty line with a CR is no pattern",
	    "a.example m.example\r\n\r\n 20 n.example\r\n",
	    "m.example n.example" },
	{ "poisoned", "a.example 10 foo\n 20 m.example\n", "!1 unknown" },
	{ "poisoned by its second line", "a.example m.example\n 20 foo\n",
	    "!2 unknown" },
	{ "poisoned far below",
	    "a.example m.example\nb.example n.example\na.example 20 foo\n",
	    "!3 unknown" },
	{ "a poisoned pattern is still the best",
	    "* any.example\na.example foo\n", "!2 unknown" },
	{ "another pattern's poison", "b.example foo\na.example m.example\n",
	    "m.example" },
	{ "a worse pattern's poison", "* foo\na.example m.example\n",
	    "m.example" },
	{ "plus and no plus", "a.example +5 m.example\n 10 n.example\n",
	    "!2 a pattern needs +" },
	{ "no plus and plus", "a.example 5 m.example\n +10 n.example\n",
	    "!2 a pattern needs +" },
	{ "dns and a host", "a.example dns\n 10 n.example\n",
	    "!2 dns, reject and defer" },
	{ "a host and reject", "a.example m.example\na.example reject\n",
	    "!2 dns, reject and defer" },
	{ "dns twice", "a.example dns\na.example dns\n",
	    "!2 dns, reject and defer" },
	{ "dns", "a.example dns\n* m.example\n", "dns" },
	{ "byte order mark", "\357\273\277a.example m.example\n", "" }
};

static void
test_mxhosts_file_rows(void **state)
{
	const char *got;
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		print_message("# %s\n", files[i].name);
		for (step = 1; step < 40; step++) {
			got = scan(files[i].text, strlen(files[i].text),
			    step, "a.example", NULL, NULL);
			if (files[i].answer[0] != '!')
				assert_string_equal(got, files[i].answer);
			else
				assert_memory_equal(got, files[i].answer,
				    strlen(files[i].answer));
		}
	}
}

/* A pattern in Unicode is its A-labels, whichever way it is written. */
static void
test_mxhosts_patterns_in_unicode(void **state)
{
#ifdef HAVE_LIBIDN2
	static const char file[] =
	    "b\303\274cher.example m.example\n"
	    "*.B\303\234CHER.example n.example\n"
	    "bob@b\303\274cher.example o.example\n"
	    "\357\275\201.example p.example\n"
	    "* q.example\n";
	static const struct {
		const char	*domain, *rcpt, *want;
	} rows[] = {
		{ "xn--bcher-kva.example", NULL, "m.example" },
		{ "x.xn--bcher-kva.example", NULL, "n.example" },
		{ "xn--bcher-kva.example", "bob@xn--bcher-kva.example",
		    "o.example" },
		{ "a.example", NULL, "q.example" },
		{ "bcher.example", NULL, "q.example" }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(scan(file, strlen(file), 7,
		    rows[i].domain, rows[i].rcpt, NULL), rows[i].want);
#else
	static const char file[] = "b\303\274cher.example m.example\n";

	(void)state;
	assert_string_equal(scan(file, strlen(file), 7,
	    "xn--bcher-kva.example", NULL, NULL), "");
#endif
}

static void
test_mxhosts_nul_in_a_pattern(void **state)
{
	static const char text[] = "a.example\0 m.example\n"
	    "a.exam\0ple n.example\n";

	(void)state;
	assert_string_equal(scan(text, sizeof(text) - 1, 7, "a.example",
	    NULL, NULL), "");
}

/* A line of LEN octets: PATTERN, a host, and a comment to fill it. */
static char *
long_line(const char *pattern, size_t len)
{
	char *text;
	int n;

	assert_non_null(text = malloc(len + 100));
	n = snprintf(text, len, "%s m.example # ", pattern);
	memset(text + n, 'x', len - (size_t)n);
	(void)strlcpy(text + len, "\nb.example n.example\n", 100);
	return text;
}

static void
test_mxhosts_line_of_4096_is_read(void **state)
{
	size_t step;
	char *text;

	(void)state;
	text = long_line("a.example", 4096);
	for (step = 1000; step < 5000; step += 333)
		assert_string_equal(scan(text, strlen(text), step,
		    "a.example", NULL, NULL), "m.example");
	free(text);
}

static void
test_mxhosts_longer_line_poisons_its_pattern(void **state)
{
	size_t step;
	char *text;

	(void)state;
	text = long_line("a.example", 4097);
	for (step = 1000; step < 5000; step += 333) {
		assert_memory_equal(scan(text, strlen(text), step,
		    "a.example", NULL, NULL), "!1 the line is longer", 21);
		assert_string_equal(scan(text, strlen(text), step,
		    "b.example", NULL, NULL), "n.example");
	}
	free(text);
}

/* A word, plain or quoted, is kept whole or not at all. */
static void
test_mxhosts_long_words(void **state)
{
	static const struct {
		const char	*before, *after;
		size_t		 len;
		const char	*error;
	} rows[] = {
		{ " ", "", 1200, "is not a host name" },
		{ " ", "", 1201, "a word is longer than 1200" },
		{ " m.example ", " x", 1201, "a word is longer than 1200" },
		{ " reject \"", "\"", 255, NULL },
		{ " reject \"", "\"", 1200, "the text is longer than 255" },
		{ " reject \"", "\"", 1201, "a word is longer than 1200" }
	};
	struct mxhosts_line line;
	char text[1300], err[200], word[1300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(word, 'x', rows[i].len);
		word[rows[i].len] = '\0';
		(void)snprintf(text, sizeof(text), "%s%s%s", rows[i].before,
		    word, rows[i].after);
		err[0] = '\0';
		if (mxhosts_action(text, strlen(text), &line, err,
		    sizeof(err)) == 0) {
			assert_null(rows[i].error);
			assert_string_equal(line.text, word);
		} else if (rows[i].error == NULL ||
		    strstr(err, rows[i].error) == NULL)
			fail_msg("row %zu: %s", i, err);
	}
}

static void
test_mxhosts_too_many_lines_of_one_pattern(void **state)
{
	size_t i, n = 0;
	char *text;

	(void)state;
	assert_non_null(text = malloc(1001 * 40));
	for (i = 0; i < 1001; i++)
		n += (size_t)snprintf(text + n, 40,
		    "a.example m%zu.example\n", i);
	assert_memory_equal(scan(text, n, 4096, "a.example", NULL, NULL),
	    "!1001 the pattern has too many", 30);
	free(text);
}

static void
test_mxhosts_first_file_with_a_pattern_owns_it(void **state)
{
	static struct mxhosts_reader reader;
	static const char *const parts[] = {
		"a.example m.example\n*.b.example n.example\n",
		("a.example 20 bad.example\n*.b.example foo\n"
		"x.b.example o.example\n"),
		" 30 bad.example\nx.b.example bad.example\n"
	};
	struct mxhosts mh;
	size_t i, d;
	static const struct {
		const char	*domain;
		const char	*host;
	} want[] = {
		{ "a.example", "m.example" },
		{ "y.b.example", "n.example" },
		{ "x.b.example", "o.example" }
	};

	(void)state;
	for (d = 0; d < 3; d++) {
		assert_int_equal(mxhosts_init(&mh, want[d].domain, NULL), 0);
		for (i = 0; i < 3; i++) {
			memset(&reader, 0, sizeof(reader));
			reader.line = mxhosts_line;
			reader.arg = &mh;
			if (i > 0)
				mxhosts_newfile(&mh);
			assert_int_equal(mxhosts_feed(&reader, parts[i],
			    strlen(parts[i])), 0);
			assert_int_equal(mxhosts_finish(&reader), 0);
		}
		assert_int_equal(mh.badline, 0);
		assert_int_equal(mh.nline, 1);
		assert_string_equal(mh.line[0].host, want[d].host);
		mxhosts_clear(&mh);
	}
}

/* --- files ---------------------------------------------------------------- */

static int
ignore_line(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	(void)arg;
	(void)lineno;
	(void)p;
	(void)n;
	(void)toolong;
	return 0;
}

/* Changes the file while it is read. */
static int
touch_file(void *arg, unsigned int lineno, const char *p, size_t n,
    int toolong)
{
	(void)ignore_line(arg, lineno, p, n, toolong);
	return truncate(arg, 5);
}

static int
refuse(void *arg, unsigned int lineno, const char *p, size_t n, int toolong)
{
	(void)ignore_line(arg, lineno, p, n, toolong);
	return -1;
}

static void
test_mxhosts_read_outcomes(void **state)
{
	char err[600] = "", path[4096];

	(void)state;
	(void)strlcpy(path, fake_text("mxhosts", "a.example m.example\n"),
	    sizeof(path));
	assert_int_equal(mxhosts_read(path, ignore_line, NULL, err,
	    sizeof(err)), 1);
	assert_int_equal(mxhosts_read("/nonexistent/mxhosts", ignore_line,
	    NULL, err, sizeof(err)), 0);
	assert_string_equal(err, "");
	assert_int_equal(mxhosts_read("/", ignore_line, NULL, err,
	    sizeof(err)), -1);
	assert_string_equal(err, "/: is not a regular file");
	assert_int_equal(mxhosts_read(path, refuse, NULL, err, sizeof(err)),
	    -1);
	assert_non_null(strstr(err, "mxhosts: cannot be read: "));
	assert_int_equal(mxhosts_read(path, touch_file, path, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "was changed while it was read"));
}

static void
test_mxhosts_read_does_not_wait_for_a_fifo(void **state)
{
	char err[600], path[4096];

	(void)state;
	(void)strlcpy(path, fake_text("fifo", ""), sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(mxhosts_read(path, ignore_line, NULL, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "is not a regular file"));
}

/* Say its file system is not mounted: the overrides are not gone. */
static void
test_mxhosts_read_of_a_link_to_nowhere(void **state)
{
	char err[600], path[4096];

	(void)state;
	(void)strlcpy(path, fake_text("link", ""), sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nonexistent/mxhosts", path), 0);
	assert_int_equal(mxhosts_read(path, ignore_line, NULL, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "link: is a link to a file that does not "
	    "exist"));
}

static const struct {
	mode_t	 mode;
	int	 good;
} modes[] = {
	{ 0644, 1 }, { 0600, 1 }, { 0444, 1 }, { 0664, 0 }, { 0646, 0 },
	{ 0666, 0 }, { 0620, 0 }
};

static void
test_mxhosts_read_trusts_no_file_that_others_write(void **state)
{
	char err[600], path[4096];
	size_t i;

	(void)state;
	(void)strlcpy(path, fake_text("mode", "a.example m.example\n"),
	    sizeof(path));
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i].mode), 0);
		assert_int_equal(mxhosts_read(path, ignore_line, NULL, err,
		    sizeof(err)), modes[i].good ? 1 : -1);
		if (!modes[i].good)
			assert_non_null(strstr(err, "chmod go-w"));
	}
}

static void
test_mxhosts_read_trusts_no_file_of_another_user(void **state)
{
	char err[600], path[4096];

	(void)state;
	if (geteuid() != 0) {
		print_message("# only root can give files away\n");
		skip();
	}
	(void)strlcpy(path, fake_text("owner", ""), sizeof(path));
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_int_equal(mxhosts_read(path, ignore_line, NULL, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "belongs to somebody else"));
}

struct reports {
	char	text[4000];
	size_t	n;
};

static void
report(void *arg, unsigned int lineno, int warning, const char *text)
{
	struct reports *r = arg;

	r->n += (size_t)snprintf(r->text + r->n, sizeof(r->text) - r->n,
	    "%u %s%.24s\n", lineno, warning ? "W " : "", text);
}

static void
test_mxhosts_check_lists_every_error(void **state)
{
	static const char text[] =
	    " 10 m.example\n"
	    "a.example 10 foo\n"
	    " 20 m.example\n"
	    " 30 bar\n"
	    "a..b m.example\n"
	    " 10 n.example\n"
	    "b.example dns\n"
	    "c.example +1 m.example\n"
	    "*.d.example m.example\n"
	    "B.example. m.example\n"
	    ".d.example +1 n.example\n"
	    "# good\n"
	    "e.example m.example\n";
	struct mxhosts_owners owners = { NULL, 0, 0, 0 };
	struct reports r = { "", 0 };
	char err[600];
	size_t npatterns;

	(void)state;
	assert_int_equal(mxhosts_check(fake_text("bad", text), report, &r,
	    &owners, &npatterns, err, sizeof(err)), 7);
	mxhosts_owners_clear(&owners);
	assert_string_equal(r.text,
	    "1 the line is skipped: it \n"
	    "2 unknown word \"foo\"; a ho\n"
	    "4 unknown word \"bar\"; a ho\n"
	    "5 the line is skipped: its\n"
	    "6 the line is skipped: it \n"
	    "10 dns, reject and defer mu\n"
	    "11 a pattern needs + on all\n");
	assert_int_equal(npatterns, 5);
}

/* What no lookup can use is a warning; what only looks so is none. */
static void
test_mxhosts_check_warns_of_lines_without_effect(void **state)
{
	static const char text[] =
	    "a.example 20 m.example tls=verify\n"
	    "	10 m.example:25\n"
	    "	10 m.example:26\n"
	    "	10 mx:m.example\n"
	    "A.Example. 15 M.example.\n"
	    "	30 mx:m.example\n"
	    "*.b.example 10 [192.0.2.1]\n"
	    ".B.example +0 n.example\n"
	    "	10 [192.0.2.1]:25\n"
	    "x.b.example 10 [192.0.2.1]\n"
	    "amy@b.example dns\n"
	    "amy@x.b.example dns\n"
	    "amy@y.x.b.example dns\n"
	    "bob@c.example m.example\n"
	    "bob+x@c.example dns\n"
	    "bo+b@c.example dns\n"
	    "c.c.example dns\n";
	struct mxhosts_owners owners = { NULL, 0, 0, 0 };
	struct reports r = { "", 0 };
	char err[600];
	size_t npatterns;

	(void)state;
	assert_int_equal(mxhosts_check(fake_text("idle", text), report, &r,
	    &owners, &npatterns, err, sizeof(err)), 1);
	mxhosts_owners_clear(&owners);
	assert_string_equal(r.text,
	    "1 W m.example is also in lin\n"
	    "5 W m.example is also in lin\n"
	    "6 W mx:m.example is also in \n"
	    "8 a pattern needs + on all\n"
	    "9 W 192.0.2.1 is also in lin\n"
	    "11 W no other pattern covers \n"
	    "16 W no other pattern covers \n");
	assert_int_equal(npatterns, 10);
}

/* A pattern that an earlier file has is that file's, even if it is wrong. */
static void
test_mxhosts_check_knows_the_owner_of_a_wrong_pattern(void **state)
{
	struct mxhosts_owners owners = { NULL, 0, 0, 1 };
	struct reports r = { "", 0 };
	char first[200], err[600];
	size_t npatterns;

	(void)state;
	(void)strlcpy(first, fake_text("first",
	    "a.example frob\n 20 m.example\n dns\n"
	    "b.example dns\n frob\n n.example\n"
	    "c.example frob\n"), sizeof(first));
	assert_int_equal(mxhosts_check(first, report, &r, &owners,
	    &npatterns, err, sizeof(err)), 5);
	assert_string_equal(r.text,
	    "1 unknown word \"frob\"; a h\n"
	    "3 dns, reject and defer mu\n"
	    "5 unknown word \"frob\"; a h\n"
	    "6 dns, reject and defer mu\n"
	    "7 unknown word \"frob\"; a h\n");
	assert_int_equal(npatterns, 3);
	memset(&r, 0, sizeof(r));
	owners.more = 0;
	assert_int_equal(mxhosts_check(fake_text("second",
	    "a.example m.example\nb.example m.example\n"
	    "c.example m.example\n"), report, &r,
	    &owners, &npatterns, err, sizeof(err)), 0);
	assert_string_equal(r.text,
	    "1 W the pattern belongs to /\n"
	    "2 W the pattern belongs to /\n"
	    "3 W the pattern belongs to /\n");
	mxhosts_owners_clear(&owners);
}

static void
test_mxhosts_check_counts_the_lines_of_a_pattern(void **state)
{
	struct mxhosts_owners owners = { NULL, 0, 0, 0 };
	struct reports r = { "", 0 };
	char err[600], *text;
	size_t i, n = 0, room = 64 * (MXHOSTS_MAXLINES + 2), npatterns;

	(void)state;
	assert_non_null(text = malloc(room));
	for (i = 0; i < MXHOSTS_MAXLINES + 2; i++)
		n += (size_t)snprintf(text + n, room - n,
		    "a.example m%zu.example\n", i);
	assert_int_equal(mxhosts_check(fake_text("long", text), report, &r,
	    &owners, &npatterns, err, sizeof(err)), 1);
	mxhosts_owners_clear(&owners);
	assert_string_equal(r.text, "1001 the pattern has too many\n");
	free(text);
}

static const struct fake_line dns[] = {
	{ "dns", "arch.example", "SUCCESS 10 mx1.arch.example "
	    "20 mx2.arch.example" },
	{ "dns", "eng.example", "SUCCESS 10 hq.eng.example" },
	{ NULL, NULL, NULL }
};

/* Looks up with FILE in place of /etc/mxhosts, in front of that DNS. */
static struct mxinfo *
look_up(const char *file, const char *domain, const char *rcpt, int expect)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[4200];

	(void)snprintf(sources, sizeof(sources), "files(%s) dns",
	    fake_text("mxhosts", file));
	h.mh_sources = sources;
	h.mh_rcpt = rcpt;
	h.mh_flags = MXH_NORANDOM;
	fake_says(dns);
	assert_int_equal(mx_lookup(&fake_env, domain, &h, &info), expect);
	return info;
}

/* --- the source ----------------------------------------------------------- */

static void
test_source_files_holds_mail_of_a_poisoned_pattern(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("a.example 10 foo\n", "a.example", NULL, MX_EDEFER);
	assert_non_null(strstr(info->mi_text, "mxhosts:1: unknown word"));
	assert_string_equal(info->mi_dsn, "4.3.2");
	assert_int_equal(fake_asked("dns"), 0);
	freemxinfo(info);
}

static void
test_source_files_default_texts(void **state)
{
	struct mxinfo *info;

	(void)state;
	info = look_up("a.example defer\n", "a.example", NULL, MX_EDEFER);
	assert_non_null(strstr(info->mi_text, "mxhosts:1)"));
	freemxinfo(info);
	info = look_up("\na.example reject\n", "a.example", NULL,
	    MX_EREJECT);
	assert_non_null(strstr(info->mi_text, "mxhosts:2)"));
	assert_string_equal(info->mi_dsn, "5.7.1");
	freemxinfo(info);
}

static void
test_source_files_unreadable_holds_mail(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	fake_says(dns);
	h.mh_sources = "files(/) dns";
	assert_int_equal(mx_lookup(&fake_env, "arch.example", &h, &info),
	    MX_ESOURCE);
	assert_string_equal(info->mi_text, "/: is not a regular file");
	assert_int_equal(fake_asked("dns"), 0);
	freemxinfo(info);
}

/* It would be another file in each directory, and missing in most. */
static void
test_source_files_refuses_a_relative_path(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	fake_says(dns);
	h.mh_sources = "files(mxhosts) dns";
	assert_int_equal(mx_lookup(&fake_env, "eng.example", &h, &info),
	    MX_ECONFIG);
	assert_non_null(strstr(info->mi_text, "refuses its argument"));
	assert_int_equal(fake_asked("dns"), 0);
	freemxinfo(info);
	/* as getmx(1) says, for a trial */
	h.mh_sources = "files(./nonexistent/mxhosts) dns";
	assert_int_equal(mx_lookup(&fake_env, "eng.example", &h, &info),
	    MX_OK);
	freemxinfo(info);
}

static void
test_source_files_missing_is_no_override(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	(void)state;
	fake_says(dns);
	h.mh_sources = "files(/nonexistent/mxhosts) dns";
	assert_int_equal(mx_lookup(&fake_env, "eng.example", &h, &info),
	    MX_OK);
	assert_string_equal(fake_exchanges(info), "10 hq.eng.example");
	freemxinfo(info);
}

static void
test_source_files_hands_all_options_on(void **state)
{
	const struct mxent *mx;
	struct mxinfo *info;

	(void)state;
	info = look_up("# x\na.example 7 m.example:465 tls=encrypt "
	    "name=n.example ttl=99 auth=me implicit-tls\n", "a.example",
	    NULL, MX_OK);
	mx = info->mi_mx;
	assert_int_equal(mx->mx_pref, 7);
	assert_int_equal(mx->mx_port, 465);
	assert_int_equal(mx->mx_tls, MX_TLS_ENCRYPT);
	assert_string_equal(mx->mx_tlsname, "n.example");
	assert_int_equal(mx->mx_ttl, 99);
	assert_string_equal(mx->mx_auth, "me");
	assert_int_equal(mx->mx_flags, MXE_LOCALCONF | MXE_IMPLICITTLS);
	assert_string_equal(mx->mx_source, "files");
	assert_non_null(strstr(mx->mx_origin, "mxhosts:2"));
	assert_int_equal(info->mi_ttl, 99);
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
		cmocka_unit_test(test_mxhosts_action_rows),
		cmocka_unit_test(test_mxhosts_action_nul),
		cmocka_unit_test(test_mxhosts_action_text_too_long),
		cmocka_unit_test(test_mxhosts_pattern_rows),
		cmocka_unit_test(test_mxhosts_most_specific_pattern_wins),
		cmocka_unit_test(test_mxhosts_order_of_lines_does_not_matter),
		cmocka_unit_test(test_mxhosts_file_rows),
		cmocka_unit_test(test_mxhosts_patterns_in_unicode),
		cmocka_unit_test(test_mxhosts_nul_in_a_pattern),
		cmocka_unit_test(test_mxhosts_line_of_4096_is_read),
		cmocka_unit_test(test_mxhosts_long_words),
		cmocka_unit_test(test_mxhosts_longer_line_poisons_its_pattern),
		cmocka_unit_test(test_mxhosts_too_many_lines_of_one_pattern),
		cmocka_unit_test(
		    test_mxhosts_first_file_with_a_pattern_owns_it),
		cmocka_unit_test(test_mxhosts_read_outcomes),
		cmocka_unit_test(test_mxhosts_read_does_not_wait_for_a_fifo),
		cmocka_unit_test(test_mxhosts_read_of_a_link_to_nowhere),
		cmocka_unit_test(
		    test_mxhosts_read_trusts_no_file_that_others_write),
		cmocka_unit_test(
		    test_mxhosts_read_trusts_no_file_of_another_user),
		cmocka_unit_test(test_mxhosts_check_lists_every_error),
		cmocka_unit_test(
		    test_mxhosts_check_warns_of_lines_without_effect),
		cmocka_unit_test(
		    test_mxhosts_check_knows_the_owner_of_a_wrong_pattern),
		cmocka_unit_test(
		    test_mxhosts_check_counts_the_lines_of_a_pattern),
		cmocka_unit_test(
		    test_source_files_holds_mail_of_a_poisoned_pattern),
		cmocka_unit_test(test_source_files_default_texts),
		cmocka_unit_test(test_source_files_unreadable_holds_mail),
		cmocka_unit_test(test_source_files_refuses_a_relative_path),
		cmocka_unit_test(test_source_files_missing_is_no_override),
		cmocka_unit_test(test_source_files_hands_all_options_on)
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
