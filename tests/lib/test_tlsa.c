/* SPDX-License-Identifier: ISC */
/*
 * tlsa.c, txt.c and ptr.c: whole lookups over a real socket.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mxres.h"
#include "server.h"

#define D32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define N63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char script[] =
    "_25._tcp.mx.test TLSA ad=1 RAW TLSA 030101" D32 " RAW TLSA 030101\n"
    "_465._tcp.mx.test TLSA servfail\n"
    "_26._tcp.mx.test TLSA RAW TLSA 0301\n"
    "_25._tcp.alias.test CNAME CNAME _25._tcp.mx.test\n"
    "bare.test A A 192.0.2.1\n"
    "_mta-sts.d.test TXT RAW TXT 08763d53545376313b0569643d313b\n"
    "1.2.0.192.in-addr.arpa CNAME CNAME 1.0-63.2.0.192.in-addr.arpa\n"
    "1.0-63.2.0.192.in-addr.arpa PTR RAW PTR 026d78047465737400\n"
    "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    ".ip6.arpa PTR RAW PTR 03736978047465737400\n"
    "2.2.0.192.in-addr.arpa PTR servfail\n";

static struct server srv;

static void
test_tlsa_records(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;

	(void)state;
	assert_int_equal(mxres_tlsa(ctx, "MX.test.", 25, &a), MXRES_OK);
	assert_string_equal(a->qname, "_25._tcp.mx.test");
	assert_int_equal(a->flags, SECURE_BY_DEFAULT);
	assert_int_equal(a->ntlsa, 2);
	assert_true(a->tlsa[0].usable);
	assert_int_equal(a->tlsa[0].len, 32);
	assert_int_equal(a->tlsa[0].data[31], 31);
	assert_false(a->tlsa[1].usable);
	assert_null(a->tlsa[1].data);
	assert_int_equal(a->nnote, 1);
	mxres_answer_free(a);
	assert_int_equal(mxres_tlsa(ctx, "alias.test", 25, &a), MXRES_OK);
	assert_int_equal(a->ntlsa, 2);
	assert_string_equal(a->cname, "_25._tcp.mx.test");
	mxres_answer_free(a);
	mxres_free(ctx);
}

/* Only a proof is a proof that there are none. */
static void
test_tlsa_failures(void **state)
{
	static const struct {
		const char		*host;
		uint16_t		 port;
		enum mxres_status	 status;
	} rows[] = {
		{ "mx.test", 465, MXRES_SERVFAIL },
		{ "mx.test", 26, MXRES_BADRESP },
		{ "bare.test", 25, MXRES_NXDOMAIN },
		{ "mx test", 25, MXRES_BADNAME },
		{ "", 25, MXRES_BADNAME },
		{ N63 "." N63 "." N63 "." N63, 25, MXRES_BADNAME },
		{ N63 "." N63 "." N63 "." N63 "." N63 "." N63 "." N63 "." N63
		    "." N63 "." N63, 25, MXRES_BADNAME }
	};
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (mxres_tlsa(ctx, rows[i].host, rows[i].port, &a) !=
		    rows[i].status)
			fail_msg("%s: %s", rows[i].host,
			    mxres_strerror(a->status));
		assert_int_equal(a->status, rows[i].status);
		assert_int_equal(a->ntlsa, 0);
		mxres_answer_free(a);
	}
	assert_int_equal(mxres_tlsa(ctx, NULL, 25, &a), MXRES_INVAL);
	assert_null(a);
	assert_int_equal(mxres_tlsa(ctx, "mx.test", 0, &a), MXRES_INVAL);
	assert_int_equal(mxres_tlsa(NULL, "mx.test", 25, &a), MXRES_INVAL);
	assert_int_equal(mxres_tlsa(ctx, "mx.test", 25, NULL), MXRES_INVAL);
	mxres_free(ctx);
}

