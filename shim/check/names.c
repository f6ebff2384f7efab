/* SPDX-License-Identifier: ISC */
/*
 * Other servers judge a stranger by its names: the address that it comes from
 * should have one, which has that address again, and be called so in EHLO.
 */
#include "config.h"

#include "check/checkup.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "run/dns.h"
#include "run/route.h"

#define MAX_NAMES	10	/* of an address, that are looked at */

/* There for ever, and not here. */
#define FAR_NAME	"a.root-servers.net"
#define FAR_IPV4	"198.41.0.4"
#define FAR_IPV6	"2001:503:ba3e::2:30"

#define SET_HOSTNAME	"publish an address for it, or set hostname: to the " \
    "name that DNS has for this machine"

/*
 * Does all mail go to a relay?  Then its names are what others see.  Whether
 * mail needs no name server at all.
 */
static bool
find_relay(struct checkup *c, struct buf *why)
{
	struct router *router = router_new(c->conf, FAR_NAME);
	struct route *route = route_find(router, NULL);
	bool reached = false;
	struct result r;

	if (route->nhop > 0 && route->hop[0].localconf) {
		c->relay = xstrdup(route->hop[0].host);
		reached = route_hop(router, route, 0, &r) == 0;
	} else if (route->nhop == 0 && route->why.code == R_OFFLINE) {
		c->silent = true;
		buf_adds(why, route->why.text);
	}
	router_free(router);
	return reached;
}

void
check_resolver(struct checkup *c)
{
	struct buf b = BUF_INIT;
	bool reached = find_relay(c, &b);

	/* what the answer is does not matter */
	if (!c->silent)
		c->silent = dns_addresses(c->dns, c->conf->bare_hostname ?
		    FAR_NAME : c->conf->hostname, &b) == DNS_SILENT;
	if (!c->silent)
		report(c->report, MARK_OK, "resolver", NULL, "%s answers",
		    dns_server(c->dns));
	else if (reached)
		report(c->report, MARK_NOTE, "resolver", "look at the "
		    "nameserver lines of /etc/resolv.conf", "%s; mail goes "
		    "to the relay %s without", buf_str(&b), c->relay);
	else
		report(c->report, MARK_FAULT, "resolver", "look at the "
		    "nameserver lines of /etc/resolv.conf; mail waits until "
		    "one answers", "%s", buf_str(&b));
	/* nothing depends on it but what getmx shows */
	report(c->report, MARK_OK, "dnssec", NULL, "that answers are "
	    "authenticated is %s", dns_trusts_ad(c->dns) ? "believed" :
	    c->conf->dnssec == 2 ? "not believed (dnssec: off)" :
	    "not believed: the name servers are not on this machine, and "
	    "/etc/resolv.conf has no trust-ad");
	buf_clear(&b);
}

void
check_hostname(struct checkup *c)
{
	/* a relay need not be so strict */
	enum mark mark = c->relay != NULL ? MARK_NOTE : MARK_WARNING;
	const char *name = c->conf->hostname;
	struct buf b = BUF_INIT;

	if (c->conf->bare_hostname) {
		report(c->report, mark, "hostname", "set hostname: to "
		    "the full name that DNS has for this machine",
		    "\"%s\", which we say in EHLO, has no domain: many "
		    "servers refuse that", name);
		return;
	}
	if (c->silent)
		return;
	switch (dns_addresses(c->dns, name, &b)) {
	case DNS_OK:
		report(c->report, MARK_OK, "hostname", NULL, "%s has %s",
		    name, buf_str(&b));
		break;
	case DNS_NONE:
		report(c->report, mark, "hostname", SET_HOSTNAME,
		    "%s; we say that name in EHLO, and many servers look it "
		    "up", buf_str(&b));
		break;
	default:
		report(c->report, MARK_NOTE, "hostname", "try again", "%s",
		    buf_str(&b));
	}
	buf_clear(&b);
}

/* --- the address that others see ------------------------------------------ */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/*
 * The address that mail to the Internet comes from.  The kernel knows the
 * way; nothing is sent.
 */
static bool
find_own(const struct conf *conf, int family, union address *own)
{
	struct addrinfo hints = { .ai_family = family,
	    .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST |
	    AI_NUMERICSERV }, *ai;
	const char *from = conf->source_address;
	socklen_t len = sizeof(*own);
	bool found = false;
	int fd;

	if (getaddrinfo(from != NULL ? from : family == AF_INET ? FAR_IPV4 :
	    FAR_IPV6, "53",
	    &hints, &ai) != 0)
		return false;
	memset(own, 0, sizeof(*own));
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (from != NULL)
		memcpy(own, ai->ai_addr, ai->ai_addrlen);
	found = from != NULL || (fd != -1 &&
	    connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    getsockname(fd, &own->sa, &len) == 0);
	if (fd != -1)
		close(fd);
	freeaddrinfo(ai);
	return found;
}

/* RFC 1918, 3927, 4193, 6598, and link-local: others see another one. */
static bool
is_private(const union address *a)
{
	static const struct {
		uint32_t net, mask;
	} nets[] = {
		{ 0x0a000000, 0xff000000 }, { 0xac100000, 0xfff00000 },
		{ 0xc0a80000, 0xffff0000 }, { 0xa9fe0000, 0xffff0000 },
		{ 0x64400000, 0xffc00000 }, { 0x7f000000, 0xff000000 },
	};
	const uint8_t *p = a->in6.sin6_addr.s6_addr;
	size_t i;

	if (a->sa.sa_family == AF_INET6)
		return (p[0] & 0xfe) == 0xfc ||
		    (p[0] == 0xfe && (p[1] & 0xc0) == 0x80);
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if ((ntohl(a->in.sin_addr.s_addr) & nets[i].mask) ==
		    nets[i].net)
			return true;
	return false;
}

