/* SPDX-License-Identifier: ISC */
/*
 * Most mail of programs says nothing of MIME, and a little says half of it.
 * What it does say is kept; what is missing is what the octets show.
 */
#include "config.h"

#include "submit/mime.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mimefield.h"
#include "base/xmalloc.h"

void
mime_read(struct mime *m, const struct header *h)
{
	const char *type = header_value(h, "Content-Type");
	const char *encoding = header_value(h, "Content-Transfer-Encoding");
	char charset[64];

	m->type = type != NULL ? xstrdup(mimefield_skip(type)) : NULL;
	m->is_text = type == NULL || mimefield_is(type, "text");
	m->has_charset = type != NULL && mimefield_param(type, "charset",
	    charset, sizeof(charset)) != 0;
	m->is_seven = encoding == NULL || mimefield_is(encoding, "7bit");
	m->is_plain = m->is_seven || mimefield_is(encoding, "8bit") ||
	    mimefield_is(encoding, "binary");
	m->has_version = header_has(h, "MIME-Version");
}

void
mime_clear(struct mime *m)
{
	free(m->type);
	m->type = NULL;
}

bool
mime_may_quote(const struct mime *m)
{
	return m->is_text && m->is_plain;
}

void
mime_decide(const struct mime *m, const struct mime_facts *facts,
    struct mime_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	if (!m->is_plain)
		return;
	plan->quote = facts->long_line && mime_may_quote(m);
	if (plan->quote)
		plan->encoding = "quoted-printable";
	else if (facts->eightbit && m->is_seven)
		plan->encoding = "8bit";
	if (!m->is_text || m->has_charset)
		return;
	if (facts->eightbit && facts->utf8)
		plan->charset = "utf-8";
	else if (facts->eightbit && m->type == NULL)
		plan->charset = "unknown-8bit";
	else if (plan->quote && m->type == NULL)
		plan->charset = "us-ascii";
}

bool
mime_same(const struct mime_plan *a, const struct mime_plan *b)
{
	/* the words are constants */
	return a->quote == b->quote && a->encoding == b->encoding &&
	    a->charset == b->charset;
}

void
mime_declare(const struct mime *m, const struct mime_plan *plan,
    struct header *h)
{
	struct buf type = BUF_INIT;

	if (plan->encoding == NULL && plan->charset == NULL)
		return;
	if (!m->has_version)
		header_set(h, "MIME-Version", "1.0");
	if (plan->charset != NULL) {
		buf_printf(&type, "%s; charset=%s",
		    m->type != NULL ? m->type : "text/plain", plan->charset);
		header_set(h, "Content-Type", type.data);
		buf_clear(&type);
	}
	if (plan->encoding != NULL)
		header_set(h, "Content-Transfer-Encoding", plan->encoding);
}
