/* SPDX-License-Identifier: ISC */
/* Log lines, as they arrive on standard error. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* What CALL writes to standard error; static storage. */
static const char *
written(void (*call)(const char *), const char *arg)
{
	static char text[4096];
	int saved = dup(STDERR_FILENO), fd[2];
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
	close(fd[1]);
	call(arg);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	n = read(fd[0], text, sizeof(text) - 1);
	close(fd[0]);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void
info(const char *arg)
{
	log_info("to=<%s>, status=%s", arg, "sent");
}

static void
warn(const char *arg)
{
	log_warn("%s", arg);
}

static void
err(const char *arg)
{
	log_err("%s", arg);
}

static void
as(const char *arg)
{
	log_info_as("pickup", "%s", arg);
	log_info("%s", arg);
}

static void
test_log_info_as(void **state)
{
	char want[128];

	(void)state;
	log_open("qmgr", LOG_TO_STDERR);
	snprintf(want, sizeof(want), "mxnss/pickup[%ld]: x\n"
	    "mxnss/qmgr[%ld]: x\n", (long)getpid(), (long)getpid());
	assert_string_equal(written(as, "x"), want);
}

static void
test_log_line(void **state)
{
	char want[128];

	(void)state;
	log_open("smtp", LOG_TO_STDERR);
	snprintf(want, sizeof(want), "mxnss/smtp[%ld]: to=<a@b>, "
	    "status=sent\n", (long)getpid());
	assert_string_equal(written(info, "a@b"), want);
	log_open("qmgr", LOG_TO_STDERR);
	snprintf(want, sizeof(want), "mxnss/qmgr[%ld]: held\n",
	    (long)getpid());
	assert_string_equal(written(warn, "held"), want);
	assert_string_equal(written(err, "held"), want);
}

/* One line, whatever somebody else's text has in it. */
static void
test_log_line_is_printable(void **state)
{
	const char *line, *p;

	(void)state;
	log_open("smtp", LOG_TO_STDERR);
	/* a letter; a control and a separator of more than one octet; half a
	   letter */
	line = written(err, "a\r\nmxnss/smtp[1]: forged\033[2J\xc3\xa9"
	    "\xc2\x9b\xe2\x80\xa8\xc3%s\177");
	for (p = line; *p != '\n'; p++)
		assert_true((*p >= ' ' && *p <= '~') || (*p & 0x80) != 0);
	assert_string_equal(p, "\n");
	assert_non_null(strstr(line, "a??mxnss/smtp[1]: forged?[2J\xc3\xa9"
	    "??????%s?"));
}

static void
test_log_line_is_cut(void **state)
{
	char *text = calloc(1, 3001);
	const char *line;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 3000);
	log_open("smtp", LOG_TO_STDERR);
	line = written(err, text);
	assert_in_range(strlen(line), 1000, 1100);
	assert_int_equal(line[strlen(line) - 1], '\n');
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_line),
		cmocka_unit_test(test_log_line_is_printable),
		cmocka_unit_test(test_log_line_is_cut),
		cmocka_unit_test(test_log_info_as),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
