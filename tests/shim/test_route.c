/* SPDX-License-Identifier: ISC */
/*
 * route.c: what getmxinfo() says, as hops or as a result.  The library and
 * the check for own addresses are replaced.
 */
#include "config.h"

#include "run/route.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>

#include <mxdb.h>

#include "run/self.h"

#define MAXHOSTS 9

struct host {			/* what the fake library knows */
	const char	*name;
	uint16_t	 pref;
	const char	*addr;	/* IPv4, or NULL */
	int		 error;	/* of mxresolve() */
	uint32_t	 flags;
};

struct answer {
	int		 error;
	const char	*text;
	const char	*dsn;
	const char	*origin;
	uint32_t	 ttl;
	uint32_t	 flags;
	struct host	 host[MAXHOSTS];
};

/* Which answer a lookup gets: by recipient, or the first without one. */
static struct {
	const char	*rcpt;
	struct answer	 answer;
} answers[4];

static unsigned asked, resolved, freed;
static uint64_t generation = 1;
static const char *own = "";
static struct mxhints seen;

int	__wrap_getmxinfo(const char *, const struct mxhints *,
	    struct mxinfo **);
int	__wrap_mxresolve(struct mxinfo *, struct mxent *,
	    const struct mxhints *);
void	__wrap_freemxinfo(struct mxinfo *);
bool	__wrap_self_is_address(const struct sockaddr *);

static const struct answer *
answer_for(const char *rcpt)
{
	size_t i;

	for (i = 0; answers[i].rcpt != NULL; i++)
		if (rcpt != NULL && strcmp(answers[i].rcpt, rcpt) == 0)
			break;
	return &answers[i].answer;
}

static char *
copy(const char *s)
{
	return s != NULL ? strdup(s) : NULL;
}

static struct mxent *
make_ent(const struct host *h, const char *origin)
{
	struct mxent *ent = calloc(1, sizeof(*ent));

	ent->mx_host = copy(h->name);
	ent->mx_pref = h->pref;
	ent->mx_flags = h->flags;
	ent->mx_source = copy(origin != NULL ? "files" : "dns");
	ent->mx_origin = copy(origin);
	ent->mx_tls = h->flags & MXE_LOCALCONF ? MX_TLS_VERIFY : 0;
	if (h->flags & MXE_LOCALCONF)
		ent->mx_port = 2525;
	return ent;
}

int
__wrap_getmxinfo(const char *domain, const struct mxhints *hints,
    struct mxinfo **res)
{
	const struct answer *a = answer_for(hints->mh_rcpt);
	struct mxinfo *info;
	struct mxent **end;
	size_t i;

	asked++;
	seen = *hints;
	*res = NULL;
	assert_string_equal(domain, "d.example");
	if (a->error == MX_ENOMEM)
		return a->error;
	info = calloc(1, sizeof(*info));
	info->mi_error = a->error;
	info->mi_text = copy(a->text);
	info->mi_dsn = copy(a->dsn);
	info->mi_ttl = a->ttl;
	info->mi_flags = a->flags;
	for (i = 0, end = &info->mi_mx; a->host[i].name != NULL; i++) {
		*end = make_ent(&a->host[i], a->origin);
		end = &(*end)->mx_next;
	}
	*res = info;
	return a->error;
}

static const struct host *
host_of(const char *name)
{
	size_t i, j;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		for (j = 0; answers[i].answer.host[j].name != NULL; j++)
			if (strcmp(answers[i].answer.host[j].name, name) == 0)
				return &answers[i].answer.host[j];
	return NULL;
}

int
__wrap_mxresolve(struct mxinfo *info, struct mxent *ent,
    const struct mxhints *hints)
{
	const struct host *h = host_of(ent->mx_host);
	struct mxaddr *ma;
	struct sockaddr_in *sin;

	resolved++;
	assert_non_null(info);
	assert_non_null(hints);
	assert_null(ent->mx_addrs);
	ent->mx_addrerr = h->error;
	if (h->error != 0)
		return h->error;
	ma = calloc(1, sizeof(*ma));
	sin = calloc(1, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons(ent->mx_port != 0 ? ent->mx_port : 25);
	inet_pton(AF_INET, h->addr, &sin->sin_addr);
	ma->ma_addr = (struct sockaddr *)sin;
	ma->ma_addrlen = sizeof(*sin);
	ma->ma_family = AF_INET;
	ma->ma_ttl = 20;
	ent->mx_addrs = ma;
	return 0;
}

void
__wrap_freemxinfo(struct mxinfo *info)
{
	struct mxent *ent;

	if (info == NULL)
		return;
	freed++;
	while ((ent = info->mi_mx) != NULL) {
		info->mi_mx = ent->mx_next;
		if (ent->mx_addrs != NULL)
			free(ent->mx_addrs->ma_addr);
		free(ent->mx_addrs);
		free(ent->mx_host);
		free(ent->mx_source);
		free(ent->mx_origin);
		free(ent);
	}
	free(info->mi_text);
	free(info->mi_dsn);
	free(info);
}

bool
__wrap_self_is_address(const struct sockaddr *sa)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text));
	return strcmp(text, own) == 0;
}

