/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration file -> the source list.  What is written
 * from a list must read as the same list.
 */
#include "config.h"

#include "nssconf.h"

#include <string.h>

#include "fuzz.h"

static void
check_list(const struct nssconf *conf, int args)
{
	static struct nssconf again;
	static char text[NSSCONF_MAXSOURCES * 400];
	char err[200];
	size_t i;

	MUST(conf->nsrc > 0 && conf->nsrc <= NSSCONF_MAXSOURCES);
	MUST(nssconf_format(conf, text, sizeof(text)) == 0);
	MUST(nssconf_parse(text, strlen(text), args, &again, err,
	    sizeof(err)) == 0);
	MUST(conf->nsrc == again.nsrc);
	for (i = 0; i < conf->nsrc; i++) {
		MUST(args || conf->src[i].arg[0] == '\0');
		MUST(memcmp(&conf->src[i], &again.src[i],
		    sizeof(conf->src[i])) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nssconf conf;
	const char *p, *value = NULL, *text = (const char *)data;
	char err[200] = "";
	size_t len = 0;
	int args, line;

	line = nssconf_find(text, size, &value, &len);
	if (line <= 0) {
		MUST(line == 0 || (line == -1 && len > 0));
		return 0;
	}
	MUST(value >= text && value + len <= text + size);
	for (args = 0; args <= 1; args++) {
		if (nssconf_parse(value, len, args, &conf, err,
		    sizeof(err)) == 0)
			check_list(&conf, args);
		else
			MUST(err[0] != '\0');
		for (p = err; *p != '\0'; p++)
			MUST(*p >= 0x20 && *p < 0x7f);
	}
	return 0;
}
