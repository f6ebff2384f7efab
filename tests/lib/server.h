/* SPDX-License-Identifier: ISC */
/*
 * fakedns as a child of a unit test.
 */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <sys/types.h>
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include <stdbool.h>
#include <stddef.h>

struct mxres_ctx;

/*
 * The flag of an answer with AD from a loopback server: where the C library
 * has no say in that, it is not believed unless the caller asks for it.
 */
#ifdef RES_TRUSTAD
#define SECURE_BY_DEFAULT	MXRES_F_SECURE
#else
#define SECURE_BY_DEFAULT	0
#endif

struct server {
	pid_t	 pid;
	int	 port;
	char	 dir[64];		/* with "script" and "log" */
	bool	 nolog;			/* set before: too much to log */
};

/*
 * server_start: run SCRIPT (see fakedns.c) on a free port of 127.0.0.1 and
 *	::1.  Fails the test if it cannot.
 * server_start_on: the same on PORT of the ADDRS, a NULL-ended list.
 * server_stop: end it and remove its files.
 * server_log: what was asked for NAME, a letter for each query in order:
 *	u for UDP, t for TCP; the type is not looked at.
 * server_addr: its address in FAMILY, to *SA.
 * server_ctx: a context that asks it, over FAMILY, within MS.
 */
void	 server_start(struct server *, const char *script);
void	 server_start_on(struct server *, const char *script,
	    const char *const addrs[], int port);
void	 server_stop(struct server *);
void	 server_log(const struct server *, const char *name, char *buf,
	    size_t size);
void	 server_addr(const struct server *, int family,
	    struct sockaddr_in6 *sa);
struct mxres_ctx *server_ctx(const struct server *, int family, int ms);

#endif /* TESTS_SERVER_H */
