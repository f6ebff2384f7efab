/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "fake.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sources/module.h"
#include "mxdb.h"

struct fake {
	const char	*name;
	unsigned int	 asked;
};

static const struct fake_line *script;
static const struct mxnss_host *host;
static struct fake fakes[] = {
	{ "alpha", 0 }, { "beta", 0 }, { "gamma", 0 }, { "dns", 0 }
};
static char dir[PATH_MAX];

static int
error_by_name(const char *name)
{
	int i;

	for (i = 1; i < 120; i++)
		if (strcmp(mx_errname(i), name) == 0)
			return i;
	(void)fprintf(stderr, "fake: what is \"%s\"?\n", name);
	abort();
}

static enum mxnss_status
status_by_name(const char *name)
{
	static const char *const names[] = {
		"TRYAGAIN", "UNAVAIL", "NOTFOUND", "SUCCESS"
	};
	int i;

	for (i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return (enum mxnss_status)(i - 2);
	return (enum mxnss_status)77;
}

static char *
next(char **rest)
{
	char *word;

	if ((word = strsep(rest, " ")) == NULL)
		abort();
	return word;
}

static long
next_number(char **rest)
{
	return strtol(next(rest), NULL, 10);
}

/* One word of a script, and those that belong to it. */
static void
obey(struct mxnss_reply *r, const char *word, char **rest,
    struct mxnss_record *rec)
{
	if (strcmp(word, "+") == 0)
		(void)host->merge(r);
	else if (strcmp(word, "null") == 0)
		(void)host->null_mx(r);
	else if (strcmp(word, "nodata") == 0)
		(void)host->nodata(r);
	else if (strcmp(word, "cname") == 0)
		(void)host->facts(r, next(rest), 0, 60, 0);
	else if (strcmp(word, "ttl") == 0) {
		rec->ttl = (uint32_t)next_number(rest);
		(void)host->facts(r, NULL, 0, rec->ttl, 0);
	} else if (strcmp(word, "secure") == 0) {
		rec->flags |= MXE_SECURE;
		(void)host->flags(r, MXI_SECURE);
	} else if (strcmp(word, "byrcpt") == 0)
		(void)host->flags(r, MXI_BYRCPT);
	else if (strcmp(word, "local") == 0)
		rec->flags |= MXE_LOCALCONF;
	else if (strcmp(word, "tls") == 0)
		rec->tls = (int)next_number(rest);
	else if (strcmp(word, "note") == 0)
		(void)host->note(r, next(rest));
	else if (strcmp(word, "origin") == 0)
		(void)host->origin(r, next(rest));
	else if (strcmp(word, "mx") == 0) {
		rec->pref = (uint16_t)next_number(rest);
		rec->host = next(rest);
		(void)host->next_query(r, rec);
	} else if (strcmp(word, "dsn") == 0) {
		const char *dsn = next(rest);

		(void)host->fail(r, error_by_name(next(rest)), dsn,
		    "as scripted");
	} else if (word[0] == 'M')
		(void)host->fail(r, error_by_name(word), NULL, NULL);
	else {
		rec->pref = (uint16_t)strtol(word, NULL, 10);
		rec->host = next(rest);
		(void)host->add(r, rec);
	}
}

static enum mxnss_status
fake_ask(void *priv, const struct mxnss_query *q, struct mxnss_reply *r)
{
	struct fake *f = priv;
	const struct fake_line *l;
	struct mxnss_record rec;
	enum mxnss_status status = MXNSS_NOTFOUND;
	static char copy[50000];
	char *rest, *word;

	f->asked++;
	for (l = script; l != NULL && l->source != NULL; l++) {
		if (strcmp(l->source, f->name) != 0 ||
		    strcmp(l->domain, q->domain) != 0)
			continue;
		memset(&rec, 0, sizeof(rec));
		rec.size = sizeof(rec);
		rec.ttl = UINT32_MAX;
		if (strlcpy(copy, l->says, sizeof(copy)) >= sizeof(copy))
			abort();
		rest = copy;
		status = status_by_name(next(&rest));
		while ((word = strsep(&rest, " ")) != NULL)
			obey(r, word, &rest, &rec);
		break;
	}
	return status;
}

static int
open_fake(const struct mxnss_host *h, size_t i, void **priv)
{
	host = h;
	*priv = &fakes[i];
	return 0;
}

#define FAKE(n, label)							\
static int								\
open_##label(const struct mxnss_host *h, const char *arg, void **priv)	\
{									\
	(void)arg;							\
	return open_fake(h, n, priv);					\
}									\
static const struct mxnss_module module_##label = {				\
	MXNSS_ABI, sizeof(struct mxnss_module), #label, "0", open_##label, \
	fake_ask, NULL							\
}

