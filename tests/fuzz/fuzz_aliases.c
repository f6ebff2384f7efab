/* SPDX-License-Identifier: ISC */
/*
 * A file of aliases(5), and a file of :include:, from the same octets.  Each
 * name is found, once, with targets or with what is wrong; a target is what
 * its kind says, and every error is one line that can be shown.
 */
#include "config.h"

#include "local/alias.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/utf8.h"
#include "fuzz.h"

static void
check_line(const char *s)
{
	for (; *s != '\0'; s++)
		MUST(*s >= ' ' && *s <= '~');
}

static void
check_address(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t i, n = strlen(text);

	MUST(n > 0 && n <= ADDR_MAX && utf8_is_valid(text, n));
	for (i = 0; i < n; i++)
		MUST((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
	/* the domain is as the DNS has it */
	MUST(at == NULL || at == text || text[n - 1] == '"' ||
	    !addr_needs_utf8(at));
}

static int
check_target(void *arg, const struct alias_target *t)
{
	(void)arg;
	MUST(t->text != NULL);
	switch (t->kind) {
	case ALIAS_ADDRESS:
	case ALIAS_USER:
		check_address(t->text);
		break;
	case ALIAS_INCLUDE:
		MUST(t->text[0] == '/');
		break;
	case ALIAS_DISCARD:
		MUST(strcmp(t->text, "/dev/null") == 0);
		break;
	default:
		MUST(!"a kind that there is not");
	}
	return 0;
}

static void
check_alias(const struct aliases *a, size_t i)
{
	const struct alias *one = &a->alias[i];
	size_t k;

	MUST(one->name != NULL && strncmp(one->origin, "FILE:", 5) == 0);
	MUST(one->wrong != NULL || one->ntarget > 0);
	if (one->wrong != NULL)
		check_line(one->wrong);
	for (k = 0; k < one->ntarget; k++)
		(void)check_target(NULL, &one->target[k]);
	MUST(i == 0 || strcasecmp(one[-1].name, one->name) < 0);
	MUST(alias_find(a, one->name) == one);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct aliases a;
	char *why = NULL;
	size_t i;
	int rc;

	alias_init(&a);
	alias_parse(&a, "FILE", text, size);
	alias_sort(&a);
	for (i = 0; i < a.nalias; i++)
		check_alias(&a, i);
	for (i = 0; i < a.nerrors; i++) {
		check_line(a.errors[i]);
		MUST(strncmp(a.errors[i], "FILE:", 5) == 0);
	}
	alias_clear(&a);
	rc = alias_include(text, size, check_target, NULL, &why);
	MUST((rc == 0) == (why == NULL));
	free(why);
	return 0;
}
