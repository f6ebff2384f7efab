/* SPDX-License-Identifier: ISC */
/* Header fields: what is one, what is removed, completed, added and folded. */
#include "config.h"

#include "submit/header.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <cmocka.h>

/* Take the lines of TEXT, divided by LF; the kind of the last. */
static enum header_line
take(struct header *h, const char *text)
{
	enum header_line kind = HEADER_TAKEN;
	char *exact;
	size_t n;

	do {
		n = strcspn(text, "\n");
		exact = malloc(n != 0 ? n : 1);
		assert_non_null(exact);
		memcpy(exact, text, n);
		kind = header_take(h, exact, n);
		free(exact);
		text += n;
	} while (*text++ == '\n' && kind == HEADER_TAKEN);
	return kind;
}

static const struct {
	const char	*name;
	const char	*lines;
	enum header_line kind;		/* of the last line */
	size_t		 fields;
} lines[] = {
	{ "a field", "A: b", HEADER_TAKEN, 1 },
	{ "no value", "A:", HEADER_TAKEN, 1 },
	{ "no blank", "A:b", HEADER_TAKEN, 1 },
	{ "blank before the colon", "A \t: b", HEADER_TAKEN, 1 },
	{ "strange name", "!#$%&'*+-./^_`{|}~9: x", HEADER_TAKEN, 1 },
	{ "two", "A: b\nC: d", HEADER_TAKEN, 2 },
	{ "folded", "A: b\n c\n\td\nE: f", HEADER_TAKEN, 2 },
	{ "folded with blanks only", "A: b\n  \n c\nE: f", HEADER_TAKEN, 2 },
	{ "the end", "A: b\n", HEADER_BLANK, 1 },
	{ "nothing", "", HEADER_BLANK, 0 },
	{ "no header", "hello", HEADER_BODY, 0 },
	{ "words and a colon", "hello you: x", HEADER_BODY, 0 },
	{ "a colon only", ": x", HEADER_BODY, 0 },
	{ "indented first line", " A: b", HEADER_BODY, 0 },
	{ "text after a field", "A: b\nhello", HEADER_BODY, 1 },
	{ "8-bit in the name", "\xc3\xa9: b", HEADER_BODY, 0 },
	{ "control character in the name", "A\001: b", HEADER_BODY, 0 },
	{ "mbox line", "From a@b Mon Jan  1\nA: b", HEADER_TAKEN, 1 },
	{ "quoted mbox line", ">From a@b Mon\nA: b", HEADER_TAKEN, 1 },
	{ "mbox line only once", "From a Mon\nFrom b Mon", HEADER_BODY, 0 },
	{ "mbox line not first", "A: b\nFrom a Mon", HEADER_BODY, 1 },
	{ "mbox line, then indented", "From a Mon\n x", HEADER_BODY, 0 },
	{ "From with a colon", "From: a\nFrom : b", HEADER_TAKEN, 2 },
};

static void
test_header_take(void **state)
{
	struct header h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		print_message("%s\n", lines[i].name);
		header_init(&h);
		assert_int_equal(take(&h, lines[i].lines), lines[i].kind);
		assert_int_equal(h.nfield, lines[i].fields);
		header_clear(&h);
	}
}

static void
test_header_count(void **state)
{
	struct header h;

	(void)state;
	header_init(&h);
	take(&h, "Received: a\nrEcEiVeD : b\nReceived-SPF: c\nReceive: d\n"
	    "X: Received: e");
	assert_int_equal(header_count(&h, "Received"), 2);
	assert_true(header_has(&h, "receive"));
	assert_false(header_has(&h, "Receiv"));
	header_clear(&h);
}

static const char *
collect(void *arg, const struct addr *a)
{
	buf_printf(arg, "%s ", a->spec);
	return NULL;
}

