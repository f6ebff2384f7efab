/* SPDX-License-Identifier: ISC */
/*
 * An SMTP server that does what real ones refuse to do.
 *
 *	fakemx [-a ADDR] [-p PORT] [-c CERT -k KEY] [-n MAX] -d DIR [SCRIPT]
 *	fakemx -l PATH -d DIR [SCRIPT]
 *
 * listens on ADDR (127.0.0.1) and PORT (0: any), prints "ready PORT" when it
 * does, and serves connections, each in a process of its own, until SIGTERM.
 * With -l it speaks LMTP (RFC 2033) behind the socket PATH, and prints "ready".
 * CERT and KEY are PEM files; with them EHLO offers STARTTLS.  While MAX
 * connections are open, others get a 421.
 *
 * It writes into DIR:
 *	log		the dialogue: "SESSION C line" from the client, "S" from
 *			us, "-" what happened: connect, full, tls, inject,
 *			close
 *	NNNN.env	of each message that was accepted: "session N",
 *			"tls VERSION" or "tls none", "from <addr> parameters",
 *			"to <addr>" for each recipient that was accepted
 *	NNNN.eml	the message, without the dots; here when it is complete
 *
 * Without a SCRIPT all mail is accepted.  A line of it says what to do when
 * something happens; '#' begins a comment:
 *
 *	EVENT [PATTERN] [@clear|@tls] [xN]: ACTION [| ACTION]...
 *
 * The first line that matches counts; @clear and @tls: only before, or after,
 * the TLS handshake; xN: for the first N times only, over all sessions.  What
 * no line matches is answered as a good server would.
 *
 *	connect, ehlo, helo, starttls, mail PATTERN, rcpt PATTERN, data, dot,
 *	rset, quit	a command; PATTERN is a glob(7) for the address
 *	final PATTERN	the reply to the message for one recipient (LMTP)
 *	other		a command that we do not know
 *	body N		N octets of the message have come
 *
 *	reply TEXT	a reply; \n in TEXT makes more lines; sent at once, so
 *			that two replies in one TEXT are one segment.  The
 *			first digit decides whether the step succeeded: 2
 *			accepts a recipient or a message, 3 begins a message
 *	raw TEXT	octets: \r \n \t \0 \\ \xHH are understood, nothing added
 *	drip MS TEXT	the same, an octet every MS milliseconds
 *	endless TEXT	the same, again and again, until the client goes
 *	sleep MS	wait
 *	silence		say nothing more; read until the client goes
 *	stop		say nothing more, read nothing more
 *	tls		the TLS handshake
 *	plain TEXT	like raw, beside TLS
 *	keyupdate	new TLS keys, again and again, until the client goes
 *	keep		store the message, whatever is replied
 *	close, reset	close the connection; with a RST
 */
#include "config.h"

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <openssl/ssl.h>

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum event { E_CONNECT, E_EHLO, E_LHLO, E_HELO, E_STARTTLS, E_MAIL, E_RCPT, E_DATA,
    E_DOT, E_RSET, E_QUIT, E_OTHER, E_BODY, E_FINAL, E_MAX };

/* The name is the command as well; EHLO is answered by code. */
static const struct {
	const char	*name;
	const char	*reply;
} events[] = {
	[E_CONNECT] =	{ "connect",	"220 fakemx.test ESMTP" },
	[E_EHLO] =	{ "ehlo",	NULL },
	[E_LHLO] =	{ "lhlo",	NULL },
	[E_HELO] =	{ "helo",	"250 fakemx.test" },
	[E_STARTTLS] =	{ "starttls",	"220 2.0.0 go ahead" },
	[E_MAIL] =	{ "mail",	"250 2.1.0 ok" },
	[E_RCPT] =	{ "rcpt",	"250 2.1.5 ok" },
	[E_DATA] =	{ "data",	"354 go ahead" },
	[E_DOT] =	{ "dot",	"250 2.0.0 accepted" },
	[E_RSET] =	{ "rset",	"250 2.0.0 ok" },
	[E_QUIT] =	{ "quit",	"221 2.0.0 bye" },
	[E_OTHER] =	{ "other",	"500 5.5.1 what?" },
	[E_BODY] =	{ "body",	NULL },
	[E_FINAL] =	{ "final",	"250 2.0.0 delivered" },
};

struct session;

