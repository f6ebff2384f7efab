/* SPDX-License-Identifier: ISC */
/*
 * Names of this machine: what the kernel, hosts(5), resolv.conf(5) and
 * /etc/mailname say.  Lines are read up to a fixed length; what is longer or
 * is no name is as if it were not there.
 */
#include "config.h"

#include "base/hostname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/xmalloc.h"

#define BLANKS	" \t\r\n"

const struct hostname_env hostname_system = {
	.own = NULL,
	.hosts = "/etc/hosts",
	.resolv = "/etc/resolv.conf",
	.mailname = "/etc/mailname",
};

static bool
is_label(const char *p, size_t n)
{
	size_t i;

	if (n == 0 || n > 63 || p[0] == '-' || p[n - 1] == '-')
		return false;
	for (i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') ||
		    (p[i] >= 'A' && p[i] <= 'Z') ||
		    (p[i] >= '0' && p[i] <= '9') ||
		    p[i] == '-' || p[i] == '_'))
			return false;
	return true;
}

bool
hostname_is_valid(const char *s)
{
	size_t n;

	if (strlen(s) > 253)
		return false;
	for (;;) {
		n = strcspn(s, ".");
		if (!is_label(s, n))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

/* S without a final dot if it is a name that we can use, else NULL. */
static char *
usable(const char *s)
{
	size_t n = strlen(s);
	char *name;

	name = xstrndup(s, n > 0 && s[n - 1] == '.' ? n - 1 : n);
	if (hostname_is_valid(name))
		return name;
	free(name);
	return NULL;
}

/*
 * Call EACH for the words of every line of PATH, without comments; stops
 * when it returns a name.
 */
static char *
each_line(const char *path, char *(*each)(char *words, const char *own),
    const char *own)
{
	char line[4096], *found = NULL;
	FILE *fp;

	fp = fopen(path, "re");
	if (fp == NULL)
		return NULL;
	while (found == NULL && fgets(line, sizeof(line), fp) != NULL) {
		line[strcspn(line, "#;")] = '\0';
		found = each(line, own);
	}
	fclose(fp);
	return found;
}

/* hosts(5): the first dotted name of the line that has OWN. */
static char *
from_hosts(char *words, const char *own)
{
	char *word, *name, *dotted = NULL;
	bool ours = false;

	(void)strsep(&words, BLANKS);	/* the address */
	while ((word = strsep(&words, BLANKS)) != NULL) {
		if (strcasecmp(word, own) == 0)
			ours = true;
		if (dotted == NULL && strchr(word, '.') != NULL &&
		    (name = usable(word)) != NULL)
			dotted = name;
	}
	if (ours && dotted != NULL)
		return dotted;
	free(dotted);
	return NULL;
}

/* resolv.conf(5): OWN and the first domain of a `search' line. */
static char *
from_resolv(char *words, const char *own)
{
	char *word, *name, *found;

	word = strsep(&words, BLANKS);
	if (word == NULL || (strcmp(word, "search") != 0 &&
	    strcmp(word, "domain") != 0))
		return NULL;
	do {
		word = strsep(&words, BLANKS);
	} while (word != NULL && *word == '\0');
	if (word == NULL || strcmp(word, ".") == 0)
		return NULL;
	name = xasprintf("%s.%s", own, word);
	found = usable(name);
	free(name);
	return found;
}

static char *
from_mailname(char *words, const char *own)
{
	char *word;

	(void)own;
	do {
		word = strsep(&words, BLANKS);
	} while (word != NULL && *word == '\0');
	return word != NULL ? usable(word) : NULL;
}

static char *
own_name(const struct hostname_env *env)
{
	char name[HOST_NAME_MAX + 1] = "";
	char *own;

	if (env->own == NULL && gethostname(name, sizeof(name)) == -1)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	own = usable(env->own != NULL ? env->own : name);
	return own != NULL ? own : xstrdup("localhost");
}

char *
hostname_find(const struct hostname_env *env)
{
	char *own = own_name(env), *name;

	if (strchr(own, '.') != NULL)
		return own;
	name = each_line(env->hosts, from_hosts, own);
	if (name == NULL)
		name = each_line(env->resolv, from_resolv, own);
	if (name == NULL)
		return own;
	free(own);
	return name;
}

char *
hostname_mail(const struct hostname_env *env)
{
	return each_line(env->mailname, from_mailname, NULL);
}
