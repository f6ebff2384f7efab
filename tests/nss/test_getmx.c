/* SPDX-License-Identifier: ISC */
/* What getmx prints, and what --check and --config find. */
#include "config.h"

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
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "tool/getmx.h"
#include "sources/module.h"
#include "mxdb.h"

static char *text;
static size_t textlen;

static FILE *
begin(void)
{
	FILE *fp;

	free(text);
	text = NULL;
	assert_non_null(fp = open_memstream(&text, &textlen));
	return fp;
}

static struct mxinfo *
look_up(const char *says, const char *domain, uint32_t flags)
{
	static struct fake_line lines[3];
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;

	lines[0].source = "alpha";
	lines[0].domain = "d.example";
	lines[0].says = says;
	lines[1].source = "alpha";
	lines[1].domain = "xn--bcher-kva.example";
	lines[1].says = says;
	fake_says(lines);
	h.mh_sources = "alpha";
	h.mh_flags = flags | MXH_NORANDOM;
	(void)mx_lookup(&fake_env, domain, &h, &info);
	assert_non_null(info);
	return info;
}

static const struct {
	const char	*name;
	const char	*says;
	uint32_t	 flags;
	int		 rcpt;
	int		 colour;
	const char	*table;
} tables[] = {
	{ "plain",
	    "SUCCESS origin f:1 ttl 300 10 mail.example 20 b.example", 0, 0,
	    0,
	    "d.example\n"
	    "  PREF  HOST          PORT  ADDRESS  TTL  FROM\n"
	    "    10  mail.example    25  -        300  alpha f:1\n"
	    "    20  b.example       25  -        300  alpha f:1\n" },
	{ "addresses and TLS",
	    "SUCCESS local 5 192.0.2.1 tls 4 65535 2001:db8::1", MXH_ADDRS,
	    0, 0,
	    "d.example\n"
	    "   PREF  HOST         PORT  ADDRESS      TTL  FROM   TLS\n"
	    "      5  192.0.2.1      25  192.0.2.1      -  alpha\n"
	    "  65535  2001:db8::1    25  2001:db8::1    -  alpha  "
	    "tls=verify\n" },
	{ "notes", "SUCCESS note odd secure byrcpt 10 mail.example", 0, 0, 0,
	    "d.example\n"
	    "  PREF  HOST          PORT  ADDRESS  TTL  FROM\n"
	    "    10  mail.example    25  -          -  alpha\n"
	    "  note: authenticated by DNSSEC\n"
	    "  note: overrides name single users of the domain: ask for "
	    "user@domain to see theirs\n"
	    "  note: odd\n" },
	{ "no hint to ask for a recipient when one was",
	    "SUCCESS byrcpt 10 m.example", 0, 1, 0,
	    "d.example\n"
	    "  PREF  HOST       PORT  ADDRESS  TTL  FROM\n"
	    "    10  m.example    25  -          -  alpha\n" },
	{ "implicit", "NOTFOUND nodata cname c.example", 0, 0, 0,
	    "d.example\n"
	    "  PREF  HOST       PORT  ADDRESS  TTL  FROM\n"
	    "     0  c.example    25  -         60  alpha\n"
	    "  note: d.example is an alias of c.example\n"
	    "  note: no MX record: mail goes to the domain's own address "
	    "(RFC 5321 section 5.1)\n" },
	{ "permanent error", "SUCCESS origin f:7 dsn 5.7.9 MX_EREJECT", 0, 0,
	    0, "d.example: as scripted (permanent error MX_EREJECT 5.7.9, "
	    "from alpha f:7)\n" },
	{ "temporary error", "TRYAGAIN note x MX_ESERVFAIL", 0, 0, 0,
	    "d.example: the name server failed (temporary error "
	    "MX_ESERVFAIL 4.4.3, from alpha)\n"
	    "  note: x\n" },
	{ "nobody", "NOTFOUND", 0, 0, 0,
	    "d.example: no source knows a mail exchanger of d.example "
	    "(permanent error MX_EUNUSABLE 5.4.4)\n" },
	{ "colours", "SUCCESS note x 10 m.example", 0, 0, 1,
	    "\033[1md.example\033[0m\n"
	    "\033[2m  PREF  HOST       PORT  ADDRESS  TTL  FROM\033[0m\n"
	    "    10  m.example    25  -          -  alpha\n"
	    "  \033[33mnote:\033[0m x\n" },
	{ "colour of a permanent error", "SUCCESS MX_EREJECT", 0, 0, 1,
	    "\033[1md.example\033[0m: \033[31mrejected by local "
	    "configuration\033[0m (permanent error MX_EREJECT 5.7.1, from "
	    "alpha)\n" },
	{ "colour of a temporary error", "SUCCESS MX_EDEFER", 0, 0, 1,
	    "\033[1md.example\033[0m: \033[33mheld by local "
	    "configuration\033[0m (temporary error MX_EDEFER 4.3.2, from "
	    "alpha)\n" }
};

