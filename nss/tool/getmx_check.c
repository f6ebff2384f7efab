/* SPDX-License-Identifier: ISC */
/*
 * getmx --config and --check: what is configured, and everything that is
 * wrong with it, with file and line.  The keys of mxnss.conf(5) that only
 * delivery uses are checked by the runner, if it is installed.
 */
#include "config.h"

#include "tool/getmx.h"

#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sources/module.h"
#include "mxhosts/mxhosts.h"
#include "mxnss.h"
#include "nssconf.h"

static int
load(const struct getmx_paths *paths, const char *sources,
    struct nssconf *conf, char *err, size_t errsize)
{
	char why[200];

	if (sources == NULL)
		return nssconf_load(paths->places, conf, err, errsize);
	if (nssconf_parse(sources, strlen(sources), 1, conf, why,
	    sizeof(why)) == -1) {
		(void)snprintf(err, errsize, "source list \"%.200s\": %s",
		    sources, why);
		return -1;
	}
	(void)strlcpy(conf->origin, "command line", sizeof(conf->origin));
	return 0;
}

/*
 * Why a source of the list cannot be used, in WHY; -1 then.  Its services
 * need a reply: open() only notes where they are.
 */
static int
try_source(const struct getmx_paths *paths, const struct nss_source *src,
    char *why, size_t size)
{
	static const struct mxnss_host nobody = { .size = sizeof(nobody) };
	const char *arg = src->arg[0] == '\0' ? NULL : src->arg;
	const struct mxnss_module *mod;
	void *priv = NULL;

	mod = mxmodule_find(mxmodule_builtin, paths->moddir, src->name, why,
	    size);
	if (mod == NULL)
		return -1;
	errno = 0;
	if (mod->open(&nobody, arg, &priv) != 0) {
		mxmodule_describe(src->name, arg, errno, why, size);
		return -1;
	}
	if (mod->close != NULL)
		mod->close(priv);
	return 0;
}

/* Whether a source reads a file, which is PATH then. */
static int
reads_file(const struct getmx_paths *paths, const struct nss_source *src,
    const char **path)
{
	if (strcmp(src->name, "files") != 0)
		return 0;
	*path = src->arg[0] == '\0' ? paths->mxhosts : src->arg;
	return 1;
}

/* What there is of an override file and its directory, as comments. */
static void
print_files(FILE *fp, const char *path)
{
	struct mxhosts_files files;
	char err[600];
	size_t i;

	if (mxhosts_list(path, &files, err, sizeof(err)) == -1) {
		(void)fprintf(fp, "# %s\n", err);
		return;
	}
	for (i = 0; i < files.n; i++)
		if (i > 0 || access(files.path[i], F_OK) == 0)
			(void)fprintf(fp, "# files: %s\n", files.path[i]);
	mxhosts_files_clear(&files);
}

int
getmx_config(FILE *fp, const struct getmx_paths *paths, const char *sources)
{
	struct nssconf conf;
	char text[NSSCONF_MAXSOURCES * 400], err[700];
	const char *path;
	size_t i;

	if (load(paths, sources, &conf, err, sizeof(err)) == -1) {
		warnx("%s", err);
		return EX_CONFIG;
	}
	if (nssconf_format(&conf, text, sizeof(text)) == -1) {
		warnx("%s: the list is too long to print", conf.origin);
		return EX_CONFIG;
	}
	(void)fprintf(fp, "# %s\n", conf.origin);
	for (i = 0; i < conf.nsrc; i++) {
		if (try_source(paths, &conf.src[i], err, sizeof(err)) == -1)
			(void)fprintf(fp, "# %s\n", err);
		if (reads_file(paths, &conf.src[i], &path))
			print_files(fp, path);
	}
	(void)fprintf(fp, "mxhosts: %s\n", text);
	return EX_OK;
}

struct report {
	FILE		*fp;
	const char	*path;
	const char	*origin;	/* of the source list */
	unsigned int	 warnings;
};

static void
report_shadowed(void *arg, const char *path, size_t lineno)
{
	const struct report *r = arg;

	(void)fprintf(r->fp, "%s:%zu: warning: this source list is not used; "
	    "the one in %s comes first\n", path, lineno, r->origin);
}

/* Whether no later source is asked, whatever this one says. */
static int
ends_list(const struct nss_source *src)
{
	size_t i;

	for (i = 0; i < NSS_STATUSES; i++)
		if (src->action[i] != NSS_RETURN)
			return 0;
	/* The others may have records that want company. */
	return strcmp(src->name, "dns") == 0 || strcmp(src->name, "zone") == 0;
}

/* Once more is of use after a passing failure only. */
static int
is_repeated(const struct nss_source *a, const struct nss_source *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->arg, b->arg) == 0 &&
	    a->action[NSS_INDEX(MXNSS_TRYAGAIN)] == NSS_RETURN;
}

/* Sources that are right, but will never say anything. */
static void
warn_sources(FILE *fp, const struct getmx_paths *paths, const char *sources,
    const struct nssconf *conf)
{
	struct report r = { fp, NULL, conf->origin, 0 };
	size_t i, j;

	if (sources == NULL)
		nssconf_shadowed(paths->places, conf, report_shadowed, &r);
	for (i = 0; i < conf->nsrc; i++) {
		for (j = 0; j < i; j++)
			if (ends_list(&conf->src[j]) ||
			    is_repeated(&conf->src[j], &conf->src[i]))
				break;
		if (j == i)
			continue;
		(void)fprintf(fp, "%s: warning: source %zu, \"%s\", has no "
		    "effect: %s \"%s\"\n", conf->origin, i + 1,
		    conf->src[i].name, ends_list(&conf->src[j]) ?
		    "the list always ends at" : "it repeats",
		    conf->src[j].name);
	}
}

