/* SPDX-License-Identifier: ISC */
/*
 * libidn2 is loaded when the first such domain is met: its tables would
 * double the start-up of sendmail, whose users hardly ever write one.
 */
#include "config.h"

#include "base/idna.h"

#include <string.h>

#ifdef HAVE_LIBIDN2

#include <dlfcn.h>
#include <idn2.h>

#define LIBRARY	"libidn2.so.0"
#define FLAGS	(IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

typedef int to_ascii_fn(const char *, char **, int);
typedef void free_fn(void *);

const char *
idna_ascii(const char *domain, char *buf, size_t size)
{
	static to_ascii_fn *to_ascii;
	static free_fn *release;
	char *made = NULL;
	void *lib;
	size_t n;

	if (release == NULL) {
		if ((lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)) == NULL)
			return "domains outside ASCII need " LIBRARY ", which "
			    "is not installed";
		/* it stays for the life of the process */
		*(void **)&to_ascii = dlsym(lib, "idn2_to_ascii_8z");
		*(void **)&release = dlsym(lib, "idn2_free");
		if (to_ascii == NULL || release == NULL) {
			release = NULL;
			return "domains outside ASCII need another " LIBRARY;
		}
	}
	if (to_ascii(domain, &made, FLAGS) != IDN2_OK)
		return "the domain is not valid";
	n = strlen(made) + 1;
	if (n <= size)
		memcpy(buf, made, n);
	release(made);
	return n <= size ? NULL : "the domain is too long";
}

#else

const char *
idna_ascii(const char *domain, char *buf, size_t size)
{
	(void)domain;
	(void)buf;
	(void)size;
	return "domains outside ASCII need libidn2, which is not built in: "
	    "write them as xn--...";
}

#endif /* HAVE_LIBIDN2 */