static void
test_table_rows(void **state)
{
	struct mxinfo *info;
	size_t i;
	FILE *fp;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		print_message("# %s\n", tables[i].name);
		info = look_up(tables[i].says, "d.example", tables[i].flags);
		fp = begin();
		getmx_table(fp, info, tables[i].rcpt, tables[i].colour);
		assert_int_equal(fclose(fp), 0);
		assert_string_equal(text, tables[i].table);
		freemxinfo(info);
	}
}

/* One exchange with all that a line of mxhosts(5) can say. */
static struct mxinfo *
look_up_file(const char *line)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[4200];

	(void)snprintf(sources, sizeof(sources), "files(%s)",
	    fake_text("mxhosts", line));
	h.mh_sources = sources;
	h.mh_flags = MXH_ADDRS;
	assert_int_equal(mx_lookup(&fake_env, "d.example", &h, &info),
	    MX_OK);
	return info;
}

static void
test_table_spells_all_demands(void **state)
{
	struct mxinfo *info;
	FILE *fp;

	(void)state;
	info = look_up_file("d.example 7 [192.0.2.1]:465 tls=encrypt "
	    "name=n.example auth=me implicit-tls ttl=9\n");
	fp = begin();
	getmx_table(fp, info, 0, 0);
	assert_int_equal(fclose(fp), 0);
	assert_non_null(strstr(text, "     7  192.0.2.1   465  192.0.2.1    9"
	    "  files "));
	assert_non_null(strstr(text, "mxhosts:1  tls=encrypt name=n.example "
	    "implicit-tls auth=me\n"));
	freemxinfo(info);
}

static void
test_names(void **state)
{
	struct mxinfo *info;
	FILE *fp;

	(void)state;
	info = look_up("SUCCESS 20 b.example 10 a.example", "d.example", 0);
	fp = begin();
	getmx_names(fp, info);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(text, "a.example\nb.example\n");
	freemxinfo(info);
}

static const struct {
	const char	*name;
	const char	*says;
	const char	*domain;
	const char	*json;
} objects[] = {
	{ "found", "SUCCESS secure note x origin f:1 ttl 300 10 a.example",
	    "d.example",
	    "{\"domain\":\"D.Example.\",\"ascii\":\"d.example\","
	    "\"unicode\":null,\"status\":\"ok\",\"error\":null,"
	    "\"dsn\":null,\"text\":null,\"source\":\"alpha\","
	    "\"origin\":\"f:1\",\"ttl\":300,\"secure\":true,\"mx\":[{"
	    "\"pref\":10,\"host\":\"a.example\",\"port\":25,\"ttl\":300,"
	    "\"tls\":null,\"tls_name\":null,\"implicit_tls\":false,"
	    "\"auth\":null,\"source\":\"alpha\",\"origin\":\"f:1\","
	    "\"error\":null,\"addresses\":[]}],"
	    "\"notes\":[\"authenticated by DNSSEC\",\"x\"]}\n" },
	{ "permanent", "NOTFOUND MX_ENXDOMAIN", "d.example",
	    "{\"domain\":\"D.Example.\",\"ascii\":\"d.example\","
	    "\"unicode\":null,\"status\":\"permanent\","
	    "\"error\":\"MX_ENXDOMAIN\",\"dsn\":\"5.1.2\","
	    "\"text\":\"no such domain\",\"source\":\"alpha\","
	    "\"origin\":null,\"ttl\":null,\"secure\":false,\"mx\":[],"
	    "\"notes\":[]}\n" },
	{ "temporary", "TRYAGAIN MX_ETIMEOUT", "d.example",
	    "{\"domain\":\"D.Example.\",\"ascii\":\"d.example\","
	    "\"unicode\":null,\"status\":\"temporary\","
	    "\"error\":\"MX_ETIMEOUT\",\"dsn\":\"4.4.3\","
	    "\"text\":\"no answer in time\",\"source\":\"alpha\","
	    "\"origin\":null,\"ttl\":null,\"secure\":false,\"mx\":[],"
	    "\"notes\":[]}\n" }
};

