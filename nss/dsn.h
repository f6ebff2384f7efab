/* SPDX-License-Identifier: ISC */
/* Enhanced status codes (RFC 3463). */
#ifndef NSS_DSN_H
#define NSS_DSN_H

/* Whether S is a code such as "5.7.1", of that CLASS ('4' or '5'). */
int	mxdsn_is_code(const char *s, char class);

#endif /* NSS_DSN_H */
