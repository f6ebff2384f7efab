/* SPDX-License-Identifier: ISC */
/*
 * resolv.conf(5) -> servers and options.  res_ninit(3) reads it, in glibc
 * from memory unless the file changed.  A C library without that call has
 * no say in what we do with the file, so there we read it ourselves; and as
 * its resolver has no notion of whether AD may be believed, an administrator
 * there has never been asked, and we do not believe it.
 */
#include "config.h"

#include "resconf.h"

#include <sys/types.h>
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#ifndef _PATH_RESCONF
#define _PATH_RESCONF	"/etc/resolv.conf"
#endif

#define TIMEOUT		5		/* s */
#define MAXTIMEOUT	30
#define ATTEMPTS	2
#define MAXATTEMPTS	5
#define MAXFILESERVERS	3		/* more are ignored everywhere */

static const char blank[] = " \t\r\n";

/* The next word of *S, which is ended by a NUL; NULL if there is none. */
static char *
next_word(char **s)
{
	char *word = *s + strspn(*s, blank);

	if (*word == '\0')
		return NULL;
	*s = word + strcspn(word, blank);
	if (**s != '\0')
		*(*s)++ = '\0';
	return word;
}

/* TEXT may end in %scope, so inet_pton(3) will not do. */
static void
add_server(struct mxres_resconf *conf, const char *text)
{
	static const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM
	};
	struct addrinfo *ai;

	if (conf->nserver >= MAXFILESERVERS ||
	    getaddrinfo(text, "53", &hints, &ai) != 0)
		return;
	if (ai->ai_addrlen <= sizeof(conf->server[0]))
		memcpy(&conf->server[conf->nserver++], ai->ai_addr,
		    ai->ai_addrlen);
	freeaddrinfo(ai);
}

static void
set_default_server(struct mxres_resconf *conf)
{
	if (conf->nserver > 0)
		return;
	conf->server[0].sin.sin_family = AF_INET;
	conf->server[0].sin.sin_port = htons(53);
	conf->server[0].sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	conf->nserver = 1;
}

/* The number after NAME in WORD, from 1 to MAX; else *N stays. */
static void
set_number(const char *word, const char *name, int max, int *n)
{
	const char *error;
	long long value;

	if (strncmp(word, name, strlen(name)) != 0)
		return;
	value = strtonum(word + strlen(name), 0, 1000000, &error);
	if (error == NULL)
		*n = value < 1 ? 1 : value > max ? max : (int)value;
}

static void
set_option(struct mxres_resconf *conf, const char *word)
{
	int seconds = conf->timeout / 1000;

	if (strcmp(word, "rotate") == 0)
		conf->rotate = true;
	else if (strcmp(word, "use-vc") == 0 || strcmp(word, "usevc") == 0)
		conf->tcp = true;
	else if (strcmp(word, "trust-ad") == 0)
		conf->trust = true;
	set_number(word, "attempts:", MAXATTEMPTS, &conf->attempts);
	set_number(word, "timeout:", MAXTIMEOUT, &seconds);
	conf->timeout = seconds * 1000;
}

void
mxres_resconf_read(FILE *fp, struct mxres_resconf *conf)
{
	char *line = NULL, *s, *word;
	size_t size = 0;

	memset(conf, 0, sizeof(*conf));
	conf->timeout = TIMEOUT * 1000;
	conf->attempts = ATTEMPTS;
	while (fp != NULL && getline(&line, &size, fp) != -1) {
		s = line;
		/* The keyword must begin the line. */
		if (strchr(blank, *line) != NULL ||
		    (word = next_word(&s)) == NULL)
			continue;
		if (strcmp(word, "nameserver") == 0) {
			if ((word = next_word(&s)) != NULL)
				add_server(conf, word);
		} else if (strcmp(word, "options") == 0)
			while ((word = next_word(&s)) != NULL)
				set_option(conf, word);
	}
	free(line);
	set_default_server(conf);
}

/* From the file itself; one that is not there is an empty one. */
static enum mxres_status
read_file(struct mxres_resconf *conf, int *error)
{
	FILE *fp = fopen(_PATH_RESCONF, "re");

	if (fp == NULL && errno != ENOENT && errno != ENOTDIR &&
	    errno != EACCES) {
		*error = errno;
		return errno == ENOMEM ? MXRES_NOMEM : MXRES_AGAIN;
	}
	mxres_resconf_read(fp, conf);
	if (fp != NULL)
		(void)fclose(fp);
	return MXRES_OK;
}

#ifdef HAVE_RES_NINIT

#ifdef HAVE_RES_GETSERVERS
/* The BSDs have a call for it. */
static void
list_servers(struct __res_state *st, struct mxres_resconf *conf)
{
	union res_sockaddr_union u[MXRES_MAXSERVERS];
	int i, n = res_getservers(st, u, MXRES_MAXSERVERS);

	for (i = 0; i < n; i++) {
		if (u[i].sin.sin_family == AF_INET)
			conf->server[conf->nserver++].sin = u[i].sin;
		else if (u[i].sin.sin_family == AF_INET6)
			conf->server[conf->nserver++].sin6 = u[i].sin6;
	}
}
#else
/* glibc keeps those of IPv6 elsewhere. */
static void
list_servers(struct __res_state *st, struct mxres_resconf *conf)
{
	int i;

	for (i = 0; i < st->nscount && i < MAXNS; i++) {
		if (st->nsaddr_list[i].sin_family == AF_INET)
			conf->server[conf->nserver++].sin =
			    st->nsaddr_list[i];
		else if (st->_u._ext.nsaddrs[i] != NULL)
			conf->server[conf->nserver++].sin6 =
			    *st->_u._ext.nsaddrs[i];
	}
}
#endif

/*
 * Whether resolv.conf says trust-ad.  RES_OPTIONS in the environment can
 * set it too, but who runs a program does not decide what it believes.
 */
static bool
file_trusts(const struct __res_state *st)
{
	struct mxres_resconf file;
	int error;

#ifdef RES_TRUSTAD
	if ((st->options & RES_TRUSTAD) == 0)
		return false;
	if (getenv("RES_OPTIONS") == NULL)
		return true;
#else
	(void)st;
#endif
	return read_file(&file, &error) == MXRES_OK && file.trust;
}

enum mxres_status
mxres_resconf_load(struct mxres_resconf *conf, int *error)
{
	struct __res_state st;

	memset(&st, 0, sizeof(st));
	if (res_ninit(&st) != 0) {
		*error = errno;
		return errno == ENOMEM ? MXRES_NOMEM : MXRES_AGAIN;
	}
	memset(conf, 0, sizeof(*conf));
	conf->timeout = (st.retrans > 0 ? st.retrans : 1) * 1000;
	conf->attempts = st.retry > 0 ? st.retry : 1;
	conf->rotate = (st.options & RES_ROTATE) != 0;
	conf->tcp = (st.options & RES_USEVC) != 0;
	conf->trust = file_trusts(&st);
	conf->may_trust = true;
	list_servers(&st, conf);
	res_nclose(&st);
	return MXRES_OK;
}

#else /* !HAVE_RES_NINIT */

enum mxres_status
mxres_resconf_load(struct mxres_resconf *conf, int *error)
{
	return read_file(conf, error);
}

#endif /* HAVE_RES_NINIT */
