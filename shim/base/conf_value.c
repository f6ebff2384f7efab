/* SPDX-License-Identifier: ISC */
/*
 * The values of the configuration file: one function for each kind.  The key
 * has the bounds.
 */
#include "config.h"

#include "base/confint.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/hostname.h"
#include "base/xmalloc.h"

_Static_assert(sizeof(enum conf_tls) == sizeof(int) &&
    sizeof(enum log_dest) == sizeof(int), "conf_take_word() stores an int");

char *
conf_take_source_list(const struct key *k, void *field, char *value)
{
	(void)k;
	(void)field;
	(void)value;
	return NULL;
}

char *
conf_take_name(const struct key *k, void *field, char *value)
{
	(void)k;
	if (!hostname_is_valid(value))
		return xasprintf("\"%s\" is not a host name", value);
	*(char **)field = xstrdup(value);
	return NULL;
}

void
conf_free_names(char **names)
{
	size_t i;

	for (i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

char **
conf_add_name(char **names, size_t n, const char *name)
{
	names = xreallocarray(names, n + 2, sizeof(names[0]));
	names[n] = xstrdup(name);
	names[n + 1] = NULL;
	return names;
}

char *
conf_take_names(const struct key *k, void *field, char *value)
{
	char **names = NULL, *name, *why = NULL;
	size_t n = 0;

	while (why == NULL &&
	    (name = strsep(&value, CONF_BLANKS ",")) != NULL) {
		if (*name == '\0')
			continue;
		why = conf_take_name(k, &name, name);
		if (why == NULL) {
			names = conf_add_name(names, n++, name);
			free(name);
		}
	}
	if (why == NULL)
		*(char ***)field = names;
	else
		conf_free_names(names);
	return why;
}

char *
conf_take_masquerade(const struct key *k, void *field, char *value)
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
char *
conf_take_local(const struct key *k, void *field, char *value)
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
	value += strspn(value, CONF_BLANKS);
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

char *
conf_take_paths(const struct key *k, void *field, char *value)
{
	char **names = NULL, *name;
	size_t n = 0;

	(void)k;
	while ((name = strsep(&value, CONF_BLANKS ",")) != NULL) {
		if (*name == '\0')
			continue;
		if (*name != '/') {
			conf_free_names(names);
			return xasprintf("\"%s\" does not begin with /", name);
		}
		names = conf_add_name(names, n++, name);
	}
	*(char ***)field = names;
	return NULL;
}

char *
conf_take_spool(const struct key *k, void *field, char *value)
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

char *
conf_take_address(const struct key *k, void *field, char *value)
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
		    k->take == conf_take_size ? " octets" :
		    k->take == conf_take_number ? "" : " seconds");
	return NULL;
}

char *
conf_take_size(const struct key *k, void *field, char *value)
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

char *
conf_take_number(const struct key *k, void *field, char *value)
{
	static const struct unit units[] = { { 0, 0 } };
	int64_t v;
	char *why;

	why = parse_number(k, value, units, &v);
	if (why == NULL)
		*(unsigned *)field = (unsigned)v;
	return why;
}

char *
conf_take_seconds(const struct key *k, void *field, char *value)
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

char *
conf_take_warn(const struct key *k, void *field, char *value)
{
	if (strcmp(value, "off") != 0 && strcmp(value, "0") != 0)
		return conf_take_seconds(k, field, value);
	*(int64_t *)field = 0;
	return NULL;
}

char *
conf_take_milliseconds(const struct key *k, void *field, char *value)
{
	int64_t seconds;
	char *why;

	why = conf_take_seconds(k, &seconds, value);
	if (why == NULL)
		*(int *)field = (int)(seconds * 1000);
	return why;
}

char *
conf_take_word(const struct key *k, void *field, char *value)
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
	    .take = conf_take_number };
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

void
conf_free_rates(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->nrates; i++)
		free(c->rate[i].domain);
	free(c->rate);
	c->rate = NULL;
	c->nrates = 0;
}

/* "DOMAIN N/m, DOMAIN N/s" */
char *
conf_take_rates(const struct key *k, void *field, char *value)
{
	struct conf *c = field;
	char *item, *domain, *why = NULL;
	size_t n;

	(void)k;
	while (why == NULL && (item = strsep(&value, ",")) != NULL) {
		item += strspn(item, CONF_BLANKS);
		domain = strsep(&item, CONF_BLANKS);
		if (item != NULL)
			item += strspn(item, CONF_BLANKS);
		if (item == NULL || *item == '\0') {
			why = xasprintf("\"%s\" is not a domain and a rate",
			    domain);
			break;
		}
		n = strcspn(item, CONF_BLANKS);
		if (item[n + strspn(item + n, CONF_BLANKS)] == '\0')
			item[n] = '\0';
		why = add_rate(c, domain, item);
	}
	if (why != NULL)
		conf_free_rates(c);
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
