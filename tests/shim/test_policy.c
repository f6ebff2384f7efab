/* SPDX-License-Identifier: ISC */
/* policy.c: what a hop needs, and what to do when TLS does not work. */
#include "config.h"

#include "run/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/route.h"

#define HOST "mx.example"

static const struct {
	const char	*name;
	enum conf_tls	 conf;
	enum hop_tls	 hop;
	enum policy_level want;
} levels[] = {
	{ "nothing said", CONF_TLS_MAY, HOP_TLS_DEFAULT, POLICY_MAY },
	{ "conf none", CONF_TLS_NONE, HOP_TLS_DEFAULT, POLICY_NONE },
	{ "conf encrypt", CONF_TLS_ENCRYPT, HOP_TLS_DEFAULT, POLICY_ENCRYPT },
	{ "conf verify", CONF_TLS_VERIFY, HOP_TLS_DEFAULT, POLICY_VERIFY },
	{ "hop none beats verify", CONF_TLS_VERIFY, HOP_TLS_NONE,
	    POLICY_NONE },
	{ "hop may beats encrypt", CONF_TLS_ENCRYPT, HOP_TLS_MAY,
	    POLICY_MAY },
	{ "hop encrypt beats none", CONF_TLS_NONE, HOP_TLS_ENCRYPT,
	    POLICY_ENCRYPT },
	{ "hop verify beats may", CONF_TLS_MAY, HOP_TLS_VERIFY,
	    POLICY_VERIFY },
};

static void
test_policy_find_levels(void **state)
{
	struct conf conf;
	struct hop hop;
	struct policy policy;
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		memset(&conf, 0, sizeof(conf));
		memset(&hop, 0, sizeof(hop));
		conf.tls = levels[i].conf;
		hop.host = HOST;
		hop.tls = levels[i].hop;
		if (policy_find(&conf, &hop, &policy, &r) != 0 ||
		    policy.level != levels[i].want)
			fail_msg("%s", levels[i].name);
		assert_string_equal(policy.name, HOST);
	}
}

static void
test_policy_find_name(void **state)
{
	struct conf conf = { .tls = CONF_TLS_VERIFY };
	struct hop hop = { .host = "192.0.2.1", .tlsname = HOST };
	struct policy policy;
	struct result r;

	(void)state;
	assert_int_equal(policy_find(&conf, &hop, &policy, &r), 0);
	assert_string_equal(policy.name, HOST);
}

static const struct {
	const char	*name;
	struct hop	 hop;
	const char	*esc;
	const char	*text;
} held[] = {
	{ "dane", { .tls = HOP_TLS_DANE }, "4.7.5", "tls=dane" },
	{ "unknown", { .tls = HOP_TLS_OTHER }, "4.7.5", "tls=" },
	{ "auth", { .auth = "relay" }, "4.3.5", "auth=" },
	{ "auth and encrypt", { .auth = "relay", .tls = HOP_TLS_ENCRYPT },
	    "4.3.5", "auth=" },
	{ "implicit", { .implicit_tls = true }, "4.7.5", "implicit-tls" },
	{ "implicit and none", { .implicit_tls = true,
	    .tls = HOP_TLS_NONE }, "4.7.5", "implicit-tls" },
};

static void
test_policy_find_not_built(void **state)
{
	struct conf conf = { .tls = CONF_TLS_MAY };
	struct hop hop;
	struct policy policy;
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		hop = held[i].hop;
		hop.host = HOST;
		if (policy_find(&conf, &hop, &policy, &r) != -1)
			fail_msg("%s", held[i].name);
		assert_true(result_is_temporary(&r));
		assert_string_equal(result_esc(&r), held[i].esc);
		assert_non_null(strstr(r.text, held[i].text));
		assert_non_null(strstr(r.text, HOST));
	}
}

static const struct {
	const char	*name;
	enum policy_level level;
	enum policy_step offered, refused, failed;
} rows[] = {
	{ "opportunistic", POLICY_MAY, POLICY_GO_ON, POLICY_GO_ON,
	    POLICY_RECONNECT },
	{ "encrypt", POLICY_ENCRYPT, POLICY_NEXT, POLICY_NEXT, POLICY_NEXT },
	{ "verify", POLICY_VERIFY, POLICY_NEXT, POLICY_NEXT, POLICY_NEXT },
};

static void
test_policy_step_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (policy_step(rows[i].level, POLICY_NOT_OFFERED) !=
		    rows[i].offered ||
		    policy_step(rows[i].level, POLICY_REFUSED) !=
		    rows[i].refused ||
		    policy_step(rows[i].level, POLICY_FAILED) !=
		    rows[i].failed)
			fail_msg("%s", rows[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_find_levels),
		cmocka_unit_test(test_policy_find_name),
		cmocka_unit_test(test_policy_find_not_built),
		cmocka_unit_test(test_policy_step_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