static char hostname[] = "me.example";
static char local[] = "local.example";
static char *locals[] = { local, NULL };
static struct conf conf = { .hostname = hostname, .local_domains = locals,
    .family = AF_INET, .dnssec = 2 };

static struct router *
start(const struct answer *a)
{
	struct router *rt;

	memset(answers, 0, sizeof(answers));
	if (a != NULL)
		answers[0].answer = *a;
	asked = resolved = freed = 0;
	own = "";
	rt = router_new(&conf, "d.example");
	router_expire(rt, 1000, generation);
	return rt;
}

static const struct answer two = { .ttl = 100, .host = {
	{ .name = "a.example", .pref = 10, .addr = "192.0.2.1" },
	{ .name = "b.example", .pref = 20, .addr = "192.0.2.2" } } };

static void
test_route_find_hops(void **state)
{
	struct answer a = two;
	struct router *rt;
	struct route *route;

	(void)state;
	a.host[1].flags = MXE_LOCALCONF;
	a.flags = MXI_PARTIAL;
	rt = start(&a);
	route = route_find(rt, "u@d.example");
	assert_int_equal(route->nhop, 2);
	assert_string_equal(route->hop[0].host, "a.example");
	assert_int_equal(route->hop[0].port, 25);
	assert_int_equal(route->hop[0].tls, HOP_TLS_DEFAULT);
	assert_string_equal(route->hop[0].origin, "dns");
	assert_false(route->hop[0].localconf);
	assert_int_equal(route->hop[1].port, 2525);
	assert_int_equal(route->hop[1].tls, HOP_TLS_VERIFY);
	assert_true(route->hop[1].localconf);
	assert_true(route->partial);
	assert_false(route->cut);
	/* no address was looked up yet */
	assert_int_equal(resolved, 0);
	/* what the library was told */
	assert_int_equal(seen.mh_family, AF_INET);
	assert_int_equal(seen.mh_dnssec, 2);
	assert_string_equal(seen.mh_self[0], "me.example");
	assert_string_equal(seen.mh_self[1], "local.example");
	assert_null(seen.mh_self[2]);
	router_free(rt);
	assert_int_equal(freed, 1);
}

static const struct {
	int		 error;
	const char	*dsn;
	enum result_code code;
	const char	*esc;
} failures[] = {
	{ MX_ETIMEOUT, NULL, R_OFFLINE, "4.4.3" },
	{ MX_ENOSERVER, NULL, R_OFFLINE, "4.4.3" },
	{ MX_EAGAIN, NULL, R_DNSTEMP, "4.4.3" },
	{ MX_ESERVFAIL, "4.4.3", R_DNSTEMP, "4.4.3" },
	{ MX_EREFUSED, NULL, R_DNSTEMP, "4.4.3" },
	{ MX_EBADRESP, NULL, R_DNSTEMP, "4.4.3" },
	{ MX_EADDRAGAIN, NULL, R_DNSTEMP, "4.4.3" },
	{ MX_EDEFER, NULL, R_HELD, "4.3.2" },
	{ MX_ESOURCE, NULL, R_CONFIG, "4.3.5" },
	{ MX_ECONFIG, NULL, R_CONFIG, "4.3.5" },
	{ MX_ENOMEM, NULL, R_SHORT, "4.3.0" },
	{ MX_ESYSTEM, NULL, R_LOCALERR, "4.3.0" },
	{ MX_EINVAL, NULL, R_LOCALERR, "4.3.0" },
	{ MX_ENXDOMAIN, "5.1.2", R_NOHOST, "5.1.2" },
	{ MX_ENULLMX, NULL, R_NULLMX, "5.1.10" },
	{ MX_ENOADDR, NULL, R_NOROUTE, "5.4.4" },
	{ MX_ELOOP, NULL, R_LOOP, "5.4.6" },
	{ MX_EREJECT, "5.7.13", R_BLOCKED, "5.7.13" },
	{ MX_EREJECT, NULL, R_BLOCKED, "5.7.1" },
	{ MX_EBADNAME, NULL, R_BADADDR, "5.1.3" },
	{ MX_EUNUSABLE, NULL, R_NOROUTE, "5.4.4" },
	/* the code must not contradict what is done */
	{ MX_EREJECT, "4.7.1", R_BLOCKED, "5.7.1" },
	{ MX_EDEFER, "5.7.1", R_HELD, "4.3.2" },
	{ MX_EREJECT, "5.700000.10000", R_BLOCKED, "5.7.1" },
	/* numbers that are not invented yet: a doubt */
	{ 99, NULL, R_LOCALERR, "4.3.0" },
	{ 199, NULL, R_LOCALERR, "4.3.0" },
};

