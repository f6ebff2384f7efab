/* SPDX-License-Identifier: ISC */
/*
 * Certificates made on the spot, so that no test has one that expires.  One
 * with neither a subject alternative name nor an issuer is a CA's.
 */
#include "config.h"

#include "certs.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
#include <cmocka.h>

#define DAY	86400L

static void
add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_true(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

X509 *
cert_make(const struct cert_request *q)
{
	static long serial;
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();

	assert_non_null(x);
	assert_non_null(name);
	assert_true(X509_set_version(x, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial));
	X509_gmtime_adj(X509_getm_notBefore(x), q->from * DAY);
	X509_gmtime_adj(X509_getm_notAfter(x), q->to * DAY);
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)q->cn, -1, -1, 0));
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, q->issuer != NULL ?
	    X509_get_subject_name(q->issuer) : name);
	X509_NAME_free(name);
	X509_set_pubkey(x, q->key);
	if (q->san != NULL)
		add_extension(x, NID_subject_alt_name, q->san);
	else if (q->issuer == NULL)
		add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	if (q->comment != NULL)
		add_extension(x, NID_netscape_comment, q->comment);
	assert_true(X509_sign(x, q->issuer != NULL ? q->issuer_key : q->key,
	    EVP_sha256()));
	return x;
}
