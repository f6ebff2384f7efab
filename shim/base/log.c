/* SPDX-License-Identifier: ISC */
/*
 * Log lines: constant formats, one line each, at most 1 KiB, printable.
 */
#include "config.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/utf8.h"

static char tag[64] = "mxnss";
static enum log_dest dest = LOG_TO_STDERR;

static void
set_tag(const char *who)
{
	snprintf(tag, sizeof(tag), "mxnss/%s", who);
	/* syslog(3) keeps the pointer, and a connection that it has */
	if (dest == LOG_TO_SYSLOG)
		openlog(tag, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_open(const char *who, enum log_dest where)
{
	dest = where;
	set_tag(who);
}

static void __attribute__((format(printf, 2, 0)))
log_line(int priority, const char *fmt, va_list ap)
{
	char line[1024], out[sizeof(tag) + 32 + sizeof(line)];
	int n;

	vsnprintf(line, sizeof(line), fmt, ap);
	utf8_clean(line);
	if (dest == LOG_TO_SYSLOG) {
		syslog(priority, "%s", line);
		return;
	}
	/* dprintf(3) asks the kernel four things before it writes */
	n = snprintf(out, sizeof(out), "%s[%ld]: %s\n", tag, (long)getpid(),
	    line);
	if (n > 0 && write(STDERR_FILENO, out, (size_t)n) == -1)
		return;		/* there is no one else to tell */
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_INFO, fmt, ap);
	va_end(ap);
}

void
log_info_as(const char *who, const char *fmt, ...)
{
	char old[sizeof(tag)];
	va_list ap;

	memcpy(old, tag, sizeof(old));
	set_tag(who);
	va_start(ap, fmt);
	log_line(LOG_INFO, fmt, ap);
	va_end(ap);
	memcpy(tag, old, sizeof(tag));
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void
log_err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_ERR, fmt, ap);
	va_end(ap);
}
