/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: one table says for each key what kind of value it
 * has, where the value goes, its default and its bounds.  A key that is not
 * in the table is an error: nothing that an administrator asks for is
 * ignored in silence.
 */
#include "config.h"

#include "base/conf.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/hostname.h"
#include "base/result.h"
#include "base/xmalloc.h"

#define MAX_FILE	(1024 * 1024)
#define ALIASES		"/etc/aliases"
#define BLANKS		" \t\r"
#define MINUTE		60
#define HOUR		(60 * MINUTE)
#define DAY		(24 * HOUR)
#define WEEK		(7 * DAY)
#define MB		((int64_t)1024 * 1024)

struct word {
	const char *name;
	int	    value;
};

static const struct word families[] = {
	{ "any", AF_UNSPEC }, { "ipv4", AF_INET }, { "ipv6", AF_INET6 },
	{ NULL, 0 }
};
static const struct word tls_levels[] = {
	{ "may", CONF_TLS_MAY }, { "none", CONF_TLS_NONE },
	{ "encrypt", CONF_TLS_ENCRYPT }, { "verify", CONF_TLS_VERIFY },
	{ NULL, 0 }
};
static const struct word dnssec_modes[] = {
	{ "auto", 0 }, { "trust", 1 }, { "off", 2 }, { NULL, 0 }
};
static const struct word log_dests[] = {
	{ "syslog", LOG_TO_SYSLOG }, { "stderr", LOG_TO_STDERR }, { NULL, 0 }
};

struct key;

/* Take VALUE into FIELD.  NULL, or what is wrong with it: the caller's. */
typedef char *(*take_fn)(const struct key *, void *field, char *value);

static char *take_source_list(const struct key *, void *, char *);
static char *take_name(const struct key *, void *, char *);
static char *take_names(const struct key *, void *, char *);
static char *take_masquerade(const struct key *, void *, char *);
static char *take_local(const struct key *, void *, char *);
static char *take_paths(const struct key *, void *, char *);
static char *take_spool(const struct key *, void *, char *);
static char *take_address(const struct key *, void *, char *);
static char *take_size(const struct key *, void *, char *);
static char *take_number(const struct key *, void *, char *);
static char *take_seconds(const struct key *, void *, char *);
static char *take_warn(const struct key *, void *, char *);
static char *take_milliseconds(const struct key *, void *, char *);
static char *take_word(const struct key *, void *, char *);
static char *take_rates(const struct key *, void *, char *);

static const struct key {
	const char	*name;
	take_fn		 take;
	size_t		 offset;
	const char	*init;		/* the default, or NULL */
	int64_t		 min;
	int64_t		 max;
	const struct word *words;
} keys[] = {
#define AT(field) offsetof(struct conf, field)
	/* read by libmxnss, which knows its grammar */
	{ "mxhosts", take_source_list, 0, NULL, 0, 0, NULL },
	/* their defaults are found, not written: hostname.h */
	{ "hostname", take_name, AT(hostname), NULL, 0, 0, NULL },
	{ "mail-name", take_name, AT(mail_name), NULL, 0, 0, NULL },
	{ "masquerade", take_masquerade, AT(masquerade), NULL, 0, 0, NULL },
	{ "local-domains", take_names, AT(local_domains), NULL, 0, 0, NULL },
	{ "local", take_local, 0, "mbox", 0, 0, NULL },
	{ "aliases", take_paths, AT(aliases), NULL, 0, 0, NULL },
	{ "spool", take_spool, AT(spool), MXNSS_SPOOLDIR, 0, 0, NULL },
	{ "source-address", take_address, AT(source_address), NULL, 0, 0,
	    NULL },
	{ "max-size", take_size, AT(max_size), "50M", 1024, 1048576 * MB,
	    NULL },
	{ "max-rcpts", take_number, AT(max_rcpts), "1000", 1, 100000, NULL },
	{ "expire", take_seconds, AT(expire), "5d", MINUTE, 52 * WEEK, NULL },
	{ "warn", take_warn, AT(warn), "4h", MINUTE, 52 * WEEK, NULL },
	{ "retry-min", take_seconds, AT(retry_min), "5m", 1, DAY, NULL },
	{ "retry-max", take_seconds, AT(retry_max), "4h", 1, DAY, NULL },
	{ "user-messages", take_number, AT(user_messages), "1000", 1, 1000000,
	    NULL },
	{ "user-size", take_size, AT(user_size), "256M", 1024, 1048576 * MB,
	    NULL },
	{ "workers", take_number, AT(workers), "64", 1, 1000, NULL },
	{ "per-destination", take_number, AT(per_destination), "8", 1, 1000,
	    NULL },
	{ "rate", take_rates, 0, NULL, 0, 0, NULL },
	{ "connect-timeout", take_milliseconds, AT(connect_timeout), "30s", 1,
	    HOUR, NULL },
	{ "reply-timeout", take_milliseconds, AT(reply_timeout), "5m", 1,
	    HOUR, NULL },
	{ "data-timeout", take_milliseconds, AT(data_timeout), "10m", 1,
	    HOUR, NULL },
	{ "family", take_word, AT(family), "any", 0, 0, families },
	{ "tls", take_word, AT(tls), "may", 0, 0, tls_levels },
	{ "dnssec", take_word, AT(dnssec), "auto", 0, 0, dnssec_modes },
	{ "log", take_word, AT(log), "syslog", 0, 0, log_dests },
#undef AT
};

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

