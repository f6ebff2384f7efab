/* SPDX-License-Identifier: ISC */
/*
 * Every kind of odd answer for every type of record: what the parser makes
 * of it, and what a whole lookup does when a server says so, over UDP and,
 * where the answer is cut off, TCP.
 *
 * An answer is written as words:
 *
 *   aa nora tc noqr op=N rcode=N	header; a recursive server is the rule
 *   q=none|two|name|type|class|upper|cut	the question, ours is the rule
 *   [u:|d:]RECORD[@OWNER]		in the answer, authority or additional
 *	section, of the name asked or of OWNER.test; RECORD is
 *	good bad empty long chaos	of the type asked: right, too short,
 *			without data, an octet too long, of another class
 *	high		right, its TTL with the top bit set
 *	other sig soa ns opt=N	of other types; badsoa
 *	cname>X cname0 cnamex	to X.test; without data; an octet too long
 *	dname dnamex	of "test" to "x.example"; malformed
 *	self ahead header kind	right, but for the pointer in its owner
 *	far		its data ends beyond the message
 *   chain=N		N CNAMEs from the name asked to "end.test"
 *   more=N cut=N extra=N len=N	announced answers, octets
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "mxres.h"
#include "parse.h"
#include "query.h"
#include "server.h"

static const struct type {
	const char	*word;
	enum mxres_type	 type;
	const char	*good;		/* data, with a last octet to vary */
	size_t		 len;
} types[] = {
	{ "MX", MXRES_TYPE_MX, "\0\12\1m\0", 5 },
	{ "A", MXRES_TYPE_A, "\300\0\2\1", 4 },
	{ "AAAA", MXRES_TYPE_AAAA,
	    "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 },
	{ "TLSA", MXRES_TYPE_TLSA, "\3\1\0\60\0\1", 6 },
	{ "TXT", MXRES_TYPE_TXT, "\2a\1", 3 }
};
#define NTYPES	(sizeof(types) / sizeof(types[0]))

static const struct odd {
	const char	*answer;
	const char	*status;	/* with the number of records */
	const char	*tlsa;		/* of TLSA, if another */
	const char	*wire;		/* of a lookup, if another */
} odds[] = {
	/* right */
	{ "good", "ok 1", NULL, NULL },
	{ "good good", "ok 2", NULL, NULL },
	{ "q=upper good", "ok 1", NULL, NULL },
	{ "aa nora good", "ok 1", NULL, NULL },
	{ "nora good", "ok 1", NULL, NULL },
	{ "good other", "ok 1", NULL, NULL },
	{ "sig good", "ok 1", NULL, NULL },
	{ "good u:ns d:opt=0", "ok 1", NULL, NULL },
	{ "good extra=4", "ok 1", NULL, NULL },
	{ "good extra=1000", "ok 1", NULL, NULL },
	{ "high", "ok 1", NULL, NULL },
	{ "good u:bad d:bad", "ok 1", NULL, NULL },

	/* no such record, or is it */
	{ "u:soa", "nodata", NULL, NULL },
	{ "", "nodata", NULL, NULL },
	{ "aa nora", "nodata", NULL, NULL },
	{ "nora u:soa", "nodata", NULL, NULL },
	{ "other", "nodata", NULL, NULL },
	{ "sig u:soa", "nodata", NULL, NULL },
	{ "u:good", "nodata", NULL, NULL },
	{ "d:good", "nodata", NULL, NULL },
	{ "chaos", "nodata", NULL, NULL },
	{ "nora", "badresp", NULL, NULL },
	{ "nora d:opt=0", "badresp", NULL, NULL },
	{ "nora u:soa@example", "badresp", NULL, NULL },
	{ "nora u:badsoa", "badresp", NULL, NULL },
	{ "u:ns", "badresp", NULL, NULL },
	{ "d:opt=1", "refused", NULL, NULL },
	{ "u:ns more=1", "badresp", NULL, NULL },

	/* RCODEs */
	{ "rcode=3 u:soa", "nxdomain", NULL, NULL },
	{ "rcode=3", "nxdomain", NULL, NULL },
	{ "rcode=3 other", "nxdomain", NULL, NULL },
	{ "rcode=3 good", "badresp", NULL, NULL },
	{ "rcode=3 bad", "badresp", NULL, NULL },
	{ "rcode=3 more=1", "badresp", NULL, NULL },
	{ "rcode=1", "refused", NULL, NULL },
	{ "rcode=2", "servfail", NULL, NULL },
	{ "rcode=2 good", "servfail", NULL, NULL },
	{ "rcode=4", "refused", NULL, NULL },
	{ "rcode=5", "refused", NULL, NULL },
	{ "rcode=5 good", "refused", NULL, NULL },
	{ "rcode=9", "refused", NULL, NULL },
	{ "rcode=15", "refused", NULL, NULL },
	{ "rcode=2 q=none", "servfail", NULL, NULL },
	{ "rcode=5 q=none", "refused", NULL, NULL },

	/* not an answer to us: a lookup waits for another */
	{ "rcode=3 q=none", "badresp", NULL, "timeout" },
	{ "q=none good", "badresp", NULL, "timeout" },
	{ "q=two good", "badresp", NULL, "timeout" },
	{ "q=name good", "badresp", NULL, "timeout" },
	{ "q=type good", "badresp", NULL, "timeout" },
	{ "q=class good", "badresp", NULL, "timeout" },
	{ "q=cut", "badresp", NULL, "timeout" },
	{ "noqr good", "badresp", NULL, "timeout" },
	{ "good len=1", "badresp", NULL, "timeout" },
	{ "good len=11", "badresp", NULL, "timeout" },
	{ "good len=12", "badresp", NULL, "timeout" },
	{ "op=2 good", "badresp", NULL, NULL },

	/* cut off, over TCP as well */
	{ "tc", "badresp", NULL, NULL },
	{ "tc good", "badresp", NULL, NULL },
	{ "tc rcode=3 u:soa", "badresp", NULL, NULL },
	{ "tc rcode=2", "servfail", NULL, NULL },

	/* names that lead on */
	{ "cname>e good@e", "ok 1", NULL, NULL },
	{ "good@e cname>e", "ok 1", NULL, NULL },
	{ "cname>e", "nodata", NULL, NULL },
	{ "cname>e u:soa", "nodata", NULL, NULL },
	{ "aa nora cname>e", "badresp", NULL, NULL },
	{ "rcode=3 cname>e u:soa", "nxdomain", NULL, NULL },
	{ "cname>e cname>e@e", "badresp", NULL, NULL },
	{ "cname>e cname>f@e cname>e@f good@g", "badresp", NULL, NULL },
	{ "cname>e good", "badresp", NULL, NULL },
	{ "cname>e bad@e", "badresp", NULL, NULL },
	{ "cname0", "badresp", NULL, NULL },
	{ "cnamex good@e", "badresp", NULL, NULL },
	{ "chain=10 good@end", "ok 1", NULL, NULL },
	{ "chain=11 good@end", "badresp", NULL, NULL },
	{ "chain=500 good@end", "badresp", NULL, NULL },
	{ "dname", "nodata", NULL, NULL },
	{ "dnamex good", "badresp", NULL, NULL },

	/* records of others, and malformed ones */
	{ "good@e", "badresp", NULL, NULL },
	{ "good good@e", "ok 1", NULL, NULL },
	{ "good chaos", "ok 1", NULL, NULL },
	{ "bad", "badresp", NULL, NULL },
	{ "empty", "badresp", NULL, NULL },
	{ "long", "badresp", "ok 1", NULL },
	{ "bad bad", "badresp", NULL, NULL },
	{ "bad good", "ok 1", "ok 2", NULL },
	{ "good bad", "ok 1", "ok 2", NULL },
	{ "good empty", "ok 1", "ok 2", NULL },

	/* broken framing */
	{ "good more=1", "badresp", NULL, NULL },
	{ "good more=65534", "badresp", NULL, NULL },
	{ "good good more=-1", "ok 1", NULL, NULL },
	{ "good cut=1", "badresp", NULL, NULL },
	{ "good good cut=1", "badresp", NULL, NULL },
	{ "self", "badresp", NULL, NULL },
	{ "ahead", "badresp", NULL, NULL },
	{ "header", "badresp", NULL, NULL },
	{ "kind", "badresp", NULL, NULL },
	{ "good far", "badresp", NULL, NULL }
};
#define NODDS	(sizeof(odds) / sizeof(odds[0]))

struct message {
	uint8_t		 p[32768];
	size_t		 len;
	const struct type *type;
	char		 name[32];	/* asked */
	unsigned int	 good;		/* records so far, to tell them apart */
};

static void
put(struct message *m, const void *p, size_t n)
{
	assert_true(m->len + n <= sizeof(m->p));
	memcpy(m->p + m->len, p, n);
	m->len += n;
}

static void
put16(struct message *m, unsigned int n)
{
	uint8_t p[2] = { (uint8_t)(n >> 8), (uint8_t)n };

	put(m, p, 2);
}

static void
put_name(struct message *m, const char *s)
{
	uint8_t n;

	for (; *s != '\0'; s += s[n] == '.' ? n + 1 : n) {
		n = (uint8_t)strcspn(s, ".");
		put(m, &n, 1);
		put(m, s, n);
	}
	put(m, "", 1);
}

static void
add16(uint8_t *p, int n)
{
	n += p[0] << 8 | p[1];
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

/* A record whose owner is there already; its data is P. */
static void
put_rest(struct message *m, unsigned int type, unsigned int class,
    unsigned int ttl, const void *p, size_t n)
{
	put16(m, type);
	put16(m, class);
	put16(m, ttl);
	put16(m, 300);
	put16(m, (unsigned int)n);
	put(m, p, n);
}

static void
put_type(struct message *m, const char *word)
{
	uint8_t p[32] = { 0 };
	size_t len = m->type->len;
	unsigned int ttl = 0, class = 1;

	memcpy(p, m->type->good, len);
	m->good++;
	/* MX ends in the root label: vary the letter before */
	p[m->type->type == MXRES_TYPE_MX ? len - 2 : len - 1] += m->good;
	if (strcmp(word, "bad") == 0)
		len = m->type->type == MXRES_TYPE_TLSA ? 3 : len - 1;
	else if (strcmp(word, "empty") == 0)
		len = 0;
	else if (strcmp(word, "long") == 0)
		p[len++] = 9;
	else if (strcmp(word, "chaos") == 0)
		class = 3;
	else if (strcmp(word, "high") == 0)
		ttl = 0x8000;
	else if (strcmp(word, "good") != 0)
		fail_msg("no such word: %s", word);
	put_rest(m, m->type->type, class, ttl, p, len);
}

static void
put_soa(struct message *m, bool good)
{
	static const uint8_t soa[22 + 2] = { 0 };	/* two roots, numbers */

	put_rest(m, 6, 1, 0, soa, good ? 22 : 21);
}

static void
put_link(struct message *m, unsigned int type, const char *target,
    size_t extra)
{
	struct message data = { .len = 0 };

	put_name(&data, target);
	put(&data, "", extra);
	put_rest(m, type, 1, 0, data.p, data.len);
}

static void
put_pointer(struct message *m, unsigned int to)
{
	put16(m, 0xc000 | to);
	put_type(m, "good");
}

/* False if WORD is none that has an owner of its own making. */
static bool
put_strange(struct message *m, const char *word)
{
	if (strcmp(word, "self") == 0)
		put_pointer(m, (unsigned int)m->len);
	else if (strcmp(word, "ahead") == 0)
		put_pointer(m, (unsigned int)m->len + 12);
	else if (strcmp(word, "header") == 0)
		put_pointer(m, 0);
	else if (strcmp(word, "kind") == 0) {
		put(m, "\x41", 1);
		put_pointer(m, 12);
	} else if (strncmp(word, "opt=", 4) == 0) {
		put(m, "", 1);
		put16(m, 41);
		put16(m, 1232);
		put16(m, (unsigned int)strtoul(word + 4, NULL, 10) << 8);
		put16(m, 0);
		put16(m, 0);
	} else if (strncmp(word, "dname", 5) == 0) {
		put_name(m, "test");
		put_link(m, 39, "x.example", word[5] == 'x');
	} else
		return false;
	return true;
}

static void
put_record(struct message *m, char *word)
{
	char *owner = strchr(word, '@'), name[64];

	if (put_strange(m, word))
		return;
	if (owner != NULL) {
		*owner++ = '\0';
		snprintf(name, sizeof(name), "%s%s", owner,
		    strcmp(owner, "example") == 0 ? "" : ".test");
		put_name(m, name);
	} else
		put_name(m, strstr(word, "soa") != NULL ? "test" : m->name);
	if (strncmp(word, "cname>", 6) == 0) {
		snprintf(name, sizeof(name), "%s.test", word + 6);
		put_link(m, 5, name, 0);
	} else if (strcmp(word, "cname0") == 0)
		put_rest(m, 5, 1, 0, "", 0);
	else if (strcmp(word, "cnamex") == 0)
		put_link(m, 5, "e.test", 1);
	else if (strcmp(word, "other") == 0)
		put_rest(m, 99, 1, 0, "\1x", 2);
	else if (strcmp(word, "sig") == 0)
		put_rest(m, 46, 1, 0, "sig", 3);
	else if (strcmp(word, "ns") == 0)
		put_link(m, 2, "ns.test", 0);
	else if (strcmp(word, "far") == 0) {
		put_type(m, "good");
		add16(m->p + m->len - m->type->len - 2, 1);
	} else if (strstr(word, "soa") != NULL)
		put_soa(m, word[0] == 's');
	else
		put_type(m, word);
}

static void
put_chain(struct message *m, int n)
{
	char word[64];
	int i;

	for (i = 1; i <= n; i++) {
		snprintf(word, sizeof(word), i == n ? "cname>end" :
		    "cname>c%d", i);
		if (i > 1)
			snprintf(word + strlen(word),
			    sizeof(word) - strlen(word), "@c%d", i - 1);
		put_record(m, word);
	}
	add16(m->p + 6, n);
}

static void
put_question(struct message *m, const char *how)
{
	size_t i;

	if (strcmp(how, "none") == 0)
		return;
	add16(m->p + 4, strcmp(how, "two") == 0 ? 2 : 1);
	put_name(m, strcmp(how, "name") == 0 ? "other.test" : m->name);
	for (i = 12; strcmp(how, "upper") == 0 && i < m->len; i++)
		if (m->p[i] >= 'a')
			m->p[i] -= 'a' - 'A';
	put16(m, strcmp(how, "type") == 0 ? 99 : m->type->type);
	put16(m, strcmp(how, "class") == 0 ? 3 : 1);
	if (strcmp(how, "two") == 0) {
		put_name(m, m->name);
		put16(m, m->type->type);
		put16(m, 1);
	}
	if (strcmp(how, "cut") == 0)
		m->len -= 3;
}

static const char *const changes[] = {
	"aa", "nora", "tc", "noqr", "op=", "rcode=", "more=", "cut=",
	"extra=", "len=", "q="
};
#define NCHANGES (sizeof(changes) / sizeof(changes[0]))

/* Which of them WORD is; NCHANGES: a record. */
static size_t
change_of(const char *word)
{
	size_t i, len = strcspn(word, "=") + (strchr(word, '=') != NULL);

	for (i = 0; i < NCHANGES; i++)
		if (strlen(changes[i]) == len &&
		    strncmp(changes[i], word, len) == 0)
			break;
	return i;
}

/* To the message when all else is there. */
static void
change(struct message *m, const char *word)
{
	const char *eq = strchr(word, '=');
	int n = eq == NULL ? 0 : (int)strtol(eq + 1, NULL, 10);

	switch (change_of(word)) {
	case 0:
		m->p[2] |= 0x04;
		break;
	case 1:
		m->p[3] &= 0x7f;
		break;
	case 2:
		m->p[2] |= 0x02;
		break;
	case 3:
		m->p[2] &= 0x7f;
		break;
	case 4:
		m->p[2] |= (uint8_t)(n << 3);
		break;
	case 5:
		m->p[3] |= (uint8_t)n;
		break;
	case 6:
		add16(m->p + 6, n);
		break;
	case 7:
		m->len -= (size_t)n;
		break;
	case 8:
		memset(m->p + m->len, 0xff, (size_t)n);
		m->len += (size_t)n;
		break;
	case 9:
		m->len = (size_t)n;
		break;
	default:
		break;
	}
}

/* The records of section I, 'a', 'u' or 'd'. */
static void
put_section(struct message *m, const char *answer, size_t i)
{
	char text[128], *word, *s = text;

	snprintf(text, sizeof(text), "%s", answer);
	while ((word = strsep(&s, " ")) != NULL) {
		if (*word == '\0' || change_of(word) < NCHANGES ||
		    (word[1] == ':' ? word[0] : 'a') != "aud"[i])
			continue;
		if (strncmp(word, "chain=", 6) == 0) {
			put_chain(m, (int)strtol(word + 6, NULL, 10));
			continue;
		}
		put_record(m, word[1] == ':' ? word + 2 : word);
		add16(m->p + 6 + 2 * i, 1);
	}
}

static void
build(struct message *m, const struct odd *odd, const struct type *type,
    const char *name)
{
	static const char header[12] = { 0x12, 0x34, (char)0x81, (char)0x80 };
	const char *q = strstr(odd->answer, "q=");
	char text[128], how[16] = "", *word, *s = text;
	size_t i;

	memset(m, 0, sizeof(*m));
	m->type = type;
	snprintf(m->name, sizeof(m->name), "%s", name);
	put(m, header, sizeof(header));
	if (q != NULL)
		snprintf(how, sizeof(how), "%.*s", (int)strcspn(q + 2, " "),
		    q + 2);
	put_question(m, how);
	for (i = 0; i < 3; i++)
		put_section(m, odd->answer, i);
	snprintf(text, sizeof(text), "%s", odd->answer);
	while ((word = strsep(&s, " ")) != NULL)
		change(m, word);
}

/* "STATUS", or "ok N". */
static void
write_out(const struct mxres_answer *a, char buf[32])
{
	static const struct {
		enum mxres_status	 status;
		const char		*word;
	} words[] = {
		{ MXRES_NODATA, "nodata" }, { MXRES_NXDOMAIN, "nxdomain" },
		{ MXRES_SERVFAIL, "servfail" }, { MXRES_REFUSED, "refused" },
		{ MXRES_BADRESP, "badresp" }, { MXRES_TIMEOUT, "timeout" }
	};
	size_t i, n = a->nmx + a->naddr + a->ntlsa + a->ntxt;

	snprintf(buf, 32, "status %d", (int)a->status);
	if (a->status == MXRES_OK)
		snprintf(buf, 32, "ok %zu", n);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].status == a->status)
			snprintf(buf, 32, "%s%s", words[i].word,
			    n == 0 ? "" : " with records");
}

