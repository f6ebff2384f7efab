/* SPDX-License-Identifier: ISC */
/*
 * A source of mail exchangers as small as can be, and the example of
 * mxnss_module(3), which explains it:
 *
 *	mxhosts: static(example.org=mx.example.net) dns
 *
 * says that mail for example.org goes to mx.example.net.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <mxdb.h>
#include <mxnss.h>

struct route {
	const struct mxnss_host	*lib;
	char			*domain;
	char			*exchange;
};

static void
static_close(void *priv)
{
	struct route *route = priv;

	free(route->domain);
	free(route);
}

static int
static_open(const struct mxnss_host *lib, const char *arg, void **priv)
{
	struct route *route;

	if (arg == NULL || strchr(arg, '=') == NULL) {
		errno = EINVAL;
		return -1;
	}
	if ((route = malloc(sizeof(*route))) == NULL)
		return -1;
	route->lib = lib;
	if ((route->domain = strdup(arg)) == NULL) {
		free(route);
		return -1;
	}
	route->exchange = strchr(route->domain, '=');
	*route->exchange++ = '\0';
	*priv = route;
	return 0;
}

static enum mxnss_status
static_getmxbyname(void *priv, const struct mxnss_query *query,
    struct mxnss_reply *reply)
{
	const struct route *route = priv;
	struct mxnss_record record = { .size = sizeof(record) };

	if (strcmp(query->domain, route->domain) != 0)
		return MXNSS_NOTFOUND;
	record.host = route->exchange;
	record.pref = 10;
	record.ttl = UINT32_MAX;
	record.flags = MXE_LOCALCONF;
	if (route->lib->add(reply, &record) == -1) {
		route->lib->fail(reply, MX_ESOURCE, NULL,
		    "the exchange is not a host name");
		return MXNSS_TRYAGAIN;
	}
	return MXNSS_SUCCESS;
}

const struct mxnss_module _mxnss_static_module = {
	.abi = MXNSS_ABI,
	.size = sizeof(struct mxnss_module),
	.name = "static",
	.version = "1.0",
	.open = static_open,
	.getmxbyname = static_getmxbyname,
	.close = static_close,
};
