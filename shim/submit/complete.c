/* SPDX-License-Identifier: ISC */
/*
 * One pass after another over the fields.  What comes from elsewhere than
 * the message (full names) passes encode_phrase(), which can neither end a
 * line nor begin a field.
 */
#include "config.h"

#include "submit/complete.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/xmalloc.h"
#include "submit/encode.h"

/* Fields of addresses; the authors' come first. */
#define NAUTHORS 5
static const char *const address_fields[] = { "From", "Sender", "Reply-To",
    "Resent-From", "Resent-Sender", "To", "Cc", "Bcc", "Resent-To",
    "Resent-Cc", "Resent-Bcc", "Resent-Reply-To",
    "Disposition-Notification-To", NULL };

/* --- what goes ------------------------------------------------------------ */

/* Fields that end here; and fields that may not be empty. */
static bool
must_go(const struct buf *f)
{
	static const char *const secret[] = { "Bcc", "Resent-Bcc",
	    "Return-Path", NULL };
	static const char *const needed[] = { "Date", "From", "Message-ID",
	    "To", "Cc", "Sender", "Reply-To", "Resent-To", "Resent-Cc",
	    NULL };

	return field_is_one_of(f, secret) ||
	    (field_is_one_of(f, needed) && field_is_empty(f));
}

static void
remove_fields(struct header *h)
{
	size_t i;

	for (i = 0; i < h->nfield; i++)
		if (must_go(&h->field[i]))
			buf_clear(&h->field[i]);
	header_pack(h);
}

/*
 * Some fields may be there once (RFC 5322 section 3.6), and receivers refuse
 * mail where one is there twice.  Lists become one list, of others the first
 * stays.
 */
static const struct single {
	const char	*name;
	bool		 is_list;
} singles[] = {
	{ "Date", false }, { "From", true }, { "Sender", false },
	{ "Reply-To", true }, { "To", true }, { "Cc", true },
	{ "Message-ID", false }, { "In-Reply-To", false },
	{ "References", false }, { "Subject", false },
	{ "MIME-Version", false }, { "Content-Type", false },
	{ "Content-Transfer-Encoding", false },
};

static void
merge(struct header *h, const struct single *single)
{
	struct buf *f, *first = NULL;
	size_t i, start;

	for (i = 0; i < h->nfield; i++) {
		f = &h->field[i];
		if (!field_is(f, single->name))
			continue;
		if (first == NULL) {
			first = f;
			continue;
		}
		start = field_start(f);
		start += strspn(f->data + start, " \t");
		if (single->is_list) {
			buf_adds(first, ",\r\n\t");
			buf_add(first, f->data + start, f->len - start);
		}
		buf_clear(f);
	}
}

