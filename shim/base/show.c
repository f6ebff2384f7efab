/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/show.h"

#include <stdio.h>

#include "base/utf8.h"

void
show_text(struct buf *b, const char *s)
{
	size_t from = b->len;

	buf_adds(b, s);
	if (b->len > from)
		utf8_clean(b->data + from);
}

void
show_time(struct buf *b, time_t t)
{
	char text[32];
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%a %b %e %H:%M:%S", &tm) == 0)
		snprintf(text, sizeof(text), "%lld", (long long)t);
	buf_adds(b, text);
}

void
show_json(struct buf *b, const char *s)
{
	struct buf clean = BUF_INIT;
	const char *p;

	if (s == NULL) {
		buf_adds(b, "null");
		return;
	}
	show_text(&clean, s);
	buf_addc(b, '"');
	for (p = buf_str(&clean); *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *p);
	}
	buf_addc(b, '"');
	buf_clear(&clean);
}

int
show_print(struct buf *b)
{
	size_t n = b->len;

	if (n > 0 && fwrite(b->data, 1, n, stdout) != n)
		return -1;
	buf_reset(b);
	return 0;
}
