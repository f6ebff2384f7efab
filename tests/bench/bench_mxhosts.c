/* SPDX-License-Identifier: ISC */
/*
 * What a lookup costs: with overrides of 100, 10,000 and 1,000,000 lines,
 * the first time and from the fourth on in a process; and with none, by
 * getmxinfo(3) against a bare res_ninit and res_nquery, in turns.  Prints
 * medians beside the figures to reach and, as a busy machine spoils those,
 * beside what it takes to read(2) the file or to stat(2) it in the same
 * run; it asserts nothing about time.
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mxdb.h"
#include "mxhosts/mxhosts.h"

#define CHILDREN	5	/* processes, for the first lookup */
#define LOOKUPS		20000
#define QUERIES		3000

static const unsigned long sizes[] = { 100, 10000, 1000000 };
#define NSIZES	(sizeof(sizes) / sizeof(sizes[0]))

enum figure {
	READ, FIRST, SECOND, THIRD, STATS, MISS, HIT, INFO, NFIGURES
};
struct figures {
	double	us[NFIGURES];
};

static char dir[] = "/tmp/bench_mxhosts.XXXXXX";

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
by_value(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static const char *
path_of(const char *name, unsigned long n)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s%lu", dir, name, n);
	return path;
}

/* --- overrides ------------------------------------------------------------ */

static void
write_overrides(unsigned long n)
{
	unsigned long i;
	FILE *fp;

	if ((fp = fopen(path_of("mxhosts", n), "w")) == NULL)
		err(1, "%s", path_of("mxhosts", n));
	for (i = 0; i < n; i++)
		(void)fprintf(fp, "d%06lu.example 10 mx%04lu.relay.example"
		    ":587 tls=verify\n", i, i % 10000);
	if (fclose(fp) == EOF || chmod(path_of("mxhosts", n), 0644) == -1)
		err(1, "%s", path_of("mxhosts", n));
}

/* Microseconds of one lookup among COUNT. */
static double
lookups(const char *path, const char *domain, size_t count, size_t expect)
{
	struct mxhosts mh;
	char why[600];
	double start = now();
	size_t i;

	for (i = 0; i < count; i++) {
		if (mxhosts_lookup(path, domain, NULL, &mh, why,
		    sizeof(why)) == -1)
			errx(1, "%s", why);
		if (mh.nline != expect)
			errx(1, "%s: %zu lines", domain, mh.nline);
		mxhosts_clear(&mh);
	}
	return (now() - start) / (double)count;
}

/* A pass that looks at nothing. */
static double
read_pass(const char *path)
{
	static char buf[65536];
	double start = now();
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (n == -1 || close(fd) == -1)
		err(1, "%s", path);
	return now() - start;
}

/* What it takes to see that file and directory are as they were. */
static double
stats(const char *path)
{
	char other[160];
	struct stat st;
	double start = now();
	size_t i;

	(void)snprintf(other, sizeof(other), "%s.d", path);
	for (i = 0; i < LOOKUPS; i++) {
		(void)lstat(path, &st);
		(void)lstat(other, &st);
	}
	return (now() - start) / LOOKUPS;
}

static double
infos(const char *path, const char *domain)
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	char sources[200];
	double start = now();
	size_t i;

	(void)snprintf(sources, sizeof(sources), "files(%s)", path);
	h.mh_sources = sources;
	for (i = 0; i < LOOKUPS; i++) {
		if (getmxinfo(domain, &h, &info) != MX_OK)
			errx(1, "%s", info->mi_text);
		freemxinfo(info);
	}
	return (now() - start) / LOOKUPS;
}

static void
measure(struct figures *f, unsigned long n)
{
	const char *path = path_of("mxhosts", n);
	char hit[64];

	(void)snprintf(hit, sizeof(hit), "d%06lu.example", n / 2);
	f->us[READ] = read_pass(path);
	f->us[FIRST] = lookups(path, "none.example", 1, 0);
	f->us[SECOND] = lookups(path, "none.example", 1, 0);
	f->us[THIRD] = lookups(path, "none.example", 1, 0);
	f->us[MISS] = lookups(path, "none.example", LOOKUPS, 0);
	f->us[HIT] = lookups(path, hit, LOOKUPS, 1);
	f->us[STATS] = stats(path);
	f->us[INFO] = infos(path, hit);
}

static void
bench_overrides(unsigned long n)
{
	struct figures *f;
	double v[CHILDREN], m[NFIGURES];
	size_t i, j;
	pid_t pid;
	int status;

	f = mmap(NULL, sizeof(*f) * CHILDREN, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < CHILDREN; i++) {
		if ((pid = fork()) == -1)
			err(1, "fork");
		if (pid == 0) {
			measure(&f[i], n);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) == -1 || status != 0)
			errx(1, "a child failed");
	}
	for (j = 0; j < NFIGURES; j++) {
		for (i = 0; i < CHILDREN; i++)
			v[i] = f[i].us[j];
		m[j] = median(v, CHILDREN);
	}
	(void)munmap(f, sizeof(*f) * CHILDREN);
	(void)printf("%9lu %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f\n",
	    n, m[READ] / 1e3, m[FIRST] / 1e3, m[SECOND] / 1e3,
	    m[THIRD] / 1e3, m[STATS], m[MISS], m[HIT], m[INFO]);
	(void)fflush(stdout);
}

