/* SPDX-License-Identifier: ISC */
/* Envelope records: there and back, short by any number of octets, wrong. */
#include "config.h"

#include "spool/envelope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

/* In a block of the exact length, for the address sanitizer. */
static int
parse(struct envelope *e, const char *p, size_t n, size_t maxrcpt,
    size_t *used, const char **why)
{
	char *exact = malloc(n != 0 ? n : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, p, n);
	rc = envelope_parse(e, exact, n, maxrcpt, used, why);
	free(exact);
	return rc;
}

static const char good[] = "U4:1000\nT16:1795319505074459\n"
    "S11:a@b.example\nR11:c@d.example\nR12:\"e f\"@g.test\nM0:\n";

static void
test_envelope_parse_good(void **state)
{
	struct envelope e;
	const char *why;
	size_t used;

	(void)state;
	assert_int_equal(parse(&e, good, strlen(good), 2, &used, &why), 1);
	assert_int_equal(used, strlen(good));
	assert_int_equal(e.uid, 1000);
	assert_true(e.time == 1795319505074459);
	assert_string_equal(e.sender, "a@b.example");
	assert_int_equal(e.nrcpt, 2);
	assert_string_equal(e.rcpt[0].addr, "c@d.example");
	assert_string_equal(e.rcpt[1].addr, "\"e f\"@g.test");
	envelope_clear(&e);
	assert_null(e.rcpt);
}

/* Every record there is. */
static const char all[] = "U4:1000\nT16:1795319505074459\nS11:a@b.example\n"
    "I8:ID + = 1\nH4:FULL\nG0:\nO20:1M2FGVH3NJ00ABCDEFGH\n"
    "R11:c@d.example\nN15:SUCCESS,FAILURE\nP6:list@x\nL0:\nA0:\n"
    "R3:e@f\nN5:NEVER\nR3:g@h\nP3:i@j\nM0:\n";

static void
test_envelope_parse_dsn(void **state)
{
	struct envelope e;
	struct buf b = BUF_INIT;
	const char *why;
	size_t used, n;

	(void)state;
	assert_int_equal(parse(&e, all, strlen(all), 3, &used, &why), 1);
	assert_string_equal(e.envid, "ID + = 1");
	assert_int_equal(e.ret, DSN_RET_FULL);
	assert_true(e.utf8);
	assert_string_equal(e.origin.s, "1M2FGVH3NJ00ABCDEFGH");
	assert_int_equal(e.rcpt[0].notify, DSN_SUCCESS | DSN_FAILURE);
	assert_string_equal(envelope_orcpt(&e.rcpt[0]), "list@x");
	assert_true(e.rcpt[0].mailbox && e.rcpt[0].expanded);
	assert_int_equal(e.rcpt[1].notify, DSN_NEVER);
	assert_string_equal(envelope_orcpt(&e.rcpt[1]), "e@f");
	assert_int_equal(e.rcpt[2].notify, 0);
	assert_string_equal(e.rcpt[2].orcpt, "i@j");
	envelope_format(&e, &b);
	assert_string_equal(buf_str(&b), all);
	envelope_forget_claims(&e);
	assert_string_equal(e.origin.s, "");
	/* ORCPT is the sender's to choose */
	assert_string_equal(envelope_orcpt(&e.rcpt[0]), "list@x");
	assert_false(e.rcpt[0].mailbox || e.rcpt[0].expanded);
	assert_string_equal(e.envid, "ID + = 1");
	assert_int_equal(e.rcpt[1].notify, DSN_NEVER);
	envelope_clear(&e);
	assert_null(e.envid);
	buf_clear(&b);
	for (n = 0; n < strlen(all); n++)
		assert_int_equal(parse(&e, all, n, 3, &used, &why), 0);
}

static void
test_envelope_parse_needs_more(void **state)
{
	struct envelope e;
	const char *why;
	size_t n, used;

	(void)state;
	for (n = 0; n < strlen(good); n++) {
		assert_int_equal(parse(&e, good, n, 2, &used, &why), 0);
		assert_null(e.sender);
	}
}

static void
test_envelope_parse_leaves_the_rest(void **state)
{
	static const char text[] = "U1:0\nT1:1\nS0:\nR3:a@b\nM0:\nR3:x@y\n";
	struct envelope e;
	const char *why;
	size_t used;

	(void)state;
	assert_int_equal(parse(&e, text, strlen(text), 9, &used, &why), 1);
	assert_int_equal(used, strlen(text) - strlen("R3:x@y\n"));
	assert_string_equal(e.sender, "");
	assert_int_equal(e.nrcpt, 1);
	envelope_clear(&e);
}