/* What one word of an action does: TEXT has its escapes resolved. */
struct action {
	void	(*run)(struct session *, const struct action *);
	char	*text;
	size_t	 len;
	long	 ms;
};

struct rule {
	enum event event;
	char	*pattern;		/* or NULL */
	long	 octets;		/* of body */
	bool	 limited;
	bool	 clear, tls;		/* only then */
	struct action *action;
	size_t	 naction;
};

/* What all sessions have in common. */
struct shared {
	long	 sessions;
	long	 open;			/* of them, but those that were refused */
	long	 messages;
	long	 left[];		/* of each rule */
};

struct session {
	long	 number;
	bool	 open;			/* counted */
	int	 fd;
	SSL	*ssl;
	char	 in[65536];
	size_t	 inpos, inlen;
	char	 digit;			/* of the last reply */
	/* the transaction */
	char	*env;
	size_t	 envlen;
	FILE	*envf;
	char	(*rcpt)[512];		/* that were accepted */
	size_t	 accepted;
	char	*body;
	size_t	 bodylen, bodycap;
};

static struct rule *rules;
static size_t nrules;
static struct shared *shared;
static const char *lmtp;		/* the path of the socket, or NULL */
static long max;			/* connections at a time; 0: any */
static SSL_CTX *ctx;
static int dir = -1, logfd = -1;

/* --- log ------------------------------------------------------------------ */

static void __attribute__((format(printf, 3, 4)))
note(const struct session *s, char what, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int n, i;

	n = snprintf(line, sizeof(line), "%ld %c ", s->number, what);
	va_start(ap, fmt);
	i = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (i < 0)
		err(1, "log");
	n += i;
	if ((size_t)n > sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	for (i = 0; i < n; i++)
		if (iscntrl((unsigned char)line[i]))
			line[i] = '?';
	line[n++] = '\n';
	/* one write, so that sessions do not mix within a line */
	if (write(logfd, line, (size_t)n) != n)
		err(1, "log");
}

/* --- octets --------------------------------------------------------------- */

static void __attribute__((noreturn))
leave(struct session *s, const char *why)
{
	note(s, '-', "%s", why);
	if (s->open)
		__atomic_sub_fetch(&shared->open, 1, __ATOMIC_SEQ_CST);
	if (s->ssl != NULL)
		SSL_shutdown(s->ssl);
	_exit(0);
}

static void
put(struct session *s, const char *data, size_t len)
{
	size_t done;
	ssize_t n;

	while (len > 0) {
		if (s->ssl != NULL) {
			if (!SSL_write_ex(s->ssl, data, len, &done))
				leave(s, "close by client");
		} else {
			n = send(s->fd, data, len, MSG_NOSIGNAL);
			if (n == -1)
				leave(s, "close by client");
			done = (size_t)n;
		}
		data += done;
		len -= done;
	}
}

/* More input; leaves when there is none. */
static void
fill(struct session *s)
{
	size_t room, got = 0;
	ssize_t n;

	if (s->inpos > 0) {
		s->inlen -= s->inpos;
		memmove(s->in, s->in + s->inpos, s->inlen);
		s->inpos = 0;
	}
	if ((room = sizeof(s->in) - s->inlen) == 0)
		leave(s, "close: line too long");
	if (s->ssl != NULL) {
		if (!SSL_read_ex(s->ssl, s->in + s->inlen, room, &got))
			leave(s, "close by client");
	} else {
		if ((n = recv(s->fd, s->in + s->inlen, room, 0)) <= 0)
			leave(s, "close by client");
		got = (size_t)n;
	}
	s->inlen += got;
}

/* A line with its CR LF; valid until the next call. */
static char *
get_line(struct session *s, size_t *len)
{
	char *end, *line;

	while ((end = memmem(s->in + s->inpos, s->inlen - s->inpos, "\r\n",
	    2)) == NULL)
		fill(s);
	line = s->in + s->inpos;
	*len = (size_t)(end + 2 - line);
	s->inpos += *len;
	return line;
}

static void
wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

/* --- actions -------------------------------------------------------------- */

static void
run_reply(struct session *s, const struct action *a)
{
	char text[8192];
	const char *p, *end;
	size_t len = 0;

	for (p = a->text; p != NULL; p = end != NULL ? end + 1 : NULL) {
		end = strchr(p, '\n');
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%.*s\r\n", end != NULL ? (int)(end - p) :
		    (int)strlen(p), p);
		if (len >= sizeof(text))
			errx(1, "reply too long");
		note(s, 'S', "%.*s", end != NULL ? (int)(end - p) :
		    (int)strlen(p), p);
	}
	s->digit = a->text[0];
	put(s, text, len);
}