static void
test_json_rows(void **state)
{
	struct mxinfo *info;
	size_t i;
	FILE *fp;

	(void)state;
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		print_message("# %s\n", objects[i].name);
		info = look_up(objects[i].says, objects[i].domain, 0);
		fp = begin();
		getmx_json(fp, "D.Example.", info, NULL);
		assert_int_equal(fclose(fp), 0);
		assert_string_equal(text, objects[i].json);
		freemxinfo(info);
	}
}

static char hosts[2][16] = { "a.example", "b.example" };
static char trace_note[] = "odd";
static struct mxnote a_note = { NULL, trace_note };
static struct mxent b_mx = { .mx_pref = 20, .mx_host = hosts[1],
	.mx_ttl = 5, .mx_port = 26 };
static struct mxent a_mx = { .mx_next = &b_mx, .mx_pref = 10,
	.mx_host = hosts[0], .mx_ttl = 5 };

#define B_JSON	"{\"pref\":20,\"host\":\"b.example\",\"port\":26," \
	"\"ttl\":5,\"tls\":null,\"tls_name\":null," \
	"\"implicit_tls\":false,\"auth\":null,\"source\":null," \
	"\"origin\":null,\"error\":null,\"addresses\":[]}"

static const struct {
	const char	*name;
	struct mxtrace	 t;
	const char	*text;
	const char	*json;
} steps[] = {
	{ "list", { .mt_event = MXT_LIST, .mt_domain = "d.example",
	    .mt_text = "files dns", .mt_origin = "f:1" },
	    "trace of d.example: the source list of f:1\n    files dns\n",
	    "{\"event\":\"list\",\"domain\":\"d.example\","
	    "\"source\":null,\"arg\":null,\"status\":null,"
	    "\"action\":null,\"error\":null,\"text\":\"files dns\","
	    "\"origin\":\"f:1\",\"pattern\":null,\"used\":true,"
	    "\"usec\":0,\"mx\":[],\"notes\":[]}" },
	{ "source", { .mt_event = MXT_SOURCE, .mt_domain = "d.example",
	    .mt_source = "files", .mt_arg = "/x", .mt_status = "SUCCESS",
	    .mt_action = "return", .mt_origin = "/x:1", .mt_rule = "*",
	    .mt_usec = 12034, .mt_mx = &a_mx, .mt_notes = &a_note },
	    "  files(/x): SUCCESS, return, 12.034 ms, /x:1, pattern *\n"
	    "    10 a.example\n    20 b.example port 26\n    note: odd\n",
	    NULL },
	{ "failure, not needed", { .mt_event = MXT_SOURCE,
	    .mt_flags = MXT_UNUSED, .mt_domain = "d.example",
	    .mt_source = "dns", .mt_status = "TRYAGAIN",
	    .mt_error = MX_ETIMEOUT, .mt_text = "too late", .mt_usec = 7 },
	    "  dns, not needed: TRYAGAIN, 0.007 ms\n"
	    "    MX_ETIMEOUT: too late\n",
	    "{\"event\":\"source\",\"domain\":\"d.example\","
	    "\"source\":\"dns\",\"arg\":null,\"status\":\"TRYAGAIN\","
	    "\"action\":null,\"error\":\"MX_ETIMEOUT\","
	    "\"text\":\"too late\",\"origin\":null,\"pattern\":null,"
	    "\"used\":false,\"usec\":7,\"mx\":[],\"notes\":[]}" },
	{ "borrow", { .mt_event = MXT_BORROW, .mt_domain = "o.example",
	    .mt_source = "dns", .mt_status = "NOTFOUND", .mt_usec = 1000 },
	    "  dns, for mx:o.example: NOTFOUND, 1.000 ms\n", NULL },
	{ "dropped", { .mt_event = MXT_DROPPED, .mt_domain = "d.example",
	    .mt_source = "dns", .mt_origin = "192.0.2.53#53",
	    .mt_text = "why", .mt_mx = &b_mx, .mt_notes = &a_note },
	    "  left out: 20 b.example port 26 (192.0.2.53#53): why\n",
	    "{\"event\":\"dropped\",\"domain\":\"d.example\","
	    "\"source\":\"dns\",\"arg\":null,\"status\":null,"
	    "\"action\":null,\"error\":null,\"text\":\"why\","
	    "\"origin\":\"192.0.2.53#53\",\"pattern\":null,"
	    "\"used\":true,\"usec\":0,\"mx\":[" B_JSON "],"
	    "\"notes\":[\"odd\"]}" },
	{ "addresses", { .mt_event = MXT_ADDRS, .mt_domain = "d.example",
	    .mt_error = MX_ENOADDR, .mt_text = "none", .mt_mx = &b_mx,
	    .mt_usec = 10 },
	    "  addresses of b.example: none, 0.010 ms\n", NULL },
	{ "of a later library", { .mt_event = 99, .mt_domain = "d.example" },
	    "", NULL }
};

