/* SPDX-License-Identifier: ISC */
/*
 * Asks the name servers through libresolv: res_ninit(3) reads resolv.conf,
 * res_nmkquery(3) builds the query, res_nsend(3) exchanges it over UDP.
 *
 * Each res_nsend() is one try at one server: so we know who answered, a
 * server whose answer makes no sense is passed over like one that fails,
 * and what to wait is ours to say, in the whole seconds that libresolv
 * knows.  A truncated answer is fetched anew from the same server by tcp.c.
 * The search list, aliases and the like of res_nsearch(3) play no part.
 */
#include "config.h"

#include "query.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "name.h"
#include "tcp.h"

#define DEFAULT_TIMEOUT	30000	/* ms */
#define MAXSERVERS	16
#define REPLYSIZE	65535
#define QUERYSIZE	512
#define OPTLEN		11	/* octets of our OPT record */
#define EDNSSIZE	1232	/* fits an IPv6 packet, never a fragment */

/* As long as libresolv takes for granted, whatever the family. */
union server {
	struct sockaddr		sa;
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;
};

struct mxres_ctx {
	union server		 fixed[MAXSERVERS]; /* instead of resolv.conf */
	size_t			 nfixed;
	int			 timeout;
	enum mxres_dnssec	 dnssec;
	bool			 shuffle;

	/* of the lookup under way */
	struct __res_state	 conf;		/* as res_ninit() left it */
	bool			 open;
	union server		 server[MAXSERVERS];
	size_t			 nserver;
	bool			 trust;		/* believe AD */
	int64_t			 start;
	uint8_t			*reply;		/* REPLYSIZE */
};

/* One question as it goes round the servers. */
struct ask {
	struct __res_state	 state;		/* pointed at one server */
	uint8_t			 query[QUERYSIZE];
	size_t			 len;		/* with the OPT record */
	size_t			 baselen;	/* without */
	enum mxres_type		 type;
	int			 timeout;	/* s, of resolv.conf */
	int64_t			 deadline;
	struct mxres_answer	*answer;
	bool			 done[MAXSERVERS]; /* no use to ask again */
	unsigned int		 tries;
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

	if ((ctx = calloc(1, sizeof(*ctx))) == NULL)
		return NULL;
	if ((ctx->reply = malloc(REPLYSIZE)) == NULL) {
		free(ctx);
		return NULL;
	}
	ctx->timeout = DEFAULT_TIMEOUT;
	ctx->shuffle = true;
	return ctx;
}

void
mxres_free(struct mxres_ctx *ctx)
{
	if (ctx == NULL)
		return;
	free(ctx->reply);
	free(ctx);
}

static socklen_t
server_len(const union server *srv)
{
	return srv->sa.sa_family == AF_INET ? sizeof(srv->sin) :
	    sizeof(srv->sin6);
}

