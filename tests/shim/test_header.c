/* SPDX-License-Identifier: ISC */
/* Header fields: what is one, who is a recipient, where lines are folded. */
#include "config.h"

#include "submit/header.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	{ "From and a blank first", "From : a\nA: b", HEADER_TAKEN, 2 },
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

static void
test_header_set(void **state)
{
	struct buf out = BUF_INIT;
	struct header h;

	(void)state;
	header_init(&h);
	take(&h, "A: b\nC: d\n e\nA: f");
	assert_null(header_value(&h, "B"));
	assert_string_equal(header_value(&h, "c"), " d\r\n e");
	header_set(&h, "C", "x");
	header_set(&h, "D", "y");
	header_set(&h, "a", "z");
	buf_adds(header_add_first(&h), "First: 1");
	buf_clear(&h.field[2]);
	header_pack(&h);
	header_format(&h, &out);
	assert_string_equal(buf_str(&out),
	    "First: 1\r\na: z\r\nA: f\r\nD: y\r\n\r\n");
	header_clear(&h);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_take),
		cmocka_unit_test(test_header_count),
		cmocka_unit_test(test_header_recipients),
		cmocka_unit_test(test_header_format_folds),
		cmocka_unit_test(test_header_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
