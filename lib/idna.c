/* SPDX-License-Identifier: ISC */
/*
 * Domain names in Unicode <-> A-labels (RFC 5890 section 2.3.2.1), by
 * libidn2 with the mapping of UTS 46, non-transitional, as browsers do:
 * capitals are folded, and the German sharp s is a letter of its own.
 * Without libidn2 a name must be written with A-labels, "xn--...".
 */
#include "config.h"

#include "idna.h"

#include <errno.h>
#include <string.h>

#include "mxres.h"

#ifdef HAVE_LIBIDN2

#include <idn2.h>

#define FLAGS	(IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

/* What libidn2 made, to BUF; the errno of a failure. */
static int
take(char *made, int status, char *buf, size_t size)
{
	int error = 0;

	if (status == IDN2_MALLOC)
		error = ENOMEM;
	else if (status != IDN2_OK || strlcpy(buf, made, size) >= size)
		error = EINVAL;
	if (status == IDN2_OK)
		idn2_free(made);
	return error;
}

int
mxres_idna_ascii(const char *name, char *buf, size_t size)
{
	char *made = NULL;
	int status = idn2_to_ascii_8z(name, &made, FLAGS);

	errno = take(made, status, buf, size);
	return errno == 0 ? 0 : -1;
}

/*
 * A-labels can spell anything: what does not come back as the same A-labels
 * is not what the standard would write, and not fit to be shown.
 */
int
mxres_name_unicode(const char *name, char *buf, size_t size)
{
	char back[256], *made = NULL;
	int status;

	if (name == NULL || buf == NULL || strstr(name, "xn--") == NULL) {
		errno = EINVAL;
		return -1;
	}
	status = idn2_to_unicode_8z8z(name, &made, 0);
	if ((errno = take(made, status, buf, size)) != 0)
		return -1;
	if (mxres_idna_ascii(buf, back, sizeof(back)) == 0 &&
	    strcmp(back, name) == 0 && strcmp(buf, name) != 0)
		return 0;
	if (errno != ENOMEM)
		errno = EINVAL;
	return -1;
}

#else /* !HAVE_LIBIDN2 */

int
mxres_idna_ascii(const char *name, char *buf, size_t size)
{
	(void)name;
	(void)buf;
	(void)size;
	errno = ENOTSUP;
	return -1;
}

int
mxres_name_unicode(const char *name, char *buf, size_t size)
{
	return mxres_idna_ascii(name, buf, size);
}

#endif /* HAVE_LIBIDN2 */
