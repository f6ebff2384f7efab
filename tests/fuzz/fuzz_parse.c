/* SPDX-License-Identifier: ISC */
/*
 * A DNS message -> records.  The first octet chooses the type that was
 * asked for of d.test; the rest is the message.
 */
#include "config.h"

#include "parse.h"

#include <string.h>

#include "answer.h"
#include "fuzz.h"
#include "mxres.h"
#include "name.h"

static void
check_records(const struct mxres_answer *a, enum mxres_type type)
{
	char name[MXRES_TEXTMAX];
	size_t i;

	MUST(a->nmx <= MXRES_MAXMX && a->naddr <= MXRES_MAXADDR);
	MUST(a->nnote <= MXRES_MAXNOTE);
	MUST(a->nmx == 0 || type == MXRES_TYPE_MX);
	MUST(a->naddr == 0 || type == MXRES_TYPE_A ||
	    type == MXRES_TYPE_AAAA);
	MUST(a->ntlsa == 0 || type == MXRES_TYPE_TLSA);
	MUST(a->ntxt == 0 || type == MXRES_TYPE_TXT);
	MUST(a->ntlsa <= MXRES_MAXTLSA && a->ntxt <= MXRES_MAXTXT);
	for (i = 0; i < a->ntlsa; i++) {
		MUST((a->tlsa[i].data == NULL) == (a->tlsa[i].len == 0));
		MUST(a->tlsa[i].data != NULL || !a->tlsa[i].usable);
		MUST(a->tlsa[i].ttl >= a->ttl);
	}
	for (i = 0; i < a->ntxt; i++) {
		MUST(a->txt[i].len <= MXRES_MAXTXTLEN);
		MUST(a->txt[i].data[a->txt[i].len] == '\0');
		MUST(a->txt[i].ttl >= a->ttl);
	}
	for (i = 0; i < a->nmx; i++) {
		MUST(mxres_name(a->mx[i].host, name, sizeof(name)) == 0);
		MUST(strcmp(name, a->mx[i].host) == 0);
		MUST(a->mx[i].ttl <= INT32_MAX && a->mx[i].ttl >= a->ttl);
	}
	for (i = 0; i < a->naddr; i++) {
		MUST(mxres_addr_usable(a->addr[i].family, a->addr[i].addr));
		MUST(a->addr[i].ttl <= INT32_MAX && a->addr[i].ttl >= a->ttl);
	}
}

static void
check_text(const char *s)
{
	for (; *s != '\0'; s++)
		MUST(*s >= 0x20 && *s < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum mxres_type types[] = {
		MXRES_TYPE_MX, MXRES_TYPE_A, MXRES_TYPE_AAAA,
		MXRES_TYPE_TLSA, MXRES_TYPE_TXT
	};
	struct mxres_answer *a;
	enum mxres_type type;
	enum mxres_status status;
	size_t i;

	if (size == 0 || size > UINT16_MAX)
		return 0;
	type = types[*data % 5];
	MUST((a = mxres_answer_new("d.test")) != NULL);
	status = mxres_parse(data + 1, size - 1, type, a);
	MUST(status < MXRES_BADNAME && status != MXRES_NOMEM);
	if (status != MXRES_OK)
		MUST(a->nmx + a->naddr + a->ntlsa + a->ntxt == 0);
	if (MXRES_ISTEMP(status))
		MUST(a->ttl == 0 && a->flags == 0);
	else
		MUST(a->rcode == 0 || a->rcode == 3);
	check_records(a, type);
	for (i = 0; i < a->nnote; i++)
		check_text(a->note[i].text);
	if (a->cname != NULL)
		check_text(a->cname);
	mxres_answer_free(a);
	return 0;
}
