/* SPDX-License-Identifier: ISC */
/*
 * The resolver of a libc that is not glibc: its configuration only.
 */
#define _GNU_SOURCE

#include "resolv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_server(struct __res_state *st, const char *text)
{
	union res_sockaddr_union *u;

	if (st->nscount == MAXNS)
		return;
	u = &st->ext[st->nscount];
	if (inet_pton(AF_INET, text, &u->sin.sin_addr) == 1) {
		u->sin.sin_family = AF_INET;
		u->sin.sin_port = htons(53);
		st->nsaddr_list[st->nscount++] = u->sin;
	} else if (inet_pton(AF_INET6, text, &u->sin6.sin6_addr) == 1) {
		u->sin6.sin6_family = AF_INET6;
		u->sin6.sin6_port = htons(53);
		st->nscount++;
	}
}

int
res_ninit(struct __res_state *st)
{
	char line[256], word[64];
	FILE *fp = fopen(_PATH_RESCONF, "r");

	memset(st, 0, sizeof(*st));
	st->retrans = 5;
	st->retry = 2;
	st->options = RES_DNSRCH | RES_DEFNAMES;
	if ((st->ext = calloc(MAXNS, sizeof(*st->ext))) == NULL)
		return -1;
	while (fp != NULL && fgets(line, sizeof(line), fp) != NULL) {
		if (sscanf(line, "nameserver %63s", word) == 1)
			add_server(st, word);
		if (strstr(line, "use-vc") != NULL)
			st->options |= RES_USEVC;
	}
	if (fp != NULL)
		fclose(fp);
	if (st->nscount == 0)
		add_server(st, "127.0.0.1");
	return 0;
}

void
res_nclose(struct __res_state *st)
{
	free(st->ext);
	st->ext = NULL;
}

int
res_getservers(struct __res_state *st, union res_sockaddr_union *u, int n)
{
	int i;

	for (i = 0; i < n && i < st->nscount; i++)
		u[i] = st->ext[i];
	return st->nscount;
}

int
res_mkquery(int op, const char *name, int class, int type,
    const unsigned char *data, int len, const unsigned char *rr,
    unsigned char *buf, int size)
{
	(void)op, (void)name, (void)class, (void)type, (void)data, (void)len;
	(void)rr, (void)buf;
	return size;
}

struct __res_state *
__bsd_res_state(void)
{
	static __thread struct __res_state state;

	return &state;
}