static void
test_route_find_failures(void **state)
{
	struct answer a;
	struct router *rt;
	struct route *route;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		memset(&a, 0, sizeof(a));
		a.error = failures[i].error;
		a.dsn = failures[i].dsn;
		a.text = "so it\nis";
		rt = start(&a);
		route = route_find(rt, "u@d.example");
		if (route->nhop != 0 || route->why.code != failures[i].code ||
		    strcmp(result_esc(&route->why), failures[i].esc) != 0)
			fail_msg("%d: %d %s", failures[i].error,
			    route->why.code, result_esc(&route->why));
		if (failures[i].error != MX_ENOMEM)
			assert_string_equal(route->why.text, "so it?is");
		else
			assert_true(route->why.text[0] != '\0');
		router_free(rt);
	}
}

/* "Found", but nothing: not a permanent failure. */
static void
test_route_find_empty_success(void **state)
{
	struct answer a = { .ttl = 1 };
	struct router *rt = start(&a);
	struct route *route = route_find(rt, "u@d.example");

	(void)state;
	assert_int_equal(route->nhop, 0);
	assert_true(result_is_temporary(&route->why));
	router_free(rt);
}

static void
test_route_find_asks_once(void **state)
{
	struct router *rt = start(&two);
	struct route *route = route_find(rt, "u@d.example");

	(void)state;
	assert_ptr_equal(route_find(rt, "v@d.example"), route);
	router_expire(rt, 1099, generation);
	assert_ptr_equal(route_find(rt, "w@d.example"), route);
	assert_int_equal(asked, 1);
	router_expire(rt, 1100, generation);
	assert_int_equal(freed, 1);
	route_find(rt, "u@d.example");
	assert_int_equal(asked, 2);
	router_free(rt);
}

static const struct {
	const char	*name;
	int		 error;
	uint32_t	 ttl;
	int64_t		 lives;	/* seconds */
} lives[] = {
	{ "ttl 0: one message", 0, 0, 0 },
	{ "ttl", 0, 30, 30 },
	{ "long ttl", 0, 86400, 300 },
	{ "no ttl", 0, UINT32_MAX, 60 },
	{ "permanent", MX_ENXDOMAIN, 90, 90 },
	{ "temporary", MX_ESERVFAIL, 90, 10 },
	{ "temporary without ttl", MX_ESERVFAIL, UINT32_MAX, 10 },
};

static void
test_router_expire_after_a_change(void **state)
{
	struct router *rt = start(&two);

	(void)state;
	route_find(rt, "u@d.example");
	router_expire(rt, 1000, generation);
	route_find(rt, "u@d.example");
	assert_int_equal(asked, 1);
	generation++;
	router_expire(rt, 1000, generation);
	route_find(rt, "u@d.example");
	assert_int_equal(asked, 2);
	router_free(rt);
}

static void
test_router_expire_lives(void **state)
{
	struct answer a;
	struct router *rt;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		a = two;
		a.error = lives[i].error;
		a.ttl = lives[i].ttl;
		if (a.error != 0)
			a.host[0].name = NULL;
		rt = start(&a);
		route_find(rt, "u@d.example");
		if (lives[i].lives > 0) {
			router_expire(rt, 1000 + lives[i].lives - 1, generation);
			if (freed != 0)
				fail_msg("%s: too early", lives[i].name);
		}
		router_expire(rt, 1000 + lives[i].lives, generation);
		if (freed != 1)
			fail_msg("%s: too late", lives[i].name);
		router_free(rt);
	}
}