static const char *
wanted(const struct odd *odd, const struct type *type)
{
	return odd->tlsa != NULL && type->type == MXRES_TYPE_TLSA ?
	    odd->tlsa : odd->status;
}

static void
test_matrix_parsed(void **state)
{
	static struct message m;
	struct mxres_answer *a;
	uint8_t *copy;
	char got[32];
	size_t i, t, bad = 0;

	(void)state;
	for (i = 0; i < NODDS; i++)
		for (t = 0; t < NTYPES; t++) {
			build(&m, &odds[i], &types[t], "d.test");
			/* just as long, for the sanitizer's sake */
			copy = malloc(m.len + 1);
			a = mxres_answer_new("d.test");
			assert_true(copy != NULL && a != NULL);
			memcpy(copy, m.p, m.len);
			a->status = mxres_parse(copy, m.len, types[t].type, a);
			write_out(a, got);
			if (strcmp(got, wanted(&odds[i], &types[t])) != 0) {
				print_message("# %s \"%s\": %s, not %s\n",
				    types[t].word, odds[i].answer, got,
				    wanted(&odds[i], &types[t]));
				bad++;
			}
			mxres_answer_free(a);
			free(copy);
		}
	print_message("# %zu answers\n", NODDS * NTYPES);
	assert_true(NODDS * NTYPES >= 400);
	assert_int_equal(bad, 0);
}

