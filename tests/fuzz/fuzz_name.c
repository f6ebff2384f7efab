/* SPDX-License-Identifier: ISC */
/*
 * Octets -> a domain name, as text from a user, in Unicode too, and as it
 * stands in a DNS message.  What is accepted once is accepted always, needs
 * no escape, and comes back from the wire and from Unicode as it was.
 */
#include "config.h"

#include "name.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "mxres.h"
#include "wire.h"

#define MAXTEXT	2000

static int
is_namechar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_';
}

/* RFC 1035 section 2.3.4, and a last label that is no number. */
static void
check_form(const char *name)
{
	size_t i, len = strlen(name), label = 0;

	MUST(len > 0 && len < MXRES_TEXTMAX);
	for (i = 0; i <= len; i++)
		if (i == len || name[i] == '.') {
			MUST(i > label && i - label <= 63);
			label = i + 1;
		} else
			MUST(is_namechar(name[i]));
	MUST(!mxres_name_isaddress(name));
}

/* The buffer may be as large as the name, and no octet larger. */
static void
check_again(const char *text, const char *name)
{
	size_t len = strlen(name);
	char *exact = malloc(len + 1), small[MXRES_TEXTMAX];

	MUST(exact != NULL);
	MUST(mxres_name(name, exact, len + 1) == 0);
	MUST(strcmp(exact, name) == 0);
	MUST(mxres_name(text, exact, len + 1) == 0);
	MUST(strcmp(exact, name) == 0);
	MUST(mxres_name(text, small, len) == -1);
	free(exact);
}

static void
check_wire(const char *name)
{
	uint8_t wire[MXRES_WIREMAX];
	char text[MXRES_ESCMAX];

	MUST(mxres_name_wire(name, wire) == strlen(name) + 2);
	MUST(mxres_name_text(wire, text));
	MUST(strcmp(text, name) == 0);
}

static void
check_unicode(const char *name)
{
	char text[MXRES_UTF8MAX + 1], back[MXRES_TEXTMAX];

	if (mxres_name_unicode(name, text, sizeof(text)) == -1) {
		MUST(errno == EINVAL || errno == ENOMEM || errno == ENOTSUP);
		return;
	}
	MUST(strstr(name, "xn--") != NULL && strcmp(text, name) != 0);
	MUST(mxres_name(text, back, sizeof(back)) == 0);
	MUST(strcmp(back, name) == 0);
}

static void
fuzz_text(const uint8_t *data, size_t size)
{
	char text[MAXTEXT + 1], name[MXRES_TEXTMAX];

	if (size > MAXTEXT)
		size = MAXTEXT;
	memcpy(text, data, size);
	text[size] = '\0';
	(void)mxres_name_isaddress(text);
	if (mxres_name(text, name, sizeof(name)) == -1) {
		MUST(errno == EINVAL || errno == ENOMEM || errno == ENOTSUP);
		return;
	}
	check_form(name);
	check_again(text, name);
	check_wire(name);
	check_unicode(name);
}

/* The octets are what follows the header of a message. */
static void
fuzz_wire(const uint8_t *data, size_t size)
{
	struct mxres_wname wname;
	struct mxres_msg m;
	char text[MXRES_ESCMAX], name[MXRES_TEXTMAX];
	uint8_t *msg, again[MXRES_WIREMAX];
	const char *p;
	bool plain;

	m.len = MXRES_HEADERLEN + size;
	MUST((msg = calloc(1, m.len)) != NULL);
	memcpy(msg + MXRES_HEADERLEN, data, size);
	m.p = msg;
	if (mxres_wire_name(&m, MXRES_HEADERLEN, m.len, &wname) == 0)
		goto out;
	plain = mxres_name_text(wname.wire, text);
	for (p = text; *p != '\0'; p++)
		MUST(*p > 0x20 && *p < 0x7f);
	if (mxres_name(text, name, sizeof(name)) == 0) {
		MUST(plain && strcmp(text, name) == 0);
		MUST(mxres_name_wire(name, again) == wname.len);
		MUST(memcmp(again, wname.wire, wname.len) == 0);
	}
out:
	free(msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_text(data, size);
	fuzz_wire(data, size);
	return 0;
}