FAKE(0, alpha);
FAKE(1, beta);
FAKE(2, gamma);
FAKE(3, dns);

static int
open_broken(const struct mxnss_host *h, const char *arg, void **priv)
{
	(void)h;
	(void)arg;
	(void)priv;
	errno = ENOENT;
	return -1;
}

static const struct mxnss_module broken = {
	MXNSS_ABI, sizeof(struct mxnss_module), "broken", "0", open_broken,
	fake_ask, NULL
};
static const struct mxnss_module old = {
	MXNSS_ABI + 1, sizeof(struct mxnss_module), "old", "0", open_alpha,
	fake_ask, NULL
};
static const struct mxnss_module hollow = {
	MXNSS_ABI, sizeof(struct mxnss_module), "hollow", "0", open_alpha,
	NULL, NULL
};

const struct mxnss_module *const fake_modules[] = {
	&module_alpha, &module_beta, &module_gamma, &module_dns, &broken,
	&old, &hollow, &_mxnss_files_module, NULL
};

void
fake_says(const struct fake_line *lines)
{
	size_t i;

	script = lines;
	for (i = 0; i < sizeof(fakes) / sizeof(fakes[0]); i++)
		fakes[i].asked = 0;
}

unsigned int
fake_asked(const char *source)
{
	size_t i;

	for (i = 0; i < sizeof(fakes) / sizeof(fakes[0]); i++)
		if (strcmp(fakes[i].name, source) == 0)
			return fakes[i].asked;
	abort();
}

int64_t fake_time = 1000;

static int64_t
now(void)
{
	return fake_time;
}

static uint32_t
last(uint32_t bound)
{
	return bound - 1;
}

static int
no_hostname(char *buf, size_t size)
{
	(void)strlcpy(buf, "bare", size);
	return -1;
}

static int
not_ours(const struct sockaddr *sa, struct ifaddrs **all)
{
	(void)sa;
	(void)all;
	return 0;
}

static const struct nssconf_place nowhere[] = { { NULL, 0 } };

struct mx_env fake_env = {
	nowhere, fake_modules, now, last, no_hostname, not_ours, NULL, 0
};

const char *
fake_file(const char *name, const char *text, size_t len)
{
	static char path[PATH_MAX + 64];
	int fd;

	if (dir[0] == '\0') {
		(void)strlcpy(dir, "/tmp/mxnss-test.XXXXXX", sizeof(dir));
		if (mkdtemp(dir) == NULL)
			abort();
	}
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, text, len) != (ssize_t)len ||
	    fchmod(fd, 0644) == -1 || close(fd) == -1)
		abort();
	return path;
}

const char *
fake_text(const char *name, const char *text)
{
	return fake_file(name, text, strlen(text));
}

void
fake_clean(void)
{
	struct dirent *de;
	DIR *d;

	if (dir[0] == '\0' || (d = opendir(dir)) == NULL)
		return;
	while ((de = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), de->d_name, 0);
	(void)closedir(d);
	(void)rmdir(dir);
	dir[0] = '\0';
}

const char *
fake_exchanges(const struct mxinfo *info)
{
	static char buf[8192];
	const struct mxent *mx;
	size_t n = 0;

	buf[0] = '\0';
	for (mx = info->mi_mx; mx != NULL; mx = mx->mx_next) {
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%u %s",
		    n == 0 ? "" : " ", (unsigned int)mx->mx_pref,
		    mx->mx_host);
		if (mx->mx_port != 0)
			n += (size_t)snprintf(buf + n, sizeof(buf) - n,
			    ":%u", (unsigned int)mx->mx_port);
	}
	return buf;
}
