/* SPDX-License-Identifier: ISC */
/*
 * Non-delivery reports (RFC 3464 in the frame of RFC 6522): what happened, in
 * plain words, then the same for programs, then the header of the message.
 */
#ifndef SHIM_RUN_BOUNCE_H
#define SHIM_RUN_BOUNCE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/conf.h"
#include "base/result.h"
#include "spool/msgfile.h"
#include "spool/queue.h"

struct bounce_rcpt {
	const char	*addr;
	struct result	 result;	/* permanent */
};

struct bounce {
	const struct msgid *id;		/* of the message that failed */
	const struct msgfile *mf;
	int		 fd;		/* its file; read with pread(2) */
	const struct bounce_rcpt *rcpt;
	size_t		 nrcpt;
	unsigned	 nth;		/* recipients reported before: names
					   the report, see id_derive() */
	time_t		 now;
};

/*
 * Make the report and link it into queue/, durably; *ID is its name.  Made
 * twice, it exists once.  The sender must not be empty.  0, or -1 with errno.
 */
int	bounce_make(struct queue *, const struct conf *,
	    const struct bounce *, struct msgid *id);

#endif /* SHIM_RUN_BOUNCE_H */
