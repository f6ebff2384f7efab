/* SPDX-License-Identifier: ISC */
/*
 * Envelope records to and from octets.  Their order is fixed, and so is their
 * number but for R and what belongs to it.  Lengths rule; no value can end a
 * record early or begin another.
 */
#include "config.h"

#include "spool/envelope.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"

/* The first three, R and M must be there; after M nothing follows. */
#define ORDER		"UTSIHGORNPLAM"

#define MAX_DIGITS	3	/* of a record's length */

struct record {
	char		 type;
	const char	*value;
	size_t		 len;
};

void
envelope_init(struct envelope *e)
{
	memset(e, 0, sizeof(*e));
}

void
envelope_clear(struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->nrcpt; i++) {
		free(e->rcpt[i].addr);
		free(e->rcpt[i].orcpt);
	}
	free(e->rcpt);
	free(e->sender);
	free(e->envid);
	envelope_init(e);
}

static struct envelope_rcpt *
add_rcpt(struct envelope *e, char *addr)
{
	struct envelope_rcpt *rcpt;

	/* grows when the number is a power of two */
	if ((e->nrcpt & (e->nrcpt - 1)) == 0)
		e->rcpt = xreallocarray(e->rcpt,
		    e->nrcpt != 0 ? e->nrcpt * 2 : 1, sizeof(e->rcpt[0]));
	rcpt = &e->rcpt[e->nrcpt++];
	memset(rcpt, 0, sizeof(*rcpt));
	rcpt->addr = addr;
	return rcpt;
}

struct envelope_rcpt *
envelope_add_rcpt(struct envelope *e, const char *addr)
{
	return add_rcpt(e, xstrdup(addr));
}

bool
envelope_has(const struct envelope *e, const char *addr, bool mailbox)
{
	size_t i;

	for (i = 0; i < e->nrcpt; i++)
		if (!e->rcpt[i].expanded && e->rcpt[i].mailbox == mailbox &&
		    strcasecmp(e->rcpt[i].addr, addr) == 0)
			return true;
	return false;
}

const char *
envelope_orcpt(const struct envelope_rcpt *rcpt)
{
	return rcpt->orcpt != NULL ? rcpt->orcpt : rcpt->addr;
}

void
envelope_forget_claims(struct envelope *e)
{
	struct envelope_rcpt *rcpt;

	e->origin.s[0] = '\0';
	for (rcpt = e->rcpt; rcpt < e->rcpt + e->nrcpt; rcpt++)
		rcpt->expanded = rcpt->mailbox = false;
}

static void
format_record(struct buf *b, char type, const char *value)
{
	buf_printf(b, "%c%zu:%s\n", type, strlen(value), value);
}

static void
format_number(struct buf *b, char type, uint64_t v)
{
	struct buf num = BUF_INIT;

	buf_printf(&num, "%llu", (unsigned long long)v);
	format_record(b, type, buf_str(&num));
	buf_clear(&num);
}

static void
format_rcpt(struct buf *b, const struct envelope_rcpt *rcpt)
{
	struct buf notify = BUF_INIT;

	format_record(b, 'R', rcpt->addr);
	if (rcpt->notify != 0) {
		dsn_add_notify(&notify, rcpt->notify);
		format_record(b, 'N', buf_str(&notify));
		buf_clear(&notify);
	}
	if (rcpt->orcpt != NULL)
		format_record(b, 'P', rcpt->orcpt);
	if (rcpt->mailbox)
		format_record(b, 'L', "");
	if (rcpt->expanded)
		format_record(b, 'A', "");
}

void
envelope_format(const struct envelope *e, struct buf *b)
{
	size_t i;

	format_number(b, 'U', e->uid);
	format_number(b, 'T', e->time);
	format_record(b, 'S', e->sender != NULL ? e->sender : "");
	if (e->envid != NULL)
		format_record(b, 'I', e->envid);
	if (e->ret != DSN_RET_UNSAID)
		format_record(b, 'H', dsn_ret_name(e->ret));
	if (e->utf8)
		format_record(b, 'G', "");
	if (e->origin.s[0] != '\0')
		format_record(b, 'O', e->origin.s);
	for (i = 0; i < e->nrcpt; i++)
		format_rcpt(b, &e->rcpt[i]);
	format_record(b, 'M', "");
}

static bool
is_text(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

/*
 * Whether an address can stand between < and > in an SMTP command: outside
 * of quotes there is nothing that could end it.
 */
static bool
is_path(const char *p, size_t n)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == '"')
			quoted = !quoted;
		else if (quoted && p[i] == '\\')
			i++;
		else if (!quoted && strchr(" <>()\\,;", p[i]) != NULL)
			return false;
	}
	return !quoted && i == n;
}

/*
 * The length of a record: 1 to 3 digits without leading zeros, then a colon.
 * Octets used, 0 when there are too few, -1 when it is malformed.
 */
static int
parse_length(const char *p, size_t n, size_t *len)
{
	size_t i, v = 0;

	for (i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (i == MAX_DIGITS || (i > 0 && v == 0))
			return -1;
		v = v * 10 + (size_t)(p[i] - '0');
	}
	if (i == n)
		return 0;
	if (i == 0 || p[i] != ':')
		return -1;
	*len = v;
	return (int)i + 1;
}

