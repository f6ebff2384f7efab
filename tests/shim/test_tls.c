/* SPDX-License-Identifier: ISC */
/*
 * TLS against an OpenSSL server in this process: over a socket pair, where
 * each side moves when the other cannot, and over net.h with a server in a
 * child.  Certificates are made here; the roots are a file that only this
 * test knows.
 */
#include "config.h"

#include "smtp/tls.h"

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "certs.h"
#include "smtp/dial.h"
#include "smtp/net.h"

enum cert { GOOD, EXPIRED, FUTURE, SELF_SIGNED, WILDCARD, PARTIAL, ADDRESS,
    CN_ONLY, CERT_MAX };

static EVP_PKEY *ca_key, *key;
static X509 *ca, *certs[CERT_MAX], *huge;
static char roots[] = "/tmp/test_tls.XXXXXX";

/* --- certificates --------------------------------------------------------- */

static X509 *
make(const char *cn, const char *san, long from, long to)
{
	struct cert_request q = { .cn = cn, .san = san, .from = from,
	    .to = to, .key = key, .issuer = ca, .issuer_key = ca_key };

	return cert_make(&q);
}

static int
setup(void **state)
{
	struct cert_request self = { .cn = "Test CA", .from = -1, .to = 10 };
	char *comment = malloc(120001);
	FILE *f;
	int fd;

	(void)state;
	self.key = ca_key = EVP_EC_gen("P-256");
	ca = cert_make(&self);
	key = EVP_EC_gen("P-256");
	certs[GOOD] = make("mx", "DNS:mx.example", -1, 10);
	certs[EXPIRED] = make("mx", "DNS:mx.example", -3, -2);
	certs[FUTURE] = make("mx", "DNS:mx.example", 2, 3);
	certs[WILDCARD] = make("mx", "DNS:*.a.example", -1, 10);
	certs[PARTIAL] = make("mx", "DNS:m*.a.example", -1, 10);
	certs[ADDRESS] = make("mx", "IP:192.0.2.1", -1, 10);
	certs[CN_ONLY] = make("mx.example", NULL, -1, 10);
	self.key = key;
	self.cn = "mx";
	self.san = "DNS:mx.example";
	certs[SELF_SIGNED] = cert_make(&self);

	memset(comment, 'x', 120000);
	comment[120000] = '\0';
	self.comment = comment;
	huge = cert_make(&self);
	free(comment);

	fd = mkstemp(roots);
	assert_true(fd != -1);
	f = fdopen(fd, "w");
	assert_true(PEM_write_X509(f, ca));
	assert_int_equal(fclose(f), 0);
	setenv("SSL_CERT_FILE", roots, 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	unlink(roots);
	for (i = 0; i < CERT_MAX; i++)
		X509_free(certs[i]);
	X509_free(ca);
	X509_free(huge);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return 0;
}

static SSL_CTX *
server_ctx(enum cert cert, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_non_null(ctx);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (version != 0)
		SSL_CTX_set_max_proto_version(ctx, version);
	assert_true(SSL_CTX_use_certificate(ctx, certs[cert]));
	assert_true(SSL_CTX_use_PrivateKey(ctx, key));
	return ctx;
}

/* --- a pair, both ends here ----------------------------------------------- */

struct pair {
	int	 fd[2];		/* client, server */
	struct tls *tls;
	SSL_CTX	*ctx;
	SSL	*ssl;
	struct result r;
};

static void
pair_open(struct pair *p, const char *name, bool verify, SSL_CTX *ctx)
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    p->fd), 0);
	p->tls = tls_new(p->fd[0], name, verify, &p->r);
	assert_non_null(p->tls);
	p->ctx = ctx;
	p->ssl = SSL_new(ctx);
	assert_true(SSL_set_fd(p->ssl, p->fd[1]));
	SSL_set_accept_state(p->ssl);
}

static void
pair_close(struct pair *p)
{
	tls_free(p->tls);
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	close(p->fd[0]);
	if (p->fd[1] != -1)
		close(p->fd[1]);
	ERR_clear_error();
}

