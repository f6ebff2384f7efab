/* SPDX-License-Identifier: ISC */
/*
 * Header and body into one message file: the header completed, the body in
 * the form that the header declares.
 */
#ifndef SHIM_SUBMIT_COMPOSE_H
#define SHIM_SUBMIT_COMPOSE_H

#include <stdint.h>

#include "spool/drop.h"
#include "spool/envelope.h"
#include "submit/complete.h"
#include "submit/message.h"

struct compose {
	struct message	*message;	/* its header was read */
	struct header	*header;
	const struct complete_facts *facts;
	struct envelope	*envelope;	/* learns whether it needs SMTPUTF8 */
	const struct drop *drop;	/* where to write */
	uint64_t	 max_size;	/* octets of header and body */
};

/*
 * Everything, trailer included; what is left is to commit.  The body streams;
 * only where it turns out late to be other than it began, it is written a
 * second time.  Errors other than MESSAGE_TOO_BIG with errno.
 */
enum message_error compose(const struct compose *);

#endif /* SHIM_SUBMIT_COMPOSE_H */