static char *
take_source_list(const struct key *k, void *field, char *value)
{
	(void)k;
	(void)field;
	(void)value;
	return NULL;
}

static char *
take_name(const struct key *k, void *field, char *value)
{
	(void)k;
	if (!hostname_is_valid(value))
		return xasprintf("\"%s\" is not a host name", value);
	*(char **)field = xstrdup(value);
	return NULL;
}

static void
free_names(char **names)
{
	size_t i;

	for (i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

static char **
add_name(char **names, size_t n, const char *name)
{
	names = xreallocarray(names, n + 2, sizeof(names[0]));
	names[n] = xstrdup(name);
	names[n + 1] = NULL;
	return names;
}

static char *
take_names(const struct key *k, void *field, char *value)
{
	char **names = NULL, *name, *why = NULL;
	size_t n = 0;

	while (why == NULL && (name = strsep(&value, BLANKS ",")) != NULL) {
		if (*name == '\0')
			continue;
		why = take_name(k, &name, name);
		if (why == NULL) {
			names = add_name(names, n++, name);
			free(name);
		}
	}
	if (why == NULL)
		*(char ***)field = names;
	else
		free_names(names);
	return why;
}

static char *
take_masquerade(const struct key *k, void *field, char *value)
{
	static const char local[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_=-";
	char *at = strchr(value, '@');

	(void)k;
	if ((at != NULL && (at == value ||
	    strspn(value, local) != (size_t)(at - value))) ||
	    !hostname_is_valid(at != NULL ? at + 1 : value))
		return xasprintf("\"%s\" is neither a domain nor an address",
		    value);
	*(char **)field = xstrdup(value);
	return NULL;
}

/* One word that says how, and what belongs to it: the key sets the struct. */
static char *
take_local(const struct key *k, void *field, char *value)
{
	static const struct {
		const char	*word;	/* with a colon: something follows */
		enum conf_local	 local;
	} rows[] = {
		{ "mbox", CONF_MBOX }, { "none", CONF_NONE },
		{ "maildir:", CONF_MAILDIR }, { "lmtp:", CONF_LMTP },
		{ "forward:", CONF_FORWARD },
	};
	struct conf *c = field;
	struct sockaddr_un un;
	const char *why = NULL, *at;
	size_t i, n = 0;

	(void)k;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = strlen(rows[i].word);
		if (rows[i].word[n - 1] == ':' ?
		    strncmp(value, rows[i].word, n) == 0 :
		    strcmp(value, rows[i].word) == 0)
			break;
	}
	if (i == sizeof(rows) / sizeof(rows[0]))
		return xasprintf("\"%s\" is not one of mbox, maildir:PATH, "
		    "lmtp:PATH, forward:ADDRESS, none", value);
	value += n;
	value += strspn(value, BLANKS);
	c->local = rows[i].local;
	switch (c->local) {
	case CONF_MAILDIR:
		if (value[0] != '/' && strncmp(value, "~/", 2) != 0)
			return xasprintf("\"%s\" begins neither with / nor "
			    "with ~/", value);
		c->local_path = xstrdup(value);
		return NULL;
	case CONF_LMTP:
		if (value[0] != '/')
			return xasprintf("\"%s\" does not begin with /",
			    value);
		if (strlen(value) >= sizeof(un.sun_path))
			return xasprintf("\"%s\" is too long for a socket",
			    value);
		c->local_path = xstrdup(value);
		return NULL;
	case CONF_FORWARD:
		c->forward = addr_one(value, "", &why);
		at = c->forward != NULL ? strrchr(c->forward, '@') : NULL;
		if (at != NULL && at[1] != '\0')
			return NULL;
		free(c->forward);
		c->forward = NULL;
		return xasprintf("\"%s\" is not an address with a domain",
		    value);
	default:
		return NULL;
	}
}

static char *
take_paths(const struct key *k, void *field, char *value)
{
	char **names = NULL, *name;
	size_t n = 0;

	(void)k;
	while ((name = strsep(&value, BLANKS ",")) != NULL) {
		if (*name == '\0')
			continue;
		if (*name != '/') {
			free_names(names);
			return xasprintf("\"%s\" does not begin with /", name);
		}
		names = add_name(names, n++, name);
	}
	*(char ***)field = names;
	return NULL;
}

static char *
take_spool(const struct key *k, void *field, char *value)
{
	size_t n = strlen(value);

	(void)k;
	if (strcmp(value, "none") == 0) {
		*(char **)field = NULL;
		return NULL;
	}
	if (value[0] != '/')
		return xasprintf("\"%s\" is neither a directory that begins "
		    "with / nor none", value);
	while (n > 1 && value[n - 1] == '/')
		value[--n] = '\0';
	*(char **)field = xstrdup(value);
	return NULL;
}

static char *
take_address(const struct key *k, void *field, char *value)
{
	unsigned char addr[sizeof(struct in6_addr)];

	(void)k;
	if (inet_pton(AF_INET, value, addr) != 1 &&
	    inet_pton(AF_INET6, value, addr) != 1)
		return xasprintf("\"%s\" is not an IP address", value);
	*(char **)field = xstrdup(value);
	return NULL;
}

struct unit {
	char	letter;
	int64_t	factor;
};

/* A number and one of UNITS (ended by factor 0), within the bounds of K. */
static char *
parse_number(const struct key *k, const char *value,
    const struct unit *units, int64_t *v)
{
	const char *p = value;

	*v = 0;
	do {
		if (*p < '0' || *p > '9' ||
		    __builtin_mul_overflow(*v, (int64_t)10, v) ||
		    __builtin_add_overflow(*v, (int64_t)(*p - '0'), v))
			return xasprintf("\"%s\" is not a number", value);
		p++;
	} while (*p >= '0' && *p <= '9');
	while (*p != '\0' && units->factor != 0 && units->letter != *p)
		units++;
	if (*p != '\0' && (units->factor == 0 || p[1] != '\0'))
		return xasprintf("\"%s\" has an unknown unit", value);
	if ((*p != '\0' && __builtin_mul_overflow(*v, units->factor, v)) ||
	    *v < k->min || *v > k->max)
		return xasprintf("\"%s\" is not between %lld and %lld%s",
		    value, (long long)k->min, (long long)k->max,
		    k->take == take_size ? " octets" :
		    k->take == take_number ? "" : " seconds");
	return NULL;
}

static char *
take_size(const struct key *k, void *field, char *value)
{
	static const struct unit units[] = { { 'K', 1024 }, { 'M', MB },
	    { 'G', 1024 * MB }, { 0, 0 } };
	int64_t v;
	char *why;

	why = parse_number(k, value, units, &v);
	if (why == NULL)
		*(uint64_t *)field = (uint64_t)v;
	return why;
}

static char *
take_number(const struct key *k, void *field, char *value)
{
	static const struct unit units[] = { { 0, 0 } };
	int64_t v;
	char *why;

	why = parse_number(k, value, units, &v);
	if (why == NULL)
		*(unsigned *)field = (unsigned)v;
	return why;
}

static char *
take_seconds(const struct key *k, void *field, char *value)
{
	static const struct unit units[] = { { 's', 1 }, { 'm', MINUTE },
	    { 'h', HOUR }, { 'd', DAY }, { 'w', WEEK }, { 0, 0 } };
	int64_t v;
	char *why;

	why = parse_number(k, value, units, &v);
	if (why == NULL)
		*(int64_t *)field = v;
	return why;
}

static char *
take_warn(const struct key *k, void *field, char *value)
{
	if (strcmp(value, "off") != 0 && strcmp(value, "0") != 0)
		return take_seconds(k, field, value);
	*(int64_t *)field = 0;
	return NULL;
}

static char *
take_milliseconds(const struct key *k, void *field, char *value)
{
	int64_t seconds;
	char *why;

	why = take_seconds(k, &seconds, value);
	if (why == NULL)
		*(int *)field = (int)(seconds * 1000);
	return why;
}

static char *
take_word(const struct key *k, void *field, char *value)
{
	struct buf all = BUF_INIT;
	const struct word *w;
	char *why;

	for (w = k->words; w->name != NULL; w++)
		if (strcmp(w->name, value) == 0) {
			/* enumerations have the size of int */
			memcpy(field, &w->value, sizeof(w->value));
			return NULL;
		}
	for (w = k->words; w->name != NULL; w++)
		buf_printf(&all, "%s%s", all.len > 0 ? ", " : "", w->name);
	why = xasprintf("\"%s\" is not one of %s", value, buf_str(&all));
	buf_clear(&all);
	return why;
}

/* "N/s" and the like: microseconds from one message to the next. */
static char *
parse_rate(const char *value, int64_t *interval)
{
	static const struct unit units[] = { { 's', 1 }, { 'm', MINUTE },
	    { 'h', HOUR }, { 'd', DAY }, { 0, 0 } };
	static const struct key bounds = { .min = 1, .max = 1000000,
	    .take = take_number };
	static const struct unit none[] = { { 0, 0 } };
	const struct unit *u = units;
	const char *slash = strchr(value, '/');
	char *number, *why;
	int64_t n;

	while (slash != NULL && u->factor != 0 &&
	    (u->letter != slash[1] || slash[2] != '\0'))
		u++;
	if (slash == NULL || u->factor == 0)
		return xasprintf("\"%s\" is not a number of messages per "
		    "time, as 10/s, 100/m, 1000/h or 5000/d", value);
	number = xstrndup(value, (size_t)(slash - value));
	why = parse_number(&bounds, number, none, &n);
	free(number);
	if (why == NULL)
		*interval = u->factor * 1000000 / n;
	return why;
}

static char *
add_rate(struct conf *c, const char *domain, const char *value)
{
	struct conf_rate *r;
	int64_t interval;
	char *why, *p;

	if (strcmp(domain, "*") != 0 && !hostname_is_valid(domain))
		return xasprintf("\"%s\" is not a domain", domain);
	if ((why = parse_rate(value, &interval)) != NULL)
		return why;
	c->rate = xreallocarray(c->rate, c->nrates + 1, sizeof(c->rate[0]));
	r = &c->rate[c->nrates++];
	r->interval = interval > 0 ? interval : 1;
	r->domain = xstrdup(domain);
	for (p = r->domain; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return NULL;
}

static void
free_rates(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->nrates; i++)
		free(c->rate[i].domain);
	free(c->rate);
	c->rate = NULL;
	c->nrates = 0;
}

/* "DOMAIN N/m, DOMAIN N/s" */
static char *
take_rates(const struct key *k, void *field, char *value)
{
	struct conf *c = field;
	char *item, *domain, *why = NULL;

	(void)k;
	while (why == NULL && (item = strsep(&value, ",")) != NULL) {
		item += strspn(item, BLANKS);
		domain = strsep(&item, BLANKS);
		if (item != NULL)
			item += strspn(item, BLANKS);
		if (item == NULL || *item == '\0') {
			why = xasprintf("\"%s\" is not a domain and a rate",
			    domain);
			break;
		}
		item[strcspn(item, BLANKS)] = '\0';
		why = add_rate(c, domain, item);
	}
	if (why != NULL)
		free_rates(c);
	return why;
}

int64_t
conf_rate(const struct conf *c, const char *domain)
{
	int64_t others = 0;
	size_t i;

	for (i = 0; i < c->nrates; i++)
		if (strcmp(c->rate[i].domain, domain) == 0)
			return c->rate[i].interval;
		else if (strcmp(c->rate[i].domain, "*") == 0)
			others = c->rate[i].interval;
	return others;
}

_Static_assert(sizeof(enum conf_tls) == sizeof(int) &&
    sizeof(enum log_dest) == sizeof(int), "take_word() stores an int");

struct reader {
	struct conf	*conf;
	const char	*path;
	unsigned	 line;
	unsigned	 seen[NKEYS];	/* the line that set the key */
};

static void __attribute__((format(printf, 3, 4)))
report(struct reader *r, unsigned line, const char *fmt, ...)
{
	struct conf *c = r->conf;
	struct buf b = BUF_INIT;
	va_list ap;

	buf_printf(&b, "%s:%u: ", r->path, line);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	result_clean(b.data);
	c->errors = add_name(c->errors, c->nerrors++, buf_str(&b));
	buf_clear(&b);
}

static const struct key *
find_key(const char *name)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static void
set_key(struct reader *r, const struct key *k, char *value)
{
	unsigned *seen = &r->seen[k - keys];
	char *why;

	if (*seen != 0) {
		report(r, r->line, "%s was set in line %u already", k->name,
		    *seen);
		return;
	}
	why = k->take(k, (char *)r->conf + k->offset, value);
	if (why == NULL)
		*seen = r->line;
	else
		report(r, r->line, "%s: %s", k->name, why);
	free(why);
}

/* Cut blanks at both ends of S, and a comment: # after a blank. */
static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, BLANKS);
	for (n = 0; s[n] != '\0'; n++)
		if (s[n] == '#' && (n == 0 || strchr(BLANKS, s[n - 1]) != NULL))
			break;
	while (n > 0 && strchr(BLANKS, s[n - 1]) != NULL)
		n--;
	s[n] = '\0';
	return s;
}