/* Both sides in turn until the client knows.  What it knows. */
static ssize_t
pair_handshake(struct pair *p)
{
	ssize_t n;
	int i;

	for (i = 0; i < 1000; i++) {
		n = tls_handshake(p->tls, &p->r);
		if (n >= -1)
			break;
		(void)SSL_do_handshake(p->ssl);
		ERR_clear_error();
	}
	/* the server takes the client's last word */
	if (n == 1)
		assert_int_equal(SSL_do_handshake(p->ssl), 1);
	return n;
}

static const struct {
	const char	*name;
	enum cert	 cert;
	const char	*host;
	bool		 verify;
	int		 version;	/* the server's highest, 0 for any */
	const char	*want;		/* description, or NULL */
	const char	*text;
} handshakes[] = {
	{ "verified", GOOD, "mx.example", true, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, verified", NULL },
	{ "name with a dot at its end", GOOD, "mx.example.", true, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, verified", NULL },
	{ "other case", GOOD, "MX.Example", true, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, verified", NULL },
	{ "TLS 1.2", GOOD, "mx.example", true, TLS1_2_VERSION,
	    "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384, verified", NULL },
	{ "wildcard", WILDCARD, "mx.a.example", true, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, verified", NULL },
	{ "address", ADDRESS, "192.0.2.1", true, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, verified", NULL },
	{ "not verified", GOOD, "mx.example", false, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, not verified", NULL },
	{ "not verified: name", GOOD, "other.example", false, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, not verified", NULL },
	{ "not verified: expired", EXPIRED, "mx.example", false, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, not verified", NULL },
	{ "not verified: self-signed", SELF_SIGNED, "mx.example", false, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, not verified", NULL },
	{ "not verified: no name", GOOD, "", false, 0,
	    "TLSv1.3 TLS_AES_256_GCM_SHA384, not verified", NULL },

	{ "wrong name", GOOD, "other.example", true, 0, NULL,
	    "certificate not accepted: hostname mismatch" },
	{ "name of a parent", GOOD, "example", true, 0, NULL,
	    "certificate not accepted: hostname mismatch" },
	{ "partial wildcard", PARTIAL, "mx.a.example", true, 0, NULL,
	    "certificate not accepted: hostname mismatch" },
	{ "wildcard over two labels", WILDCARD, "b.mx.a.example", true, 0,
	    NULL,
	    "certificate not accepted: hostname mismatch" },
	{ "name in the subject only", CN_ONLY, "mx.example", true, 0, NULL,
	    "certificate not accepted: hostname mismatch" },
	{ "wrong address", ADDRESS, "192.0.2.2", true, 0, NULL,
	    "certificate not accepted: IP address mismatch" },
	{ "expired", EXPIRED, "mx.example", true, 0, NULL,
	    "certificate not accepted: certificate has expired" },
	{ "not yet valid", FUTURE, "mx.example", true, 0, NULL,
	    "certificate not accepted: certificate is not yet valid" },
	{ "self-signed", SELF_SIGNED, "mx.example", true, 0, NULL,
	    "certificate not accepted: self-signed certificate" },
	{ "TLS 1.1 only", GOOD, "mx.example", false, TLS1_1_VERSION, NULL,
	    "TLS failed: " },
	{ "TLS 1.0 only", GOOD, "mx.example", false, TLS1_VERSION, NULL,
	    "TLS failed: " },
};

static void
test_tls_handshake(void **state)
{
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++) {
		print_message("%s\n", handshakes[i].name);
		pair_open(&p, handshakes[i].host, handshakes[i].verify,
		    server_ctx(handshakes[i].cert, handshakes[i].version));
		if (handshakes[i].want != NULL) {
			assert_int_equal(pair_handshake(&p), 1);
			assert_string_equal(tls_describe(p.tls),
			    handshakes[i].want);
		} else {
			assert_int_equal(pair_handshake(&p), -1);
			assert_int_equal(p.r.code, R_TLS);
			assert_memory_equal(p.r.text, handshakes[i].text,
			    strlen(handshakes[i].text));
		}
		pair_close(&p);
	}
}

static void
test_tls_new_needs_a_name(void **state)
{
	struct result r;

	(void)state;
	assert_null(tls_new(0, "", true, &r));
	assert_int_equal(r.code, R_TLS);
	assert_null(tls_new(0, ".", true, &r));
}

static void
test_tls_handshake_no_tls(void **state)
{
	static const struct {
		const char	*name;
		const char	*says;
		size_t		 len;
	} table[] = {
		{ "SMTP", "220 hello\r\n", 11 },
		{ "HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", 28 },
		{ "zeros", "\0\0\0\0\0\0\0\0\0\0\0\0", 12 },
		{ "alert", "\025\003\003\000\002\002\050", 7 },
		{ "closed", "", 0 },
	};
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		pair_open(&p, "mx.example", false, server_ctx(GOOD, 0));
		assert_int_equal(tls_handshake(p.tls, &p.r), TLS_WANT_READ);
		assert_int_equal(write(p.fd[1], table[i].says, table[i].len),
		    table[i].len);
		if (table[i].len == 0) {
			close(p.fd[1]);
			p.fd[1] = -1;
		}
		assert_int_equal(tls_handshake(p.tls, &p.r), -1);
		assert_int_equal(p.r.code, R_TLS);
		assert_true(strlen(p.r.text) > 10);
		pair_close(&p);
	}
}

static void
test_tls_handshake_huge_chain(void **state)
{
	SSL_CTX *ctx = server_ctx(GOOD, 0);
	struct pair p;

	(void)state;
	assert_true(SSL_CTX_add1_chain_cert(ctx, huge));
	pair_open(&p, "mx.example", false, ctx);
	assert_int_equal(pair_handshake(&p), -1);
	assert_int_equal(p.r.code, R_TLS);
	pair_close(&p);
}

static int
keep_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	snprintf(arg, 64, "%s", name != NULL ? name : "none");
	return SSL_TLSEXT_ERR_OK;
}

static void
test_tls_sni(void **state)
{
	static const struct {
		const char	*host;
		const char	*sni;
	} table[] = {
		{ "mx.example", "mx.example" },
		{ "mx.example.", "mx.example" },
		{ "192.0.2.1", "none" },
		{ "2001:db8::1", "none" },
		{ "", "none" },
	};
	SSL_CTX *ctx;
	struct pair p;
	char name[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ctx = server_ctx(GOOD, 0);
		SSL_CTX_set_tlsext_servername_callback(ctx, keep_name);
		SSL_CTX_set_tlsext_servername_arg(ctx, name);
		pair_open(&p, table[i].host, false, ctx);
		assert_int_equal(pair_handshake(&p), 1);
		assert_string_equal(name, table[i].sni);
		pair_close(&p);
	}
}

/* --- data ----------------------------------------------------------------- */

static void
test_tls_read_write(void **state)
{
	static char out[300000], in[300000], chunk[10000];
	size_t got = 0, i, n, sent = 0;
	struct pair p;
	ssize_t len;

	(void)state;
	for (i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	pair_open(&p, "mx.example", true, server_ctx(GOOD, 0));
	assert_int_equal(pair_handshake(&p), 1);
	assert_int_equal(tls_read(p.tls, chunk, 1, &p.r), TLS_WANT_READ);
	while (got < sizeof(in)) {
		if (sent < sizeof(out)) {
			/* from a buffer that moves */
			n = sizeof(out) - sent;
			n = n < sizeof(chunk) ? n : sizeof(chunk);
			memcpy(chunk, out + sent, n);
			len = tls_write(p.tls, chunk, n, &p.r);
			if (len > 0)
				sent += (size_t)len;
			else
				assert_int_equal(len, TLS_WANT_WRITE);
		}
		if (SSL_read_ex(p.ssl, in + got, sizeof(in) - got, &n))
			got += n;
	}
	assert_memory_equal(in, out, sizeof(in));

	assert_true(SSL_write_ex(p.ssl, "250 ok\r\n", 8, &n));
	assert_int_equal(tls_read(p.tls, chunk, 4, &p.r), 4);
	assert_int_equal(tls_read(p.tls, chunk + 4, 90, &p.r), 4);
	assert_memory_equal(chunk, "250 ok\r\n", 8);
	pair_close(&p);
}

static void
test_tls_read_ends(void **state)
{
	struct pair p;
	char buf[64];

	(void)state;
	/* with close_notify */
	pair_open(&p, "mx.example", false, server_ctx(GOOD, 0));
	assert_int_equal(pair_handshake(&p), 1);
	SSL_shutdown(p.ssl);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf), &p.r), 0);
	pair_close(&p);

	/* without */
	pair_open(&p, "mx.example", false, server_ctx(GOOD, 0));
	assert_int_equal(pair_handshake(&p), 1);
	close(p.fd[1]);
	p.fd[1] = -1;
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf), &p.r), -1);
	assert_int_equal(p.r.code, R_LOST);
	/* and it stays so */
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf), &p.r), -1);
	assert_int_equal(tls_write(p.tls, "x", 1, &p.r), -1);
	assert_int_equal(p.r.code, R_LOST);
	pair_close(&p);
}