static void
merge_fields(struct header *h)
{
	size_t i;

	for (i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		merge(h, &singles[i]);
	header_pack(h);
}

/* --- addresses ------------------------------------------------------------ */

static bool
is_ours(const struct conf *conf, const char *domain)
{
	return strcasecmp(domain, conf->hostname) == 0 ||
	    strcasecmp(domain, conf->mail_name) == 0 ||
	    conf_is_local(conf, domain);
}

char *
complete_masquerade(const struct conf *conf, const char *spec)
{
	const char *at = strrchr(spec, '@'), *as = conf->masquerade;

	if (as == NULL || at == NULL || !is_ours(conf, at + 1))
		return xstrdup(spec);
	if (strchr(as, '@') != NULL)
		return xstrdup(as);
	return xasprintf("%.*s@%s", (int)(at - spec), spec, as);
}

struct completion {
	const struct conf *conf;
	bool		 is_author;
	bool		 utf8;		/* an address needs SMTPUTF8 */
	const char	*value;
	size_t		 done;		/* octets of the value in OUT */
	struct buf	 out;
};

static const char *
complete_address(void *arg, const struct addr *a)
{
	struct completion *c = arg;
	const char *why;
	char *full, *seen;
	bool whole;

	if (a->spec[0] == '\0')
		return NULL;
	full = addr_complete(a, c->conf->mail_name, &why);
	if (full == NULL)
		return why;
	seen = c->is_author ? complete_masquerade(c->conf, full) :
	    xstrdup(full);
	c->utf8 |= addr_needs_utf8(seen);
	whole = a->converted || strcmp(seen, full) != 0;
	if (whole || strcmp(seen, a->spec) != 0) {
		/* what need not change keeps its quotes and comments */
		buf_add(&c->out, c->value + c->done,
		    (whole ? a->start : a->end) - c->done);
		buf_adds(&c->out, whole ? seen : strrchr(full, '@'));
		c->done = a->end;
	}
	free(full);
	free(seen);
	return NULL;
}

/*
 * Addresses without domain get one; a field that is none is left alone.
 * Whether an address needs SMTPUTF8.
 */
static bool
complete_field(struct buf *f, const struct conf *conf, bool is_author)
{
	size_t start = field_start(f), n = f->len - start;
	struct completion c = { .conf = conf, .is_author = is_author,
	    .value = f->data + start };
	const char *why;

	if (addr_list(c.value, n, complete_address, &c, &why) == 0 &&
	    c.done != 0) {
		buf_add(&c.out, c.value + c.done, n - c.done);
		f->len = start;
		buf_add(f, c.out.data, c.out.len);
	}
	buf_clear(&c.out);
	return c.utf8;
}

static bool
complete_fields(struct header *h, const struct conf *conf)
{
	bool utf8 = false;
	size_t i, k;

	for (i = 0; i < h->nfield; i++)
		for (k = 0; address_fields[k] != NULL; k++)
			if (field_is(&h->field[i], address_fields[k]))
				utf8 |= complete_field(&h->field[i], conf,
				    k < NAUTHORS);
	return utf8;
}

/* --- text outside ASCII --------------------------------------------------- */

/* Fields with a grammar of their own. */
static bool
is_structured(const struct buf *f)
{
	static const char *const names[] = { "Received", "Return-Path", "Date",
	    "Message-ID", "In-Reply-To", "References", "Resent-Date",
	    "Resent-Message-ID", "MIME-Version", "DKIM-Signature",
	    "Authentication-Results", "Auto-Submitted", NULL };

	return field_is_one_of(f, names) ||
	    (strncasecmp(f->data, "Content-", 8) == 0 &&
	    !field_is(f, "Content-Description")) ||
	    strncasecmp(f->data, "ARC-", 4) == 0 ||
	    strncasecmp(f->data, "List-", 5) == 0;
}

static void
encode_field(struct buf *f)
{
	size_t start = field_start(f);
	struct buf out = BUF_INIT;

	bool has_parameters = field_is(f, "Content-Type") ||
	    field_is(f, "Content-Disposition");

	if (!utf8_has_eightbit(f->data, f->len) ||
	    (is_structured(f) && !has_parameters))
		return;
	buf_add(&out, f->data, start);
	if (has_parameters)
		encode_parameters(&out, f->data + start, f->len - start);
	else if (field_is_one_of(f, address_fields))
		encode_addresses(&out, f->data + start, f->len - start);
	else
		encode_text(&out, f->data + start, f->len - start);
	buf_clear(f);
	*f = out;
}

static void
encode_fields(struct header *h)
{
	size_t i;

	for (i = 0; i < h->nfield; i++)
		encode_field(&h->field[i]);
}

/* --- what is missing ------------------------------------------------------ */

static void
add_received(struct header *h, const struct complete_facts *facts)
{
	struct buf *f = header_add_first(h);

	buf_adds(f, "Received: ");
	if (facts->client != NULL)
		buf_printf(f, "from %s\r\n\t", facts->client);
	buf_printf(f, "by %s (mxnss, from userid %lu)\r\n\t",
	    facts->conf->hostname, (unsigned long)facts->uid);
	if (facts->client != NULL)
		buf_printf(f, "with %s ", facts->protocol);
	buf_printf(f, "id %s; ", facts->id);
	complete_date(f, facts->now);
}

static void
write_from(struct buf *f, const struct complete_facts *facts)
{
	if (facts->full_name != NULL && facts->full_name[0] != '\0') {
		encode_phrase(f, facts->full_name);
		buf_printf(f, " <%s>", facts->from);
	} else {
		buf_adds(f, facts->from);
	}
}

static const char *
count(void *n, const struct addr *a)
{
	(void)a;
	++*(unsigned *)n;
	return NULL;
}

/* RFC 5322 section 3.6.2: then a Sender says which of them it was. */
static bool
has_several_authors(const struct header *h)
{
	const char *value = header_value(h, "From"), *why;
	unsigned n = 0;

	return value != NULL &&
	    addr_list(value, strlen(value), count, &n, &why) == 0 && n > 1;
}

static void
add_missing(struct header *h, const struct complete_facts *facts)
{
	struct buf *f;

	if (!header_has(h, "Date")) {
		f = header_add(h);
		buf_adds(f, "Date: ");
		complete_date(f, facts->now);
	}
	if (!header_has(h, "Message-ID"))
		buf_printf(header_add(h), "Message-ID: <%s@%s>", facts->id,
		    facts->conf->hostname);
	if (!header_has(h, "From")) {
		f = header_add(h);
		buf_adds(f, "From: ");
		write_from(f, facts);
	}
	if (has_several_authors(h) && !header_has(h, "Sender")) {
		f = header_add(h);
		buf_adds(f, "Sender: ");
		write_from(f, facts);
	}
	/* whoever is hidden stays so, and the receiver sees that */
	if (!header_has(h, "To") && !header_has(h, "Cc"))
		buf_adds(header_add(h), "To: undisclosed-recipients:;");
}

static bool
is_resent(const struct header *h)
{
	size_t i;

	for (i = 0; i < h->nfield; i++)
		if (strncasecmp(h->field[i].data, "Resent-", 7) == 0)
			return true;
	return false;
}

/* RFC 5322 section 3.6.6: who sends it again, and when; above the rest. */
static void
add_resent(struct header *h, const struct complete_facts *facts)
{
	struct buf *f;

	if (!header_has(h, "Resent-Message-ID"))
		buf_printf(header_add_first(h), "Resent-Message-ID: <%s@%s>",
		    facts->id, facts->conf->hostname);
	if (!header_has(h, "Resent-Date")) {
		f = header_add_first(h);
		buf_adds(f, "Resent-Date: ");
		complete_date(f, facts->now);
	}
	if (!header_has(h, "Resent-From")) {
		f = header_add_first(h);
		buf_adds(f, "Resent-From: ");
		write_from(f, facts);
	}
}

bool
header_complete(struct header *h, const struct complete_facts *facts)
{
	bool resent = is_resent(h), utf8;

	remove_fields(h);
	merge_fields(h);
	utf8 = complete_fields(h, facts->conf);
	encode_fields(h);
	add_missing(h, facts);
	if (resent)
		add_resent(h, facts);
	add_received(h, facts);
	return utf8 || addr_needs_utf8(facts->from);
}

void
complete_date(struct buf *b, time_t t)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	long off;

	if (localtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	off = tm.tm_gmtoff / 60;
	buf_printf(b, "%s, %d %s %d %02d:%02d:%02d %c%02ld%02ld",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    off < 0 ? '-' : '+', labs(off) / 60, labs(off) % 60);
}