/* fakedns gives the answer a right id, and sends it over UDP and TCP. */
static char *
make_script(void)
{
	static struct message m;
	char *text = NULL, name[32];
	size_t size, i, t, j;
	FILE *fp = open_memstream(&text, &size);

	assert_non_null(fp);
	for (i = 0; i < NODDS; i++)
		for (t = 0; t < NTYPES; t++) {
			snprintf(name, sizeof(name), "n%zu.test", i);
			build(&m, &odds[i], &types[t], name);
			fprintf(fp, "%s %s packet=", name, types[t].word);
			for (j = 0; j < m.len; j++)
				fprintf(fp, "%02x", m.p[j]);
			fprintf(fp, "\n");
		}
	assert_int_equal(fclose(fp), 0);
	return text;
}

/* One type: its lookups, one after the other. */
struct run {
	pthread_t		 thread;
	struct mxres_ctx	*ctx;
	const struct type	*type;
	struct mxres_answer	*answer[NODDS];
};

static void *
run_type(void *arg)
{
	struct run *run = arg;
	char name[32];
	size_t i;

	for (i = 0; i < NODDS; i++) {
		snprintf(name, sizeof(name), "n%zu.test", i);
		/* Silence need not be waited for, an answer must. */
		mxres_set_timeout(run->ctx, odds[i].wire == NULL ? 60000 :
		    200);
		(void)mxres_lookup(run->ctx, name, run->type->type,
		    &run->answer[i]);
	}
	return NULL;
}

