/* SPDX-License-Identifier: ISC */
/* One line for each who would get the mail. */
#include "config.h"

#include "run/verify.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/addr.h"
#include "base/xmalloc.h"
#include "local/alias.h"
#include "local/expand.h"
#include "run/route.h"

struct verification {
	const struct conf *conf;
	struct aliases	 aliases;
	int		 code;
};

static void
failed(struct verification *v, const struct result *r)
{
	printf("%s %s\n", result_esc(r), r->text);
	if (v->code == EX_OK)
		v->code = result_exit(r);
}

static void
print_hops(const struct route *route)
{
	size_t i;

	for (i = 0; i < route->nhop; i++)
		printf("%s%s:%u (%u, %s)", i > 0 ? ", " : "by ",
		    route->hop[i].host, (unsigned)route->hop[i].port,
		    route->hop[i].pref, route->hop[i].origin);
	printf("\n");
}

/* An address elsewhere: its hosts, in the order in which they are tried. */
static void
verify_remote(struct verification *v, const char *addr)
{
	const char *at = strrchr(addr, '@');
	struct router *router = router_new(v->conf, at + 1);
	const struct route *route = route_find(router, addr);

	if (route->nhop > 0)
		print_hops(route);
	else
		failed(v, &route->why);
	router_free(router);
}

static void
verify_mailbox(struct verification *v, const char *addr)
{
	static const char *const ways[] = { [CONF_MBOX] = "mailbox",
	    [CONF_MAILDIR] = "Maildir" };
	char *user = expand_user(addr, true);
	struct result r;

	errno = 0;
	if (v->conf->local == CONF_NONE) {
		result_set(&r, R_NOUSER, "users of this machine get no mail "
		    "(local: none)");
		failed(v, &r);
	} else if (v->conf->local == CONF_LMTP) {
		/* it may know users that this machine does not */
		printf("to the server of LMTP at %s\n", v->conf->local_path);
	} else if (getpwnam(user) == NULL && errno == 0) {
		result_set(&r, R_NOUSER, "there is no user \"%s\" here", user);
		failed(v, &r);
	} else {
		printf("into the %s of %s\n", ways[v->conf->local], user);
	}
	free(user);
}

static void
verify_local(struct verification *v, const char *addr)
{
	struct expansion x;
	struct result r;
	size_t i;

	if (expand(v->conf, &v->aliases, addr, &x, &r) == -1) {
		printf("%s: ", addr);
		failed(v, &r);
		return;
	}
	if (x.nto == 0)
		printf("%s: discarded by its alias\n", addr);
	for (i = 0; i < x.nto; i++) {
		printf("%s: ", addr);
		if (x.to[i].origin != NULL)
			printf("%s (%s), ", x.to[i].addr, x.to[i].origin);
		if (x.to[i].mailbox)
			verify_mailbox(v, x.to[i].addr);
		else
			verify_remote(v, x.to[i].addr);
	}
	expansion_clear(&x);
}

static void
verify_one(struct verification *v, const char *text)
{
	const char *why, *at;
	struct result r;
	char *addr = addr_one(text, v->conf->mail_name, &why);

	if (addr == NULL || addr[0] == '\0') {
		result_set(&r, R_BADADDR, "not an address: %s",
		    addr == NULL ? why : "it is empty");
		printf("%s: ", text);
		failed(v, &r);
		free(addr);
		return;
	}
	at = strrchr(addr, '@');
	if (conf_is_local(v->conf, at + 1)) {
		verify_local(v, addr);
	} else {
		printf("%s: ", addr);
		verify_remote(v, addr);
	}
	free(addr);
}

int
verify(const struct conf *conf, char **argv)
{
	struct verification v = { .conf = conf, .code = EX_OK };
	const char *which;

	alias_init(&v.aliases);
	if (alias_load(&v.aliases, conf->aliases, conf->aliases_default,
	    &which) == -1) {
		fprintf(stderr, "sendmail: %s: %s\n", which, strerror(errno));
		v.code = EX_OSFILE;
	} else {
		for (; *argv != NULL; argv++)
			verify_one(&v, *argv);
	}
	alias_clear(&v.aliases);
	return fflush(stdout) == 0 ? v.code : EX_IOERR;
}
