/* SPDX-License-Identifier: ISC */
/*
 * Asks the name servers of resolv.conf, or those that the caller set, one
 * after the other, and reads what they say.
 *
 * Each try is one server: so we know who answered, and a server whose answer
 * makes no sense is passed over like one that fails.  A truncated answer is
 * fetched anew from the same server over TCP.  The search list, aliases and
 * the like of res_nsearch(3) play no part.
 */
#include "config.h"

#include "query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "name.h"
#include "net.h"
#include "resconf.h"

#define DEFAULT_TIMEOUT	30000	/* ms */
#define LEAST_WAIT	1000	/* ms, for one try if there is that much */
#define UDPSIZE		4096	/* larger replies than we allow have to come
				   over TCP */
#define TCPSIZE		65535
#define QUERYSIZE	512
#define EDNSSIZE	1232	/* fits an IPv6 packet, never a fragment */
#define OPTLEN		11	/* octets of our OPT record */

struct mxres_ctx {
	union mxres_server	 fixed[MXRES_MAXSERVERS]; /* if any were set */
	size_t			 nfixed;
	int			 timeout;
	enum mxres_dnssec	 dnssec;
	bool			 shuffle;

	/* of the lookup under way */
	struct mxres_resconf	 conf;
	bool			 trust;		/* believe AD */
	int64_t			 start;

	/* the latest reply: one of those below */
	const uint8_t		*reply;
	uint8_t			*tcp;		/* TCPSIZE, once it is needed */
	uint8_t			 udp[UDPSIZE + 1]; /* last: never cleared */
};

/* One question as it goes round the servers. */
struct ask {
	uint8_t			 query[QUERYSIZE];
	size_t			 len;		/* with the OPT record */
	size_t			 baselen;	/* without */
	enum mxres_type		 type;
	int64_t			 deadline;
	struct mxres_answer	*answer;
	bool			 done[MXRES_MAXSERVERS]; /* no use asking */
	/* the most telling failure so far, and whose it was */
	enum mxres_status	 status;
	int			 rcode;
	int			 error;
	size_t			 failed;
};

struct mxres_ctx *
mxres_new(void)
{
	struct mxres_ctx *ctx;

	if ((ctx = malloc(sizeof(*ctx))) == NULL)
		return NULL;
	memset(ctx, 0, offsetof(struct mxres_ctx, udp));
	ctx->timeout = DEFAULT_TIMEOUT;
	ctx->shuffle = true;
	return ctx;
}

void
mxres_free(struct mxres_ctx *ctx)
{
	if (ctx == NULL)
		return;
	free(ctx->tcp);
	free(ctx);
}

int
mxres_set_servers(struct mxres_ctx *ctx, const struct sockaddr *const sa[],
    size_t n)
{
	size_t i;

	if (ctx == NULL || (sa == NULL && n > 0) || n > MXRES_MAXSERVERS) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < n; i++)
		if (sa[i]->sa_family != AF_INET &&
		    sa[i]->sa_family != AF_INET6) {
			errno = EAFNOSUPPORT;
			return -1;
		}
	memset(ctx->fixed, 0, sizeof(ctx->fixed));
	for (i = 0; i < n; i++) {
		ctx->fixed[i].sa.sa_family = sa[i]->sa_family;
		memcpy(&ctx->fixed[i], sa[i],
		    mxres_server_len(&ctx->fixed[i]));
	}
	ctx->nfixed = n;
	return 0;
}

void
mxres_set_timeout(struct mxres_ctx *ctx, int ms)
{
	ctx->timeout = ms > 0 ? ms : DEFAULT_TIMEOUT;
}

void
mxres_set_dnssec(struct mxres_ctx *ctx, enum mxres_dnssec dnssec)
{
	ctx->dnssec = dnssec;
}

void
mxres_set_shuffle(struct mxres_ctx *ctx, int shuffle)
{
	ctx->shuffle = shuffle != 0;
}

static uint32_t
uniform(void *arg, uint32_t bound)
{
	(void)arg;
	return arc4random_uniform(bound);
}

