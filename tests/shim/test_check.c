/* SPDX-License-Identifier: ISC */
/*
 * mxcheck about this machine: each row is one thing that is wrong, which must
 * be said with a remedy.  What needs a name server or a mail server is in
 * tests/e2e/49-mxcheck.sh.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/vfs.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "check/checkup.h"
#include "spool_fixture.h"

/* --- a machine ------------------------------------------------------------ */

static char host[] = "host.example", aliases_path[600];
static char *local_domains[] = { host, NULL };
static char *aliases[] = { aliases_path, NULL };
static const char *units[2];
static struct conf conf;
static struct check_paths paths;
static struct checkup c;
static struct report rep;
static char *said;		/* by the latest check */
static size_t said_len;

/* What the file systems say; 0: the truth. */
static long f_type;
static unsigned long blocks;

int __real_statfs64(const char *, struct statfs *);
int __wrap_statfs64(const char *, struct statfs *);
int
__wrap_statfs64(const char *path, struct statfs *fs)
{
	int rc = __real_statfs64(path, fs);

	fs->f_type = f_type != 0 ? f_type : 0xef53;
	return rc;
}

int __real_statvfs64(const char *, struct statvfs *);
int __wrap_statvfs64(const char *, struct statvfs *);
int
__wrap_statvfs64(const char *path, struct statvfs *fs)
{
	int rc = __real_statvfs64(path, fs);

	fs->f_frsize = 4096;
	fs->f_blocks = 100000000;
	fs->f_files = fs->f_ffree = fs->f_favail = 1000000;
	fs->f_bavail = fs->f_bfree = blocks != 0 ? blocks : 10000000;
	return rc;
}

static const char *
in(const char *name)
{
	return fixture_path(".", name);
}

static void
put(const char *name, const char *text)
{
	FILE *fp = fopen(in(name), "w");

	assert_non_null(fp);
	assert_int_not_equal(fputs(text, fp), EOF);
	assert_int_equal(fclose(fp), 0);
}

