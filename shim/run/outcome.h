/* SPDX-License-Identifier: ISC */
/*
 * What becomes of a message after an attempt: told, kept, retired or buried.
 */
#ifndef SHIM_RUN_OUTCOME_H
#define SHIM_RUN_OUTCOME_H

#include "base/conf.h"
#include "run/notice.h"
#include "run/sched.h"
#include "run/table.h"

struct outcome {
	struct queue	*queue;
	const struct conf *conf;
	const struct sched *sched;
	time_t		 now;
	/* out: reports that were made; they may go now */
	struct msgid	 made[NOTICE_MAX];
	size_t		 nmade;
	bool		 kept;	/* out: the next time is that of the file */
};

/*
 * Record what became of recipient I, because its worker could not.  0, or -1,
 * logged.
 */
int	outcome_record(struct outcome *, const struct message *, uint32_t i,
	    const struct result *, bool relayed);
/*
 * Put off the N recipients RCPT of the loaded message: record and log *R,
 * which is temporary.  RCPT_BUSY and RCPT_OPEN become RCPT_DEFERRED.
 */
void	outcome_defer(struct outcome *, struct message *, const uint32_t *rcpt,
	    size_t n, const struct result *);
/* Tell sendmail -v, if it listens. */
void	outcome_tell(const struct message *, const char *text);
/* Log what *R says of recipient I, and tell sendmail -v. */
void	outcome_log(const struct outcome *, const struct message *, size_t i,
	    const struct result *);
/*
 * Before anything is tried: report what is in the journal and was not
 * reported, because an earlier run ended in between.  The report that it may
 * have made has the same recipients then, so its name is good for this one.
 * 0, or -1: try again later, and nothing else before.
 */
int	outcome_catch_up(struct outcome *, struct message *);
/*
 * Every recipient was dealt with.  True: the message is gone; else it waits
 * until *NEXT.
 */
bool	outcome_settle(struct outcome *, struct message *, time_t *next);

#endif /* SHIM_RUN_OUTCOME_H */