uint32_t
(*mxres_query_shuffle(const struct mxres_ctx *ctx))(void *, uint32_t)
{
	return ctx->shuffle ? uniform : NULL;
}

static bool
is_loopback(const union mxres_server *srv)
{
	if (srv->sa.sa_family == AF_INET)
		return ntohl(srv->sin.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&srv->sin6.sin6_addr);
}

/* RFC 4035 section 4.9.3: AD only from a server we reach securely. */
static bool
may_believe(const struct mxres_ctx *ctx)
{
	size_t i;

	if (ctx->dnssec != MXRES_DNSSEC_AUTO)
		return ctx->dnssec == MXRES_DNSSEC_TRUST;
	if (!ctx->conf.may_trust)
		return false;
	for (i = 0; i < ctx->conf.nserver; i++)
		if (!is_loopback(&ctx->conf.server[i]))
			return ctx->nfixed == 0 && ctx->conf.trust;
	return true;
}

enum mxres_status
mxres_query_begin(struct mxres_ctx *ctx, int *error)
{
	enum mxres_status status;

	ctx->start = mxres_now();
	if ((status = mxres_resconf_load(&ctx->conf, error)) != MXRES_OK)
		return status;
	if (ctx->nfixed > 0) {
		memcpy(ctx->conf.server, ctx->fixed, sizeof(ctx->fixed));
		ctx->conf.nserver = ctx->nfixed;
	}
	ctx->trust = may_believe(ctx);
	return MXRES_OK;
}

int
mxres_trusts_ad(struct mxres_ctx *ctx)
{
	int error = 0;

	if (mxres_query_begin(ctx, &error) != MXRES_OK) {
		errno = error;
		return -1;
	}
	return ctx->trust;
}

/*
 * RFC 1035 section 4.1, RFC 6891 section 6.1.2.  RD asks for recursion; AD
 * for its like in the answer (RFC 6840 section 5.7), so there is no need of
 * the DO bit and the signatures that it brings.
 */
static void
make_query(const struct mxres_ctx *ctx, struct ask *ask)
{
	static const uint8_t opt[OPTLEN] = {
		0, 0, 41, EDNSSIZE >> 8, EDNSSIZE & 0xff
	};
	uint32_t id = arc4random();
	uint8_t *p = ask->query;

	memcpy(p, &id, 2);
	p[2] = 0x01;
	p[3] = ctx->trust ? 0x20 : 0;
	p[5] = 1;
	p += MXRES_HEADERLEN;
	p += mxres_name_wire(ask->answer->qname, p);
	*p++ = 0;
	*p++ = (uint8_t)ask->type;
	*p++ = 0;
	*p++ = 1;		/* IN */
	ask->baselen = (size_t)(p - ask->query);
	memcpy(p, opt, sizeof(opt));
}

static void
set_opt(struct ask *ask, bool with)
{
	ask->len = ask->baselen + (with ? OPTLEN : 0);
	ask->query[11] = with;
}

/* REPLY answers QUERY, or fails to by a bare header. */
static bool
is_ours(const uint8_t *query, size_t qlen, const uint8_t *reply, size_t len)
{
	if (!mxres_msg_is_reply(reply) ||
	    mxres_msg_id(reply) != mxres_msg_id(query))
		return false;
	return mxres_msg_same_question(query, qlen, reply, len) ||
	    mxres_msg_is_bare_error(reply);
}

static enum mxres_status
status_of_errno(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return MXRES_TIMEOUT;
	case EBADMSG:
		return MXRES_BADRESP;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN:
		return MXRES_AGAIN;
	default:
		return MXRES_NOSERVER;
	}
}

/*
 * Until when to wait for one server if TRIES are yet to come: as long as
 * resolv.conf says, or a fair share of what is left.  In the past when the
 * time is up.
 */
