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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/confint.h"
#include "base/file.h"
#include "base/hostname.h"
#include "base/result.h"
#include "base/xmalloc.h"

#define MAX_FILE	(1024 * 1024)
#define ALIASES		"/etc/aliases"

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

static const struct key keys[] = {
#define AT(field) offsetof(struct conf, field)
	/* read by libmxnss, which knows its grammar */
	{ "mxhosts", conf_take_source_list, 0, NULL, 0, 0, NULL },
	/* their defaults are found, not written: hostname.h */
	{ "hostname", conf_take_name, AT(hostname), NULL, 0, 0, NULL },
	{ "mail-name", conf_take_name, AT(mail_name), NULL, 0, 0, NULL },
	{ "masquerade", conf_take_masquerade, AT(masquerade), NULL, 0, 0,
	    NULL },
	{ "local-domains", conf_take_names, AT(local_domains), NULL, 0, 0,
	    NULL },
	{ "local", conf_take_local, 0, "mbox", 0, 0, NULL },
	{ "aliases", conf_take_paths, AT(aliases), NULL, 0, 0, NULL },
	{ "spool", conf_take_spool, AT(spool), MXNSS_SPOOLDIR, 0, 0, NULL },
	{ "source-address", conf_take_address, AT(source_address), NULL, 0, 0,
	    NULL },
	{ "max-size", conf_take_size, AT(max_size), "50M", 1024, 1048576 * MB,
	    NULL },
	{ "max-rcpts", conf_take_number, AT(max_rcpts), "1000", 1, 100000,
	    NULL },
	{ "expire", conf_take_seconds, AT(expire), "5d", MINUTE, 52 * WEEK,
	    NULL },
	{ "warn", conf_take_warn, AT(warn), "4h", MINUTE, 52 * WEEK, NULL },
	{ "retry-min", conf_take_seconds, AT(retry_min), "5m", 1, DAY, NULL },
	{ "retry-max", conf_take_seconds, AT(retry_max), "4h", 1, DAY, NULL },
	{ "user-messages", conf_take_number, AT(user_messages), "1000", 1,
	    1000000, NULL },
	{ "user-size", conf_take_size, AT(user_size), "256M", 1024,
	    1048576 * MB, NULL },
	{ "workers", conf_take_number, AT(workers), "64", 1, 1000, NULL },
	{ "per-destination", conf_take_number, AT(per_destination), "8", 1,
	    1000, NULL },
	{ "rate", conf_take_rates, 0, NULL, 0, 0, NULL },
	{ "connect-timeout", conf_take_milliseconds, AT(connect_timeout),
	    "30s", 1, HOUR, NULL },
	{ "reply-timeout", conf_take_milliseconds, AT(reply_timeout), "5m", 1,
	    HOUR, NULL },
	{ "data-timeout", conf_take_milliseconds, AT(data_timeout), "10m", 1,
	    HOUR, NULL },
	{ "family", conf_take_word, AT(family), "any", 0, 0, families },
	{ "tls", conf_take_word, AT(tls), "may", 0, 0, tls_levels },
	{ "dnssec", conf_take_word, AT(dnssec), "auto", 0, 0, dnssec_modes },
	{ "log", conf_take_word, AT(log), "syslog", 0, 0, log_dests },
#undef AT
};

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

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
	c->errors = conf_add_name(c->errors, c->nerrors++, buf_str(&b));
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

	s += strspn(s, CONF_BLANKS);
	for (n = 0; s[n] != '\0'; n++)
		if (s[n] == '#' && (n == 0 ||
		    strchr(CONF_BLANKS, s[n - 1]) != NULL))
			break;
	while (n > 0 && strchr(CONF_BLANKS, s[n - 1]) != NULL)
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
		c->local_domains = conf_add_name(NULL, 0, c->hostname);
	c->aliases_default = c->aliases == NULL;
	if (c->aliases_default)
		c->aliases = conf_add_name(NULL, 0, ALIASES);
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
	conf_free_names(c->local_domains);
	free(c->local_path);
	free(c->forward);
	conf_free_names(c->aliases);
	free(c->spool);
	free(c->source_address);
	conf_free_rates(c);
	conf_free_names(c->errors);
	free(c);
}