static void
test_route_find_by_recipient(void **state)
{
	struct router *rt = start(NULL);
	struct route *amy, *ben, *cat;

	(void)state;
	answers[0].rcpt = "amy@d.example";
	answers[0].answer = two;
	answers[0].answer.flags = MXI_BYRCPT;
	answers[0].answer.origin = "/etc/mxhosts:1";
	answers[1].answer = two;
	answers[1].answer.flags = MXI_BYRCPT;
	amy = route_find(rt, "amy@d.example");
	ben = route_find(rt, "ben@d.example");
	cat = route_find(rt, "cat@d.example");
	assert_int_equal(asked, 3);
	assert_true(amy->byrcpt);
	assert_string_equal(amy->hop[0].origin, "files /etc/mxhosts:1");
	assert_ptr_not_equal(amy, ben);
	/* named nowhere: one route, one transaction */
	assert_ptr_equal(ben, cat);
	assert_ptr_equal(route_find(rt, "cat@d.example"), ben);
	assert_ptr_equal(route_find(rt, "amy@d.example"), amy);
	assert_int_equal(asked, 3);
	router_expire(rt, 1100, generation);
	assert_int_equal(freed, 3);
	router_free(rt);
}

/* The one that is leant on may go first: the others go with it. */
static void
test_router_expire_leaning(void **state)
{
	struct router *rt = start(NULL);
	struct route *ben, *cat;
	struct result r;

	(void)state;
	answers[0].answer = two;
	answers[0].answer.flags = MXI_BYRCPT;
	ben = route_find(rt, "ben@d.example");
	cat = route_find(rt, "cat@d.example");
	assert_ptr_equal(ben, cat);
	/* an address lives for 20 s: so does the route from now on */
	assert_int_equal(route_hop(rt, ben, 0, &r), 0);
	router_expire(rt, 1019, generation);
	assert_int_equal(freed, 0);
	router_expire(rt, 1020, generation);
	assert_int_equal(freed, 2);
	router_free(rt);
}

static void
test_route_hop_addresses(void **state)
{
	struct router *rt = start(&two);
	struct route *route = route_find(rt, "u@d.example");
	struct sockaddr_in sin;
	struct result r;

	(void)state;
	assert_int_equal(route_hop(rt, route, 0, &r), 0);
	assert_int_equal(route->hop[0].naddr, 1);
	assert_int_equal(route->hop[0].addr[0].len, sizeof(sin));
	memcpy(&sin, &route->hop[0].addr[0].ss, sizeof(sin));
	assert_int_equal(ntohs(sin.sin_port), 25);
	assert_int_equal(ntohl(sin.sin_addr.s_addr), 0xc0000201);
	assert_int_equal(route_hop(rt, route, 0, &r), 0);
	/* only of the host that is needed, and once */
	assert_int_equal(resolved, 1);
	router_free(rt);
}

static const struct {
	const char	*name;
	int		 error;
	uint32_t	 flags;
	enum result_code code;
} noaddr[] = {
	{ "timeout", MX_ETIMEOUT, 0, R_OFFLINE },
	{ "no address", MX_ENOADDR, 0, R_NOROUTE },
	{ "no such host", MX_ENXDOMAIN, 0, R_NOROUTE },
	{ "memory", MX_ENOMEM, 0, R_SHORT },
	{ "written by hand", MX_ENOADDR, MXE_LOCALCONF, R_CONFIG },
	{ "written by hand, timeout", MX_EADDRAGAIN, MXE_LOCALCONF,
	    R_DNSTEMP },
};

/* A lookup that fails because there is no descriptor does not say so. */
static void
test_route_find_short_of_descriptors(void **state)
{
	struct answer a = { .error = MX_EAGAIN, .text = "lookup failed" };
	struct rlimit rl, few;
	struct route *route;
	struct router *rt;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	few = rl;
	few.rlim_cur = 3;
	rt = start(&a);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	route = route_find(rt, "u@d.example");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	assert_int_equal(route->why.code, R_SHORT);
	assert_string_equal(route->why.text,
	    "lookup failed: out of file descriptors here");
	router_free(rt);
}

static void
test_route_hop_no_address(void **state)
{
	struct answer a;
	struct router *rt;
	struct route *route;
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(noaddr) / sizeof(noaddr[0]); i++) {
		a = two;
		a.host[0].error = noaddr[i].error;
		a.host[0].flags = noaddr[i].flags;
		rt = start(&a);
		route = route_find(rt, "u@d.example");
		if (route_hop(rt, route, 0, &r) != -1 ||
		    r.code != noaddr[i].code)
			fail_msg("%s: %d", noaddr[i].name, r.code);
		assert_non_null(strstr(r.text, "a.example"));
		/* the next host is not touched by it */
		assert_int_equal(route_hop(rt, route, 1, &r), 0);
		router_free(rt);
	}
}

