/* SPDX-License-Identifier: ISC */
/* The header as it leaves: what is removed, merged, completed and added. */
#include "config.h"

#include "submit/complete.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <cmocka.h>

/* Take the lines of TEXT, divided by LF or CRLF. */
static void
take(struct header *h, const char *text)
{
	size_t n;

	while (*text != '\0') {
		n = strcspn(text, "\r\n");
		header_take(h, text, n);
		text += n;
		text += strspn(text, "\r\n");
	}
}

static char host_name[] = "host.example", mail_name[] = "m.example";
static char local_name[] = "local.example";
static char *local_domains[] = { local_name, NULL };
static struct conf conf = {
	.hostname = host_name,
	.mail_name = mail_name,
	.local_domains = local_domains,
};

static const struct complete_facts facts = {
	.conf = &conf,
	.id = "01K0TNMBKA9PAQQQAP0V",
	.uid = 1000,
	.now = 1136239445,
	.from = "me@m.example",
	.full_name = "Me, Myself",
};

#define TRACE	"Received: by host.example (mxnss, from userid 1000)\r\n"	\
		"\tid 01K0TNMBKA9PAQQQAP0V; Mon, 2 Jan 2006 22:04:05 +0000\r\n"
#define DATE	"Date: Mon, 2 Jan 2006 22:04:05 +0000\r\n"
#define MID	"Message-ID: <01K0TNMBKA9PAQQQAP0V@host.example>\r\n"
#define FROM	"From: \"Me, Myself\" <me@m.example>\r\n"
#define TO	"To: undisclosed-recipients:;\r\n"

struct row {
	const char	*name;
	const char	*header;
	const char	*want;		/* between Received and the empty line */
};

static const struct row whole[] = {
	{ "nothing", "Subject: x", "Subject: x\r\n" DATE MID FROM TO },
	{ "all there", "date: d\nmessage-id: <m>\nfrom: f@x\ncc: a@b",
	    "date: d\r\nmessage-id: <m>\r\nfrom: f@x\r\ncc: a@b\r\n" },
	{ "empty ones count as missing", "Date:\nMessage-Id: \nFrom:  \n \n",
	    DATE MID FROM TO },
	{ "empty To and Cc go", "To:\nCc: \nA: b",
	    "A: b\r\n" DATE MID FROM TO },
	{ "Bcc goes", "A: b\nBcc: x@y,\n z@y\n\tw@y\nC: d",
	    "A: b\r\nC: d\r\n" DATE MID FROM TO },
	{ "Bcc in any case, everywhere", "bCC : x@y\nTo: a@b\nBCC:\nbcc:z",
	    "To: a@b\r\n" DATE MID FROM },
	{ "Return-Path goes", "return-path: <x@y>\nTo: a@b",
	    "To: a@b\r\n" DATE MID FROM },
	{ "looks like Bcc", "Bccx: a\nX-Bcc: b",
	    "Bccx: a\r\nX-Bcc: b\r\n" DATE MID FROM TO },
	{ "addresses are completed",
	    "From: root (Cron Daemon)\nTo: a, B <b>, c@d\nCc: <e>\n"
	    "Sender: f\nReply-To: \"g h\"",
	    "From: root@m.example (Cron Daemon)\r\n"
	    "To: a@m.example, B <b@m.example>, c@d\r\n"
	    "Cc: <e@m.example>\r\nSender: f@m.example\r\n"
	    "Reply-To: \"g h\"@m.example\r\n" DATE MID },
	{ "folds and comments stay", "To: a,\n\tb (c\n d) ,\n e@f",
	    "To: a@m.example,\r\n\tb@m.example (c\r\n d) ,\r\n e@f\r\n"
	    DATE MID FROM },
	{ "group", "To: g: a, b@c;", "To: g: a@m.example, b@c;\r\n"
	    DATE MID FROM },
	{ "what is no list stays", "To: a, b c\nCc: <x",
	    "To: a, b c\r\nCc: <x\r\n" DATE MID FROM },
	{ "other fields stay", "To: a@b\nX-To: root\nErrors-To: root",
	    "To: a@b\r\nX-To: root\r\nErrors-To: root\r\n" DATE MID FROM },
	{ "blank before the colon goes", "Subject : x\nTo: a@b",
	    "Subject: x\r\nTo: a@b\r\n" DATE MID FROM },
	{ "lists that are there twice become one",
	    "To: a@b\nCc: c@d\nTo:  e@f,\n g\nCC: h@i",
	    "To: a@b,\r\n\te@f,\r\n g@m.example\r\nCc: c@d,\r\n\th@i\r\n"
	    DATE MID FROM },
	{ "several authors", "From: a@b, c@d\nTo: e@f\nDate: d\nMessage-ID: <m>",
	    "From: a@b, c@d\r\nTo: e@f\r\nDate: d\r\nMessage-ID: <m>\r\n"
	    "Sender: \"Me, Myself\" <me@m.example>\r\n" },
	{ "several authors, and who sent it",
	    "From: a@b\nFrom: c@d\nSender: c@d\nTo: e@f\nDate: d\nMessage-ID: <m>",
	    "From: a@b,\r\n\tc@d\r\nSender: c@d\r\nTo: e@f\r\nDate: d\r\n"
	    "Message-ID: <m>\r\n" },
	{ "of others the first stays",
	    "Date: d\nTo: a@b\nSubject: x\nsubject: y\nDate: e\n"
	    "Message-ID: <m>\nMessage-Id: <n>\nComments: 1\nComments: 2",
	    "Date: d\r\nTo: a@b\r\nSubject: x\r\nMessage-ID: <m>\r\n"
	    "Comments: 1\r\nComments: 2\r\n" FROM },
	{ "an empty one is not the first", "Date: \nDate: d\nTo: a@b",
	    "Date: d\r\nTo: a@b\r\n" MID FROM },
	{ "text outside ASCII", "Subject: \xc3\xa9t\xc3\xa9 x \xff\nTo: a@b",
	    "Subject: =?utf-8?B?w6l0w6k=?= x =?unknown-8bit?B?/w==?=\r\n"
	    "To: a@b\r\n" DATE MID FROM },
	{ "a name outside ASCII", "To: J\xc3\xbcrgen <j>",
	    "To: =?utf-8?B?SsO8cmdlbg==?= <j@m.example>\r\n" DATE MID FROM },
	{ "a grammar of its own", "To: a@b\nReferences: <\xc3\xa9@x>\n"
	    "Content-Type: x/y; name=\"\xc3\xa9\"\nContent-Description: \xc3\xa9",
	    "To: a@b\r\nReferences: <\xc3\xa9@x>\r\n"
	    "Content-Type: x/y; name*=utf-8''%C3%A9\r\n"
	    "Content-Description: =?utf-8?B?w6k=?=\r\n" DATE MID FROM },
};