static const struct {
	const char	*header;
	const char	*want;		/* NULL: an error */
} rcpts[] = {
	{ "Subject: x", "" },
	{ "To: a@b", "a@b " },
	{ "to: a@b\nCC: c@d, e\nbcc: <f@g>\nFrom: h@i\nReply-To: j@k",
	    "a@b c@d e f@g " },
	{ "To: A <a@b>,\n \"B, C\" <b@c>\n\t,d@e", "a@b b@c d@e " },
	{ "To: a@b\nTo: c@d", "a@b c@d " },
	{ "BCC : a@b", "a@b " },
	{ "To: undisclosed-recipients:;\nBcc: a@b,\n c@d", "a@b c@d " },
	{ "To: a@b\nResent-To: c@d\nCc: e@f\nresent-bcc: g@h", "c@d g@h " },
	{ "To: a@b\nResent-From: c@d", "a@b " },
	{ "To:", "" },
	{ "To: a@b@c, d@e", NULL },
	{ "To: d@e\nBcc: a b", NULL },
};

static void
test_header_recipients(void **state)
{
	struct buf out = BUF_INIT;
	const char *field, *why;
	struct header h;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++) {
		print_message("%s\n", rcpts[i].header);
		header_init(&h);
		take(&h, rcpts[i].header);
		buf_reset(&out);
		rc = header_recipients(&h, collect, &out, &field, &why);
		if (rcpts[i].want == NULL) {
			assert_int_equal(rc, -1);
			assert_non_null(strchr(field, ':'));
			assert_non_null(why);
		} else {
			assert_int_equal(rc, 0);
			assert_string_equal(buf_str(&out), rcpts[i].want);
		}
		header_clear(&h);
	}
	buf_clear(&out);
}

static const struct header_facts facts = {
	.hostname = "host.example",
	.mail_name = "m.example",
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

static const struct {
	const char	*name;
	const char	*header;
	const char	*want;		/* between Received and the empty line */
} whole[] = {
	{ "nothing", "Subject: x", "Subject: x\r\n" DATE MID FROM },
	{ "all there", "date: d\nmessage-id: <m>\nfrom: f@x",
	    "date: d\r\nmessage-id: <m>\r\nfrom: f@x\r\n" },
	{ "empty ones count as missing", "Date:\nMessage-Id: \nFrom:  \n \n",
	    DATE MID FROM },
	{ "empty To and Cc go", "To:\nCc: \nA: b", "A: b\r\n" DATE MID FROM },
	{ "Bcc goes", "A: b\nBcc: x@y,\n z@y\n\tw@y\nC: d",
	    "A: b\r\nC: d\r\n" DATE MID FROM },
	{ "Bcc in any case, everywhere", "bCC : x@y\nA: b\nBCC:\nbcc:z",
	    "A: b\r\n" DATE MID FROM },
	{ "Resent-Bcc goes", "Resent-Bcc: x\nResent-To: y",
	    "Resent-To: y\r\n" DATE MID FROM },
	{ "Return-Path goes", "return-path: <x@y>\nA: b",
	    "A: b\r\n" DATE MID FROM },
	{ "looks like Bcc", "Bccx: a\nX-Bcc: b",
	    "Bccx: a\r\nX-Bcc: b\r\n" DATE MID FROM },
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
	{ "other fields stay", "Subject: root\nX-To: root\nErrors-To: root",
	    "Subject: root\r\nX-To: root\r\nErrors-To: root\r\n"
	    DATE MID FROM },
	{ "8-bit stays", "Subject: \xc3\xa9", "Subject: \xc3\xa9\r\n"
	    DATE MID FROM },
	{ "blank before the colon goes", "Subject : x", "Subject: x\r\n"
	    DATE MID FROM },
};

static void
test_header_complete(void **state)
{
	struct buf out = BUF_INIT, want = BUF_INIT;
	struct header h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		print_message("%s\n", whole[i].name);
		header_init(&h);
		take(&h, whole[i].header);
		header_complete(&h, &facts);
		buf_reset(&out);
		header_format(&h, &out);
		buf_reset(&want);
		buf_printf(&want, "%s%s\r\n", TRACE, whole[i].want);
		assert_string_equal(buf_str(&out), buf_str(&want));
		header_clear(&h);
	}
	buf_clear(&out);
	buf_clear(&want);
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
		assert_int_equal(h.nfield, (n + 1) / 2 + 4);
		assert_int_equal(header_count(&h, "X"), (n + 1) / 2);
		header_clear(&h);
	}
}

static void
test_header_from_without_name(void **state)
{
	struct header_facts f = facts;
	struct buf out = BUF_INIT;
	struct header h;

	(void)state;
	f.full_name = NULL;
	header_init(&h);
	header_complete(&h, &f);
	header_format(&h, &out);
	assert_string_equal(buf_str(&out), TRACE DATE MID
	    "From: me@m.example\r\n\r\n");
	header_clear(&h);
	buf_clear(&out);
}

