/* SPDX-License-Identifier: ISC */
/*
 * From envelope and message to a file in drop/, and the word to the runner;
 * or to who can write there; or, without a spool, to the recipients.
 * Whatever is wrong is found before the commit; from there on the only
 * result is EX_OK.
 */
#include "config.h"

#include "submit/submission.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/result.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "submit/compose.h"
#include "submit/direct.h"
#include "submit/handover.h"
#include "submit/notify.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define FOLLOW_MS	60000	/* sendmail -v */
#define START_MS	2000	/* until a runner of ours has its socket */

void
submission_init(struct submission *s, const struct submit_env *env)
{
	memset(s, 0, sizeof(*s));
	s->env = env;
	s->conf = env->conf;
	s->dialogue = -1;
}

void
submission_clear(struct submission *s)
{
	drop_abort(s->drop);
	message_free(s->message);
	header_clear(&s->header);
	envelope_clear(&s->envelope);
	buf_clear(&s->refusal.text);
	free(s->login);
	free(s->login_name);
	if (s->dialogue != -1)
		close(s->dialogue);
}

int
submission_refuse(struct submission *s, int code, const char *esc,
    const char *fmt, ...)
{
	struct refusal *r = &s->refusal;
	va_list ap;

	r->code = code;
	r->esc = esc;
	buf_reset(&r->text);
	va_start(ap, fmt);
	buf_vprintf(&r->text, fmt, ap);
	va_end(ap);
	utf8_clean(r->text.data);
	return code;
}

/* What to do about an error of the spool. */
static const char *
remedy(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "make the spool, with \"systemd-tmpfiles --create\", "
		    "or as a directory of your own that \"spool\" names";
	case EACCES:
	case EPERM:
		return "the directory must be writable for you: mode 3733, or "
		    "0700 and yours";
	case EROFS:
		return "the spool must be on a writable file system";
	case ENOSPC:
	case EDQUOT:
		return "free some space, or lower max-size in "
		    MXNSS_SYSCONFDIR "/mxnss.conf";
	case EFBIG:
		return "raise the limit on the size of files";
	case EMFILE:
	case ENFILE:
		return "raise the limit on open files";
	default:
		return "see what is wrong there";
	}
}

static int
spool_failed(struct submission *s)
{
	int error = errno;

	return submission_refuse(s, EX_TEMPFAIL, "4.3.0", "%s/drop: %s; the "
	    "message was not queued: %s, then try again", s->conf->spool,
	    strerror(error), remedy(error));
}

/* The name in a GECOS field: up to a comma, & is the login name. */
static char *
expand_gecos(const char *gecos, const char *login)
{
	struct buf b = BUF_INIT;

	gecos += strspn(gecos, " ");
	for (; *gecos != '\0' && *gecos != ','; gecos++) {
		if (*gecos != '&') {
			buf_addc(&b, *gecos);
			continue;
		}
		buf_addc(&b, *login >= 'a' && *login <= 'z' ?
		    (char)(*login - 'a' + 'A') : *login);
		buf_adds(&b, login[0] != '\0' ? login + 1 : "");
	}
	while (b.len > 0 && b.data[b.len - 1] == ' ')
		b.data[--b.len] = '\0';
	return buf_take(&b);
}

/* Find out who calls: once, and only if it matters. */
const char *
submission_login(struct submission *s)
{
	const struct passwd *pw;
	const char *why;

	if (s->login != NULL)
		return s->login;
	pw = getpwuid(getuid());
	if (pw != NULL && pw->pw_name[0] != '\0') {
		s->login = addr_one(pw->pw_name, s->conf->mail_name, &why);
		s->login_name = expand_gecos(pw->pw_gecos != NULL ?
		    pw->pw_gecos : "", pw->pw_name);
	}
	if (s->login == NULL)
		s->login = xasprintf("uid-%lu@%s", (unsigned long)getuid(),
		    s->conf->mail_name);
	return s->login;
}

/* In an envelope nothing folds: a line end has no business there. */
bool
submission_has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

int
submission_sender(struct submission *s, const char *text)
{
	const char *why = "a control character";
	char *sender = NULL;

	if (text == NULL) {
		s->envelope.sender = complete_masquerade(s->conf,
		    submission_login(s));
		return EX_OK;
	}
	if (!submission_has_control(text))
		sender = addr_one(text, s->conf->mail_name, &why);
	if (sender == NULL)
		return submission_refuse(s, EX_DATAERR, "5.1.7", "the sender "
		    "\"%.300s\" is not an address: %s", text, why);
	s->envelope.sender = complete_masquerade(s->conf, sender);
	free(sender);
	return EX_OK;
}