/* Read one record at P; like envelope_parse(). */
static int
parse_record(const char *p, size_t n, struct record *r, size_t *used,
    const char **why)
{
	int digits;

	if (n == 0)
		return 0;
	r->type = p[0];
	if (r->type == '\0' || strchr(ORDER, r->type) == NULL) {
		*why = "unknown record in the envelope";
		return -1;
	}
	digits = parse_length(p + 1, n - 1, &r->len);
	if (digits == -1 || (digits > 0 && r->len > ENVELOPE_MAX_ADDR)) {
		*why = "bad length of an envelope record";
		return -1;
	}
	if (digits == 0)
		return 0;
	*used = 1 + (size_t)digits + r->len + 1;
	if (n < *used)
		return 0;
	r->value = p + 1 + digits;
	if (r->value[r->len] != '\n' || !is_text(r->value, r->len)) {
		*why = "bad value of an envelope record";
		return -1;
	}
	return 1;
}

static int
parse_number(const struct record *r, uint64_t max, uint64_t *v)
{
	size_t i;

	*v = 0;
	if (r->len == 0 || (r->len > 1 && r->value[0] == '0'))
		return -1;
	for (i = 0; i < r->len; i++) {
		if (r->value[i] < '0' || r->value[i] > '9' ||
		    __builtin_mul_overflow(*v, (uint64_t)10, v) ||
		    __builtin_add_overflow(*v,
		    (uint64_t)(r->value[i] - '0'), v) || *v > max)
			return -1;
	}
	return 0;
}

/* The place of a record's type in the order. */
static int
place(char type)
{
	return (int)(strchr(ORDER, type) - ORDER);
}

/* Whether a record of type NEXT may follow one of type LAST, 0: none. */
static bool
may_follow(char last, char next)
{
	int from = last != 0 ? place(last) : -1, to = place(next);
	int s = place('S'), r = place('R');

	if (from < s || to <= s)
		return to == from + 1;
	return to == r || (to > from && (to < r || from >= r));
}

/* Records of the message, before the recipients. */
static const char *
take_head(struct envelope *e, const struct record *r)
{
	uint64_t v;

	switch (r->type) {
	case 'U':
		if (parse_number(r, (uid_t)-1, &v) == -1)
			return "bad number in the envelope";
		e->uid = (uid_t)v;
		return NULL;
	case 'T':
		return parse_number(r, UINT64_MAX, &e->time) == -1 ?
		    "bad number in the envelope" : NULL;
	case 'S':
		if (!is_path(r->value, r->len))
			return "the sender is no address";
		e->sender = xstrndup(r->value, r->len);
		return NULL;
	case 'I':
		if (!dsn_is_envid(r->value, r->len))
			return "bad ENVID in the envelope";
		e->envid = xstrndup(r->value, r->len);
		return NULL;
	case 'H':
		return dsn_parse_ret(r->value, r->len, &e->ret) == -1 ?
		    "bad RET in the envelope" : NULL;
	case 'G':
		e->utf8 = true;
		return r->len != 0 ? "bad value of an envelope record" : NULL;
	default:
		if (r->len != ID_LEN)
			return "bad identifier in the envelope";
		memcpy(e->origin.s, r->value, ID_LEN);
		e->origin.s[ID_LEN] = '\0';
		return id_is_valid(e->origin.s) ? NULL :
		    "bad identifier in the envelope";
	}
}

/* Records of the last recipient. */
static const char *
take_of_rcpt(struct envelope_rcpt *rcpt, const struct record *r)
{
	switch (r->type) {
	case 'N':
		return dsn_parse_notify(r->value, r->len, &rcpt->notify) ==
		    -1 ? "bad NOTIFY in the envelope" : NULL;
	case 'P':
		if (r->len == 0 || !is_path(r->value, r->len))
			return "an original recipient is no address";
		rcpt->orcpt = xstrndup(r->value, r->len);
		return NULL;
	default:
		if (r->len != 0)
			return "bad value of an envelope record";
		*(r->type == 'A' ? &rcpt->expanded : &rcpt->mailbox) = true;
		return NULL;
	}
}

/* Take record R, which follows one of type LAST, into E. */
static const char *
take_record(struct envelope *e, const struct record *r, char last,
    size_t maxrcpt)
{
	if (!may_follow(last, r->type))
		return "envelope records out of order";
	if (strchr("UTSIHGO", r->type) != NULL)
		return take_head(e, r);
	if (r->type == 'M')
		return r->len != 0 ? "bad value of an envelope record" : NULL;
	if (r->type != 'R')
		return take_of_rcpt(&e->rcpt[e->nrcpt - 1], r);
	if (r->len == 0 || !is_path(r->value, r->len))
		return "a recipient is no address";
	if (e->nrcpt == maxrcpt)
		return "too many recipients";
	add_rcpt(e, xstrndup(r->value, r->len));
	return NULL;
}

int
envelope_parse(struct envelope *e, const char *p, size_t n, size_t maxrcpt,
    size_t *used, const char **why)
{
	struct record r;
	size_t pos = 0, len;
	char last = 0;
	int rc;

	envelope_init(e);
	do {
		rc = parse_record(p + pos, n - pos, &r, &len, why);
		if (rc == 1 && (*why = take_record(e, &r, last,
		    maxrcpt)) != NULL)
			rc = -1;
		if (rc != 1) {
			envelope_clear(e);
			return rc;
		}
		pos += len;
		last = r.type;
	} while (last != 'M');
	*used = pos;
	return 1;
}