/* One of its names has the address again: best the one that we say. */
static enum dns_status
find_name(struct checkup *c, const struct sockaddr *sa, char *name,
    size_t size, bool *back, struct buf *why)
{
	char one[256];
	enum dns_status status;
	size_t i;

	*back = false;
	for (i = 0; i < MAX_NAMES; i++) {
		status = dns_name(c->dns, sa, i, one, sizeof(one), why);
		if (status != DNS_OK)
			return i > 0 ? DNS_OK : status;
		if (i == 0)
			(void)strlcpy(name, one, size);
		if (!dns_has(c->dns, one, sa))
			continue;
		if (!*back || strcasecmp(one, c->conf->hostname) == 0)
			(void)strlcpy(name, one, size);
		*back = true;
	}
	return DNS_OK;
}

static void
check_address(struct checkup *c, const union address *own, const char *text)
{
	static const char set[] = "ask who gave you the address to give it "
	    "the name of this machine (a PTR record)";
	struct buf why = BUF_INIT;
	char name[256], *remedy;
	bool back;

	switch (find_name(c, &own->sa, name, sizeof(name), &back, &why)) {
	case DNS_OK:
		break;
	case DNS_NONE:
		report(c->report, MARK_WARNING, "reverse", set, "%s, from "
		    "where our mail comes, has no name in DNS: many servers "
		    "refuse that", text);
		buf_clear(&why);
		return;
	default:
		report(c->report, MARK_NOTE, "reverse", "try again", "%s",
		    buf_str(&why));
		buf_clear(&why);
		return;
	}
	buf_clear(&why);
	remedy = xasprintf("set hostname: %s", name);
	if (!back)
		report(c->report, MARK_WARNING, "reverse", set, "%s, from "
		    "where our mail comes, is called %s, which has not that "
		    "address: many servers refuse that", text, name);
	else if (strcasecmp(name, c->conf->hostname) != 0)
		report(c->report, MARK_NOTE, "reverse", remedy, "%s is called "
		    "%s, but we say that we are %s", text, name,
		    c->conf->hostname);
	else
		report(c->report, MARK_OK, "reverse", NULL, "%s is called %s, "
		    "and that has this address", text, name);
	free(remedy);
}

void
check_reverse(struct checkup *c)
{
	static const int families[] = { AF_INET, AF_INET6 };
	union address own;
	char text[INET6_ADDRSTRLEN];
	unsigned found = 0;
	size_t i;

	if (c->silent)
		return;
	if (c->relay != NULL) {
		report(c->report, MARK_OK, "reverse", NULL, "mail goes to the "
		    "relay %s: others see its address", c->relay);
		return;
	}
	for (i = 0; i < 2; i++) {
		if ((c->conf->family != AF_UNSPEC &&
		    c->conf->family != families[i]) ||
		    !find_own(c->conf, families[i], &own))
			continue;
		found++;
		if (inet_ntop(families[i], families[i] == AF_INET ?
		    (const void *)&own.in.sin_addr :
		    (const void *)&own.in6.sin6_addr, text, sizeof(text)) ==
		    NULL)
			continue;
		if (is_private(&own))
			report(c->report, MARK_NOTE, "reverse", "see that the "
			    "one that others see has a name in DNS, and that "
			    "name that address", "%s is a private address: "
			    "which one others see is not known here", text);
		else
			check_address(c, &own, text);
	}
	if (found == 0)
		report(c->report, MARK_WARNING, "reverse", "connect this "
		    "machine, or send everything to a relay of its network: "
		    "mxhosts(5)", "there is no way to the Internet");
}

/* --- the senders' domain -------------------------------------------------- */

void
check_mail_name(struct checkup *c)
{
	const char *name = c->conf->mail_name, *key = "mail-name";
	struct router *router;
	const struct route *route;
	const char *at;

	if (c->silent)
		return;
	if (c->conf->masquerade != NULL) {
		key = "masquerade";
		at = strrchr(c->conf->masquerade, '@');
		name = at != NULL ? at + 1 : c->conf->masquerade;
	}
	router = router_new(c->conf, name);
	route = route_find(router, NULL);
	if (route->nhop > 0)
		report(c->report, MARK_OK, "mail-name", NULL, "answers to "
		    "senders @%s go to %s", name, route->hop[0].host);
	else if (route->why.code == R_LOOP)
		report(c->report, MARK_OK, "mail-name", NULL, "answers to "
		    "senders @%s come to this machine", name);
	else if (result_is_permanent(&route->why))
		report(c->report, MARK_WARNING, "mail-name", "publish MX "
		    "records for it, or set mail-name: or masquerade: to a "
		    "domain that gets mail", "senders here are @%s (%s): %s; "
		    "servers refuse such senders", name, key,
		    route->why.text);
	else
		report(c->report, MARK_NOTE, "mail-name", "try again", "%s",
		    route->why.text);
	router_free(router);
}

void
check_tls(struct checkup *c)
{
	static const char *const words[] = { [CONF_TLS_MAY] = "used wherever "
	    "it is offered", [CONF_TLS_NONE] = "never used", [CONF_TLS_ENCRYPT]
	    = "used, or mail waits", [CONF_TLS_VERIFY] = "used with a right "
	    "certificate, or mail waits" };

	report(c->report, MARK_OK, "tls", NULL, "TLS is %s; this version "
	    "looks up neither DANE records nor policies of MTA-STS",
	    words[c->conf->tls]);
}
