/* SPDX-License-Identifier: ISC */
/*
 * Modules that get everything wrong.  The descriptors below cannot be
 * used, each for another reason; test_module copies this file to the name
 * that belongs to each.  The source `hostile' can be opened, and its
 * argument says how it misbehaves.
 */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mxdb.h>
#include <mxnss.h>

static const struct mxnss_host *lib;
static const char *behaviour = "";

static int
hostile_open(const struct mxnss_host *host, const char *arg, void **priv)
{
	(void)priv;
	lib = host;
	behaviour = arg == NULL ? "" : arg;
	if (strcmp(behaviour, "closed") == 0)
		return -1;
	return strcmp(behaviour, "positive") == 0;
}

static int
add(struct mxnss_reply *r, const char *host, size_t size, uint32_t flags,
    int tls)
{
	struct mxnss_record rec;

	memset(&rec, 0, sizeof(rec));
	rec.size = size;
	rec.host = host;
	rec.flags = flags;
	rec.tls = tls;
	return lib->add(r, &rec);
}

static enum mxnss_status
add_rubbish(struct mxnss_reply *r)
{
	const size_t good = sizeof(struct mxnss_record);

	if (add(r, NULL, good, 0, 0) == 0 ||
	    add(r, "", good, 0, 0) == 0 ||
	    add(r, "a\nb.example", good, 0, 0) == 0 ||
	    add(r, "192.0.2.1", good, 0, 0) == 0 ||
	    add(r, "a.example", 0, 0, 0) == 0 ||
	    add(r, "a.example", good, 0, 99) == 0 ||
	    add(r, "a.example", good, 0, -1) == 0)
		abort();
	return MXNSS_SUCCESS;
}

/* What may be NULL is no text; the rest is refused. */
static enum mxnss_status
give_nothing(struct mxnss_reply *r)
{
	if (lib->add(r, NULL) == 0 || lib->next_query(r, NULL) == 0 ||
	    lib->note(r, NULL) == 0)
		abort();
	if (lib->origin(r, NULL) != 0 || lib->rule(r, NULL) != 0 ||
	    lib->facts(r, NULL, -1, UINT32_MAX, 0) != 0 ||
	    lib->fail(r, 0, NULL, NULL) != 0)
		abort();
	return MXNSS_NOTFOUND;
}

static enum mxnss_status
flood(struct mxnss_reply *r)
{
	char host[] = "h0000.example";
	int i, j, n;

	for (i = 0; i < 10000; i++) {
		for (j = 4, n = i; j > 0; j--, n /= 10)
			host[j] = (char)('0' + n % 10);
		(void)add(r, host, sizeof(struct mxnss_record), 0, 0);
		(void)lib->note(r, host);
	}
	return MXNSS_SUCCESS;
}

/* Nobody can stop this: it comes back when it likes. */
static enum mxnss_status
block(const struct mxnss_query *q)
{
	const struct timespec ms = { 0, 1000000 };
	struct timespec ts;

	do {
		(void)nanosleep(&ms, NULL);
		(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	} while ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 <
	    q->deadline);
	return MXNSS_NOTFOUND;
}

static enum mxnss_status
hostile_getmxbyname(void *priv, const struct mxnss_query *q,
    struct mxnss_reply *r)
{
	(void)priv;
	if (strcmp(behaviour, "empty") == 0)
		return MXNSS_SUCCESS;
	if (strcmp(behaviour, "rubbish") == 0)
		return add_rubbish(r);
	if (strcmp(behaviour, "nothing") == 0)
		return give_nothing(r);
	if (strcmp(behaviour, "flood") == 0)
		return flood(r);
	if (strcmp(behaviour, "block") == 0)
		return block(q);
	(void)add(r, "a.example", sizeof(struct mxnss_record), UINT32_MAX, 0);
	if (strcmp(behaviour, "flags") == 0) {
		(void)lib->flags(r, UINT32_MAX);
		return MXNSS_SUCCESS;
	}
	if (strcmp(behaviour, "bounce") == 0) {
		/* would return mail to its sender, with a forged header */
		(void)lib->fail(r, 12345, "5.0.0\r\nX-Evil: y",
		    "go\r\naway\033[2J");
		return MXNSS_SUCCESS;
	}
	if (strcmp(behaviour, "permanent") == 0) {
		/* a source that cannot be used knows nothing for sure */
		(void)lib->fail(r, MX_ENXDOMAIN, NULL, "no such domain");
		return MXNSS_UNAVAIL;
	}
	if (strcmp(behaviour, "again") == 0)
		return MXNSS_TRYAGAIN;
	if (strcmp(behaviour, "minus") == 0)
		return (enum mxnss_status)-77;
	return (enum mxnss_status)77;
}

#define MODULE(label, abi, size, name, open, ask)			\
const struct mxnss_module _mxnss_##label##_module = {			\
	(abi), (size), (name), NULL, (open), (ask), NULL		\
}
#define SIZE	((uint32_t)sizeof(struct mxnss_module))

MODULE(hostile, MXNSS_ABI, SIZE, "hostile", hostile_open,
    hostile_getmxbyname);
MODULE(two_words, MXNSS_ABI, SIZE, "two-words", hostile_open,
    hostile_getmxbyname);
MODULE(bigger, MXNSS_ABI, SIZE + 8, "bigger", hostile_open,
    hostile_getmxbyname);
MODULE(future, MXNSS_ABI + 1, SIZE, "future", hostile_open,
    hostile_getmxbyname);
MODULE(small, MXNSS_ABI, SIZE - 8, "small", hostile_open,
    hostile_getmxbyname);
MODULE(other, MXNSS_ABI, SIZE, "another", hostile_open, hostile_getmxbyname);
MODULE(nameless, MXNSS_ABI, SIZE, NULL, hostile_open, hostile_getmxbyname);
MODULE(noopen, MXNSS_ABI, SIZE, "noopen", NULL, hostile_getmxbyname);
MODULE(noask, MXNSS_ABI, SIZE, "noask", hostile_open, NULL);
MODULE(dns, MXNSS_ABI, SIZE, "dns", hostile_open, hostile_getmxbyname);