const char *
submission_recipient(void *submission, const struct addr *a)
{
	struct submission *s = submission;
	const char *why = NULL;
	char *rcpt;

	if (a->spec[0] == '\0')
		return "<> is not a recipient";
	rcpt = addr_complete(a, s->conf->mail_name, &why);
	if (rcpt != NULL)
		envelope_add_rcpt(&s->envelope, rcpt)->notify = s->notify;
	free(rcpt);
	return why;
}

static int
message_failed(struct submission *s, enum message_error error)
{
	switch (error) {
	case MESSAGE_OK:
		return EX_OK;
	case MESSAGE_READ:
		return submission_refuse(s, EX_IOERR, "4.3.0", "cannot read "
		    "the message: %s; nothing was queued", strerror(errno));
	case MESSAGE_TOO_BIG:
		return submission_refuse(s, EX_UNAVAILABLE, "5.3.4", "the "
		    "message is larger than max-size in " CONF_PATH " allows "
		    "(%llu octets)", (unsigned long long)s->conf->max_size);
	case MESSAGE_LONG_HEADER:
		return submission_refuse(s, EX_DATAERR, "5.6.0", "the header "
		    "has more than %d octets; put long text into the body",
		    HEADER_MAX);
	default:
		return spool_failed(s);
	}
}

int
submission_header(struct submission *s)
{
	int code;

	code = message_failed(s, message_header(s->message, &s->header));
	if (code == EX_OK &&
	    header_count(&s->header, "Received") > HEADER_MAX_HOPS)
		return submission_refuse(s, EX_UNAVAILABLE, "5.4.6", "the "
		    "message has more than %d Received fields: it goes in "
		    "circles; look for a forward that leads back here",
		    HEADER_MAX_HOPS);
	return code;
}

struct slot {
	const char	*addr;
	size_t		 index;
};