static void
test_envelope_round_trip(void **state)
{
	struct envelope e, back;
	struct buf b = BUF_INIT;
	char addr[ENVELOPE_MAX_ADDR + 1];
	const char *why;
	size_t i, used;

	(void)state;
	envelope_init(&e);
	e.uid = 4294967294U;
	e.time = UINT64_MAX;
	e.sender = strdup("");
	for (i = 1; i <= ENVELOPE_MAX_ADDR; i++) {
		memset(addr, 'x', i);
		addr[i] = '\0';
		envelope_add_rcpt(&e, addr);
		e.rcpt[i - 1].mailbox = i % 2 != 0;
		e.rcpt[i - 1].expanded = i % 3 == 0;
	}
	envelope_format(&e, &b);
	assert_int_equal(parse(&back, b.data, b.len, e.nrcpt, &used, &why), 1);
	assert_int_equal(used, b.len);
	assert_int_equal(back.uid, e.uid);
	assert_true(back.time == e.time);
	assert_string_equal(back.sender, "");
	assert_int_equal(back.nrcpt, e.nrcpt);
	for (i = 0; i < e.nrcpt; i++) {
		assert_string_equal(back.rcpt[i].addr, e.rcpt[i].addr);
		assert_int_equal(back.rcpt[i].mailbox, e.rcpt[i].mailbox);
		assert_int_equal(back.rcpt[i].expanded, e.rcpt[i].expanded);
	}
	envelope_clear(&back);
	assert_int_equal(parse(&back, b.data, b.len, e.nrcpt - 1, &used, &why),
	    -1);
	assert_string_equal(why, "too many recipients");
	envelope_clear(&e);
	buf_clear(&b);
}

#define HEAD	"U1:0\nT1:1\nS0:\n"
#define TAIL	"R3:a@b\nM0:\n"