static void
test_matrix_asked(void **state)
{
	static struct run runs[NTYPES];
	struct server srv;
	char *script = make_script(), got[32];
	const char *want;
	size_t i, t, bad = 0;

	(void)state;
	server_start(&srv, script);
	free(script);
	for (t = 0; t < NTYPES; t++) {
		runs[t].type = &types[t];
		runs[t].ctx = server_ctx(&srv, AF_INET, 60000);
		assert_int_equal(pthread_create(&runs[t].thread, NULL,
		    run_type, &runs[t]), 0);
	}
	for (t = 0; t < NTYPES; t++) {
		assert_int_equal(pthread_join(runs[t].thread, NULL), 0);
		for (i = 0; i < NODDS; i++) {
			assert_non_null(runs[t].answer[i]);
			write_out(runs[t].answer[i], got);
			want = odds[i].wire != NULL ? odds[i].wire :
			    wanted(&odds[i], &types[t]);
			if (strcmp(got, want) != 0) {
				print_message("# %s \"%s\": %s, not %s\n",
				    types[t].word, odds[i].answer, got, want);
				bad++;
			}
			mxres_answer_free(runs[t].answer[i]);
		}
		mxres_free(runs[t].ctx);
	}
	server_stop(&srv);
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix_parsed),
		cmocka_unit_test(test_matrix_asked),
	};

	return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
