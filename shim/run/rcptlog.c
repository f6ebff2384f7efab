/* SPDX-License-Identifier: ISC */
/* What readers of mail logs know: the form is that of others. */
#include "config.h"

#include "run/rcptlog.h"

#include <stdarg.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"

static int64_t
clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
rcptlog_clock(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

void
rcptlog_begin(struct rcptlog *l)
{
	l->began = rcptlog_clock();
}

void
rcptlog_tell(const struct delivery *m, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	if (m->trace == NULL)
		return;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	m->trace(m->arg, '=', buf_str(&b));
	buf_clear(&b);
}

/* Seconds, two digits of them. */
static void
add_delay(struct buf *b, int64_t us, char end)
{
	double s = us > 0 ? (double)us / 1e6 : 0;

	if (s < 0.01)
		buf_addc(b, '0');
	else if (s < 10)
		buf_printf(b, "%.2g", s);
	else
		buf_printf(b, "%.0f", s);
	buf_addc(b, end);
}

void
rcptlog_line(const struct rcptlog *l, const struct delivery_rcpt *rcpt)
{
	const struct delivery *m = l->m;
	const struct result *r = &rcpt->result;
	int64_t age = clock_us(CLOCK_REALTIME) - (int64_t)m->time;
	int64_t mine = rcptlog_clock() - l->began;
	struct buf b = BUF_INIT;

	buf_printf(&b, "to=<%s>, relay=%s, delay=", rcpt->addr,
	    r->host[0] != '\0' ? r->host : "none");
	add_delay(&b, age, ',');
	buf_adds(&b, " delays=");
	add_delay(&b, age - mine, '/');
	add_delay(&b, mine - l->connecting - l->sending, '/');
	add_delay(&b, l->connecting, '/');
	add_delay(&b, l->sending, ',');
	buf_printf(&b, " dsn=%s, status=%s (%s)", result_esc(r),
	    result_status(r), r->text);
	log_info("%s: %s", m->id, buf_str(&b));
	rcptlog_tell(m, "%s", buf_str(&b));
	buf_clear(&b);
}