#define RDATE	"Resent-Date: Mon, 2 Jan 2006 22:04:05 +0000\r\n"
#define RMID	"Resent-Message-ID: <01K0TNMBKA9PAQQQAP0V@host.example>\r\n"
#define RFROM	"Resent-From: \"Me, Myself\" <me@m.example>\r\n"
#define REST	"From: a@b\r\nTo: c@d\r\nDate: d\r\nMessage-ID: <m>\r\n"

static const struct row resent[] = {
	{ "sent again", "Resent-To: x@y\n" REST,
	    RFROM RDATE RMID "Resent-To: x@y\r\n" REST },
	{ "sent again, complete",
	    "Resent-From: x\nResent-Date: y\nResent-Message-Id: z\n" REST,
	    "Resent-From: x@m.example\r\nResent-Date: y\r\n"
	    "Resent-Message-Id: z\r\n" REST },
	{ "Resent-Bcc goes", "Resent-Bcc: x@y\nResent-Date: y\n" REST,
	    RFROM RMID "Resent-Date: y\r\n" REST },
};

static const struct row masked[] = {
	{ "authors of ours", "From: A <a@host.example> (b)\n"
	    "Sender: \"c d\"@M.Example\nReply-To: e, f@other.example\n"
	    "To: g, h@local.example\nCc: i@host.example\nDate: d\n"
	    "Message-ID: <m>",
	    "From: A <a@seen.example> (b)\r\n"
	    "Sender: \"c d\"@seen.example\r\n"
	    "Reply-To: e@seen.example, f@other.example\r\n"
	    "To: g@m.example, h@local.example\r\nCc: i@host.example\r\n"
	    "Date: d\r\nMessage-ID: <m>\r\n" },
};

static void
check(const struct row *row, size_t n)
{
	struct buf out = BUF_INIT, want = BUF_INIT;
	struct header h;

	for (; n > 0; row++, n--) {
		print_message("%s\n", row->name);
		header_init(&h);
		take(&h, row->header);
		header_complete(&h, &facts);
		buf_reset(&out);
		header_format(&h, &out);
		buf_reset(&want);
		buf_printf(&want, "%s%s\r\n", TRACE, row->want);
		assert_string_equal(buf_str(&out), buf_str(&want));
		header_clear(&h);
	}
	buf_clear(&out);
	buf_clear(&want);
}

static void
test_header_complete(void **state)
{
	(void)state;
	check(whole, sizeof(whole) / sizeof(whole[0]));
}