/* The number of errors. */
static int
check_sources(FILE *fp, const struct getmx_paths *paths, const char *sources,
    struct nssconf *conf)
{
	char err[700];
	size_t i;
	int errors = 0;

	if (load(paths, sources, conf, err, sizeof(err)) == -1) {
		(void)fprintf(fp, "%s\n", err);
		conf->nsrc = 0;
		return 1;
	}
	for (i = 0; i < conf->nsrc; i++) {
		if (try_source(paths, &conf->src[i], err, sizeof(err)) == 0)
			continue;
		(void)fprintf(fp, "%s: %s\n", conf->origin, err);
		errors++;
	}
	warn_sources(fp, paths, sources, conf);
	if (errors == 0)
		(void)fprintf(fp, "source list: %s: no error\n",
		    conf->origin);
	return errors;
}

static void
report_line(void *arg, unsigned int lineno, int warning, const char *text)
{
	struct report *r = arg;

	if (warning)
		r->warnings++;
	(void)fprintf(r->fp, "%s:%u: %s%s\n", r->path, lineno,
	    warning ? "warning: " : "", text);
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* USED: a source of the list reads this file. */
static int
check_file(FILE *fp, const char *path, int used,
    struct mxhosts_owners *owners)
{
	struct report r = { fp, path, NULL, 0 };
	char err[600];
	size_t npatterns;
	int errors;

	errors = mxhosts_check(path, report_line, &r, owners, &npatterns, err,
	    sizeof(err));
	if (errors == -1) {
		(void)fprintf(fp, "%s\n", err);
		return 1;
	}
	if (!used && npatterns > 0)
		(void)fprintf(fp, "%s: warning: no source of the list reads "
		    "this file\n", path);
	if (errors == 0 && npatterns == 0)
		(void)fprintf(fp, "%s: no overrides\n", path);
	else if (errors == 0) {
		(void)fprintf(fp, "%s: %zu pattern%s, no error", path,
		    npatterns, plural(npatterns));
		if (r.warnings > 0)
			(void)fprintf(fp, ", %u warning%s", r.warnings,
			    plural(r.warnings));
		(void)fputc('\n', fp);
	}
	return errors;
}

/* An override file and its directory. */
static int
check_mxhosts(FILE *fp, const char *path, int used)
{
	struct mxhosts_owners owners = { NULL, 0, 0, 0 };
	struct mxhosts_files files;
	char err[600];
	size_t i;
	int errors = 0;

	if (mxhosts_list(path, &files, err, sizeof(err)) == -1) {
		(void)fprintf(fp, "%s\n", err);
		errors = 1 + check_file(fp, path, used, &owners);
	}
	for (i = 0; i < files.n; i++) {
		owners.more = i + 1 < files.n;
		errors += check_file(fp, files.path[i], used, &owners);
	}
	mxhosts_owners_clear(&owners);
	mxhosts_files_clear(&files);
	return errors;
}

/* Whether a source of the list reads the file that has no argument. */
static int
reads_default(const struct getmx_paths *paths, const struct nssconf *conf)
{
	const char *path;
	size_t i;

	for (i = 0; i < conf->nsrc; i++)
		if (reads_file(paths, &conf->src[i], &path) &&
		    strcmp(path, paths->mxhosts) == 0)
			return 1;
	return 0;
}

static pid_t
start(const char *path, int fd[2])
{
	pid_t pid;

	if (pipe(fd) == -1)
		return -1;
	if ((pid = fork()) == -1) {
		(void)close(fd[0]);
		(void)close(fd[1]);
		return -1;
	}
	if (pid == 0) {
		if (dup2(fd[1], STDOUT_FILENO) == -1 ||
		    dup2(fd[1], STDERR_FILENO) == -1)
			_exit(EX_OSERR);
		(void)close(fd[0]);
		(void)close(fd[1]);
		(void)execl(path, path, "--check", (char *)NULL);
		_exit(EX_OSERR);
	}
	(void)close(fd[1]);
	return pid;
}

/* Its lines go out as they are. */
static int
check_runner(FILE *fp, const char *path)
{
	char buf[4096];
	ssize_t n;
	pid_t pid;
	int fd[2], status;

	if (access(path, F_OK) == -1)
		return 0;
	(void)fflush(fp);
	if ((pid = start(path, fd)) == -1) {
		(void)fprintf(fp, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((n = read(fd[0], buf, sizeof(buf))) > 0 ||
	    (n == -1 && errno == EINTR))
		if (n > 0)
			(void)fwrite(buf, 1, (size_t)n, fp);
	(void)close(fd[0]);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
		return 1;		/* it has said why */
	if (WIFEXITED(status))
		(void)fprintf(fp, "%s --check: exit status %d\n", path,
		    WEXITSTATUS(status));
	else
		(void)fprintf(fp, "%s --check: killed by signal %d\n", path,
		    WTERMSIG(status));
	return 1;
}

int
getmx_check(FILE *fp, const struct getmx_paths *paths, const char *sources)
{
	struct nssconf conf;
	const char *path;
	size_t i;
	int errors;

	errors = check_sources(fp, paths, sources, &conf);
	errors += check_mxhosts(fp, paths->mxhosts, conf.nsrc == 0 ||
	    sources != NULL || reads_default(paths, &conf));
	for (i = 0; i < conf.nsrc; i++)
		if (reads_file(paths, &conf.src[i], &path) &&
		    strcmp(path, paths->mxhosts) != 0)
			errors += check_mxhosts(fp, path, 1);
	errors += check_runner(fp, paths->runner);
	return errors == 0 ? EX_OK : EX_CONFIG;
}