/* Every line of the N octets at P is legal; the octets without folds. */
static void
unfold(const char *p, size_t n, struct buf *out)
{
	const char *end = p + n, *nl;

	while (p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		assert_non_null(nl);
		assert_true(nl > p && nl[-1] == '\r');
		assert_in_range(nl - 1 - p, 0, 998);
		buf_add(out, p, (size_t)(nl - 1 - p));
		p = nl + 1;
		if (p < end && *p != '\r')
			assert_true(*p == ' ' || *p == '\t');
	}
}

static void
check_fold(const char *value, size_t added)
{
	struct buf line = BUF_INIT, out = BUF_INIT, flat = BUF_INIT;
	struct header h;

	header_init(&h);
	buf_printf(&line, "Subject: %s", value);
	take(&h, buf_str(&line));
	header_format(&h, &out);
	unfold(out.data, out.len, &flat);
	if (added == 0)
		assert_string_equal(buf_str(&flat), buf_str(&line));
	else
		assert_int_equal(flat.len, line.len + added);
	header_clear(&h);
	buf_clear(&line);
	buf_clear(&out);
	buf_clear(&flat);
}

static void
test_header_format_folds(void **state)
{
	char text[5000];
	size_t n, i;

	(void)state;
	for (n = 980; n < 1000; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		/* the blank after the colon is one to fold at */
		check_fold(text, n + 1 <= 998 ? 0 : 1);
	}
	/* with blanks nothing is added */
	for (n = 900; n < 4000; n += 7) {
		for (i = 0; i < n; i++)
			text[i] = i % 100 == 99 ? ' ' : 'x';
		text[n] = '\0';
		check_fold(text, 0);
	}
	/* blanks only, then a word */
	memset(text, ' ', 3000);
	memcpy(text + 3000, "x", 2);
	check_fold(text, 0);
	/* 4-octet characters are not cut */
	for (i = 0; i < 4996; i += 4)
		memcpy(text + i, "\xf0\x9f\x93\xa8", 4);
	text[4996] = '\0';
	check_fold(text, 5);
}

static const struct {
	const char	*name;
	const char	*want;
} phrases[] = {
	{ "Cron Daemon", "Cron Daemon" },
	{ "O'Neil-X +y", "O'Neil-X +y" },
	{ "John Q. Public", "\"John Q. Public\"" },
	{ "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"" },
	{ " leading", "\" leading\"" },
	{ "a@b", "\"a@b\"" },
	{ "(x)", "\"(x)\"" },
	{ "J\xc3\xbcrgen", "=?utf-8?B?SsO8cmdlbg==?=" },
	{ "\xff", "=?unknown-8bit?B?/w==?=" },
	{ "\xe2\x82", "=?unknown-8bit?B?4oI=?=" },
	{ "=?utf-8?Q?x?=", "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?=" },
	{ "x\r\nBcc: a@b", "=?utf-8?B?eA0KQmNjOiBhQGI=?=" },
	{ "a\tb", "=?utf-8?B?YQli?=" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9x\xc3\xa9\xc3\xa9",
	    "=?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqXg=?=\r\n "
	    "=?utf-8?B?w6nDqQ==?=" },
};

static void
test_header_add_phrase(void **state)
{
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		print_message("%s\n", phrases[i].name);
		buf_reset(&out);
		header_add_phrase(&out, phrases[i].name);
		assert_string_equal(buf_str(&out), phrases[i].want);
	}
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
test_header_add_date(void **state)
{
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		setenv("TZ", dates[i].tz, 1);
		tzset();
		buf_reset(&out);
		header_add_date(&out, dates[i].t);
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
		cmocka_unit_test(test_header_take),
		cmocka_unit_test(test_header_count),
		cmocka_unit_test(test_header_recipients),
		cmocka_unit_test(test_header_complete),
		cmocka_unit_test(test_header_complete_many_fields),
		cmocka_unit_test(test_header_from_without_name),
		cmocka_unit_test(test_header_format_folds),
		cmocka_unit_test(test_header_add_phrase),
		cmocka_unit_test(test_header_add_date),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