static void
test_txt_records(void **state)
{
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;

	(void)state;
	assert_int_equal(mxres_txt(ctx, "_mta-sts.D.test", &a), MXRES_OK);
	assert_int_equal(a->ntxt, 1);
	assert_string_equal((char *)a->txt[0].data, "v=STSv1;id=1;");
	assert_int_equal(a->txt[0].len, 13);
	assert_int_equal(a->flags, 0);
	mxres_answer_free(a);
	assert_int_equal(mxres_txt(ctx, "_mta-sts.e.test", &a),
	    MXRES_NXDOMAIN);
	mxres_answer_free(a);
	assert_int_equal(mxres_txt(ctx, "bare.test", &a), MXRES_NODATA);
	mxres_answer_free(a);
	assert_int_equal(mxres_txt(ctx, NULL, &a), MXRES_INVAL);
	assert_null(a);
	mxres_free(ctx);
}

static void
test_ptr_records(void **state)
{
	static const unsigned char v4[] = { 192, 0, 2, 1 };
	static const unsigned char bad[] = { 192, 0, 2, 2 };
	static const unsigned char none[] = { 192, 0, 2, 3 };
	static const unsigned char v6[16] = { 0x20, 1, 0x0d, 0xb8,
	    [15] = 0x1f };
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);
	struct mxres_answer *a;

	(void)state;
	assert_int_equal(mxres_ptr(ctx, AF_INET, v4, &a), MXRES_OK);
	assert_string_equal(a->qname, "1.2.0.192.in-addr.arpa");
	assert_int_equal(a->nptr, 1);
	assert_string_equal(a->ptr[0].host, "mx.test");
	mxres_answer_free(a);
	assert_int_equal(mxres_ptr(ctx, AF_INET6, v6, &a), MXRES_OK);
	assert_string_equal(a->ptr[0].host, "six.test");
	mxres_answer_free(a);
	assert_int_equal(mxres_ptr(ctx, AF_INET, bad, &a), MXRES_SERVFAIL);
	mxres_answer_free(a);
	assert_int_equal(mxres_ptr(ctx, AF_INET, none, &a), MXRES_NXDOMAIN);
	mxres_answer_free(a);
	assert_int_equal(mxres_ptr(ctx, AF_UNIX, v4, &a), MXRES_INVAL);
	assert_null(a);
	assert_int_equal(mxres_ptr(ctx, AF_INET, NULL, &a), MXRES_INVAL);
	mxres_free(ctx);
}

static void
test_trusts_ad(void **state)
{
	static const struct sockaddr_in far = { .sin_family = AF_INET,
	    .sin_addr.s_addr = 0x010200c0 };
	const struct sockaddr *const there[] = {
	    (const struct sockaddr *)&far };
	struct mxres_ctx *ctx = server_ctx(&srv, AF_INET, 9000);

	(void)state;
	/* it is at 127.0.0.1 */
	assert_int_equal(mxres_trusts_ad(ctx), SECURE_BY_DEFAULT != 0);
	mxres_set_dnssec(ctx, MXRES_DNSSEC_OFF);
	assert_int_equal(mxres_trusts_ad(ctx), 0);
	mxres_set_dnssec(ctx, MXRES_DNSSEC_AUTO);
	assert_int_equal(mxres_set_servers(ctx, there, 1), 0);
	assert_int_equal(mxres_trusts_ad(ctx), 0);
	mxres_set_dnssec(ctx, MXRES_DNSSEC_TRUST);
	assert_int_equal(mxres_trusts_ad(ctx), 1);
	mxres_free(ctx);
}

static int
start(void **state)
{
	(void)state;
	server_start(&srv, script);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	server_stop(&srv);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tlsa_records),
		cmocka_unit_test(test_tlsa_failures),
		cmocka_unit_test(test_txt_records),
		cmocka_unit_test(test_ptr_records),
		cmocka_unit_test(test_trusts_ad),
	};

	return cmocka_run_group_tests_name("tlsa", tests, start, stop);
}
