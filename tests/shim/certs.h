/* SPDX-License-Identifier: ISC */
/* Certificates for tests of TLS. */
#ifndef TESTS_SHIM_CERTS_H
#define TESTS_SHIM_CERTS_H

#include <openssl/x509.h>

/*
 * A certificate for KEY and the subject alternative name SAN, or NULL, valid
 * from day FROM to day TO; signed by ISSUER, or by itself if that is NULL.
 */
struct cert_request {
	const char	*cn;
	const char	*san;
	long		 from, to;
	EVP_PKEY	*key;
	X509		*issuer;
	EVP_PKEY	*issuer_key;
	const char	*comment;	/* or NULL */
};

X509	*cert_make(const struct cert_request *);

#endif /* TESTS_SHIM_CERTS_H */
