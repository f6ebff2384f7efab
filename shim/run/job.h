/* SPDX-License-Identifier: ISC */
/*
 * What runner and worker say to each other over a SOCK_SEQPACKET pair.
 * Both are the same binary, so the structures travel as they are.
 *
 * runner -> worker: one struct job per datagram, with the message's
 * descriptor (and, for sendmail -v, the socket to write the dialogue to).
 * worker -> runner: a struct report per recipient after its result was
 * recorded on disk, or could not be; then one with kind REPORT_DONE; it can
 * take the next job then.  A datagram holds up to REPORTS_MAX of them.  End of
 * file from the runner: no more jobs, QUIT and exit.
 *
 * The worker records outcomes itself (queue_record(), queue_retire()), so
 * that a runner which dies meanwhile loses none.
 */
#ifndef SHIM_RUN_JOB_H
#define SHIM_RUN_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/result.h"
#include "spool/envelope.h"
#include "spool/id.h"
#include "spool/queue.h"

#define LOCAL_DEST	""	/* the destination that is this machine */
#define JOB_MAXRCPT	100	/* recipients in one job */

struct job {
	char		 dest[ENVELOPE_MAX_ADDR + 1]; /* a domain, LOCAL_DEST */
	struct msgid	 id;
	enum queue_place place;
	bool		 sole;	/* no recipient is open outside this job and
				   none has failed: if all are sent, the
				   worker retires the message */
	bool		 crowded; /* other workers are served there now */
	bool		 verbose; /* a second descriptor came along */
	uint64_t	 generation; /* of the overrides, as it is now */
	size_t		 nrcpt;
	uint32_t	 rcpt[JOB_MAXRCPT]; /* indices in the envelope */
};

#define REPORTS_MAX	8	/* in one datagram */

enum report_kind {
	REPORT_READY,		/* a server took the connection */
	REPORT_RCPT,		/* result of one recipient */
	REPORT_DONE		/* the job is finished */
};

struct report {
	enum report_kind kind;
	struct msgid	 id;
	uint32_t	 rcpt;
	bool		 relayed;	/* sent, and the sender is to be told */
	bool		 unrecorded;	/* the journal could not be written */
	struct result	 result;
	/* DONE: */
	bool		 retired;	/* the message was removed */
	bool		 dead;		/* no host of the destination can be
					   reached; result says why */
	time_t		 until;		/* nor should be tried before, or 0 */
	bool		 offline;	/* it looks as if no network was there */
	bool		 is_short;	/* this machine was short of something,
					   which says nothing of hosts */
	bool		 busy;		/* a host was there, but would not serve
					   us now: fewer connections */
};

#endif /* SHIM_RUN_JOB_H */