static void
test_trace_steps(void **state)
{
	size_t i;
	FILE *fp;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		print_message("# %s\n", steps[i].name);
		fp = begin();
		getmx_trace(fp, &steps[i].t);
		assert_int_equal(fclose(fp), 0);
		assert_string_equal(text, steps[i].text);
		if (steps[i].json == NULL)
			continue;
		fp = begin();
		getmx_trace_json(fp, &steps[i].t);
		assert_int_equal(fclose(fp), 0);
		assert_string_equal(text, steps[i].json);
	}
}

static void
test_json_with_a_trace(void **state)
{
	static const char end[] = ",\"notes\":[],\"trace\":[{},{}]}\n";
	struct mxinfo *info;
	FILE *fp;

	(void)state;
	info = look_up("NOTFOUND", "d.example", 0);
	fp = begin();
	getmx_json(fp, "d.example", info, "{},{}");
	assert_int_equal(fclose(fp), 0);
	assert_true(textlen > sizeof(end));
	assert_string_equal(text + textlen - (sizeof(end) - 1), end);
	freemxinfo(info);
}

static void
test_json_of_all_demands(void **state)
{
	struct mxinfo *info;
	FILE *fp;

	(void)state;
	info = look_up_file("d.example 7 [2001:db8::1]:465 tls=dane "
	    "name=n.example auth=me implicit-tls ttl=9\n");
	fp = begin();
	getmx_json(fp, "u@d.example", info, NULL);
	assert_int_equal(fclose(fp), 0);
	assert_non_null(strstr(text, "\"pref\":7,\"host\":\"2001:db8::1\","
	    "\"port\":465,\"ttl\":9,\"tls\":\"dane\","
	    "\"tls_name\":\"n.example\",\"implicit_tls\":true,"
	    "\"auth\":\"me\","));
	assert_non_null(strstr(text, "\"addresses\":[\"2001:db8::1\"]"));
	freemxinfo(info);
}

static void
test_json_quotes_whatever_was_asked(void **state)
{
	struct mxinfo *info;
	FILE *fp;

	(void)state;
	info = look_up("NOTFOUND", "a\"b", 0);
	fp = begin();
	/* UTF-8, what is none, and beyond the first plane */
	getmx_json(fp, "a\"b\\c\n\303\274\303\360\237\223\247", info, NULL);
	assert_int_equal(fclose(fp), 0);
	assert_memory_equal(text, "{\"domain\":\"a\\\"b\\\\c\\u000a"
	    "\\u00fc\\u00c3\\ud83d\\udce7\",", 49);
	assert_null(memchr(text, '\n', textlen - 1));
	freemxinfo(info);
}