static void
test_tls_read_plaintext(void **state)
{
	struct pair p;
	char buf[64];

	(void)state;
	pair_open(&p, "mx.example", false, server_ctx(GOOD, 0));
	assert_int_equal(pair_handshake(&p), 1);
	assert_int_equal(write(p.fd[1], "250 injected\r\n", 14), 14);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf), &p.r), -1);
	assert_int_equal(p.r.code, R_LOST);
	pair_close(&p);
}

static void
test_tls_no_renegotiation(void **state)
{
	struct pair p;
	char buf[64];
	size_t n;

	(void)state;
	pair_open(&p, "mx.example", false, server_ctx(GOOD,
	    TLS1_2_VERSION));
	assert_int_equal(pair_handshake(&p), 1);
	assert_true(SSL_renegotiate(p.ssl));
	(void)SSL_do_handshake(p.ssl);
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf), &p.r),
	    TLS_WANT_READ);
	/* the server sees the refusal, and no new handshake */
	assert_int_equal(SSL_read_ex(p.ssl, buf, sizeof(buf), &n), 0);
	assert_int_equal(SSL_get_error(p.ssl, 0), SSL_ERROR_SSL);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()),
	    SSL_R_NO_RENEGOTIATION);
	pair_close(&p);
}

/*
 * A server that updates its keys for ever must not keep us in one call: the
 * caller has a deadline.
 */