static void
read_line(struct reader *r, char *line)
{
	const struct key *k;
	char *name, *value;

	name = trim(line);
	if (*name == '\0')
		return;
	value = strchr(name, ':');
	if (value == NULL) {
		report(r, r->line, "\"%.60s\" is not \"key: value\"", name);
		return;
	}
	*value++ = '\0';
	name = trim(name);
	value = trim(value);
	k = find_key(name);
	if (k == NULL)
		report(r, r->line, "unknown key \"%.60s\"", name);
	else if (*value == '\0')
		report(r, r->line, "%s has no value", name);
	else
		set_key(r, k, value);
}

/* The whole file into B.  0, or -1 with *WHY. */
static int
read_conf(const char *path, struct buf *b, const char **why)
{
	if (file_read(path, MAX_FILE, b) == -1) {
		*why = errno == EFBIG ? "the file is too long" :
		    strerror(errno);
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	}
	*why = "the file contains a NUL";
	return b->len > 0 && memchr(b->data, '\0', b->len) != NULL ? -1 : 0;
}

static void
set_default(struct conf *c, const struct key *k)
{
	char *value = xstrdup(k->init);

	free(k->take(k, (char *)c + k->offset, value));
	free(value);
}

static void
set_defaults(struct reader *r)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (keys[i].init != NULL && r->seen[i] == 0)
			set_default(r->conf, &keys[i]);
}