static int64_t
deadline_of_try(const struct mxres_ctx *ctx, const struct ask *ask,
    size_t tries)
{
	int64_t now = mxres_now(), left = ask->deadline - now, share;

	share = left / (int64_t)tries;
	if (share < LEAST_WAIT)
		share = left < LEAST_WAIT ? left : LEAST_WAIT;
	if (share > ctx->conf.timeout)
		share = ctx->conf.timeout;
	return now + share;
}

/*
 * An answer that is cut off, by the server or because it is larger than our
 * buffer, asks for TCP (RFC 7766 section 5); an error that is marked as cut
 * off is none the less an error.
 */
static bool
wants_tcp(const uint8_t *reply, size_t len)
{
	int rcode = mxres_msg_rcode(reply);

	return len > UDPSIZE || (mxres_msg_truncated(reply) &&
	    (rcode == 0 || rcode == MXRES_RCODE_NXDOMAIN));
}

/* The same question over TCP, where a reply to another one is an error. */
static ssize_t
ask_tcp(struct mxres_ctx *ctx, const struct ask *ask,
    const union mxres_server *srv, int64_t deadline)
{
	ssize_t n;

	if (ctx->tcp == NULL && (ctx->tcp = malloc(TCPSIZE)) == NULL)
		return -1;
	ctx->reply = ctx->tcp;
	n = mxres_tcp(srv, ask->query, ask->len, ctx->tcp, TCPSIZE, deadline);
	if (n != -1 && !is_ours(ask->query, ask->len, ctx->tcp, (size_t)n)) {
		errno = EBADMSG;
		return -1;
	}
	return n;
}

/*
 * One exchange; MXRES_OK means that a message came, of *LEN octets.  The
 * option use-vc of resolv.conf is for networks where UDP does not pass.
 */
static enum mxres_status
exchange(struct mxres_ctx *ctx, struct ask *ask,
    const union mxres_server *srv, int64_t deadline, size_t *len)
{
	enum mxres_status status;
	bool cut = false;
	ssize_t n = -1;

	if (!ctx->conf.tcp) {
		ctx->reply = ctx->udp;
		n = mxres_udp(srv, ask->query, ask->len, is_ours, ctx->udp,
		    sizeof(ctx->udp), deadline);
		cut = n != -1 && wants_tcp(ctx->reply, (size_t)n);
	}
	if (ctx->conf.tcp || cut)
		n = ask_tcp(ctx, ask, srv, deadline);
	if (n == -1) {
		ask->answer->error = errno;
		status = status_of_errno(errno);
		/* A truncated answer is more than none. */
		return status == MXRES_NOSERVER && cut ? MXRES_BADRESP :
		    status;
	}
	*len = (size_t)n;
	return MXRES_OK;
}

/*
 * Asks one server and reads its answer.  A server that finds fault with
 * the form of the query may be older than EDNS (RFC 6891 section 7).
 */
static enum mxres_status
ask_server(struct mxres_ctx *ctx, struct ask *ask,
    const union mxres_server *srv, int64_t deadline)
{
	struct mxres_answer *a = ask->answer;
	enum mxres_status status;
	size_t len = 0;
	bool again, opt = true;

	do {
		set_opt(ask, opt);
		mxres_answer_reset(a);
		a->rcode = -1;
		a->error = 0;
		status = exchange(ctx, ask, srv, deadline, &len);
		if (status == MXRES_OK)
			status = mxres_parse(ctx->reply, len, ask->type, a);
		again = opt && a->rcode == MXRES_RCODE_FORMERR;
		opt = false;
	} while (again);
	if (!MXRES_ISTEMP(status) && ctx->trust && mxres_msg_ad(ctx->reply))
		a->flags |= MXRES_F_SECURE;
	return status;
}

/* A failing server that speaks tells more than one that is silent. */
static int
rank(enum mxres_status status)
{
	static const enum mxres_status order[] = {
		MXRES_NOSERVER, MXRES_AGAIN, MXRES_TIMEOUT, MXRES_REFUSED,
		MXRES_BADRESP, MXRES_SERVFAIL
	};
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i] == status)
			return (int)i + 1;
	return 0;
}