static void
test_tls_key_update_flood(void **state)
{
	const char *text = "250 ok\r\n";
	struct pair p;
	char buf[64];
	size_t n;
	ssize_t got;
	int i, calls = 0, left;

	(void)state;
	pair_open(&p, "mx.example", false, server_ctx(GOOD, 0));
	assert_int_equal(pair_handshake(&p), 1);
	assert_string_equal(SSL_get_version(p.ssl), "TLSv1.3");
	for (i = 0; i < 200; i++) {
		assert_true(SSL_key_update(p.ssl,
		    SSL_KEY_UPDATE_NOT_REQUESTED));
		assert_int_equal(SSL_do_handshake(p.ssl), 1);
	}
	assert_true(SSL_write_ex(p.ssl, text, strlen(text), &n));
	assert_int_equal(tls_read(p.tls, buf, sizeof(buf), &p.r),
	    TLS_WANT_READ);
	assert_int_equal(ioctl(p.fd[0], FIONREAD, &left), 0);
	assert_true(left > 0);
	/* who goes on gets there */
	while ((got = tls_read(p.tls, buf, sizeof(buf), &p.r)) ==
	    TLS_WANT_READ)
		assert_in_range(++calls, 1, 100);
	assert_int_equal(got, strlen(text));
	pair_close(&p);
}

static void
test_tls_no_resumption(void **state)
{
	SSL_CTX *ctx = server_ctx(GOOD, TLS1_2_VERSION);
	struct pair p;
	int i;

	(void)state;
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"x", 1);
	for (i = 0; i < 3; i++) {
		SSL_CTX_up_ref(ctx);
		pair_open(&p, "mx.example", false, ctx);
		assert_int_equal(pair_handshake(&p), 1);
		assert_false(SSL_session_reused(p.ssl));
		pair_close(&p);
	}
	SSL_CTX_free(ctx);
}

/* --- through net.h -------------------------------------------------------- */

enum act { ECHO, SILENT, GARBAGE, PLAINTEXT, HANGUP };

