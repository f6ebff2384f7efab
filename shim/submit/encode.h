/* SPDX-License-Identifier: ISC */
/*
 * Text outside ASCII in a header: as encoded words (RFC 2047) or parameters
 * (RFC 2231), in UTF-8 where it is that, else in unknown-8bit (RFC 1428), since
 * nobody said what it is.
 */
#ifndef SHIM_SUBMIT_ENCODE_H
#define SHIM_SUBMIT_ENCODE_H

#include <stddef.h>

#include "base/buf.h"

/* NAME as a phrase: atoms, a quoted string or encoded words. */
void	encode_phrase(struct buf *, const char *name);

/* An unstructured value: its words outside ASCII, and only they, encoded. */
void	encode_text(struct buf *, const char *, size_t n);

/*
 * A list of addresses (RFC 5322 section 3.4): the names of mailboxes and
 * groups, and the comments.  An address itself stays as it is: outside ASCII
 * it needs SMTPUTF8 (RFC 6532).
 */
void	encode_addresses(struct buf *, const char *, size_t n);

/*
 * A value with parameters (RFC 2045 section 5.1): name="..." becomes
 * name*=utf-8''..., or goes where that is there already.
 */
void	encode_parameters(struct buf *, const char *, size_t n);

/* "utf-8" or "unknown-8bit" for the N octets at P. */
const char *encode_charset(const char *, size_t n);

#endif /* SHIM_SUBMIT_ENCODE_H */