/* Both forms, wherever the domain is named. */
static void
test_unicode_domain(void **state)
{
#ifdef HAVE_LIBIDN2
	struct mxinfo *info;
	FILE *fp;

	(void)state;
	info = look_up("NOTFOUND MX_ENXDOMAIN", "b\303\274cher.example", 0);
	assert_string_equal(info->mi_qname, "xn--bcher-kva.example");
	fp = begin();
	getmx_json(fp, "B\303\234cher.example", info, NULL);
	getmx_table(fp, info, 0, 0);
	assert_int_equal(fclose(fp), 0);
	assert_non_null(strstr(text, "{\"domain\":\"B\\u00dccher.example\","
	    "\"ascii\":\"xn--bcher-kva.example\","
	    "\"unicode\":\"b\\u00fccher.example\","));
	assert_non_null(strstr(text, "\nxn--bcher-kva.example "
	    "(b\303\274cher.example): no such domain"));
	freemxinfo(info);
#else
	struct mxinfo *info;

	(void)state;
	info = look_up("NOTFOUND", "b\303\274cher.example", 0);
	assert_int_equal(info->mi_error, MX_EBADNAME);
	assert_string_equal(info->mi_text, "\"b??cher.example\" is not a "
	    "domain name; write it in its xn-- form, as names in Unicode "
	    "need libidn2, which is not built in");
	freemxinfo(info);
#endif
}

static void
test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(getmx_exit_code(MX_OK), 0);
	assert_int_equal(getmx_exit_code(MX_ENXDOMAIN), 2);
	assert_int_equal(getmx_exit_code(MX_ELOOP), 2);
	assert_int_equal(getmx_exit_code(MX_ESERVFAIL), 75);
	assert_int_equal(getmx_exit_code(MX_EDEFER), 75);
	assert_int_equal(getmx_exit_code(MX_ENOMEM), 75);
	assert_int_equal(getmx_exit_code(MX_ECONFIG), 78);
}

struct heard {
	char	 all[200];
	size_t	 n;
};

static int
hear(void *arg, const char *domain)
{
	struct heard *h = arg;

	(void)strlcat(h->all, domain, sizeof(h->all));
	(void)strlcat(h->all, ";", sizeof(h->all));
	h->n++;
	return domain[0] == 'b' ? 75 : 2;
}

static const struct {
	const char	*name;
	const char	*input;
	size_t		 len;
	const char	*heard;
	int		 worst;
} inputs[] = {
	{ "nothing", "", 0, "", 1 },
	{ "three lines", "a\nb\na.b\n", 8, "a;b;a.b;", 75 },
	{ "no end of line", "a\nc", 3, "a;c;", 2 },
	{ "blanks and empty lines", " \n\n\ta  b \r\n\n", 12, "a  b;", 2 },
	{ "a NUL is part of a wrong name", "a\0b\nc\n", 6, "a\177b;c;", 2 }
};

static void
test_input_rows(void **state)
{
	struct heard h;
	size_t i;
	FILE *fp;
	int worst;

	(void)state;
	for (i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		print_message("# %s\n", inputs[i].name);
		assert_non_null(fp = tmpfile());
		assert_int_equal(fwrite(inputs[i].input, 1, inputs[i].len,
		    fp), inputs[i].len);
		rewind(fp);
		memset(&h, 0, sizeof(h));
		worst = 1;
		assert_int_equal(getmx_input(fp, hear, &h, &worst), 0);
		assert_string_equal(h.all, inputs[i].heard);
		assert_int_equal(worst, inputs[i].worst);
		assert_int_equal(fclose(fp), 0);
	}
}

