/* SPDX-License-Identifier: ISC */
/*
 * What a lookup in the DNS costs: getmxinfo(3) against a bare res_ninit and
 * res_nquery, in turns; and getmx with thousands of domains on its standard
 * input against as many bare queries, one after the other.  The server is
 * nsd(8) on loopback.  Prints times and ratios, and asserts nothing.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mxdb.h"
#include "timing.h"

#define QUERIES		3000
#define DOMAINS		5000

static char dir[] = "/tmp/bench_lookup.XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

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
	write_file(path_of("zone"), "$ORIGIN a.example.\n$TTL 300\n"
	    "@ SOA ns root 1 3600 600 86400 60\n NS ns\n MX 10 mx1\n"
	    " MX 20 mx2\nns A 192.0.2.53\nmx1 A 198.51.100.1\n"
	    "mx2 A 198.51.100.2\n");
	(void)snprintf(conf, sizeof(conf), "server:\n ip-address: 127.0.0.1\n"
	    " port: %u\n username: \"\"\n chroot: \"\"\n zonesdir: \"%s\"\n"
	    " database: \"\"\n pidfile: \"\"\n xfrdfile: \"\"\n"
	    " zonelistfile: \"%s/zone.list\"\n xfrdir: \"%s\"\n"
	    " server-count: 1\n rrl-ratelimit: 0\n"
	    "remote-control:\n control-enable: no\n"
	    "zone:\n name: a.example\n zonefile: zone\n",
	    (unsigned int)ntohs(sa->sin_port), dir, dir, dir);
	write_file(path_of("nsd.conf"), conf);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return pid;
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1) {
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
	}
	(void)execlp("nsd", "nsd", "-d", "-c", path_of("nsd.conf"),
	    (char *)NULL);
	_exit(127);
}

static void
stop_server(pid_t pid)
{
	static const char *const left[] = {
		"zone", "nsd.conf", "zone.list", "domains"
	};
	size_t i;

	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		(void)unlink(path_of(left[i]));
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

/* False: nobody answers, as there is no server. */
static bool
wait_for_server(const struct sockaddr_in *sa, pid_t pid)
{
	size_t i;

	for (i = 0; i < 100 && bare(sa) < 0; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return false;
		(void)usleep(50000);
	}
	return true;
}

static void
bench_library(const struct sockaddr_in *sa)
{
	static double a[QUERIES], b[QUERIES];
	double x, y;
	size_t i;

	for (i = 0; i < QUERIES; i++) {
		a[i] = bare(sa);
		b[i] = ours(sa);
		if (a[i] < 0)
			errx(1, "res_nquery");
	}
	x = median(a, QUERIES);
	y = median(b, QUERIES);
	(void)printf("\nlookup in the DNS (nsd on loopback), us: res_ninit + "
	    "res_nquery %.1f, getmxinfo %.1f\nratio %.2f (to reach: 1.3)\n",
	    x, y, y / x);
}

/* getmx -, which is where make left it, with DOMAINS lines. */
static double
run_getmx(const struct sockaddr_in *sa)
{
	const char *builddir = getenv("top_builddir");
	char program[4096], libs[8200], server[32];
	double start = now();
	int fd, null, status;
	pid_t pid;

	if (builddir == NULL)
		builddir = ".";
	(void)snprintf(program, sizeof(program), "%s/nss/getmx", builddir);
	(void)snprintf(libs, sizeof(libs), "%s/nss:%s/lib", builddir,
	    builddir);
	(void)snprintf(server, sizeof(server), "127.0.0.1#%u",
	    (unsigned int)ntohs(sa->sin_port));
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		fd = open(path_of("domains"), O_RDONLY | O_CLOEXEC);
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (fd == -1 || null == -1 ||
		    dup2(fd, STDIN_FILENO) == -1 ||
		    dup2(null, STDOUT_FILENO) == -1 ||
		    setenv("LD_LIBRARY_PATH", libs, 1) == -1)
			_exit(127);
		(void)execl(program, "getmx", "-j", "-S", "dns", "-s",
		    server, "-", (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "%s: failed", program);
	return now() - start;
}

/* Each domain takes five queries: MX, and A and AAAA of two exchanges. */
static void
bench_getmx(const struct sockaddr_in *sa)
{
	FILE *fp = fopen(path_of("domains"), "w");
	double start, single, all;
	size_t i;

	if (fp == NULL)
		err(1, "%s", path_of("domains"));
	for (i = 0; i < DOMAINS; i++)
		(void)fprintf(fp, "a.example\n");
	if (fclose(fp) == EOF)
		err(1, "%s", path_of("domains"));
	start = now();
	for (i = 0; i < DOMAINS * 5; i++)
		if (bare(sa) < 0)
			errx(1, "res_nquery");
	single = now() - start;
	all = run_getmx(sa);
	(void)printf("\ngetmx -, %d domains of five queries: %.0f domains/s; "
	    "as many res_nquery in a row: %.0f\nratio of the times %.2f (to "
	    "reach: 1, and 2,000 domains/s)\n", DOMAINS, DOMAINS / all * 1e6,
	    DOMAINS / single * 1e6, all / single);
}

int
main(void)
{
	struct sockaddr_in sa;
	pid_t pid;

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	pid = start_server(&sa);
	if (wait_for_server(&sa, pid)) {
		bench_library(&sa);
		bench_getmx(&sa);
	} else
		(void)printf("\nlookup in the DNS: nsd(8) does not start\n");
	stop_server(pid);
	(void)rmdir(dir);
	return 0;
}
