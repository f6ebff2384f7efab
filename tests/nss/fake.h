/* SPDX-License-Identifier: ISC */
/*
 * Sources that say what a test wrote down, through the descriptor ABI; and
 * files, and an environment for mx_lookup() to find them in.
 */
#ifndef TESTS_NSS_FAKE_H
#define TESTS_NSS_FAKE_H

#include <stddef.h>
#include <stdint.h>

#include "getmxinfo.h"
#include "mxnss.h"

/*
 * SAYS is a status and then any of: "PREF HOST" pairs; "+" (merge), "null",
 * "nodata", "cname NAME", "secure", "mx PREF DOMAIN" (next_query), "note
 * WORD", "origin WORD", "dsn CODE", an MX_E* name; "ttl N", "byrcpt",
 * "local" (MXE_LOCALCONF from here on), "tls N".  "BOGUS" is a status that
 * does not exist.
 */
struct fake_line {
	const char	*source;	/* alpha, beta, gamma or dns */
	const char	*domain;
	const char	*says;
};

/* The end of LINES has no source.  A domain that is not there: NOTFOUND. */
void	fake_says(const struct fake_line *lines);
/* How often a source was asked since fake_says(). */
unsigned int fake_asked(const char *source);

/* alpha, beta, gamma, dns, and the real `files'; "broken" cannot open. */
extern const struct mxnss_module *const fake_modules[];

/* No configuration files, the clock at fake_time, no shuffling. */
extern struct mx_env fake_env;
extern int64_t fake_time;

/* A file of mode 0644 in a new directory that fake_clean() removes. */
const char *fake_file(const char *name, const char *text, size_t len);
const char *fake_text(const char *name, const char *text);
void	fake_clean(void);

/* "10 a.example 20 192.0.2.1:2525": the exchanges of a result. */
const char *fake_exchanges(const struct mxinfo *);

#endif /* TESTS_NSS_FAKE_H */
