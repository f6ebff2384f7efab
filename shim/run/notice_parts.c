/* SPDX-License-Identifier: ISC */
/*
 * The two parts of a notice that say what happened: once in words, once in
 * the fields of RFC 3464.  What other hosts said is in both, cleaned and cut
 * (result.h), so that it can be neither a field nor the end of a part.
 */
#include "config.h"

#include "run/notice.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <string.h>

#include "base/addr.h"
#include "base/dsn.h"
#include "base/utf8.h"

#define WIDTH		76
#define MAX_NAMED	50	/* recipients, in the text for people */

#define NO_USER	"There is no such user: check what is before the @, then " \
		"send it again."
#define NO_HOST	"The domain after the @ does not exist: check its spelling."
#define NO_UTF8	"That server takes only addresses, of the recipient, the " \
		"sender and whom the header names, that have nothing but " \
		"ASCII before the @: ask for such an address, or use " \
		"another one of your own."

/* What the sender can do about it: by what we know, ... */
static const struct {
	enum result_code code;
	const char	*text;
} advice[] = {
	{ R_NOUSER, NO_USER },
	{ R_NOHOST, NO_HOST },
	{ R_BADADDR, "This is not a usable address: check its spelling." },
	{ R_NULLMX, "This domain accepts no mail at all." },
	{ R_TOOBIG, "The message is too large for that server: send a "
	    "smaller one." },
	{ R_UTF8, NO_UTF8 },
	{ R_NOROUTE, "No host takes mail for that domain: check its "
	    "spelling." },
	{ R_LOOP, "The mail would come back to this host: its administrator "
	    "should look at the MX records and at mxhosts(5)." },
	{ R_BLOCKED, "The administrator of this host has blocked it in "
	    "mxhosts(5)." },
	{ R_EXPIRED, "It was tried again and again until it was too old. "
	    "Send it again later, or reach the recipient by other means." },
};

/* ... or by the server's code, a pattern (RFC 3463, RFC 7372). */
static const struct {
	const char	*esc;
	const char	*text;
} advice_esc[] = {
	{ "5.1.1", NO_USER },
	{ "5.1.2", NO_HOST },
	{ "5.1.6", "The mailbox has moved: ask for the new address." },
	{ "5.2.1", "The mailbox is closed: reach the recipient by other "
	    "means." },
	{ "5.2.2", "The mailbox is full: tell the recipient by other means, "
	    "or send it again later." },
	{ "5.2.3", "The message is too large for that mailbox: send a "
	    "smaller one." },
	{ "5.3.4", "The message is too large for that server: send a smaller "
	    "one." },
	{ "5.6.7", NO_UTF8 },
	{ "5.7.2?", "That server does not believe where the message is from: "
	    "show this to the administrator of this host, who should look at "
	    "SPF, DKIM and DMARC of your domain." },
	{ "5.7.*", "The rules of that server refuse your message; what it "
	    "said may tell how to be accepted. If not, ask its postmaster." },
};

/* RFC 3464 section 2.3.3 */
static const char *const actions[] = {
	[NOTICE_FAILED] = "failed", [NOTICE_RELAYED] = "relayed",
	[NOTICE_DELAYED] = "delayed",
};
_Static_assert(sizeof(actions) / sizeof(actions[0]) == NOTICE_MAX,
    "an action for each kind");

/* --- lines ---------------------------------------------------------------- */

static __attribute__((format(printf, 2, 0))) void
add_clean(struct buf *b, const char *fmt, va_list ap)
{
	size_t from = b->len;

	buf_vprintf(b, fmt, ap);
	if (b->len > from)
		utf8_clean(b->data + from);
}

void
notice_line(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_clean(b, fmt, ap);
	va_end(ap);
	buf_adds(b, CRLF);
}

