/* SPDX-License-Identifier: ISC */
/*
 * The form of enhanced status codes: class "." 1*3digit "." 1*3digit (RFC
 * 3463 section 2).
 */
#include "config.h"

#include "dsn.h"

#include <stddef.h>
#include <string.h>

int
mxdsn_is_code(const char *s, char class)
{
	size_t a, b;

	if (s[0] != class || s[1] != '.')
		return 0;
	a = strspn(s + 2, "0123456789");
	if (a < 1 || a > 3 || s[2 + a] != '.')
		return 0;
	b = strspn(s + 3 + a, "0123456789");
	return b >= 1 && b <= 3 && s[3 + a + b] == '\0';
}