/* Values that are right alone and wrong together. */
static void
check_retry(struct reader *r)
{
	const struct key *min = find_key("retry-min");
	const struct key *max = find_key("retry-max");
	unsigned first, second;

	if (min == NULL || max == NULL ||
	    r->conf->retry_min <= r->conf->retry_max)
		return;
	first = r->seen[min - keys];
	second = r->seen[max - keys];
	report(r, first > second ? first : second,
	    "retry-min is longer than retry-max");
	set_default(r->conf, min);
	set_default(r->conf, max);
}

static void
find_names(struct conf *c, const struct hostname_env *env)
{
	if (c->hostname == NULL)
		c->hostname = hostname_find(env);
	c->bare_hostname = strchr(c->hostname, '.') == NULL;
	if (c->mail_name == NULL)
		c->mail_name = hostname_mail(env);
	if (c->mail_name == NULL)
		c->mail_name = xstrdup(c->hostname);
	if (c->local_domains == NULL)
		c->local_domains = add_name(NULL, 0, c->hostname);
	c->aliases_default = c->aliases == NULL;
	if (c->aliases_default)
		c->aliases = add_name(NULL, 0, ALIASES);
}

struct conf *
conf_load_env(const char *path, const struct hostname_env *env)
{
	struct reader r = { .path = path };
	struct buf text = BUF_INIT;
	const char *why;
	char *rest, *line;

	r.conf = xcalloc(1, sizeof(*r.conf));
	r.conf->errors = xcalloc(1, sizeof(r.conf->errors[0]));
	if (read_conf(path, &text, &why) == -1)
		report(&r, 0, "cannot be read: %s", why);
	rest = text.data;
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
		r.line++;
		read_line(&r, line);
	}
	set_defaults(&r);
	check_retry(&r);
	find_names(r.conf, env);
	buf_clear(&text);
	return r.conf;
}

struct conf *
conf_load(const char *path)
{
	return conf_load_env(path, &hostname_system);
}

bool
conf_is_local(const struct conf *c, const char *domain)
{
	char *const *p;

	for (p = c->local_domains; *p != NULL; p++)
		if (strcasecmp(*p, domain) == 0)
			return true;
	return false;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	free(c->hostname);
	free(c->mail_name);
	free(c->masquerade);
	free_names(c->local_domains);
	free(c->local_path);
	free(c->forward);
	free_names(c->aliases);
	free(c->spool);
	free(c->source_address);
	free_rates(c);
	free_names(c->errors);
	free(c);
}