static void
test_input_fails_with_its_stream(void **state)
{
	struct heard h;
	FILE *fp;
	int worst = 0;

	(void)state;
	memset(&h, 0, sizeof(h));
	assert_non_null(fp = fopen("/", "r"));
	assert_int_equal(getmx_input(fp, hear, &h, &worst), -1);
	assert_int_equal(h.n, 0);
	assert_int_equal(fclose(fp), 0);
}

/* --- lookups in threads --------------------------------------------------- */

#define POOL_JOBS	200

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_news = PTHREAD_COND_INITIALIZER;
static unsigned int pool_done;		/* jobs */

/* The first of each ten ends after the other nine. */
static int
work_late(void *arg, const char *domain, FILE *out, FILE *errors)
{
	unsigned int n = (unsigned int)strtonum(domain, 0, POOL_JOBS, NULL);

	(void)arg;
	(void)pthread_mutex_lock(&pool_lock);
	while (n % 10 == 0 && pool_done < n + 9)
		(void)pthread_cond_wait(&pool_news, &pool_lock);
	pool_done++;
	(void)pthread_cond_broadcast(&pool_news);
	(void)pthread_mutex_unlock(&pool_lock);
	(void)fprintf(out, "%u\n", n);
	if (n == 3)
		(void)fprintf(errors, "three\n");
	return n == 42 ? 75 : 2;
}

/* What the pool says of N jobs on stdout, in FP; its exit code. */
static int
run_pool(size_t n, FILE *fp)
{
	struct getmx_pool *pool;
	char number[16];
	int code, saved;
	size_t i;

	(void)fflush(stdout);
	assert_int_not_equal(saved = dup(STDOUT_FILENO), -1);
	assert_int_not_equal(dup2(fileno(fp), STDOUT_FILENO), -1);
	pool = getmx_pool_new(work_late, NULL, 0);
	for (i = 0; pool != NULL && i < n; i++) {
		(void)snprintf(number, sizeof(number), "%zu", i);
		(void)getmx_pool_add(pool, number);
	}
	code = pool == NULL ? -1 : getmx_pool_end(pool);
	(void)fflush(stdout);
	(void)dup2(saved, STDOUT_FILENO);
	(void)close(saved);
	rewind(fp);
	return code;
}

static void
test_pool_keeps_the_order(void **state)
{
	char line[16], want[16];
	FILE *fp;
	size_t i;

	(void)state;
	pool_done = 0;
	assert_non_null(fp = tmpfile());
	assert_int_equal(run_pool(POOL_JOBS, fp), 75);
	for (i = 0; i < POOL_JOBS; i++) {
		(void)snprintf(want, sizeof(want), "%zu\n", i);
		assert_non_null(fgets(line, sizeof(line), fp));
		assert_string_equal(line, want);
	}
	assert_null(fgets(line, sizeof(line), fp));
	assert_int_equal(fclose(fp), 0);
}

static void
test_pool_without_jobs(void **state)
{
	FILE *fp;

	(void)state;
	assert_non_null(fp = tmpfile());
	assert_int_equal(run_pool(0, fp), 0);
	assert_int_equal(fgetc(fp), EOF);
	assert_int_equal(fclose(fp), 0);
}

/* --- --check and --config ------------------------------------------------ */

static struct nssconf_place places[2];
static const struct mxmodule_dir moddir = { "/nonexistent", 0, places };
static struct getmx_paths paths = {
	places, NULL, "/nonexistent/runner", &moddir
};
static char conf_path[4200], mxhosts_path[4200], runner_path[4200];

/* NULL: no such file. */
static void
configure(const char *conf, const char *mxhosts, const char *runner)
{
	(void)strlcpy(conf_path, conf == NULL ? "/nonexistent/mxnss.conf" :
	    fake_text("mxnss.conf", conf), sizeof(conf_path));
	(void)strlcpy(mxhosts_path, mxhosts == NULL ? "/nonexistent/mxhosts" :
	    fake_text("mxhosts", mxhosts), sizeof(mxhosts_path));
	(void)strlcpy(runner_path, runner == NULL ? "/nonexistent/runner" :
	    fake_text("runner", runner), sizeof(runner_path));
	if (runner != NULL)
		assert_int_equal(chmod(runner_path, 0755), 0);
	places[0].path = conf_path;
	places[0].args = 1;
	paths.mxhosts = mxhosts_path;
	paths.runner = runner_path;
}

