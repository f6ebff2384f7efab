/* SPDX-License-Identifier: ISC */
/* The configuration: each key, each kind of value, each kind of error. */
#include "config.h"

#include "base/conf.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/hostname.h"
#include "spool_fixture.h"

static const struct hostname_env nothing = { "host.example.org",
    "/nonexistent/hosts", "/nonexistent/resolv.conf",
    "/nonexistent/mailname" };

static struct conf *
load_octets(const char *text, size_t n)
{
	const char *path = fixture_path("queue", "mxnss.conf");
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, n, fp), n);
	assert_int_equal(fclose(fp), 0);
	return conf_load_env(path, &nothing);
}

static struct conf *
load(const char *text)
{
	return load_octets(text, strlen(text));
}

static void
check_defaults(const struct conf *c)
{
	assert_string_equal(c->hostname, "host.example.org");
	assert_string_equal(c->mail_name, "host.example.org");
	assert_string_equal(c->local_domains[0], "host.example.org");
	assert_null(c->local_domains[1]);
	assert_string_equal(c->spool, MXNSS_SPOOLDIR);
	assert_null(c->source_address);
	assert_int_equal(c->max_size, 50 * 1024 * 1024);
	assert_int_equal(c->max_rcpts, 1000);
	assert_int_equal(c->user_messages, 1000);
	assert_int_equal(c->user_size, 256 << 20);
	assert_int_equal(c->expire, 5 * 86400);
	assert_int_equal(c->warn, 4 * 3600);
	assert_int_equal(c->retry_min, 300);
	assert_int_equal(c->retry_max, 4 * 3600);
	assert_int_equal(c->workers, 64);
	assert_int_equal(c->per_destination, 8);
	assert_int_equal(conf_rate(c, "any.example"), 0);
	assert_int_equal(c->connect_timeout, 30000);
	assert_int_equal(c->reply_timeout, 300000);
	assert_int_equal(c->data_timeout, 600000);
	assert_int_equal(c->family, AF_UNSPEC);
	assert_int_equal(c->tls, CONF_TLS_MAY);
	assert_int_equal(c->dnssec, 0);
	assert_int_equal(c->log, LOG_TO_SYSLOG);
	assert_false(c->bare_hostname);
}

static void
test_conf_load_no_file(void **state)
{
	struct conf *c = conf_load_env("/nonexistent/mxnss.conf", &nothing);

	(void)state;
	check_defaults(c);
	assert_int_equal(c->nerrors, 0);
	assert_null(c->errors[0]);
	conf_free(c);
}

static void
test_conf_load_comments_only(void **state)
{
	struct conf *c = load("# nothing\n\n   \t\n\t# max-size: 1K\n\r\n");

	(void)state;
	check_defaults(c);
	assert_int_equal(c->nerrors, 0);
	conf_free(c);
}