/* An address that is not ASCII stays; of its domain there is another form. */
static void
test_header_complete_utf8(void **state)
{
	static const struct {
		const char	*field;
		const char	*want;
		bool		 utf8;
	} table[] = {
		{ "To: a@b", "To: a@b\r\n", false },
		{ "To: J\xc3\xbc <a@b>", "To: =?utf-8?B?SsO8?= <a@b>\r\n",
		    false },
		{ "To: J\xc3\xbc <j\xc3\xbc@b>, c",
		    "To: =?utf-8?B?SsO8?= <j\xc3\xbc@b>, c@m.example\r\n",
		    true },
		{ "To: j\xc3\xbc", "To: j\xc3\xbc@m.example\r\n", true },
		{ "Subject: j\xc3\xbc@b", "Subject: =?utf-8?B?asO8QGI=?=\r\n",
		    false },
#ifdef HAVE_LIBIDN2
		{ "To: (x) \"a\" @ B\xc3\xbc" "cher.example (y), A <b@c>",
		    "To: (x) a@xn--bcher-kva.example (y), A <b@c>\r\n",
		    false },
		{ "To: A <j\xc3\xbc@b\xc3\xbc" "cher.example>",
		    "To: A <j\xc3\xbc@xn--bcher-kva.example>\r\n", true },
#endif
		/* not UTF-8: no address */
		{ "To: \xff@b", "To: \xff@b\r\n", false },
	};
	struct buf out = BUF_INIT;
	struct header h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].field);
		header_init(&h);
		take(&h, table[i].field);
		assert_int_equal(header_complete(&h, &facts), table[i].utf8);
		buf_reset(&out);
		header_format(&h, &out);
		if (strstr(buf_str(&out), table[i].want) == NULL)
			fail_msg("not as wanted: %s", buf_str(&out));
		header_clear(&h);
	}
	buf_clear(&out);
}

static void
test_header_complete_resent(void **state)
{
	(void)state;
	check(resent, sizeof(resent) / sizeof(resent[0]));
}

static void
test_header_complete_masquerade(void **state)
{
	static char seen[] = "seen.example", one[] = "ops@seen.example";
	static const struct {
		char		*as;
		const char	*spec;
		const char	*want;
	} rows[] = {
		{ NULL, "a@host.example", "a@host.example" },
		{ seen, "a@host.example", "a@seen.example" },
		{ seen, "a@LOCAL.example", "a@seen.example" },
		{ seen, "a@b.host.example", "a@b.host.example" },
		{ seen, "\"a@b\"@m.example", "\"a@b\"@seen.example" },
		{ seen, "", "" },
		{ one, "a@m.example", "ops@seen.example" },
		{ one, "a@other.example", "a@other.example" },
	};
	char *got;
	size_t i;

	(void)state;
	conf.masquerade = seen;
	check(masked, sizeof(masked) / sizeof(masked[0]));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf.masquerade = rows[i].as;
		got = complete_masquerade(&conf, rows[i].spec);
		assert_string_equal(got, rows[i].want);
		free(got);
	}
	conf.masquerade = NULL;
}

static void
test_header_complete_many_fields(void **state)
{
	struct header h;
	char line[32];
	int i, n;

	(void)state;
	for (n = 0; n < 40; n++) {
		header_init(&h);
		for (i = 0; i < n; i++) {
			snprintf(line, sizeof(line), "%s: x@y%d",
			    i % 2 != 0 ? "Bcc" : "X", i);
			take(&h, line);
		}
		header_complete(&h, &facts);
		assert_int_equal(h.nfield, (n + 1) / 2 + 5);
		assert_int_equal(header_count(&h, "X"), (n + 1) / 2);
		header_clear(&h);
	}
}

static void
test_header_from_without_name(void **state)
{
	struct complete_facts f = facts;
	struct buf out = BUF_INIT;
	struct header h;

	(void)state;
	f.full_name = NULL;
	header_init(&h);
	header_complete(&h, &f);
	header_format(&h, &out);
	assert_string_equal(buf_str(&out), TRACE DATE MID
	    "From: me@m.example\r\n" TO "\r\n");
	header_clear(&h);
	buf_clear(&out);
}

static const struct {
	const char	*tz;
	time_t		 t;
	const char	*want;
} dates[] = {
	{ "UTC", 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
	{ "XXX-5:30", 0, "Thu, 1 Jan 1970 05:30:00 +0530" },
	{ "XXX3:30", 951868800, "Tue, 29 Feb 2000 20:30:00 -0330" },
	{ "XXX0:30", 0, "Wed, 31 Dec 1969 23:30:00 -0030" },
	{ "UTC", 4102444799, "Thu, 31 Dec 2099 23:59:59 +0000" },
};

static void
test_complete_date(void **state)
{
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		setenv("TZ", dates[i].tz, 1);
		tzset();
		buf_reset(&out);
		complete_date(&out, dates[i].t);
		assert_string_equal(buf_str(&out), dates[i].want);
	}
	setenv("TZ", "UTC", 1);
	tzset();
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_complete),
		cmocka_unit_test(test_header_complete_utf8),
		cmocka_unit_test(test_header_complete_resent),
		cmocka_unit_test(test_header_complete_masquerade),
		cmocka_unit_test(test_header_complete_many_fields),
		cmocka_unit_test(test_header_from_without_name),
		cmocka_unit_test(test_complete_date),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
