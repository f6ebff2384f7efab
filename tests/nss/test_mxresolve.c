/* SPDX-License-Identifier: ISC */
/* getaddrinfo() is replaced: what an administrator wrote goes through it. */
#include "config.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <mxres.h>

#include "mxdb.h"
#include "mxinfo.h"
#include "mxresolve.h"

int	__wrap_getaddrinfo(const char *, const char *,
	    const struct addrinfo *, struct addrinfo **);
void	__wrap_freeaddrinfo(struct addrinfo *);
enum mxres_status __wrap_mxres_addr(struct mxres_ctx *, const char *, int,
	    struct mxres_answer **);

static struct sockaddr_in in4 = { .sin_family = AF_INET };
static struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
static struct sockaddr un = { .sa_family = AF_UNIX };
static struct addrinfo list[3];
static struct addrinfo *answer;
static int gai_result, asked, freed, family, search, dns_asked;
static enum mxres_status dns_says;

int
__wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
	assert_true(strcmp(host, "m.example") == 0 ||
	    strcmp(host, "hub") == 0);
	assert_null(service);
	search = (_res.options & RES_DNSRCH) != 0;
	assert_int_equal(hints->ai_socktype, SOCK_STREAM);
	assert_int_equal(hints->ai_flags & AI_ADDRCONFIG, 0);
	family = hints->ai_family;
	asked++;
	if (gai_result == 0)
		*res = answer;
	return gai_result;
}

void
__wrap_freeaddrinfo(struct addrinfo *ai)
{
	assert_ptr_equal(ai, answer);
	freed++;
}

enum mxres_status
__wrap_mxres_addr(struct mxres_ctx *ctx, const char *host, int wanted,
    struct mxres_answer **a)
{
	assert_non_null(ctx);
	assert_string_equal(host, "m.example");
	assert_int_equal(wanted, AF_UNSPEC);
	dns_asked++;
	*a = NULL;
	return dns_says;
}

static struct mxent *
exchange(const char *host, uint32_t flags, uint16_t port)
{
	struct mxnss_record rec;
	struct ent *e;

	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = host;
	rec.flags = flags;
	rec.port = port;
	assert_non_null(e = mxent_new(&rec, NULL, NULL));
	return &e->mx;
}

static int
setup(void **state)
{
	(void)state;
	memset(list, 0, sizeof(list));
	in6.sin6_addr = in6addr_loopback;
	in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	list[0].ai_family = AF_INET6;
	list[0].ai_addr = (struct sockaddr *)(void *)&in6;
	list[0].ai_next = &list[1];
	list[1].ai_family = AF_UNIX;
	list[1].ai_addr = &un;
	list[1].ai_next = &list[2];
	list[2].ai_family = AF_INET;
	list[2].ai_addr = (struct sockaddr *)(void *)&in4;
	answer = list;
	gai_result = asked = freed = dns_asked = 0;
	dns_says = MXRES_NXDOMAIN;
	return 0;
}

static void
test_mxresolve_of_what_an_administrator_wrote(void **state)
{
	struct mxinfo info;
	struct mxhints h = MXHINTS_INIT;
	struct mxent *mx;
	const struct mxaddr *ma;

	(void)state;
	memset(&info, 0, sizeof(info));
	mx = exchange("m.example", MXE_LOCALCONF, 2525);
	assert_int_equal(mxresolve(&info, mx, NULL), MX_OK);
	assert_int_equal(mxresolve(&info, mx, NULL), MX_OK); /* again */
	ma = mx->mx_addrs;
	assert_int_equal(ma->ma_family, AF_INET6);
	assert_int_equal(ma->ma_addrlen, sizeof(struct sockaddr_in6));
	assert_int_equal(ntohs(((struct sockaddr_in6 *)
	    (void *)ma->ma_addr)->sin6_port), 2525);
	assert_int_equal(ma->ma_ttl, UINT32_MAX);
	ma = ma->ma_next;	/* loopback is fine: it was written down */
	assert_int_equal(ma->ma_family, AF_INET);
	assert_int_equal(ntohl(((struct sockaddr_in *)
	    (void *)ma->ma_addr)->sin_addr.s_addr), INADDR_LOOPBACK);
	assert_null(ma->ma_next);
	assert_int_equal(asked, 2);
	assert_int_equal(freed, 2);
	assert_int_equal(family, AF_UNSPEC);
	h.mh_family = AF_INET;
	assert_int_equal(mxresolve(&info, mx, &h), MX_OK);
	assert_int_equal(family, AF_INET);
	mxent_free((struct ent *)mx);
}