static void
test_conf_load_every_key(void **state)
{
	struct conf *c = load(
	    "mxhosts: files [NOTFOUND=continue] dns\n"
	    "hostname: a.example\n"
	    "mail-name: b.example  # with a comment\n"
	    "masquerade: o.p+q@f.example\n"
	    "local: maildir: ~/Mail\n"
	    "aliases: /a, /b\n"
	    "local-domains: c.example, d.example\te.example\n"
	    "spool: /srv/spool#1/\n"
	    "source-address: 2001:db8::1\n"
	    "max-size: 3G\r\n"
	    "max-rcpts:7\n"
	    "user-messages: 12\n"
	    "user-size: 3M\n"
	    "  expire  :  2w  \n"
	    "retry-min: 90\n"
	    "retry-max: 90s\n"
	    "workers: 1\n"
	    "per-destination: 1000\n"
	    "rate: * 100/m , Big.Example 10/s,\tslow.example  2/d\n"
	    "connect-timeout: 1s\n"
	    "reply-timeout: 1h\n"
	    "data-timeout: 2m\n"
	    "family: ipv6\n"
	    "tls: verify\n"
	    "dnssec: trust\n"
	    "log: stderr");

	(void)state;
	assert_int_equal(c->nerrors, 0);
	assert_string_equal(c->hostname, "a.example");
	assert_string_equal(c->mail_name, "b.example");
	assert_string_equal(c->masquerade, "o.p+q@f.example");
	assert_int_equal(c->local, CONF_MAILDIR);
	assert_string_equal(c->local_path, "~/Mail");
	assert_string_equal(c->aliases[0], "/a");
	assert_string_equal(c->aliases[1], "/b");
	assert_null(c->aliases[2]);
	assert_false(c->aliases_default);
	assert_true(conf_is_local(c, "D.example"));
	assert_false(conf_is_local(c, "a.example"));
	assert_string_equal(c->local_domains[0], "c.example");
	assert_string_equal(c->local_domains[1], "d.example");
	assert_string_equal(c->local_domains[2], "e.example");
	assert_null(c->local_domains[3]);
	assert_string_equal(c->spool, "/srv/spool#1");
	assert_string_equal(c->source_address, "2001:db8::1");
	assert_true(c->max_size == (uint64_t)3 * 1024 * 1024 * 1024);
	assert_int_equal(c->max_rcpts, 7);
	assert_int_equal(c->user_messages, 12);
	assert_int_equal(c->user_size, 3 << 20);
	assert_int_equal(c->expire, 14 * 86400);
	assert_int_equal(c->retry_min, 90);
	assert_int_equal(c->retry_max, 90);
	assert_int_equal(c->workers, 1);
	assert_int_equal(c->per_destination, 1000);
	assert_int_equal(conf_rate(c, "any.example"), 600000);
	assert_int_equal(conf_rate(c, "big.example"), 100000);
	assert_true(conf_rate(c, "slow.example") == 43200 * (int64_t)1000000);
	assert_int_equal(c->connect_timeout, 1000);
	assert_int_equal(c->reply_timeout, 3600000);
	assert_int_equal(c->data_timeout, 120000);
	assert_int_equal(c->family, AF_INET6);
	assert_int_equal(c->tls, CONF_TLS_VERIFY);
	assert_int_equal(c->dnssec, 1);
	assert_int_equal(c->log, LOG_TO_STDERR);
	conf_free(c);
}

