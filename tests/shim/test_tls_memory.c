/* SPDX-License-Identifier: ISC */
/*
 * Each allocation that OpenSSL makes for a connection fails in turn: the
 * handshake fails or goes on, and never accepts a certificate that it should
 * not.  CRASH=full: all of them; otherwise one in STEP.
 */
#include "config.h"

#include "smtp/tls.h"

#include <sys/socket.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "certs.h"

#define STEP	31

static EVP_PKEY *key;
static X509 *ca, *cert;
static char roots[] = "/tmp/test_tls_memory.XXXXXX";
static unsigned long total;

/* --- allocation that fails ------------------------------------------------ */

static bool armed, struck;
static unsigned left;		/* until it fails */

static bool
fails(void)
{
	if (!armed || left == 0 || --left != 0)
		return false;
	struck = true;
	return true;
}

static void *
take(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : malloc(n);
}

static void *
retake(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : realloc(p, n);
}

static void
give(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

/* --- a connection --------------------------------------------------------- */

static int
setup(void **state)
{
	struct cert_request q = { .cn = "Test CA", .from = -1, .to = 10 };
	FILE *f;
	int fd;

	(void)state;
	q.key = EVP_EC_gen("P-256");
	ca = cert_make(&q);
	q.issuer = ca;
	q.issuer_key = q.key;
	q.key = key = EVP_EC_gen("P-256");
	q.cn = "mx";
	q.san = "DNS:mx.example";
	cert = cert_make(&q);
	fd = mkstemp(roots);
	assert_true(fd != -1);
	f = fdopen(fd, "w");
	assert_true(PEM_write_X509(f, ca));
	assert_int_equal(fclose(f), 0);
	setenv("SSL_CERT_FILE", roots, 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	EVP_PKEY_free(q.issuer_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(roots);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	return 0;
}

static SSL *
server_new(int fd, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	assert_true(SSL_CTX_use_certificate(ctx, cert));
	assert_true(SSL_CTX_use_PrivateKey(ctx, key));
	SSL_CTX_set_max_proto_version(ctx, version);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	assert_true(SSL_set_fd(ssl, fd));
	SSL_set_accept_state(ssl);
	return ssl;
}

/* Whether a line came to the server. */
static bool
say(struct tls *tls, SSL *ssl, struct result *r)
{
	char line[16];
	int i;

	armed = true;
	if (tls_write(tls, "EHLO x\r\n", 8, r) != 8) {
		armed = false;
		return false;
	}
	armed = false;
	for (i = 0; i < 10; i++)
		if (SSL_read(ssl, line, sizeof(line)) == 8)
			return true;
	return false;
}

/* 1: the handshake is done, and a line was sent; -1: *R says why not. */
static int
converse(const char *name, bool verify, int version, struct result *r)
{
	struct tls *tls;
	ssize_t n = -1;
	int fd[2], i;
	SSL *ssl;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fd), 0);
	ssl = server_new(fd[1], version);
	armed = true;
	tls = tls_new(fd[0], name, verify, r);
	for (i = 0; tls != NULL && i < 100; i++) {
		armed = true;
		n = tls_handshake(tls, r);
		armed = false;
		if (n >= -1)
			break;
		(void)SSL_do_handshake(ssl);
	}
	armed = false;
	if (n == 1)
		(void)tls_describe(tls);
	if (n == 1 && !say(tls, ssl, r))
		n = -1;
	tls_free(tls);
	SSL_free(ssl);
	close(fd[0]);
	close(fd[1]);
	ERR_clear_error();
	return n == 1 ? 1 : -1;
}

/* Fail every allocation; GOOD is what the answer may be. */
static void
sweep(const char *name, bool verify, int version, bool good)
{
	const char *crash = getenv("CRASH");
	bool full = crash != NULL && strcmp(crash, "full") == 0;
	unsigned n, step = full ? 1 : STEP;
	struct result r;
	int done;

	left = 0;
	assert_int_equal(converse(name, verify, version, &r), good ? 1 : -1);
	n = full ? 1 : 1 + (unsigned)time(NULL) % STEP;
	for (;; n += step) {
		struck = false;
		left = n;
		memset(&r, 0, sizeof(r));
		done = converse(name, verify, version, &r);
		if (!struck)
			break;
		total++;
		if (done == 1 && !good)
			fail_msg("%s taken after allocation %u", name, n);
		if (done == -1)
			assert_true(r.text[0] != '\0');
	}
	assert_true(n > 100);
}

static void
test_tls_memory_verified(void **state)
{
	(void)state;
	sweep("mx.example", true, TLS1_3_VERSION, true);
}

static void
test_tls_memory_tls12(void **state)
{
	(void)state;
	sweep("mx.example", false, TLS1_2_VERSION, true);
}

static void
test_tls_memory_wrong_name(void **state)
{
	(void)state;
	sweep("other.example", true, TLS1_3_VERSION, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_memory_verified),
		cmocka_unit_test(test_tls_memory_tls12),
		cmocka_unit_test(test_tls_memory_wrong_name),
	};
	int failed;

	if (CRYPTO_set_mem_functions(take, retake, give) != 1)
		return 1;
	failed = cmocka_run_group_tests(tests, setup, teardown);
	printf("# allocations of OpenSSL that failed %lu, violations %d\n",
	    total, failed);
	return failed;
}
