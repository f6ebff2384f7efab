/* SPDX-License-Identifier: ISC */
/*
 * TLS over OpenSSL 3.  Without verification any certificate will do; with it
 * the check is part of the handshake, so that "not verified" is "no TLS".
 * A connection that ends without close_notify is a lost connection.
 */
#include "config.h"

#include "smtp/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/xmalloc.h"

#define MAX_CERT_LIST	(100 * 1024)

/*
 * Reads from the socket in one call.  Records that are not for us - key
 * updates, tickets, alerts - may come without end: OpenSSL would take them for
 * ever, and our deadline would not be looked at.
 */
#define MAX_READS	256

#define NAME_FLAGS	(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | \
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

struct tls {
	SSL	*ssl;
	bool	 verify;
	char	 name[256];	/* that the certificate must be for, */
	bool	 address;	/* or its address */
	bool	 done;		/* the handshake is */
	bool	 failed;	/* a fatal error: no more calls, no shutdown */
	bool	 cut;		/* a system call failed; last words may wait */
	unsigned reads;		/* that this call may still make */
	char	 description[128];
};

/* Made when first needed: reading the roots takes milliseconds. */
static SSL_CTX *contexts[2];

/* The reason of the last OpenSSL error, and an empty queue. */
static const char *
why(void)
{
	unsigned long e = ERR_get_error();
	const char *s = NULL;

	if (e != 0)
		s = ERR_reason_error_string(e);
	ERR_clear_error();
	return s != NULL ? s : "unknown error";
}

/* What OpenSSL could not do. */
static void
fail(struct result *r, enum result_code code, const char *what)
{
	if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
		result_set_errno(r, code, ENOMEM, what);
	else
		result_set(r, code, "%s: %s", what, why());
}

static SSL_CTX *
context_new(bool verify)
{
	SSL_CTX *ctx;

	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		return NULL;
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    (verify && !SSL_CTX_set_default_verify_paths(ctx))) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	/* a narrower list of ciphers would end in clear text */
	SSL_CTX_set_security_level(ctx, verify ? 2 : 1);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, MAX_CERT_LIST);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

/* SNI, and whom the certificate must be for. */
static bool
set_name(struct tls *t, const char *given)
{
	struct in6_addr addr;
	size_t len;

	len = strlen(given);
	if (len > 0 && given[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(t->name))
		return !t->verify;
	memcpy(t->name, given, len);
	t->name[len] = '\0';
	t->address = inet_pton(AF_INET, t->name, &addr) == 1 ||
	    inet_pton(AF_INET6, t->name, &addr) == 1;
	/* RFC 6066 section 3: no address in SNI */
	if (!t->address && !SSL_set_tlsext_host_name(t->ssl, t->name))
		return false;
	if (!t->verify)
		return true;
	SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
	SSL_set_hostflags(t->ssl, NAME_FLAGS);
	return t->address ? X509_VERIFY_PARAM_set1_ip_asc(
	    SSL_get0_param(t->ssl), t->name) :
	    SSL_set1_host(t->ssl, t->name);
}

/*
 * Once more, by ourselves: OpenSSL 3.0 forgets to check the name when memory
 * runs out while it copies what to check.
 */
static bool
is_for_name(struct tls *t)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);

	return cert != NULL && (t->address ?
	    X509_check_ip_asc(cert, t->name, NAME_FLAGS) :
	    X509_check_host(cert, t->name, 0, NAME_FLAGS, NULL)) == 1;
}

/* After MAX_READS the socket is "not ready": the caller polls, and comes back. */
static long
on_bio(BIO *b, int oper, const char *data, size_t len, int argi, long argl,
    int ret, size_t *done)
{
	struct tls *t = (struct tls *)(void *)BIO_get_callback_arg(b);

	(void)data;
	(void)len;
	(void)argi;
	(void)argl;
	(void)done;
	if (oper != BIO_CB_READ)
		return ret;
	if (t->reads == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	t->reads--;
	return ret;
}

/* Before a call of OpenSSL. */
static void
begin(struct tls *t)
{
	ERR_clear_error();
	errno = 0;
	t->reads = MAX_READS;
}

struct tls *
tls_new(int fd, const char *name, bool verify, struct result *r)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	ERR_clear_error();
	t->verify = verify;
	if (contexts[verify] == NULL)
		contexts[verify] = context_new(verify);
	if (contexts[verify] == NULL ||
	    (t->ssl = SSL_new(contexts[verify])) == NULL ||
	    !SSL_set_fd(t->ssl, fd) || !set_name(t, name)) {
		fail(r, R_TLS, "cannot set up TLS");
		tls_free(t);
		return NULL;
	}
	BIO_set_callback_ex(SSL_get_rbio(t->ssl), on_bio);
	BIO_set_callback_arg(SSL_get_rbio(t->ssl), (char *)t);
	SSL_set_connect_state(t->ssl);
	return t;
}

/* What a call that returned N means; AFTER the handshake or in it. */
static ssize_t
outcome(struct tls *t, int n, struct result *r)
{
	enum result_code code = t->done ? R_LOST : R_TLS;
	int saved = errno;

	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		if (saved != 0)
			result_set_errno(r, code, saved, "connection lost");
		else
			result_set(r, code, "connection lost: unexpected end "
			    "of file");
		/* the records that came before are still whole */
		t->cut = true;
		ERR_clear_error();
		return -1;
	default:
		if (!t->done && t->verify &&
		    SSL_get_verify_result(t->ssl) != X509_V_OK)
			result_set(r, code, "certificate not accepted: %s",
			    X509_verify_cert_error_string(
			    SSL_get_verify_result(t->ssl)));
		else
			fail(r, code, "TLS failed");
	}
	t->failed = true;
	ERR_clear_error();
	return -1;
}

ssize_t
tls_handshake(struct tls *t, struct result *r)
{
	int n;

	begin(t);
	if ((n = SSL_do_handshake(t->ssl)) != 1)
		return outcome(t, n, r);
	if (t->verify && (SSL_get_verify_result(t->ssl) != X509_V_OK ||
	    !is_for_name(t))) {
		result_set(r, R_TLS, "certificate not accepted");
		t->failed = true;
		return -1;
	}
	t->done = true;
	return 1;
}

ssize_t
tls_read(struct tls *t, void *buf, size_t size, struct result *r)
{
	size_t got;
	int n;

	if (t->failed) {
		result_set(r, R_LOST, "connection lost");
		return -1;
	}
	begin(t);
	if ((n = SSL_read_ex(t->ssl, buf, size, &got)) != 1)
		return outcome(t, n, r);
	return (ssize_t)got;
}

ssize_t
tls_write(struct tls *t, const void *buf, size_t len, struct result *r)
{
	size_t put;
	int n;

	if (t->failed || t->cut) {
		result_set(r, R_LOST, "connection lost");
		return -1;
	}
	begin(t);
	if ((n = SSL_write_ex(t->ssl, buf, len, &put)) != 1)
		return outcome(t, n, r);
	return (ssize_t)put;
}

const char *
tls_describe(struct tls *t)
{
	snprintf(t->description, sizeof(t->description), "%s %s, %s",
	    SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl),
	    t->verify ? "verified" : "not verified");
	return t->description;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	if (t->done && !t->failed && !t->cut)
		SSL_shutdown(t->ssl);	/* close_notify; not waited for */
	SSL_free(t->ssl);
	ERR_clear_error();
	free(t);
}