/* One wrong line: one error, and everything else is the default. */
static const struct {
	const char	*line;
	const char	*why;
} wrong[] = {
	{ "what is this", "\"what is this\" is not \"key: value\"" },
	{ "nokey: 1", "unknown key \"nokey\"" },
	{ "Max-Size: 1M", "unknown key \"Max-Size\"" },
	{ ": 1", "unknown key \"\"" },
	{ "local: mailbox", "local: \"mailbox\" is not one of mbox, "
	    "maildir:PATH, lmtp:PATH, forward:ADDRESS, none" },
	{ "local: lmtp:localhost:24", "local: \"localhost:24\" does not begin "
	    "with /" },
	{ "local: maildir:Maildir", "local: \"Maildir\" begins neither with / "
	    "nor with ~/" },
	{ "local: forward:root", "local: \"root\" is not an address with a "
	    "domain" },
	{ "local: forward:a b", "local: \"a b\" is not an address with a "
	    "domain" },
	{ "aliases: /etc/aliases aliases",
	    "aliases: \"aliases\" does not begin with /" },
	{ "masquerade: a b", "masquerade: \"a b\" is neither a domain nor an "
	    "address" },
	{ "masquerade: @a.example", "masquerade: \"@a.example\" is neither a "
	    "domain nor an address" },
	{ "masquerade: a\"b@c.example", "masquerade: \"a\"b@c.example\" is "
	    "neither a domain nor an address" },
	{ "masquerade: a@b@c.example", "masquerade: \"a@b@c.example\" is "
	    "neither a domain nor an address" },
	{ "warn: never", "warn: \"never\" is not a number" },
	{ "warn: 59", "warn: \"59\" is not between 60 and "
	    "31449600 seconds" },
	{ "rate: 1", "rate: \"1\" is not a domain and a rate" },
	{ "rate: a.example", "rate: \"a.example\" is not a domain and a rate" },
	{ "rate: a.example 1/s,", "rate: \"\" is not a domain and a rate" },
	{ "rate: a..b 1/s", "rate: \"a..b\" is not a domain" },
	{ "rate: * 10", "rate: \"10\" is not a number of messages per time, "
	    "as 10/s, 100/m, 1000/h or 5000/d" },
	{ "rate: * 10/y", "rate: \"10/y\" is not a number of messages per "
	    "time, as 10/s, 100/m, 1000/h or 5000/d" },
	{ "rate: * 10/s burst", "rate: \"10/s burst\" is not a number of "
	    "messages per time, as 10/s, 100/m, 1000/h or 5000/d" },
	{ "rate: * 0/s", "rate: \"0\" is not between 1 and 1000000" },
	{ "rate: * x/s", "rate: \"x\" is not a number" },
	{ "postmaster: root", "unknown key \"postmaster\"" },
	{ "hostname:", "hostname has no value" },
	{ "hostname: # x", "hostname has no value" },
	{ "hostname: a b", "hostname: \"a b\" is not a host name" },
	{ "mail-name: a..b", "mail-name: \"a..b\" is not a host name" },
	{ "local-domains: ok.example -x",
	    "local-domains: \"-x\" is not a host name" },
	{ "spool: var/spool",
	    "spool: \"var/spool\" is neither a directory that begins with / "
	    "nor none" },
	{ "source-address: localhost",
	    "source-address: \"localhost\" is not an IP address" },
	{ "max-size: many", "max-size: \"many\" is not a number" },
	{ "max-size: -1", "max-size: \"-1\" is not a number" },
	{ "max-size: 1k", "max-size: \"1k\" has an unknown unit" },
	{ "max-size: 1MB", "max-size: \"1MB\" has an unknown unit" },
	{ "max-size: 5m", "max-size: \"5m\" has an unknown unit" },
	{ "max-size: 1023",
	    "max-size: \"1023\" is not between 1024 and 1099511627776 "
	    "octets" },
	{ "max-size: 99999999999999999999999",
	    "max-size: \"99999999999999999999999\" is not a number" },
	{ "max-size: 9223372036854775807G",
	    "max-size: \"9223372036854775807G\" is not between 1024 and "
	    "1099511627776 octets" },
	{ "max-rcpts: 0", "max-rcpts: \"0\" is not between 1 and 100000" },
	{ "max-rcpts: 1K", "max-rcpts: \"1K\" has an unknown unit" },
	{ "workers: lots", "workers: \"lots\" is not a number" },
	{ "workers: 1001", "workers: \"1001\" is not between 1 and 1000" },
	{ "expire: 5M", "expire: \"5M\" has an unknown unit" },
	{ "expire: 59s",
	    "expire: \"59s\" is not between 60 and 31449600 seconds" },
	{ "connect-timeout: 0",
	    "connect-timeout: \"0\" is not between 1 and 3600 seconds" },
	{ "connect-timeout: 61m",
	    "connect-timeout: \"61m\" is not between 1 and 3600 seconds" },
	{ "family: inet",
	    "family: \"inet\" is not one of any, ipv4, ipv6" },
	{ "tls: dane",
	    "tls: \"dane\" is not one of may, none, encrypt, verify" },
	{ "dnssec: on", "dnssec: \"on\" is not one of auto, trust, off" },
	{ "log: file", "log: \"file\" is not one of syslog, stderr" },
	{ "retry-min: 5h", "retry-min is longer than retry-max" },
	{ "retry-max: 1m", "retry-min is longer than retry-max" },
	{ "x\033[2J", "\"x?[2J\" is not \"key: value\"" },
};

