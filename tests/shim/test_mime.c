/* SPDX-License-Identifier: ISC */
/* What a header says of its body, and what it must say. */
#include "config.h"

#include "submit/mime.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

enum { NONE = 0, EIGHT = 1, UTF8 = 3, LONG = 4 };	/* facts */

#define V	"MIME-Version: 1.0\r\n"
#define T	"Content-Type: text/plain"
#define E	"Content-Transfer-Encoding: "

static const struct {
	const char	*header;
	int		 facts;
	const char	*want;		/* NULL: the same */
	bool		 quote;
} rows[] = {
	{ "A: b\r\n", NONE, NULL, false },
	{ "A: b\r\n", UTF8, "A: b\r\n" V T "; charset=utf-8\r\n" E "8bit\r\n",
	    false },
	{ "A: b\r\n", EIGHT, "A: b\r\n" V T "; charset=unknown-8bit\r\n"
	    E "8bit\r\n", false },
	{ "A: b\r\n", LONG, "A: b\r\n" V T "; charset=us-ascii\r\n"
	    E "quoted-printable\r\n", true },
	{ "A: b\r\n", LONG | UTF8, "A: b\r\n" V T "; charset=utf-8\r\n"
	    E "quoted-printable\r\n", true },
	/* declared: nothing is to be done */
	{ V T "; charset=iso-8859-1\r\n" E "8bit\r\n", EIGHT, NULL, false },
	{ V T ";\r\n Charset=\"x\"\r\n" E "8BIT (really)\r\n", UTF8, NULL,
	    false },
	{ V T "; charset=utf-8\r\n" E "base64\r\n", NONE, NULL, false },
	/* an encoding that the octets do not keep is not our affair */
	{ V T "; charset=utf-8\r\n" E "base64\r\n", LONG | EIGHT, NULL,
	    false },
	{ V E "quoted-printable\r\n", LONG | UTF8, NULL, false },
	{ V E "x-what\r\n", UTF8, NULL, false },
	/* half declared */
	{ T "; charset=koi8-r\r\n", EIGHT, T "; charset=koi8-r\r\n" V E
	    "8bit\r\n", false },
	{ V T "\r\n" E "7bit\r\n", UTF8, V T "; charset=utf-8\r\n" E
	    "8bit\r\n", false },
	{ V T "\r\n", EIGHT, V T "\r\n" E "8bit\r\n", false },
	{ V "Content-Type: text/html\r\n", UTF8, V
	    "Content-Type: text/html; charset=utf-8\r\n" E "8bit\r\n", false },
	{ V T "; name=\"a;charset=b\"\r\n", UTF8, V T
	    "; name=\"a;charset=b\"; charset=utf-8\r\n" E "8bit\r\n", false },
	{ V "Content-Type: TEXT/Calendar; method=X; CHARSET=utf-8\r\n"
	    E "8bit\r\n", LONG | UTF8,
	    V "Content-Type: TEXT/Calendar; method=X; CHARSET=utf-8\r\n"
	    E "quoted-printable\r\n", true },
	{ V T "; charset=utf-8\r\n" E "binary\r\n", LONG, V T
	    "; charset=utf-8\r\n" E "quoted-printable\r\n", true },
	/* more than one part, or none of text */
	{ V "Content-Type: multipart/mixed; boundary=x\r\n", UTF8, V
	    "Content-Type: multipart/mixed; boundary=x\r\n" E "8bit\r\n",
	    false },
	{ V "Content-Type: multipart/mixed; boundary=x\r\n", LONG, NULL,
	    false },
	{ V "Content-Type: message/rfc822\r\n" E "8bit\r\n", LONG | EIGHT,
	    NULL, false },
	{ "Content-Type: (text) image/png\r\n" E "7bit\r\n", LONG, NULL,
	    false },
	{ "Content-Type: (image) text\r\n", LONG, "Content-Type: (image) "
	    "text\r\n" V E "quoted-printable\r\n", true },
	{ "Content-Type: textile/x\r\n", LONG, NULL, false },
};

static void
take(struct header *h, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + 2) {
		n = strcspn(text, "\r");
		header_take(h, text, n);
	}
}

static void
test_mime_rows(void **state)
{
	struct buf out = BUF_INIT, want = BUF_INIT;
	struct mime_facts facts;
	struct mime_plan plan, other = { false, NULL, NULL };
	struct header h;
	struct mime m;
	size_t i;
	int again;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s", rows[i].header);
		facts.eightbit = (rows[i].facts & EIGHT) != 0;
		facts.utf8 = (rows[i].facts & UTF8) != EIGHT;
		facts.long_line = (rows[i].facts & LONG) != 0;
		/* the second time over what another plan left */
		for (again = 0; again < 2; again++) {
			header_init(&h);
			take(&h, rows[i].header);
			mime_read(&m, &h);
			mime_decide(&m, &facts, &plan);
			assert_true(mime_same(&plan, &plan));
			assert_int_equal(mime_same(&plan, &other),
			    rows[i].want == NULL);
			assert_int_equal(plan.quote, rows[i].quote);
			if (plan.quote)
				assert_true(mime_may_quote(&m));
			if (again == 1)
				mime_declare(&m, &plan, &h);
			mime_declare(&m, &plan, &h);
			buf_reset(&out);
			header_format(&h, &out);
			buf_reset(&want);
			buf_printf(&want, "%s\r\n", rows[i].want != NULL ?
			    rows[i].want : rows[i].header);
			assert_string_equal(buf_str(&out), buf_str(&want));
			mime_clear(&m);
			header_clear(&h);
		}
	}
	buf_clear(&out);
	buf_clear(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mime_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