static const struct {
	const char	*name;
	const char	*text;
	size_t		 len;
} wrong[] = {
#define ROW(name, text) { name, text, sizeof(text) - 1 }
	ROW("unknown record", "X1:0\n" HEAD TAIL),
	ROW("L before R", HEAD "L0:\n" TAIL),
	ROW("A before L", HEAD "R3:a@b\nA0:\nL0:\nM0:\n"),
	ROW("L twice", HEAD "R3:a@b\nL0:\nL0:\nM0:\n"),
	ROW("L with a value", HEAD "R3:a@b\nL1:x\nM0:\n"),
	ROW("I before S", "U1:0\nT1:1\nI1:x\nS0:\n" TAIL),
	ROW("I after R", HEAD "R3:a@b\nI1:x\nM0:\n"),
	ROW("I twice", HEAD "I1:x\nI1:x\n" TAIL),
	ROW("I after H", HEAD "H4:FULL\nI1:x\n" TAIL),
	ROW("I empty", HEAD "I0:\n" TAIL),
	ROW("I outside ASCII", HEAD "I2:\xc3\xa9\n" TAIL),
	ROW("I too long as xtext", HEAD "I40:++++++++++++++++++++"
	    "++++++++++++++++++++\n" TAIL),
	ROW("H unknown", HEAD "H4:SOME\n" TAIL),
	ROW("G with a value", HEAD "G1:x\n" TAIL),
	ROW("G twice", HEAD "G0:\nG0:\n" TAIL),
	ROW("G before H", HEAD "G0:\nH4:FULL\n" TAIL),
	ROW("G after R", HEAD "R3:a@b\nG0:\nM0:\n"),
	ROW("O no identifier", HEAD "O20:1M2FGVH3NJ00ABCDEFGI\n" TAIL),
	ROW("O too short", HEAD "O3:1M2\n" TAIL),
	ROW("N before R", HEAD "N5:NEVER\n" TAIL),
	ROW("N twice", HEAD "R3:a@b\nN5:DELAY\nN5:DELAY\nM0:\n"),
	ROW("N after P", HEAD "R3:a@b\nP3:c@d\nN5:DELAY\nM0:\n"),
	ROW("N unknown", HEAD "R3:a@b\nN4:SOME\nM0:\n"),
	ROW("N empty", HEAD "R3:a@b\nN0:\nM0:\n"),
	ROW("N contradicts itself", HEAD "R3:a@b\nN11:NEVER,DELAY\nM0:\n"),
	ROW("P with parameters", HEAD "R3:a@b\nP9:a@b> X=Y\nM0:\n"),
	ROW("P empty", HEAD "R3:a@b\nP0:\nM0:\n"),
	ROW("U again after I", HEAD "I1:x\nU1:0\n" TAIL),
	ROW("no U", "T1:1\nS0:\n" TAIL),
	ROW("no T", "U1:0\nS0:\n" TAIL),
	ROW("no S", "U1:0\nT1:1\n" TAIL),
	ROW("no R", HEAD "M0:\n"),
	ROW("U twice", "U1:0\n" HEAD TAIL),
	ROW("S twice", HEAD "S0:\n" TAIL),
	ROW("S after R", HEAD "R3:a@b\nS0:\nM0:\n"),
	ROW("length without digits", "U:0\n"),
	ROW("length not a number", "Ux:0\n"),
	ROW("length negative", "U-1:0\n"),
	ROW("length with leading zero", "U01:0\n"),
	ROW("length of four digits", HEAD "R0003:a@b\n"),
	ROW("length too big", HEAD "R321:"),
	ROW("length of 4 GB and 3", HEAD "R4294967299:a@b\nM0:\n"),
	ROW("value longer than said", HEAD "R2:a@b\nM0:\n"),
	ROW("value shorter than said", HEAD "R4:a@b\nM0:\n"),
	ROW("LF in the value", HEAD "R8:a@b\nR3:x\nM0:\n"),
	ROW("CR in the value", HEAD "R4:a@b\r\nM0:\n"),
	ROW("NUL in the value", HEAD "R4:a\0@b\nM0:\n"),
	ROW("DEL in the value", HEAD "R4:a\177@b\nM0:\n"),
	ROW("recipient empty", HEAD "R0:\nM0:\n"),
	ROW("recipient with parameters", HEAD "R16:a@b> NOTIFY=NEVE\nM0:\n"),
	ROW("recipient with a blank", HEAD "R5:a b@c\nM0:\n"),
	ROW("recipient in brackets", HEAD "R5:<a@b>\nM0:\n"),
	ROW("two recipients", HEAD "R7:a@b,c@d\nM0:\n"),
	ROW("quote not closed", HEAD "R4:\"a@b\nM0:\n"),
	ROW("quote ends in a backslash", HEAD "R3:\"a\\\nM0:\n"),
	ROW("blank after the quotes", HEAD "R8:\"a\" b@cd\nM0:\n"),
	ROW("sender in brackets", "U1:0\nT1:1\nS2:<>\n" TAIL),
	ROW("uid not a number", "U1:x\nT1:1\nS0:\n" TAIL),
	ROW("uid empty", "U0:\nT1:1\nS0:\n" TAIL),
	ROW("uid negative", "U2:-1\nT1:1\nS0:\n" TAIL),
	ROW("uid with leading zero", "U2:00\nT1:1\nS0:\n" TAIL),
	ROW("uid of 33 bits", "U10:4294967296\nT1:1\nS0:\n" TAIL),
	ROW("time of 65 bits", "U1:0\nT20:18446744073709551616\nS0:\n" TAIL),
	ROW("M with a value", HEAD "R3:a@b\nM1:x\n"),
	ROW("CRLF", "U1:0\r\nT1:1\r\n"),
#undef ROW
};

static void
test_envelope_parse_wrong(void **state)
{
	struct envelope e;
	const char *why;
	size_t i, used;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("%s\n", wrong[i].name);
		why = NULL;
		assert_int_equal(parse(&e, wrong[i].text, wrong[i].len, 10,
		    &used, &why), -1);
		assert_non_null(why);
		assert_null(e.rcpt);
	}
}

/*
 * Any change of one octet is either refused or another valid envelope, which
 * is written as it can be read.
 */
static void
test_envelope_parse_mutations(void **state)
{
	char text[sizeof(all)];
	struct envelope e, back;
	struct buf b = BUF_INIT;
	const char *why;
	size_t i, used;
	int c, rc;

	(void)state;
	for (i = 0; i < strlen(all); i++) {
		for (c = 0; c < 256; c++) {
			memcpy(text, all, sizeof(all));
			text[i] = (char)c;
			rc = parse(&e, text, strlen(all), 3, &used, &why);
			assert_in_range(rc + 1, 0, 2);
			if (rc != 1)
				continue;
			buf_reset(&b);
			envelope_format(&e, &b);
			assert_int_equal(parse(&back, b.data, b.len, 3, &used,
			    &why), 1);
			envelope_clear(&back);
			envelope_clear(&e);
		}
	}
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelope_parse_good),
		cmocka_unit_test(test_envelope_parse_dsn),
		cmocka_unit_test(test_envelope_parse_needs_more),
		cmocka_unit_test(test_envelope_parse_leaves_the_rest),
		cmocka_unit_test(test_envelope_round_trip),
		cmocka_unit_test(test_envelope_parse_wrong),
		cmocka_unit_test(test_envelope_parse_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
