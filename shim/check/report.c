/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/report.h"

#include <stdarg.h>
#include <string.h>

#include "base/show.h"

#define PLAIN	"\033[0m"

static const struct {
	const char *word;
	const char *colour;
} marks[] = {
	[MARK_OK] = { "ok", "\033[32m" },
	[MARK_NOTE] = { "note", "\033[1m" },
	[MARK_WARNING] = { "warning", "\033[33m" },
	[MARK_FAULT] = { "fault", "\033[31m" },
};

static void
add_json(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "%c\"%s\":", b->len == 0 ? '{' : ',', key);
	show_json(b, value);
}

static void
add_text(struct buf *b, struct report *r, enum mark mark, const char *check,
    const char *remedy, const char *reason)
{
	if (r->target != NULL && r->headed != r->target) {
		show_text(b, r->target);
		buf_adds(b, ":\n");
	}
	r->headed = r->target;
	buf_printf(b, "%s%-7s%s  %-13s  ", r->colour ? marks[mark].colour : "",
	    marks[mark].word, r->colour ? PLAIN : "", check);
	show_text(b, reason);
	if (remedy != NULL) {
		buf_printf(b, "\n%24s -> ", "");
		show_text(b, remedy);
	}
}

void
report(struct report *r, enum mark mark, const char *check,
    const char *remedy, const char *fmt, ...)
{
	struct buf b = BUF_INIT, reason = BUF_INIT;
	va_list ap;

	if (mark != MARK_NOTE && mark > r->worst)
		r->worst = mark;
	if (r->quiet && mark == MARK_OK)
		return;
	va_start(ap, fmt);
	buf_vprintf(&reason, fmt, ap);
	va_end(ap);
	if (r->json) {
		add_json(&b, "target", r->target);
		add_json(&b, "check", check);
		add_json(&b, "status", marks[mark].word);
		add_json(&b, "reason", buf_str(&reason));
		add_json(&b, "remedy", remedy);
		buf_addc(&b, '}');
	} else
		add_text(&b, r, mark, check, remedy, buf_str(&reason));
	/* as it is found: a host that does not answer takes its time */
	fprintf(r->fp, "%s\n", buf_str(&b));
	fflush(r->fp);
	buf_clear(&reason);
	buf_clear(&b);
}