static void
run_raw(struct session *s, const struct action *a)
{
	note(s, 'S', "%.*s", (int)a->len, a->text);
	s->digit = a->len > 0 ? a->text[0] : '\0';
	put(s, a->text, a->len);
}

static void
run_drip(struct session *s, const struct action *a)
{
	size_t i;

	note(s, 'S', "%.*s", (int)a->len, a->text);
	s->digit = a->len > 0 ? a->text[0] : '\0';
	for (i = 0; i < a->len; i++) {
		put(s, a->text + i, 1);
		wait_ms(a->ms);
	}
}

static void
run_endless(struct session *s, const struct action *a)
{
	note(s, 'S', "%.*s, again and again", (int)a->len, a->text);
	for (;;)
		put(s, a->text, a->len);
}

static void
run_sleep(struct session *s, const struct action *a)
{
	(void)s;
	wait_ms(a->ms);
}

static void
run_silence(struct session *s, const struct action *a)
{
	(void)a;
	for (;;) {
		s->inpos = s->inlen;
		fill(s);
	}
}

static void
run_stop(struct session *s, const struct action *a)
{
	(void)s;
	(void)a;
	for (;;)
		pause();
}

static void
run_tls(struct session *s, const struct action *a)
{
	SSL *ssl;

	(void)a;
	if (ctx == NULL)
		errx(1, "tls needs -c and -k");
	if (s->inpos < s->inlen)
		note(s, '-', "inject by client: %zu octets",
		    s->inlen - s->inpos);
	s->inpos = s->inlen = 0;
	if ((ssl = SSL_new(ctx)) == NULL || !SSL_set_fd(ssl, s->fd))
		errx(1, "TLS");
	if (SSL_accept(ssl) != 1)
		leave(s, "tls failed");
	s->ssl = ssl;
	note(s, '-', "tls %s", SSL_get_version(ssl));
}

static void
run_plain(struct session *s, const struct action *a)
{
	note(s, 'S', "%.*s, beside TLS", (int)a->len, a->text);
	if (send(s->fd, a->text, a->len, MSG_NOSIGNAL) != (ssize_t)a->len)
		leave(s, "close by client");
}

static void
run_keyupdate(struct session *s, const struct action *a)
{
	(void)a;
	if (s->ssl == NULL)
		errx(1, "keyupdate needs tls");
	note(s, 'S', "key updates, again and again");
	while (SSL_key_update(s->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	    SSL_do_handshake(s->ssl) == 1)
		;
	leave(s, "close by client");
}

/* A mark for keeps(). */
static void
run_keep(struct session *s, const struct action *a)
{
	(void)s;
	(void)a;
}

static void __attribute__((noreturn))
run_close(struct session *s, const struct action *a)
{
	(void)a;
	leave(s, "close");
}

static void
run_reset(struct session *s, const struct action *a)
{
	const struct linger hard = { 1, 0 };

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	s->ssl = NULL;
	run_close(s, a);
}

/* A number of milliseconds, a text, both or none follow the word. */
static const struct {
	const char	*name;
	void		(*run)(struct session *, const struct action *);
	bool		 ms, text;
} actions[] = {
	{ "reply",	run_reply,	false,	true },
	{ "raw",	run_raw,	false,	true },
	{ "drip",	run_drip,	true,	true },
	{ "endless",	run_endless,	false,	true },
	{ "sleep",	run_sleep,	true,	false },
	{ "silence",	run_silence,	false,	false },
	{ "stop",	run_stop,	false,	false },
	{ "tls",	run_tls,	false,	false },
	{ "plain",	run_plain,	false,	true },
	{ "keyupdate",	run_keyupdate,	false,	false },
	{ "keep",	run_keep,	false,	false },
	{ "close",	run_close,	false,	false },
	{ "reset",	run_reset,	false,	false },
};

/* --- script --------------------------------------------------------------- */

static const char *script_name;
static size_t script_line;

static void __attribute__((noreturn))
wrong(const char *what, const char *word)
{
	errx(1, "%s:%zu: %s: %s", script_name, script_line, what, word);
}

static char *
trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	n = strlen(s);
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return s;
}

