/* SPDX-License-Identifier: ISC */
/*
 * Envelope records to and from octets.  Order and number of the records are
 * fixed: U, T, S, then R once or more with what belongs to it, then M.  Lengths rule; no value can
 * end a record early or begin another.
 */
#include "config.h"

#include "spool/envelope.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

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

	for (i = 0; i < e->nrcpt; i++)
		free(e->rcpt[i].addr);
	free(e->rcpt);
	free(e->sender);
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

void
envelope_format(const struct envelope *e, struct buf *b)
{
	const struct envelope_rcpt *rcpt;

	format_number(b, 'U', e->uid);
	format_number(b, 'T', e->time);
	format_record(b, 'S', e->sender != NULL ? e->sender : "");
	for (rcpt = e->rcpt; rcpt < e->rcpt + e->nrcpt; rcpt++) {
		format_record(b, 'R', rcpt->addr);
		if (rcpt->mailbox)
			format_record(b, 'L', "");
		if (rcpt->expanded)
			format_record(b, 'A', "");
	}
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
	if (memchr("UTSRALM", r->type, 7) == NULL) {
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

/* Take record R, which follows one of type LAST, into E. */
static const char *
take_record(struct envelope *e, const struct record *r, char last,
    size_t maxrcpt)
{
	/* what may follow what */
	static const char order[][2] = { { 0, 'U' }, { 'U', 'T' },
	    { 'T', 'S' }, { 'S', 'R' }, { 'R', 'R' }, { 'R', 'M' },
	    { 'R', 'A' }, { 'A', 'R' }, { 'A', 'M' }, { 'R', 'L' },
	    { 'L', 'A' }, { 'L', 'R' }, { 'L', 'M' } };
	struct envelope_rcpt *rcpt;
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i][0] == last && order[i][1] == r->type)
			break;
	if (i == sizeof(order) / sizeof(order[0]))
		return "envelope records out of order";
	switch (r->type) {
	case 'U':
		if (parse_number(r, (uid_t)-1, &v) == -1)
			return "bad number in the envelope";
		e->uid = (uid_t)v;
		break;
	case 'T':
		if (parse_number(r, UINT64_MAX, &e->time) == -1)
			return "bad number in the envelope";
		break;
	case 'S':
		if (!is_path(r->value, r->len))
			return "the sender is no address";
		e->sender = xstrndup(r->value, r->len);
		break;
	case 'R':
		if (r->len == 0 || !is_path(r->value, r->len))
			return "a recipient is no address";
		if (e->nrcpt == maxrcpt)
			return "too many recipients";
		add_rcpt(e, xstrndup(r->value, r->len));
		break;
	case 'A':
	case 'L':
		if (r->len != 0)
			return "bad value of an envelope record";
		rcpt = &e->rcpt[e->nrcpt - 1];
		*(r->type == 'A' ? &rcpt->expanded : &rcpt->mailbox) = true;
		break;
	case 'M':
		if (r->len != 0)
			return "bad value of an envelope record";
		break;
	}
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
