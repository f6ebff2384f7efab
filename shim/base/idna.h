/* SPDX-License-Identifier: ISC */
/*
 * A domain in Unicode as A-labels (RFC 5891 section 4.4): the form that the
 * DNS and every server know.
 */
#ifndef SHIM_BASE_IDNA_H
#define SHIM_BASE_IDNA_H

#include <stddef.h>

/*
 * DOMAIN, UTF-8, to BUF of SIZE octets, as libmxres does it.  NULL, or a
 * static text that says why not.
 */
const char *idna_ascii(const char *domain, char *buf, size_t size);

#endif /* SHIM_BASE_IDNA_H */
