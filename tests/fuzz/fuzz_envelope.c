/* SPDX-License-Identifier: ISC */
/*
 * The records of an envelope, which anybody may write into drop/.  What is
 * taken is written as the same, holds nothing that an SMTP command could not
 * carry, and needs no more octets than were there.
 */
#include "config.h"

#include "spool/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_RCPTS	50

static void
check_text(const char *p)
{
	MUST(strlen(p) <= ENVELOPE_MAX_ADDR);
	for (; *p != '\0'; p++)
		MUST((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void
check_rcpt(const struct envelope_rcpt *rcpt)
{
	MUST(rcpt->addr[0] != '\0' && envelope_orcpt(rcpt)[0] != '\0');
	check_text(rcpt->addr);
	check_text(envelope_orcpt(rcpt));
	MUST((rcpt->notify & DSN_NEVER) == 0 || rcpt->notify == DSN_NEVER);
}

static void
check_envelope(const struct envelope *e)
{
	struct buf xtext = BUF_INIT;
	size_t i;

	MUST(e->nrcpt >= 1 && e->nrcpt <= MAX_RCPTS);
	check_text(e->sender);
	for (i = 0; i < e->nrcpt; i++)
		check_rcpt(&e->rcpt[i]);
	MUST(e->origin.s[0] == '\0' || id_is_valid(e->origin.s));
	if (e->envid == NULL)
		return;
	dsn_add_xtext(&xtext, e->envid);
	MUST(xtext.len > 0 && xtext.len <= DSN_MAX_ENVID);
	buf_clear(&xtext);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct envelope e;
	const char *why = NULL;
	size_t used;
	int rc;

	rc = envelope_parse(&e, (const char *)data, size, MAX_RCPTS, &used,
	    &why);
	MUST(rc >= -1 && rc <= 1);
	MUST(rc != -1 || why != NULL);
	if (rc != 1)
		return 0;
	MUST(used <= size);
	check_envelope(&e);
	envelope_format(&e, &text);
	envelope_clear(&e);
	MUST(envelope_parse(&e, text.data, text.len, MAX_RCPTS, &used,
	    &why) == 1 && used == text.len);
	envelope_format(&e, &again);
	MUST(again.len == text.len &&
	    memcmp(again.data, text.data, text.len) == 0);
	envelope_forget_claims(&e);
	MUST(e.origin.s[0] == '\0');
	envelope_clear(&e);
	buf_clear(&text);
	buf_clear(&again);
	return 0;
}
