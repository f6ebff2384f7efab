/* SPDX-License-Identifier: ISC */
/* Messages for servers without 8BITMIME: each part, and what is no part. */
#include "config.h"

#include "smtp/sevenbit.h"

#include <sys/mman.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/utf8.h"

static int
take(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

/* TEXT has LF; it is fed with CR LF, STEP octets at a time. */
static void
convert(const char *text, size_t step, struct buf *out)
{
	struct buf in = BUF_INIT;
	struct sevenbit *s;
	int fd = memfd_create("message", MFD_CLOEXEC);
	size_t i, n;

	assert_int_not_equal(fd, -1);
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\n')
			buf_addc(&in, '\r');
		buf_addc(&in, text[i]);
	}
	assert_int_equal(write(fd, "envelope", 8), 8);
	assert_int_equal(write(fd, buf_str(&in), in.len), in.len);
	buf_reset(out);
	s = sevenbit_new(fd, 8, (off_t)in.len, take, out);
	for (i = 0; i < in.len; i += n) {
		n = in.len - i < step ? in.len - i : step;
		assert_int_equal(sevenbit_feed(s, in.data + i, n), 0);
	}
	assert_int_equal(sevenbit_end(s), 0);
	sevenbit_free(s);
	close(fd);
	buf_clear(&in);
}

#define E8	"\xc3\xa9"
#define EQ	"=C3=A9"
#define CTE	"Content-Transfer-Encoding: "
#define QP	CTE "quoted-printable\n"
#define MULTI	"Content-Type: multipart/mixed; boundary=b\n"
#define TEXT	"Content-Type: text/plain; charset=utf-8\n"
#define MV	"MIME-Version: 1.0\n"
#define L50	"12345678901234567890123456789012345678901234567890"

