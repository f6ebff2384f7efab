/* SPDX-License-Identifier: ISC */
/*
 * getmx --trace: the steps of a lookup as lines for people.  One line says
 * who was asked and what followed, then come his words, one to a line.
 */
#include "config.h"

#include "tool/getmx.h"

#include <netinet/in.h>

#include <inttypes.h>
#include <stddef.h>

#include "mxdb.h"

static void
put_time(FILE *fp, uint64_t usec)
{
	(void)fprintf(fp, "%" PRIu64 ".%03u ms", usec / 1000,
	    (unsigned int)(usec % 1000));
}

static void
put_exchange(FILE *fp, const struct mxent *mx)
{
	(void)fprintf(fp, "%u %s", (unsigned int)mx->mx_pref, mx->mx_host);
	if (mx->mx_port != 0)
		(void)fprintf(fp, " port %u", (unsigned int)mx->mx_port);
}

static void
put_list(FILE *fp, const struct mxtrace *t)
{
	(void)fprintf(fp, "trace of %s: the source list of %s\n    %s\n",
	    t->mt_domain, t->mt_origin == NULL ? "the command line" :
	    t->mt_origin, t->mt_text == NULL ? "(too long)" : t->mt_text);
}

static void
put_source_name(FILE *fp, const struct mxtrace *t)
{
	(void)fprintf(fp, "  %s", t->mt_source);
	if (t->mt_arg != NULL)
		(void)fprintf(fp, "(%s)", t->mt_arg);
	if (t->mt_event == MXT_BORROW)
		(void)fprintf(fp, ", for mx:%s", t->mt_domain);
	else if (t->mt_flags & MXT_UNUSED)
		(void)fputs(", not needed", fp);
}

static void
put_answer(FILE *fp, const struct mxtrace *t)
{
	const struct mxnote *n;
	const struct mxent *mx;

	put_source_name(fp, t);
	(void)fprintf(fp, ": %s", t->mt_status);
	if (t->mt_action != NULL)
		(void)fprintf(fp, ", %s", t->mt_action);
	(void)fputs(", ", fp);
	put_time(fp, t->mt_usec);
	if (t->mt_origin != NULL)
		(void)fprintf(fp, ", %s", t->mt_origin);
	if (t->mt_rule != NULL)
		(void)fprintf(fp, ", pattern %s", t->mt_rule);
	(void)fputc('\n', fp);
	if (t->mt_text != NULL)
		(void)fprintf(fp, "    %s%s%s\n", t->mt_error == 0 ? "" :
		    mx_errname(t->mt_error), t->mt_error == 0 ? "" : ": ",
		    t->mt_text);
	for (mx = t->mt_mx; mx != NULL; mx = mx->mx_next) {
		(void)fputs("    ", fp);
		put_exchange(fp, mx);
		(void)fputc('\n', fp);
	}
	for (n = t->mt_notes; n != NULL; n = n->mn_next)
		(void)fprintf(fp, "    note: %s\n", n->mn_text);
}

static void
put_dropped(FILE *fp, const struct mxtrace *t)
{
	(void)fputs("  left out: ", fp);
	put_exchange(fp, t->mt_mx);
	(void)fprintf(fp, " (%s): %s\n", t->mt_origin != NULL ?
	    t->mt_origin : t->mt_source, t->mt_text);
}

static void
put_addrs(FILE *fp, const struct mxtrace *t)
{
	char buf[INET6_ADDRSTRLEN];
	const struct mxaddr *ma;

	(void)fprintf(fp, "  addresses of %s:", t->mt_mx->mx_host);
	for (ma = t->mt_mx->mx_addrs; ma != NULL; ma = ma->ma_next) {
		getmx_address(ma, buf, sizeof(buf));
		(void)fprintf(fp, " %s", buf);
	}
	if (t->mt_text != NULL)
		(void)fprintf(fp, " %s", t->mt_text);
	(void)fputs(", ", fp);
	put_time(fp, t->mt_usec);
	(void)fputc('\n', fp);
}

void
getmx_trace(FILE *fp, const struct mxtrace *t)
{
	static void (*const put[])(FILE *, const struct mxtrace *) = {
		[MXT_LIST] = put_list,
		[MXT_SOURCE] = put_answer,
		[MXT_BORROW] = put_answer,
		[MXT_DROPPED] = put_dropped,
		[MXT_ADDRS] = put_addrs
	};

	if (t->mt_event > 0 &&
	    (size_t)t->mt_event < sizeof(put) / sizeof(put[0]))
		put[t->mt_event](fp, t);
}