/* The next word of *S, which moves on; "" at the end. */
static char *
word(char **s)
{
	char *w = *s + strspn(*s, " \t");
	size_t n = strcspn(w, " \t");

	*s = w + n;
	if (**s != '\0')
		*(*s)++ = '\0';
	return w;
}

static long
number(const char *s)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || n < 0)
		wrong("not a number", s);
	return n;
}

/* Resolve escapes in place.  The length. */
static size_t
unescape(char *s)
{
	static const char from[] = "rnt0\\", to[] = "\r\n\t\0\\";
	char hex[3] = "", *out = s, *start = s;
	const char *p;

	while (*s != '\0') {
		if (*s != '\\') {
			*out++ = *s++;
		} else if (s[1] == 'x' && isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3])) {
			memcpy(hex, s + 2, 2);
			*out++ = (char)strtol(hex, NULL, 16);
			s += 4;
		} else if (s[1] != '\0' && (p = strchr(from, s[1])) != NULL) {
			*out++ = to[p - from];
			s += 2;
		} else
			wrong("unknown escape", s);
	}
	*out = '\0';
	return (size_t)(out - start);
}

static void
parse_action(struct rule *rule, char *s)
{
	struct action *a;
	char *name = word(&s);
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			break;
	if (i == sizeof(actions) / sizeof(actions[0]))
		wrong("unknown action", name);
	rule->action = reallocarray(rule->action, rule->naction + 1,
	    sizeof(*rule->action));
	if (rule->action == NULL)
		err(1, "script");
	a = &rule->action[rule->naction++];
	memset(a, 0, sizeof(*a));
	a->run = actions[i].run;
	if (actions[i].ms)
		a->ms = number(word(&s));
	if (!actions[i].text && *trim(s) != '\0')
		wrong("too much", s);
	if ((a->text = strdup(s)) == NULL)
		err(1, "script");
	a->len = unescape(a->text);
}

static void
parse_event(struct rule *rule, char *s, long *left)
{
	char *w = word(&s);
	int e;

	for (e = 0; e < E_MAX && strcmp(events[e].name, w) != 0; e++)
		;
	if (e == E_MAX)
		wrong("unknown event", w);
	rule->event = (enum event)e;
	while (*(w = word(&s)) != '\0')
		if (*w == 'x' && isdigit((unsigned char)w[1])) {
			rule->limited = true;
			*left = number(w + 1);
		} else if (strcmp(w, "@clear") == 0) {
			rule->clear = true;
		} else if (strcmp(w, "@tls") == 0) {
			rule->tls = true;
		} else if (e == E_BODY) {
			rule->octets = number(w);
		} else if (e == E_MAIL || e == E_RCPT || e == E_FINAL) {
			if ((rule->pattern = strdup(w)) == NULL)
				err(1, "script");
		} else
			wrong("no pattern here", w);
}

static void
parse_line(char *s)
{
	struct rule *rule;
	char *colon, *bar;

	s = trim(s);
	if (*s == '\0' || *s == '#')
		return;
	if ((colon = strstr(s, ": ")) == NULL)
		wrong("no colon and blank", s);
	*colon = '\0';
	rules = reallocarray(rules, nrules + 1, sizeof(*rules));
	shared = realloc(shared, sizeof(*shared) + (nrules + 1) *
	    sizeof(shared->left[0]));
	if (rules == NULL || shared == NULL)
		err(1, "script");
	rule = &rules[nrules];
	memset(rule, 0, sizeof(*rule));
	shared->left[nrules] = 0;
	parse_event(rule, s, &shared->left[nrules]);
	nrules++;
	for (s = colon + 2; s != NULL; s = bar) {
		if ((bar = strstr(s, " | ")) != NULL) {
			*bar = '\0';
			bar += 3;
		}
		parse_action(rule, s);
	}
}

static void
parse_script(const char *path)
{
	char *line = NULL;
	size_t cap = 0;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		err(1, "%s", path);
	script_name = path;
	while (getline(&line, &cap, f) != -1) {
		script_line++;
		parse_line(line);
	}
	free(line);
	fclose(f);
}

/* The counters go where all sessions see them. */
static void
share(void)
{
	size_t size = sizeof(*shared) + nrules * sizeof(shared->left[0]);
	struct shared *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	if (shared != NULL)
		memcpy(p->left, shared->left,
		    nrules * sizeof(shared->left[0]));
	free(shared);
	shared = p;
}

/* --- session -------------------------------------------------------------- */

