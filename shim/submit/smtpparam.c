/* SPDX-License-Identifier: ISC */
/* What follows MAIL and RCPT. */
#include "config.h"

#include "submit/smtpparam.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/buf.h"

#define BLANKS		" \t"

/* The octets of "<...>"; 0 if it has no end.  Quotes may hide one. */
static size_t
bracketed(const char *p)
{
	bool quoted = false;
	size_t i;

	for (i = 0; p[i] != '\0'; i++) {
		if (p[i] == '\\' && quoted && p[i + 1] != '\0')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (p[i] == '>' && !quoted)
			return i + 1;
	}
	return 0;
}

char *
smtpparam_path(char **arg, const char *word)
{
	size_t n = strlen(word);
	char *path;

	if (strncasecmp(*arg, word, n) != 0)
		return NULL;
	path = *arg + n;
	path += strspn(path, BLANKS);
	n = *path == '<' ? bracketed(path) : strcspn(path, BLANKS);
	if (n == 0 || strchr(BLANKS, path[n]) == NULL)
		return NULL;
	*arg = path + n + (path[n] != '\0' ? 1 : 0);
	path[n] = '\0';
	return path;
}

/* The next parameter of *ARG, and *VALUE; NULL: there is none. */
static char *
next(char **arg, char **value)
{
	char *name;

	*arg += strspn(*arg, BLANKS);
	if (**arg == '\0')
		return NULL;
	name = *arg;
	*arg += strcspn(*arg, BLANKS);
	if (**arg != '\0')
		*(*arg)++ = '\0';
	*value = strchr(name, '=');
	if (*value != NULL)
		*(*value)++ = '\0';
	else
		*value = name + strlen(name);
	return name;
}

/* SIZE (RFC 1870): up to 20 digits; what is more than all is all. */
static bool
take_size(const char *value, uint64_t *size)
{
	size_t n = strspn(value, "0123456789");

	if (n == 0 || n > 20 || value[n] != '\0')
		return false;
	*size = 0;
	for (; *value != '\0'; value++)
		if (__builtin_mul_overflow(*size, (uint64_t)10, size) ||
		    __builtin_add_overflow(*size, (uint64_t)(*value - '0'),
		    size)) {
			*size = UINT64_MAX;
			break;
		}
	return true;
}

static bool
take_envid(const char *value, char **envid)
{
	struct buf b = BUF_INIT;

	if (*envid == NULL && dsn_parse_xtext(value, strlen(value), &b) == 0 &&
	    dsn_is_envid(buf_str(&b), b.len)) {
		*envid = buf_take(&b);
		return true;
	}
	buf_clear(&b);
	return false;
}

const char *
smtpparam_mail(char *arg, struct smtpparam_mail *p)
{
	char *name, *value;

	while ((name = next(&arg, &value)) != NULL) {
		if (strcasecmp(name, "SIZE") == 0) {
			if (!take_size(value, &p->size))
				return "501 5.5.4 SIZE takes a number";
		} else if (strcasecmp(name, "BODY") == 0) {
			/* we look ourselves */
			if (strcasecmp(value, "7BIT") != 0 &&
			    strcasecmp(value, "8BITMIME") != 0)
				return "501 5.5.4 BODY takes 7BIT or 8BITMIME";
		} else if (strcasecmp(name, "SMTPUTF8") == 0) {
			if (*value != '\0')
				return "501 5.5.4 SMTPUTF8 takes no value";
			p->utf8 = true;
		} else if (strcasecmp(name, "RET") == 0) {
			if (dsn_parse_ret(value, strlen(value), &p->ret) == -1)
				return "501 5.5.4 RET takes FULL or HDRS";
		} else if (strcasecmp(name, "ENVID") == 0) {
			if (!take_envid(value, &p->envid))
				return "501 5.5.4 ENVID takes xtext of up to "
				    "100 octets, once";
		} else {
			return "555 5.5.4 unknown parameter of MAIL";
		}
	}
	return NULL;
}

/* "type;text".  Only mail addresses are of use later, with their domain. */
static bool
take_orcpt(const char *value, const char *domain, char **orcpt)
{
	size_t n = strlen(value);
	struct buf b = BUF_INIT;
	const char *why;
	int rc = -1;

	if (*orcpt == NULL && n <= DSN_MAX_ORCPT)
		rc = dsn_parse_orcpt(value, n, &b);
	if (b.len == 0)
		rc = -1;
	if (rc == 0)
		*orcpt = addr_one(b.data, domain, &why);
	buf_clear(&b);
	return rc != -1;
}

const char *
smtpparam_rcpt(char *arg, const char *default_domain,
    struct smtpparam_rcpt *p)
{
	char *name, *value;

	while ((name = next(&arg, &value)) != NULL) {
		if (strcasecmp(name, "NOTIFY") == 0) {
			if (dsn_parse_notify(value, strlen(value),
			    &p->notify) == -1)
				return "501 5.5.4 NOTIFY takes NEVER, or a "
				    "list of SUCCESS, FAILURE and DELAY";
		} else if (strcasecmp(name, "ORCPT") == 0) {
			if (!take_orcpt(value, default_domain, &p->orcpt))
				return "501 5.5.4 ORCPT takes a type, ; and "
				    "xtext, once";
		} else {
			return "555 5.5.4 unknown parameter of RCPT";
		}
	}
	return NULL;
}