/* A socket of TYPE that somebody serves, until close(2). */
static int
serve(const char *name, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	(void)strlcpy(sa.sun_path, in(name), sizeof(sa.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static char *
keep(const char *path)
{
	char *copy = strdup(path);

	assert_non_null(copy);
	return copy;
}

/* Where all is right, and one user has a spool that all may use. */
static int
setup(void **state)
{
	static char *kept[8];
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		free(kept[i]);
	memset(&conf, 0, sizeof(conf));
	memset(&rep, 0, sizeof(rep));
	f_type = 0;
	blocks = 0;
	conf.spool = kept[0] = keep(fixture_spool());
	conf.hostname = conf.mail_name = host;
	conf.local_domains = local_domains;
	conf.aliases = aliases;
	conf.aliases_default = true;
	conf.max_size = 50000000;
	conf.warn = 4 * 3600;
	(void)strlcpy(aliases_path, in("aliases"), sizeof(aliases_path));
	put("VERSION", "1\n");
	put("sendmail", "");
	put("systemd", "");
	assert_int_equal(chmod(in("sendmail"), 0755), 0);
	assert_int_equal(symlink("sendmail", in("own")), 0);
	put("protected_hardlinks", "1\n");
	put("protected_symlinks", "1\n");
	put("protected_regular", "2\n");
	assert_int_equal(mkdir(in("host"), 0700), 0);
	assert_int_equal(mkdir(in("paths.target.wants"), 0700), 0);
	assert_int_equal(mkdir(in("timers.target.wants"), 0700), 0);
	put("paths.target.wants/mxnss.path", "");
	put("timers.target.wants/mxnss-boot.timer", "");
	assert_int_equal(chmod(in("drop"), 03733), 0);
	assert_int_equal(chmod(in(""), 0711), 0);
	paths = (struct check_paths){ .search = "/nowhere",
	    .getmx = kept[1] = keep(in("getmx")),
	    .sendmail = kept[2] = keep(in("sendmail")),
	    .own = kept[3] = keep(in("own")),
	    .systemd = kept[4] = keep(in("systemd")),
	    .rundir = conf.spool, .sysctl = conf.spool, .units = units };
	units[0] = conf.spool;
	c = (struct checkup){ .conf = &conf, .paths = &paths, .report = &rep,
	    .now = time(NULL) };
	put("getmx", "#!/bin/sh\necho 'source list: default: no error'\n"
	    "echo '/etc/mxhosts: no overrides'\n");
	assert_int_equal(chmod(in("getmx"), 0755), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(said);
	said = NULL;
	fixture_remove();
	return 0;
}

static void
run(void (*check)(struct checkup *))
{
	free(said);
	said = NULL;
	rep.worst = MARK_OK;
	rep.fp = open_memstream(&said, &said_len);
	assert_non_null(rep.fp);
	check(&c);
	assert_int_equal(fclose(rep.fp), 0);
}

/* CHECK says WHAT, with this mark and, if it is not ok, a remedy. */
static void
expect(const char *name, void (*check)(struct checkup *), enum mark mark,
    const char *what)
{
	static const char *const words[] = { [MARK_OK] = "ok", [MARK_NOTE] =
	    "note", [MARK_WARNING] = "warning", [MARK_FAULT] = "fault" };
	const char *at, *line;

	run(check);
	at = strstr(said, what);
	for (line = at; line != NULL && line > said && line[-1] != '\n';)
		line--;
	if (at == NULL || strncmp(line, words[mark], strlen(words[mark])) != 0)
		fail_msg("%s: no %s \"%s\" in\n%s", name, words[mark], what,
		    said);
	at = strchr(line, '\n');
	if (mark != MARK_OK && (at == NULL || strstr(at, "-> ") == NULL))
		fail_msg("%s: no remedy in\n%s", name, said);
	if (mark != MARK_NOTE && rep.worst < mark)
		fail_msg("%s: that is no failure", name);
}

/* --- what may be wrong ---------------------------------------------------- */

static void
nothing(void)
{
}

static void
clock_of_1970(void)
{
	c.now = 5;
}

static void
no_getmx(void)
{
	unlink(in("getmx"));
}

static void
getmx_errors(void)
{
	put("getmx", "#!/bin/sh\necho '/etc/x:1: bad'\nexit 78\n");
}

static void
getmx_warnings(void)
{
	put("getmx", "#!/bin/sh\necho '/etc/x:2: warning: no error?'\n");
}

static void
getmx_killed(void)
{
	put("getmx", "#!/bin/sh\nkill -9 $$\n");
}

static void
other_sendmail(void)
{
	unlink(in("sendmail"));
	put("new", "");
	rename(in("new"), in("sendmail"));
	unlink(in("own"));
	put("own", "");
}

static void
no_sendmail(void)
{
	rename(in("sendmail"), in("moved"));
	unlink(in("own"));
	assert_int_equal(symlink("moved", in("own")), 0);
}

static void
other_in_path(void)
{
	static char search[600];

	assert_int_equal(mkdir(in("bin"), 0755), 0);
	put("bin/sendmail", "");
	assert_int_equal(chmod(in("bin/sendmail"), 0755), 0);
	snprintf(search, sizeof(search), "/nowhere::%s", in("bin"));
	paths.search = search;
}

static void
hardlinks_off(void)
{
	put("protected_hardlinks", "0\n");
}

static void
no_sysctl(void)
{
	paths.sysctl = "/nowhere";
}

static void
short_name(void)
{
	conf.bare_hostname = true;
}

static void
drop_closed(void)
{
	assert_int_equal(chmod(in("drop"), 0770), 0);
}

static void
drop_not_sticky(void)
{
	assert_int_equal(chmod(in("drop"), 02733), 0);
}

static void
no_drop(void)
{
	assert_int_equal(rmdir(in("drop")), 0);
	put("drop", "");
}

static void
open_dead(void)
{
	assert_int_equal(chmod(in("dead"), 0750), 0);
}

static void
open_spool(void)
{
	assert_int_equal(chmod(in(""), 0733), 0);
}

static void
no_spool(void)
{
	static char nowhere[] = "/nowhere/at/all";

	conf.spool = nowhere;
	paths.systemd = "/nowhere";
}

static void
spool_none(void)
{
	conf.spool = NULL;
}

static void
own_spool(void)
{
	assert_int_equal(chmod(in("drop"), 0700), 0);
	assert_int_equal(chmod(in(""), 0700), 0);
}

static void
on_nfs(void)
{
	f_type = 0x6969;
}

static void
on_tmpfs(void)
{
	f_type = 0x01021994;
}

static void
on_overlay(void)
{
	f_type = 0x794c7630;
}

static void
full(void)
{
	blocks = 10;
}

static void
drop_one(void)
{
	struct msgid id;

	fixture_drop(&id, "a@example.org", "b@example.org");
}

static void
dropped_long_ago(void)
{
	drop_one();
	c.now += 3600;
}

static void
queue_one(mode_t mode)
{
	struct msgid id;

	fixture_drop(&id, "a@example.org", "b@example.org");
	assert_int_equal(chmod(fixture_path("drop", id.s), mode), 0);
	assert_int_equal(rename(fixture_path("drop", id.s),
	    fixture_path("queue", id.s)), 0);
}

static void
waits_for_days(void)
{
	queue_one(0600);
	c.now += 48 * 3600;
}

static void
held(void)
{
	queue_one(0400);
	c.now += 48 * 3600;
}

static void
some_dead(void)
{
	put("dead/x", "");
}

static void
some_bad(void)
{
	put("bad/x", "");
}

static void
not_begun(void)
{
	unlink(in("VERSION"));
}

static void
later_format(void)
{
	put("VERSION", "99\n");
}

static void
no_path_unit(void)
{
	unlink(in("paths.target.wants/mxnss.path"));
}

static void
no_boot_unit(void)
{
	unlink(in("timers.target.wants/mxnss-boot.timer"));
}

static void
no_wake(void)
{
	unlink(in("wake"));
}

static void
nobody_at_wake(void)
{
	unlink(in("wake"));
	close(serve("wake", SOCK_DGRAM));
}

static void
no_wake_no_systemd(void)
{
	unlink(in("wake"));
	paths.systemd = "/nowhere";
}

static void
no_submit(void)
{
	unlink(in("submit"));
}

static void
no_writer(void)
{
	unlink(in("mailbox"));
}

static void
lmtp_absent(void)
{
	static char path[] = "/nowhere/lmtp";

	conf.local = CONF_LMTP;
	conf.local_path = path;
}

static void
local_none(void)
{
	conf.local = CONF_NONE;
}

static void
maildir(void)
{
	static char path[] = "~/Maildir";

	conf.local = CONF_MAILDIR;
	conf.local_path = path;
}

static void
forward(void)
{
	static char to[] = "admin@example.net";

	conf.local = CONF_FORWARD;
	conf.forward = to;
}

static void
root_alias(void)
{
	put("aliases", "root: ann, u@example.net\n");
}

static void
root_discarded(void)
{
	put("aliases", "root: /dev/null\n");
}

static void
alias_wrong(void)
{
	put("aliases", "root: ann\nbea: |x\n");
}

static void
root_wrong(void)
{
	put("aliases", "root: |x\n");
}

static void
circle(void)
{
	put("aliases", "root: ann\nann: bea\nbea: ann\n");
}

static void
aliases_unreadable(void)
{
	assert_int_equal(mkdir(aliases_path, 0700), 0);
}

static void
mail_elsewhere(void)
{
	static char name[] = "example.net";

	conf.mail_name = name;
}

static const struct row {
	void		(*setup)(void);
	const char	*name;
	void		(*check)(struct checkup *);
	enum mark	 mark;
	const char	*what;
} rows[] = {
#define ROW(setup, check, mark, what) \
	{ setup, #setup, check, mark, what }
	ROW(nothing, check_clock, MARK_OK, "UTC"),
	ROW(clock_of_1970, check_clock, MARK_FAULT, "1970-01-01 00:00"),
	ROW(nothing, check_configuration, MARK_OK, "no error"),
	ROW(no_getmx, check_configuration, MARK_NOTE, "getmx: No such file"),
	ROW(getmx_errors, check_configuration, MARK_FAULT, "/etc/x:1: bad"),
	ROW(getmx_warnings, check_configuration, MARK_WARNING, "/etc/x:2: "),
	ROW(getmx_killed, check_configuration, MARK_NOTE, "are not checked"),
	ROW(nothing, check_sendmail, MARK_OK, "is that of mxnss"),
	ROW(other_sendmail, check_sendmail, MARK_WARNING, "another program"),
	ROW(other_in_path, check_sendmail, MARK_WARNING, "/bin/sendmail is"),
	ROW(no_sendmail, check_sendmail, MARK_WARNING, "No such file"),
	ROW(nothing, check_kernel, MARK_OK, "are protected"),
	ROW(hardlinks_off, check_kernel, MARK_WARNING,
	    "fs.protected_hardlinks is 0"),
	ROW(no_sysctl, check_kernel, MARK_NOTE, "/nowhere/"),
	ROW(short_name, check_hostname, MARK_WARNING, "has no domain"),
	ROW(nothing, check_spool, MARK_OK, " MB left"),
	ROW(drop_closed, check_spool, MARK_FAULT, "mode 0770, not 3733"),
	ROW(drop_not_sticky, check_spool, MARK_FAULT, "mode 2733, not 3733"),
	ROW(no_drop, check_spool, MARK_FAULT, "is no directory"),
	ROW(open_dead, check_spool, MARK_FAULT, "/dead has mode 0750"),
	ROW(open_spool, check_spool, MARK_FAULT, "has mode 0733"),
	ROW(no_spool, check_spool, MARK_FAULT, "no mail can be sent"),
	ROW(spool_none, check_spool, MARK_OK, "none: "),
	ROW(own_spool, check_spool, MARK_OK, " MB left"),
	ROW(on_nfs, check_spool, MARK_WARNING, "is on NFS"),
	ROW(on_tmpfs, check_spool, MARK_WARNING, "lost with the power"),
	ROW(on_overlay, check_spool, MARK_WARNING, "with the container"),
	ROW(full, check_spool, MARK_FAULT, "for want of room"),
	ROW(nothing, check_queue, MARK_OK, "0 waiting"),
	ROW(drop_one, check_queue, MARK_OK, "1 waiting"),
	ROW(dropped_long_ago, check_queue, MARK_WARNING, "for 60 min"),
	ROW(waits_for_days, check_queue, MARK_WARNING, "some for 48 h"),
	ROW(held, check_queue, MARK_NOTE, "1 held"),
	ROW(some_dead, check_queue, MARK_WARNING, "1 in "),
	ROW(some_bad, check_queue, MARK_NOTE, "1 in "),
	ROW(not_begun, check_queue, MARK_NOTE, "not complete"),
	ROW(later_format, check_queue, MARK_FAULT, "does not know"),
	ROW(nothing, check_runner, MARK_OK, "wake wakes it"),
	ROW(no_path_unit, check_runner, MARK_WARNING, "mxnss.path is not"),
	ROW(no_boot_unit, check_runner, MARK_WARNING, "boot.timer is not"),
	ROW(no_wake, check_runner, MARK_FAULT, "wake: No such file"),
	ROW(nobody_at_wake, check_runner, MARK_FAULT, "refused"),
	ROW(no_wake_no_systemd, check_runner, MARK_WARNING, "wake: "),
	ROW(own_spool, check_runner, MARK_OK, "sendmail starts it"),
	ROW(spool_none, check_runner, MARK_OK, "for each message"),
	ROW(nothing, check_submit, MARK_OK, "takes mail"),
	ROW(no_submit, check_submit, MARK_NOTE, "submit: No such"),
	ROW(nothing, check_mailbox, MARK_OK, "mailbox writes"),
	ROW(no_writer, check_mailbox, MARK_WARNING, "mailbox: No such"),
	ROW(own_spool, check_mailbox, MARK_NOTE, "no mailbox writer"),
	ROW(lmtp_absent, check_mailbox, MARK_WARNING, "/nowhere/lmtp: No"),
	ROW(local_none, check_mailbox, MARK_OK, "get no mail"),
	ROW(forward, check_mailbox, MARK_OK, "goes to admin@example.net"),
	ROW(nothing, check_aliases, MARK_OK, "nothing is wrong"),
	ROW(nothing, check_aliases, MARK_NOTE, "mail for root goes to "
	    "/var/mail/root"),
	ROW(nothing, check_aliases, MARK_NOTE, "mail for postmaster goes to "
	    "/var/mail/root"),
	ROW(maildir, check_aliases, MARK_NOTE, "the Maildir ~/Maildir"),
	ROW(local_none, check_aliases, MARK_WARNING, "mail for root goes to "
	    "nobody"),
	ROW(forward, check_aliases, MARK_OK, "root goes to admin@"),
	ROW(root_alias, check_aliases, MARK_OK, "root goes to "
	    "ann@host.example, u@example.net ("),
	ROW(root_alias, check_aliases, MARK_OK, "postmaster goes to ann@"),
	ROW(root_discarded, check_aliases, MARK_WARNING, "nobody reads it"),
	ROW(alias_wrong, check_aliases, MARK_FAULT, "aliases:2: "),
	ROW(root_wrong, check_aliases, MARK_FAULT, "mail for root waits"),
	ROW(circle, check_aliases, MARK_FAULT, "circles"),
	ROW(aliases_unreadable, check_aliases, MARK_FAULT, "aliases: Is a"),
	ROW(mail_elsewhere, check_aliases, MARK_OK, "root@example.net"),
};

static void
test_check_rows(void **state)
{
	int wake, submit, mailbox;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(state);
		wake = serve("wake", SOCK_DGRAM);
		submit = serve("submit", SOCK_STREAM);
		mailbox = serve("mailbox", SOCK_SEQPACKET);
		rows[i].setup();
		expect(rows[i].name, rows[i].check, rows[i].mark,
		    rows[i].what);
		close(wake);
		close(submit);
		close(mailbox);
		teardown(state);
	}
	setup(state);
}

/* A wrong line that sendmail and getmx know of is told once. */
static void
test_check_configuration_once(void **state)
{
	static char line[] = "/etc/mxnss.conf:3: unknown key \"x\"";
	static char *errors[] = { line, NULL };

	(void)state;
	conf.errors = errors;
	conf.nerrors = 1;
	put("getmx", "#!/bin/sh\n"
	    "echo '/etc/mxnss.conf:3: unknown key \"x\"'\nexit 78\n");
	expect("errors", check_configuration, MARK_FAULT, line);
	assert_null(strstr(strstr(said, line) + 1, line));
}

static void
test_report_json(void **state)
{
	(void)state;
	rep.json = true;
	rep.target = "a\"b.example";
	rep.fp = open_memstream(&said, &said_len);
	report(&rep, MARK_FAULT, "route", "do \\this", "%s\n\033[31m", "no");
	report(&rep, MARK_OK, "tls", NULL, "right");
	fclose(rep.fp);
	assert_string_equal(said,
	    "{\"target\":\"a\\\"b.example\",\"check\":\"route\","
	    "\"status\":\"fault\",\"reason\":\"no??[31m\","
	    "\"remedy\":\"do \\\\this\"}\n"
	    "{\"target\":\"a\\\"b.example\",\"check\":\"tls\","
	    "\"status\":\"ok\",\"reason\":\"right\",\"remedy\":null}\n");
	assert_int_equal(rep.worst, MARK_FAULT);
}

static void
test_report_text(void **state)
{
	(void)state;
	rep.quiet = true;
	rep.fp = open_memstream(&said, &said_len);
	rep.target = "a.example";
	report(&rep, MARK_OK, "tls", NULL, "right");
	report(&rep, MARK_NOTE, "tls", "mend it", "odd");
	assert_int_equal(rep.worst, MARK_OK);
	rep.colour = true;
	report(&rep, MARK_WARNING, "tls", NULL, "bad");
	fclose(rep.fp);
	assert_string_equal(said, "a.example:\n"
	    "note     tls            odd\n"
	    "                         -> mend it\n"
	    "\033[33mwarning\033[0m  tls            bad\n");
	assert_int_equal(rep.worst, MARK_WARNING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check_rows, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_check_configuration_once,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_report_json, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_report_text, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