/* The rule for EVENT, or NULL; counts. */
static const struct rule *
find_rule(const struct session *s, enum event event, const char *addr,
    size_t octets)
{
	const struct rule *rule;
	size_t i;

	for (i = 0; i < nrules; i++) {
		rule = &rules[i];
		if (s->ssl != NULL ? rule->clear : rule->tls)
			continue;
		if (rule->event != event || (rule->pattern != NULL &&
		    fnmatch(rule->pattern, addr, FNM_CASEFOLD) != 0) ||
		    (event == E_BODY && octets < (size_t)rule->octets))
			continue;
		if (rule->limited && __atomic_sub_fetch(&shared->left[i], 1,
		    __ATOMIC_SEQ_CST) < 0)
			continue;
		return rule;
	}
	return NULL;
}

static void
run_rule(struct session *s, const struct rule *rule)
{
	size_t i;

	for (i = 0; i < rule->naction; i++)
		rule->action[i].run(s, &rule->action[i]);
}

/* Whether a rule for EVENT was found, and carried out. */
static bool
scripted(struct session *s, enum event event, const char *addr, size_t octets)
{
	const struct rule *rule = find_rule(s, event, addr, octets);

	if (rule != NULL)
		run_rule(s, rule);
	return rule != NULL;
}

static void
say(struct session *s, const char *text)
{
	struct action a = { .text = (char *)(uintptr_t)text };

	run_reply(s, &a);
}

/* By the script, or as a good server would.  The first digit. */
static char
answer(struct session *s, enum event event, const char *addr)
{
	s->digit = '\0';
	if (!scripted(s, event, addr, 0))
		say(s, events[event].reply);
	return s->digit;
}

static void
transaction_clear(struct session *s)
{
	if (s->envf != NULL)
		fclose(s->envf);
	free(s->env);
	free(s->body);
	free(s->rcpt);
	s->rcpt = NULL;
	s->env = s->body = NULL;
	s->envf = NULL;
	s->accepted = s->bodylen = s->bodycap = 0;
}

static void
transaction_new(struct session *s, const char *from)
{
	transaction_clear(s);
	if ((s->envf = open_memstream(&s->env, &s->envlen)) == NULL)
		err(1, "envelope");
	fprintf(s->envf, "session %ld\ntls %s\nfrom %s\n", s->number,
	    s->ssl != NULL ? SSL_get_version(s->ssl) : "none", from);
}

static void
write_file(const char *name, const char *data, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	ssize_t n;

	if (fd == -1)
		err(1, "%s", name);
	for (; len > 0; data += n, len -= (size_t)n)
		if ((n = write(fd, data, len)) == -1)
			err(1, "%s", name);
	if (close(fd) == -1)
		err(1, "%s", name);
}

static void
store(struct session *s)
{
	long n = __atomic_add_fetch(&shared->messages, 1, __ATOMIC_SEQ_CST);
	char env[32], eml[32], tmp[32];

	snprintf(env, sizeof(env), "%04ld.env", n);
	snprintf(eml, sizeof(eml), "%04ld.eml", n);
	snprintf(tmp, sizeof(tmp), "%04ld.tmp", n);
	fflush(s->envf);
	write_file(env, s->env, s->envlen);
	write_file(tmp, s->body, s->bodylen);
	if (renameat(dir, tmp, dir, eml) == -1)
		err(1, "%s", eml);
	note(s, '-', "stored %s", eml);
}

static void
body_add(struct session *s, const char *data, size_t len)
{
	if (s->bodycap - s->bodylen < len) {
		s->bodycap = (s->bodycap + len) * 2;
		if ((s->body = realloc(s->body, s->bodycap)) == NULL)
			err(1, "message");
	}
	memcpy(s->body + s->bodylen, data, len);
	s->bodylen += len;
}

/* Whether the client is told, or we are, that the message is ours. */
static bool
keeps(const struct rule *rule)
{
	const struct action *a;
	size_t i;

	for (i = 0; i < rule->naction; i++) {
		a = &rule->action[i];
		if (a->run == run_keep || (a->len > 0 && a->text[0] == '2'))
			return true;
	}
	return false;
}

/* Of LMTP: what becomes of it for each recipient. */
static void
answer_each(struct session *s)
{
	const struct rule *rule = find_rule(s, E_DOT, "", 0);
	size_t i;

	if (rule == NULL || keeps(rule))
		store(s);
	if (rule != NULL)
		run_rule(s, rule);
	for (i = 0; i < s->accepted; i++)
		answer(s, E_FINAL, s->rcpt[i]);
}