int
mxres_set_servers(struct mxres_ctx *ctx, const struct sockaddr *const sa[],
    size_t n)
{
	size_t i;

	if (ctx == NULL || (sa == NULL && n > 0) || n > MAXSERVERS) {
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
		memcpy(&ctx->fixed[i], sa[i], server_len(&ctx->fixed[i]));
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

/* The servers of resolv.conf; glibc keeps those of IPv6 elsewhere. */
static void
list_servers(struct mxres_ctx *ctx)
{
	const struct __res_state *st = &ctx->conf;
	int i;

	ctx->nserver = 0;
	memset(ctx->server, 0, sizeof(ctx->server));
	if (ctx->nfixed > 0) {
		memcpy(ctx->server, ctx->fixed, sizeof(ctx->server));
		ctx->nserver = ctx->nfixed;
		return;
	}
	for (i = 0; i < st->nscount && i < MAXNS; i++) {
		if (st->nsaddr_list[i].sin_family == AF_INET)
			ctx->server[ctx->nserver++].sin = st->nsaddr_list[i];
		else if (st->_u._ext.nsaddrs[i] != NULL)
			ctx->server[ctx->nserver++].sin6 =
			    *st->_u._ext.nsaddrs[i];
	}
}

static bool
is_loopback(const union server *srv)
{
	if (srv->sa.sa_family == AF_INET)
		return ntohl(srv->sin.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&srv->sin6.sin6_addr);
}

static bool
has_word(char *s, const char *word)
{
	static const char blank[] = " \t\r\n";
	size_t len;

	for (s += strspn(s, blank); *s != '\0'; s += strspn(s, blank)) {
		len = strcspn(s, blank);
		if (len == strlen(word) && strncmp(s, word, len) == 0)
			return true;
		s += len;
	}
	return false;
}

bool
mxres_resconf_trusts(FILE *fp)
{
	static const char options[] = "options";
	char *line = NULL;
	size_t size = 0, len = sizeof(options) - 1;
	bool found = false;

	while (!found && getline(&line, &size, fp) != -1)
		found = strncmp(line, options, len) == 0 &&
		    (line[len] == ' ' || line[len] == '\t') &&
		    has_word(line + len, "trust-ad");
	free(line);
	return found;
}

/*
 * Whether resolv.conf says trust-ad.  RES_OPTIONS in the environment can
 * set it too, but who runs a program does not decide what it believes.
 */
static bool
system_trusts(const struct mxres_ctx *ctx)
{
	FILE *fp;
	bool trusts;

	if ((ctx->conf.options & RES_TRUSTAD) == 0)
		return false;
	if (getenv("RES_OPTIONS") == NULL)
		return true;
	if ((fp = fopen(_PATH_RESCONF, "re")) == NULL)
		return false;
	trusts = mxres_resconf_trusts(fp);
	(void)fclose(fp);
	return trusts;
}

/* RFC 4035 section 4.9.3: AD only from a server we reach securely. */
static bool
may_believe(const struct mxres_ctx *ctx)
{
	size_t i;

	if (ctx->dnssec != MXRES_DNSSEC_AUTO)
		return ctx->dnssec == MXRES_DNSSEC_TRUST;
	for (i = 0; i < ctx->nserver; i++)
		if (!is_loopback(&ctx->server[i]))
			return ctx->nfixed == 0 && system_trusts(ctx);
	return true;
}

enum mxres_status
mxres_query_begin(struct mxres_ctx *ctx, int *error)
{
	ctx->start = mxres_now();
	memset(&ctx->conf, 0, sizeof(ctx->conf));
	if (res_ninit(&ctx->conf) != 0) {
		*error = errno;
		return errno == ENOMEM ? MXRES_NOMEM : MXRES_AGAIN;
	}
	ctx->open = true;
	list_servers(ctx);
	ctx->trust = may_believe(ctx);
	return MXRES_OK;
}

void
mxres_query_end(struct mxres_ctx *ctx)
{
	if (ctx->open)
		res_nclose(&ctx->conf);
	ctx->open = false;
}

/*
 * A copy of the configured state: it borrows what the original owns, and
 * res_nsend() closes the sockets that it opens, so only the original is
 * given to res_nclose().
 */
static void
init_state(const struct mxres_ctx *ctx, struct __res_state *st)
{
	*st = ctx->conf;
	st->options |= RES_IGNTC;
	st->options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES |
	    RES_USEVC | RES_STAYOPEN | RES_ROTATE | RES_TRUSTAD);
#ifdef RES_NOAAAA
	/* We say what the DNS says; libresolv would deny what is there. */
	st->options &= ~(unsigned long)RES_NOAAAA;
#endif
	if (ctx->trust)
		st->options |= RES_TRUSTAD;
	st->retry = 1;
}

static void
set_server(struct __res_state *st, union server *srv)
{
	memset(&st->nsaddr_list[0], 0, sizeof(st->nsaddr_list[0]));
	if (srv->sa.sa_family == AF_INET)
		st->nsaddr_list[0] = srv->sin;
	st->nscount = 1;
	st->_u._ext.nscount = 1;
	st->_u._ext.nsaddrs[0] = &srv->sin6;
	st->_u._ext.nssocks[0] = -1;
}

/* RFC 6891 section 6.1.2; no DO bit, as AD is all we ask for. */
static void
add_opt(struct ask *ask)
{
	static const uint8_t opt[OPTLEN] = {
		0, 0, 41, EDNSSIZE >> 8, EDNSSIZE & 0xff
	};

	memcpy(ask->query + ask->baselen, opt, sizeof(opt));
	ask->len = ask->baselen + sizeof(opt);
	ask->query[11] = 1;
}

static void
drop_opt(struct ask *ask)
{
	ask->len = ask->baselen;
	ask->query[11] = 0;
}

static int
make_query(struct ask *ask)
{
	uint32_t id = arc4random();
	int n;

	n = res_nmkquery(&ask->state, QUERY, ask->answer->qname, C_IN,
	    (int)ask->type, NULL, 0, NULL, ask->query,
	    QUERYSIZE - OPTLEN);
	if (n < MXRES_HEADERLEN)
		return -1;
	ask->baselen = (size_t)n;
	/* libresolv makes its ids from the clock. */
	memcpy(ask->query, &id, 2);
	return 0;
}

/* The reply in P answers our query, or fails to by a bare header. */
static bool
is_ours(const struct ask *ask, const uint8_t *p)
{
	size_t n = ask->baselen - MXRES_HEADERLEN;

	if (!mxres_msg_is_reply(p) ||
	    mxres_msg_id(p) != mxres_msg_id(ask->query))
		return false;
	if (p[4] == 0 && p[5] == 0)
		return mxres_msg_rcode(p) != 0;
	return memcmp(p + MXRES_HEADERLEN, ask->query + MXRES_HEADERLEN,
	    n) == 0;
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
 * What res_nsend() failed on: it does so on SERVFAIL, NOTIMP, REFUSED and
 * lame answers too and leaves them in the buffer, without their length.
 */
static enum mxres_status
explain_failure(const struct ask *ask, const uint8_t *reply)
{
	struct mxres_answer *a = ask->answer;

	if (!is_ours(ask, reply)) {
		a->error = errno;
		return status_of_errno(errno);
	}
	a->rcode = mxres_msg_rcode(reply);
	switch (a->rcode) {
	case SERVFAIL:
		return MXRES_SERVFAIL;
	case NOERROR:
		return MXRES_BADRESP;
	default:
		return MXRES_REFUSED;
	}
}

/*
 * How long to wait for one server if TRIES are yet to come: what
 * resolv.conf says, or a fair share of what is left.  The first try is
 * always made; 0 means that the time is up.
 */
static int
seconds_for(const struct ask *ask, size_t tries)
{
	int64_t left = (ask->deadline - mxres_now() + 100) / 1000, share;

	if (left <= 0)
		return ask->tries == 0;
	share = left / (int64_t)tries;
	if (share < 1)
		share = 1;
	return share < ask->timeout ? (int)share : ask->timeout;
}

/* MXRES_OK means that a message came over UDP, of *LEN octets. */
static enum mxres_status
ask_udp(struct mxres_ctx *ctx, struct ask *ask, union server *srv,
    int seconds, size_t *len)
{
	int n;

	set_server(&ask->state, srv);
	ask->state.retrans = seconds;
	errno = 0;
	n = res_nsend(&ask->state, ask->query, (int)ask->len, ctx->reply,
	    REPLYSIZE);
	if (n < 0)
		return explain_failure(ask, ctx->reply);
	if (n < MXRES_HEADERLEN || n > REPLYSIZE)
		return MXRES_BADRESP;
	*len = (size_t)n;
	return MXRES_OK;
}

/* The same over TCP. */
static enum mxres_status
ask_tcp(struct mxres_ctx *ctx, struct ask *ask, const union server *srv,
    int64_t deadline, size_t *len)
{
	enum mxres_status status;
	ssize_t n;

	n = mxres_tcp(&srv->sa, server_len(srv), ask->query, ask->len,
	    ctx->reply, REPLYSIZE, deadline);
	if (n == -1) {
		ask->answer->error = errno;
		status = status_of_errno(errno);
		/* A truncated answer is more than none. */
		if (status == MXRES_NOSERVER && mxres_msg_is_reply(ctx->reply))
			status = MXRES_BADRESP;
		return status;
	}
	if (mxres_msg_id(ctx->reply) != mxres_msg_id(ask->query))
		return MXRES_BADRESP;
	*len = (size_t)n;
	return MXRES_OK;
}

/*
 * One exchange; MXRES_OK means that a message came, of *LEN octets.  The
 * option use-vc of resolv.conf is for networks where UDP does not pass.
 */
static enum mxres_status
exchange(struct mxres_ctx *ctx, struct ask *ask, union server *srv,
    int seconds, size_t *len)
{
	enum mxres_status status;
	int64_t deadline;

	ask->tries++;
	/* What a failure leaves here must not be of the one before. */
	memset(ctx->reply, 0, QUERYSIZE);
	if ((ctx->conf.options & RES_USEVC) == 0) {
		status = ask_udp(ctx, ask, srv, seconds, len);
		if (status != MXRES_OK || !mxres_msg_truncated(ctx->reply))
			return status;
	}
	deadline = mxres_now() + (int64_t)seconds * 1000;
	if (deadline > ask->deadline)
		deadline = ask->deadline;
	return ask_tcp(ctx, ask, srv, deadline, len);
}

/*
 * Asks one server and reads its answer.  A server that finds fault with
 * the form of the query may be older than EDNS (RFC 6891 section 7).
 */
static enum mxres_status
ask_server(struct mxres_ctx *ctx, struct ask *ask, union server *srv,
    int seconds)
{
	struct mxres_answer *a = ask->answer;
	enum mxres_status status;
	size_t len = 0;
	bool again;

	add_opt(ask);
	do {
		mxres_answer_reset(a);
		a->rcode = -1;
		a->error = 0;
		status = exchange(ctx, ask, srv, seconds, &len);
		if (status == MXRES_OK)
			status = mxres_parse(ctx->reply, len, ask->type, a);
		again = a->rcode == FORMERR && ask->len != ask->baselen;
		drop_opt(ask);
	} while (again && (seconds = seconds_for(ask, 1)) > 0);
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
ask_all(struct mxres_ctx *ctx, struct ask *ask, size_t rounds, size_t *server)
{
	enum mxres_status status;
	size_t i, first = 0, total = rounds * ctx->nserver;
	int seconds;

	if ((ctx->conf.options & RES_ROTATE) != 0 && ctx->nserver > 1)
		first = arc4random_uniform((uint32_t)ctx->nserver);
	for (i = 0; i < total; i++) {
		*server = (first + i) % ctx->nserver;
		if (ask->done[*server])
			continue;
		if ((seconds = seconds_for(ask, total - i)) == 0)
			break;
		status = ask_server(ctx, ask, &ctx->server[*server], seconds);
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

static void
name_server(struct mxres_answer *a, const union server *srv)
{
	char text[INET6_ADDRSTRLEN];
	const void *addr;
	in_port_t port;

	if (srv->sa.sa_family == AF_INET) {
		addr = &srv->sin.sin_addr;
		port = srv->sin.sin_port;
	} else {
		addr = &srv->sin6.sin6_addr;
		port = srv->sin6.sin6_port;
	}
	if (inet_ntop(srv->sa.sa_family, addr, text, sizeof(text)) != NULL)
		(void)snprintf(a->server, sizeof(a->server), "%s#%u", text,
		    (unsigned int)ntohs(port));
}

enum mxres_status
mxres_query(struct mxres_ctx *ctx, enum mxres_type type, int share,
    struct mxres_answer *a)
{
	struct ask ask = {
		.answer = a,
		.type = type,
		.timeout = ctx->conf.retrans > 0 ? ctx->conf.retrans : 1,
		.deadline = ctx->start + (int64_t)ctx->timeout * share / 100,
		.status = MXRES_NOSERVER,
		.rcode = -1
	};
	enum mxres_status status;
	size_t rounds, server = 0;

	if (ctx->nserver == 0)
		return MXRES_NOSERVER;
	rounds = ctx->conf.retry > 0 ? (size_t)ctx->conf.retry : 1;
	init_state(ctx, &ask.state);
	if (make_query(&ask) == -1)
		return MXRES_BADNAME;
	status = ask_all(ctx, &ask, rounds, &server);
	name_server(a, &ctx->server[server]);
	return status;
}
