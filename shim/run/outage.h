/* SPDX-License-Identifier: ISC */
/*
 * Is there a network at all?  When attempts at several destinations in a row
 * find no route and no name server, there is none, and to try the rest would
 * only cost time: one message at growing intervals finds out when it is
 * back.  Pure: the clock (ms) and chance are arguments.
 */
#ifndef SHIM_RUN_OUTAGE_H
#define SHIM_RUN_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct outage {
	unsigned in_row;	/* attempts that found no network */
	bool	 down;
	bool	 probing;	/* an attempt is under way */
	int64_t	 since;		/* ms: the last attempt, if down */
	int64_t	 probe_at;	/* ms, the next one */
	int64_t	 wait;		/* ms between two attempts, for now */
};

#define OUTAGE_ATTEMPTS	3
#define OUTAGE_MIN	5000	/* ms */
#define OUTAGE_MAX	60000
#define OUTAGE_HOPE	1000

/*
 * An attempt ended; OFFLINE: it found no network.  True: now it is known that
 * the network is down, or that it is up again.
 */
bool	outage_note(struct outage *, bool offline, int64_t now,
	    uint32_t random);
/* Whether a message may be tried: always, but for those that wait. */
bool	outage_allows(const struct outage *, int64_t now);
/* One is, while the network is down: others wait for it. */
void	outage_probe(struct outage *);
/* That came to nothing, and said nothing. */
void	outage_no_probe(struct outage *, int64_t now, uint32_t random);
/* Somebody hopes that it is there: try now, but not more than once a second. */
void	outage_hope(struct outage *, int64_t now);

#endif /* SHIM_RUN_OUTAGE_H */