/* A name with a dot is that name, whatever resolv.conf says. */
static void
test_mxresolve_without_the_search_list(void **state)
{
	struct mxinfo info;
	struct mxent *mx;

	(void)state;
#ifndef RES_TRUSTAD	/* glibc */
	print_message("# the resolver has no state to set\n");
	skip();
#endif
	memset(&info, 0, sizeof(info));
	assert_int_equal(res_init(), 0);
	mx = exchange("m.example", MXE_LOCALCONF, 0);
	assert_int_equal(mxresolve(&info, mx, NULL), MX_OK);
	assert_false(search);
	assert_true(_res.options & RES_DNSRCH);
	_res.options &= ~(unsigned long)RES_DNSRCH;
	assert_int_equal(mxresolve(&info, mx, NULL), MX_OK);
	assert_false(_res.options & RES_DNSRCH);
	_res.options |= RES_DNSRCH;
	mxent_free((struct ent *)mx);
	mx = exchange("hub", MXE_LOCALCONF, 0);
	assert_int_equal(mxresolve(&info, mx, NULL), MX_OK);
	assert_true(search);
	mxent_free((struct ent *)mx);
}

static const struct {
	int	gai;
	int	error;
} errors[] = {
	{ EAI_NONAME, MX_ENOADDR },
	{ EAI_NODATA, MX_ENOADDR },
	{ EAI_AGAIN, MX_EADDRAGAIN },
	{ EAI_FAIL, MX_EADDRAGAIN },
	{ EAI_FAMILY, MX_EADDRAGAIN },
	{ EAI_SERVICE, MX_EADDRAGAIN },
	{ EAI_SYSTEM, MX_ESYSTEM },
	{ EAI_MEMORY, MX_ENOMEM }
};

static void
test_mxresolve_errors_of_getaddrinfo(void **state)
{
	struct mxinfo info;
	struct mxent *mx;
	size_t i;

	(void)state;
	memset(&info, 0, sizeof(info));
	mx = exchange("m.example", MXE_LOCALCONF, 0);
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		gai_result = errors[i].gai;
		assert_int_equal(mxresolve(&info, mx, NULL),
		    errors[i].error);
		assert_int_equal(mx->mx_addrerr, errors[i].error);
		assert_null(mx->mx_addrs);
	}
	assert_int_equal(freed, 0);
	mxent_free((struct ent *)mx);
}

static void
test_mxresolve_no_address_of_a_known_family(void **state)
{
	struct mxinfo info;
	struct mxent *mx;

	(void)state;
	memset(&info, 0, sizeof(info));
	answer = &list[1];
	list[1].ai_next = NULL;
	mx = exchange("m.example", MXE_LOCALCONF, 0);
	assert_int_equal(mxresolve(&info, mx, NULL), MX_ENOADDR);
	mxent_free((struct ent *)mx);
}

static const struct {
	const char		*host;
	enum mxres_status	 dns;
	int			 error;
	int			 asked;
} proofs[] = {
	{ "m.example", MXRES_NXDOMAIN, MX_ENOADDR, 1 },
	{ "m.example", MXRES_NODATA, MX_ENOADDR, 1 },
	{ "m.example", MXRES_SERVFAIL, MX_ESERVFAIL, 1 },
	{ "m.example", MXRES_TIMEOUT, MX_ETIMEOUT, 1 },
	{ "m.example", MXRES_NOSERVER, MX_ENOSERVER, 1 },
	{ "m.example", MXRES_BADRESP, MX_EBADRESP, 1 },
	{ "m.example", MXRES_NOMEM, MX_ENOMEM, 1 },
	{ "m.example", MXRES_OK, MX_EADDRAGAIN, 1 },
	{ "hub", MXRES_NXDOMAIN, MX_EADDRAGAIN, 0 }
};