/* The server in a child. */
static void
serve(int listener, enum act act)
{
	SSL_CTX *ctx = server_ctx(GOOD, 0);
	SSL *ssl = SSL_new(ctx);
	char line[64];
	size_t n = 0;
	int fd = accept(listener, NULL, NULL);

	SSL_set_fd(ssl, fd);
	if (act == GARBAGE)
		(void)!write(fd, line, (size_t)snprintf(line, sizeof(line),
		    "454 no TLS\r\n"));
	if (act == GARBAGE || act == SILENT) {
		while (read(fd, line, sizeof(line)) > 0)
			;
		_exit(0);
	}
	if (SSL_accept(ssl) != 1)
		_exit(1);
	if (act == PLAINTEXT)
		(void)!write(fd, "250 injected\r\n", 14);
	while (act == ECHO && SSL_read_ex(ssl, line, sizeof(line), &n))
		SSL_write_ex(ssl, line, n, &n);
	if (act != HANGUP)
		SSL_shutdown(ssl);
	_exit(0);
}

static struct conn *
connect_to(enum act act, pid_t *pid)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct dial_addr to = { (struct sockaddr *)&sin, sizeof(sin) };
	socklen_t len = sizeof(sin);
	struct result r;
	struct conn *c;
	size_t which;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(listen(fd, 1), 0);
	*pid = fork();
	assert_true(*pid != -1);
	if (*pid == 0)
		serve(fd, act);
	close(fd);
	fd = dial(&to, 1, NULL, 30000, &which, &r);
	assert_true(fd != -1);
	c = net_open(fd);
	net_deadline(c, 30000);
	return c;
}

static void
test_net_tls(void **state)
{
	struct result r;
	struct conn *c;
	struct tls *tls;
	char line[64];
	pid_t pid;

	(void)state;
	c = connect_to(ECHO, &pid);
	tls = tls_new(net_fd(c), "mx.example", true, &r);
	assert_non_null(tls);
	assert_int_equal(net_start_tls(c, tls, &r), 0);
	assert_int_equal(net_write(c, "EHLO me\r\nand more\r\n", 19, &r), 0);
	assert_int_equal(net_flush(c, &r), 0);
	assert_int_equal(net_readline(c, line, sizeof(line), &r), 7);
	assert_string_equal(line, "EHLO me");
	assert_int_equal(net_readline(c, line, sizeof(line), &r), 8);
	/* session tickets have come by now, and are no input */
	assert_false(net_pending(c));
	net_close(c);
	waitpid(pid, NULL, 0);
}

static void
test_net_tls_fails(void **state)
{
	static const struct {
		const char	*name;
		enum act	 act;
		const char	*host;
		const char	*text;
	} table[] = {
		{ "handshake stalls", SILENT, "mx.example",
		    "TLS handshake: timed out" },
		{ "no TLS", GARBAGE, "mx.example", NULL },
		{ "wrong name", ECHO, "other.example",
		    "certificate not accepted: hostname mismatch" },
	};
	struct result r;
	struct conn *c;
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].name);
		c = connect_to(table[i].act, &pid);
		if (table[i].act == SILENT)
			net_deadline(c, 100);
		assert_int_equal(net_start_tls(c, tls_new(net_fd(c),
		    table[i].host, true, &r), &r), -1);
		assert_int_equal(r.code, R_TLS);
		if (table[i].text != NULL)
			assert_string_equal(r.text, table[i].text);
		net_close(c);
		waitpid(pid, NULL, 0);
	}
}

static void
test_net_tls_lost(void **state)
{
	static const enum act acts[] = { PLAINTEXT, HANGUP };
	struct result r;
	struct conn *c;
	char line[64];
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		c = connect_to(acts[i], &pid);
		assert_int_equal(net_start_tls(c, tls_new(net_fd(c),
		    "mx.example", false, &r), &r), 0);
		assert_int_equal(net_readline(c, line, sizeof(line), &r), -1);
		assert_int_equal(r.code, R_LOST);
		net_close(c);
		waitpid(pid, NULL, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_handshake),
		cmocka_unit_test(test_tls_new_needs_a_name),
		cmocka_unit_test(test_tls_handshake_no_tls),
		cmocka_unit_test(test_tls_handshake_huge_chain),
		cmocka_unit_test(test_tls_sni),
		cmocka_unit_test(test_tls_read_write),
		cmocka_unit_test(test_tls_read_ends),
		cmocka_unit_test(test_tls_read_plaintext),
		cmocka_unit_test(test_tls_no_renegotiation),
		cmocka_unit_test(test_tls_key_update_flood),
		cmocka_unit_test(test_tls_no_resumption),
		cmocka_unit_test(test_net_tls),
		cmocka_unit_test(test_net_tls_fails),
		cmocka_unit_test(test_net_tls_lost),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
