/* SPDX-License-Identifier: ISC */
/*
 * TLS policy as tables: one for what was asked, one for what went wrong.
 * A failed policy defers the mail; it never ends in clear text.
 */
#include "config.h"

#include "run/policy.h"

#include "run/route.h"

static const enum policy_level from_conf[] = {
	[CONF_TLS_MAY] = POLICY_MAY,
	[CONF_TLS_NONE] = POLICY_NONE,
	[CONF_TLS_ENCRYPT] = POLICY_ENCRYPT,
	[CONF_TLS_VERIFY] = POLICY_VERIFY,
};

/* Levels that a hop may ask for; the others are not built. */
static const struct {
	enum hop_tls	  tls;
	enum policy_level level;
} from_hop[] = {
	{ HOP_TLS_NONE,		POLICY_NONE },
	{ HOP_TLS_MAY,		POLICY_MAY },
	{ HOP_TLS_ENCRYPT,	POLICY_ENCRYPT },
	{ HOP_TLS_VERIFY,	POLICY_VERIFY },
};

static const enum policy_step steps[][3] = {
	[POLICY_NONE] = {
		[POLICY_NOT_OFFERED] = POLICY_GO_ON,
		[POLICY_REFUSED] = POLICY_GO_ON,
		[POLICY_FAILED] = POLICY_RECONNECT,
	},
	[POLICY_MAY] = {
		[POLICY_NOT_OFFERED] = POLICY_GO_ON,
		[POLICY_REFUSED] = POLICY_GO_ON,
		[POLICY_FAILED] = POLICY_RECONNECT,
	},
	[POLICY_ENCRYPT] = {
		[POLICY_NOT_OFFERED] = POLICY_NEXT,
		[POLICY_REFUSED] = POLICY_NEXT,
		[POLICY_FAILED] = POLICY_NEXT,
	},
	[POLICY_VERIFY] = {
		[POLICY_NOT_OFFERED] = POLICY_NEXT,
		[POLICY_REFUSED] = POLICY_NEXT,
		[POLICY_FAILED] = POLICY_NEXT,
	},
};

static int
not_built(const struct hop *hop, const char *option, enum result_code code,
    struct result *r)
{
	result_set(r, code, "%s: this version cannot do %s yet; the mail "
	    "waits until the route says something else", hop->host, option);
	return -1;
}

int
policy_find(const struct conf *conf, const struct hop *hop,
    struct policy *policy, struct result *r)
{
	size_t i;

	if (hop->auth != NULL)
		return not_built(hop, "auth=", R_CONFIG, r);
	if (hop->implicit_tls)
		return not_built(hop, "implicit-tls", R_TLS, r);
	policy->name = hop->tlsname != NULL ? hop->tlsname : hop->host;
	if (hop->tls == HOP_TLS_DEFAULT) {
		policy->level = from_conf[conf->tls];
		return 0;
	}
	for (i = 0; i < sizeof(from_hop) / sizeof(from_hop[0]); i++)
		if (from_hop[i].tls == hop->tls) {
			policy->level = from_hop[i].level;
			return 0;
		}
	return not_built(hop, hop->tls == HOP_TLS_DANE ? "tls=dane" :
	    "the tls= of this route", R_TLS, r);
}

enum policy_step
policy_step(enum policy_level level, enum policy_event event)
{
	return steps[level][event];
}