/* What getaddrinfo() does not find may be there all the same. */
static void
test_mxresolve_unknown_to_getaddrinfo(void **state)
{
	struct mxinfo info;
	struct mxent *mx;
	size_t i;

	(void)state;
	memset(&info, 0, sizeof(info));
	gai_result = EAI_NONAME;
	for (i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		dns_says = proofs[i].dns;
		dns_asked = 0;
		mx = exchange(proofs[i].host, MXE_LOCALCONF, 0);
		assert_int_equal(mxresolve(&info, mx, NULL),
		    proofs[i].error);
		assert_int_equal(dns_asked, proofs[i].asked);
		assert_null(mx->mx_addrs);
		mxent_free((struct ent *)mx);
	}
}

static const struct {
	const char	*host;
	int		 family;
	int		 error;
} literals[] = {
	{ "192.0.2.1", AF_UNSPEC, 0 },
	{ "192.0.2.1", AF_INET, 0 },
	{ "192.0.2.1", AF_INET6, MX_ENOADDR },
	{ "2001:db8::1", AF_UNSPEC, 0 },
	{ "2001:db8::1", AF_INET6, 0 },
	{ "2001:db8::1", AF_INET, MX_ENOADDR }
};

static void
test_mxresolve_literals_need_no_lookup(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo info;
	struct mxent *mx;
	size_t i;

	(void)state;
	memset(&info, 0, sizeof(info));
	for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		mx = exchange(literals[i].host, MXE_LOCALCONF, 0);
		h.mh_family = literals[i].family;
		assert_int_equal(mxresolve(&info, mx, &h),
		    literals[i].error);
		assert_int_equal(mx->mx_addrs == NULL,
		    literals[i].error != 0);
		mxent_free((struct ent *)mx);
	}
	assert_int_equal(asked, 0);
}

static void
test_mxresolve_past_the_deadline(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo info;
	struct mxent *mx;

	(void)state;
	memset(&info, 0, sizeof(info));
	mx = exchange("m.example", 0, 0);
	assert_int_equal(mxresolve_until(&info, mx, &h, 0), MX_ETIMEOUT);
	assert_int_equal(asked, 0);
	mxent_free((struct ent *)mx);
}

static void
test_mxresolve_misuse(void **state)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo info;
	struct mxent *mx;

	(void)state;
	memset(&info, 0, sizeof(info));
	mx = exchange("m.example", MXE_LOCALCONF, 0);
	assert_int_equal(mxresolve(NULL, mx, NULL), MX_EINVAL);
	assert_int_equal(mxresolve(&info, NULL, NULL), MX_EINVAL);
	h.mh_size = 0;
	assert_int_equal(mxresolve(&info, mx, &h), MX_EINVAL);
	mxent_free((struct ent *)mx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    test_mxresolve_of_what_an_administrator_wrote, setup),
		cmocka_unit_test_setup(test_mxresolve_without_the_search_list,
		    setup),
		cmocka_unit_test_setup(test_mxresolve_unknown_to_getaddrinfo,
		    setup),
		cmocka_unit_test_setup(test_mxresolve_errors_of_getaddrinfo,
		    setup),
		cmocka_unit_test_setup(
		    test_mxresolve_no_address_of_a_known_family, setup),
		cmocka_unit_test_setup(test_mxresolve_literals_need_no_lookup,
		    setup),
		cmocka_unit_test_setup(test_mxresolve_past_the_deadline,
		    setup),
		cmocka_unit_test_setup(test_mxresolve_misuse, setup)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
