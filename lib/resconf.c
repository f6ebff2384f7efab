/* SPDX-License-Identifier: ISC */
/*
 * resolv.conf(5) -> servers and options.  We read the file ourselves, for
 * res_ninit(3) is not everywhere, and in glibc holds a lock that a child
 * inherits: when a program with threads forks at the wrong moment, the next
 * res_ninit() of the child waits for ever.
 *
 * Each thread remembers what the file said, so that a lookup costs one
 * stat(2) while the file stays as it is.  What threads do not share needs
 * no lock, and a child that was forked has a copy.
 */
#include "config.h"

#include "resconf.h"

#include <sys/types.h>
#include <sys/stat.h>
#include <netinet/in.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef _PATH_RESCONF
#define _PATH_RESCONF	"/etc/resolv.conf"
#endif

#define MAXFILE		65536	/* octets that are read */
#define PORT		53
#define TIMEOUT		5		/* s */
#define MAXTIMEOUT	30
#define ATTEMPTS	2
#define MAXATTEMPTS	5
#define MAXFILESERVERS	3		/* more are ignored everywhere */
#define YOUNG		2		/* s; the next change may bear the
					   same time */

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

/* "192.0.2.1", "2001:db8::1" or "fe80::1%eth0"; others are ignored. */
static void
add_server(struct mxres_resconf *conf, char *text)
{
	union mxres_server *srv = &conf->server[conf->nserver];
	char *scope;

	if (conf->nserver >= MAXFILESERVERS)
		return;
	if (inet_pton(AF_INET, text, &srv->sin.sin_addr) == 1) {
		srv->sin.sin_family = AF_INET;
		srv->sin.sin_port = htons(PORT);
		conf->nserver++;
		return;
	}
	if ((scope = strchr(text, '%')) != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &srv->sin6.sin6_addr) != 1)
		return;
	srv->sin6.sin6_family = AF_INET6;
	srv->sin6.sin6_port = htons(PORT);
	if (scope != NULL)
		srv->sin6.sin6_scope_id = if_nametoindex(scope);
	conf->nserver++;
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

static void
read_line(struct mxres_resconf *conf, char *line)
{
	char *word;

	/* The keyword must begin the line. */
	if (*line == '\0' || strchr(blank, *line) != NULL ||
	    (word = next_word(&line)) == NULL)
		return;
	if (strcmp(word, "nameserver") == 0) {
		if ((word = next_word(&line)) != NULL)
			add_server(conf, word);
	} else if (strcmp(word, "options") == 0)
		while ((word = next_word(&line)) != NULL)
			set_option(conf, word);
}

void
mxres_resconf_read(char *text, struct mxres_resconf *conf)
{
	char *line;

	memset(conf, 0, sizeof(*conf));
	conf->timeout = TIMEOUT * 1000;
	conf->attempts = ATTEMPTS;
	while ((line = strsep(&text, "\n")) != NULL)
		read_line(conf, line);
	set_default_server(conf);
}

/*
 * RES_OPTIONS in the environment comes after the file, but who runs a
 * program does not decide what it believes.
 */
static void
read_environment(struct mxres_resconf *conf, const char *options)
{
	bool trust = conf->trust;
	char text[256], *s = text, *word;

	if (strlcpy(text, options, sizeof(text)) >= sizeof(text))
		return;
	while ((word = next_word(&s)) != NULL)
		set_option(conf, word);
	conf->trust = trust;
}

/* Which contents a file has; all zero: there is no file. */
struct version {
	dev_t		dev;
	ino_t		ino;
	off_t		size;
	struct timespec	mtim;
	struct timespec	ctim;
};

/* What this thread read last, if REMEMBERED. */
static _Thread_local struct mxres_resconf last_conf;
static _Thread_local struct version last_version;
static _Thread_local bool remembered;

static void
set_version(struct version *v, const struct stat *st)
{
	v->dev = st->st_dev;
	v->ino = st->st_ino;
	v->size = st->st_size;
	v->mtim = st->st_mtim;
	v->ctim = st->st_ctim;
}

static bool
is_same_version(const struct version *a, const struct version *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtim.tv_sec == b->mtim.tv_sec &&
	    a->mtim.tv_nsec == b->mtim.tv_nsec &&
	    a->ctim.tv_sec == b->ctim.tv_sec &&
	    a->ctim.tv_nsec == b->ctim.tv_nsec;
}

/* False if nobody can know. */
static bool
get_version(struct version *v)
{
	struct stat st;

	memset(v, 0, sizeof(*v));
	if (stat(_PATH_RESCONF, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR;
	set_version(v, &st);
	return true;
}

/*
 * Whether the next change of the file will show.  An interface that has
 * gone and come again has another number, too.
 */
static bool
is_lasting(const struct mxres_resconf *conf, const struct version *v)
{
	struct timespec now;
	size_t i;

	for (i = 0; i < conf->nserver; i++)
		if (conf->server[i].sa.sa_family == AF_INET6 &&
		    conf->server[i].sin6.sin6_scope_id != 0)
			return false;
	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    v->ctim.tv_sec < now.tv_sec - YOUNG;
}

/*
 * The file, ended by a NUL; one that is not there is empty.  A regular file
 * comes at one read.  *V becomes the version that was read, or stays if
 * none was.
 */
static char *
read_file(struct version *v)
{
	struct stat st;
	char *text;
	ssize_t n = 0;
	int fd, error;

	if ((text = malloc(MAXFILE)) == NULL)
		return NULL;
	fd = open(_PATH_RESCONF, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT && errno != ENOTDIR &&
	    errno != EACCES) {
		error = errno;
		free(text);
		errno = error;
		return NULL;
	}
	if (fd != -1 && (n = read(fd, text, MAXFILE - 1)) != -1 &&
	    fstat(fd, &st) == 0)
		set_version(v, &st);
	error = errno;
	if (fd != -1)
		(void)close(fd);
	if (n == -1) {
		free(text);
		errno = error;
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* Reads the file, and remembers it if it has been VERSION for a while. */
static enum mxres_status
read_anew(struct mxres_resconf *conf, const struct version *version,
    int *error)
{
	struct version got;
	char *text;

	memset(&got, 0, sizeof(got));
	if ((text = read_file(&got)) == NULL) {
		*error = errno;
		return errno == ENOMEM ? MXRES_NOMEM : MXRES_AGAIN;
	}
	mxres_resconf_read(text, conf);
	free(text);
	remembered = version != NULL && is_same_version(version, &got) &&
	    is_lasting(conf, version);
	if (remembered) {
		last_conf = *conf;
		last_version = *version;
	}
	return MXRES_OK;
}

enum mxres_status
mxres_resconf_load(struct mxres_resconf *conf, int *error)
{
	const char *options = secure_getenv("RES_OPTIONS");
	struct version now;
	bool known = get_version(&now);
	enum mxres_status status;

	if (known && remembered && is_same_version(&now, &last_version))
		*conf = last_conf;
	else if ((status = read_anew(conf, known ? &now : NULL, error)) !=
	    MXRES_OK)
		return status;
	if (options != NULL)
		read_environment(conf, options);
#ifdef RES_TRUSTAD
	conf->may_trust = true;
#endif
	return MXRES_OK;
}