static const struct {
	const char	*name;
	const char	*in;
	const char	*out;
} rows[] = {
	{ "a text", MV TEXT CTE "8bit\nSubject: x\n\n" E8 " a=b \n.\n",
	    MV TEXT "Subject: x\n" QP "\n" EQ " a=3Db=20\n.\n" },
	{ "nothing is declared", "Subject: x\n\n" E8 "\n",
	    "Subject: x\n" MV QP "\n" EQ "\n" },
	{ "declared, and not so", MV TEXT CTE "8bit\n\na=b \n",
	    MV TEXT CTE "7bit\n\na=b \n" },
	{ "7bit, and not so", MV TEXT CTE "7bit\n\n" E8 "\n",
	    MV TEXT QP "\n" EQ "\n" },
	{ "binary", MV "Content-Type: image/x\n" CTE "BINARY (x)\n\n" E8 "\n",
	    MV "Content-Type: image/x\n" QP "\n" EQ "\n" },
	{ "quoted-printable already", MV TEXT QP "\n" EQ "\n=\n",
	    MV TEXT QP "\n" EQ "\n=\n" },
	{ "base64 already, in another place", MV CTE "base64\n" TEXT "\nYQ==\n",
	    MV TEXT CTE "base64\n\nYQ==\n" },
	{ "an encoding that is unknown: as it is", MV TEXT CTE "x\n\n" E8 "\n",
	    MV TEXT CTE "x\n\n" E8 "\n" },
	{ "parts, each for itself", MV MULTI CTE "8bit\n\nPr" E8 "\n--b\n" TEXT
	    CTE "8bit\n\n" E8 "\n--b\n\nASCII = \n--b  \n" CTE
	    "base64\n\nw6k=\n--b--\nEp" E8 "\n",
	    MV MULTI CTE "7bit\n\nPr??\n--b\n" TEXT QP "\n" EQ
	    "\n--b\n\nASCII = \n--b  \n" CTE "base64\n\nw6k=\n--b--\nEp??\n" },
	{ "parts of parts", MV MULTI "\n--b\nContent-Type: multipart/x;\n"
	    "\tboundary=\"b (\\\"1\"\n" CTE "8bit\n\n--b (\"1\n\n" E8
	    "\n--b (\"1--\n--b\n\n" E8 "\n--b--\n",
	    MV MULTI "\n--b\nContent-Type: multipart/x;\n"
	    "\tboundary=\"b (\\\"1\"\n" CTE "7bit\n\n--b (\"1\n" QP "\n" EQ
	    "\n--b (\"1--\n--b\n" QP "\n" EQ "\n--b--\n" },
	{ "the inner list does not end", MV MULTI "\n--b\nContent-Type: "
	    "multipart/x; boundary=c\n\n--c\n\n" E8 "\n--b\n\n" E8 "\n--b--\n",
	    MV MULTI "\n--b\nContent-Type: multipart/x; boundary=c\n\n--c\n" QP
	    "\n" EQ "\n--b\n" QP "\n" EQ "\n--b--\n" },
	{ "a delimiter that is only like one", MV MULTI "\n--b\n\n--bb\n--b-\n"
	    "--b x\n --b\n" E8 "\n--b--\n",
	    MV MULTI "\n--b\n" QP "\n--bb\n--b-\n--b x\n --b\n" EQ
	    "\n--b--\n" },
	{ "a message in it", MV MULTI CTE "8bit\n\n--b\n"
	    "Content-Type: message/rfc822\n" CTE "8bit\n\n" MV TEXT CTE
	    "8bit\n\n" E8 "\n--b--\n",
	    MV MULTI CTE "7bit\n\n--b\nContent-Type: message/rfc822\n" CTE
	    "7bit\n\n" MV TEXT QP "\n" EQ "\n--b--\n" },
	{ "a digest", MV "Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
	    TEXT "\n" E8 "\n--b\n" TEXT "\n" E8 "\n--b--\n",
	    MV "Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
	    TEXT QP "\n" EQ "\n--b\n" TEXT QP "\n" EQ "\n--b--\n" },
	{ "signed: not touched", MV MULTI CTE "8bit\n\n--b\n"
	    "Content-Type: multipart/signed; boundary=s\n" CTE "8bit\n\n--s\n"
	    TEXT CTE "8bit\n\n" E8 "\n--s\n\n" E8 "\n--s--\n--b\n\n" E8
	    "\n--b--\n",
	    MV MULTI CTE "7bit\n\n--b\n"
	    "Content-Type: multipart/signed; boundary=s\n" CTE "8bit\n\n--s\n"
	    TEXT CTE "8bit\n\n" E8 "\n--s\n\n" E8 "\n--s--\n--b\n" QP "\n" EQ
	    "\n--b--\n" },
	{ "all of it signed", MV CTE "8bit\nContent-Type: Multipart/Signed; "
	    "boundary=s\n\n--s\n\n" E8 "\n--s--\n",
	    MV "Content-Type: Multipart/Signed; boundary=s\n" CTE
	    "8bit\n\n--s\n\n" E8 "\n--s--\n" },
	{ "no boundary", MV "Content-Type: multipart/x\n" CTE "8bit\n\n" E8
	    "\n", MV "Content-Type: multipart/x\n" CTE "8bit\n\n" E8 "\n" },
	{ "a header that ends without an empty line", MV MULTI "\n--b\n" TEXT
	    E8 "\n--b\n" TEXT "text\n--b--\n",
	    MV MULTI "\n--b\n" TEXT QP "\n" EQ "\n--b\n" TEXT
	    "text\n--b--\n" },
	{ "a part that is only a header", MV MULTI "\n--b\n" CTE "8bit\n"
	    "--b--\n", MV MULTI "\n--b\n" CTE "8bit\n--b--\n" },
	{ "a message that is only a header", CTE "8bit\nTo: x\n",
	    "To: x\n" CTE "8bit\n" },
	{ "a field that is folded, and twice", MV "Content-Type:\n text/plain"
	    ";\n charset=x\n" CTE "\n\t8bit\n" CTE "base64\n\n" E8 "\n",
	    MV "Content-Type:\n text/plain;\n charset=x\n" CTE "base64\n"
	    QP "\n" EQ "\n" },
	{ "a line as long as they may be", TEXT MV "\n" L50 L50 E8 "\n",
	    TEXT MV QP "\n" L50 "1234567890123456789012345=\n"
	    "6789012345678901234567890" EQ "\n" },
	{ "what becomes a line is no delimiter", MV "Content-Type: "
	    "multipart/x; boundary=\"6789\"\n\n--6789\n\n" L50
	    "1234567890123456789012345--6789\n" E8 "\n--6789--\n",
	    MV "Content-Type: multipart/x; boundary=\"6789\"\n\n--6789\n" QP
	    "\n" L50 "1234567890123456789012345=\n=2D-6789\n" EQ
	    "\n--6789--\n" },
	{ "fields stay as they are", MV TEXT "X: " E8 "\n\n" E8 "\n",
	    MV TEXT "X: " E8 "\n" QP "\n" EQ "\n" },
	{ "nothing", "", "" },
	{ "an empty part", MV MULTI "\n--b\n" TEXT CTE "8bit\n\n--b--\n",
	    MV MULTI "\n--b\n" TEXT CTE "7bit\n\n--b--\n" },
};

