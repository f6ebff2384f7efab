/* SPDX-License-Identifier: ISC */
/*
 * What a sender may ask of reports (RFC 3461 section 4): NOTIFY for each
 * recipient, RET and ENVID for the message.  Pure.
 */
#ifndef SHIM_BASE_DSN_H
#define SHIM_BASE_DSN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* NOTIFY: NEVER alone, or any of the others; 0: nothing was said. */
#define DSN_NEVER	0x1
#define DSN_SUCCESS	0x2
#define DSN_FAILURE	0x4
#define DSN_DELAY	0x8

enum dsn_ret { DSN_RET_UNSAID, DSN_RET_FULL, DSN_RET_HDRS };

#define DSN_MAX_ENVID	100	/* octets, as xtext */
#define DSN_MAX_ORCPT	500	/* likewise, with "rfc822;" */

/*
 * dsn_parse_notify, dsn_parse_ret: the N octets at P, in either case.  0, or
 *	-1 when they are no such value.
 * dsn_add_notify: as it is written; there must be something to write.
 * dsn_ret_name: likewise; "" if nothing was said.
 * dsn_wants: whether a recipient with that NOTIFY is to be reported in the
 *	case WHAT, one of DSN_SUCCESS, DSN_FAILURE and DSN_DELAY.  Who said
 *	nothing hears of failure and delay.
 * dsn_is_envid: whether the N octets at P can be an ENVID (section 4.4):
 *	printable, and not too long.
 * dsn_add_xtext: S as xtext (section 4).
 * dsn_add_orcpt: the address S with its type, as ORCPT has it: "rfc822;" and
 *	xtext, or outside ASCII "utf-8;" and utf-8-addr-xtext, which is ASCII
 *	(RFC 6533 section 3).
 * dsn_parse_orcpt: such a value, of N octets, into B.  0; 1 when it is that of
 *	another type; -1.
 * dsn_parse_xtext: the N octets at P, which are xtext, into B.  0, or -1 when
 *	they are none, or stand for something that is not printable US-ASCII.
 */
int	dsn_parse_notify(const char *p, size_t n, unsigned *notify);
int	dsn_parse_ret(const char *p, size_t n, enum dsn_ret *);
void	dsn_add_notify(struct buf *, unsigned notify);
const char *dsn_ret_name(enum dsn_ret);
bool	dsn_wants(unsigned notify, unsigned what);
bool	dsn_is_envid(const char *p, size_t n);
void	dsn_add_xtext(struct buf *, const char *s);
void	dsn_add_orcpt(struct buf *, const char *s);
int	dsn_parse_orcpt(const char *p, size_t n, struct buf *);
int	dsn_parse_xtext(const char *p, size_t n, struct buf *);

#endif /* SHIM_BASE_DSN_H */