void
notice_fold(struct buf *b, const char *indent, const char *fmt, ...)
{
	struct buf all = BUF_INIT;
	const char *s, *p, *cut;
	size_t col = WIDTH;
	va_list ap;

	va_start(ap, fmt);
	add_clean(&all, fmt, ap);
	va_end(ap);
	for (s = buf_str(&all); strlen(s) > col; s = cut + 1) {
		/* the last blank that fits, after a word; else the next one */
		for (cut = NULL, p = s + strspn(s, " "); *p != '\0'; p++)
			if (*p == ' ') {
				if (p > s + col && cut != NULL)
					break;
				cut = p;
			}
		if (cut == NULL)
			break;
		notice_line(b, "%.*s", (int)(cut - s), s);
		buf_adds(b, indent);
		col = WIDTH - strlen(indent);
	}
	notice_line(b, "%s", s);
	buf_clear(&all);
}

void
notice_date(struct buf *b, const char *before, time_t t, const char *after)
{
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof(text),
	    "%a, %d %b %Y %H:%M:%S %z", &tm) != 0)
		notice_line(b, "%s%s%s", before, text, after);
}

static time_t
arrival(const struct notice *n)
{
	return (time_t)(n->mf->env.time / 1000000);
}

/* Success is all there will be, or only as far as we know. */
static bool
is_delivered(const struct notice *n, const struct notice_rcpt *to)
{
	return n->kind == NOTICE_RELAYED && to->rcpt->mailbox;
}

bool
notice_is_delivered(const struct notice *n)
{
	size_t i;

	for (i = 0; i < n->nrcpt; i++)
		if (!is_delivered(n, &n->rcpt[i]))
			return false;
	return n->nrcpt > 0;
}

/* --- for people ----------------------------------------------------------- */

static const char *
advice_for(const struct result *r)
{
	size_t i;

	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (advice[i].code == r->code)
			return advice[i].text;
	for (i = 0; i < sizeof(advice_esc) / sizeof(advice_esc[0]); i++)
		if (fnmatch(advice_esc[i].esc, r->esc, 0) == 0)
			return advice_esc[i].text;
	return "The text above is what the other side said; its postmaster "
	    "can explain it.";
}

static void
say_what(struct buf *b, const struct notice *n)
{
	const char *whom = n->nrcpt == 1 ? "this recipient" :
	    "these recipients";

	notice_date(b, "Your message of ", arrival(n), "");
	switch (n->kind) {
	case NOTICE_FAILED:
		notice_line(b, "could not be delivered to %s:", whom);
		break;
	case NOTICE_RELAYED:
		notice_line(b, "was %s %s:", notice_is_delivered(n) ?
		    "delivered to" : "passed on to the mail host of", whom);
		break;
	default:
		notice_line(b, "could not be delivered yet to %s:", whom);
		break;
	}
}

/* "host said: 550 5.1.1 text"; the text of a reply begins with its code. */
static void
say_reason(struct buf *b, const struct result *r)
{
	notice_fold(b, "    ", "    %s%s%s", r->host,
	    r->host[0] == '\0' ? "" : r->reply != 0 ? " said: " : ": ",
	    r->text[0] != '\0' ? r->text : result_name(r->code));
}

static void
say_rcpt(struct buf *b, const struct notice *n, const struct notice_rcpt *to)
{
	const char *named = envelope_orcpt(to->rcpt);

	buf_adds(b, CRLF);
	if (strcmp(named, to->rcpt->addr) == 0)
		notice_line(b, "<%s>", named);
	else
		notice_line(b, "<%s>, which is <%s>", named, to->rcpt->addr);
	say_reason(b, &to->result);
	if (n->kind == NOTICE_FAILED)
		notice_fold(b, "    ", "    %s",
		    advice_for(&to->result));
}