static void
test_conf_load_wrong_line(void **state)
{
	char text[256], want[256];
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("%s\n", wrong[i].line);
		snprintf(text, sizeof(text), "# first\n%s\n", wrong[i].line);
		c = load(text);
		snprintf(want, sizeof(want), "%s:2: %s",
		    fixture_path("queue", "mxnss.conf"), wrong[i].why);
		assert_int_equal(c->nerrors, 1);
		assert_string_equal(c->errors[0], want);
		assert_null(c->errors[1]);
		check_defaults(c);
		conf_free(c);
	}
}

static void
test_conf_load_right_lines_count(void **state)
{
	struct conf *c = load("max-size: x\nworkers: 3\nbad\nlog: stderr\n");

	(void)state;
	assert_int_equal(c->nerrors, 2);
	assert_non_null(strstr(c->errors[0], "mxnss.conf:1: max-size"));
	assert_non_null(strstr(c->errors[1], "mxnss.conf:3: "));
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->log, LOG_TO_STDERR);
	conf_free(c);
}

static void
test_conf_load_warn(void **state)
{
	static const struct {
		const char	*line;
		int64_t		 warn;
	} rows[] = { { "warn: off", 0 }, { "warn: 0", 0 },
	    { "warn: 90m", 5400 }, { "warn: 60", 60 } };
	struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c = load(rows[i].line);
		assert_int_equal(c->nerrors, 0);
		assert_int_equal(c->warn, rows[i].warn);
		conf_free(c);
	}
}

static void
test_conf_load_twice(void **state)
{
	struct conf *c = load("spool: /a\nworkers: 3\nspool: /b\n");

	(void)state;
	assert_int_equal(c->nerrors, 1);
	assert_non_null(strstr(c->errors[0],
	    ":3: spool was set in line 1 already"));
	assert_string_equal(c->spool, "/a");
	conf_free(c);
}

static void
test_conf_load_names(void **state)
{
	struct hostname_env env = nothing;
	struct conf *c;

	(void)state;
	env.own = "bare";
	c = conf_load_env("/nonexistent/mxnss.conf", &env);
	assert_string_equal(c->hostname, "bare");
	assert_true(c->bare_hostname);
	assert_string_equal(c->mail_name, "bare");
	conf_free(c);
	/* the key gives the others their default */
	c = load("hostname: a.example\n");
	assert_string_equal(c->mail_name, "a.example");
	assert_string_equal(c->local_domains[0], "a.example");
	conf_free(c);
}

static void
test_conf_load_unreadable(void **state)
{
	struct conf *c;

	(void)state;
	c = conf_load_env(fixture_path("queue", ""), &nothing);
	assert_int_equal(c->nerrors, 1);
	assert_non_null(strstr(c->errors[0], ":0: cannot be read: "));
	check_defaults(c);
	conf_free(c);
}

static void
test_conf_load_not_text(void **state)
{
	struct conf *c;
	char *big;

	(void)state;
	c = load_octets("workers: 2\nlog: \0stderr\n", 24);
	assert_true(c->nerrors >= 1);
	assert_non_null(strstr(c->errors[0], "a NUL"));
	conf_free(c);
	big = malloc(2000000);
	assert_non_null(big);
	memset(big, '#', 2000000);
	c = load_octets(big, 2000000);
	assert_int_equal(c->nerrors, 1);
	assert_non_null(strstr(c->errors[0], "too long"));
	conf_free(c);
	free(big);
}

static void
test_conf_free_null(void **state)
{
	(void)state;
	conf_free(NULL);
}

static int
setup(void **state)
{
	(void)state;
	fixture_spool();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_load_no_file),
		cmocka_unit_test(test_conf_load_comments_only),
		cmocka_unit_test(test_conf_load_every_key),
		cmocka_unit_test(test_conf_load_wrong_line),
		cmocka_unit_test(test_conf_load_right_lines_count),
		cmocka_unit_test(test_conf_load_warn),
		cmocka_unit_test(test_conf_load_twice),
		cmocka_unit_test(test_conf_load_names),
		cmocka_unit_test(test_conf_load_unreadable),
		cmocka_unit_test(test_conf_load_not_text),
		cmocka_unit_test(test_conf_free_null),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