/* --- against the bare resolver -------------------------------------------- */

/* A port that nobody has just now. */
static void
free_port(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd;

	memset(sa, 0, sizeof(*sa));
	sa->sin_family = AF_INET;
	sa->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)(void *)sa, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)(void *)sa, &len) == -1 ||
	    close(fd) == -1)
		err(1, "socket");
}

static void
write_file(const char *path, const char *text)
{
	FILE *fp;

	if ((fp = fopen(path, "w")) == NULL || fputs(text, fp) == EOF ||
	    fclose(fp) == EOF)
		err(1, "%s", path);
}

/* One server process of NSD with a zone of one domain. */
static pid_t
start_server(struct sockaddr_in *sa)
{
	char conf[1024];
	pid_t pid;
	int fd;

	free_port(sa);
	write_file(path_of("zone", 0), "$ORIGIN a.example.\n$TTL 300\n"
	    "@ SOA ns root 1 3600 600 86400 60\n NS ns\n MX 10 mx1\n"
	    " MX 20 mx2\nns A 192.0.2.53\nmx1 A 192.0.2.1\n"
	    "mx2 A 192.0.2.2\n");
	(void)snprintf(conf, sizeof(conf), "server:\n ip-address: 127.0.0.1\n"
	    " port: %u\n username: \"\"\n chroot: \"\"\n zonesdir: \"%s\"\n"
	    " database: \"\"\n pidfile: \"\"\n xfrdfile: \"\"\n"
	    " zonelistfile: \"%s/zone.list\"\n xfrdir: \"%s\"\n"
	    " server-count: 1\n rrl-ratelimit: 0\n"
	    "remote-control:\n control-enable: no\n"
	    "zone:\n name: a.example\n zonefile: zone0\n",
	    (unsigned int)ntohs(sa->sin_port), dir, dir, dir);
	write_file(path_of("nsd.conf", 0), conf);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return pid;
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1) {
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
	}
	(void)execlp("nsd", "nsd", "-d", "-c", path_of("nsd.conf", 0),
	    (char *)NULL);
	_exit(127);
}

static void
stop_server(pid_t pid)
{
	static const char *const left[] = { "zone", "nsd.conf" };
	char list[160];
	size_t i;

	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		(void)unlink(path_of(left[i], 0));
	(void)snprintf(list, sizeof(list), "%s/zone.list", dir);
	(void)unlink(list);
}

/* Microseconds; a negative number if nobody answers. */
static double
bare(const struct sockaddr_in *sa)
{
	static unsigned char answer[65536];
	struct __res_state st;
	double start = now();
	int n;

	memset(&st, 0, sizeof(st));
	if (res_ninit(&st) == -1)
		errx(1, "res_ninit");
	st.nsaddr_list[0] = *sa;
	st.nscount = 1;
	n = res_nquery(&st, "a.example", ns_c_in, ns_t_mx, answer,
	    sizeof(answer));
	res_nclose(&st);
	return n <= 0 ? -1 : now() - start;
}

static double
ours(const struct sockaddr_in *sa)
{
	const struct sockaddr *servers[] = {
		(const struct sockaddr *)(const void *)sa, NULL
	};
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info;
	double start = now(), end;
	int error;

	h.mh_servers = servers;
	error = getmxinfo("a.example", &h, &info);
	end = now();
	if (error != MX_OK || info->mi_count != 2)
		errx(1, "getmxinfo: %s", mx_strerror(error));
	freemxinfo(info);
	return end - start;
}

static void
bench_dns(void)
{
	static double a[QUERIES], b[QUERIES];
	struct sockaddr_in sa;
	pid_t pid = start_server(&sa);
	double x, y;
	size_t i;

	for (i = 0; i < 100 && bare(&sa) < 0; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			(void)printf("\nlookup in the DNS: nsd(8) does not "
			    "start\n");
			return;
		}
		(void)usleep(50000);
	}
	for (i = 0; i < QUERIES; i++) {
		a[i] = bare(&sa);
		b[i] = ours(&sa);
		if (a[i] < 0)
			errx(1, "res_nquery");
	}
	stop_server(pid);
	x = median(a, QUERIES);
	y = median(b, QUERIES);
	(void)printf("\nlookup in the DNS (nsd on loopback), us: res_ninit + "
	    "res_nquery %.1f, getmxinfo %.1f\nratio %.2f (to reach: 1.3)\n",
	    x, y, y / x);
}

int
main(void)
{
	size_t i;

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	for (i = 0; i < NSIZES; i++)
		write_overrides(sizes[i]);
	(void)sleep(4);		/* younger files are not indexed */
	(void)printf("overrides: ms of a read(2) of the file and of the first "
	    "three lookups; then us of\ntwo stat(2), and of a lookup without "
	    "match, with one, and by getmxinfo\n"
	    "%9s %7s %7s %7s %7s %7s %7s %7s %7s\n", "lines", "read", "1st",
	    "2nd", "3rd", "stat", "none", "match", "info");
	for (i = 0; i < NSIZES; i++) {
		bench_overrides(sizes[i]);
		(void)unlink(path_of("mxhosts", sizes[i]));
	}
	(void)printf("to reach with 1,000,000 lines: 1st 40 ms; none and "
	    "match: 1 us and the stat\n");
	bench_dns();
	(void)rmdir(dir);
	return 0;
}