/* The message, and what becomes of it. */
static void
receive(struct session *s)
{
	const struct rule *rule;
	bool told = false;
	char *line;
	size_t len;

	for (;;) {
		line = get_line(s, &len);
		if (len == 3 && line[0] == '.')
			break;
		if (line[0] == '.') {
			line++;
			len--;
		}
		body_add(s, line, len);
		if (!told)
			told = scripted(s, E_BODY, "", s->bodylen);
	}
	note(s, 'C', ".");
	if (lmtp != NULL) {
		answer_each(s);
		transaction_clear(s);
		return;
	}
	/* as a good server does: first the disk, then the reply */
	rule = find_rule(s, E_DOT, "", 0);
	if (rule == NULL || keeps(rule))
		store(s);
	if (rule == NULL)
		say(s, events[E_DOT].reply);
	else
		run_rule(s, rule);
	transaction_clear(s);
}

static void
on_ehlo(struct session *s)
{
	char text[256];

	if (scripted(s, lmtp != NULL ? E_LHLO : E_EHLO, "", 0))
		return;
	snprintf(text, sizeof(text), "250-fakemx.test\n250-PIPELINING\n"
	    "250-SIZE 52428800\n%s250-8BITMIME\n250 ENHANCEDSTATUSCODES",
	    ctx != NULL && s->ssl == NULL ? "250-STARTTLS\n" : "");
	say(s, text);
}

/* What is between the angle brackets of LINE. */
static void
address(const char *line, char *addr, size_t size)
{
	const char *a = strchr(line, '<'), *b;

	addr[0] = '\0';
	if (a != NULL && (b = strchr(a, '>')) != NULL)
		snprintf(addr, size, "%.*s", (int)(b - a - 1), a + 1);
}

static void
on_mail(struct session *s, const char *line)
{
	char addr[512];

	address(line, addr, sizeof(addr));
	if (answer(s, E_MAIL, addr) == '2')
		transaction_new(s, line + strcspn(line, "<"));
}

static void
on_rcpt(struct session *s, const char *line)
{
	char addr[512];

	address(line, addr, sizeof(addr));
	if (s->envf == NULL) {
		say(s, "503 5.5.1 MAIL first");
		return;
	}
	if (answer(s, E_RCPT, addr) != '2')
		return;
	s->rcpt = reallocarray(s->rcpt, s->accepted + 1, sizeof(*s->rcpt));
	if (s->rcpt == NULL)
		err(1, "recipients");
	memcpy(s->rcpt[s->accepted++], addr, sizeof(addr));
	fprintf(s->envf, "to %s\n", line + strcspn(line, "<"));
}

static void
on_data(struct session *s)
{
	s->digit = '\0';
	if (!scripted(s, E_DATA, "", 0))
		say(s, s->accepted > 0 ? events[E_DATA].reply :
		    "554 5.5.1 no valid recipients");
	if (s->digit != '3')
		return;
	if (s->envf == NULL)
		transaction_new(s, "");
	receive(s);
}

static void
on_starttls(struct session *s)
{
	if (scripted(s, E_STARTTLS, "", 0))
		return;
	if (ctx == NULL || s->ssl != NULL) {
		say(s, "502 5.5.1 not here");
		return;
	}
	say(s, events[E_STARTTLS].reply);
	run_tls(s, NULL);
	transaction_clear(s);
}

static void
on_command(struct session *s, const char *line)
{
	size_t verb = strcspn(line, " \t");
	int e;

	for (e = E_EHLO; e < E_OTHER; e++)
		if (e != E_DOT && strlen(events[e].name) == verb &&
		    strncasecmp(events[e].name, line, verb) == 0)
			break;
	if ((e == E_LHLO) != (lmtp != NULL) && (e == E_LHLO || e == E_EHLO ||
	    e == E_HELO))
		e = E_OTHER;
	switch (e) {
	case E_EHLO:
	case E_LHLO:
		on_ehlo(s);
		break;
	case E_STARTTLS:
		on_starttls(s);
		break;
	case E_MAIL:
		on_mail(s, line);
		break;
	case E_RCPT:
		on_rcpt(s, line);
		break;
	case E_DATA:
		on_data(s);
		break;
	case E_RSET:
		transaction_clear(s);
		answer(s, E_RSET, "");
		break;
	case E_QUIT:
		answer(s, E_QUIT, "");
		leave(s, "close after QUIT");
	default:
		answer(s, (enum event)e, "");
	}
}