static int
compare_slots(const void *ap, const void *bp)
{
	const struct slot *a = ap, *b = bp;
	int rc = addr_compare(a->addr, b->addr);

	if (rc != 0)
		return rc;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Whoever is named twice gets the message once. */
static void
remove_duplicates(struct envelope *e)
{
	struct slot *slot = xcalloc(e->nrcpt, sizeof(slot[0]));
	bool *again = xcalloc(e->nrcpt, sizeof(again[0]));
	size_t i, n = 0;

	for (i = 0; i < e->nrcpt; i++)
		slot[i] = (struct slot){ e->rcpt[i].addr, i };
	qsort(slot, e->nrcpt, sizeof(slot[0]), compare_slots);
	for (i = 1; i < e->nrcpt; i++)
		if (addr_compare(slot[i - 1].addr, slot[i].addr) == 0)
			again[slot[i].index] = true;
	for (i = 0; i < e->nrcpt; i++) {
		if (again[i])
			free(e->rcpt[i].addr);
		else
			e->rcpt[n++] = e->rcpt[i];
	}
	e->nrcpt = n;
	free(slot);
	free(again);
}

static int
check_recipients(struct submission *s)
{
	remove_duplicates(&s->envelope);
	if (s->envelope.nrcpt > s->conf->max_rcpts)
		return submission_refuse(s, EX_UNAVAILABLE, "5.5.3", "%zu "
		    "recipients are more than max-rcpts in " CONF_PATH
		    " allows (%u)", s->envelope.nrcpt, s->conf->max_rcpts);
	return EX_OK;
}

/* Neither way is open; WHY is about the socket. */
static int
both_failed(struct submission *s, const char *why)
{
	return submission_refuse(s, EX_TEMPFAIL, "4.3.0", "%s/drop: %s, and "
	    "%s: %s; the message was not queued: %s, or enable "
	    "mxnss-submit.socket and let it be reached, then try again",
	    s->conf->spool, strerror(s->drop_error), s->env->submit_path, why,
	    remedy(s->drop_error));
}

static int
open_memory(struct submission *s)
{
	s->drop = drop_memory(&s->id);
	return s->drop != NULL ? EX_OK : submission_refuse(s, EX_TEMPFAIL,
	    "4.3.0", "no memory for the message: %s; it was not queued",
	    strerror(errno));
}

static int
hand_over(struct submission *s)
{
	struct buf text = BUF_INIT;
	int code = handover_send(s->env->submit_path, s->id.s,
	    drop_fd(s->drop), &text);

	if (code == EX_TEMPFAIL)
		both_failed(s, buf_str(&text));
	else if (code != EX_OK)
		submission_refuse(s, code, "5.3.0", "%s: %s; the message was "
		    "not queued", s->env->submit_path, buf_str(&text));
	buf_clear(&text);
	return code;
}

static int
deliver(struct submission *s)
{
	struct buf text = BUF_INIT;
	int code = direct_deliver(s->env->runner, drop_fd(s->drop), s->id.s,
	    s->verbose, &text);

	if (code != EX_OK)
		submission_refuse(s, code, code == EX_TEMPFAIL ? "4.3.0" :
		    "5.3.0", "the message was not delivered to all: %s%s",
		    buf_str(&text), code == EX_TEMPFAIL ? "; nothing waits "
		    "here (spool: none), so send it again" : "");
	buf_clear(&text);
	return code;
}

/* The spool is not ours to write to: somebody else may take the message. */
static int
open_handover(struct submission *s)
{
	const char *path = s->env->submit_path;
	int error = errno;

	if (path == NULL || (error != EACCES && error != EPERM &&
	    error != EROFS && error != ENOENT && error != ENOTDIR &&
	    error != EOVERFLOW))
		return spool_failed(s);
	s->drop_error = error;
	if (!handover_is_open(path))
		return both_failed(s, strerror(errno));
	s->commit = hand_over;
	return open_memory(s);
}

static int
open_drop(struct submission *s)
{
	int code = EX_OK;

	if (s->conf->spool == NULL) {
		s->commit = deliver;
		code = open_memory(s);
	} else if (drop_space(s->conf->spool, drop_need(s->conf->max_size)) == 0)
		s->drop = drop_open(s->conf->spool, &s->id);
	if (s->drop == NULL && code == EX_OK)
		code = open_handover(s);
	if (code != EX_OK)
		return code;
	s->envelope.uid = getuid();
	s->envelope.time = id_time(s->id.s);
	return EX_OK;
}

/* Write header, body and trailer to the file in drop/. */
static int
write_message(struct submission *s)
{
	struct complete_facts facts = {
		.conf = s->conf,
		.id = s->id.s,
		.uid = getuid(),
		.now = (time_t)(s->envelope.time / 1000000),
		.from = s->envelope.sender,
		.full_name = s->full_name,
		.client = s->client,
		.protocol = s->protocol,
	};
	const struct compose c = { s->message, &s->header, &facts,
	    &s->envelope, s->drop, s->conf->max_size };
	char *caller = NULL;
	int code;

	if (s->envelope.sender[0] == '\0' && !header_has(&s->header, "From")) {
		caller = complete_masquerade(s->conf, submission_login(s));
		facts.from = caller;
	}
	if (facts.full_name == NULL)
		facts.full_name = s->login_name;
	code = message_failed(s, compose(&c));
	free(caller);
	return code;
}

/*
 * For -v: a runner that knows where we listen before the message is committed
 * misses no line of the dialogue.
 */
static void
offer_dialogue(struct submission *s)
{
	const struct submit_env *env = s->env;

	if (!s->verbose || (s->dialogue = notify_listen()) == -1)
		return;
	if (notify_wake(env->wake_path, s->id.s, s->dialogue) == 0 ||
	    (notify_start(env->runner, s->conf->spool) &&
	    notify_await(env->wake_path, s->id.s, s->dialogue, START_MS) == 0))
		return;
	close(s->dialogue);
	s->dialogue = -1;
}

static int
commit(struct submission *s)
{
	struct drop *drop = s->drop;

	if (s->commit != NULL)
		return s->commit(s);
	offer_dialogue(s);
	s->drop = NULL;
	return drop_commit(drop) == -1 ? spool_failed(s) : EX_OK;
}

void
submission_wake(const struct submission *s, const char *id)
{
	const struct submit_env *env = s->env;

	/* a full socket has a runner behind it */
	if (notify_wake(env->wake_path, id, -1) == -1 &&
	    errno != EAGAIN && errno != ENOBUFS)
		notify_start(env->runner, s->conf->spool);
}

/* The mail is safe: what follows only makes it faster. */
static void
tell_runner(struct submission *s)
{
	/* who took it from us does that */
	if (s->commit == NULL)
		submission_wake(s, s->id.s);
	if (!s->verbose || s->conf->spool == NULL)
		return;
	dprintf(STDOUT_FILENO, "queued as %s\n", s->id.s);
	if (s->dialogue != -1)
		notify_follow(s->dialogue, s->conf->spool, FOLLOW_MS);
}

int
submission_store(struct submission *s)
{
	static int (*const steps[])(struct submission *) = { check_recipients,
	    open_drop, write_message, commit };
	size_t i;
	int code = EX_OK;

	for (i = 0; code == EX_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		code = steps[i](s);
	if (code == EX_OK)
		tell_runner(s);
	return code;
}
