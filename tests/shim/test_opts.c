/* SPDX-License-Identifier: ISC */
/* The command line: one row per option, joined, separate, combined, wrong. */
#include "config.h"

#include "submit/opts.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#define MAXARGS	12

struct want {
	enum opts_mode	 mode;
	const char	*flags;		/* of "tiv" */
	const char	*sender;
	const char	*full_name;
	int		 nrcpt;
};

static const struct {
	const char	*args[MAXARGS];
	struct want	 want;
} rows[] = {
#define S OPTS_SUBMIT
	{ { NULL }, { S, "", NULL, NULL, 0 } },
	{ { "a@b", "c@d" }, { S, "", NULL, NULL, 2 } },
	{ { "-t" }, { S, "t", NULL, NULL, 0 } },
	{ { "-i", "a" }, { S, "i", NULL, NULL, 1 } },
	{ { "-oi", "a" }, { S, "i", NULL, NULL, 1 } },
	{ { "-o", "i", "a" }, { S, "i", NULL, NULL, 1 } },
	{ { "-v", "a" }, { S, "v", NULL, NULL, 1 } },
	{ { "-ov", "a" }, { S, "v", NULL, NULL, 1 } },
	{ { "-tiv" }, { S, "tiv", NULL, NULL, 0 } },
	{ { "-ti", "-v" }, { S, "tiv", NULL, NULL, 0 } },
	{ { "-f", "a@b", "c" }, { S, "", "a@b", NULL, 1 } },
	{ { "-fa@b", "c" }, { S, "", "a@b", NULL, 1 } },
	{ { "-f", "", "c" }, { S, "", "", NULL, 1 } },
	{ { "-f<>", "c" }, { S, "", "<>", NULL, 1 } },
	{ { "-f", "-x", "c" }, { S, "", "-x", NULL, 1 } },
	{ { "-r", "a@b", "c" }, { S, "", "a@b", NULL, 1 } },
	{ { "-ra@b", "c" }, { S, "", "a@b", NULL, 1 } },
	{ { "-f", "a", "-f", "b" }, { S, "", "b", NULL, 0 } },
	{ { "-F", "A Name", "c" }, { S, "", NULL, "A Name", 1 } },
	{ { "-FCronDaemon", "c" }, { S, "", NULL, "CronDaemon", 1 } },
	{ { "-tiFname", "c" }, { S, "ti", NULL, "name", 1 } },
	{ { "-bm", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-b", "m", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-odi", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-odb", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-odq", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-odd", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oem", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oep", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oeq", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oew", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oee", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-em", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-e", "m", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-bi" }, { OPTS_ALIASES, "", NULL, NULL, 0 } },
	{ { "-I" }, { OPTS_ALIASES, "", NULL, NULL, 0 } },
	{ { "-bv", "a" }, { OPTS_VERIFY, "", NULL, NULL, 1 } },
	{ { "-b", "i" }, { OPTS_ALIASES, "", NULL, NULL, 0 } },
	{ { "-bs" }, { OPTS_SMTP, "", NULL, NULL, 0 } },
	{ { "-b", "s" }, { OPTS_SMTP, "", NULL, NULL, 0 } },
	{ { "-OIgnoreDots=True", "c" }, { S, "i", NULL, NULL, 1 } },
	{ { "-O", "ignoredots", "c" }, { S, "i", NULL, NULL, 1 } },
	{ { "-i", "-oifalse", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-OVerbose=1", "c" }, { S, "v", NULL, NULL, 1 } },
	{ { "-OVerbose=no", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-ODeliveryMode=b", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-OErrorMode=q", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-p", "ESMTP:host", "-Mx", "-Qwhy", "c" },
	    { S, "", NULL, NULL, 1 } },
	{ { "-cmnsTUxi", "c" }, { S, "i", NULL, NULL, 1 } },
	{ { "-om", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oA/etc/passwd", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-oQ/tmp", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-B8BITMIME", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-B", "7BIT", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-N", "failure,delay", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-Nnever", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-R", "hdrs", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-Rfull", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-V", "id", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-O", "Timeout=1", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-OQueueDirectory=/tmp", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-L", "tag", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-Ltag", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-h", "5", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-h5", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-A", "c", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-Am", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-X", "/tmp/log", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-X/tmp/log", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-C", "/etc/x.cf", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-C/etc/x.cf", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-D", "/tmp/debug", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-d", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-d0.1", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-G", "-U", "-n", "-m", "c" }, { S, "", NULL, NULL, 1 } },
	{ { "-GUnmi", "c" }, { S, "i", NULL, NULL, 1 } },
	{ { "--", "-t", "a" }, { S, "", NULL, NULL, 2 } },
	{ { "-i", "--", "-oi" }, { S, "i", NULL, NULL, 1 } },
	{ { "-i", "--" }, { S, "i", NULL, NULL, 0 } },
	{ { "", "a" }, { S, "", NULL, NULL, 2 } },
	{ { "-bp" }, { OPTS_MAILQ, "", NULL, NULL, 0 } },
	{ { "-q" }, { OPTS_FLUSH, "", NULL, NULL, 0 } },
	{ { "-qf" }, { OPTS_FLUSH, "", NULL, NULL, 0 } },
	{ { "-qRexample" }, { OPTS_FLUSH, "", NULL, NULL, 0 } },
	{ { "-q!Sroot@", "-qI01K" }, { OPTS_FLUSH, "", NULL, NULL, 0 } },
	{ { "-bp", "-qRexample" }, { OPTS_MAILQ, "", NULL, NULL, 0 } },
	{ { "-qRexample", "-bp" }, { OPTS_MAILQ, "", NULL, NULL, 0 } },
	{ { "-q", "-v" }, { OPTS_FLUSH, "v", NULL, NULL, 0 } },
	{ { "--help" }, { OPTS_HELP, "", NULL, NULL, 0 } },
	{ { "--version" }, { OPTS_VERSION, "", NULL, NULL, 0 } },
	/* what real callers pass */
	{ { "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root" },
	    { S, "i", NULL, "CronDaemon", 1 } },
	{ { "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root" },
	    { S, "ti", "root", "CronDaemon", 0 } },
	{ { "-t", "-i", "-fwww@x.example" },
	    { S, "ti", "www@x.example", NULL, 0 } },
	{ { "-oem", "-oi", "-f", "a@b", "--", "c@d" },
	    { S, "i", "a@b", NULL, 1 } },
	{ { "-oi", "-oem", "-odb", "-t", "-F", "Alice", "-f", "a@b" },
	    { S, "ti", "a@b", "Alice", 0 } },
#undef S
};

static int
count(const char *const *args)
{
	int n;

	for (n = 0; n < MAXARGS && args[n] != NULL; n++)
		continue;
	return n;
}

/* The arguments as main() gets them: writable. */
static int
parse(struct opts *o, const char *const *args, char **argv, char **why)
{
	int i, n = count(args);

	for (i = 0; i < n; i++)
		assert_non_null(argv[i] = strdup(args[i]));
	argv[n] = NULL;
	return opts_parse(o, n, argv, why);
}

static void
free_args(char **argv)
{
	for (; *argv != NULL; argv++)
		free(*argv);
}

static void
same(const char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

/* Reports: RFC 3461. */
static const struct {
	const char	*args[MAXARGS];
	unsigned	 notify;
	enum dsn_ret	 ret;
	const char	*envid;
} dsn_rows[] = {
	{ { "c" }, 0, DSN_RET_UNSAID, NULL },
	{ { "-N", "never", "-R", "hdrs", "-V", "id 7", "c" }, DSN_NEVER,
	    DSN_RET_HDRS, "id 7" },
	{ { "-Nsuccess,delay", "-Rfull", "-Vid", "c" },
	    DSN_SUCCESS | DSN_DELAY, DSN_RET_FULL, "id" },
	{ { "-tiN", "FAILURE", "-iRFULL" }, DSN_FAILURE, DSN_RET_FULL, NULL },
	{ { "-Nnever", "-Ndelay", "c" }, DSN_DELAY, DSN_RET_UNSAID, NULL },
};

static void
test_opts_parse_dsn(void **state)
{
	char *argv[MAXARGS + 1], *why;
	struct opts o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dsn_rows) / sizeof(dsn_rows[0]); i++) {
		assert_int_equal(parse(&o, dsn_rows[i].args, argv, &why), 0);
		assert_int_equal(o.notify, dsn_rows[i].notify);
		assert_int_equal(o.ret, dsn_rows[i].ret);
		same(o.envid, dsn_rows[i].envid);
		free_args(argv);
	}
}

static const struct {
	const char	*args[MAXARGS];
	enum opts_errors errors;
} error_rows[] = {
	{ { "c" }, OPTS_PRINT },
	{ { "-oep", "c" }, OPTS_PRINT },
	{ { "-oem", "c" }, OPTS_MAIL },
	{ { "-o", "em", "c" }, OPTS_MAIL },
	{ { "-em", "c" }, OPTS_MAIL },
	{ { "-e", "m", "c" }, OPTS_MAIL },
	{ { "-iem", "c" }, OPTS_MAIL },
	{ { "-OErrorMode=m", "c" }, OPTS_MAIL },
	{ { "-oeq", "c" }, OPTS_QUIET },
	{ { "-oew", "c" }, OPTS_WRITE },
	{ { "-oee", "c" }, OPTS_MAIL_ZERO },
	{ { "-oee", "-oep", "c" }, OPTS_PRINT },
};

static void
test_opts_parse_errors(void **state)
{
	char *argv[MAXARGS + 1], *why;
	struct opts o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		assert_int_equal(parse(&o, error_rows[i].args, argv, &why), 0);
		assert_int_equal(o.errors, error_rows[i].errors);
		free_args(argv);
	}
}

static void
test_opts_parse(void **state)
{
	const struct want *want;
	char *argv[MAXARGS + 1], *why;
	struct opts o;
	size_t i;
	int j, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = count(rows[i].args);
		for (j = 0; j < n; j++)
			print_message("%s ", rows[i].args[j]);
		print_message("\n");
		want = &rows[i].want;
		assert_int_equal(parse(&o, rows[i].args, argv, &why), 0);
		assert_null(why);
		assert_int_equal(o.mode, want->mode);
		assert_int_equal(o.from_header,
		    strchr(want->flags, 't') != NULL);
		assert_int_equal(o.ignore_dots,
		    strchr(want->flags, 'i') != NULL);
		assert_int_equal(o.verbose, strchr(want->flags, 'v') != NULL);
		same(o.sender, want->sender);
		same(o.full_name, want->full_name);
		assert_int_equal(o.nrcpt, want->nrcpt);
		for (j = 0; j < o.nrcpt; j++)
			assert_string_equal(o.rcpt[j],
			    rows[i].args[n - o.nrcpt + j]);
		free_args(argv);
	}
}

static const struct {
	const char	*args[MAXARGS];
	const char	*why;		/* a part of it */
} wrong[] = {
	{ { "-Z", "a" }, "unknown option -Z in \"-Z\"" },
	{ { "-iZ", "a" }, "unknown option -Z in \"-iZ\"" },
	{ { "--nope" }, "unknown option \"--nope\"" },
	{ { "-f" }, "-f needs an argument" },
	{ { "-tf" }, "-f needs an argument" },
	{ { "-F" }, "-F needs an argument" },
	{ { "-o" }, "-o needs an argument" },
	{ { "-o", "" }, "-o needs an argument" },
	{ { "-b" }, "-b needs an argument" },
	{ { "-X" }, "-X needs an argument" },
	{ { "-bd" }, "-bd: this sendmail is no daemon" },
	{ { "-bD" }, "-bD: this sendmail is no daemon" },
	{ { "-bt" }, "-bt: there are no rules to test" },
	{ { "-bmx" }, "-bmx is not supported" },
	{ { "-q15m" }, "-q15m: this sendmail is no daemon" },
	{ { "-qXexample" }, "-qXexample is not supported" },
	{ { "-q!R" }, "-q!R needs the part to look for" },
	{ { "-N", "sometimes" }, "-N takes never, or a list" },
	{ { "-Nnever,delay" }, "-N takes never, or a list" },
	{ { "-N" }, "-N needs an argument" },
	{ { "-R", "all" }, "-R takes full or hdrs" },
	{ { "-V", "" }, "-V takes 1 to 100" },
	{ { "-Vcaf\xc3\xa9" }, "-V takes 1 to 100" },
	{ { "-odx" }, "-odx is unknown" },
	{ { "-od" }, "-od is unknown" },
	{ { "-odii" }, "-odii is unknown" },
	{ { "-oex" }, "-ex is unknown" },
	{ { "-oe" }, "-e is unknown" },
	{ { "-e" }, "-e needs an argument" },
	{ { "-ez" }, "-ez is unknown" },
	{ { "-O", "ErrorMode=z" }, "-ez is unknown" },
	{ { "-ODeliveryMode" }, "-od is unknown" },
	{ { "-B", "BINARY" }, "-B BINARY is unknown" },
	{ { "-O" }, "-O needs an argument" },
	{ { "-ba" }, "-ba is not supported" },
	{ { "-bP" }, "-bP: see \"mailq --stats\"" },
	{ { "-bh" }, "-bh: see" },
	{ { "-bH" }, "-bH: hosts" },
	{ { "-M" }, "-M needs an argument" },
	{ { "-p" }, "-p needs an argument" },
	{ { "-Q" }, "-Q needs an argument" },
	{ { "a", "-t" }, "options come first" },
	{ { "a", "--", "b" }, "options come first" },
	{ { "-" }, "options come first" },
	{ { "a", "-C/etc/x" }, "\"-C/etc/x\" after a recipient" },
};

static void
test_opts_parse_wrong(void **state)
{
	char *argv[MAXARGS + 1], *why;
	struct opts o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("%s\n", wrong[i].args[0]);
		assert_int_equal(parse(&o, wrong[i].args, argv, &why), -1);
		assert_non_null(why);
		print_message("\t%s\n", why);
		assert_non_null(strstr(why, wrong[i].why));
		assert_null(strchr(why, '\n'));
		free(why);
		free_args(argv);
	}
}

/* Every letter, alone and with the next word: an answer, and no crash. */
static void
test_opts_parse_every_letter(void **state)
{
	char word[3] = "-x", next[] = "a", *argv[] = { word, next, NULL };
	struct opts o;
	char *why;
	int c, n;

	(void)state;
	for (c = 1; c < 256; c++) {
		word[1] = (char)c;
		for (n = 1; n <= 2; n++) {
			if (opts_parse(&o, n, argv, &why) == -1) {
				assert_non_null(why);
				free(why);
			} else {
				assert_true(o.nrcpt < n);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opts_parse),
		cmocka_unit_test(test_opts_parse_dsn),
		cmocka_unit_test(test_opts_parse_errors),
		cmocka_unit_test(test_opts_parse_wrong),
		cmocka_unit_test(test_opts_parse_every_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