static void
say_more(struct buf *b, const struct notice *n, const char *hostname)
{
	const char *returned = n->mf->env.ret == DSN_RET_FULL &&
	    !n->mf->env.utf8 ?
	    "Your message" : "The header of your message";

	buf_adds(b, CRLF);
	switch (n->kind) {
	case NOTICE_FAILED:
		notice_line(b, "It will not be tried again. %s follows below.",
		    returned);
		break;
	case NOTICE_RELAYED:
		if (notice_is_delivered(n)) {
			notice_line(b, "There is nothing that you must do.");
			break;
		}
		notice_fold(b, "", "That host does not report what becomes of "
		    "it. You will hear of it again only if it comes back. "
		    "There is nothing that you must do.");
		break;
	default:
		notice_date(b, "It is tried again until ", n->until, ".");
		notice_fold(b, "", "Should it not have arrived by then, you "
		    "will get another report. There is nothing that you must "
		    "do: do not send it again. If it is urgent, reach the "
		    "recipient by other means, or ask the administrator of %s "
		    "about the reason above.", hostname);
		break;
	}
	buf_adds(b, CRLF);
}

void
notice_text(struct buf *b, const struct conf *conf, const struct notice *n)
{
	size_t i;

	notice_line(b, "This is the mail system of %s.", conf->hostname);
	buf_adds(b, CRLF);
	say_what(b, n);
	for (i = 0; i < n->nrcpt && i < MAX_NAMED; i++)
		say_rcpt(b, n, &n->rcpt[i]);
	if (i < n->nrcpt) {
		buf_adds(b, CRLF);
		notice_line(b, "and %zu more: the part for programs names "
		    "them all.", n->nrcpt - i);
	}
	say_more(b, n, conf->hostname);
}

/* --- for programs --------------------------------------------------------- */

/*
 * The name in "name[address]:port", or the address in "[address]:port";
 * nothing for "local", with or without the path of a socket.
 */
static void
add_mta(struct buf *b, const struct result *r)
{
	if (strcmp(r->host, "local") == 0 ||
	    strncmp(r->host, "local[/", 7) == 0)
		return;
	if (r->host[0] == '[')
		notice_line(b, "Remote-MTA: dns; %.*s]",
		    (int)strcspn(r->host, "]"), r->host);
	else if (r->host[0] != '\0')
		notice_line(b, "Remote-MTA: dns; %.*s",
		    (int)strcspn(r->host, "["), r->host);
}

/* In ASCII, whatever the address is (RFC 6533 section 3). */
static void
add_address(struct buf *b, const char *field, const char *addr)
{
	struct buf text = BUF_INIT;

	if (addr_needs_utf8(addr))
		dsn_add_orcpt(&text, addr);
	else
		buf_printf(&text, "rfc822; %s", addr);
	notice_line(b, "%s: %s", field, buf_str(&text));
	buf_clear(&text);
}

static void
add_rcpt(struct buf *b, const struct notice *n, const struct notice_rcpt *to)
{
	const struct result *r = &to->result;

	buf_adds(b, CRLF);
	add_address(b, "Original-Recipient", envelope_orcpt(to->rcpt));
	add_address(b, "Final-Recipient", to->rcpt->addr);
	notice_line(b, "Action: %s", is_delivered(n, to) ? "delivered" :
	    actions[n->kind]);
	notice_line(b, "Status: %s", result_esc(r));
	add_mta(b, r);
	notice_fold(b, "    ", "Diagnostic-Code: %s; %s",
	    r->reply != 0 ? "smtp" : "x-mxnss", r->text);
	notice_date(b, "Last-Attempt-Date: ", to->time, "");
	if (n->kind == NOTICE_DELAYED)
		notice_date(b, "Will-Retry-Until: ", n->until, "");
}

void
notice_status(struct buf *b, const struct conf *conf, const struct notice *n)
{
	size_t i;

	if (n->mf->env.envid != NULL)
		notice_line(b, "Original-Envelope-Id: %s", n->mf->env.envid);
	notice_line(b, "Reporting-MTA: dns; %s", conf->hostname);
	notice_line(b, "X-Queue-ID: %s", n->id->s);
	notice_date(b, "Arrival-Date: ", arrival(n), "");
	for (i = 0; i < n->nrcpt; i++)
		add_rcpt(b, n, &n->rcpt[i]);
	buf_adds(b, CRLF);
}