static void __attribute__((noreturn))
serve(int fd, const struct sockaddr *sa, socklen_t salen)
{
	static struct session s;
	char host[NI_MAXHOST], *line;
	size_t len;

	/* die with the parent, or SIGTERM would leave us behind */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	s.fd = fd;
	s.number = __atomic_add_fetch(&shared->sessions, 1, __ATOMIC_SEQ_CST);
	if (lmtp != NULL)
		snprintf(host, sizeof(host), "here");
	else if (getnameinfo(sa, salen, host, sizeof(host), NULL, 0,
	    NI_NUMERICHOST) != 0)
		errx(1, "getnameinfo");
	s.open = true;
	if (__atomic_add_fetch(&shared->open, 1, __ATOMIC_SEQ_CST) > max &&
	    max != 0) {
		put(&s, "421 4.7.0 too many connections\r\n", 32);
		leave(&s, "full");
	}
	note(&s, '-', "connect %s", host);
	answer(&s, E_CONNECT, "");
	for (;;) {
		line = get_line(&s, &len);
		line[len - 2] = '\0';
		note(&s, 'C', "%s", line);
		on_command(&s, line);
	}
}

/* --- main ----------------------------------------------------------------- */

static int
listen_on(const char *addr, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *ai;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char bound[NI_MAXSERV];
	int fd, on = 1, rv;

	if ((rv = getaddrinfo(addr, port, &hints, &ai)) != 0)
		errx(1, "%s: %s", addr, gai_strerror(rv));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 || bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		err(1, "%s port %s", addr, port);
	freeaddrinfo(ai);
	if (getnameinfo((struct sockaddr *)&ss, len, NULL, 0, bound,
	    sizeof(bound), NI_NUMERICSERV) != 0)
		errx(1, "getnameinfo");
	printf("ready %s\n", bound);
	if (fflush(stdout) != 0)
		err(1, "stdout");
	return fd;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlcpy(un.sun_path, path, sizeof(un.sun_path)) >=
	    sizeof(un.sun_path))
		errx(1, "%s: too long", path);
	(void)unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    chmod(path, 0666) == -1 || listen(fd, 128) == -1)
		err(1, "%s", path);
	printf("ready\n");
	if (fflush(stdout) != 0)
		err(1, "stdout");
	return fd;
}

static void
load_tls(const char *cert, const char *key)
{
	ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		errx(1, "cannot use %s and %s", cert, key);
}

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: fakemx [-a address] [-p port] "
	    "[-c cert -k key] [-n max] -d dir [script]\n"
	    "       fakemx -l path -d dir [script]\n");
	exit(64);
}

int
main(int argc, char **argv)
{
	const char *addr = "127.0.0.1", *port = "0";
	const char *cert = NULL, *key = NULL, *path = NULL;
	struct sockaddr_storage ss;
	socklen_t len;
	int c, fd, listener;

	while ((c = getopt(argc, argv, "a:c:d:k:l:n:p:")) != -1)
		switch (c) {
		case 'a':
			addr = optarg;
			break;
		case 'c':
			cert = optarg;
			break;
		case 'd':
			path = optarg;
			break;
		case 'k':
			key = optarg;
			break;
		case 'l':
			lmtp = optarg;
			break;
		case 'n':
			max = atol(optarg);
			break;
		case 'p':
			port = optarg;
			break;
		default:
			usage();
		}
	if (path == NULL || (cert == NULL) != (key == NULL) ||
	    argc - optind > 1)
		usage();
	if (optind < argc)
		parse_script(argv[optind]);
	share();
	if (cert != NULL)
		load_tls(cert, key);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		err(1, "%s", path);
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    (logfd = openat(dir, "log", O_WRONLY | O_CREAT | O_APPEND |
	    O_CLOEXEC, 0644)) == -1)
		err(1, "%s", path);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	listener = lmtp != NULL ? listen_at(lmtp) : listen_on(addr, port);
	for (;;) {
		len = sizeof(ss);
		if ((fd = accept(listener, (struct sockaddr *)&ss,
		    &len)) == -1)
			continue;
		if (fork() == 0) {
			close(listener);
			serve(fd, (struct sockaddr *)&ss, len);
		}
		close(fd);
	}
}