static const struct {
	const char	*name;
	const char	*conf;
	const char	*mxhosts;
	const char	*runner;
	const char	*sources;
	int		 code;
	const char	*says[3];	/* parts of the text */
} checks[] = {
	{ "nothing configured", NULL, NULL, NULL, NULL, 0,
	    { "source list: default: no error\n", "mxhosts: no overrides\n",
	    NULL } },
	{ "all good", "mxhosts: files dns\n", "a.example m.example\n"
	    "* dns\n", NULL, NULL, 0,
	    { "mxnss.conf:1: no error\n", "mxhosts: 2 patterns, no error\n",
	    NULL } },
	{ "one pattern", NULL, "a.example m.example\n", NULL, NULL, 0,
	    { "mxhosts: 1 pattern, no error\n", NULL, NULL } },
	{ "wrong list", "log: x\nmxhosts: files [a=b]\n", NULL, NULL, NULL,
	    78, { "mxnss.conf:2: in the brackets", NULL, NULL } },
	{ "unknown source", "mxhosts: ldap files\n", NULL, NULL, NULL, 78,
	    { "mxnss.conf:1: there is no source \"ldap\" here, and no "
	    "/nonexistent/mxnss_ldap.so\n", NULL, NULL } },
	{ "a source without its argument", "mxhosts: zone dns\n", NULL,
	    NULL, NULL, 78,
	    { "mxnss.conf:1: source \"zone\" needs an argument: "
	    "zone(...)\n", NULL, NULL } },
	{ "an argument that is none", "mxhosts: dns(x) zone(a..b)\n", NULL,
	    NULL, NULL, 78,
	    { "mxnss.conf:1: source \"dns\" refuses its argument \"x\"\n",
	    "source \"zone\" refuses its argument \"a..b\"\n", NULL } },
	{ "a zone", "mxhosts: zone(mx.corp.example) dns\n", NULL, NULL, NULL,
	    0, { "mxnss.conf:1: no error\n", NULL, NULL } },
	{ "both files wrong", "mxhosts: [\n", "a.example foo\nb..c x.y\n",
	    NULL, NULL, 78,
	    { "mxnss.conf:1: '['", "mxhosts:1: unknown word",
	    "mxhosts:2: the line is skipped" } },
	{ "list of the command line", "mxhosts: [\n", NULL, NULL,
	    "files [a=b]", 78,
	    { "source list \"files [a=b]\": in the brackets", NULL, NULL } },
	{ "another override file is checked, too", NULL, NULL, NULL,
	    "files(/) dns", 78,
	    { "/: is not a regular file\n", NULL, NULL } },
	{ "a line without effect", NULL,
	    "a.example m.example\na.example 20 m.example\n", NULL, NULL, 0,
	    { "mxhosts:2: warning: m.example is also in line 1, which comes "
	    "first; this line has no effect\n",
	    "mxhosts: 1 pattern, no error, 1 warning\n", NULL } },
	{ "a second list", "mxhosts: dns\n#\n mxhosts\n", NULL, NULL, NULL,
	    0, { "mxnss.conf:3: warning: this source list is not used; the "
	    "one in /", "mxnss.conf:1 comes first\n",
	    "mxnss.conf:1: no error\n" } },
	{ "nobody reads the file", "mxhosts: dns\n", "* m.example\n", NULL,
	    NULL, 0, { "mxhosts: warning: no source of the list reads this "
	    "file\n", "mxhosts: 1 pattern, no error\n", NULL } },
	{ "sources that are never asked",
	    "mxhosts: files dns [!SUCCESS=return] zone(a.b) files\n", NULL,
	    NULL, NULL, 0,
	    { "mxnss.conf:1: warning: source 3, \"zone\", has no effect: "
	    "the list always ends at \"dns\"\n",
	    "source 4, \"files\", has no effect: it repeats \"files\"\n",
	    NULL } },
	{ "once more after a failure",
	    "mxhosts: files dns [TRYAGAIN=continue] dns\n", NULL, NULL, NULL,
	    0, { "list: ", "mxnss.conf:1: no error\n", NULL } },
	{ "a content runner", NULL, NULL,
	    "#!/bin/sh\n[ \"$*\" = --check ] && echo fine\n", NULL, 0,
	    { "fine\n", NULL, NULL } },
	{ "a runner with complaints", NULL, NULL,
	    "#!/bin/sh\necho one >&2\necho two\nexit 78\n", NULL, 78,
	    { "one\ntwo\n", NULL, NULL } },
	{ "a runner that fails", NULL, NULL, "#!/bin/sh\nexit 3\n", NULL,
	    78, { "runner --check: exit status 3\n", NULL, NULL } },
	{ "a runner that dies", NULL, NULL, "#!/bin/sh\nkill -9 $$\n", NULL,
	    78, { "runner --check: killed by signal 9\n", NULL, NULL } }
};

