/* SPDX-License-Identifier: ISC */
/*
 * A submission by the command line: sender, recipients and header, and what
 * becomes of a mistake in them.
 */
#include "config.h"

#include "submit/submit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/result.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "submit/opts.h"
#include "submit/returned.h"
#include "submit/submission.h"

int
submit_complain(int code, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	utf8_clean(b.data);
	dprintf(STDERR_FILENO, "sendmail: %s\n", b.data);
	buf_clear(&b);
	return code;
}

static int
take_sender(struct submission *s)
{
	return submission_sender(s, s->env->opts->sender);
}

static int
take_arguments(struct submission *s)
{
	const struct opts *opts = s->env->opts;
	const char *why, *arg;
	size_t before;
	int i;

	if (opts->nrcpt == 0 && !opts->from_header)
		return submission_refuse(s, EX_USAGE, "5.5.1", "no recipient: "
		    "give addresses, or -t to take them from the header");
	for (i = 0; i < opts->nrcpt; i++) {
		arg = opts->rcpt[i];
		before = s->envelope.nrcpt;
		why = "a control character";
		if (!submission_has_control(arg) &&
		    addr_list(arg, strlen(arg), submission_recipient, s,
		    &why) == 0 && s->envelope.nrcpt > before)
			continue;
		return submission_refuse(s, EX_DATAERR, "5.1.3", "\"%.300s\" "
		    "is not an address: %s", arg, why != NULL ? why :
		    "it is empty");
	}
	return EX_OK;
}

static int
take_header(struct submission *s)
{
	const char *field, *why;
	int code = submission_header(s);

	if (code != EX_OK)
		return code;
	if (s->env->opts->from_header && header_recipients(&s->header,
	    submission_recipient, s, &field, &why) == -1)
		return submission_refuse(s, EX_DATAERR, "5.1.3", "\"%.300s\" "
		    "has something that is not an address: %s", field, why);
	if (s->envelope.nrcpt == 0)
		return submission_refuse(s, EX_USAGE, "5.5.1", "no recipient: "
		    "neither To, Cc nor Bcc names one");
	return EX_OK;
}

/* A mistake of the caller: whatever else fails he may try again. */
static bool
is_mistake(int code)
{
	return code == EX_USAGE || code == EX_DATAERR ||
	    code == EX_UNAVAILABLE;
}

/* Report what is wrong as -e says; returns the exit code. */
static int
report(struct submission *s)
{
	enum opts_errors how = s->env->opts->errors;
	int code = s->refusal.code;

	if (how == OPTS_WRITE)
		how = isatty(STDERR_FILENO) ? OPTS_PRINT : OPTS_MAIL;
	if (how == OPTS_QUIET)
		return code;
	if (how != OPTS_PRINT && is_mistake(code) && returned_mail(s) == 0)
		return how == OPTS_MAIL_ZERO ? EX_OK : code;
	return submit_complain(code, "%s", buf_str(&s->refusal.text));
}

int
submit(const struct submit_env *env)
{
	static int (*const steps[])(struct submission *) = { take_sender,
	    take_arguments, take_header, submission_store };
	const struct opts *opts = env->opts;
	struct submission s;
	size_t i;
	int code = EX_OK;

	submission_init(&s, env);
	s.message = message_new(STDIN_FILENO, opts->ignore_dots);
	s.notify = opts->notify;
	s.full_name = opts->full_name;
	s.verbose = opts->verbose;
	s.envelope.ret = opts->ret;
	if (opts->envid != NULL)
		s.envelope.envid = xstrdup(opts->envid);
	for (i = 0; code == EX_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		code = steps[i](&s);
	if (code != EX_OK)
		code = report(&s);
	submission_clear(&s);
	return code;
}