static void
test_sevenbit_rows(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 1024 };
	struct buf out = BUF_INIT, want = BUF_INIT;
	size_t i, k;
	const char *p;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		buf_reset(&want);
		for (p = rows[i].out; *p != '\0'; p++) {
			if (*p == '\n')
				buf_addc(&want, '\r');
			buf_addc(&want, *p);
		}
		for (k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			convert(rows[i].in, steps[k], &out);
			assert_string_equal(buf_str(&out), buf_str(&want));
		}
	}
	buf_clear(&out);
	buf_clear(&want);
}

/* Deeper than it goes: the rest as it is, and the outer levels go on. */
static void
test_sevenbit_depth(void **state)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		buf_printf(&in, "%sContent-Type: multipart/x; boundary=b%d\n\n"
		    "--b%d\n", i == 0 ? MV : "", i, i);
	buf_adds(&in, "\n" E8 "\n--b39--\n--b0\n\n" E8 "\n--b0--\n");
	convert(buf_str(&in), 1024, &out);
	assert_non_null(strstr(buf_str(&out), "\r\n\r\n" E8 "\r\n--b39--"));
	assert_non_null(strstr(buf_str(&out), "quoted-printable\r\n\r\n" EQ
	    "\r\n--b0--"));
	buf_clear(&in);
	buf_clear(&out);
}

/* A field of any length is passed on, and nothing grows with it. */
static void
test_sevenbit_long_fields(void **state)
{
	static const char *const names[] = { "X", "Content-Type",
	    "Content-Transfer-Encoding" };
	struct buf in = BUF_INIT, out = BUF_INIT, field = BUF_INIT;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_reset(&field);
		buf_printf(&field, "%s: 8bit", names[i]);
		for (k = 0; k < 20000; k++)
			buf_adds(&field, "abcde");
		buf_reset(&in);
		buf_printf(&in, MV "%s\n\n" E8 "\n", buf_str(&field));
		convert(buf_str(&in), 1024, &out);
		assert_non_null(strstr(buf_str(&out), buf_str(&field)));
		assert_int_equal(utf8_has_eightbit(out.data, out.len), i != 0);
	}
	buf_clear(&in);
	buf_clear(&out);
	buf_clear(&field);
}

static int
refuse(void *arg, const void *p, size_t n)
{
	size_t *left = arg;

	(void)p;
	if (n > *left)
		return -1;
	*left -= n;
	return 0;
}

/* The sink fails after any number of octets. */
static void
test_sevenbit_sink_fails(void **state)
{
	static const char text[] = "A: b\r\nContent-Type: multipart/x; "
	    "boundary=b\r\n\r\nx\r\n--b\r\n\r\n" E8 "\r\n--b--\r\n";
	struct sevenbit *s;
	int fd = memfd_create("message", MFD_CLOEXEC), rv;
	size_t i, left;

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	for (i = 0; i < sizeof(text) + 20; i++) {
		left = i;
		s = sevenbit_new(fd, 0, sizeof(text) - 1, refuse, &left);
		rv = sevenbit_feed(s, text, sizeof(text) - 1);
		if (rv == 0)
			rv = sevenbit_end(s);
		assert_int_equal(rv, -1);
		sevenbit_free(s);
	}
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sevenbit_rows),
		cmocka_unit_test(test_sevenbit_depth),
		cmocka_unit_test(test_sevenbit_long_fields),
		cmocka_unit_test(test_sevenbit_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