/* Where a doubt is, the next message asks again. */
static void
test_route_hop_doubt_is_short(void **state)
{
	struct answer a = two;
	struct router *rt;
	struct result r;

	(void)state;
	a.host[0].error = MX_ETIMEOUT;
	rt = start(&a);
	assert_int_equal(route_hop(rt, route_find(rt, "u@d.example"), 0, &r),
	    -1);
	assert_int_equal(freed, 0);
	router_expire(rt, 1000, generation);
	assert_int_equal(freed, 1);
	router_free(rt);
}

#define AT(n) "192.0.2." #n
static const struct {
	const char	*name;
	struct host	 host[MAXHOSTS];
	const char	*own;
	size_t		 hop;	/* at which it is noticed */
	size_t		 left;	/* hops after that */
} cuts[] = {
	{ "we are the best", { { "a", 10, AT(1), 0, 0 },
	    { "b", 20, AT(2), 0, 0 } }, AT(1), 0, 0 },
	{ "we are second", { { "a", 10, AT(1), 0, 0 },
	    { "b", 20, AT(2), 0, 0 }, { "c", 30, AT(3), 0, 0 } }, AT(2), 1,
	    1 },
	{ "one of equals, seen before the first is tried",
	    { { "a", 10, AT(1), 0, 0 }, { "b", 10, AT(2), 0, 0 },
	    { "c", 10, AT(3), 0, 0 } }, AT(3), 0, 0 },
	{ "one of second equals", { { "a", 10, AT(1), 0, 0 },
	    { "b", 20, AT(2), 0, 0 }, { "c", 20, AT(3), 0, 0 } }, AT(3), 1,
	    1 },
	{ "the sixth of equals, seen when its turn comes",
	    { { "a", 10, AT(1), 0, 0 }, { "b", 10, AT(2), 0, 0 },
	    { "c", 10, AT(3), 0, 0 }, { "d", 10, AT(4), 0, 0 },
	    { "e", 10, AT(5), 0, 0 }, { "f", 10, AT(6), 0, 0 } }, AT(6), 5,
	    0 },
	{ "what was written by hand stays", { { "a", 10, AT(1), 0, 0 },
	    { "h", 20, AT(9), 0, MXE_LOCALCONF } }, AT(1), 0, 1 },
	{ "an equal without an address does not hide us",
	    { { "a", 10, NULL, MX_ENOADDR, 0 }, { "b", 10, AT(2), 0, 0 } },
	    AT(2), 0, 0 },
};

static void
test_route_hop_cuts(void **state)
{
	struct answer a = { .ttl = 100 };
	struct router *rt;
	struct route *route;
	struct result r;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		memcpy(a.host, cuts[i].host, sizeof(a.host));
		rt = start(&a);
		own = cuts[i].own;
		route = route_find(rt, "u@d.example");
		for (j = 0; j < cuts[i].hop; j++)
			if (route_hop(rt, route, j, &r) != 0)
				fail_msg("%s: hop %zu", cuts[i].name, j);
		if (route_hop(rt, route, j, &r) != 1 ||
		    route->nhop != cuts[i].left || !route->cut)
			fail_msg("%s: %zu left", cuts[i].name, route->nhop);
		if (route->nhop == 0)
			assert_int_equal(route->why.code, R_LOOP);
		/* known from now on */
		assert_int_equal(route_find(rt, "v@d.example")->nhop,
		    cuts[i].left);
		router_free(rt);
	}
}

/* An administrator may well route to this host itself. */
static void
test_route_hop_own_by_hand(void **state)
{
	struct answer a = two;
	struct router *rt;
	struct result r;

	(void)state;
	a.host[0].flags = MXE_LOCALCONF;
	rt = start(&a);
	own = "192.0.2.1";
	assert_int_equal(route_hop(rt, route_find(rt, "u@d.example"), 0, &r),
	    0);
	router_free(rt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_find_hops),
		cmocka_unit_test(test_route_find_failures),
		cmocka_unit_test(test_route_find_empty_success),
		cmocka_unit_test(test_route_find_asks_once),
		cmocka_unit_test(test_router_expire_after_a_change),
		cmocka_unit_test(test_router_expire_lives),
		cmocka_unit_test(test_route_find_by_recipient),
		cmocka_unit_test(test_router_expire_leaning),
		cmocka_unit_test(test_route_hop_addresses),
		cmocka_unit_test(test_route_find_short_of_descriptors),
		cmocka_unit_test(test_route_hop_no_address),
		cmocka_unit_test(test_route_hop_doubt_is_short),
		cmocka_unit_test(test_route_hop_cuts),
		cmocka_unit_test(test_route_hop_own_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
