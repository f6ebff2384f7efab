/* SPDX-License-Identifier: ISC */
/* The parts of getmx(1). */
#ifndef NSS_GETMX_H
#define NSS_GETMX_H

#include <stdio.h>

struct mxinfo;
struct mxtrace;
struct mxmodule_dir;
struct nssconf_place;

#define GETMX_USAGE	1
#define GETMX_NO	2	/* proven: mail cannot be delivered */

/* What --check and --config read. */
struct getmx_paths {
	const struct nssconf_place *places;
	const char	*mxhosts;
	const char	*runner;
	const struct mxmodule_dir *moddir;
};

/* Exit code for a result of getmxinfo(3). */
int	getmx_exit_code(int error);

/*
 * getmx_table: the answer for people, with what is odd about it.  RCPT is
 *	nonzero if a recipient was asked for, COLOUR if escape sequences
 *	may be used.
 * getmx_names: the hosts, one per line.
 * getmx_json: one line with a JSON object; DOMAIN is what was asked for,
 *	TRACE what getmx_trace_json() has written, or NULL.
 * getmx_trace: one step of a lookup, for people.
 * getmx_trace_json: an object.
 */
void	getmx_table(FILE *, const struct mxinfo *, int rcpt, int colour);
void	getmx_names(FILE *, const struct mxinfo *);
void	getmx_json(FILE *, const char *domain, const struct mxinfo *,
	    const char *trace);
void	getmx_trace(FILE *, const struct mxtrace *);
void	getmx_trace_json(FILE *, const struct mxtrace *);

/*
 * getmx_notes: calls NOTE for each line that a person should see.
 * getmx_address: in digits.
 * getmx_tls: "tls=verify name=..." in the words of mxhosts(5), or "".
 */
struct mxaddr;
struct mxent;
void	getmx_address(const struct mxaddr *, char *buf, size_t size);
void	getmx_notes(const struct mxinfo *, int rcpt,
	    void (*note)(void *arg, const char *text), void *arg);
void	getmx_tls(const struct mxent *, char *buf, size_t size);
const char *getmx_tls_word(int tls);

/*
 * getmx_input: LOOK_UP, which returns an exit code, for each line of a
 *	stream.  *WORST is raised to the highest.  0, or -1 with errno if
 *	the stream cannot be read.
 */
int	getmx_input(FILE *, int (*look_up)(void *arg, const char *domain),
	    void *arg, int *worst);

/*
 * One lookup: what it prints goes to OUT and ERRORS.  An exit code.
 */
typedef int getmx_work(void *arg, const char *domain, FILE *out,
	    FILE *errors);

/*
 * Lookups in threads, printed to stdout and stderr in the order in which
 * they were added.  Out of memory, or if stdout fails, the program ends.
 *
 * getmx_pool_new: WORK may be called by several threads at once.  HOLD:
 *	stdout need not be flushed when nothing more is to be printed yet.
 *	NULL if memory ran out.
 * getmx_pool_add: for getmx_input(): one more domain, which is copied.
 *	Waits while there are too many.  0.
 * getmx_pool_end: waits for all, frees the pool, and returns the highest
 *	exit code.
 */
struct getmx_pool *getmx_pool_new(getmx_work *, void *arg, int hold);
int	getmx_pool_add(void *pool, const char *domain);
int	getmx_pool_end(struct getmx_pool *);

/*
 * Both return an exit code: 0 or EX_CONFIG.  SOURCES: a list to use
 * instead of the configured one, or NULL.
 */
int	getmx_check(FILE *, const struct getmx_paths *, const char *sources);
int	getmx_config(FILE *, const struct getmx_paths *,
	    const char *sources);

#endif /* NSS_GETMX_H */