static void
test_check_rows(void **state)
{
	size_t i, j;
	FILE *fp;

	(void)state;
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		print_message("# %s\n", checks[i].name);
		configure(checks[i].conf, checks[i].mxhosts,
		    checks[i].runner);
		fp = begin();
		assert_int_equal(getmx_check(fp, &paths, checks[i].sources),
		    checks[i].code);
		assert_int_equal(fclose(fp), 0);
		for (j = 0; j < 3 && checks[i].says[j] != NULL; j++)
			if (strstr(text, checks[i].says[j]) == NULL)
				fail_msg("\"%s\" is not in \"%s\"",
				    checks[i].says[j], text);
		if (strstr(checks[i].name, "once more") != NULL)
			assert_null(strstr(text, "warning"));
	}
}

#define DEFAULTS " [SUCCESS=return NOTFOUND=continue UNAVAIL=continue " \
	"TRYAGAIN=return]"

static void
test_config(void **state)
{
	FILE *fp;

	(void)state;
	configure(NULL, NULL, NULL);
	fp = begin();
	assert_int_equal(getmx_config(fp, &paths, NULL), 0);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(text, "# default\nmxhosts: files" DEFAULTS
	    " dns" DEFAULTS "\n");
	configure("mxhosts: dns\n", NULL, NULL);
	fp = begin();
	assert_int_equal(getmx_config(fp, &paths, NULL), 0);
	assert_int_equal(fclose(fp), 0);
	assert_non_null(strstr(text, "mxnss.conf:1\nmxhosts: dns" DEFAULTS
	    "\n"));
	fp = begin();
	assert_int_equal(getmx_config(fp, &paths, "files(/x)"), 0);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(text, "# command line\nmxhosts: files(/x)"
	    DEFAULTS "\n");
	fp = begin();
	assert_int_equal(getmx_config(fp, &paths, "ldap zone"), 0);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(text, "# command line\n"
	    "# there is no source \"ldap\" here, and no "
	    "/nonexistent/mxnss_ldap.so\n"
	    "# source \"zone\" needs an argument: zone(...)\n"
	    "mxhosts: ldap" DEFAULTS " zone" DEFAULTS "\n");
	configure("mxhosts: dns [\n", NULL, NULL);
	fp = begin();
	assert_int_equal(getmx_config(fp, &paths, NULL), EX_CONFIG);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(text, "");
}

static int
teardown(void **state)
{
	(void)state;
	free(text);
	fake_clean();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_rows),
		cmocka_unit_test(test_table_spells_all_demands),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_json_rows),
		cmocka_unit_test(test_trace_steps),
		cmocka_unit_test(test_json_with_a_trace),
		cmocka_unit_test(test_json_of_all_demands),
		cmocka_unit_test(test_json_quotes_whatever_was_asked),
		cmocka_unit_test(test_unicode_domain),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_input_rows),
		cmocka_unit_test(test_input_fails_with_its_stream),
		cmocka_unit_test(test_pool_keeps_the_order),
		cmocka_unit_test(test_pool_without_jobs),
		cmocka_unit_test(test_check_rows),
		cmocka_unit_test(test_config)
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