static void
remember_failure(struct ask *ask, size_t server, enum mxres_status status)
{
	if (rank(status) < rank(ask->status))
		return;
	ask->status = status;
	ask->rcode = ask->answer->rcode;
	ask->error = ask->answer->error;
	ask->failed = server;
}

/* Only silence is worth asking again in the next round. */
static enum mxres_status
ask_all(struct mxres_ctx *ctx, struct ask *ask, size_t *server)
{
	enum mxres_status status;
	size_t i, first = 0, n = ctx->conf.nserver;
	size_t total = n * (size_t)ctx->conf.attempts;
	int64_t deadline;

	if (ctx->conf.rotate && n > 1)
		first = arc4random_uniform((uint32_t)n);
	for (i = 0; i < total; i++) {
		*server = (first + i) % n;
		if (ask->done[*server])
			continue;
		deadline = deadline_of_try(ctx, ask, total - i);
		if (i > 0 && deadline <= mxres_now())
			break;
		status = ask_server(ctx, ask, &ctx->conf.server[*server],
		    deadline);
		if (!MXRES_ISTEMP(status) || status == MXRES_NOMEM)
			return status;
		remember_failure(ask, *server, status);
		ask->done[*server] = status != MXRES_TIMEOUT;
	}
	if (ask->failed != *server)
		mxres_answer_reset(ask->answer);
	*server = ask->failed;
	ask->answer->rcode = ask->rcode;
	ask->answer->error = ask->error;
	return ask->status;
}

/* "192.0.2.53#53" of an address in network order, without snprintf(3). */
static void
put_ipv4(char *text, const uint8_t addr[4], unsigned int port)
{
	const unsigned int part[] = { addr[0], addr[1], addr[2], addr[3],
	    port };
	char digits[5];
	unsigned int v;
	size_t i, n;

	for (i = 0; i < 5; i++) {
		if (i > 0)
			*text++ = i < 4 ? '.' : '#';
		n = 0;
		v = part[i];
		do
			digits[n++] = (char)('0' + v % 10);
		while ((v /= 10) > 0);
		while (n > 0)
			*text++ = digits[--n];
	}
	*text = '\0';
}

static void
name_server(struct mxres_answer *a, const union mxres_server *srv)
{
	char text[INET6_ADDRSTRLEN];
	const uint8_t *addr4;

	if (srv->sa.sa_family == AF_INET) {
		addr4 = (const uint8_t *)&srv->sin.sin_addr;
		put_ipv4(a->server, addr4, ntohs(srv->sin.sin_port));
	} else if (inet_ntop(AF_INET6, &srv->sin6.sin6_addr, text,
	    sizeof(text)) != NULL)
		(void)snprintf(a->server, sizeof(a->server), "%s#%u", text,
		    (unsigned int)ntohs(srv->sin6.sin6_port));
}

enum mxres_status
mxres_query(struct mxres_ctx *ctx, enum mxres_type type, int share,
    struct mxres_answer *a)
{
	struct ask ask = {
		.answer = a,
		.type = type,
		.deadline = ctx->start + (int64_t)ctx->timeout * share / 100,
		.status = MXRES_NOSERVER,
		.rcode = -1
	};
	enum mxres_status status;
	size_t server = 0;

	if (ctx->conf.nserver == 0)
		return MXRES_NOSERVER;
	make_query(ctx, &ask);
	status = ask_all(ctx, &ask, &server);
	name_server(a, &ctx->conf.server[server]);
	return status;
}

enum mxres_status
mxres_lookup(struct mxres_ctx *ctx, const char *name, enum mxres_type type,
    struct mxres_answer **answer)
{
	enum mxres_status status;

	if ((status = mxres_answer_begin(ctx, name, answer)) != MXRES_OK)
		return status;
	status = mxres_query_begin(ctx, &(*answer)->error);
	if (status == MXRES_OK)
		status = mxres_query(ctx, type, 100, *answer);
	return mxres_answer_finish(answer, status);
}
